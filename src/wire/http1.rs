//! HTTP/1 (RFC 9112), followed and not judged.

use super::{Event, Loss};

/// Follows one direction of a connection.
pub struct Reader {
    _side: Side,
}

#[derive(Clone, Copy)]
enum Side {
    Requests,
    Responses,
}

/// What a response answers; it decides whether a body follows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Asked {
    /// HEAD: no body whatever the fields say.
    Head,
    /// CONNECT: after a 2xx the connection is a tunnel.
    Connect,
    /// Any other method.
    Other,
}

impl Reader {
    /// Follows what a client sends.
    pub const fn requests() -> Self {
        Self { _side: Side::Requests }
    }

    /// Follows what a server sends. Tell it each request with [`Reader::expect`].
    pub const fn responses() -> Self {
        Self { _side: Side::Responses }
    }

    /// A request was made that the next unanswered final response belongs to.
    pub fn expect(&mut self, asked: Asked) {
        let _ = asked;
    }

    /// Feeds the next bytes; `sink` gets the events in order. Splitting the bytes differently gives the same events,
    /// but for the pieces of [`Event::Body`].
    pub fn read(&mut self, bytes: &[u8], sink: &mut dyn FnMut(Event<'_>)) {
        let _ = bytes;
        sink(Event::Lost(Loss::NotHttp));
    }

    /// The connection ended: completes a body that runs to the end of the connection; gives
    /// [`Loss::CutShort`] inside any other message.
    pub fn close(&mut self, sink: &mut dyn FnMut(Event<'_>)) {
        let _ = sink;
    }
}
