//! Servers that our TLS cannot speak to: the client reaches them all the same, and the session says why it was not looked
//! inside. OpenSSL plays the server, curl the client.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::{Command, Stdio};

use authtap::exchange::{Exchange, Unseen};
use serde_json::Value;

use crate::kit::{Process, Workshop, curl, need, saved};

const HOST: &str = "mail.contoso.com";

/// What lets curl speak old TLS, if the server wants it.
const WILLING: &[&str] = &["--tlsv1.0", "--ciphers", "DEFAULT:@SECLEVEL=0"];

#[test]
fn a_server_of_tls_1_0_is_reached() {
    a_server_is_reached(&["-tls1"]);
}

#[test]
fn a_server_of_tls_1_2_with_cbc_alone_is_reached() {
    a_server_is_reached(&["-tls1_2", "-cipher", "ECDHE-RSA-AES256-SHA384:@SECLEVEL=0"]);
}

#[test]
fn a_client_of_tls_1_0_reaches_its_server() {
    if let Some((_, exchange, _)) = reached(&["-tls1"], &["--tls-max", "1.0"]) {
        let reason = exchange.request.unseen();
        assert!(matches!(reason, Some(Unseen::ClientTlsUnreadable | Unseen::ServerTlsTooOld)), "{reason:?}");
    }
}

fn a_server_is_reached(server: &[&str]) {
    let Some((live, exchange, diagnosis)) = reached(server, &[]) else { return };
    assert_eq!(exchange.request.unseen(), Some(Unseen::ServerTlsTooOld));
    for said in [&live, &diagnosis["exchanges"][0]] {
        assert_eq!(said["findings"], serde_json::json!(["tls-server-legacy"]), "{said}");
        assert_eq!(said["verdict"], "unknown", "{said}");
    }
    assert!(explains(&diagnosis["findings"][0]), "{}", diagnosis["findings"]);
}

/// Lets curl ask an OpenSSL server through the proxy; gives what was said live, what was saved, and the diagnosis of it.
fn reached(server: &[&str], client: &[&str]) -> Option<(Value, Exchange, Value)> {
    if !need(&["curl", "openssl"]) {
        return None;
    }
    let workshop = Workshop::new();
    let certificate = rsa_certificate(&workshop);
    let (_server, address) = start(&certificate, server);
    let mut proxy = workshop.proxy(&["--resolve", &format!("{HOST}:443={address}")]);

    // The server's own certificate is the only one trusted, so an answer proves that nobody stepped in between.
    let pem = certificate.to_string_lossy();
    let url = format!("https://{HOST}/");
    let arguments = [&["--cacert", &pem], WILLING, client, &[&url]].concat();
    let answer = curl(&proxy, &arguments);
    assert_eq!(answer.code, Some(0), "{}", answer.error);
    assert_eq!(answer.status, 200);
    assert!(answer.text().contains("s_server"), "{}", answer.text());

    let live = proxy.exchanges(1).remove(0);
    assert_eq!((live["method"].as_str(), live["url"].as_str()), (Some("CONNECT"), Some(url.as_str())), "{live}");
    let session = proxy.session.clone();
    assert_eq!(proxy.stop().code, Some(0));
    Some((live, saved(&session).remove(0), workshop.diagnose(&session)))
}

fn explains(finding: &Value) -> bool {
    let text = |part: &str| finding[part].as_str().is_some_and(|text| text.len() > 20);
    text("title") && text("explanation") && text("remedy") && !finding["evidence"][0]["text"].is_null()
}

/// Servers of that age have RSA keys.
fn rsa_certificate(workshop: &Workshop) -> PathBuf {
    let pem = workshop.path("server.pem");
    let made = Command::new("openssl")
        .args(["req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", &format!("/CN={HOST}")])
        .args(["-addext", &format!("subjectAltName=DNS:{HOST}"), "-keyout"])
        .arg(&pem)
        .arg("-out")
        .arg(workshop.path("server.crt"))
        .output()
        .unwrap();
    assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
    let both = [std::fs::read(&pem).unwrap(), std::fs::read(workshop.path("server.crt")).unwrap()].concat();
    std::fs::write(&pem, both).unwrap();
    pem
}

fn start(certificate: &PathBuf, options: &[&str]) -> (Process, SocketAddr) {
    let mut command = Command::new("openssl");
    command.args(["s_server", "-accept", "127.0.0.1:0", "-www", "-cert"]).arg(certificate).arg("-key").arg(certificate);
    if !options.contains(&"-cipher") {
        command.args(["-cipher", "DEFAULT:@SECLEVEL=0"]);
    }
    let server = Process::start(command.args(options).stdin(Stdio::null()));
    let address = server.stdout.find("the server listens", |line| line.strip_prefix("ACCEPT ")?.trim().parse().ok());
    (server, address)
}
