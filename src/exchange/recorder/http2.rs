//! HTTP/2: a request and its response share a stream.

use std::collections::BTreeMap;
use std::mem;

use super::open::Open;
use super::{Book, not_understood};
use crate::exchange::{Failure, FailureKind, Side, Step, Timestamp};
use crate::redact::Clean;
use crate::wire::Event;
use crate::wire::http2::{Connection, Side as End, Sight};

/// All streams of an HTTP/2 connection.
#[derive(Default)]
pub(super) struct Streams {
    connection: Connection,
    open: ById,
    /// Who ended the connection, and why.
    farewell: Option<(End, u32)>,
}

/// Exchanges by the number of their stream: numbers rise, so the first is the oldest.
type ById = BTreeMap<u32, Open>;

impl Streams {
    pub(super) fn read(&mut self, side: End, bytes: &[u8], book: &mut Book, now: Timestamp) {
        let Self { connection, open, farewell } = self;
        connection.read(side, bytes, &mut |sight| match sight {
            Sight::Stream { id, side, event } => stream(open, id, side, event, book, now),
            Sight::GoAway { side, last, code } => {
                *farewell = Some((side, code));
                if side == End::Server {
                    // Streams with an even number are its own.
                    for (_, waiting) in open.range_mut(last.saturating_add(1)..).filter(|(id, _)| *id % 2 == 1) {
                        waiting.broken = Some(not_taken_up(code));
                    }
                }
            }
            Sight::Stalled { side, stream: Some(id) } => {
                if let Some(waiting) = open.get_mut(&id) {
                    waiting.stalled = Some(of(side));
                }
            }
            Sight::Stalled { side, stream: None } => {
                for waiting in open.values_mut() {
                    waiting.stalled = Some(of(side));
                }
            }
            Sight::Lost(side, loss) => book.lose(mem::take(open).into_values().collect(), loss, of(side), now),
        });
    }

    /// Takes out all that are open.
    pub(super) fn take(&mut self) -> Vec<Open> {
        mem::take(&mut self.open).into_values().collect()
    }

    /// Those that are open, the oldest first.
    pub(super) fn open(&self) -> impl Iterator<Item = &Open> {
        self.open.values()
    }

    pub(super) fn is_idle(&self) -> bool {
        self.open.is_empty() && self.connection.is_idle()
    }

    /// Why the connection ends, where one of its sides said so.
    pub(super) fn farewell(&self) -> Option<Failure> {
        let (side, code) = self.farewell.filter(|(_, code)| *code != 0)?;
        let who = match side {
            End::Client => "the client ended the connection: ",
            End::Server => "the server ended the connection: ",
        };
        let text = Clean::concat([who.into(), code_words(code)]);
        Some(Failure { side: of(side), step: Step::Receive, kind: FailureKind::ClosedEarly, text })
    }
}

fn stream(open: &mut ById, id: u32, side: End, event: Event<'_>, book: &mut Book, now: Timestamp) {
    if let Event::Request(head) = event {
        let mut asked = Open::request(head, &book.setting, !book.paused, now);
        // What the server asks itself for, it has asked for at once.
        asked.sent = side == End::Server;
        open.insert(id, asked);
        return;
    }
    let Some(of_stream) = open.get_mut(&id) else { return };
    let (sender, door) = (of(side), book.setting.door());
    if matches!(event, Event::Body(_) | Event::End) && of_stream.stalled == Some(sender) {
        of_stream.stalled = None;
    }
    match (side, event) {
        (_, Event::Odd(oddity)) => of_stream.is_odd(sender, oddity),
        (_, Event::Body(bytes)) => of_stream.body(sender, bytes, &book.setting, now),
        (_, Event::Trailers(fields)) => of_stream.trailers(sender, fields, door),
        (End::Client, Event::End) => {
            of_stream.timings.sent = Some(now.since(of_stream.started));
            of_stream.sent = true;
        }
        (End::Server, Event::Interim(head)) => of_stream.interim(head, door),
        (End::Server, Event::Response(head)) => of_stream.response(head, door, now),
        (End::Server, Event::End) => {
            of_stream.answered = true;
            of_stream.early = !of_stream.sent;
        }
        (_, Event::Reset(code)) => {
            // The whole answer is there; only the rest of the request was not wanted (RFC 9113 section 8.1).
            of_stream.sent |= of_stream.answered;
            let failure = reset(side, code);
            if let Some(of_stream) = open.remove(&id) {
                book.end(of_stream, Some(failure), now);
            }
            return;
        }
        (_, Event::Lost(loss)) => {
            let failure = not_understood(sender, loss, "");
            if let Some(mut of_stream) = open.remove(&id) {
                of_stream.is_excerpt(sender);
                book.end(of_stream, Some(failure), now);
            }
            return;
        }
        _ => {}
    }
    if of_stream.answered
        && of_stream.sent
        && let Some(of_stream) = open.remove(&id)
    {
        book.end(of_stream, None, now);
    }
}

/// The server says which requests it will never look at (RFC 9113 section 6.8): they can be sent again as they are.
fn not_taken_up(code: u32) -> Failure {
    let text =
        ["the server ended the connection (".into(), code_words(code), ") before it took this request up".into()];
    Failure { side: Side::Server, step: Step::Receive, kind: FailureKind::ClosedEarly, text: Clean::concat(text) }
}

fn reset(side: End, code: u32) -> Failure {
    let who = match side {
        End::Client => "the client gave the request up: ",
        End::Server => "the server broke the request off: ",
    };
    let step = if side == End::Client { Step::Send } else { Step::Receive };
    Failure { side: of(side), step, kind: FailureKind::Reset, text: Clean::concat([who.into(), code_words(code)]) }
}

const fn of(side: End) -> Side {
    match side {
        End::Client => Side::Client,
        End::Server => Side::Server,
    }
}

/// An error code of RFC 9113 section 7.
fn code_words(code: u32) -> Clean {
    const NAMES: [&str; 14] = [
        "NO_ERROR",
        "PROTOCOL_ERROR",
        "INTERNAL_ERROR",
        "FLOW_CONTROL_ERROR",
        "SETTINGS_TIMEOUT",
        "STREAM_CLOSED",
        "FRAME_SIZE_ERROR",
        "REFUSED_STREAM",
        "CANCEL",
        "COMPRESSION_ERROR",
        "CONNECT_ERROR",
        "ENHANCE_YOUR_CALM",
        "INADEQUATE_SECURITY",
        "HTTP_1_1_REQUIRED (it serves this request over HTTP/1.1 alone)",
    ];
    let name = usize::try_from(code).ok().and_then(|code| NAMES.get(code));
    name.map_or_else(|| Clean::concat(["error ".into(), code.into()]), |name| Clean::from(*name))
}
