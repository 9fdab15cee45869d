//! What a legacy system tells of itself, compiled: which messages are received, and what they say of which entity.

use std::sync::Arc;

use super::operation::Call;
use super::path::FieldPath;
use super::program::{Origin, Program};

/// A message that the legacy system sends us.
#[derive(Clone, Debug, PartialEq)]
pub struct Receive {
    /// Upper case: `PUT`.
    pub method: Box<str>,
    /// The segments of its path.
    pub path: Box<[Segment]>,
    /// The status that it is answered with, 200 to 299.
    pub status: u16,
    /// What it says.
    pub news: News,
    /// The backend that calls, whatever the partner's routes say.
    pub backend: Option<Box<str>>,
}

/// What we ask the legacy system for, again and again.
#[derive(Clone, Debug, PartialEq)]
pub struct Watch {
    /// Its name in the set.
    pub name: Box<str>,
    /// What is asked: an address in which nothing is put but the cursor.
    pub call: Call,
    /// Time between two askings, in milliseconds.
    pub every_ms: u64,
    /// Where the reply says by what is asked next; none: the same is asked each time.
    pub cursor: Option<FieldPath>,
    /// By what is asked first; none: the parameters with the cursor are left out.
    pub from: Option<Box<str>>,
    /// What the reply says.
    pub news: News,
    /// The backend that is asked, whatever the partner's routes say.
    pub backend: Option<Box<str>>,
}

/// One segment of the path of a message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Segment {
    /// As it stands.
    Literal(Box<str>),
    /// `{no}`: a value, which paths of the message name `path:no`.
    Parameter(Box<str>),
}

/// What a message says of which entity.
#[derive(Clone, Debug, PartialEq)]
pub struct News {
    /// Where it was written, with a name for logs: `PUT /bss/orders/{no}`.
    pub origin: Origin,
    /// The kind of entity: `productOrder`.
    pub kind: Box<str>,
    /// By which of its settings a new entity is a partner's, and where the message says the same.
    pub whose: Option<(Box<str>, FieldPath)>,
    /// The array of that entity, where its items are spoken of: `productOrderItem`.
    pub items: Option<Box<str>>,
    /// Whether an entity that nobody has heard of comes into being by it.
    pub creates: bool,
    /// What a new entity belongs to: the name of a kind or of items, and where the message names it.
    pub of: Option<(Box<str>, FieldPath)>,
    /// Where the message, or one of its elements, names the entity.
    pub legacy_id: FieldPath,
    /// The array of the elements, where one message speaks of several.
    pub each: Option<FieldPath>,
    /// Maps the message, or one of its elements, to the entity or item as far as it is spoken of.
    pub program: Arc<Program>,
    /// Sonata places whose mapped value wins over what the Buyer sent (`echo: false`).
    pub not_echoed: Arc<[Box<str>]>,
}

impl Receive {
    /// The values of the path's parameters, where this is a path of this message; still percent-encoded.
    #[must_use]
    pub fn values<'p>(&self, path: &'p str) -> Option<Vec<(&str, &'p str)>> {
        values(&self.path, path)
    }
}

/// The values of the parameters of a path, where it has these segments; still percent-encoded.
pub(super) fn values<'s, 'p>(own: &'s [Segment], path: &'p str) -> Option<Vec<(&'s str, &'p str)>> {
    let mut values = Vec::new();
    let mut segments = path.strip_prefix('/')?.split('/');
    for own in own {
        let segment = segments.next()?;
        match own {
            Segment::Literal(text) if **text == *segment => {}
            Segment::Parameter(name) if !segment.is_empty() => values.push((&**name, segment)),
            Segment::Literal(_) | Segment::Parameter(_) => return None,
        }
    }
    segments.next().is_none().then_some(values)
}
