//! The life of an exchange on the Buyer side: our procurement system asks in its own terms, a partner answers in Sonata.
//!
//! The mirror of `seller`, on the internal listener: the message says by its path which entry of `exposes:` it is and,
//! where several partners sell, which of them is meant. It is mapped to Sonata by the same shapes that the Seller side
//! has, held against the partner's contract, noted in the journal, sent, and what comes back is mapped back. What is
//! wrong is told in the procurement system's own terms (`told`), places as it wrote them.

mod abroad;
mod ask;
mod keep;
mod message;
pub mod news;
pub mod poll;
pub mod subscribe;
mod told;
mod wait;

use std::{pin::pin, sync::Arc};

use bytes::Bytes;
use http::{HeaderMap, Response, StatusCode, request::Parts};
use http_body_util::Full;
use hyper::body::Body;

pub use self::ask::problem;
use self::{
    ask::{Asked, ask},
    keep::Keeping,
    message::Way,
    told::Telling,
};
use super::{
    answer::gather,
    error::ExchangeError,
    facts::{Known, StoryTexts, facts, with_reply},
    news::as_reply,
    receive::admit,
    reply::Reply,
    seller::guarded,
    story::Story,
    wire::Answer,
};
use crate::{
    json::{Document, Node},
    mapping::{
        apply::{self, Input, KeyPair},
        exposed,
        program::Program,
    },
    plan::Plan,
    sonata::{check, entity::Act},
};

/// Whether a path is one that our procurement system is offered.
pub fn is_exposed(plan: &Plan, path: &str) -> bool {
    plan.exposed(path).next().is_some()
}

/// Runs one exchange from request head to answer. It always answers.
pub async fn exchange<B>(mut story: Story<'_>, head: &Parts, body: B) -> Response<Full<Bytes>>
where
    B: Body<Data = Bytes>,
{
    let mut telling = Telling::default();
    let result = guarded(pin!(bought(&mut story, &mut telling, head, body))).await;
    story.end_with(result, |error| telling.refusal(error))
}

async fn bought<B>(
    story: &mut Story<'_>,
    telling: &mut Telling,
    head: &Parts,
    body: B,
) -> Result<Answer, ExchangeError>
where
    B: Body<Data = Bytes>,
{
    let plan = Arc::clone(&story.plan);
    admit(&plan, head)?;
    let ways = message::ways(&plan, head)?;
    if let Some(way) = ways.first() {
        telling.speak(way);
    }
    let received = message::receive(story, &ways, head, body).await?;
    let way = message::chosen(&ways, &received)?;
    telling.speak(way);
    story.partner = Some(Arc::clone(way.partner));
    story.route = Some((way.exposer.contract, way.exposer.operation));
    let texts = StoryTexts::of(story);
    let known = facts(way.partner, (way.exposer.contract, way.exposer.operation), &texts, None);
    let made = message::make(story, way, &received, &known).await?;
    let mut keeping = Keeping::new(way, &received, &made);
    if let Some(first) = keeping.begin(story, &made).await? {
        return Ok(first);
    }
    let asked = match ask(story, way, &made).await {
        Ok(asked) => asked,
        Err(error) => {
            let error = message::told_back(way, (&received, &made), &known, error);
            keeping.failed(story, &error).await;
            return Err(error);
        }
    };
    // Guarded by itself: the Seller has acted, and a defect of ours must not hide that.
    let asking = (&received.body, &known);
    let first = guarded(pin!(answer(story, way, asking, &asked, &made.keys))).await;
    let first = keeping.keep(story, &asked, &made, first).await?;
    let Some(asked) = wait::last(story, way, &asked).await else { return Ok(first) };
    let last = guarded(pin!(answer(story, way, asking, &asked, &made.keys))).await;
    keeping.keep_last(story, &asked, &made, last).await
}

/// The Seller's answer as mappings see one.
fn reply(asked: &Asked) -> Reply {
    let said = (asked.reply.content_type(), &asked.reply.body);
    let nothing = (Vec::new(), Vec::new());
    let reply = as_reply(asked.reply.headers.clone(), said, asked.document.clone(), nothing);
    Reply { status: asked.reply.status.as_u16(), ..reply }
}

/// What our procurement system is answered.
async fn answer(
    story: &mut Story<'_>,
    way: &Way<'_>,
    (request, known): (&Option<Document>, &Known<'_>),
    asked: &Asked,
    keys: &[KeyPair],
) -> Result<Answer, ExchangeError> {
    hold(story, way, asked)?;
    let reply = reply(asked);
    let known = with_reply(known, request.as_ref(), &reply);
    let keys = keep::keys(story, way, asked, keys).await?;
    let message = mapped(story, way, asked.document.as_ref(), &reply, &known, &keys).await?;
    let status = way.exposer.expose.status.unwrap_or_else(|| status(way, asked, message.is_some()));
    told::message(way, status, counts(asked), message.as_ref())
}

/// The Seller's answer in our terms, if it has a body there.
async fn mapped(
    story: &mut Story<'_>,
    way: &Way<'_>,
    document: Option<&Document>,
    reply: &Reply,
    known: &Known<'_>,
    keys: &[KeyPair],
) -> Result<Option<Document>, ExchangeError> {
    let Some(document) = document else { return Ok(None) };
    match &way.exposer.expose.answer {
        exposed::Answer::Empty => Ok(None),
        exposed::Answer::Whole(program) => {
            map(story, way, program, (document, reply), known, keys, None).await
        }
        exposed::Answer::Each { into, program } => {
            let mut elements = Vec::new();
            for scope in document.root().elements().enumerate() {
                let element = map(story, way, program, (document, reply), known, keys, Some(scope)).await?;
                elements.push((None, element));
            }
            Ok(Some(gather(into, &elements)))
        }
    }
}

/// How many the Seller says there are.
fn counts(asked: &Asked) -> HeaderMap {
    let mut headers = HeaderMap::new();
    for name in ["x-total-count", "x-result-count"] {
        if let Some(value) = asked.reply.headers.get(name) {
            headers.insert(name, value.clone());
        }
    }
    headers
}

/// The status of an answer, where the mapping does not say it.
fn status(way: &Way<'_>, asked: &Asked, has_body: bool) -> u16 {
    match (way.exposer.duty.act, has_body) {
        (_, false) => StatusCode::NO_CONTENT.as_u16(),
        (Act::Create | Act::Ask, true) => asked.reply.status.as_u16(),
        (_, true) => StatusCode::OK.as_u16(),
    }
}

/// Maps the Seller's answer, or one element of it.
async fn map(
    story: &mut Story<'_>,
    way: &Way<'_>,
    program: &Program,
    (document, reply): (&Document, &Reply),
    known: &Known<'_>,
    keys: &[KeyPair],
    element: Option<(usize, Node<'_>)>,
) -> Result<Option<Document>, ExchangeError> {
    let nothing = apply::References::new();
    let input = Input {
        body: Some(document.root()),
        scope: element.map(|(_, element)| element),
        index: element.map(|(index, _)| index),
        query: &[],
        path: &[],
        headers: &reply.headers,
        facts: known,
        references: &nothing,
        remembered: keys,
        tables: &way.exposer.tables,
        limits: apply::Limits::default(),
    };
    let references = message::to_legacy(story, way, &apply::references(program, &input)).await?;
    let input = Input { references: &references, ..input };
    let applied = apply::apply(program, &input).map_err(ExchangeError::Mapping)?;
    applied.findings.iter().for_each(|finding| super::answer::tell(story, finding));
    Ok(applied.body)
}

/// Holds the Seller's answer against its contract: what is wrong is the operator's to know, for the Seller has acted.
fn hold(story: &mut Story<'_>, way: &Way<'_>, asked: &Asked) -> Result<(), ExchangeError> {
    let abroad = way.abroad()?;
    let (Some(body), Some(said)) = (abroad.operation.success_body(), &asked.said) else { return Ok(()) };
    let checked = check(said.root(), abroad.contract, body.value, &message::options(way)?);
    for fault in &checked.faults {
        let text = format!("the Seller's answer at {}: {}", fault.pointer, fault.reason);
        story.finding(fault.code.as_str(), &text);
    }
    Ok(())
}
