//! Which addresses may be connected to, where it is not the operator who names them.
//!
//! A callback is a partner's word, and a name may have another address each time it is asked for. So the addresses of a
//! name are looked up once for a connection, all of them are checked, and the connection goes to one of those. Refused is
//! whatever is not a public unicast address, and whatever is not encrypted, unless the configuration names it.

use std::{
    fmt, io,
    net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr},
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
};

use hyper_util::client::legacy::connect::dns::Name;
use tower::Service;

use super::BaseUrl;

/// What is allowed beside public addresses over https.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash)]
pub struct Guard {
    /// Networks, by an address and the bits of it that count.
    pub networks: Vec<(IpAddr, u8)>,
    /// Names, in lower case, whatever address they have.
    pub names: Vec<String>,
    /// Hosts, in lower case, and ports that may be unencrypted, whatever address they have.
    pub plain: Vec<(String, u16)>,
}

/// Why a place must not be gone to. The text names no address that was looked up: it may be shown to a partner.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Refused {
    /// Not https.
    #[error("it is not an https address")]
    Unencrypted,
    /// Loopback, link-local, private, multicast, the cloud's own and the like.
    #[error("it does not lead to a public address")]
    Address,
}

/// Why a name gave no address to go to.
#[derive(Debug)]
pub enum Unresolved {
    /// One of its addresses must not be gone to.
    Refused(Refused),
    /// It has none, or nobody says.
    Unknown(io::Error),
}

impl fmt::Display for Unresolved {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Refused(refused) => refused.fmt(f),
            Self::Unknown(error) => write!(f, "its name cannot be resolved: {error}"),
        }
    }
}

/// Addresses by which a machine in a cloud reads about itself and that are in no special network.
const METADATA: [Ipv4Addr; 1] = [Ipv4Addr::new(168, 63, 129, 16)];

impl Guard {
    /// Whether a URL may be gone to, as far as it can be told without asking for addresses.
    ///
    /// # Errors
    /// Why not.
    pub fn check(&self, url: &BaseUrl) -> Result<(), Refused> {
        let (host, port) = url.host_and_port();
        let host = host.to_ascii_lowercase();
        if !url.is_https() && !self.plain.contains(&(host.clone(), port)) {
            return Err(Refused::Unencrypted);
        }
        match host.parse::<IpAddr>() {
            Ok(address) => self.check_address(&host, address),
            Err(_) => Ok(()),
        }
    }

    /// Whether an address of a host may be gone to.
    ///
    /// # Errors
    /// [`Refused::Address`].
    pub fn check_address(&self, host: &str, address: IpAddr) -> Result<(), Refused> {
        let host = host.trim_end_matches('.').to_ascii_lowercase();
        let is_named = self.names.contains(&host) || self.plain.iter().any(|(plain, _)| *plain == host);
        let address = plain_form(address);
        let in_network = self.networks.iter().any(|(network, bits)| is_in(address, *network, *bits));
        if is_named || in_network || is_public(address) { Ok(()) } else { Err(Refused::Address) }
    }

    /// The addresses of a URL's host, all of which may be gone to.
    ///
    /// # Errors
    /// One of them must not be, or there are none.
    pub async fn resolve(&self, url: &BaseUrl) -> Result<Vec<SocketAddr>, Unresolved> {
        self.check(url).map_err(Unresolved::Refused)?;
        let (host, port) = url.host_and_port();
        self.addresses(&host, port).await
    }

    async fn addresses(&self, host: &str, port: u16) -> Result<Vec<SocketAddr>, Unresolved> {
        let found = tokio::net::lookup_host((host, port)).await.map_err(Unresolved::Unknown)?;
        let found: Vec<SocketAddr> = found.collect();
        for address in &found {
            self.check_address(host, address.ip()).map_err(Unresolved::Refused)?;
        }
        Ok(found)
    }
}

/// An IPv4 address that is written as an IPv6 address is what it stands for.
fn plain_form(address: IpAddr) -> IpAddr {
    match address {
        IpAddr::V6(v6) => v6.to_ipv4_mapped().map_or(address, IpAddr::V4),
        IpAddr::V4(_) => address,
    }
}

fn is_in(address: IpAddr, network: IpAddr, bits: u8) -> bool {
    match (address, plain_form(network)) {
        (IpAddr::V4(address), IpAddr::V4(network)) => {
            let rest = 32u32.saturating_sub(u32::from(bits));
            u32::from(address).checked_shr(rest).unwrap_or(0)
                == u32::from(network).checked_shr(rest).unwrap_or(0)
        }
        (IpAddr::V6(address), IpAddr::V6(network)) => {
            let rest = 128u32.saturating_sub(u32::from(bits));
            let above = |address: Ipv6Addr| u128::from(address).checked_shr(rest).unwrap_or(0);
            above(address) == above(network)
        }
        _ => false,
    }
}

fn is_public(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(address) => is_public_v4(address),
        IpAddr::V6(address) => is_public_v6(address),
    }
}

fn is_public_v4(address: Ipv4Addr) -> bool {
    let [a, b, c, _] = address.octets();
    let is_special = address.is_private()
        || address.is_loopback()
        || address.is_link_local()
        || address.is_documentation()
        || matches!((a, b, c), (0, _, _) | (100, 64..=127, _) | (192, 0, 0) | (192, 88, 99) | (198, 18..=19, _))
        // Multicast, reserved, broadcast.
        || a >= 224;
    !is_special && !METADATA.contains(&address)
}

fn is_public_v6(address: Ipv6Addr) -> bool {
    let segments = address.segments();
    let [a, b, ..] = segments;
    let embedded = |high: u16, low: u16| {
        let ([a, b], [c, d]) = (high.to_be_bytes(), low.to_be_bytes());
        is_public_v4(Ipv4Addr::new(a, b, c, d))
    };
    match (a, b) {
        // Addresses of IPv4 behind a translator: what counts is where they lead.
        (0x64, 0xff9b) => segments.get(2..6) == Some(&[0; 4]) && embedded(segments[6], segments[7]),
        (0x2002, _) => embedded(segments[1], segments[2]),
        // Teredo, benchmarks, ORCHID and other things of the IETF; documentation.
        (0x2001, 0..=0x1ff | 0xdb8) | (0x3fff, _) => false,
        // The rest of what is handed out as unicast.
        _ => a & 0xe000 == 0x2000,
    }
}

/// Looks names up for a connection, and checks what is found where there is a guard.
#[derive(Debug, Clone)]
pub(super) struct Resolver(pub(super) Option<Arc<Guard>>);

type BoxError = Box<dyn std::error::Error + Send + Sync>;

impl Service<Name> for Resolver {
    type Response = std::vec::IntoIter<SocketAddr>;
    type Error = BoxError;
    type Future = Pin<Box<dyn Future<Output = Result<Self::Response, BoxError>> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), BoxError>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, name: Name) -> Self::Future {
        let guard = self.0.clone();
        Box::pin(async move {
            let found = match guard {
                None => tokio::net::lookup_host((name.as_str(), 0)).await?.collect(),
                Some(guard) => guard.addresses(name.as_str(), 0).await.map_err(|error| match error {
                    Unresolved::Refused(refused) => BoxError::from(refused),
                    Unresolved::Unknown(error) => error.into(),
                })?,
            };
            let found: Vec<SocketAddr> = found;
            Ok(found.into_iter())
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn url(text: &str) -> BaseUrl {
        BaseUrl::parse(text).unwrap()
    }

    #[test]
    fn only_public_addresses_are_gone_to() {
        let refused = "127.0.0.1 127.9.9.9 10.0.0.1 172.16.0.1 172.31.255.255 192.168.1.1 169.254.169.254 \
            100.64.0.1 100.100.100.200 0.0.0.0 0.1.2.3 192.0.0.8 192.0.2.1 198.18.0.1 198.51.100.1 203.0.113.9 \
            224.0.0.1 239.1.1.1 240.0.0.1 255.255.255.255 168.63.129.16 192.88.99.1 :: ::1 ::ffff:127.0.0.1 \
            ::ffff:10.0.0.1 ::127.0.0.1 fe80::1 fec0::1 fc00::1 fd00:ec2::254 ff02::1 2001:db8::1 2001::1 \
            2002:7f00:1:: 2002:a00:1:: 64:ff9b::7f00:1 64:ff9b::a9fe:a9fe 64:ff9b:1::1 3fff::1 100::1";
        for text in refused.split_whitespace() {
            let address: IpAddr = text.parse().unwrap();
            assert_eq!(Guard::default().check_address("h", address), Err(Refused::Address), "{text}");
        }
        let allowed = "8.8.8.8 172.15.0.1 172.32.0.1 100.63.255.255 100.128.0.1 169.253.1.1 223.255.255.254 \
            192.0.1.1 2606:4700::1111 2a00:1450::1 ::ffff:8.8.8.8 64:ff9b::808:808 2002:808:808:: 2001:4860::8888";
        for text in allowed.split_whitespace() {
            let address: IpAddr = text.parse().unwrap();
            assert_eq!(Guard::default().check_address("h", address), Ok(()), "{text}");
        }
    }

    #[test]
    fn what_is_allowed_by_name_is_allowed_alone() {
        let guard = Guard {
            networks: vec![("10.1.0.0".parse().unwrap(), 16), ("fd00::".parse().unwrap(), 8)],
            names: vec!["listener.internal".to_owned()],
            plain: vec![("127.0.0.1".to_owned(), 9000)],
        };
        let rows = [
            ("https://10.1.2.3/a", Ok(())),
            ("https://10.2.2.3/a", Err(Refused::Address)),
            ("https://[fd00::7]", Ok(())),
            ("https://[::ffff:10.1.0.9]", Ok(())),
            ("https://[fc00::7]", Err(Refused::Address)),
            ("http://127.0.0.1:9000/a", Ok(())),
            ("http://127.0.0.1:9001/a", Err(Refused::Unencrypted)),
            ("http://10.1.2.3/a", Err(Refused::Unencrypted)),
            ("https://127.0.0.2", Err(Refused::Address)),
            ("https://any.example", Ok(())),
            ("http://any.example", Err(Refused::Unencrypted)),
        ];
        for (text, expected) in rows {
            assert_eq!(guard.check(&url(text)), expected, "{text}");
        }
        let private: IpAddr = "192.168.0.9".parse().unwrap();
        assert_eq!(guard.check_address("Listener.Internal.", private), Ok(()));
        assert_eq!(guard.check_address("other.internal", private), Err(Refused::Address));
        let all = Guard { networks: vec![("0.0.0.0".parse().unwrap(), 0)], ..Guard::default() };
        assert_eq!(all.check_address("h", private), Ok(()));
        assert_eq!(all.check_address("h", "::1".parse().unwrap()), Err(Refused::Address));
    }

    #[tokio::test]
    async fn a_name_is_looked_up_and_all_that_is_found_is_checked() {
        let refused = Guard::default().resolve(&url("https://localhost:1")).await;
        assert!(matches!(refused, Err(Unresolved::Refused(Refused::Address))), "{refused:?}");
        // Forms that only the system's resolver takes for addresses.
        for text in ["https://2130706433", "https://0x7f000001", "https://0177.0.0.1", "https://127.1"] {
            let refused = Guard::default().resolve(&url(text)).await;
            assert!(refused.is_err(), "{text}: {refused:?}");
        }
        let named = Guard { names: vec!["localhost".to_owned()], ..Guard::default() };
        let found = named.resolve(&url("https://localhost:7")).await.unwrap();
        assert!(!found.is_empty() && found.iter().all(|one| one.ip().is_loopback() && one.port() == 7));
    }
}
