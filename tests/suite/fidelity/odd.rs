//! What generated conversations do not have: resets, protocols that take over a connection, and exchanges that take
//! hours, of which each byte has to arrive before the next is sent.

use std::net::{TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread;
use std::time::Instant;

use authtap::exchange::SocketKind::{Binary, Close, Ping, Text};
use authtap::exchange::{Exchange, FailureKind, SocketMessage};
use authtap::redact::{Content, Redactor};
use authtap::session::Session;
use flate2::{Compress, Compression, FlushCompress};

use super::line::{Ended, Line};
use super::{Way, trusting};
use crate::kit::{DEADLINE, Proxy, Workshop, saved};

const HOST: &str = "mail.contoso.com";
const WAYS: [Way; 3] = [Way::Tls, Way::Plain, Way::Absolute];

#[test]
fn a_reset_of_either_side_is_passed_on_as_a_reset() {
    let mut stage = Stage::new();
    for way in WAYS {
        let (mut client, mut server) = stage.connect(way, "PUT", "/reset", "Content-Length: 10\r\n\r\nhalf");
        server.send(b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf").unwrap();
        assert!(client.read(43).ends_with(b"half"));
        server.reset();
        assert_eq!(client.end(), (Vec::new(), Ended::Reset), "to the client, {way:?}");
        let (client, mut server) = stage.connect(way, "PUT", "/given-up", "Content-Length: 10\r\n\r\nhalf");
        client.reset();
        assert_eq!(server.end(), (Vec::new(), Ended::Reset), "to the server, {way:?}");
    }
    for exchange in stage.end() {
        assert_eq!(exchange.error.as_ref().unwrap().kind, FailureKind::Reset, "{:?}", exchange.url);
        let from = if exchange.url.as_ref().unwrap().path() == "/reset" { "server" } else { "client" };
        assert_eq!(exchange.error.as_ref().unwrap().side.code(), from);
    }
}

#[test]
fn every_byte_of_what_trickles_for_hours_is_passed_on_at_once_and_shown_so_far() {
    let mut stage = Stage::new();
    let mut open = Vec::new();
    for way in WAYS {
        // Outlook Anywhere: a request of a gigabyte that is never sent whole, and an answer that never ends.
        let (mut client, mut server) = stage.connect(way, "RPC_IN_DATA", "/rpc", "Content-Length: 1073741824\r\n\r\n");
        trickle(&mut client, &mut server, &[5; 100]);
        open.push((client, server));
        let (mut client, mut server) = stage.connect(way, "RPC_OUT_DATA", "/rpc", "Content-Length: 0\r\n\r\n");
        trickle(&mut server, &mut client, b"HTTP/1.1 200 Success\r\nContent-Length: 1073741824\r\n\r\n");
        trickle(&mut server, &mut client, &[5; 100]);
        open.push((client, server));
        // MAPI over HTTP says that it is still at it; EWS streams in chunks.
        let (mut client, mut server) = stage.connect(way, "POST", "/mapi/emsmdb", "Content-Length: 0\r\n\r\n");
        trickle(&mut server, &mut client, b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n");
        for word in [&b"c\r\nPROCESSING\r\n\r\n"[..], b"9\r\nPENDING\r\n\r\n", b"9\r\nPENDING\r\n\r\n"] {
            trickle(&mut server, &mut client, word);
        }
        open.push((client, server));
        // ActiveSync's Ping has no answer for half an hour.
        open.push(stage.connect(way, "POST", "/Microsoft-Server-ActiveSync", "Content-Length: 0\r\n\r\n"));
    }
    let session = Session::open(&stage.proxy.session, &Redactor::new()).unwrap();
    let before = Instant::now() + DEADLINE;
    let kept = loop {
        let kept: Vec<Exchange> = session.exchanges().map(Result::unwrap).collect();
        if kept.len() == open.len() {
            break kept;
        }
        assert!(Instant::now() < before, "{} rows of {}", kept.len(), open.len());
        thread::yield_now();
    };
    for exchange in &kept {
        assert!(exchange.running && exchange.error.is_none(), "{exchange:?}");
        let sent = exchange.request.seen().unwrap().body.length;
        let answered = exchange.response.seen().map(|response| response.message.body.length);
        let expected = match (exchange.method.as_ref().unwrap().as_str(), exchange.url.as_ref().unwrap().path()) {
            ("RPC_IN_DATA", _) => (100, None),
            ("RPC_OUT_DATA", _) => (0, Some(100)),
            (_, "/mapi/emsmdb") => (0, Some(30)),
            _ => (0, None),
        };
        assert_eq!((sent, answered), expected, "{:?}", exchange.url);
    }
}

#[test]
fn messages_of_websockets_arrive_as_they_were_sent_and_are_read() {
    let mut stage = Stage::new();
    let frame = |first: u8, mask: bool, payload: &[u8]| {
        let key = if mask { vec![1, 2, 3, 4] } else { Vec::new() };
        let masked = payload.iter().enumerate().map(|(at, byte)| byte ^ key.get(at % 4).unwrap_or(&0)).collect();
        [vec![first, payload.len() as u8 | if mask { 0x80 } else { 0 }], key, masked].concat()
    };
    let hello = b"{\"protocol\":\"json\",\"version\":1}";
    let from_client = [
        frame(0x01, true, b"{\"access_token\":"),
        frame(0x89, true, b""),
        frame(0x80, true, b"\"Synth-Tok-1\"}"),
        frame(0x82, true, &[0; 9]),
    ]
    .concat();
    for way in WAYS {
        let mut compress = Compress::new(Compression::default(), false);
        let mut deflated = |text: &[u8]| {
            let mut out = Vec::with_capacity(200);
            compress.compress_vec(text, &mut out, FlushCompress::Sync).unwrap();
            out.truncate(out.len() - 4);
            out
        };
        let from_server = [
            frame(0xc1, false, &deflated(hello)),
            frame(0xc1, false, &deflated(hello)),
            frame(0x88, false, b"\x03\xf0not you"),
        ]
        .concat();
        let (mut client, mut server) =
            stage.connect(way, "GET", "/signalr", "Upgrade: websocket\r\nConnection: Upgrade\r\n\r\n");
        let answer = b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Extensions: permessage-deflate\r\n\r\n";
        server.send(answer).unwrap();
        assert!(client.read(answer.len()) == answer);
        trickle(&mut client, &mut server, &from_client);
        trickle(&mut server, &mut client, &from_server);
        server.half_close();
        assert_eq!(client.end().1, Ended::InOrder);
        client.half_close();
        assert_eq!(server.end().1, Ended::InOrder);
    }
    let exchanges = stage.end();
    assert_eq!(exchanges.len(), WAYS.len());
    for exchange in exchanges {
        assert_eq!((exchange.status(), &exchange.error), (Some(101), &None));
        let socket = exchange.response.seen().unwrap().socket.clone().unwrap();
        let kinds: Vec<_> = socket.messages.iter().map(|message| (message.side.code(), message.kind)).collect();
        let expected = [
            ("client", Ping),
            ("client", Text),
            ("client", Binary),
            ("server", Text),
            ("server", Text),
            ("server", Close),
        ];
        assert_eq!(kinds, expected);
        let text = |message: &SocketMessage| match &message.body.content {
            Content::Text { text, .. } => text.as_str().to_owned(),
            _ => String::new(),
        };
        assert!(
            text(&socket.messages[1]).starts_with("{\"access_token\":") && !text(&socket.messages[1]).contains("Synth")
        );
        assert_eq!([3, 4].map(|at| text(&socket.messages[at])), ["{\"protocol\":\"json\",\"version\":1}"; 2]);
        assert_eq!((socket.messages[5].code, text(&socket.messages[5]).as_str()), (Some(1008), "not you"));
    }
}

#[test]
fn a_connection_that_another_protocol_takes_over_carries_any_bytes() {
    let mut stage = Stage::new();
    for way in WAYS {
        let (mut client, mut server) = stage.connect(way, "GET", "/h2c", "Upgrade: h2c\r\nConnection: Upgrade\r\n\r\n");
        let answer = b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: h2c\r\n\r\n\0\0\0\x04\0\0\0\0\0";
        server.send(answer).unwrap();
        assert!(client.read(answer.len()) == answer);
        trickle(&mut client, &mut server, b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\xff\0\x01");
        client.half_close();
        assert_eq!(server.end(), (Vec::new(), Ended::InOrder), "a half-close, {way:?}");
        server.send(b"and the other side goes on").unwrap();
        assert_eq!(client.read(26), b"and the other side goes on");
        server.half_close();
        assert_eq!(client.end().1, Ended::InOrder);
    }
    for exchange in stage.end() {
        assert_eq!((exchange.status(), &exchange.error), (Some(101), &None));
        assert_eq!(exchange.response.seen().unwrap().message.body.length, 9 + 26);
        assert_eq!(exchange.request.seen().unwrap().body.length, 27);
    }
}

/// Sends byte by byte; each has come before the next is sent.
fn trickle(from: &mut Line, to: &mut Line, bytes: &[u8]) {
    for (at, byte) in bytes.iter().enumerate() {
        from.send(&[*byte]).unwrap();
        assert_eq!(to.read(1), [*byte], "byte {at} of {}", bytes.escape_ascii());
    }
}

/// A proxy, and a server whose connections are handed out.
struct Stage {
    proxy: Proxy,
    trust: Arc<rustls::ClientConfig>,
    accepting: (Sender<Way>, Receiver<Line>),
    _workshop: Workshop,
}

impl Stage {
    fn new() -> Self {
        let workshop = Workshop::new();
        let server = workshop.authority.server(&[HOST]);
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let resolve = [443, 80].map(|port| format!("{HOST}:{port}={address}"));
        let proxy = workshop.proxy(&["--resolve", &resolve[0], "--resolve", &resolve[1]]);
        let trust = trusting(&proxy.ca);
        let (ways, next) = channel();
        let (accepted, lines) = channel();
        thread::spawn(move || {
            for way in next {
                let line = Line::plain(listener.accept().unwrap().0);
                let line = if way == Way::Tls { line.server(&server).shaken() } else { line };
                let _ = accepted.send(line);
            }
        });
        Self { proxy, trust, accepting: (ways, lines), _workshop: workshop }
    }

    /// Both ends of a connection over which a request has passed.
    fn connect(&mut self, way: Way, method: &str, path: &str, rest: &str) -> (Line, Line) {
        self.accepting.0.send(way).unwrap();
        let mut client = Line::plain(TcpStream::connect(self.proxy.address).unwrap());
        if way != Way::Absolute {
            let port = if way == Way::Tls { 443 } else { 80 };
            client.send(format!("CONNECT {HOST}:{port} HTTP/1.1\r\n\r\n").as_bytes()).unwrap();
            client.head();
        }
        if way == Way::Tls {
            client = client.client(&self.trust, HOST);
        }
        let origin = if way == Way::Absolute { "http://mail.contoso.com" } else { "" };
        client.send(format!("{method} {origin}{path} HTTP/1.1\r\nHost: {HOST}\r\n{rest}").as_bytes()).unwrap();
        let mut server = self.accepting.1.recv().expect("the proxy connects to the server");
        let expected = format!("{method} {path} HTTP/1.1\r\nHost: {HOST}\r\n{rest}");
        assert_eq!(String::from_utf8_lossy(&server.read(expected.len())), expected);
        (client, server)
    }

    fn end(self) -> Vec<Exchange> {
        let session = self.proxy.session.clone();
        assert_eq!(self.proxy.stop().code, Some(0));
        saved(&session)
    }
}
