//! Headless Chromium straight to its servers and through the proxy: pages over HTTP/2 and HTTP/1.1, a WebSocket, and
//! logons with NTLM and with Kerberos.

use std::cell::RefCell;
use std::fs;
use std::process::{Command, Stdio};

use crate::kit::{
    Acceptor, Apache, BothWays, Chromium, Process, Realm, Site, Way, Workshop, need, need_apache, need_python, partner,
};

const HOST: &str = Realm::HOST;
const WORD: &str = Realm::WORD;
const SOCKET: &str = "socket.contoso.com";

/// A page, and no icon that a browser would look for.
const PLAIN: &str = r#"<!doctype html><link rel="icon" href="data:,">served"#;

/// Asks for something else, tells over a WebSocket by what protocol it came, and says that it heard its own words.
const PAGE: &str = r#"<!doctype html><link rel="icon" href="data:,"><script>
const socket = new WebSocket("wss://socket.contoso.com/");
socket.onopen = async () => {
    const text = await (await fetch("/index.txt")).text();
    const entry = performance.getEntriesByName(new URL("/index.txt", location).href)[0];
    socket.send(`${entry.nextHopProtocol} ${text.trim()}`);
};
socket.onmessage = message => {
    if (message.data.startsWith("heard")) socket.close();
    else socket.send(`heard ${message.data}`);
};
</script>"#;

#[test]
fn a_page_over_http_2_and_a_web_socket() {
    page_and_web_socket("h2 http/1.1", "h2", ["h2 200 - GET /page.html", "h2 200 - GET /index.txt"]);
}

#[test]
fn a_page_over_http_1_and_a_web_socket() {
    page_and_web_socket("http/1.1", "http/1.1", ["0 200 - GET /page.html", "1 200 - GET /index.txt"]);
}

fn page_and_web_socket(protocols: &str, expected: &str, served: [&str; 2]) {
    let (Some(python), true) = (need_python(), need_browser() && need_apache(&["http2"])) else { return };
    let workshop = Workshop::new();
    let site = Site {
        modules: &["http2"],
        server: &format!("Protocols {protocols}"),
        pages: "Require all granted\n<Files *.html>\nForceType text/html\n</Files>",
        environment: &[],
    };
    let apache = Apache::start(&workshop, &[HOST, SOCKET], &site);
    fs::write(workshop.path("pages/page.html"), PAGE).unwrap();
    let socket = Process::start(
        Command::new(python)
            .arg(partner("websocket_server.py"))
            .args([workshop.path("leaf.pem"), workshop.path("leaf.key")])
            .stdin(Stdio::piped()),
    );
    let port: u16 = socket.stdout.next().expect("the server started").parse().unwrap();
    let servers = [(HOST, apache.tls), (SOCKET, ([127, 0, 0, 1], port).into())];
    let resolve = servers.map(|(name, at)| format!("--resolve={name}:443={at}"));
    let proxy = workshop.proxy(&resolve.each_ref().map(String::as_str));
    let ways = BothWays::to(&workshop, apache.tls, proxy, |_| Vec::new());
    // A browser that is ended resets its connections, so it stays until all is said of them.
    let open = RefCell::new(Vec::new());
    let said = ways.alike(
        |way| {
            let browser = Chromium::new(&workshop, way, &servers);
            open.borrow_mut().push(browser.open(&[], &format!("https://{HOST}/page.html")));
            let next = || socket.stdout.find("the page spoke", |line| line.strip_prefix("said ").map(str::to_owned));
            vec![next(), next()]
        },
        // Apache tells of a request over HTTP/2 once the next one comes or the connection ends.
        &[],
    );
    assert_eq!(said, [format!("{expected} served"), format!("heard {expected} served")]);
    ways.judged(&["200 ok", "101 ok", "200 ok"]);
    drop(open);
    let mut answered = apache.served(4);
    answered.sort();
    let mut expected = [served, served].concat();
    expected.sort_unstable();
    assert_eq!(answered, expected, "what the server answered both ways");
}

#[test]
fn a_logon_with_ntlm() {
    let (Some(python), true) = (need_python(), need_browser()) else { return };
    let workshop = Workshop::new();
    let server = Acceptor::start(&workshop, &python, &[HOST], &[("CONTOSO\\avery", WORD)], "off");
    let proxy = workshop.proxy(&["--resolve", &format!("{HOST}:443={}", server.address)]);
    let ways = BothWays::to(&workshop, server.address, proxy, |count| server.served(count));
    let client = |way: &Way, word: &str| {
        let url = format!("https://CONTOSO%5Cavery:{word}@{HOST}/page.html");
        Chromium::new(&workshop, way, &[(HOST, server.address)]).text(&[], &url)
    };
    let said = ways.alike(
        |way| client(way, WORD),
        &["0 401 - GET /page.html", "1 401 - GET /page.html", "2 200 CONTOSO\\avery GET /page.html"],
    );
    assert!(said.concat().contains("CONTOSO\\avery"), "{said:?}");
    ways.alike(
        |way| client(way, "Wrong-Pa55"),
        &["0 401 - GET /page.html", "1 401 - GET /page.html", "2 401 - GET /page.html"],
    );
    ways.judged(&["401 step", "401 step", "200 ok", "401 step", "401 step", "401 failure ntlm-rejected"]);
}

#[test]
fn a_logon_with_kerberos_where_it_is_allowed() {
    let Some(realm) = need_browser().then(Realm::new).flatten() else { return };
    fs::write(realm.workshop.path("pages/page.html"), PLAIN).unwrap();
    let mut ways = realm.both_ways();
    // Straight it would ask DNS for the server's canonical name, so the other way is a proxy that does not look inside.
    let tunnels = realm.tunnels();
    ways.straight.proxy = Some(tunnels.address);
    realm.kdc.log_on("avery", WORD);
    let client = |way: &Way, allowed: &str| {
        let (name, file) = realm.kdc.environment();
        let browser = Chromium::new(&realm.workshop, way, &[]).with(name, file);
        browser.text(&[&format!("--auth-server-allowlist={allowed}")], &format!("https://{HOST}/page.html"))
    };
    let said = ways.alike(
        |way| client(way, "*.contoso.com"),
        &["0 401 - GET /page.html", "1 200 avery@CONTOSO.COM GET /page.html"],
    );
    assert!(said.concat().contains("served"), "{said:?}");
    ways.alike(|way| client(way, "*.fabrikam.com"), &["0 401 - GET /page.html"]);
    ways.judged(&["401 step", "200 ok", "401 unknown client-did-not-authenticate"]);
}

fn need_browser() -> bool {
    need(&["chromium", "certutil"])
}
