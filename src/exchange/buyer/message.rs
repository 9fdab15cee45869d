//! What our procurement system sent, and what becomes of it in Sonata.

use std::{borrow::Cow, pin::pin, sync::Arc};

use bytes::Bytes;
use http::{
    Method,
    header::{self, HeaderName, HeaderValue},
    request::Parts,
    uri::PathAndQuery,
};
use hyper::body::Body;
use percent_encoding::{percent_decode_str, utf8_percent_encode};

use super::{
    super::{
        calls::{SEGMENT, append_query},
        error::ExchangeError,
        facts::{Known, scalar_node},
        request::{Received, json_limits, parties},
        rules,
        story::Story,
        wire::MEDIA_TYPE,
    },
    abroad,
};
use crate::{
    body::{self, BodyLimits},
    config::{self, Represented},
    custody::kind_of,
    format,
    ids::{LegacyId, SonataId},
    json::Document,
    legacy::{BackendSettings, LegacyRequest},
    mapping::{
        apply::{self, Applied, Headers, Input, KeyPair, NeededReference, References},
        bridge::Request,
        exposed::Seller,
        path::{FieldPath, Part, Step},
        program::Program,
        trace::{Outcome, property_path, source_of},
    },
    plan::{Exposer, PartnerPlan, Plan, Route},
    sonata::{
        Fault, FaultCode, Options, Segment, check,
        check::check_query,
        entity::{Act, EntityKind},
    },
    store::{Entity, Kind},
};

/// For whom something is bought, and of whom: `buyerId` and `sellerId`, exactly where the settings say so.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Parties {
    /// Ours.
    pub buyer: Option<String>,
    /// The partner's.
    pub seller: Option<String>,
}

impl Parties {
    /// Those of something that was bought.
    pub fn of(entity: &Entity) -> Self {
        Self {
            buyer: entity.buyer.as_ref().map(|id| id.as_str().to_owned()),
            seller: entity.seller.as_ref().map(|id| id.as_str().to_owned()),
        }
    }

    /// The parameters that say so.
    pub fn query(&self) -> Vec<(String, String)> {
        let pairs = [("buyerId", &self.buyer), ("sellerId", &self.seller)];
        pairs.into_iter().filter_map(|(name, id)| Some((name.to_owned(), id.clone()?))).collect()
    }
}

/// A message for one partner, as one entry of `exposes:` understands it.
#[derive(Clone)]
pub struct Way<'p> {
    /// The Seller.
    pub partner: &'p Arc<PartnerPlan>,
    /// What is exposed.
    pub exposer: &'p Exposer,
    /// The procurement system.
    pub backend: &'p BackendSettings,
    /// Where the Seller is called.
    pub endpoint: &'p Arc<BackendSettings>,
    path: Vec<(String, String)>,
}

impl<'p> Way<'p> {
    /// The way by which what it makes is looked up.
    pub fn again(&self) -> Option<Way<'p>> {
        Some(Way { exposer: self.exposer.again.as_deref()?, ..self.clone() })
    }
}

/// What goes to the Seller.
pub struct Made {
    /// The request.
    pub request: LegacyRequest,
    /// Its body, in our words.
    pub body: Option<Document>,
    /// Keys of its elements.
    pub keys: Vec<KeyPair>,
    /// Our procurement system's own number of what is bought.
    pub correlation: Option<LegacyId>,
    /// For whom it is.
    pub parties: Parties,
}

/// The partners that a message may be for.
///
/// # Errors
/// The path is offered by another method only.
pub fn ways<'p>(plan: &'p Plan, head: &Parts) -> Result<Vec<Way<'p>>, ExchangeError> {
    let (mut ways, mut methods) = (Vec::new(), Vec::<&str>::new());
    for (partner, exposer, values) in plan.exposed(head.uri.path()) {
        if *exposer.expose.method != *head.method.as_str() {
            methods.push(&exposer.expose.method);
            continue;
        }
        let (Some(backend), Some(endpoint)) = (plan.backend(&exposer.backend), partner.endpoint()) else {
            continue;
        };
        let path = decoded(values);
        ways.push(Way { partner, exposer, backend, endpoint, path });
    }
    methods.sort_unstable();
    methods.dedup();
    match (ways.is_empty(), methods.as_slice()) {
        (false, _) => Ok(ways),
        (true, []) => Err(ExchangeError::NoSuchPath),
        (true, methods) => Err(ExchangeError::MethodNotAllowed { allow: methods.join(", ") }),
    }
}

fn decoded(values: Vec<(&str, &str)>) -> Vec<(String, String)> {
    let decode = |text| percent_decode_str(text).decode_utf8_lossy().into_owned();
    values.into_iter().map(|(name, value)| (name.to_owned(), decode(value))).collect()
}

/// The way to a partner that no message has asked for.
pub fn way_to<'p>(plan: &'p Plan, partner: &'p Arc<PartnerPlan>, exposer: &'p Exposer) -> Option<Way<'p>> {
    let (backend, endpoint) = (plan.backend(&exposer.backend)?, partner.endpoint()?);
    Some(Way { partner, exposer, backend, endpoint, path: Vec::new() })
}

/// The look-up of an entity.
///
/// # Errors
/// The settings leave open for whom it is, or the id is none.
pub fn look_up(way: &Way<'_>, id: &SonataId, parties: &Parties) -> Result<Made, ExchangeError> {
    let query = with_parties(way, parties.query())?;
    let path = [("id".to_owned(), id.as_str().to_owned())];
    let path_and_query = address(way, &path, &query)?;
    let headers = http::HeaderMap::new();
    let request = LegacyRequest { method: Method::GET, path_and_query, headers, body: None };
    Ok(Made { request, body: None, keys: Vec::new(), correlation: None, parties: parties.clone() })
}

/// Reads the message, in the format of the procurement system.
///
/// # Errors
/// It cannot be read.
pub async fn receive<B>(
    story: &mut Story<'_>,
    ways: &[Way<'_>],
    head: &Parts,
    body: B,
) -> Result<Received, ExchangeError>
where
    B: Body<Data = Bytes>,
{
    let limits = story.plan.settings().gateway.limits.clone();
    let deadline = story.moment.deadline.min(story.moment.started + limits.body_read_max);
    let body_limits = BodyLimits::of(limits.body_bytes_max);
    let bytes = pin!(body::read(&head.headers, body, &body_limits, deadline)).await;
    let bytes = bytes.map_err(|error| ExchangeError::Body(error.to_string()))?;
    story.read(&bytes);
    let way = ways.first().ok_or(ExchangeError::NoSuchPath)?;
    let content_type = head.headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok());
    let said = (content_type, &bytes);
    let incoming = format::decode(&way.backend.format, &way.exposer.names, said, &json_limits(&limits));
    let incoming = incoming.map_err(|error| ExchangeError::Body(error.to_string()))?;
    let query = form_urlencoded::parse(head.uri.query().unwrap_or_default().as_bytes());
    Ok(Received {
        sent: None,
        query: query.into_owned().collect(),
        path: way.path.clone(),
        headers: Headers::open(head.headers.clone()),
        body: incoming.document,
        passed: Vec::new(),
    })
}

/// The partner that the message means.
///
/// # Errors
/// It names none, or one that does not sell this, or does not say which of several.
pub fn chosen<'w, 'p>(ways: &'w [Way<'p>], received: &Received) -> Result<&'w Way<'p>, ExchangeError> {
    let mut meant = ways.iter().filter(|way| is_meant(way, received));
    match (meant.next(), meant.next()) {
        (Some(way), None) => Ok(way),
        (Some(_), Some(_)) => {
            let text = "the message does not say which of several Sellers it is for";
            Err(ExchangeError::Body(text.to_owned()))
        }
        (None, _) => Err(ExchangeError::Contract(vec![nobody(ways, received)])),
    }
}

/// What is wrong with a message that means no Seller of these.
fn nobody(ways: &[Way<'_>], received: &Received) -> Fault {
    let place = ways.iter().find_map(|way| match &way.exposer.expose.seller {
        Seller::Only => None,
        Seller::Name(place) | Seller::Setting(_, place) => Some(place),
    });
    let (code, reason) = match place.and_then(|place| text_at(place, received)) {
        Some(_) => (FaultCode::InvalidValue, "this is no Seller that is bought from"),
        None => (FaultCode::MissingProperty, "the message does not name a Seller"),
    };
    Fault::new(code, place.map(|place| pointer_of(place, received)).unwrap_or_default(), reason)
}

fn is_meant(way: &Way<'_>, received: &Received) -> bool {
    match &way.exposer.expose.seller {
        Seller::Only => true,
        Seller::Name(place) => text_at(place, received).is_some_and(|name| name == way.partner.id().as_str()),
        Seller::Setting(setting, place) => {
            let own = way.partner.settings().settings.root().get(setting).and_then(scalar_node);
            own.is_some() && own.as_deref() == text_at(place, received).as_deref()
        }
    }
}

/// A scalar at a place of the message, as text.
pub fn text_at(place: &FieldPath, received: &Received) -> Option<String> {
    let named = |pairs: &[(String, String)]| {
        let Step::Member(name) = place.steps.first()? else { return None };
        pairs.iter().find(|(key, _)| key.eq_ignore_ascii_case(name)).map(|(_, value)| value.clone())
    };
    match place.part {
        Part::Query => named(&received.query),
        Part::Path => named(&received.path),
        Part::Header => {
            let Step::Member(name) = place.steps.first()? else { return None };
            let mut headers = received.headers.iter();
            headers.find(|(key, _)| key.eq_ignore_ascii_case(name)).map(|(_, value)| value.to_owned())
        }
        Part::Body => {
            let root = received.body.as_ref()?.root();
            scalar_node(place.read(root, root).ok()??).map(Cow::into_owned)
        }
    }
}

/// Where a place of the message is, as JSON Pointer; empty where it is not in its body.
pub fn pointer_of(place: &FieldPath, received: &Received) -> String {
    match (place.part, &received.body) {
        (Part::Body, Some(body)) => place.pointer(body.root(), body.root()),
        _ => String::new(),
    }
}

fn input<'i>(
    way: &'i Way<'_>,
    received: &'i Received,
    known: &'i Known<'i>,
    references: &'i References,
) -> Input<'i> {
    Input {
        body: received.body.as_ref().map(Document::root),
        scope: None,
        index: None,
        query: &received.query,
        path: &received.path,
        headers: &received.headers,
        facts: known,
        references,
        remembered: &[],
        tables: &way.exposer.tables,
        limits: apply::Limits::default(),
    }
}

/// Maps the message and holds what comes of it against the partner's contract.
///
/// # Errors
/// Everything that is wrong with it, in the places that the procurement system knows.
pub async fn make(
    story: &mut Story<'_>,
    way: &Way<'_>,
    received: &Received,
    known: &Known<'_>,
) -> Result<Made, ExchangeError> {
    let nothing = References::new();
    let program = way.exposer.expose.request.as_ref();
    let (applied, references) = match program {
        Some(program) => {
            let needed = apply::references(program, &input(way, received, known, &nothing));
            let references = to_sonata(story, way, &needed).await?;
            let applied = apply::apply(program, &input(way, received, known, &references));
            (applied.map_err(ExchangeError::Refused)?, references)
        }
        None => (Applied::default(), nothing),
    };
    let body = applied.body.filter(|_| way.exposer.operation.request.is_some());
    let ours = Request { body, query: applied.query };
    let told = |error: ExchangeError| match error {
        ExchangeError::Contract(faults) => {
            let input = input(way, received, known, &references);
            let back = faults.into_iter().map(|fault| back(program.map(|one| &**one), &input, fault));
            ExchangeError::Contract(back.collect())
        }
        other => other,
    };
    let theirs = abroad::over(way, &ours, known).map_err(told)?;
    let query = with_parties(way, theirs.query)?;
    let faults = faults(story, way, (ours.body.as_ref(), theirs.body.as_ref()), known)?;
    if !faults.is_empty() {
        return Err(told(ExchangeError::Contract(faults)));
    }
    let address = address(way, &applied.path, &query)?;
    let correlation = way.exposer.expose.correlation.as_ref().and_then(|place| text_at(place, received));
    let correlation = correlation.and_then(|own| LegacyId::parse(&own).ok());
    let media_type = HeaderValue::from_static(MEDIA_TYPE);
    let request = LegacyRequest {
        method: Method::clone(&way.abroad()?.operation.method),
        path_and_query: address,
        headers: headers(&applied.headers),
        body: theirs.body.as_ref().map(|body| (media_type, body.bytes())),
    };
    let party = |name: &str| query.iter().find(|(key, _)| key == name).map(|(_, value)| value.clone());
    let parties = Parties { buyer: party("buyerId"), seller: party("sellerId") };
    Ok(Made { request, body: ours.body, keys: applied.keys, correlation, parties })
}

/// A fault of our own request at the place of the message that it was made of.
fn back(program: Option<&Program>, input: &Input<'_>, fault: Fault) -> Fault {
    let place = program.and_then(|program| {
        let (_, rows) = apply::apply_traced(program, input);
        // What is not there is told where it should have been.
        let absent = rows.iter().find(|row| row.target == fault.pointer && row.outcome == Outcome::Absent);
        let absent = absent.filter(|_| fault.code == FaultCode::MissingProperty);
        absent.map(|row| row.source.clone()).or_else(|| source_of(&rows, &fault.pointer))
    });
    match place {
        Some(pointer) => Fault { pointer, ..fault },
        // The mapping writes nothing there, so there is no place that our caller knows.
        None => Fault::new(fault.code, "", format!("{} ({})", fault.reason, fault.pointer)),
    }
}

fn headers(pairs: &[(String, String)]) -> http::HeaderMap {
    let parsed = pairs.iter().filter_map(|(name, value)| {
        Some((HeaderName::try_from(name.as_str()).ok()?, HeaderValue::from_str(value).ok()?))
    });
    parsed.collect()
}

/// The query with `buyerId` and `sellerId` exactly where the settings say that a side speaks for several; where one of
/// several is all there is, it need not be said.
fn with_parties(
    way: &Way<'_>,
    mut query: Vec<(String, String)>,
) -> Result<Vec<(String, String)>, ExchangeError> {
    let (settings, abroad) = (way.partner.settings(), way.abroad()?);
    let operation = abroad.operation;
    let declared = |name: &str| operation.query.iter().any(|parameter| parameter.name == name);
    for (name, only) in only_parties(settings) {
        if declared(&name) && query.iter().all(|(key, _)| *key != name) {
            query.push((name, only));
        }
    }
    let pairs: Vec<_> =
        query.iter().map(|(name, value)| (Cow::from(name.as_str()), Cow::from(value.as_str()))).collect();
    let mut faults = check_query(abroad.contract, operation, &pairs);
    faults.extend(parties(settings, operation, &pairs));
    if faults.is_empty() { Ok(query) } else { Err(ExchangeError::Query(faults)) }
}

/// `buyerId` and `sellerId` where a side speaks for one of a list that has no other.
fn only_parties(settings: &config::Partner) -> Vec<(String, String)> {
    let represents = &settings.represents;
    let buyer = only(&represents.buyers).map(crate::ids::BuyerId::as_str);
    let seller = only(&represents.sellers).map(crate::ids::SellerId::as_str);
    let pairs = [("buyerId", buyer), ("sellerId", seller)];
    pairs.into_iter().filter_map(|(name, only)| Some((name.to_owned(), only?.to_owned()))).collect()
}

fn only<T>(represented: &Represented<T>) -> Option<&T> {
    match represented {
        Represented::Several(ids) => match ids.as_slice() {
            [only] => Some(only),
            _ => None,
        },
        Represented::One => None,
    }
}

/// What the partner would find wrong with our request: of its contract in what goes there, of the guides in our own words.
fn faults(
    story: &mut Story<'_>,
    way: &Way<'_>,
    (ours, theirs): (Option<&Document>, Option<&Document>),
    known: &Known<'_>,
) -> Result<Vec<Fault>, ExchangeError> {
    let (partner, abroad) = (way.partner, way.abroad()?);
    let Some(ty) = abroad.operation.request else { return Ok(Vec::new()) };
    let (Some(ours), Some(theirs)) = (ours, theirs) else {
        return Ok(vec![Fault::new(
            FaultCode::MissingProperty,
            "",
            "nothing of the message is an attribute",
        )]);
    };
    let faults_max = story.plan.settings().gateway.limits.faults_max;
    let options = Options { faults_max, ..options(way)? };
    let mut checked = check(theirs.root(), abroad.contract, ty, &options);
    for fault in &mut checked.faults {
        fault.pointer = abroad::place_of(way, Some(ours), known, &fault.pointer);
    }
    let route = Route::to(way.exposer.contract, way.exposer.operation);
    let asked = rules::of_request(story, partner, &route, ours.root())?;
    let is_new = |fault: &Fault| checked.faults.iter().all(|told| told.pointer != fault.pointer);
    let asked: Vec<Fault> = asked.into_iter().filter(is_new).collect();
    checked.faults.extend(asked);
    checked.faults.truncate(faults_max);
    for fault in &checked.product_findings {
        let text = format!("our request at {}: {}", fault.pointer, fault.reason);
        story.finding(fault.code.as_str(), &text);
    }
    Ok(checked.faults)
}

/// How messages to and from the partner are checked.
///
/// # Errors
/// The release has no products, which no plan allows.
pub fn options<'w>(way: &'w Way<'_>) -> Result<Options<'w>, ExchangeError> {
    let products = way.partner.products(way.exposer.contract.function);
    let products =
        products.ok_or_else(|| ExchangeError::Internal("the release has no products".to_owned()))?;
    let product_faults = way.partner.settings().policy.product_payload;
    Ok(Options { product_faults, ..Options::new(products) })
}

fn address(
    way: &Way<'_>,
    path: &[(String, String)],
    query: &[(String, String)],
) -> Result<PathAndQuery, ExchangeError> {
    let abroad = way.abroad()?;
    let parameters = |segment: &'static Segment| match segment {
        Segment::Parameter(name) => Some(name),
        Segment::Literal(_) => None,
    };
    // Parameters are the same in their order, whatever they are called.
    let mut ours = way.exposer.operation.path.iter().filter_map(parameters);
    let mut address = abroad.contract.base_path();
    for segment in &abroad.operation.path {
        address.push('/');
        match segment {
            Segment::Literal(text) => address.push_str(text),
            Segment::Parameter(_) => {
                let name = ours.next();
                let value = path.iter().find(|(key, _)| Some(key) == name).map(|(_, value)| value.as_str());
                let value = value.filter(|value| !matches!(*value, "" | "." | ".."));
                let value = value.ok_or_else(|| {
                    ExchangeError::Body("the message does not say what it is about".to_owned())
                })?;
                address.extend(utf8_percent_encode(value, SEGMENT));
            }
        }
    }
    append_query(&mut address, query.iter());
    PathAndQuery::try_from(address).map_err(|error| ExchangeError::Internal(error.to_string()))
}

/// The Seller's ids of what our procurement system names by its own. What it has no number of its own for it names by the
/// Seller's, so an id that is unknown is one of those.
///
/// # Errors
/// The store's.
async fn to_sonata(
    story: &Story<'_>,
    way: &Way<'_>,
    needed: &[NeededReference],
) -> Result<References, ExchangeError> {
    let (mut references, wanted) = themselves(needed, |id| LegacyId::parse(id).ok());
    if !wanted.is_empty() {
        let (store, partner) = (&story.gateway.store, way.partner.id());
        for ((kind, own), id) in store.to_sonata(partner, &way.backend.id, wanted).await? {
            references.insert(kind.as_str(), own.as_str(), id.as_str());
        }
    }
    Ok(references)
}

/// Our procurement system's own numbers of what the Seller names; the Seller's where it has none.
///
/// # Errors
/// The store's.
pub async fn to_legacy(
    story: &Story<'_>,
    way: &Way<'_>,
    needed: &[NeededReference],
) -> Result<References, ExchangeError> {
    let (mut references, wanted) = themselves(needed, |id| SonataId::parse(id).ok());
    if !wanted.is_empty() {
        let (store, partner) = (&story.gateway.store, way.partner.id());
        for ((kind, id), own) in store.to_legacy(partner, &way.backend.id, wanted).await? {
            references.insert(kind.as_str(), id.as_str(), own.as_str());
        }
    }
    Ok(references)
}

/// Every id under itself, and those that may be known by another.
fn themselves<I>(
    needed: &[NeededReference],
    parse: impl Fn(&str) -> Option<I>,
) -> (References, Vec<(Kind, I)>) {
    let (mut references, mut wanted) = (References::new(), Vec::new());
    for need in needed {
        references.insert(&need.kind, need.id.clone(), need.id.clone());
        if let (Some(kind), Some(id)) = (EntityKind::parse(&need.kind), parse(&need.id)) {
            wanted.push((kind_of(kind), id));
        }
    }
    (references, wanted)
}

/// What the Seller complains of, at the places of the message that our own request was made of.
pub fn told_back(
    way: &Way<'_>,
    (received, made): (&Received, &Made),
    known: &Known<'_>,
    error: ExchangeError,
) -> ExchangeError {
    let (mut problem, program) = match (error, way.exposer.expose.request.as_ref()) {
        (ExchangeError::Seller(problem), Some(program)) => (problem, program),
        (error, _) => return error,
    };
    let nothing = References::new();
    let input = input(way, received, known, &nothing);
    for complaint in &mut problem.complaints {
        complaint.at = complaint.path.as_deref().and_then(|path| {
            let ours = abroad::place_of(way, made.body.as_ref(), known, path);
            // What a bridge made up by itself is nothing that was written.
            let is_ours = !ours.is_empty() || path.is_empty();
            is_ours.then(|| property_path(program, &input, &ours)).flatten()
        });
    }
    ExchangeError::Seller(problem)
}

/// Whether an operation changes something at the Seller.
pub fn changes(act: Act) -> bool {
    !matches!(act, Act::List | Act::Retrieve | Act::Ask)
}
