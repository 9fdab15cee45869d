//! Who is calling, as far as the connection tells.

use std::net::SocketAddr;

/// The caller of a request; `server` puts it into the request's extensions.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PeerIdentity {
    /// The caller's address.
    pub address: SocketAddr,
    /// The address of the listener that was called.
    pub listener: SocketAddr,
    /// What the connection proved.
    pub credential: Credential,
}

/// What a connection proved about its caller.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Credential {
    /// Nothing. Enough only where [`PeerIdentity::is_loopback`] holds and a partner is configured so.
    None,
}

impl PeerIdentity {
    /// Whether both ends are on this machine's loopback interface.
    ///
    /// An IPv4 address inside IPv6 (`::ffff:127.0.0.1`) counts as what it stands for.
    #[must_use]
    pub fn is_loopback(&self) -> bool {
        self.address.ip().to_canonical().is_loopback() && self.listener.ip().to_canonical().is_loopback()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn loopback_needs_both_ends() {
        let rows = [
            ("127.0.0.1:1", "127.0.0.1:8080", true),
            ("127.9.9.9:1", "127.0.0.1:8080", true),
            ("[::1]:1", "[::1]:8080", true),
            ("[::ffff:127.0.0.1]:1", "[::1]:8080", true),
            ("127.0.0.1:1", "0.0.0.0:8080", false),
            ("10.0.0.1:1", "127.0.0.1:8080", false),
        ];
        for (address, listener, expected) in rows {
            let peer = PeerIdentity {
                address: address.parse().unwrap(),
                listener: listener.parse().unwrap(),
                credential: Credential::None,
            };
            assert_eq!(peer.is_loopback(), expected, "{address} {listener}");
        }
    }
}
