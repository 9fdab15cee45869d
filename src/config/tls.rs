//! `tls:` of a backend: whom we trust there, and what we show.

use super::{code, read::Context};
use crate::{
    telemetry::Secret,
    text::{
        Diagnostic, Diagnostics, Span,
        yaml::{Fields, Node, Scalar},
    },
};
use std::{fs::File, io::Read as _};

/// Largest file of certificates, in bytes.
pub(super) const CERTIFICATES_BYTES_MAX: u64 = 1 << 20;

/// Trust and certificate towards one backend; the files were read with the configuration, and are read again with it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tls {
    /// PEM: the authorities that are trusted in the place of the system's.
    pub ca: Option<Vec<u8>>,
    /// Our certificate and its key.
    pub client: Option<ClientCertificate>,
    /// Where all this was written.
    pub span: Span,
}

/// What we show a backend that asks for a certificate.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ClientCertificate {
    /// PEM: ours, then those that lead to the authority.
    pub certificate: Vec<u8>,
    /// PEM.
    pub key: Secret,
}

impl Tls {
    pub(super) fn read(node: &Node, context: &Context<'_>, out: &mut Diagnostics) -> Option<Self> {
        let mut fields = Fields::of(node, "`tls`", out)?;
        let ca = fields.scalar("ca", out);
        let (certificate, key) = (fields.scalar("client_certificate", out), fields.take("client_key"));
        fields.finish(out);
        if certificate.is_some() != key.is_some() {
            let message = "`client_certificate` and `client_key` belong together";
            out.push(Diagnostic::error(code::ONE_OF, message).at(node.span).hint("write both or none"));
        }
        let ca = ca.map(|ca| read_file(ca, context, out));
        let certificate = certificate.map(|certificate| read_file(certificate, context, out));
        let key = key.map(|key| context.lookup.resolve_key(key, "client_key", out));
        let client = certificate.zip(key);
        let client =
            client.map(|(certificate, key)| Some(ClientCertificate { certificate: certificate?, key: key? }));
        // What was written and cannot be had was told: it is not as if it had not been written.
        let ca = if let Some(ca) = ca { Some(ca?) } else { None };
        let client = if let Some(client) = client { Some(client?) } else { None };
        Some(Self { ca, client, span: node.span })
    }
}

fn read_file(path: &Scalar, context: &Context<'_>, out: &mut Diagnostics) -> Option<Vec<u8>> {
    let place = context.path(&path.text);
    let mut bytes = Vec::new();
    let read =
        File::open(&place).and_then(|file| file.take(CERTIFICATES_BYTES_MAX + 1).read_to_end(&mut bytes));
    let fault = match read {
        Ok(_) if bytes.len() as u64 <= CERTIFICATES_BYTES_MAX => return Some(bytes),
        Ok(_) => format!("`{}` has more than {CERTIFICATES_BYTES_MAX} bytes", place.display()),
        Err(error) => format!("cannot read `{}`: {error}", place.display()),
    };
    out.push(Diagnostic::error(code::UNREADABLE, fault).at(path.span()));
    None
}
