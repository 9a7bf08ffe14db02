//! `--client-cert HOST=FILE`: a certificate with its key that a server is shown if it asks for one.

use std::path::Path;
use std::sync::Arc;

use rustls::pki_types::CertificateDer;
use rustls::sign::CertifiedKey;

use crate::proxy::certificates::key_file::{HostFile, KeyFile, KeyFileDoubt, KeyFileError, KeyFileOption};
use crate::proxy::hosts::HostPattern;
#[cfg(feature = "legacy-tls")]
use crate::proxy::tls::legacy;

/// A certificate of the client's, which we hold for it.
pub struct ClientCert {
    host: HostPattern,
    certified: Arc<CertifiedKey>,
    #[cfg(feature = "legacy-tls")]
    old: Option<legacy::Connector>,
    doubts: Vec<KeyFileDoubt>,
}

impl ClientCert {
    /// Reads `file`. For a PFX, `password` is asked unless it has none.
    pub fn load(file: HostFile, password: impl FnOnce(&Path) -> Option<String>) -> Result<Self, KeyFileError> {
        let given = KeyFile::load(file, KeyFileOption::ClientCert, password)?;
        #[cfg(feature = "legacy-tls")]
        let old = legacy::Shown::new(&given.chain, &given.key).and_then(|shown| legacy::Connector::new(Some(&shown)));
        let KeyFile { host, chain, signing, doubts, .. } = given;
        let certified = Arc::new(CertifiedKey::new(chain, signing));
        Ok(Self {
            host,
            certified,
            #[cfg(feature = "legacy-tls")]
            old,
            doubts,
        })
    }

    /// What somebody should know of it, though it can be used.
    pub fn doubts(&self) -> &[KeyFileDoubt] {
        &self.doubts
    }

    /// Whether it is for `host`, asked for on `port`.
    pub(crate) fn is_for(&self, host: &str, port: u16) -> bool {
        self.host.matches(host, port)
    }

    pub(crate) fn certified(&self) -> &Arc<CertifiedKey> {
        &self.certified
    }

    pub(crate) fn certificate(&self) -> Option<&CertificateDer<'static>> {
        self.certified.cert.first()
    }

    #[cfg(feature = "legacy-tls")]
    pub(crate) const fn old(&self) -> Option<&legacy::Connector> {
        self.old.as_ref()
    }
}
