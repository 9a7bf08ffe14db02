//! Recordings, and what a client gets out of them.

#![allow(clippy::unwrap_used, clippy::panic)]

use std::io::Write;
use std::sync::Arc;

use tempfile::TempDir;
use tokio::io::AsyncWriteExt;

use super::*;
use crate::exchange::{Connection, Recorder, Setting, Step as Doing, Timestamp};
use crate::proxy::answer::respond::Responder;
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
        let path = self.writer.path().to_owned();
        assert_eq!(self.writer.close().lost, 0);
        let (replay, gaps) = Replay::new(Session::open(&path, &Redactor::new()).unwrap());
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
    String::from_utf8_lossy(&ask_on(replay, 1, request).bytes).into_owned()
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
    assert_eq!(String::from_utf8_lossy(&answer.bytes), expected);
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
    assert!(close.close && close.bytes.ends_with(b"Connection: close\r\n\r\nto the end"));
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
    let status = |connection, request: &str| {
        String::from_utf8_lossy(&ask_on(&replay, connection, request).bytes[9..12]).into_owned()
    };
    let got: Vec<_> = [1, 2].into_iter().flat_map(|client| [status(client, &empty), status(client, &fresh)]).collect();
    assert_eq!(got, ["401", "200", "401", "200"]);
    replay.closed(1);
}

#[test]
fn a_request_that_is_not_in_the_session_is_told_so() {
    let replay = Recording::new().connection(&[(&get("/a"), b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")]).replay();
    let unknown = ask_on(&replay, 1, &get("/b"));
    let text = String::from_utf8(unknown.bytes).unwrap();
    assert!(text.starts_with("HTTP/1.1 502 "), "{text}");
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
    assert!(String::from_utf8_lossy(&failed.bytes).contains("nobody listens on mail.contoso.com."));
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
