//! Pasted text, as people paste it.

#![allow(clippy::unwrap_used, clippy::panic)]

use super::*;
use crate::redact::{Credential, Syntax, Token, Withheld};

const CHALLENGE: &str = "HTTP/1.1 401 Unauthorized\r\nContent-Length: 0\r\nX-FEServer: EX01\r\n\
                         WWW-Authenticate: Negotiate\r\nWWW-Authenticate: NTLM\r\n";
const REQUEST: &str = "POST /EWS/Exchange.asmx HTTP/1.1\r\nHost: mail.contoso.com\r\nAuthorization: Bearer\r\n";

fn paste(text: &str) -> Vec<Exchange> {
    read(text.as_bytes(), &Redactor::new(), &Ids::default(), Timestamp::from_seconds(1_795_338_000))
}

fn one(text: &str) -> Exchange {
    let mut exchanges = paste(text);
    assert_eq!(exchanges.len(), 1, "{text}");
    exchanges.remove(0)
}

fn names(fields: &[crate::redact::Field]) -> Vec<&str> {
    fields.iter().map(|field| field.name.as_str()).collect()
}

fn response_text(exchange: &Exchange) -> (&str, bool) {
    match &exchange.response.seen().unwrap().message.body.content {
        Content::Text { text, complete, .. } => (text.as_str(), *complete),
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_lone_response_has_no_request() {
    let exchange = one(CHALLENGE);
    assert_eq!((exchange.status(), &exchange.method, &exchange.url), (Some(401), &None, &None));
    assert_eq!(exchange.request.unseen(), Some(Unseen::NotInSource));
    assert_eq!(
        names(exchange.response_fields()),
        ["Content-Length", "X-FEServer", "WWW-Authenticate", "WWW-Authenticate"]
    );
    assert_eq!(exchange.response_fields()[3].value, "NTLM");
}

#[test]
fn a_lone_request_has_no_response() {
    let exchange = one(REQUEST);
    assert_eq!(exchange.url.as_ref().unwrap().text(), "https://mail.contoso.com/EWS/Exchange.asmx");
    assert_eq!(exchange.response.unseen(), Some(Unseen::NotInSource));
    assert_eq!(exchange.authorization(), Some(&Credential::Bearer(Token::Empty)));
}

#[test]
fn the_two_joined_are_one_exchange_whatever_the_line_ends_and_empty_lines() {
    let joined = format!("{REQUEST}\r\n{CHALLENGE}\r\n");
    let variants = [
        joined.clone(),
        joined.replace("\r\n", "\n"),
        format!("\n\r\n  \n{joined}"),
        format!("{REQUEST}\r\n\r\n\r\n{CHALLENGE}"),
        format!("{REQUEST}{CHALLENGE}"),
        format!("\u{FEFF}{joined}"),
        format!("It failed like this:\n{joined}"),
    ];
    let first = one(&variants[0]);
    assert_eq!((first.status(), first.method.as_ref().unwrap().as_str()), (Some(401), "POST"));
    for variant in &variants {
        assert_eq!(one(variant), first, "{variant:?}");
    }
}

#[test]
fn several_messages_in_a_row_pair_up() {
    let ok = "HTTP/1.1 200 OK\nContent-Type: text/plain\n\nfine\n\n";
    let exchanges = paste(&format!("{REQUEST}\n{CHALLENGE}\n{REQUEST}\n{REQUEST}\nHTTP/1.1 100 Continue\n\n{ok}{ok}"));
    let seen: Vec<_> =
        exchanges.iter().map(|exchange| (exchange.id, exchange.url.is_some(), exchange.status())).collect();
    assert_eq!(seen, [(1, true, Some(401)), (2, true, None), (3, true, Some(200)), (4, false, Some(200))]);
    assert_eq!(exchanges[2].response.seen().unwrap().interim[0].status, 100);
    assert_eq!(response_text(&exchanges[3]), ("fine", true));
}

#[test]
fn urls_come_from_the_target_or_the_host() {
    let url = |text: &str| one(text).url.map(|url| url.text().to_string());
    assert_eq!(url("GET http://mail.contoso.com/owa/ HTTP/1.1\n").as_deref(), Some("http://mail.contoso.com/owa/"));
    assert_eq!(url("CONNECT mail.contoso.com:443 HTTP/1.1\n").as_deref(), Some("https://mail.contoso.com/"));
    assert_eq!(
        url("OPTIONS * HTTP/1.1\nhost: mail.contoso.com:8443\n").as_deref(),
        Some("https://mail.contoso.com:8443/")
    );
    assert_eq!(url("GET /owa/ HTTP/1.1\nAccept: */*\n"), None);
}

#[test]
fn a_body_that_does_not_fit_its_length_is_read() {
    let head = "HTTP/1.1 400 Bad Request\nContent-Type: application/json; charset=utf-16\nContent-Length:";
    let json = "{\"error\":\"invalid_grant\"}";
    for length in [" 25", " 9000", " 3", " x", ""] {
        let exchange = one(&format!("{head}{length}\n\n{json}\n"));
        assert_eq!(response_text(&exchange), (json, length != " 9000"), "{length}");
    }
    let exchange = one(&format!("{head} 25\n{json}"));
    assert_eq!(response_text(&exchange), (json, true), "the empty line was lost");
    let Content::Text { syntax, .. } = exchange.response.seen().unwrap().message.body.content else { panic!() };
    assert_eq!(syntax, Syntax::Json);
}

#[test]
fn a_body_that_was_not_pasted_is_not_called_empty() {
    let body = |text: &str| one(text).response.seen().unwrap().message.body.clone();
    let missing = body("HTTP/1.1 200 OK\nContent-Length: 71\n\n");
    assert_eq!(missing, Body { length: 71, content: Content::Withheld(Withheld::NotRecorded) });
    assert_eq!(body("HTTP/1.1 304 Not Modified\nContent-Length: 71\n\n").content, Content::Empty);
    let head = one("HEAD / HTTP/1.1\nHost: a\n\nHTTP/1.1 200 OK\nContent-Length: 71\n");
    assert_eq!(head.response.seen().unwrap().message.body.content, Content::Empty);
}

#[test]
fn chunk_sizes_of_a_raw_view_are_taken_out() {
    let head = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nContent-Type: text/plain\r\n\r\n";
    for body in [
        "5\r\nhello\r\n6;x=y\r\n there\r\n0\r\n\r\n",
        "b\nhello there\n0\n",
        "14\nhello there\n0\n",
        "20\r\nhello there",
        "hello there",
    ] {
        assert_eq!(response_text(&one(&format!("{head}{body}"))).0, "hello there", "{body:?}");
    }
}

#[test]
fn folded_values_are_one_value() {
    let exchange = one("HTTP/1.1 401 Unauthorized\nWWW-Authenticate: Basic\n  realm=\"a\"\nServer: x\n");
    assert_eq!(names(exchange.response_fields()), ["WWW-Authenticate", "Server"]);
    assert_eq!(exchange.response_fields()[0].value, "Basic realm=\"a\"");
}

#[test]
fn a_copy_of_our_own_screen_reads_back_to_the_same() {
    let redactor = Redactor::new();
    let token = "eyJhbGciOiJSUzI1NiJ9.eyJhdWQiOiJodHRwczovL21haWwuY29udG9zby5jb20vIiwiZXhwIjoxfQ.c2ln";
    let text = format!(
        "GET /owa/?code=abcdefghijklmnopqrs1234567890 HTTP/1.1\nHost: mail.contoso.com\nAuthorization: Bearer {token}\nCookie: a=b\n"
    );
    let read = |text: &str| super::read(text.as_bytes(), &redactor, &Ids::default(), Timestamp::default()).remove(0);
    let first = read(&text);
    let lines: Vec<_> =
        first.request_fields().iter().map(|field| format!("{}: {}\n", field.name, field.value)).collect();
    let screen = format!("GET {} HTTP/1.1\n{}", first.url.as_ref().unwrap().text(), lines.concat());
    assert!(!screen.contains("eyJ") && !screen.contains("abcdefg"), "{screen}");
    assert_eq!(read(&screen), first);
}

#[test]
fn where_nothing_is_recognised_nothing_was_seen() {
    for text in [
        "",
        " \r\n\t\n  ",
        "Dear all, the migration begins on Monday. Host: Avery. Location: Tokyo",
        "HTTP/1.1 is old",
        "{\"aud\": \"https://mail.contoso.com/\", \"upn\": \"avery@contoso.com\"}",
        "\u{0}\u{1}PK\u{0}401 ",
    ] {
        let exchange = one(text);
        assert_eq!((&exchange.method, &exchange.url, exchange.status()), (&None, &None, None), "{text:?}");
        assert_eq!(exchange.request.unseen(), Some(Unseen::NotInSource));
        assert_eq!(exchange.response.unseen(), Some(Unseen::NotInSource));
    }
}

proptest::proptest! {
    #![proptest_config(proptest::prelude::ProptestConfig { failure_persistence: None, ..Default::default() })]

    #[test]
    fn no_text_brings_it_down(bytes: Vec<u8>, tail in "(HTTP/1.1 [0-9]{3}|GET /|[a-zA-Z-]{1,5}:|[\r\n é{<0-9a-f]){0,40}") {
        let text = [b"HTTP/1.1 401 U\nTransfer-Encoding: chunked\n\n".as_slice(), tail.as_bytes(), &bytes].concat();
        read(&text, &Redactor::new(), &Ids::default(), Timestamp::default());
        read(&bytes, &Redactor::new(), &Ids::default(), Timestamp::default());
    }
}
