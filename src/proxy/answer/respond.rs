//! Who answers the requests: the server behind the proxy, or a recorded session.
//!
//! It answers for the seam between the two: what a request is for somebody who answers in the server's place, and
//! what an answer is. Framing, TLS towards the client and recording are the same for both and live elsewhere.

use std::sync::Arc;
use std::time::Duration;

use crate::exchange::{Failure, Server};
use crate::redact::{Body, Clean, Field, Url};

/// Who answers the requests.
#[derive(Clone, Default)]
pub enum Responder {
    /// The server that the client asked for.
    #[default]
    Upstream,
    /// Somebody in its place; no connection to any server is opened.
    Instead(Arc<dyn Respond>),
}

impl Responder {
    /// Whether servers answer.
    pub(crate) const fn is_upstream(&self) -> bool {
        matches!(self, Self::Upstream)
    }
}

/// Answers requests in the place of servers.
///
/// The requests of one connection come one after another, each after the answer to the one before.
pub trait Respond: Send + Sync {
    /// The answer to one complete request. It runs on the connection's task and must not block.
    fn respond(&self, request: &Request<'_>) -> Answer;

    /// What is known of the server at `origin` (`https://mail.contoso.com`): its address, and its TLS.
    fn server(&self, origin: &str) -> Option<Server> {
        let _ = origin;
        None
    }

    /// Why nobody can be reached at `origin`, if that is so: a client is told before its tunnel stands.
    fn unreachable(&self, origin: &str) -> Option<Failure> {
        let _ = origin;
        None
    }

    /// The connection is over: what was remembered of it can go.
    fn closed(&self, connection: u32) {
        let _ = connection;
    }
}

/// A complete request, as it may be shown.
pub struct Request<'a> {
    /// The client connection it came over, as in [`crate::exchange::Connection::id`].
    pub connection: u32,
    /// As sent.
    pub method: &'a Clean,
    /// Absolute, whatever form it was sent in.
    pub url: &'a Url,
    /// In order, as spelled; credentials are read.
    pub fields: &'a [Field],
    /// What may be kept of the body.
    pub body: &'a Body,
}

/// An answer, ready for the wire.
pub struct Answer {
    /// A complete HTTP/1.1 response, interim responses before it included; a response to HEAD has no body.
    pub pieces: Vec<Piece>,
    /// Close the connection after it.
    pub close: bool,
    /// Recorded with the exchange: why this answer is not the server's.
    pub failure: Option<Failure>,
}

/// What is sent in one go.
pub struct Piece {
    /// How long to wait before it.
    pub after: Duration,
    /// The bytes.
    pub bytes: Vec<u8>,
}

impl Piece {
    /// At once.
    pub const fn now(bytes: Vec<u8>) -> Self {
        Self { after: Duration::ZERO, bytes }
    }
}
