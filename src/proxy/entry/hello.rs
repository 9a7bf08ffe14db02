//! A client's ClientHello, and the answer to it: TLS with the client, by the engine that can.

use std::io::{self, ErrorKind};
use std::sync::Arc;

use rustls::pki_types::{CertificateDer, ServerName};
use rustls::server::Accepted;
use rustls::{NamedGroup, SignatureScheme, SupportedCipherSuite};
use tokio::net::TcpStream;
use tokio_rustls::StartHandshake;

use crate::exchange::{Certificate, ClientTls, Connection, Failure, FailureKind, Side, SniForm, Step};
use crate::proxy::Context;
#[cfg(feature = "legacy-tls")]
use crate::proxy::certificates::certificate;
use crate::proxy::certificates::leaf::Leaf;
use crate::proxy::entry::crowd::FirstWords;
use crate::proxy::failure;
use crate::proxy::hosts::split_port;
use crate::proxy::tap::stream::Line;
use crate::proxy::target::Target;
use crate::proxy::tls::crypto;
use crate::proxy::tls::protocol::Protocol;
use crate::proxy::upstream::{cipher_words, tls_error, version_words};
use crate::redact::Clean;
use crate::wire::hello::ClientHello;

/// How certificates that we mint are signed with.
const MINTED: SignatureScheme = SignatureScheme::ECDSA_NISTP256_SHA256;

/// A ClientHello, read and as it came.
pub(crate) struct Hello {
    read: ClientHello,
    /// The same in the hands of the usual engine; nothing where that refuses it.
    accepted: Option<Accepted>,
    pub(crate) raw: Vec<u8>,
    name: Option<String>,
    form: SniForm,
}

impl Hello {
    pub(crate) fn new(read: ClientHello, accepted: Option<Accepted>, raw: Vec<u8>) -> Self {
        let (name, form) = read.server_name.as_deref().map_or((None, SniForm::Absent), server_name);
        Self { read, accepted, raw, name, form }
    }

    /// The server's name in it, where it is one.
    pub(crate) fn sni(&self) -> Option<&str> {
        self.name.as_deref()
    }

    /// Whether it names the server in a way that servers are told of.
    pub(crate) fn names_server(&self) -> bool {
        !matches!(self.form, SniForm::Absent | SniForm::Address)
    }

    /// The server that it names, else `target`'s.
    pub(crate) fn name(&self, target: &Target) -> String {
        self.name.clone().unwrap_or_else(|| target.host.strip_suffix('.').unwrap_or(&target.host).to_owned())
    }

    /// The protocols that it offers and the reader follows, in its order; nothing where it speaks of none at all.
    pub(crate) fn protocols(&self) -> Option<Vec<Protocol>> {
        let offered = self.read.protocols.as_ref()?;
        Some(offered.iter().filter_map(|id| Protocol::of(id)).collect())
    }

    pub(crate) fn offers(&self, protocol: Protocol) -> bool {
        self.protocols().is_some_and(|offered| offered.contains(&protocol))
    }

    /// The groups for key exchange, where it speaks of them.
    pub(crate) fn groups(&self) -> Option<Vec<NamedGroup>> {
        Some(self.read.groups.as_ref()?.iter().map(|group| NamedGroup::from(*group)).collect())
    }

    /// Whether some engine of ours can serve it with what will be shown for `host`.
    pub(crate) fn is_servable(&self, context: &Context, host: &str, port: u16) -> bool {
        let given = context.server_cert(host, port).map(crate::proxy::ServerCert::leaf);
        let minted = |offered: &[SignatureScheme]| offered.contains(&MINTED).then_some(MINTED);
        let usual = match &given {
            Some(leaf) => self.suits_usual(|offered| leaf.scheme(offered)),
            None => self.suits_usual(minted),
        };
        usual || self.suits_old(given.as_deref())
    }

    /// Whether the usual engine can serve it with a key that signs as `scheme` chooses.
    fn suits_usual(&self, scheme: impl FnOnce(&[SignatureScheme]) -> Option<SignatureScheme>) -> bool {
        let Some(accepted) = &self.accepted else { return false };
        let hello = accepted.client_hello();
        let Some(scheme) = scheme(hello.signature_schemes()) else { return false };
        let provider = crypto::provider();
        let signs = |suite: &SupportedCipherSuite| match suite {
            SupportedCipherSuite::Tls12(suite) => suite.sign.contains(&scheme),
            SupportedCipherSuite::Tls13(_) => true,
        };
        let suite =
            provider.cipher_suites.iter().any(|ours| hello.cipher_suites().contains(&ours.suite()) && signs(ours));
        let group = hello
            .named_groups()
            .is_none_or(|offered| provider.kx_groups.iter().any(|ours| offered.contains(&ours.name())));
        suite && group
    }

    /// Whether the engine for old TLS can, with a certificate that was `given`, or with minted ones.
    #[cfg(feature = "legacy-tls")]
    fn suits_old(&self, given: Option<&Leaf>) -> bool {
        match given {
            Some(leaf) => leaf.for_old_clients(|| None).is_some_and(|acceptor| acceptor.serves(&self.read)),
            None => crate::proxy::tls::legacy::serves(&self.read, true, true),
        }
    }

    #[cfg(not(feature = "legacy-tls"))]
    #[allow(clippy::unused_self)] // the same call, whatever is built in
    fn suits_old(&self, _: Option<&Leaf>) -> bool {
        false
    }

    /// Why the usual engine could not serve it.
    #[cfg(feature = "legacy-tls")]
    fn why_old(&self) -> Clean {
        match (self.read.newest, self.form) {
            (0x0301, _) => "the client speaks nothing newer than TLS 1.0".into(),
            (0x0302, _) => "the client speaks nothing newer than TLS 1.1".into(),
            (_, SniForm::Port) => "the client's server name has a port, which the usual engine refuses".into(),
            (_, SniForm::Odd) => "the client's server name is no host name, which the usual engine refuses".into(),
            _ if self.accepted.is_none() => "the client's hello breaks rules that the usual engine insists on".into(),
            _ => "the client offers no cipher or key that the usual engine has".into(),
        }
    }

    fn facts(&self, version: Clean, cipher: Clean, alpn: Option<Clean>, context: &Context) -> ClientTls {
        let sni = self.read.server_name.as_deref().map(|name| context.redactor.wire().host(name));
        ClientTls { version, cipher, alpn, sni, sni_form: self.form, legacy: None }
    }
}

/// The host that a server name stands for, where it does, and the name's form.
fn server_name(raw: &[u8]) -> (Option<String>, SniForm) {
    let Ok(text) = std::str::from_utf8(raw) else { return (None, SniForm::Odd) };
    let is_address = |text: &str| text.parse::<std::net::IpAddr>().is_ok();
    if is_address(text) {
        return (None, SniForm::Address);
    }
    let (host, form) = match split_port(text) {
        Some((host, Some(_))) => (host, SniForm::Port),
        _ => (text, SniForm::Name),
    };
    if is_address(host) {
        return (None, form);
    }
    let (host, form) = match host.strip_suffix('.') {
        Some(host) if form == SniForm::Name => (host, SniForm::TrailingDot),
        Some(host) => (host, form),
        None => (host, form),
    };
    match ServerName::try_from(host) {
        Ok(ServerName::DnsName(_)) => (Some(host.to_owned()), form),
        _ => (None, SniForm::Odd),
    }
}

/// TLS with a client.
pub(crate) struct Greeted {
    pub(crate) stream: Line,
    pub(crate) facts: ClientTls,
    /// The certificate that it was shown.
    pub(crate) shown: CertificateDer<'static>,
    /// The same, for the record.
    pub(crate) presented: Option<Certificate>,
}

impl Greeted {
    /// The stream, and `connection` with what is known of it now.
    pub(crate) fn enter(self, connection: Arc<Connection>) -> (Line, Arc<Connection>) {
        let Self { stream, facts, presented, .. } = self;
        let connection = Connection { client_tls: Some(facts), presented, ..Arc::unwrap_or_clone(connection) };
        (stream, Arc::new(connection))
    }
}

/// Finishes the client's handshake, or says how the client refuses, or that it takes too long.
pub(crate) async fn greet(
    client: TcpStream,
    hello: Hello,
    leaf: &Leaf,
    protocol: Option<Protocol>,
    context: &Context,
) -> Result<Greeted, Failure> {
    let mut wait = context.crowd.wait();
    tokio::select! {
        greeted = shake_hands(client, hello, leaf, protocol, context) => greeted,
        dismissal = wait.dismissal(true, None) => Err(dismissal.failure(FirstWords::TlsHandshake)),
    }
}

async fn shake_hands(
    client: TcpStream,
    mut hello: Hello,
    leaf: &Leaf,
    protocol: Option<Protocol>,
    context: &Context,
) -> Result<Greeted, Failure> {
    #[cfg(feature = "legacy-tls")]
    if !hello.suits_usual(|offered| leaf.scheme(offered))
        && let Some(acceptor) = context.for_old_clients(leaf)
        && acceptor.serves(&hello.read)
    {
        return greet_old(client, hello, leaf, &acceptor, protocol, context).await;
    }
    let Some(accepted) = hello.accepted.take() else { return Err(incompatible()) };
    let config = Arc::clone(leaf.config(protocol));
    let handshake = StartHandshake::from_parts(accepted, client).into_stream(config);
    let stream = handshake.await.map_err(|error| refused(&error, context))?;
    let (_, session) = stream.get_ref();
    let facts = hello.facts(
        version_words(session.protocol_version()),
        cipher_words(session.negotiated_cipher_suite()),
        session.alpn_protocol().map(|protocol| context.redactor.wire().token(protocol)),
        context,
    );
    let presented = leaf.facts(&context.redactor);
    Ok(Greeted { stream: Box::new(stream), facts, shown: leaf.der.clone(), presented })
}

#[cfg(feature = "legacy-tls")]
async fn greet_old(
    client: TcpStream,
    mut hello: Hello,
    leaf: &Leaf,
    acceptor: &crate::proxy::tls::legacy::Acceptor,
    protocol: Option<Protocol>,
    context: &Context,
) -> Result<Greeted, Failure> {
    let raw = std::mem::take(&mut hello.raw);
    let stream = acceptor.accept(client, raw, protocol).await.map_err(|error| refused(&error, context))?;
    let settled = stream.settled();
    let alpn = settled.alpn.as_deref().map(|protocol| context.redactor.wire().token(protocol));
    let facts = ClientTls {
        legacy: Some(hello.why_old()),
        ..hello.facts(settled.version.into(), settled.cipher.into(), alpn, context)
    };
    let (shown, presented) = match settled.shown {
        Some(shown) if shown != leaf.der => {
            let presented = certificate::facts(&shown, &context.redactor);
            (shown, presented)
        }
        _ => (leaf.der.clone(), leaf.facts(&context.redactor)),
    };
    Ok(Greeted { stream: Box::new(stream), facts, shown, presented })
}

fn refused(error: &io::Error, context: &Context) -> Failure {
    match tls_error(error) {
        Some(error) => failure::client_tls(error, &context.redactor),
        None => failure::left_at_certificate(matches!(
            error.kind(),
            ErrorKind::ConnectionReset | ErrorKind::ConnectionAborted
        )),
    }
}

/// No engine of ours can serve the client.
fn incompatible() -> Failure {
    let text = "the client speaks no TLS version or cipher that this proxy speaks";
    Failure { side: Side::Client, step: Step::Tls, kind: FailureKind::TlsIncompatible, text: text.into() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_server_name_is_made_sense_of_in_every_form() {
        for (raw, name, form) in [
            (&b"mail.contoso.com"[..], Some("mail.contoso.com"), SniForm::Name),
            (b"under_score.contoso.com", Some("under_score.contoso.com"), SniForm::Name),
            (b"mail.contoso.com.", Some("mail.contoso.com"), SniForm::TrailingDot),
            (b"mail.contoso.com:443", Some("mail.contoso.com"), SniForm::Port),
            (b"mail.contoso.com.:443", Some("mail.contoso.com"), SniForm::Port),
            (b"192.0.2.1", None, SniForm::Address),
            (b"192.0.2.1:443", None, SniForm::Port),
            (b"2001:db8::1", None, SniForm::Address),
            ("m\u{fc}ller.contoso.com".as_bytes(), None, SniForm::Odd),
            (b"\xff\xfe", None, SniForm::Odd),
            (b"a b", None, SniForm::Odd),
            (b"", None, SniForm::Odd),
        ] {
            assert_eq!(server_name(raw), (name.map(str::to_owned), form), "{}", String::from_utf8_lossy(raw));
        }
    }
}
