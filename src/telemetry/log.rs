//! Where log lines go: to standard error, one JSON object per line, or text for people.
//!
//! Standard output stays free for what a command prints.

use std::{
    io::{Stderr, stderr},
    sync::{Arc, OnceLock},
};

use tracing_subscriber::{EnvFilter, fmt::MakeWriter};

use super::{
    gather::{Gather, Lines},
    line::JsonLine,
};

/// The lines of this process.
static LINES: OnceLock<Arc<Gather<Stderr>>> = OnceLock::new();

/// Why logging was not set up.
#[derive(Debug, thiserror::Error)]
pub enum LogError {
    /// The filter is not of the form `info,segue::access=off`.
    #[error("not a log filter: {0}")]
    Filter(String),
    /// Another subscriber was installed before.
    #[error("logging is already set up")]
    Installed,
}

/// Installs the subscriber of the process: JSON lines on standard error, filtered by `filter` (`info`).
///
/// # Errors
/// [`LogError`] when the filter does not parse or a subscriber is installed already.
pub fn install(filter: &str) -> Result<(), LogError> {
    let subscriber = subscriber(filter, lines())?;
    tracing::subscriber::set_global_default(subscriber).map_err(|_| LogError::Installed)
}

/// Installs the subscriber of the process with lines for people instead of JSON.
///
/// # Errors
/// As [`install`].
pub fn install_text(filter: &str) -> Result<(), LogError> {
    let subscriber = tracing_subscriber::fmt()
        .with_ansi(false)
        .with_env_filter(parse(filter)?)
        .with_writer(lines())
        .finish();
    tracing::subscriber::set_global_default(subscriber).map_err(|_| LogError::Installed)
}

/// Writes the lines that still wait for others. The last thing that a process does.
pub fn flush() {
    if let Some(lines) = LINES.get() {
        lines.flush();
    }
}

fn lines() -> Lines<Stderr> {
    let lines = LINES.get_or_init(|| {
        let lines = Arc::new(Gather::new(stderr()));
        let own = Arc::clone(&lines);
        // Without the thread, lines are written when a warning or too many come, and at the end.
        let _ = std::thread::Builder::new().name("log".to_owned()).spawn(move || own.run());
        lines
    });
    Lines(Arc::clone(lines))
}

fn parse(filter: &str) -> Result<EnvFilter, LogError> {
    EnvFilter::try_new(filter).map_err(|error| LogError::Filter(error.to_string()))
}

fn subscriber<W>(filter: &str, writer: W) -> Result<impl tracing::Subscriber + Send + Sync, LogError>
where
    W: for<'w> MakeWriter<'w> + Send + Sync + 'static,
{
    let filter = parse(filter)?;
    Ok(tracing_subscriber::fmt().event_format(JsonLine).with_env_filter(filter).with_writer(writer).finish())
}

#[cfg(test)]
pub(crate) mod tests {
    use std::{
        io,
        sync::{Arc, Mutex},
    };

    use super::*;

    #[derive(Clone, Default)]
    struct Sink(Arc<Mutex<Vec<u8>>>);

    impl io::Write for Sink {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.lock().unwrap().extend_from_slice(bytes);
            Ok(bytes.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    /// What `work` logs at `info`.
    pub(crate) fn captured(work: impl FnOnce()) -> String {
        let sink = Sink::default();
        let copy = sink.clone();
        let subscriber = subscriber("info", move || copy.clone()).unwrap();
        tracing::subscriber::with_default(subscriber, work);
        let bytes = sink.0.lock().unwrap().clone();
        String::from_utf8(bytes).unwrap()
    }

    #[test]
    fn filters_are_checked() {
        assert!(subscriber("info,segue::access=off", io::sink).is_ok());
        assert!(matches!(subscriber("info,=,", io::sink), Err(LogError::Filter(_))));
    }

    #[test]
    fn text_from_outside_cannot_break_a_line() {
        let hostile = "a\nb\"\\\r\t\u{0}\u{1b}é\u{2028}";
        let text = captured(|| tracing::info!(name = hostile, display = %hostile, "said {hostile}"));
        assert_eq!(text.lines().count(), 1, "{text}");
        let line: serde_json::Value = serde_json::from_str(&text).unwrap();
        assert_eq!((&line["name"], &line["display"]), (&hostile.into(), &hostile.into()));
        assert_eq!(line["message"], format!("said {hostile}"));
    }

    #[test]
    fn values_keep_their_kind() {
        let none: Option<u64> = None;
        let text = captured(|| {
            tracing::warn!(
                none_at_all = 0_u64,
                most = u64::MAX,
                ten = 10_u64,
                whole = 7_u64,
                less = -7_i64,
                half = 0.5,
                not = f64::NAN,
                yes = true,
                none
            );
        });
        let line: serde_json::Value = serde_json::from_str(&text).unwrap();
        assert!(line["timestamp"].as_str().unwrap().ends_with('Z'), "{text}");
        let rest = serde_json::json!({
            "timestamp": line["timestamp"], "level": "WARN", "target": "segue::telemetry::log::tests",
            "none_at_all": 0, "most": u64::MAX, "ten": 10, "whole": 7, "less": -7, "half": 0.5, "not": null, "yes": true,
        });
        assert_eq!(line, rest);
    }
}
