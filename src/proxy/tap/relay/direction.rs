//! One direction of a relay: from what a source gives to what a sink takes.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};

use super::message::Message;
use crate::proxy::tap::stream::Stream;
use crate::proxy::upstream::tls_error;

/// One direction.
pub(super) struct Direction<'r> {
    flow: Flow,
    /// What may pass; without it, all.
    message: Option<Message<'r>>,
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

/// What has come to an end in a direction.
pub(super) enum News {
    Ended(End),
    /// The sink takes nothing more.
    Refused,
}

/// The end of a source, with the error that said so.
pub(super) struct End {
    how: How,
    error: Option<io::Error>,
}

impl End {
    pub(super) fn is_reset(&self) -> bool {
        self.how == How::Reset
    }

    /// What TLS had to say.
    pub(super) fn tls(&self) -> Option<&rustls::Error> {
        self.error.as_ref().and_then(tls_error)
    }
}

impl<'r> Direction<'r> {
    /// Of all bytes, or of one message. What was written to the sink before is flushed with them.
    pub(super) const fn new(message: Option<Message<'r>>) -> Self {
        Self { flow: Flow::Copying { unflushed: true }, message }
    }

    /// Lets all pass from here on.
    pub(super) fn lift(&mut self) {
        self.message = None;
    }

    pub(super) const fn message(&self) -> Option<&Message<'r>> {
        self.message.as_ref()
    }

    /// Whether something may still pass, if only the end.
    pub(super) const fn is_open(&self) -> bool {
        matches!(self.flow, Flow::Copying { .. } | Flow::Ending(_))
    }

    /// Whether its source has not ended, and its sink takes what comes.
    pub(super) const fn is_copying(&self) -> bool {
        matches!(self.flow, Flow::Copying { .. })
    }

    /// Whether the end was passed on.
    pub(super) const fn is_over(&self) -> bool {
        matches!(self.flow, Flow::Over)
    }

    /// Whether the sink takes nothing more.
    pub(super) const fn is_refused(&self) -> bool {
        matches!(self.flow, Flow::Refused)
    }

    /// Whether the one message has passed and another could.
    pub(super) fn is_through(&self) -> bool {
        matches!(self.flow, Flow::Copying { unflushed: false })
            && self.message.as_ref().is_some_and(Message::is_complete)
    }

    /// Moves what can be moved from `from` to `to`.
    pub(super) fn copy<A: Stream, B: Stream>(
        &mut self,
        from: &mut A,
        to: &mut B,
        cx: &mut Context<'_>,
        mut tell: impl FnMut(&[u8]),
    ) -> Option<News> {
        let mut news = None;
        loop {
            match self.flow {
                Flow::Copying { unflushed } => match Pin::new(&mut *from).poll_fill_buf(cx) {
                    Poll::Ready(Ok([])) => {
                        self.flow = Flow::Ending(How::Closed);
                        news = Some(News::Ended(End { how: How::Closed, error: None }));
                    }
                    Poll::Ready(Ok(bytes)) => {
                        let amount = self.message.as_mut().map_or(bytes.len(), |message| message.measure(bytes));
                        if amount == 0 {
                            return self.pause(to, cx, unflushed);
                        }
                        match Pin::new(&mut *to).poll_write(cx, &bytes[..amount]) {
                            Poll::Ready(Ok(written)) if written > 0 => {
                                tell(&bytes[..written]);
                                Pin::new(&mut *from).consume(written);
                                if let Some(message) = &mut self.message {
                                    message.passed(written);
                                }
                                self.flow = Flow::Copying { unflushed: true };
                            }
                            Poll::Ready(_) => return Some(self.refuse()),
                            Poll::Pending => return None,
                        }
                    }
                    Poll::Ready(Err(error)) => {
                        let how = how_of(&error);
                        self.flow = Flow::Ending(how);
                        news = Some(News::Ended(End { how, error: Some(error) }));
                    }
                    Poll::Pending => return self.pause(to, cx, unflushed),
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
                        Poll::Ready(_) => self.flow = Flow::Over,
                        Poll::Pending => return news,
                    }
                }
                Flow::Over | Flow::Refused => return news,
            }
        }
    }

    /// There is nothing to write for now: nothing of what was written stays in a buffer below.
    fn pause<B: Stream>(&mut self, to: &mut B, cx: &mut Context<'_>, unflushed: bool) -> Option<News> {
        if unflushed {
            match Pin::new(to).poll_flush(cx) {
                Poll::Ready(Ok(())) => self.flow = Flow::Copying { unflushed: false },
                Poll::Ready(Err(_)) => return Some(self.refuse()),
                Poll::Pending => {}
            }
        }
        None
    }

    const fn refuse(&mut self) -> News {
        self.flow = Flow::Refused;
        News::Refused
    }
}

fn how_of(error: &io::Error) -> How {
    match error.kind() {
        // Also a fatal alert: its sender has said why and closes in order.
        io::ErrorKind::UnexpectedEof | io::ErrorKind::InvalidData => How::Cut,
        _ => How::Reset,
    }
}
