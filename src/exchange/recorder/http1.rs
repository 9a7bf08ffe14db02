//! HTTP/1: a response answers the oldest request that has none yet.

use std::collections::VecDeque;
use std::mem;

use super::open::Open;
use super::{Book, not_understood};
use crate::exchange::{Oddity, Seen, Side, Timestamp};
use crate::wire::http1::{Asked, Reader};
use crate::wire::{Event, Loss};

/// Both directions of an HTTP/1 connection.
pub(super) struct Pairs {
    requests: Reader,
    responses: Reader,
    queue: Queue,
}

/// Requests that have no complete answer yet, and one that is not complete itself.
#[derive(Default)]
struct Queue {
    open: VecDeque<Open>,
    /// The reader of the requests has lost its place.
    requests_lost: bool,
    /// Surplus bytes came, and no response has said so yet.
    surplus: bool,
}

impl Pairs {
    pub(super) fn new() -> Self {
        Self { requests: Reader::requests(), responses: Reader::responses(), queue: Queue::default() }
    }

    pub(super) fn request_bytes(&mut self, bytes: &[u8], book: &mut Book, now: Timestamp) {
        let Self { requests, responses, queue } = self;
        requests.read(bytes, &mut |event| queue.request_event(event, responses, book, now));
    }

    pub(super) fn response_bytes(&mut self, bytes: &[u8], book: &mut Book, now: Timestamp) {
        let Self { requests, responses, queue } = self;
        responses.read(bytes, &mut |event| queue.response_event(event, requests, book, now));
    }

    /// The server closed its direction.
    pub(super) fn response_end(&mut self, book: &mut Book, now: Timestamp) {
        let Self { requests, responses, queue } = self;
        responses.close(&mut |event| queue.response_event(event, requests, book, now));
    }

    /// The connection is over: surplus bytes beside which no response is left to say so are an exchange of their own.
    pub(super) fn tell_surplus(&mut self, book: &mut Book, now: Timestamp) {
        if std::mem::take(&mut self.queue.surplus) && !book.lost {
            let open = Open::unreadable(&book.setting, !book.paused, now);
            book.end(open, Some(not_understood(Side::Server, Loss::NotHttp, "; nobody had asked for them")), now);
        }
    }

    /// Takes out those that the server will never answer.
    pub(super) fn take_unanswered(&mut self) -> Vec<Open> {
        let (answered, unanswered): (VecDeque<_>, VecDeque<_>) =
            mem::take(&mut self.queue.open).into_iter().partition(|open| open.answered);
        self.queue.open = answered;
        unanswered.into()
    }

    /// Takes out all that are open.
    pub(super) fn take(&mut self) -> Vec<Open> {
        mem::take(&mut self.queue.open).into()
    }

    /// Those that are open, in the order in which they began.
    pub(super) fn open(&self) -> impl Iterator<Item = &Open> {
        self.queue.open.iter()
    }

    pub(super) fn is_idle(&self) -> bool {
        self.queue.open.is_empty() && self.requests.is_between_messages() && self.responses.is_between_messages()
    }
}

impl Queue {
    fn request_event(&mut self, event: Event<'_>, responses: &mut Reader, book: &mut Book, now: Timestamp) {
        if let Event::Request(head) = event {
            responses.expect(Asked::by(head.method));
            self.open.push_back(Open::request(head, &book.setting, !book.paused, now));
            return;
        }
        if let Event::Lost(loss) = event {
            return self.lose_requests(loss, responses, book, now);
        }
        let Some(open) = self.open.back_mut() else { return };
        match event {
            Event::Odd(oddity) => open.is_odd(Side::Client, oddity),
            Event::Body(bytes) => open.body(Side::Client, bytes, &book.setting, now),
            Event::Trailers(fields) => open.trailers(Side::Client, fields, book.setting.door()),
            Event::End => {
                open.timings.sent = Some(now.since(open.started));
                open.sent = true;
                self.end_front(book, now);
            }
            _ => {}
        }
    }

    fn response_event(&mut self, event: Event<'_>, requests: &mut Reader, book: &mut Book, now: Timestamp) {
        let door = book.setting.door();
        if let Event::Odd(Oddity::Surplus) = event {
            return self.surplus(book);
        }
        let Some(open) = self.open.iter_mut().find(|open| !open.answered) else {
            if let Event::Lost(loss) = event {
                self.lose(loss, book, now);
            }
            return;
        };
        match event {
            Event::Interim(head) => open.interim(head, door),
            Event::Response(head) => {
                open.response(head, door, now);
                if mem::take(&mut self.surplus) {
                    open.is_odd(Side::Server, Oddity::Surplus);
                }
            }
            Event::Odd(oddity) => open.is_odd(Side::Server, oddity),
            Event::Body(bytes) => open.body(Side::Server, bytes, &book.setting, now),
            Event::Trailers(fields) => open.trailers(Side::Server, fields, door),
            Event::End => {
                open.answered = true;
                open.early = !open.sent;
                self.end_front(book, now);
            }
            Event::Upgraded => {
                open.sent = true;
                requests.upgrade();
            }
            Event::Lost(loss) => {
                if loss == Loss::HeadTooLong {
                    open.is_excerpt(Side::Server);
                }
                self.lose(loss, book, now);
            }
            Event::Request(_) | Event::Reset(_) => {}
        }
    }

    /// Bytes came that belong to no message. The response before them says so, or if that has gone, the next one.
    fn surplus(&mut self, book: &mut Book) {
        if self.requests_lost {
            // They may answer what was not understood, and that passes unread.
            return;
        }
        if let Some(open) = self.open.iter_mut().rfind(|open| open.answered) {
            open.is_odd(Side::Server, Oddity::Surplus);
        } else if let Some(Seen::Seen(response)) = book.ended.last_mut().map(|draft| &mut draft.exchange.response) {
            response.message.odd.add(Oddity::Surplus);
        } else {
            self.surplus = true;
        }
    }

    /// What is over leaves the queue. One whose request could not be followed to its end is over with its answer.
    fn end_front(&mut self, book: &mut Book, now: Timestamp) {
        while self.open.front().is_some_and(|open| open.answered && (open.sent || open.broken.is_some())) {
            if let Some(open) = self.open.pop_front() {
                book.end(open, None, now);
            }
        }
    }

    /// The requests cannot be followed any more. Those that are known still get their answers, the broken one too: a
    /// server that refuses it says so.
    fn lose_requests(&mut self, loss: Loss, responses: &mut Reader, book: &mut Book, now: Timestamp) {
        // The end of the connection says how a message was cut short.
        if loss == Loss::CutShort {
            return;
        }
        self.requests_lost = true;
        if self.open.back().is_none_or(|open| open.sent) {
            responses.expect(Asked::Other);
            self.open.push_back(Open::unreadable(&book.setting, !book.paused, now));
        }
        if let Some(open) = self.open.back_mut() {
            if loss == Loss::HeadTooLong {
                open.is_excerpt(Side::Client);
            }
            let what_follows = "; what the client sends from here on passed unread";
            open.broken = Some(not_understood(Side::Client, loss, what_follows));
        }
        self.end_front(book, now);
    }

    /// The responses cannot be followed any more: what is open says why, and what follows on this connection is not
    /// read.
    fn lose(&mut self, loss: Loss, book: &mut Book, now: Timestamp) {
        if loss == Loss::CutShort {
            return;
        }
        // Answers to what was not understood have been announced as unread.
        if self.requests_lost && self.open.is_empty() {
            book.lost = true;
        } else {
            book.lose(mem::take(&mut self.open).into(), loss, Side::Server, now);
        }
    }
}
