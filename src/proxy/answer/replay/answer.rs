//! The bytes of an answer: a recorded response as it was, with stand-ins for its secrets; or a page that says what the
//! session lacks.

use std::time::Duration;

use encoding_rs::{Encoding, UTF_8, UTF_16BE, UTF_16LE};

use super::date;
use super::{Dates, Pace, Staging};
use crate::exchange::{Interim, Message, Response, Timings};
use crate::proxy::answer::respond::{Piece, Request};
use crate::redact::{Clean, Content, Field, StandIns, Syntax};

/// How many bytes stand in for a body of which only the length was recorded.
const FILLER: u64 = 1 << 20;
/// Into so many pieces a body is cut that took its time.
const SLICES: usize = 16;

/// A response, ready for the wire.
pub(crate) struct Wire {
    pub(crate) pieces: Vec<Piece>,
    /// The end of the body is the end of the connection, or the response says so.
    pub(crate) close: bool,
}

/// What answers a request.
pub(crate) struct Recorded<'r> {
    pub(crate) status: u16,
    pub(crate) response: &'r Response,
    pub(crate) timings: Timings,
    /// How many seconds ago the recording was.
    pub(crate) age: i64,
}

impl Recorded<'_> {
    /// The response as the answer to `request`.
    pub(crate) fn to_wire(&self, request: &Request<'_>, staging: Staging, stand_ins: &StandIns) -> Wire {
        let Self { status, response, .. } = *self;
        let message = &response.message;
        let mut pen = Pen {
            stand_ins: &stand_ins.later(self.age),
            age: self.age,
            dates: staging.dates,
            bytes: Vec::with_capacity(1024),
        };
        // Who waits to be asked for the body was asked already, or the request would not be complete.
        let was_asked = request.fields.iter().any(|field| is(field, "expect"));
        for interim in response.interim.iter().filter(|interim| !(was_asked && interim.status == 100)) {
            pen.interim(interim);
        }
        let is_http1 = message.version.as_str().starts_with("HTTP/1.");
        let version = if is_http1 { message.version.as_str() } else { "HTTP/1.1" };
        pen.line(version, status, &response.reason);
        let close = says_close(message, version);
        if *request.method == "HEAD" || matches!(status, 100..200 | 204 | 304) {
            for field in &message.fields {
                pen.field(field);
            }
            pen.bytes.extend_from_slice(b"\r\n");
            return Wire { pieces: self.paced(pen.bytes, Vec::new(), staging.pace), close };
        }
        let body = body(message, &pen);
        let framing = Framing::of(message, is_http1);
        pen.head(message, framing, &body);
        let head = std::mem::take(&mut pen.bytes);
        let mut parts = body.parts(message);
        if staging.pace == Pace::Recorded && parts.len() == 1 && self.span() > Duration::ZERO {
            parts = slices(&body.bytes);
        }
        let mut rest: Vec<Vec<u8>> = parts.into_iter().map(|part| framing.framed(part)).collect();
        if framing == Framing::Chunked {
            pen.end_of_chunks(&message.trailers);
            match rest.last_mut() {
                Some(last) => last.append(&mut pen.bytes),
                None => rest.push(pen.bytes),
            }
        }
        Wire { pieces: self.paced(head, rest, staging.pace), close: framing == Framing::Close || close }
    }

    /// The pieces with their times: the first byte after as long as the server took to think, the last when it was over.
    fn paced(&self, head: Vec<u8>, rest: Vec<Vec<u8>>, pace: Pace) -> Vec<Piece> {
        let (first, step) = match pace {
            Pace::AtOnce => (Duration::ZERO, Duration::ZERO),
            Pace::Recorded => {
                let Timings { sent, first_byte, .. } = self.timings;
                let thought = first_byte.unwrap_or_default().saturating_sub(sent.unwrap_or_default());
                let count = u32::try_from(rest.len()).unwrap_or(u32::MAX).max(1);
                (thought, self.span() / count)
            }
        };
        let mut opening = Piece { after: first, bytes: head };
        let mut rest = rest.into_iter();
        if step.is_zero() {
            // One write for what comes in one go: a head and the first part of its body.
            opening.bytes.extend(rest.next().unwrap_or_default());
        }
        std::iter::once(opening).chain(rest.map(|bytes| Piece { after: step, bytes })).collect()
    }

    /// From the first byte to the last.
    fn span(&self) -> Duration {
        self.timings.done.unwrap_or_default().saturating_sub(self.timings.first_byte.unwrap_or_default())
    }
}

/// A body cut evenly.
fn slices(body: &[u8]) -> Vec<&[u8]> {
    body.chunks(body.len().div_ceil(SLICES).max(1)).collect()
}

/// A page for a request that the session has no answer to: `what` is missing, `instead` there is.
pub(crate) fn missing(request: &Request<'_>, what: &Clean, instead: &Clean) -> Wire {
    let body = format!(
        "authtap is replaying a recorded session, and the session lacks an answer to this request.\n\n\
         {method} {url}\n{what}\n{instead}\n\n\
         Record the session again with this request in it, or ask what was recorded.\n\n\
         authtap は記録済みのセッションを再生していますが、この要求に対する応答がセッションにありません。\n\
         この要求を含めて記録し直すか、記録されている要求を送ってください。\n",
        method = request.method,
        url = request.url.text(),
    );
    let mut bytes = format!(
        "HTTP/1.1 502 Not in the recorded session\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Length: {}\r\n\
         Cache-Control: no-store\r\nProxy-Status: authtap; error=destination_not_found\r\n\r\n",
        body.len()
    )
    .into_bytes();
    if *request.method != "HEAD" {
        bytes.extend_from_slice(body.as_bytes());
    }
    Wire { pieces: vec![Piece::now(bytes)], close: false }
}

/// What says where the body ends.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Framing {
    Length,
    Chunked,
    /// The end of the connection.
    Close,
}

impl Framing {
    /// HTTP/2 says where a body ends beside the head; in HTTP/1 chunks do.
    fn of(message: &Message, is_http1: bool) -> Self {
        let has = |name: &str| message.fields.iter().any(|field| is(field, name));
        if has("transfer-encoding") {
            Self::Chunked
        } else if has("content-length") {
            Self::Length
        } else if is_http1 {
            Self::Close
        } else {
            Self::Chunked
        }
    }

    fn framed(self, part: &[u8]) -> Vec<u8> {
        match self {
            Self::Length | Self::Close => part.to_vec(),
            Self::Chunked => [format!("{:x}\r\n", part.len()).as_bytes(), part, b"\r\n"].concat(),
        }
    }
}

struct Body {
    bytes: Vec<u8>,
    /// It is not in the content coding that the head names.
    decoded: bool,
}

impl Body {
    /// The parts that a stream was sent in, as far as its form tells: events, lines, documents one after another.
    fn parts(&self, message: &Message) -> Vec<&[u8]> {
        if self.bytes.is_empty() {
            return Vec::new();
        }
        let kind = message.fields.iter().find(|field| is(field, "content-type"));
        let kind = kind.map(|field| field.value.as_str().to_ascii_lowercase()).unwrap_or_default();
        let end: &[u8] = if kind.starts_with("text/event-stream") {
            b"\n\n"
        } else if kind.contains("ndjson") || kind.contains("json-seq") {
            b"\n"
        } else if kind.contains("xml") {
            b":Envelope>"
        } else {
            return vec![&self.bytes];
        };
        let mut parts = Vec::new();
        let mut rest = self.bytes.as_slice();
        while let Some(at) = memchr::memmem::find(rest, end) {
            let (part, after) = rest.split_at(at + end.len());
            parts.push(part);
            rest = after;
        }
        match parts.last_mut() {
            // Blanks and line ends behind the last one belong to it.
            Some(last) if rest.trim_ascii().is_empty() => {
                *last = &self.bytes[self.bytes.len() - rest.len() - last.len()..];
            }
            _ if rest.is_empty() => {}
            _ => parts.push(rest),
        }
        parts
    }
}

/// The body that can be sent: decoded text with stand-ins, in the charset of the head; or blanks.
fn body(message: &Message, pen: &Pen<'_>) -> Body {
    match &message.body.content {
        Content::Empty => Body { bytes: Vec::new(), decoded: false },
        Content::Text { syntax, text, .. } if !syntax.is_decoded() => {
            let mut bytes = pen.stand_ins.text(text);
            if *syntax == Syntax::Json && pen.age != 0 {
                bytes = date::json_later(&String::from_utf8_lossy(&bytes), pen.age).into_bytes();
            }
            Body { bytes: in_charset(message, bytes), decoded: true }
        }
        // What was read of bytes that are no text cannot stand in their place.
        Content::Text { .. } | Content::Withheld(_) => {
            let length = usize::try_from(message.body.length.min(FILLER)).unwrap_or_default();
            Body { bytes: vec![b' '; length], decoded: true }
        }
    }
}

fn in_charset(message: &Message, bytes: Vec<u8>) -> Vec<u8> {
    let Some(encoding) = charset(message).filter(|encoding| *encoding != UTF_8) else { return bytes };
    let text = String::from_utf8_lossy(&bytes);
    match encoding {
        _ if encoding == UTF_16LE => text.encode_utf16().flat_map(u16::to_le_bytes).collect(),
        _ if encoding == UTF_16BE => text.encode_utf16().flat_map(u16::to_be_bytes).collect(),
        _ => encoding.encode(&text).0.into_owned(),
    }
}

fn charset(message: &Message) -> Option<&'static Encoding> {
    let content_type = message.fields.iter().find(|field| is(field, "content-type"))?.value.as_str();
    let parameters = content_type.split(';').skip(1).filter_map(|parameter| parameter.split_once('='));
    let mut charsets = parameters.filter(|(name, _)| name.trim().eq_ignore_ascii_case("charset"));
    Encoding::for_label(charsets.next()?.1.trim().trim_matches('"').as_bytes())
}

/// Writes heads.
struct Pen<'a> {
    stand_ins: &'a StandIns,
    /// How many seconds ago the recording was.
    age: i64,
    dates: Dates,
    bytes: Vec<u8>,
}

impl Pen<'_> {
    /// The fields in their order and spelling. Only those that describe the bytes of the body are made to fit.
    fn head(&mut self, message: &Message, framing: Framing, body: &Body) {
        let has = |name: &str| message.fields.iter().any(|field| is(field, name));
        for field in &message.fields {
            if is(field, "content-length") {
                self.value(field, body.bytes.len().to_string().as_bytes());
            } else if is(field, "transfer-encoding") && !field.value.as_str().eq_ignore_ascii_case("chunked") {
                self.value(field, b"chunked");
            } else if !(body.decoded && is(field, "content-encoding")) {
                self.field(field);
            }
        }
        if framing == Framing::Chunked && !has("transfer-encoding") {
            self.bytes.extend_from_slice(b"transfer-encoding: chunked\r\n");
        }
        if framing == Framing::Close && !has("connection") {
            self.bytes.extend_from_slice(b"Connection: close\r\n");
        }
        self.bytes.extend_from_slice(b"\r\n");
    }

    fn interim(&mut self, interim: &Interim) {
        self.line("HTTP/1.1", interim.status, &interim.reason);
        for field in &interim.fields {
            self.field(field);
        }
        self.bytes.extend_from_slice(b"\r\n");
    }

    fn line(&mut self, version: &str, status: u16, reason: &Clean) {
        self.bytes.extend_from_slice(format!("{version} {status} ").as_bytes());
        self.bytes.extend(reason.to_wire().into_iter().filter(|byte| !matches!(byte, b'\r' | b'\n')));
        self.bytes.extend_from_slice(b"\r\n");
    }

    fn field(&mut self, field: &Field) {
        const DATES: [&str; 4] = ["date", "expires", "last-modified", "retry-after"];
        let value = self.stand_ins.field(field);
        let text = std::str::from_utf8(&value).unwrap_or_default();
        let moved = if is(field, "set-cookie") {
            Some(date::cookie_later(text, self.age)).filter(|moved| !moved.is_empty())
        } else if self.dates == Dates::Now && DATES.iter().any(|name| is(field, name)) {
            date::later(text, self.age)
        } else {
            None
        };
        self.value(field, moved.as_deref().map_or(&value, str::as_bytes));
    }

    fn value(&mut self, field: &Field, value: &[u8]) {
        let name = field.name.to_wire();
        // A session file that was tampered with must not bring in a field, or an end of the head, of its own.
        if name.iter().any(|byte| matches!(byte, b'\r' | b'\n' | b':')) {
            return;
        }
        let bytes = &mut self.bytes;
        bytes.extend_from_slice(&name);
        bytes.extend_from_slice(b": ");
        for (at, byte) in value.iter().enumerate() {
            match (byte, value.get(at + 1)) {
                // A folded value goes on after a blank.
                (b'\n', Some(b' ' | b'\t')) => bytes.extend_from_slice(b"\r\n"),
                (b'\r' | b'\n', _) => {}
                (byte, _) => bytes.push(*byte),
            }
        }
        bytes.extend_from_slice(b"\r\n");
    }

    fn end_of_chunks(&mut self, trailers: &[Field]) {
        self.bytes.extend_from_slice(b"0\r\n");
        for trailer in trailers {
            self.field(trailer);
        }
        self.bytes.extend_from_slice(b"\r\n");
    }
}

fn says_close(message: &Message, version: &str) -> bool {
    let connection = message.fields.iter().filter(|field| is(field, "connection"));
    let options: Vec<_> = connection.flat_map(|field| field.value.as_str().split(',')).map(str::trim).collect();
    let says = |word: &str| options.iter().any(|option| option.eq_ignore_ascii_case(word));
    says("close") || (version == "HTTP/1.0" && !says("keep-alive"))
}

fn is(field: &Field, name: &str) -> bool {
    field.name.as_str().eq_ignore_ascii_case(name)
}
