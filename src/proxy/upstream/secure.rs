//! TLS with a server, by one engine or the other, and its certificate judged.
//!
//! The certificate is judged after the handshake and before the first byte of the client's is sent: so a resumed
//! session is judged like any other, and the verdict comes with all that the certificate says.

use rustls::NamedGroup;
use rustls::pki_types::{CertificateDer, ServerName};

use crate::exchange::{Certificate, ClientCertificate, Failure, Tls, Unseen};
use crate::proxy::certificates::client_cert::ClientCert;
use crate::proxy::tap::stream::Line;
use crate::proxy::target::Target;
use crate::proxy::tls::crypto;
use crate::proxy::tls::protocol::Protocol;
use crate::proxy::upstream::hop::Hop;
use crate::proxy::upstream::usual::{self, Fault};
use crate::proxy::upstream::{Upstream, verdict};
use crate::redact::Clean;

/// Servers send two or three; whoever sends more is not listened to.
const CHAIN: usize = 8;

/// What of the client's hello is repeated towards the server.
#[derive(Clone, PartialEq, Eq, Hash)]
pub(crate) struct Offer {
    /// What the client offers and the reader follows, in the client's order.
    pub(super) protocols: Vec<Protocol>,
    /// The client names the server.
    pub(super) sni: bool,
    /// The groups that the client and we both know, in our order: no key share that the client did not offer.
    pub(super) groups: Vec<u16>,
}

impl Offer {
    pub(crate) fn new(protocols: Vec<Protocol>, sni: bool, groups: Option<&[NamedGroup]>) -> Self {
        let ours: Vec<_> = crypto::provider().kx_groups.iter().map(|group| group.name()).collect();
        let offered = |group: &NamedGroup| groups.is_none_or(|groups| groups.contains(group));
        let shared: Vec<_> = ours.iter().filter(|group| offered(group)).map(|group| u16::from(*group)).collect();
        let groups = if shared.is_empty() { ours.into_iter().map(u16::from).collect() } else { shared };
        Self { protocols, sni, groups }
    }
}

/// What a server is called.
pub(crate) struct Names {
    /// Said to it, and looked for in its certificate.
    pub(crate) name: ServerName<'static>,
    /// As good in its certificate.
    pub(crate) alias: Option<ServerName<'static>>,
}

/// A TLS connection to a server whose certificate is accepted.
pub(crate) struct Secured {
    pub(crate) stream: Line,
    pub(crate) facts: Tls,
    pub(crate) certificate: CertificateDer<'static>,
    /// What the server chose.
    pub(crate) protocol: Option<Protocol>,
}

/// Why there is no TLS connection.
pub(crate) enum Unsecured {
    /// The connection is spent, and another one may do, with this attempt.
    Again(Attempt),
    /// Our TLS and the server's do not get along. The client's own may.
    Incompatible(Unseen),
    /// The server's certificate is refused; what the handshake settled is known all the same.
    Refused(Failure, Option<Box<Tls>>),
}

/// Which engine is to try it.
#[derive(Clone)]
pub(crate) enum Attempt {
    /// The usual one.
    Usual,
    /// The one for old TLS, because the usual one failed lately; with its words.
    #[cfg_attr(not(feature = "legacy-tls"), allow(dead_code))]
    Remembered(Clean),
    /// The one for old TLS, because the usual one has just failed; with its words.
    #[cfg_attr(not(feature = "legacy-tls"), allow(dead_code))]
    Old(Clean),
}

impl Upstream {
    /// What to try first with `target`.
    pub(crate) fn attempt(&self, target: &Target) -> Attempt {
        self.old.recall(target).map_or(Attempt::Usual, Attempt::Remembered)
    }

    /// TLS on a connection to `target`, which is called by its `names`.
    pub(crate) async fn secure(
        &self,
        target: &Target,
        hop: Hop,
        names: &Names,
        offer: &Offer,
        attempt: Attempt,
    ) -> Result<Box<Secured>, Unsecured> {
        match attempt {
            Attempt::Usual => self.by_usual(target, hop, names, offer).await,
            #[cfg(feature = "legacy-tls")]
            Attempt::Remembered(why) => match self.by_old(target, hop, names, offer, why).await {
                Err(Unsecured::Incompatible(_)) => {
                    self.old.forget(target);
                    Err(Unsecured::Again(Attempt::Usual))
                }
                other => other,
            },
            #[cfg(feature = "legacy-tls")]
            Attempt::Old(why) => self.by_old(target, hop, names, offer, why).await,
            #[cfg(not(feature = "legacy-tls"))]
            Attempt::Remembered(_) | Attempt::Old(_) => Err(Unsecured::Incompatible(Unseen::ServerTlsTooOld)),
        }
    }

    async fn by_usual(
        &self,
        target: &Target,
        hop: Hop,
        names: &Names,
        offer: &Offer,
    ) -> Result<Box<Secured>, Unsecured> {
        let cert = self.client_cert(target, &names.name);
        let Some(config) = self.configs.of(offer, cert) else {
            return Err(Unsecured::Incompatible(Unseen::ServerTlsTooOld));
        };
        let (outcome, wanted) = usual::connect(config, hop, names.name.clone()).await;
        let stream = outcome.map_err(|error| match Fault::of(&error, wanted) {
            Fault::Certificate => Unsecured::Refused(verdict::unreadable(), None),
            Fault::Not(reason) => Unsecured::Incompatible(reason),
            Fault::Engine(why) if cfg!(feature = "legacy-tls") && speaks_http1(offer) => {
                Unsecured::Again(Attempt::Old(why))
            }
            Fault::Engine(_) => Unsecured::Incompatible(Unseen::ServerTlsTooOld),
        })?;
        let (_, session) = stream.get_ref();
        if cfg!(feature = "legacy-tls") && cert.is_some() && wanted == usual::Wanted::No && may_ask_later(session) {
            let why = "the server may ask for the client certificate later, which takes renegotiation";
            return Err(Unsecured::Again(Attempt::Old(why.into())));
        }
        let chain = session.peer_certificates().unwrap_or_default();
        let (certificate, facts) = self.judged(chain, names, |certificate, chain| Tls {
            version: usual::version_words(session.protocol_version()),
            cipher: usual::cipher_words(session.negotiated_cipher_suite()),
            alpn: session.alpn_protocol().map(|protocol| self.redactor.wire().token(protocol)),
            chain,
            client_certificate: self.client_certificate(wanted, cert),
            resumed: session.handshake_kind() == Some(rustls::HandshakeKind::Resumed),
            ..Tls::of_certificate(certificate)
        })?;
        let protocol = session.alpn_protocol().and_then(Protocol::of);
        Ok(Box::new(Secured { stream: Box::new(stream), facts, certificate, protocol }))
    }

    #[cfg(feature = "legacy-tls")]
    async fn by_old(
        &self,
        target: &Target,
        hop: Hop,
        names: &Names,
        offer: &Offer,
        failed: Clean,
    ) -> Result<Box<Secured>, Unsecured> {
        let incompatible = || Unsecured::Incompatible(Unseen::ServerTlsTooOld);
        let cert = self.client_cert(target, &names.name);
        let connector = match cert {
            Some(cert) => cert.old(),
            None => self.connector.as_ref(),
        };
        let sni = match &names.name {
            ServerName::DnsName(name) if offer.sni => Some(name.as_ref()),
            _ => None,
        };
        let http1 = offer.protocols.contains(&Protocol::Http1);
        let connected = connector.ok_or_else(incompatible)?.connect(hop, sni, http1).await;
        let stream = connected.map_err(|_| incompatible())?;
        let settled = stream.settled();
        let wanted = match (settled.asked, cert) {
            (false, _) => usual::Wanted::No,
            (true, None) => usual::Wanted::Asked,
            (true, Some(_)) => usual::Wanted::Given,
        };
        self.old.remember(target, failed.clone());
        let (certificate, facts) = self.judged(&settled.chain, names, |certificate, chain| Tls {
            version: settled.version.into(),
            cipher: settled.cipher.into(),
            alpn: settled.alpn.as_deref().map(|protocol| self.redactor.wire().token(protocol)),
            chain,
            legacy: Some(why_old(settled.version, settled.cipher, failed)),
            client_certificate: self.client_certificate(wanted, cert),
            ..Tls::of_certificate(certificate)
        })?;
        let protocol = settled.alpn.as_deref().and_then(Protocol::of);
        Ok(Box::new(Secured { stream: Box::new(stream), facts, certificate, protocol }))
    }

    fn client_cert(&self, target: &Target, name: &ServerName<'_>) -> Option<&ClientCert> {
        let name = name.to_str();
        self.client_certs.iter().find(|given| given.is_for(&name, target.port))
    }

    fn client_certificate(&self, wanted: usual::Wanted, cert: Option<&ClientCert>) -> ClientCertificate {
        match wanted {
            usual::Wanted::No => ClientCertificate::NotAsked,
            usual::Wanted::Asked => ClientCertificate::Asked,
            usual::Wanted::Given => {
                let facts = cert.and_then(ClientCert::certificate).and_then(|der| self.facts.of(der, &self.redactor));
                facts.map_or(ClientCertificate::Asked, |facts| ClientCertificate::Given(facts.subject))
            }
        }
    }

    /// What a server's certificates are worth; with what the handshake settled, as `settled` has it.
    fn judged(
        &self,
        chain: &[CertificateDer<'_>],
        names: &Names,
        settled: impl FnOnce(Certificate, Vec<Certificate>) -> Tls,
    ) -> Result<(CertificateDer<'static>, Tls), Unsecured> {
        let unreadable = || Unsecured::Refused(verdict::unreadable(), None);
        let (first, others) = chain.split_first().ok_or_else(unreadable)?;
        let facts = self.facts.of(first, &self.redactor).ok_or_else(unreadable)?;
        let refused = |name| self.judge.refusal(chain, &facts, name);
        let refusal =
            refused(&names.name).filter(|_| names.alias.as_ref().is_none_or(|alias| refused(alias).is_some()));
        let others = others.iter().take(CHAIN).filter_map(|der| self.facts.of(der, &self.redactor));
        let mut tls = settled(facts, others.collect());
        match refusal {
            Some(failure) if !self.insecure => return Err(Unsecured::Refused(failure, Some(Box::new(tls)))),
            refusal => tls.accepted_despite = refusal.map(|failure| failure.text),
        }
        Ok((first.clone().into_owned(), tls))
    }
}

/// Whether a server that wants no certificate of ours yet could ask for one in the middle of the connection, as IIS does
/// where a directory wants one. A session that is resumed asked when it began.
fn may_ask_later(session: &rustls::ClientConnection) -> bool {
    session.protocol_version() == Some(rustls::ProtocolVersion::TLSv1_2)
        && session.handshake_kind() == Some(rustls::HandshakeKind::Full)
        && session.alpn_protocol() != Some(Protocol::Http2.id())
}

/// Whether HTTP/1.1 will do, the only protocol that is agreed on in old TLS.
fn speaks_http1(offer: &Offer) -> bool {
    offer.protocols.is_empty() || offer.protocols.contains(&Protocol::Http1)
}

/// Why the usual engine would not have come to this.
#[cfg(feature = "legacy-tls")]
fn why_old(version: &'static str, cipher: &'static str, failed: Clean) -> Clean {
    if matches!(version, "TLS 1.0" | "TLS 1.1") {
        return Clean::concat(["the server speaks nothing newer than ".into(), version.into()]);
    }
    if crypto::provider().cipher_suites.iter().all(|suite| suite.suite().as_str() != Some(cipher)) {
        return Clean::concat(["of TLS 1.2 the server takes none but old ciphers, here ".into(), cipher.into()]);
    }
    failed
}
