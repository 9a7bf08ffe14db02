//! What is known of a client connection and of the server connection behind it.

use super::Timestamp;
use crate::redact::Clean;

/// One client connection, with the one upstream connection that belongs to it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Connection {
    /// Unique within a session, from 1.
    pub id: u32,
    /// The client's address; a pseudonym unless it is a loopback address. Nothing in pasted text.
    pub client: Option<Clean>,
    /// What the client asked for, `host:port`.
    pub target: Option<Clean>,
    /// What TLS with the client settled, where it was intercepted.
    pub client_tls: Option<ClientTls>,
    /// The server's address and TLS, once connected.
    pub server: Option<Server>,
    /// The certificate that the client was shown, where TLS was intercepted.
    pub presented: Option<Certificate>,
}

/// What a TLS handshake with the client settled.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ClientTls {
    /// `TLS 1.3`.
    pub version: Clean,
    /// As IANA names it.
    pub cipher: Clean,
    /// The application protocol, if one was negotiated.
    pub alpn: Option<Clean>,
    /// The server name that the client sent, in whatever form.
    pub sni: Option<Clean>,
    /// In which form it came.
    pub sni_form: SniForm,
    /// Why the engine for old TLS had to serve the client; nothing where the usual one did.
    pub legacy: Option<Clean>,
}

/// How a client names the server in its TLS handshake (RFC 6066 section 3).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum SniForm {
    /// Not at all.
    #[default]
    Absent,
    /// By a host name, as it should be.
    Name,
    /// By a host name with a dot behind it.
    TrailingDot,
    /// By a host and a port.
    Port,
    /// By an IP address.
    Address,
    /// By something else.
    Odd,
}

impl SniForm {
    /// All, for reading [`SniForm::code`] back.
    pub const ALL: [Self; 6] = [Self::Absent, Self::Name, Self::TrailingDot, Self::Port, Self::Address, Self::Odd];

    /// A stable word for files.
    pub const fn code(self) -> &'static str {
        match self {
            Self::Absent => "absent",
            Self::Name => "name",
            Self::TrailingDot => "trailing-dot",
            Self::Port => "port",
            Self::Address => "address",
            Self::Odd => "odd",
        }
    }
}

/// The upstream end of a connection.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Server {
    /// `address:port`.
    pub address: Clean,
    /// Nothing for plain HTTP and for tunnels that were not looked into.
    pub tls: Option<Tls>,
}

/// What a TLS handshake settled.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tls {
    /// `TLS 1.3`.
    pub version: Clean,
    /// As IANA names it.
    pub cipher: Clean,
    /// The application protocol, if one was negotiated.
    pub alpn: Option<Clean>,
    /// The server's own certificate.
    pub certificate: Certificate,
    /// The further certificates that the server sent, in its order.
    pub chain: Vec<Certificate>,
    /// Why verification would have refused the certificate, had `--insecure-upstream` not been given.
    pub accepted_despite: Option<Clean>,
    /// Why the engine for old TLS had to be taken; nothing where the usual one did.
    pub legacy: Option<Clean>,
    /// Whether the server wanted a certificate of the client's, and got one.
    pub client_certificate: ClientCertificate,
    /// An earlier session was resumed: the server has shown its certificates then.
    pub resumed: bool,
    /// The server has negotiated again later on the same connection, as IIS does for a client certificate that it wants
    /// of some directories alone.
    pub renegotiated: bool,
}

impl Tls {
    /// One of which nothing but the server's certificate is known.
    pub fn of_certificate(certificate: Certificate) -> Self {
        Self {
            version: "".into(),
            cipher: "".into(),
            alpn: None,
            certificate,
            chain: Vec::new(),
            accepted_despite: None,
            legacy: None,
            client_certificate: ClientCertificate::default(),
            resumed: false,
            renegotiated: false,
        }
    }
}

/// Whether a server wanted a certificate of the client's.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum ClientCertificate {
    /// It did not ask for one.
    #[default]
    NotAsked,
    /// It asked, and there was none to give.
    Asked,
    /// It asked, and got the one of this subject.
    Given(Clean),
}

/// A certificate's facts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Certificate {
    /// Subject, RFC 4514 style.
    pub subject: Clean,
    /// Issuer, RFC 4514 style.
    pub issuer: Clean,
    /// DNS names and addresses of the subject alternative name.
    pub names: Vec<Clean>,
    /// Not valid before.
    pub not_before: Timestamp,
    /// Not valid after.
    pub not_after: Timestamp,
    /// SHA-256 of the DER form.
    pub sha256: [u8; 32],
}

impl Certificate {
    /// One of which nothing but the fingerprint is known.
    pub fn of_fingerprint(sha256: [u8; 32]) -> Self {
        let (subject, issuer, names) = ("".into(), "".into(), Vec::new());
        Self { subject, issuer, names, not_before: Timestamp::default(), not_after: Timestamp::default(), sha256 }
    }
}
