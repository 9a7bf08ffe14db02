//! Pasted text, as people paste it.

#![allow(clippy::unwrap_used, clippy::panic)]

use super::*;
use crate::exchange::Head;
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

const AUDIENCE: &str = "2000003;reason=\"The hostname component of the audience claim value 'https://a.contoso.com' is \
                        invalid\";error_category=\"invalid_resource\"";

#[test]
fn header_lines_are_a_response_however_they_are_copied() {
    for text in [
        "x-ms-diagnostics: {}".to_owned(),
        "X-MS-Diagnostics \u{2192}{}".to_owned(),
        "Server \u{2192} Microsoft-IIS/8.5\nx-ms-diagnostics \u{2192} {}".to_owned(),
        "Content-Length: 0\nServer\tMicrosoft-IIS/8.5\nx-ms-diagnostics\t{}\nX-FEServer\tEX01".to_owned(),
        "X-FEServer       : EX01\r\nx-ms-diagnostics : {}\r\n".to_owned(),
        "Hi all,\n\nwe see\n\n  x-ms-diagnostics: {}\n\nThanks".to_owned(),
        "  'x-feserver': 'EX01',\n  \"x-ms-diagnostics\": '{}',\n".to_owned(),
        "diagnostics: {}".to_owned(),
        "{}".to_owned(),
        "Security\nx-ms-diagnostics: {}\nTransport\nConnection: close".to_owned(),
        "The log has x-ms-diagnostics: {} for all of them.".to_owned(),
        "The log has x-ms-diagnostics {} for all of them.".to_owned(),
        "It fails with 401 ({}), since Monday.".to_owned(),
        "Exception:\nThe remote server returned an error: (401) Unauthorized.\n   diagnostics: {}\n".to_owned(),
    ] {
        let exchange = one(&text.replace("{}", AUDIENCE));
        let response = exchange.response.seen().unwrap();
        assert_eq!((response.status, response.message.head), (None, Head::Excerpt), "{text}");
        let value =
            response.message.fields.iter().find(|field| field.name.as_str().eq_ignore_ascii_case("x-ms-diagnostics"));
        assert_eq!(value.unwrap_or_else(|| panic!("{text}")).value.as_str(), AUDIENCE, "{text}");
        assert_eq!((exchange.method, exchange.url, exchange.request.unseen()), (None, None, Some(Unseen::NotInSource)));
    }
}

#[test]
fn long_values_that_were_wrapped_are_whole_again() {
    let text = "HTTP/1.1 401 Unauthorized\nWWW-Authenticate: Bearer client_id=\"00000002-0000-0ff1-ce00-000000000000\",\n\
                authorization_uri=\"https://login.windows.net/common/oau\nth2/authorize\"\nx-ms-diagnostics: 2000003;\n\
                reason=\"Expected\n'https://a.contoso.com'. Actual: 'http://a.contoso.com'.\";error_category=\"invalid_resource\"\n\
                Server: x\n";
    let exchange = one(text);
    assert_eq!(names(exchange.response_fields()), ["WWW-Authenticate", "x-ms-diagnostics", "Server"]);
    assert!(
        exchange.response_fields()[0].value.as_str().ends_with("\"https://login.windows.net/common/oauth2/authorize\"")
    );
    assert!(exchange.response_fields()[1].value.as_str().contains("Expected 'https://a.contoso.com'. Actual"));
}

#[test]
fn a_status_stands_above_header_lines_or_among_them() {
    for text in [
        "401 Unauthorized\nWWW-Authenticate: NTLM\n",
        "HTTP 401\nWWW-Authenticate: NTLM\n",
        "Status Code: 401 Unauthorized\nWWW-Authenticate: NTLM\n",
        "StatusCode : 401\nWWW-Authenticate : NTLM\n",
        "  HTTP/1.1 401 Unauthorized\n  WWW-Authenticate: NTLM\nPassword required.\n",
    ] {
        let exchange = one(text);
        assert_eq!(
            (exchange.status(), names(exchange.response_fields())),
            (Some(401), vec!["WWW-Authenticate"]),
            "{text}"
        );
    }
}

#[test]
fn header_lines_of_a_request_are_a_request() {
    let exchange = one("Host: mail.contoso.com\nAuthorization: Bearer\nUser-Agent: x\n");
    assert_eq!(exchange.authorization(), Some(&Credential::Bearer(Token::Empty)));
    assert_eq!(exchange.request.seen().unwrap().head, Head::Excerpt);
    assert_eq!((exchange.method, exchange.response.unseen()), (None, Some(Unseen::NotInSource)));
    assert_eq!(exchange.url.unwrap().text(), "https://mail.contoso.com/");
    let both = one("Authorization: Bearer\nUser-Agent: x\nWWW-Authenticate: NTLM\nX-FEServer: EX01\n");
    assert_eq!((names(both.request_fields()).len(), names(both.response_fields()).len()), (2, 2));
}

#[test]
fn errors_without_any_header_are_the_body_of_an_unseen_response() {
    for (text, syntax) in [
        ("AADSTS50105", Syntax::Text),
        ("Sign-in error code: 50057", Syntax::Text),
        ("Hello,\n\nMsalServiceException: AADSTS50105: Not assigned.\nTrace ID: 1\n\nBye", Syntax::Text),
        ("{\n\"error\": \"invalid_grant\",\n\n\"error_codes\": [50105]}", Syntax::Json),
        ("<s:Envelope><s:Body><s:Fault>x</s:Fault></s:Body></s:Envelope>", Syntax::Xml),
        ("The remote server returned an error: (401) Unauthorized.", Syntax::Text),
        (
            "\u{79fb}\u{884c}\u{5148}\u{306e}\u{8cc7}\u{683c}\u{60c5}\u{5831}\u{3092}\u{78ba}\u{8a8d}\u{3067}\u{304d}\u{307e}\u{305b}\u{3093}\u{3067}\u{3057}\u{305f}",
            Syntax::Text,
        ),
    ] {
        let exchange = one(text);
        let response = exchange.response.seen().unwrap();
        assert_eq!((response.status, response.message.head), (None, Head::Excerpt), "{text}");
        assert!(
            matches!(response.message.body.content, Content::Text { syntax: found, .. } if found == syntax),
            "{text}"
        );
    }
}

#[test]
fn a_body_below_header_lines_is_theirs_and_a_letter_below_a_body_is_not() {
    let json = "{\"error\":\"invalid_grant\"}";
    let exchange = one(&format!("x-ms-request-id: 1\nContent-Type: application/json\n\n{json}\n"));
    assert_eq!(response_text(&exchange), (json, true));
    let letter = "\n\nCan you help?\nAvery\n";
    let exchange = one(&format!("HTTP/1.1 400 Bad Request\nContent-Type: application/json\n\n{json}{letter}"));
    assert_eq!(response_text(&exchange), (json, true));
    let exchange = one(&format!("HTTP/1.1 401 Unauthorized\nContent-Length: 0\n{letter}"));
    assert_eq!(exchange.response.seen().unwrap().message.body.content, Content::Empty);
}

#[test]
fn several_errors_are_several_exchanges() {
    let lone = format!("x-ms-diagnostics: {AUDIENCE}\n");
    assert_eq!(paste(&format!("{lone}{lone}")).len(), 2);
    assert_eq!(paste("AADSTS50105: x\nAADSTS53003: y\n").len(), 2);
    assert_eq!(paste(&format!("First:\n\nAADSTS50105: x\n\nthen\n\n{lone}\nand\n\n{REQUEST}\n{CHALLENGE}")).len(), 3);
}

#[test]
fn a_tunnel_with_its_inside_is_the_inside() {
    let text = "> CONNECT mail.contoso.com:443 HTTP/1.1\n>\n< HTTP/1.1 200 Connection established\n<\n> GET / HTTP/1.1\n\
                > Host: mail.contoso.com\n>\n< HTTP/2 401 \n< www-authenticate: NTLM\n<\n* Connection #0 to host left intact\n";
    let exchange = one(text);
    assert_eq!((exchange.method.unwrap().as_str().to_owned(), exchange.url.is_some()), ("GET".to_owned(), true));
    assert_eq!(paste("CONNECT mail.contoso.com:443 HTTP/1.1\n\nHTTP/1.1 200 OK\n\n").len(), 1);
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
