//! Making conditions hold, or not hold, in a document in the making.

use super::{
    fill::{Fill, segs},
    tree::{Seg, Tree, joined},
};
use crate::{
    json::{
        number,
        query::{Condition, Demand, Literal, Origin, Wanted},
    },
    mapping::value::Value,
};

fn value(literal: &Literal) -> Value<'static> {
    match literal {
        Literal::Null => Value::Null,
        Literal::Bool(truth) => Value::Bool(*truth),
        Literal::Number(text) => Value::Number(text.to_string().into()),
        Literal::Text(text) => Value::text(text.to_string()),
    }
}

/// A value beyond a literal, upwards or downwards.
fn beyond(literal: &Literal, is_more: bool) -> Value<'static> {
    match literal {
        Literal::Number(text) => {
            let step = if is_more { 1 } else { -1 };
            Value::integer(number::to_i64(text).unwrap_or_default().saturating_add(step))
        }
        Literal::Text(text) if is_more => Value::text(format!("{text}~")),
        other => value(other),
    }
}

impl<'r> Fill<'r> {
    /// Makes a condition hold or not at a scope; false where what is there already forbids it.
    pub fn hold(&mut self, condition: Option<&'r Condition>, scope: &[Seg], holds: bool) -> bool {
        let Some(condition) = condition else { return holds };
        for way in condition.ways(holds) {
            let before = (self.tree.clone(), self.forbidden.clone());
            if way.iter().all(|demand| self.demand(demand, scope)) {
                self.held.push((scope.to_vec(), condition, holds));
                return true;
            }
            (self.tree, self.forbidden) = before;
        }
        false
    }

    fn demand(&mut self, demand: &Demand<'_>, scope: &[Seg]) -> bool {
        let Some(steps) = segs(&demand.path.steps) else { return false };
        let mut place = match demand.path.origin {
            Origin::Scope => scope.to_vec(),
            Origin::Root => Vec::new(),
        };
        place.extend(steps);
        let there = match self.tree.get(&place) {
            Some(Tree::Leaf(leaf)) => Some(leaf.value.clone()),
            Some(Tree::Object(members)) if members.is_empty() => None,
            Some(_) => return matches!(demand.wanted, Wanted::There | Wanted::Other(_)),
            None => None,
        };
        match (demand.wanted, there) {
            (Wanted::Equal(literal), Some(there)) => self.keep(&place, there.same(&value(literal))),
            (Wanted::Other(literal), Some(there)) => self.keep(&place, !there.same(&value(literal))),
            // Whether a value that is there is great enough is tested in the end.
            (Wanted::There | Wanted::More(_) | Wanted::Less(_), Some(_)) => self.keep(&place, true),
            (Wanted::Nothing, Some(_)) => false,
            (Wanted::Equal(literal), None) => self.set(&place, value(literal)),
            (Wanted::More(literal), None) => self.set(&place, beyond(literal, true)),
            (Wanted::Less(literal), None) => self.set(&place, beyond(literal, false)),
            (Wanted::There, None) => self.set_any(&place),
            (Wanted::Other(literal), None) => {
                self.forbidden.push((place, Some(value(literal))));
                true
            }
            (Wanted::Nothing, None) => {
                self.forbidden.push((place, None));
                true
            }
        }
    }

    /// A value that is there stays: the condition needs it.
    fn keep(&mut self, place: &[Seg], is: bool) -> bool {
        if let (true, Some(Tree::Leaf(leaf))) = (is, self.tree.get_mut(place)) {
            leaf.is_pinned = true;
        }
        is
    }

    fn set(&mut self, place: &[Seg], value: Value<'static>) -> bool {
        let is_forbidden = self
            .forbidden
            .iter()
            .any(|(own, other)| own == place && other.as_ref().is_none_or(|other| other.same(&value)));
        !is_forbidden && self.open_above(place) && self.pin(place, value)
    }

    fn set_any(&mut self, place: &[Seg]) -> bool {
        let typed = self.typed(place);
        let found = super::leaf::candidates(&[], self.recipe.program.direction, typed);
        found.into_iter().next().is_some_and(|value| self.set(place, value))
    }

    fn open_above(&mut self, place: &[Seg]) -> bool {
        let mut at: Vec<Seg> = Vec::new();
        for seg in place {
            let empty = match seg {
                Seg::Name(_) => Tree::object(),
                Seg::At(_) => Tree::Array { elements: Vec::new(), is_set: false },
            };
            if !self.tree.open(&at, empty) {
                return false;
            }
            at = joined(&at, seg.clone());
        }
        true
    }
}
