//! Recordings, and what a client gets out of them.

#![allow(clippy::unwrap_used, clippy::panic)]

use std::io::Write;
use std::sync::Arc;

use tempfile::TempDir;
use tokio::io::AsyncWriteExt;

use super::*;
use crate::exchange::{Connection, Recorder, Setting, Step as Doing, Timestamp};
use crate::proxy::answer::respond::{Piece, Responder};
use crate::proxy::stage::{Stage, read_head};
use crate::redact::{Bindings, Body, Content, Redactor};
use crate::session::{Mode, Writer};
use crate::wire::Fields;

/// A recording in the making.
struct Recording {
    folder: TempDir,
    writer: Writer,
    redactor: Redactor,
}

impl Recording {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let redactor = Redactor::new();
        let writer = Writer::begin(&folder.path().join("a.authtap"), Mode::Forward, &redactor).unwrap();
        Self { folder, writer, redactor }
    }

    /// One connection to `mail.contoso.com`, and what passed over it.
    fn connection(self, talk: &[(&str, &[u8])]) -> Self {
        let mut recorder = Recorder::new(Setting {
            redactor: self.redactor.clone(),
            connection: Arc::new(Connection { id: self.writer.ids().connection(), ..Connection::default() }),
            ids: self.writer.ids(),
            scheme: "https",
            authority: Some(b"mail.contoso.com".to_vec()),
            body_limit: 1 << 20,
            own: false,
            bindings: Bindings::UNKNOWN,
        });
        for (request, response) in talk {
            recorder.request_bytes(request.as_bytes(), Timestamp(0));
            recorder.response_bytes(response, Timestamp(0));
        }
        recorder.close(None, Timestamp(0));
        for draft in recorder.finished() {
            self.writer.append(Arc::new(draft.finish()));
        }
        self
    }

    fn exchange(self, exchange: Exchange) -> Self {
        self.writer.append(Arc::new(Exchange { id: self.writer.ids().exchange(), ..exchange }));
        self
    }

    fn replay(self) -> Replay {
        self.staged(Staging::default())
    }

    fn staged(self, staging: Staging) -> Replay {
        let path = self.writer.path().to_owned();
        assert_eq!(self.writer.close().lost, 0);
        let (replay, gaps) = Replay::new(Session::open(&path, &Redactor::new()).unwrap(), staging, None);
        assert_eq!(gaps, []);
        drop(self.folder);
        replay
    }
}

fn ask_on(replay: &Replay, connection: u32, request: &str) -> Answer {
    let redactor = Redactor::new();
    let (line, fields) = request.split_once("\r\n").unwrap();
    let (method, rest) = line.split_once(' ').unwrap();
    let path = rest.strip_suffix(" HTTP/1.1").unwrap();
    replay.respond(&Request {
        connection,
        method: &redactor.wire().token(method.as_bytes()),
        url: &redactor.wire().url(format!("https://mail.contoso.com{path}").as_bytes()),
        fields: &redactor.wire().fields(Fields::new(fields.as_bytes())),
        body: &Body { length: 0, content: Content::Empty },
    })
}

fn ask(replay: &Replay, request: &str) -> String {
    text(&ask_on(replay, 1, request))
}

/// All that an answer sends.
fn text(answer: &Answer) -> String {
    let bytes: Vec<u8> = answer.pieces.iter().flat_map(|piece| piece.bytes.clone()).collect();
    String::from_utf8_lossy(&bytes).into_owned()
}

fn get(path: &str) -> String {
    format!("GET {path} HTTP/1.1\r\nHost: mail.contoso.com\r\n\r\n")
}

#[test]
fn a_head_is_sent_as_it_was_recorded() {
    let response = "HTTP/1.1 401 Nicht gew\u{e4}hrt\r\nsErVer: Microsoft-IIS/10.0\r\nContent-Length: 0\r\nX-FEServer: EX01\r\n\
        WWW-Authenticate: Negotiate\r\nWww-Authenticate: NTLM\r\nWWW-Authenticate: Basic realm=\"mail.contoso.com\"\r\nX-Powered-By: ASP.NET\r\n\tagain\r\n\
        X-Empty:\r\nDate: Thu, 16 Nov 2017 20:37:48 GMT\r\n\r\n";
    let replay = Recording::new().connection(&[(&get("/a"), response.as_bytes())]).replay();
    let answer = ask_on(&replay, 1, &get("/a"));
    let expected = response.replace("X-Empty:\r\n", "X-Empty: \r\n");
    assert_eq!(text(&answer), expected);
    assert!(answer.failure.is_none() && !answer.close);
}

#[test]
fn bodies_are_framed_as_they_were_and_made_to_fit() {
    let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
    gzip.write_all(b"{\"ok\":true}").unwrap();
    let zipped = gzip.finish().unwrap();
    let head = format!(
        "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Encoding: gzip\r\nContent-Length: {}\r\n\r\n",
        zipped.len()
    );
    let zipped = [head.as_bytes(), &zipped].concat();
    let replay = Recording::new()
        .connection(&[
            (&get("/gzip"), &zipped),
            (
                &get("/chunked"),
                b"HTTP/1.1 404 Not Found\r\nTransfer-Encoding: chunked\r\nContent-Type: text/plain\r\n\r\n3;a=b\r\nabc\r\n3\r\ndef\r\n\
                  0\r\nX-Trailer: 1\r\n\r\n",
            ),
            (&get("/binary"), b"HTTP/1.1 200 OK\r\nContent-Type: image/png\r\nContent-Length: 4\r\n\r\n\x89PNG"),
            (
                &get("/mapi"),
                b"HTTP/1.1 200 OK\r\nContent-Type: application/mapi-http\r\nContent-Length: 16\r\n\r\n\
                  DONE\r\n\r\n\0\0\0\0\x05\0\x07\x80",
            ),
            (&get("/204"), b"HTTP/1.1 204 No Content\r\nX-A: 1\r\n\r\n"),
            (&get("/304"), b"HTTP/1.1 304 Not Modified\r\nContent-Length: 71\r\n\r\n"),
            (&get("/head").replace("GET", "HEAD"), b"HTTP/1.1 200 OK\r\nContent-Length: 71\r\n\r\n"),
            (&get("/hint"), b"HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"),
            (
                &get("/utf16"),
                b"HTTP/1.1 403 Forbidden\r\nContent-Type: text/plain; charset=utf-16le\r\nContent-Length: 4\r\n\r\nh\0i\0",
            ),
        ])
        .connection(&[(&get("/close"), b"HTTP/1.1 500 No\r\nContent-Type: text/plain\r\n\r\nto the end")])
        .replay();
    assert_eq!(
        ask(&replay, &get("/gzip")),
        "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 11\r\n\r\n{\"ok\":true}"
    );
    assert_eq!(
        ask(&replay, &get("/chunked")),
        "HTTP/1.1 404 Not Found\r\nTransfer-Encoding: chunked\r\nContent-Type: text/plain\r\n\r\n6\r\nabcdef\r\n0\r\nX-Trailer: 1\r\n\r\n"
    );
    assert!(ask(&replay, &get("/binary")).ends_with("Content-Length: 4\r\n\r\n    "));
    let blanks = format!("Content-Length: 16\r\n\r\n{}", " ".repeat(16));
    assert!(ask(&replay, &get("/mapi")).ends_with(&blanks));
    assert_eq!(ask(&replay, &get("/204")), "HTTP/1.1 204 No Content\r\nX-A: 1\r\n\r\n");
    assert!(ask(&replay, &get("/304")).ends_with("Content-Length: 71\r\n\r\n"));
    assert!(ask(&replay, &get("/head").replace("GET", "HEAD")).ends_with("Content-Length: 71\r\n\r\n"));
    assert!(
        ask(&replay, &get("/hint")).starts_with("HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\nHTTP/1.1 200 OK\r\n")
    );
    assert!(ask(&replay, &get("/utf16")).ends_with("Content-Length: 4\r\n\r\nh\0i\0"));
    let close = ask_on(&replay, 1, &get("/close"));
    assert!(close.close && text(&close).ends_with("Connection: close\r\n\r\nto the end"));
}

#[test]
fn the_dance_of_a_client_happens_again() {
    let empty = get("/EWS/").replace("\r\n\r\n", "\r\nAuthorization: Bearer\r\n\r\n");
    let token =
        get("/EWS/").replace("\r\n\r\n", "\r\nAuthorization: Bearer abcdefghijklmnopqrstuvwxyz0123456789\r\n\r\n");
    let refused = b"HTTP/1.1 401 Unauthorized\r\nContent-Length: 0\r\n\r\n";
    let replay = Recording::new()
        .connection(&[(&empty, refused), (&token, b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")])
        .replay();
    let fresh = token.replace("abcdef", "zyxwvu");
    let status = |connection, request: &str| text(&ask_on(&replay, connection, request))[9..12].to_owned();
    let got: Vec<_> = [1, 2].into_iter().flat_map(|client| [status(client, &empty), status(client, &fresh)]).collect();
    assert_eq!(got, ["401", "200", "401", "200"]);
    replay.closed(1);
}

#[test]
fn a_request_that_is_not_in_the_session_is_told_so() {
    let replay = Recording::new().connection(&[(&get("/a"), b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")]).replay();
    let unknown = ask_on(&replay, 1, &get("/b"));
    let text = text(&unknown);
    assert!(text.starts_with("HTTP/1.1 502 "), "{text}");
    let nearest = "The nearest that was recorded: GET https://mail.contoso.com/a, with no credentials.";
    assert!(text.contains(nearest), "{text}");
    assert!(text.contains("GET https://mail.contoso.com/b") && text.contains("no request with this method"), "{text}");
    let (head, body) = text.split_once("\r\n\r\n").unwrap();
    assert!(head.contains(&format!("Content-Length: {}\r\n", body.len())), "{head}");
    let failure = unknown.failure.unwrap();
    assert_eq!((failure.side, failure.kind), (Side::Proxy, FailureKind::NotInSession));
    let basic = get("/a").replace("\r\n\r\n", "\r\nAuthorization: Basic YXZlcnk6U3ludGgtUHctMQ==\r\n\r\n");
    let text = ask(&replay, &basic);
    assert!(
        text.contains("carries Basic credentials; in the session this URL was asked with no credentials."),
        "{text}"
    );
    assert!(!ask(&replay, &get("/b").replace("GET", "HEAD")).contains("Record the session"));
}

#[test]
fn says_why_an_answer_is_missing_in_the_recording() {
    let redactor = Redactor::new();
    let exchange = |method: &'static str, url: &str, reason, error| Exchange {
        id: 0,
        started: Timestamp(0),
        connection: Arc::new(Connection { id: 7, ..Connection::default() }),
        method: Some(method.into()),
        url: Some(redactor.wire().url(url.as_bytes())),
        request: Seen::Unseen(Unseen::SkippedHost),
        response: Seen::Unseen(reason),
        error,
        timings: exchange::Timings::default(),
        running: false,
    };
    let refused = Failure {
        side: Side::Server,
        step: Doing::Connect,
        kind: FailureKind::Refused,
        text: "nobody listens on mail.contoso.com".into(),
    };
    let recording = Recording::new()
        .exchange(exchange("CONNECT", "https://mail.contoso.com/", Unseen::SkippedHost, None))
        .exchange(exchange("GET", "https://mail.contoso.com/failed", Unseen::NeverCame, Some(refused.clone())))
        .exchange(exchange("GET", "https://mail.contoso.com/paused", Unseen::NotRecorded, None));
    let replay = recording.replay();
    assert!(ask(&replay, &get("/inside")).contains("passed undecrypted when the session was recorded (skipped-host)"));
    assert!(ask(&replay, &get("/paused")).contains("its answer is not (not-recorded)"));
    let failed = ask_on(&replay, 1, &get("/failed"));
    assert!(text(&failed).contains("nobody listens on mail.contoso.com."));
    assert_eq!(failed.failure, Some(refused));
}

#[tokio::test]
async fn a_client_is_served_through_the_proxy_without_any_server() {
    let response = b"HTTP/1.1 401 Unauthorized\r\nContent-Length: 0\r\nWWW-Authenticate: NTLM\r\n\r\n";
    let replay = Recording::new().connection(&[(&get("/a"), response), (&get("/a"), response)]).replay();
    let responder = Responder::Instead(Arc::new(replay));
    let nobody = ([127, 0, 0, 1], 9).into();
    let mut stage = Stage::new(nobody, None, |options| options.responder = responder).await;
    let mut client = stage.tls("mail.contoso.com").await;
    client.write_all(get("/a").as_bytes()).await.unwrap();
    assert_eq!(read_head(&mut client).await.as_bytes(), response);
    client.write_all(get("/b").as_bytes()).await.unwrap();
    assert!(read_head(&mut client).await.starts_with("HTTP/1.1 502 "));
    let ended = stage.ended(2).await;
    assert_eq!((ended[0].status(), ended[0].error.is_none()), (Some(401), true));
    assert_eq!(ended[1].error.as_ref().unwrap().kind, FailureKind::NotInSession);
}

/// What an answer sends, and how long it waits before each piece, in milliseconds.
fn pieces(answer: &Answer) -> Vec<(u128, String)> {
    let piece = |piece: &Piece| (piece.after.as_millis(), String::from_utf8_lossy(&piece.bytes).into_owned());
    answer.pieces.iter().map(piece).collect()
}

/// A recorded answer that began and ended at these milliseconds, for a request that was complete at the tenth.
fn timed(path: &str, head: &str, body: &[u8], [first_byte, done]: [u64; 2]) -> Recording {
    let recording = Recording::new();
    let mut recorder = Recorder::new(Setting {
        redactor: recording.redactor.clone(),
        connection: Arc::new(Connection { id: 1, ..Connection::default() }),
        ids: recording.writer.ids(),
        scheme: "https",
        authority: Some(b"mail.contoso.com".to_vec()),
        body_limit: 1 << 20,
        own: false,
        bindings: Bindings::UNKNOWN,
    });
    let at = |milliseconds: u64| Timestamp(RECORDED.0 + 1000 * milliseconds.cast_signed());
    let request = get(path);
    let (early, late) = request.as_bytes().split_at(10);
    recorder.request_bytes(early, at(0));
    recorder.request_bytes(late, at(10));
    recorder.response_bytes(head.as_bytes(), at(first_byte));
    recorder.response_bytes(body, at(done));
    recorder.close(None, at(done));
    for draft in recorder.finished() {
        recording.writer.append(Arc::new(draft.finish()));
    }
    recording
}

/// 2017-11-16T20:37:48Z.
const RECORDED: Timestamp = Timestamp::from_seconds(1_510_864_668);

#[test]
fn the_recorded_pace_is_kept_on_request_to_the_first_byte_and_to_the_last() {
    let paced = Staging { pace: Pace::Recorded, ..Staging::default() };
    let head = "HTTP/1.1 403 Forbidden\r\nContent-Type: text/plain\r\nContent-Length: 32\r\n\r\n";
    let replay = timed("/slow", head, b"Not for you, neither now nor soo", [210, 1010]).staged(paced);
    let sent = pieces(&ask_on(&replay, 1, &get("/slow")));
    assert_eq!(sent[0], (200, head.to_owned()));
    assert_eq!((sent.len(), sent[1..].iter().map(|(wait, _)| wait).sum::<u128>()), (17, 800));
    assert_eq!(sent[1..].iter().map(|(_, part)| part.as_str()).collect::<String>(), "Not for you, neither now nor soo");
    let replay = timed("/slow", head, b"Not for you, neither now nor soo", [210, 1010]).replay();
    let sent = pieces(&ask_on(&replay, 1, &get("/slow")));
    assert_eq!(sent, [(0, format!("{head}Not for you, neither now nor soo"))]);
    let none = "HTTP/1.1 401 Unauthorized\r\nContent-Length: 0\r\n\r\n";
    let replay = timed("/none", none, b"", [60, 60]).staged(paced);
    assert_eq!(pieces(&ask_on(&replay, 1, &get("/none"))), [(50, none.to_owned())]);
}

#[test]
fn a_stream_comes_in_the_parts_that_it_was_made_of() {
    let part = "<s:Envelope xmlns:s=\"http://schemas.xmlsoap.org/soap/envelope/\"><s:Body/></s:Envelope>\n";
    let chunk = |text: &str| format!("{:x}\r\n{text}\r\n", text.len());
    let head = "HTTP/1.1 200 OK\r\nContent-Type: text/xml\r\nTransfer-Encoding: chunked\r\n\r\n";
    let body = format!("{}{}0\r\n\r\n", chunk(part), chunk(part));
    let replay = timed("/stream", head, body.as_bytes(), [20, 2020])
        .staged(Staging { pace: Pace::Recorded, ..Staging::default() });
    let sent = pieces(&ask_on(&replay, 1, &get("/stream")));
    let (first, second) = (part.trim_end(), format!("\n{part}"));
    assert_eq!(sent, [(10, head.to_owned()), (1000, chunk(first)), (1000, format!("{}0\r\n\r\n", chunk(&second))),]);
}

#[test]
fn dates_stay_and_are_moved_on_request_but_a_cookie_lives_as_long_as_it_did() {
    let head = "HTTP/1.1 200 OK\r\nDate: Thu, 16 Nov 2017 20:37:48 GMT\r\nSet-Cookie: a=hunter2; expires=Thu, 16 Nov 2017 21:37:48 GMT\r\n\
        Content-Length: 0\r\n\r\n";
    let year = |staging: Staging| {
        let answer = ask(&timed("/dates", head, b"", [10, 10]).staged(staging), &get("/dates"));
        let years = |name: &str| answer.lines().any(|line| line.starts_with(name) && line.contains(" 2017 "));
        [years("Date: "), years("Set-Cookie: ")]
    };
    assert_eq!(year(Staging::default()), [true, false]);
    assert_eq!(year(Staging { dates: Dates::Now, ..Staging::default() }), [false, false]);
}

#[test]
fn an_answer_over_http_2_is_framed_for_http_1() {
    let body = "{\"ok\":true}";
    let mut exchange = Recording::new();
    let response = Response {
        status: Some(200),
        reason: "".into(),
        message: exchange::Message {
            version: "HTTP/2".into(),
            head: exchange::Head::Whole,
            fields: exchange.redactor.wire().fields(Fields::new(b"content-type: application/json\r\n")),
            body: Body {
                length: 11,
                content: Content::Text {
                    syntax: crate::redact::Syntax::Json,
                    text: exchange.redactor.wire().body_text(crate::redact::Syntax::Json, body.as_bytes()),
                    complete: true,
                },
            },
            trailers: crate::redact::Fields::default(),
            odd: exchange::Oddities::default(),
        },
        interim: Vec::new(),
        early: false,
        socket: None,
    };
    exchange = exchange.exchange(Exchange {
        id: 0,
        started: RECORDED,
        connection: Arc::new(Connection { id: 7, ..Connection::default() }),
        method: Some("GET".into()),
        url: Some(Redactor::new().wire().url(b"https://mail.contoso.com/h2")),
        request: Seen::Unseen(Unseen::NotInSource),
        response: Seen::Seen(response),
        error: None,
        timings: Timings::default(),
        running: false,
    });
    let answer = ask_on(&exchange.replay(), 1, &get("/h2"));
    assert_eq!(
        text(&answer),
        "HTTP/1.1 200 \r\ncontent-type: application/json\r\ntransfer-encoding: chunked\r\n\r\nb\r\n{\"ok\":true}\r\n0\r\n\r\n"
    );
    assert!(!answer.close, "the connection can be used again");
}

#[test]
fn a_server_that_nobody_could_reach_is_not_reached() {
    let refused = Failure {
        side: Side::Server,
        step: Doing::Connect,
        kind: FailureKind::Refused,
        text: "nobody listens on login.contoso.com".into(),
    };
    let redactor = Redactor::new();
    let tunnel = Exchange {
        id: 0,
        started: RECORDED,
        connection: Arc::new(Connection { id: 7, ..Connection::default() }),
        method: Some("CONNECT".into()),
        url: Some(redactor.wire().url(b"https://login.contoso.com/")),
        request: Seen::Unseen(Unseen::NeverCame),
        response: Seen::Unseen(Unseen::NeverCame),
        error: Some(refused.clone()),
        timings: Timings::default(),
        running: false,
    };
    let replay = Recording::new()
        .connection(&[(&get("/a"), b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")])
        .exchange(tunnel)
        .replay();
    assert_eq!(replay.unreachable("https://login.contoso.com"), Some(refused));
    assert_eq!(replay.unreachable("https://mail.contoso.com"), None);
}
