//! `authtap compare`: a session in which it works beside one in which it does not.

use serde_json::{Value, json};

use crate::kit::{Terminal, Workshop, need};

/// The value of `Authorization`, the status, the challenges of the answer, and the server that gave it.
type Step<'a> = (Option<&'a str>, u16, &'a [&'a str], &'a str);

/// An archive of mailbox requests to one server name.
fn archive(steps: &[Step<'_>]) -> String {
    let entry = |(place, (authorization, status, challenges, server)): (usize, &Step<'_>)| {
        let field = |name: &str, value: &str| json!({"name": name, "value": value});
        let sent: Vec<_> = authorization.iter().map(|value| field("Authorization", value)).collect();
        let mut answered: Vec<_> = challenges.iter().map(|value| field("WWW-Authenticate", value)).collect();
        answered.push(field("X-FEServer", server));
        answered.push(field("request-id", &format!("00000000-0000-4000-8000-{place:012}")));
        json!({
            "startedDateTime": format!("2026-11-22T09:00:{place:02}.000Z"), "time": 9, "connection": "1", "cache": {},
            "request": {
                "method": "POST", "url": "https://mail.contoso.com/mapi/emsmdb/", "httpVersion": "HTTP/1.1",
                "headers": sent, "cookies": [], "queryString": [], "headersSize": -1, "bodySize": 0
            },
            "response": {
                "status": status, "statusText": "", "httpVersion": "HTTP/1.1", "headers": answered, "cookies": [],
                "content": {"size": 0, "mimeType": ""}, "redirectURL": "", "headersSize": -1, "bodySize": 0
            },
            "timings": {"send": 1, "wait": 7, "receive": 1}
        })
    };
    let entries: Vec<_> = steps.iter().enumerate().map(entry).collect();
    json!({"log": {"version": "1.2", "creator": {"name": "made", "version": "1"}, "entries": entries}}).to_string()
}

/// `good.har`, and `bad.har` whose second challenge lacks what the good one's has.
fn part(workshop: &Workshop) {
    let bearer = "Bearer client_id=\"00000002-0000-0ff1-ce00-000000000000\", trusted_issuers=\"00000001-0000-0000-c000-000000000000@*\"";
    let whole = format!("{bearer}, authorization_uri=\"https://login.windows.net/common/oauth2/authorize\"");
    let (ntlm, token) = ("NTLM", "Bearer eyJhbGciOiJSUzI1NiJ9.eyJhdWQiOiJodHRwczovL21haWwuY29udG9zby5jb20vIn0.c2ln");
    let good = archive(&[
        (None, 401, &[&whole, ntlm], "EX01"),
        (Some("Bearer"), 401, &[&whole, ntlm], "EX01"),
        (Some(token), 200, &[], "EX01"),
        (Some(token), 200, &[], "EX01"),
    ]);
    let bad = archive(&[(None, 401, &[&whole, ntlm], "EX01"), (Some("Bearer"), 401, &[bearer, ntlm], "EX02")]);
    for (name, text) in [("good.har", &good), ("bad.har", &bad)] {
        std::fs::write(workshop.path(name), text).unwrap();
    }
}

#[test]
fn the_first_divergence_comes_first_with_the_server_that_made_it() {
    let workshop = Workshop::new();
    part(&workshop);
    let run = |name: &str, options: &[&str]| {
        let [good, other] = ["good.har", name].map(|name| workshop.path(name).to_string_lossy().into_owned());
        let finished = workshop.run(&[&["compare", &good, &other], options].concat());
        assert_eq!(finished.code, Some(0), "{}", finished.error());
        String::from_utf8(finished.stdout).unwrap()
    };
    let text = run("bad.har", &[]);
    let sentence = "step 2 (mapi empty-bearer): bad.har's challenge lacks authorization_uri; server EX02";
    assert!(text.starts_with(&format!("bad.har leaves the way of good.har at step 2\n{sentence}\n")), "{text}");
    let parting = "Step 2: mapi empty-bearer\n  good: #2 step hma-empty-bearer, server EX01\n  \
                   bad: #2 failure hma-no-authorization-uri, server EX02\n    \
                   response.header.www-authenticate authorization_uri\n      \
                   good: https://login.windows.net/common/oauth2/authorize\n      bad: (missing)\n";
    assert!(text.contains(parting), "{text}");
    assert!(run("bad.har", &["--lang", "ja"]).starts_with("bad.har は手順 2 で good.har と分かれます\n"));
    let document: Value = serde_json::from_str(&run("bad.har", &["--format", "json"])).unwrap();
    assert_eq!(document["schema"], "authtap/comparison/1");
    assert_eq!(document["first"]["step"], 2);
    assert_eq!(document["first"]["bad"]["server"], "EX02");
    assert_eq!(document["first"]["differences"][0]["name"], "authorization_uri");
    assert_eq!(document["first"]["differences"][0]["bad"], Value::Null);
    let same: Value = serde_json::from_str(&run("good.har", &["--format", "json"])).unwrap();
    assert_eq!((&same["first"], &same["steps"]), (&Value::Null, &json!(3)));
}

#[test]
fn on_a_terminal_the_two_stand_side_by_side_and_each_exchange_can_be_opened() {
    if !need(&["tmux"]) {
        return;
    }
    let workshop = Workshop::new();
    part(&workshop);
    // As somebody copied it from a trace: it is a session like the others.
    let pasted = "GET /owa/ HTTP/1.1\nHost: mail.contoso.com\n\nHTTP/1.1 401 Unauthorized\nWWW-Authenticate: NTLM\n\n";
    std::fs::write(workshop.path("pasted.txt"), pasted).unwrap();
    let [good, bad, text] =
        ["good.har", "bad.har", "pasted.txt"].map(|name| workshop.path(name).to_string_lossy().into_owned());
    for (columns, rows, language, sentence) in [
        (80, 24, "en", "bad.har's challenge lacks authorization_uri"),
        (140, 40, "en", "bad.har's challenge lacks authorization_uri; server EX02"),
        (80, 24, "ja", "bad.har のチャレンジに authorization_uri が"),
    ] {
        let mut terminal = Terminal::start(&workshop, columns, rows, &["compare", &good, &bad, "--lang", language]);
        let screen = terminal.screen("the comparison", |screen| screen.contains("▶ 2"));
        assert!(screen.contains(sentence), "{screen}");
        terminal.press("Enter");
        // The bad session at the exchange, with what is said of it.
        let screen = terminal.screen("the exchange", |screen| screen.contains("hma-no-authorization-uri"));
        assert!(screen.contains("/mapi/emsmdb/") && !screen.contains("▶ 2"), "{screen}");
        terminal.press("b");
        terminal.screen("the comparison again", |screen| screen.contains("▶ 2"));
        terminal.press("Left");
        terminal.press("Enter");
        terminal.screen("the good one's exchange", |screen| screen.contains("hma-empty-bearer"));
        terminal.press("q");
        terminal.screen("the shell", |screen| screen.contains("ended with 0"));
    }
    let mut terminal = Terminal::start(&workshop, 80, 24, &["compare", &good, &text]);
    terminal.screen("a comparison with a pasted text", |screen| screen.contains("pasted.txt"));
    terminal.press("q");
    terminal.screen("the shell", |screen| screen.contains("ended with 0"));
    let mut printed = Terminal::start(&workshop, 140, 40, &["compare", &good, &bad, "--format", "text"]);
    printed.screen("text", |screen| {
        screen.contains("bad.har leaves the way of good.har") && screen.contains("ended with 0")
    });
}
