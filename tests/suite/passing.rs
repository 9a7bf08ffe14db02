//! What is not looked into passes as if nobody stood in between, and the session says why it was not looked into.

use std::io::{Read as _, Write as _};
use std::net::TcpStream;

use authtap::exchange::{Exchange, Unseen};

use crate::kit::{DEADLINE, Origin, Proxy, Talk, Tunnel, Workshop, curl, need, saved};

const HOST: &str = "mail.contoso.com";
const ANSWER: &[u8] = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";

#[test]
fn a_host_to_skip_keeps_its_own_certificate() {
    if !need(&["curl"]) {
        return;
    }
    let workshop = Workshop::new();
    let origin = Origin::answering(Some(workshop.authority.server(&[HOST])), |_| ANSWER.to_vec());
    let proxy = workshop.proxy(&["--resolve", &origin.resolve(HOST, 443), "--skip-decrypt", "*.CONTOSO.com"]);
    untouched(&workshop, &proxy, HOST);
    assert_eq!(only_exchange(proxy).request.unseen(), Some(Unseen::SkippedHost));
}

#[test]
fn all_but_the_hosts_wanted_are_left_alone() {
    if !need(&["curl"]) {
        return;
    }
    let workshop = Workshop::new();
    let origin = Origin::answering(Some(workshop.authority.server(&[HOST, "www.fabrikam.com"])), |_| ANSWER.to_vec());
    let resolve = [origin.resolve(HOST, 443), origin.resolve("www.fabrikam.com", 443)];
    let proxy = workshop.proxy(&["--resolve", &resolve[0], "--resolve", &resolve[1], "--only", HOST]);
    untouched(&workshop, &proxy, "www.fabrikam.com");
    let answer = curl(&proxy, &[&format!("https://{HOST}/wanted")]);
    assert_eq!(answer.status, 200, "looked into: curl trusts our root alone: {}", answer.error);
    // The rest is counted and makes no exchange.
    let exchange = only_exchange(proxy);
    assert_eq!(exchange.url.unwrap().path(), "/wanted");
}

#[test]
fn a_server_asked_for_by_its_address_is_known_by_the_name_in_its_hello() {
    if !need(&["curl"]) {
        return;
    }
    let workshop = Workshop::new();
    let origin = Origin::answering(Some(workshop.authority.server(&[HOST, "www.fabrikam.com"])), |_| ANSWER.to_vec());
    let to = format!("::{}", origin.address);
    let proxy = workshop.proxy(&["--skip-decrypt", "*.contoso.com"]);
    let own = curl(
        &proxy,
        &["--connect-to", &to, "--cacert", &workshop.authority.pem.to_string_lossy(), &format!("https://{HOST}/")],
    );
    assert_eq!(own.status, 200, "the server's own certificate: {}", own.error);
    assert_eq!(only_exchange(proxy).request.unseen(), Some(Unseen::SkippedHost));
    let proxy = workshop.proxy_beside("only.authtap", &["--only", "*.contoso.com"]);
    let wanted = curl(&proxy, &["--connect-to", &to, &format!("https://{HOST}/wanted")]);
    assert_eq!(wanted.status, 200, "looked into: curl trusts our root alone: {}", wanted.error);
    let pem = workshop.authority.pem.to_string_lossy().into_owned();
    let other = curl(&proxy, &["--connect-to", &to, "--cacert", &pem, "https://www.fabrikam.com/"]);
    assert_eq!(other.status, 200, "left alone: {}", other.error);
    assert_eq!(only_exchange(proxy).url.unwrap().path(), "/wanted");
}

#[test]
fn requests_without_tls_that_are_not_wanted_are_not_recorded() {
    if !need(&["curl"]) {
        return;
    }
    let workshop = Workshop::new();
    let origin = Origin::answering(None, |_| ANSWER.to_vec());
    let resolve = [origin.resolve(HOST, 80), origin.resolve("www.fabrikam.com", 80)];
    let proxy = workshop.proxy(&["--resolve", &resolve[0], "--resolve", &resolve[1], "--only", HOST]);
    for url in ["http://www.fabrikam.com/other", "http://mail.contoso.com/wanted"] {
        assert_eq!(curl(&proxy, &[url]).status, 200);
    }
    assert_eq!(only_exchange(proxy).url.unwrap().path(), "/wanted");
}

#[test]
fn a_client_of_a_protocol_that_is_not_read_speaks_to_its_server() {
    let workshop = Workshop::new();
    let mut config = (*workshop.authority.server(&[HOST])).clone();
    config.alpn_protocols = vec![b"xmpp-client".to_vec()];
    let origin = Origin::talking(Some(config.into()), |talk: &mut Talk| {
        let mut preface = [0; 25];
        talk.reader().read_exact(&mut preface).unwrap();
        assert_eq!(&preface, b"<stream to='contoso.com'>");
        talk.send(b"settled");
        let _ = talk.reader().read(&mut preface);
    });
    let proxy = workshop.proxy(&["--resolve", &origin.resolve(HOST, 443)]);
    let mut tunnel = Tunnel::offering(&proxy, HOST, &workshop.authority.pem, b"xmpp-client");
    tunnel.send(b"<stream to='contoso.com'>");
    assert_eq!(tunnel.bytes(7), b"settled");
    drop(tunnel);
    assert_eq!(only_exchange(proxy).request.unseen(), Some(Unseen::UnreadProtocol));
}

#[test]
fn what_one_client_cannot_do_blinds_nobody_else() {
    let workshop = Workshop::new();
    let mut config = (*workshop.authority.server(&[HOST])).clone();
    config.alpn_protocols = vec![b"xmpp-client".to_vec(), b"http/1.1".to_vec()];
    let origin = Origin::talking(Some(config.into()), |talk: &mut Talk| {
        let mut first = [0; 4];
        talk.reader().read_exact(&mut first).unwrap();
        talk.send(b"HTTP/1.1 204 No Content\r\n\r\n");
        let _ = talk.reader().read(&mut first);
    });
    let mut proxy = workshop.proxy(&["--resolve", &origin.resolve(HOST, 443)]);
    let mut of_another = Tunnel::offering(&proxy, HOST, &workshop.authority.pem, b"xmpp-client");
    of_another.send(b"<?xm");
    assert!(of_another.head().is_some());
    drop(of_another);
    proxy.exchanges(1);
    // This one trusts the proxy's root alone: that it gets an answer proves that it was looked into.
    let mut of_http_1 = Tunnel::open(&proxy, HOST);
    of_http_1.send(b"GET / HTTP/1.1\r\nHost: mail.contoso.com\r\n\r\n");
    assert!(of_http_1.head().unwrap().starts_with(b"HTTP/1.1 204"));
    let said = proxy.exchanges(2).remove(1);
    assert_eq!(said["status"], 204, "{said}");
}

#[test]
fn a_server_that_speaks_first_is_heard() {
    let workshop = Workshop::new();
    let origin = Origin::talking(None, |talk: &mut Talk| {
        talk.send(b"220 mail.contoso.com ESMTP\r\n");
        let mut hello = [0; 6];
        talk.reader().read_exact(&mut hello).unwrap();
        talk.send(&hello);
    });
    let proxy = workshop.proxy(&["--resolve", &origin.resolve(HOST, 25)]);
    let mut client = TcpStream::connect(proxy.address).unwrap();
    client.set_read_timeout(Some(DEADLINE)).unwrap();
    write!(client, "CONNECT {HOST}:25 HTTP/1.1\r\nHost: {HOST}:25\r\n\r\n").unwrap();
    let mut received = vec![0; b"HTTP/1.1 200 ".len()];
    client.read_exact(&mut received).unwrap();
    assert_eq!(received, b"HTTP/1.1 200 ");
    while !received.ends_with(b"ESMTP\r\n") {
        let mut byte = [0];
        client.read_exact(&mut byte).unwrap();
        received.push(byte[0]);
    }
    client.write_all(b"EHLO\r\n").unwrap();
    let mut echo = [0; 6];
    client.read_exact(&mut echo).unwrap();
    assert_eq!(&echo, b"EHLO\r\n");
    drop(client);
    assert_eq!(only_exchange(proxy).request.unseen(), Some(Unseen::NotTls));
}

#[test]
fn any_certificate_can_be_accepted_and_is_annotated() {
    let workshop = Workshop::new();
    let origin =
        Origin::answering(Some(workshop.authority.expired_server(&["other.fabrikam.com"])), |_| ANSWER.to_vec());
    let proxy = workshop.proxy(&["--resolve", &origin.resolve(HOST, 443), "--insecure-upstream"]);
    let mut tunnel = Tunnel::open(&proxy, HOST);
    tunnel.send(format!("GET / HTTP/1.1\r\nHost: {HOST}\r\n\r\n").as_bytes());
    assert!(tunnel.head().unwrap().starts_with(b"HTTP/1.1 200"));
    let exchange = only_exchange(proxy);
    let tls = exchange.connection.server.as_ref().unwrap().tls.as_ref().unwrap();
    assert!(tls.accepted_despite.is_some());
    assert_eq!(tls.certificate.names[0].as_str(), "other.fabrikam.com");
}

/// The client gets through with the server's own certificate and no other.
fn untouched(workshop: &Workshop, proxy: &Proxy, host: &str) {
    let answer = curl(proxy, &["--cacert", &workshop.authority.pem.to_string_lossy(), &format!("https://{host}/")]);
    assert_eq!((answer.code, answer.text().as_str()), (Some(0), "ok"), "{}", answer.error);
}

fn only_exchange(mut proxy: Proxy) -> Exchange {
    proxy.exchanges(1);
    let session = proxy.session.clone();
    assert_eq!(proxy.stop().code, Some(0));
    let mut exchanges = saved(&session);
    assert_eq!(exchanges.len(), 1);
    exchanges.remove(0)
}
