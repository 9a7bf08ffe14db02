//! The root certificate: what it is, what it may sign, and what is wrong with one that cannot be used.
//!
//! It signs the leaf certificates (`leaf.rs`) that clients are shown. Its two files are kept by `files.rs`. Nothing here
//! trusts it: that is the user's to do.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use rustls::pki_types::CertificateDer;
use time::OffsetDateTime;

use crate::proxy::certificates::domain::{self, Domain};
use crate::proxy::certificates::files::{CERTIFICATE_FILE, Files};
use crate::proxy::certificates::leaf::{Leaf, LeafError, Leaves};
use crate::proxy::tls::crypto;
#[cfg(feature = "legacy-tls")]
use crate::proxy::tls::legacy;

/// A root certificate with its key, and the leaves it has signed.
pub struct Authority {
    pub(super) certificate_path: PathBuf,
    pub(super) certificate: CertificateDer<'static>,
    pub(super) name: String,
    pub(super) validity: (OffsetDateTime, OffsetDateTime),
    /// Empty where it may sign for all.
    pub(super) domains: Vec<Domain>,
    pub(super) leaves: Leaves,
}

impl Authority {
    /// The root that lives in `dir`; a new one where neither of its two files is there.
    ///
    /// Existing files are never overwritten.
    pub fn load_or_create(dir: &Path) -> Result<Self, AuthorityError> {
        let files = Files::in_folder(dir)?;
        if !files.are_there()? {
            files.create(&[])?;
        }
        files.load()
    }

    /// Makes a new root in `dir`, which may sign for these domains alone; for all where there are none. What was there
    /// is kept aside, with its key, whatever is wrong with it; the second part says where.
    pub fn renew(dir: &Path, domains: &[Domain]) -> Result<(Self, Option<PathBuf>), AuthorityError> {
        let files = Files::in_folder(dir)?;
        let kept = files.replace(domains)?;
        Ok((files.load()?, kept))
    }

    /// Where the root certificate of `dir` is, if there is one.
    pub fn path_in(dir: &Path) -> PathBuf {
        dir.join(CERTIFICATE_FILE)
    }

    /// The certificates that renewing has put aside in `dir`: they may still be trusted somewhere.
    pub fn replaced(dir: &Path) -> Vec<PathBuf> {
        Files::replaced(dir)
    }

    /// The file with the root certificate, for the user to trust.
    pub fn certificate_path(&self) -> &Path {
        &self.certificate_path
    }

    /// The root certificate, DER.
    pub fn certificate(&self) -> &CertificateDer<'static> {
        &self.certificate
    }

    /// Its common name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// From when until when it is valid.
    pub const fn validity(&self) -> (OffsetDateTime, OffsetDateTime) {
        self.validity
    }

    /// The domains it may sign for alone; empty where it may sign for all.
    pub fn domains(&self) -> &[Domain] {
        &self.domains
    }

    /// SHA-256 of the root certificate as trust stores show it: `AB:CD:…`.
    pub fn fingerprint(&self) -> String {
        crypto::sha256(&self.certificate).map(|byte| format!("{byte:02X}")).join(":")
    }

    /// How `leaf` is shown to clients that speak only old TLS.
    #[cfg(feature = "legacy-tls")]
    pub(crate) fn for_old_clients(&self, leaf: &Leaf) -> Option<Arc<legacy::Acceptor>> {
        self.leaves.for_old_clients(leaf)
    }

    /// Whether clients would accept what it signs for `name`.
    pub(crate) fn may_sign(&self, name: &str) -> bool {
        domain::permit(&self.domains, name)
    }

    /// How long to wait before a leaf for `name` may be minted; nothing where too many new names wait already.
    pub(crate) fn turn(&self, name: &str) -> Option<Duration> {
        self.leaves.turn(name)
    }

    /// The certificate to show to a client that asked for `name`, with the names of the server's own certificate too.
    pub(crate) fn leaf(&self, name: &str, server: Option<&CertificateDer<'_>>) -> Result<Arc<Leaf>, LeafError> {
        self.leaves.leaf(name, server)
    }
}

/// Why there is no root certificate to work with.
#[derive(Debug, thiserror::Error)]
pub enum AuthorityError {
    /// The folder cannot be made.
    #[error("cannot make the folder {} for the root certificate: {error}; choose another with --ca-dir", path.display())]
    Folder {
        /// The folder.
        path: PathBuf,
        /// What the system said.
        error: io::Error,
    },
    /// A file cannot be read.
    #[error("cannot read {}: {error}; make it readable for you, or choose another folder with --ca-dir", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// What the system said.
        error: io::Error,
    },
    /// A file cannot be written.
    #[error("cannot write {}: {error}; choose a folder you can write to with --ca-dir", path.display())]
    Write {
        /// The file.
        path: PathBuf,
        /// What the system said.
        error: io::Error,
    },
    /// Others than the owner can put files of their own into the folder.
    #[error(
        "other users of this machine may write to {}, and so put a root of their own there; run: chmod 700 '{}', or \
         choose another folder with --ca-dir",
        path.display(), path.display()
    )]
    FolderExposed {
        /// The folder.
        path: PathBuf,
    },
    /// Others than the owner have rights on the key.
    #[error(
        "other users of this machine may read the root key {}; if they could have copied it, remove the root from every \
         trust store (authtap ca uninstall) and make a new one (authtap ca renew); if not, run: chmod 600 '{}'",
        path.display(), path.display()
    )]
    KeyExposed {
        /// The key file.
        path: PathBuf,
    },
    /// The certificate is there, its key is not.
    #[error(
        "the root certificate {} is there but its key {} is not; put the key back, or make a new root with \
         authtap ca renew",
        certificate.display(), key.display()
    )]
    KeyMissing {
        /// The certificate file.
        certificate: PathBuf,
        /// The key file that is missing.
        key: PathBuf,
    },
    /// The key is there, its certificate is not.
    #[error(
        "the root key {} is there but its certificate {} is not; put the certificate back, or make a new root with \
         authtap ca renew",
        key.display(), certificate.display()
    )]
    CertificateMissing {
        /// The certificate file that is missing.
        certificate: PathBuf,
        /// The key file.
        key: PathBuf,
    },
    /// The certificate file holds none.
    #[error("{} is no PEM certificate; put the right file back, or make a new root with authtap ca renew", path.display())]
    NotACertificate {
        /// The certificate file.
        path: PathBuf,
    },
    /// The certificate is not one of an authority.
    #[error("the certificate in {} is not a root: it may not sign others; make a new root with authtap ca renew", path.display())]
    NotARoot {
        /// The certificate file.
        path: PathBuf,
    },
    /// The key file holds none.
    #[error("{} is no private key in PKCS#8 PEM; put the right file back, or make a new root with authtap ca renew", path.display())]
    NotAKey {
        /// The key file.
        path: PathBuf,
    },
    /// The two files do not belong together.
    #[error(
        "the certificate {} and the key {} do not belong together; put the right files back, or make a new root with \
         authtap ca renew",
        certificate.display(), key.display()
    )]
    Mismatch {
        /// The certificate file.
        certificate: PathBuf,
        /// The key file.
        key: PathBuf,
    },
    /// The root is past its time.
    #[error(
        "the root certificate {} expired on {at}; make a new root with authtap ca renew, and trust that one",
        certificate.display()
    )]
    Expired {
        /// The certificate file.
        certificate: PathBuf,
        /// The day it expired.
        at: time::Date,
    },
    /// The system gave no randomness.
    #[error("cannot make a key: the system gave no random numbers; try again")]
    Generate,
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::disallowed_methods)]
mod tests {
    use std::fs;

    use super::*;
    use crate::proxy::certificates::files::{CERTIFICATE_FILE, KEY_FILE};

    fn refused(dir: &Path) -> AuthorityError {
        Authority::load_or_create(dir).err().unwrap()
    }

    #[test]
    fn a_root_is_made_once_and_then_kept() {
        let home = tempfile::tempdir().unwrap();
        let dir = home.path().join("new").join("folder");
        let made = Authority::load_or_create(&dir).unwrap();
        let loaded = Authority::load_or_create(&dir).unwrap();
        assert_eq!(made.fingerprint(), loaded.fingerprint());
        assert_eq!(made.fingerprint().len(), 32 * 3 - 1);
        assert_eq!(made.certificate_path(), dir.join("authtap-ca.pem"));
        assert_eq!(fs::read_dir(&dir).unwrap().count(), 2, "no temporary file stays");
        let (_, root) = x509_parser::parse_x509_certificate(made.certificate()).unwrap();
        assert!(root.is_ca());
        assert_eq!(root.basic_constraints().unwrap().unwrap().value.path_len_constraint, Some(0));
        assert!(root.key_usage().unwrap().unwrap().value.key_cert_sign());
    }

    #[cfg(unix)]
    #[test]
    fn the_key_is_for_its_owner_alone_and_refused_when_it_is_not() {
        use std::os::unix::fs::PermissionsExt;
        let dir = tempfile::tempdir().unwrap();
        Authority::load_or_create(dir.path()).unwrap();
        let key = dir.path().join(KEY_FILE);
        assert_eq!(fs::metadata(&key).unwrap().permissions().mode() & 0o777, 0o600);
        fs::set_permissions(&key, fs::Permissions::from_mode(0o640)).unwrap();
        let error = refused(dir.path());
        assert!(matches!(error, AuthorityError::KeyExposed { .. }));
        assert!(error.to_string().contains("chmod 600"), "{error}");
    }

    #[test]
    fn half_a_root_is_refused_and_left_alone() {
        for (gone, kept) in [(KEY_FILE, CERTIFICATE_FILE), (CERTIFICATE_FILE, KEY_FILE)] {
            let dir = tempfile::tempdir().unwrap();
            Authority::load_or_create(dir.path()).unwrap();
            let before = fs::read(dir.path().join(kept)).unwrap();
            fs::remove_file(dir.path().join(gone)).unwrap();
            let error = refused(dir.path());
            assert!(
                matches!(error, AuthorityError::KeyMissing { .. } | AuthorityError::CertificateMissing { .. }),
                "{error}"
            );
            assert!(error.to_string().contains(gone));
            assert_eq!(fs::read(dir.path().join(kept)).unwrap(), before);
            assert!(!dir.path().join(gone).exists());
        }
    }

    #[test]
    fn files_that_do_not_belong_together_or_are_none_are_refused() {
        let dir = tempfile::tempdir().unwrap();
        let other = tempfile::tempdir().unwrap();
        Authority::load_or_create(dir.path()).unwrap();
        Authority::load_or_create(other.path()).unwrap();
        fs::copy(other.path().join(CERTIFICATE_FILE), dir.path().join(CERTIFICATE_FILE)).unwrap();
        assert!(matches!(refused(dir.path()), AuthorityError::Mismatch { .. }));
        fs::write(dir.path().join(CERTIFICATE_FILE), "no certificate").unwrap();
        assert!(matches!(refused(dir.path()), AuthorityError::NotACertificate { .. }));
        fs::write(dir.path().join(KEY_FILE), "no key").unwrap();
        assert!(matches!(refused(dir.path()), AuthorityError::NotAKey { .. }));
    }

    #[test]
    fn a_file_in_the_place_of_the_folder_is_named() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("taken");
        fs::write(&path, "").unwrap();
        let error = refused(&path);
        assert!(matches!(error, AuthorityError::Folder { .. }));
        assert!(error.to_string().contains("taken") && error.to_string().contains("--ca-dir"));
    }
}
