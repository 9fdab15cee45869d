//! What a legacy system tells of itself, as written: `receives:` and `watch:`.

use super::{Body, Text};
use crate::text::Span;

/// What a message says of which entity.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct News {
    /// The whole entry.
    pub span: Span,
    /// The kind of entity, or of items of one, that it speaks of.
    pub kind: Option<Text>,
    /// Whether entities that nobody has heard of come into being by it.
    pub creates: bool,
    /// What a new entity belongs to: a kind, and where the message names it.
    pub of: Vec<(Text, Text)>,
    /// In place of that: a setting of partners, and where the message says the same.
    pub whose: Vec<(Text, Text)>,
    /// Where the message names the entity.
    pub legacy_id: Option<Text>,
    /// The elements, where one message speaks of several.
    pub each: Option<Text>,
    /// How it says it.
    pub body: Option<Body>,
}

/// One entry of `receives:`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Receive {
    /// Method and path: `PUT /bss/orders/{no}`.
    pub call: Text,
    /// What it says.
    pub news: News,
    /// The status that it is answered with.
    pub status: Option<u64>,
    /// The backend that calls, whatever the partner's routes say.
    pub backend: Option<Text>,
}

/// One entry of `watch:`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Watch {
    /// Its name.
    pub name: Text,
    /// Method and address that is asked.
    pub call: Text,
    /// Time between two askings.
    pub every: Text,
    /// Where the reply says by what is asked next.
    pub cursor: Option<Text>,
    /// By what is asked first.
    pub from: Option<Text>,
    /// What the reply says.
    pub news: News,
    /// The backend that is asked, whatever the partner's routes say.
    pub backend: Option<Text>,
}
