//! The second TLS engine, for what rustls leaves to history: TLS 1.0 and 1.1, CBC ciphers, RSA and DHE key exchange,
//! renegotiation. It is OpenSSL, with all that it would refuse today let in again.
//!
//! It is taken only where rustls could not be, and what it gives looks the same: a [`Stream`](crate::proxy::tap::stream::Stream),
//! the same facts, the same errors. No certificate is judged here.

mod fault;
mod stream;
mod watch;

use std::io;
use std::pin::Pin;
use std::sync::OnceLock;

use openssl::error::ErrorStack;
use openssl::ex_data::Index;
use openssl::pkey::{PKey, Private};
use openssl::ssl::{
    AlpnError, Ssl, SslCipherRef, SslContext, SslContextBuilder, SslMethod, SslMode, SslOptions, SslRef,
    SslSessionCacheMode, SslVerifyMode, SslVersion,
};
use openssl::x509::X509;
use rustls::pki_types::{CertificateDer, PrivatePkcs8KeyDer};
use tokio::net::TcpStream;

use crate::proxy::tls::protocol::Protocol;
use crate::proxy::upstream::hop::Hop;
use crate::wire::hello::ClientHello;
use stream::Below;

pub(crate) use stream::Legacy;

/// Everything that is not without a key or a name. Level 0 lets in short keys and SHA-1.
const CIPHERS: &str = "DEFAULT:!aNULL:!eNULL:!PSK:!SRP:@SECLEVEL=0";

/// What we are towards servers: one for all of them, or one for a client certificate.
pub(crate) struct Connector(SslContext);

impl Connector {
    /// Without a certificate of ours, or with the one that `shown` is.
    pub(crate) fn new(shown: Option<&Shown>) -> Option<Self> {
        connector(shown).ok().map(Self)
    }

    /// A handshake over `hop` with a server that is called `sni`.
    pub(crate) async fn connect(&self, hop: Hop, sni: Option<&str>, http1: bool) -> io::Result<Legacy<Hop>> {
        let ssl = || -> Result<Ssl, ErrorStack> {
            let mut ssl = Ssl::new(&self.0)?;
            if let Some(name) = sni {
                ssl.set_hostname(name)?;
            }
            if http1 {
                let id = Protocol::Http1.id();
                let length = u8::try_from(id.len()).unwrap_or_default();
                ssl.set_alpn_protos(&[&[length], id].concat())?;
            }
            Ok(ssl)
        };
        let mut stream = Legacy::new(ssl().map_err(fault::setup)?, Below::watched(hop))?;
        Pin::new(&mut stream).connect().await?;
        Ok(stream)
    }
}

fn connector(shown: Option<&Shown>) -> Result<SslContext, ErrorStack> {
    let mut context = SslContextBuilder::new(SslMethod::tls_client())?;
    admit_everything(&mut context)?;
    context.set_max_proto_version(Some(SslVersion::TLS1_2))?;
    // Judged after the handshake, as with rustls.
    context.set_verify(SslVerifyMode::NONE);
    context.set_session_cache_mode(SslSessionCacheMode::OFF);
    if let Some(shown) = shown {
        shown.enter(&mut context)?;
    }
    Ok(context.build())
}

/// What clients are shown: a certificate for each kind of key, of which the handshake takes the one that suits.
pub(crate) struct Acceptor {
    context: SslContext,
    rsa: bool,
    ecdsa: bool,
}

impl Acceptor {
    pub(crate) fn new(shown: &[Shown]) -> Option<Self> {
        let context = acceptor(shown).ok()?;
        let of = |kind: openssl::pkey::Id| shown.iter().any(|shown| shown.key.id() == kind);
        Some(Self { context, rsa: of(openssl::pkey::Id::RSA), ecdsa: of(openssl::pkey::Id::EC) })
    }

    /// Whether a client that offers this can be served.
    pub(crate) fn serves(&self, hello: &ClientHello) -> bool {
        serves(hello, self.rsa, self.ecdsa)
    }

    /// A handshake over `tcp` with a client of whose bytes `read` have come.
    pub(crate) async fn accept(
        &self,
        tcp: TcpStream,
        read: Vec<u8>,
        protocol: Option<Protocol>,
    ) -> io::Result<Legacy<TcpStream>> {
        let mut ssl = Ssl::new(&self.context).map_err(fault::setup)?;
        if let (Some(index), Some(protocol)) = (chosen(), protocol) {
            ssl.set_ex_data(index, protocol);
        }
        let mut stream = Legacy::new(ssl, Below::replaying(tcp, read))?;
        Pin::new(&mut stream).accept().await?;
        Ok(stream)
    }
}

/// Whether a client that offers this can be served by one with keys of these kinds.
pub(crate) fn serves(hello: &ClientHello, rsa: bool, ecdsa: bool) -> bool {
    const TLS_1_0: u16 = 0x0301;
    static READER: OnceLock<Option<SslContext>> = OnceLock::new();
    let signs = |suite: &str| {
        if ["_PSK_", "_NULL_", "_anon_"].iter().any(|without| suite.contains(without)) {
            return false;
        }
        let of_rsa = ["TLS_RSA_WITH_", "TLS_ECDHE_RSA_"].iter().any(|start| suite.starts_with(start));
        let of_tls_1_3 = !suite.contains("_WITH_");
        of_tls_1_3 || rsa && of_rsa || ecdsa && suite.starts_with("TLS_ECDHE_ECDSA_")
    };
    let Some(context) = READER.get_or_init(|| acceptor(&[]).ok()) else { return false };
    let Ok(ssl) = Ssl::new(context) else { return false };
    let offered: Vec<u8> = hello.suites.iter().flat_map(|suite| suite.to_be_bytes()).collect();
    let Ok(known) = ssl.bytes_to_cipher_list(&offered, false) else { return false };
    hello.newest >= TLS_1_0 && known.suites.iter().filter_map(SslCipherRef::standard_name).any(signs)
}

fn acceptor(shown: &[Shown]) -> Result<SslContext, ErrorStack> {
    let mut context = SslContextBuilder::new(SslMethod::tls_server())?;
    admit_everything(&mut context)?;
    // A resumed session shows the client no certificate. Every client shall see, and may refuse, the one of today.
    context.set_options(SslOptions::NO_TICKET);
    context.set_session_cache_mode(SslSessionCacheMode::OFF);
    context.set_num_tickets(0)?;
    for shown in shown {
        shown.enter(&mut context)?;
    }
    context.set_alpn_select_callback(|ssl, offered| {
        let chosen = chosen().and_then(|index| ssl.ex_data(index)).copied();
        chosen.and_then(|protocol| listed(offered, protocol.id())).ok_or(AlpnError::NOACK)
    });
    Ok(context.build())
}

/// The one of the protocols in a hello's list, each behind its length, that is `wanted`.
fn listed<'a>(mut list: &'a [u8], wanted: &[u8]) -> Option<&'a [u8]> {
    loop {
        let (length, rest) = list.split_first()?;
        let (protocol, rest) = rest.split_at_checked(usize::from(*length))?;
        if protocol == wanted {
            return Some(protocol);
        }
        list = rest;
    }
}

/// Where a connection keeps the protocol that was chosen for it.
fn chosen() -> Option<Index<Ssl, Protocol>> {
    static INDEX: OnceLock<Option<Index<Ssl, Protocol>>> = OnceLock::new();
    *INDEX.get_or_init(|| Ssl::new_ex_index().ok())
}

fn admit_everything(context: &mut SslContextBuilder) -> Result<(), ErrorStack> {
    context.set_security_level(0);
    context.set_min_proto_version(Some(SslVersion::TLS1))?;
    context.set_cipher_list(CIPHERS)?;
    // Servers that know only the renegotiation that is not secured (before RFC 5746) are let renegotiate, and servers
    // that were never told of it are spoken to: the one who is debugged decides, not we.
    context.set_options(SslOptions::ALL | SslOptions::ALLOW_UNSAFE_LEGACY_RENEGOTIATION | SslOptions::NO_COMPRESSION);
    context.set_mode(
        SslMode::AUTO_RETRY
            | SslMode::ACCEPT_MOVING_WRITE_BUFFER
            | SslMode::ENABLE_PARTIAL_WRITE
            | SslMode::RELEASE_BUFFERS,
    );
    Ok(())
}

/// A certificate with those that it leads to, and its key, as OpenSSL holds them.
pub(crate) struct Shown {
    chain: Vec<X509>,
    key: PKey<Private>,
}

impl Shown {
    pub(crate) fn new(chain: &[CertificateDer<'_>], key: &[u8]) -> Option<Self> {
        let chain: Result<Vec<_>, _> = chain.iter().map(|der| X509::from_der(der)).collect();
        Some(Self { chain: chain.ok().filter(|chain| !chain.is_empty())?, key: PKey::private_key_from_der(key).ok()? })
    }

    fn enter(&self, context: &mut SslContextBuilder) -> Result<(), ErrorStack> {
        let Some((leaf, issuers)) = self.chain.split_first() else { return Ok(()) };
        context.set_certificate(leaf)?;
        context.set_private_key(&self.key)?;
        issuers.iter().try_for_each(|issuer| context.add_extra_chain_cert(issuer.clone()))
    }
}

/// A new RSA key of 2048 bits.
pub(crate) fn rsa_key() -> Option<PrivatePkcs8KeyDer<'static>> {
    let key = PKey::from_rsa(openssl::rsa::Rsa::generate(2048).ok()?).ok()?;
    key.private_key_to_pkcs8().ok().map(PrivatePkcs8KeyDer::from)
}

/// What a handshake settled.
pub(crate) struct Settled {
    pub(crate) version: &'static str,
    /// As IANA names it.
    pub(crate) cipher: &'static str,
    pub(crate) alpn: Option<Vec<u8>>,
    /// The server's certificates, its own first; nothing on our side of a client's connection.
    pub(crate) chain: Vec<CertificateDer<'static>>,
    /// Our certificate, where we are the server.
    pub(crate) shown: Option<CertificateDer<'static>>,
    /// The server asked for a certificate of ours.
    pub(crate) asked: bool,
}

fn settled(ssl: &SslRef, asked: bool) -> Settled {
    let der = |certificate: &openssl::x509::X509Ref| certificate.to_der().ok().map(CertificateDer::from);
    let server = ssl.is_server();
    let chain = (!server).then(|| ssl.peer_cert_chain()).flatten();
    Settled {
        version: match ssl.version2() {
            Some(SslVersion::TLS1) => "TLS 1.0",
            Some(SslVersion::TLS1_1) => "TLS 1.1",
            Some(SslVersion::TLS1_2) => "TLS 1.2",
            Some(SslVersion::TLS1_3) => "TLS 1.3",
            _ => "TLS",
        },
        cipher: ssl.current_cipher().and_then(SslCipherRef::standard_name).unwrap_or("unknown"),
        alpn: ssl.selected_alpn_protocol().map(<[u8]>::to_vec),
        chain: chain.into_iter().flatten().filter_map(der).collect(),
        shown: server.then(|| ssl.certificate()).flatten().and_then(der),
        asked,
    }
}
