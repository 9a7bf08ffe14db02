//! The certificates that a flow has in PEM form.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use sha2::{Digest as _, Sha256};
use x509_parser::extensions::GeneralName;

use crate::exchange::{Certificate, Timestamp};
use crate::redact::{Clean, Door};

/// The DER form of the first certificate in `pem`.
pub(super) fn der(pem: &[u8]) -> Option<Vec<u8>> {
    let text = std::str::from_utf8(pem).ok()?;
    let (_, rest) = text.split_once("-----BEGIN CERTIFICATE-----")?;
    let (body, _) = rest.split_once("-----END CERTIFICATE-----")?;
    STANDARD.decode(body.split_ascii_whitespace().collect::<String>()).ok()
}

/// What is known of the certificate `der`.
pub(super) fn facts(door: Door<'_>, der: &[u8]) -> Certificate {
    let known = Certificate::of_fingerprint(Sha256::digest(der).into());
    let Ok((_, parsed)) = x509_parser::parse_x509_certificate(der) else { return known };
    let names = parsed.subject_alternative_name().ok().flatten().map(|extension| &extension.value.general_names);
    let name = |name: &GeneralName<'_>| match name {
        GeneralName::DNSName(name) => Some(match name.strip_prefix("*.") {
            Some(domain) => Clean::concat(["*.".into(), door.host(domain.as_bytes())]),
            None => door.host(name.as_bytes()),
        }),
        _ => None,
    };
    let time = |time: x509_parser::time::ASN1Time| Timestamp::from_seconds(time.timestamp());
    Certificate {
        subject: door.prose(parsed.subject().to_string().as_bytes()),
        issuer: door.prose(parsed.issuer().to_string().as_bytes()),
        names: names.into_iter().flatten().filter_map(name).collect(),
        not_before: time(parsed.validity().not_before),
        not_after: time(parsed.validity().not_after),
        ..known
    }
}
