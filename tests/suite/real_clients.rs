//! Programs that people really use, straight to a server that authenticates for real and through the proxy: the server
//! sees the same requests on the same connections, the client gets the same, and what is said of it is right, of the
//! right password as of a wrong one.

use std::fs;
use std::path::PathBuf;
use std::process::Command;

use crate::kit::{
    Acceptor, Apache, BothWays, Nghttpd, Site, Way, Workshop, need, need_apache, need_node, need_python, partner,
};
use crate::ntlm;

const HOST: &str = "localhost";
const USER: &str = "CONTOSO\\avery";
const RIGHT: &str = "Right-Pa55";
const WRONG: &str = "Wrong-Pa55";

/// NTLM as the server sees it: with the right password, and with a wrong one.
const LOGON: [&str; 2] = ["0 401 - GET /index.txt", "1 200 CONTOSO\\avery GET /index.txt"];

#[test]
fn curl_with_ntlm() {
    let Some(stage) = Stage::new(&["curl"]) else { return };
    let ways = stage.both_ways();
    let curl = |way: &Way, word| curl(way, &["--ntlm", "--user", &format!("{USER}:{word}"), &way.url("/index.txt")]);
    let said = ways.alike(|way| curl(way, RIGHT), &LOGON);
    assert_eq!(said, ["200 CONTOSO\\avery\n"]);
    ways.alike(|way| curl(way, WRONG), &["0 401 - GET /index.txt", "1 401 - GET /index.txt"]);
    ways.judged(&["401 step", "200 ok", "401 step", "401 failure ntlm-rejected"]);
}

/// NTLM inside SPNEGO: neither side has a ticket.
#[test]
fn curl_with_negotiate_and_without_kerberos() {
    if !need(&["curl"]) || !need_apache(&["auth_gssapi"]) {
        return;
    }
    let workshop = Workshop::new();
    let apache = ntlm::apache(&workshop);
    let at = format!("mail.contoso.com:443={}", apache.tls);
    let ways = BothWays::to(&workshop, apache.tls, workshop.proxy(&["--resolve", &at]), |count| apache.served(count));
    let (user, right) = ntlm::USERS[0];
    let client = |way: &Way, word: &str| {
        let own = workshop.path("own-account");
        fs::write(&own, format!("{}:{word}\n", user.replace('\\', ":"))).unwrap();
        let arguments = ["--negotiate", "--user", ":", "https://mail.contoso.com/index.txt"];
        let answer = way.curl_with(&[("NTLM_USER_FILE", &own)], &arguments);
        vec![format!("{:?} {} {}", answer.code, answer.status, answer.text())]
    };
    let said = ways.alike(|way| client(way, right), &["0 401 - GET /index.txt", "1 200 CONTOSO\\avery GET /index.txt"]);
    assert_eq!(said, ["Some(0) 200 served\n"]);
    ways.alike(|way| client(way, WRONG), &["0 401 - GET /index.txt", "1 401 - GET /index.txt"]);
    ways.judged(&["401 step", "200 ok", "401 step", "401 failure ntlm-rejected"]);
}

#[test]
fn requests_ntlm() {
    let Some(stage) = Stage::new(&[]) else { return };
    let ways = stage.both_ways();
    let client = |way: &Way, word| {
        let mut command = Command::new(&stage.python);
        command.arg(partner("ntlm_client.py")).args([&way.url("/index.txt"), "1", "2", USER, word]);
        way.run(&mut command)
    };
    let said = ways.alike(
        |way| client(way, RIGHT),
        &[
            "0 401 - GET /index.txt",
            "1 401 - GET /index.txt",
            "2 200 CONTOSO\\avery GET /index.txt",
            "3 200 CONTOSO\\avery GET /index.txt",
        ],
    );
    assert_eq!(said, ["200 CONTOSO\\avery", "200 CONTOSO\\avery"]);
    ways.judged(&["401 step", "401 step", "200 ok", "200 ok"]);
}

#[test]
fn exchangelib_finds_out_how_to_log_on() {
    let Some(stage) = Stage::new(&[]) else { return };
    let ways = stage.both_ways();
    let client = |way: &Way, word| {
        let mut command = Command::new(&stage.python);
        command.arg(partner("exchangelib_client.py")).args([&way.url("/EWS/Exchange.asmx"), USER, word]);
        way.run(&mut command)
    };
    let refused = ["0 401 -", "0 401 -", "1 401 -"].map(|line| format!("{line} POST /EWS/Exchange.asmx"));
    let refused = refused.each_ref().map(String::as_str);
    let served = ["2 200 CONTOSO\\avery POST /EWS/Exchange.asmx", "3 200 CONTOSO\\avery POST /EWS/Exchange.asmx"];
    let said = ways.alike(|way| client(way, RIGHT), &[&refused[..], &served].concat());
    assert_eq!(said, ["NTLM 15.2.1544.11 root 3"]);
    let said = ways.alike(|way| client(way, WRONG), &[&refused[..], &["2 401 - POST /EWS/Exchange.asmx"]].concat());
    assert_eq!(said, ["UnauthorizedError"]);
    ways.judged(&[
        "401 step",
        "401 step",
        "401 step",
        "200 ok",
        "200 ok",
        "401 step",
        "401 step",
        "401 step",
        "401 failure ntlm-rejected",
    ]);
}

/// It keeps no connection when it goes through a proxy, and says itself that NTLM does not work so.
#[test]
fn ews_javascript_api_through_the_proxy_in_front_of_its_server() {
    let (Some(node), Some(stage)) = (need_node(), Stage::new(&[])) else { return };
    let server = stage.server.address;
    let proxy = stage.workshop.proxy(&["--reverse", &format!("https://localhost:{}", server.port())]);
    let ways = BothWays::to_reverse(&stage.workshop, server, proxy, |count| stage.server.served(count));
    let (domain, name) = USER.split_once('\\').unwrap();
    let client = |way: &Way, word| {
        let mut command = Command::new("node");
        command.arg(partner("node/ews_client.mjs")).args([&way.url("/EWS/Exchange.asmx"), domain, name, word]);
        way.run(command.env("PARTNERS_NODE", &node))
    };
    let said = ways.alike(
        |way| client(way, RIGHT),
        &["0 401 - GET /EWS/Exchange.asmx", "1 200 CONTOSO\\avery POST /EWS/Exchange.asmx"],
    );
    assert_eq!(said, ["V2017_07_11 inbox 3"]);
    let said =
        ways.alike(|way| client(way, WRONG), &["0 401 - GET /EWS/Exchange.asmx", "1 401 - POST /EWS/Exchange.asmx"]);
    assert_eq!(said, ["401 Unauthorized"]);
    ways.judged(&["401 step", "200 ok", "401 step", "401 failure ntlm-rejected"]);
}

#[test]
fn a_client_that_spreads_ntlm_over_connections_is_told_so() {
    let (Some(node), Some(stage)) = (need_node(), Stage::new(&[])) else { return };
    let ways = stage.both_ways();
    let mut command = Command::new("node");
    command.arg(partner("node/ews_client.mjs")).args([
        &ways.through.url("/EWS/Exchange.asmx"),
        "CONTOSO",
        "avery",
        RIGHT,
    ]);
    assert_eq!(ways.through.run(command.env("PARTNERS_NODE", &node)), ["401 Unauthorized"]);
    ways.judged(&["401 unknown", "401 failure ntlm-connection-broken"]);
}

#[test]
fn java_with_ntlm() {
    let (true, Some(stage)) = (need(&["java", "javac", "keytool"]), Stage::new(&[])) else { return };
    let mut ways = stage.both_ways();
    // It logs on over another connection when it goes straight, so the other way is a proxy that does not look inside.
    let tunnels = stage.workshop.proxy_beside("tunnels.authtap", &["--skip-decrypt", HOST]);
    ways.straight.proxy = Some(tunnels.address);
    let java = |way: &Way, word| java(&stage.workshop, way, "old", USER, word);
    let said = ways.alike(
        |way| java(way, RIGHT),
        &[
            "0 401 - GET /index.txt",
            "1 401 - GET /index.txt",
            "2 200 CONTOSO\\avery GET /index.txt",
            "3 200 CONTOSO\\avery GET /index.txt",
        ],
    );
    assert_eq!(said, ["200 HTTP_1_1 CONTOSO\\avery CONTOSO\\avery", "200 HTTP_1_1 CONTOSO\\avery CONTOSO\\avery"]);
    ways.judged(&["401 step", "401 step", "200 ok", "200 ok"]);
}

#[test]
fn java_with_basic_over_http_2() {
    if !need(&["java", "javac", "keytool"]) || !need_apache(&BASIC) {
        return;
    }
    let workshop = Workshop::new();
    let apache = basic(&workshop);
    let ways = BothWays::to(&workshop, apache.tls, workshop.proxy(&[]), |count| apache.served(count));
    let said = ways.alike(
        |way| java(&workshop, way, "new", "avery", RIGHT),
        &["h2 401 - GET /index.txt", "h2 200 avery GET /index.txt", "h2 200 avery GET /index.txt"],
    );
    assert_eq!(said, ["200 HTTP_2 avery served", "200 HTTP_2 avery served"]);
    ways.judged(&["401 step", "200 ok", "200 ok"]);
}

#[test]
fn curl_with_basic_over_http_2() {
    if !need(&["curl"]) || !need_apache(&BASIC) {
        return;
    }
    let workshop = Workshop::new();
    let apache = basic(&workshop);
    let ways = BothWays::to(&workshop, apache.tls, workshop.proxy(&[]), |count| apache.served(count));
    let client = |way: &Way, word| {
        curl(way, &["--http2", "--anyauth", "--user", &format!("avery:{word}"), &way.url("/index.txt")])
    };
    let said = ways.alike(|way| client(way, RIGHT), &["h2 401 - GET /index.txt", "h2 200 avery GET /index.txt"]);
    assert_eq!(said, ["200 served\n"]);
    ways.alike(|way| client(way, WRONG), &["h2 401 - GET /index.txt", "h2 401 avery GET /index.txt"]);
    ways.judged(&["401 step", "200 ok", "401 step", "401 failure generic-bad-credentials"]);
}

#[test]
fn python_h2_with_many_requests_at_once() {
    let (Some(python), true) = (need_python(), need_apache(&BASIC)) else { return };
    let workshop = Workshop::new();
    let apache = basic(&workshop);
    let ways = BothWays::to(&workshop, apache.tls, workshop.proxy(&[]), |count| apache.served(count));
    let client = |way: &Way| {
        let mut command = Command::new(&python);
        command.arg(partner("httpx_client.py")).args([&way.url("/index.txt"), "50", "avery", RIGHT]);
        way.run(&mut command)
    };
    let said = ways.alike(client, &["h2 200 avery GET /index.txt"; 50]);
    assert_eq!(said.len(), 50);
    assert!(said.iter().all(|line| line.starts_with("200 HTTP/2 avery ") && *line == said[0]), "{said:?}");
    ways.judged(&["200 ok"; 50]);
}

/// Neither speaks to a proxy, so the proxy stands in front.
#[test]
fn h2load_and_nghttp() {
    if !need(&["h2load", "nghttp", "nghttpd"]) {
        return;
    }
    let workshop = Workshop::new();
    let server = Nghttpd::start(&workshop, &[HOST], &[]);
    fs::write(workshop.path("pages/long.txt"), vec![b'x'; 100_000]).unwrap();
    let proxy = workshop.proxy(&["--reverse", &format!("https://{HOST}:{}", server.address.port())]);
    let ways = BothWays::to_reverse(&workshop, server.address, proxy, |_| Vec::new());
    let pages = |way: &Way| {
        let urls = [way.url("/index.html"), way.url("/long.txt"), way.url("/nothing")];
        way.run(Command::new("nghttp").arg("--no-verify-peer").args(urls))
    };
    assert!(ways.alike(pages, &[]).concat().contains("served"));
    let load = |way: &Way| {
        let said = way.run(Command::new("h2load").args(["-n", "1000", "-c", "4", "-m", "10", &way.url("/long.txt")]));
        // What it counted; how long it took is nobody's promise.
        let counted = |line: &&String| line.starts_with("requests:") || line.starts_with("status codes:");
        let traffic = said.iter().find_map(|line| line.split(", ").find(|part| part.ends_with(" data"))).unwrap();
        said.iter().filter(counted).map(String::as_str).chain([traffic]).map(str::to_owned).collect()
    };
    let said = ways.alike(load, &[]);
    assert!(said[0].ends_with("1000 succeeded, 0 failed, 0 errored, 0 timeout"), "{said:?}");
    ways.judged(&[&["200 ok", "200 ok", "404 unknown"][..], &["200 ok"; 1000]].concat());
}

#[test]
fn curl_with_digest() {
    if !need(&["curl"]) || !need_apache(&["auth_digest", "authn_file"]) {
        return;
    }
    let workshop = Workshop::new();
    // The digest of `avery:Exchange:` and the right password.
    fs::write(workshop.path("digests"), "avery:Exchange:d5739c0d2a8ead9e93b457704d3aaf98\n").unwrap();
    let site = Site {
        modules: &["auth_digest", "authn_file"],
        server: "",
        pages: "AuthType Digest\nAuthName Exchange\nAuthDigestProvider file\nAuthUserFile digests\nRequire valid-user",
        environment: &[],
    };
    let apache = Apache::start(&workshop, &[HOST], &site);
    let ways = BothWays::to(&workshop, apache.tls, workshop.proxy(&[]), |count| apache.served(count));
    let client = |way: &Way, word| curl(way, &["--digest", "--user", &format!("avery:{word}"), &way.url("/index.txt")]);
    let said = ways.alike(|way| client(way, RIGHT), &["0 401 - GET /index.txt", "1 200 avery GET /index.txt"]);
    assert_eq!(said, ["200 served\n"]);
    ways.alike(|way| client(way, WRONG), &["0 401 - GET /index.txt", "1 401 avery GET /index.txt"]);
    ways.judged(&["401 step", "200 ok", "401 step", "401 failure generic-bad-credentials"]);
}

pub(crate) const BASIC: [&str; 4] = ["auth_basic", "authn_file", "authz_user", "http2"];

/// Apache with Basic over HTTP/2, if the client speaks it.
pub(crate) fn basic(workshop: &Workshop) -> Apache {
    fs::write(workshop.path("passwords"), "avery:$apr1$abcdefgh$JqAW4tRPLEio1ENJsL5Hp.\n").unwrap();
    let site = Site {
        modules: &BASIC,
        server: "Protocols h2 http/1.1",
        pages: "AuthType Basic\nAuthName Exchange\nAuthBasicProvider file\nAuthUserFile passwords\nRequire valid-user",
        environment: &[],
    };
    Apache::start(workshop, &[HOST], &site)
}

/// Two requests of Java's `old` or `new` client.
fn java(workshop: &Workshop, way: &Way, client: &str, user: &str, word: &str) -> Vec<String> {
    let (store, store_word) = (workshop.path("trusted.jks"), "changeit");
    let _ = fs::remove_file(&store);
    let mut keytool = Command::new("keytool");
    keytool.args(["-importcert", "-noprompt", "-alias", "root", "-storepass", store_word, "-file"]).arg(&way.ca);
    let made = keytool.arg("-keystore").arg(&store).output().unwrap();
    assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stdout));
    let mut command = Command::new("java");
    command.arg(format!("-Djavax.net.ssl.trustStore={}", store.display()));
    command.arg(format!("-Djavax.net.ssl.trustStorePassword={store_word}"));
    // Java takes no proxy for this machine's own names unless told to, and asks for a password twenty times.
    command.args(["-Dhttp.nonProxyHosts=", "-Dhttp.maxRedirects=2"]);
    if let Some(proxy) = way.proxy {
        command.arg(format!("-Dhttps.proxyHost={}", proxy.ip())).arg(format!("-Dhttps.proxyPort={}", proxy.port()));
        command.arg(format!("-Dtest.proxy={proxy}"));
    }
    command.arg(partner("JavaClient.java")).args([client, &way.url("/index.txt"), "2", user, word]);
    way.run(&mut command)
}

/// curl's status and body.
fn curl(way: &Way, arguments: &[&str]) -> Vec<String> {
    let answer = way.curl(arguments);
    assert_eq!(answer.code, Some(0), "{}", answer.error);
    vec![format!("{} {}", answer.status, answer.text())]
}

/// A server of one account that takes NTLM.
struct Stage {
    workshop: Workshop,
    python: PathBuf,
    server: Acceptor,
}

impl Stage {
    /// Nothing where this machine lacks what is needed.
    fn new(programs: &[&str]) -> Option<Self> {
        let (Some(python), true) = (need_python(), need(programs)) else { return None };
        let workshop = Workshop::new();
        let server = Acceptor::start(&workshop, &python, &[HOST], &[(USER, RIGHT)], "off");
        Some(Self { workshop, python, server })
    }

    fn both_ways(&self) -> BothWays<'_> {
        let proxy = self.workshop.proxy(&[]);
        BothWays::to(&self.workshop, self.server.address, proxy, |count| self.server.served(count))
    }
}
