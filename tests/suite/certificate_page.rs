//! The proxy's own page, as curl and a browser find it: at its address, through the proxy, and in TLS.

use std::collections::BTreeSet;
use std::fs;
use std::process::{Command, Stdio};

use crate::kit::{Answer, Proxy, Workshop, curl, field, need, saved};

const TYPES: [(&str, &str, &str); 4] = [
    ("/authtap-ca.pem", "application/x-pem-file", "attachment; filename=\"authtap-ca.pem\""),
    ("/authtap-ca.cer", "application/x-x509-ca-cert", "attachment; filename=\"authtap-ca.cer\""),
    ("/authtap.mobileconfig", "application/x-apple-aspen-config", "attachment; filename=\"authtap.mobileconfig\""),
    ("/proxy.pac", "application/x-ns-proxy-autoconfig", "inline; filename=\"proxy.pac\""),
];

#[test]
fn its_files_are_the_root_in_every_form_with_the_types_that_systems_know() {
    if !need(&["curl", "openssl"]) {
        return;
    }
    let workshop = Workshop::new();
    let proxy = workshop.proxy(&[]);
    for way in [directly, through] {
        for (path, kind, disposition) in TYPES {
            let answer = way(&proxy, path, &[]);
            assert_eq!((answer.code, answer.status), (Some(0), 200), "{path}: {}", answer.error);
            let head = |name| field(&answer.head, name);
            assert_eq!(head("content-type").as_deref(), Some(kind), "{path}");
            assert_eq!(head("content-disposition").as_deref(), Some(disposition), "{path}");
            assert_eq!(head("x-content-type-options").as_deref(), Some("nosniff"), "{path}");
            assert!(!answer.text().contains("PRIVATE KEY"), "{path}");
        }
        assert!(way(&proxy, "/proxy.pac", &[]).text().contains(&format!("return \"PROXY {}\";", proxy.address)));
    }
    let shown = workshop.run(&["ca", "show", "--ca-dir", &workshop.path("ca").to_string_lossy()]).output();
    let fingerprint = shown.lines().find_map(|line| line.strip_prefix("SHA-256: ")).unwrap().to_owned();
    for (path, form) in [("/authtap-ca.pem", "PEM"), ("/authtap-ca.cer", "DER")] {
        let file = workshop.path("downloaded");
        fs::write(&file, directly(&proxy, path, &[]).body).unwrap();
        let mut openssl = Command::new("openssl");
        openssl.args(["x509", "-noout", "-fingerprint", "-sha256", "-inform", form, "-in"]).arg(&file);
        let said = String::from_utf8(openssl.output().unwrap().stdout).unwrap();
        assert!(said.trim().ends_with(&fingerprint), "{path}: {said}");
    }
    for page in [directly(&proxy, "/", &[]), through(&proxy, "/", &[])] {
        assert!(page.text().replace("<wbr>", "").contains(&fingerprint));
    }
}

#[test]
fn the_address_in_the_script_is_the_one_that_the_client_used() {
    if !need(&["curl"]) {
        return;
    }
    let workshop = Workshop::new();
    let proxy = workshop.proxy(&[]);
    let address = |host: &str| directly(&proxy, "/proxy.pac", &["-H", &format!("Host: {host}")]).text();
    assert!(address("laptop.contoso.com:3128").contains("\"PROXY laptop.contoso.com:3128\""));
    for odd in ["x\"; } evil(); //", "<script>", "a'b:1"] {
        let script = address(odd);
        assert!(script.contains(&format!("\"PROXY {}\"", proxy.address)), "{odd}: {script}");
    }
}

#[test]
fn it_speaks_the_clients_language_and_lets_it_change_its_mind() {
    if !need(&["curl"]) {
        return;
    }
    let workshop = Workshop::new();
    let proxy = workshop.proxy(&[]);
    let page = |path, wishes: &str| directly(&proxy, path, &["-H", &format!("Accept-Language: {wishes}")]);
    let (english, japanese) = ("<html lang=\"en\">", "<html lang=\"ja\">");
    for (path, wishes, language) in [
        ("/", "en-US,en;q=0.9", english),
        ("/", "ja,en-US;q=0.9", japanese),
        ("/", "de", english),
        ("/en", "ja", english),
        ("/ja", "en", japanese),
    ] {
        let answer = page(path, wishes);
        assert_eq!(answer.status, 200);
        assert!(answer.text().contains(language), "{path} for {wishes}");
        let policy = field(&answer.head, "content-security-policy").unwrap();
        assert!(policy.starts_with("default-src 'none'; style-src 'sha256-"), "{policy}");
    }
    assert_eq!(page("/nothing-here", "en").status, 404);
    assert_eq!(page("/favicon.ico", "en").status, 404);
    let posted = directly(&proxy, "/", &["-d", "x=1"]);
    assert_eq!((posted.status, field(&posted.head, "allow").as_deref()), (405, Some("GET, HEAD")));
    let head = directly(&proxy, "/", &["-I"]);
    assert_eq!((head.status, head.body.len()), (200, 0));
}

#[test]
fn through_the_proxy_it_says_how_far_the_client_has_come_and_is_no_exchange() {
    if !need(&["curl"]) {
        return;
    }
    let workshop = Workshop::new();
    let proxy = workshop.proxy(&["--only", "mail.contoso.com"]);
    let uses = "This device uses the proxy";
    let trusts = "It trusts the root certificate, too";
    let says = |page: &Answer| [page.text().contains(uses), page.text().contains(trusts)];
    assert_eq!(says(&directly(&proxy, "/en", &[])), [false, false]);
    assert_eq!(says(&through(&proxy, "/en", &[])), [true, false]);
    let trusting = curl(&proxy, &["https://authtap.test/en"]);
    assert_eq!((trusting.code, says(&trusting)), (Some(0), [true, true]), "{}", trusting.error);
    let refusing = curl(&proxy, &["--cacert", &workshop.authority.pem.to_string_lossy(), "https://authtap.test/en"]);
    assert_eq!(refusing.code, Some(60), "curl: the certificate is not trusted");
    let session = proxy.session.clone();
    let finished = proxy.stop();
    assert_eq!(finished.code, Some(0), "{}", finished.error());
    let exchanges = saved(&session);
    assert_eq!(exchanges.len(), 1, "the refusal alone: {exchanges:?}");
    assert_eq!(exchanges[0].error.as_ref().unwrap().kind.code(), "certificate-refused-by-client");
}

#[test]
fn a_replay_shows_it_too_and_a_login_does_not_stand_before_it() {
    if !need(&["curl"]) {
        return;
    }
    let workshop = Workshop::new();
    let recorded = workshop.proxy(&[]);
    let session = recorded.session.clone();
    assert_eq!(recorded.stop().code, Some(0));
    let replay = workshop.replay(&session);
    assert_eq!([directly(&replay, "/", &[]).status, through(&replay, "/", &[]).status], [200, 200]);
    drop(replay);
    let mut command = workshop.authtap(&["proxy", "--headless", "--format", "json", "--listen", "127.0.0.1:0"]);
    command.arg("--proxy-auth").env("AUTHTAP_PROXY_AUTH", "avery:Pr0xy").arg("--ca-dir").arg(workshop.path("ca"));
    let asking = Proxy::start(&mut command);
    assert_eq!([directly(&asking, "/", &[]).status, through(&asking, "/", &[]).status], [200, 200]);
}

#[test]
fn a_browser_shows_it_and_loads_nothing_else() {
    if !need(&["chromium"]) {
        return;
    }
    let workshop = Workshop::new();
    let proxy = workshop.proxy(&[]);
    for (path, words) in [("en", "Trust the root certificate"), ("ja", "ルート証明書を信頼する")] {
        let log = workshop.path(&format!("net-{path}.json"));
        let output = Command::new("chromium")
            .args(["--headless", "--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking"])
            .args(["--disable-component-update", "--disable-sync", "--enable-logging=stderr"])
            .arg("--host-resolver-rules=MAP * ~NOTFOUND,EXCLUDE 127.0.0.1")
            .arg(format!("--user-data-dir={}", workshop.path("profile").display()))
            .arg(format!("--log-net-log={}", log.display()))
            .args(["--dump-dom", &format!("{}/{path}", proxy.url())])
            .env("HOME", workshop.path("home"))
            .stdin(Stdio::null())
            .output()
            .unwrap();
        let error = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{error}");
        assert!(String::from_utf8_lossy(&output.stdout).contains(words));
        assert!(!error.contains("Content Security Policy"), "its own style sheet is allowed: {error}");
        // What a browser says to its own maker has no initiator.
        let log = fs::read_to_string(&log).unwrap();
        let told = |name: &str| {
            let key = format!("\"{name}\":\"");
            let values = log.match_indices(&key).map(|(at, _)| log[at + key.len()..].split('"').next().unwrap());
            values.filter(|value| value.starts_with("http://127.0.0.1")).map(str::to_owned).collect::<BTreeSet<_>>()
        };
        // The server itself is named like its first page.
        let (server, page) = (format!("{}/", proxy.url()), format!("{}/{path}", proxy.url()));
        let asked: Vec<_> = told("url").into_iter().filter(|url| *url != server).collect();
        assert_eq!(asked, [page], "the page alone was asked for");
        assert!(told("initiator").is_empty(), "the page asked for something: {:?}", told("initiator"));
    }
}

/// What a browser that knows nothing of proxies finds at the proxy's address.
fn directly(proxy: &Proxy, path: &str, arguments: &[&str]) -> Answer {
    let url = format!("{}{path}", proxy.url());
    curl(proxy, &[&["--proxy", "", &url][..], arguments].concat())
}

/// What one finds that uses the proxy.
fn through(proxy: &Proxy, path: &str, arguments: &[&str]) -> Answer {
    let url = format!("http://authtap.test{path}");
    curl(proxy, &[&[url.as_str()][..], arguments].concat())
}
