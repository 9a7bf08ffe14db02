//! The same traffic as each source gives it: a file a source.

use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};
use zip::ZipWriter;
use zip::write::SimpleFileOptions;

use super::places::At;
use super::planted::{Form, Planted};
use crate::diagnosis::rules::kit;
use crate::exchange::{Connection, Failure, FailureKind, Ids, Side, Step, Timestamp};
use crate::redact::Redactor;
use crate::session::{Mode, SessionError, Writer};

/// Where traffic comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Source {
    Live,
    Har,
    Saz,
    Mitm,
    Pasted,
}

impl Source {
    pub(super) const ALL: [Self; 5] = [Self::Live, Self::Har, Self::Saz, Self::Mitm, Self::Pasted];

    /// Whether it has this place at all.
    pub(super) fn has(self, planted: &Planted) -> bool {
        let bytes = planted.place.is_binary() || matches!(planted.form, Form::Utf16Body | Form::Gzip);
        match self {
            Self::Live => !matches!(planted.place.at, At::Aside | At::Socket),
            // A HAR has its bodies unpacked.
            Self::Har => {
                planted.form != Form::Gzip && !matches!(planted.place.at, At::Connect | At::Interim | At::Trailer)
            }
            Self::Saz => !matches!(planted.place.at, At::Socket | At::Failure),
            Self::Mitm => !matches!(planted.place.at, At::Interim),
            Self::Pasted => !bytes && !matches!(planted.place.at, At::Aside | At::Socket | At::Failure),
        }
    }

    /// Writes the traffic of all of `planted` as a file in `folder`.
    pub(super) fn write(self, planted: &[Planted], folder: &Path) -> PathBuf {
        let path = folder.join(format!("{self:?}"));
        let bytes = match self {
            Self::Live => {
                record(planted, &path, Writer::begin);
                return path;
            }
            Self::Har => har(planted),
            Self::Saz => saz(planted),
            Self::Mitm => planted.iter().flat_map(flow).collect(),
            Self::Pasted => planted
                .iter()
                .flat_map(|one| [request(one, false), response(one), b"\r\n\r\n".to_vec()].concat())
                .collect(),
        };
        std::fs::write(&path, bytes).unwrap();
        path
    }
}

type Lines = Vec<(String, String)>;

/// The exchange that carries a secret: everything but the secret is harmless.
struct Traffic {
    method: &'static str,
    target: String,
    asked: Lines,
    sent: Vec<u8>,
    interim: String,
    told: Lines,
    got: Vec<u8>,
    trailer: Option<String>,
}

fn traffic(planted: &Planted) -> Traffic {
    let text = || planted.text.clone();
    let line = |name: &str, value: &str| (name.to_owned(), value.to_owned());
    let mut traffic = Traffic {
        method: "POST",
        target: "/EWS/Exchange.asmx".to_owned(),
        asked: vec![line("Host", "mail.contoso.com")],
        sent: Vec::new(),
        interim: String::new(),
        told: vec![line("X-FEServer", "EX01")],
        got: Vec::new(),
        trailer: None,
    };
    let typed = || (String::from("Content-Type"), planted.content_type().unwrap_or_default());
    let coded = (planted.form == Form::Gzip).then(|| line("Content-Encoding", "gzip"));
    match planted.place.at {
        At::Request("Host") => traffic.asked = vec![line("Host", &text())],
        At::Request(name) => traffic.asked.push(line(name, &text())),
        At::Response(name) => traffic.told.push(line(name, &text())),
        At::Target => traffic.target = text(),
        At::Connect => (traffic.method, traffic.target) = ("CONNECT", text()),
        At::Sent(_) => {
            traffic.sent = planted.body();
            traffic.asked.extend(coded.into_iter().chain([typed()]));
        }
        At::Got(_) => {
            traffic.got = planted.body();
            traffic.told.extend(coded.into_iter().chain([typed()]));
        }
        At::Interim => traffic.interim = format!("HTTP/1.1 103 Early Hints\r\nLink: {}\r\n\r\n", text()),
        At::Trailer => traffic.trailer = Some(text()),
        At::Aside | At::Socket | At::Failure => {}
    }
    traffic
}

fn head(first: &str, lines: &Lines) -> Vec<u8> {
    let mut head = format!("{first}\r\n");
    for (name, value) in lines {
        head.push_str(&format!("{name}: {value}\r\n"));
    }
    head.push_str("\r\n");
    head.into_bytes()
}

/// The request as bytes of the wire, or with the absolute target that a proxy sees.
fn request(planted: &Planted, absolute: bool) -> Vec<u8> {
    let Traffic { method, target, mut asked, sent, .. } = traffic(planted);
    if !sent.is_empty() {
        asked.push(("Content-Length".to_owned(), sent.len().to_string()));
    }
    let target = if absolute && target.starts_with('/') { format!("https://mail.contoso.com{target}") } else { target };
    [head(&format!("{method} {target} HTTP/1.1"), &asked), sent].concat()
}

fn response(planted: &Planted) -> Vec<u8> {
    let Traffic { interim, mut told, mut got, trailer, .. } = traffic(planted);
    if let Some(value) = trailer {
        told.push(("Transfer-Encoding".to_owned(), "chunked".to_owned()));
        got = format!("2\r\nok\r\n0\r\nX-Checksum: {value}\r\nAuthorization: Bearer {value}\r\n\r\n").into_bytes();
    } else {
        told.push(("Content-Length".to_owned(), got.len().to_string()));
    }
    [interim.into_bytes(), head("HTTP/1.1 401 Unauthorized", &told), got].concat()
}

/// How a recording is begun.
pub(super) type Begin = fn(&Path, Mode, &Redactor) -> Result<Writer, SessionError>;

/// As the proxy records it.
pub(super) fn record(planted: &[Planted], path: &Path, begin: Begin) {
    let (redactor, ids) = (Redactor::new(), Ids::default());
    let writer = begin(path, Mode::Forward, &redactor).unwrap();
    let start = Timestamp::parse(kit::START).unwrap();
    for (second, planted) in (0_i64..).zip(planted) {
        let connection = Connection {
            id: ids.connection(),
            client: Some(redactor.wire().client_address("192.0.2.1:50123".parse().unwrap())),
            ..Connection::default()
        };
        let setting = kit::setting(&redactor, Arc::new(connection), ids.clone(), "https", "mail.contoso.com");
        let failure = (planted.place.at == At::Failure).then(|| Failure {
            side: Side::Server,
            step: Step::Tls,
            kind: FailureKind::Other,
            text: redactor.wire().failure(planted.text.as_bytes(), &["mail.contoso.com"]),
        });
        let response = failure.is_none().then(|| response(planted));
        let now = Timestamp(start.0 + second * 1_000_000);
        let exchange = kit::record(setting, &request(planted, false), response.as_deref(), failure, now);
        writer.append(Arc::new(exchange));
    }
    writer.close();
}

fn har(planted: &[Planted]) -> Vec<u8> {
    let entries: Vec<Value> = planted.iter().map(entry).collect();
    let log = json!({"log": {"version": "1.2", "creator": {"name": "Fiddler", "version": "1"}, "pages": [], "entries": entries}});
    log.to_string().into_bytes()
}

fn entry(planted: &Planted) -> Value {
    let Traffic { method, target, asked, sent, told, got, .. } = traffic(planted);
    let fields =
        |lines: Lines| lines.into_iter().map(|(name, value)| json!({"name": name, "value": value})).collect::<Vec<_>>();
    let url = if target.starts_with('/') { format!("https://mail.contoso.com{target}") } else { target };
    let kind = planted.content_type().unwrap_or_default();
    let mut entry = json!({
        "startedDateTime": "2026-11-22T09:00:00.000Z", "time": 5, "connection": "1",
        "request": {"method": method, "url": url, "httpVersion": "HTTP/1.1", "headers": fields(asked)},
        "response": {"status": 401, "statusText": "Unauthorized", "httpVersion": "HTTP/1.1", "headers": fields(told),
            "content": {"mimeType": kind, "size": got.len(), "encoding": "base64", "text": STANDARD.encode(&got)}},
        "timings": {"send": 1, "wait": 1, "receive": 1},
    });
    if !sent.is_empty() {
        let text = String::from_utf8(sent.clone());
        entry["request"]["postData"] = match text {
            Ok(text) if planted.form != Form::Utf16Body => json!({"mimeType": kind, "text": text}),
            _ => json!({"mimeType": kind, "text": STANDARD.encode(&sent), "encoding": "base64"}),
        };
    }
    match planted.place.at {
        At::Target => {
            entry["request"]["queryString"] = json!([{"name": "code", "value": planted.text}]);
        }
        At::Request("Cookie") => entry["request"]["cookies"] = json!([{"name": "a", "value": planted.text}]),
        At::Aside => {
            for part in ["request", "response"] {
                entry[part]["comment"] = json!(planted.text);
                entry[part]["_custom"] = json!({"a": planted.text});
            }
            entry["comment"] = json!(planted.text);
            entry["_initiator"] = json!({"url": planted.text});
            entry["pageref"] = json!(planted.text);
            entry["serverIPAddress"] = json!(planted.text);
            entry["connection"] = json!(planted.text);
        }
        At::Socket => {
            entry["_webSocketMessages"] = json!([{"type": "send", "time": 1, "opcode": 1, "data": planted.text}]);
        }
        At::Failure => {
            entry["response"] = json!({"status": 0, "statusText": planted.text, "headers": [], "_error": planted.text});
        }
        _ => {}
    }
    entry
}

fn saz(planted: &[Planted]) -> Vec<u8> {
    let mut archive = ZipWriter::new(std::io::Cursor::new(Vec::new()));
    let mut member = |name: String, content: Vec<u8>| {
        archive.start_file(name, SimpleFileOptions::default()).unwrap();
        archive.write_all(&content).unwrap();
    };
    for (number, planted) in (1..).zip(planted) {
        let noted = if planted.place.at == At::Aside {
            planted.text.replace('&', "&amp;").replace('<', "&lt;").replace('"', "&quot;")
        } else {
            String::new()
        };
        let flags: String = ["ui-comments", "x-ProcessInfo", "X-Never-Heard-Of", "x-clientip", "ui-oauth"]
            .map(|name| format!("<SessionFlag N=\"{name}\" V=\"{noted}\"/>"))
            .concat();
        let timers = format!("<Session SID=\"{number}\"><SessionFlags>{flags}</SessionFlags></Session>");
        member(format!("raw/{number}_c.txt"), request(planted, true));
        member(format!("raw/{number}_s.txt"), response(planted));
        member(format!("raw/{number}_m.xml"), timers.into_bytes());
    }
    member("_index.htm".to_owned(), planted.iter().flat_map(|planted| planted.text.bytes()).collect());
    archive.finish().unwrap().into_inner()
}

/// A flow of mitmproxy's, format 21.
fn flow(planted: &Planted) -> Vec<u8> {
    let Traffic { method, target, asked, sent, told, got, trailer, .. } = traffic(planted);
    let fields =
        |lines: &Lines| list(lines.iter().map(|(name, value)| list([bytes(name.as_bytes()), bytes(value.as_bytes())])));
    let aside = if planted.place.at == At::Aside { planted.text.as_str() } else { "" };
    let trailers = trailer.map_or_else(|| net(b"", b'~'), |value| fields(&vec![("X-Checksum".to_owned(), value)]));
    let request = dictionary([
        ("http_version", bytes(b"HTTP/1.1")),
        ("headers", fields(&asked)),
        ("content", bytes(&sent)),
        ("timestamp_start", net(b"1795338000.25", b'^')),
        ("timestamp_end", net(b"1795338000.5", b'^')),
        ("host", text("mail.contoso.com")),
        ("port", net(b"443", b'#')),
        ("method", bytes(method.as_bytes())),
        ("scheme", bytes(b"https")),
        ("authority", bytes(if method == "CONNECT" { target.as_bytes() } else { b"" })),
        ("path", bytes(target.as_bytes())),
    ]);
    let response = dictionary([
        ("http_version", bytes(b"HTTP/1.1")),
        ("headers", fields(&told)),
        ("content", bytes(&got)),
        ("trailers", trailers),
        ("timestamp_start", net(b"1795338000.75", b'^')),
        ("timestamp_end", net(b"1795338001.25", b'^')),
        ("status_code", net(b"401", b'#')),
        ("reason", bytes(b"Unauthorized")),
    ]);
    let connection = |id: &str| {
        let peer = list([text("192.0.2.7"), net(b"443", b'#')]);
        dictionary([("id", text(id)), ("peername", peer), ("sni", text("mail.contoso.com"))])
    };
    let mut members = vec![
        ("version", net(b"21", b'#')),
        ("type", text("http")),
        ("client_conn", connection("c")),
        ("server_conn", connection("s")),
        ("comment", text(aside)),
        ("metadata", dictionary([("note", text(aside))])),
        ("marked", text(aside)),
        ("request", request),
    ];
    match planted.place.at {
        At::Failure => members
            .push(("error", dictionary([("msg", text(&planted.text)), ("timestamp", net(b"1795338002.25", b'^'))]))),
        _ => members.push(("response", response)),
    }
    if planted.place.at == At::Socket {
        let message = list([
            net(b"1", b'#'),
            net(b"true", b'!'),
            bytes(planted.text.as_bytes()),
            net(b"1795338003.0", b'^'),
            net(b"", b'~'),
            net(b"", b'~'),
        ]);
        members.push(("websocket", dictionary([("messages", list([message])), ("close_reason", text(&planted.text))])));
    }
    dictionary(members)
}

/// A tnetstring.
fn net(payload: &[u8], kind: u8) -> Vec<u8> {
    [payload.len().to_string().as_bytes(), b":", payload, &[kind]].concat()
}

fn bytes(payload: &[u8]) -> Vec<u8> {
    net(payload, b',')
}

fn text(payload: &str) -> Vec<u8> {
    net(payload.as_bytes(), b';')
}

fn list(items: impl IntoIterator<Item = Vec<u8>>) -> Vec<u8> {
    net(&items.into_iter().flatten().collect::<Vec<u8>>(), b']')
}

fn dictionary<'k>(members: impl IntoIterator<Item = (&'k str, Vec<u8>)>) -> Vec<u8> {
    net(&members.into_iter().flat_map(|(key, value)| [text(key), value].concat()).collect::<Vec<u8>>(), b'}')
}
