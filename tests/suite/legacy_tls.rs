//! Servers and clients that speak only TLS of old: they are looked into by the engine for it, diagnosed like any other,
//! and annotated. OpenSSL plays the servers, curl and OpenSSL the clients.

use std::fs;

use authtap::exchange::{Exchange, SniForm, Unseen};
#[cfg(feature = "legacy-tls")]
use serde_json::Value;

use crate::kit::{SServer, Workshop, curl, need, rsa_certificate, s_client, saved};

const HOST: &str = "mail.contoso.com";

/// What lets curl speak old TLS, if the server wants it.
const WILLING: &[&str] = &["--tlsv1.0", "--ciphers", "DEFAULT:@SECLEVEL=0"];

/// A 401 of Exchange's with its reason.
const REFUSED: &str = "HTTP/1.1 401 Unauthorized\r\nServer: Microsoft-IIS/8.5\r\nrequest-id: \
    8f1c2d3e-0000-4000-8000-000000000001\r\nX-CalculatedBETarget: ex01.contoso.com\r\nX-FEServer: EX01\r\n\
    WWW-Authenticate: Bearer client_id=\"00000002-0000-0ff1-ce00-000000000000\", error=\"invalid_token\"\r\n\
    x-ms-diagnostics: 2000003;reason=\"The hostname component of the audience claim value is invalid.\";\
    error_category=\"invalid_resource\"\r\nContent-Length: 0\r\nConnection: close\r\n\r\n";

#[test]
#[cfg(feature = "legacy-tls")]
fn a_server_of_tls_1_0_is_looked_into() {
    let options = ["-tls1", "-cipher", "AES256-SHA:@SECLEVEL=0"];
    let why = "the server speaks nothing newer than TLS 1.0";
    a_server_is_looked_into(&options, "TLS 1.0", "TLS_RSA_WITH_AES_256_CBC_SHA", why);
}

#[test]
#[cfg(feature = "legacy-tls")]
fn a_server_of_tls_1_2_with_cbc_alone_is_looked_into() {
    let options = ["-tls1_2", "-cipher", "ECDHE-RSA-AES256-SHA384:@SECLEVEL=0"];
    let cipher = "TLS_ECDHE_RSA_WITH_AES_256_CBC_SHA384";
    a_server_is_looked_into(&options, "TLS 1.2", cipher, &format!("old ciphers, here {cipher}"));
}

#[test]
#[cfg(feature = "legacy-tls")]
fn a_server_of_tls_1_2_with_rsa_key_exchange_alone_is_looked_into() {
    let options = ["-tls1_2", "-cipher", "AES256-GCM-SHA384:@SECLEVEL=0"];
    let cipher = "TLS_RSA_WITH_AES_256_GCM_SHA384";
    a_server_is_looked_into(&options, "TLS 1.2", cipher, &format!("old ciphers, here {cipher}"));
}

#[cfg(feature = "legacy-tls")]
fn a_server_is_looked_into(server: &[&str], version: &str, cipher: &str, why: &str) {
    if !need(&["curl", "openssl"]) {
        return;
    }
    let workshop = Workshop::new();
    let certificate = rsa_certificate(&workshop, HOST);
    fs::write(workshop.path("refused"), REFUSED).unwrap();
    let server = SServer::files(&workshop, &certificate, server);
    let trust = certificate.to_string_lossy();
    let to = format!("{HOST}:443={}", server.address);
    let mut proxy = workshop.proxy(&["--resolve", &to, "--upstream-ca", &trust]);
    // The second time the server is known.
    for _ in 0..2 {
        let answer = curl(&proxy, &["-H", "Authorization: Bearer x", &format!("https://{HOST}/refused")]);
        assert_eq!((answer.code, answer.status), (Some(0), 401), "{}", answer.error);
    }
    for live in proxy.exchanges(2) {
        assert_eq!(live["findings"][0], "audience-wrong-resource", "{live}");
        assert_eq!(live["verdict"], "failure", "{live}");
        let notes = live["findings"].as_array().unwrap();
        assert!(notes.contains(&"tls-server-legacy".into()), "{live}");
        let note =
            live["details"].as_array().unwrap().iter().find(|detail| detail["id"] == "tls-server-legacy").unwrap();
        assert_eq!(note["kind"], "note", "{live}");
        assert!(note["evidence"][0]["text"].as_str().unwrap().contains(why), "{live}");
    }
    let session = proxy.session.clone();
    assert_eq!(proxy.stop().code, Some(0));
    for exchange in saved(&session) {
        let tls = server_tls(&exchange);
        assert_eq!((tls.version.as_str(), tls.cipher.as_str()), (version, cipher));
        assert!(tls.legacy.as_ref().unwrap().as_str().contains(why), "{:?}", tls.legacy);
        assert_eq!(tls.certificate.names, [HOST]);
        let client = exchange.connection.client_tls.as_ref().unwrap();
        assert_eq!((client.version.as_str(), client.sni_form, &client.legacy), ("TLS 1.3", SniForm::Name, &None));
    }
}

/// The same judge looks at the certificates of old servers.
#[test]
#[cfg(feature = "legacy-tls")]
fn an_old_server_whose_certificate_is_not_trusted_is_refused_or_annotated() {
    if !need(&["curl", "openssl"]) {
        return;
    }
    let workshop = Workshop::new();
    let certificate = rsa_certificate(&workshop, HOST);
    fs::write(workshop.path("refused"), REFUSED).unwrap();
    let server = SServer::files(&workshop, &certificate, &["-tls1"]);
    let to = format!("{HOST}:443={}", server.address);
    let mut proxy = workshop.proxy(&["--resolve", &to]);
    assert_eq!(curl(&proxy, &[&format!("https://{HOST}/refused")]).status, 502);
    let live = proxy.exchanges(1).remove(0);
    assert_eq!(live["findings"][0], "certificate-invalid", "{live}");
    assert!(live["error"]["text"].as_str().unwrap().contains("self-signed"), "{live}");
    drop(proxy);

    let proxy = workshop.proxy_beside("insecure.authtap", &["--resolve", &to, "--insecure-upstream"]);
    assert_eq!(curl(&proxy, &[&format!("https://{HOST}/refused")]).status, 401);
    let session = proxy.session.clone();
    assert_eq!(proxy.stop().code, Some(0));
    let exchange = saved(&session).remove(0);
    assert!(server_tls(&exchange).accepted_despite.as_ref().unwrap().as_str().contains("self-signed"));
}

/// As IIS does for a directory that wants a certificate: in the middle of the connection, after the request.
#[test]
#[cfg(feature = "legacy-tls")]
fn a_server_that_negotiates_again_for_a_certificate_gets_it() {
    use std::io::Write as _;

    if !need(&["openssl"]) {
        return;
    }
    let workshop = Workshop::new();
    let certificate = rsa_certificate(&workshop, HOST);
    let ours = rsa_certificate(&workshop, "svc-migration.contoso.com");
    let (authority, given) = (ours.to_string_lossy(), format!("{HOST}={}", ours.display()));
    let trust = certificate.to_string_lossy();
    // An old server; and a newer one, which the usual engine speaks to but cannot negotiate again with.
    let cases = [(&["-tls1"][..], None, 1), (&["-tls1"][..], Some(&given), 1), (&["-tls1_2"][..], Some(&given), 2)];
    for (number, (options, given, handshakes)) in cases.into_iter().enumerate() {
        let mut server = SServer::typed(
            &workshop,
            &certificate,
            &[options, &["-CAfile", &authority, "-no_resumption_on_reneg"]].concat(),
        );
        let to = format!("{HOST}:443={}", server.address);
        let mut arguments = vec!["--resolve", &to, "--upstream-ca", &trust];
        arguments.extend(given.into_iter().flat_map(|given| ["--client-cert", given]));
        let proxy = workshop.proxy_beside(&format!("again{number}.authtap"), &arguments);
        let mut client = crate::kit::Tunnel::open(&proxy, HOST);
        client.send(b"GET /certificate HTTP/1.1\r\nHost: mail.contoso.com\r\n\r\n");
        server.process.stdout.find("the request", |line| line.starts_with("GET /certificate").then_some(()));
        for _ in 0..handshakes {
            server.process.stderr.find("the handshake", |line| line.contains("write finished").then_some(()));
        }
        server.process.stdin().write_all(b"R\n").unwrap();
        let mut signed = false;
        server.process.stderr.find("the end of the second handshake", |line| {
            signed |= line.contains("read certificate verify");
            line.contains("read finished").then_some(())
        });
        // Only who has a certificate signs for it.
        assert_eq!(signed, given.is_some());
        server.process.stdin().write_all(b"HTTP/1.1 200 OK\nContent-Length: 5\n\nyes\n").unwrap();
        let head = client.head().unwrap();
        assert!(head.starts_with(b"HTTP/1.1 200 OK\r\n"), "{}", String::from_utf8_lossy(&head));
        assert_eq!(client.bytes(5), b"yes\r\n");
        drop(client);
        let session = proxy.session.clone();
        assert_eq!(proxy.stop().code, Some(0));
        let exchange = saved(&session).remove(0);
        assert_eq!(exchange.status(), Some(200));
        assert!(server_tls(&exchange).renegotiated && server_tls(&exchange).legacy.is_some(), "{exchange:?}");
    }
}

#[test]
#[cfg(feature = "legacy-tls")]
fn ntlm_keeps_its_one_connection_through_the_engine_for_old_tls() {
    use crate::kit::{Acceptor, need_python};

    let (true, Some(python)) = (need(&["curl"]), need_python()) else { return };
    let workshop = Workshop::new();
    let users = [("CONTOSO\\avery", "First-Pa55")];
    let server = Acceptor::of_old_tls(&workshop, &python, &[HOST], &users, "ECDHE-ECDSA-AES256-SHA384");
    let mut proxy = workshop.proxy(&["--resolve", &format!("{HOST}:443={}", server.address)]);
    let url = format!("https://{HOST}/EWS/Exchange.asmx");
    let answer = curl(&proxy, &["--ntlm", "--user", "CONTOSO\\avery:First-Pa55", &url, &url]);
    assert_eq!((answer.code, answer.status), (Some(0), 200), "{}", answer.error);
    let count = proxy.exchanges(3).len();
    let served = server.served(count);
    let user = "CONTOSO\\avery";
    assert_eq!(served[0], "0 401 - GET /EWS/Exchange.asmx");
    assert!(served[1..].iter().enumerate().all(|(at, line)| line.starts_with(&format!("{} ", at + 1))), "{served:?}");
    assert!(served.last().unwrap().contains(&format!("200 {user}")), "{served:?}");
    let session = proxy.session.clone();
    assert_eq!(proxy.stop().code, Some(0));
    for exchange in saved(&session) {
        assert!(server_tls(&exchange).legacy.is_some());
    }
    let diagnosis = workshop.diagnose(&session);
    let failed = |exchange: &Value| exchange["verdict"] == "failure";
    assert!(!diagnosis["exchanges"].as_array().unwrap().iter().any(failed), "{diagnosis}");
}

/// Also where the client takes no key but an RSA one.
#[test]
#[cfg(feature = "legacy-tls")]
fn a_client_of_tls_1_0_is_served() {
    if !need(&["curl", "openssl"]) {
        return;
    }
    let workshop = Workshop::new();
    let origin = crate::kit::Origin::answering(Some(workshop.authority.server(&[HOST])), |_| {
        b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok".to_vec()
    });
    let proxy = workshop.proxy(&["--resolve", &origin.resolve(HOST, 443)]);
    let url = format!("https://{HOST}/");
    for (ciphers, cipher) in [
        ("AES128-SHA:@SECLEVEL=0", "TLS_RSA_WITH_AES_128_CBC_SHA"),
        ("ECDHE-RSA-AES128-SHA:@SECLEVEL=0", "TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA"),
        ("ECDHE-ECDSA-AES128-SHA:@SECLEVEL=0", "TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA"),
    ] {
        let answer = curl(&proxy, &["--tlsv1.0", "--tls-max", "1.0", "--ciphers", ciphers, &url]);
        assert_eq!((answer.code, answer.status), (Some(0), 200), "{cipher}: {}", answer.error);
        assert_eq!(answer.text(), "ok");
    }
    let session = proxy.session.clone();
    let finished = proxy.stop();
    assert_eq!(finished.code, Some(0));
    assert!(finished.exchanges().iter().all(|live| live["findings"] == serde_json::json!(["tls-client-legacy"])));
    let exchanges = saved(&session);
    assert_eq!(exchanges.len(), 3);
    let ciphers: Vec<_> = exchanges.iter().map(|exchange| client_tls(exchange).cipher.as_str()).collect();
    assert_eq!(
        ciphers,
        ["TLS_RSA_WITH_AES_128_CBC_SHA", "TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA", "TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA"]
    );
    for exchange in &exchanges {
        assert_eq!(client_tls(exchange).version, "TLS 1.0");
        assert_eq!(client_tls(exchange).legacy.as_ref().unwrap(), &"the client speaks nothing newer than TLS 1.0");
        assert!(server_tls(exchange).legacy.is_none());
    }
}

/// Names that no client should send, and that clients send.
#[test]
fn a_server_name_in_any_form_is_served() {
    if !need(&["openssl"]) {
        return;
    }
    let workshop = Workshop::new();
    let under_score = "under_score.contoso.com";
    let origin = crate::kit::Origin::talking(Some(workshop.authority.server(&[HOST, under_score])), |talk| {
        if talk.request().is_some() {
            talk.send(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\nok");
        }
    });
    let to = origin.resolve("*.contoso.com", 443);
    let mut proxy = workshop.proxy(&["--resolve", &to]);
    let cases: [(&str, &[&str], SniForm); 7] = [
        (HOST, &["-servername", "mail.contoso.com:443"], SniForm::Port),
        (HOST, &["-servername", "mail.contoso.com."], SniForm::TrailingDot),
        (under_score, &["-servername", under_score], SniForm::Name),
        (HOST, &["-servername", "192.0.2.7"], SniForm::Address),
        (HOST, &["-noservername"], SniForm::Absent),
        (HOST, &["-servername", "m\u{e4}il.contoso.com"], SniForm::Odd),
        (HOST, &["-servername", "mail.contoso.com:443", "-tls1_2", "-cipher", "ECDHE+AESGCM"], SniForm::Port),
    ];
    let taken = |form| matches!(form, SniForm::Port | SniForm::Odd);
    for (number, (host, options, form)) in cases.into_iter().enumerate() {
        let answer = s_client(&proxy, host, "/", options);
        let live = proxy.exchanges(number + 1).pop().unwrap();
        if taken(form) && cfg!(not(feature = "legacy-tls")) {
            assert_eq!(live["findings"][0], "tls-client-legacy", "{live}");
            continue;
        }
        assert!(answer.output().ends_with("\r\n\r\nok"), "{form:?}: {} {}", answer.output(), answer.error());
        assert_eq!(live["status"], 200, "{form:?}: {live}");
    }
    let session = proxy.session.clone();
    assert_eq!(proxy.stop().code, Some(0));
    if cfg!(feature = "legacy-tls") {
        for (exchange, (_, _, form)) in saved(&session).iter().zip(cases) {
            let client = client_tls(exchange);
            assert_eq!(client.sni_form, form);
            assert_eq!(client.legacy.is_some(), taken(form), "{client:?}");
            assert_eq!(client.sni.is_none(), form == SniForm::Absent);
        }
    }
}

/// Without the engine, and for what not even it speaks: the client reaches its server all the same.
#[test]
fn a_server_that_no_engine_speaks_to_is_reached() {
    if !need(&["curl", "openssl"]) {
        return;
    }
    let workshop = Workshop::new();
    let certificate = rsa_certificate(&workshop, HOST);
    // A cipher that the engine for old TLS leaves out: it is without encryption.
    let server: &[&str] =
        if cfg!(feature = "legacy-tls") { &["-tls1_2", "-cipher", "NULL-SHA256:@SECLEVEL=0"] } else { &["-tls1"] };
    let client: &[&str] = if cfg!(feature = "legacy-tls") {
        &["--tls-max", "1.2", "--ciphers", "NULL-SHA256:@SECLEVEL=0"]
    } else {
        WILLING
    };
    fs::write(workshop.path("refused"), REFUSED).unwrap();
    let server = SServer::files(&workshop, &certificate, server);
    let mut proxy = workshop.proxy(&["--resolve", &format!("{HOST}:443={}", server.address)]);

    // The server's own certificate is the only one trusted, so an answer proves that nobody stepped in between.
    let (pem, url) = (certificate.to_string_lossy(), format!("https://{HOST}/refused"));
    let answer = curl(&proxy, &[&["--cacert", &pem], client, &[&url]].concat());
    assert_eq!((answer.code, answer.status), (Some(0), 401), "{}", answer.error);

    let live = proxy.exchanges(1).remove(0);
    assert_eq!((live["method"].as_str(), live["verdict"].as_str()), (Some("CONNECT"), Some("unknown")), "{live}");
    let session = proxy.session.clone();
    assert_eq!(proxy.stop().code, Some(0));
    let reason = saved(&session).remove(0).request.unseen();
    assert!(matches!(reason, Some(Unseen::ServerTlsTooOld | Unseen::ClientTlsUnreadable)), "{reason:?}");
}

#[cfg(feature = "legacy-tls")]
fn server_tls(exchange: &Exchange) -> &authtap::exchange::Tls {
    exchange.connection.server.as_ref().unwrap().tls.as_ref().unwrap()
}

fn client_tls(exchange: &Exchange) -> &authtap::exchange::ClientTls {
    exchange.connection.client_tls.as_ref().unwrap()
}
