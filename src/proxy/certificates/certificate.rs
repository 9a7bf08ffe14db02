//! A certificate's facts, read from its DER form.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Mutex, PoisonError};

use rustls::pki_types::CertificateDer;
use x509_parser::certificate::X509Certificate;
use x509_parser::extensions::GeneralName;
use x509_parser::time::ASN1Time;

use crate::exchange::{Certificate, Timestamp};
use crate::proxy::tls::crypto;
use crate::redact::{Clean, Redactor};

/// The facts of `der`; nothing where it is no certificate.
pub(crate) fn facts(der: &CertificateDer<'_>, redactor: &Redactor) -> Option<Certificate> {
    let (_, parsed) = x509_parser::parse_x509_certificate(der).ok()?;
    let door = redactor.wire();
    Some(Certificate {
        subject: door.prose(parsed.subject().to_string().as_bytes()),
        issuer: door.prose(parsed.issuer().to_string().as_bytes()),
        names: names_of(&parsed).iter().map(|name| shown(name, redactor)).collect(),
        not_before: timestamp(parsed.validity().not_before),
        not_after: timestamp(parsed.validity().not_after),
        sha256: crypto::sha256(der),
    })
}

/// The facts of certificates that were seen before: servers show the same ones again and again.
#[derive(Default)]
pub(crate) struct Facts(Mutex<HashMap<[u8; 32], Certificate>>);

impl Facts {
    const KEPT: usize = 256;

    /// Those of `der`; nothing where it is no certificate.
    pub(crate) fn of(&self, der: &CertificateDer<'_>, redactor: &Redactor) -> Option<Certificate> {
        let sha256 = crypto::sha256(der);
        let known = || self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(facts) = known().get(&sha256) {
            return Some(facts.clone());
        }
        let facts = facts(der, redactor)?;
        let mut known = known();
        if known.len() >= Self::KEPT {
            known.clear();
        }
        known.insert(sha256, facts.clone());
        Some(facts)
    }
}

/// DNS names and addresses of the subject alternative name of `der`.
pub(crate) fn names(der: &CertificateDer<'_>) -> Vec<String> {
    x509_parser::parse_x509_certificate(der).map_or_else(|_| Vec::new(), |(_, parsed)| names_of(&parsed))
}

/// Whether `der` names itself as its issuer.
pub(crate) fn is_self_issued(der: &CertificateDer<'_>) -> bool {
    x509_parser::parse_x509_certificate(der)
        .is_ok_and(|(_, parsed)| parsed.subject().as_raw() == parsed.issuer().as_raw())
}

/// A name of a certificate, as it may be shown.
pub(crate) fn shown(name: &str, redactor: &Redactor) -> Clean {
    let door = redactor.wire();
    match name.strip_prefix("*.") {
        Some(domain) => Clean::concat(["*.".into(), door.host(domain.as_bytes())]),
        None if name.contains(':') => door.host(format!("[{name}]").as_bytes()),
        None => door.host(name.as_bytes()),
    }
}

/// The day and minute of `time`, for sentences: `2026-11-22 09:00 UTC`.
pub(crate) fn day_and_minute(time: Timestamp) -> Clean {
    let at = time::OffsetDateTime::from_unix_timestamp(time.seconds()).unwrap_or(time::OffsetDateTime::UNIX_EPOCH);
    let two = |number: u8| Clean::concat([if number < 10 { "0" } else { "" }.into(), number.into()]);
    Clean::concat([
        i64::from(at.year()).into(),
        "-".into(),
        two(u8::from(at.month())),
        "-".into(),
        two(at.day()),
        " ".into(),
        two(at.hour()),
        ":".into(),
        two(at.minute()),
        " UTC".into(),
    ])
}

fn names_of(parsed: &X509Certificate<'_>) -> Vec<String> {
    let Ok(Some(extension)) = parsed.subject_alternative_name() else { return Vec::new() };
    let name = |name: &GeneralName<'_>| match name {
        GeneralName::DNSName(name) => Some((*name).to_owned()),
        GeneralName::IPAddress(bytes) => address(bytes).map(|address| address.to_string()),
        _ => None,
    };
    extension.value.general_names.iter().filter_map(name).collect()
}

fn address(bytes: &[u8]) -> Option<IpAddr> {
    match bytes.len() {
        4 => <[u8; 4]>::try_from(bytes).ok().map(IpAddr::from),
        _ => <[u8; 16]>::try_from(bytes).ok().map(IpAddr::from),
    }
}

fn timestamp(time: ASN1Time) -> Timestamp {
    Timestamp::from_seconds(time.timestamp())
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn reads_names_dates_and_digest() {
        let names = ["mail.contoso.com", "*.contoso.com", "::1"].map(str::to_owned).to_vec();
        let made = rcgen::generate_simple_self_signed(names).unwrap();
        let facts = facts(made.cert.der(), &Redactor::new()).unwrap();
        assert_eq!(facts.subject, "CN=rcgen self signed cert");
        assert_eq!(facts.names, ["mail.contoso.com", "*.contoso.com", "[::1]"]);
        assert!(facts.not_before < facts.not_after);
        assert_eq!(facts.sha256, crypto::sha256(made.cert.der()));
        assert!(is_self_issued(made.cert.der()));
    }

    #[test]
    fn writes_a_moment_as_people_read_it() {
        let time = Timestamp::parse("2026-01-02T03:04:05Z").unwrap();
        assert_eq!(day_and_minute(time), "2026-01-02 03:04 UTC");
    }
}
