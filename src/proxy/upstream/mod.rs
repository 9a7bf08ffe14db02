//! The way out: from a target to a connection (`dial`), TLS on it (`secure`, by the engine in `usual` or the one for old
//! TLS), and what the server's certificate is worth (`verdict`).

pub(crate) mod dial;
pub(crate) mod hop;
pub(crate) mod secure;
mod usual;
mod verdict;

use std::io;
use std::net::SocketAddr;
use std::path::PathBuf;

use rustls::RootCertStore;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;

use crate::exchange::Failure;
use crate::proxy::certificates::certificate::Facts;
use crate::proxy::certificates::client_cert::ClientCert;
use crate::proxy::memory::Memory;
use crate::proxy::target::Target;
#[cfg(feature = "legacy-tls")]
use crate::proxy::tls::legacy;
use crate::redact::{Clean, Redactor};
use dial::Resolve;
use hop::Hop;
use usual::Configs;
use verdict::Judge;

pub(crate) use secure::{Offer, Secured, Unsecured};
pub(crate) use usual::{cipher_words, version_words};

/// The way to the servers: names, roots of trust, TLS.
pub(crate) struct Upstream {
    resolve: Vec<Resolve>,
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
        own: Vec<SocketAddr>,
        roots: RootCertStore,
        insecure: bool,
        client_certs: Vec<ClientCert>,
        redactor: Redactor,
    ) -> Self {
        Self {
            resolve,
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

    /// Opens a connection to `target`.
    pub(crate) async fn connect(&self, target: &Target) -> Result<(Hop, SocketAddr), Failure> {
        let (tcp, address) = dial::dial(target, &self.resolve, &self.own, &self.redactor).await?;
        Ok((Hop::Tcp(tcp), address))
    }
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
