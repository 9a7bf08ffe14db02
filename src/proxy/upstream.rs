//! TLS towards the server, and what its certificate is worth.
//!
//! The certificate is judged after the handshake and before the first byte of the client's is sent: so a resumed
//! session is judged like any other, and the verdict comes with all that the certificate says.

use std::collections::HashMap;
use std::io;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};

use rustls::client::WebPkiServerVerifier;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::CryptoProvider;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::{
    AlertDescription, CertificateError, ClientConfig, DigitallySignedStruct, InvalidMessage, NamedGroup,
    ProtocolVersion, RootCertStore, SignatureScheme,
};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

use super::certificate::{self, day_and_minute};
use super::crypto;
use super::dial::{self, Resolve};
use super::target::Target;
use crate::exchange::{Certificate, Failure, FailureKind, Side, Step, Timestamp, Tls, Unseen};
use crate::redact::{Clean, Redactor};

/// The way to the servers: names, roots of trust, TLS.
pub(super) struct Upstream {
    resolve: Vec<Resolve>,
    own: Vec<SocketAddr>,
    redactor: Redactor,
    insecure: bool,
    /// Nothing where neither the system nor the user names a root.
    webpki: Option<Arc<WebPkiServerVerifier>>,
    configs: Mutex<HashMap<Offer, Arc<ClientConfig>>>,
}

/// What of the client's hello is repeated towards the server.
#[derive(Clone, PartialEq, Eq, Hash)]
pub(super) struct Offer {
    /// The client offers `http/1.1`.
    pub(super) http1: bool,
    /// The client names the server.
    pub(super) sni: bool,
    /// The groups that the client and we both know, in our order: no key share that the client did not offer.
    groups: Vec<u16>,
}

impl Offer {
    pub(super) fn new(http1: bool, sni: bool, groups: Option<&[NamedGroup]>) -> Self {
        let ours: Vec<_> = crypto::provider().kx_groups.iter().map(|group| group.name()).collect();
        let offered = |group: &NamedGroup| groups.is_none_or(|groups| groups.contains(group));
        let shared: Vec<_> = ours.iter().filter(|group| offered(group)).map(|group| u16::from(*group)).collect();
        let groups = if shared.is_empty() { ours.into_iter().map(u16::from).collect() } else { shared };
        Self { http1, sni, groups }
    }
}

/// A TLS connection to a server whose certificate is accepted.
pub(super) struct Secured {
    pub(super) stream: TlsStream<TcpStream>,
    pub(super) facts: Tls,
    pub(super) certificate: CertificateDer<'static>,
    /// The server chose `http/1.1`; else it chose nothing.
    pub(super) http1: bool,
}

/// Why there is no TLS connection.
pub(super) enum Unsecured {
    /// Our TLS and the server's do not get along. The client's own may.
    Incompatible(Unseen),
    /// The server's certificate is refused; what the handshake settled is known all the same.
    Refused(Failure, Option<Box<Tls>>),
}

impl Upstream {
    pub(super) fn new(
        resolve: Vec<Resolve>,
        own: Vec<SocketAddr>,
        roots: RootCertStore,
        insecure: bool,
        redactor: Redactor,
    ) -> Self {
        let webpki = WebPkiServerVerifier::builder_with_provider(Arc::new(roots), crypto::provider()).build().ok();
        Self { resolve, own, redactor, insecure, webpki, configs: Mutex::default() }
    }

    /// Opens a TCP connection to `target`.
    pub(super) async fn connect(&self, target: &Target) -> Result<(TcpStream, SocketAddr), Failure> {
        dial::dial(target, &self.resolve, &self.own, &self.redactor).await
    }

    /// TLS on a connection to `name`.
    pub(super) async fn secure(
        &self,
        tcp: TcpStream,
        name: ServerName<'static>,
        offer: &Offer,
    ) -> Result<Box<Secured>, Unsecured> {
        let config = self.config(offer).ok_or(Unsecured::Incompatible(Unseen::ServerTlsTooOld))?;
        let stream = TlsConnector::from(config).connect(name.clone(), tcp).await.map_err(|error| unsecured(&error))?;
        let (_, session) = stream.get_ref();
        let chain = session.peer_certificates().unwrap_or_default();
        let Some((certificate, facts)) = chain
            .first()
            .and_then(|first| Some((first.clone().into_owned(), certificate::facts(first, &self.redactor)?)))
        else {
            return Err(Unsecured::Refused(unreadable_certificate(), None));
        };
        let refusal = self.judge(chain, &facts, &name);
        let mut facts = Tls {
            version: version_words(session.protocol_version()),
            cipher: cipher_words(session.negotiated_cipher_suite()),
            alpn: session.alpn_protocol().map(|protocol| self.redactor.wire().token(protocol)),
            certificate: facts,
            accepted_despite: None,
        };
        match refusal {
            Some(failure) if !self.insecure => return Err(Unsecured::Refused(failure, Some(Box::new(facts)))),
            refusal => facts.accepted_despite = refusal.map(|failure| failure.text),
        }
        let http1 = session.alpn_protocol().is_some();
        Ok(Box::new(Secured { stream, facts, certificate, http1 }))
    }

    fn config(&self, offer: &Offer) -> Option<Arc<ClientConfig>> {
        let mut configs = self.configs.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(config) = configs.get(offer) {
            return Some(Arc::clone(config));
        }
        let provider = crypto::provider();
        let groups = provider
            .kx_groups
            .iter()
            .copied()
            .filter(|group| offer.groups.contains(&u16::from(group.name())))
            .collect();
        let provider = CryptoProvider { kx_groups: groups, ..(*provider).clone() };
        let mut config = ClientConfig::builder_with_provider(Arc::new(provider))
            .with_safe_default_protocol_versions()
            .ok()?
            .dangerous()
            .with_custom_certificate_verifier(Arc::new(JudgedLater))
            .with_no_client_auth();
        config.enable_sni = offer.sni;
        if offer.http1 {
            config.alpn_protocols = vec![b"http/1.1".to_vec()];
        }
        let config = Arc::new(config);
        configs.insert(offer.clone(), Arc::clone(&config));
        Some(config)
    }

    /// What is wrong with a server's certificates; nothing where all is well.
    fn judge(&self, chain: &[CertificateDer<'_>], facts: &Certificate, name: &ServerName<'_>) -> Option<Failure> {
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

/// A handshake that failed. Everything but a bad certificate may be our TLS's fault and not the client's.
fn unsecured(error: &io::Error) -> Unsecured {
    use rustls::Error;
    match tls_error(error) {
        Some(Error::InvalidCertificate(_)) => Unsecured::Refused(unreadable_certificate(), None),
        Some(Error::AlertReceived(AlertDescription::NoApplicationProtocol)) => {
            Unsecured::Incompatible(Unseen::UnreadProtocol)
        }
        Some(Error::InvalidMessage(InvalidMessage::InvalidContentType)) => Unsecured::Incompatible(Unseen::NotTls),
        _ => Unsecured::Incompatible(Unseen::ServerTlsTooOld),
    }
}

fn refusal(kind: FailureKind, text: Clean) -> Failure {
    Failure { side: Side::Server, step: Step::Tls, kind, text }
}

fn unreadable_certificate() -> Failure {
    refusal(
        FailureKind::CertificateInvalid,
        "the server's certificate cannot be read, or does not fit its signature".into(),
    )
}

/// The rustls error inside an I/O error of tokio-rustls.
pub(super) fn tls_error(error: &io::Error) -> Option<&rustls::Error> {
    error.get_ref()?.downcast_ref()
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

fn version_words(version: Option<ProtocolVersion>) -> Clean {
    match version {
        Some(ProtocolVersion::TLSv1_3) => "TLS 1.3",
        Some(ProtocolVersion::TLSv1_2) => "TLS 1.2",
        _ => "TLS",
    }
    .into()
}

/// The suite as IANA names it; rustls marks those of TLS 1.3 in its own way.
fn cipher_words(suite: Option<rustls::SupportedCipherSuite>) -> Clean {
    use rustls::CipherSuite as Suite;
    match suite.map(|suite| suite.suite()) {
        Some(Suite::TLS13_AES_128_GCM_SHA256) => "TLS_AES_128_GCM_SHA256",
        Some(Suite::TLS13_AES_256_GCM_SHA384) => "TLS_AES_256_GCM_SHA384",
        Some(Suite::TLS13_CHACHA20_POLY1305_SHA256) => "TLS_CHACHA20_POLY1305_SHA256",
        Some(suite) => suite.as_str().unwrap_or("unknown"),
        None => "unknown",
    }
    .into()
}

/// The system's roots of trust and those in the PEM files `extra`.
pub(super) fn roots(extra: &[PathBuf]) -> Result<RootCertStore, UpstreamCaError> {
    let mut roots = RootCertStore::empty();
    // A root of the system's that cannot be read is no reason not to start: what it would have vouched for is refused.
    roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
    for path in extra {
        let pem = std::fs::read(path).map_err(|error| UpstreamCaError::Read { path: path.clone(), error })?;
        let mut found = 0;
        for certificate in CertificateDer::pem_slice_iter(&pem) {
            let added = certificate.ok().map(|certificate| roots.add(certificate));
            if !matches!(added, Some(Ok(()))) {
                return Err(UpstreamCaError::Parse { path: path.clone() });
            }
            found += 1;
        }
        if found == 0 {
            return Err(UpstreamCaError::Empty { path: path.clone() });
        }
    }
    Ok(roots)
}

/// Why a file with further trust anchors cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum UpstreamCaError {
    /// It cannot be read.
    #[error("cannot read {} given with --upstream-ca: {error}", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// What the system said.
        error: io::Error,
    },
    /// Something in it is no certificate.
    #[error("{} given with --upstream-ca holds something that is no certificate", path.display())]
    Parse {
        /// The file.
        path: PathBuf,
    },
    /// There is none in it.
    #[error("{} given with --upstream-ca holds no certificate; PEM is expected (-----BEGIN CERTIFICATE-----)", path.display())]
    Empty {
        /// The file.
        path: PathBuf,
    },
}

/// Checks the handshake's signatures and leaves the certificate to [`Upstream::judge`].
#[derive(Debug)]
struct JudgedLater;

impl ServerCertVerifier for JudgedLater {
    fn verify_server_cert(
        &self,
        _: &CertificateDer<'_>,
        _: &[CertificateDer<'_>],
        _: &ServerName<'_>,
        _: &[u8],
        _: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        let algorithms = crypto::provider().signature_verification_algorithms;
        rustls::crypto::verify_tls12_signature(message, cert, signed, &algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        let algorithms = crypto::provider().signature_verification_algorithms;
        rustls::crypto::verify_tls13_signature(message, cert, signed, &algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        crypto::provider().signature_verification_algorithms.supported_schemes()
    }
}
