//! The way out: from a target to a connection (`dial`), through a proxy or not (`via`), TLS on it (`secure`, by the engine in `usual` or the one for old
//! TLS), and what the server's certificate is worth (`verdict`).

pub(crate) mod dial;
mod ends;
pub(crate) mod hop;
pub(crate) mod secure;
mod usual;
mod verdict;
pub(crate) mod via;

use std::io;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;

use rustls::RootCertStore;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, ServerName};
use tokio::net::TcpStream;
use tokio_rustls::client::TlsStream;
use zeroize::Zeroizing;

use crate::exchange::{Failure, Side};
use crate::proxy::certificates::certificate::Facts;
use crate::proxy::certificates::client_cert::ClientCert;
use crate::proxy::failure;
use crate::proxy::memory::Memory;
use crate::proxy::target::Target;
#[cfg(feature = "legacy-tls")]
use crate::proxy::tls::legacy;
use crate::proxy::tls::protocol::Protocol;
use crate::redact::{Clean, Redactor};
use dial::Resolve;
use ends::NearEnds;
use hop::Hop;
use usual::Configs;
use verdict::Judge;
use via::url::Speech;
use via::{UpstreamProxy, WayOut};

pub(crate) use secure::{Offer, Secured, Unsecured};
pub(crate) use usual::{cipher_words, version_words};

/// The way to the servers: names, roots of trust, TLS.
pub(crate) struct Upstream {
    resolve: Vec<Resolve>,
    way: WayOut,
    ends: NearEnds,
    own: Vec<SocketAddr>,
    redactor: Redactor,
    insecure: bool,
    judge: Judge,
    facts: Facts,
    client_certs: Vec<ClientCert>,
    configs: Configs,
    /// The engine for old TLS, without a certificate to give.
    #[cfg(feature = "legacy-tls")]
    connector: Option<legacy::Connector>,
    /// Servers with which the usual engine failed lately and the other one did not; the words of the one that failed.
    old: Memory<Clean>,
}

impl Upstream {
    pub(crate) fn new(
        resolve: Vec<Resolve>,
        way: WayOut,
        own: Vec<SocketAddr>,
        roots: RootCertStore,
        insecure: bool,
        client_certs: Vec<ClientCert>,
        redactor: Redactor,
    ) -> Self {
        Self {
            resolve,
            way,
            ends: NearEnds::default(),
            own,
            judge: Judge::new(roots, redactor.clone()),
            redactor,
            insecure,
            facts: Facts::default(),
            client_certs,
            configs: Configs::default(),
            #[cfg(feature = "legacy-tls")]
            connector: legacy::Connector::new(None),
            old: Memory::default(),
        }
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
        let tls = self.secure_proxy(self.hop(tcp), proxy.target()).await.map_err(failed)?;
        Ok((Hop::secured(tls), address))
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

    /// Whether a client that calls from `peer`, has sent something and was on its way to one of `destinations` is this
    /// proxy itself.
    pub(crate) fn is_ours(&self, peer: SocketAddr, destinations: impl FnOnce() -> Vec<SocketAddr>) -> bool {
        self.ends.hold(peer, destinations)
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
    async fn secure_proxy(&self, hop: Hop, proxy: &Target) -> Result<TlsStream<Hop>, Failure> {
        let incompatible = failure::server_tls_incompatible;
        let name = ServerName::try_from(proxy.host.clone()).map_err(|_| incompatible())?;
        let offer = Offer::new(vec![Protocol::Http1], true, None);
        let config = self.configs.of(&offer, None).ok_or_else(incompatible)?;
        let (tls, _) = usual::connect(config, hop, name.clone()).await;
        let tls = tls.map_err(|error| match tls_error(&error) {
            Some(error) => failure::server_tls(error, &self.redactor),
            None => failure::reset(Side::Server),
        })?;
        let chain = tls.get_ref().1.peer_certificates().unwrap_or_default();
        let facts = chain.first().and_then(|first| self.facts.of(first, &self.redactor));
        let refusal =
            facts.map_or_else(|| Some(verdict::unreadable()), |facts| self.judge.refusal(chain, &facts, &name));
        refusal.map_or(Ok(tls), Err)
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

/// The TLS error inside an I/O error, of whichever engine: each says it in the words of rustls.
pub(crate) fn tls_error(error: &io::Error) -> Option<&rustls::Error> {
    error.get_ref()?.downcast_ref()
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
