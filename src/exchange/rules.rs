//! The numbered rules of the guides, where messages pass: what is refused, and what the operator is told.

use super::{error::ExchangeError, story::Story, work::Work};
use crate::{
    config::AnswerFindings,
    json::{Builder, Document, Node},
    plan::{PartnerPlan, Route},
    sonata::{
        Fault,
        check::{QueryCode, QueryFault},
        entity::Act,
        rules::{Broken, Facts, Level, Stage},
    },
};

/// What a query breaks that is refused.
///
/// # Errors
/// The release has no products, which no plan allows.
pub fn of_query(
    story: &mut Story<'_>,
    partner: &PartnerPlan,
    route: &Route<'_>,
    query: &[(String, String)],
) -> Result<(), ExchangeError> {
    let rules = partner.rules(route.function(), &route.operation.operation_id);
    if rules.is_empty(Stage::Query) {
        return Ok(());
    }
    let mut builder = Builder::new();
    let root = builder.object();
    for (name, value) in query {
        let value = builder.string(value.as_str());
        builder.set(root, name.as_str(), value);
    }
    let document = builder.finish(root);
    let broken = rules.broken(Stage::Query, document.root(), &facts(partner, route, None, None)?);
    let refused = told(story, Of::Query, broken);
    if refused.is_empty() {
        return Ok(());
    }
    let faults = refused.into_iter();
    let faults =
        faults.map(|fault| QueryFault { code: QueryCode::MissingQueryParameter, reason: fault.reason });
    Err(ExchangeError::Query(faults.collect()))
}

/// What a request's body breaks by itself that is refused, beside what the contract finds in it.
///
/// # Errors
/// As [`of_query`].
pub fn of_request(
    story: &mut Story<'_>,
    partner: &PartnerPlan,
    route: &Route<'_>,
    message: Node<'_>,
) -> Result<Vec<Fault>, ExchangeError> {
    let rules = partner.rules(route.function(), &route.operation.operation_id);
    if rules.is_empty(Stage::Request) {
        return Ok(Vec::new());
    }
    let broken = rules.broken(Stage::Request, message, &facts(partner, route, None, None)?);
    Ok(told(story, Of::Request, broken))
}

/// A request beside the entity that it names.
///
/// # Errors
/// 422 with all that is refused.
pub fn of_change(story: &mut Story<'_>, work: &Work<'_>) -> Result<(), ExchangeError> {
    let rules = work.partner.rules(work.route.function(), &work.route.operation.operation_id);
    let (false, Some(body)) = (rules.is_empty(Stage::Change), &work.received.body) else { return Ok(()) };
    let stored = work.stored().map(Document::root);
    let broken = rules.broken(Stage::Change, body.root(), &facts(work.partner, work.route, None, stored)?);
    let refused = told(story, Of::Request, broken);
    if refused.is_empty() { Ok(()) } else { Err(ExchangeError::Contract(refused)) }
}

/// Our own answer, or one element of it. What is broken is told; what is to be refused is treated as what breaks the
/// contract is.
///
/// # Errors
/// The partner's policy wants no answer in place of one that is not as the standard has it.
pub fn of_answer(story: &mut Story<'_>, work: &Work<'_>, message: Node<'_>) -> Result<(), ExchangeError> {
    let rules = work.partner.rules(work.route.function(), &work.route.operation.operation_id);
    if rules.is_empty(Stage::Answer) {
        return Ok(());
    }
    let is_new = matches!(work.duty.act, Act::Create | Act::Ask);
    let subject = work.subject.filter(|_| !is_new);
    let request = match (is_new || work.duty.act == Act::Update, subject) {
        (true, _) => work.received.body.as_ref(),
        (false, subject) => subject.and_then(|subject| subject.request.as_ref()),
    };
    let stored = subject.and_then(|subject| subject.document.as_ref()).map(Document::root);
    let facts = facts(work.partner, work.route, request.map(Document::root), stored)?;
    let refused = told(story, Of::Answer, rules.broken(Stage::Answer, message, &facts));
    if refused.is_empty() {
        return Ok(());
    }
    match work.partner.settings().policy.answer_findings {
        AnswerFindings::Fail => Err(ExchangeError::AnswerContract(refused)),
        AnswerFindings::Send => Ok(()),
    }
}

fn facts<'f>(
    partner: &'f PartnerPlan,
    route: &Route<'_>,
    request: Option<Node<'f>>,
    stored: Option<Node<'f>>,
) -> Result<Facts<'f>, ExchangeError> {
    let products = partner
        .products(route.function())
        .ok_or_else(|| ExchangeError::Internal("the release has no products".to_owned()))?;
    Ok(Facts { request, stored, agreed: &partner.settings().rules.agreed, products })
}

/// What breaks a rule.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Of {
    Query,
    Request,
    Answer,
}

/// Tells the operator what goes on all the same; what is left is refused. Of our own answer all is told.
fn told(story: &mut Story<'_>, of: Of, broken: Vec<Broken>) -> Vec<Fault> {
    let what = match of {
        Of::Query => "the query",
        Of::Request => "the request",
        Of::Answer => "our answer",
    };
    let mut refused = Vec::new();
    for Broken { rule, level, fault } in broken {
        if level == Level::Warn || of == Of::Answer {
            story.finding(rule.id, &format!("{what} at {:?}: {}", fault.pointer, fault.reason));
        }
        if level == Level::Reject {
            refused.push(fault);
        }
    }
    refused
}
