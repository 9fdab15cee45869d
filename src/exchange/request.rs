//! What came: query, headers and body, read within their limits and checked against the contract.

use std::pin::pin;

use http::{HeaderMap, header, request::Parts};
use http_body_util::BodyExt as _;
use hyper::body::Body;

use super::{bridge, error::ExchangeError, rules, story::Story};
use crate::{
    body::{self, BodyLimits},
    config::{self, Represented},
    json::{Document, Limits},
    mapping::apply::Headers,
    plan::{PartnerPlan, Route},
    sonata::{
        Fault, Operation, Options, UnknownMembers, check,
        check::{Passed, QueryCode, QueryFault, check_query, strip},
    },
};

/// A request, read and checked.
#[derive(Debug)]
pub struct Received {
    /// Query parameters, decoded, in the order sent.
    pub query: Vec<(String, String)>,
    /// Path parameters, decoded.
    pub path: Vec<(String, String)>,
    /// Headers, names in lower case.
    pub headers: Headers,
    /// The body, where the operation has one.
    pub body: Option<Document>,
    /// Values of the body in which nothing is wrong.
    pub passed: Vec<Passed>,
    /// The body as it was sent, where a bridge carried it over.
    pub sent: Option<Document>,
}

impl Received {
    /// The request of a look-up of our own: it says nothing.
    pub fn nothing() -> Self {
        Self {
            query: Vec::new(),
            path: Vec::new(),
            headers: Headers::default(),
            body: None,
            passed: Vec::new(),
            sent: None,
        }
    }

    /// The first value of a query parameter.
    pub fn parameter(&self, name: &str) -> Option<&str> {
        self.query.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
    }
}

/// Reads and checks the request of a routed operation; that of a partner on another release in its own terms, and what it is
/// carried over to once more.
///
/// # Errors
/// Whatever is wrong with query, media type, body or contract; the query is told before the body is read.
pub async fn receive<B>(
    story: &mut Story<'_>,
    partner: &PartnerPlan,
    route: &Route<'_>,
    head: &Parts,
    body: B,
) -> Result<Received, ExchangeError>
where
    B: Body<Data = bytes::Bytes>,
{
    let spoken = bridge::spoken(story);
    let own = spoken.as_ref().unwrap_or(route);
    let query = query(partner, own, head.uri.query().unwrap_or_default())?;
    rules::of_query(story, partner, own, &query)?;
    let path = route.id().map(|id| ("id".to_owned(), id)).into_iter().collect();
    let (body, passed) = match own.operation.request {
        Some(_) => {
            let (body, passed) = pin!(document(story, partner, own, &head.headers, body)).await?;
            (Some(body), passed)
        }
        None => (None, Vec::new()),
    };
    let headers = Headers::open(head.headers.clone());
    bridge::over(story, partner, route, Received { query, path, headers, body, passed, sent: None })
}

fn query(
    partner: &PartnerPlan,
    route: &Route<'_>,
    text: &str,
) -> Result<Vec<(String, String)>, ExchangeError> {
    let pairs: Vec<_> = form_urlencoded::parse(text.as_bytes()).collect();
    let mut faults = check_query(route.contract, route.operation, &pairs);
    faults.extend(parties(partner.settings(), route.operation, &pairs));
    if !faults.is_empty() {
        return Err(ExchangeError::Query(faults));
    }
    Ok(pairs.into_iter().map(|(name, value)| (name.into_owned(), value.into_owned())).collect())
}

/// `buyerId` must be there exactly if the requester speaks for several Buyers, `sellerId` exactly if we answer for
/// several Sellers (MEF 115 R1 to R4 and their like), and must name one of them.
pub fn parties(
    settings: &config::Partner,
    operation: &Operation,
    pairs: &[(std::borrow::Cow<'_, str>, std::borrow::Cow<'_, str>)],
) -> Vec<QueryFault> {
    let given = |name: &str| pairs.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_ref());
    let declared = |name: &&str| operation.query.iter().any(|parameter| parameter.name == *name);
    let sides: [(&str, Option<Vec<&str>>); 2] = [
        ("buyerId", names(&settings.represents.buyers, |id| id.as_str())),
        ("sellerId", names(&settings.represents.sellers, |id| id.as_str())),
    ];
    let faults = sides.into_iter().filter(|(name, _)| declared(name)).filter_map(|(name, allowed)| {
        let (code, reason) = match (allowed, given(name)) {
            (None, Some(_)) => (QueryCode::InvalidQuery, format!("query parameter {name} must not be given")),
            (Some(_), None) => {
                (QueryCode::MissingQueryParameter, format!("query parameter {name} is required"))
            }
            (Some(allowed), Some(value)) if !allowed.contains(&value) => {
                (QueryCode::InvalidQuery, format!("query parameter {name} names an unknown party"))
            }
            _ => return None,
        };
        Some(QueryFault { code, reason })
    });
    faults.collect()
}

fn names<T>(represented: &Represented<T>, text: impl Fn(&T) -> &str) -> Option<Vec<&str>> {
    match represented {
        Represented::One => None,
        Represented::Several(ids) => Some(ids.iter().map(text).collect()),
    }
}

/// The body, and the values in it in which nothing is wrong.
async fn document<B>(
    story: &mut Story<'_>,
    partner: &PartnerPlan,
    route: &Route<'_>,
    headers: &HeaderMap,
    body: B,
) -> Result<(Document, Vec<Passed>), ExchangeError>
where
    B: Body<Data = bytes::Bytes>,
{
    /// Bytes of a refused body that are still taken, so that its sender gets to read why.
    const DISCARDED_BYTES_MAX: usize = 16 << 20;

    media_type(headers)?;
    let limits = &story.plan.settings().gateway.limits;
    let deadline = story.moment.deadline.min(story.moment.started + limits.body_read_max);
    let body_limits =
        BodyLimits { discarded_bytes_max: DISCARDED_BYTES_MAX, ..BodyLimits::of(limits.body_bytes_max) };
    let bytes = body::read(headers, body.map_err(|_| ()), &body_limits, deadline).await;
    let bytes = bytes.map_err(|error| ExchangeError::Body(error.to_string()))?;
    let json_limits = json_limits(limits);
    story.read(&bytes);
    let document =
        Document::parse(bytes, &json_limits).map_err(|error| ExchangeError::Body(error.to_string()))?;
    held(story, partner, route, document)
}

/// Holds a body against the contract and the rules of an operation: it, without what is not to be there, and the values in
/// it in which nothing is wrong.
///
/// # Errors
/// 422 with all that is wrong with it.
pub fn held(
    story: &mut Story<'_>,
    partner: &PartnerPlan,
    route: &Route<'_>,
    document: Document,
) -> Result<(Document, Vec<Passed>), ExchangeError> {
    let faults_max = story.plan.settings().gateway.limits.faults_max;
    let policy = &partner.settings().policy;
    let (unknown_members, product_faults) = (policy.unknown_members, policy.product_payload);
    let Some(ty) = route.operation.request else { return Ok((document, Vec::new())) };
    let products = partner
        .products(route.function())
        .ok_or_else(|| ExchangeError::Internal("the release has no products".to_owned()))?;
    let options = Options { unknown_members, product_faults, faults_max, ..Options::new(products) };
    let mut checked = check(document.root(), route.contract, ty, &options);
    let asked = rules::of_request(story, partner, route, document.root())?;
    // The contract tells of a place first.
    let is_new = |fault: &Fault| checked.faults.iter().all(|told| told.pointer != fault.pointer);
    let asked: Vec<Fault> = asked.into_iter().filter(is_new).collect();
    let left = faults_max.saturating_sub(checked.faults.len());
    checked.faults.extend(asked.into_iter().take(left));
    if !checked.is_valid() {
        return Err(ExchangeError::Contract(checked.faults));
    }
    for fault in &checked.product_findings {
        story.finding(fault.code.as_str(), &format!("the request at {}: {}", fault.pointer, fault.reason));
    }
    if unknown_members == UnknownMembers::Strip && !checked.unknown.is_empty() {
        return Ok((strip(&document, &checked.unknown), Vec::new()));
    }
    Ok((document, checked.passed))
}

/// The media type must be JSON; its parameters do not matter.
fn media_type(headers: &HeaderMap) -> Result<(), ExchangeError> {
    let value = headers.get(header::CONTENT_TYPE).map(|value| value.to_str().unwrap_or("unreadable"));
    let essence = value.map(|text| text.split_once(';').map_or(text, |(essence, _)| essence).trim());
    match essence {
        Some(essence) if essence.eq_ignore_ascii_case("application/json") => Ok(()),
        Some(_) => Err(ExchangeError::Body("the media type must be application/json".to_owned())),
        None => Err(ExchangeError::Body("the media type is missing: it must be application/json".to_owned())),
    }
}

/// The limits of a partner's body as the document has them.
pub fn json_limits(limits: &config::Limits) -> Limits {
    Limits {
        bytes_max: limits.body_bytes_max,
        depth_max: limits.depth_max,
        members_max: limits.members_max,
        elements_max: limits.members_max,
        string_bytes_max: limits.string_bytes_max,
        nodes_max: limits.nodes_max,
    }
}
