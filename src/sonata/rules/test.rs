//! What a rule looks at in a message, as data: nodes, conditions, and what must hold of each.

use super::Agreed;
use crate::{
    json::Node,
    sonata::{FaultCode, Products},
};

/// When a message is looked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stage {
    /// The query, as an object of texts; only by its own.
    Query,
    /// A request's body, beside the check against the contract.
    Request,
    /// A request's body, once the entity that it names is known.
    Change,
    /// The body of our answer; of a list, each of its elements.
    Answer,
}

/// What is known beside the message. All of it may be missing.
#[derive(Debug, Clone, Copy)]
pub struct Facts<'a> {
    /// The Buyer's create message: of an answer.
    pub request: Option<Node<'a>>,
    /// The entity as it was kept.
    pub stored: Option<Node<'a>>,
    /// What was agreed on.
    pub agreed: &'a Agreed,
    /// Product schemas in reach, for names of types.
    pub products: &'a Products,
}

/// One look at a message: of each of these nodes, if these conditions hold, this must.
///
/// Places are names joined by dots, from the node; `*` is every element. `/` before a place begins at the message,
/// `<` at the Buyer's create message, `=` at the entity as it was kept.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Test {
    pub(super) stage: Stage,
    /// operationIds.
    pub(super) operations: &'static [&'static str],
    /// The nodes, from the message; the message itself where it is empty.
    pub(super) each: &'static str,
    pub(super) when: &'static [When],
    pub(super) must: Must,
}

/// A condition on a node.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum When {
    /// What stands there is one of these; `true` and `false` are those.
    Is(&'static str, &'static [&'static str]),
    /// It is none of these, or nothing.
    Not(&'static str, &'static [&'static str]),
    /// Something stands there.
    Has(&'static str),
    /// At one of these places or more.
    HasAny(&'static [&'static str]),
    /// Nothing stands there, or an empty list.
    Lacks(&'static str),
}

/// What must hold of a node.
#[derive(Debug, Clone, Copy)]
pub(super) enum Must {
    /// Something stands there, and no empty list.
    Have(&'static str),
    /// Nothing stands there, or an empty list.
    Lack(&'static str),
    /// If anything stands there, it is one of these.
    Be(&'static str, &'static [&'static str]),
    /// `relatedContactInformation` has an element of this role.
    Role(&'static str),
    /// Exactly one of these members.
    One(&'static [&'static str]),
    /// One of these members or more.
    Any(&'static [&'static str]),
    /// What this finds is wrong.
    Hold(fn(&Case<'_>, &mut Wrong)),
}

/// A node, and all that is known.
#[derive(Debug, Clone, Copy)]
pub(super) struct Case<'a> {
    pub(super) node: Node<'a>,
    pub(super) message: Node<'a>,
    pub(super) facts: &'a Facts<'a>,
}

/// What is wrong: codes and JSON Pointers from the message's root.
pub(super) type Wrong = Vec<(FaultCode, String)>;

pub(super) const fn test(
    stage: Stage,
    operations: &'static [&'static str],
    each: &'static str,
    when: &'static [When],
    must: Must,
) -> Test {
    Test { stage, operations, each, when, must }
}

/// Of a request.
pub(super) const fn request(
    operations: &'static [&'static str],
    each: &'static str,
    when: &'static [When],
    must: Must,
) -> Test {
    test(Stage::Request, operations, each, when, must)
}

/// Of a request, beside the entity that it names.
pub(super) const fn change(
    operations: &'static [&'static str],
    each: &'static str,
    when: &'static [When],
    must: Must,
) -> Test {
    test(Stage::Change, operations, each, when, must)
}

/// Of an answer.
pub(super) const fn answer(
    operations: &'static [&'static str],
    each: &'static str,
    when: &'static [When],
    must: Must,
) -> Test {
    test(Stage::Answer, operations, each, when, must)
}

/// A place of a [`Test`], split once.
#[derive(Debug, Clone)]
pub(super) struct Place {
    from: From,
    /// Names of members.
    steps: Box<[&'static str]>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum From {
    Node,
    Message,
    Request,
    Stored,
}

impl From {
    /// Where a place begins, and the rest of it.
    fn of(place: &str) -> (Self, &str) {
        let marked = [('/', Self::Message), ('<', Self::Request), ('=', Self::Stored)];
        let found = marked.into_iter().find_map(|(mark, from)| Some((from, place.strip_prefix(mark)?)));
        found.unwrap_or((Self::Node, place))
    }
}

impl Place {
    pub(super) fn read(place: &'static str) -> Self {
        let (from, rest) = From::of(place);
        Self { from, steps: rest.split('.').collect() }
    }
}

/// A condition whose places were split once.
#[derive(Debug, Clone)]
pub(super) struct Asked {
    pub(super) when: &'static When,
    places: Box<[Place]>,
}

impl Asked {
    pub(super) fn read(when: &'static When) -> Self {
        let places = match when {
            When::Is(place, _) | When::Not(place, _) | When::Has(place) | When::Lacks(place) => {
                std::slice::from_ref(place)
            }
            When::HasAny(places) => places,
        };
        Self { when, places: places.iter().map(|place| Place::read(place)).collect() }
    }

    /// Whether it says nothing of the node itself.
    pub(super) fn is_of_whole(&self) -> bool {
        self.places.iter().all(|place| place.from != From::Node)
    }
}

impl Must {
    /// The place whose value decides, where there is one.
    pub(super) fn place(&self) -> Option<Place> {
        match self {
            Self::Have(place) | Self::Lack(place) | Self::Be(place, _) => Some(Place::read(place)),
            Self::Role(_) | Self::One(_) | Self::Any(_) | Self::Hold(_) => None,
        }
    }
}

impl<'a> Case<'a> {
    fn start(&self, from: From) -> Option<Node<'a>> {
        match from {
            From::Node => Some(self.node),
            From::Message => Some(self.message),
            From::Request => self.facts.request,
            From::Stored => self.facts.stored,
        }
    }

    /// What stands at a place.
    pub(super) fn at(&self, place: &str) -> Option<Node<'a>> {
        let (from, rest) = From::of(place);
        rest.split('.').try_fold(self.start(from)?, Node::get)
    }

    /// What stands at a place that was split.
    #[inline]
    pub(super) fn found(&self, place: &Place) -> Option<Node<'a>> {
        place.steps.iter().try_fold(self.start(place.from)?, |node, step| node.get(step))
    }

    pub(super) fn holds(&self, asked: &Asked) -> bool {
        let mut found = asked.places.iter().map(|place| self.found(place));
        match asked.when {
            When::Is(_, texts) => found.any(|node| node.is_some_and(|node| is_among(node, texts))),
            When::Not(_, texts) => found.all(|node| node.is_none_or(|node| !is_among(node, texts))),
            When::Has(_) | When::HasAny(_) => found.any(|node| node.is_some_and(is_there)),
            When::Lacks(_) => !found.any(|node| node.is_some_and(is_there)),
        }
    }

    /// What is wrong by this; `at` is what stands at its place ([`Must::place`]).
    pub(super) fn look(&self, must: &Must, at: Option<Node<'a>>, wrong: &mut Wrong) {
        match must {
            Must::Have(place) if at.is_none_or(|node| !is_there(node)) => {
                wrong.push((FaultCode::MissingProperty, self.pointer(place)));
            }
            Must::Lack(place) if at.is_some_and(is_there) => {
                wrong.push((FaultCode::UnexpectedProperty, self.pointer(place)));
            }
            Must::Be(place, texts) if at.is_some_and(|node| !is_among(node, texts)) => {
                wrong.push((FaultCode::InvalidValue, self.pointer(place)));
            }
            Must::Role(role) if !has_role(self.node, role) => {
                wrong.push((FaultCode::MissingProperty, self.pointer(CONTACTS)));
            }
            Must::One(members) => {
                let mut there = members.iter().filter(|member| self.node.get(member).is_some_and(is_there));
                match (there.next(), there.next()) {
                    (Some(_), None) => {}
                    (None, _) => wrong.push((FaultCode::MissingProperty, self.first(members))),
                    (_, Some(second)) => {
                        wrong.push((FaultCode::UnexpectedProperty, self.pointer(second)));
                    }
                }
            }
            Must::Any(members)
                if !members.iter().any(|member| self.node.get(member).is_some_and(is_there)) =>
            {
                wrong.push((FaultCode::MissingProperty, self.first(members)));
            }
            Must::Hold(hold) => hold(self, wrong),
            _ => {}
        }
    }

    /// The JSON Pointer of the first of these members of the node.
    fn first(&self, members: &[&str]) -> String {
        format!("{}/{}", self.node.pointer(), members.first().copied().unwrap_or_default())
    }

    /// The JSON Pointer of a place of the message.
    pub(super) fn pointer(&self, place: &str) -> String {
        let (mut pointer, rest) = match place.strip_prefix('/') {
            Some(rest) => (self.message.pointer(), rest),
            None => (self.node.pointer(), place),
        };
        for step in rest.split('.') {
            pointer.push('/');
            pointer.push_str(step);
        }
        pointer
    }
}

/// Where contacts stand, on every level.
pub(super) const CONTACTS: &str = "relatedContactInformation";

/// Whether a list of contacts has one in this role.
pub(super) fn has_role(node: Node<'_>, role: &str) -> bool {
    let contacts = node.get(CONTACTS).into_iter().flat_map(Node::elements);
    contacts.into_iter().any(|contact| contact.get("role").is_some_and(|own| own.is_text(role)))
}

/// Something, and no empty list.
pub(super) fn is_there(node: Node<'_>) -> bool {
    let is_empty_list = node.is_array() && node.is_empty();
    !node.is_null() && !is_empty_list
}

fn is_among(node: Node<'_>, texts: &[&str]) -> bool {
    if node.as_bool().is_some() {
        return texts.contains(&node.raw());
    }
    texts.iter().any(|text| node.is_text(text))
}
