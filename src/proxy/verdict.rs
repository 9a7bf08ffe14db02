//! What a server's certificates are worth, in words that say exactly what is wrong: dates, names, issuer.

use std::sync::Arc;

use rustls::client::WebPkiServerVerifier;
use rustls::client::danger::ServerCertVerifier;
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::{CertificateError, RootCertStore};

use super::certificate::{self, day_and_minute};
use super::crypto;
use crate::exchange::{Certificate, Failure, FailureKind, Side, Step, Timestamp};
use crate::redact::{Clean, Redactor};

/// Judges the certificates that servers show.
pub(super) struct Judge {
    /// Nothing where neither the system nor the user names a root.
    webpki: Option<Arc<WebPkiServerVerifier>>,
    redactor: Redactor,
}

impl Judge {
    /// Trusts `roots`.
    pub(super) fn new(roots: RootCertStore, redactor: Redactor) -> Self {
        let webpki = WebPkiServerVerifier::builder_with_provider(Arc::new(roots), crypto::provider()).build().ok();
        Self { webpki, redactor }
    }

    /// What is wrong with a server's certificates; nothing where all is well.
    pub(super) fn refusal(
        &self,
        chain: &[CertificateDer<'_>],
        facts: &Certificate,
        name: &ServerName<'_>,
    ) -> Option<Failure> {
        let (leaf, others) = chain.split_first()?;
        let verdict = match &self.webpki {
            Some(webpki) => webpki.verify_server_cert(leaf, others, name, &[], UnixTime::now()),
            None => Err(CertificateError::UnknownIssuer.into()),
        };
        let error = verdict.err()?;
        let asked = self.redactor.wire().host(name.to_str().as_bytes());
        let whose = Clean::concat(["the certificate of ".into(), asked.clone()]);
        let issued = Clean::concat([" (issued by ".into(), facts.issuer.clone(), ")".into()]);
        let chained = |at: Timestamp, own: Timestamp| {
            if at == own { whose.clone() } else { Clean::concat(["an issuer of ".into(), whose.clone()]) }
        };
        let rustls::Error::InvalidCertificate(error) = error else {
            let text = Clean::concat([whose, " cannot be checked".into(), issued]);
            return Some(refusal(FailureKind::CertificateInvalid, text));
        };
        let (kind, text) = match error {
            CertificateError::ExpiredContext { not_after, .. } => {
                let at = Timestamp::from_seconds(i64::try_from(not_after.as_secs()).unwrap_or(i64::MAX));
                let whose = chained(at, facts.not_after);
                let text = Clean::concat([whose, " expired on ".into(), day_and_minute(at), issued]);
                (FailureKind::CertificateExpired, text)
            }
            CertificateError::NotValidYetContext { not_before, .. } => {
                let at = Timestamp::from_seconds(i64::try_from(not_before.as_secs()).unwrap_or(i64::MAX));
                let whose = chained(at, facts.not_before);
                let text = Clean::concat([whose, " is not valid before ".into(), day_and_minute(at), issued]);
                (FailureKind::CertificateNotYetValid, text)
            }
            CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. } => {
                let names = listed(&facts.names);
                let text = Clean::concat([
                    "the server's certificate is not for ".into(),
                    asked,
                    " but for ".into(),
                    names,
                    issued,
                ]);
                (FailureKind::CertificateNameMismatch, text)
            }
            CertificateError::UnknownIssuer => {
                let text = match (certificate::is_self_issued(leaf), others.is_empty()) {
                    (true, _) => Clean::concat([
                        whose,
                        " is self-signed (".into(),
                        facts.subject.clone(),
                        ") and not trusted here".into(),
                    ]),
                    (false, true) => Clean::concat([
                        whose,
                        " leads to no trusted root: its issuer is ".into(),
                        facts.issuer.clone(),
                        ", and the server sends no intermediate certificate".into(),
                    ]),
                    (false, false) => {
                        Clean::concat([whose, " leads to no trusted root: its issuer is ".into(), facts.issuer.clone()])
                    }
                };
                (FailureKind::CertificateUntrusted, text)
            }
            CertificateError::InvalidPurpose | CertificateError::InvalidPurposeContext { .. } => (
                FailureKind::CertificateInvalid,
                Clean::concat([whose, " is not made for servers (extended key usage)".into(), issued]),
            ),
            CertificateError::Other(_) if certificate::is_self_issued(leaf) => (
                FailureKind::CertificateUntrusted,
                Clean::concat([
                    whose,
                    " is a self-signed root used as a server certificate (".into(),
                    facts.subject.clone(),
                    ")".into(),
                ]),
            ),
            CertificateError::BadEncoding => {
                (FailureKind::CertificateInvalid, Clean::concat([whose, " is malformed".into(), issued]))
            }
            CertificateError::BadSignature => (
                FailureKind::CertificateInvalid,
                Clean::concat([whose, " carries a signature that is wrong".into(), issued]),
            ),
            CertificateError::UnhandledCriticalExtension => (
                FailureKind::CertificateInvalid,
                Clean::concat([whose, " holds a critical extension that is not known".into(), issued]),
            ),
            _ => (
                FailureKind::CertificateInvalid,
                Clean::concat([whose, " is not acceptable (old signature algorithm or key)".into(), issued]),
            ),
        };
        Some(refusal(kind, text))
    }
}

fn refusal(kind: FailureKind, text: Clean) -> Failure {
    Failure { side: Side::Server, step: Step::Tls, kind, text }
}

/// A certificate that cannot be read at all.
pub(super) fn unreadable() -> Failure {
    refusal(
        FailureKind::CertificateInvalid,
        "the server's certificate cannot be read, or does not fit its signature".into(),
    )
}

fn listed(names: &[Clean]) -> Clean {
    const SHOWN: usize = 8;
    let Some((first, others)) = names.split_first() else { return "no name at all".into() };
    let mut text = first.clone();
    for name in others.iter().take(SHOWN - 1) {
        text = Clean::concat([text, ", ".into(), name.clone()]);
    }
    match names.len().saturating_sub(SHOWN) {
        0 => text,
        more => Clean::concat([text, " and ".into(), more.into(), " more".into()]),
    }
}
