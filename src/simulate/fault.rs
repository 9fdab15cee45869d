//! Faults on demand: what a tired system does to its callers.
//!
//! Faults are arranged with `POST /sim/faults` at what is played, with its own `arrange`, or at the BSS for one request with the
//! header `x-sim-fault`, which holds the same JSON: `{ "kind": "status", "status": 503, "path": "/v2", "count": 2 }`.
//! The first arranged fault that fits a request is used; the controls below `/sim` are never disturbed.

use serde::{Deserialize, Serialize};

/// What happens to the answer.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Kind {
    /// Nothing but the latency.
    #[default]
    Late,
    /// The status of [`Fault::status`] with an error of the system's own form.
    Status,
    /// The connection closes without an answer.
    Drop,
    /// The connection closes within the body.
    Short,
    /// 200 with bytes that are no JSON and no UTF-8.
    Garbage,
    /// 200 with an HTML page.
    Html,
    /// 503 with a line of plain text.
    Text,
    /// 200 with a refusal in the body, as the BSS has it.
    Rc8,
    /// The body comes in pieces of a few bytes, [`Fault::pause_ms`] apart.
    Drip,
    /// `Content-Length` is half of what comes; the rest follows on the wire.
    Length,
    /// The body is compressed, and says so.
    Gzip,
    /// The body has [`Fault::bytes`] bytes of blanks before it.
    Huge,
}

impl Kind {
    /// Whether the system's own answer is what gets broken, so that the request always takes effect.
    fn needs_answer(self) -> bool {
        matches!(self, Self::Late | Self::Short | Self::Drip | Self::Length | Self::Gzip | Self::Huge)
    }

    /// The name as the controls write it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Late => "late",
            Self::Status => "status",
            Self::Drop => "drop",
            Self::Short => "short",
            Self::Garbage => "garbage",
            Self::Html => "html",
            Self::Text => "text",
            Self::Rc8 => "rc8",
            Self::Drip => "drip",
            Self::Length => "length",
            Self::Gzip => "gzip",
            Self::Huge => "huge",
        }
    }
}

/// A fault and the requests that it meets.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Fault {
    /// What happens.
    pub kind: Kind,
    /// Beginning of the paths that it meets; empty for all.
    pub path: String,
    /// The method that it meets; empty for all.
    pub method: String,
    /// Fitting requests let through first.
    pub skip: u32,
    /// Requests that it meets then; 0 for all until the faults are cleared.
    pub count: u32,
    /// Whether the request still takes effect before its answer is replaced; faults that break the system's own
    /// answer always let it.
    pub acts: bool,
    /// Time before the answer and after the effect, in milliseconds.
    pub latency_ms: u64,
    /// Status of [`Kind::Status`].
    pub status: u16,
    /// `Retry-After` of the answer, in seconds; none by default.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub retry_after_s: Option<u32>,
    /// Time between the pieces of [`Kind::Drip`], in milliseconds.
    pub pause_ms: u64,
    /// Blanks of [`Kind::Huge`], in bytes.
    pub bytes: usize,
}

impl Default for Fault {
    fn default() -> Self {
        Self {
            kind: Kind::default(),
            path: String::new(),
            method: String::new(),
            skip: 0,
            count: 1,
            acts: false,
            latency_ms: 0,
            status: 500,
            retry_after_s: None,
            pause_ms: 10,
            bytes: 16 << 20,
        }
    }
}

impl Fault {
    /// A fault of that kind, met by the next request.
    pub fn of(kind: Kind) -> Self {
        Self { kind, ..Self::default() }
    }

    /// Whether the request takes effect.
    pub fn lets_act(&self) -> bool {
        self.acts || self.kind.needs_answer()
    }

    fn fits(&self, method: &str, path: &str) -> bool {
        path.starts_with(&self.path) && (self.method.is_empty() || self.method == method)
    }
}

/// The faults arranged, in order.
#[derive(Debug, Default)]
pub(super) struct Faults(Vec<Fault>);

impl Faults {
    pub fn arrange(&mut self, fault: Fault) {
        self.0.push(fault);
    }

    pub fn clear(&mut self) {
        self.0.clear();
    }

    pub fn all(&self) -> &[Fault] {
        &self.0
    }

    /// The fault for this request, counted down.
    pub fn take(&mut self, method: &str, path: &str) -> Option<Fault> {
        let index = self.0.iter().position(|fault| fault.fits(method, path))?;
        let fault = self.0.get_mut(index)?;
        if fault.skip > 0 {
            fault.skip -= 1;
            return None;
        }
        match fault.count {
            0 => Some(fault.clone()),
            1 => Some(self.0.remove(index)),
            _ => {
                fault.count -= 1;
                Some(fault.clone())
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn faults_count_down_where_they_fit() {
        let mut faults = Faults::default();
        faults.arrange(Fault {
            path: "/v2".into(),
            method: "POST".into(),
            skip: 1,
            count: 2,
            ..Fault::of(Kind::Drop)
        });
        assert_eq!(faults.take("GET", "/v2/offers"), None);
        assert_eq!(faults.take("POST", "/orders/uni"), None);
        assert_eq!(faults.take("POST", "/v2/offers"), None);
        assert!(faults.take("POST", "/v2/offers").is_some());
        assert!(faults.take("POST", "/v2/offers").is_some());
        assert_eq!(faults.take("POST", "/v2/offers"), None);
        assert!(faults.all().is_empty());
    }

    #[test]
    fn names_are_those_of_the_controls() {
        for kind in [Kind::Late, Kind::Status, Kind::Rc8, Kind::Gzip, Kind::Huge, Kind::Length] {
            assert_eq!(serde_json::to_value(kind).unwrap(), kind.name());
        }
    }
}
