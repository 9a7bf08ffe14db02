//! Messages that another tool recorded as bytes, on their way through the door.
//!
//! Formats differ in where these bytes stand; what is made of them does not.

use super::stripped;
use crate::exchange::{Head, Message, Oddities, SocketKind, Timestamp};
use crate::redact::{Body, Content, Door, Fields, RawBody, Syntax, Withheld};

/// How much of each body is read, as in a capture of ours.
pub(super) const BODY: usize = 256 << 10;

/// So many messages of a WebSocket are kept, as in a capture of ours.
pub(super) const SOCKET_MESSAGES: usize = 200;

/// A message as a file has it.
pub(super) struct Parts<'p> {
    /// However it is spelled.
    pub(super) version: &'p str,
    /// In order.
    pub(super) fields: &'p [(&'p [u8], &'p [u8])],
    pub(super) body: Captured,
    pub(super) trailers: Fields,
    /// It says why something was refused or failed.
    pub(super) refusal: bool,
}

/// What a file has of a body; transfer coding removed, content coding not.
pub(super) enum Captured {
    /// These bytes, the first ones of this many.
    Bytes(Vec<u8>, u64),
    /// None of this many.
    Missing(u64),
}

impl Captured {
    /// There was none.
    pub(super) const NONE: Self = Self::Missing(0);
}

/// What may be kept of a message. Fields whose credential was taken out by whoever gave the file away are left out, and
/// the head is said to be stripped of them.
pub(super) fn message(door: Door<'_>, parts: Parts<'_>) -> Message {
    let masked = |(name, value): &(&[u8], &[u8])| match (std::str::from_utf8(name), std::str::from_utf8(value)) {
        (Ok(name), Ok(value)) => stripped::is_masked_field(name, value),
        _ => false,
    };
    // HTTP/2 has names that are no fields.
    let is_field = |(name, _): &&(&[u8], &[u8])| !name.is_empty() && !name.starts_with(b":");
    let fields: Vec<_> = parts.fields.iter().filter(is_field).collect();
    let joined = |wanted: &str| {
        let named = fields.iter().filter(|(name, _)| name.eq_ignore_ascii_case(wanted.as_bytes()));
        named.map(|(_, value)| *value).collect::<Vec<_>>().join(&b", "[..])
    };
    let body = match parts.body {
        Captured::Missing(0) => Body { length: 0, content: Content::Empty },
        Captured::Missing(length) => Body { length, content: Content::Withheld(Withheld::NotRecorded) },
        Captured::Bytes(mut bytes, length) => {
            bytes.truncate(BODY);
            door.body(RawBody {
                bytes: bytes.into(),
                length,
                recorded: true,
                refusal: parts.refusal,
                content_type: joined("content-type"),
                content_encoding: joined("content-encoding"),
            })
        }
    };
    Message {
        version: door.token(version(parts.version).as_bytes()),
        head: if fields.iter().any(|field| masked(field)) { Head::Stripped } else { Head::Whole },
        fields: fields.iter().filter(|field| !masked(field)).map(|(name, value)| door.field(name, value)).collect(),
        body,
        trailers: parts.trailers,
        odd: Oddities::NONE,
    }
}

/// What may be kept of a message of a WebSocket; of a Close, `bytes` are its reason.
pub(super) fn socket_body(door: Door<'_>, kind: SocketKind, bytes: &[u8]) -> Body {
    let length = bytes.len() as u64;
    match (kind, bytes) {
        (_, []) => Body { length, content: Content::Empty },
        (SocketKind::Close, reason) => {
            let syntax = Syntax::Text;
            Body { length, content: Content::Text { syntax, text: door.body_text(syntax, reason), complete: true } }
        }
        _ => door.body(RawBody {
            bytes: bytes[..bytes.len().min(BODY)].to_vec().into(),
            length,
            recorded: true,
            refusal: false,
            content_type: if kind == SocketKind::Text { Vec::new() } else { b"application/octet-stream".to_vec() },
            content_encoding: Vec::new(),
        }),
    }
}

/// `HTTP/2` however it is spelled.
pub(super) fn version(spelled: &str) -> &str {
    match spelled.trim().to_ascii_lowercase().as_str() {
        "h2" | "http/2" | "http/2.0" | "http2" | "http/2+quic/46" => "HTTP/2",
        "h3" | "http/3" | "http/3.0" | "h3-29" | "http/3-29" => "HTTP/3",
        "http/1.1" => "HTTP/1.1",
        "http/1.0" => "HTTP/1.0",
        "unknown" => "",
        _ => spelled.trim(),
    }
}

/// The host of an authority, without its port.
pub(super) fn host(authority: &str) -> &str {
    split(authority).0
}

/// Host and port of an authority.
pub(super) fn split(authority: &str) -> (&str, Option<u16>) {
    match authority.rsplit_once(':') {
        Some((host, port)) if !port.contains(']') => (host, port.parse().ok()),
        _ => (authority, None),
    }
}

/// Seconds since 1970 with a fraction.
#[allow(clippy::cast_possible_truncation, reason = "checked to be in range")]
pub(super) fn moment(seconds: f64) -> Option<Timestamp> {
    (seconds.is_finite() && (0.0..1e11).contains(&seconds)).then(|| Timestamp((seconds * 1e6).round() as i64))
}
