//! The compiled form of a mapping: what the compiler makes and `apply` runs.
//!
//! A shape is written once and read both ways; a [`Program`] is one such reading: one operation, one phase,
//! one direction. The compiler has already decided which side is read (*source*) and which is written
//! (*target*), inlined shapes and overlays, resolved names of tables, scripts and products, and left out
//! rules that this message does not have. So nothing here knows `sonata:` from `legacy:`, and nothing is
//! looked up or parsed while a message is mapped. `operation` is the layer above: which calls are made.
//!
//! # How each form compiles, both ways
//!
//! *Source* is the side that is read. `S` stands for the Sonata text of a rule, `L` for its legacy text.
//!
//! | form in the file | `to_legacy` | `to_sonata` |
//! |---|---|---|
//! | `{sonata: S, legacy: L}` | [`Pair`] source `S`, target `L` | [`Pair`] source `L`, target `S` |
//! | `codes:` `convert:` `script:` (with `value`) | [`Transform`]s, run in [`Program::direction`] | the same, order reversed if several |
//! | `convert: ref(kind)` / `key(group)` | [`Transform::Ref`] / [`Transform::Key`] | the same |
//! | pair with `[*]` on both sides | [`Each`] with one [`Pair`] from `.` to `.` carrying the transforms | mirrored |
//! | `{legacy: L, value: v}` | [`Pair`] from [`Source::Constant`] | no rule |
//! | `{legacy: L, from: query}` | [`Pair`] from [`Source::Query`] | no rule |
//! | `{legacy: L, script: .., in: ..}` | [`Pair`] from [`Source::Script`] | no rule |
//! | `{sonata: S, legacy: L, fields/shape}`, no `[*]` | [`Group`] | [`Group`] mirrored; `.` may stand on either side |
//! | the same, `[*]` on both | [`Each`] | [`Each`] mirrored |
//! | `key:` on it | [`Key`] source `id`, target `lineNo` with `number` | [`Key`] mirrored; `number` stays with the legacy side, so none |
//! | `{legacy: "$.adr[*]", join: {lineNo: lineNo}, sonata: place[?..], ..}` | [`Append`] to `$.adr`, copying `lineNo` of the target scope | [`Join`] over `$.adr`, `on` = (row's `lineNo`, scope's `lineNo`), target one place |
//! | the same with `sonata: x[*]` | [`Append`] with `each` | [`Join`] with [`JoinTarget::Every`] |
//! | `rows:` in a join or in `[*]` to `[*]` | [`Gather`]: several Sonata elements make one row | [`Body::Rows`] in the [`Join`] or [`Each`]: one element per branch that holds |
//! | `one_of:` | [`OneOf`], source conditions from the Sonata `if`s | [`OneOf`], from the legacy `if`s |
//! | `else: {refuse: ..}` | [`Otherwise::Refuse`] | the same |
//! | `if: {sonata: C, legacy: D}` on any rule | `condition` = C; `also` = the equality terms of D | `condition` = D; `also` = those of C |
//! | `if: {product: name}` | `condition`: `@type` is one of the aliases | `also`: `@type` = the URN |
//! | `required`, `default` | only in the phases they are said for | the same |
//! | `only:` | no rule where it excludes the use | the same |
//! | `drop:` | no rule | no rule |
//!
//! Terms (`also`) are paths from the *target scope of the body*: the element of an [`Each`], the object of a
//! [`Group`]; for a [`Pair`] and a [`OneOf`] branch the scope that the rule itself stands in.

mod array;
mod failure;
mod joined;
mod reads;
mod share;
mod shared;
mod splice;
mod whole;
mod writes;

use std::fmt;
use std::ops::{Deref, DerefMut};
use std::sync::Arc;

pub use array::{Append, Body, Each, Gather, Join, JoinTarget, Key, KeyForm, KeyGroupId, Numbering, Take};
pub use failure::FailureCode;
pub use share::Tables;
pub use shared::Shared;
pub use splice::{Act, Cases, Choice, MemberRule, Members, Move, Onward, Splice, Spliced};
pub use whole::{Hoist, Whole};

use super::codes::CodeTable;
use super::convert::Converter;
use super::direction::Direction;
use super::path::{FieldPath, Literal, Term};
use super::script::Script;
use crate::json::Document;
use crate::json::query::{Condition, Query};

/// One compiled reading of a shape: one operation, one phase, one direction.
///
/// Build it with [`Program::new`], which computes what `apply` wants to know beforehand.
#[derive(Clone, Debug, PartialEq)]
pub struct Program {
    /// What this is, for traces and failures: `acme/quote.yaml createQuote request`.
    pub name: Box<str>,
    /// When in the exchange it runs; the request phase refuses, the answer phase may omit.
    pub phase: Phase,
    /// Which way values travel.
    pub direction: Direction,
    /// The rules of the outermost scope, in document order, which is the order of what is written.
    pub rules: Shared<[Rule]>,
    /// Names of the keyed groups, indexed by [`KeyGroupId`]: what `key(name)` refers to. Convention: the last
    /// member name of the group's Sonata path (`quoteItem`), made unique by the compiler.
    pub key_groups: Box<[Box<str>]>,
    /// Whether any rule converts by `ref(kind)`; computed by [`Program::new`].
    pub has_references: bool,
    /// What is known of it beforehand if most of a message stays as it is; made by [`Program::spliced`].
    pub splice: Spliced,
}

/// When in an exchange a program runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Phase {
    /// From the caller to the called; any failure refuses the exchange.
    Request,
    /// From the called back to the caller; a failure follows the rule's [`OnFailure`].
    Answer,
    /// Something that happened, told to the other side; fails like the request phase.
    Event,
}

/// Where a rule was written.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct Origin {
    /// File of the mapping set or overlay, as given at load.
    pub file: Arc<str>,
    /// Line, from 1.
    pub line: u32,
    /// Column in characters, from 1.
    pub column: u32,
    /// The rule's address: group path, then its Sonata path, else its legacy path, else its name.
    pub address: Arc<str>,
}

/// One rule, compiled. Programs of partners that have it alike share it.
#[derive(Clone, PartialEq)]
pub struct Rule(Shared<RuleBody>);

/// What a [`Rule`] is.
#[derive(Clone, Debug, PartialEq)]
pub struct RuleBody {
    /// Where it was written.
    pub origin: Origin,
    /// What a failure in it does; resolved by the compiler from phase, contract and `on_error:`.
    pub on_failure: OnFailure,
    /// What it does.
    pub action: Action,
    /// Why what it does is not claimed to come back.
    pub lossy: Lossy,
    /// What is known of it beforehand; computed by [`Rule::marked`] and [`Program::new`].
    pub marks: Marks,
}

/// What is known of a rule before any message is there.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Marks {
    /// Whether it, or a rule in it, converts by `ref(kind)`.
    pub has_references: bool,
    /// Whether it is a pair that names of members alone lead to and from, and that does nothing where its source
    /// is absent: no condition, default, terms or `required`.
    pub is_plain: bool,
}

/// `lossy:`: why what leaves in a direction by a rule, or by one in it, is not claimed to come back.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Lossy {
    /// Of what leaves to the legacy side.
    pub to_legacy: Option<Box<str>>,
    /// Of what leaves to the Sonata side.
    pub to_sonata: Option<Box<str>>,
}

impl Lossy {
    /// The reason of what leaves in a direction.
    pub fn reason(&self, direction: Direction) -> Option<&str> {
        match direction {
            Direction::ToLegacy => self.to_legacy.as_deref(),
            Direction::ToSonata => self.to_sonata.as_deref(),
        }
    }
}

/// What a failure of a rule does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum OnFailure {
    /// The exchange fails: request phase always, answer phase where the contract requires the target.
    Fail,
    /// What the rule would have written is left out, and a finding recorded. Of a group: only failures of
    /// the group itself (its scope, its keys); its rules have their own.
    Omit,
}

/// What a rule does.
#[derive(Clone, Debug, PartialEq)]
pub enum Action {
    /// Writes one place.
    Pair(Shared<Pair>),
    /// Rules inside one object.
    Group(Shared<Group>),
    /// Rules for every element of an array, into the elements of another.
    Each(Shared<Each>),
    /// Rules for those elements of an array elsewhere in the source that belong to the scope.
    Join(Shared<Join>),
    /// The way back of a join: elements appended to an array elsewhere in the target.
    Append(Shared<Append>),
    /// The way back of `rows`: several source elements make one target element.
    Gather(Shared<Gather>),
    /// The first branch that holds.
    OneOf(Shared<OneOf>),
}

/// Writes one place from one source.
///
/// Order of work: condition, source, transforms, default, required, write. An absent value (nothing there,
/// `null` unless [`Pair::null_allowed`], or a transform that yields nothing) goes on to the default.
#[derive(Clone, Debug, PartialEq)]
pub struct Pair {
    /// Tested on the source scope; the rule is skipped where it does not hold.
    pub condition: Option<Condition>,
    /// Where the value comes from.
    pub source: Source,
    /// What is done to it, in order.
    pub transforms: Box<[Transform]>,
    /// Written where the value is absent.
    pub default: Option<Constant>,
    /// Whether an absent value without default is a failure (`missingProperty`).
    pub required: bool,
    /// Whether the target takes `null`; otherwise `null` counts as absent.
    pub null_allowed: bool,
    /// Where it is written, from the target scope.
    pub target: FieldPath,
    /// Terms written into the target scope along with the value (the other side's `if`).
    pub also: Box<[Term]>,
}

/// Where the value of a pair or of a script's input comes from.
#[derive(Clone, Debug, PartialEq)]
pub enum Source {
    /// A place of the source message. A path with `[*]` reads the array.
    Path(FieldPath),
    /// A query on the source message, `@` the scope and `$` the message. No node: absent; one: itself;
    /// several: an array of them.
    Query(Query),
    /// A constant. In a group it is only written if another rule of the group wrote.
    Constant(Constant),
    /// A script with named inputs and no `value`. Without inputs it counts as a constant.
    Script(ScriptUse),
}

/// A constant of the mapping; a whole document where it is an object or array with content.
#[derive(Clone, Debug, PartialEq)]
pub enum Constant {
    /// A scalar or an empty container.
    Literal(Literal),
    /// Anything else.
    Document(Document),
}

/// A script and the places its inputs are read from.
#[derive(Clone, Debug)]
pub struct ScriptUse {
    /// The compiled script; its inputs are in the same order as `inputs`.
    pub script: Arc<Script>,
    /// One source per named input, in the order in which the script was compiled; never a constant's script.
    pub inputs: Box<[(Box<str>, Source)]>,
}

/// What is done to a value on its way.
#[derive(Clone, Debug, PartialEq)]
pub enum Transform {
    /// A code table, read in the program's direction.
    Codes(CodesUse),
    /// A converter, applied in the program's direction.
    Convert(ConvertUse),
    /// `ref(kind)`: the id of another entity on the other side, as the exchange resolved it before.
    Ref {
        /// Kind of entity, as written.
        kind: Box<str>,
        /// `each(ref(kind))`: the value is an array of ids.
        each: bool,
    },
    /// `key(group)`: the key on the other side of the element with this key.
    Key {
        /// The keyed group.
        group: KeyGroupId,
        /// `each(key(group))`: the value is an array of keys.
        each: bool,
    },
    /// A script that sees the value as `value`.
    Script(ScriptUse),
}

/// One use of a converter that is neither `ref` nor `key`.
#[derive(Clone, Debug)]
pub struct ConvertUse {
    /// The converter.
    pub converter: Arc<Converter>,
    /// The place of its path argument (`money(minor, currency: $.cur)`): on the legacy side, so read from the
    /// source where that is the legacy side, else from what has been written to the target so far.
    pub argument: Option<Argument>,
}

/// Where the path argument of a converter is read.
#[derive(Clone, Debug, PartialEq)]
pub enum Argument {
    /// In the source message.
    Source(FieldPath),
    /// In what has been written; absent until then.
    Target(FieldPath),
}

/// One use of a code table.
#[derive(Clone, Debug)]
pub struct CodesUse {
    /// The table.
    pub table: Arc<CodeTable>,
    /// Written for a value that the table does not have; without it that is a failure.
    pub otherwise: Option<Literal>,
    /// A filter (`query:state`): each value becomes all values of its row, not only the first.
    pub all: bool,
}

/// Rules inside one object. A group that wrote nothing writes no object.
#[derive(Clone, Debug, PartialEq)]
pub struct Group {
    /// Tested on the source scope of the group (what `source` names), as `@`.
    pub condition: Option<Condition>,
    /// The object that becomes the source scope; `.` keeps the scope. Absent: the group is skipped.
    pub source: FieldPath,
    /// The object that becomes the target scope; `.` keeps the scope.
    pub target: FieldPath,
    /// Whether a group that wrote nothing is a failure.
    pub required: bool,
    /// Terms written into the target object, as constants are: only if a rule wrote.
    pub also: Box<[Term]>,
    /// The rules.
    pub rules: Shared<[Rule]>,
}

/// The first branch whose condition holds; source and target scope stay.
#[derive(Clone, Debug, PartialEq)]
pub struct OneOf {
    /// The branches in order.
    pub branches: Shared<[Branch]>,
    /// What is done where none holds.
    pub otherwise: Otherwise,
}

/// One branch of `one_of` or `rows`.
#[derive(Clone, Debug, PartialEq)]
pub struct Branch {
    /// Where it was written.
    pub origin: Origin,
    /// Tested on the source scope (of `rows`: on the row or element). None always holds.
    pub condition: Option<Condition>,
    /// Terms written into the target scope because the branch was taken.
    pub also: Box<[Term]>,
    /// The rules.
    pub rules: Shared<[Rule]>,
}

/// What `one_of` does where no branch holds.
#[derive(Clone, Debug, PartialEq)]
pub enum Otherwise {
    /// Nothing is written.
    Nothing,
    /// These rules; `else: { fields: .. }`.
    Rules(Shared<[Rule]>),
    /// A failure of the sender's; `else: { refuse: .. }`.
    Refuse(Refusal),
}

/// `refuse: code, at, reason`
#[derive(Clone, Debug, PartialEq)]
pub struct Refusal {
    /// Code of the problem, in the standard's words: `invalidValue`.
    pub code: FailureCode,
    /// The source place that is to blame, from the source scope; none: the scope. The compiler leaves it out
    /// where `at` names a place of the target side.
    pub at: Option<FieldPath>,
    /// What the sender is told.
    pub reason: Box<str>,
}

impl PartialEq for ScriptUse {
    fn eq(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.script, &other.script) && self.inputs == other.inputs
    }
}

impl PartialEq for ConvertUse {
    fn eq(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.converter, &other.converter) && self.argument == other.argument
    }
}

impl PartialEq for CodesUse {
    fn eq(&self, other: &Self) -> bool {
        let plain = |one: &Self| (one.otherwise.clone(), one.all);
        Arc::ptr_eq(&self.table, &other.table) && plain(self) == plain(other)
    }
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}:{}", self.file, self.line, self.column)
    }
}

impl fmt::Debug for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self} {}", self.address)
    }
}

impl Program {
    /// A program of these rules. `key_groups` are the names that [`KeyGroupId`]s index.
    pub fn new(
        name: impl Into<Box<str>>,
        phase: Phase,
        direction: Direction,
        mut rules: Vec<Rule>,
        key_groups: Vec<Box<str>>,
    ) -> Self {
        mark_all(&mut rules, direction);
        Self::of_marked(name, phase, direction, rules, key_groups)
    }

    /// As [`Self::new`], of rules that are marked for this direction.
    pub fn of_marked(
        name: impl Into<Box<str>>,
        phase: Phase,
        direction: Direction,
        rules: Vec<Rule>,
        key_groups: Vec<Box<str>>,
    ) -> Self {
        let has_references = refers(&rules);
        Self {
            name: name.into(),
            phase,
            direction,
            rules: rules.into(),
            key_groups: key_groups.into(),
            has_references,
            splice: Spliced::default(),
        }
    }

    /// Looks at the rules again, which somebody changed.
    pub fn mark(&mut self) {
        mark_all(&mut self.rules, self.direction);
        self.has_references = refers(&self.rules);
        self.splice = Spliced::default();
    }
}

/// Whether any of these rules, which are marked, has references.
fn refers(rules: &[Rule]) -> bool {
    rules.iter().any(|rule| rule.marks.has_references)
}

fn branches_refer(branches: &[Branch]) -> bool {
    branches.iter().any(|branch| refers(&branch.rules))
}

fn body_refers(body: &Body) -> bool {
    match body {
        Body::Rules(rules) => refers(rules),
        Body::Rows(branches) => branches_refer(branches),
    }
}

fn mark_all(rules: &mut [Rule], way: Direction) {
    for rule in rules {
        rule.mark(way);
    }
}

fn mark_branches(branches: &mut [Branch], way: Direction) {
    for branch in branches {
        mark_all(&mut branch.rules, way);
    }
}

fn mark_body(body: &mut Body, way: Direction) {
    match body {
        Body::Rules(rules) => mark_all(rules, way),
        Body::Rows(branches) => mark_branches(branches, way),
    }
}

impl Rule {
    /// A rule that nobody else has yet.
    pub fn new(body: RuleBody) -> Self {
        Self(Shared::new(body))
    }

    /// A rule for programs of this direction; those in it are such.
    pub fn marked(mut body: RuleBody, way: Direction) -> Self {
        body.marks = body.action.marks(way);
        Self::new(body)
    }

    /// Whether both are one and the same rule.
    pub fn is(&self, other: &Self) -> bool {
        self.0.is(&other.0)
    }

    /// Marks it and those in it.
    fn mark(&mut self, way: Direction) {
        match &mut self.action {
            Action::Pair(_) => {}
            Action::Group(group) => mark_all(&mut group.rules, way),
            Action::Each(each) => mark_body(&mut each.body, way),
            Action::Join(join) => mark_body(&mut join.body, way),
            Action::Append(append) => mark_all(&mut append.rules, way),
            Action::Gather(gather) => mark_branches(&mut gather.branches, way),
            Action::OneOf(one_of) => {
                mark_branches(&mut one_of.branches, way);
                if let Otherwise::Rules(rules) = &mut one_of.otherwise {
                    mark_all(rules, way);
                }
            }
        }
        self.marks = self.action.marks(way);
    }
}

impl Action {
    /// What is known of a rule that does this; rules in it are marked.
    fn marks(&self, way: Direction) -> Marks {
        let has_references = match self {
            Self::Pair(pair) => {
                pair.transforms.iter().any(|transform| matches!(transform, Transform::Ref { .. }))
            }
            Self::Group(group) => refers(&group.rules),
            Self::Each(each) => body_refers(&each.body),
            Self::Join(join) => body_refers(&join.body),
            Self::Append(append) => refers(&append.rules),
            Self::Gather(gather) => branches_refer(&gather.branches),
            Self::OneOf(one_of) => {
                let otherwise = matches!(&one_of.otherwise, Otherwise::Rules(rules) if refers(rules));
                branches_refer(&one_of.branches) || otherwise
            }
        };
        let is_plain = matches!(self, Self::Pair(pair) if pair.is_plain(way));
        Marks { has_references, is_plain }
    }
}

impl Deref for Rule {
    type Target = RuleBody;

    fn deref(&self) -> &RuleBody {
        &self.0
    }
}

impl DerefMut for Rule {
    fn deref_mut(&mut self) -> &mut RuleBody {
        &mut self.0
    }
}

impl fmt::Debug for Rule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl Pair {
    fn is_plain(&self, way: Direction) -> bool {
        let Source::Path(source) = &self.source else { return false };
        let reads_absent = |one: &Transform| match one {
            Transform::Convert(convert) => convert.converter.reads_absent(way),
            _ => false,
        };
        source.is_members()
            && self.target.is_members()
            && !self.target.steps.is_empty()
            && self.condition.is_none()
            && self.default.is_none()
            && !(self.required || self.null_allowed)
            && self.also.is_empty()
            && !self.transforms.iter().any(reads_absent)
    }
}
