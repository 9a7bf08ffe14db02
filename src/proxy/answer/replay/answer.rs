//! The bytes of an answer: a recorded response as it was, with stand-ins for its secrets; or a page that says what the
//! session lacks.

use encoding_rs::{Encoding, UTF_8, UTF_16BE, UTF_16LE};

use crate::exchange::{Interim, Message, Response};
use crate::proxy::answer::respond::Request;
use crate::redact::{Clean, Content, Field, StandIns};

/// How many bytes stand in for a body of which only the length was recorded.
const FILLER: u64 = 1 << 20;

/// A response, ready for the wire.
pub(crate) struct Wire {
    pub(crate) bytes: Vec<u8>,
    /// The end of the body is the end of the connection, or the response says so.
    pub(crate) close: bool,
}

/// `response` as the answer to `request`.
pub(crate) fn recorded(status: u16, response: &Response, request: &Request<'_>, stand_ins: &StandIns) -> Wire {
    let message = &response.message;
    let mut bytes = Vec::with_capacity(1024);
    // Who waits to be asked for the body was asked already, or the request would not be complete.
    let was_asked = request.fields.iter().any(|field| is(field, "expect"));
    for interim in response.interim.iter().filter(|interim| !(was_asked && interim.status == 100)) {
        write_interim(interim, stand_ins, &mut bytes);
    }
    let version = if message.version.as_str().starts_with("HTTP/1.") { message.version.as_str() } else { "HTTP/1.1" };
    write_line(&mut bytes, version, status, &response.reason);
    if *request.method == "HEAD" || matches!(status, 100..200 | 204 | 304) {
        for field in &message.fields {
            write_field(field, stand_ins, &mut bytes);
        }
        bytes.extend_from_slice(b"\r\n");
        return Wire { bytes, close: says_close(message, version) };
    }
    let body = body(message, stand_ins);
    let framing = Framing::of(message);
    write_head(message, framing, &body, stand_ins, &mut bytes);
    match framing {
        Framing::Length | Framing::Close => bytes.extend_from_slice(&body.bytes),
        Framing::Chunked => write_chunked(&body.bytes, &message.trailers, stand_ins, &mut bytes),
    }
    Wire { bytes, close: framing == Framing::Close || says_close(message, version) }
}

/// A page for a request that the session has no answer to: `what` is missing.
pub(crate) fn missing(request: &Request<'_>, what: &Clean) -> Wire {
    let body = format!(
        "authtap is replaying a recorded session, and the session lacks an answer to this request.\n\n\
         {method} {url}\n{what}\n\n\
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
    Wire { bytes, close: false }
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
    fn of(message: &Message) -> Self {
        let has = |name: &str| message.fields.iter().any(|field| is(field, name));
        if has("transfer-encoding") {
            Self::Chunked
        } else if has("content-length") {
            Self::Length
        } else {
            Self::Close
        }
    }
}

struct Body {
    bytes: Vec<u8>,
    /// It is not in the content coding that the head names.
    decoded: bool,
}

/// The body that can be sent: decoded text with stand-ins, in the charset of the head; or blanks.
fn body(message: &Message, stand_ins: &StandIns) -> Body {
    match &message.body.content {
        Content::Empty => Body { bytes: Vec::new(), decoded: false },
        Content::Text { syntax, text, .. } if !syntax.is_decoded() => {
            Body { bytes: in_charset(message, stand_ins.text(text)), decoded: true }
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

/// The fields in their order and spelling. Only those that describe the bytes of the body are made to fit.
fn write_head(message: &Message, framing: Framing, body: &Body, stand_ins: &StandIns, bytes: &mut Vec<u8>) {
    for field in &message.fields {
        if is(field, "content-length") {
            write_value(field, body.bytes.len().to_string().as_bytes(), bytes);
        } else if is(field, "transfer-encoding") && !field.value.as_str().eq_ignore_ascii_case("chunked") {
            write_value(field, b"chunked", bytes);
        } else if !(body.decoded && is(field, "content-encoding")) {
            write_field(field, stand_ins, bytes);
        }
    }
    if framing == Framing::Close && !message.fields.iter().any(|field| is(field, "connection")) {
        bytes.extend_from_slice(b"Connection: close\r\n");
    }
    bytes.extend_from_slice(b"\r\n");
}

fn write_interim(interim: &Interim, stand_ins: &StandIns, bytes: &mut Vec<u8>) {
    write_line(bytes, "HTTP/1.1", interim.status, &interim.reason);
    for field in &interim.fields {
        write_field(field, stand_ins, bytes);
    }
    bytes.extend_from_slice(b"\r\n");
}

fn write_line(bytes: &mut Vec<u8>, version: &str, status: u16, reason: &Clean) {
    bytes.extend_from_slice(format!("{version} {status} ").as_bytes());
    bytes.extend(reason.to_wire().into_iter().filter(|byte| !matches!(byte, b'\r' | b'\n')));
    bytes.extend_from_slice(b"\r\n");
}

fn write_field(field: &Field, stand_ins: &StandIns, bytes: &mut Vec<u8>) {
    write_value(field, &stand_ins.field(field), bytes);
}

fn write_value(field: &Field, value: &[u8], bytes: &mut Vec<u8>) {
    let name = field.name.to_wire();
    // A session file that was tampered with must not bring in a field, or an end of the head, of its own.
    if name.iter().any(|byte| matches!(byte, b'\r' | b'\n' | b':')) {
        return;
    }
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

fn write_chunked(body: &[u8], trailers: &[Field], stand_ins: &StandIns, bytes: &mut Vec<u8>) {
    if !body.is_empty() {
        bytes.extend_from_slice(format!("{:x}\r\n", body.len()).as_bytes());
        bytes.extend_from_slice(body);
        bytes.extend_from_slice(b"\r\n");
    }
    bytes.extend_from_slice(b"0\r\n");
    for trailer in trailers {
        write_field(trailer, stand_ins, bytes);
    }
    bytes.extend_from_slice(b"\r\n");
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
