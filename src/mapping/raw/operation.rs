//! Operations as written.

use super::{Condition, Recover, Rule, Text};
use crate::text::{Span, yaml::Node};

/// One operation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Operation {
    /// The operationId.
    pub id: Text,
    /// How it is served.
    pub conduct: Conduct,
    /// The calls, in order; `call:` is one without a name.
    pub calls: Vec<Call>,
    /// What the answer is made of.
    pub answer: Option<Answer>,
    /// What a status or body of the legacy system means, in order.
    pub on: Vec<On>,
    /// How lists are read page by page.
    pub paging: Option<Paging>,
    /// How work that outlives its call is followed.
    pub complete: Option<Complete>,
    /// The call that is made when what was made has expired.
    pub expires: Option<Undo>,
    /// Its backend, whatever the partner's routes say.
    pub backend: Option<Text>,
    /// Filters of a list that the legacy system settles alone.
    pub exact: Vec<Text>,
    /// Attribute of what a list answers by which the legacy list comes sorted; `-` before it: the greatest first.
    pub order: Option<Text>,
}

/// How an operation is served.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Conduct {
    /// By the legacy system.
    Legacy,
    /// By people.
    Manual,
    /// Not at all.
    Off,
}

/// One call to the legacy system.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Call {
    /// The whole call.
    pub span: Span,
    /// Its name, where there are several.
    pub name: Option<Text>,
    /// Method and address.
    pub call: Text,
    /// One call per element of this array of the request.
    pub each: Option<Text>,
    /// Tested on the element, else on the request.
    pub condition: Option<Condition>,
    /// Calls that must have been answered before.
    pub after: Vec<Text>,
    /// How many at a time.
    pub parallel: Option<(u64, Span)>,
    /// What is sent.
    pub request: Option<Body>,
    /// Where the reply holds the legacy id.
    pub legacy_id: Option<Text>,
    /// What replies to this call mean, before what `on:` of the operation says.
    pub on: Vec<On>,
    /// How to take it back.
    pub undo: Option<Undo>,
    /// How it is found out whether it was made.
    pub recover: Option<Recover>,
    /// How long a reply may be reused.
    pub cache: Option<Text>,
}

/// A shape by name, or rules at the spot.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Body {
    /// A shape.
    Shape(Text),
    /// Rules.
    Fields(Span, Vec<Rule>),
}

/// `undo:` of a call.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Undo {
    /// Method and address.
    pub call: Text,
    /// What is sent.
    pub request: Option<Body>,
}

/// `complete:`
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Complete {
    /// The whole value.
    pub span: Span,
    /// `item`: each item is asked for.
    pub each: Option<Text>,
    /// Method and address.
    pub poll: Text,
    /// What is sent.
    pub request: Option<Body>,
    /// How the reply is read, where not as that of the operation.
    pub answer: Option<Body>,
    /// Time between two askings.
    pub every: Text,
    /// Time after which it is given up.
    pub give_up: Text,
    /// Holds of the reply that is the last.
    pub until: Text,
}

/// `answer:`
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answer {
    /// The whole value.
    pub span: Span,
    /// What is read.
    pub from: AnswerFrom,
    /// The rules; none where the answer has no body of its own (`answer: {}`).
    pub body: Option<Body>,
}

/// What an answer is made from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum AnswerFrom {
    /// The reply of the last call as a whole.
    Reply,
    /// The elements of an array of the reply, each one element of the answer, which is a list.
    Elements {
        /// The array.
        each: Text,
        /// Where an element has its legacy id.
        legacy_id: Option<Text>,
    },
    /// The replies of the calls that stand per item, each into the item that it was made for.
    Calls {
        /// The array of the answer whose elements they make.
        into: Text,
    },
}

/// One entry of `on:`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct On {
    /// The whole entry.
    pub span: Span,
    /// Statuses it is for; none: any.
    pub statuses: Statuses,
    /// Tested on the reply.
    pub condition: Option<Text>,
    /// Code of a SOAP fault.
    pub fault: Option<Text>,
    /// A text that a body which is no document contains.
    pub text: Option<Text>,
    /// `problem:`
    pub problem: Option<Text>,
    /// `at:`
    pub at: Option<Text>,
    /// `reason:`
    pub reason: Option<Text>,
    /// `answer:`, which stands for the reply.
    pub answer: Option<Node>,
}

/// `status:` of an `on:` entry: inclusive ranges; empty is any status.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Statuses(pub Vec<(u16, u16)>);

/// `paging:`
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Paging {
    /// The whole mapping.
    pub span: Span,
    /// Name of the query parameter with the page's number, or the offset of its first element.
    pub page: Option<Text>,
    /// Name of the query parameter with the offset of the first element.
    pub offset: Option<Text>,
    /// Name of the query parameter with the cursor.
    pub cursor: Option<Text>,
    /// Where the reply has the next cursor.
    pub next: Option<Text>,
    /// Relation of the link header to the next page.
    pub link: Option<Text>,
    /// Name of the query parameter with the size of a page.
    pub size: Option<Text>,
    /// Elements of a full page.
    pub items: Option<u64>,
    /// Number of the first page, or offset of the first element.
    pub first: Option<u64>,
    /// Where the reply says how many there are.
    pub total: Option<Text>,
}
