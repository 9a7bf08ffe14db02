//! From the bytes of a connection to its exchanges.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};

use super::{Connection, Exchange, Failure, Timestamp};
use crate::redact::Redactor;

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
    /// `host[:port]` of requests in origin form; where there is none, the Host field says it.
    pub authority: Option<Vec<u8>>,
    /// How many bytes of each body are kept for reading.
    pub body_limit: usize,
    /// Whether the bytes are our own text (pasted), in which markers are read back.
    pub own: bool,
}

/// Follows both directions of one HTTP/1 connection, pairs requests with responses and gives exchanges.
///
/// It is fed copies of the bytes, requests before the responses they cause, and never holds anything back.
pub struct Recorder {
    _setting: Setting,
}

impl Recorder {
    /// Follows a connection from its first byte.
    pub const fn new(setting: Setting) -> Self {
        Self { _setting: setting }
    }

    /// Bytes that the client sent.
    pub fn request_bytes(&mut self, bytes: &[u8], now: Timestamp) {
        let _ = (bytes, now);
    }

    /// Bytes that the server sent.
    pub fn response_bytes(&mut self, bytes: &[u8], now: Timestamp) {
        let _ = (bytes, now);
    }

    /// The server closed its direction in order.
    pub fn response_end(&mut self, now: Timestamp) {
        let _ = now;
    }

    /// The connection is over. What is still open ends with `failure`; without one, what is open was closed early by
    /// the server.
    pub fn close(&mut self, failure: Option<Failure>, now: Timestamp) {
        let _ = (failure, now);
    }

    /// Records nothing of the exchanges that begin from now on while `paused`; the framing is still followed.
    pub fn pause(&mut self, paused: bool) {
        let _ = paused;
    }

    /// When the oldest exchange that is still going on began.
    pub fn running_since(&self) -> Option<Timestamp> {
        None
    }

    /// What there is so far of the exchanges still going on, marked as running.
    pub fn running(&self, now: Timestamp) -> Vec<Exchange> {
        let _ = now;
        Vec::new()
    }

    /// The exchanges that have ended since the last call, in the order of their end.
    pub fn finished(&mut self) -> Vec<Draft> {
        Vec::new()
    }
}

/// An exchange that has ended and whose bodies have yet to pass the redactor.
pub struct Draft {
    exchange: Exchange,
}

impl Draft {
    /// How many bytes of body wait; above 64 KiB call [`Draft::finish`] off the connection's task.
    pub const fn weight(&self) -> usize {
        0
    }

    /// Redacts the bodies.
    pub fn finish(self) -> Exchange {
        self.exchange
    }
}
