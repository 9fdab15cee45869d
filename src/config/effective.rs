//! Every setting with its value and the place where it was written: `segue show config`.
//!
//! What is written is read from the files' trees, what is not from the settings' defaults; nothing here decides what
//! a setting means. Secrets are shown as `[secret]`, whatever they refer to.

use super::{
    Backend, Gateway, HeaderCase, HttpVersion, Number, Partner, Settings, Store, backend, gateway, limits,
    notifications, polling, retention,
};
use crate::{
    sonata::{ProductFaults, UnknownMembers},
    text::{
        Diagnostics, FileSet, Sources,
        yaml::{self, Node, Value},
    },
};

/// One setting.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Effective {
    /// Keys from the top of the file, joined by dots; elements of lists by their number: `routes[0].backend`.
    pub path: String,
    /// The value as it would be written.
    pub value: String,
    /// File and line; none for a default.
    pub origin: Option<String>,
}

/// All settings by file: the file as shown, and its settings, those written first.
#[must_use]
pub fn effective(settings: &Settings, files: &FileSet) -> Vec<(String, Vec<Effective>)> {
    let mut all = vec![file("segue.yaml", files, of_gateway(&settings.gateway))];
    for (id, backend) in &settings.backends {
        all.push(file(&format!("backends/{id}.yaml"), files, of_backend(backend)));
    }
    for (id, partner) in &*settings.partners {
        all.push(file(&format!("partners/{id}.yaml"), files, of_partner(partner)));
    }
    all
}

/// Settings that a file may leave out, with what holds then.
type Defaults = Vec<(String, String)>;

fn file(path: &str, files: &FileSet, defaults: Defaults) -> (String, Vec<Effective>) {
    let mut sources = Sources::new();
    let tree = files.open(path, &mut sources);
    let tree = tree.and_then(|id| yaml::load(&sources, id, &mut Diagnostics::new()));
    let mut rows = Vec::new();
    if let Some(tree) = &tree {
        leaves(tree, "", &sources, &mut rows);
    }
    for (path, value) in defaults {
        let inside = |row: &Effective| {
            let rest = row.path.strip_prefix(&path);
            rest.is_some_and(|rest| rest.is_empty() || rest.starts_with(['.', '[']))
        };
        if !rows.iter().any(inside) {
            rows.push(Effective { path, value, origin: None });
        }
    }
    (files.shown(path), rows)
}

fn leaves(node: &Node, path: &str, sources: &Sources, rows: &mut Vec<Effective>) {
    let mut leaf = |value: String| {
        let value = if is_secret(path) { "[secret]".to_owned() } else { value };
        let place = sources.place(node.span);
        let origin = place.rsplit_once(':').map_or(place.as_str(), |(line, _)| line).to_owned();
        rows.push(Effective { path: path.to_owned(), value, origin: Some(origin) });
    };
    match &node.value {
        Value::Scalar(scalar) if scalar.is_absent() => {}
        Value::Scalar(scalar) => leaf(scalar.text.clone()),
        Value::Sequence(elements) if elements.is_empty() => leaf("[]".to_owned()),
        Value::Sequence(elements) if elements.iter().all(|element| element.as_text().is_some()) => {
            let texts: Vec<&str> = elements.iter().filter_map(Node::as_text).collect();
            leaf(format!("[ {} ]", texts.join(", ")));
        }
        Value::Sequence(elements) => {
            for (index, element) in elements.iter().enumerate() {
                leaves(element, &format!("{path}[{index}]"), sources, rows);
            }
        }
        Value::Mapping(entries) => {
            for entry in entries {
                let dot = if path.is_empty() { "" } else { "." };
                leaves(&entry.value, &format!("{path}{dot}{}", entry.key), sources, rows);
            }
        }
    }
}

/// Everything below `credentials` but the names that go over the wire openly.
fn is_secret(path: &str) -> bool {
    let open = path.rsplit('.').next().is_some_and(|key| key == "user" || key == "header");
    let path = path.strip_prefix("notifications.").unwrap_or(path);
    path.starts_with("credentials.") && !open
}

fn numbers(section: &str, numbers: &[Number]) -> Defaults {
    numbers.iter().map(|number| (format!("{section}.{}", number.key), number.default.to_string())).collect()
}

fn pairs<const N: usize>(pairs: [(&str, String); N]) -> Defaults {
    pairs.into_iter().map(|(path, value)| (path.to_owned(), value)).collect()
}

/// The word of a choice: the settings' enums are named as their words.
fn word(choice: &impl std::fmt::Debug) -> String {
    format!("{choice:?}").to_lowercase()
}

fn of_gateway(gateway: &Gateway) -> Defaults {
    let mut store = Vec::new();
    match &gateway.store {
        Store::Embedded(path) => store.push(("store.embedded".to_owned(), path.display().to_string())),
        Store::Postgres(_) => {
            store.push(("store.postgres.tls".to_owned(), "none".to_owned()));
            store.extend(numbers("store.postgres", gateway::POSTGRES_NUMBERS));
        }
    }
    let bss = gateway.demonstration.bss.map_or("none".to_owned(), |address| address.to_string());
    let mut all = pairs([
        ("listeners.sonata.address", gateway.listeners.sonata.address.to_string()),
        ("listeners.sonata.public_url", gateway.listeners.sonata.url.clone()),
        ("listeners.admin.address", gateway.listeners.admin.address.to_string()),
        ("listeners.internal.address", gateway.listeners.internal.address.to_string()),
        ("mappings", gateway.mappings.display().to_string()),
        ("telemetry.log_level", word(&gateway.telemetry.log_level)),
        ("telemetry.log_format", word(&gateway.telemetry.log_format)),
        ("recording.allowed", gateway.recording.is_allowed.to_string()),
        ("recording.mask", "[]".to_owned()),
        ("recording.headers", "[]".to_owned()),
        ("reload.watch", gateway.reload.watch.to_string()),
        ("demonstration.bss", bss),
    ]);
    all.extend(store);
    all.extend(numbers("limits", limits::NUMBERS));
    all.extend(numbers("retention", retention::NUMBERS));
    all.extend(numbers("telemetry", gateway::TELEMETRY_NUMBERS));
    all.extend(numbers("recording", gateway::RECORDING_NUMBERS));
    all.extend(numbers("reload", gateway::RELOAD_NUMBERS));
    all
}

fn of_backend(backend: &Backend) -> Defaults {
    let case = match backend.headers.case {
        HeaderCase::Lower => "lower",
        HeaderCase::Title => "title",
    };
    let http = match backend.http {
        HttpVersion::Http1 => "1.1",
        HttpVersion::Http2 => "2",
    };
    let mut all = pairs([
        ("format", backend.format.word().to_owned()),
        ("credentials", "none".to_owned()),
        ("headers.forward", "[]".to_owned()),
        ("headers.case", case.to_owned()),
        ("http", http.to_owned()),
        ("tls", "none".to_owned()),
    ]);
    all.extend(numbers("timeouts", backend::TIMEOUT_NUMBERS));
    all.extend(numbers("limits", backend::LIMIT_NUMBERS));
    all
}

fn of_partner(partner: &Partner) -> Defaults {
    let unknown_members = match partner.policy.unknown_members {
        UnknownMembers::Ignore => "ignore",
        UnknownMembers::Strip => "strip",
        UnknownMembers::Reject => "reject",
    };
    let product_payload = match partner.policy.product_payload {
        ProductFaults::Refuse => "reject",
        ProductFaults::Tell => "warn",
    };
    let base_path = if partner.base_path.is_empty() { "none" } else { &partner.base_path };
    let mut all = pairs([
        ("base_path", base_path.to_owned()),
        ("represents.buyers", "one".to_owned()),
        ("represents.sellers", "one".to_owned()),
        ("operations", "on".to_owned()),
        ("policy.unknown_members", unknown_members.to_owned()),
        ("policy.product_payload", product_payload.to_owned()),
        ("policy.answer_findings", word(&partner.policy.answer_findings)),
        ("policy.on_demand", partner.policy.on_demand.to_string()),
        ("policy.test", partner.policy.is_test.to_string()),
        ("idempotency.key_header", "none".to_owned()),
        ("idempotency.external_id", "none".to_owned()),
        ("type_aliases", "none".to_owned()),
        ("settings", "none".to_owned()),
    ]);
    if partner.endpoint.is_some() {
        all.extend(pairs([
            ("endpoint.credentials", "none".to_owned()),
            ("endpoint.tls", "none".to_owned()),
            ("endpoint.http", "1.1".to_owned()),
        ]));
        all.extend(numbers("endpoint.timeouts", backend::TIMEOUT_NUMBERS));
        all.extend(numbers("endpoint.limits", backend::LIMIT_NUMBERS));
    }
    match partner.polling {
        Some(_) => all.extend(numbers("polling", polling::NUMBERS)),
        None => all.extend(pairs([("polling", "off".to_owned())])),
    }
    if partner.notifications.is_some() {
        all.extend(pairs([
            ("notifications.functions", "all".to_owned()),
            ("notifications.base_url", "none".to_owned()),
            ("notifications.base_paths", "none".to_owned()),
            ("notifications.allow", "[]".to_owned()),
            ("notifications.credentials", "none".to_owned()),
            ("notifications.tls", "none".to_owned()),
        ]));
        all.extend(numbers("notifications", notifications::NUMBERS));
    } else {
        all.extend(pairs([("notifications", "off".to_owned())]));
    }
    all
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::{load_set, secret::Lookup};
    use std::path::Path;

    #[test]
    fn every_setting_has_its_place_and_secrets_none() {
        let files = FileSet::of(
            "etc/config",
            [
                (
                    "segue.yaml",
                    "limits:\n  depth_max: 32\nlisteners: { sonata: { address: \"127.0.0.1:1\" } }\n",
                ),
                (
                    "backends/b.yaml",
                    "backend: b\nbase_url: \"http://[::1]\"\ncredentials: { basic: { user: u, password: { env: GOOD } } }\n",
                ),
            ],
        );
        let lookup = Lookup::new(Path::new("etc/config"), |_| Some("9f2c-71aa".to_owned()));
        let loaded = load_set(files, &lookup);
        let all = effective(&loaded.settings.unwrap(), &loaded.files);
        let row = |file: usize, path: &str| {
            let row = all[file].1.iter().find(|row| row.path == path).unwrap();
            (row.value.clone(), row.origin.clone())
        };
        let at = |place: &str| Some(place.to_owned());
        assert_eq!(row(0, "limits.depth_max"), ("32".to_owned(), at("etc/config/segue.yaml:2")));
        assert_eq!(row(0, "limits.faults_max"), ("100".to_owned(), None));
        assert_eq!(row(0, "telemetry.log_level"), ("info".to_owned(), None));
        assert_eq!(row(0, "listeners.sonata.address").1, at("etc/config/segue.yaml:3"));
        assert_eq!(row(1, "credentials.basic.user").0, "u");
        assert_eq!(row(1, "credentials.basic.password.env").0, "[secret]");
        assert!(all[1].1.iter().all(|row| row.path != "credentials"));
        assert!(!format!("{all:?}").contains("9f2c"));
    }
}
