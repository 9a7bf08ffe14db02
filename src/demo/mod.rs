//! A made-up Exchange, identity provider and Outlook on loopback, to see the instrument at work with nothing to set up.
//!
//! The servers decide by their own, wrongly configured, state and the client does what Outlook does; nothing here
//! knows of rules or findings. Only TCP, TLS and HTTP connect the demo with the proxy that watches it.

mod certificates;
mod exchange;
mod identity;
mod organisation;
mod outlook;
mod server;

use std::fs;
use std::io;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use tokio::net::TcpListener;
use tokio::task::JoinSet;

use certificates::Certificates;
use organisation::{ORGANISATIONS, Organisation};
use outlook::Outlook;

/// The servers of the demo, listening until this is dropped.
pub struct Stage {
    names: Vec<(String, SocketAddr)>,
    authority: PathBuf,
    servers: JoinSet<()>,
}

impl Stage {
    /// Starts the servers on free loopback ports; their throw-away root certificate is written into `folder`.
    pub async fn open(folder: &Path) -> Result<Self, StageError> {
        let certificates = Certificates::new().map_err(StageError::Certificate)?;
        let authority = folder.join("demo-server-ca.pem");
        #[allow(clippy::disallowed_methods)] // a public certificate, into the demo's own temporary folder
        fs::write(&authority, certificates.authority_pem())
            .map_err(|error| StageError::Folder(folder.to_owned(), error))?;
        let hosts: Vec<String> = ORGANISATIONS.iter().flat_map(Organisation::hosts).collect();
        let mut stage = Self { names: Vec::new(), authority, servers: JoinSet::new() };
        let exchange =
            stage.serve(certificates.server(&hosts).map_err(StageError::Certificate)?, exchange::answer).await?;
        let identity_hosts: Vec<String> = identity::HOSTS.iter().map(ToString::to_string).collect();
        let identity = stage
            .serve(certificates.server(&identity_hosts).map_err(StageError::Certificate)?, identity::answer)
            .await?;
        // A sign-in host behind a firewall that refuses: bound to learn a free port, then closed.
        let closed = TcpListener::bind(("127.0.0.1", 0)).await.and_then(|listener| listener.local_addr());
        let closed = closed.map_err(StageError::Listen)?;
        stage.names.extend(hosts.into_iter().map(|host| (host, exchange)));
        stage.names.extend(identity_hosts.into_iter().map(|host| (host, identity)));
        stage.names.push((identity::BLOCKED_HOST.to_owned(), closed));
        Ok(stage)
    }

    /// Which address stands behind which name; every name is asked for on port 443.
    pub fn names(&self) -> &[(String, SocketAddr)] {
        &self.names
    }

    /// The PEM file of the root that signed the servers' certificates.
    pub fn authority(&self) -> &Path {
        &self.authority
    }

    async fn serve(
        &mut self,
        tls: Arc<rustls::ServerConfig>,
        answer: fn(&server::Request) -> server::Answer,
    ) -> Result<SocketAddr, StageError> {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.map_err(StageError::Listen)?;
        let address = listener.local_addr().map_err(StageError::Listen)?;
        self.servers.spawn(server::run(listener, tls, answer));
        Ok(address)
    }
}

/// How fast the demo goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Pace {
    /// As fast as it can.
    Fast,
    /// With pauses between requests and scenes, so that a person can follow.
    Watchable,
}

impl Pace {
    async fn between_requests(self) {
        self.pause(Duration::from_millis(350)).await;
    }

    async fn between_scenes(self) {
        self.pause(Duration::from_millis(1500)).await;
    }

    async fn pause(self, pause: Duration) {
        if self == Self::Watchable {
            tokio::time::sleep(pause).await;
        }
    }
}

/// Plays every organisation's sign-in in turn through the proxy at `proxy`, trusting the root in `trusted` (PEM), which
/// is the proxy's own.
pub async fn play(proxy: SocketAddr, trusted: &Path, pace: Pace) -> Result<(), StageError> {
    let trusted = certificates::trust(trusted).map_err(StageError::Certificate)?;
    for organisation in ORGANISATIONS {
        Outlook::new(organisation, proxy, &trusted, pace).start().await;
        pace.between_scenes().await;
    }
    Ok(())
}

/// Why the demo cannot be set up.
#[derive(Debug, thiserror::Error)]
pub enum StageError {
    /// No free loopback port.
    #[error("the demo's servers cannot listen on 127.0.0.1: {0}")]
    Listen(#[source] io::Error),
    /// Its folder cannot be written.
    #[error("the demo cannot write into {0}: {1}")]
    Folder(PathBuf, #[source] io::Error),
    /// Its certificates cannot be made or read.
    #[error("the demo's certificates: {0}")]
    Certificate(#[source] certificates::CertificateError),
}
