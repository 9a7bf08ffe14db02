//! The root certificate: made on first use, kept in two files, refused when anything about them is wrong.
//!
//! It signs the leaf certificates (`leaf.rs`) that clients are shown. Nothing here trusts it: that is the user's to do.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
#[cfg(feature = "legacy-tls")]
use std::sync::Arc;

use rcgen::{
    BasicConstraints, CertificateParams, DistinguishedName, DnType, IsCa, Issuer, KeyPair, KeyUsagePurpose,
    PublicKeyData, SerialNumber,
};
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;
use time::{Duration, OffsetDateTime};

use crate::proxy::certificates::leaf::{Leaf, LeafError, Leaves};
use crate::proxy::tls::crypto;
#[cfg(feature = "legacy-tls")]
use crate::proxy::tls::legacy;

const CERTIFICATE_FILE: &str = "authtap-ca.pem";
const KEY_FILE: &str = "authtap-ca.key";
const VALIDITY: Duration = Duration::days(10 * 365);
/// Older than any leaf is backdated, so that no leaf is older than its root.
const BACKDATED: Duration = Duration::days(7);

/// A root certificate with its key, and the leaves it has signed.
pub struct Authority {
    certificate_path: PathBuf,
    certificate: CertificateDer<'static>,
    leaves: Leaves,
}

impl Authority {
    /// The root that lives in `dir`; a new one where neither of its two files is there.
    ///
    /// Existing files are never overwritten.
    pub fn load_or_create(dir: &Path) -> Result<Self, AuthorityError> {
        fs::create_dir_all(dir).map_err(|error| AuthorityError::Folder { path: dir.into(), error })?;
        let files = Files { certificate: dir.join(CERTIFICATE_FILE), key: dir.join(KEY_FILE) };
        match (exists(&files.certificate)?, exists(&files.key)?) {
            (true, true) => {}
            (false, false) => files.create()?,
            (true, false) => {
                return Err(AuthorityError::KeyMissing { certificate: files.certificate, key: files.key });
            }
            (false, true) => {
                return Err(AuthorityError::CertificateMissing { certificate: files.certificate, key: files.key });
            }
        }
        files.load()
    }

    /// The file with the root certificate, for the user to trust.
    pub fn certificate_path(&self) -> &Path {
        &self.certificate_path
    }

    /// The root certificate, DER.
    pub fn certificate(&self) -> &CertificateDer<'static> {
        &self.certificate
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

    /// The certificate to show to a client that asked for `name`, with the names of the server's own certificate too.
    pub(crate) fn leaf(
        &self,
        name: &str,
        server: Option<&CertificateDer<'_>>,
    ) -> Result<std::sync::Arc<Leaf>, LeafError> {
        self.leaves.leaf(name, server)
    }
}

/// Where the two files are.
struct Files {
    certificate: PathBuf,
    key: PathBuf,
}

impl Files {
    /// Makes a root and writes it, the key first: a certificate without its key would be of no use.
    fn create(&self) -> Result<(), AuthorityError> {
        let (certificate, key) = new_root().ok_or(AuthorityError::Generate)?;
        publish(&self.key, key.serialize_pem().as_bytes(), Readers::Owner)?;
        publish(&self.certificate, certificate.as_bytes(), Readers::Everybody)
    }

    fn load(self) -> Result<Authority, AuthorityError> {
        refuse_exposed(&self.key)?;
        let key = fs::read_to_string(&self.key)
            .map_err(|error| AuthorityError::Read { path: self.key.clone(), error })
            .map(zeroize::Zeroizing::new)?;
        let key = KeyPair::from_pem(&key).map_err(|_| AuthorityError::NotAKey { path: self.key.clone() })?;
        let pem = fs::read(&self.certificate)
            .map_err(|error| AuthorityError::Read { path: self.certificate.clone(), error })?;
        let not_a_certificate = || AuthorityError::NotACertificate { path: self.certificate.clone() };
        let certificate = CertificateDer::from_pem_slice(&pem).map_err(|_| not_a_certificate())?;
        let (_, parsed) = x509_parser::parse_x509_certificate(&certificate).map_err(|_| not_a_certificate())?;
        if !parsed.is_ca() {
            return Err(AuthorityError::NotARoot { path: self.certificate });
        }
        if parsed.public_key().raw != key.subject_public_key_info() {
            return Err(AuthorityError::Mismatch { certificate: self.certificate, key: self.key });
        }
        if parsed.validity().not_after.to_datetime() <= OffsetDateTime::now_utc() {
            let at = parsed.validity().not_after.to_datetime().date();
            return Err(AuthorityError::Expired { certificate: self.certificate, key: self.key, at });
        }
        let issuer = Issuer::from_ca_cert_der(&certificate, key).map_err(|_| not_a_certificate())?;
        let leaves = Leaves::new(issuer).ok_or(AuthorityError::Generate)?;
        Ok(Authority { certificate_path: self.certificate, certificate, leaves })
    }
}

/// A new root: its certificate as PEM, and its key.
fn new_root() -> Option<(String, KeyPair)> {
    let key = KeyPair::generate().ok()?;
    let mut params = CertificateParams::default();
    let now = OffsetDateTime::now_utc();
    // Several machines of one office may each have a root: the date and a part of the key tell them apart.
    let id = crypto::sha256(&key.subject_public_key_info());
    let name = format!("authtap root {} {:02x}{:02x}{:02x}{:02x}", now.date(), id[0], id[1], id[2], id[3]);
    params.distinguished_name = DistinguishedName::new();
    params.distinguished_name.push(DnType::CommonName, name);
    params.distinguished_name.push(DnType::OrganizationName, "authtap (made on this machine, for debugging)");
    params.serial_number = Some(SerialNumber::from_slice(&crypto::serial()?));
    params.not_before = now - BACKDATED;
    params.not_after = now + VALIDITY;
    params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    let certificate = params.self_signed(&key).ok()?;
    Some((certificate.pem(), key))
}

#[derive(Clone, Copy)]
enum Readers {
    Owner,
    Everybody,
}

/// Writes a file that appears complete or not at all, and never in the place of another.
fn publish(path: &Path, content: &[u8], readers: Readers) -> Result<(), AuthorityError> {
    let temporary = path.with_extension(format!("tmp{}", std::process::id()));
    let written = create_private(&temporary, readers).and_then(|mut file| {
        file.write_all(content)?;
        file.sync_all()?;
        // A link, unlike a rename, refuses to take the place of a file that has come to be in the meantime.
        match fs::hard_link(&temporary, path) {
            Err(error) if error.kind() != io::ErrorKind::AlreadyExists => fs::rename(&temporary, path),
            linked => linked,
        }
    });
    let _ = fs::remove_file(&temporary);
    written.map_err(|error| AuthorityError::Write { path: path.into(), error })
}

#[cfg(unix)]
#[allow(clippy::disallowed_methods)] // the root certificate and its key
fn create_private(path: &Path, readers: Readers) -> io::Result<File> {
    use std::os::unix::fs::OpenOptionsExt;
    let mode = match readers {
        Readers::Owner => 0o600,
        Readers::Everybody => 0o644,
    };
    OpenOptions::new().write(true).create_new(true).mode(mode).open(path)
}

#[cfg(not(unix))]
#[allow(clippy::disallowed_methods)] // the root certificate and its key
fn create_private(path: &Path, _: Readers) -> io::Result<File> {
    OpenOptions::new().write(true).create_new(true).open(path)
}

#[cfg(unix)]
fn refuse_exposed(key: &Path) -> Result<(), AuthorityError> {
    use std::os::unix::fs::PermissionsExt;
    let meta = fs::metadata(key).map_err(|error| AuthorityError::Read { path: key.into(), error })?;
    if meta.permissions().mode() & 0o077 != 0 {
        return Err(AuthorityError::KeyExposed { path: key.into() });
    }
    Ok(())
}

#[cfg(not(unix))]
#[allow(clippy::unnecessary_wraps)]
fn refuse_exposed(_: &Path) -> Result<(), AuthorityError> {
    Ok(())
}

fn exists(path: &Path) -> Result<bool, AuthorityError> {
    path.try_exists().map_err(|error| AuthorityError::Read { path: path.into(), error })
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
    /// Others than the owner have rights on the key.
    #[error(
        "other users of this machine may read the root key {}; if they could have copied it, delete it together with its \
         certificate, remove that from every trust store and start again; if not, run: chmod 600 '{}'",
        path.display(), path.display()
    )]
    KeyExposed {
        /// The key file.
        path: PathBuf,
    },
    /// The certificate is there, its key is not.
    #[error(
        "the root certificate {} is there but its key {} is not; put the key back, or move the certificate away to have \
         a new root made",
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
        "the root key {} is there but its certificate {} is not; put the certificate back, or move the key away to have \
         a new root made",
        key.display(), certificate.display()
    )]
    CertificateMissing {
        /// The certificate file that is missing.
        certificate: PathBuf,
        /// The key file.
        key: PathBuf,
    },
    /// The certificate file holds none.
    #[error("{} is no PEM certificate; put the right file back, or move it and its key away to have a new root made", path.display())]
    NotACertificate {
        /// The certificate file.
        path: PathBuf,
    },
    /// The certificate is not one of an authority.
    #[error("the certificate in {} is not a root: it may not sign others; move it and its key away to have a new root made", path.display())]
    NotARoot {
        /// The certificate file.
        path: PathBuf,
    },
    /// The key file holds none.
    #[error("{} is no private key in PKCS#8 PEM; put the right file back, or move it and its certificate away to have a new root made", path.display())]
    NotAKey {
        /// The key file.
        path: PathBuf,
    },
    /// The two files do not belong together.
    #[error(
        "the certificate {} and the key {} do not belong together; put the right files back, or move both away to have a \
         new root made",
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
        "the root certificate {} expired on {at}; move it and {} away to have a new root made, and trust that one",
        certificate.display(), key.display()
    )]
    Expired {
        /// The certificate file.
        certificate: PathBuf,
        /// The key file.
        key: PathBuf,
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
    use super::*;

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

    #[test]
    fn publishing_never_takes_the_place_of_a_file() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("file");
        fs::write(&path, "mine").unwrap();
        assert!(publish(&path, b"other", Readers::Owner).is_err());
        assert_eq!(fs::read(&path).unwrap(), b"mine");
    }
}
