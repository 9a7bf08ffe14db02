//! Archives as their many writers write them.

#![allow(clippy::unwrap_used, clippy::panic)]

use serde_json::{Value, json};

use super::*;
use crate::exchange::Exchange;
use crate::exchange::{FailureKind, Head, Seen, Side, SocketKind, Step, Unseen};
use crate::redact::{Content, Credential, Syntax, Token, Withheld};

type Read = Vec<Result<Exchange, SessionError>>;

fn read(text: &str) -> Read {
    let archive =
        Har::of_text(Zeroizing::new(text.as_bytes().to_vec()), Path::new("a.har"), &Opening::quietly(&Redactor::new()));
    archive.unwrap().exchanges().collect()
}

fn har(creator: &str, entries: &[Value]) -> String {
    json!({"log": {"version": "1.2", "creator": {"name": creator, "version": "1"}, "pages": [], "entries": entries}})
        .to_string()
}

fn one(entry: &Value) -> Exchange {
    let mut read = read(&har("Fiddler", std::slice::from_ref(entry)));
    assert_eq!(read.len(), 1);
    read.remove(0).unwrap()
}

fn entry(request: &Value, response: &Value) -> Value {
    json!({"startedDateTime": "2026-11-22T10:00:00.123+01:00", "time": 250, "request": request, "response": response,
           "timings": {"blocked": -1, "dns": 10, "connect": 40, "ssl": 20, "send": 50, "wait": 100, "receive": 50}})
}

fn get(headers: &Value) -> Value {
    json!({"method": "GET", "url": "https://mail.contoso.com/owa/", "httpVersion": "HTTP/1.1", "headers": headers})
}

fn refused(headers: &Value) -> Value {
    json!({"status": 401, "statusText": "Unauthorized", "httpVersion": "h2", "headers": headers, "content": {"size": 0}})
}

fn names(fields: &[crate::redact::Field]) -> Vec<&str> {
    fields.iter().map(|field| field.name.as_str()).collect()
}

fn body_text(exchange: &Exchange) -> (Syntax, &str, bool) {
    match &exchange.response.seen().unwrap().message.body.content {
        Content::Text { syntax, text, complete } => (*syntax, text.as_str(), *complete),
        other => panic!("{other:?}"),
    }
}

#[test]
fn an_entry_is_an_exchange() {
    let request =
        get(&json!([{"name": "Host", "value": "mail.contoso.com"}, {"name": "Authorization", "value": "Bearer"}]));
    let mut entry = entry(&request, &refused(&json!([["WWW-Authenticate", "NTLM"]])));
    entry["connection"] = json!("443");
    entry["serverIPAddress"] = json!("[2001:db8::1]");
    let exchange = one(&entry);
    assert_eq!((exchange.id, exchange.started.to_string()), (1, "2026-11-22T09:00:00.123Z".to_owned()));
    assert_eq!(exchange.url.as_ref().unwrap().text(), "https://mail.contoso.com/owa/");
    assert_eq!((exchange.method.as_ref().unwrap().as_str(), exchange.status()), ("GET", Some(401)));
    assert_eq!(exchange.authorization(), Some(&Credential::Bearer(Token::Empty)));
    assert_eq!(names(exchange.response_fields()), ["WWW-Authenticate"]);
    assert_eq!(exchange.response.seen().unwrap().message.version, "HTTP/2");
    let millis = |time: Option<std::time::Duration>| time.unwrap().as_millis();
    assert_eq!(millis(exchange.timings.sent), 100);
    assert_eq!(millis(exchange.timings.first_byte), 200);
    assert_eq!(millis(exchange.timings.done), 250);
    let server = exchange.connection.server.as_ref().unwrap();
    assert_eq!(server.address, "[2001:db8::1]:443");
    assert_eq!(exchange.connection.target.as_ref().unwrap(), "mail.contoso.com:443");
}

#[test]
fn headers_are_read_in_every_form_and_those_of_http2_are_none() {
    let forms = [
        json!([{"name": ":authority", "value": "a"}, {"name": "X-A", "value": "1"}, {"name": "x-a", "value": "2"}]),
        json!([[":method", "GET"], ["X-A", "1"], ["x-a", "2"]]),
        json!({"X-A": "1", "x-a": ["2"]}),
    ];
    for form in forms {
        assert_eq!(names(one(&entry(&get(&form), &refused(&json!([])))).request_fields()), ["X-A", "x-a"], "{form}");
    }
    let joined = json!([{"name": "www-authenticate", "value": "Negotiate\nNTLM"}]);
    let exchange = one(&entry(&get(&json!([])), &refused(&joined)));
    assert_eq!(exchange.response_fields().iter().map(|f| f.value.as_str()).collect::<Vec<_>>(), ["Negotiate", "NTLM"]);
}

#[test]
fn bodies_are_decoded_once() {
    let encoded = json!([["Content-Type", "application/json; charset=utf-16"], ["Content-Encoding", "gzip"]]);
    let mut response = refused(&encoded);
    response["content"] = json!({"size": 5, "mimeType": "application/json", "text": "{\"a\":1}"});
    assert_eq!(body_text(&one(&entry(&get(&json!([])), &response))), (Syntax::Json, "{\"a\":1}", true));
    response["headers"] = json!([["Content-Encoding", "br"]]);
    response["content"] = json!({"size": 5, "mimeType": "text/xml", "text": "PHIv\nPg==", "encoding": "base64"});
    assert_eq!(body_text(&one(&entry(&get(&json!([])), &response))), (Syntax::Xml, "<r/>", true));
    // Some writers keep what came over the wire.
    let packed = "H4sIAAAAAAACA6tWSi0qyi9SslKqUKoFAL0mP6ENAAAA";
    response["content"] = json!({"mimeType": "application/json", "text": packed, "encoding": "base64"});
    assert_eq!(body_text(&one(&entry(&get(&json!([])), &response))), (Syntax::Json, "{\"error\":\"x\"}", true));
}

#[test]
fn a_body_that_the_file_does_not_have_is_not_called_empty() {
    let mut response = refused(&json!([]));
    response["content"] = json!({"size": 71, "mimeType": "text/html"});
    let content =
        |response: &Value| one(&entry(&get(&json!([])), response)).response.seen().unwrap().message.body.clone();
    assert_eq!(content(&response).content, Content::Withheld(Withheld::NotRecorded));
    response["status"] = json!(304);
    assert_eq!(content(&response).content, Content::Empty);
}

#[test]
fn what_was_posted_is_read_as_text_as_form_and_as_base64() {
    let body = |post: &Value| {
        let mut request = get(&json!([]));
        request["method"] = json!("POST");
        request["postData"] = post.clone();
        match one(&entry(&request, &refused(&json!([])))).request.seen().unwrap().body.content.clone() {
            Content::Text { syntax, text, .. } => (syntax, text.as_str().to_owned()),
            other => panic!("{other:?}"),
        }
    };
    let form = "application/x-www-form-urlencoded";
    let expected = (Syntax::Form, "grant_type=refresh_token&resource=https%3A%2F%2Fmail.contoso.com%2F".to_owned());
    let (text, decoded) = ("https%3A%2F%2Fmail.contoso.com%2F", "https://mail.contoso.com/");
    assert_eq!(body(&json!({"mimeType": form, "text": expected.1})), expected);
    for value in [text, decoded] {
        let params = json!([{"name": "grant_type", "value": "refresh_token"}, {"name": "resource", "value": value}]);
        assert_eq!(body(&json!({"mimeType": form, "params": params})), expected);
    }
    for encoding in ["encoding", "_encoding"] {
        let post = json!({"mimeType": "text/xml", "text": "PHIvPg==", encoding: "base64"});
        assert_eq!(body(&post), (Syntax::Xml, "<r/>".to_owned()));
    }
}

#[test]
fn what_failed_has_no_response() {
    let none = json!({"status": 0, "statusText": "", "headers": [], "content": {}});
    let mut failed = entry(&json!({"method": "CONNECT", "url": "mail.contoso.com:443", "headers": []}), &none);
    failed["_error"] = json!("client tls: received fatal alert: UnknownCA");
    let exchange = one(&failed);
    let error = exchange.error.as_ref().unwrap();
    assert_eq!(
        (error.side, error.step, error.kind),
        (Side::Client, Step::Tls, FailureKind::CertificateRefusedByClient)
    );
    assert_eq!(exchange.url.as_ref().unwrap().text(), "https://mail.contoso.com/");
    assert_eq!(
        (exchange.request.unseen(), exchange.response.unseen()),
        (Some(Unseen::NeverCame), Some(Unseen::NeverCame))
    );
    let mut unnamed = entry(&get(&json!([])), &none);
    let exchange = one(&unnamed);
    assert_eq!((exchange.error, exchange.response.unseen()), (None, Some(Unseen::NotInSource)));
    unnamed["response"]["_error"] = json!("net::ERR_CONNECTION_REFUSED");
    assert_eq!(one(&unnamed).error.unwrap().kind, FailureKind::Refused);
    unnamed["response"]["status"] = json!(401);
    unnamed["response"]["_error"] = json!("net::ERR_HTTP_RESPONSE_CODE_FAILURE");
    assert_eq!(one(&unnamed).error, None);
    assert_eq!(one(&json!({"request": get(&json!([]))})).response.unseen(), Some(Unseen::NotInSource));
}

#[test]
fn tunnels_that_were_not_looked_into_are_told_from_those_that_were() {
    let connect = |host: &str| {
        entry(
            &json!({"method": "CONNECT", "url": format!("https://{host}:443"), "headers": []}),
            &json!({"status": 200, "statusText": "Connection Established", "headers": [], "content": {}}),
        )
    };
    let entries =
        [connect("mail.contoso.com"), connect("www.fabrikam.com"), entry(&get(&json!([])), &refused(&json!([])))];
    let read: Vec<_> = read(&har("Fiddler", &entries)).into_iter().map(Result::unwrap).collect();
    assert_eq!(read[0].status(), Some(200));
    assert_eq!(read[1].request.unseen(), Some(Unseen::NotDecrypted));
    assert_eq!(read[1].response.unseen(), Some(Unseen::NotDecrypted));
}

#[test]
fn credentials_that_the_exporter_took_out_are_unseen() {
    let plain = entry(&get(&json!([["Accept", "*/*"]])), &refused(&json!([])));
    let with = entry(&get(&json!([["Authorization", "Bearer"]])), &refused(&json!([])));
    let head = |read: &Read| read[0].as_ref().unwrap().request.seen().unwrap().head;
    assert_eq!(head(&read(&har("WebInspector", std::slice::from_ref(&plain)))), Head::Stripped);
    assert_eq!(head(&read(&har("WebInspector", &[plain.clone(), with]))), Head::Whole);
    assert_eq!(head(&read(&har("Firefox", &[plain]))), Head::Whole);
    let masked = one(&entry(&get(&json!([["authorization", "Bearer [REDACTED]"]])), &refused(&json!([]))));
    assert_eq!(masked.request.seen().unwrap().head, Head::Stripped);
    assert_eq!((masked.authorization(), masked.response.seen().unwrap().message.head), (None, Head::Whole));
}

#[test]
fn messages_of_a_web_socket_are_read_as_chrome_and_mitmproxy_write_them() {
    let mut answer = refused(&json!([["Upgrade", "websocket"]]));
    answer["status"] = json!(101);
    let mut upgrade = entry(&get(&json!([])), &answer);
    let moment = 1_795_338_000.623;
    upgrade["_webSocketMessages"] = json!([
        {"type": "send", "time": moment, "opcode": 1, "data": "a word"},
        {"type": "receive", "time": moment, "opcode": 2, "data": "AAEC/w=="},
        {"type": "receive", "time": moment, "opcode": 2, "data": "no bytes!"},
        {"type": "receive", "time": moment, "opcode": 8, "data": "over"},
        {"type": "send", "time": null},
        7,
    ]);
    let read = one(&upgrade);
    let socket = read.response.seen().unwrap().socket.as_ref().unwrap();
    let told: Vec<_> =
        socket.messages.iter().map(|one| (one.side, one.kind, one.body.length, one.at.as_millis())).collect();
    let (client, server) = (Side::Client, Side::Server);
    assert_eq!(
        told,
        [
            (client, SocketKind::Text, 6, 500),
            (server, SocketKind::Binary, 4, 500),
            (server, SocketKind::Binary, 9, 500),
            (server, SocketKind::Close, 4, 500),
        ]
    );
    assert_eq!((socket.client.messages, socket.client.bytes, socket.server.bytes), (1, 6, 17));
}

#[test]
fn connections_are_those_of_the_file_or_one_an_origin() {
    let with = |url: &str, connection: Value| {
        let mut entry = entry(&get(&json!([])), &refused(&json!([])));
        entry["request"]["url"] = json!(url);
        entry["connection"] = connection;
        entry
    };
    let (a, b) = ("https://a.contoso.com/1", "https://b.contoso.com/");
    let entries = [
        with(a, json!("7")),
        with(b, json!("7")),
        with(a, json!(8)),
        with(a, Value::Null),
        with("https://A.contoso.com/2", json!("")),
        with(b, Value::Null),
    ];
    let mut read: Vec<_> = read(&har("x", &entries)).into_iter().map(Result::unwrap).collect();
    read.sort_by_key(|read| read.id);
    let ids: Vec<_> = read.iter().map(|read| read.connection.id).collect();
    assert_eq!(ids, [1, 2, 3, 4, 4, 5]);
}

#[test]
fn a_browsers_port_is_no_connection() {
    let with = |url: &str, port: &str, connection: Value| {
        let mut entry = entry(&get(&json!([])), &refused(&json!([])));
        entry["request"]["url"] = json!(url);
        entry["connection"] = json!(port);
        entry["_connectionId"] = connection;
        entry
    };
    let (a, b) = ("https://a.contoso.com/1", "https://b.contoso.com/");
    let entries = [
        with(a, "443", json!("49")),
        with(b, "443", json!("71")),
        with(a, "443", json!("71")),
        with(a, "443", json!("49")),
        // Firefox knows the port alone.
        with(a, "443", Value::Null),
        with(b, "443", Value::Null),
    ];
    let mut read: Vec<_> = read(&har("WebInspector", &entries)).into_iter().map(Result::unwrap).collect();
    read.sort_by_key(|read| read.id);
    let seen: Vec<_> =
        read.iter().map(|read| (read.connection.id, read.connection.target.as_ref().map(Clean::as_str))).collect();
    let (a, b) = (Some("a.contoso.com:443"), Some("b.contoso.com:443"));
    assert_eq!(seen, [(1, a), (2, b), (3, a), (1, a), (4, a), (5, b)]);
}

#[test]
fn a_logon_that_a_browser_folds_into_one_entry_is_unseen() {
    let cookie = json!([["Cookie", "a=b"]]);
    let asked = |scheme: &str| entry(&get(&cookie), &refused(&json!([["WWW-Authenticate", scheme]])));
    let sent = |value: &str, scheme: &str| {
        entry(&get(&json!([["Authorization", value]])), &refused(&json!([["WWW-Authenticate", scheme]])))
    };
    let heads = |writer: &str, entries: &[Value]| -> Vec<_> {
        let mut read: Vec<_> = read(&har(writer, entries)).into_iter().map(Result::unwrap).collect();
        read.sort_by_key(|read| read.id);
        read.iter().map(|read| read.request.seen().unwrap().head).collect()
    };
    let (whole, stripped) = (Head::Whole, Head::Stripped);
    let entries = [asked("NTLM"), asked("Bearer, Negotiate"), asked("Bearer"), sent("Basic QTpC", "Basic realm=\"x\"")];
    assert_eq!(heads("WebInspector", &entries), [stripped, stripped, whole, whole]);
    assert_eq!(heads("Firefox", &entries), [whole; 4]);
    // Where one leg is there, all are.
    let legs = [asked("NTLM"), sent("NTLM TlRMTVNTUAABAAAAB4IIogAAAAAAAAAAAAAAAAAAAAA=", "NTLM")];
    assert_eq!(heads("WebInspector", &legs), [whole; 2]);
}

#[test]
fn a_browser_that_saw_an_empty_body_is_believed() {
    let mut answer = refused(&json!([]));
    answer["content"] = json!({"size": 0, "mimeType": "x-unknown", "compression": -293});
    answer["bodySize"] = json!(293);
    let content = |writer: &str| {
        let read = read(&har(writer, &[entry(&get(&json!([["Cookie", "a=b"]])), &answer)]));
        read[0].as_ref().unwrap().response.seen().unwrap().message.body.content.clone()
    };
    assert_eq!(content("WebInspector"), Content::Empty);
    assert_eq!(content("x"), Content::Withheld(Withheld::NotRecorded));
}

#[test]
fn facts_of_the_capture_are_found_before_and_behind_the_entries() {
    let facts = r#""_authtap":{"mode":"live","listen":"127.0.0.1:8080","os":"windows"}"#;
    for text in [
        format!("{{\"log\":{{{facts},\"entries\":[]}}}}"),
        format!("\u{FEFF}{{\"comment\":{{}}, \"log\" : {{\"entries\" : [ ] , {facts}}} }}"),
    ] {
        let archive =
            Har::of_text(Zeroizing::new(text.into_bytes()), Path::new("a.har"), &Opening::quietly(&Redactor::new()))
                .unwrap();
        assert_eq!(archive.provenance(), &Provenance::Live { loopback: true, windows: Some(true) });
        assert_eq!(archive.exchanges().count(), 0);
    }
}

#[test]
fn a_bad_entry_costs_itself_and_a_cut_file_its_rest() {
    let good = entry(&get(&json!([])), &refused(&json!([]))).to_string();
    let bad = format!("{{\"log\":{{\"entries\":[{good},7,{{\"time\":NaN,\"request\":{{}}}},{good}]}}}}");
    let told = |read: &Read| {
        read.iter().map(|read| read.as_ref().map(|read| read.id).map_err(Clone::clone)).collect::<Vec<_>>()
    };
    let path = || std::path::PathBuf::from("a.har");
    let lacks = |number| Err(SessionError::BadEntry { path: path(), number });
    let mut found = told(&read(&bad));
    found.sort_by_key(|found| found.as_ref().copied().unwrap_or(9));
    assert_eq!(found, [Ok(1), Ok(2), lacks(2), lacks(3)]);
    let cut = &format!("{{\"log\":{{\"entries\":[{good},{good}")[..good.len() + 60];
    let found = told(&read(cut));
    assert!(found.contains(&Ok(1)) && found.contains(&Err(SessionError::Rest { path: path(), from: 2 })), "{found:?}");
    let garbage =
        Har::of_text(Zeroizing::new(b"{\"log\":7}".to_vec()), Path::new("a.har"), &Opening::quietly(&Redactor::new()));
    assert!(matches!(garbage.err(), Some(SessionError::NoEntries { .. })));
}

#[test]
fn markers_are_read_back_in_entries_of_our_own_alone() {
    let marker = "Basic [user=upn:user#1@contoso.com password=set #2]";
    let foreign = one(&entry(&get(&json!([["Authorization", marker]])), &refused(&json!([]))));
    assert!(matches!(foreign.authorization(), Some(Credential::Basic { .. })));
    assert_ne!(foreign.request_fields()[0].value, marker, "bytes of the wire are no markers");
}

#[test]
fn times_without_an_offset_or_a_colon_are_read() {
    for (text, expected) in [
        ("2026-11-22T10:00:00.123+0100", "2026-11-22T09:00:00.123Z"),
        ("2026-11-22T09:00:00", "2026-11-22T09:00:00.000Z"),
        ("2026-11-22T09:00:00.1234567Z", "2026-11-22T09:00:00.123Z"),
    ] {
        let mut entry = entry(&get(&json!([])), &refused(&json!([])));
        entry["startedDateTime"] = json!(text);
        assert_eq!(one(&entry).started.to_string(), expected);
    }
}

proptest::proptest! {
    #![proptest_config(proptest::prelude::ProptestConfig { failure_persistence: None, ..Default::default() })]

    #[test]
    fn no_file_brings_it_down(bytes: Vec<u8>, tail in "[\\[\\]{}:,\"a-z0-9 \\\\]{0,60}") {
        let start: &[u8] = b"{\"log\":{\"entries\":[{\"request\":{\"url\":\"https://a/\"}},";
        for text in [bytes.clone(), [start, tail.as_bytes()].concat(), [start, &bytes].concat()] {
            if let Ok(archive) = Har::of_text(Zeroizing::new(text), Path::new("a.har"), &Opening::quietly(&Redactor::new())) {
                archive.exchanges().for_each(drop);
            }
        }
    }

    #[test]
    fn all_kinds_of_values_may_stand_in_an_entry(key in "(method|url|headers|postData|status|content|httpVersion)", value in 0..6_usize) {
        let value = [json!(null), json!(7), json!("x"), json!([1]), json!({"a": 1}), json!([["x"], {"name": 1}])][value].clone();
        let mut entry = entry(&get(&json!([])), &refused(&json!([])));
        entry["request"][&key] = value.clone();
        entry["response"][&key] = value;
        read(&har("x", &[entry]));
    }
}

#[test]
fn the_request_that_ended_last_comes_last() {
    let at = |second: u32, time: u32, path: &str| {
        let mut entry = entry(&get(&json!([])), &refused(&json!([])));
        entry["startedDateTime"] = json!(format!("2026-11-22T09:00:{second:02}Z"));
        entry["time"] = json!(time);
        entry["connection"] = json!(path);
        entry["request"]["url"] = json!(format!("https://mail.contoso.com/{path}"));
        entry
    };
    let entries = [at(0, 9000, "poll"), at(1, 100, "a"), at(2, 100, "b")];
    let read: Vec<_> = read(&har("x", &entries)).into_iter().map(Result::unwrap).collect();
    let paths: Vec<_> = read.iter().map(|read| (read.id, read.url.as_ref().unwrap().path())).collect();
    assert_eq!(paths, [(2, "/a"), (3, "/b"), (1, "/poll")]);
    assert!(matches!(read[0].request, Seen::Seen(_)));
}
