//! TLS towards the server, and what its certificate is worth.
//!
//! The certificate is judged after the handshake and before the first byte of the client's is sent: so a resumed
//! session is judged like any other, and the verdict comes with all that the certificate says.

pub(crate) mod dial;
mod ends;
pub(crate) mod hop;
mod verdict;
pub(crate) mod via;

use std::collections::HashMap;
use std::io;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};

use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::CryptoProvider;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::{
    AlertDescription, ClientConfig, DigitallySignedStruct, InvalidMessage, NamedGroup, ProtocolVersion, RootCertStore,
    SignatureScheme,
};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;
use zeroize::Zeroizing;

use crate::exchange::{Failure, Side, Tls, Unseen};
use crate::proxy::certificates::certificate;
use crate::proxy::failure;
use crate::proxy::target::Target;
use crate::proxy::tls::crypto;
use crate::proxy::tls::protocol::Protocol;
use crate::redact::{Clean, Redactor};
use dial::Resolve;
use ends::NearEnds;
use hop::Hop;
use verdict::Judge;
use via::url::Speech;
use via::{UpstreamProxy, WayOut};

/// The way to the servers: names, roots of trust, TLS.
pub(crate) struct Upstream {
    resolve: Vec<Resolve>,
    way: WayOut,
    ends: NearEnds,
    own: Vec<SocketAddr>,
    redactor: Redactor,
    insecure: bool,
    judge: Judge,
    configs: Mutex<HashMap<Offer, Arc<ClientConfig>>>,
}

/// What of the client's hello is repeated towards the server.
#[derive(Clone, PartialEq, Eq, Hash)]
pub(crate) struct Offer {
    /// What the client offers and the reader follows, in the client's order.
    protocols: Vec<Protocol>,
    /// The client names the server.
    sni: bool,
    /// The groups that the client and we both know, in our order: no key share that the client did not offer.
    groups: Vec<u16>,
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

/// A connection to a server, through a proxy or not.
pub(crate) struct Connected {
    pub(crate) hop: Hop,
    /// Of the server, or of the proxy before it.
    pub(crate) address: SocketAddr,
    /// What the server said already; mostly servers wait.
    pub(crate) greeting: Vec<u8>,
}

/// A TLS connection to a server whose certificate is accepted.
pub(crate) struct Secured {
    pub(crate) stream: TlsStream<Hop>,
    pub(crate) facts: Tls,
    pub(crate) certificate: CertificateDer<'static>,
    /// What the server chose.
    pub(crate) protocol: Option<Protocol>,
}

/// Why there is no TLS connection.
pub(crate) enum Unsecured {
    /// Our TLS and the server's do not get along. The client's own may.
    Incompatible(Unseen),
    /// The server's certificate is refused; what the handshake settled is known all the same.
    Refused(Failure, Option<Box<Tls>>),
}

impl Upstream {
    pub(crate) fn new(
        resolve: Vec<Resolve>,
        way: WayOut,
        own: Vec<SocketAddr>,
        roots: RootCertStore,
        insecure: bool,
        redactor: Redactor,
    ) -> Self {
        let judge = Judge::new(roots, redactor.clone());
        Self { resolve, way, ends: NearEnds::default(), own, redactor, insecure, judge, configs: Mutex::default() }
    }

    /// Opens a connection to `target`, through a proxy where one leads there. `head` is the CONNECT by which the client
    /// asked us for it, if one did.
    pub(crate) async fn connect(&self, target: &Target, head: &[u8]) -> Result<Connected, Failure> {
        let Some(proxy) = self.way.for_tunnels(target) else {
            let (tcp, address) = dial::dial(target, &self.resolve, &self.own, &self.redactor).await?;
            return Ok(Connected { hop: self.hop(tcp), address, greeting: Vec::new() });
        };
        let (mut hop, address) = self.reach(proxy).await?;
        let target = &self.aimed(target);
        let greeting = match proxy.speech() {
            Speech::Socks5 => via::socks::ask(&mut hop, proxy, target).await.map(|()| Vec::new()),
            Speech::Http | Speech::Https => {
                let request = via::connect::request(proxy, target, head);
                via::connect::ask(&mut hop, &request).await.and_then(|mut said| {
                    if said.stands() {
                        Ok(said.read.split_off(said.head))
                    } else {
                        Err(via::connect::refused(&said, target, &self.redactor))
                    }
                })
            }
        };
        let greeting = greeting.map_err(|failure| via::on_the_way(proxy, failure, &self.redactor))?;
        Ok(Connected { hop, address, greeting })
    }

    /// Opens a connection to `proxy` itself.
    pub(crate) async fn reach(&self, proxy: &UpstreamProxy) -> Result<(Hop, SocketAddr), Failure> {
        let failed = |failure| via::on_the_way(proxy, failure, &self.redactor);
        let (tcp, address) =
            dial::dial(proxy.target(), &self.resolve, &self.own, &self.redactor).await.map_err(failed)?;
        if proxy.speech() != Speech::Https {
            return Ok((self.hop(tcp), address));
        }
        let near = self.ends.of(&tcp);
        let tls = self.secure_proxy(tcp, proxy.target()).await.map_err(failed)?;
        Ok((Hop::secured(tls, near), address))
    }

    /// The HTTP proxy that is asked for tunnels to `target`, and the head that asks it where the client has asked us
    /// with `head`.
    pub(crate) fn tunnel_proxy(
        &self,
        target: &Target,
        head: &[u8],
    ) -> Option<(Arc<UpstreamProxy>, Zeroizing<Vec<u8>>)> {
        let proxy = self.way.for_tunnels(target).filter(|proxy| proxy.speech() != Speech::Socks5)?;
        Some((Arc::clone(proxy), via::connect::request(proxy, &self.aimed(target), head)))
    }

    /// The HTTP proxy that requests for `target` are given to in absolute form.
    pub(crate) fn request_proxy(&self, target: &Target) -> Option<Arc<UpstreamProxy>> {
        let proxy = self.way.for_requests(target).filter(|proxy| proxy.speech() != Speech::Socks5)?;
        // The name of a server that is aimed at by its address would be lost in the URL.
        dial::overridden(target, &self.resolve).next().is_none().then(|| Arc::clone(proxy))
    }

    /// The addresses that we listen on.
    pub(crate) fn own(&self) -> &[SocketAddr] {
        &self.own
    }

    /// Whether a client that calls from `peer` and has sent something is this proxy itself.
    pub(crate) fn is_ours(&self, peer: SocketAddr) -> bool {
        self.ends.hold(peer)
    }

    fn hop(&self, tcp: TcpStream) -> Hop {
        let near = self.ends.of(&tcp);
        Hop::plain(tcp, near)
    }

    /// What a proxy is asked for: the first address that `--resolve` gives, else the name.
    fn aimed(&self, target: &Target) -> Target {
        match dial::overridden(target, &self.resolve).next() {
            Some(address) => Target { host: address.ip().to_string(), port: address.port() },
            None => target.clone(),
        }
    }

    /// TLS with a proxy, for what is said to the proxy itself. Its certificate must be good.
    async fn secure_proxy(&self, tcp: TcpStream, proxy: &Target) -> Result<TlsStream<TcpStream>, Failure> {
        let incompatible = failure::server_tls_incompatible;
        let name = ServerName::try_from(proxy.host.clone()).map_err(|_| incompatible())?;
        let config = self.config(&Offer::new(vec![Protocol::Http1], true, None)).ok_or_else(incompatible)?;
        let tls =
            TlsConnector::from(config).connect(name.clone(), tcp).await.map_err(|error| match tls_error(&error) {
                Some(error) => failure::server_tls(error, &self.redactor),
                None => failure::reset(Side::Server),
            })?;
        let chain = tls.get_ref().1.peer_certificates().unwrap_or_default();
        let facts = chain.first().and_then(|first| certificate::facts(first, &self.redactor));
        let refusal =
            facts.map_or_else(|| Some(verdict::unreadable()), |facts| self.judge.refusal(chain, &facts, &name));
        refusal.map_or(Ok(tls), Err)
    }

    /// TLS on a connection to `name`. A certificate for `alias` is as good.
    pub(crate) async fn secure(
        &self,
        hop: Hop,
        name: ServerName<'static>,
        alias: Option<&ServerName<'static>>,
        offer: &Offer,
    ) -> Result<Box<Secured>, Unsecured> {
        let config = self.config(offer).ok_or(Unsecured::Incompatible(Unseen::ServerTlsTooOld))?;
        let stream = TlsConnector::from(config).connect(name.clone(), hop).await.map_err(|error| unsecured(&error))?;
        let (_, session) = stream.get_ref();
        let chain = session.peer_certificates().unwrap_or_default();
        let Some((certificate, facts)) = chain
            .first()
            .and_then(|first| Some((first.clone().into_owned(), certificate::facts(first, &self.redactor)?)))
        else {
            return Err(Unsecured::Refused(verdict::unreadable(), None));
        };
        let refusal = self.judge.refusal(chain, &facts, &name);
        let refusal = refusal.filter(|_| alias.is_none_or(|alias| self.judge.refusal(chain, &facts, alias).is_some()));
        let mut facts = Tls {
            version: version_words(session.protocol_version()),
            cipher: cipher_words(session.negotiated_cipher_suite()),
            alpn: session.alpn_protocol().map(|protocol| self.redactor.wire().token(protocol)),
            ..Tls::of_certificate(facts)
        };
        match refusal {
            Some(failure) if !self.insecure => return Err(Unsecured::Refused(failure, Some(Box::new(facts)))),
            refusal => facts.accepted_despite = refusal.map(|failure| failure.text),
        }
        let protocol = session.alpn_protocol().and_then(Protocol::of);
        Ok(Box::new(Secured { stream, facts, certificate, protocol }))
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
        config.alpn_protocols = offer.protocols.iter().map(|protocol| protocol.id().to_vec()).collect();
        let config = Arc::new(config);
        configs.insert(offer.clone(), Arc::clone(&config));
        Some(config)
    }
}

/// A handshake that failed. Everything but a bad certificate may be our TLS's fault and not the client's.
fn unsecured(error: &io::Error) -> Unsecured {
    use rustls::Error;
    match tls_error(error) {
        Some(Error::InvalidCertificate(_)) => Unsecured::Refused(verdict::unreadable(), None),
        Some(Error::AlertReceived(AlertDescription::NoApplicationProtocol)) => {
            Unsecured::Incompatible(Unseen::UnreadProtocol)
        }
        Some(Error::InvalidMessage(InvalidMessage::InvalidContentType)) => Unsecured::Incompatible(Unseen::NotTls),
        _ => Unsecured::Incompatible(Unseen::ServerTlsTooOld),
    }
}

/// The rustls error inside an I/O error of tokio-rustls.
pub(crate) fn tls_error(error: &io::Error) -> Option<&rustls::Error> {
    error.get_ref()?.downcast_ref()
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
pub(crate) fn roots(extra: &[PathBuf]) -> Result<RootCertStore, UpstreamCaError> {
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

/// Checks the handshake's signatures and leaves the certificate to [`Judge`].
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
