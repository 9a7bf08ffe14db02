//! `--server-cert HOST=FILE`: a certificate with its key that clients are shown for a host instead of a minted one.
//!
//! With the server's own certificate, what a client binds its authentication to is what the server expects.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::str::FromStr;
use std::sync::Arc;

use p12_keystore::{KeyStore, Pkcs12ImportPolicy};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer};
use rustls::sign::{CertifiedKey, SigningKey};
use rustls::{InconsistentKeys, SignatureScheme};
use time::{Date, OffsetDateTime};
use zeroize::Zeroizing;

use crate::proxy::certificates::leaf::Leaf;
use crate::proxy::hosts::{HostPattern, HostPatternError};
use crate::proxy::tls::crypto;

/// A file with a certificate and its key, and the hosts that it is for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ServerCertFile {
    host: HostPattern,
    path: PathBuf,
}

impl FromStr for ServerCertFile {
    type Err = ServerCertFileError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let (host, path) = text.split_once('=').ok_or(ServerCertFileError::Form)?;
        if path.is_empty() {
            return Err(ServerCertFileError::Form);
        }
        Ok(Self { host: host.parse()?, path: path.into() })
    }
}

/// Why a text is no `HOST=FILE`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ServerCertFileError {
    /// One of its parts is missing.
    #[error("give HOST=FILE, such as mail.contoso.com=mail.pfx")]
    Form,
    /// What stands before the equals sign is no host.
    #[error(transparent)]
    Host(#[from] HostPatternError),
}

/// A certificate that clients are shown, with its chain and key.
pub struct ServerCert {
    host: HostPattern,
    leaf: Arc<Leaf>,
    signing: Arc<dyn SigningKey>,
    doubts: Vec<ServerCertDoubt>,
}

impl ServerCert {
    /// Reads `file`: PEM with the certificate, those that it leads to, and the key; or PFX, for which `password` is
    /// asked unless it has none.
    pub fn load(file: ServerCertFile, password: impl FnOnce(&Path) -> Option<String>) -> Result<Self, ServerCertError> {
        let ServerCertFile { host, path } = file;
        let bytes = fs::read(&path).map(Zeroizing::new);
        let bytes = bytes.map_err(|error| ServerCertError::Read { path: path.clone(), error })?;
        // DER begins with a SEQUENCE; no text does with a zero.
        let parts = if bytes.first() == Some(&0x30) { pfx(&bytes, &path, password)? } else { pem(&bytes, &path)? };
        let (chain, signing) = belonging(parts, &path)?;
        let mut doubts = Vec::new();
        if is_exposed(&path) {
            doubts.push(ServerCertDoubt::KeyExposed { path: path.clone() });
        }
        let not_after = expiry(&chain[0]).ok_or_else(|| ServerCertError::NoCertificate { path: path.clone() })?;
        if not_after <= OffsetDateTime::now_utc() {
            doubts.push(ServerCertDoubt::Expired { path: path.clone(), at: not_after.date() });
        }
        let leaf = Leaf::new(CertifiedKey::new(chain, Arc::clone(&signing)), not_after);
        let leaf = leaf.map_err(|_| ServerCertError::Unusable { path })?;
        Ok(Self { host, leaf: Arc::new(leaf), signing, doubts })
    }

    /// What somebody should know of it, though it can be used.
    pub fn doubts(&self) -> &[ServerCertDoubt] {
        &self.doubts
    }

    /// Whether it is shown for `host`, asked for on `port`.
    pub(crate) fn is_for(&self, host: &str, port: u16) -> bool {
        self.host.matches(host, port)
    }

    pub(crate) fn leaf(&self) -> Arc<Leaf> {
        Arc::clone(&self.leaf)
    }

    /// How it would sign for a client that offers these; nothing where it cannot.
    pub(crate) fn scheme(&self, offered: &[SignatureScheme]) -> Option<SignatureScheme> {
        self.signing.choose_scheme(offered).map(|signer| signer.scheme())
    }
}

/// What a file holds.
struct Parts {
    certificates: Vec<CertificateDer<'static>>,
    key: PrivateKeyDer<'static>,
}

fn pem(bytes: &[u8], path: &Path) -> Result<Parts, ServerCertError> {
    let certificates: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(bytes).collect();
    let certificates = certificates
        .ok()
        .filter(|found| !found.is_empty())
        .ok_or_else(|| ServerCertError::NoCertificate { path: path.into() })?;
    if memchr::memmem::find(bytes, b"BEGIN ENCRYPTED PRIVATE KEY").is_some() {
        return Err(ServerCertError::KeyEncrypted { path: path.into() });
    }
    let key = PrivateKeyDer::from_pem_slice(bytes).map_err(|_| ServerCertError::NoKey { path: path.into() })?;
    Ok(Parts { certificates, key })
}

fn pfx(bytes: &[u8], path: &Path, password: impl FnOnce(&Path) -> Option<String>) -> Result<Parts, ServerCertError> {
    let open = |password: &str| KeyStore::from_pkcs12(bytes, password, Pkcs12ImportPolicy::Strict);
    let store = match open("") {
        Ok(store) => store,
        Err(_) => {
            let password = password(path).map(Zeroizing::new);
            let password = password.ok_or_else(|| ServerCertError::NoPassword { path: path.into() })?;
            open(&password).map_err(|_| ServerCertError::NotOpened { path: path.into() })?
        }
    };
    let Some((_, found)) = store.private_key_chain() else {
        return Err(ServerCertError::NoKey { path: path.into() });
    };
    let certificates = found.certs().iter().map(|der| CertificateDer::from(der.as_der().to_vec())).collect();
    let key = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(found.key().as_der().to_vec()));
    Ok(Parts { certificates, key })
}

/// A chain with its leaf in front, and the key of that leaf.
type Belonging = (Vec<CertificateDer<'static>>, Arc<dyn SigningKey>);

/// The certificate that the key is the key of comes first; files have them in any order.
fn belonging(parts: Parts, path: &Path) -> Result<Belonging, ServerCertError> {
    let Parts { mut certificates, key } = parts;
    let signing = crypto::provider().key_provider.load_private_key(key);
    let signing = signing.map_err(|_| ServerCertError::Unusable { path: path.into() })?;
    let matches = |certificate: &CertificateDer<'static>| {
        let alone = CertifiedKey::new(vec![certificate.clone()], Arc::clone(&signing));
        match alone.keys_match() {
            Ok(()) | Err(rustls::Error::InconsistentKeys(InconsistentKeys::Unknown)) => true,
            Err(_) => false,
        }
    };
    match certificates.iter().position(matches) {
        Some(at) => certificates[..=at].rotate_right(1),
        None => return Err(ServerCertError::Mismatch { path: path.into() }),
    }
    Ok((certificates, signing))
}

fn expiry(der: &CertificateDer<'_>) -> Option<OffsetDateTime> {
    let (_, parsed) = x509_parser::parse_x509_certificate(der).ok()?;
    Some(parsed.validity().not_after.to_datetime())
}

#[cfg(unix)]
fn is_exposed(path: &Path) -> bool {
    use std::os::unix::fs::PermissionsExt;
    fs::metadata(path).is_ok_and(|meta| meta.permissions().mode() & 0o077 != 0)
}

#[cfg(not(unix))]
fn is_exposed(_: &Path) -> bool {
    false
}

/// What somebody should know of a certificate that can be used.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum ServerCertDoubt {
    /// Others than the owner have rights on the key.
    #[error("other users of this machine may read the private key in {}; run: chmod 600 '{}'", path.display(), path.display())]
    KeyExposed {
        /// The file.
        path: PathBuf,
    },
    /// It is past its time.
    #[error("the certificate in {} expired on {at}; clients will refuse it", path.display())]
    Expired {
        /// The file.
        path: PathBuf,
        /// The day it expired.
        at: Date,
    },
}

/// Why a certificate cannot be shown.
#[derive(Debug, thiserror::Error)]
pub enum ServerCertError {
    /// It cannot be read.
    #[error("cannot read {} given with --server-cert: {error}", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// What the system said.
        error: io::Error,
    },
    /// There is no certificate in it.
    #[error("{} given with --server-cert holds no certificate; give PEM with the certificate and its key, or PFX", path.display())]
    NoCertificate {
        /// The file.
        path: PathBuf,
    },
    /// There is no key in it.
    #[error("{} given with --server-cert holds no private key; put it into the same file, or export a PFX with the key", path.display())]
    NoKey {
        /// The file.
        path: PathBuf,
    },
    /// The key in it is encrypted.
    #[error("the private key in {} given with --server-cert is encrypted; decrypt it (openssl pkey), or give a PFX", path.display())]
    KeyEncrypted {
        /// The file.
        path: PathBuf,
    },
    /// The key is that of another certificate.
    #[error("no certificate in {} given with --server-cert belongs to the private key in it", path.display())]
    Mismatch {
        /// The file.
        path: PathBuf,
    },
    /// The key is of a kind that this program's TLS has not.
    #[error("the private key in {} given with --server-cert cannot be used; RSA and ECDSA keys (P-256, P-384) can", path.display())]
    Unusable {
        /// The file.
        path: PathBuf,
    },
    /// Nobody says the password.
    #[error("{} given with --server-cert has a password; set AUTHTAP_PFX_PASSWORD, or start in a terminal to be asked", path.display())]
    NoPassword {
        /// The file.
        path: PathBuf,
    },
    /// The password is wrong, or the file is none.
    #[error("cannot open {} given with --server-cert: the password is wrong, or it is no PFX file", path.display())]
    NotOpened {
        /// The file.
        path: PathBuf,
    },
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::disallowed_methods)]
mod tests {
    use rcgen::{CertificateParams, KeyPair};

    use super::*;

    fn made(until: Option<i32>) -> (String, KeyPair) {
        let key = KeyPair::generate().unwrap();
        let mut params = CertificateParams::new(["mail.contoso.com".to_owned()]).unwrap();
        if let Some(year) = until {
            params.not_after = rcgen::date_time_ymd(year, 2, 3);
        }
        (params.self_signed(&key).unwrap().pem(), key)
    }

    fn load(content: &[u8], password: Option<&str>) -> Result<ServerCert, ServerCertError> {
        let file = tempfile::NamedTempFile::new().unwrap();
        fs::write(file.path(), content).unwrap();
        let named = format!("mail.contoso.com={}", file.path().display()).parse().unwrap();
        ServerCert::load(named, |_| password.map(str::to_owned))
    }

    #[test]
    fn pem_is_read_in_any_order_and_the_chain_is_kept() {
        let ((own, key), (issuer, _)) = (made(None), made(None));
        let cert = load([issuer, key.serialize_pem(), own.clone()].concat().as_bytes(), None).unwrap();
        assert_eq!(cert.leaf.der, CertificateDer::from_pem_slice(own.as_bytes()).unwrap());
        assert!(cert.is_for("MAIL.contoso.com", 443) && !cert.is_for("contoso.com", 443));
        assert!(cert.doubts().is_empty(), "{:?}", cert.doubts());
        assert_eq!(cert.scheme(&[SignatureScheme::RSA_PSS_SHA256]), None);
    }

    #[test]
    fn what_cannot_be_used_is_named() {
        let ((own, key), (other, _)) = (made(None), made(None));
        let error = |content: &str| load(content.as_bytes(), None).err().unwrap();
        assert!(matches!(error(&own), ServerCertError::NoKey { .. }));
        assert!(matches!(error(&key.serialize_pem()), ServerCertError::NoCertificate { .. }));
        assert!(matches!(error(&(other + &key.serialize_pem())), ServerCertError::Mismatch { .. }));
        let encrypted = own + "-----BEGIN ENCRYPTED PRIVATE KEY-----\nAAAA\n-----END ENCRYPTED PRIVATE KEY-----\n";
        assert!(matches!(error(&encrypted), ServerCertError::KeyEncrypted { .. }));
        assert!(matches!(error("0\x02"), ServerCertError::NoPassword { .. }));
        assert!(matches!(load(b"0\x02", Some("x")).err().unwrap(), ServerCertError::NotOpened { .. }));
        let missing = "a=/nowhere/mail.pem".parse().unwrap();
        assert!(matches!(ServerCert::load(missing, |_| None).err().unwrap(), ServerCertError::Read { .. }));
    }

    #[test]
    fn a_certificate_past_its_time_is_shown_and_doubted() {
        let (own, key) = made(Some(2021));
        let cert = load((own + &key.serialize_pem()).as_bytes(), None).unwrap();
        assert!(matches!(cert.doubts(), [ServerCertDoubt::Expired { at, .. }] if at.year() == 2021));
    }

    #[test]
    fn a_pfx_is_opened_with_its_password() {
        let (own, key) = made(None);
        let der = CertificateDer::from_pem_slice(own.as_bytes()).unwrap();
        let mut store = KeyStore::new();
        let chain = p12_keystore::PrivateKeyChain::new(
            vec![1],
            p12_keystore::PrivateKey::from_der(&key.serialize_der()).unwrap(),
            [p12_keystore::Certificate::from_der(&der).unwrap()],
        );
        store.add_entry("mail", p12_keystore::KeyStoreEntry::PrivateKeyChain(chain));
        let file = store.writer("Pf-Pa55").write().unwrap();
        assert_eq!(load(&file, Some("Pf-Pa55")).unwrap().leaf.der, der);
        assert!(matches!(load(&file, Some("wrong")).err().unwrap(), ServerCertError::NotOpened { .. }));
        assert!(matches!(load(&file, None).err().unwrap(), ServerCertError::NoPassword { .. }));
    }

    #[test]
    fn host_and_file_are_told_apart() {
        let file: ServerCertFile = "*.contoso.com=a=b.pem".parse().unwrap();
        assert_eq!(file.path, Path::new("a=b.pem"));
        for wrong in ["mail.contoso.com", "mail.contoso.com=", "=a.pem"] {
            assert!(wrong.parse::<ServerCertFile>().is_err(), "{wrong}");
        }
    }
}
