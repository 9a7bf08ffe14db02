//! `HOST=FILE`: a certificate with its key that is given for a host, on either side of the proxy.
//!
//! The file is PEM with the certificate, those that it leads to, and the key, in any order; or PFX.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::str::FromStr;
use std::sync::Arc;

use p12_keystore::{KeyStore, Pkcs12ImportPolicy};
use rustls::InconsistentKeys;
use rustls::client::verify_server_name;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer, ServerName};
use rustls::server::ParsedCertificate;
use rustls::sign::{CertifiedKey, SigningKey};
use time::{Date, OffsetDateTime};
use zeroize::Zeroizing;

use crate::proxy::certificates::certificate;
use crate::proxy::hosts::{HostPattern, HostPatternError};
use crate::proxy::tls::crypto;

/// A file with a certificate and its key, and the hosts that it is for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HostFile {
    host: HostPattern,
    path: PathBuf,
}

impl HostFile {
    pub(crate) fn path(&self) -> &Path {
        &self.path
    }
}

impl FromStr for HostFile {
    type Err = HostFileError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let (host, path) = text.split_once('=').ok_or(HostFileError::Form)?;
        if path.is_empty() {
            return Err(HostFileError::Form);
        }
        Ok(Self { host: host.parse()?, path: path.into() })
    }
}

/// Why a text is no `HOST=FILE`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum HostFileError {
    /// One of its parts is missing.
    #[error("give HOST=FILE, such as mail.contoso.com=mail.pfx")]
    Form,
    /// What stands before the equals sign is no host.
    #[error(transparent)]
    Host(#[from] HostPatternError),
}

/// The option that a file is given with: it decides who is shown the certificate.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum KeyFileOption {
    /// `--server-cert`: clients are shown it.
    ServerCert,
    /// `--client-cert`: servers that ask for one are shown it.
    ClientCert,
}

impl KeyFileOption {
    /// As it is typed.
    pub const fn name(self) -> &'static str {
        match self {
            Self::ServerCert => "--server-cert",
            Self::ClientCert => "--client-cert",
        }
    }
}

/// A certificate with its chain and key, and the hosts that it is for.
pub(crate) struct KeyFile {
    pub(crate) host: HostPattern,
    /// The certificate of the key first.
    pub(crate) chain: Vec<CertificateDer<'static>>,
    pub(crate) signing: Arc<dyn SigningKey>,
    /// The key as the file has it, for the engine that takes no other form.
    #[cfg_attr(not(feature = "legacy-tls"), allow(dead_code))]
    pub(crate) key: Zeroizing<Vec<u8>>,
    pub(crate) not_after: OffsetDateTime,
    pub(crate) doubts: Vec<KeyFileDoubt>,
}

impl KeyFile {
    /// Reads `file`. For a PFX, `password` is asked unless it has none.
    pub(crate) fn load(
        file: HostFile,
        option: KeyFileOption,
        password: impl FnOnce(&Path) -> Option<String>,
    ) -> Result<Self, KeyFileError> {
        let HostFile { host, path } = file;
        let fault = |problem| KeyFileError { option, path: path.clone(), problem };
        let bytes = fs::read(&path).map(Zeroizing::new).map_err(|error| fault(Problem::Read(error)))?;
        // DER begins with a SEQUENCE; no text does with a zero.
        let der = bytes.first() == Some(&0x30);
        let parts = if der { pfx(&bytes, || password(&path)) } else { pem(&bytes) }.map_err(fault)?;
        let key = Zeroizing::new(parts.key.secret_der().to_vec());
        let (chain, signing) = belonging(parts).map_err(fault)?;
        let not_after = expiry(&chain[0]).ok_or_else(|| fault(Problem::NoCertificate))?;
        let mut doubts = Vec::new();
        if is_exposed(&path) {
            doubts.push(KeyFileDoubt::KeyExposed { path: path.clone() });
        }
        if not_after <= OffsetDateTime::now_utc() {
            doubts.push(KeyFileDoubt::Expired { option, path: path.clone(), at: not_after.date() });
        }
        if option == KeyFileOption::ServerCert && !names(&chain[0], &host) {
            doubts.push(KeyFileDoubt::OtherName { path, host: host.clone() });
        }
        Ok(Self { host, chain, signing, key, not_after, doubts })
    }
}

/// Whether `certificate` names what `host` means, or one of the hosts that it means.
fn names(certificate: &CertificateDer<'_>, host: &HostPattern) -> bool {
    match (host.exact(), ParsedCertificate::try_from(certificate)) {
        (Some(exact), Ok(parsed)) => {
            ServerName::try_from(exact).is_ok_and(|name| verify_server_name(&parsed, &name).is_ok())
        }
        _ => certificate::names(certificate).iter().any(|name| host.means(&name.replace('*', "any"))),
    }
}

/// What a file holds.
struct Parts {
    certificates: Vec<CertificateDer<'static>>,
    key: PrivateKeyDer<'static>,
}

fn pem(bytes: &[u8]) -> Result<Parts, Problem> {
    let certificates: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(bytes).collect();
    let certificates = certificates.ok().filter(|found| !found.is_empty()).ok_or(Problem::NoCertificate)?;
    if memchr::memmem::find(bytes, b"BEGIN ENCRYPTED PRIVATE KEY").is_some()
        || memchr::memmem::find(bytes, b"Proc-Type: 4,ENCRYPTED").is_some()
    {
        return Err(Problem::KeyEncrypted);
    }
    let key = PrivateKeyDer::from_pem_slice(bytes).map_err(|_| Problem::NoKey)?;
    Ok(Parts { certificates, key })
}

fn pfx(bytes: &[u8], password: impl FnOnce() -> Option<String>) -> Result<Parts, Problem> {
    let open = |password: &str| KeyStore::from_pkcs12(bytes, password, Pkcs12ImportPolicy::Strict);
    let store = match open("") {
        Ok(store) => store,
        Err(_) => {
            let password = password().map(Zeroizing::new).ok_or(Problem::NoPassword)?;
            open(&password).map_err(|_| Problem::NotOpened)?
        }
    };
    let (_, found) = store.private_key_chain().ok_or(Problem::NoKey)?;
    let certificates = found.certs().iter().map(|der| CertificateDer::from(der.as_der().to_vec())).collect();
    let key = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(found.key().as_der().to_vec()));
    Ok(Parts { certificates, key })
}

/// A chain with its leaf in front, and the key of that leaf.
type Belonging = (Vec<CertificateDer<'static>>, Arc<dyn SigningKey>);

/// The certificate that the key is the key of comes first; files have them in any order.
fn belonging(parts: Parts) -> Result<Belonging, Problem> {
    let Parts { mut certificates, key } = parts;
    let signing = crypto::provider().key_provider.load_private_key(key).map_err(|_| Problem::Unusable)?;
    let matches = |certificate: &CertificateDer<'static>| {
        let alone = CertifiedKey::new(vec![certificate.clone()], Arc::clone(&signing));
        match alone.keys_match() {
            Ok(()) | Err(rustls::Error::InconsistentKeys(InconsistentKeys::Unknown)) => true,
            Err(_) => false,
        }
    };
    let at = certificates.iter().position(matches).ok_or(Problem::Mismatch)?;
    certificates[..=at].rotate_right(1);
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
pub enum KeyFileDoubt {
    /// Others than the owner have rights on the key.
    #[error("other users of this machine may read the private key in {}; run: chmod 600 '{}'", path.display(), path.display())]
    KeyExposed {
        /// The file.
        path: PathBuf,
    },
    /// It is past its time.
    #[error(
        "the certificate in {} expired on {at}; {} will refuse it",
        path.display(),
        match option { KeyFileOption::ServerCert => "clients", KeyFileOption::ClientCert => "the server" }
    )]
    Expired {
        /// What it was given with.
        option: KeyFileOption,
        /// The file.
        path: PathBuf,
        /// The day it expired.
        at: Date,
    },
    /// It names other hosts than the one that it was given for.
    #[error("the certificate in {} given with --server-cert does not name {host}; clients will refuse it", path.display())]
    OtherName {
        /// The file.
        path: PathBuf,
        /// What it was given for.
        host: HostPattern,
    },
}

/// A file that cannot be used.
#[derive(Debug, thiserror::Error)]
#[error("{}", said(*option, path, problem))]
pub struct KeyFileError {
    /// What it was given with.
    pub option: KeyFileOption,
    /// The file.
    pub path: PathBuf,
    /// What is wrong with it.
    pub problem: KeyFileProblem,
}

/// What is wrong with a file.
#[derive(Debug)]
pub enum KeyFileProblem {
    /// It cannot be read; what the system said.
    Read(io::Error),
    /// There is no certificate in it.
    NoCertificate,
    /// There is no key in it.
    NoKey,
    /// The key in it is encrypted.
    KeyEncrypted,
    /// The key is that of another certificate.
    Mismatch,
    /// The key is of a kind that this program's TLS has not.
    Unusable,
    /// Nobody says the password.
    NoPassword,
    /// The password is wrong, or the file is none.
    NotOpened,
}

use KeyFileProblem as Problem;

fn said(option: KeyFileOption, path: &Path, problem: &Problem) -> String {
    let (file, option) = (path.display(), option.name());
    match problem {
        Problem::Read(error) => format!("cannot read {file} given with {option}: {error}"),
        Problem::NoCertificate => format!(
            "{file} given with {option} holds no certificate; give PEM with the certificate and its key, or PFX"
        ),
        Problem::NoKey => format!(
            "{file} given with {option} holds no private key; put it into the same file, or export a PFX with the key"
        ),
        Problem::KeyEncrypted => format!(
            "the private key in {file} given with {option} is encrypted; decrypt it (openssl pkey), or give a PFX"
        ),
        Problem::Mismatch => {
            format!("no certificate in {file} given with {option} belongs to the private key in it")
        }
        Problem::Unusable => format!(
            "the private key in {file} given with {option} cannot be used; RSA and ECDSA keys (P-256, P-384) can"
        ),
        Problem::NoPassword => format!(
            "{file} given with {option} has a password; set AUTHTAP_PFX_PASSWORD, or start in a terminal to be asked"
        ),
        Problem::NotOpened => {
            format!("cannot open {file} given with {option}: the password is wrong, or it is no PFX file")
        }
    }
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

    fn load(content: &[u8], password: Option<&str>) -> Result<KeyFile, Problem> {
        load_for("mail.contoso.com", KeyFileOption::ServerCert, content, password)
    }

    fn load_for(host: &str, option: KeyFileOption, content: &[u8], password: Option<&str>) -> Result<KeyFile, Problem> {
        let file = tempfile::NamedTempFile::new().unwrap();
        fs::write(file.path(), content).unwrap();
        let named = format!("{host}={}", file.path().display()).parse().unwrap();
        KeyFile::load(named, option, |_| password.map(str::to_owned)).map_err(|error| error.problem)
    }

    #[test]
    fn a_certificate_for_other_hosts_is_doubted_where_clients_are_shown_it() {
        let (own, key) = made(None);
        let pem = own + &key.serialize_pem();
        let doubts = |host: &str, option| load_for(host, option, pem.as_bytes(), None).unwrap().doubts.len();
        for host in ["mail.contoso.com", "*.contoso.com", "mail.contoso.com:443", "*"] {
            assert_eq!(doubts(host, KeyFileOption::ServerCert), 0, "{host}");
        }
        for host in ["autodiscover.contoso.com", "*.fabrikam.com", "10.0.0.1"] {
            assert_eq!(doubts(host, KeyFileOption::ServerCert), 1, "{host}");
            assert_eq!(doubts(host, KeyFileOption::ClientCert), 0, "{host}");
        }
    }

    #[test]
    fn pem_is_read_in_any_order_and_the_chain_is_kept() {
        let ((own, key), (issuer, _)) = (made(None), made(None));
        let cert = load([issuer, key.serialize_pem(), own.clone()].concat().as_bytes(), None).unwrap();
        assert_eq!(cert.chain[0], CertificateDer::from_pem_slice(own.as_bytes()).unwrap());
        assert!(cert.host.matches("MAIL.contoso.com", 443) && !cert.host.matches("contoso.com", 443));
        assert!(cert.doubts.is_empty(), "{:?}", cert.doubts);
    }

    #[test]
    fn what_cannot_be_used_is_named() {
        let ((own, key), (other, _)) = (made(None), made(None));
        let error = |content: &str| load(content.as_bytes(), None).err().unwrap();
        assert!(matches!(error(&own), Problem::NoKey));
        assert!(matches!(error(&key.serialize_pem()), Problem::NoCertificate));
        assert!(matches!(error(&(other + &key.serialize_pem())), Problem::Mismatch));
        let encrypted = own + "-----BEGIN ENCRYPTED PRIVATE KEY-----\nAAAA\n-----END ENCRYPTED PRIVATE KEY-----\n";
        assert!(matches!(error(&encrypted), Problem::KeyEncrypted));
        assert!(matches!(error("0\x02"), Problem::NoPassword));
        assert!(matches!(load(b"0\x02", Some("x")).err().unwrap(), Problem::NotOpened));
        let missing = "a=/nowhere/mail.pem".parse().unwrap();
        let missing = KeyFile::load(missing, KeyFileOption::ClientCert, |_| None).err().unwrap();
        assert!(matches!(missing.problem, Problem::Read(_)));
        assert!(
            missing.to_string().starts_with("cannot read /nowhere/mail.pem given with --client-cert: "),
            "{missing}"
        );
    }

    #[test]
    fn a_certificate_past_its_time_is_shown_and_doubted() {
        let (own, key) = made(Some(2021));
        let cert = load((own + &key.serialize_pem()).as_bytes(), None).unwrap();
        assert!(matches!(&cert.doubts[..], [KeyFileDoubt::Expired { at, .. }] if at.year() == 2021));
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
        assert_eq!(load(&file, Some("Pf-Pa55")).unwrap().chain[0], der);
        assert!(matches!(load(&file, Some("wrong")).err().unwrap(), Problem::NotOpened));
        assert!(matches!(load(&file, None).err().unwrap(), Problem::NoPassword));
    }

    #[test]
    fn host_and_file_are_told_apart() {
        let file: HostFile = "*.contoso.com=a=b.pem".parse().unwrap();
        assert_eq!(file.path, Path::new("a=b.pem"));
        for wrong in ["mail.contoso.com", "mail.contoso.com=", "=a.pem"] {
            assert!(wrong.parse::<HostFile>().is_err(), "{wrong}");
        }
    }
}
