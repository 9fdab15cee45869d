//! `segue.yaml`.

use super::{
    Limits, Listeners, Retention, Tls, code, headers, listeners::address_of, number::Number, read::Context,
};
use crate::telemetry::Secret;
use crate::text::{
    Diagnostic, Diagnostics,
    yaml::{Fields, Node, text_of},
};
use http::HeaderName;
use std::{net::SocketAddr, path::PathBuf, time::Duration};

const PARTNER_SERIES_MAX: Number = Number::new(
    "partner_series_max",
    1000,
    (1, 100_000),
    "partners with metric series of their own; the rest is `other`",
);
const DEBOUNCE_MS: Number = Number::new(
    "debounce_ms",
    300,
    (10, 60_000),
    "quiet time after the last change before the files are read",
);

pub(super) const TELEMETRY_NUMBERS: &[Number] = &[PARTNER_SERIES_MAX];
const BYTES_MAX: Number = Number::new(
    "bytes_max",
    8_388_608,
    (1024, 67_108_864),
    "bodies and addresses of one recording together; what is more ends it",
);
const SECONDS_MAX: Number =
    Number::new("seconds_max", 600, (1, 3600), "how long one recording may be asked to wait");

const CONNECTIONS_MAX: Number =
    Number::new("connections_max", 8, (1, 200), "connections that read, beside the one that commits");
const QUEUE_MAX: Number =
    Number::new("queue_max", 4096, (16, 100_000), "changes waiting to be committed; one more is refused");
const CONNECT_MS_MAX: Number =
    Number::new("connect_ms_max", 5000, (100, 60_000), "time that connecting may take");
const STATEMENT_MS_MAX: Number =
    Number::new("statement_ms_max", 10_000, (100, 600_000), "time that one statement may take");

pub(super) const POSTGRES_NUMBERS: &[Number] =
    &[CONNECTIONS_MAX, QUEUE_MAX, CONNECT_MS_MAX, STATEMENT_MS_MAX];

pub(super) const RECORDING_NUMBERS: &[Number] = &[BYTES_MAX, SECONDS_MAX];
pub(super) const RELOAD_NUMBERS: &[Number] = &[DEBOUNCE_MS];

/// The gateway itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Gateway {
    /// Where it listens.
    pub listeners: Listeners,
    /// How much it takes, keeps and waits for.
    pub limits: Limits,
    /// Where entities are kept.
    pub store: Store,
    /// How long they are kept after they have ended.
    pub retention: Retention,
    /// Folder of the mapping sets; relative paths of the file were resolved against the configuration folder.
    pub mappings: PathBuf,
    /// Log and metrics.
    pub telemetry: Telemetry,
    /// When files are read again.
    pub reload: Reload,
    /// Whether and how exchanges may be recorded.
    pub recording: Recording,
    /// What is started beside the gateway to try it out.
    pub demonstration: Demonstration,
}

/// Where entities are kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Store {
    /// One file of the embedded store, on this machine.
    Embedded(PathBuf),
    /// A database that several instances share.
    Postgres(Postgres),
}

/// A PostgreSQL database.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Postgres {
    /// Where it is, and who we are there.
    pub url: Secret,
    /// TLS, which is then required; `None`: none.
    pub tls: Option<Tls>,
    /// Connections that read, beside the one that commits.
    pub connections_max: usize,
    /// Batches waiting to be committed.
    pub queue_max: usize,
    /// How long connecting may take.
    pub connect_max: Duration,
    /// How long one statement may take.
    pub statement_max: Duration,
}

/// Log and metrics.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Telemetry {
    /// Least serious lines that are logged.
    pub log_level: LogLevel,
    /// Form of the log.
    pub log_format: LogFormat,
    /// Partners that get metric series of their own; all others share the series `other`.
    pub partner_series_max: usize,
}

/// Least serious lines that are logged.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LogLevel {
    /// Only what needs a person.
    Error,
    /// Also what may need one.
    Warn,
    /// Also one line per exchange.
    Info,
    /// Also what the rooms do.
    Debug,
}

/// Form of the log.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LogFormat {
    /// Lines for people.
    Text,
    /// One JSON object per line.
    Json,
}

/// When files are read again.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reload {
    /// Whether changes of the files are noticed; SIGHUP and `POST /reload` work in any case.
    pub watch: bool,
    /// Quiet time after the last change before the files are read.
    pub debounce: Duration,
}

/// Whether and how exchanges may be recorded through the admin listener, to make cases of them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Recording {
    /// Whether it may be asked for at all.
    pub is_allowed: bool,
    /// Members that are masked beside those that always are: names, or the last names of a path with `/` between.
    pub mask: Vec<String>,
    /// Headers that are kept of requests and of replies; never credentials.
    pub headers: Vec<HeaderName>,
    /// Bytes of one recording.
    pub bytes_max: usize,
    /// How long one recording may wait.
    pub seconds_max: u64,
}

/// What is started beside the gateway to try it out.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Demonstration {
    /// Loopback address of the simulated legacy BSS; `None` starts none.
    pub bss: Option<SocketAddr>,
}

impl Gateway {
    pub(super) fn read(node: &Node, context: &Context<'_>, out: &mut Diagnostics) -> Option<Self> {
        let mut fields = Fields::of(node, "segue.yaml", out)?;
        let listeners = Listeners::read(fields.take("listeners"), context, out);
        let limits = Limits::read(fields.take("limits"), out);
        let store = Store::read(fields.take("store"), context, out);
        let retention = Retention::read(fields.take("retention"), out);
        let mappings = context.path(fields.text("mappings", out).unwrap_or("../mappings"));
        let telemetry = Telemetry::read(fields.take("telemetry"), out);
        let reload = Reload::read(fields.take("reload"), out);
        let recording = Recording::read(fields.take("recording"), out);
        let demonstration = Demonstration::read(fields.take("demonstration"), &listeners, out);
        fields.finish(out);
        Some(Self {
            listeners,
            limits,
            store,
            retention,
            mappings,
            telemetry,
            reload,
            recording,
            demonstration,
        })
    }
}

impl Store {
    fn read(node: Option<&Node>, context: &Context<'_>, out: &mut Diagnostics) -> Self {
        let mut fields = Fields::section(node, "`store`", out);
        let path = fields.text("embedded", out);
        let postgres = fields.take("postgres");
        fields.finish(out);
        if let (Some(_), Some(node)) = (path, postgres) {
            let message = "a store is either `embedded` or `postgres`";
            out.push(Diagnostic::error(code::ONE_OF, message).at(node.span).hint("remove one of both"));
        }
        match postgres.map(|node| Postgres::read(node, context, out)) {
            // What is wrong with it was told, so that no plan is made.
            Some(Some(postgres)) => Self::Postgres(postgres),
            Some(None) | None => Self::Embedded(context.path(path.unwrap_or("../data/segue.db"))),
        }
    }
}

impl Postgres {
    fn read(node: &Node, context: &Context<'_>, out: &mut Diagnostics) -> Option<Self> {
        let mut fields = Fields::of(node, "`postgres`", out)?;
        let url = fields.require("url", out).and_then(|node| context.lookup.resolve(node, "url", out));
        let tls = fields.take("tls").map(|node| Tls::read(node, context, out));
        let postgres = Self {
            url: url.unwrap_or_else(|| Secret::new("")),
            tls: tls.clone().flatten(),
            connections_max: CONNECTIONS_MAX.size(&mut fields, out),
            queue_max: QUEUE_MAX.size(&mut fields, out),
            connect_max: CONNECT_MS_MAX.millis(&mut fields, out),
            statement_max: STATEMENT_MS_MAX.millis(&mut fields, out),
        };
        fields.finish(out);
        let is_told = postgres.url.reveal().is_empty() || matches!(tls, Some(None));
        (!is_told).then_some(postgres)
    }
}

impl Telemetry {
    fn read(node: Option<&Node>, out: &mut Diagnostics) -> Self {
        let levels = [
            ("error", LogLevel::Error),
            ("warn", LogLevel::Warn),
            ("info", LogLevel::Info),
            ("debug", LogLevel::Debug),
        ];
        let formats = [("text", LogFormat::Text), ("json", LogFormat::Json)];
        let mut fields = Fields::section(node, "`telemetry`", out);
        let telemetry = Self {
            log_level: fields.choice("log_level", &levels, out).unwrap_or(LogLevel::Info),
            log_format: fields.choice("log_format", &formats, out).unwrap_or(LogFormat::Text),
            partner_series_max: PARTNER_SERIES_MAX.size(&mut fields, out),
        };
        fields.finish(out);
        telemetry
    }
}

impl Reload {
    fn read(node: Option<&Node>, out: &mut Diagnostics) -> Self {
        let mut fields = Fields::section(node, "`reload`", out);
        let reload = Self {
            watch: fields.boolean("watch", out).unwrap_or(true),
            debounce: DEBOUNCE_MS.millis(&mut fields, out),
        };
        fields.finish(out);
        reload
    }
}

impl Recording {
    fn read(node: Option<&Node>, out: &mut Diagnostics) -> Self {
        let mut fields = Fields::section(node, "`recording`", out);
        let mask = fields.sequence("mask", true, out).unwrap_or_default();
        let recording = Self {
            is_allowed: fields.boolean("allowed", out).unwrap_or(false),
            mask: mask
                .iter()
                .filter_map(|node| text_of(node, "mask", out))
                .map(|one| one.text.clone())
                .collect(),
            headers: headers::forwarded(
                ("headers", "recorded"),
                fields.sequence("headers", false, out).unwrap_or_default(),
                out,
            ),
            bytes_max: BYTES_MAX.size(&mut fields, out),
            seconds_max: SECONDS_MAX.read(&mut fields, out),
        };
        fields.finish(out);
        recording
    }
}

impl Demonstration {
    fn read(node: Option<&Node>, listeners: &Listeners, out: &mut Diagnostics) -> Self {
        let Some(mut fields) =
            node.filter(|node| !node.is_absent()).and_then(|node| Fields::of(node, "`demonstration`", out))
        else {
            return Self::default();
        };
        let scalar = fields.scalar("bss", out);
        fields.finish(out);
        let Some(scalar) = scalar else { return Self::default() };
        let span = scalar.span();
        let Some(bss) = address_of(&scalar.text, span, out) else { return Self::default() };
        if !bss.ip().is_loopback() {
            let message = "the simulated BSS is open to other machines";
            out.push(Diagnostic::error(code::NOT_LOOPBACK, message).at(span).hint("use 127.0.0.1 or [::1]"));
        }
        let taken = [listeners.sonata.address, listeners.admin.address, listeners.internal.address];
        if bss.port() != 0 && taken.contains(&bss) {
            let message = format!("two listeners on {bss}");
            out.push(Diagnostic::error(code::SAME_ADDRESS, message).at(span).hint("give each its own port"));
        }
        Self { bss: Some(bss) }
    }
}
