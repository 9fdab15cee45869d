//! Which resource a request means, and who may ask.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

use super::{Hub, State, goods};

/// One request.
pub(super) struct Asked<'r> {
    pub method: &'r str,
    pub path: &'r str,
    pub query: &'r str,
    pub body: Value,
    pub authorization: Option<&'r str>,
    pub key: Option<&'r str>,
}

/// One problem that is no list.
pub(super) fn problem(code: &str, reason: &str) -> Value {
    json!({ "code": code, "reason": reason })
}

/// One entry of 422.
pub(super) fn fault(code: &str, path: &str, reason: &str) -> Value {
    json!({ "code": code, "reason": reason, "propertyPath": path })
}

impl Asked<'_> {
    /// A parameter of the query, as it stands there: ids and words need no decoding.
    pub fn parameter(&self, name: &str) -> Option<&str> {
        let mut pairs = self.query.split('&').filter_map(|pair| pair.split_once('='));
        pairs.find(|(own, _)| *own == name).map(|(_, value)| value)
    }
}

impl State {
    /// A new id.
    pub fn id(&mut self, of: &str) -> String {
        self.count += 1;
        format!("{of}-{:04}", self.count)
    }

    /// `POST /oauth2/token` (RFC 6749 section 4.4), the client shown by Basic or in the form.
    pub fn token(&mut self, authorization: Option<&str>, form: &[u8]) -> (u16, Value) {
        let Some((id, secret)) = self.settings.client.clone() else {
            return (400, json!({ "error": "invalid_request" }));
        };
        let pairs: Vec<(String, String)> = form_urlencoded::parse(form).into_owned().collect();
        let of_form = |name: &str| pairs.iter().find(|(own, _)| own == name).map(|(_, value)| value.clone());
        let basic = authorization.and_then(|text| text.strip_prefix("Basic "));
        let basic = basic.and_then(|text| String::from_utf8(STANDARD.decode(text).ok()?).ok());
        let shown =
            basic.or_else(|| Some(format!("{}:{}", of_form("client_id")?, of_form("client_secret")?)));
        if of_form("grant_type").as_deref() != Some("client_credentials") {
            return (400, json!({ "error": "unsupported_grant_type" }));
        }
        if shown.as_deref() != Some(format!("{id}:{secret}").as_str()) {
            return (401, json!({ "error": "invalid_client" }));
        }
        let token = self.id("token");
        self.tokens.push(token.clone());
        (200, json!({ "access_token": token, "token_type": "Bearer", "expires_in": 3600 }))
    }

    /// What a request is answered with, and what it does.
    pub fn answer(&mut self, asked: &Asked<'_>) -> (u16, Value) {
        if let Some(status) = self.faults.pop_front() {
            return (status, problem("internalError", "a fault that was asked for"));
        }
        let shown = asked.authorization.and_then(|text| text.strip_prefix("Bearer "));
        if self.settings.client.is_some()
            && !shown.is_some_and(|token| self.tokens.iter().any(|own| own == token))
        {
            return (401, problem("invalidCredentials", "the token is not known"));
        }
        if let Some(known) = asked.key.and_then(|key| self.answered.get(key)) {
            return known.clone();
        }
        let answer = self.routed(asked);
        if let (Some(key), true) = (asked.key, answer.0 < 300) {
            self.answered.insert(key.to_owned(), answer.clone());
        }
        answer
    }

    fn routed(&mut self, asked: &Asked<'_>) -> (u16, Value) {
        let nothing = || (404, problem("notFound", "there is nothing here"));
        let Some((_, path)) = asked.path.split_once("/mefApi/sonata/") else { return nothing() };
        let mut parts = path.split('/');
        let (Some(api), Some(version), Some(resource)) = (parts.next(), parts.next(), parts.next()) else {
            return nothing();
        };
        let (id, more) = (parts.next(), parts.next());
        if more.is_some() {
            return nothing();
        }
        let release = self.settings.release;
        if release.version(api) != Some(version) {
            return nothing();
        }
        match (api, asked.method, resource, id) {
            ("geographicAddressManagement", "POST", "geographicAddressValidation", None) => {
                goods::validate(self, &asked.body)
            }
            ("geographicAddressManagement", "GET", "geographicAddressValidation", Some(id)) => {
                self.thing("validation", id)
            }
            ("geographicAddressManagement", "GET", "geographicAddress", Some(id)) => {
                self.thing("address", id)
            }
            ("quoteManagement", "POST", "quote", None) => goods::quote(self, &asked.body),
            ("quoteManagement", "GET", "quote", Some(id)) => self.thing("quote", id),
            ("quoteManagement", "GET", "quote", None) => self.list("quote", asked),
            ("quoteManagement", "POST", "cancelQuote", None) => {
                goods::end_quote(self, &asked.body, "cancelled")
            }
            ("quoteManagement", "POST", end, None) if end == release.decline => {
                goods::end_quote(self, &asked.body, "declined")
            }
            ("productOrderingManagement", "POST", "productOrder", None) => goods::order(self, &asked.body),
            ("productOrderingManagement", "GET", "productOrder", Some(id)) => self.thing("order", id),
            ("productOrderingManagement", "GET", "productOrder", None) => self.list("order", asked),
            ("quoteManagement" | "productOrderingManagement", "POST", "hub", None) => {
                self.register(api, &asked.body)
            }
            ("quoteManagement" | "productOrderingManagement", "DELETE", "hub", Some(id)) => {
                match self.hubs.remove(id) {
                    Some(_) => (204, Value::Null),
                    None => nothing(),
                }
            }
            _ => nothing(),
        }
    }

    fn thing(&self, kind: &'static str, id: &str) -> (u16, Value) {
        match self.things.get(&(kind, id.to_owned())) {
            Some(thing) => (200, thing.clone()),
            None => (404, problem("notFound", "there is no such thing")),
        }
    }

    fn list(&self, kind: &'static str, asked: &Asked<'_>) -> (u16, Value) {
        let fits = |thing: &Value, name: &str| {
            asked.parameter(name).is_none_or(|value| thing.get(name).and_then(Value::as_str) == Some(value))
        };
        let own = self.things.iter().filter(|((of, _), _)| *of == kind).map(|(_, thing)| thing);
        let rows = own.filter(|thing| fits(thing, "state") && fits(thing, "externalId"));
        // A row of a list tells what it is and where it stands.
        let row = |thing: &Value| {
            let names = ["id", "externalId", "projectId", "state", "quoteDate", "quoteLevel", "orderDate"];
            let members =
                names.into_iter().filter_map(|name| Some((name.to_owned(), thing.get(name)?.clone())));
            Value::Object(members.collect())
        };
        (200, rows.map(row).collect())
    }

    fn register(&mut self, api: &str, body: &Value) -> (u16, Value) {
        if !self.settings.has_hub {
            return (501, problem("notImplemented", "nobody is told here"));
        }
        let Some(callback) = body.get("callback").and_then(Value::as_str) else {
            return (400, problem("invalidBody", "there is no callback"));
        };
        let query = body.get("query").and_then(Value::as_str).unwrap_or_default();
        let id = self.id("hub");
        let hub = Hub { api: api.to_owned(), callback: callback.to_owned(), query: query.to_owned() };
        self.hubs.insert(id.clone(), hub);
        (201, json!({ "id": id, "callback": callback, "query": query }))
    }
}
