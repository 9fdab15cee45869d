//! Backends as calls need them: settings in the terms of `legacy`.

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use super::load::BAD_KEYS;
use crate::{
    config::{self, Settings},
    ids::BackendId,
    legacy::{
        BackendSettings, BaseUrl, ClientIdentity, ClientProof, Credentials, HeaderCase, HttpVersion, JwtKey,
        OAuth2, Tls,
    },
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
                if let Some(settings) = convert(backend, base_url, out) {
                    all.insert(id.clone(), Arc::new(settings));
                }
            }
            Err(error) => {
                let message = format!("backend `{id}`: `base_url`: {error}");
                out.push(Diagnostic::error(config::code::BAD_URL, message));
            }
        }
    }
    all
}

/// Where a partner that sells to us is called; none where it cannot be, which is told.
pub(super) fn endpoint(endpoint: &config::Backend, out: &mut Diagnostics) -> Option<BackendSettings> {
    match BaseUrl::parse(&endpoint.base_url.to_string()) {
        Ok(base_url) => convert(endpoint, base_url, out),
        Err(error) => {
            let message = format!("`base_url` of the endpoint: {error}");
            out.push(Diagnostic::error(config::code::BAD_URL, message));
            None
        }
    }
}

fn convert(backend: &config::Backend, base_url: BaseUrl, out: &mut Diagnostics) -> Option<BackendSettings> {
    let ms = |duration: Duration| u64::try_from(duration.as_millis()).unwrap_or(u64::MAX);
    let credentials = credentials(&backend.credentials, out);
    let tls = match &backend.tls {
        Some(tls) => Some(trust(tls, out)?),
        None => None,
    };
    Some(BackendSettings {
        id: backend.id.clone(),
        base_url,
        credentials: credentials?,
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
        tls,
        http_version: match backend.http {
            config::HttpVersion::Http1 => HttpVersion::Http1,
            config::HttpVersion::Http2 => HttpVersion::Http2,
        },
        guard: None,
        is_seller: backend.is_seller,
    })
}

pub(super) fn trust(tls: &config::Tls, out: &mut Diagnostics) -> Option<Tls> {
    let client = tls.client.as_ref();
    let client = client.map(|client| ClientIdentity { certificate: &client.certificate, key: &client.key });
    let made = Tls::new(tls.ca.as_deref(), client);
    made.map_err(|error| out.push(Diagnostic::error(BAD_KEYS, error.to_string()).at(tls.span))).ok()
}

pub(super) fn credentials(credentials: &config::Credentials, out: &mut Diagnostics) -> Option<Credentials> {
    Some(match credentials {
        config::Credentials::None => Credentials::None,
        config::Credentials::Basic { user, password } => {
            Credentials::Basic { user: user.clone(), password: password.clone() }
        }
        config::Credentials::Bearer(token) => Credentials::Bearer(token.clone()),
        config::Credentials::ApiKey { header, key } => {
            Credentials::ApiKey { header: header.clone(), key: key.clone() }
        }
        config::Credentials::OAuth2(oauth2) => Credentials::OAuth2(Box::new(OAuth2 {
            token_url: oauth2.token_url.clone(),
            client_id: oauth2.client_id.clone(),
            proof: proof(&oauth2.proof, out)?,
            scope: oauth2.scope.clone(),
            audience: oauth2.audience.clone(),
        })),
    })
}

fn proof(proof: &config::ClientProof, out: &mut Diagnostics) -> Option<ClientProof> {
    Some(match proof {
        config::ClientProof::SecretBasic(secret) => ClientProof::SecretBasic(secret.clone()),
        config::ClientProof::SecretPost(secret) => ClientProof::SecretPost(secret.clone()),
        config::ClientProof::PrivateKeyJwt { key, key_id, span } => {
            let key = JwtKey::parse(key, key_id.clone());
            let told = |error: crate::legacy::JwtKeyError| {
                out.push(Diagnostic::error(BAD_KEYS, format!("`private_key`: {error}")).at(*span));
            };
            ClientProof::PrivateKeyJwt(key.map_err(told).ok()?)
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        config::{load_set, secret::Lookup},
        text::FileSet,
    };

    #[test]
    fn keys_that_cannot_be_used_are_told_where_they_are_written() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("ca.pem"), "no certificate").unwrap();
        let file = |text: &str| format!("backend: b\nbase_url: \"https://b\"\n{text}\n");
        let oauth2 = file(
            "credentials: { oauth2: { token_url: \"https://t/\", client_id: a, private_key: { env: KEY } } }",
        );
        for (text, place, told) in [
            (file("tls: { ca: ca.pem }"), "backends/b.yaml:3:6", "`ca` holds no usable certificate"),
            (oauth2, "backends/b.yaml:3:78", "`private_key`: no private key"),
        ] {
            let files = FileSet::of(
                "",
                [("segue.yaml", "reload: { watch: false }\n"), ("backends/b.yaml", text.as_str())],
            );
            let lookup = Lookup::new(folder.path(), |_| Some("not\na key".to_owned()));
            let mut loaded = load_set(files, &lookup);
            let settings = loaded
                .settings
                .unwrap_or_else(|| panic!("{}", loaded.diagnostics.render_text(&loaded.sources)));
            assert!(backends(&settings, &mut loaded.diagnostics).is_empty());
            let text = loaded.diagnostics.render_text(&loaded.sources);
            assert!(text.contains("error[P110]") && text.contains(place) && text.contains(told), "{text}");
        }
    }
}
