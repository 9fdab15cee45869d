//! How a call fails, and whether the legacy system may have acted on it.

/// Whether the request may have reached the legacy system.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sent {
    /// Not one byte of it left: nothing happened there.
    No,
    /// Some or all of it left: it may have been acted on, and only asking tells.
    Maybe,
}

/// What went wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, thiserror::Error)]
pub enum LegacyErrorKind {
    /// No connection: refused, unknown name, TLS failure.
    #[error("no connection to the legacy system")]
    Connect,
    /// No connection within `connect_ms_max`.
    #[error("the legacy system did not accept a connection in time")]
    ConnectTimeout,
    /// No whole answer within `answer_ms_max`.
    #[error("the legacy system did not answer in time")]
    AnswerTimeout,
    /// The exchange's own deadline passed.
    #[error("the exchange's deadline passed before the legacy system answered")]
    Deadline,
    /// The connection ended before the answer was whole.
    #[error("the legacy system closed the connection before its answer was whole")]
    Closed,
    /// What came is not HTTP, or contradicts itself.
    #[error("the legacy system's answer is not valid HTTP")]
    Malformed,
    /// More than `response_bytes_max`.
    #[error("the legacy system's answer is too large")]
    TooLarge,
    /// An unknown or broken content encoding.
    #[error("the legacy system's answer has an unknown or broken content encoding")]
    BadEncoding,
    /// The token endpoint gave no access token.
    #[error("no access token for the legacy system")]
    NoToken,
    /// Where it leads must not be gone to.
    #[error("the address is refused")]
    Refused,
    /// All permits are taken and the queue is full.
    #[error("too many calls to the legacy system are waiting")]
    Overloaded,
}

impl LegacyErrorKind {
    /// The name in metrics and logs.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Connect => "connect",
            Self::ConnectTimeout => "connect_timeout",
            Self::AnswerTimeout => "answer_timeout",
            Self::Deadline => "deadline",
            Self::Closed => "closed",
            Self::Malformed => "malformed",
            Self::TooLarge => "too_large",
            Self::BadEncoding => "bad_encoding",
            Self::NoToken => "no_token",
            Self::Refused => "refused",
            Self::Overloaded => "overloaded",
        }
    }
}

/// A call without a whole answer. The text is for the operator, never for a partner.
#[derive(Debug, Clone, thiserror::Error)]
#[error("{kind}{}{detail}", if detail.is_empty() { "" } else { ": " })]
pub struct LegacyError {
    /// What went wrong.
    pub kind: LegacyErrorKind,
    /// Whether the legacy system may have acted.
    pub sent: Sent,
    /// What the layer below said; may name addresses.
    pub detail: String,
}

impl LegacyError {
    pub(super) fn new(kind: LegacyErrorKind, sent: Sent) -> Self {
        Self { kind, sent, detail: String::new() }
    }

    pub(super) fn with_detail(mut self, detail: impl Into<String>) -> Self {
        self.detail = detail.into();
        self
    }

    /// Whether the same request may be sent again without a second effect: it never left.
    #[must_use]
    pub fn retry_is_safe(&self) -> bool {
        self.sent == Sent::No
    }
}
