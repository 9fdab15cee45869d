//! Backends as calls need them: settings in the terms of `legacy`.

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use super::load::BAD_BACKEND;
use crate::{
    config::{self, Settings},
    ids::BackendId,
    legacy::{BackendSettings, BaseUrl, Credentials, HeaderCase},
    telemetry::Secret,
    text::{Diagnostic, Diagnostics},
};

/// All backends; one whose URL cannot be a base is told and left out.
pub(super) fn backends(
    settings: &Settings,
    out: &mut Diagnostics,
) -> BTreeMap<BackendId, Arc<BackendSettings>> {
    let mut all = BTreeMap::new();
    for (id, backend) in &settings.backends {
        match BaseUrl::parse(&backend.base_url.to_string()) {
            Ok(base_url) => {
                all.insert(id.clone(), Arc::new(convert(backend, base_url)));
            }
            Err(error) => {
                let message = format!("backend `{id}`: `base_url`: {error}");
                out.push(Diagnostic::error(BAD_BACKEND, message));
            }
        }
    }
    all
}

fn convert(backend: &config::Backend, base_url: BaseUrl) -> BackendSettings {
    let ms = |duration: Duration| u64::try_from(duration.as_millis()).unwrap_or(u64::MAX);
    BackendSettings {
        id: backend.id.clone(),
        base_url,
        credentials: match &backend.credentials {
            config::Credentials::None => Credentials::None,
            config::Credentials::Basic { user, password } => {
                Credentials::Basic { user: user.clone(), password: Secret::new(password.reveal()) }
            }
            config::Credentials::Bearer(token) => Credentials::Bearer(Secret::new(token.reveal())),
            config::Credentials::ApiKey { header, key } => {
                Credentials::ApiKey { header: header.clone(), key: Secret::new(key.reveal()) }
            }
        },
        connect_ms_max: ms(backend.timeouts.connect),
        answer_ms_max: ms(backend.timeouts.answer),
        idle_ms_max: ms(backend.timeouts.idle),
        in_flight_max: backend.limits.in_flight_max,
        queue_max: backend.limits.queue_max,
        response_bytes_max: backend.limits.answer_bytes_max,
        forward: backend.headers.forward.clone(),
        header_case: match backend.headers.case {
            config::HeaderCase::Lower => HeaderCase::AsIs,
            config::HeaderCase::Title => HeaderCase::Title,
        },
        format: backend.format.clone(),
    }
}
