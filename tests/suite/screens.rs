//! What a person sees: the terminal UI in a real terminal, small and large, in both languages, live and from a file.

use crate::kit::{Origin, Terminal, Tunnel, Workshop, curl_through, need};

const HOST: &str = "mail.contoso.com";

/// A session with a probe, an empty Bearer that is refused for a reason, and a success.
fn recorded() -> (Workshop, String) {
    let workshop = Workshop::new();
    let origin = Origin::answering(Some(workshop.authority.server(&[HOST])), answer);
    let mut proxy = workshop.proxy(&["--resolve", &origin.resolve(HOST, 443)]);
    let mut tunnel = Tunnel::open(&proxy, HOST);
    for (path, credential) in [("/owa/", ""), ("/EWS/Exchange.asmx", "Authorization: Bearer\r\n"), ("/fine", "")] {
        tunnel.send(format!("GET {path} HTTP/1.1\r\nHost: {HOST}\r\n{credential}\r\n").as_bytes());
        tunnel.head().unwrap();
    }
    drop(tunnel);
    proxy.exchanges(3);
    let session = proxy.session.to_string_lossy().into_owned();
    assert_eq!(proxy.stop().code, Some(0));
    (workshop, session)
}

fn answer(request: &crate::kit::Request) -> Vec<u8> {
    match request.target().as_str() {
        "/fine" => b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n".to_vec(),
        "/EWS/Exchange.asmx" => b"HTTP/1.1 401 Unauthorized\r\nWWW-Authenticate: Bearer \
            client_id=\"00000002-0000-0ff1-ce00-000000000000\", \
            authorization_uri=\"https://login.windows.net/common/oauth2/authorize\"\r\n\
            x-ms-diagnostics: 4000000;reason=\"Flighting is not enabled for domain 'contoso.com'.\";\
            error_category=\"oauth_not_available\"\r\nContent-Length: 0\r\n\r\n"
            .to_vec(),
        _ => b"HTTP/1.1 401 Unauthorized\r\nWWW-Authenticate: NTLM\r\nContent-Length: 0\r\n\r\n".to_vec(),
    }
}

#[test]
fn a_session_is_readable_in_every_size_and_language() {
    if !need(&["tmux"]) {
        return;
    }
    let (workshop, session) = recorded();
    for (columns, rows) in [(80, 24), (160, 48)] {
        for language in ["en", "ja"] {
            let mut terminal = Terminal::start(&workshop, columns, rows, &["open", &session, "--lang", language]);
            // What is looked at first says which server, which path, and which answer.
            let screen = terminal.screen("the list", |screen| screen.contains("/EWS") && screen.contains("401"));
            fits(&screen, columns, rows);
            assert_eq!(is_japanese(&screen), language == "ja", "{screen}");
            terminal.press("?");
            let first = if language == "en" { "this help" } else { "このヘルプ" };
            let help = terminal.screen("the help", |screen| screen.contains(first));
            fits(&help, columns, rows);
            terminal.press("Escape");
            terminal.screen("the list again", |screen| screen.contains("/EWS") && !screen.contains(first));
            terminal.press("q");
            terminal.screen("the shell", |screen| screen.contains("ended with 0"));
        }
    }
}

#[test]
fn the_finding_stands_beside_its_exchange() {
    if !need(&["tmux"]) {
        return;
    }
    let (workshop, session) = recorded();
    let mut terminal = Terminal::start(&workshop, 160, 48, &["open", &session]);
    terminal.screen("the list", |screen| screen.contains("/EWS"));
    // To the top of the list, then down to the refusal, wherever the selection began.
    terminal.press("Home");
    terminal.press("Down");
    let screen = terminal.screen("the finding", |screen| screen.contains("x-ms-diagnostics"));
    assert!(screen.contains("4000000"), "the evidence is shown:\n{screen}");
}

#[test]
fn the_filter_narrows_the_list_as_one_types() {
    if !need(&["tmux"]) {
        return;
    }
    let (workshop, session) = recorded();
    let mut terminal = Terminal::start(&workshop, 80, 24, &["open", &session]);
    terminal.screen("the list", |screen| screen.contains("/EWS") && screen.contains("/fine"));
    terminal.press("/");
    terminal.type_text("path:fine");
    terminal.screen("the one that is meant", |screen| screen.contains("/fine") && !screen.contains("/owa"));
    terminal.press("Escape");
    terminal.screen("all again", |screen| screen.contains("/fine") && screen.contains("/owa"));
}

#[test]
fn traffic_shows_as_it_comes_and_the_terminal_is_given_back() {
    if !need(&["curl", "tmux"]) {
        return;
    }
    let workshop = Workshop::new();
    let origin = Origin::answering(Some(workshop.authority.server(&[HOST])), answer);
    let ca = workshop.path("ca").to_string_lossy().into_owned();
    let pem = workshop.authority.pem.to_string_lossy().into_owned();
    let resolve = origin.resolve(HOST, 443);
    let arguments =
        ["--listen", "127.0.0.1:0", "--ca-dir", &ca, "--upstream-ca", &pem, "--resolve", &resolve, "--lang", "en"];
    let mut terminal = Terminal::start(&workshop, 80, 24, &arguments);
    let screen = terminal.screen("where it listens", |screen| listening(screen).is_some());
    let proxy = format!("http://{}", listening(&screen).unwrap());
    let root = workshop.path("ca").join("authtap-ca.pem");
    let ask = |path: &str| curl_through(&proxy, &root, &[&format!("https://{HOST}{path}")]).status;
    assert_eq!(ask("/owa/"), 401);
    terminal.screen("the refusal", |screen| screen.contains("/owa") && screen.contains("401"));
    assert_eq!(ask("/fine"), 200);
    terminal.screen("the success", |screen| screen.contains("/fine") && screen.contains("200"));

    // Paused, traffic goes on and is not recorded.
    terminal.press("F12");
    let paused = terminal.screen("the pause", |screen| screen.to_lowercase().contains("paused"));
    assert!(paused.contains("/fine"));
    assert_eq!(ask("/unrecorded"), 401);
    terminal.press("F12");
    terminal.screen("the capture going on", |screen| !screen.to_lowercase().contains("paused"));
    assert_eq!(ask("/recorded"), 401);
    let screen = terminal.screen("the next exchange", |screen| screen.contains("/recorded"));
    assert!(!screen.contains("/unrecorded"), "{screen}");

    // A capture that goes on is not ended by a slip of the finger.
    terminal.press("q");
    terminal.press("y");
    let screen = terminal.screen("the shell", |screen| screen.contains("ended with 0"));
    assert!(!screen.contains("/owa"), "the alternate screen was left:\n{screen}");
}

pub(crate) fn listening(screen: &str) -> Option<String> {
    let at = screen.find("127.0.0.1:")? + "127.0.0.1:".len();
    let port: String = screen[at..].chars().take_while(char::is_ascii_digit).collect();
    port.parse::<u16>().ok().filter(|port| *port > 0).map(|port| format!("127.0.0.1:{port}"))
}

fn fits(screen: &str, columns: u16, rows: u16) {
    assert!(screen.lines().count() <= usize::from(rows), "{screen}");
    for line in screen.lines() {
        assert!(unicode_width::UnicodeWidthStr::width(line) <= usize::from(columns), "{line}");
    }
}

/// More than the name of the language, which stands in the hints of an English screen.
fn is_japanese(screen: &str) -> bool {
    screen.chars().filter(|char| matches!(char, '\u{3040}'..='\u{30ff}' | '\u{4e00}'..='\u{9fff}')).count() > 20
}
