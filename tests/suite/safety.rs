//! The proxy itself under attack: who may use it, floods, clients that never come to the point, names without end. Each is
//! bounded, recorded or counted, and a normal exchange goes on beside it.

use std::collections::VecDeque;
use std::fs;
use std::io::{BufRead as _, Read as _, Write as _};
use std::net::TcpStream;
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::time::Instant;

use rustls::pki_types::ServerName;
use rustls::{ClientConfig, ClientConnection, RootCertStore};
use serde_json::Value;

use crate::kit::{Answer, DEADLINE, Finished, Origin, Proxy, Tunnel, Workshop, curl, field, need, saved};

const HOST: &str = "mail.contoso.com";
const CURT: &str = "curt.contoso.com";
const ANSWER: &[u8] = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";
/// In a debug build a name costs ten times what it costs in the one that people run.
const NAMES: usize = if cfg!(debug_assertions) { 2_000 } else { 10_000 };
/// What the proxy may use in a debug build, whatever happens to it here.
const MEMORY_KIB: u64 = 200 * 1024;

#[test]
fn a_login_is_asked_for_and_goes_no_further() {
    if !need(&["curl"]) {
        return;
    }
    let workshop = Workshop::new();
    let plain = Origin::answering(None, |_| ANSWER.to_vec());
    let tls = Origin::answering(Some(workshop.authority.server(&[HOST])), |_| ANSWER.to_vec());
    let to = [plain.resolve(HOST, 80), tls.resolve(HOST, 443)];
    let mut proxy = asking(&workshop, "avery:Pr0xy-Pa55", &["--resolve", &to[0], "--resolve", &to[1]]);
    let urls = [format!("http://{HOST}/a"), format!("https://{HOST}/b")];

    for url in &urls {
        let (code, asked) = challenged(&proxy, &[url.as_str()]);
        assert_eq!((code, asked.as_deref()), (407, Some("Basic realm=\"authtap\"")), "{url}");
        let (code, _) = challenged(&proxy, &["--proxy-user", "avery:wrong", url]);
        assert_eq!(code, 407, "{url}");
    }
    for (url, origin) in urls.iter().zip([&plain, &tls]) {
        let answer = curl(&proxy, &["--proxy-user", "avery:Pr0xy-Pa55", "-u", "quinn:Origin-Pa55", url]);
        assert_eq!((answer.code, answer.status), (Some(0), 200), "{url}: {}", answer.error);
        let request = origin.received();
        assert_eq!(field(&request.head, "proxy-authorization"), None, "{url}");
        assert!(field(&request.head, "authorization").is_some(), "{url}: what is for the origin passes");
    }
    // Asked first and told then: how most clients do it.
    let answer = curl(&proxy, &["--proxy-user", "avery:Pr0xy-Pa55", "--proxy-anyauth", &urls[1]]);
    assert_eq!(answer.status, 200, "{}", answer.error);

    let exchanges = proxy.exchanges(5);
    let session = proxy.session.clone();
    let finished = proxy.stop();
    assert!(finished.error().contains("3 requests came without user name and password"), "{}", finished.error());
    let refused: Vec<&Value> = exchanges.iter().filter(|exchange| !exchange["error"].is_null()).collect();
    assert_eq!(refused.len(), 2, "those with a wrong password: {exchanges:?}");
    for exchange in refused {
        assert_eq!(exchange["error"]["side"], "client");
        assert!(exchange["status"].is_null(), "our 407 is no answer of a server");
        assert!(exchange["findings"].as_array().unwrap().iter().all(|id| id != "proxy-auth-required"), "{exchange}");
    }
    for exchange in saved(&session) {
        assert!(
            exchange
                .request_fields()
                .iter()
                .all(|field| !field.name.as_str().eq_ignore_ascii_case("proxy-authorization"))
        );
    }
    for kept in [fs::read(&session).unwrap(), finished.stderr, serde_json::to_vec(&exchanges).unwrap()] {
        for secret in ["Pr0xy-Pa55", "YXZlcnk6UHIweHktUGE1NQ", "avery:wrong", "YXZlcnk6d3Jvbmc"] {
            assert!(!kept.windows(secret.len()).any(|window| window == secret.as_bytes()), "{secret}");
        }
    }
}

#[test]
fn a_login_that_is_not_there_or_malformed_is_a_usage_error() {
    let workshop = Workshop::new();
    for (setting, english, japanese) in [
        (None, "needs AUTHTAP_PROXY_AUTH", "設定されていません"),
        (Some("avery"), "no colon", "コロン"),
        (Some(":Pr0xy"), "lacks", "空"),
        (Some("avery:"), "lacks", "空"),
        (Some("avery:Pr0xy\n"), "control character", "制御文字"),
    ] {
        for (language, words) in [("en", english), ("ja", japanese)] {
            let mut command = workshop.authtap(&["proxy", "--headless", "--proxy-auth", "--listen", "127.0.0.1:0"]);
            command.args(["--lang", language, "--ca-dir"]).arg(workshop.path("ca")).env_remove("AUTHTAP_PROXY_AUTH");
            if let Some(setting) = setting {
                command.env("AUTHTAP_PROXY_AUTH", setting);
            }
            let refused = Finished::of_command(&mut command);
            assert_eq!(refused.code, Some(2), "{setting:?}: {}", refused.error());
            assert!(refused.error().contains(words), "{setting:?}: {}", refused.error());
            assert!(!refused.error().contains("Pr0xy"));
        }
    }
    let refused = workshop.run(&["proxy", "--proxy-auth", "--reverse", "https://mail.contoso.com"]);
    assert_eq!(refused.code, Some(2));
    assert!(refused.error().contains("--allow"), "{}", refused.error());
}

#[test]
fn a_listener_beyond_loopback_says_what_it_means() {
    let workshop = Workshop::new();
    for (language, words) in [("en", "--allow 192.168.1.0/24"), ("ja", "接続元を指定")] {
        let refused = workshop.run(&["proxy", "--headless", "--listen", "0.0.0.0:0", "--lang", language]);
        assert_eq!(refused.code, Some(2));
        assert!(refused.error().contains(words) && refused.error().contains("--proxy-auth"), "{}", refused.error());
    }
    for (options, words) in [
        (&["--allow", "192.0.2.0/24"][..], "those that --allow names may use this proxy"),
        (&["--proxy-auth"], "whoever has the user name and password may use this proxy"),
    ] {
        let mut command = workshop.authtap(&["proxy", "--headless", "--format", "json", "--listen", "0.0.0.0:0"]);
        command.args(options).env("AUTHTAP_PROXY_AUTH", "avery:Pr0xy").arg("--ca-dir").arg(workshop.path("ca"));
        let finished = Proxy::start(&mut command).stop();
        assert_eq!(finished.code, Some(0));
        assert!(finished.error().contains(words), "{}", finished.error());
    }
}

#[test]
fn two_thousand_silent_connections_keep_nobody_out() {
    more_files();
    let workshop = Workshop::new();
    let origin = Origin::answering(Some(workshop.authority.server(&[HOST])), |_| ANSWER.to_vec());
    let mut proxy = limited(&workshop, 512, &["--resolve", &origin.resolve(HOST, 443)]);
    let mut silent = Vec::new();
    for n in 0..2000 {
        silent.push(TcpStream::connect(proxy.address).unwrap());
        if n % 500 == 250 {
            exchange(&proxy);
        }
    }
    exchange(&proxy);
    let memory = memory(&proxy);
    let ended = collected(&mut proxy, 1000);
    let sent_off = ended.iter().filter(|text| text.contains("had not said what it wants")).count();
    assert!(sent_off >= 900, "{sent_off} of {} are recorded", ended.len());
    drop(silent);
    let finished = proxy.stop();
    assert_eq!(finished.code, Some(0), "{}", finished.error());
    let counted: u64 = number_before(&finished.error(), " connections were closed because the clients did not say");
    assert!((1700..=2000).contains(&counted), "{}", finished.error());
    said("2 000 silent connections", memory);
}

#[test]
fn half_hellos_slow_heads_and_garbage_keep_nobody_out_either() {
    more_files();
    let workshop = Workshop::new();
    let origin = Origin::answering(Some(workshop.authority.server(&[HOST])), |_| ANSWER.to_vec());
    // A server that wants no more of a client after its first bytes.
    let curt = Origin::talking(None, |talk| drop(talk.reader().fill_buf()));
    let to = [origin.resolve(HOST, 443), curt.resolve(CURT, 443)];
    let proxy = limited(&workshop, 256, &["--resolve", &to[0], "--resolve", &to[1]]);
    let connect = |host: &str| format!("CONNECT {host}:443 HTTP/1.1\r\n\r\n").into_bytes();
    let half = [connect(HOST), hello(HOST)[..100].to_vec()].concat();
    let garbage = [connect(CURT), vec![0x16, 3, 1, 0, 5], vec![0xff; 5]].concat();
    let mut open = Vec::new();
    for n in 0..400 {
        let words: &[u8] = match n % 4 {
            0 => b"GET http://mail.contoso.com/ HTTP/1.1\r\nHost: mail.con",
            1 => &half,
            2 => b"C",
            _ => &garbage,
        };
        let mut client = TcpStream::connect(proxy.address).unwrap();
        client.write_all(words).unwrap();
        if n % 4 == 3 {
            // It gets what the server makes of it, and goes.
            client.set_read_timeout(Some(DEADLINE)).unwrap();
            let _ = client.read_to_end(&mut Vec::new());
        } else {
            open.push(client);
        }
        if n % 100 == 50 {
            exchange(&proxy);
        }
    }
    exchange(&proxy);
    let memory = memory(&proxy);
    drop(open);
    let finished = proxy.stop();
    assert_eq!(finished.code, Some(0), "{}", finished.error());
    let exchanges = finished.exchanges();
    let with = |words: &str| {
        exchanges.iter().filter(|said| said["error"]["text"].as_str().unwrap_or_default().contains(words)).count()
    };
    assert!(with("had not said what it wants") >= 150, "{exchanges:?}");
    let passed = exchanges.iter().filter(|said| said["method"] == "CONNECT").count();
    assert!(passed >= 100, "{passed} of garbage, and half hellos: {exchanges:?}");
    said("400 half hellos, slow heads and garbage", memory);
}

#[test]
fn heads_without_end_are_cut_off_and_recorded() {
    let workshop = Workshop::new();
    let mut proxy = workshop.proxy(&[]);
    let long = format!("GET http://{HOST}/ HTTP/1.1\r\nX: {}", "a".repeat(1 << 20));
    let many = format!("GET http://{HOST}/ HTTP/1.1\r\n{}", "X: 1\r\n".repeat(10_000));
    let line = format!("GET http://{HOST}/{}", "a".repeat(1 << 20));
    for (n, (words, told)) in
        [(long, "longer than 256 KiB"), (many, "more than 1000 fields"), (line, "request line without an end")]
            .into_iter()
            .enumerate()
    {
        let mut client = TcpStream::connect(proxy.address).unwrap();
        client.set_read_timeout(Some(DEADLINE)).unwrap();
        let _ = client.write_all(words.as_bytes());
        let mut answer = Vec::new();
        let _ = client.read_to_end(&mut answer);
        assert!(answer.starts_with(b"HTTP/1.1 400 "), "{told}: {}", String::from_utf8_lossy(&answer));
        let error = proxy.exchanges(n + 1)[n]["error"]["text"].clone();
        assert!(error.as_str().unwrap().contains(told), "{error}");
    }
}

#[test]
fn a_flood_of_names_is_bounded_and_starves_nobody() {
    if !need(&["curl"]) {
        return;
    }
    more_files();
    let workshop = Workshop::new();
    let origin = Origin::answering(None, |_| ANSWER.to_vec());
    let mut proxy = workshop.proxy(&["--reverse", &format!("http://{}", origin.address)]);
    // A client with a name that is known, whatever others ask for.
    let exchange = |proxy: &Proxy| {
        let began = Instant::now();
        let (to, url) = (format!("::{}", proxy.address), format!("https://{HOST}/"));
        let answer = curl(proxy, &["--proxy", "", "--connect-to", &to, &url]);
        assert_eq!((answer.code, answer.status), (Some(0), 200), "{}", answer.error);
        began.elapsed()
    };
    let mut longest = exchange(&proxy);
    let template = hello("n00000.contoso.com");
    let at = template.windows(6).position(|window| window == b"n00000").unwrap();
    let began = Instant::now();
    let mut open = VecDeque::new();
    for n in 0..NAMES {
        let mut hello = template.clone();
        hello[at..at + 6].copy_from_slice(format!("n{n:05}").as_bytes());
        let mut client = TcpStream::connect(proxy.address).unwrap();
        client.write_all(&hello).unwrap();
        open.push_back(client);
        // More at a time would be a flood of the server, whose queue is short.
        if open.len() > 100 {
            open.pop_front();
        }
        if n % (NAMES / 4) == NAMES / 8 {
            longest = longest.max(exchange(&proxy));
        }
    }
    longest = longest.max(exchange(&proxy));
    let (memory, lasted) = (memory(&proxy), began.elapsed());
    drop(open);
    let ended = collected(&mut proxy, NAMES);
    let too_many = ended.iter().filter(|text| text.contains("too many new host names")).count();
    assert_eq!(proxy.stop().code, Some(0));
    said(
        &format!("{NAMES} names in {lasted:?}, {too_many} beyond the pace, an exchange beside them {longest:?}"),
        memory,
    );
}

#[test]
fn a_server_that_never_answers_is_no_failure_until_the_client_leaves() {
    let workshop = Workshop::new();
    let origin = Origin::talking(Some(workshop.authority.server(&[HOST])), |talk| {
        while let Some(head) = talk.head() {
            if head.starts_with(b"GET /never") {
                talk.note_parts(head, Vec::new());
            } else {
                talk.send(ANSWER);
            }
        }
    });
    let mut proxy = workshop.proxy(&["--resolve", &origin.resolve(HOST, 443)]);
    let mut waiting = Tunnel::open(&proxy, HOST);
    waiting.send(b"GET /never HTTP/1.1\r\nHost: mail.contoso.com\r\n\r\n");
    origin.received();
    exchange(&proxy);
    assert!(proxy.exchanges(1)[0]["error"].is_null(), "the other one is over, this one goes on");
    drop(waiting);
    let left = proxy.exchanges(2);
    assert_eq!(left[0]["error"]["side"], "client", "{left:?}");
}

/// A proxy that asks for `login`.
fn asking(workshop: &Workshop, login: &str, options: &[&str]) -> Proxy {
    let mut command = workshop.authtap(&["proxy", "--headless", "--format", "json", "--listen", "127.0.0.1:0"]);
    command.args(["--proxy-auth", "--upstream-ca"]).arg(&workshop.authority.pem).args(options);
    command.arg("--ca-dir").arg(workshop.path("ca")).arg("--save").arg(workshop.path("session.authtap"));
    Proxy::start(command.env("AUTHTAP_PROXY_AUTH", login))
}

/// A proxy that may open so many files and no more.
fn limited(workshop: &Workshop, files: u32, options: &[&str]) -> Proxy {
    let authtap = workshop.authtap(&[]);
    let mut command = Command::new("sh");
    command.args(["-c", &format!("ulimit -n {files}; exec \"$0\" \"$@\"")]).arg(authtap.get_program());
    command.args(["proxy", "--headless", "--format", "json", "--listen", "127.0.0.1:0", "--upstream-ca"]);
    command.arg(&workshop.authority.pem).args(options).arg("--ca-dir").arg(workshop.path("ca"));
    command.arg("--save").arg(workshop.path("session.authtap")).envs(workshop.environment()).stdin(Stdio::null());
    Proxy::start(&mut command)
}

/// A normal exchange by a client of its own, which nothing may keep from it.
fn exchange(proxy: &Proxy) {
    let mut tunnel = Tunnel::open(proxy, HOST);
    tunnel.send(b"GET / HTTP/1.1\r\nHost: mail.contoso.com\r\n\r\n");
    let head = tunnel.head().expect("an answer");
    assert!(head.starts_with(b"HTTP/1.1 200"), "{}", String::from_utf8_lossy(&head));
    assert_eq!(tunnel.body(&head), b"ok");
}

/// The proxy's own answer to a CONNECT or request: its status and what it asks for.
fn challenged(proxy: &Proxy, arguments: &[&str]) -> (u16, Option<String>) {
    let shown = ["--no-suppress-connect-headers", "-w", "\n%{http_connect}"];
    let Answer { head, body, status, .. } = curl(proxy, &[&shown[..], arguments].concat());
    let text = String::from_utf8_lossy(&body).into_owned();
    let connect = text.rsplit('\n').next().and_then(|code| code.parse().ok()).unwrap_or(0);
    (if connect == 0 { status } else { connect }, field(&head, "proxy-authenticate"))
}

/// What a client of the proxy sends first in TLS to `name`.
fn hello(name: &str) -> Vec<u8> {
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(RootCertStore::empty())
        .with_no_client_auth();
    let mut client = ClientConnection::new(Arc::new(config), ServerName::try_from(name.to_owned()).unwrap()).unwrap();
    let mut bytes = Vec::new();
    client.write_tls(&mut bytes).unwrap();
    bytes
}

/// The words of the errors of the next exchanges, until there are so many exchanges.
fn collected(proxy: &mut Proxy, count: usize) -> Vec<String> {
    let mut texts = Vec::new();
    while texts.len() < count {
        if let Some(event) = proxy.next("exchange") {
            texts.push(event["error"]["text"].as_str().unwrap_or_default().to_owned());
        }
    }
    texts
}

/// The number before some words.
fn number_before(text: &str, words: &str) -> u64 {
    let before = text.split(words).next().unwrap_or_default();
    before.rsplit(' ').next().and_then(|number| number.parse().ok()).unwrap_or_else(|| panic!("no number in {text}"))
}

/// What the proxy holds in memory, which is bounded.
fn memory(proxy: &Proxy) -> u64 {
    let status = fs::read_to_string(format!("/proc/{}/status", proxy.id())).unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap();
    let memory = line.trim().trim_end_matches(" kB").parse().unwrap();
    assert!(memory < MEMORY_KIB, "{memory} KiB");
    memory
}

fn said(what: &str, memory: u64) {
    eprintln!("{what}: {} MiB", memory / 1024);
}

/// The test holds many connections itself.
fn more_files() {
    let limit = rustix::process::getrlimit(rustix::process::Resource::Nofile);
    let most = rustix::process::Rlimit { current: limit.maximum, maximum: limit.maximum };
    rustix::process::setrlimit(rustix::process::Resource::Nofile, most).unwrap();
    assert!(limit.maximum.is_none_or(|most| most >= 8192), "this test opens thousands of connections");
}
