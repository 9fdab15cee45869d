//! Events on their way to a partner on another release.

use bytes::Bytes;

use super::addressed;
use crate::{
    exchange::{
        facts::{EntityFacts, StoryTexts, facts},
        subject::Subject,
    },
    ids::SonataId,
    json::{Builder, Document, Limits, Node},
    mapping::bridge,
    notify::Message,
    plan::{PartnerPlan, Plan, Telling},
    sonata::{
        Operation, Options, check,
        events::{self, EventFacts},
    },
};

/// An event as it is sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Letter {
    /// Behind the callback.
    pub path: String,
    /// The message.
    pub body: Bytes,
}

/// Whether a partner's release has an event.
pub fn may_tell(partner: &PartnerPlan, event: &EventFacts) -> bool {
    partner.edge(event.function).is_none_or(|edge| !matches!(edge.told(event), Telling::Not))
}

/// An event as a partner's release has it.
///
/// # Errors
/// Why it can never be told so, for the operator.
pub fn letter(
    plan: &Plan,
    partner: &PartnerPlan,
    message: &Message,
    now: jiff::Timestamp,
) -> Result<Letter, String> {
    let (function, settings) = (message.facts.function, partner.notifications());
    let listener = events::listener(partner.release(function), function);
    let (Some(listener), Some(settings)) = (listener, settings) else {
        return Err("the release does not have the event".to_owned());
    };
    let Some(edge) = partner.edge(function) else {
        let path = settings.path(function, message.facts.path, listener);
        return Ok(Letter { path, body: message.body.clone() });
    };
    let document = Document::parse(message.body.clone(), &Limits::default());
    let document = addressed(plan, partner, &document.map_err(|error| error.to_string())?);
    let told = match edge.told(message.facts) {
        Telling::Not => return Err("the release does not have the event".to_owned()),
        Telling::Same => {
            let path = settings.path(function, message.facts.path, listener);
            return Ok(Letter { path, body: document.bytes() });
        }
        Telling::As(told) => told,
    };
    let texts = StoryTexts::new(&message.event_id, now);
    let about = about(message, &document);
    let id = about.as_ref().map_or("", |about| about.id.as_str());
    let entity = about.as_ref().map(|about| EntityFacts { id, href: "", stored: Some(about), parent: None });
    let known = facts(partner, (listener, told.operation), &texts, entity);
    let carried = bridge::carry(&told.message, &document, &known).map_err(|(_, failures)| {
        let why = failures.first().map_or("", |first| first.message.as_str());
        format!("it does not come over: {why}")
    })?;
    let body = carried.body.as_ref().unwrap_or(&document);
    if let (Some(ty), Some(products)) = (told.operation.request, partner.products(function)) {
        let checked = check(body.root(), listener, ty, &Options::new(products));
        if let Some(fault) = checked.faults.first() {
            return Err(format!("it is none of the release at {}: {}", fault.pointer, fault.reason));
        }
    }
    let path = settings.path(function, &told.path, listener);
    Ok(Letter { path: to_parties(path, told.operation, &document), body: body.bytes() })
}

/// What an event is about, as far as it says so: its id and the state that it had then.
fn about(message: &Message, document: &Document) -> Option<Subject> {
    let id = document.root().get("event")?.get("id")?.as_str()?;
    let id = SonataId::parse(&id).ok()?;
    let mut builder = Builder::new();
    let root = builder.object();
    if let (Some(name), Some(state)) = (message.facts.kind.facts().state, &message.state) {
        let state = builder.string(state.as_str());
        builder.set(root, name, state);
    }
    Some(Subject::told(message.facts.kind, id, builder.finish(root)))
}

/// From kylie on the address of a listener tells for whom an event is.
fn to_parties(mut path: String, listener: &Operation, message: &Document) -> String {
    let event = message.root().get("event");
    for name in ["buyerId", "sellerId"] {
        let id = event.and_then(|event| event.get(name)).and_then(Node::as_str);
        let Some(id) = id.filter(|_| listener.query.iter().any(|one| one.name == name)) else { continue };
        path.push(if path.contains('?') { '&' } else { '?' });
        path.push_str(&form_urlencoded::Serializer::new(String::new()).append_pair(name, &id).finish());
    }
    path
}
