//! The usual engine towards servers: rustls, with TLS 1.2 and 1.3.

use std::cell::Cell;
use std::collections::HashMap;
use std::io;
use std::sync::{Arc, Mutex, PoisonError};

use rustls::client::ResolvesClientCert;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::CryptoProvider;
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::sign::CertifiedKey;
use rustls::{
    AlertDescription, ClientConfig, DigitallySignedStruct, InvalidMessage, ProtocolVersion, SignatureScheme,
    SupportedCipherSuite,
};
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

use crate::exchange::Unseen;
use crate::proxy::certificates::client_cert::ClientCert;
use crate::proxy::tls::crypto;
use crate::proxy::upstream::hop::Hop;
use crate::proxy::upstream::secure::Offer;
use crate::proxy::upstream::tls_error;
use crate::redact::Clean;

/// More ways to offer than clients have. Each keeps sessions to resume.
const KEPT: usize = 64;

/// How TLS is offered, kept for as long as sessions may be resumed. What one client certificate began no other one, and
/// none without, goes on with: each has its own.
#[derive(Default)]
pub(crate) struct Configs(Mutex<HashMap<Key, Arc<ClientConfig>>>);

/// An offer, and the digest of the certificate that goes with it.
type Key = (Offer, Option<[u8; 32]>);

impl Configs {
    /// For this offer, with this certificate to give.
    pub(crate) fn of(&self, offer: &Offer, cert: Option<&ClientCert>) -> Option<Arc<ClientConfig>> {
        let key = (offer.clone(), cert.and_then(ClientCert::certificate).map(|der| crypto::sha256(der)));
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(config) = kept.get(&key) {
            return Some(Arc::clone(config));
        }
        let config = Arc::new(config(offer, cert)?);
        if kept.len() >= KEPT {
            kept.clear();
        }
        kept.insert(key, Arc::clone(&config));
        Some(config)
    }
}

fn config(offer: &Offer, cert: Option<&ClientCert>) -> Option<ClientConfig> {
    let provider = crypto::provider();
    let groups =
        provider.kx_groups.iter().copied().filter(|group| offer.groups.contains(&u16::from(group.name()))).collect();
    let provider = CryptoProvider { kx_groups: groups, ..(*provider).clone() };
    let mut config = ClientConfig::builder_with_provider(Arc::new(provider))
        .with_safe_default_protocol_versions()
        .ok()?
        .dangerous()
        .with_custom_certificate_verifier(Arc::new(JudgedLater))
        .with_client_cert_resolver(Arc::new(Held(cert.map(|cert| Arc::clone(cert.certified())))));
    config.enable_sni = offer.sni;
    config.alpn_protocols = offer.protocols.iter().map(|protocol| protocol.id().to_vec()).collect();
    Some(config)
}

/// Whether a server wanted a certificate of ours.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Wanted {
    /// It did not.
    No,
    /// It did, and there was none that it would take.
    Asked,
    /// It did, and got one.
    Given,
}

tokio::task_local! {
    /// Where the handshake that runs in this task notes it: its configuration is shared with others.
    static WANTED: Cell<Wanted>;
}

/// A handshake over `hop`, and whether the server wanted a certificate in it.
pub(crate) async fn connect(
    config: Arc<ClientConfig>,
    hop: Hop,
    name: ServerName<'static>,
) -> (io::Result<TlsStream<Hop>>, Wanted) {
    let handshake = async {
        let outcome = TlsConnector::from(config).connect(name, hop).await;
        (outcome, WANTED.with(Cell::get))
    };
    WANTED.scope(Cell::new(Wanted::No), handshake).await
}

/// The certificate that a server gets if it asks for one.
#[derive(Debug)]
struct Held(Option<Arc<CertifiedKey>>);

impl ResolvesClientCert for Held {
    fn resolve(&self, _: &[&[u8]], schemes: &[SignatureScheme]) -> Option<Arc<CertifiedKey>> {
        let fitting = self.0.clone().filter(|held| held.key.choose_scheme(schemes).is_some());
        let wanted = if fitting.is_some() { Wanted::Given } else { Wanted::Asked };
        let _ = WANTED.try_with(|noted| noted.set(wanted));
        fitting
    }

    fn has_certs(&self) -> bool {
        self.0.is_some()
    }
}

/// What a handshake failed of.
pub(crate) enum Fault {
    /// The server's certificate cannot be read, or does not fit its signature.
    Certificate,
    /// It is not for another engine to mend; why.
    Not(Unseen),
    /// Of this engine, it may be, and not of the client's; in words.
    Engine(Clean),
}

impl Fault {
    pub(crate) fn of(error: &io::Error, wanted: Wanted) -> Self {
        use rustls::Error;
        match tls_error(error) {
            Some(Error::InvalidCertificate(_)) => Self::Certificate,
            Some(Error::AlertReceived(AlertDescription::NoApplicationProtocol)) => Self::Not(Unseen::UnreadProtocol),
            // It came as far as asking for a certificate, so it speaks our TLS.
            Some(Error::AlertReceived(_)) if wanted != Wanted::No => Self::Not(Unseen::ServerWantsCertificate),
            Some(Error::InvalidMessage(InvalidMessage::InvalidContentType)) => Self::Not(Unseen::NotTls),
            Some(Error::AlertReceived(_)) => Self::Engine("the server refuses what the usual engine offers".into()),
            Some(Error::PeerIncompatible(_)) => {
                Self::Engine("the server's answer has no version or cipher of the usual engine's".into())
            }
            Some(_) => Self::Engine("the server's TLS breaks rules that the usual engine insists on".into()),
            None => Self::Engine("the server closes the connection on what the usual engine offers".into()),
        }
    }
}

pub(crate) fn version_words(version: Option<ProtocolVersion>) -> Clean {
    match version {
        Some(ProtocolVersion::TLSv1_3) => "TLS 1.3",
        Some(ProtocolVersion::TLSv1_2) => "TLS 1.2",
        _ => "TLS",
    }
    .into()
}

/// The suite as IANA names it; rustls marks those of TLS 1.3 in its own way.
pub(crate) fn cipher_words(suite: Option<SupportedCipherSuite>) -> Clean {
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

/// Checks the handshake's signatures and leaves the certificate to the judge.
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
