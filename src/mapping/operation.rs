//! The compiled form of an operation: which calls are made, in which order, and what their replies become.
//!
//! The compiler fills it, the exchange runs it; nothing here does I/O. [`Program`]s say how messages are
//! translated, this says which. A use for one operationId and one mapping set, overlays applied.

use std::sync::Arc;

use super::path::FieldPath;
use super::program::{FailureCode, Origin, Program, Shared};
use crate::json::Document;
use crate::json::query::{Condition, Query};

/// One operation as a mapping set (with its overlays) carries it out.
#[derive(Clone, Debug, PartialEq)]
pub struct OperationProgram {
    /// The standard's operationId: `createQuote`.
    pub operation_id: Box<str>,
    /// Where the operation was written.
    pub origin: Origin,
    /// Who carries it out.
    pub handling: Handling,
    /// The calls in document order; empty unless `handling` is [`Handling::Legacy`]. `call:` written directly
    /// on the operation is one call named as the operation.
    pub calls: Box<[Call]>,
    /// How the answer is made.
    pub answer: Answer,
    /// What replies become something else than an answer, in order; the first that matches decides. A call's
    /// own `on:` stands before those of the operation.
    pub on: Shared<[On]>,
    /// How lists are paged at the legacy system; none: the reply is the whole list.
    pub paging: Option<Paging>,
    /// Where each filter of a list is settled, by name; what is not named here is settled here.
    pub filters: Box<[(Box<str>, Settled)]>,
    /// What a legacy list comes sorted by; none: nothing that is known.
    pub order: Option<Order>,
    /// How work that outlives the call is followed.
    pub complete: Option<Complete>,
    /// The call that is made when what the operation made has expired: it gives back what was reserved.
    pub expires: Option<Shared<Call>>,
}

/// Who carries out an operation.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Handling {
    /// The legacy system, by `calls`.
    Legacy,
    /// People, by a work list: `manual`.
    Manual,
    /// Nobody: `off`, answered 501.
    Off,
}

/// One call to the legacy system.
#[derive(Clone, Debug, PartialEq)]
pub struct Call {
    /// Unique within the operation.
    pub name: Box<str>,
    /// Where it was written.
    pub origin: Origin,
    /// What is called.
    pub target: Shared<CallTarget>,
    /// The array of the Sonata request of which every element is one call (`every` is set); the element is the
    /// scope, `$` the whole request. None: one call, the scope is the root.
    pub each: Option<FieldPath>,
    /// Tested on the scope: per element with `each`. An element that no call takes is refused.
    pub condition: Option<Condition>,
    /// Index of the call that must have been answered before this one is made. Its request may read that reply
    /// as a fact; every other request is mapped before the first call.
    pub after: Option<usize>,
    /// How many calls of `each` may be under way at once, at least 1.
    pub parallel: u16,
    /// Body, query and headers; none: nothing but the template.
    pub request: Option<Arc<Program>>,
    /// Where the reply names the legacy system's own id of what was made.
    pub legacy_id: Option<FieldPath>,
    /// How long a reply may be reused for the same call, in milliseconds; none: never.
    pub cache_ms: Option<u64>,
    /// The call that takes this one back, when a later one fails.
    pub undo: Option<Shared<Call>>,
    /// How it is found out whether this one was made, when nobody knows how it ended.
    pub recover: Option<Shared<Recover>>,
}

/// How it is found out whether a call was made of which nobody knows how it ended: `recover:`.
#[derive(Clone, Debug, PartialEq)]
pub struct Recover {
    /// The look-up: one call. A reply that becomes a problem says for sure that nothing was made.
    pub find: Arc<OperationProgram>,
    /// The array of its reply in which what was made stands (`every` is set); none: the reply is it.
    pub each: Option<FieldPath>,
    /// Holds of what was made; `$` is the whole reply.
    pub condition: Option<Condition>,
    /// Places of what was made, and of the call's own request, that have the same value.
    pub same: Box<[(FieldPath, FieldPath)]>,
    /// Where the reply says how many elements there are: where it has fewer, nothing is sure.
    pub total: Option<Query>,
    /// One call, whose reply stands for that of the call; none: what was found does.
    pub read: Option<Arc<OperationProgram>>,
    /// Time from the call until it is believed that nothing was made, in milliseconds.
    pub sure_after_ms: u64,
}

/// Method and address of a call.
#[derive(Clone, Debug, PartialEq)]
pub struct CallTarget {
    /// Upper case: `POST`.
    pub method: Box<str>,
    /// The path from the backend's base address, beginning with `/`; parts are percent-encoded as one segment.
    pub path: Template,
    /// Query parameters of the template in order (after `?`), those of the request program follow.
    pub query: Box<[(Box<str>, Template)]>,
    /// The operation of `SOAP CreateTicket`: method `POST`, and the path is the backend's.
    pub soap: Option<Box<str>>,
}

/// Text with places that are filled when the call is made.
pub type Template = Box<[TemplatePart]>;

/// One part of a [`Template`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TemplatePart {
    /// As it stands.
    Literal(Box<str>),
    /// `{legacy.id}`: the legacy id of the entity that the operation's path names.
    LegacyId,
    /// `{item.legacy.id}`: the legacy id of the item in scope.
    ItemLegacyId,
    /// `{facts.partner.account}`: member names below `facts`.
    Fact(Box<[Box<str>]>),
    /// `{reply.no}` in an `undo` (that call's own reply), `{customer.no}` elsewhere: a place in a reply.
    Reply {
        /// Index of the call in [`OperationProgram::calls`]; none: the call that is being undone.
        call: Option<usize>,
        /// From the root of its reply.
        path: FieldPath,
    },
    /// `{query.state}` or `{path.id}`, and a field path such as `{no}`: a place of the request being mapped.
    Request(FieldPath),
    /// `{cursor}` of a watch.
    Cursor,
}

/// How the answer of an operation is made.
#[derive(Clone, Debug, PartialEq)]
pub enum Answer {
    /// No body: the operation's success has none.
    Empty,
    /// From the reply of one call (the last, where there are several).
    Reply(Arc<Program>),
    /// A list: the program runs once per element of this array of the reply (`every` is set); the element is
    /// the scope, `$` the whole reply.
    Each {
        /// The array, from the root of the reply.
        elements: FieldPath,
        /// Where an element names its legacy id.
        legacy_id: Option<FieldPath>,
        /// Per element.
        program: Arc<Program>,
    },
    /// One element per reply of the calls (`answer: { each: calls, into: .. }`), in the order of the items.
    Calls {
        /// The array of the answer the elements go to (`every` is set).
        into: FieldPath,
        /// Per reply.
        program: Arc<Program>,
    },
}

/// What a reply becomes instead of an answer.
#[derive(Clone, Debug, PartialEq)]
pub struct On {
    /// Where it was written.
    pub origin: Origin,
    /// Index of the call it is for; none: any.
    pub call: Option<usize>,
    /// Status of the reply; all given criteria must match.
    pub status: Option<StatusMatch>,
    /// Condition on the reply's body, `@` and `$` its root; does not hold without a JSON body.
    pub condition: Option<Condition>,
    /// SOAP fault code without prefix, or what it begins with up to a dot, or `*`.
    pub fault: Option<Box<str>>,
    /// A text that a body which is no document contains.
    pub text: Option<Box<str>>,
    /// What it becomes.
    pub then: Then,
}

/// Status codes an [`On`] is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct StatusMatch {
    /// First status.
    pub from: u16,
    /// Last status, inclusive; `4xx` is 400 to 499.
    pub to: u16,
}

impl StatusMatch {
    /// Whether the status is one of these.
    pub fn holds(self, status: u16) -> bool {
        (self.from..=self.to).contains(&status)
    }
}

/// What a reply becomes.
#[derive(Clone, Debug, PartialEq)]
pub enum Then {
    /// A problem told to the caller.
    Problem {
        /// Its code.
        code: FailureCode,
        /// The attribute of the caller's payload.
        at: Option<Blamed>,
        /// What the caller is told; none: the exchange's own words.
        reason: Option<Box<str>>,
    },
    /// The answer is made from this document in place of the reply's body: `answer: { hits: [] }`.
    Answer(Document),
}

/// The attribute of the caller's payload that a problem points at; its pointer is what the path finds there, else
/// its steps.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Blamed {
    /// From the root; the array where a place of its elements is meant.
    pub path: FieldPath,
    /// From the element, where `path` is an array: known where the call was made for one of its elements.
    pub within: Option<FieldPath>,
}

/// Where a filter of a list is settled.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Settled {
    /// By us, on what would be answered, whether or not the legacy system was told.
    Here,
    /// By the legacy system, which was told: the mapping says that it is exact, or the answer does not carry what
    /// the filter reads.
    There,
    /// Nowhere: it is neither sent nor can it be checked, so it is refused.
    Nowhere,
}

/// What a legacy list comes sorted by, in the words of what is answered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Order {
    /// Members from an answered entity to the attribute.
    pub members: Box<[Box<str>]>,
    /// Whether the greatest comes first.
    pub is_falling: bool,
}

/// How lists are paged at the legacy system.
#[derive(Clone, Debug, PartialEq)]
pub struct Paging {
    /// How the next page is asked for.
    pub way: PagingWay,
    /// Query parameter with the size of a page.
    pub size: Option<Box<str>>,
    /// Elements of a full page; asked for by `size`.
    pub items: u64,
    /// Where the reply has the total number of elements.
    pub total: Option<Total>,
}

/// How the next page is asked for.
#[derive(Clone, Debug, PartialEq)]
pub enum PagingWay {
    /// By its number.
    Page {
        /// Query parameter.
        parameter: Box<str>,
        /// Number of the first page: 0 or 1.
        first: u64,
    },
    /// By the number of its first element.
    Record {
        /// Query parameter.
        parameter: Box<str>,
        /// Number of the first element: 0 or 1.
        first: u64,
    },
    /// By a text that the page before gives.
    Cursor {
        /// Query parameter.
        parameter: Box<str>,
        /// Where the reply has it; absent, null or empty on the last page.
        next: Query,
    },
    /// By the address in a `Link` header of the page before (RFC 8288).
    Link {
        /// Its relation, `next` as a rule.
        relation: Box<str>,
    },
}

/// Where a reply has the total number of elements.
#[derive(Clone, Debug, PartialEq)]
pub enum Total {
    /// In its body.
    Body(Query),
    /// In a header; its name in lower case.
    Header(Box<str>),
}

/// How work that outlives its call is followed: `complete:`.
#[derive(Clone, Debug, PartialEq)]
pub struct Complete {
    /// Per item (true) or for the entity.
    pub each_item: bool,
    /// What is asked, and how its reply is read: one call without a request.
    pub poll: Arc<OperationProgram>,
    /// Between two askings, in milliseconds.
    pub every_ms: u64,
    /// From the first asking to giving up, in milliseconds.
    pub give_up_ms: u64,
    /// Condition on the reply that ends it.
    pub until: Condition,
}
