//! The proxy as a tap: bytes pass verbatim, a reader follows a copy of them.
//!
//! The way of a connection: `entry` (what do the first bytes ask for?) → `tap`, which copies, records and leaves
//! exchanges in the outbox. On the way `upstream` reaches the server, `certificates` has the one that the client is
//! shown, `answer` speaks where no server can. With a [`Responder`] of another kind somebody answers in the server's
//! place.

mod answer;
mod certificates;
mod entry;
mod failure;
mod hosts;
mod memory;
mod pace;
#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
mod stage;
mod tap;
mod target;
mod tls;
mod upstream;

use std::io;
use std::net::{IpAddr, SocketAddr};
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::time::Duration;

use tokio::sync::watch;
use tokio::task::JoinHandle;
use tokio::time::Instant;

use crate::exchange::Ids;
use crate::redact::Redactor;
use certificates::leaf::{Leaf, LeafError};
use entry::crowd::Crowd;
use entry::listener;
use memory::Unreadable;
use rustls::pki_types::CertificateDer;
use upstream::Upstream;

pub use answer::replay::{Dates, Pace, Replay, Staging};
pub use answer::respond::{Answer, Request, Respond, Responder};
pub use certificates::{Authority, AuthorityError, Domain, DomainError};
pub use certificates::{
    ClientCert, HostFile, HostFileError, KeyFileDoubt, KeyFileError, KeyFileOption, KeyFileProblem, ServerCert,
};
pub use entry::{Network, NetworkError, ProxyLogin, ProxyLoginError, ReverseUrl, ReverseUrlError};
pub use hosts::{HostPattern, HostPatternError, NEVER_DECRYPTED};
pub use tap::{Event, Outbox};
pub use upstream::UpstreamCaError;
pub use upstream::dial::{Resolve, ResolveError};
pub use upstream::via::{Named, UpstreamLoginError, UpstreamProxy, UpstreamProxyError, WayOut};

/// How long a shutdown waits for the last bodies; each takes a few milliseconds.
const REDACTING: Duration = Duration::from_secs(3);

/// How a proxy is to work.
pub struct Options {
    /// Where to listen; port 0 is any free port.
    pub listen: Vec<SocketAddr>,
    /// The one server that clients are to find here; without it clients say where they want to go.
    pub reverse: Option<ReverseUrl>,
    /// Whether connections that the system redirected here are served as the servers would that they were meant for.
    pub transparent: bool,
    /// From where clients may come, besides this machine.
    pub allow: Vec<Network>,
    /// What clients must say to be let in; nothing lets everybody in who may come.
    pub login: Option<ProxyLogin>,
    /// Whose certificates clients are shown.
    pub authority: Arc<Authority>,
    /// PEM files with further trust anchors for servers.
    pub upstream_ca: Vec<PathBuf>,
    /// Accept any server certificate; each one accepted so is recorded with what is wrong with it.
    pub insecure_upstream: bool,
    /// Where to connect instead of asking DNS.
    pub resolve: Vec<Resolve>,
    /// Which servers are reached through another proxy.
    pub way_out: WayOut,
    /// Hosts that are passed undecrypted; see [`HostPattern::never_decrypted`] for those that always should be.
    pub skip_decrypt: Vec<HostPattern>,
    /// Hosts with which no HTTP/2 is agreed on.
    pub http1: Vec<HostPattern>,
    /// Certificates that clients are shown instead of minted ones.
    pub server_certs: Vec<ServerCert>,
    /// Certificates that servers are shown if they ask for one.
    pub client_certs: Vec<ClientCert>,
    /// Record these hosts alone; empty means all.
    pub only: Vec<HostPattern>,
    /// How many bytes of each body are kept for reading.
    pub body_limit: usize,
    /// The run's redactor.
    pub redactor: Redactor,
    /// Where the numbers of exchanges and connections come from.
    pub ids: Ids,
    /// Where exchanges are left.
    pub outbox: Outbox,
    /// Who answers the requests.
    pub responder: Responder,
}

/// Starts a proxy on the current runtime. It runs until it is shut down or dropped.
pub async fn start(options: Options) -> Result<Proxy, StartError> {
    let roots = upstream::roots(&options.upstream_ca)?;
    if options.transparent && !entry::TRANSPARENT_AVAILABLE {
        return Err(StartError::NotTransparent);
    }
    let listeners = listener::bind(&options.listen, options.transparent).await?;
    let addresses = listeners.iter().map(tokio::net::TcpListener::local_addr).collect::<Result<Vec<_>, _>>();
    let addresses = addresses.map_err(|error| StartError::Listen { address: ([0, 0, 0, 0], 0).into(), error })?;
    let upstream = Upstream::new(
        options.resolve,
        options.way_out,
        addresses.clone(),
        roots,
        options.insecure_upstream,
        options.client_certs,
        options.redactor.clone(),
    );
    let context = Arc::new(Context {
        reverse: options.reverse,
        transparent: options.transparent,
        allow: options.allow,
        login: options.login,
        authority: options.authority,
        upstream,
        skip_decrypt: options.skip_decrypt,
        http1: options.http1,
        server_certs: options.server_certs,
        only: options.only,
        body_limit: options.body_limit,
        redactor: options.redactor,
        ids: options.ids,
        outbox: options.outbox,
        responder: options.responder,
        unreadable: Unreadable::default(),
        paused: AtomicBool::new(false),
        passed: AtomicU64::new(0),
        refused: AtomicU64::new(0),
        crowd: Crowd::new(),
        asked: AtomicU64::new(0),
        busy: AtomicUsize::new(0),
        redacting: AtomicUsize::new(0),
    });
    let (stop, stopped) = watch::channel(None);
    let accepting = listeners
        .into_iter()
        .map(|listener| tokio::spawn(listener::accept(listener, Arc::clone(&context), stopped.clone())))
        .collect();
    Ok(Proxy { addresses, context, stop, accepting })
}

/// A running proxy. Dropping it cuts all connections.
pub struct Proxy {
    addresses: Vec<SocketAddr>,
    context: Arc<Context>,
    stop: watch::Sender<Option<Instant>>,
    accepting: Vec<JoinHandle<()>>,
}

impl Proxy {
    /// Where it listens, in the order in which the addresses were given.
    pub fn addresses(&self) -> &[SocketAddr] {
        &self.addresses
    }

    /// While paused, exchanges that begin are not recorded; all traffic passes.
    pub fn pause(&self, paused: bool) {
        self.context.paused.store(paused, Ordering::Relaxed);
    }

    /// What was counted and not recorded, or not all of it.
    pub fn tally(&self) -> Tally {
        let context = &self.context;
        Tally {
            passed: context.passed.load(Ordering::Relaxed),
            refused: context.refused.load(Ordering::Relaxed),
            asked: context.asked.load(Ordering::Relaxed),
            dismissed: context.crowd.dismissed(),
            turned_away: context.crowd.turned_away(),
        }
    }

    /// Stops accepting, lets exchanges that are going on finish for at most `drain`, and cuts the rest. What is cut is
    /// in the outbox when this returns, and says so.
    pub async fn shutdown(self, drain: Duration) {
        self.stop.send_replace(Some(Instant::now() + drain));
        for accepting in self.accepting {
            let _ = accepting.await;
        }
        let patience = Instant::now() + REDACTING;
        while self.context.redacting.load(Ordering::Acquire) > 0 && Instant::now() < patience {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
    }
}

/// What a proxy counts and does not record, or not all of it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Tally {
    /// Connections that passed undecrypted and unrecorded because `--only` does not name their hosts.
    pub passed: u64,
    /// Connections that were closed at once because `--allow` does not name where they came from.
    pub refused: u64,
    /// Requests that came without user name and password, and were asked for them.
    pub asked: u64,
    /// Connections that were closed because the client took too long to say what it wants. The first are recorded.
    pub dismissed: u64,
    /// Connections that were closed at once because there were too many. The first are recorded.
    pub turned_away: u64,
}

/// Why a proxy cannot start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// Another program listens there.
    #[error("{address} is in use by another program; choose another port with --listen, or port 0 for any free one")]
    InUse {
        /// Where.
        address: SocketAddr,
    },
    /// The system does not allow it.
    #[error("listening on {address} is not allowed for this user; choose a port of 1024 or above with --listen")]
    Forbidden {
        /// Where.
        address: SocketAddr,
    },
    /// No network interface has that address.
    #[error("{address} is no address of this machine; choose one with --listen, such as 127.0.0.1:8080")]
    NotOurs {
        /// Where.
        address: SocketAddr,
    },
    /// The system does not say where a redirected connection was going.
    #[error("--transparent works on Linux alone; on this system set clients up with a proxy, or use --reverse")]
    NotTransparent,
    /// Another error of the system.
    #[error("cannot listen on {address}: {error}; choose another address with --listen")]
    Listen {
        /// Where.
        address: SocketAddr,
        /// What the system said.
        error: io::Error,
    },
    /// A file with further trust anchors cannot be used.
    #[error(transparent)]
    UpstreamCa(#[from] UpstreamCaError),
}

/// What all connections of a proxy share.
struct Context {
    reverse: Option<ReverseUrl>,
    transparent: bool,
    allow: Vec<Network>,
    /// What clients must say to be let in. HTTP is judged by its head; SOCKS asks [`ProxyLogin::admits`].
    login: Option<ProxyLogin>,
    authority: Arc<Authority>,
    upstream: Upstream,
    skip_decrypt: Vec<HostPattern>,
    http1: Vec<HostPattern>,
    server_certs: Vec<ServerCert>,
    only: Vec<HostPattern>,
    body_limit: usize,
    redactor: Redactor,
    ids: Ids,
    outbox: Outbox,
    responder: Responder,
    unreadable: Unreadable,
    paused: AtomicBool,
    passed: AtomicU64,
    /// Connections of clients that may not come.
    refused: AtomicU64,
    /// Everybody who is connected.
    crowd: Crowd,
    /// Requests that came without a login and were asked for one.
    asked: AtomicU64,
    /// Connections with an open exchange.
    busy: AtomicUsize,
    /// Exchanges that have ended and are not in the outbox yet: their bodies are being redacted.
    redacting: AtomicUsize,
}

impl Context {
    /// Whether a client at `address` may be served: those of this machine always, and where nobody said from where
    /// clients may come, all that can log in.
    fn may_come(&self, address: IpAddr) -> bool {
        address.to_canonical().is_loopback()
            || (self.allow.is_empty() && self.login.is_some())
            || self.allow.iter().any(|network| network.contains(address))
    }

    fn is_wanted(&self, host: &str, port: u16) -> bool {
        self.only.is_empty() || self.only.iter().any(|pattern| pattern.matches(host, port))
    }

    /// The certificate that was given for a host.
    fn server_cert(&self, host: &str, port: u16) -> Option<&ServerCert> {
        self.server_certs.iter().find(|given| given.is_for(host, port))
    }

    /// What a client that asked for `host` is shown: what was given for it, else one minted with the names of the
    /// `server`'s certificate.
    fn leaf(&self, host: &str, port: u16, server: Option<&CertificateDer<'_>>) -> Result<Arc<Leaf>, LeafError> {
        match self.server_cert(host, port) {
            Some(given) => Ok(given.leaf()),
            None => self.authority.leaf(host, server),
        }
    }

    /// How `leaf` is shown to clients that speak only old TLS: as it was given, or with a twin of the other kind of key.
    #[cfg(feature = "legacy-tls")]
    fn for_old_clients(&self, leaf: &Leaf) -> Option<Arc<tls::legacy::Acceptor>> {
        self.authority.for_old_clients(leaf)
    }

    /// Whether clients would accept what can be shown to them for `host`: a root may be limited to some domains.
    fn may_show(&self, host: &str, port: u16) -> bool {
        self.server_cert(host, port).is_some() || self.authority.may_sign(host)
    }

    fn is_http1_only(&self, host: &str, port: u16) -> bool {
        self.http1.iter().any(|pattern| pattern.matches(host, port))
    }

    fn is_skipped(&self, host: &str, port: u16) -> bool {
        self.skip_decrypt.iter().any(|pattern| pattern.matches(host, port))
    }
}
