//! What scripts and templates see as `facts`.

use std::borrow::Cow;

use super::{
    reply::Reply,
    story::{Story, time_text},
    subject::Subject,
};
use crate::{
    json::{Document, Node},
    mapping::value::Value,
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
pub fn facts<'m>(
    partner: &'m PartnerPlan,
    (contract, operation): (&'static Contract, &'static Operation),
    texts: &'m StoryTexts,
    entity: Option<EntityFacts<'m>>,
) -> Value<'m> {
    let settings = partner.settings().settings.root();
    let mut of_partner = vec![member("id", text(partner.id().as_str()))];
    of_partner.extend(settings.members().map(|(name, value)| (name, Value::Node(value))));
    let mut all = vec![
        member("partner", Value::Object(of_partner)),
        member("settings", Value::Node(settings)),
        member("side", text("seller")),
        member("function", text(contract.function.name())),
        member("operation", text(&operation.operation_id)),
        member("release", text(partner.release(contract.function).as_str())),
        member("exchange", text(&texts.exchange)),
        member("now", text(&texts.now)),
    ];
    if let Some(entity) = entity {
        let mut own = vec![member("id", text(entity.id)), member("href", text(entity.href))];
        own.extend(entity.stored.map(stored).unwrap_or_default());
        all.push(member("entity", Value::Object(own)));
        if let Some(parent) = entity.parent {
            let mut members = vec![member("id", text(parent.id.as_str()))];
            members.extend(stored(parent));
            all.push(member("parent", Value::Object(members)));
        }
    }
    Value::Object(all)
}

/// The same with what the answer phase knows besides.
pub fn with_reply<'m>(facts: &Value<'m>, request: Option<&'m Document>, reply: &'m Reply) -> Value<'m> {
    let Value::Object(members) = facts else { return facts.clone() };
    let mut members = members.clone();
    let headers = reply.headers.iter().map(|(name, value)| member(name, text(value)));
    let utf8 = || std::str::from_utf8(&reply.raw).unwrap_or_default();
    let raw = reply.text.as_deref().unwrap_or_else(utf8);
    let legacy = vec![
        member("status", Value::integer(i64::from(reply.status))),
        member("headers", Value::Object(headers.collect())),
        member("text", text(raw)),
    ];
    members.push(member("legacy", Value::Object(legacy)));
    members.push(member("request", Value::of(request.map(Document::root))));
    Value::Object(members)
}

/// Texts of an exchange that facts borrow.
#[derive(Debug)]
pub struct StoryTexts {
    exchange: String,
    now: String,
}

impl StoryTexts {
    /// Of this exchange.
    pub fn of(story: &Story<'_>) -> Self {
        Self::new(story.id.as_str(), story.moment.wall)
    }

    /// Of an exchange with this id at this time.
    pub fn new(exchange: &str, now: jiff::Timestamp) -> Self {
        Self { exchange: exchange.to_owned(), now: time_text(now) }
    }
}

/// What a template's `{facts.a.b}` names, as text; none where it is absent or no scalar.
pub fn find<'v>(facts: &'v Value<'_>, names: &[Box<str>]) -> Option<Cow<'v, str>> {
    let (name, rest) = names.split_first()?;
    match facts {
        Value::Object(members) => {
            let (_, value) = members.iter().find(|(key, _)| *key == **name)?;
            if rest.is_empty() { scalar(value) } else { find(value, rest) }
        }
        Value::Node(node) => {
            let found = names.iter().try_fold(*node, |node, name| node.get(name))?;
            scalar_node(found)
        }
        _ => None,
    }
}

fn scalar<'v>(value: &'v Value<'_>) -> Option<Cow<'v, str>> {
    match value {
        Value::Text(text) | Value::Number(text) => Some(Cow::Borrowed(text)),
        Value::Bool(value) => Some(value.to_string().into()),
        Value::Node(node) => scalar_node(*node),
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
