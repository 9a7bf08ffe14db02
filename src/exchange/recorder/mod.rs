//! From the bytes of a connection to its exchanges.

mod draft;
mod http1;
mod http2;
mod open;
mod talk;

use std::mem;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};

pub use self::draft::Draft;
use self::http1::Pairs;
use self::http2::Streams;
use self::open::Open;
pub use self::open::absolute_url;
pub use self::talk::Talk;
use super::{Connection, Exchange, Failure, FailureKind, Side, Step, Timestamp};
use crate::redact::{Bindings, Clean, Door, Redactor};
use crate::wire::{self, Loss};

/// The numbers of a session's exchanges and connections; clones share them.
#[derive(Clone, Default)]
pub struct Ids {
    exchanges: Arc<AtomicU64>,
    connections: Arc<AtomicU32>,
}

impl Ids {
    /// Numbering that goes on after these, for a session that is continued.
    pub fn after(exchange: u64, connection: u32) -> Self {
        Self { exchanges: Arc::new(exchange.into()), connections: Arc::new(connection.into()) }
    }

    /// The next exchange's number, from 1.
    pub fn exchange(&self) -> u64 {
        self.exchanges.fetch_add(1, Ordering::Relaxed) + 1
    }

    /// The next connection's number, from 1.
    pub fn connection(&self) -> u32 {
        self.connections.fetch_add(1, Ordering::Relaxed) + 1
    }
}

/// What a recorder must know of the connection it follows.
#[derive(Clone)]
pub struct Setting {
    /// The run's redactor.
    pub redactor: Redactor,
    /// Shared by all exchanges of the connection.
    pub connection: Arc<Connection>,
    /// Where the exchanges' numbers come from.
    pub ids: Ids,
    /// `https` or `http`: of requests in origin form.
    pub scheme: &'static str,
    /// `host[:port]` of requests in origin form that have no Host field.
    pub authority: Option<Vec<u8>>,
    /// How many bytes of each body are kept for reading.
    pub body_limit: usize,
    /// Whether the bytes are our own text (pasted), in which markers are read back.
    pub own: bool,
    /// By which an NTLM response tells which certificate the client saw.
    pub bindings: Bindings,
}

impl Setting {
    fn door(&self) -> Door<'_> {
        let door = if self.own { self.redactor.own() } else { self.redactor.wire() };
        door.with_bindings(self.bindings)
    }
}

/// Follows both directions of one connection, pairs requests with responses and gives exchanges.
///
/// It is fed copies of the bytes, requests before the responses they cause, and never holds anything back. When a
/// reader loses its place, the exchange at hand says so and the rest of the connection passes unread.
pub struct Recorder {
    follower: Follower,
    book: Book,
}

/// What tells which bytes belong to which exchange.
enum Follower {
    Http1(Box<Pairs>),
    Http2(Box<Streams>),
}

impl Recorder {
    /// Follows an HTTP/1 connection from its first byte.
    pub fn new(setting: Setting) -> Self {
        Self { follower: Follower::Http1(Box::new(Pairs::new())), book: Book::new(setting) }
    }

    /// Follows an HTTP/2 connection from its first byte.
    pub fn http2(setting: Setting) -> Self {
        Self { follower: Follower::Http2(Box::default()), book: Book::new(setting) }
    }

    /// What is known of the connection now: exchanges that end from here on have it.
    pub fn learn(&mut self, connection: Arc<Connection>) {
        self.book.setting.connection = connection;
    }

    /// Bytes that the client sent.
    pub fn request_bytes(&mut self, bytes: &[u8], now: Timestamp) {
        let Self { follower, book } = self;
        match follower {
            _ if book.lost => {}
            Follower::Http1(pairs) => pairs.request_bytes(bytes, book, now),
            Follower::Http2(streams) => streams.read(wire::http2::Side::Client, bytes, book, now),
        }
    }

    /// Bytes that the server sent.
    pub fn response_bytes(&mut self, bytes: &[u8], now: Timestamp) {
        let Self { follower, book } = self;
        match follower {
            _ if book.lost => {}
            Follower::Http1(pairs) => pairs.response_bytes(bytes, book, now),
            Follower::Http2(streams) => streams.read(wire::http2::Side::Server, bytes, book, now),
        }
    }

    /// The server closed its direction: a body that runs to the end of the connection is complete.
    pub fn response_end(&mut self, now: Timestamp) {
        let Self { follower, book } = self;
        if let Follower::Http1(pairs) = follower
            && !book.lost
        {
            pairs.response_end(book, now);
        }
    }

    /// The server closed its direction while the client's was open: what it has not answered by now it never will.
    pub fn server_left(&mut self, now: Timestamp) {
        self.response_end(now);
        self.book.server_left.get_or_insert(now);
        let unanswered = match &mut self.follower {
            Follower::Http1(pairs) => pairs.take_unanswered(),
            Follower::Http2(streams) => streams.take(),
        };
        self.end_all(unanswered, None, now);
    }

    /// The connection is over. What is still open ends with `failure`; without one, what is open was closed early by
    /// the server.
    pub fn close(&mut self, failure: Option<Failure>, now: Timestamp) {
        if failure.is_none() {
            self.response_end(now);
        }
        let open = match &mut self.follower {
            Follower::Http1(pairs) => {
                pairs.tell_surplus(&mut self.book, now);
                pairs.take()
            }
            Follower::Http2(streams) => streams.take(),
        };
        self.end_all(open, failure.as_ref(), now);
    }

    fn end_all(&mut self, open: Vec<Open>, failure: Option<&Failure>, now: Timestamp) {
        for open in open {
            let farewell = match &self.follower {
                Follower::Http1(_) => None,
                Follower::Http2(streams) => streams.farewell(),
            };
            let failure = failure.cloned().or(farewell).unwrap_or_else(|| open.closed_early(self.book.server_left));
            self.book.end(open, Some(failure), now);
        }
    }

    /// Records nothing of the exchanges that begin from now on while `paused`; the framing is still followed.
    pub const fn pause(&mut self, paused: bool) {
        self.book.paused = paused;
    }

    /// When the oldest exchange that is still going on began.
    pub fn running_since(&self) -> Option<Timestamp> {
        let recorded = |open: &&Open| open.recorded;
        let oldest = match &self.follower {
            Follower::Http1(pairs) => pairs.open().find(recorded),
            Follower::Http2(streams) => streams.open().find(recorded),
        };
        oldest.map(|open| open.started)
    }

    /// What there is so far of the exchanges still going on, marked as running; their bodies are not in it.
    pub fn running(&self, now: Timestamp) -> Vec<Exchange> {
        let snapshot = |open: &Open| open.recorded.then(|| open.snapshot(&self.book.setting, now));
        match &self.follower {
            Follower::Http1(pairs) => pairs.open().filter_map(snapshot).collect(),
            Follower::Http2(streams) => streams.open().filter_map(snapshot).collect(),
        }
    }

    /// Whether no exchange is going on and both directions stand between messages.
    pub fn is_idle(&self) -> bool {
        match &self.follower {
            Follower::Http1(pairs) => pairs.is_idle(),
            Follower::Http2(streams) => streams.is_idle(),
        }
    }

    /// Whether a reader lost its place.
    pub const fn is_lost(&self) -> bool {
        self.book.lost
    }

    /// The exchanges that have ended since the last call, in the order of their end.
    pub fn finished(&mut self) -> Vec<Draft> {
        mem::take(&mut self.book.ended)
    }
}

/// What the exchanges of a connection are written into.
struct Book {
    setting: Setting,
    ended: Vec<Draft>,
    paused: bool,
    lost: bool,
    /// When the server closed its direction, if it did so before the client.
    server_left: Option<Timestamp>,
}

impl Book {
    const fn new(setting: Setting) -> Self {
        Self { setting, ended: Vec::new(), paused: false, lost: false, server_left: None }
    }

    fn end(&mut self, open: Open, failure: Option<Failure>, now: Timestamp) {
        if open.recorded {
            self.ended.push(open.end(&self.setting, failure, now));
        }
    }

    /// A reader gave up on the connection: what is open says why.
    fn lose(&mut self, mut open: Vec<Open>, loss: Loss, side: Side, now: Timestamp) {
        self.lost = true;
        let failure = not_understood(side, loss, "; what follows on this connection passed unread");
        if open.is_empty() {
            open.push(Open::unreadable(&self.setting, !self.paused, now));
        }
        for open in open {
            self.end(open, Some(failure.clone()), now);
        }
    }
}

/// A reader gave up, and what that means for what follows.
fn not_understood(side: Side, loss: Loss, what_follows: &'static str) -> Failure {
    let step = if side == Side::Client { Step::Send } else { Step::Receive };
    let text = Clean::concat([loss.phrase().into(), what_follows.into()]);
    Failure { side, step, kind: FailureKind::NotUnderstood, text }
}

#[cfg(test)]
mod tests;
