//! How one partner is told, as deliveries need it.

use std::{collections::BTreeMap, sync::Arc};

use crate::{
    ids::BackendId,
    legacy::{BackendSettings, BaseUrl, Credentials, Guard, HeaderCase, HttpVersion, Tls},
    sonata::{Contract, Function},
};

/// Bytes of a listener's answer that are taken; nothing of them is used.
const ANSWER_BYTES_MAX: usize = 65_536;

/// Time for a connection to a listener, in milliseconds.
const CONNECT_MS_MAX: u64 = 3000;

/// Time that an unused connection to a listener is kept, in milliseconds: not long, as its name may get another address.
const IDLE_MS_MAX: u64 = 5000;

/// How one partner is told.
#[derive(Debug, Clone)]
pub struct Settings {
    /// The functions that it is told of.
    pub functions: Vec<Function>,
    /// Where its events go in the place of what it registers.
    pub base_url: Option<BaseUrl>,
    /// What stands between callback and `/listener`, where it is not what the release says.
    pub base_paths: BTreeMap<Function, String>,
    /// How long an event is tried, in milliseconds.
    pub retry_ms_max: i64,
    /// Time of one try, in milliseconds.
    pub answer_ms_max: u64,
    /// Tries to one listener at one time; as many wait for one of those.
    pub in_flight_max: usize,
    /// Where it may go.
    pub guard: Arc<Guard>,
    /// How we show who we are.
    pub credentials: Credentials,
    /// Own trust, or our certificate.
    pub tls: Option<Tls>,
}

impl Settings {
    /// Whether a function's events are told.
    #[must_use]
    pub fn tells(&self, function: Function) -> bool {
        self.functions.contains(&function)
    }

    /// The path behind the callback where an event of a function is told that has this name; `listener` is the contract of the
    /// partner's release.
    #[must_use]
    pub fn path(&self, function: Function, name: &str, listener: &Contract) -> String {
        let own = self.base_paths.get(&function);
        format!("{}/listener/{name}", own.cloned().unwrap_or_else(|| listener.base_path()))
    }

    /// A callback as calls need it: guarded, and with permits and connections of its own.
    #[must_use]
    pub fn destination(&self, partner: &str, callback: &BaseUrl) -> Option<BackendSettings> {
        let (host, port) = callback.host_and_port();
        let hash = blake3::hash(format!("{partner}\0{host}\0{port}\0{}", callback.is_https()).as_bytes());
        // The operator's own word needs no guard.
        let guard = self.base_url.is_none().then(|| Arc::clone(&self.guard));
        Some(BackendSettings {
            id: BackendId::parse(hash.to_hex().as_str()).ok()?,
            base_url: callback.clone(),
            credentials: self.credentials.clone(),
            connect_ms_max: CONNECT_MS_MAX,
            answer_ms_max: self.answer_ms_max,
            idle_ms_max: IDLE_MS_MAX,
            in_flight_max: self.in_flight_max,
            queue_max: self.in_flight_max,
            response_bytes_max: ANSWER_BYTES_MAX,
            forward: Vec::new(),
            header_case: HeaderCase::AsIs,
            format: crate::format::Format::Json,
            tls: self.tls.clone(),
            http_version: HttpVersion::Http1,
            guard,
            is_seller: false,
        })
    }
}

/// A callback as it was registered.
///
/// # Errors
/// What is wrong with it, as the Buyer may know it.
pub fn callback(text: &str) -> Result<BaseUrl, String> {
    /// Longest callback, in bytes.
    const CALLBACK_BYTES_MAX: usize = 2048;
    if text.len() > CALLBACK_BYTES_MAX {
        return Err(format!("a callback has at most {CALLBACK_BYTES_MAX} bytes"));
    }
    if text.contains('#') {
        return Err("a callback must not have a fragment".to_owned());
    }
    BaseUrl::parse(text).map_err(|error| format!("the callback cannot be used: {error}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn callbacks_are_urls_that_paths_can_be_put_behind() {
        for good in ["https://buyer.example", "https://buyer.example/listenerEndpoint/", "https://b:8443/a/b"]
        {
            assert!(callback(good).is_ok(), "{good}");
        }
        let long = format!("https://b/{}", "x".repeat(2048));
        let bad =
            ["", "buyer.example", "/a", "ftp://b", "https://u:p@b", "https://b/?a=1", "https://b/#a", &long];
        for bad in bad {
            assert!(callback(bad).is_err(), "{bad}");
        }
    }
}
