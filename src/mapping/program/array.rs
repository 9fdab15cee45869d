//! Forms over arrays: elements, keys, joins and rows.

use super::{Branch, Rule, Shared};
use crate::json::query::Condition;
use crate::mapping::path::{FieldPath, Term};

/// Rules for every element of the array at `source`, each into an element of the array at `target`.
///
/// An absent array writes nothing, an empty one an empty one. An element that wrote nothing writes none.
#[derive(Clone, Debug, PartialEq)]
pub struct Each {
    /// Tested per element, as `@`; elements for which it does not hold are passed over.
    pub condition: Option<Condition>,
    /// The array that is read; `every` is set. `[*]` alone: the scope itself is the array.
    pub source: FieldPath,
    /// The array that is written; `every` is set. `[*]` alone: the scope itself becomes the array.
    pub target: FieldPath,
    /// How elements of both arrays know each other.
    pub key: Option<Key>,
    /// Whether an absent or empty source array is a failure.
    pub required: bool,
    /// Terms written into every target element.
    pub also: Box<[Term]>,
    /// What is done per element.
    pub body: Body,
}

/// What is done per element of an [`Each`] or per row of a [`Join`].
#[derive(Clone, Debug, PartialEq)]
pub enum Body {
    /// One target element by these rules.
    Rules(Shared<[Rule]>),
    /// One target element per branch whose condition holds.
    Rows(Shared<[Branch]>),
}

/// Index of a keyed group in [`super::Program::key_groups`]. Two [`Each`] over one array with equal keys share it,
/// and merge into the same target elements.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct KeyGroupId(pub u16);

/// How the elements of two arrays know each other.
///
/// The keys of all elements are settled before the first element is mapped, so that `key(group)` may refer
/// forward. A source key that occurs twice is a failure. Both key members are written by this, not by rules.
#[derive(Clone, Debug, PartialEq)]
pub struct Key {
    /// The group's identity and name.
    pub group: KeyGroupId,
    /// The key member of the source element; absent is a failure (`missingProperty`).
    pub source: FieldPath,
    /// The key member of the target element.
    pub target: FieldPath,
    /// The source key's JSON form does not matter here; this is the target's.
    pub form: KeyForm,
    /// Target keys are counted; without it the source key itself is the target key.
    pub number: Option<Numbering>,
    /// Whether the pairs are kept for later messages. A remembered pair wins over numbering. Where pairs are
    /// remembered for the group, the target side is not numbered, and a source key is not among them: failure.
    pub remember: bool,
}

/// JSON form of a target key that is taken over from the source.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum KeyForm {
    /// As the source has it.
    Same,
    /// A string: `10` becomes `"10"`. Sonata ids are strings.
    Text,
    /// A number: `"10"` becomes `10`; a text that is no JSON number is a failure.
    Number,
}

/// Counting of target keys: `start`, `start + step`, and so on in the order of the source array.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Numbering {
    /// First number.
    pub start: i64,
    /// Distance; not zero. New elements beside remembered ones continue after the largest.
    pub step: i64,
}

/// Rules for those elements of an array elsewhere whose members equal members of the source scope.
///
/// Equality is that of JSON: `10` and `"10"` differ, `10` and `10.0` do not. An absent member equals nothing.
#[derive(Clone, Debug, PartialEq)]
pub struct Join {
    /// Tested per joined element, as `@`.
    pub condition: Option<Condition>,
    /// The other array; `every` is set; mostly `$.name[*]`.
    pub source: FieldPath,
    /// Member of the joined element, member of the source scope. None: all elements belong, as where an array
    /// stands opposite to one place and `take: first` picks.
    pub on: Box<[(FieldPath, FieldPath)]>,
    /// Which of the elements that belong are taken.
    pub take: Take,
    /// Where they are written.
    pub target: JoinTarget,
    /// Whether no joined element is a failure.
    pub required: bool,
    /// Terms written into the target object or element.
    pub also: Box<[Term]>,
    /// What is done per joined element; [`Body::Rows`] only with [`JoinTarget::Every`].
    pub body: Body,
}

/// Which of several joined elements are taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Take {
    /// All. With [`JoinTarget::One`] a second one is a failure.
    All,
    /// The first in the order of the array: `take: first`.
    First,
}

/// Where joined elements are written.
#[derive(Clone, Debug, PartialEq)]
pub enum JoinTarget {
    /// Into one object; `.` is the target scope itself.
    One(FieldPath),
    /// Each into a new element of this array; `every` is set.
    Every(FieldPath),
}

/// The way back of a join: what the source scope has is appended to an array elsewhere in the target.
///
/// A new element begins with the copied members, then the terms, then what the rules write. If the rules write
/// nothing, there is no element.
#[derive(Clone, Debug, PartialEq)]
pub struct Append {
    /// Tested on what `source` names (per element if it has `[*]`), as `@`.
    pub condition: Option<Condition>,
    /// The object, or with `every` the array whose elements, become the source scope; `.` keeps the scope.
    pub source: FieldPath,
    /// The array that is appended to; `every` is set; mostly `$.name[*]`.
    pub target: FieldPath,
    /// Member of the target scope, member of the new element. The first must have been written by then: a
    /// missing one is a defect of the mapping.
    pub copy: Box<[(FieldPath, FieldPath)]>,
    /// Whether nothing to append is a failure.
    pub required: bool,
    /// Terms written into every new element.
    pub also: Box<[Term]>,
    /// The rules, from the source element to the new one.
    pub rules: Shared<[Rule]>,
}

/// The way back of `rows`: source elements that are parts of one row make one target element.
///
/// Each source element is taken by the first branch whose condition holds; one that no branch takes is a
/// failure. Elements with equal `row_key` make one row, in order of first appearance. Without `row_key` a row
/// is a run of consecutive elements, and ends before a branch that the row already has. The compiler sets
/// `row_key` to the written one, else to the source paths of those pairs that stand alike in every branch.
#[derive(Clone, Debug, PartialEq)]
pub struct Gather {
    /// The array whose elements are gathered; `every` is set.
    pub source: FieldPath,
    /// The array that is appended to; `every` is set.
    pub target: FieldPath,
    /// Members of the source element that are equal within a row; may be empty.
    pub row_key: Box<[FieldPath]>,
    /// As in [`Append`]; empty where the rows are in an [`Each`].
    pub copy: Box<[(FieldPath, FieldPath)]>,
    /// Whether nothing to gather is a failure.
    pub required: bool,
    /// The branches.
    pub branches: Shared<[Branch]>,
}
