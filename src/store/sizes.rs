//! How much a store holds, for the metrics.

use super::Queue;

/// Most kinds of entities that are told apart; there are fewer in the standard.
pub const KINDS_MAX: usize = 64;

/// How much a store holds. What was acknowledged a moment ago may not be counted yet.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Sizes {
    /// Bytes by part: `database`, and where it has one of its own, `log`.
    pub bytes: Vec<(&'static str, u64)>,
    /// Entities by kind, the most numerous first: at most [`KINDS_MAX`], and all others as `other`. Empty where they were
    /// not to be counted.
    pub entities: Vec<(String, u64)>,
    /// Tasks of each queue: open, and buried.
    pub tasks: Vec<(Queue, u64, u64)>,
}

impl Sizes {
    /// Puts kinds into their order and bound.
    pub(super) fn bounded(mut kinds: Vec<(String, u64)>) -> Vec<(String, u64)> {
        kinds.sort_by(|one, other| other.1.cmp(&one.1).then_with(|| one.0.cmp(&other.0)));
        let rest: u64 = kinds.iter().skip(KINDS_MAX).map(|(_, count)| count).sum();
        kinds.truncate(KINDS_MAX);
        if rest > 0 {
            kinds.push(("other".to_owned(), rest));
        }
        kinds
    }

    /// All queues, those without tasks too.
    pub(super) fn all(counted: &[(Queue, u64, u64)]) -> Vec<(Queue, u64, u64)> {
        let of = |queue| counted.iter().find(|(one, ..)| *one == queue).copied();
        Queue::ALL.into_iter().map(|queue| of(queue).unwrap_or((queue, 0, 0))).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn kinds_beyond_the_bound_are_counted_together() {
        let kinds = (0..70).map(|number| (format!("k{number:02}"), 1 + number / 69)).collect();
        let bounded = Sizes::bounded(kinds);
        assert_eq!((bounded.len(), bounded[0].clone()), (KINDS_MAX + 1, ("k69".to_owned(), 2)));
        assert_eq!(bounded[KINDS_MAX], ("other".to_owned(), 6));
    }
}
