//! HTTP/1: a response answers the oldest request that has none yet.

use std::collections::VecDeque;
use std::mem;

use super::Book;
use super::open::Open;
use crate::exchange::{Interim, Side, Timestamp};
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
struct Queue(VecDeque<Open>);

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

    /// Takes out those that the server will never answer.
    pub(super) fn take_unanswered(&mut self) -> Vec<Open> {
        let (answered, unanswered): (VecDeque<_>, VecDeque<_>) =
            mem::take(&mut self.queue.0).into_iter().partition(|open| open.answered);
        self.queue.0 = answered;
        unanswered.into()
    }

    /// Takes out all that are open.
    pub(super) fn take(&mut self) -> Vec<Open> {
        mem::take(&mut self.queue.0).into()
    }

    /// Those that are open, in the order in which they began.
    pub(super) fn open(&self) -> impl Iterator<Item = &Open> {
        self.queue.0.iter()
    }

    pub(super) fn is_idle(&self) -> bool {
        self.queue.0.is_empty() && self.requests.is_between_messages() && self.responses.is_between_messages()
    }
}

impl Queue {
    fn request_event(&mut self, event: Event<'_>, responses: &mut Reader, book: &mut Book, now: Timestamp) {
        match event {
            Event::Request(head) => {
                responses.expect(Asked::by(head.method));
                let open = Open::request(head, &book.setting, !book.paused, now);
                self.0.push_back(open);
            }
            Event::Body(bytes) => {
                if let Some(open) = self.0.back_mut() {
                    open.request.body.add(bytes, book.setting.body_limit);
                }
            }
            Event::Trailers(fields) => {
                let trailers = book.setting.door().fields(fields);
                if let Some(open) = self.0.back_mut() {
                    open.request.trailers = trailers;
                }
            }
            Event::End => {
                if let Some(open) = self.0.back_mut() {
                    open.timings.sent = Some(now.since(open.started));
                    open.sent = true;
                }
                self.end_front(book, now);
            }
            Event::Lost(loss) => self.lose(loss, Side::Client, book, now),
            Event::Interim(_) | Event::Response(_) | Event::Upgraded | Event::Reset(_) => {}
        }
    }

    fn response_event(&mut self, event: Event<'_>, requests: &mut Reader, book: &mut Book, now: Timestamp) {
        let door = book.setting.door();
        let Some(open) = self.0.iter_mut().find(|open| !open.answered) else {
            if let Event::Lost(loss) = event {
                self.lose(loss, Side::Server, book, now);
            }
            return;
        };
        match event {
            Event::Interim(head) => open.interim.push(Interim {
                status: head.status,
                reason: door.prose(head.reason),
                fields: door.fields(head.fields),
            }),
            Event::Response(head) => open.response(head, door, now),
            Event::Body(bytes) => {
                if let Some((_, message)) = &mut open.response {
                    message.body.add(bytes, book.setting.body_limit);
                }
            }
            Event::Trailers(fields) => {
                if let Some((_, message)) = &mut open.response {
                    message.trailers = door.fields(fields);
                }
            }
            Event::End => {
                open.answered = true;
                open.early = !open.sent;
                self.end_front(book, now);
            }
            Event::Upgraded => {
                open.sent = true;
                requests.upgrade();
            }
            Event::Lost(loss) => self.lose(loss, Side::Server, book, now),
            Event::Request(_) | Event::Reset(_) => {}
        }
    }

    fn end_front(&mut self, book: &mut Book, now: Timestamp) {
        while self.0.front().is_some_and(|open| open.answered && open.sent) {
            if let Some(open) = self.0.pop_front() {
                book.end(open, None, now);
            }
        }
    }

    /// A reader gave up: what is open says why, and what follows on this connection is not read.
    fn lose(&mut self, loss: Loss, side: Side, book: &mut Book, now: Timestamp) {
        // The end of the connection says how a message was cut short.
        if loss != Loss::CutShort {
            book.lose(mem::take(&mut self.0).into(), loss, side, now);
        }
    }
}
