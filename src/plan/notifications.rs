//! How a partner is told of what changes, in the terms of `notify`.

use std::sync::Arc;

use super::backend::{credentials, trust};
use crate::{
    config::{Allowed, Notifications, code},
    legacy::{BaseUrl, Guard},
    notify,
    sonata::events::functions_with_events,
    text::{Diagnostic, Diagnostics},
};

/// The settings of deliveries; none where something in them cannot be used, which is told.
pub(super) fn settings(from: &Notifications, out: &mut Diagnostics) -> Option<notify::Settings> {
    let base_url = match &from.base_url {
        None => None,
        Some(url) => match BaseUrl::parse(&url.to_string()) {
            Ok(url) => Some(url),
            Err(error) => {
                let message = format!("`base_url` of notifications: {error}");
                out.push(Diagnostic::error(code::BAD_URL, message));
                return None;
            }
        },
    };
    let tls = match &from.tls {
        Some(tls) => Some(trust(tls, out)?),
        None => None,
    };
    let functions = match from.functions.as_slice() {
        [] => functions_with_events().collect(),
        some => some.to_vec(),
    };
    Some(notify::Settings {
        functions,
        base_url,
        base_paths: from.base_paths.clone(),
        retry_ms_max: i64::try_from(from.retry.as_millis()).unwrap_or(i64::MAX),
        answer_ms_max: u64::try_from(from.answer.as_millis()).unwrap_or(u64::MAX),
        in_flight_max: from.in_flight_max,
        guard: Arc::new(guard(&from.allow)),
        credentials: credentials(&from.credentials, out)?,
        tls,
    })
}

fn guard(allowed: &[Allowed]) -> Guard {
    let mut guard = Guard::default();
    for one in allowed {
        match one {
            Allowed::Network(address, bits) => guard.networks.push((*address, *bits)),
            Allowed::Name(name) => guard.names.push(name.clone()),
            Allowed::Plain(host, port) => guard.plain.push((host.clone(), *port)),
        }
    }
    guard
}
