//! Exchanges made up for tests: a plain one by number, and any one that the types allow.

use std::sync::Arc;
use std::time::Duration;

use proptest::option;
use proptest::prelude::*;
use proptest::sample::select;

use crate::exchange::{
    Certificate, ClientCertificate, ClientTls, Connection, Exchange, Failure, FailureKind, Head, Interim, Message,
    Oddities, Oddity, Response, Seen, Server, Side, SniForm, Socket, SocketKind, SocketMessage, Step, Tally, Timestamp,
    Timings, Tls, Unseen,
};
use crate::redact::{self, Body, Content, RawBody, Redactor};
use crate::wire::Fields;

/// A finished exchange whose row takes about `size` bytes.
pub(in crate::session) fn exchange(redactor: &Redactor, id: u64, size: usize) -> Exchange {
    let door = redactor.wire();
    let filler = "X-Filler: 1234567\r\n".repeat(size / 20);
    let head = format!("X-FEServer: EX01\r\nwww-authenticate: NTLM\r\nWWW-Authenticate: Negotiate\r\n{filler}");
    let message = |head: &[u8], body: &[u8]| Message {
        version: "HTTP/1.1".into(),
        head: Head::Whole,
        fields: door.fields(Fields::new(head)),
        body: body_of(redactor, "application/json", body, true),
        trailers: redact::Fields::default(),
        odd: Oddities::NONE,
    };
    Exchange {
        id,
        started: Timestamp(1_795_338_000_000_000 + i64::try_from(id).unwrap_or_default()),
        connection: Arc::new(Connection { id: 1 + (id / 10) as u32, ..Connection::default() }),
        method: Some(door.token(b"POST")),
        url: Some(door.url(format!("https://mail.contoso.com/EWS/Exchange.asmx?n={id}").as_bytes())),
        request: Seen::Seen(message(b"Host: mail.contoso.com\r\nauthorization: Bearer\r\n", b"")),
        response: Seen::Seen(Response {
            status: Some(401),
            reason: door.prose(b"Unauthorized"),
            message: message(head.as_bytes(), b"{\"n\":1}"),
            interim: Vec::new(),
            early: false,
            socket: None,
        }),
        error: None,
        timings: Timings { done: Some(Duration::from_millis(12)), ..Timings::default() },
        running: false,
    }
}

/// Any exchange.
pub(in crate::session) fn any_exchange(redactor: Redactor) -> impl Strategy<Value = Exchange> {
    let connection = any_connection(redactor.clone());
    let request = any_message(redactor.clone());
    let response = any_response(redactor.clone());
    let error = option::of((select(&Side::ALL), select(&Step::ALL), select(&FailureKind::ALL), any_text()));
    let times = any::<(Option<u32>, Option<u32>, Option<u32>, bool, u32)>();
    let who = (option::of(select(&["GET", "POST", "RPC_IN_DATA", "CONNECT"])), option::of(any_url()));
    (1..u64::from(u32::MAX), connection, who, seen(request), seen(response), error, times).prop_map(
        move |(id, connection, (method, url), request, response, error, (sent, first_byte, done, running, started))| {
            let door = redactor.wire();
            let time = |time: Option<u32>| time.map(|micros| Duration::from_micros(micros.into()));
            Exchange {
                id,
                started: Timestamp(1_700_000_000_000_000 + i64::from(started)),
                connection: Arc::new(connection),
                method: method.map(|method: &str| door.token(method.as_bytes())),
                url: url.map(|url| door.url(url.as_bytes())),
                request,
                response,
                error: error.map(|(side, step, kind, text)| Failure { side, step, kind, text: door.prose(&text) }),
                timings: Timings { sent: time(sent), first_byte: time(first_byte), done: time(done) },
                running,
            }
        },
    )
}

/// The body that the door makes of `bytes`.
pub(super) fn body_of(redactor: &Redactor, content_type: &str, bytes: &[u8], complete: bool) -> Body {
    if bytes.is_empty() {
        return Body { length: 0, content: Content::Empty };
    }
    redactor.wire().body(RawBody {
        bytes: bytes.to_vec().into(),
        length: bytes.len() as u64 + u64::from(!complete) * 1000,
        recorded: true,
        refusal: true,
        content_type: content_type.as_bytes().to_vec(),
        content_encoding: Vec::new(),
    })
}

fn seen<T: Clone + std::fmt::Debug>(value: impl Strategy<Value = T>) -> impl Strategy<Value = Seen<T>> {
    prop_oneof![4 => value.prop_map(Seen::Seen), 1 => select(&Unseen::ALL).prop_map(Seen::Unseen)]
}

fn any_message(redactor: Redactor) -> impl Strategy<Value = Message> {
    let odd = prop::collection::vec(select(&Oddity::ALL), 0..3);
    (any_head(), any_body(), prop_oneof![3 => Just(Vec::new()), 1 => any_head()], odd).prop_map(
        move |(head, (content_type, body, complete), trailers, odd)| Message {
            version: redactor.wire().token(b"HTTP/1.1"),
            head: Head::Whole,
            fields: redactor.wire().fields(Fields::new(&head)),
            body: body_of(&redactor, content_type, &body, complete),
            trailers: redactor.wire().fields(Fields::new(&trailers)),
            odd: odd.into_iter().collect(),
        },
    )
}

fn any_response(redactor: Redactor) -> impl Strategy<Value = Response> {
    let interim = prop::collection::vec((select(&[100_u16, 102, 103]), any_head()), 0..3);
    let socket = option::of(any_socket(redactor.clone()).prop_map(Box::new));
    (100_u16..600, any_text(), any_message(redactor.clone()), interim, any::<bool>(), socket).prop_map(
        move |(status, reason, message, interim, early, socket)| {
            let door = redactor.wire();
            let interim = interim.into_iter().map(|(status, head)| Interim {
                status,
                reason: door.prose(b"Continue"),
                fields: door.fields(Fields::new(&head)),
            });
            let (status, reason, interim) = (Some(status), door.prose(&reason), interim.collect());
            Response { status, reason, message, interim, early, socket }
        },
    )
}

fn any_socket(redactor: Redactor) -> impl Strategy<Value = Socket> {
    let message = (any::<bool>(), select(&SocketKind::ALL), any::<u32>(), option::of(any::<u16>()), any_body());
    let tally =
        any::<(u32, u32)>().prop_map(|(messages, bytes)| Tally { messages: messages.into(), bytes: bytes.into() });
    let side = |client| if client { Side::Client } else { Side::Server };
    (prop::collection::vec(message, 0..4), tally.clone(), tally, option::of(any::<bool>())).prop_map(
        move |(messages, client, server, lost)| Socket {
            messages: messages
                .into_iter()
                .map(|(client, kind, at, code, (content_type, body, complete))| SocketMessage {
                    side: side(client),
                    kind,
                    at: Duration::from_micros(at.into()),
                    code,
                    body: body_of(&redactor, content_type, &body, complete),
                })
                .collect(),
            client,
            server,
            lost: lost.map(side),
        },
    )
}

fn any_connection(redactor: Redactor) -> impl Strategy<Value = Connection> {
    let tls = (any::<bool>(), option::of(any_text()), any_certificate(redactor.clone()));
    let server = option::of(option::of((tls, any_tls_facts(redactor.clone()))));
    let client = option::of(select(&["127.0.0.1:50000", "10.1.2.3:50001"]));
    let presented = (option::of(any_certificate(redactor.clone())), option::of(any_client_tls(redactor.clone())));
    (1..u32::MAX, client, option::of(any_host()), server, presented).prop_map(
        move |(id, client, target, server, (presented, client_tls))| {
            let door = redactor.wire();
            Connection {
                id,
                client: client.and_then(|client: &str| client.parse().ok()).map(|client| door.client_address(client)),
                target: target.map(|host| door.host(host.as_bytes())),
                client_tls,
                server: server.map(|tls| Server {
                    address: "192.0.2.10:443".into(),
                    tls: tls.map(|((alpn, accepted_despite, certificate), facts)| Tls {
                        version: "TLS 1.3".into(),
                        cipher: "TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256".into(),
                        alpn: alpn.then(|| "http/1.1".into()),
                        accepted_despite: accepted_despite.map(|why| door.prose(&why)),
                        certificate,
                        ..facts
                    }),
                }),
                presented,
            }
        },
    )
}

/// What of a server's TLS is neither its certificate nor there in every file.
fn any_tls_facts(redactor: Redactor) -> impl Strategy<Value = Tls> {
    let chain = prop::collection::vec(any_certificate(redactor.clone()), 0..3);
    (chain, any::<bool>(), any::<bool>(), 0..3_u8).prop_map(move |(chain, legacy, resumed, wanted)| Tls {
        chain,
        legacy: legacy.then(|| "the server speaks nothing newer than TLS 1.0".into()),
        client_certificate: match wanted {
            0 => ClientCertificate::NotAsked,
            1 => ClientCertificate::Asked,
            _ => ClientCertificate::Given(redactor.wire().prose(b"CN=svc-migration, O=Contoso")),
        },
        resumed,
        renegotiated: !resumed,
        ..Tls::of_certificate(Certificate::of_fingerprint([0; 32]))
    })
}

fn any_client_tls(redactor: Redactor) -> impl Strategy<Value = ClientTls> {
    (any_host(), select(&SniForm::ALL), any::<bool>(), any::<bool>()).prop_map(move |(name, sni_form, alpn, legacy)| {
        ClientTls {
            version: "TLS 1.0".into(),
            cipher: "TLS_RSA_WITH_AES_256_CBC_SHA".into(),
            alpn: alpn.then(|| "h2".into()),
            sni: (sni_form != SniForm::Absent).then(|| redactor.wire().host(name.as_bytes())),
            sni_form,
            legacy: legacy.then(|| "the client speaks nothing newer than TLS 1.0".into()),
        }
    })
}

fn any_certificate(redactor: Redactor) -> impl Strategy<Value = Certificate> {
    (any::<[u8; 32]>(), prop::collection::vec(any_host(), 0..4), any::<(u32, u32)>()).prop_map(
        move |(sha256, names, (not_before, not_after))| {
            let door = redactor.wire();
            Certificate {
                subject: door.prose(b"CN=mail.contoso.com, O=Contoso"),
                issuer: door.prose(b"CN=Contoso Issuing CA 2, DC=contoso, DC=com"),
                names: names.iter().map(|name| door.host(name.as_bytes())).collect(),
                not_before: Timestamp::from_seconds(not_before.into()),
                not_after: Timestamp::from_seconds(not_after.into()),
                sha256,
            }
        },
    )
}

fn any_host() -> impl Strategy<Value = String> {
    "[a-z]{1,8}[.](contoso|fabrikam)[.]com(:[1-9][0-9]{1,3})?"
}

fn any_url() -> impl Strategy<Value = String> {
    "https?://[a-z]{1,8}[.]contoso[.]com(:8443)?/(EWS|owa|mapi)/[ -~]{0,20}([?][a-zA-Z]{1,8}=[ -~]{0,20})?"
}

/// Words of prose, sometimes with bytes that are no UTF-8.
fn any_text() -> impl Strategy<Value = Vec<u8>> {
    prop_oneof!["[ -~]{0,40}".prop_map(String::into_bytes), prop::collection::vec(any::<u8>(), 0..30)]
}

/// Lines of a head: usual ones, credentials, folded ones, and lines of any bytes.
fn any_head() -> impl Strategy<Value = Vec<u8>> {
    let usual = select(&[
        "Host: mail.contoso.com",
        "hOsT:mail.contoso.com",
        "Authorization: Basic YXZlcnlAY29udG9zby5jb206U3ludGgtUHctMQ==",
        "Authorization: Bearer",
        "Proxy-Authorization: NTLM TlRMTVNTUAABAAAAl4II4gAAAAAAAAAAAAAAAAAAAAAKAGFKAAAADw==",
        "authorization: Bearer eyJhbGciOiJSUzI1NiJ9.eyJhdWQiOiJodHRwczovL21haWwuY29udG9zby5jb20vIiwiZXhwIjoxfQ.c2ln",
        "WWW-Authenticate: Bearer client_id=\"00000002-0000-0ff1-ce00-000000000000\",\r\n error=\"invalid_token\"",
        "x-ms-diagnostics: 2000003;reason=\"The audience is 'http://mail.contoso.com'.\";error_category=\"x\"",
        "Set-Cookie: ClientId=E9459F787DAA4FA8; path=/; HttpOnly",
        "X-Unknown: C:\\x41\\folder",
        "a line without a colon",
        "Empty:",
    ]);
    let line = prop_oneof![
        4 => usual.prop_map(|line: &str| line.as_bytes().to_vec()),
        1 => ("[A-Za-z-]{1,12}", any_text()).prop_map(|(name, value)| [name.as_bytes(), b": ", &value].concat()),
    ];
    prop::collection::vec(line, 0..6).prop_map(|lines| {
        let mut head = Vec::new();
        for line in lines {
            head.extend_from_slice(&line);
            head.extend_from_slice(b"\r\n");
        }
        head
    })
}

fn any_body() -> impl Strategy<Value = (&'static str, Vec<u8>, bool)> {
    let usual = select(&[
        ("application/json", "{\"error\":\"invalid_grant\",\"access_token\":\"abcdefghijklmnop\",\"n\":[1,true,null]}"),
        ("application/json", "{\"path\":\"C:\\\\x41\",\"user\":\"avery@contoso.com\"}"),
        (
            "application/x-www-form-urlencoded",
            "grant_type=password&username=avery%40contoso.com&password=a%26b&scope=x",
        ),
        (
            "text/xml; charset=utf-8",
            "<Autodiscover><EMailAddress>avery@contoso.com</EMailAddress><A b='c'/></Autodiscover>",
        ),
        ("text/html", "<html><title>401</title><form><input type=hidden name=ctx value=\"secret\"></form></html>"),
        ("text/plain", "401 - Unauthorized: Access is denied due to invalid credentials."),
        ("application/octet-stream", "\u{0}\u{1}\u{2}"),
        (
            "application/vnd.ms-sync.wbxml",
            "\u{3}\u{1}j\u{0}\u{0}\u{7}V\u{4c}\u{3}142\u{0}\u{1}\u{52}\u{3}1234\u{0}\u{1}\u{1}",
        ),
        (
            "application/mapi-http",
            "PROCESSING\r\nDONE\r\nX-ElapsedTime: 15\r\n\r\n\u{0}\u{0}\u{0}\u{0}\u{78}\u{4}\u{0}\u{0}",
        ),
        ("application/rpc", "\u{5}\u{0}\u{14}\u{3}\u{10}\u{0}\u{0}\u{0}\u{10}\u{0}\u{0}\u{0}\u{0}\u{0}\u{0}\u{0}"),
        ("", ""),
    ]);
    let text = (usual, any::<bool>()).prop_map(|((kind, text), complete)| (kind, text.as_bytes().to_vec(), complete));
    let bytes = (prop::collection::vec(any::<u8>(), 1..60), any::<bool>());
    prop_oneof![4 => text, 1 => bytes.prop_map(|(bytes, complete)| ("text/plain", bytes, complete))]
}
