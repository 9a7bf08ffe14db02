//! The two files of the root: made on first use, never overwritten, kept aside when replaced, refused when anything
//! about them is wrong.
//!
//! On Unix the folder is made for its owner alone and the key is written so; a key that others can read, or a folder
//! that they can write to, is refused. On Windows the user's own folders are closed to others by inheritance, and
//! nothing more can be asked without the system's own calls.

use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use rcgen::{
    BasicConstraints, CertificateParams, DistinguishedName, DnType, IsCa, Issuer, KeyPair, KeyUsagePurpose,
    PublicKeyData, SerialNumber,
};
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;
use time::format_description::BorrowedFormatItem;
use time::macros::format_description;
use time::{Duration, OffsetDateTime};

use crate::proxy::certificates::authority::{Authority, AuthorityError};
use crate::proxy::certificates::domain::{self, Domain};
use crate::proxy::certificates::leaf::Leaves;
use crate::proxy::tls::crypto;

pub(super) const CERTIFICATE_FILE: &str = "authtap-ca.pem";
pub(super) const KEY_FILE: &str = "authtap-ca.key";
/// Where roots go that were replaced.
const REPLACED: &str = "replaced";
const STAMP: &[BorrowedFormatItem<'_>] = format_description!("[year][month][day]T[hour][minute][second]Z");
const VALIDITY: Duration = Duration::days(10 * 365);
/// Older than any leaf is backdated, so that no leaf is older than its root.
const BACKDATED: Duration = Duration::days(7);

/// Where the two files are.
pub(super) struct Files {
    folder: PathBuf,
    certificate: PathBuf,
    key: PathBuf,
}

impl Files {
    /// Those of the root in `folder`, which is made if it is not there.
    pub(super) fn in_folder(folder: &Path) -> Result<Self, AuthorityError> {
        make_private(folder).map_err(|error| AuthorityError::Folder { path: folder.into(), error })?;
        refuse_writable(folder)?;
        Ok(Self { folder: folder.into(), certificate: folder.join(CERTIFICATE_FILE), key: folder.join(KEY_FILE) })
    }

    /// Whether both are there. One alone is refused.
    pub(super) fn are_there(&self) -> Result<bool, AuthorityError> {
        let (certificate, key) = (self.certificate.clone(), self.key.clone());
        match (exists(&certificate)?, exists(&key)?) {
            (true, false) => Err(AuthorityError::KeyMissing { certificate, key }),
            (false, true) => Err(AuthorityError::CertificateMissing { certificate, key }),
            (both, _) => Ok(both),
        }
    }

    /// Makes a root and writes it, the key first: a certificate without its key would be of no use.
    pub(super) fn create(&self, domains: &[Domain]) -> Result<(), AuthorityError> {
        let (certificate, key) = new_root(domains).ok_or(AuthorityError::Generate)?;
        publish(&self.key, key.serialize_pem().as_bytes(), Readers::Owner)?;
        publish(&self.certificate, certificate.as_bytes(), Readers::Everybody)
    }

    /// Puts a new root in the place of what is there. Gives where that was put, if there was anything.
    pub(super) fn replace(&self, domains: &[Domain]) -> Result<Option<PathBuf>, AuthorityError> {
        let old: Vec<&PathBuf> =
            [&self.key, &self.certificate].into_iter().filter(|path| path.symlink_metadata().is_ok()).collect();
        if old.is_empty() {
            return self.create(domains).map(|()| None);
        }
        let aside = self.room_aside()?;
        let moved = |from: &Path| aside.join(from.file_name().unwrap_or_default());
        for path in &old {
            fs::rename(path, moved(path)).map_err(|error| AuthorityError::Write { path: aside.clone(), error })?;
        }
        if let Err(error) = self.create(domains) {
            // Without a new root the old one stays what it was.
            for path in old {
                let _ = fs::rename(moved(path), path);
            }
            let _ = fs::remove_dir(&aside);
            return Err(error);
        }
        keep_private(&moved(&self.key));
        Ok(Some(aside))
    }

    /// A new folder for the root that is replaced, named by the time.
    fn room_aside(&self) -> Result<PathBuf, AuthorityError> {
        let stamp = OffsetDateTime::now_utc().format(STAMP).map_err(|_| AuthorityError::Generate)?;
        let rooms = self.folder.join(REPLACED);
        let mut number = 1;
        loop {
            let room = if number == 1 { rooms.join(&stamp) } else { rooms.join(format!("{stamp}-{number}")) };
            number += 1;
            if !room.exists() {
                return match make_private(&room) {
                    Ok(()) => Ok(room),
                    Err(error) => Err(AuthorityError::Folder { path: room, error }),
                };
            }
        }
    }

    /// The certificates of roots that were replaced, oldest first.
    pub(super) fn replaced(folder: &Path) -> Vec<PathBuf> {
        let rooms = fs::read_dir(folder.join(REPLACED)).into_iter().flatten().flatten();
        let mut certificates: Vec<_> =
            rooms.map(|room| room.path().join(CERTIFICATE_FILE)).filter(|path| path.is_file()).collect();
        certificates.sort();
        certificates
    }

    pub(super) fn load(self) -> Result<Authority, AuthorityError> {
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
        let validity = (parsed.validity().not_before.to_datetime(), parsed.validity().not_after.to_datetime());
        if validity.1 <= OffsetDateTime::now_utc() {
            return Err(AuthorityError::Expired { certificate: self.certificate, at: validity.1.date() });
        }
        let name = parsed.subject().iter_common_name().next().and_then(|name| name.as_str().ok());
        let name = name.unwrap_or("authtap root").to_owned();
        let domains = domain::of(&parsed);
        let issuer = Issuer::from_ca_cert_der(&certificate, key).map_err(|_| not_a_certificate())?;
        let leaves = Leaves::new(issuer, domains.clone()).ok_or(AuthorityError::Generate)?;
        Ok(Authority { certificate_path: self.certificate, certificate, name, validity, domains, leaves })
    }
}

/// Makes a root; the certificate as PEM.
fn new_root(domains: &[Domain]) -> Option<(String, KeyPair)> {
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
    params.name_constraints = domain::constraints(domains);
    let certificate = params.self_signed(&key).ok()?;
    Some((certificate.pem(), key))
}

fn make_private(folder: &Path) -> io::Result<()> {
    let mut builder = DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(folder)
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

/// The permissions that others than the owner have on `path`.
#[cfg(unix)]
fn open_to_others(path: &Path) -> Result<u32, AuthorityError> {
    use std::os::unix::fs::PermissionsExt;
    let meta = fs::metadata(path).map_err(|error| AuthorityError::Read { path: path.into(), error })?;
    Ok(meta.permissions().mode() & 0o077)
}

#[cfg(not(unix))]
#[allow(clippy::unnecessary_wraps)]
fn open_to_others(_: &Path) -> Result<u32, AuthorityError> {
    Ok(0)
}

fn refuse_exposed(key: &Path) -> Result<(), AuthorityError> {
    if open_to_others(key)? == 0 { Ok(()) } else { Err(AuthorityError::KeyExposed { path: key.into() }) }
}

fn refuse_writable(folder: &Path) -> Result<(), AuthorityError> {
    if open_to_others(folder)? & 0o022 == 0 {
        Ok(())
    } else {
        Err(AuthorityError::FolderExposed { path: folder.into() })
    }
}

/// A key that was replaced may have been open to others; it should not stay so.
fn keep_private(key: &Path) {
    #[cfg(unix)]
    let _ = fs::set_permissions(key, std::os::unix::fs::PermissionsExt::from_mode(0o600));
    #[cfg(not(unix))]
    let _ = key;
}

fn exists(path: &Path) -> Result<bool, AuthorityError> {
    path.try_exists().map_err(|error| AuthorityError::Read { path: path.into(), error })
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::disallowed_methods)]
mod tests {
    use super::*;

    #[test]
    fn publishing_never_takes_the_place_of_a_file() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("file");
        fs::write(&path, "mine").unwrap();
        assert!(publish(&path, b"other", Readers::Owner).is_err());
        assert_eq!(fs::read(&path).unwrap(), b"mine");
    }
}
