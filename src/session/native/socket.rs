//! The messages of a WebSocket as JSON, as they stand in a session file.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::row::{body_kind, of_code, read_content};
use crate::exchange::{Side, Socket, SocketKind, SocketMessage, Tally};
use crate::redact::{Body, Content, Door};

#[derive(Serialize, Deserialize)]
struct Written<'a> {
    /// Messages and bytes.
    client: (u64, u64),
    server: (u64, u64),
    #[serde(skip_serializing_if = "Option::is_none")]
    lost: Option<&'a str>,
    #[serde(borrow)]
    messages: Vec<WrittenMessage<'a>>,
}

#[derive(Serialize, Deserialize)]
struct WrittenMessage<'a> {
    side: &'a str,
    kind: &'a str,
    at_us: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    code: Option<u16>,
    length: u64,
    body: &'a str,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    complete: Option<bool>,
    #[serde(default, skip_serializing_if = "Option::is_none", borrow)]
    text: Option<std::borrow::Cow<'a, str>>,
}

/// The JSON of `socket`.
pub(in crate::session) fn write(socket: &Socket) -> String {
    let message = |message: &SocketMessage| {
        let (complete, text) = match &message.body.content {
            Content::Text { text, complete, .. } => (Some(*complete), Some(text.as_str().to_owned().into())),
            _ => (None, None),
        };
        WrittenMessage {
            side: message.side.code(),
            kind: message.kind.code(),
            at_us: u64::try_from(message.at.as_micros()).unwrap_or(u64::MAX),
            code: message.code,
            length: message.body.length,
            body: body_kind(&message.body.content),
            complete,
            text,
        }
    };
    let written = Written {
        client: (socket.client.messages, socket.client.bytes),
        server: (socket.server.messages, socket.server.bytes),
        lost: socket.lost.map(Side::code),
        messages: socket.messages.iter().map(message).collect(),
    };
    serde_json::to_string(&written).unwrap_or_default()
}

/// Reads [`write()`] back; nothing where it is not what we write.
pub(in crate::session) fn read(text: &str, door: Door<'_>) -> Option<Socket> {
    let written: Written<'_> = serde_json::from_str(text).ok()?;
    let side = |code: &str| of_code(&Side::ALL, code, Side::code);
    let tally = |(messages, bytes)| Tally { messages, bytes };
    let message = |message: &WrittenMessage<'_>| {
        let content = read_content(message.body, message.complete, message.text.as_deref(), door)?;
        Some(SocketMessage {
            side: side(message.side)?,
            kind: of_code(&SocketKind::ALL, message.kind, SocketKind::code)?,
            at: Duration::from_micros(message.at_us),
            code: message.code,
            body: Body { length: message.length, content },
        })
    };
    Some(Socket {
        messages: written.messages.iter().map(message).collect::<Option<_>>()?,
        client: tally(written.client),
        server: tally(written.server),
        lost: match written.lost {
            Some(code) => Some(side(code)?),
            None => None,
        },
    })
}
