//! What scripts and templates see as `facts`.

use std::{borrow::Cow, fmt};

use super::{
    reply::Reply,
    story::{Story, time_text},
    subject::Subject,
};
use crate::{
    json::{Document, Node},
    mapping::{facts::Facts, value::Value},
    plan::PartnerPlan,
    sonata::{Contract, Operation},
};

/// The entity that an operation makes or names, as far as a mapping may know it.
#[derive(Debug, Clone, Copy)]
pub struct EntityFacts<'m> {
    /// The id that the partner knows.
    pub id: &'m str,
    /// The URL that the partner finds it under.
    pub href: &'m str,
    /// What is stored of it; none for a new one.
    pub stored: Option<&'m Subject>,
    /// The entity that it belongs to: the order of a charge, of a cancellation.
    pub parent: Option<&'m Subject>,
}

/// Everything that is known besides the message; a value is made when a script asks for it.
#[derive(Clone, Copy)]
pub struct Known<'m> {
    partner: &'m PartnerPlan,
    contract: &'static Contract,
    operation: &'static Operation,
    texts: &'m StoryTexts,
    entity: Option<EntityFacts<'m>>,
    /// What the answer phase knows besides: the request, and what the legacy system replied.
    reply: Option<(Option<&'m Document>, &'m Reply)>,
}

/// Names of all facts, in the order in which they are shown together.
const NAMES: [&str; 13] = [
    "partner",
    "settings",
    "side",
    "function",
    "operation",
    "release",
    "test",
    "exchange",
    "now",
    "entity",
    "parent",
    "legacy",
    "request",
];

/// What is known before anything was replied.
pub fn facts<'m>(
    partner: &'m PartnerPlan,
    (contract, operation): (&'static Contract, &'static Operation),
    texts: &'m StoryTexts,
    entity: Option<EntityFacts<'m>>,
) -> Known<'m> {
    Known { partner, contract, operation, texts, entity, reply: None }
}

/// The same with what the answer phase knows besides.
pub fn with_reply<'m>(facts: &Known<'m>, request: Option<&'m Document>, reply: &'m Reply) -> Known<'m> {
    Known { reply: Some((request, reply)), ..*facts }
}

impl Facts for Known<'_> {
    fn member(&self, name: &str) -> Value<'_> {
        let settings = self.partner.settings().settings.root();
        match name {
            "partner" => {
                let mut members = vec![member("id", text(self.partner.id().as_str()))];
                members.extend(settings.members().map(|(name, value)| (name, Value::Node(value))));
                Value::Object(members)
            }
            "settings" => Value::Node(settings),
            "side" => text(if self.partner.is_buyer() { "seller" } else { "buyer" }),
            "function" => text(self.contract.function.name()),
            "operation" => text(&self.operation.operation_id),
            "release" => text(self.partner.release(self.contract.function).as_str()),
            "test" => {
                let known =
                    self.entity.iter().flat_map(|entity| entity.stored.into_iter().chain(entity.parent));
                Value::Bool(self.partner.settings().policy.is_test || known.into_iter().any(Subject::is_test))
            }
            "exchange" => text(&self.texts.exchange),
            "now" => Value::text(time_text(self.texts.now)),
            "entity" => self.entity.map_or(Value::Absent, |entity| {
                let mut members = vec![member("id", text(entity.id)), member("href", text(entity.href))];
                members.extend(entity.stored.map(stored).unwrap_or_default());
                Value::Object(members)
            }),
            "parent" => self.entity.and_then(|entity| entity.parent).map_or(Value::Absent, |parent| {
                let mut members = vec![member("id", text(parent.id.as_str()))];
                members.extend(stored(parent));
                Value::Object(members)
            }),
            "legacy" => self.reply.map_or(Value::Absent, |(_, reply)| of_reply(reply)),
            "request" => Value::of(self.reply.and_then(|(request, _)| request).map(Document::root)),
            _ => Value::Absent,
        }
    }

    fn all(&self) -> Value<'_> {
        let members = NAMES.iter().map(|name| member(name, self.member(name)));
        let is_known = |name: &str| name == "request" && self.reply.is_some();
        Value::Object(members.filter(|(name, value)| !value.is_absent() || is_known(name)).collect())
    }
}

/// Nothing of it: logs must not show what a partner sent.
impl fmt::Debug for Known<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Known({})", self.operation.operation_id)
    }
}

fn of_reply(reply: &Reply) -> Value<'_> {
    let headers = reply.headers.iter().map(|(name, value)| member(name, text(value)));
    let utf8 = || std::str::from_utf8(&reply.raw).unwrap_or_default();
    let raw = reply.text.as_deref().unwrap_or_else(utf8);
    Value::Object(vec![
        member("status", Value::integer(i64::from(reply.status))),
        member("headers", Value::Object(headers.collect())),
        member("text", text(raw)),
    ])
}

/// Texts of an exchange that facts borrow.
#[derive(Debug)]
pub struct StoryTexts {
    exchange: String,
    now: jiff::Timestamp,
}

impl StoryTexts {
    /// Of this exchange.
    pub fn of(story: &Story<'_>) -> Self {
        Self::new(story.id.as_str(), story.moment.wall)
    }

    /// Of an exchange with this id at this time.
    pub fn new(exchange: &str, now: jiff::Timestamp) -> Self {
        Self { exchange: exchange.to_owned(), now }
    }
}

/// What a template's `{facts.a.b}` names, as text; none where it is absent or no scalar.
pub fn find<'v>(facts: &'v dyn Facts, names: &[Box<str>]) -> Option<Cow<'v, str>> {
    let (name, rest) = names.split_first()?;
    match rest.iter().fold(facts.member(name), |value, name| value.member(name)) {
        Value::Text(text) | Value::Number(text) => Some(text),
        Value::Bool(value) => Some(value.to_string().into()),
        Value::Node(node) => scalar_node(node),
        _ => None,
    }
}

/// A scalar of a document as text.
pub fn scalar_node(node: Node<'_>) -> Option<Cow<'_, str>> {
    match node.kind() {
        crate::json::Kind::String => node.as_str(),
        crate::json::Kind::Number | crate::json::Kind::Bool => Some(Cow::Borrowed(node.raw())),
        _ => None,
    }
}

fn stored(subject: &Subject) -> Vec<(Cow<'_, str>, Value<'_>)> {
    let mut members = Vec::with_capacity(2);
    if let Some(legacy_id) = &subject.legacy_id {
        members.push(member("legacy_id", text(legacy_id.as_str())));
    }
    members.push(member("document", Value::of(subject.document.as_ref().map(Document::root))));
    members
}

fn member<'m>(name: &'m str, value: Value<'m>) -> (Cow<'m, str>, Value<'m>) {
    (Cow::Borrowed(name), value)
}

fn text(text: &str) -> Value<'_> {
    Value::Text(Cow::Borrowed(text))
}
