//! What passed over a WebSocket: the messages of both sides as parts of the exchange that opened it.

use std::time::Duration;

use super::Side;
use crate::redact::Body;

/// The messages of a WebSocket.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Socket {
    /// The first ones and the end, in the order in which they were complete. [`Socket::missing`] says how many are not
    /// among them.
    pub messages: Vec<SocketMessage>,
    /// All that the client sent.
    pub client: Tally,
    /// All that the server sent.
    pub server: Tally,
    /// The side whose bytes could not be followed to the end.
    pub lost: Option<Side>,
}

impl Socket {
    /// How many messages came that are not kept.
    pub fn missing(&self) -> u64 {
        (self.client.messages + self.server.messages).saturating_sub(self.messages.len() as u64)
    }
}

/// How much one side sent.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Tally {
    /// Messages, with Close, Ping and Pong.
    pub messages: u64,
    /// Bytes in them.
    pub bytes: u64,
}

/// One message of a WebSocket.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SocketMessage {
    /// Who sent it: the client or the server.
    pub side: Side,
    /// What it is.
    pub kind: SocketKind,
    /// When it was complete, from [`super::Exchange::started`].
    pub at: Duration,
    /// The code of a Close.
    pub code: Option<u16>,
    /// What may be kept of it; of a Close, its reason.
    pub body: Body,
}

/// What a message of a WebSocket is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SocketKind {
    /// Text.
    Text,
    /// Anything else.
    Binary,
    /// The end.
    Close,
    /// A question whether the other side is there.
    Ping,
    /// The answer to it.
    Pong,
}

impl SocketKind {
    /// All, for reading [`SocketKind::code`] back.
    pub const ALL: [Self; 5] = [Self::Text, Self::Binary, Self::Close, Self::Ping, Self::Pong];

    /// A stable word for files.
    pub const fn code(self) -> &'static str {
        match self {
            Self::Text => "text",
            Self::Binary => "binary",
            Self::Close => "close",
            Self::Ping => "ping",
            Self::Pong => "pong",
        }
    }
}
