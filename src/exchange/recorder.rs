//! From the bytes of a connection to its exchanges.

use std::collections::VecDeque;
use std::mem;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};

use super::{
    Connection, Exchange, Failure, FailureKind, Head, Interim, Message, Response, Seen, Side, Step, Timestamp, Timings,
    Unseen,
};
use crate::redact::{Bindings, Body, Clean, Content, Door, Field, RawBody, Redactor, Secret, Url, Withheld};
use crate::wire::http1::{Asked, Reader};
use crate::wire::{Event, Fields, Loss, RequestHead, ResponseHead};

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

/// Follows both directions of one HTTP/1 connection, pairs requests with responses and gives exchanges.
///
/// It is fed copies of the bytes, requests before the responses they cause, and never holds anything back. When a
/// reader loses its place, the exchange at hand says so and the rest of the connection passes unread.
pub struct Recorder {
    requests: Reader,
    responses: Reader,
    log: Log,
}

impl Recorder {
    /// Follows a connection from its first byte.
    pub const fn new(setting: Setting) -> Self {
        Self {
            requests: Reader::requests(),
            responses: Reader::responses(),
            log: Log { setting, open: VecDeque::new(), ended: Vec::new(), paused: false, lost: false },
        }
    }

    /// Bytes that the client sent.
    pub fn request_bytes(&mut self, bytes: &[u8], now: Timestamp) {
        let Self { requests, responses, log } = self;
        if !log.lost {
            requests.read(bytes, &mut |event| log.request_event(event, responses, now));
        }
    }

    /// Bytes that the server sent.
    pub fn response_bytes(&mut self, bytes: &[u8], now: Timestamp) {
        let Self { requests, responses, log } = self;
        if !log.lost {
            responses.read(bytes, &mut |event| log.response_event(event, requests, now));
        }
    }

    /// The server closed its direction: a body that runs to the end of the connection is complete.
    pub fn response_end(&mut self, now: Timestamp) {
        let Self { requests, responses, log } = self;
        if !log.lost {
            responses.close(&mut |event| log.response_event(event, requests, now));
        }
    }

    /// The server closed its direction while the client's was open: what it has not answered by now it never will.
    pub fn server_left(&mut self, now: Timestamp) {
        self.response_end(now);
        self.log.end_unanswered(now);
    }

    /// The connection is over. What is still open ends with `failure`; without one, what is open was closed early by
    /// the server.
    pub fn close(&mut self, failure: Option<Failure>, now: Timestamp) {
        if failure.is_none() {
            self.response_end(now);
        }
        while let Some(open) = self.log.open.pop_front() {
            let failure = failure.clone().unwrap_or_else(|| open.closed_early());
            self.log.end(open, Some(failure), now);
        }
    }

    /// Records nothing of the exchanges that begin from now on while `paused`; the framing is still followed.
    pub const fn pause(&mut self, paused: bool) {
        self.log.paused = paused;
    }

    /// When the oldest exchange that is still going on began.
    pub fn running_since(&self) -> Option<Timestamp> {
        self.log.open.iter().find(|open| open.recorded).map(|open| open.started)
    }

    /// What there is so far of the exchanges still going on, marked as running; their bodies are not in it.
    pub fn running(&self, now: Timestamp) -> Vec<Exchange> {
        self.log.open.iter().filter(|open| open.recorded).map(|open| open.snapshot(&self.log.setting, now)).collect()
    }

    /// Whether no exchange is going on and both directions stand between messages.
    pub fn is_idle(&self) -> bool {
        self.log.open.is_empty() && self.requests.is_between_messages() && self.responses.is_between_messages()
    }

    /// Whether a reader lost its place.
    pub const fn is_lost(&self) -> bool {
        self.log.lost
    }

    /// The exchanges that have ended since the last call, in the order of their end.
    pub fn finished(&mut self) -> Vec<Draft> {
        mem::take(&mut self.log.ended)
    }
}

/// What the readers' events are written into.
struct Log {
    setting: Setting,
    /// Requests that have no complete answer yet, and one that is not complete itself.
    open: VecDeque<Open>,
    ended: Vec<Draft>,
    paused: bool,
    lost: bool,
}

impl Log {
    fn request_event(&mut self, event: Event<'_>, responses: &mut Reader, now: Timestamp) {
        match event {
            Event::Request(head) => {
                responses.expect(Asked::by(head.method));
                let open = Open::request(head, &self.setting, !self.paused, now);
                self.open.push_back(open);
            }
            Event::Body(bytes) => {
                if let Some(open) = self.open.back_mut() {
                    open.request.body.add(bytes, self.setting.body_limit);
                }
            }
            Event::Trailers(fields) => {
                let trailers = self.setting.door().fields(fields);
                if let Some(open) = self.open.back_mut() {
                    open.request.trailers = trailers;
                }
            }
            Event::End => {
                if let Some(open) = self.open.back_mut() {
                    open.timings.sent = Some(now.since(open.started));
                    open.sent = true;
                }
                self.end_front(now);
            }
            Event::Lost(loss) => self.lose(loss, Side::Client, now),
            Event::Interim(_) | Event::Response(_) | Event::Upgraded | Event::Reset(_) => {}
        }
    }

    fn response_event(&mut self, event: Event<'_>, requests: &mut Reader, now: Timestamp) {
        let door = self.setting.door();
        let Some(open) = self.open.iter_mut().find(|open| !open.answered) else {
            if let Event::Lost(loss) = event {
                self.lose(loss, Side::Server, now);
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
                    message.body.add(bytes, self.setting.body_limit);
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
                self.end_front(now);
            }
            Event::Upgraded => {
                open.sent = true;
                requests.upgrade();
            }
            Event::Lost(loss) => self.lose(loss, Side::Server, now),
            Event::Request(_) | Event::Reset(_) => {}
        }
    }

    fn end_front(&mut self, now: Timestamp) {
        while self.open.front().is_some_and(|open| open.answered && open.sent) {
            if let Some(open) = self.open.pop_front() {
                self.end(open, None, now);
            }
        }
    }

    fn end_unanswered(&mut self, now: Timestamp) {
        let (answered, unanswered) = mem::take(&mut self.open).into_iter().partition(|open| open.answered);
        self.open = answered;
        let unanswered: VecDeque<Open> = unanswered;
        for open in unanswered {
            let failure = open.closed_early();
            self.end(open, Some(failure), now);
        }
    }

    /// A reader gave up: what is open says why, and what follows on this connection is not read.
    fn lose(&mut self, loss: Loss, side: Side, now: Timestamp) {
        if loss == Loss::CutShort {
            // The end of the connection says how.
            return;
        }
        self.lost = true;
        let step = if side == Side::Client { Step::Send } else { Step::Receive };
        let failure = Failure {
            side,
            step,
            kind: FailureKind::NotUnderstood,
            text: Clean::concat([loss.phrase().into(), "; what follows on this connection passed unread".into()]),
        };
        if self.open.is_empty() {
            self.open.push_back(Open::unreadable(&self.setting, !self.paused, now));
        }
        while let Some(open) = self.open.pop_front() {
            self.end(open, Some(failure.clone()), now);
        }
    }

    fn end(&mut self, open: Open, failure: Option<Failure>, now: Timestamp) {
        if open.recorded {
            self.ended.push(open.end(&self.setting, failure, now));
        }
    }
}

/// An exchange that is going on.
struct Open {
    id: u64,
    started: Timestamp,
    recorded: bool,
    method: Option<Clean>,
    url: Option<Url>,
    request: OpenMessage,
    unreadable: bool,
    sent: bool,
    interim: Vec<Interim>,
    response: Option<(ResponseLine, OpenMessage)>,
    answered: bool,
    early: bool,
    timings: Timings,
}

struct ResponseLine {
    status: u16,
    reason: Clean,
}

impl Open {
    fn request(head: RequestHead<'_>, setting: &Setting, recorded: bool, now: Timestamp) -> Self {
        let mut open = Self::empty(setting, recorded, now);
        if recorded {
            let door = setting.door();
            open.method = Some(door.token(head.method));
            open.url = absolute_url(head, setting.scheme, setting.authority.as_deref()).map(|url| door.url(&url));
            open.request = OpenMessage::new(head.version, head.fields, door);
        }
        open
    }

    /// Bytes that are no HTTP, on a connection whose target is all that is known.
    fn unreadable(setting: &Setting, recorded: bool, now: Timestamp) -> Self {
        let mut open = Self::empty(setting, recorded, now);
        open.method = Some("CONNECT".into());
        open.url = setting
            .authority
            .as_ref()
            .map(|authority| setting.door().url(&[setting.scheme.as_bytes(), b"://", authority, b"/"].concat()));
        open.unreadable = true;
        open
    }

    fn empty(setting: &Setting, recorded: bool, now: Timestamp) -> Self {
        Self {
            // Numbers are given to what is recorded, so that a pause leaves no gap.
            id: if recorded { setting.ids.exchange() } else { 0 },
            started: now,
            recorded,
            method: None,
            url: None,
            request: OpenMessage::default(),
            unreadable: false,
            sent: false,
            interim: Vec::new(),
            response: None,
            answered: false,
            early: false,
            timings: Timings::default(),
        }
    }

    /// The server is gone, in order and too early.
    fn closed_early(&self) -> Failure {
        let text = match self.response {
            Some(_) => "the server closed the connection before its answer was complete",
            None => "the server closed the connection without an answer",
        };
        let kind = FailureKind::ClosedEarly;
        Failure { side: Side::Server, step: Step::Receive, kind, text: text.into() }
    }

    fn response(&mut self, head: ResponseHead<'_>, door: Door<'_>, now: Timestamp) {
        self.timings.first_byte = Some(now.since(self.started));
        let message =
            if self.recorded { OpenMessage::new(head.version, head.fields, door) } else { OpenMessage::default() };
        let line = ResponseLine { status: head.status, reason: door.prose(head.reason) };
        self.response = Some((line, message));
    }

    fn end(mut self, setting: &Setting, failure: Option<Failure>, now: Timestamp) -> Draft {
        self.timings.done = Some(now.since(self.started));
        let error = failure.filter(|_| !(self.answered && self.sent));
        let (request, request_body) = self.request.split(false);
        let (response, response_body) = match self.response {
            Some((line, message)) => {
                let (message, body) = message.split(line.status >= 400);
                let response = Response {
                    status: Some(line.status),
                    reason: line.reason,
                    message,
                    interim: self.interim,
                    early: self.early,
                };
                (Seen::Seen(response), Some(body))
            }
            None => (Seen::Unseen(never_came(error.as_ref())), None),
        };
        Draft {
            exchange: Exchange {
                id: self.id,
                started: self.started,
                connection: Arc::clone(&setting.connection),
                method: self.method,
                url: self.url,
                request: if self.unreadable { Seen::Unseen(Unseen::NotUnderstood) } else { Seen::Seen(request) },
                response,
                error,
                timings: self.timings,
                running: false,
            },
            request_body,
            response_body,
            redactor: setting.redactor.clone(),
            own: setting.own,
        }
    }

    fn snapshot(&self, setting: &Setting, now: Timestamp) -> Exchange {
        let response = match &self.response {
            Some((line, message)) => Seen::Seen(Response {
                status: Some(line.status),
                reason: line.reason.clone(),
                message: message.snapshot(),
                interim: self.interim.clone(),
                early: false,
            }),
            None => Seen::Unseen(Unseen::NeverCame),
        };
        Exchange {
            id: self.id,
            started: self.started,
            connection: Arc::clone(&setting.connection),
            method: self.method.clone(),
            url: self.url.clone(),
            request: Seen::Seen(self.request.snapshot()),
            response,
            error: None,
            timings: Timings { done: Some(now.since(self.started)), ..self.timings },
            running: true,
        }
    }
}

fn never_came(error: Option<&Failure>) -> Unseen {
    match error {
        Some(error) if error.kind == FailureKind::NotUnderstood => Unseen::NotUnderstood,
        _ => Unseen::NeverCame,
    }
}

/// The absolute form of a request's target (RFC 9112 section 3.2, RFC 9110 section 7.1). The Host field says more
/// than the tunnel's target when the client connects by address.
pub fn absolute_url(head: RequestHead<'_>, scheme: &str, authority: Option<&[u8]>) -> Option<Vec<u8>> {
    let target = head.target;
    if head.method == b"CONNECT" {
        return Some([b"https://", target, b"/"].concat());
    }
    if !target.starts_with(b"/") && memchr::memmem::find(target, b"://").is_some() {
        return Some(target.to_vec());
    }
    let host = head.fields.values("host").find(|host| !host.is_empty());
    let authority = host.or(authority)?;
    let slash: &[u8] = if target.starts_with(b"/") { b"" } else { b"/" };
    Some([scheme.as_bytes(), b"://", authority, slash, target].concat())
}

/// A message of which the head has come.
#[derive(Default)]
struct OpenMessage {
    version: Option<Clean>,
    fields: Vec<Field>,
    body: Collected,
    trailers: Vec<Field>,
}

impl OpenMessage {
    fn new(version: &[u8], fields: Fields<'_>, door: Door<'_>) -> Self {
        let joined = |name| fields.values(name).collect::<Vec<_>>().join(&b", "[..]);
        Self {
            version: Some(door.token(version)),
            fields: door.fields(fields),
            body: Collected {
                content_type: joined("content-type"),
                content_encoding: joined("content-encoding"),
                recorded: true,
                ..Collected::default()
            },
            trailers: Vec::new(),
        }
    }

    fn split(self, refusal: bool) -> (Message, RawBody) {
        let message = Message {
            version: self.version.unwrap_or_else(|| "".into()),
            head: Head::Whole,
            fields: self.fields,
            body: Body { length: self.body.length, content: Content::Empty },
            trailers: self.trailers,
        };
        let body = RawBody {
            bytes: self.body.bytes,
            length: self.body.length,
            recorded: self.body.recorded,
            refusal,
            content_type: self.body.content_type,
            content_encoding: self.body.content_encoding,
        };
        (message, body)
    }

    fn snapshot(&self) -> Message {
        Message {
            version: self.version.clone().unwrap_or_else(|| "".into()),
            head: Head::Whole,
            fields: self.fields.clone(),
            body: Body { length: self.body.length, content: Content::Withheld(Withheld::NotRecorded) },
            trailers: Vec::new(),
        }
    }
}

#[derive(Default)]
struct Collected {
    bytes: Secret,
    length: u64,
    recorded: bool,
    content_type: Vec<u8>,
    content_encoding: Vec<u8>,
}

impl Collected {
    fn add(&mut self, bytes: &[u8], limit: usize) {
        self.length += bytes.len() as u64;
        if self.recorded {
            self.bytes.extend(bytes, limit);
        }
    }
}

/// An exchange that has ended and whose bodies have yet to pass the redactor.
pub struct Draft {
    exchange: Exchange,
    request_body: RawBody,
    response_body: Option<RawBody>,
    redactor: Redactor,
    own: bool,
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

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn recorder() -> Recorder {
        Recorder::new(Setting {
            redactor: Redactor::new(),
            connection: Arc::default(),
            ids: Ids::default(),
            scheme: "https",
            authority: Some(b"mail.contoso.com".to_vec()),
            body_limit: 1024,
            own: false,
            bindings: Bindings::UNKNOWN,
        })
    }

    fn at(milliseconds: i64) -> Timestamp {
        Timestamp(milliseconds * 1000)
    }

    fn exchanges(recorder: &mut Recorder) -> Vec<Exchange> {
        recorder.finished().into_iter().map(Draft::finish).collect()
    }

    /// Method, URL, status and what broke, as one line each.
    fn lines(recorder: &mut Recorder) -> Vec<String> {
        let line = |exchange: Exchange| {
            format!(
                "{} {} {} {}",
                exchange.method.as_ref().map_or("-", Clean::as_str),
                exchange.url.as_ref().map_or("-", |url| url.text().as_str()),
                exchange.status().unwrap_or(0),
                exchange.error.map_or("", |error| error.kind.code()),
            )
        };
        exchanges(recorder).into_iter().map(line).collect()
    }

    #[test]
    fn pairs_pipelined_requests_with_their_answers() {
        let mut recorder = recorder();
        recorder.request_bytes(b"HEAD /a HTTP/1.1\r\n\r\nGET /b HTTP/1.1\r\nHost: x.contoso.com\r\n\r\n", at(0));
        recorder.response_bytes(b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n", at(5));
        assert_eq!(lines(&mut recorder), ["HEAD https://mail.contoso.com/a 200 "]);
        recorder.response_bytes(b"HTTP/1.1 401 No\r\nContent-Length: 0\r\n\r\n", at(9));
        assert_eq!(lines(&mut recorder), ["GET https://x.contoso.com/b 401 "]);
        assert!(recorder.is_idle());
    }

    #[test]
    fn an_early_answer_waits_for_the_request() {
        let mut recorder = recorder();
        recorder.request_bytes(b"POST / HTTP/1.1\r\nContent-Length: 4\r\n\r\nab", at(0));
        recorder.response_bytes(b"HTTP/1.1 413 Large\r\nContent-Length: 0\r\n\r\n", at(5));
        assert!(recorder.finished().is_empty());
        recorder.request_bytes(b"cd", at(7));
        let ended = exchanges(&mut recorder);
        let response = ended[0].response.seen().unwrap();
        assert!(response.early);
        assert_eq!(ended[0].timings.done, Some(at(7).since(at(0))));
    }

    #[test]
    fn a_cut_answer_keeps_its_status_and_says_what_broke() {
        let mut recorder = recorder();
        recorder.request_bytes(b"GET / HTTP/1.1\r\n\r\n", at(0));
        recorder.response_bytes(b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nabc", at(1));
        recorder.close(None, at(2));
        assert_eq!(lines(&mut recorder), ["GET https://mail.contoso.com/ 200 closed-early"]);
    }

    #[test]
    fn an_answer_that_the_server_broke_off_does_not_wait_for_the_client() {
        let mut recorder = recorder();
        recorder.request_bytes(b"GET / HTTP/1.1\r\n\r\n", at(0));
        recorder.response_bytes(b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nabc", at(1));
        recorder.server_left(at(2));
        assert_eq!(lines(&mut recorder), ["GET https://mail.contoso.com/ 200 closed-early"]);
    }

    #[test]
    fn a_body_up_to_the_end_of_the_connection_is_whole() {
        let mut recorder = recorder();
        recorder.request_bytes(b"GET / HTTP/1.0\r\n\r\n", at(0));
        recorder.response_bytes(b"HTTP/1.0 200 OK\r\n\r\nabc", at(1));
        recorder.close(None, at(2));
        let ended = exchanges(&mut recorder);
        assert_eq!((ended[0].error.clone(), ended[0].response.seen().unwrap().message.body.length), (None, 3));
    }

    #[test]
    fn what_is_no_http_becomes_an_exchange_that_says_so() {
        let mut recorder = recorder();
        recorder.request_bytes(b"\x00\x01garbage", at(0));
        recorder.request_bytes(b"GET / HTTP/1.1\r\n\r\n", at(0));
        recorder.close(None, at(2));
        let ended = exchanges(&mut recorder);
        assert_eq!(ended.len(), 1);
        assert_eq!(ended[0].request.unseen(), Some(Unseen::NotUnderstood));
        assert_eq!(ended[0].error.as_ref().unwrap().kind, FailureKind::NotUnderstood);
    }

    #[test]
    fn a_pause_leaves_no_gap_in_the_numbers() {
        let mut recorder = recorder();
        let answer = b"HTTP/1.1 204 \r\n\r\n";
        for paused in [false, true, false] {
            recorder.pause(paused);
            recorder.request_bytes(b"GET / HTTP/1.1\r\n\r\n", at(0));
            recorder.response_bytes(answer, at(0));
        }
        assert_eq!(exchanges(&mut recorder).iter().map(|exchange| exchange.id).collect::<Vec<_>>(), [1, 2]);
    }

    #[test]
    fn a_long_exchange_is_shown_while_it_runs() {
        let mut recorder = recorder();
        recorder.request_bytes(b"POST /ping HTTP/1.1\r\nContent-Length: 0\r\n\r\n", at(0));
        assert_eq!(recorder.running_since(), Some(at(0)));
        let running = recorder.running(at(1000));
        assert!(running[0].running && running[0].status().is_none());
    }
}
