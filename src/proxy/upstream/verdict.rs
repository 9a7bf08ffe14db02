//! What a server's certificates are worth, in words that say exactly what is wrong: dates, names, issuer.

use std::sync::Arc;

use rustls::client::danger::ServerCertVerifier;
use rustls::client::{WebPkiServerVerifier, verify_server_name};
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::server::ParsedCertificate;
use rustls::{CertificateError, RootCertStore};

use crate::exchange::{Certificate, Failure, FailureKind, Side, Step, Timestamp};
use crate::proxy::certificates::certificate::{self, day_and_minute};
use crate::proxy::tls::crypto;
use crate::redact::{Clean, Redactor};

/// Judges the certificates that servers show.
pub(crate) struct Judge {
    /// Nothing where neither the system nor the user names a root.
    webpki: Option<Arc<WebPkiServerVerifier>>,
    roots: Arc<RootCertStore>,
    redactor: Redactor,
}

impl Judge {
    /// Trusts `roots`.
    pub(crate) fn new(roots: RootCertStore, redactor: Redactor) -> Self {
        let roots = Arc::new(roots);
        let webpki = WebPkiServerVerifier::builder_with_provider(Arc::clone(&roots), crypto::provider()).build().ok();
        Self { webpki, roots, redactor }
    }

    /// What is wrong with a server's certificates; nothing where all is well.
    pub(crate) fn refusal(
        &self,
        chain: &[CertificateDer<'_>],
        facts: &Certificate,
        name: &ServerName<'_>,
    ) -> Option<Failure> {
        let (leaf, others) = chain.split_first()?;
        let verdict = match &self.webpki {
            Some(_) if self.is_root(leaf) => itself_trusted(leaf, facts, name),
            Some(webpki) => webpki.verify_server_cert(leaf, others, name, &[], UnixTime::now()).map(|_| ()),
            None => Err(CertificateError::UnknownIssuer.into()),
        };
        let error = verdict.err()?;
        let asked = certificate::shown(&name.to_str(), &self.redactor);
        let whose = Clean::concat(["the certificate of ".into(), asked.clone()]);
        let issued = Clean::concat([" (issued by ".into(), facts.issuer.clone(), ")".into()]);
        let chained = |at: Timestamp, own: Timestamp| {
            if at == own { whose.clone() } else { Clean::concat(["an issuer of ".into(), whose.clone()]) }
        };
        let invalid = |words: &'static str| {
            (FailureKind::CertificateInvalid, Clean::concat([whose.clone(), words.into(), issued.clone()]))
        };
        let rustls::Error::InvalidCertificate(error) = error else {
            let (kind, text) = invalid(" cannot be checked");
            return Some(refusal(kind, text));
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
            CertificateError::Expired => {
                let text = Clean::concat([whose, " expired on ".into(), day_and_minute(facts.not_after), issued]);
                (FailureKind::CertificateExpired, text)
            }
            CertificateError::NotValidYet => {
                let at = day_and_minute(facts.not_before);
                (
                    FailureKind::CertificateNotYetValid,
                    Clean::concat([whose, " is not valid before ".into(), at, issued]),
                )
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
            CertificateError::InvalidPurpose | CertificateError::InvalidPurposeContext { .. } => {
                invalid(" is not made for servers (extended key usage)")
            }
            CertificateError::Other(_) if certificate::is_self_issued(leaf) => {
                let words = " is a self-signed root used as a server certificate (";
                let text = Clean::concat([whose, words.into(), facts.subject.clone(), ")".into()]);
                (FailureKind::CertificateUntrusted, text)
            }
            CertificateError::BadEncoding => invalid(" is malformed"),
            CertificateError::BadSignature => invalid(" carries a signature that is wrong"),
            CertificateError::UnhandledCriticalExtension => invalid(" holds a critical extension that is not known"),
            _ => invalid(" is not acceptable (old signature algorithm or key)"),
        };
        Some(refusal(kind, text))
    }

    /// Whether a server's certificate is itself one that was named as trusted, as small sites have it: self-signed, and
    /// so a root in form, which webpki takes from no server.
    fn is_root(&self, leaf: &CertificateDer<'_>) -> bool {
        if !certificate::is_self_issued(leaf) {
            return false;
        }
        let mut alone = RootCertStore::empty();
        alone.add(leaf.clone().into_owned()).is_ok() && alone.roots.iter().all(|root| self.roots.roots.contains(root))
    }
}

/// A certificate that is trusted by itself still has dates and names. That the server holds its key, TLS has proved.
fn itself_trusted(leaf: &CertificateDer<'_>, facts: &Certificate, name: &ServerName<'_>) -> Result<(), rustls::Error> {
    let now = Timestamp::now();
    if now > facts.not_after {
        return Err(CertificateError::Expired.into());
    }
    if now < facts.not_before {
        return Err(CertificateError::NotValidYet.into());
    }
    verify_server_name(&ParsedCertificate::try_from(leaf)?, name)
}

fn refusal(kind: FailureKind, text: Clean) -> Failure {
    Failure { side: Side::Server, step: Step::Tls, kind, text }
}

/// A certificate that cannot be read at all.
pub(crate) fn unreadable() -> Failure {
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

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use rcgen::{BasicConstraints, CertificateParams, IsCa, KeyPair};
    use time::{Duration, OffsetDateTime};

    use super::*;

    /// What a judge who trusts only this server's own self-signed certificate says of it.
    fn verdict_on_itself(valid_days: i64, asked: &str) -> Option<FailureKind> {
        let mut params = CertificateParams::new(["mail.contoso.com".to_owned()]).unwrap();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let now = OffsetDateTime::now_utc();
        (params.not_before, params.not_after) = (now - Duration::days(9), now + Duration::days(valid_days));
        let leaf = params.self_signed(&KeyPair::generate().unwrap()).unwrap().der().clone();
        let redactor = Redactor::new();
        let facts = certificate::facts(&leaf, &redactor).unwrap();
        let mut roots = RootCertStore::empty();
        roots.add(leaf.clone()).unwrap();
        let name = ServerName::try_from(asked.to_owned()).unwrap();
        Judge::new(roots, redactor).refusal(&[leaf], &facts, &name).map(|failure| failure.kind)
    }

    #[test]
    fn a_self_signed_certificate_named_as_trusted_is_good_for_its_names_and_days() {
        assert_eq!(verdict_on_itself(1, "mail.contoso.com"), None);
        assert_eq!(verdict_on_itself(1, "mail.fabrikam.com"), Some(FailureKind::CertificateNameMismatch));
        assert_eq!(verdict_on_itself(-1, "mail.contoso.com"), Some(FailureKind::CertificateExpired));
    }
}
