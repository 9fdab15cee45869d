//! Rules as written.

use super::Text;
use crate::mapping::direction::Direction;
use crate::text::{Span, yaml::Node};

/// One entry of `fields:`. Which of the keys may stand together is checked when it is compiled.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rule {
    /// The whole entry.
    pub span: Span,
    /// The keys that were written, with their places.
    pub keys: Vec<(Box<str>, Span)>,
    /// `name:` for addressing it in overlays and traces.
    pub name: Option<Text>,
    /// The path on the Sonata side.
    pub sonata: Option<Text>,
    /// The path on the legacy side.
    pub legacy: Option<Text>,
    /// `from:`, a query that only reads.
    pub from: Option<Text>,
    /// `value:`, a constant.
    pub value: Option<Node>,
    /// `codes:`, name of a code table.
    pub codes: Option<Text>,
    /// `otherwise:` beside `codes:`.
    pub otherwise: Option<Otherwise>,
    /// `convert:`, a converter call.
    pub convert: Option<Text>,
    /// `accept:`, what a canonical converter may lose.
    pub accept: Option<Text>,
    /// `script:`
    pub script: Option<ScriptText>,
    /// `in:`, named inputs of the script.
    pub inputs: Inputs,
    /// `shape:`, rules from a shape.
    pub shape: Option<Text>,
    /// `fields:`, rules of a group.
    pub fields: Option<Vec<Rule>>,
    /// `one_of:`, branches that exclude each other, and the last one's `else:`.
    pub one_of: Option<(Span, Vec<Branch>, Option<ElseBranch>)>,
    /// `rows:`, branches that each make an element.
    pub rows: Option<(Span, Vec<Branch>)>,
    /// `row_key:`, Sonata members that are equal within a row.
    pub row_key: Vec<Text>,
    /// `key:`
    pub key: Option<KeySpec>,
    /// `join:`, member of the joined element to member of the scope.
    pub join: Option<(Span, Vec<(Text, Text)>)>,
    /// `take: first`
    pub take_first: Option<Span>,
    /// `if:`
    pub condition: Option<Condition>,
    /// `only:`
    pub only: Option<(Only, Span)>,
    /// Phases in which the source must be there, with the place of `required:`.
    pub required: Option<(Phases, Span)>,
    /// `default:`
    pub default: Default,
    /// `on_error: fail | omit`; true is `omit`.
    pub omit_on_error: Option<bool>,
    /// `echo: false` lets a mapped value win over the Buyer's own.
    pub echo: Option<bool>,
    /// `drop: "reason"`, a place that has no counterpart.
    pub drop: Option<Text>,
    /// `lossy: "reason"`, why what goes there is not claimed to come back.
    pub lossy: Option<Lossy>,
}

impl Rule {
    /// A rule between two places that says nothing more.
    pub fn between(span: Span, sonata: Text, legacy: Text) -> Self {
        Self {
            span,
            keys: Vec::new(),
            name: None,
            sonata: Some(sonata),
            legacy: Some(legacy),
            from: None,
            value: None,
            codes: None,
            otherwise: None,
            convert: None,
            accept: None,
            script: None,
            inputs: Inputs::default(),
            shape: None,
            fields: None,
            one_of: None,
            rows: None,
            row_key: Vec::new(),
            key: None,
            join: None,
            take_first: None,
            condition: None,
            only: None,
            required: None,
            default: Default::default(),
            omit_on_error: None,
            echo: None,
            drop: None,
            lossy: None,
        }
    }

    /// Where a key was written; the whole rule where it was not.
    pub fn key_span(&self, key: &str) -> Span {
        self.keys.iter().find(|(own, _)| **own == *key).map_or(self.span, |(_, span)| *span)
    }
}

/// The two phases that rules speak of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Phases {
    /// From the caller to the called.
    pub request: bool,
    /// Back.
    pub answer: bool,
}

/// `if:` of a rule or branch.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Condition {
    /// One text: the side that is read, of a one-way rule.
    Read(Text),
    /// `{ product:, sonata:, legacy: }`
    Sides {
        /// The whole mapping.
        span: Span,
        /// Short names of products, any of which holds.
        products: Vec<Text>,
        /// Condition on the Sonata side.
        sonata: Option<Text>,
        /// Condition on the legacy side.
        legacy: Option<Text>,
    },
}

impl Condition {
    /// Its place.
    pub fn span(&self) -> Span {
        match self {
            Self::Read(text) => text.span(),
            Self::Sides { span, .. } => *span,
        }
    }
}

/// What `only:` restricts a rule to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Only {
    /// The request phase.
    Request,
    /// The answer phase.
    Answer,
    /// The direction from Sonata to legacy.
    ToLegacy,
    /// The direction from legacy to Sonata.
    ToSonata,
}

/// A value per direction.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Directed<T> {
    /// For the way from Sonata to legacy.
    pub to_legacy: Option<T>,
    /// For the way back.
    pub to_sonata: Option<T>,
}

/// `otherwise:` of a code table or its use.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Otherwise {
    /// One value, where only one direction is possible.
    Plain(Node),
    /// One per direction.
    Directed(Directed<Node>),
}

/// `script:`
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ScriptText {
    /// One expression, where only one direction is possible.
    Plain(Text),
    /// One per direction, with an `only:` of its own.
    Directed(Directed<Text>, Option<(Only, Span)>),
}

/// `in:`
#[derive(Debug, Clone, PartialEq, Eq, std::default::Default)]
pub enum Inputs {
    /// No inputs.
    #[default]
    None,
    /// Names and paths of the side that is read.
    Plain(Vec<(Text, Text)>),
    /// The same, per direction.
    Directed(Directed<Vec<(Text, Text)>>),
}

/// `default:` per phase.
#[derive(Debug, Clone, PartialEq, Eq, std::default::Default)]
pub struct Default {
    /// Written in the request phase.
    pub request: Option<Node>,
    /// Written in the answer phase.
    pub answer: Option<Node>,
}

/// `key:` of a group over two arrays.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeySpec {
    /// The whole mapping.
    pub span: Span,
    /// Member of the Sonata element.
    pub sonata: Text,
    /// Member of the legacy element.
    pub legacy: Text,
    /// `number:`
    pub number: Option<Numbered>,
    /// `remember:`
    pub remember: bool,
}

/// `number: { start:, step: }` of the legacy key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Numbered {
    /// First number.
    pub start: i64,
    /// Distance between two.
    pub step: i64,
}

/// One branch of `one_of:` or `rows:`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Branch {
    /// The whole branch.
    pub span: Span,
    /// `if:`
    pub condition: Option<Condition>,
    /// `fields:`, or the rules of `shape:`.
    pub fields: Vec<Rule>,
    /// `shape:`
    pub shape: Option<Text>,
}

/// `else:` of `one_of:`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ElseBranch {
    /// `else: { fields: [...] }`
    Fields(Vec<Rule>),
    /// `else: { refuse: ... }`
    Refuse(Box<Refuse>),
}

/// `refuse:`, `at:`, `reason:`
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refuse {
    /// Code of the problem, such as `invalidValue`.
    pub code: Text,
    /// The place that is to blame.
    pub at: Option<Text>,
    /// What the sender is told.
    pub reason: Option<Text>,
}

/// `lossy:`, a reason, or one per direction in which something leaves.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Lossy {
    /// One text, for both directions.
    Both(Text),
    /// `{ to_legacy:, to_sonata: }`
    Directed(Option<Text>, Option<Text>),
}

impl Lossy {
    /// The reason for what leaves in a direction.
    pub fn of(&self, direction: Direction) -> Option<&Text> {
        match (self, direction) {
            (Self::Both(reason), _) => Some(reason),
            (Self::Directed(reason, _), Direction::ToLegacy)
            | (Self::Directed(_, reason), Direction::ToSonata) => reason.as_ref(),
        }
    }
}
