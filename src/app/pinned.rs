//! Hosts whose clients refuse every certificate but one (pinning), as far as a capture shows it.

use std::collections::BTreeSet;

use crate::exchange::{Exchange, FailureKind, Side};

/// A command line with more hosts than this helps nobody.
const PROPOSED: usize = 16;

/// Who refused our certificate, and whether anybody took it.
#[derive(Default)]
pub(super) struct Pinned {
    refusing: BTreeSet<String>,
    taken: bool,
}

impl Pinned {
    /// Takes the next exchange that ended.
    pub(super) fn observe(&mut self, exchange: &Exchange) {
        let Some(host) = exchange.url.as_ref().map(crate::redact::Url::host) else { return };
        let refusal = |failure: &crate::exchange::Failure| {
            failure.side == Side::Client && failure.kind == FailureKind::CertificateRefusedByClient
        };
        if exchange.error.as_ref().is_some_and(refusal) {
            let plain = host.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-._".contains(&byte));
            if plain && !host.is_empty() && self.refusing.len() < PROPOSED {
                self.refusing.insert(host.to_ascii_lowercase());
            }
        } else if exchange.connection.client_tls.is_some() && exchange.request.seen().is_some() {
            self.taken = true;
            if !self.refusing.is_empty() {
                self.refusing.remove(&host.to_ascii_lowercase());
            }
        }
    }

    /// What passes the hosts through undecrypted that were refused each time. Nothing where no client took our
    /// certificate for any host: then it is the root that is not trusted.
    pub(super) fn proposal(&self) -> Option<String> {
        let hosts = self.refusing.iter().filter(|_| self.taken);
        let options: Vec<_> = hosts.map(|host| format!("--skip-decrypt {host}")).collect();
        (!options.is_empty()).then(|| format!("authtap {}", options.join(" ")))
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::exchange::{ClientTls, Connection, Failure, Ids, SniForm, Step, Timestamp};
    use crate::redact::Redactor;
    use crate::session::paste;

    fn exchange(host: &str, refused: bool) -> Exchange {
        let text = format!("GET / HTTP/1.1\r\nHost: {host}\r\n\r\nHTTP/1.1 200 OK\r\n\r\n");
        let read = paste::read(text.as_bytes(), &Redactor::new(), &Ids::default(), Timestamp(0)).remove(0);
        let tls = ClientTls {
            version: "TLS 1.3".into(),
            cipher: "".into(),
            alpn: None,
            sni: None,
            sni_form: SniForm::Absent,
            legacy: None,
        };
        let connection = Connection { client_tls: (!refused).then_some(tls), ..Connection::default() };
        let kind = FailureKind::CertificateRefusedByClient;
        let failure = Failure { side: Side::Client, step: Step::Tls, kind, text: "UnknownCA".into() };
        Exchange { connection: Arc::new(connection), error: refused.then_some(failure), ..read }
    }

    #[test]
    fn hosts_that_were_refused_each_time_are_proposed_once_a_client_trusts_the_root() {
        let mut pinned = Pinned::default();
        pinned.observe(&exchange("pinned.contoso.com", true));
        pinned.observe(&exchange("mail.contoso.com", true));
        assert_eq!(pinned.proposal(), None);
        pinned.observe(&exchange("MAIL.contoso.com", false));
        pinned.observe(&exchange("also.contoso.com", true));
        let proposal = pinned.proposal().unwrap();
        assert_eq!(proposal, "authtap --skip-decrypt also.contoso.com --skip-decrypt pinned.contoso.com");
    }
}
