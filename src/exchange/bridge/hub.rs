//! Subscriptions of a partner whose release names events otherwise: they are kept by our names, and shown by its own.

use crate::{
    exchange::error::ExchangeError,
    json::{Builder, Document, Node},
    plan::Edge,
    sonata::{Fault, FaultCode, Operation, events::HubAct},
};

/// A registration with our names of events in its query; anything else as it is.
///
/// # Errors
/// 422 for a type of event that the partner's release does not have, or that is not told.
pub fn written(edge: &Edge, operation: &Operation, body: Document) -> Result<Document, ExchangeError> {
    if HubAct::of(&operation.operation_id) != Some(HubAct::Register) {
        return Ok(body);
    }
    let mut unknown = None;
    let renamed = with_query(&body, |name| {
        let mut told = edge.all_told()?;
        let known = told.find(|told| told.event_type == name).map(|told| told.event.event_type);
        if known.is_none() {
            unknown.get_or_insert_with(|| name.to_owned());
        }
        known
    });
    let Some(unknown) = unknown else { return Ok(renamed) };
    let known = edge.all_told().into_iter().flatten().map(|told| told.event_type.as_str());
    let known: Vec<&str> = known.collect();
    let shown: String = unknown.chars().filter(|c| !c.is_control()).take(40).collect();
    let reason = format!("there is no event type `{shown}` here; there are {}", known.join(", "));
    Err(ExchangeError::Contract(vec![Fault::new(FaultCode::InvalidValue, "/query", reason)]))
}

/// A subscription with the partner's names of events in its query.
pub fn spoken(edge: &Edge, body: &Document) -> Document {
    with_query(body, |name| {
        let mut told = edge.all_told()?;
        told.find(|told| told.event.event_type == name).map(|told| told.event_type.as_str())
    })
}

/// The same with other names of events: what stands behind `eventType=`, up to a comma or an ampersand.
fn with_query<'n>(body: &Document, mut renamed: impl FnMut(&str) -> Option<&'n str>) -> Document {
    let query = body.root().get("query").and_then(Node::as_str);
    let Some(query) = query.filter(|query| !query.trim().is_empty()) else { return body.clone() };
    let mut text = String::with_capacity(query.len());
    for part in query.split_inclusive('&') {
        let Some((name, values)) = part.split_once('=') else {
            text.push_str(part);
            continue;
        };
        text.push_str(name);
        text.push('=');
        for value in values.split_inclusive([',', '&']) {
            let own = value.trim_end_matches([',', '&']).trim();
            match renamed(own).filter(|_| !own.is_empty()) {
                Some(other) => text.push_str(&value.replacen(own, other, 1)),
                None => text.push_str(value),
            }
        }
    }
    let mut builder = Builder::new();
    let root = builder.copy(body.root());
    let value = builder.string(text);
    builder.set(root, "query", value);
    builder.finish(root)
}
