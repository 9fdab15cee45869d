//! Which operation a request means, who may ask, and what it is answered with.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};
use tokio::time::{Duration, Instant};

use super::super::release::{Age, Api};
use super::kind::{
    APPOINTMENT, BILL_ITEM, CHARGE, INCIDENT, KINDS, Kind, MODIFY, ORDER, QUOTE, SITE, TICKET,
};
use super::{ANSWERED_MAX, HUBS_MAX, State, list, order, place, poq, quote, tell, ticket};

/// How long a token is good unless a scenario says otherwise, in seconds.
const TOKEN_S: u64 = 3600;

/// One request.
pub(super) struct Asked<'r> {
    pub method: &'r str,
    pub path: &'r str,
    pub query: &'r str,
    /// None where it is no JSON; null where there is nothing.
    pub body: Option<Value>,
    pub authorization: Option<&'r str>,
    pub key: Option<&'r str>,
}

/// What it is answered with.
#[derive(Debug, Clone)]
pub(super) struct Reply {
    pub status: u16,
    pub body: Value,
    /// `X-Total-Count`.
    pub total: Option<usize>,
}

/// One problem that is no list.
pub(super) fn problem(code: &str, reason: &str) -> Value {
    json!({ "code": code, "reason": reason })
}

/// One entry of 422.
pub(super) fn fault(code: &str, path: &str, reason: &str) -> Value {
    json!({ "code": code, "reason": reason, "propertyPath": path })
}

impl Reply {
    pub fn of(status: u16, body: Value) -> Self {
        Self { status, body, total: None }
    }

    /// 201 and what was made.
    pub fn made(body: Option<&Value>) -> Self {
        Self::of(201, body.cloned().unwrap_or_default())
    }

    pub fn list(rows: Vec<Value>) -> Self {
        Self { total: Some(rows.len()), ..Self::of(200, Value::Array(rows)) }
    }

    pub fn faults(faults: Vec<Value>) -> Self {
        Self::of(422, Value::Array(faults))
    }

    pub fn not_found() -> Self {
        Self::of(404, problem("notFound", "there is no such thing"))
    }

    pub fn conflict(reason: &str) -> Self {
        Self::of(409, problem("conflict", reason))
    }
}

/// What is to be done with what.
enum Do {
    Make,
    List,
    Look,
    Change,
    /// A verb about one thing (`close`), or one that is a resource (`cancelQuote`).
    Verb,
    Register,
    LookAtHub,
    Unregister,
}

struct Operation<'r> {
    /// As the contract calls it.
    name: String,
    api: Api,
    kind: &'static Kind,
    what: Do,
    id: &'r str,
    verb: &'r str,
}

impl Asked<'_> {
    /// The parameters of the query.
    pub fn parameters(&self) -> impl Iterator<Item = (String, String)> {
        form_urlencoded::parse(self.query.as_bytes()).into_owned()
    }

    /// A parameter of the query.
    fn parameter(&self, name: &str) -> Option<String> {
        self.parameters().find(|(own, _)| own == name).map(|(_, value)| value)
    }
}

impl State {
    /// `POST /oauth2/token` (RFC 6749 section 4.4), the client shown by Basic or in the form.
    pub fn token(&mut self, authorization: Option<&str>, form: &[u8]) -> Reply {
        let Some((id, secret)) = self.settings.client.clone() else {
            return Reply::of(400, json!({ "error": "invalid_request" }));
        };
        let pairs: Vec<(String, String)> = form_urlencoded::parse(form).into_owned().collect();
        let of_form = |name: &str| pairs.iter().find(|(own, _)| own == name).map(|(_, value)| value.clone());
        let basic = authorization.and_then(|text| text.strip_prefix("Basic "));
        let basic = basic.and_then(|text| String::from_utf8(STANDARD.decode(text).ok()?).ok());
        let shown =
            basic.or_else(|| Some(format!("{}:{}", of_form("client_id")?, of_form("client_secret")?)));
        if of_form("grant_type").as_deref() != Some("client_credentials") {
            return Reply::of(400, json!({ "error": "unsupported_grant_type" }));
        }
        if shown.as_deref() != Some(format!("{id}:{secret}").as_str()) {
            return Reply::of(401, json!({ "error": "invalid_client" }));
        }
        let now = Instant::now();
        self.tokens.retain(|(_, until)| *until > now);
        let (token, good_s) = (self.id("token"), self.settings.scenario.token_s.unwrap_or(TOKEN_S));
        self.tokens.push((token.clone(), Instant::now() + Duration::from_secs(good_s)));
        Reply::of(200, json!({ "access_token": token, "token_type": "Bearer", "expires_in": good_s }))
    }

    /// What a request is answered with, and what it does.
    pub fn answer(&mut self, asked: &Asked<'_>) -> Reply {
        let shown = asked.authorization.and_then(|text| text.strip_prefix("Bearer "));
        let now = Instant::now();
        let is_good = |shown: &str| self.tokens.iter().any(|(own, until)| own == shown && *until > now);
        if self.settings.client.is_some() && !shown.is_some_and(is_good) {
            return Reply::of(401, problem("invalidCredentials", "the token is not known, or over"));
        }
        if let Some(known) = asked.key.and_then(|key| self.answered.get(key)) {
            return known.clone();
        }
        let Some(operation) = self.operation(asked) else { return Reply::not_found() };
        let Some(body) = asked.body.as_ref() else {
            return Reply::of(400, problem("invalidBody", "the body is no JSON"));
        };
        let answer = match self.refused(&operation.name, body) {
            Some(refused) => refused,
            None => self.done(&operation, asked, body),
        };
        if let (Some(key), true) = (asked.key, answer.status < 300) {
            if self.answered.len() >= ANSWERED_MAX {
                self.answered.shift_remove_index(0);
            }
            self.answered.insert(key.to_owned(), answer.clone());
        }
        answer
    }

    /// What the scenario refuses.
    fn refused(&mut self, operation: &str, body: &Value) -> Option<Reply> {
        let fits = |(index, own): &(usize, &super::scenario::Refusal)| {
            let used = self.refused.get(index).copied().unwrap_or_default();
            own.operation == operation && own.times.is_none_or(|times| used < times) && own.when.meets(body)
        };
        let scenario = std::sync::Arc::clone(&self.settings.scenario);
        let (index, own) = scenario.refusals.iter().enumerate().find(fits)?;
        *self.refused.entry(index).or_default() += 1;
        let mut said = problem(&own.code, &own.reason);
        if let Some(path) = &own.path {
            said["propertyPath"] = json!(path);
        }
        Some(Reply::of(own.status, if own.status == 422 { json!([said]) } else { said }))
    }

    /// Which operation of its release a request means.
    fn operation<'r>(&self, asked: &Asked<'r>) -> Option<Operation<'r>> {
        let release = self.settings.release;
        let (_, path) = asked.path.split_once("/mefApi/sonata/")?;
        let mut parts = path.split('/');
        let api = release.api(parts.next()?, parts.next()?)?;
        let (resource, id, verb) = (parts.next()?, parts.next(), parts.next());
        if parts.next().is_some() {
            return None;
        }
        let (name, kind, what) = match (resource, asked.method, id) {
            ("hub", method, id) => self.of_hub(api, method, id.is_some())?,
            ("searchTimeSlot", "POST", None) if api == Api::Appointment => {
                ("createSearchTimeSlot".to_owned(), &APPOINTMENT, Do::Verb)
            }
            (end, "POST", None)
                if api == Api::Quote && (end == "cancelQuote" || end == release.decline()) =>
            {
                (end.to_owned(), &QUOTE, Do::Verb)
            }
            (resource, method, _) => self.of_resource(api, resource, (method, id.is_some(), verb))?,
        };
        Some(Operation { name, api, kind, what, id: id.unwrap_or_default(), verb: verb.unwrap_or(resource) })
    }

    /// An operation of a hub.
    fn of_hub(&self, api: Api, method: &str, has_id: bool) -> Option<(String, &'static Kind, Do)> {
        let release = self.settings.release;
        release.listener(api)?;
        let (name, what) = match (method, has_id) {
            ("POST", false) => ("registerListener", Do::Register),
            ("GET", true) if release.retrieves_hub(api) => ("retrieveHub", Do::LookAtHub),
            ("DELETE", true) => ("unregisterListener", Do::Unregister),
            _ => return None,
        };
        Some((name.to_owned(), &SITE, what))
    }

    /// An operation of a sort of things: by method, whether there is an id, and a verb.
    fn of_resource(
        &self,
        api: Api,
        resource: &str,
        asked: (&str, bool, Option<&str>),
    ) -> Option<(String, &'static Kind, Do)> {
        let release = self.settings.release;
        let kind = self.kind(api, resource)?;
        let noun = if kind.name == MODIFY.name { capital(release.modify()) } else { kind.noun.to_owned() };
        let is_query = kind.name == SITE.name && release.is_new();
        let (verb, what) = match asked {
            ("POST", false, None) if is_query => ("list", Do::List),
            ("POST", false, None) if makes(kind) => ("create", Do::Make),
            ("GET", false, None) if !kind.filters.is_empty() && !is_query => ("list", Do::List),
            ("GET", true, None) => ("retrieve", Do::Look),
            ("PATCH", true, None) if changes(kind) => ("patch", Do::Change),
            ("POST", true, Some(verb)) if turns(kind, verb) => (verb, Do::Verb),
            _ => return None,
        };
        Some((format!("{verb}{noun}"), kind, what))
    }

    /// What a resource of a function is.
    fn kind(&self, api: Api, resource: &str) -> Option<&'static Kind> {
        let release = self.settings.release;
        let mut kinds = KINDS.into_iter().chain([&BILL_ITEM]);
        let own = kinds.find(|kind| kind.api == api && kind.segment(release) == resource);
        match own {
            Some(kind) if kind.name == INCIDENT.name && release.age == Age::Billie => None,
            own => own,
        }
    }

    fn done(&mut self, operation: &Operation<'_>, asked: &Asked<'_>, body: &Value) -> Reply {
        let (kind, id) = (operation.kind, operation.id);
        match (&operation.what, kind.name) {
            (Do::Register, _) => self.register(operation.api, asked, body),
            (Do::LookAtHub, _) => match self.hubs.get(id) {
                Some(hub) => Reply::of(200, hub.told(id)),
                None => Reply::not_found(),
            },
            (Do::Unregister, _) => match self.hubs.shift_remove(id) {
                Some(_) => Reply::of(204, Value::Null),
                None => Reply::not_found(),
            },
            (Do::List, "geographicSite") if self.settings.release.is_new() => place::query(self, body),
            (Do::List, _) => list::answer(self, kind, asked),
            (Do::Look, _) => list::one(self, kind, id),
            (Do::Make, "geographicAddressValidation") => place::validate(self, body),
            (Do::Make, "productOfferingQualification") => poq::make(self, body),
            (Do::Make, "quote") => quote::make(self, body),
            (Do::Make, "productOrder") => order::make(self, body),
            (Do::Make, "cancelProductOrder") => order::cancel(self, body),
            (Do::Make, "troubleTicket") => ticket::make(self, body),
            (Do::Make, "appointment") => ticket::appoint(self, body),
            (Do::Make, _) => order::modify(self, body),
            (Do::Change, "productOrder") => order::change(self, id, body),
            (Do::Change, "charge") => order::answer_charge(self, id, body),
            (Do::Change, "troubleTicket") => ticket::change(self, id, body),
            (Do::Change, _) => ticket::reappoint(self, id, body),
            (Do::Verb, "quote") => {
                quote::end(self, body, if operation.verb == "cancelQuote" { "cancelled" } else { "declined" })
            }
            (Do::Verb, "appointment") if operation.verb == "cancel" => ticket::disappoint(self, id),
            (Do::Verb, "appointment") => ticket::slots(body),
            (Do::Verb, _) => ticket::turn(self, id, operation.verb, body),
        }
    }

    fn register(&mut self, api: Api, asked: &Asked<'_>, body: &Value) -> Reply {
        if !self.settings.scenario.has_hub.unwrap_or(self.settings.has_hub) {
            return Reply::of(501, problem("notImplemented", "nobody is told here"));
        }
        let Some(callback) = body.get("callback").and_then(Value::as_str) else {
            return Reply::of(400, problem("invalidBody", "there is no callback"));
        };
        if self.hubs.len() >= HUBS_MAX {
            return Reply::of(403, problem("tooManyUsers", "nobody else is told"));
        }
        let query = body.get("query").and_then(Value::as_str).unwrap_or_default();
        let id = self.id("hub");
        let hub = tell::Hub {
            api,
            callback: callback.to_owned(),
            query: query.to_owned(),
            ids: ["buyerId", "sellerId"].map(|name| asked.parameter(name)),
        };
        let told = hub.told(&id);
        self.hubs.insert(id, hub);
        Reply::of(201, told)
    }
}

fn capital(name: &str) -> String {
    let mut letters = name.chars();
    letters.next().map(|first| first.to_uppercase().chain(letters).collect()).unwrap_or_default()
}

/// Whether Buyers make these.
fn makes(kind: &Kind) -> bool {
    !kind.required.is_empty()
}

/// Whether Buyers change these.
fn changes(kind: &Kind) -> bool {
    [ORDER.name, CHARGE.name, TICKET.name, APPOINTMENT.name].contains(&kind.name)
}

/// Whether these have this verb.
fn turns(kind: &Kind, verb: &str) -> bool {
    (kind.name == TICKET.name && ["cancel", "close", "reopen"].contains(&verb))
        || (kind.name == APPOINTMENT.name && verb == "cancel")
}
