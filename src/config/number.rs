//! Numeric settings: one table row each, read by the reader, the shipped files' test and the manual.

use crate::text::{Diagnostics, yaml::Fields};
use std::time::Duration;

/// One numeric setting; its unit is the end of its key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Number {
    /// The key.
    pub key: &'static str,
    /// What holds where the key is absent.
    pub default: u64,
    /// Least accepted value.
    pub least: u64,
    /// Greatest accepted value.
    pub most: u64,
    /// What it does, in one line.
    pub effect: &'static str,
}

impl Number {
    pub(super) const fn new(
        key: &'static str,
        default: u64,
        bounds: (u64, u64),
        effect: &'static str,
    ) -> Self {
        Self { key, default, least: bounds.0, most: bounds.1, effect }
    }

    /// The value of this setting, or its default.
    pub(super) fn read(&self, fields: &mut Fields<'_>, out: &mut Diagnostics) -> u64 {
        fields.integer(self.key, self.least..=self.most, out).unwrap_or(self.default)
    }

    /// The same for sizes and counts in memory.
    pub(super) fn size(&self, fields: &mut Fields<'_>, out: &mut Diagnostics) -> usize {
        usize::try_from(self.read(fields, out)).unwrap_or(usize::MAX)
    }

    /// The same for days.
    pub(super) fn days(&self, fields: &mut Fields<'_>, out: &mut Diagnostics) -> Duration {
        Duration::from_secs(self.read(fields, out).saturating_mul(86_400))
    }

    /// The same for hours.
    pub(super) fn hours(&self, fields: &mut Fields<'_>, out: &mut Diagnostics) -> Duration {
        Duration::from_secs(self.read(fields, out).saturating_mul(3600))
    }

    /// The same for milliseconds.
    pub(super) fn millis(&self, fields: &mut Fields<'_>, out: &mut Diagnostics) -> Duration {
        Duration::from_millis(self.read(fields, out))
    }
}

/// All numeric settings by file and section.
pub fn numbers() -> Vec<(&'static str, &'static [Number])> {
    vec![
        ("segue.yaml limits", super::limits::NUMBERS),
        ("segue.yaml retention", super::retention::NUMBERS),
        ("segue.yaml telemetry", super::gateway::TELEMETRY_NUMBERS),
        ("segue.yaml recording", super::gateway::RECORDING_NUMBERS),
        ("segue.yaml reload", super::gateway::RELOAD_NUMBERS),
        ("segue.yaml store.postgres", super::gateway::POSTGRES_NUMBERS),
        ("partners notifications", super::notifications::NUMBERS),
        ("sellers polling", super::polling::NUMBERS),
        ("backends timeouts", super::backend::TIMEOUT_NUMBERS),
        ("backends limits", super::backend::LIMIT_NUMBERS),
    ]
}
