//! In front of one server: clients that call us as if we were it, with and without TLS on either side.

use std::fs;
use std::net::{TcpListener, TcpStream, UdpSocket};
use std::process::Command;

use authtap::exchange::Unseen;

use crate::kit::{Answer, Nghttpd, Origin, Proxy, Request, Workshop, curl, field, need, saved};

const HOST: &str = "mail.contoso.com";
const ANSWER: &[u8] =
    b"HTTP/1.1 401 Unauthorized\r\nwww-AUTHENTICATE: NTLM\r\nX-Odd:  1\r\nContent-Length: 2\r\n\r\nno";

#[test]
fn all_four_ways_reach_the_server_and_the_url_is_the_clients() {
    if !need(&["curl"]) {
        return;
    }
    for server_scheme in ["https", "http"] {
        let workshop = Workshop::new();
        let tls = (server_scheme == "https").then(|| workshop.authority.server(&[HOST]));
        let origin = Origin::answering(tls, |_| ANSWER.to_vec());
        let port = if server_scheme == "https" { 443 } else { 80 };
        let url = format!("{server_scheme}://{HOST}");
        let mut proxy = workshop.proxy(&["--reverse", &url, "--resolve", &origin.resolve(HOST, port)]);
        for client_scheme in ["https", "http"] {
            let asked = format!("{client_scheme}://{HOST}/EWS/a%41?Cmd=Sync");
            let answer = call(&proxy, &["-H", "X-oDD:  kept", &asked]);
            assert_eq!((answer.code, answer.status), (Some(0), 401), "{asked} to {url}: {}", answer.error);
            assert_eq!([answer.head, answer.body].concat(), ANSWER, "{asked} to {url}");
            let request: Request = origin.received();
            assert_eq!(request.target(), "/EWS/a%41?Cmd=Sync");
            assert_eq!(field(&request.head, "host").as_deref(), Some(HOST), "the Host field passes as it is");
        }
        let said = proxy.exchanges(2);
        let seen: Vec<_> = said.iter().map(|said| said["url"].as_str().unwrap()).collect();
        assert_eq!(
            seen,
            [format!("https://{HOST}/EWS/a%41?Cmd=Sync"), format!("http://{HOST}/EWS/a%41?Cmd=Sync")],
            "to {url}"
        );
        let session = proxy.session.clone();
        let finished = proxy.stop();
        assert_eq!(finished.code, Some(0), "{}", finished.error());
        assert_eq!(finished.events[0]["mode"], "reverse");
        for exchange in saved(&session) {
            let server = exchange.connection.server.as_ref().unwrap();
            assert_eq!(server.tls.is_some(), server_scheme == "https");
        }
    }
}

#[test]
fn every_client_connection_has_one_server_connection_of_its_own() {
    if !need(&["curl"]) {
        return;
    }
    let workshop = Workshop::new();
    let origin = Origin::answering(None, |_| ANSWER.to_vec());
    let proxy = workshop.proxy(&["--reverse", &format!("http://{}", origin.address)]);
    for _ in 0..2 {
        let url = format!("https://{HOST}/");
        assert_eq!(call(&proxy, &[&url, &url]).code, Some(0));
    }
    let connections: Vec<_> = (0..4).map(|_| origin.received().connection).collect();
    assert_eq!(connections, [0, 0, 1, 1]);
}

#[test]
fn callers_that_do_not_trust_us_are_shown_the_servers_own_certificate() {
    if !need(&["curl"]) {
        return;
    }
    let workshop = Workshop::new();
    let (certificate, key) = workshop.authority.leaf(&[HOST]);
    let own = workshop.path("own.pem");
    fs::write(&own, certificate + &key).unwrap();
    let origin = Origin::answering(None, |_| ANSWER.to_vec());
    let shown = format!("{HOST}={}", own.display());
    let url = format!("http://{}", origin.address);
    let proxy = workshop.proxy(&["--reverse", &url, "--server-cert", &shown]);
    let trusted = workshop.authority.pem.to_string_lossy();
    let answer = call(&proxy, &["--cacert", &trusted, &format!("https://{HOST}/")]);
    assert_eq!((answer.code, answer.status), (Some(0), 401), "{}", answer.error);
}

#[test]
fn a_server_that_cannot_be_asked_is_named_to_the_client_and_recorded() {
    if !need(&["curl"]) {
        return;
    }
    let workshop = Workshop::new();
    let nobody = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let mut proxy = workshop.proxy(&["--reverse", &format!("https://{nobody}")]);
    for scheme in ["https", "http"] {
        let answer = call(&proxy, &[&format!("{scheme}://{HOST}/")]);
        assert_eq!((answer.code, answer.status), (Some(0), 502), "{scheme}: {}", answer.error);
        assert!(answer.text().contains("refuses the connection"), "{}", answer.text());
    }
    assert!(proxy.exchanges(2).iter().all(|said| said["error"]["step"] == "connect"));
}

#[test]
fn a_server_given_by_its_address_is_called_by_the_name_that_callers_use() {
    if !need(&["curl"]) {
        return;
    }
    let workshop = Workshop::new();
    let origin = Origin::answering(Some(workshop.authority.server(&[HOST])), |_| ANSWER.to_vec());
    let proxy = workshop.proxy(&["--reverse", &format!("https://{}", origin.address)]);
    let answer = call(&proxy, &[&format!("https://{HOST}/")]);
    assert_eq!((answer.code, answer.status), (Some(0), 401), "the certificate is for the name: {}", answer.error);
    let answer = call(&proxy, &["https://www.fabrikam.com/"]);
    assert_eq!(answer.status, 502, "it is neither for another name nor for the address: {}", answer.error);
}

#[test]
fn what_is_not_wanted_and_what_is_skipped_is_not_read_on_any_way() {
    if !need(&["curl"]) {
        return;
    }
    for server_scheme in ["https", "http"] {
        let workshop = Workshop::new();
        let tls = (server_scheme == "https").then(|| workshop.authority.server(&[HOST, "www.contoso.com"]));
        let origin = Origin::answering(tls, |_| ANSWER.to_vec());
        let url = format!("{server_scheme}://{}", origin.address);
        let proxy = workshop.proxy(&["--reverse", &url, "--only", "www.contoso.com"]);
        for client_scheme in ["https", "http"] {
            for host in [HOST, "www.contoso.com"] {
                let answer = call(&proxy, &["--insecure", &format!("{client_scheme}://{host}/")]);
                assert_eq!(answer.status, 401, "{client_scheme} {host} to {url}: {}", answer.error);
            }
        }
        let finished = proxy.stop();
        let urls: Vec<_> = finished.exchanges().iter().map(|said| said["url"].clone()).collect();
        assert_eq!(urls, ["https://www.contoso.com/", "http://www.contoso.com/"], "to {url}");
        assert!(finished.error().contains("2 connections passed undecrypted"), "{}", finished.error());

        let skip = origin.address.ip().to_string();
        let proxy = workshop.proxy_beside("skipped.authtap", &["--reverse", &url, "--skip-decrypt", &skip]);
        for client_scheme in ["https", "http"] {
            let answer = call(&proxy, &["--insecure", &format!("{client_scheme}://{HOST}/")]);
            assert_eq!(answer.status, 401, "{client_scheme} to {url}: {}", answer.error);
        }
        let session = proxy.session.clone();
        proxy.stop();
        let reasons: Vec<_> = saved(&session).iter().map(|exchange| exchange.request.unseen()).collect();
        assert_eq!(reasons, [Some(Unseen::SkippedHost); 2], "to {url}");
    }
}

#[test]
fn http_2_is_agreed_on_with_the_server() {
    if !need(&["h2load", "nghttp", "nghttpd"]) {
        return;
    }
    let workshop = Workshop::new();
    let server = Nghttpd::start(&workshop, &["127.0.0.1"], &[]);
    let mut proxy = workshop.proxy(&["--reverse", &format!("https://{}", server.address)]);
    let url = format!("https://{}/index.html", proxy.address);
    let load = Command::new("h2load").args(["-n", "200", "-c", "4", "-m", "10", &url]).output().unwrap();
    let text = String::from_utf8_lossy(&load.stdout).into_owned();
    assert!(text.contains("Application protocol: h2"), "{text}");
    assert!(text.contains("200 succeeded, 0 failed"), "{text}");
    let nghttp = Command::new("nghttp").args(["--no-verify-peer", &url]).output().unwrap();
    assert!(String::from_utf8_lossy(&nghttp.stdout).contains("served"), "{nghttp:?}");
    let said = proxy.exchanges(201);
    assert!(said.iter().all(|said| said["status"] == 200 && said["url"] == url.as_str()), "{}", said[0]);
}

#[test]
fn clients_from_elsewhere_are_refused_unless_they_are_allowed() {
    let workshop = Workshop::new();
    // The address by which this machine would reach others; nothing is sent to find it.
    let probe = UdpSocket::bind("0.0.0.0:0").unwrap();
    let Some(own) = probe.connect("192.0.2.1:9").ok().and_then(|()| probe.local_addr().ok()) else { return };
    let closed = |allow: &str| {
        let mut command = workshop.authtap(&["proxy", "--headless", "--format", "json", "--listen", "0.0.0.0:0"]);
        let proxy = Proxy::start(command.args(["--allow", allow]));
        let address = |host| format!("{host}:{}", proxy.address.port());
        let answers = |address: String| {
            let mut client = TcpStream::connect(address).unwrap();
            let sent = std::io::Write::write_all(&mut client, b"GET / HTTP/1.1\r\nHost: a\r\n\r\n");
            sent.is_ok() && std::io::Read::read(&mut client, &mut [0; 64]).is_ok_and(|read| read > 0)
        };
        assert!(answers(address("127.0.0.1".to_owned())), "this machine is always served");
        let served = answers(address(own.ip().to_string()));
        (served, proxy.stop().error())
    };
    let (served, error) = closed(&own.ip().to_string());
    assert!(served && !error.contains("refused"), "{error}");
    assert!(error.contains("can be reached from other machines"), "{error}");
    let (served, error) = closed("203.0.113.0/24");
    assert!(!served && error.contains("1 connection was refused"), "{error}");
}

/// curl, which takes the proxy for every server.
fn call(proxy: &Proxy, arguments: &[&str]) -> Answer {
    let to = format!("::{}", proxy.address);
    curl(proxy, &[&["--noproxy", "*", "--connect-to", &to], arguments].concat())
}
