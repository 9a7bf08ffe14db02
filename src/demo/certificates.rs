//! Throw-away certificates of the demo's servers.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use rcgen::{BasicConstraints, CertificateParams, DnType, IsCa, Issuer, KeyPair, KeyUsagePurpose};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer};
use rustls::{ClientConfig, RootCertStore, ServerConfig};
use time::{Duration, OffsetDateTime};

/// A root that lives as long as the demo.
pub(super) struct Certificates {
    issuer: Issuer<'static, KeyPair>,
    authority_pem: String,
}

impl Certificates {
    pub(super) fn new() -> Result<Self, CertificateError> {
        let mut params = CertificateParams::new(Vec::new())?;
        params.distinguished_name.push(DnType::CommonName, "authtap demo servers");
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.key_usages = vec![KeyUsagePurpose::KeyCertSign];
        (params.not_before, params.not_after) = validity();
        let key = KeyPair::generate()?;
        let authority_pem = params.self_signed(&key)?.pem();
        Ok(Self { issuer: Issuer::new(params, key), authority_pem })
    }

    pub(super) fn authority_pem(&self) -> &str {
        &self.authority_pem
    }

    /// TLS of a server that answers to all of `hosts`.
    pub(super) fn server(&self, hosts: &[String]) -> Result<Arc<ServerConfig>, CertificateError> {
        let mut params = CertificateParams::new(hosts)?;
        params.distinguished_name.push(DnType::CommonName, hosts.first().map_or("localhost", String::as_str));
        (params.not_before, params.not_after) = validity();
        let key = KeyPair::generate()?;
        let certificate = params.signed_by(&key, &self.issuer)?;
        let key = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(key.serialize_der()));
        let mut config =
            ServerConfig::builder().with_no_client_auth().with_single_cert(vec![certificate.der().clone()], key)?;
        config.alpn_protocols = vec![b"http/1.1".to_vec()];
        Ok(Arc::new(config))
    }
}

/// From yesterday, for clocks that are a little off, to next month.
fn validity() -> (OffsetDateTime, OffsetDateTime) {
    let now = OffsetDateTime::now_utc();
    (now - Duration::days(1), now + Duration::days(30))
}

/// TLS of a client that trusts the root in the PEM file `root`.
pub(super) fn trust(root: &Path) -> Result<Arc<ClientConfig>, CertificateError> {
    let unreadable = |error| CertificateError::Unreadable(root.to_owned(), error);
    let mut roots = RootCertStore::empty();
    roots.add(CertificateDer::from_pem_file(root).map_err(unreadable)?)?;
    Ok(client(roots))
}

/// TLS of a client that trusts nobody.
pub(super) fn distrust() -> Arc<ClientConfig> {
    client(RootCertStore::empty())
}

fn client(roots: RootCertStore) -> Arc<ClientConfig> {
    let mut config = ClientConfig::builder().with_root_certificates(roots).with_no_client_auth();
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    Arc::new(config)
}

/// Why the demo's certificates cannot be made or read.
#[derive(Debug, thiserror::Error)]
pub enum CertificateError {
    /// Making one failed.
    #[error("cannot be made: {0}")]
    Make(#[from] rcgen::Error),
    /// TLS cannot use it.
    #[error("cannot be used: {0}")]
    Use(#[from] rustls::Error),
    /// The file of the proxy's root cannot be read.
    #[error("{0} cannot be read: {1}")]
    Unreadable(PathBuf, #[source] rustls::pki_types::pem::Error),
}
