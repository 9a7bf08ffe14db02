//! Exchanges that have ended, before their bodies are redacted.

use crate::exchange::{Exchange, Seen};
use crate::redact::{RawBody, Redactor};

/// An exchange that has ended and whose bodies have yet to pass the redactor.
pub struct Draft {
    pub(super) exchange: Exchange,
    pub(super) request_body: RawBody,
    pub(super) response_body: Option<RawBody>,
    pub(super) redactor: Redactor,
    pub(super) own: bool,
}

impl Draft {
    /// How many bytes of body wait; above 64 KiB call [`Draft::finish`] off the connection's task.
    pub fn weight(&self) -> usize {
        self.request_body.bytes.len() + self.response_body.as_ref().map_or(0, |body| body.bytes.len())
    }

    /// Redacts the bodies.
    pub fn finish(self) -> Exchange {
        let Self { mut exchange, request_body, response_body, redactor, own } = self;
        let door = if own { redactor.own() } else { redactor.wire() };
        if let Seen::Seen(request) = &mut exchange.request {
            request.body = door.body(request_body);
        }
        if let (Seen::Seen(response), Some(body)) = (&mut exchange.response, response_body) {
            response.message.body = door.body(body);
        }
        exchange
    }
}
