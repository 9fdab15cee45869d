//! What was received and what came of it, so that a test can show that nothing arrived, or exactly one effect.

use std::collections::VecDeque;

use bytes::Bytes;
use serde::{Serialize, Serializer};

/// One request.
#[derive(Debug, Clone, Serialize)]
pub struct Entry {
    /// Counts from 1 and goes on when older entries are gone.
    pub n: u64,
    /// As received.
    pub method: String,
    /// As received, with the query.
    pub path: String,
    /// As received; written as JSON where it is JSON, else as text.
    #[serde(serialize_with = "readable")]
    pub body: Bytes,
    /// As answered; 0 where the connection was closed instead.
    pub status: u16,
    /// Numbers of the rows that it made or changed; empty when it had no effect.
    pub made: Vec<String>,
    /// The fault that it met.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub fault: Option<&'static str>,
}

fn readable<S: Serializer>(body: &Bytes, serializer: S) -> Result<S::Ok, S::Error> {
    match serde_json::from_slice::<serde_json::Value>(body) {
        Ok(value) => value.serialize(serializer),
        Err(_) => serializer.serialize_str(&String::from_utf8_lossy(body)),
    }
}

/// The newest entries.
#[derive(Debug)]
pub(super) struct Journal {
    entries: VecDeque<Entry>,
    entries_max: usize,
    count: u64,
}

impl Journal {
    pub fn new(entries_max: usize) -> Self {
        Self { entries: VecDeque::new(), entries_max, count: 0 }
    }

    /// Writes an entry down; `make` is given its number and not called when nothing is kept.
    pub fn write(&mut self, make: impl FnOnce(u64) -> Entry) {
        self.count += 1;
        if self.entries_max == 0 {
            return;
        }
        if self.entries.len() == self.entries_max {
            self.entries.pop_front();
        }
        self.entries.push_back(make(self.count));
    }

    pub fn clear(&mut self) {
        self.entries.clear();
        self.count = 0;
    }

    pub fn entries(&self) -> impl Iterator<Item = &Entry> {
        self.entries.iter()
    }

    /// All requests received since the beginning or the last clearing.
    pub fn count(&self) -> u64 {
        self.count
    }
}
