//! Trust and certificate towards one backend, made ready when the plan is loaded.

use std::{fmt, sync::Arc};

use hyper_rustls::ConfigBuilderExt as _;
use rustls::{
    ClientConfig, RootCertStore,
    client::WantsClientCert,
    crypto::aws_lc_rs,
    pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject as _},
};

use crate::telemetry::Secret;

/// Certificates in one file at most.
pub(super) const CERTIFICATES_MAX: usize = 1_000;

/// Whom we trust and what we show. Cloning shares.
#[derive(Clone)]
pub struct Tls {
    config: ClientConfig,
    /// Of all that it was made of: connections of other trust are never shared.
    fingerprint: [u8; 32],
}

/// What we show a backend that asks for a certificate.
#[derive(Debug, Clone, Copy)]
pub struct ClientIdentity<'p> {
    /// PEM: our certificate, then those that lead to the authority.
    pub certificate: &'p [u8],
    /// PEM: its private key.
    pub key: &'p Secret,
}

/// Why trust or certificate cannot be used. Tells nothing of a key.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TlsError {
    /// No PEM certificate in the file, a broken one, or too many.
    #[error("`{0}` holds no usable certificate")]
    Certificate(&'static str),
    /// No PEM private key.
    #[error("`client_key` holds no private key (PEM: PKCS #8, PKCS #1 or SEC 1)")]
    Key,
    /// Certificate and key are not of each other, or of a kind that cannot sign.
    #[error("`client_certificate` and `client_key` do not belong together: {0}")]
    Pair(String),
    /// The system's own certificates cannot be read.
    #[error("the system has no usable root certificates: {0}")]
    System(String),
}

impl Tls {
    /// Trusts the authorities of `ca` alone, or those of the system without it; shows `client` where asked.
    ///
    /// # Errors
    /// [`TlsError`].
    pub fn new(ca: Option<&[u8]>, client: Option<ClientIdentity<'_>>) -> Result<Self, TlsError> {
        let builder = ClientConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()))
            .with_safe_default_protocol_versions()
            .map_err(|error| TlsError::System(error.to_string()))?;
        let builder: rustls::ConfigBuilder<ClientConfig, WantsClientCert> = match ca {
            Some(pem) => builder.with_root_certificates(roots(pem)?),
            None => builder.with_native_roots().map_err(|error| TlsError::System(error.to_string()))?,
        };
        let config = match client {
            None => builder.with_no_client_auth(),
            Some(client) => {
                let chain = certificates(client.certificate, "client_certificate")?;
                let key = PrivateKeyDer::from_pem_slice(client.key.reveal().as_bytes())
                    .map_err(|_| TlsError::Key)?;
                builder
                    .with_client_auth_cert(chain, key)
                    .map_err(|error| TlsError::Pair(error.to_string()))?
            }
        };
        Ok(Self { config, fingerprint: fingerprint(ca, client) })
    }

    /// All of it as rustls takes it.
    #[must_use]
    pub fn config(&self) -> ClientConfig {
        self.config.clone()
    }

    pub(super) fn fingerprint(&self) -> [u8; 32] {
        self.fingerprint
    }
}

impl fmt::Debug for Tls {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Tls")
    }
}

/// What tells settings apart: each part with its length, so that no two run into one another.
fn fingerprint(ca: Option<&[u8]>, client: Option<ClientIdentity<'_>>) -> [u8; 32] {
    let mut hasher = blake3::Hasher::new();
    let key = client.map(|client| client.key.reveal().as_bytes());
    for part in [ca, client.map(|client| client.certificate), key] {
        let part = part.unwrap_or_default();
        hasher.update(&(part.len() as u64).to_le_bytes()).update(part);
    }
    *hasher.finalize().as_bytes()
}

fn roots(pem: &[u8]) -> Result<RootCertStore, TlsError> {
    let mut roots = RootCertStore::empty();
    for certificate in certificates(pem, "ca")? {
        roots.add(certificate).map_err(|_| TlsError::Certificate("ca"))?;
    }
    Ok(roots)
}

fn certificates(pem: &[u8], key: &'static str) -> Result<Vec<CertificateDer<'static>>, TlsError> {
    let read: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(pem).take(CERTIFICATES_MAX + 1).collect();
    match read {
        Ok(all) if !all.is_empty() && all.len() <= CERTIFICATES_MAX => Ok(all),
        _ => Err(TlsError::Certificate(key)),
    }
}
