//! HTTP/2 through the tap: real programs on both sides, and frames by hand that arrive as they were sent.

use std::fs;
use std::io::Read as _;

use authtap::exchange::{Exchange, FailureKind};
use serde_json::Value;

use crate::kit::frames::{
    CONTINUATION, DATA, END_HEADERS, END_STREAM, GO_AWAY, HEADERS, PREFACE, RESET, SETTINGS, block, frame, request,
    response, text,
};
use crate::kit::{Nghttpd, Origin, Proxy, Talk, Tunnel, Workshop, curl, need, saved};

const HOST: &str = "mail.contoso.com";
const CHALLENGE: &str = "Bearer client_id=\"00000002-0000-0ff1-ce00-000000000000\", error=\"invalid_token\"";
const DIAGNOSTICS: &str = "2000003;reason=\"The token has expired.\";error_category=\"token_expired\"";

#[test]
fn curl_and_nghttpd_share_a_connection_for_all_requests() {
    let Some((workshop, _server, mut proxy)) = nghttpd(&[]) else { return };
    fs::write(workshop.path("pages/long.txt"), vec![b'x'; 300_000]).unwrap();
    let url = format!("https://{HOST}/long.txt?[1-8]");
    let answer = curl(&proxy, &["--http2", "--parallel", "--no-include", "--write-out", "%{http_version}\n", &url]);
    assert_eq!(answer.code, Some(0), "{}", answer.error);
    assert_eq!(answer.text().matches("2\n").count(), 8, "every answer was one of HTTP/2");
    assert_eq!(answer.text().matches('x').count(), 8 * 300_000);
    let said = proxy.exchanges(8);
    assert!(said.iter().all(|said| said["status"] == 200 && said["error"].is_null()), "{said:?}");
    let mut targets: Vec<_> = said.iter().map(|said| said["url"].as_str().unwrap().to_owned()).collect();
    targets.sort();
    assert_eq!(targets, (1..=8).map(|number| format!("https://{HOST}/long.txt?{number}")).collect::<Vec<_>>());
    assert!(said.iter().all(|other| other["connection"] == said[0]["connection"]), "{said:?}");
    for exchange in end(proxy) {
        assert_eq!(exchange.response.seen().unwrap().message.body.length, 300_000);
    }
}

#[test]
fn bodies_of_requests_and_trailers_of_answers_are_recorded() {
    let Some((workshop, _server, mut proxy)) = nghttpd(&["--echo-upload", "--trailer", "grpc-status: 16"]) else {
        return;
    };
    let body = workshop.path("body");
    fs::write(&body, vec![b'b'; 200_000]).unwrap();
    let data = format!("@{}", body.display());
    let url = format!("https://{HOST}/upload");
    let answer = curl(&proxy, &["--http2", "--data-binary", &data, "-H", "Content-Type: text/plain", &url]);
    assert_eq!((answer.code, answer.status), (Some(0), 200), "{}", answer.error);
    assert!(answer.body.starts_with(&b"b".repeat(200_000)), "{} bytes came back", answer.body.len());
    proxy.exchanges(1);
    let exchange = end(proxy).remove(0);
    let (request, response) = (exchange.request.seen().unwrap(), exchange.response.seen().unwrap());
    assert_eq!((request.body.length, response.message.body.length), (200_000, 200_000));
    let trailers: Vec<_> =
        response.message.trailers.iter().map(|field| (field.name.as_str(), field.value.as_str())).collect();
    assert_eq!(trailers, [("grpc-status", "16")]);
}

#[test]
fn a_host_of_http_1_alone_is_spoken_to_so_on_both_sides() {
    let Some((workshop, _server, mut proxy)) = nghttpd(&[]) else { return };
    // nghttpd speaks HTTP/2 alone; a server of both is needed to see a choice.
    let mut config = (*workshop.authority.server(&[HOST])).clone();
    config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    let origin = Origin::answering(Some(config.into()), |_| b"HTTP/1.1 204 No Content\r\n\r\n".to_vec());
    let both = workshop.proxy_beside("both.authtap", &["--resolve", &origin.resolve(HOST, 443), "--http1", HOST]);
    let url = format!("https://{HOST}/");
    let version = ["--http2", "--output", "/dev/null", "--no-include", "--write-out", "%{http_version}"];
    let answer = curl(&both, &[&version[..], &[&url]].concat());
    assert_eq!((answer.code, answer.text().as_str()), (Some(0), "1.1"), "{}", answer.error);
    let answer = curl(&proxy, &[&version[..], &[&url]].concat());
    assert_eq!((answer.code, answer.text().as_str()), (Some(0), "2"), "{}", answer.error);
    proxy.exchanges(1);
    let alpn = |exchanges: &[Exchange]| {
        let tls = exchanges[0].connection.server.as_ref().unwrap().tls.as_ref().unwrap();
        tls.alpn.as_ref().map(|name| name.as_str().to_owned())
    };
    assert_eq!(alpn(&end(both)).as_deref(), Some("http/1.1"));
    assert_eq!(alpn(&end(proxy)).as_deref(), Some("h2"));
}

#[test]
fn both_streams_arrive_as_they_were_sent_and_a_401_is_explained() {
    let long = "n".repeat(40_000);
    let head = block(&[(":status", "401"), ("WWW-Authenticate", CHALLENGE), ("x-ms-diagnostics", DIAGNOSTICS)]);
    let (first, rest) = head.split_at(20);
    let server = [
        frame(SETTINGS, 0, 0, &[0, 3, 0, 0, 0, 9]),
        frame(SETTINGS, 1, 0, b""),
        response(3, 0, "103", &[("link", "</a>")]),
        frame(0xba, 0xff, 0, b"a frame of no known kind"),
        frame(HEADERS, END_STREAM, 1, first),
        frame(CONTINUATION, 0, 1, &rest[..1]),
        frame(CONTINUATION, END_HEADERS, 1, &rest[1..]),
        response(3, 0, "200", &[]),
        frame(DATA, 8, 3, b"\x04some\0\0\0\0"),
        frame(HEADERS, END_HEADERS | END_STREAM, 3, &block(&[("grpc-status", "0")])),
    ]
    .concat();
    let client = [
        PREFACE.to_vec(),
        frame(SETTINGS, 0, 0, b""),
        request(1, END_STREAM, "GET", "/EWS/Exchange.asmx", &[("authorization", "Bearer ey.Jh.bG")]),
        request(3, 0, "POST", "/upload", &[("x-Odd-CASE", " blanks "), ("x-long", &long)]),
        frame(DATA, END_STREAM, 3, b"words"),
    ]
    .concat();
    let (received, answer, said, exchanges) = converse(&client, &server, 2);
    assert!(received == client, "the server received what the client sent");
    assert!(answer == server, "the client received what the server sent");
    assert_eq!((said[0]["status"].as_u64(), said[0]["verdict"].as_str()), (Some(401), Some("failure")), "{}", said[0]);
    assert_eq!(said[0]["findings"][0], "token-expired", "{}", said[0]);
    assert_eq!(exchanges[1].url.as_ref().unwrap().text().as_str(), format!("https://{HOST}/upload"));
    assert_eq!(exchanges[1].response.seen().unwrap().interim[0].status, 103);
    assert_eq!(exchanges[1].response.seen().unwrap().message.body.length, 4);
    assert!(exchanges.iter().all(|exchange| exchange.error.is_none()));
}

#[test]
fn what_a_server_refuses_is_recorded_in_its_words() {
    let client = [
        PREFACE.to_vec(),
        frame(SETTINGS, 0, 0, b""),
        request(1, END_STREAM, "GET", "/owa/", &[]),
        request(3, END_STREAM, "GET", "/certsrv/", &[]),
        request(5, END_STREAM, "GET", "/busy", &[]),
    ]
    .concat();
    let server = [
        frame(SETTINGS, 0, 0, b""),
        frame(RESET, 0, 3, &13u32.to_be_bytes()),
        frame(RESET, 0, 1, &7u32.to_be_bytes()),
        frame(GO_AWAY, 0, 0, &[0, 0, 0, 3, 0, 0, 0, 11]),
    ]
    .concat();
    let (_, answer, said, exchanges) = converse(&client, &server, 3);
    assert!(answer == server, "the client received what the server sent");
    let words = |number: usize| said[number]["error"]["text"].as_str().unwrap_or_default().to_owned();
    assert!(words(0).contains("REFUSED_STREAM"), "{}", words(0));
    assert!(words(1).contains("HTTP_1_1_REQUIRED"), "{}", words(1));
    assert!(words(2).contains("ENHANCE_YOUR_CALM"), "{}", words(2));
    let kinds: Vec<_> = exchanges.iter().map(|exchange| exchange.error.as_ref().unwrap().kind).collect();
    assert_eq!(kinds, [FailureKind::Reset, FailureKind::Reset, FailureKind::ClosedEarly]);
}

#[test]
fn what_breaks_off_while_one_side_waits_for_the_other_says_so() {
    let client = [
        PREFACE.to_vec(),
        frame(SETTINGS, 0, 0, &[0, 4, 0, 0, 0, 9]),
        request(1, END_STREAM, "GET", "/slow", &[]),
        request(3, END_STREAM, "GET", "/cut", &[]),
    ]
    .concat();
    let server = [
        response(1, 0, "200", &[]),
        frame(DATA, 0, 1, b"nine byte"),
        response(3, 0, "200", &[]),
        frame(DATA, 0, 3, b"fewer"),
    ]
    .concat();
    let (_, _, said, _) = converse(&client, &server, 2);
    let words = |number: usize| said[number]["error"]["text"].as_str().unwrap();
    assert!(words(0).contains("the server waited for the client's leave to send more (flow control)"), "{}", words(0));
    assert!(!words(1).contains("flow control"), "{}", words(1));
}

#[test]
fn what_cannot_be_followed_flows_on_and_says_so() {
    let client = [PREFACE.to_vec(), frame(SETTINGS, 0, 0, b""), request(1, END_STREAM, "GET", "/", &[])].concat();
    let after = frame(DATA, END_STREAM, 1, &[b'x'; 9000]);
    let malformed: [&[u8]; 3] = [
        &frame(CONTINUATION, 0, 1, b"nothing goes on here"),
        &frame(HEADERS, END_HEADERS, 1, b"\x80"),
        &frame(HEADERS, END_HEADERS | 8, 1, &[200, 0]),
    ];
    for bytes in malformed {
        let server = [bytes, &after].concat();
        let (_, answer, said, exchanges) = converse(&client, &server, 1);
        assert!(answer == server, "the client received what the server sent");
        let failure = exchanges[0].error.as_ref().unwrap();
        assert_eq!(failure.kind, FailureKind::NotUnderstood, "{}: {}", bytes.escape_ascii(), said[0]);
    }
}

#[test]
fn a_header_block_that_unpacks_to_hundreds_of_megabytes_is_bounded() {
    // One field of 4000 bytes enters the table; each further byte of the block stands for all of it once more.
    let field = [vec![0x40], text("x-bomb"), text(&"b".repeat(3900))].concat();
    let bomb = [block(&[(":status", "200")]), field, vec![0xbe; 12_000]].concat();
    let client = [
        PREFACE.to_vec(),
        frame(SETTINGS, 0, 0, b""),
        request(1, END_STREAM, "GET", "/bomb", &[]),
        request(3, END_STREAM, "GET", "/after", &[]),
    ]
    .concat();
    let mut server = frame(HEADERS, END_STREAM, 1, &bomb);
    for _ in 0..9 {
        server.extend(frame(CONTINUATION, 0, 1, &[0xbe; 16_000]));
    }
    server.extend(frame(CONTINUATION, END_HEADERS, 1, &[0xbe; 16_000]));
    server.extend(response(3, END_STREAM, "204", &[]));
    let (_, answer, said, exchanges) = converse(&client, &server, 2);
    assert!(answer == server, "the client received what the server sent");
    assert_eq!(exchanges[0].error.as_ref().unwrap().kind, FailureKind::NotUnderstood, "{}", said[0]);
    let kept: usize = exchanges[0].response_fields().iter().map(|field| field.value.as_str().len()).sum();
    assert!(kept < 1 << 20, "{kept} bytes of fields are kept");
    assert_eq!(said[1]["status"], 204, "the next stream is followed: {}", said[1]);
}

/// Plays both sides through a proxy of its own: all of `client`, then all of `server`, then the end. Gives what either
/// side received, and what was said and kept of it.
fn converse(client: &[u8], server: &[u8], count: usize) -> (Vec<u8>, Vec<u8>, Vec<Value>, Vec<Exchange>) {
    let workshop = Workshop::new();
    let mut config = (*workshop.authority.server(&[HOST])).clone();
    config.alpn_protocols = vec![b"h2".to_vec()];
    let (length, answer) = (client.len(), server.to_vec());
    let origin = Origin::talking(Some(config.into()), move |talk: &mut Talk| {
        let mut received = vec![0; length];
        talk.reader().read_exact(&mut received).unwrap();
        talk.note_parts(received, Vec::new());
        talk.send(&answer);
    });
    let mut proxy = workshop.proxy(&["--resolve", &origin.resolve(HOST, 443)]);
    let mut tunnel = Tunnel::offering(&proxy, HOST, &proxy.ca, b"h2");
    tunnel.send(client);
    let answer = tunnel.bytes(server.len());
    assert_eq!(tunnel.reader().read(&mut [0]).unwrap(), 0, "and then the end, in order");
    drop(tunnel);
    let said = proxy.exchanges(count);
    (origin.received().head, answer, said, end(proxy))
}

/// All that the proxy kept.
fn end(proxy: Proxy) -> Vec<Exchange> {
    let session = proxy.session.clone();
    let finished = proxy.stop();
    assert_eq!(finished.code, Some(0), "{}", finished.error());
    saved(&session)
}

/// nghttp2's server with a folder of pages, and this proxy before it; nothing where this machine lacks it.
fn nghttpd(options: &[&str]) -> Option<(Workshop, Nghttpd, Proxy)> {
    if !need(&["curl", "nghttpd"]) {
        return None;
    }
    let workshop = Workshop::new();
    let server = Nghttpd::start(&workshop, &[HOST], options);
    let proxy = workshop.proxy(&["--resolve", &format!("{HOST}:443={}", server.address)]);
    Some((workshop, server, proxy))
}
