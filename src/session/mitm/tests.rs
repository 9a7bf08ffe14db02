//! Flow files of several formats, whole and broken.

#![allow(clippy::unwrap_used, clippy::panic, clippy::disallowed_methods)]

use super::*;
use crate::exchange::{Exchange, FailureKind, SocketKind, Step, Unseen};
use crate::redact::{Content, Credential, Syntax, Token};

/// A tnetstring to be.
enum Put {
    Bytes(&'static [u8]),
    Text(&'static str),
    Integer(i64),
    Float(f64),
    Null,
    True,
    List(Vec<Put>),
    Dictionary(Vec<(&'static str, Put)>),
}

use Put::{Bytes, Dictionary, Float, Integer, List, Null, Text, True};

fn put(value: &Put) -> Vec<u8> {
    let (payload, kind) = match value {
        Bytes(bytes) => (bytes.to_vec(), b','),
        Text(text) => (text.as_bytes().to_vec(), b';'),
        Integer(number) => (number.to_string().into_bytes(), b'#'),
        Float(number) => (format!("{number:?}").into_bytes(), b'^'),
        Null => (Vec::new(), b'~'),
        True => (b"true".to_vec(), b'!'),
        List(items) => (items.iter().flat_map(put).collect(), b']'),
        Dictionary(members) => {
            let member = |(key, value): &(&'static str, Put)| [put(&Text(key)), put(value)].concat();
            (members.iter().flat_map(member).collect(), b'}')
        }
    };
    [payload.len().to_string().as_bytes(), b":", &payload, &[kind]].concat()
}

fn headers(fields: &[(&'static [u8], &'static [u8])]) -> Put {
    List(fields.iter().map(|(name, value)| List(vec![Bytes(name), Bytes(value)])).collect())
}

fn request(path: &'static [u8]) -> Put {
    Dictionary(vec![
        ("http_version", Bytes(b"HTTP/1.1")),
        ("headers", headers(&[(b"Host", b"mail.contoso.com"), (b"authorization", b"Bearer")])),
        ("content", Bytes(b"")),
        ("trailers", Null),
        ("timestamp_start", Float(1_795_338_000.25)),
        ("timestamp_end", Float(1_795_338_000.5)),
        ("host", Text("192.0.2.7")),
        ("port", Integer(443)),
        ("method", Bytes(b"GET")),
        ("scheme", Bytes(b"https")),
        ("authority", Bytes(b"")),
        ("path", Bytes(path)),
    ])
}

fn response(content: Put) -> Put {
    Dictionary(vec![
        ("http_version", Bytes(b"HTTP/1.1")),
        ("headers", headers(&[(b"WWW-Authenticate", b"NTLM"), (b"Content-Type", b"application/json")])),
        ("content", content),
        ("timestamp_start", Float(1_795_338_000.75)),
        ("timestamp_end", Float(1_795_338_001.25)),
        ("status_code", Integer(401)),
        ("reason", Bytes(b"Unauthorized")),
    ])
}

/// A flow of format 21, or with the names that format 18 has.
fn flow(old: bool, connection: &'static str, response: Put, further: Vec<(&'static str, Put)>) -> Vec<u8> {
    let address = |name: &'static str, port| (name, List(vec![Text(name_of(port)), Integer(port)]));
    let client = Dictionary(vec![
        ("id", Text(connection)),
        address(if old { "address" } else { "peername" }, 50_123),
        ("tls_version", Text("TLSv1.3")),
        (if old { "cipher_name" } else { "cipher" }, Text("TLS_AES_256_GCM_SHA384")),
        ("alpn", Bytes(b"http/1.1")),
        ("sni", Text("mail.contoso.com")),
    ]);
    let server = Dictionary(vec![("id", Text("s")), address(if old { "ip_address" } else { "peername" }, 443)]);
    let mut members = vec![
        ("version", Integer(if old { 18 } else { 21 })),
        ("type", Text("http")),
        ("client_conn", client),
        ("server_conn", server),
        ("comment", Text("told by avery")),
        ("request", request(b"/owa/")),
        ("response", response),
    ];
    members.extend(further);
    put(&Dictionary(members))
}

const fn name_of(port: i64) -> &'static str {
    if port == 443 { "192.0.2.7" } else { "127.0.0.1" }
}

fn read(bytes: &[u8]) -> Vec<Result<Exchange, SessionError>> {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.mitm");
    std::fs::write(&path, bytes).unwrap();
    let redactor = Redactor::new();
    let flows = Mitm::open(&path, &Opening::quietly(&redactor)).unwrap();
    flows.recorded().map(|read| read.map(|read| read.exchange)).collect()
}

fn plain() -> Put {
    response(Bytes(b"{\"error\":\"x\"}"))
}

#[test]
fn a_flow_of_every_format_is_an_exchange() {
    for old in [false, true] {
        let read = read(&flow(old, "c", plain(), Vec::new()));
        let [Ok(exchange)] = &read[..] else { panic!("{read:?}") };
        assert_eq!((exchange.id, exchange.started.to_string()), (1, "2026-11-22T09:00:00.250Z".to_owned()));
        assert_eq!(exchange.url.as_ref().unwrap().text(), "https://mail.contoso.com/owa/");
        assert_eq!(exchange.authorization(), Some(&Credential::Bearer(Token::Empty)));
        let millis = |time: Option<std::time::Duration>| time.unwrap().as_millis();
        let timings = exchange.timings;
        assert_eq!([timings.sent, timings.first_byte, timings.done].map(millis), [250, 500, 1000]);
        let body = &exchange.response.seen().unwrap().message.body;
        assert!(matches!(&body.content, Content::Text { syntax: Syntax::Json, complete: true, .. }), "{body:?}");
        let connection = &exchange.connection;
        assert_eq!(connection.client.as_ref().unwrap(), "127.0.0.1:50123");
        assert_eq!(connection.server.as_ref().unwrap().address, "192.0.2.7:443");
        assert_eq!(connection.target.as_ref().unwrap(), "mail.contoso.com:443");
        let tls = connection.client_tls.as_ref().unwrap();
        assert_eq!((tls.version.as_str(), tls.cipher.as_str()), ("TLS 1.3", "TLS_AES_256_GCM_SHA384"));
    }
}

#[test]
fn bodies_are_decoded_and_what_was_not_kept_is_not_called_empty() {
    let packed: &[u8] = &[
        0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 2, 3, 0xab, 0x56, 0x4a, 0x2d, 0x2a, 0xca, 0x2f, 0x52, 0xb2, 0x52, 0xaa, 0x50,
        0xaa, 5, 0, 0xbd, 0x26, 0x3f, 0xa1, 0xd, 0, 0, 0,
    ];
    let packed = Dictionary(vec![
        ("http_version", Bytes(b"HTTP/2.0")),
        ("headers", headers(&[(b"content-encoding", b"gzip"), (b"content-type", b"application/json")])),
        ("content", Bytes(packed)),
        ("status_code", Integer(400)),
        ("reason", Bytes(b"")),
    ]);
    let found = read(&[flow(false, "c", packed, Vec::new()), flow(false, "c", response(Null), Vec::new())].concat());
    let message = |at: usize| &found[at].as_ref().unwrap().response.seen().unwrap().message;
    assert!(matches!(&message(0).body.content, Content::Text { text, .. } if *text == "{\"error\":\"x\"}"));
    assert_eq!(message(0).version, "HTTP/2");
    assert_eq!(message(1).body.content, Content::Empty);
}

#[test]
fn errors_sockets_and_connections_are_told() {
    let error = vec![(
        "error",
        Dictionary(vec![("msg", Text("server closed connection")), ("timestamp", Float(1_795_338_002.25))]),
    )];
    let message =
        |kind, from: Put, text| List(vec![Integer(kind), from, Bytes(text), Float(1_795_338_003.0), Null, Null]);
    let socket = vec![(
        "websocket",
        Dictionary(vec![
            ("messages", List(vec![message(1, True, b"{\"a\":1}"), message(2, True, b"\0\x01")])),
            ("closed_by_client", Null),
            ("close_code", Integer(1000)),
            ("close_reason", Text("")),
            ("timestamp_end", Float(1_795_338_004.0)),
        ]),
    )];
    let found = read(
        &[
            flow(false, "one", Null, error),
            flow(false, "two", plain(), socket),
            flow(false, "one", plain(), Vec::new()),
            put(&Dictionary(vec![("version", Integer(21)), ("type", Text("tcp"))])),
        ]
        .concat(),
    );
    let mut found: Vec<_> = found.into_iter().map(Result::unwrap).collect();
    found.sort_by_key(|exchange| exchange.id);
    assert_eq!(found.iter().map(|exchange| exchange.connection.id).collect::<Vec<_>>(), [1, 2, 1]);
    let failed = found[0].error.as_ref().unwrap();
    assert_eq!((failed.step, failed.kind), (Step::Connect, FailureKind::ClosedEarly));
    assert_eq!(found[0].response.unseen(), Some(Unseen::NeverCame));
    let socket = found[1].response.seen().unwrap().socket.as_ref().unwrap();
    let kinds: Vec<_> = socket.messages.iter().map(|message| message.kind).collect();
    assert_eq!(kinds, [SocketKind::Text, SocketKind::Binary, SocketKind::Close]);
    assert_eq!((socket.client.messages, socket.server.messages, socket.messages[2].code), (2, 1, Some(1000)));
}

#[test]
fn a_bad_flow_costs_itself() {
    let good = flow(false, "c", plain(), Vec::new());
    let told = |bytes: &[u8]| {
        let path = |error: &SessionError| match error {
            SessionError::BadEntry { number, .. } => format!("bad {number}"),
            SessionError::Rest { from, .. } => format!("rest {from}"),
            other => panic!("{other:?}"),
        };
        let mut told: Vec<_> = read(bytes)
            .iter()
            .map(|read| match read {
                Ok(exchange) => format!("ok {}", exchange.id),
                Err(error) => path(error),
            })
            .collect();
        told.sort();
        told
    };
    let odd = put(&Dictionary(vec![("version", Integer(21)), ("type", Text("http"))]));
    assert_eq!(told(&[&good[..], &odd, &good].concat()), ["bad 2", "ok 1", "ok 2"]);
    // The length of the second one lies.
    let mut lies = good.clone();
    lies[0] = b'9';
    assert_eq!(told(&[&good[..], &lies, &good].concat()), ["bad 2", "ok 1", "ok 2"]);
    assert_eq!(told(&[&good[..], &good[..good.len() / 2]].concat()), ["ok 1", "rest 2"]);
    assert_eq!(told(&[&good[..], b"\r\n"].concat()), ["ok 1", "rest 2"]);
}

#[test]
fn cuts_and_flipped_bits_bring_nothing_down() {
    let whole = [flow(false, "a", plain(), Vec::new()), flow(true, "b", plain(), Vec::new())].concat();
    for at in (0..whole.len()).step_by(7) {
        let found = read(&whole[..at]);
        assert!(at == 0 || found.iter().any(Result::is_err) || found.iter().flatten().count() == 1, "{at}");
        let mut flipped = whole.clone();
        flipped[at] ^= 1 << (at % 8);
        read(&flipped);
    }
}
