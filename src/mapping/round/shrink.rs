//! The smallest document that still shows what is lost.

use super::{
    back::{Difference, Road, Trip},
    fill::Filled,
    tree::{Leaf, Seg, Tree},
};
use crate::mapping::direction::Direction;

/// Most documents that are tried to make one smaller.
const TRIALS_MAX: usize = 400;

/// Takes out of a document whatever does not matter to one difference.
pub(super) fn shrunk(
    road: &Road<'_>,
    filled: &Filled,
    direction: Direction,
    wanted: &Difference,
) -> (Filled, Option<Trip>) {
    let mut best = filled.clone();
    let mut trip = None;
    let mut trials = 0;
    loop {
        let mut smaller = None;
        for place in places(&best.tree, &best.scope) {
            trials += 1;
            if trials > TRIALS_MAX {
                return (best, trip);
            }
            let mut tried = best.clone();
            tried.tree.remove(&place);
            tried.tree.prune();
            if tried.tree.get(&tried.scope).is_none() {
                continue;
            }
            if let Ok(one) = road.once(&tried, direction)
                && one.differences.iter().any(|own| is_same(own, wanted))
            {
                smaller = Some((tried, one));
                break;
            }
        }
        let Some((tried, one)) = smaller else { return (best, trip) };
        (best, trip) = (tried, Some(one));
    }
}

fn is_same(one: &Difference, other: &Difference) -> bool {
    one.claim == other.claim
        && one.is_element == other.is_element
        && (one.place.is_empty() == other.place.is_empty())
}

/// What can be taken out: large parts first; nothing that something else needs, but for whole elements.
fn places(tree: &Tree, scope: &[Seg]) -> Vec<Vec<Seg>> {
    let mut found: Vec<(usize, Vec<Seg>)> = Vec::new();
    tree.walk(&mut Vec::new(), &mut |place, part| {
        let is_element = matches!(place.last(), Some(Seg::At(_)));
        let is_free = is_element || !part.any(&mut |leaf: &Leaf| leaf.is_pinned);
        if is_free && !scope.starts_with(place) {
            let mut leaves = 0;
            part.any(&mut |_| {
                leaves += 1;
                false
            });
            found.push((leaves, place.to_vec()));
        }
    });
    found.sort_by_key(|(leaves, _)| std::cmp::Reverse(*leaves));
    found.into_iter().map(|(_, place)| place).collect()
}
