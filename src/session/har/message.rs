//! One entry becomes one exchange.

use std::sync::Arc;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use serde_json::Value;

use super::entry::{self, Entry, text};
use super::survey::Survey;
use crate::exchange::{
    Connection, Exchange, Failure, Head, Message, Oddities, Response, Seen, Side, Socket, SocketKind, SocketMessage,
    Tally, Timestamp, Timings, Unseen,
};
use crate::redact::{Bindings, Body, Content, Door, Fields, RawBody, Redactor, Url, Withheld};
use crate::session::failure;
use crate::session::foreign::{self, BODY, split};
use crate::session::stripped;

/// What an entry tells.
pub(super) struct Told<'a> {
    pub(super) redactor: &'a Redactor,
    pub(super) survey: &'a Survey,
    pub(super) entry: &'a Entry,
}

impl Told<'_> {
    /// The exchange.
    pub(super) fn exchange(&self, id: u64, started: Timestamp, connection: Arc<Connection>) -> Exchange {
        let door = self.door();
        let (error, (request, response)) = (self.failure(), self.messages());
        Exchange {
            id,
            started,
            connection,
            method: self.entry.method().map(|method| door.token(method.as_bytes())),
            url: self.url(),
            request,
            response,
            error,
            timings: self.timings(),
            running: false,
        }
    }

    fn door(&self) -> Door<'_> {
        let known = &self.survey.certificates;
        let door = self.redactor.wire();
        match host(self.entry) {
            Some(host) if known.are_of(host) => {
                door.with_bindings(Bindings::of_fingerprints(known.presented, known.upstream))
            }
            _ => door,
        }
    }

    fn is_connect(&self) -> bool {
        self.entry.method().is_some_and(|method| method.eq_ignore_ascii_case("CONNECT"))
    }

    fn url(&self) -> Option<Url> {
        let url = self.entry.url()?;
        let door = self.door();
        if self.is_connect() {
            return Some(door.url(format!("https://{}/", authority(self.entry)?).as_bytes()));
        }
        if url.contains("://") {
            return Some(door.url(url.as_bytes()));
        }
        let slash = if url.starts_with('/') { "" } else { "/" };
        Some(door.url(format!("https://{}{slash}{url}", authority(self.entry)?).as_bytes()))
    }

    fn failure(&self) -> Option<Failure> {
        let said = self.entry.error()?;
        let cut = self.entry.status().is_none() || failure::cuts_a_response(said);
        let authority = authority(self.entry).unwrap_or_default();
        cut.then(|| failure::failure(self.door(), said, &[authority]))
    }

    fn messages(&self) -> (Seen<Message>, Seen<Response>) {
        let status = self.entry.status();
        if self.is_connect() {
            match status {
                // What passes through a tunnel is no answer of the server's.
                Some(200..=299) if !host(self.entry).is_some_and(|host| self.survey.looked_into(host)) => {
                    return (Seen::Unseen(Unseen::NotDecrypted), Seen::Unseen(Unseen::NotDecrypted));
                }
                None => return (Seen::Unseen(Unseen::NeverCame), Seen::Unseen(Unseen::NeverCame)),
                Some(_) => {}
            }
        }
        let request = self.entry.request().map_or(Seen::Unseen(Unseen::NotInSource), |message| {
            let body = message.get("postData").and_then(post_data);
            let seen = self.message(message, body, &Sized { refusal: false, may_be_missing: false });
            Seen::Seen(if self.folds_logon() { Message { head: Head::Stripped, ..seen } } else { seen })
        });
        let response = match (self.entry.response(), status) {
            (Some(message), Some(status)) => Seen::Seen(self.response(message, status)),
            _ if self.entry.error().is_some() => Seen::Unseen(Unseen::NeverCame),
            _ => Seen::Unseen(Unseen::NotInSource),
        };
        (request, response)
    }

    /// Whether the browser may have answered the server's challenge, and the file has none of that.
    fn folds_logon(&self) -> bool {
        let asked = match self.entry.status() {
            Some(401) => ["www-authenticate", "authorization"],
            Some(407) => ["proxy-authenticate", "proxy-authorization"],
            _ => return false,
        };
        let [challenges, credentials] = asked;
        let has = |message: Option<&Value>, wanted: &str, fits: fn(&str) -> bool| {
            let fields = message.map(entry::fields).unwrap_or_default();
            fields.iter().any(|(name, value)| name.eq_ignore_ascii_case(wanted) && fits(value))
        };
        let answers = |value: &str| {
            value.split(',').any(|part| stripped::names_scheme(part.trim(), &["negotiate", "ntlm", "basic", "digest"]))
        };
        self.survey.folds_logons
            && has(self.entry.response(), challenges, answers)
            && !has(self.entry.request(), credentials, |_| true)
    }

    fn response(&self, message: &Value, status: u16) -> Response {
        let bodiless = matches!(status, 101 | 204 | 304)
            || self.entry.method().is_some_and(|method| method.eq_ignore_ascii_case("HEAD"));
        let body = message.get("content").filter(|_| !bodiless).and_then(content);
        Response {
            status: Some(status),
            reason: self.door().prose(text(message, "statusText").unwrap_or_default().as_bytes()),
            message: self.message(message, body, &Sized { refusal: status >= 400, may_be_missing: !bodiless }),
            interim: Vec::new(),
            early: false,
            socket: self.entry.socket().map(|messages| Box::new(self.socket(messages))),
        }
    }

    fn socket(&self, messages: &[Value]) -> Socket {
        let (door, mut socket) = (self.door(), Socket::default());
        let started = self.entry.started().unwrap_or_default();
        for message in messages {
            let Some(data) = text(message, "data") else { continue };
            let kind = match message.get("opcode").and_then(Value::as_u64) {
                // Some writers have nothing but text.
                None | Some(1) => SocketKind::Text,
                Some(8) => SocketKind::Close,
                Some(9) => SocketKind::Ping,
                Some(10) => SocketKind::Pong,
                _ => SocketKind::Binary,
            };
            let side = if text(message, "type") == Some("send") { Side::Client } else { Side::Server };
            // Of a binary message the bytes, as far as the writer knew how to give them.
            let decoded = (kind == SocketKind::Binary).then(|| from_base64(data)).flatten();
            let bytes = decoded.as_deref().unwrap_or(data.as_bytes());
            let tally = if side == Side::Client { &mut socket.client } else { &mut socket.server };
            *tally = Tally { messages: tally.messages + 1, bytes: tally.bytes + bytes.len() as u64 };
            if socket.messages.len() < foreign::SOCKET_MESSAGES {
                let at = message.get("time").and_then(Value::as_f64).and_then(foreign::moment);
                let at = at.map_or(Duration::ZERO, |at| at.since(started));
                let body = foreign::socket_body(door, kind, bytes);
                socket.messages.push(SocketMessage { side, kind, at, code: None, body });
            }
        }
        socket
    }

    fn message(&self, message: &Value, body: Option<RawText>, sized: &Sized) -> Message {
        let door = self.door();
        let fields = entry::fields(message);
        let masked = |(name, value): &(&str, &str)| stripped::is_masked_field(name, value);
        let taken_out = self.survey.stripped || fields.iter().any(masked);
        let body = self.body(message, &fields, body, sized);
        let fields: Fields = fields
            .iter()
            .filter(|field| !masked(field))
            .map(|(name, value)| door.field(name.as_bytes(), value.as_bytes()))
            .collect();
        Message {
            version: door.token(foreign::version(text(message, "httpVersion").unwrap_or_default()).as_bytes()),
            head: if taken_out { Head::Stripped } else { Head::Whole },
            fields,
            body,
            trailers: Fields::default(),
            odd: Oddities::NONE,
        }
    }

    fn body(&self, message: &Value, fields: &[(&str, &str)], body: Option<RawText>, sized: &Sized) -> Body {
        let field = |wanted: &str| fields.iter().find(|(name, _)| name.eq_ignore_ascii_case(wanted)).map(|(_, v)| *v);
        let Some(body) = body.filter(|body| !body.bytes.is_empty()) else {
            // A browser knows how long a body was; what it says of the transfer counts a logon's other answers, too.
            let is_empty = self.survey.by_browser && message.pointer("/content/size").is_some_and(|size| *size == 0);
            let missing = missing_length(message, field("content-length")).filter(|_| !is_empty);
            return match missing {
                Some(length) if sized.may_be_missing && length > 0 => {
                    Body { length, content: Content::Withheld(Withheld::NotRecorded) }
                }
                _ => Body { length: 0, content: Content::Empty },
            };
        };
        let media_type = field("content-type").filter(|media| !media.is_empty()).unwrap_or(&body.media_type);
        // Text is text by now, whatever charset it was sent in.
        let content_type = match (body.decoded, media_type.split(';').next().unwrap_or_default().trim()) {
            (false, _) => media_type.to_owned(),
            (true, "" | "x-unknown") => String::new(),
            (true, bare) => format!("{bare}; charset=utf-8"),
        };
        // The body is decoded although the field stays. Only bytes that are still packed say so themselves.
        let packed = body.bytes.starts_with(&[0x1f, 0x8b]);
        let length = body.bytes.len() as u64;
        let mut bytes = body.bytes;
        bytes.truncate(BODY);
        self.door().body(RawBody {
            bytes: bytes.into(),
            length,
            recorded: true,
            refusal: sized.refusal,
            content_type: content_type.into_bytes(),
            content_encoding: if packed { b"gzip".to_vec() } else { Vec::new() },
        })
    }

    fn timings(&self) -> Timings {
        let sum = |names: &[&str]| {
            let known: Vec<f64> = names.iter().filter_map(|name| self.entry.timing(name)).collect();
            (!known.is_empty()).then(|| millis(known.iter().sum())).flatten()
        };
        // `ssl` is part of `connect`.
        Timings {
            sent: sum(&["blocked", "dns", "connect", "send"]),
            first_byte: self.entry.status().and_then(|_| sum(&["blocked", "dns", "connect", "send", "wait"])),
            done: self.entry.time().and_then(millis),
        }
    }
}

/// The host and port of an entry's URL, as they stand there or in the Host field.
pub(super) fn authority(entry: &Entry) -> Option<&str> {
    let url = entry.url()?;
    let rest = match url.split_once("://") {
        Some((_, rest)) => rest,
        None if entry.method().is_some_and(|method| method.eq_ignore_ascii_case("CONNECT")) => url,
        None => entry::fields(entry.request()?).into_iter().find(|(name, _)| name.eq_ignore_ascii_case("host"))?.1,
    };
    let rest = &rest[..rest.find(['/', '?', '#']).unwrap_or(rest.len())];
    Some(rest.rsplit_once('@').map_or(rest, |(_, authority)| authority)).filter(|authority| !authority.is_empty())
}

/// The host of an entry's URL.
pub(super) fn host(entry: &Entry) -> Option<&str> {
    authority(entry).map(|authority| split(authority).0)
}

/// The port of an entry's URL.
pub(super) fn port(entry: &Entry) -> u16 {
    let plain = entry.url().is_some_and(|url| {
        ["http://", "ws://"]
            .iter()
            .any(|scheme| url.get(..scheme.len()).is_some_and(|s| s.eq_ignore_ascii_case(scheme)))
    });
    authority(entry).and_then(|authority| split(authority).1).unwrap_or(if plain { 80 } else { 443 })
}

/// `authority` with its port.
pub(super) fn with_port(authority: &str, port: u16) -> String {
    format!("{}:{port}", split(authority).0)
}

/// What is expected of a body.
struct Sized {
    /// The message says why something failed.
    refusal: bool,
    /// There may have been one that the file does not have.
    may_be_missing: bool,
}

/// A body as the file has it: content coding removed.
struct RawText {
    bytes: Vec<u8>,
    /// Whether the charset was removed as well.
    decoded: bool,
    media_type: String,
}

fn post_data(data: &Value) -> Option<RawText> {
    let media_type = text(data, "mimeType").unwrap_or_default().to_owned();
    match text(data, "text") {
        Some(words) if !words.is_empty() => Some(raw(words, data, media_type)),
        _ => {
            let params = data.get("params")?.as_array()?;
            let pair = |param: &Value| {
                Some(format!("{}={}", escaped(text(param, "name")?), escaped(text(param, "value").unwrap_or_default())))
            };
            let joined = params.iter().filter_map(pair).collect::<Vec<_>>().join("&");
            Some(RawText { bytes: joined.into_bytes(), decoded: true, media_type })
        }
    }
}

fn content(content: &Value) -> Option<RawText> {
    let media_type = text(content, "mimeType").unwrap_or_default().to_owned();
    Some(raw(text(content, "text")?, content, media_type))
}

fn raw(words: &str, value: &Value, media_type: String) -> RawText {
    let coding = text(value, "encoding").or_else(|| text(value, "_encoding")).unwrap_or_default();
    let bytes = coding.eq_ignore_ascii_case("base64").then(|| from_base64(words));
    match bytes.flatten() {
        Some(bytes) => RawText { bytes, decoded: false, media_type },
        None => RawText { bytes: words.as_bytes().to_vec(), decoded: true, media_type },
    }
}

fn from_base64(words: &str) -> Option<Vec<u8>> {
    const LENIENT: GeneralPurpose = GeneralPurpose::new(
        &base64::alphabet::STANDARD,
        GeneralPurposeConfig::new()
            .with_decode_allow_trailing_bits(true)
            .with_decode_padding_mode(DecodePaddingMode::Indifferent),
    );
    let compact: String = words.chars().filter(|c| !c.is_whitespace()).collect();
    LENIENT.decode(compact).ok()
}

/// A form's word as it goes over the wire. Some writers give it decoded, some as it went.
fn escaped(word: &str) -> String {
    let is_escaped = word.contains('%') && word.is_ascii() && !word.contains([' ', '&', '=']);
    if is_escaped {
        return word.to_owned();
    }
    let mut out = String::with_capacity(word.len());
    for byte in word.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~*".contains(&byte) {
            out.push(char::from(byte));
        } else {
            out.push('%');
            for nibble in [byte >> 4, byte & 15] {
                out.push(char::from(b"0123456789ABCDEF"[usize::from(nibble)]));
            }
        }
    }
    out
}

/// How long a body was that the file does not have.
fn missing_length(message: &Value, content_length: Option<&str>) -> Option<u64> {
    let number = |value: Option<&Value>| value.and_then(Value::as_f64).filter(|length| *length > 0.0);
    #[allow(clippy::cast_sign_loss, reason = "negative numbers are filtered out")]
    let whole = |length: f64| length as u64;
    number(message.get("content").and_then(|content| content.get("size")))
        .or_else(|| number(message.get("bodySize")))
        .map(whole)
        .or_else(|| content_length?.trim().parse().ok())
}

fn millis(millis: f64) -> Option<Duration> {
    // A day is longer than any exchange lasts.
    (millis.is_finite() && (0.0..=86_400_000.0).contains(&millis)).then(|| Duration::from_secs_f64(millis / 1000.0))
}
