//! `--server-cert HOST=FILE`: a certificate with its key that clients are shown for a host instead of a minted one.
//!
//! With the server's own certificate, what a client binds its authentication to is what the server expects.

use std::path::Path;
use std::sync::Arc;

use rustls::sign::CertifiedKey;

use crate::proxy::certificates::key_file::{
    HostFile, KeyFile, KeyFileDoubt, KeyFileError, KeyFileOption, KeyFileProblem,
};
use crate::proxy::certificates::leaf::Leaf;
use crate::proxy::hosts::HostPattern;
#[cfg(feature = "legacy-tls")]
use crate::proxy::tls::legacy;

/// A certificate that clients are shown, with its chain and key.
pub struct ServerCert {
    host: HostPattern,
    leaf: Arc<Leaf>,
    doubts: Vec<KeyFileDoubt>,
}

impl ServerCert {
    /// Reads `file`. For a PFX, `password` is asked unless it has none.
    pub fn load(file: HostFile, password: impl FnOnce(&Path) -> Option<String>) -> Result<Self, KeyFileError> {
        let (option, path) = (KeyFileOption::ServerCert, file.path().to_owned());
        let KeyFile { host, chain, signing, not_after, doubts, key } = KeyFile::load(file, option, password)?;
        #[cfg(feature = "legacy-tls")]
        let old = legacy::Shown::new(&chain, &key).and_then(|shown| legacy::Acceptor::new(&[shown]));
        let leaf = Leaf::new(CertifiedKey::new(chain, signing), not_after);
        let leaf = leaf.map_err(|_| KeyFileError { option, path, problem: KeyFileProblem::Unusable })?;
        #[cfg(feature = "legacy-tls")]
        leaf.for_old_clients(|| old.map(Arc::new));
        drop(key);
        Ok(Self { host, leaf: Arc::new(leaf), doubts })
    }

    /// What somebody should know of it, though it can be used.
    pub fn doubts(&self) -> &[KeyFileDoubt] {
        &self.doubts
    }

    /// Whether it is shown for `host`, asked for on `port`.
    pub(crate) fn is_for(&self, host: &str, port: u16) -> bool {
        self.host.matches(host, port)
    }

    pub(crate) fn leaf(&self) -> Arc<Leaf> {
        Arc::clone(&self.leaf)
    }
}
