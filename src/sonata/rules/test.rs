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
#[derive(Debug, Clone, Copy)]
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

impl<'a> Case<'a> {
    /// What stands at a place.
    pub(super) fn at(&self, place: &str) -> Option<Node<'a>> {
        let (from, rest) = match place.as_bytes().first() {
            Some(b'/') => (Some(self.message), place.get(1..)),
            Some(b'<') => (self.facts.request, place.get(1..)),
            Some(b'=') => (self.facts.stored, place.get(1..)),
            _ => (Some(self.node), Some(place)),
        };
        rest?.split('.').try_fold(from?, Node::get)
    }

    pub(super) fn holds(&self, when: &When) -> bool {
        match when {
            When::Is(place, texts) => self.at(place).is_some_and(|node| is_among(node, texts)),
            When::Not(place, texts) => self.at(place).is_none_or(|node| !is_among(node, texts)),
            When::Has(place) => self.at(place).is_some_and(is_there),
            When::HasAny(places) => places.iter().any(|place| self.at(place).is_some_and(is_there)),
            When::Lacks(place) => !self.at(place).is_some_and(is_there),
        }
    }

    /// What is wrong by this.
    pub(super) fn look(&self, must: &Must, wrong: &mut Wrong) {
        match must {
            Must::Have(place) if self.at(place).is_none_or(|node| !is_there(node)) => {
                wrong.push((FaultCode::MissingProperty, self.pointer(place)));
            }
            Must::Lack(place) if self.at(place).is_some_and(is_there) => {
                wrong.push((FaultCode::UnexpectedProperty, self.pointer(place)));
            }
            Must::Be(place, texts) if self.at(place).is_some_and(|node| !is_among(node, texts)) => {
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
