//! The tap: bytes pass verbatim between two streams, and the same bytes go to a tape afterwards.
//!
//! One task carries both directions. Nothing is read that the other end cannot take (backpressure), nothing waits for
//! more, no timeout of ours ends anything. The end of a direction is passed on as what it was: an orderly close, a
//! bare FIN, or a reset.

use std::future::poll_fn;
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use tokio::time::{Instant, Sleep};

use crate::exchange::Side;
use crate::proxy::tap::stream::Stream;
use crate::proxy::tap::tape::{Ending, Tape};
use crate::proxy::upstream::tls_error;

/// A reset discards what the system has not yet sent; this is how long it may take to send it.
const LAST_BYTES: Duration = Duration::from_millis(100);

/// Copies between `client` and `server` until both directions are over, and tells `tape` all of it.
pub(crate) async fn relay<C: Stream, S: Stream>(mut client: C, mut server: S, tape: &mut Tape) {
    let mut relay = Relay {
        requests: Flow::Copying { unflushed: false },
        responses: Flow::Copying { unflushed: false },
        first_end: None,
        clock: RowClock::new(),
    };
    poll_fn(|cx| relay.poll(&mut client, &mut server, tape, cx)).await;
    let reset = relay.first_end.as_ref().is_some_and(|end| end.reset);
    tape.close(relay.first_end.map(|end| end.ending));
    if reset {
        tokio::time::sleep(LAST_BYTES).await;
        client.abort();
        server.abort();
    }
}

struct Relay {
    requests: Flow,
    responses: Flow,
    /// Which side ended first, and how.
    first_end: Option<End>,
    clock: RowClock,
}

/// Sees to the rows of exchanges that go on for long.
///
/// One alarm a connection, set only while an exchange is open: no timer is touched for an exchange that is short.
pub(crate) struct RowClock {
    alarm: Pin<Box<Sleep>>,
    set: bool,
}

impl RowClock {
    pub(crate) fn new() -> Self {
        Self { alarm: Box::pin(tokio::time::sleep(Duration::ZERO)), set: false }
    }

    /// Lets `tape` write what is due and wakes the task when it is time again.
    pub(crate) fn poll(&mut self, tape: &mut Tape, cx: &mut Context<'_>) {
        loop {
            if !self.set {
                let Some(wait) = tape.next_row() else { return };
                self.alarm.as_mut().reset(Instant::now() + wait);
                self.set = true;
            }
            if self.alarm.as_mut().poll(cx).is_pending() {
                return;
            }
            self.set = false;
            tape.write_rows();
        }
    }
}

/// The state of one direction.
#[derive(Clone, Copy)]
enum Flow {
    /// Bytes pass.
    Copying { unflushed: bool },
    /// The source has ended; what was written is on its way out.
    Ending(How),
    /// The end was passed on.
    Over,
    /// The sink takes nothing more. The other direction may still have something to say.
    Refused,
}

/// How a source ended.
#[derive(Clone, Copy, PartialEq, Eq)]
enum How {
    /// In order; with TLS, with a close_notify.
    Closed,
    /// With TLS: without a close_notify.
    Cut,
    Reset,
}

struct End {
    ending: Ending,
    reset: bool,
}

impl Relay {
    fn poll<C: Stream, S: Stream>(
        &mut self,
        client: &mut C,
        server: &mut S,
        tape: &mut Tape,
        cx: &mut Context<'_>,
    ) -> Poll<()> {
        // Requests first: the tape wants them before the responses they cause.
        if let Some(end) = copy(client, server, &mut self.requests, cx, |bytes| tape.request_bytes(bytes)) {
            self.ended(Side::Client, end);
        }
        if let Some(end) = copy(server, client, &mut self.responses, cx, |bytes| tape.response_bytes(bytes)) {
            // An alert says why there is no answer, or no more of one.
            let in_order = end.0 != How::Reset && end.1.as_ref().and_then(tls_error).is_none();
            self.ended(Side::Server, end);
            let server_first = self.first_end.as_ref().is_some_and(|first| first.ending.side == Side::Server);
            match (in_order, server_first) {
                (true, true) => tape.server_left(),
                // A server that closes because the client did is not to blame.
                (true, false) => tape.response_end(),
                (false, _) => {}
            }
        }
        tape.deliver();
        self.clock.poll(tape, cx);
        let reset = self.first_end.as_ref().is_some_and(|end| end.reset);
        let both_over = !self.requests.is_open() && !self.responses.is_open();
        let reset_passed_on = reset && (matches!(self.requests, Flow::Over) || matches!(self.responses, Flow::Over));
        if both_over || reset_passed_on { Poll::Ready(()) } else { Poll::Pending }
    }

    fn ended(&mut self, side: Side, (how, error): SourceEnd) {
        let reset = how == How::Reset;
        if self.first_end.is_none() || (reset && !self.first_end.as_ref().is_some_and(|end| end.reset)) {
            let ending = Ending { side, reset, tls: error.as_ref().and_then(tls_error).cloned() };
            self.first_end = Some(End { ending, reset });
        }
    }
}

impl Flow {
    const fn is_open(self) -> bool {
        matches!(self, Self::Copying { .. } | Self::Ending(_))
    }
}

/// How a source ended, with the error that said so.
type SourceEnd = (How, Option<io::Error>);

/// Moves what can be moved from `from` to `to`. Says so when the source has ended.
fn copy<A: Stream, B: Stream>(
    from: &mut A,
    to: &mut B,
    flow: &mut Flow,
    cx: &mut Context<'_>,
    mut tell: impl FnMut(&[u8]),
) -> Option<SourceEnd> {
    let mut news = None;
    loop {
        match *flow {
            Flow::Copying { unflushed } => match Pin::new(&mut *from).poll_fill_buf(cx) {
                Poll::Ready(Ok([])) => {
                    *flow = Flow::Ending(How::Closed);
                    news = Some((How::Closed, None));
                }
                Poll::Ready(Ok(bytes)) => match Pin::new(&mut *to).poll_write(cx, bytes) {
                    Poll::Ready(Ok(written)) if written > 0 => {
                        tell(&bytes[..written]);
                        Pin::new(&mut *from).consume(written);
                        *flow = Flow::Copying { unflushed: true };
                    }
                    Poll::Ready(_) => *flow = Flow::Refused,
                    Poll::Pending => return news,
                },
                Poll::Ready(Err(error)) => {
                    let how = how_of(&error);
                    *flow = Flow::Ending(how);
                    news = Some((how, Some(error)));
                }
                Poll::Pending => {
                    if unflushed {
                        match Pin::new(&mut *to).poll_flush(cx) {
                            Poll::Ready(Ok(())) => *flow = Flow::Copying { unflushed: false },
                            Poll::Ready(Err(_)) => *flow = Flow::Refused,
                            Poll::Pending => {}
                        }
                    }
                    return news;
                }
            },
            Flow::Ending(how) => {
                let passed_on = match Pin::new(&mut *to).poll_flush(cx) {
                    Poll::Ready(Ok(())) => match how {
                        How::Closed => Pin::new(&mut *to).poll_shutdown(cx),
                        How::Cut => to.poll_fin(cx),
                        How::Reset => Poll::Ready(Ok(())),
                    },
                    other => other,
                };
                match passed_on {
                    Poll::Ready(_) => *flow = Flow::Over,
                    Poll::Pending => return news,
                }
            }
            Flow::Over | Flow::Refused => return news,
        }
    }
}

fn how_of(error: &io::Error) -> How {
    match error.kind() {
        // Also a fatal alert: its sender has said why and closes in order.
        io::ErrorKind::UnexpectedEof | io::ErrorKind::InvalidData => How::Cut,
        _ => How::Reset,
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
mod tests;
