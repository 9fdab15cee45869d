//! A client assertion: who we are, signed with our private key (RFC 7523, RFC 7515).

use std::{fmt, sync::Arc};

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use jiff::Timestamp;
use rustls::{
    SignatureScheme,
    crypto::aws_lc_rs::sign::any_supported_type,
    pki_types::{PrivateKeyDer, pem::PemObject as _},
    sign::SigningKey,
};

use crate::{json, telemetry::Secret};

/// Time that an assertion holds, in seconds: long enough for clocks that differ, too short to be of use to others.
const LIFETIME_S: i64 = 60;

/// What a kind of key signs with: scheme, its JWS name, and bytes of a coordinate where the signature is a point pair.
const ALGORITHMS: [(SignatureScheme, &str, Option<usize>); 4] = [
    (SignatureScheme::ECDSA_NISTP256_SHA256, "ES256", Some(32)),
    (SignatureScheme::ECDSA_NISTP384_SHA384, "ES384", Some(48)),
    (SignatureScheme::RSA_PKCS1_SHA256, "RS256", None),
    (SignatureScheme::ED25519, "EdDSA", None),
];

/// A private key that signs assertions.
#[derive(Clone)]
pub struct JwtKey {
    key: Arc<dyn SigningKey>,
    algorithm: usize,
    key_id: Option<String>,
    fingerprint: [u8; 32],
}

/// Why a text is no key to sign with. Tells nothing of the key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum JwtKeyError {
    /// No PEM private key.
    #[error("no private key (PEM: PKCS #8, PKCS #1 or SEC 1)")]
    NoKey,
    /// Another kind than RSA, P-256, P-384 or Ed25519.
    #[error("the key is of a kind that cannot sign here: RSA, P-256, P-384 or Ed25519")]
    Kind,
}

impl JwtKey {
    /// Reads a key from PEM; `key_id` is what the endpoint knows its public half by.
    ///
    /// # Errors
    /// [`JwtKeyError`].
    pub fn parse(pem: &Secret, key_id: Option<String>) -> Result<Self, JwtKeyError> {
        let der = PrivateKeyDer::from_pem_slice(pem.reveal().as_bytes()).map_err(|_| JwtKeyError::NoKey)?;
        let key = any_supported_type(&der).map_err(|_| JwtKeyError::Kind)?;
        let algorithm = ALGORITHMS.iter().position(|(scheme, ..)| key.choose_scheme(&[*scheme]).is_some());
        let fingerprint = *blake3::hash(pem.reveal().as_bytes()).as_bytes();
        Ok(Self { key, algorithm: algorithm.ok_or(JwtKeyError::Kind)?, key_id, fingerprint })
    }

    /// An assertion for this endpoint that holds from now on. `None` where the key does not sign.
    pub(super) fn assertion(&self, client_id: &str, endpoint: &str, serial: u64) -> Option<String> {
        #[expect(
            clippy::disallowed_methods,
            reason = "an assertion is of its own time, not of an exchange's"
        )]
        let now = Timestamp::now();
        self.assertion_at(client_id, endpoint, serial, now)
    }

    fn assertion_at(&self, client_id: &str, endpoint: &str, serial: u64, now: Timestamp) -> Option<String> {
        let (scheme, name, coordinate) = ALGORITHMS.get(self.algorithm)?;
        let mut header = vec![("alg", text(name)), ("typ", text("JWT"))];
        if let Some(key_id) = &self.key_id {
            header.push(("kid", text(key_id)));
        }
        let unique = format!("{client_id}\0{endpoint}\0{}\0{serial}", now.as_nanosecond());
        let claims = vec![
            ("iss", text(client_id)),
            ("sub", text(client_id)),
            ("aud", text(endpoint)),
            ("jti", text(&blake3::hash(unique.as_bytes()).to_hex())),
            ("iat", now.as_second().to_string()),
            ("exp", now.as_second().saturating_add(LIFETIME_S).to_string()),
        ];
        let signed = format!("{}.{}", part(&header), part(&claims));
        let signature = self.key.choose_scheme(&[*scheme])?.sign(signed.as_bytes()).ok()?;
        let signature = match coordinate {
            Some(bytes) => point_pair(&signature, *bytes)?,
            None => signature,
        };
        Some(format!("{signed}.{}", URL_SAFE_NO_PAD.encode(signature)))
    }
}

impl fmt::Debug for JwtKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("JwtKey").field("key_id", &self.key_id).finish_non_exhaustive()
    }
}

impl PartialEq for JwtKey {
    fn eq(&self, other: &Self) -> bool {
        self.fingerprint == other.fingerprint && self.key_id == other.key_id
    }
}

impl Eq for JwtKey {}

fn text(value: &str) -> String {
    let mut out = String::new();
    json::writer::write_string(&mut out, value);
    out
}

fn part(members: &[(&str, String)]) -> String {
    let members: Vec<String> = members.iter().map(|(name, value)| format!("\"{name}\":{value}")).collect();
    URL_SAFE_NO_PAD.encode(format!("{{{}}}", members.join(",")))
}

/// From DER (`SEQUENCE { INTEGER r, INTEGER s }`), as certificates sign, to both numbers side by side, as JWS does.
fn point_pair(der: &[u8], bytes: usize) -> Option<Vec<u8>> {
    fn field(der: &[u8], tag: u8) -> Option<(&[u8], &[u8])> {
        let (head, rest) = der.split_at_checked(2)?;
        let [found, length] = head else { return None };
        // Longer lengths do not occur: a pair of 48 bytes each is below 128 together.
        (*found == tag && *length < 0x80).then(|| rest.split_at_checked(usize::from(*length)))?
    }
    let (sequence, _) = field(der, 0x30)?;
    let (r, rest) = field(sequence, 0x02)?;
    let (s, _) = field(rest, 0x02)?;
    let mut pair = Vec::with_capacity(2 * bytes);
    for number in [r, s] {
        let start = number.iter().position(|byte| *byte != 0).unwrap_or(number.len());
        let number = number.get(start..)?;
        pair.resize(pair.len() + bytes.checked_sub(number.len())?, 0);
        pair.extend_from_slice(number);
    }
    Some(pair)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn der_pairs_become_numbers_of_one_length() {
        let der = [0x30, 8, 0x02, 2, 0x00, 0x81, 0x02, 2, 0x01, 0x02];
        assert_eq!(point_pair(&der, 4).unwrap(), [0, 0, 0, 0x81, 0, 0, 1, 2]);
        assert_eq!(point_pair(&der, 1), None, "too long for the curve");
        for cut in 0..der.len() {
            assert_eq!(point_pair(&der[..cut], 4), None, "{cut}");
        }
    }

    #[test]
    fn keys_sign_what_they_say_and_others_are_refused() {
        let pair = rcgen::KeyPair::generate_for(&rcgen::PKCS_ECDSA_P256_SHA256).unwrap();
        let key = JwtKey::parse(&Secret::new(pair.serialize_pem()), Some("k\"1".to_owned())).unwrap();
        let now: Timestamp = "2026-11-21T10:00:00Z".parse().unwrap();
        let jwt = key.assertion_at("acme", "https://login/token", 1, now).unwrap();
        let parts: Vec<&str> = jwt.split('.').collect();
        let decoded = |part: &str| -> serde_json::Value {
            serde_json::from_slice(&URL_SAFE_NO_PAD.decode(part).unwrap()).unwrap()
        };
        let header = serde_json::json!({ "alg": "ES256", "typ": "JWT", "kid": "k\"1" });
        assert_eq!(decoded(parts[0]), header);
        let claims = decoded(parts[1]);
        assert_eq!(claims["iss"], "acme");
        assert_eq!(claims["sub"], "acme");
        assert_eq!(claims["aud"], "https://login/token");
        assert_eq!(claims["exp"].as_i64().unwrap() - claims["iat"].as_i64().unwrap(), LIFETIME_S);
        assert_ne!(jwt, key.assertion_at("acme", "https://login/token", 2, now).unwrap());
        let signature = URL_SAFE_NO_PAD.decode(parts[2]).unwrap();
        assert_eq!(signature.len(), 64);
        let signed = format!("{}.{}", parts[0], parts[1]);
        let public = aws_lc_rs::signature::UnparsedPublicKey::new(
            &aws_lc_rs::signature::ECDSA_P256_SHA256_FIXED,
            pair.public_key_raw(),
        );
        assert!(public.verify(signed.as_bytes(), &signature).is_ok());
        assert!(public.verify(b"something else", &signature).is_err());
        for wrong in ["", "no key", "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n"] {
            assert!(JwtKey::parse(&Secret::new(wrong), None).is_err(), "{wrong}");
        }
    }
}
