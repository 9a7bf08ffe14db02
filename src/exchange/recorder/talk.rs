//! A WebSocket that an exchange has opened, while it is open. Its messages are redacted as they come.

use std::mem;

use crate::exchange::{Side, Socket, SocketKind, SocketMessage, Tally, Timestamp};
use crate::redact::{Body, Content, Door, RawBody, Syntax};
use crate::wire::Fields;
use crate::wire::websocket::{Extensions, Kind, Message, Reader};

/// So many messages are kept: a session of hours would otherwise fill memory, and what tells why somebody was not let
/// in stands at the beginning. The Close is kept beside them.
const MESSAGES: usize = 200;
/// So much of their text is kept in all.
const TEXT: usize = 256 * 1024;

/// Both directions of a WebSocket.
pub struct Talk {
    client: Reader,
    server: Reader,
    so_far: Socket,
    room: usize,
}

impl Talk {
    /// One that a response with these `fields` opens.
    pub fn new(fields: Fields<'_>) -> Self {
        let extensions = Extensions::of(fields);
        Self {
            client: Reader::client(extensions),
            server: Reader::server(extensions),
            so_far: Socket::default(),
            room: TEXT,
        }
    }

    /// Bytes that `side` sent, in an exchange that began at `started`.
    pub fn read(&mut self, side: Side, bytes: &[u8], door: Door<'_>, started: Timestamp, now: Timestamp) {
        let Self { client, server, so_far, room } = self;
        let reader = if side == Side::Client { client } else { server };
        let read = reader.read(bytes, &mut |message| {
            let tally = if side == Side::Client { &mut so_far.client } else { &mut so_far.server };
            *tally = Tally { messages: tally.messages + 1, bytes: tally.bytes + message.length };
            if so_far.messages.len() < MESSAGES || message.kind == Kind::Close {
                so_far.messages.push(kept(&message, side, door, room, now.since(started)));
            }
        });
        if read.is_err() {
            so_far.lost = so_far.lost.or(Some(side));
        }
    }

    /// What there is so far.
    pub fn so_far(&self) -> Socket {
        self.so_far.clone()
    }

    /// What there is in the end.
    pub fn end(mut self) -> Socket {
        mem::take(&mut self.so_far)
    }
}

fn kept(message: &Message<'_>, side: Side, door: Door<'_>, room: &mut usize, at: std::time::Duration) -> SocketMessage {
    let bytes = message.bytes.unwrap_or_default();
    let (code, body) = match message.kind {
        Kind::Close => {
            let (code, reason) = bytes.split_at(bytes.len().min(2));
            (code.first_chunk().map(|code| u16::from_be_bytes(*code)), reason_of(reason, message.length, door))
        }
        // What Ping and Pong carry is of no meaning to anybody but their sender.
        Kind::Binary | Kind::Ping | Kind::Pong => (None, body(&[], message, "application/octet-stream", door)),
        Kind::Text if message.bytes.is_none() => (None, body(&[], message, "", door)),
        Kind::Text => {
            let kept = &bytes[..bytes.len().min(*room)];
            *room -= kept.len();
            (None, body(kept, message, "", door))
        }
    };
    SocketMessage { side, kind: kind(message.kind), at, code, body }
}

/// The part of a body is that of any other message: JSON, XML and forms by their names, and no text that is content.
fn body(bytes: &[u8], message: &Message<'_>, content_type: &str, door: Door<'_>) -> Body {
    let undecodable = message.bytes.is_none() && message.kind == Kind::Text;
    // A deflated message is longer than what passed; what counts here is whether all of it is there.
    let whole = message.whole && message.bytes.is_some_and(|all| all.len() == bytes.len());
    let mut body = door.body(RawBody {
        bytes: bytes.to_vec().into(),
        length: if message.length == 0 { 0 } else { bytes.len() as u64 + u64::from(!whole) },
        recorded: true,
        refusal: false,
        content_type: content_type.as_bytes().to_vec(),
        // No coding is called so: nothing can be read.
        content_encoding: if undecodable { b"unknown".to_vec() } else { Vec::new() },
    });
    body.length = message.length;
    body
}

fn reason_of(reason: &[u8], length: u64, door: Door<'_>) -> Body {
    let content = match reason {
        [] => Content::Empty,
        reason => Content::Text { syntax: Syntax::Text, text: door.body_text(Syntax::Text, reason), complete: true },
    };
    Body { length, content }
}

const fn kind(kind: Kind) -> SocketKind {
    match kind {
        Kind::Text => SocketKind::Text,
        Kind::Binary => SocketKind::Binary,
        Kind::Close => SocketKind::Close,
        Kind::Ping => SocketKind::Ping,
        Kind::Pong => SocketKind::Pong,
    }
}
