//! What an exchange told the operator beside its answer.

use std::{
    fmt,
    sync::{Arc, Mutex, PoisonError},
};

use tracing::{
    Event, Metadata, Subscriber,
    field::{Field, Visit},
    level_filters::LevelFilter,
    span,
};

/// Takes the findings that are logged below it, each as `code: text`, and nothing else.
#[derive(Debug, Clone, Default)]
pub(super) struct Findings(Arc<Mutex<Vec<String>>>);

impl Findings {
    /// What was told so far, in order; it is not told again.
    pub fn take(&self) -> Vec<String> {
        std::mem::take(&mut *self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl Subscriber for Findings {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        metadata.is_event() && metadata.fields().field("finding").is_some()
    }

    fn max_level_hint(&self) -> Option<LevelFilter> {
        Some(LevelFilter::DEBUG)
    }

    fn event(&self, event: &Event<'_>) {
        let mut line = Line::default();
        event.record(&mut line);
        let mut findings = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        findings.push(format!("{}: {}", line.code, line.text));
    }

    // Spans are not looked at.
    fn new_span(&self, _: &span::Attributes<'_>) -> span::Id {
        span::Id::from_u64(1)
    }
    fn record(&self, _: &span::Id, _: &span::Record<'_>) {}
    fn record_follows_from(&self, _: &span::Id, _: &span::Id) {}
    fn enter(&self, _: &span::Id) {}
    fn exit(&self, _: &span::Id) {}
}

#[derive(Default)]
struct Line {
    code: String,
    text: String,
}

impl Visit for Line {
    fn record_str(&mut self, field: &Field, value: &str) {
        match field.name() {
            "code" => value.clone_into(&mut self.code),
            "finding" => value.clone_into(&mut self.text),
            _ => {}
        }
    }

    fn record_debug(&mut self, _: &Field, _: &dyn fmt::Debug) {}
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn findings_are_taken_and_nothing_else() {
        let findings = Findings::default();
        tracing::subscriber::with_default(findings.clone(), || {
            tracing::warn!(exchange = "e", code = "K101", finding = "an item", "finding");
            tracing::warn!(code = "K101", "something else");
            tracing::info!("an exchange");
        });
        assert_eq!(findings.take(), ["K101: an item"]);
        assert!(findings.take().is_empty());
    }
}
