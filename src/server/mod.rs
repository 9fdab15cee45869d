//! Listeners: accept under a permit, speak HTTP/1.1 or HTTP/2, cut off the slow, drain at the end.
//!
//! It takes any hyper service and knows nothing of Sonata. What a service learns of the caller is the request
//! extension [`PeerIdentity`]. Bodies are read by `exchange` through `crate::body`, because only there is the
//! partner's limit known.

mod activity;
mod connection;
mod io;
mod listener;
mod peer;
mod written;

pub use connection::{Drained, serve};
pub use listener::Listener;
pub use peer::{Credential, PeerIdentity};
pub use written::Written;

/// Limits of one listener. All times are in milliseconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Most open connections; further ones wait in the kernel's backlog.
    pub connections_max: u32,
    /// Time for the complete header of a request, from its first byte (or, on a new connection, from accept).
    pub header_read_ms_max: u64,
    /// Time that a connection may stay open without an exchange in it.
    pub idle_ms_max: u64,
    /// Time in which the caller must take a whole answer; a slow reader is cut off after it.
    pub answer_write_ms_max: u64,
    /// Largest request header, in bytes; at least 8192, hyper's smallest buffer.
    pub header_bytes_max: usize,
    /// Most header fields in one request.
    pub headers_max: usize,
    /// Time for exchanges in flight to end once shutdown began.
    pub drain_ms_max: u64,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            connections_max: 4096,
            header_read_ms_max: 10_000,
            idle_ms_max: 75_000,
            answer_write_ms_max: 30_000,
            header_bytes_max: 32_768,
            headers_max: 100,
            drain_ms_max: 30_000,
        }
    }
}

#[cfg(test)]
mod tests;
