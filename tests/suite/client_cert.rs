//! Client certificates: servers that ask for one get what `--client-cert` names for them, by either engine; servers that
//! insist where none is given get the client's own.

use std::fs;

use authtap::exchange::{ClientCertificate, Unseen};

use crate::kit::{SServer, Workshop, curl, need, rsa_certificate, saved};

const HOST: &str = "mail.contoso.com";
const OURS: &str = "svc-migration.contoso.com";
const ANSWER: &str = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\nok";

#[test]
fn a_server_that_insists_gets_the_certificate_that_was_given() {
    if !need(&["curl", "openssl"]) {
        return;
    }
    let workshop = Workshop::new();
    let (certificate, ours) = (rsa_certificate(&workshop, HOST), rsa_certificate(&workshop, OURS));
    fs::write(workshop.path("page"), ANSWER).unwrap();
    let (trust, authority) = (certificate.to_string_lossy(), ours.to_string_lossy());
    let given = format!("*.contoso.com={}", ours.display());
    let versions: &[&str] =
        if cfg!(feature = "legacy-tls") { &["-tls1_3", "-tls1_2", "-tls1"] } else { &["-tls1_3", "-tls1_2"] };
    for version in versions {
        let server = SServer::files(&workshop, &certificate, &[version, "-Verify", "1", "-CAfile", &authority]);
        let to = format!("{HOST}:443={}", server.address);
        let arguments = ["--resolve", &to, "--upstream-ca", &trust, "--client-cert", &given];
        let proxy = workshop.proxy_beside(&format!("given{version}.authtap"), &arguments);
        let answer = curl(&proxy, &[&format!("https://{HOST}/page")]);
        assert_eq!((answer.code, answer.status), (Some(0), 200), "{version}: {}", answer.error);
        let session = proxy.session.clone();
        assert_eq!(proxy.stop().code, Some(0));
        let exchange = saved(&session).remove(0);
        let tls = exchange.connection.server.as_ref().unwrap().tls.as_ref().unwrap();
        let ClientCertificate::Given(subject) = &tls.client_certificate else { panic!("{version}: {tls:?}") };
        assert!(subject.as_str().contains(OURS), "{subject}");
        assert_eq!(tls.legacy.is_some(), *version == "-tls1");
    }
}

#[test]
fn a_server_that_merely_asks_serves_without_and_that_is_known() {
    if !need(&["curl", "openssl"]) {
        return;
    }
    let workshop = Workshop::new();
    let certificate = rsa_certificate(&workshop, HOST);
    fs::write(workshop.path("page"), ANSWER).unwrap();
    let server = SServer::files(&workshop, &certificate, &["-tls1_2", "-verify", "1"]);
    let (trust, to) = (certificate.to_string_lossy(), format!("{HOST}:443={}", server.address));
    let proxy = workshop.proxy(&["--resolve", &to, "--upstream-ca", &trust]);
    assert_eq!(curl(&proxy, &[&format!("https://{HOST}/page")]).status, 200);
    let session = proxy.session.clone();
    assert_eq!(proxy.stop().code, Some(0));
    let exchange = saved(&session).remove(0);
    let tls = exchange.connection.server.as_ref().unwrap().tls.as_ref().unwrap();
    assert_eq!(tls.client_certificate, ClientCertificate::Asked);
}

#[test]
fn a_server_that_insists_where_none_is_given_gets_the_clients_own() {
    if !need(&["curl", "openssl"]) {
        return;
    }
    let workshop = Workshop::new();
    let (certificate, theirs) = (rsa_certificate(&workshop, HOST), rsa_certificate(&workshop, OURS));
    fs::write(workshop.path("page"), ANSWER).unwrap();
    let (trust, own) = (certificate.to_string_lossy(), theirs.to_string_lossy());
    let server = SServer::files(&workshop, &certificate, &["-tls1_2", "-Verify", "1", "-CAfile", &own]);
    let to = format!("{HOST}:443={}", server.address);
    let mut proxy = workshop.proxy(&["--resolve", &to, "--upstream-ca", &trust]);
    // It trusts the server alone and proves itself to it: nobody stands in between.
    let answer = curl(&proxy, &["--cacert", &trust, "--cert", &own, &format!("https://{HOST}/page")]);
    assert_eq!((answer.code, answer.status), (Some(0), 200), "{}", answer.error);
    let live = proxy.exchanges(1).remove(0);
    assert_eq!(live["findings"], serde_json::json!(["client-certificate-required"]), "{live}");
    let session = proxy.session.clone();
    assert_eq!(proxy.stop().code, Some(0));
    assert_eq!(saved(&session).remove(0).request.unseen(), Some(Unseen::ServerWantsCertificate));
}

/// In TLS 1.3 a server says so only when the handshake is over: the first client meets it, and those after it speak for
/// themselves.
#[test]
fn a_server_of_tls_1_3_that_insists_where_none_is_given_is_explained_and_then_gets_the_clients_own() {
    if !need(&["curl", "openssl"]) {
        return;
    }
    let workshop = Workshop::new();
    let (certificate, theirs) = (rsa_certificate(&workshop, HOST), rsa_certificate(&workshop, OURS));
    fs::write(workshop.path("page"), ANSWER).unwrap();
    let (trust, own) = (certificate.to_string_lossy(), theirs.to_string_lossy());
    let server = SServer::files(&workshop, &certificate, &["-tls1_3", "-Verify", "1", "-CAfile", &own]);
    let to = format!("{HOST}:443={}", server.address);
    let mut proxy = workshop.proxy(&["--resolve", &to, "--upstream-ca", &trust]);
    let url = format!("https://{HOST}/page");
    let refused = curl(&proxy, &[&url]);
    assert_eq!(refused.status, 0, "{}", refused.error);
    let first = proxy.exchanges(1).remove(0);
    assert_eq!(first["findings"], serde_json::json!(["client-certificate-required"]), "{first}");
    assert_eq!((&first["verdict"], &first["error"]["step"]), (&"failure".into(), &"tls".into()), "{first}");
    let answer = curl(&proxy, &["--cacert", &trust, "--cert", &own, &url]);
    assert_eq!((answer.code, answer.status), (Some(0), 200), "{}", answer.error);
    let session = proxy.session.clone();
    assert_eq!(proxy.stop().code, Some(0));
    let exchanges = saved(&session);
    assert!(exchanges[0].error.as_ref().unwrap().text.as_str().contains("CertificateRequired"), "{exchanges:?}");
    assert_eq!(exchanges[1].request.unseen(), Some(Unseen::ServerWantsCertificate));
}

#[test]
fn a_wrong_file_is_said_before_anything_begins() {
    let workshop = Workshop::new();
    fs::write(workshop.path("empty.pem"), "").unwrap();
    for (file, word) in [("missing.pem", "cannot read"), ("empty.pem", "no certificate")] {
        let given = format!("{HOST}={}", workshop.path(file).display());
        let finished = workshop.run(&["proxy", "--headless", "--listen", "127.0.0.1:0", "--client-cert", &given]);
        assert_eq!(finished.code, Some(2), "{}", finished.error());
        let said = finished.error();
        assert!(said.contains(word) && said.contains("--client-cert") && said.contains(file), "{said}");
    }
}
