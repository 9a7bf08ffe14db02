//! Leaf certificates: minted on demand for the name a client asked for, and kept.
//!
//! Always ECDSA P-256: old Windows clients have AEAD ciphers only with ECDSA, and signing with it is cheap.

use std::collections::{HashMap, HashSet, VecDeque};
use std::net::IpAddr;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use rcgen::string::Ia5String;
use rcgen::{
    CertificateParams, DistinguishedName, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair, KeyUsagePurpose,
    SanType, SerialNumber,
};
use rustls::pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer};
use rustls::server::NoServerSessionStorage;
use rustls::sign::{CertifiedKey, SigningKey, SingleCertAndKey};
use rustls::{ServerConfig, SignatureScheme};
use time::{Duration, OffsetDateTime};

use crate::exchange::Certificate;
use crate::proxy::certificates::certificate;
use crate::proxy::certificates::domain::{self, Domain};
use crate::proxy::pace::Pace;
use crate::proxy::tls::crypto;
#[cfg(feature = "legacy-tls")]
use crate::proxy::tls::legacy;
use crate::proxy::tls::protocol::Protocol;
use crate::redact::Redactor;

/// Apple and the browsers shorten what they accept from year to year; this is below the next step.
const VALIDITY: Duration = Duration::days(190);
/// Clients whose clocks are behind must not take the leaf for one from the future.
const BACKDATED: Duration = Duration::days(2);
/// A leaf that has less than this to live is minted anew.
const RENEWED_BEFORE: Duration = Duration::days(30);
const KEPT: usize = 1024;
/// New names at once, and a second: more than any client that is not out to flood us, and little work.
const NEW_NAMES: (u32, u32) = (500, 200);
/// How long a client waits for the turn of a new name.
const TURN: std::time::Duration = std::time::Duration::from_secs(5);
/// RFC 5280 upper bound of a common name.
const COMMON_NAME_LIMIT: usize = 64;

/// Mints leaves and keeps the latest ones.
pub(crate) struct Leaves {
    issuer: Issuer<'static, KeyPair>,
    /// What the issuer is limited to: with one name outside, clients would refuse the whole leaf.
    domains: Vec<Domain>,
    /// One key for all leaves of a run: it never leaves the process, and minting costs no key generation.
    key: KeyPair,
    signing: Arc<dyn SigningKey>,
    /// The other key of a run, made once a client needs it.
    #[cfg(feature = "legacy-tls")]
    rsa: OnceLock<Option<PrivatePkcs8KeyDer<'static>>>,
    kept: Mutex<Kept>,
    turns: Mutex<Pace>,
}

/// The latest leaves. One that was asked for again is passed over once when room is made: a flood of names that nobody
/// asks for twice does not drive out those in use.
#[derive(Default)]
struct Kept {
    leaves: HashMap<Wanted, Held>,
    order: VecDeque<Wanted>,
    /// How many leaves there are for a name.
    names: HashMap<String, usize>,
}

struct Held {
    leaf: Arc<Leaf>,
    again: bool,
}

impl Kept {
    fn get(&mut self, wanted: &Wanted, now: OffsetDateTime) -> Option<Arc<Leaf>> {
        let held = self.leaves.get_mut(wanted).filter(|held| held.leaf.not_after - now > RENEWED_BEFORE)?;
        held.again = true;
        Some(Arc::clone(&held.leaf))
    }

    fn keep(&mut self, wanted: Wanted, leaf: Arc<Leaf>) {
        if self.leaves.insert(wanted.clone(), Held { leaf, again: false }).is_none() {
            *self.names.entry(wanted.name.clone()).or_default() += 1;
            self.order.push_back(wanted);
        }
        while self.order.len() > KEPT
            && let Some(oldest) = self.order.pop_front()
        {
            if self.leaves.get_mut(&oldest).is_some_and(|held| std::mem::take(&mut held.again)) {
                self.order.push_back(oldest);
                continue;
            }
            self.leaves.remove(&oldest);
            if let Some(count) = self.names.get_mut(&oldest.name) {
                *count -= 1;
                if *count == 0 {
                    self.names.remove(&oldest.name);
                }
            }
        }
    }
}

/// What a leaf was minted for: the name asked for and the server's certificate.
#[derive(Clone, PartialEq, Eq, Hash)]
struct Wanted {
    name: String,
    server: Option<[u8; 32]>,
}

impl Leaves {
    pub(crate) fn new(issuer: Issuer<'static, KeyPair>, domains: Vec<Domain>) -> Option<Self> {
        let key = KeyPair::generate().ok()?;
        let der = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(key.serialize_der()));
        let signing = crypto::provider().key_provider.load_private_key(der).ok()?;
        Some(Self {
            issuer,
            domains,
            key,
            signing,
            #[cfg(feature = "legacy-tls")]
            rsa: OnceLock::new(),
            kept: Mutex::default(),
            turns: Mutex::new(Pace::new(NEW_NAMES.0, NEW_NAMES.1)),
        })
    }

    pub(crate) fn leaf(&self, name: &str, server: Option<&CertificateDer<'_>>) -> Result<Arc<Leaf>, LeafError> {
        let wanted = Wanted { name: name.to_ascii_lowercase(), server: server.map(|der| crypto::sha256(der)) };
        let now = OffsetDateTime::now_utc();
        if let Some(leaf) = self.kept().get(&wanted, now) {
            return Ok(leaf);
        }
        let leaf = Arc::new(self.mint(&wanted.name, server, now)?);
        self.kept().keep(wanted, Arc::clone(&leaf));
        Ok(leaf)
    }

    /// How long to wait before a leaf for `name` is asked for: names of which there is one need not wait. Nothing where
    /// the wait would be too long.
    pub(crate) fn turn(&self, name: &str) -> Option<std::time::Duration> {
        if self.kept().names.contains_key(&name.to_ascii_lowercase()) {
            return Some(std::time::Duration::ZERO);
        }
        self.turns.lock().unwrap_or_else(PoisonError::into_inner).turn(TURN)
    }

    /// How `leaf` is shown to clients that speak only old TLS. Some of them take no key but an RSA one, so there is one
    /// of either kind.
    #[cfg(feature = "legacy-tls")]
    pub(crate) fn for_old_clients(&self, leaf: &Leaf) -> Option<Arc<legacy::Acceptor>> {
        leaf.for_old_clients(|| {
            let rsa = self.rsa.get_or_init(legacy::rsa_key).as_ref()?;
            let key = KeyPair::from_pkcs8_der_and_sign_algo(rsa, &rcgen::PKCS_RSA_SHA256).ok()?;
            let names = certificate::names(&leaf.der);
            let purposes = [KeyUsagePurpose::DigitalSignature, KeyUsagePurpose::KeyEncipherment];
            let mut params = params(names.first()?, OffsetDateTime::now_utc(), &purposes).ok()?;
            params.subject_alt_names = names.into_iter().filter_map(general_name).collect();
            let twin = params.signed_by(&key, &self.issuer).ok()?.der().clone();
            let shown = [
                legacy::Shown::new(&[twin], rsa.secret_pkcs8_der())?,
                legacy::Shown::new(std::slice::from_ref(&leaf.der), &self.key.serialize_der())?,
            ];
            legacy::Acceptor::new(&shown).map(Arc::new)
        })
    }

    fn kept(&self) -> std::sync::MutexGuard<'_, Kept> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn mint(&self, name: &str, server: Option<&CertificateDer<'_>>, now: OffsetDateTime) -> Result<Leaf, LeafError> {
        let mut params = params(name, now, &[KeyUsagePurpose::DigitalSignature])?;
        params.subject_alt_names = self.subject_alternative_names(name, server)?;
        let der = params.signed_by(&self.key, &self.issuer).map_err(|_| LeafError::Mint)?.der().clone();
        Leaf::new(CertifiedKey::new(vec![der], Arc::clone(&self.signing)), params.not_after)
    }

    /// The name asked for first, then the names of the server's own certificate that may be signed for.
    fn subject_alternative_names(
        &self,
        name: &str,
        server: Option<&CertificateDer<'_>>,
    ) -> Result<Vec<SanType>, LeafError> {
        let mut names = vec![name.to_owned()];
        if let Some(server) = server {
            let others = certificate::names(server).into_iter();
            names.extend(others.filter(|name| domain::permit(&self.domains, name.strip_prefix("*.").unwrap_or(name))));
        }
        let mut seen = HashSet::new();
        names.retain(|name| seen.insert(name.to_ascii_lowercase()));
        let names: Vec<_> = names.into_iter().filter_map(general_name).collect();
        if names.is_empty() { Err(LeafError::Name) } else { Ok(names) }
    }
}

/// What all leaves have in common.
fn params(name: &str, now: OffsetDateTime, usages: &[KeyUsagePurpose]) -> Result<CertificateParams, LeafError> {
    let mut params = CertificateParams::default();
    params.distinguished_name = DistinguishedName::new();
    if name.len() <= COMMON_NAME_LIMIT {
        params.distinguished_name.push(DnType::CommonName, name);
    }
    params.serial_number = Some(SerialNumber::from_slice(&crypto::serial().ok_or(LeafError::Mint)?));
    params.not_before = now - BACKDATED;
    params.not_after = params.not_before + VALIDITY;
    params.is_ca = IsCa::ExplicitNoCa;
    params.key_usages = usages.to_vec();
    params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
    params.use_authority_key_identifier_extension = true;
    Ok(params)
}

fn server_config(certified: CertifiedKey) -> Result<ServerConfig, LeafError> {
    let mut config = ServerConfig::builder_with_provider(crypto::provider())
        .with_safe_default_protocol_versions()
        .map_err(|_| LeafError::Mint)?
        .with_no_client_auth()
        .with_cert_resolver(Arc::new(SingleCertAndKey::from(certified)));
    // A resumed session shows the client no certificate. Every client shall see, and may refuse, the one of today.
    config.session_storage = Arc::new(NoServerSessionStorage {});
    config.send_tls13_tickets = 0;
    Ok(config)
}

fn general_name(name: String) -> Option<SanType> {
    match name.parse::<IpAddr>() {
        Ok(address) => Some(SanType::IpAddress(address)),
        Err(_) => Ia5String::try_from(name).ok().map(SanType::DnsName),
    }
}

/// A leaf certificate with its key, ready to be shown.
pub(crate) struct Leaf {
    pub(crate) der: CertificateDer<'static>,
    not_after: OffsetDateTime,
    signing: Arc<dyn SigningKey>,
    plain: Arc<ServerConfig>,
    http1: Arc<ServerConfig>,
    http2: Arc<ServerConfig>,
    facts: OnceLock<Option<Certificate>>,
    /// How it is shown to clients that speak only old TLS, once there was one.
    #[cfg(feature = "legacy-tls")]
    old: OnceLock<Option<Arc<legacy::Acceptor>>>,
}

impl Leaf {
    /// One that is ready to be shown.
    pub(crate) fn new(certified: CertifiedKey, not_after: OffsetDateTime) -> Result<Self, LeafError> {
        let der = certified.cert.first().ok_or(LeafError::Mint)?.clone();
        let signing = Arc::clone(&certified.key);
        let plain = server_config(certified)?;
        let speaking = |protocol: Protocol| {
            let mut config = plain.clone();
            config.alpn_protocols = vec![protocol.id().to_vec()];
            Arc::new(config)
        };
        Ok(Self {
            der,
            not_after,
            signing,
            http1: speaking(Protocol::Http1),
            http2: speaking(Protocol::Http2),
            plain: Arc::new(plain),
            facts: OnceLock::new(),
            #[cfg(feature = "legacy-tls")]
            old: OnceLock::new(),
        })
    }

    /// What to show it with on a connection for which this protocol was chosen.
    pub(crate) const fn config(&self, protocol: Option<Protocol>) -> &Arc<ServerConfig> {
        match protocol {
            None => &self.plain,
            Some(Protocol::Http1) => &self.http1,
            Some(Protocol::Http2) => &self.http2,
        }
    }

    /// How it would sign for a client that offers these; nothing where it cannot.
    pub(crate) fn scheme(&self, offered: &[SignatureScheme]) -> Option<SignatureScheme> {
        self.signing.choose_scheme(offered).map(|signer| signer.scheme())
    }

    /// How it is shown to clients that speak only old TLS; what `made` gives, the first time.
    #[cfg(feature = "legacy-tls")]
    pub(crate) fn for_old_clients(
        &self,
        made: impl FnOnce() -> Option<Arc<legacy::Acceptor>>,
    ) -> Option<Arc<legacy::Acceptor>> {
        self.old.get_or_init(made).clone()
    }

    /// Its facts, for the record.
    pub(crate) fn facts(&self, redactor: &Redactor) -> Option<Certificate> {
        self.facts.get_or_init(|| certificate::facts(&self.der, redactor)).clone()
    }
}

/// Why there is no leaf.
#[derive(Clone, Copy, Debug, thiserror::Error)]
pub(crate) enum LeafError {
    /// The name asked for cannot stand in a certificate.
    #[error("the name cannot stand in a certificate")]
    Name,
    /// Signing failed.
    #[error("the certificate could not be signed")]
    Mint,
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::proxy::certificates::authority::Authority;
    use x509_parser::extensions::ParsedExtension;

    fn authority() -> Authority {
        Authority::load_or_create(tempfile::tempdir().unwrap().path()).unwrap()
    }

    fn server(names: &[&str]) -> CertificateDer<'static> {
        let names: Vec<_> = names.iter().map(|name| (*name).to_owned()).collect();
        rcgen::generate_simple_self_signed(names).unwrap().cert.der().clone()
    }

    #[test]
    fn a_leaf_is_what_clients_accept() {
        let authority = authority();
        let server = server(&["MAIL.contoso.com", "autodiscover.contoso.com", "10.1.2.3"]);
        let leaf = authority.leaf("mail.contoso.com", Some(&server)).unwrap();
        let (_, root) = x509_parser::parse_x509_certificate(authority.certificate()).unwrap();
        let (_, cert) = x509_parser::parse_x509_certificate(&leaf.der).unwrap();

        assert_eq!(certificate::names(&leaf.der), ["mail.contoso.com", "autodiscover.contoso.com", "10.1.2.3"]);
        assert!(cert.verify_signature(Some(root.public_key())).is_ok());
        assert_eq!(cert.issuer().as_raw(), root.subject().as_raw());
        assert!(!cert.is_ca());
        assert!(cert.key_usage().unwrap().unwrap().value.digital_signature());
        let purposes = cert.extended_key_usage().unwrap().unwrap().value;
        assert!(purposes.server_auth && !purposes.client_auth && !purposes.any);
        let lifetime = cert.validity().not_after.to_datetime() - cert.validity().not_before.to_datetime();
        assert!(lifetime < Duration::days(197), "{lifetime}");
        assert!(cert.validity().not_before.to_datetime() < OffsetDateTime::now_utc() - Duration::days(1));
        assert!(root.validity().not_before.to_datetime() <= cert.validity().not_before.to_datetime());

        let key_id = |cert: &x509_parser::certificate::X509Certificate<'_>| {
            cert.extensions().iter().find_map(|extension| match extension.parsed_extension() {
                ParsedExtension::SubjectKeyIdentifier(id) => Some(id.0.to_vec()),
                _ => None,
            })
        };
        let authority_id = cert.extensions().iter().find_map(|extension| match extension.parsed_extension() {
            ParsedExtension::AuthorityKeyIdentifier(id) => id.key_identifier.as_ref().map(|id| id.0.to_vec()),
            _ => None,
        });
        assert!(key_id(&cert).is_some());
        assert_eq!(authority_id, key_id(&root));
    }

    #[test]
    fn a_leaf_is_kept_for_its_name_and_server_and_no_two_share_a_serial() {
        let authority = authority();
        let first = authority.leaf("mail.contoso.com", None).unwrap();
        assert!(Arc::ptr_eq(&first, &authority.leaf("MAIL.contoso.com", None).unwrap()));
        let other = authority.leaf("mail.contoso.com", Some(&server(&["mail.contoso.com"]))).unwrap();
        assert!(!Arc::ptr_eq(&first, &other));
        let serial = |leaf: &Leaf| x509_parser::parse_x509_certificate(&leaf.der).unwrap().1.raw_serial().to_vec();
        assert_ne!(serial(&first), serial(&other));
    }

    #[test]
    fn odd_names_get_a_leaf_too() {
        let authority = authority();
        for name in ["under_score.contoso.com", "::1", "10.0.0.1", &"a.".repeat(40)] {
            assert_eq!(certificate::names(&authority.leaf(name, None).unwrap().der), [name]);
        }
    }

    #[test]
    fn no_more_than_the_bound_are_kept() {
        let authority = authority();
        let first = authority.leaf("0.contoso.com", None).unwrap();
        for n in 1..=KEPT {
            authority.leaf(&format!("{n}.contoso.com"), None).unwrap();
        }
        assert!(!Arc::ptr_eq(&first, &authority.leaf("0.contoso.com", None).unwrap()));
    }

    #[test]
    fn a_flood_of_names_waits_and_does_not_drive_out_what_is_in_use() {
        let authority = authority();
        let used = authority.leaf("mail.contoso.com", None).unwrap();
        let (mut at_once, mut waited, mut refused) = (0, 0, 0);
        for n in 0..10_000 {
            let name = format!("{n}.fabrikam.com");
            match authority.turn(&name) {
                Some(wait) => {
                    if wait.is_zero() {
                        at_once += 1;
                    } else {
                        waited += 1;
                    }
                    authority.leaf(&name, None).unwrap();
                }
                None => refused += 1,
            }
            if n % 100 == 0 {
                assert!(Arc::ptr_eq(&used, &authority.leaf("mail.contoso.com", None).unwrap()), "after {n}");
                assert_eq!(authority.turn("MAIL.contoso.com"), Some(std::time::Duration::ZERO));
            }
        }
        assert!(at_once >= 500 && waited >= 900 && refused > 5_000, "{at_once} {waited} {refused}");
    }
}
