//! HTTP that means harm, or that somebody got wrong: everything passes as it was sent, is recorded as what it is, takes
//! bounded memory, and leaves the rest of the traffic alone.

use std::fmt::Write as _;
use std::fs;
use std::io::Read as _;
use std::time::Instant;

use authtap::exchange::{Exchange, FailureKind, Head, Oddity, Unseen};

use crate::kit::frames::{
    CONTINUATION, DATA, END_HEADERS, END_STREAM, HEADERS, PREFACE, RESET, SETTINGS, block, frame, request, response,
};
use crate::kit::{Origin, Proxy, Talk, Tunnel, Workshop, saved};

const HOST: &str = "mail.contoso.com";
const OK: &[u8] = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";
const REFUSED: &[u8] = b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n";

#[test]
fn what_servers_read_differently_arrives_as_it_was_sent_and_is_named() {
    let cases: [(&str, &[u8], &[Oddity]); 12] = [
        (
            "Content-Length: 6\r\nTransfer-Encoding: chunked",
            b"0\r\n\r\nGET /admin HTTP/1.1\r\n\r\n",
            &[Oddity::LengthAndCoding],
        ),
        ("Transfer-Encoding: chunked\r\nContent-Length: 3", b"8\r\nSMUGGLED\r\n0\r\n\r\n", &[Oddity::LengthAndCoding]),
        ("Content-Length: 3\r\nContent-Length: 8", b"abcGET /", &[Oddity::LengthsDiffer]),
        ("Transfer-Encoding: xchunked", b"5\r\nhello\r\n0\r\n\r\n", &[Oddity::ChunkedNotLast]),
        (
            "Transfer-Encoding: chunked\r\nTransfer-Encoding: identity",
            b"5\r\nhello\r\n0\r\n\r\n",
            &[Oddity::CodingRepeated, Oddity::ChunkedNotLast],
        ),
        ("Transfer-Encoding : chunked", b"5\r\nhello\r\n0\r\n\r\n", &[Oddity::SpaceBeforeColon]),
        ("X-A: 1\r\n Transfer-Encoding: chunked\r\nContent-Length: 0", b"", &[Oddity::FoldedField]),
        ("X-A: 1\nContent-Length: 0", b"", &[Oddity::BareLineFeed]),
        ("X-A: 1\rContent-Length: 9", b"", &[Oddity::ControlByte]),
        ("X-A: \0\r\nContent-Length: 0", b"", &[Oddity::ControlByte]),
        ("Host: admin.contoso.com\r\nContent-Length: 0", b"", &[Oddity::HostsDiffer]),
        ("Transfer-Encoding: chunked", b"5 \r\nhello\r\n0\r\n\r\n", &[Oddity::ChunkLine]),
    ];
    let sent: Vec<Vec<u8>> = cases
        .iter()
        .map(|(fields, body, _)| {
            [format!("POST /odd HTTP/1.1\r\nHost: {HOST}\r\n{fields}\r\n\r\n").as_bytes(), body].concat()
        })
        .collect();
    let lengths: Vec<usize> = sent.iter().map(Vec::len).collect();
    let stage = Stage::new(b"http/1.1", move |number| lengths.get(number).copied(), |_| REFUSED.to_vec());
    for bytes in &sent {
        stage.converse(bytes, REFUSED);
    }
    let exchanges = stage.end();
    for ((fields, _, odd), connection) in cases.iter().zip(by_connection(&exchanges)) {
        let exchange = connection[0];
        let seen = exchange.request.seen().unwrap().odd;
        for oddity in *odd {
            assert!(seen.has(*oddity), "{fields:?} is {:?}", seen.codes());
        }
        assert_eq!(exchange.status(), Some(400), "{fields:?}: the answer that refuses it is there");
        let lost = exchange.error.as_ref().map(|error| error.kind);
        assert!(matches!(lost, None | Some(FailureKind::NotUnderstood)), "{fields:?}: {lost:?}");
    }
    let smuggled = by_connection(&exchanges)[0][1];
    assert_eq!(smuggled.url.as_ref().unwrap().path(), "/admin", "where the coding counts, a second request follows");
}

#[test]
fn a_head_of_a_megabyte_and_ten_thousand_fields_are_bounded_and_said() {
    let long = format!("GET /long HTTP/1.1\r\nHost: {HOST}\r\nX-Long: {}\r\n\r\n", "a".repeat(1 << 20));
    let mut many = format!("GET /many HTTP/1.1\r\nHost: {HOST}\r\n");
    for number in 0..10_000 {
        write!(many, "X-{number}: a\r\n").unwrap();
    }
    many.push_str("\r\n");
    let sent = [long, many];
    let lengths = sent.each_ref().map(String::len);
    let refusal: &[u8] = b"HTTP/1.1 431 Request Header Fields Too Large\r\nContent-Length: 0\r\n\r\n";
    let stage = Stage::new(b"http/1.1", move |number| lengths.get(number).copied(), |_| refusal.to_vec());
    for head in &sent {
        stage.converse(head.as_bytes(), refusal);
    }
    let exchanges = stage.end();
    assert_eq!(exchanges.len(), 2);
    for (exchange, path) in exchanges.iter().zip(["/long", "/many"]) {
        assert_eq!((exchange.status(), exchange.url.as_ref().unwrap().path()), (Some(431), path));
        let request = exchange.request.seen().unwrap();
        assert_eq!(request.head, Head::Excerpt, "{path}");
        assert!(request.fields.len() <= 2000, "{path} has {} fields", request.fields.len());
    }
    assert_eq!(exchanges[0].error.as_ref().unwrap().kind, FailureKind::NotUnderstood);
    assert_eq!(exchanges[1].error, None, "the framing of many fields is no riddle");
}

#[test]
fn bad_chunks_and_garbage_pass_and_are_recorded_while_others_are_served() {
    let garbage: Vec<u8> = (0..1_u32 << 20).map(|at| (at.wrapping_mul(2_654_435_761) >> 13) as u8).collect();
    let chunks = |body: &[u8]| [b"POST /chunks HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n", body].concat();
    let sent = [
        chunks(b"zz\r\nhello"),
        chunks(b"FFFFFFFFFFFFFFFFF\r\nhello"),
        chunks(b"-5\r\nhello"),
        chunks(&vec![b'1'; 100_000]),
        chunks(b"5\r\nhello and more\r\n0\r\n\r\n"),
        [b"GET /garbage HTTP/1.1\r\n", &garbage[..]].concat(),
        garbage.clone(),
    ];
    let lengths = sent.each_ref().map(Vec::len);
    let stage = Stage::new(b"http/1.1", move |number| lengths.get(number).copied(), |_| REFUSED.to_vec());
    for bytes in &sent {
        stage.converse(bytes, REFUSED);
    }
    let exchanges = stage.end();
    let connections = by_connection(&exchanges);
    assert_eq!(connections.len(), sent.len(), "each is recorded");
    for (number, connection) in connections.iter().enumerate() {
        let failure = connection[0].error.as_ref().unwrap_or_else(|| panic!("number {number} is no failure"));
        assert_eq!(failure.kind, FailureKind::NotUnderstood, "number {number}");
        assert_eq!(connection[0].status(), Some(400), "number {number}: the answer was understood");
    }
    assert_eq!(connections[6][0].request.unseen(), Some(Unseen::NotUnderstood));
}

#[test]
fn malformed_frames_and_floods_of_http_2_are_bounded() {
    let opening = [PREFACE.to_vec(), frame(SETTINGS, 0, 0, b"")].concat();
    let head = block(&[(":method", "GET"), (":scheme", "https"), (":path", "/flood"), (":authority", HOST)]);
    let mut flood = [opening.clone(), frame(HEADERS, END_STREAM, 1, &head)].concat();
    for _ in 0..300 {
        flood.extend(frame(CONTINUATION, 0, 1, &[0x82; 16_000]));
    }
    let mut empty = [opening.clone(), frame(HEADERS, END_STREAM, 1, &head)].concat();
    (0..50_000).for_each(|_| empty.extend(frame(CONTINUATION, 0, 1, b"")));
    empty.extend(frame(CONTINUATION, END_HEADERS, 1, b""));
    let mut rapid = opening.clone();
    for stream in (1..8001).step_by(2) {
        rapid.extend(request(stream, END_STREAM, "GET", "/rapid", &[]));
        rapid.extend(frame(RESET, 0, stream, &8_u32.to_be_bytes()));
    }
    let mut crowd = opening.clone();
    (1..10_001).step_by(2).for_each(|stream| crowd.extend(request(stream, 0, "GET", "/crowd", &[])));
    let bomb = [
        block(&[(":method", "GET"), (":path", "/bomb")]),
        vec![0x40, 1, b'a', 0x7f, 0xa1, 0x1e],
        vec![b'b'; 4000],
        vec![0xbe; 12_000],
    ]
    .concat();
    let malformed: Vec<Vec<u8>> = vec![
        flood,
        empty,
        rapid,
        crowd,
        [opening.clone(), frame(HEADERS, END_HEADERS | END_STREAM, 1, &bomb)].concat(),
        [opening.clone(), frame(HEADERS, END_HEADERS | 8, 1, &[250, 0])].concat(),
        [opening.clone(), frame(DATA, 8, 1, &[9])].concat(),
        [opening.clone(), frame(HEADERS, END_HEADERS, 1, b"\xff\xff\xff\xff\xff\xff\xff")].concat(),
        [
            opening.clone(),
            frame(SETTINGS, 0, 0, &[0, 1, 0xff, 0xff, 0xff, 0xff]),
            frame(0x0d, 0xff, 0x7fff_ffff, &[7; 9000]),
        ]
        .concat(),
        b"GET / HTTP/1.1\r\nHost: mail.contoso.com\r\n\r\n".to_vec(),
    ];
    let answer = [frame(SETTINGS, 0, 0, b""), response(1, END_STREAM, "400", &[])].concat();
    let (lengths, answered): (Vec<usize>, _) = (malformed.iter().map(Vec::len).collect(), answer.clone());
    let stage = Stage::new(b"h2", move |number| lengths.get(number).copied(), move |_| answered.clone());
    let before = Instant::now();
    for bytes in &malformed {
        stage.converse(bytes, &answer);
    }
    assert!(before.elapsed() < crate::kit::DEADLINE, "what is bounded ends");
    let exchanges = stage.end();
    let texts: Vec<&str> =
        exchanges.iter().filter_map(|one| one.error.as_ref()).map(|error| error.text.as_str()).collect();
    for said in [
        "longer than 1 MiB",
        "more than 4096 streams",
        "CANCEL",
        "HTTP/1 came on a connection that had agreed on HTTP/2",
        "the message head is longer",
        "is not HTTP/2",
        "cannot be decoded",
    ] {
        assert!(texts.iter().any(|text| text.contains(said)), "nothing says {said:?}");
    }
    let of = |path: &str| exchanges.iter().filter(|one| one.url.as_ref().is_some_and(|url| url.path() == path)).count();
    assert_eq!((of("/rapid"), of("/crowd"), of("/bomb")), (4000, 5000, 1), "none is dropped in silence");
}

#[test]
fn a_server_that_answers_http_1_where_http_2_was_agreed_is_named() {
    let client = [PREFACE.to_vec(), frame(SETTINGS, 0, 0, b""), request(1, END_STREAM, "GET", "/owa", &[])].concat();
    let length = client.len();
    let stage = Stage::new(b"h2", move |number| (number == 0).then_some(length), |_| REFUSED.to_vec());
    stage.converse(&client, REFUSED);
    let exchange = stage.end().remove(0);
    assert_eq!(exchange.url.as_ref().unwrap().path(), "/owa");
    let failure = exchange.error.unwrap();
    assert!(
        failure.text.as_str().contains("HTTP/1 came on a connection that had agreed on HTTP/2"),
        "{}",
        failure.text
    );
    assert_eq!((failure.side.code(), exchange.response.unseen()), ("server", Some(Unseen::NotUnderstood)));
}

#[test]
fn what_a_server_sends_too_much_passes_and_the_answers_after_it_are_read() {
    // A body to HEAD, one with 304, empty lines; then an answer as it should be.
    let answers: &[u8] = b"HTTP/1.1 200 OK\r\nContent-Length: 26\r\n\r\n<html>HTTP/1.1 500</html>\r\n\
        HTTP/1.1 304 Not Modified\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\n\r\n\r\n\r\n\
        HTTP/1.1 401 Unauthorized\r\nWWW-Authenticate: NTLM\r\nContent-Length: 0\r\n\r\n";
    let requests: &[u8] = b"HEAD /1 HTTP/1.1\r\nHost: mail.contoso.com\r\n\r\n\
        GET /2 HTTP/1.1\r\nHost: mail.contoso.com\r\n\r\nGET /3 HTTP/1.1\r\nHost: mail.contoso.com\r\n\r\n";
    let stage = Stage::new(b"http/1.1", |_| Some(requests.len()), |_| answers.to_vec());
    stage.converse(requests, answers);
    let exchanges = stage.end();
    let seen: Vec<_> = exchanges
        .iter()
        .map(|exchange| {
            let surplus = exchange.response.seen().unwrap().message.odd.has(Oddity::Surplus);
            (exchange.url.as_ref().unwrap().path(), exchange.status().unwrap(), surplus, exchange.error.is_none())
        })
        .collect();
    assert_eq!(seen, [("/1", 200, true, true), ("/2", 304, true, true), ("/3", 401, false, true)]);
}

/// A proxy before a server that reads so many bytes of each connection as it is told, answers, and closes when the
/// client does; and a connection of somebody else that goes on all the while.
struct Stage {
    proxy: Proxy,
    origin: Origin,
    bystander: std::cell::RefCell<Tunnel>,
    protocol: &'static [u8],
    _other: Origin,
    _workshop: Workshop,
}

const OTHER: &str = "other.contoso.com";

/// More memory than this no harm can do: a debug build at rest has 40 MiB.
const MEMORY: u64 = 160 << 20;

impl Stage {
    fn new(
        protocol: &'static [u8],
        length: impl Fn(usize) -> Option<usize> + Send + Sync + 'static,
        answer: impl Fn(usize) -> Vec<u8> + Send + Sync + 'static,
    ) -> Self {
        let workshop = Workshop::new();
        let mut config = (*workshop.authority.server(&[HOST])).clone();
        config.alpn_protocols = vec![protocol.to_vec()];
        let origin = Origin::talking(Some(config.into()), move |talk: &mut Talk| {
            let number = talk.connection();
            let Some(length) = length(number) else { return };
            let mut received = vec![0; length];
            talk.reader().read_exact(&mut received).unwrap();
            talk.note_parts(received, Vec::new());
            talk.send(&answer(number));
            let _ = talk.reader().read(&mut [0]);
        });
        let other = Origin::answering(Some(workshop.authority.server(&[OTHER])), |_| OK.to_vec());
        let proxy = workshop.proxy(&["--resolve", &origin.resolve(HOST, 443), "--resolve", &other.resolve(OTHER, 443)]);
        let bystander = Tunnel::open(&proxy, OTHER).into();
        Self { proxy, origin, bystander, protocol, _other: other, _workshop: workshop }
    }

    /// Sends `bytes` over a new connection; both byte streams arrive as they were sent, and somebody else is served.
    fn converse(&self, bytes: &[u8], answer: &[u8]) {
        let mut tunnel = Tunnel::offering(&self.proxy, HOST, &self.proxy.ca, self.protocol);
        for piece in bytes.chunks(50_000) {
            tunnel.send(piece);
        }
        assert!(tunnel.bytes(answer.len()) == answer, "the client received what the server sent");
        assert!(self.origin.received().head == bytes, "the server received what the client sent");
        let mut bystander = self.bystander.borrow_mut();
        bystander.send(format!("GET /bystander HTTP/1.1\r\nHost: {OTHER}\r\n\r\n").as_bytes());
        let head = bystander.head().unwrap();
        assert_eq!([head.clone(), bystander.body(&head)].concat(), OK);
    }

    /// What was recorded of the connections to the server, in their order.
    fn end(self) -> Vec<Exchange> {
        let peak = peak_memory(self.proxy.id());
        assert!(peak < MEMORY, "{} MiB were resident", peak >> 20);
        let session = self.proxy.session.clone();
        assert_eq!(self.proxy.stop().code, Some(0));
        let mut exchanges = saved(&session);
        let before = exchanges.len();
        exchanges.retain(|exchange| {
            let bystander = exchange.url.as_ref().is_some_and(|url| url.host() == OTHER);
            assert!(
                !bystander || (exchange.status(), &exchange.error) == (Some(200), &None),
                "the bystander was served"
            );
            !bystander
        });
        assert!(before > exchanges.len(), "the bystander is there");
        exchanges
    }
}

fn by_connection(exchanges: &[Exchange]) -> Vec<Vec<&Exchange>> {
    let mut sorted: Vec<&Exchange> = exchanges.iter().collect();
    sorted.sort_by_key(|exchange| (exchange.connection.id, exchange.id));
    sorted.chunk_by(|one, other| one.connection.id == other.connection.id).map(<[_]>::to_vec).collect()
}

/// The most memory that the process ever had resident; nothing where the system does not say.
fn peak_memory(process: u32) -> u64 {
    let status = fs::read_to_string(format!("/proc/{process}/status")).unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap_or("0 kB");
    line.trim().trim_end_matches(" kB").trim().parse::<u64>().unwrap() * 1024
}
