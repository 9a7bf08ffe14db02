//! The tap: bytes pass verbatim between two streams, and the same bytes go to a tape afterwards.
//!
//! One task carries both directions. Nothing is read that the other end cannot take (backpressure), nothing waits for
//! more, no timeout of ours ends anything. The end of a direction is passed on as what it was: an orderly close, a
//! bare FIN, or a reset.
//!
//! Inside a tunnel all passes until both sides are done ([`relay`]). Where the next request may be for another server,
//! a request and its response pass, and no byte beyond them ([`exchange`]).

mod direction;
mod message;
mod rows;

use std::future::poll_fn;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use self::direction::{Direction, End, News};
pub(crate) use self::message::Message;
use self::rows::RowClock;
use crate::exchange::Side;
use crate::proxy::tap::stream::Stream;
use crate::proxy::tap::tape::{Ending, Tape};

/// A reset discards what the system has not yet sent; this is how long it may take to send it.
const LAST_BYTES: Duration = Duration::from_millis(100);

/// Copies between `client` and `server` until both directions are over, and tells `tape` all of it.
pub(crate) async fn relay<C: Stream, S: Stream>(mut client: C, mut server: S, tape: &mut Tape) {
    carry(&mut client, &mut server, tape, None, None).await;
}

/// Copies what is still to pass of a request, and its response, or all from there on where the two carry another
/// protocol then. Unless another exchange can follow, `tape` is closed.
pub(crate) async fn exchange<C: Stream, S: Stream>(
    client: &mut C,
    server: &mut S,
    tape: &mut Tape,
    request: Message<'_>,
    response: Message<'_>,
) -> After {
    carry(client, server, tape, Some(request), Some(response)).await
}

/// What can be done with two connections after an exchange.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum After {
    /// They can carry another.
    Next,
    /// Nothing; the client has got what there was for it. Between exchanges, what it sends from here is another
    /// request.
    Over { between: bool },
    /// Nothing; both end with a reset when they are dropped.
    Reset,
}

async fn carry<C: Stream, S: Stream>(
    client: &mut C,
    server: &mut S,
    tape: &mut Tape,
    request: Option<Message<'_>>,
    response: Option<Message<'_>>,
) -> After {
    let mut relay = Relay {
        requests: Direction::new(request),
        responses: Direction::new(response),
        first_end: None,
        clock: RowClock::new(),
    };
    let after = poll_fn(|cx| relay.poll(client, server, tape, cx)).await;
    if after == After::Next {
        return after;
    }
    let reset = relay.is_reset();
    tape.close(relay.ending());
    if !reset {
        return after;
    }
    tokio::time::sleep(LAST_BYTES).await;
    client.abort();
    server.abort();
    After::Reset
}

struct Relay<'r> {
    requests: Direction<'r>,
    responses: Direction<'r>,
    /// Which side ended first, and how; a reset counts before an end in order.
    first_end: Option<Ending>,
    clock: RowClock,
}

impl Relay<'_> {
    fn poll<C: Stream, S: Stream>(
        &mut self,
        client: &mut C,
        server: &mut S,
        tape: &mut Tape,
        cx: &mut Context<'_>,
    ) -> Poll<After> {
        // Requests first: the tape wants them before the responses they cause.
        match self.requests.copy(client, server, cx, |bytes| tape.request_bytes(bytes)) {
            Some(News::Ended(end)) => self.ended(Side::Client, &end),
            Some(News::Refused) if self.requests.message().is_none() => {
                // What the server did not take was asked all the same.
                if let Poll::Ready(Ok(bytes)) = Pin::new(&mut *client).poll_fill_buf(cx) {
                    tape.request_bytes(bytes);
                }
            }
            _ => {}
        }
        if let Some(News::Ended(end)) = self.responses.copy(server, client, cx, |bytes| tape.response_bytes(bytes)) {
            self.ended(Side::Server, &end);
            // An alert says why there is no answer, or no more of one.
            if !end.is_reset() && end.tls().is_none() {
                match &self.first_end {
                    Some(first) if first.side == Side::Server => tape.server_left(),
                    // A server that closes because the client did is not to blame.
                    _ => tape.response_end(),
                }
            }
        }
        if self.responses.message().is_some_and(Message::is_upgraded) {
            // What follows is no HTTP in either direction, and all of it passes.
            self.requests.lift();
            self.responses.lift();
            cx.waker().wake_by_ref();
        }
        tape.deliver();
        self.clock.poll(tape, cx);
        self.after().map_or(Poll::Pending, Poll::Ready)
    }

    /// What comes next, once there is nothing left to copy.
    fn after(&self) -> Option<After> {
        let (requests, responses) = (&self.requests, &self.responses);
        let over = After::Over { between: requests.message().is_some_and(Message::is_complete) };
        let reset_passed_on = self.is_reset() && (requests.is_over() || responses.is_over());
        if reset_passed_on || !(requests.is_open() || responses.is_open()) {
            return Some(over);
        }
        let (Some(request), Some(response)) = (requests.message(), responses.message()) else { return None };
        if request.is_lost() || response.is_lost() || !responses.is_open() {
            return Some(over);
        }
        match responses.is_through() {
            true if requests.is_copying() => requests.is_through().then_some(After::Next),
            true => Some(over),
            false => None,
        }
    }

    fn ended(&mut self, side: Side, end: &End) {
        let reset = end.is_reset();
        if self.first_end.is_none() || (reset && !self.is_reset()) {
            self.first_end = Some(Ending { side, reset, tls: end.tls().cloned() });
        }
    }

    fn is_reset(&self) -> bool {
        self.first_end.as_ref().is_some_and(|end| end.reset)
    }

    /// How the connections came to their end. A client that takes no more of a response has gone, even if it was not
    /// seen leaving.
    fn ending(&mut self) -> Option<Ending> {
        let refused = || Ending { side: Side::Client, reset: true, tls: None };
        self.first_end.take().or_else(|| self.responses.is_refused().then(refused))
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
mod tests;
