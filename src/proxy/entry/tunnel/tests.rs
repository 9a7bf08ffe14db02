use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use rustls::RootCertStore;
use rustls::pki_types::ServerName;
use time::OffsetDateTime;
use tokio::io::AsyncWriteExt;
use tokio::net::TcpListener;
use tokio_rustls::{TlsConnector, client};

use super::*;
use crate::exchange::{Exchange, Ids};
use crate::proxy::stage::{
    Line, ServerAuthority, Stage, client_config, expect, patiently, read_head, rest, self_signed,
    self_signed_with_sha384, server,
};
use crate::proxy::tls::crypto;
use crate::redact::{Binding, Credential, Ntlm, NtlmMessage, Redactor};
use crate::session::{Mode, Session, Writer, paste};

const HOST: &str = "mail.contoso.com";
const REQUEST: &[u8] = b"GET /EWS/Exchange.asmx HTTP/1.1\r\nHost: mail.contoso.com\r\n\r\n";
const RESPONSE: &[u8] = b"HTTP/1.1 401 Unauthorized\r\nContent-Length: 0\r\n\r\n";

/// Answers every request with [`RESPONSE`].
async fn answering(mut line: Box<dyn Line>) {
    while read_head(&mut line).await.ends_with("\r\n\r\n") {
        if line.write_all(RESPONSE).await.is_err() {
            return;
        }
    }
}

async fn exchange_with(stage: &mut Stage, mut client: impl Line) -> Exchange {
    client.write_all(REQUEST).await.unwrap();
    expect(&mut client, RESPONSE).await;
    stage.ended_one().await
}

/// A failure's side, step and kind.
fn facts(exchange: &Exchange) -> (Side, Step, FailureKind) {
    let failure = exchange.error.as_ref().expect("a failure");
    (failure.side, failure.step, failure.kind)
}

/// The handshake of a client that trusts only `roots`, over a tunnel that stands.
async fn handshake(
    tcp: TcpStream,
    roots: RootCertStore,
    alpn: &[&[u8]],
) -> std::io::Result<client::TlsStream<TcpStream>> {
    let name = ServerName::try_from(HOST).unwrap();
    TlsConnector::from(Arc::new(client_config(roots, alpn))).connect(name, tcp).await
}

fn trusting(stage: &Stage) -> RootCertStore {
    let mut roots = RootCertStore::empty();
    roots.add(stage.authority.certificate().clone()).unwrap();
    roots
}

/// An address at which nobody listens.
async fn nobody() -> SocketAddr {
    TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap()
}

#[tokio::test]
async fn a_request_through_tls_is_read_and_its_connection_known() {
    let servers = ServerAuthority::new();
    let mut config = servers.server(HOST);
    config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    let mut stage = Stage::new(server(Some(config), answering).await, Some(&servers), |_| ()).await;
    let mut client = stage.tls(HOST).await;
    assert_eq!(client.get_ref().1.alpn_protocol(), Some(&b"http/1.1"[..]));
    let exchange = exchange_with(&mut stage, &mut client).await;
    assert_eq!(exchange.url.unwrap().text().as_str(), "https://mail.contoso.com/EWS/Exchange.asmx");
    assert_eq!(exchange.response.seen().unwrap().status, Some(401));
    assert_eq!(exchange.error, None);
    let connection = exchange.connection;
    let tls = connection.server.as_ref().unwrap().tls.as_ref().unwrap();
    assert_eq!((tls.version.as_str(), tls.alpn.as_ref().unwrap().as_str()), ("TLS 1.3", "http/1.1"));
    assert_eq!(tls.certificate.names, [HOST]);
    assert_eq!(tls.accepted_despite, None);
    let shown = &client.get_ref().1.peer_certificates().unwrap()[0];
    assert_eq!(connection.presented.as_ref().unwrap().sha256, crypto::sha256(shown));
    assert_eq!(connection.target.as_ref().unwrap(), &"mail.contoso.com:443");
}

/// An NTLM type 3 message of version 2 that is bound to `binding`.
fn bound_to(binding: [u8; 16]) -> String {
    let response = [&[7; 44][..], &[10, 0, 16, 0], &binding, &[0; 8]].concat();
    let user = b"a\0v\0e\0r\0y\0";
    let mut bytes = b"NTLMSSP\0\x03\0\0\0".to_vec();
    let mut at = 64;
    for length in [0, response.len(), 0, user.len(), 0, 0] {
        bytes.extend((length as u16).to_le_bytes());
        bytes.extend((length as u16).to_le_bytes());
        bytes.extend((at as u32).to_le_bytes());
        at += length;
    }
    bytes.extend(1_u32.to_le_bytes());
    bytes.extend(response);
    bytes.extend(user);
    STANDARD.encode(bytes)
}

fn binding_of(exchange: &Exchange) -> Option<Binding> {
    match exchange.authorization()? {
        Credential::Ntlm(Ntlm::Message(message)) => match **message {
            NtlmMessage::Authenticate { binding, .. } => Some(binding),
            _ => None,
        },
        _ => None,
    }
}

#[tokio::test]
async fn an_ntlm_response_tells_whose_certificate_the_client_saw() {
    // SHA-384, so that it is not the fingerprint that counts.
    let (config, shown) = self_signed_with_sha384(HOST);
    let mut stage =
        Stage::new(server(Some(config), answering).await, None, |options| options.insecure_upstream = true).await;
    let mut client = stage.tls(HOST).await;
    let ours = client.get_ref().1.peer_certificates().unwrap()[0].clone().into_owned();
    let bindings = Bindings::of_certificates(Some(&ours), Some(&shown));
    let values = [bindings.ours.unwrap(), bindings.server.unwrap(), [5; 16], [0; 16]];
    for (value, expected) in values.into_iter().zip([Binding::Ours, Binding::Server, Binding::Other, Binding::Zero]) {
        let request =
            format!("GET /EWS/ HTTP/1.1\r\nHost: mail.contoso.com\r\nAuthorization: NTLM {}\r\n\r\n", bound_to(value));
        client.write_all(request.as_bytes()).await.unwrap();
        expect(&mut client, RESPONSE).await;
        let exchange = stage.ended_one().await;
        assert_eq!(binding_of(&exchange), Some(expected));

        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("bound.authtap");
        let writer = Writer::begin(&path, Mode::Forward, &Redactor::new()).unwrap();
        writer.append(Arc::new(exchange.clone()));
        assert_eq!(writer.close().lost, 0);
        let session = Session::open(&path, &Redactor::new()).unwrap();
        let stored = session.exchanges().next().unwrap().unwrap();
        assert_eq!(binding_of(&stored), Some(expected));

        let field = &exchange.request_fields()[1];
        let text = format!("GET /EWS/ HTTP/1.1\r\nHost: mail.contoso.com\r\n{}: {}\r\n\r\n", field.name, field.value);
        let pasted = paste::read(text.as_bytes(), &Redactor::new(), &Ids::default(), Timestamp(0));
        assert_eq!(binding_of(&pasted[0]), Some(expected), "{text}");
    }
}

#[tokio::test]
async fn without_alpn_on_one_side_there_is_none_on_the_other() {
    let servers = ServerAuthority::new();
    let stage = Stage::new(server(Some(servers.server(HOST)), answering).await, Some(&servers), |_| ()).await;
    let client = stage.tls(HOST).await;
    assert_eq!(client.get_ref().1.alpn_protocol(), None);
}

#[tokio::test]
async fn a_server_that_cannot_be_reached_answers_the_connect_itself() {
    let mut stage = Stage::new(nobody().await, None, |_| ()).await;
    let mut client = stage.connect().await;
    client.write_all(b"CONNECT mail.contoso.com:443 HTTP/1.1\r\n\r\n").await.unwrap();
    let answer = String::from_utf8(rest(&mut client).await).unwrap();
    assert!(answer.starts_with("HTTP/1.1 502 Bad Gateway\r\n"), "{answer}");
    assert!(answer.contains("mail.contoso.com:443") && answer.contains("接続できませんでした"), "{answer}");
    let exchange = stage.ended_one().await;
    assert_eq!(facts(&exchange), (Side::Server, Step::Connect, FailureKind::Refused));
    assert_eq!(exchange.method.as_ref().unwrap(), &"CONNECT");
    assert_eq!(exchange.url.unwrap().text(), &"https://mail.contoso.com/");
    assert_eq!(exchange.request.unseen(), Some(Unseen::NeverCame));
}

#[tokio::test]
async fn a_name_without_address_answers_the_connect_itself() {
    let mut stage = Stage::new(nobody().await, None, |_| ()).await;
    let mut client = stage.connect().await;
    client.write_all(b"CONNECT nobody.invalid:443 HTTP/1.1\r\n\r\n").await.unwrap();
    let answer = String::from_utf8(rest(&mut client).await).unwrap();
    assert!(answer.contains("proxy-status: authtap; error=dns_error"), "{answer}");
    assert_eq!(facts(&stage.ended_one().await), (Side::Server, Step::Resolve, FailureKind::NameNotFound));
}

/// Plays a client against a server whose certificate is refused; gives its answer and the exchange.
async fn refused(config: rustls::ServerConfig, servers: Option<&ServerAuthority>) -> (String, Exchange) {
    let mut stage = Stage::new(server(Some(config), answering).await, servers, |_| ()).await;
    let mut client = stage.tls(HOST).await;
    client.write_all(REQUEST).await.unwrap();
    let answer = String::from_utf8(rest(&mut client).await).unwrap();
    assert!(answer.starts_with("HTTP/1.1 502 Bad Gateway\r\n"), "{answer}");
    let exchange = stage.ended_one().await;
    let escaped = exchange.error.as_ref().unwrap().text.as_str().replace('\'', "&#39;");
    assert!(answer.contains(&escaped), "{answer}");
    let tls = exchange.connection.server.as_ref().unwrap().tls.as_ref().unwrap();
    assert!(!tls.certificate.names.is_empty());
    (escaped, exchange)
}

#[tokio::test]
async fn an_expired_certificate_is_explained_with_its_date() {
    let servers = ServerAuthority::new();
    let now = OffsetDateTime::now_utc();
    let until = now - time::Duration::days(3);
    let config = servers.server_valid(HOST, now - time::Duration::days(9), until);
    let (text, exchange) = refused(config, Some(&servers)).await;
    assert_eq!(facts(&exchange), (Side::Server, Step::Tls, FailureKind::CertificateExpired));
    assert!(text.contains("mail.contoso.com expired on ") && text.contains(&until.date().to_string()), "{text}");
}

#[tokio::test]
async fn a_certificate_of_the_future_is_explained_with_its_date() {
    let servers = ServerAuthority::new();
    let from = OffsetDateTime::now_utc() + time::Duration::days(3);
    let (text, exchange) =
        refused(servers.server_valid(HOST, from, from + time::Duration::days(9)), Some(&servers)).await;
    assert_eq!(facts(&exchange).2, FailureKind::CertificateNotYetValid);
    assert!(text.contains("not valid before ") && text.contains(&from.date().to_string()), "{text}");
}

#[tokio::test]
async fn a_certificate_for_another_name_is_explained_with_its_names() {
    let servers = ServerAuthority::new();
    let (text, exchange) = refused(servers.server("legacy.fabrikam.com"), Some(&servers)).await;
    assert_eq!(facts(&exchange).2, FailureKind::CertificateNameMismatch);
    assert!(text.contains("not for mail.contoso.com but for legacy.fabrikam.com"), "{text}");
}

#[tokio::test]
async fn an_untrusted_issuer_and_a_self_signed_certificate_are_told_apart() {
    let (text, exchange) = refused(ServerAuthority::new().server(HOST), None).await;
    assert_eq!(facts(&exchange).2, FailureKind::CertificateUntrusted);
    assert!(text.contains("leads to no trusted root: its issuer is CN="), "{text}");
    let (text, exchange) = refused(self_signed(HOST), None).await;
    assert_eq!(facts(&exchange).2, FailureKind::CertificateUntrusted);
    assert!(text.contains("is self-signed"), "{text}");
}

#[tokio::test]
async fn an_insecure_upstream_is_accepted_and_annotated() {
    let origin = server(Some(self_signed(HOST)), answering).await;
    let mut stage = Stage::new(origin, None, |options| options.insecure_upstream = true).await;
    for resumed in [false, true] {
        let client = stage.tls(HOST).await;
        let exchange = exchange_with(&mut stage, client).await;
        let tls = exchange.connection.server.as_ref().unwrap().tls.as_ref().unwrap();
        assert_eq!(tls.resumed, resumed);
        assert!(tls.accepted_despite.as_ref().unwrap().as_str().contains("self-signed"), "resumed: {resumed}");
    }
}

#[tokio::test]
async fn a_session_is_resumed_and_its_certificate_is_known_all_the_same() {
    let servers = ServerAuthority::new();
    let mut stage = Stage::new(server(Some(servers.server(HOST)), answering).await, Some(&servers), |_| ()).await;
    let mut seen = Vec::new();
    for resumed in [false, true] {
        let client = stage.tls(HOST).await;
        let exchange = exchange_with(&mut stage, client).await;
        let tls = exchange.connection.server.as_ref().unwrap().tls.clone().unwrap();
        assert_eq!((tls.resumed, &tls.accepted_despite), (resumed, &None));
        seen.push(tls.certificate);
    }
    assert_eq!(seen[0], seen[1]);
    assert_eq!(seen[0].names, [HOST]);
}

#[tokio::test]
async fn a_client_that_does_not_trust_our_root_is_an_exchange() {
    let servers = ServerAuthority::new();
    let mut stage = Stage::new(server(Some(servers.server(HOST)), answering).await, Some(&servers), |_| ()).await;
    let tunnel = stage.tunnel("mail.contoso.com:443").await;
    assert!(handshake(tunnel, RootCertStore::empty(), &[]).await.is_err());
    let exchange = stage.ended_one().await;
    assert_eq!(facts(&exchange), (Side::Client, Step::Tls, FailureKind::CertificateRefusedByClient));
    let text = exchange.error.as_ref().unwrap().text.as_str();
    assert!(text.ends_with("received fatal alert: UnknownCA"), "{text}");
    assert!(exchange.connection.presented.is_some());
}

#[tokio::test]
async fn a_client_that_goes_away_at_our_certificate_is_an_exchange_and_a_preconnect_is_none() {
    let servers = ServerAuthority::new();
    let mut stage = Stage::new(server(Some(servers.server(HOST)), answering).await, Some(&servers), |_| ()).await;
    drop(stage.tls(HOST).await);
    let mut preconnect = stage.tls(HOST).await;
    preconnect.shutdown().await.unwrap();
    rest(&mut preconnect).await;
    let mut tunnel = stage.tunnel("mail.contoso.com:443").await;
    tunnel.write_all(&hello(&stage.client_config(&[b"http/1.1"]))).await.unwrap();
    let mut flight = [0; 1];
    patiently(tokio::io::AsyncReadExt::read_exact(&mut tunnel, &mut flight)).await.unwrap();
    tunnel.shutdown().await.unwrap();
    let exchange = stage.ended_one().await;
    assert_eq!(facts(&exchange), (Side::Client, Step::Tls, FailureKind::CertificateRefusedByClient));
    assert!(stage.close(Duration::ZERO).await.is_empty());
}

#[tokio::test]
async fn a_reset_at_our_certificate_is_told_from_an_orderly_close() {
    let servers = ServerAuthority::new();
    let mut stage = Stage::new(server(Some(servers.server(HOST)), answering).await, Some(&servers), |_| ()).await;
    let mut tunnel = stage.tunnel("mail.contoso.com:443").await;
    tunnel.write_all(&hello(&stage.client_config(&[b"http/1.1"]))).await.unwrap();
    let mut flight = [0; 1];
    patiently(tokio::io::AsyncReadExt::read_exact(&mut tunnel, &mut flight)).await.unwrap();
    tunnel.set_zero_linger().unwrap();
    drop(tunnel);
    let exchange = stage.ended_one().await;
    assert_eq!(facts(&exchange), (Side::Client, Step::Tls, FailureKind::CertificateRefusedByClient));
    let text = exchange.error.as_ref().unwrap().text.as_str();
    assert!(text.starts_with("the client reset the connection"), "{text}");
}

/// The bytes of a ClientHello.
fn hello(config: &rustls::ClientConfig) -> Vec<u8> {
    let name = ServerName::try_from(HOST).unwrap();
    let mut session = rustls::ClientConnection::new(Arc::new(config.clone()), name).unwrap();
    let mut bytes = Vec::new();
    session.write_tls(&mut bytes).unwrap();
    bytes
}

/// A server that refuses what our engines offer, and takes what comes after that.
async fn old_server() -> SocketAddr {
    const ENGINES: usize = if cfg!(feature = "legacy-tls") { 2 } else { 1 };
    let met = Arc::new(std::sync::atomic::AtomicUsize::new(0));
    server(None, move |mut line: Box<dyn Line>| {
        let first = met.fetch_add(1, Ordering::Relaxed) < ENGINES;
        async move {
            let mut hello = vec![0; 5];
            patiently(tokio::io::AsyncReadExt::read_exact(&mut line, &mut hello)).await.unwrap();
            let length = usize::from(u16::from_be_bytes([hello[3], hello[4]]));
            hello.resize(5 + length, 0);
            patiently(tokio::io::AsyncReadExt::read_exact(&mut line, &mut hello[5..])).await.unwrap();
            if first {
                line.write_all(&[0x15, 3, 1, 0, 2, 2, 70]).await.unwrap();
                rest(&mut line).await;
            } else {
                // Pretends to be a handshake; what matters is who said what.
                line.write_all(&[0x16, 3, 1]).await.unwrap();
                line.write_all(&hello).await.unwrap();
                rest(&mut line).await;
            }
        }
    })
    .await
}

#[tokio::test]
async fn a_server_that_is_too_old_for_us_gets_the_clients_own_hello() {
    let mut stage = Stage::new(old_server().await, None, |_| ()).await;
    let hello = hello(&stage.client_config(&[b"http/1.1"]));
    for remembered in [false, true] {
        let mut tunnel = stage.tunnel("mail.contoso.com:443").await;
        tunnel.write_all(&hello).await.unwrap();
        expect(&mut tunnel, &[0x16, 3, 1]).await;
        expect(&mut tunnel, &hello).await;
        tunnel.shutdown().await.unwrap();
        let exchange = stage.ended_one().await;
        assert_eq!(exchange.request.unseen(), Some(Unseen::ServerTlsTooOld), "remembered: {remembered}");
        assert_eq!((&exchange.error, exchange.status()), (&None, None));
        assert_eq!(exchange.method.unwrap(), "CONNECT");
    }
}

#[tokio::test]
async fn a_server_that_refuses_the_clients_own_hello_too_is_a_failure() {
    let origin = server(None, |mut line: Box<dyn Line>| async move {
        let mut first = [0; 1];
        let _ = tokio::io::AsyncReadExt::read_exact(&mut line, &mut first).await;
        line.write_all(&[0x15, 3, 1, 0, 2, 2, 40]).await.unwrap();
        rest(&mut line).await;
    })
    .await;
    let mut stage = Stage::new(origin, None, |_| ()).await;
    let tunnel = stage.tunnel("mail.contoso.com:443").await;
    let error = handshake(tunnel, trusting(&stage), &[]).await.unwrap_err();
    assert!(error.to_string().contains("HandshakeFailure"), "{error}");
    let exchange = stage.ended_one().await;
    assert_eq!(facts(&exchange), (Side::Server, Step::Tls, FailureKind::TlsIncompatible));
    assert!(exchange.error.unwrap().text.as_str().ends_with("HandshakeFailure"));
}

#[tokio::test]
async fn a_client_that_offers_only_what_is_not_read_is_passed_undecrypted() {
    let servers = ServerAuthority::new();
    let mut config = servers.server(HOST);
    config.alpn_protocols = vec![b"xmpp-client".to_vec()];
    let mut roots = RootCertStore::empty();
    let mut stage = Stage::new(server(Some(config), answering).await, Some(&servers), |_| ()).await;
    for certificate in servers.roots() {
        roots.add(certificate).unwrap();
    }
    let tunnel = stage.tunnel("mail.contoso.com:443").await;
    let mut client = handshake(tunnel, roots, &[b"xmpp-client"]).await.unwrap();
    client.shutdown().await.unwrap();
    rest(&mut client).await;
    assert_eq!(stage.ended_one().await.request.unseen(), Some(Unseen::UnreadProtocol));
}

#[tokio::test]
async fn skipped_hosts_keep_the_servers_own_certificate() {
    let servers = ServerAuthority::new();
    let origin = server(Some(servers.server(HOST)), answering).await;
    let skip = |options: &mut crate::proxy::Options| options.skip_decrypt = vec!["*.contoso.com".parse().unwrap()];
    let mut stage = Stage::new(origin, None, skip).await;
    let mut roots = RootCertStore::empty();
    for certificate in servers.roots() {
        roots.add(certificate).unwrap();
    }
    let mut client = handshake(stage.tunnel("mail.contoso.com:443").await, roots, &[]).await.unwrap();
    client.write_all(REQUEST).await.unwrap();
    expect(&mut client, RESPONSE).await;
    client.shutdown().await.unwrap();
    rest(&mut client).await;
    let exchange = stage.ended_one().await;
    assert_eq!(exchange.request.unseen(), Some(Unseen::SkippedHost));
    assert_eq!(exchange.error, None);
}

#[tokio::test]
async fn hosts_that_only_does_not_name_are_passed_and_counted() {
    let servers = ServerAuthority::new();
    let origin = server(Some(servers.server(HOST)), answering).await;
    let only = |options: &mut crate::proxy::Options| options.only = vec!["*.fabrikam.com".parse().unwrap()];
    let stage = Stage::new(origin, None, only).await;
    let mut roots = RootCertStore::empty();
    for certificate in servers.roots() {
        roots.add(certificate).unwrap();
    }
    let mut client = handshake(stage.tunnel("mail.contoso.com:443").await, roots, &[]).await.unwrap();
    client.write_all(REQUEST).await.unwrap();
    expect(&mut client, RESPONSE).await;
    assert_eq!(stage.proxy.tally().passed, 1);
    assert!(stage.close(Duration::ZERO).await.is_empty());
}

#[tokio::test]
async fn a_server_that_speaks_first_gets_a_plain_tunnel() {
    let origin = server(None, |mut line: Box<dyn Line>| async move {
        line.write_all(b"220 mail.contoso.com ESMTP\r\n").await.unwrap();
        expect(&mut line, b"QUIT\r\n").await;
    })
    .await;
    let mut stage = Stage::new(origin, None, |_| ()).await;
    let mut client = stage.tunnel("mail.contoso.com:25").await;
    expect(&mut client, b"220 mail.contoso.com ESMTP\r\n").await;
    client.write_all(b"QUIT\r\n").await.unwrap();
    assert!(rest(&mut client).await.is_empty());
    drop(client);
    let exchange = stage.ended_one().await;
    assert_eq!(exchange.request.unseen(), Some(Unseen::NotTls));
    assert_eq!(exchange.url.unwrap().text(), &"https://mail.contoso.com:25/");
}

#[tokio::test]
async fn http_without_tls_inside_a_tunnel_is_read() {
    let mut stage = Stage::new(server(None, answering).await, None, |_| ()).await;
    let client = stage.tunnel("mail.contoso.com:80").await;
    let exchange = exchange_with(&mut stage, client).await;
    assert_eq!(exchange.url.unwrap().text(), &"http://mail.contoso.com/EWS/Exchange.asmx");
    assert_eq!(exchange.response.seen().unwrap().status, Some(401));
}

#[tokio::test]
async fn a_hello_that_cannot_be_read_is_passed_undecrypted() {
    let servers = ServerAuthority::new();
    let tls = tokio_rustls::TlsAcceptor::from(Arc::new(servers.server(HOST)));
    let met = Arc::new(std::sync::atomic::AtomicUsize::new(0));
    // Each tunnel comes twice: first with a hello of ours, then with the client's own bytes.
    let origin = server(None, move |line: Box<dyn Line>| {
        let ours = met.fetch_add(1, Ordering::Relaxed).is_multiple_of(2);
        let tls = tls.clone();
        async move {
            if ours {
                tls.accept(line).await.unwrap();
            } else {
                echo(line).await;
            }
        }
    })
    .await;
    let mut stage = Stage::new(origin, Some(&servers), |_| ()).await;
    // The form of SSL 2, with a cipher of that age alone; a TLS record that holds no ClientHello.
    let of_ssl2 = vec![0x80, 12, 1, 3, 1, 0, 3, 0, 0, 0, 0, 1, 0, 0x80];
    for bytes in [of_ssl2, vec![0x16, 3, 1, 0, 4, 9, 9, 9, 9]] {
        let mut client = stage.tunnel("mail.contoso.com:443").await;
        client.write_all(&bytes).await.unwrap();
        expect(&mut client, &bytes).await;
        client.shutdown().await.unwrap();
        assert_eq!(stage.ended_one().await.request.unseen(), Some(Unseen::ClientTlsUnreadable));
    }
}

#[tokio::test]
async fn a_client_without_a_cipher_of_ours_is_passed_undecrypted() {
    let servers = ServerAuthority::new();
    let mut stage = Stage::new(server(Some(servers.server(HOST)), answering).await, Some(&servers), |_| ()).await;
    let mut ciphers = hello(&stage.client_config(&[]));
    let session_id = usize::from(ciphers[43]);
    let list = 44 + session_id;
    let length = usize::from(u16::from_be_bytes([ciphers[list], ciphers[list + 1]]));
    for cipher in ciphers[list + 2..list + 2 + length].chunks_mut(2) {
        cipher.copy_from_slice(&[0x00, 0x05]);
    }
    let mut client = stage.tunnel("mail.contoso.com:443").await;
    client.write_all(&ciphers).await.unwrap();
    // The server answers for itself: it has no such cipher either.
    expect(&mut client, &[0x15, 3]).await;
    client.shutdown().await.unwrap();
    rest(&mut client).await;
    let exchange = stage.ended_one().await;
    assert_eq!(exchange.request.unseen(), Some(Unseen::ClientTlsUnreadable));
    assert_eq!(facts(&exchange), (Side::Server, Step::Tls, FailureKind::TlsIncompatible));
}

/// Sends back what it gets.
async fn echo(line: Box<dyn Line>) {
    let (mut read, mut write) = tokio::io::split(line);
    let _ = tokio::io::copy(&mut read, &mut write).await;
}

#[tokio::test]
async fn garbage_is_answered_and_recorded() {
    let mut stage = Stage::new(nobody().await, None, |_| ()).await;
    for (bytes, word) in [
        (&b"\x16\x03\x01\x02"[..], "TLS"),
        (b"CONNECT [fe80::1%25eth0]:443 HTTP/1.1\r\n\r\n", "zone"),
        (b"\xff\xfe", "no HTTP request"),
        (b"HELLO WORLD\r\n", "no HTTP/1 request"),
        (b"CONNECT :443 HTTP/1.1\r\n\r\n", "usable host"),
        (b"GET ftp://x/ HTTP/1.1\r\n\r\n", "http:// URL"),
    ] {
        let mut client = stage.connect().await;
        client.write_all(bytes).await.unwrap();
        let answer = String::from_utf8(rest(&mut client).await).unwrap();
        assert!(answer.starts_with("HTTP/1.1 400 Bad Request\r\n"), "{answer}");
        let failure = stage.ended_one().await.error.unwrap();
        assert_eq!((failure.side, failure.kind), (Side::Client, FailureKind::NotUnderstood));
        assert!(failure.text.as_str().contains(word), "{}", failure.text);
    }
}

#[tokio::test]
async fn the_proxys_own_address_says_what_it_is() {
    let stage = Stage::new(nobody().await, None, |_| ()).await;
    let mut client = stage.connect().await;
    client.write_all(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n").await.unwrap();
    let answer = String::from_utf8(rest(&mut client).await).unwrap();
    assert!(answer.starts_with("HTTP/1.1 200 OK\r\n") && answer.contains("This is a debugging proxy."), "{answer}");
    assert!(stage.close(Duration::ZERO).await.is_empty());
}

#[tokio::test]
async fn shutdown_cuts_what_goes_on_and_says_so() {
    let servers = ServerAuthority::new();
    let origin = server(Some(servers.server(HOST)), |mut line: Box<dyn Line>| async move {
        read_head(&mut line).await;
        line.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhalf").await.unwrap();
        rest(&mut line).await;
    })
    .await;
    let stage = Stage::new(origin, Some(&servers), |_| ()).await;
    let idle = stage.tls(HOST).await;
    let mut client = stage.tls(HOST).await;
    client.write_all(REQUEST).await.unwrap();
    expect(&mut client, b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhalf").await;
    let ended = stage.close(Duration::from_millis(50)).await;
    assert_eq!(ended.len(), 1);
    assert_eq!(facts(&ended[0]), (Side::Proxy, Step::Receive, FailureKind::CutByUs));
    assert_eq!(ended[0].status(), Some(200));
    drop(idle);
}

#[tokio::test]
async fn shutdown_does_not_wait_for_idle_connections_and_waits_for_busy_ones() {
    let servers = ServerAuthority::new();
    let (go, gone) = tokio::sync::oneshot::channel::<()>();
    let gone = Arc::new(std::sync::Mutex::new(Some(gone)));
    let origin = server(Some(servers.server(HOST)), move |mut line: Box<dyn Line>| {
        let gone = gone.lock().unwrap().take();
        async move {
            read_head(&mut line).await;
            if let Some(gone) = gone {
                let _ = gone.await;
            }
            line.write_all(RESPONSE).await.unwrap();
            rest(&mut line).await;
        }
    })
    .await;
    let stage = Stage::new(origin, Some(&servers), |_| ()).await;
    let mut client = stage.tls(HOST).await;
    client.write_all(REQUEST).await.unwrap();
    let answered = tokio::spawn(async move {
        expect(&mut client, RESPONSE).await;
    });
    while stage.proxy.context.busy.load(Ordering::Relaxed) == 0 {
        tokio::task::yield_now().await;
    }
    let closing = tokio::spawn(stage.close(Duration::from_secs(15)));
    go.send(()).unwrap();
    answered.await.unwrap();
    let ended = patiently(closing).await.unwrap();
    assert_eq!((ended.len(), ended[0].status(), &ended[0].error), (1, Some(401), &None));
}

#[tokio::test]
async fn while_paused_traffic_passes_and_nothing_is_recorded() {
    let servers = ServerAuthority::new();
    let mut stage = Stage::new(server(Some(servers.server(HOST)), answering).await, Some(&servers), |_| ()).await;
    let mut client = stage.tls(HOST).await;
    stage.proxy.pause(true);
    client.write_all(REQUEST).await.unwrap();
    expect(&mut client, RESPONSE).await;
    stage.proxy.pause(false);
    let exchange = exchange_with(&mut stage, &mut client).await;
    assert_eq!(exchange.id, 1);
    assert!(stage.close(Duration::ZERO).await.is_empty());
}

#[tokio::test]
async fn what_lasts_a_second_gets_a_row_while_it_goes_on() {
    let servers = ServerAuthority::new();
    let silent = |mut line: Box<dyn Line>| async move {
        rest(&mut line).await;
    };
    let tls = server(Some(servers.server(HOST)), silent).await;
    let mut stage = Stage::new(tls, Some(&servers), |options| {
        options.skip_decrypt = vec!["skipped.contoso.com".parse().unwrap()];
    })
    .await;
    let mut client = stage.tls(HOST).await;
    client.write_all(REQUEST).await.unwrap();
    let _tunnel = stage.tunnel("skipped.contoso.com:443").await;
    let rows = stage.running(2).await;
    assert!(rows.iter().all(|row| row.running && row.error.is_none()));
    let mut urls: Vec<_> = rows.iter().map(|row| row.url.as_ref().unwrap().text().as_str().to_owned()).collect();
    urls.sort();
    assert_eq!(urls, ["https://mail.contoso.com/EWS/Exchange.asmx", "https://skipped.contoso.com/"]);
    let ended = stage.close(Duration::ZERO).await;
    assert_eq!(ended.len(), 2);
    assert!(ended.iter().all(|exchange| facts(exchange).2 == FailureKind::CutByUs));
}
