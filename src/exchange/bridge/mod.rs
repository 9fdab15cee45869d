//! The edge of an exchange: a partner on another release than its mapping is written in.
//!
//! What it asks was held against its own contract. Here it is carried over before anything else is asked of it, and what
//! is answered is carried back when everything else is done: custody, rules and mappings know one release only. Places
//! in problems are brought back to where they stand in the partner's own message. What a bridge drops on the way, or
//! gives back in another form, is repeated to the partner as it sent it, for the standard owes it that (MEF 115 R26, MEF 123
//! R16, MEF 121 R15): its own document is kept beside what was made of it.

mod echo;
mod hub;
mod products;
mod rewrite;
mod tell;

use std::sync::Arc;

use bytes::Bytes;

use super::{
    answer,
    error::ExchangeError,
    facts::{StoryTexts, facts},
    request::{self, Received, json_limits},
    seller::guarded,
    story::Story,
    subject,
    wire::Answer,
};
use crate::{
    custody,
    ids::SonataId,
    json::{Document, Limits, Node},
    mapping::{
        apply::Failure,
        bridge::{self, Request},
        facts::Facts,
        path::Part,
        program::Program,
    },
    plan::{Crossing, Edge, NoRoute, PartnerPlan, Route},
    sonata::{
        Fault, Operation,
        check::{QueryCode, QueryFault},
        entity::{Act, EntityKind, creation_of, duty_of},
        events::HubAct,
    },
};

use rewrite::addressed;
pub use tell::{Letter, letter, may_tell};

/// Query parameters that only choose what of an answer is shown: without them more is.
const CHOOSING: [&str; 1] = ["fields"];

/// A request on its way over and back.
#[derive(Debug)]
pub struct Passing {
    edge: Arc<Edge>,
    /// The operation in the partner's release.
    spoken: &'static Operation,
    /// What it is behind the edge.
    written: &'static Operation,
    /// What the partner sent, once it is over: from then on places in problems are those of what came over.
    sent: Option<Document>,
}

impl Passing {
    fn crossing(&self) -> Option<&Crossing> {
        self.edge.crossing(&self.spoken.operation_id)
    }

    fn request(&self) -> &[Arc<Program>] {
        self.crossing().map_or(&[], |crossing| &crossing.request)
    }

    fn answer(&self) -> &[Arc<Program>] {
        self.crossing().map_or(&[], |crossing| &crossing.answer)
    }
}

/// The operation behind the edge that a partner's means; the same where nothing stands between.
///
/// # Errors
/// 501 where it does not come over.
pub fn enter<'p>(
    story: &mut Story<'_>,
    partner: &PartnerPlan,
    spoken: Route<'p>,
) -> Result<Route<'p>, ExchangeError> {
    let Some(edge) = partner.edge(spoken.function()) else { return Ok(spoken) };
    let crossing = edge.crossing(&spoken.operation.operation_id).ok_or(ExchangeError::NotServed)?;
    let (edge, written) = (Arc::clone(edge), crossing.operation);
    let contract = edge.written;
    story.passing = Some(Box::new(Passing { edge, spoken: spoken.operation, written, sent: None }));
    Ok(spoken.meaning(contract, written))
}

/// The operation that a request is read and checked as, where that is not the one that is carried out.
pub fn spoken(story: &Story<'_>) -> Option<Route<'static>> {
    let passing = story.passing.as_ref()?;
    Some(Route::to(passing.edge.spoken, passing.spoken))
}

/// Carries a request over that is as the partner's release has it.
///
/// # Errors
/// 422 at the partner's own places, for what the bridge or the contract behind it does not take; 400 for a query parameter
/// that does not come over.
pub fn over(
    story: &mut Story<'_>,
    partner: &PartnerPlan,
    route: &Route<'_>,
    received: Received,
) -> Result<Received, ExchangeError> {
    let Some(mut passing) = story.passing.take() else { return Ok(received) };
    let carried = carry_over(story, partner, (&passing, route), received);
    if let Ok(carried) = &carried {
        passing.sent.clone_from(&carried.sent);
    }
    story.passing = Some(passing);
    carried
}

fn carry_over(
    story: &mut Story<'_>,
    partner: &PartnerPlan,
    (passing, route): (&Passing, &Route<'_>),
    received: Received,
) -> Result<Received, ExchangeError> {
    let texts = StoryTexts::of(story);
    let known = facts(partner, (passing.edge.spoken, passing.spoken), &texts, None);
    let steps = passing.request();
    let sent = received.body;
    let body = sent.as_ref().map(|sent| match steps {
        [] => sent.clone(),
        _ => products::meant(partner, passing.edge.spoken.function, sent),
    });
    let asked = Request { body, query: received.query };
    let mut carried = bridge::carry_request(steps, &asked, &known).map_err(|(step, failures)| {
        ExchangeError::Refused(before(steps.get(..step).unwrap_or_default(), &asked, &known, failures))
    })?;
    query_came_over((passing.written, steps), (&asked, &mut carried), &known)?;
    let Request { body, query } = carried;
    // What came over as it was is not checked again.
    let Some(body) = body.filter(|_| !steps.is_empty()) else {
        let body = asked.body.map(|body| hub::written(&passing.edge, passing.written, body)).transpose()?;
        return Ok(Received { query, body, ..received });
    };
    let places = |pointer: &str| place(steps, asked.body.as_ref(), &known, pointer);
    let (body, passed) = request::held(story, partner, route, body).map_err(|error| at(error, &places))?;
    Ok(Received { query, body: Some(body), passed, sent, ..received })
}

/// Failures with their places in what the first of these steps was given.
pub(super) fn before(
    steps: &[Arc<Program>],
    asked: &Request,
    facts: &dyn Facts,
    failures: Vec<Failure>,
) -> Vec<Failure> {
    let moved = failures.into_iter().map(|mut failure| {
        if failure.part == Part::Body {
            failure.source_pointer = place(steps, asked.body.as_ref(), facts, &failure.source_pointer);
        }
        failure
    });
    moved.collect()
}

/// Where a place of what came over stands in what was sent; of what a bridge made up, what contains it.
pub(super) fn place(
    steps: &[Arc<Program>],
    sent: Option<&Document>,
    facts: &dyn Facts,
    pointer: &str,
) -> String {
    let Some(sent) = sent else { return pointer.to_owned() };
    let mut outer = pointer;
    loop {
        if let Some(place) = bridge::place_before(steps, sent, facts, outer) {
            return place;
        }
        match outer.rsplit_once('/') {
            Some((holder, _)) => outer = holder,
            None => return String::new(),
        }
    }
}

/// A parameter that the operation behind the edge does not have would make a list answer more than was asked for.
///
/// # Errors
/// 400, told of each.
pub(super) fn query_came_over(
    (written, steps): (&Operation, &[Arc<Program>]),
    (asked, carried): (&Request, &mut Request),
    facts: &dyn Facts,
) -> Result<(), ExchangeError> {
    let is_known = |name: &str| written.query.iter().any(|one| one.name == name);
    let is_choosing = |name: &str| CHOOSING.contains(&name);
    let mut lost: Vec<String> =
        carried.query.iter().map(|(name, _)| name.clone()).filter(|name| !is_known(name)).collect();
    carried.query.retain(|(name, _)| is_known(name));
    if carried.query.len() == asked.query.len() {
        return Ok(());
    }
    lost.extend(bridge::unread(steps, asked, facts));
    let fault = |name: &String| QueryFault {
        code: QueryCode::InvalidQuery,
        reason: format!("query parameter {name} cannot be asked for here"),
    };
    let faults: Vec<QueryFault> = lost.iter().filter(|name| !is_choosing(name)).map(fault).collect();
    if faults.is_empty() { Ok(()) } else { Err(ExchangeError::Query(faults)) }
}

/// What came of an exchange, in the words of the partner's release.
///
/// # Errors
/// What it ended with, at the partner's own places; or our answer cannot be told so.
pub async fn back(
    story: &mut Story<'_>,
    result: Result<Answer, ExchangeError>,
) -> Result<Answer, ExchangeError> {
    if story.passing.is_none() {
        return result;
    }
    guarded(Box::pin(home(story, result)).as_mut()).await
}

async fn home(story: &mut Story<'_>, result: Result<Answer, ExchangeError>) -> Result<Answer, ExchangeError> {
    let (Some(passing), Some(partner)) = (story.passing.take(), story.partner.clone()) else { return result };
    let texts = StoryTexts::of(story);
    let known = facts(&partner, (passing.edge.spoken, passing.spoken), &texts, None);
    let steps = passing.request();
    match result {
        Ok(answer) => told(story, (&partner, &passing), answer, &known).await,
        Err(error) => match &passing.sent {
            Some(sent) if !steps.is_empty() => {
                Err(at(error, &|pointer: &str| place(steps, Some(sent), &known, pointer)))
            }
            _ => Err(error),
        },
    }
}

/// The same error at other places.
fn at(error: ExchangeError, place: &dyn Fn(&str) -> String) -> ExchangeError {
    match error {
        ExchangeError::Contract(faults) => {
            let moved = |fault: Fault| Fault { pointer: place(&fault.pointer), ..fault };
            ExchangeError::Contract(faults.into_iter().map(moved).collect())
        }
        ExchangeError::Refused(mut failures) => {
            for failure in failures.iter_mut().filter(|failure| failure.part == Part::Body) {
                failure.source_pointer = place(&failure.source_pointer);
            }
            ExchangeError::Refused(failures)
        }
        ExchangeError::Conflict { pointer, reason } => {
            ExchangeError::Conflict { pointer: pointer.map(|own| place(&own)), reason }
        }
        ExchangeError::LegacyProblem(mut problem) => {
            problem.pointer = problem.pointer.map(|own| place(&own));
            ExchangeError::LegacyProblem(problem)
        }
        ExchangeError::NotRouted(NoRoute::Body { pointer, reason }) => {
            ExchangeError::NotRouted(NoRoute::Body { pointer: place(&pointer), reason })
        }
        other => other,
    }
}

async fn told(
    story: &mut Story<'_>,
    (partner, passing): (&PartnerPlan, &Passing),
    mut answer: Answer,
    facts: &dyn Facts,
) -> Result<Answer, ExchangeError> {
    if answer.status.as_u16() == passing.written.success_status
        && let Ok(status) = http::StatusCode::from_u16(passing.spoken.success_status)
    {
        answer.status = status;
    }
    let Some(form) = passing.spoken.success_body() else {
        return Ok(Answer { body: Bytes::new(), ..answer });
    };
    if answer.body.is_empty() {
        return Ok(answer);
    }
    let written = read(story, answer.body)?;
    // What is answered has happened: no part of it that does not come over is a reason to tell nothing of it.
    let carried = bridge::carry_in_part(passing.answer(), &written, facts)
        .map_err(|(_, failures)| ExchangeError::Mapping(failures))?;
    carried.findings.iter().for_each(|finding| answer::tell(story, finding));
    let document = carried.body.unwrap_or_else(|| written.clone());
    let document = addressed(&story.plan, partner, &document);
    let document = match HubAct::of(&passing.written.operation_id) {
        Some(_) => hub::spoken(&passing.edge, &document),
        None => match owed(story, (partner, passing), &written).await? {
            Some((sent, steps)) => {
                let over = products::meant(partner, passing.edge.spoken.function, &sent);
                echo::echoed((&sent, &over, steps), (&document, &written), facts)
            }
            None => document,
        },
    };
    let document = answer::fit(story, partner, (passing.edge.spoken, form.value), None, &document)?;
    Ok(Answer { body: document.bytes(), ..answer })
}

/// What we made ourselves: within all bounds but those of a partner's body, as a list may be longer.
fn read(story: &Story<'_>, body: Bytes) -> Result<Document, ExchangeError> {
    let most = usize::MAX;
    let limits = json_limits(&story.plan.settings().gateway.limits);
    let limits = Limits { bytes_max: most, elements_max: most, nodes_max: most, ..limits };
    Document::parse(body, &limits).map_err(|error| ExchangeError::Internal(error.to_string()))
}

/// What the partner sent of that which is answered, and what carried it over, where a bridge had to do with it.
async fn owed<'p>(
    story: &Story<'_>,
    (partner, passing): (&PartnerPlan, &'p Passing),
    written: &Document,
) -> Result<Option<(Document, &'p [Arc<Program>])>, ExchangeError> {
    let function = passing.edge.written.function;
    let Some(duty) = duty_of(function, &passing.written.operation_id) else { return Ok(None) };
    match duty.act {
        Act::Create | Act::Ask | Act::Move { .. } => {
            Ok(passing.sent.clone().filter(|_| !passing.request().is_empty()).zip(Some(passing.request())))
        }
        Act::Retrieve | Act::Update => {
            let id = written.root().get("id").and_then(Node::as_str);
            let id = id.and_then(|id| SonataId::parse(&id).ok());
            let (Some(steps), Some(id)) = (made_by(passing, duty.kind), id) else { return Ok(None) };
            let kept = custody::sent(&story.gateway.store, partner.id(), duty.kind, &id).await?;
            let sent = kept.and_then(|kept| kept.request);
            Ok(sent.as_ref().map(subject::stored).transpose()?.zip(Some(steps)))
        }
        Act::List => Ok(None),
    }
}

/// What carried the message over that made something of a kind; none where it came over as it was.
fn made_by(passing: &Passing, kind: EntityKind) -> Option<&[Arc<Program>]> {
    let (_, id) = creation_of(kind).filter(|(function, _)| *function == passing.edge.written.function)?;
    let crossing = passing.edge.crossing(passing.edge.spoken_as(id)?)?;
    (!crossing.request.is_empty()).then_some(&*crossing.request)
}
