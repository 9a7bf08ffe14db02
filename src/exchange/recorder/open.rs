//! Exchanges that are going on, and what has been collected of them.

use std::sync::Arc;

use super::talk::Talk;
use super::{Draft, Setting};
use crate::exchange::{
    Exchange, Failure, FailureKind, Head, Interim, Message, Oddities, Oddity, Response, Seen, Side, Step, Timestamp,
    Timings, Unseen,
};
use crate::redact::{Body, Clean, Content, Door, Fields, RawBody, Secret, Url, Withheld};
use crate::wire::{self, RequestHead, ResponseHead};

/// So many fields of a head or of trailers are kept. Each costs a hundred times the four bytes that it takes to send
/// one, and no client or server takes so many.
const FIELDS: usize = 2000;
/// So many interim responses are kept: a server may send any number of them.
const INTERIM: usize = 20;

/// An exchange that is going on.
pub(super) struct Open {
    id: u64,
    pub(super) started: Timestamp,
    pub(super) recorded: bool,
    method: Option<Clean>,
    url: Option<Url>,
    pub(super) request: OpenMessage,
    unreadable: bool,
    pub(super) sent: bool,
    pub(super) interim: Vec<Interim>,
    pub(super) response: Option<(ResponseLine, OpenMessage)>,
    pub(super) answered: bool,
    pub(super) early: bool,
    /// The side that has sent all that the other allows at a time, and waits for leave to send more.
    pub(super) stalled: Option<Side>,
    /// What broke while the answer may still come.
    pub(super) broken: Option<Failure>,
    /// The request asks for a WebSocket over HTTP/2 (RFC 8441).
    wants_socket: bool,
    /// The WebSocket that the response opened.
    talk: Option<Box<Talk>>,
    pub(super) timings: Timings,
}

pub(super) struct ResponseLine {
    status: u16,
    reason: Clean,
}

impl Open {
    pub(super) fn request(head: RequestHead<'_>, setting: &Setting, recorded: bool, now: Timestamp) -> Self {
        let mut open = Self::empty(setting, recorded, now);
        if recorded {
            let door = setting.door();
            open.method = Some(door.token(head.method));
            open.url = absolute_url(head, setting.scheme, setting.authority.as_deref()).map(|url| door.url(&url));
            open.request = OpenMessage::new(head.version, head.fields, door);
            open.wants_socket = head.protocol.is_some_and(|protocol| protocol.eq_ignore_ascii_case(b"websocket"));
        }
        open
    }

    /// Bytes that are no HTTP, on a connection whose target is all that is known.
    pub(super) fn unreadable(setting: &Setting, recorded: bool, now: Timestamp) -> Self {
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
            stalled: None,
            broken: None,
            wants_socket: false,
            talk: None,
            timings: Timings::default(),
        }
    }

    /// The server is gone, in order and too early. Where it left before the request came, the two crossed on the way,
    /// as they can on any connection that is kept open.
    pub(super) fn closed_early(&self, server_left: Option<Timestamp>) -> Failure {
        let text = match self.response {
            Some(_) => "the server closed the connection before its answer was complete",
            None if server_left.is_some_and(|left| left < self.started) => {
                "the server had closed the connection before this request came"
            }
            None => "the server closed the connection without an answer",
        };
        let kind = FailureKind::ClosedEarly;
        Failure { side: Side::Server, step: Step::Receive, kind, text: text.into() }
    }

    pub(super) fn response(&mut self, head: ResponseHead<'_>, door: Door<'_>, now: Timestamp) {
        self.timings.first_byte = Some(now.since(self.started));
        let message =
            if self.recorded { OpenMessage::new(head.version, head.fields, door) } else { OpenMessage::default() };
        let line = ResponseLine { status: head.status, reason: door.prose(head.reason) };
        self.response = Some((line, message));
        let opens_socket = match head.status {
            101 => head.fields.values("upgrade").any(|name| name.eq_ignore_ascii_case(b"websocket")),
            status => self.wants_socket && matches!(status, 200..=299),
        };
        if self.recorded && opens_socket {
            self.talk = Some(Box::new(Talk::new(head.fields)));
        }
    }

    pub(super) fn interim(&mut self, head: ResponseHead<'_>, door: Door<'_>) {
        if self.recorded && self.interim.len() < INTERIM {
            let fields = kept_fields(head.fields, door).0;
            self.interim.push(Interim { status: head.status, reason: door.prose(head.reason), fields });
        }
    }

    /// Bytes of the body of what `side` sends, or of the WebSocket that came of it.
    pub(super) fn body(&mut self, side: Side, bytes: &[u8], setting: &Setting, now: Timestamp) {
        // A WebSocket's bytes are counted here, and kept message by message.
        let limit = if self.talk.is_some() { 0 } else { setting.body_limit };
        if let Some(message) = self.message(side) {
            message.body.add(bytes, limit);
        }
        if let Some(talk) = &mut self.talk {
            talk.read(side, bytes, setting.door(), self.started, now);
        }
    }

    pub(super) fn trailers(&mut self, side: Side, fields: wire::Fields<'_>, door: Door<'_>) {
        if let Some(message) = self.message(side).filter(|message| message.body.recorded) {
            message.trailers = kept_fields(fields, door).0;
        }
    }

    pub(super) fn is_odd(&mut self, side: Side, oddity: Oddity) {
        if let Some(message) = self.message(side) {
            message.odd.add(oddity);
        }
    }

    /// More fields were sent than the message has.
    pub(super) fn is_excerpt(&mut self, side: Side) {
        if let Some(message) = self.message(side) {
            message.head = Head::Excerpt;
        }
    }

    fn message(&mut self, side: Side) -> Option<&mut OpenMessage> {
        match side {
            Side::Client => Some(&mut self.request),
            _ => self.response.as_mut().map(|(_, message)| message),
        }
    }

    pub(super) fn end(mut self, setting: &Setting, failure: Option<Failure>, now: Timestamp) -> Draft {
        self.timings.done = Some(now.since(self.started));
        let failure = self.broken.take().or(failure);
        let error = failure.filter(|_| !(self.answered && self.sent)).map(|failure| self.with_wait(failure));
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
                    socket: self.talk.map(|talk| Box::new(talk.end())),
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

    /// What broke off while one side waited for the other says so: that side may be to blame.
    fn with_wait(&self, failure: Failure) -> Failure {
        let wait = match self.stalled {
            Some(Side::Client) => "; the client waited for the server's leave to send more (flow control)",
            Some(Side::Server) => "; the server waited for the client's leave to send more (flow control)",
            _ => return failure,
        };
        Failure { text: Clean::concat([failure.text, wait.into()]), ..failure }
    }

    pub(super) fn snapshot(&self, setting: &Setting, now: Timestamp) -> Exchange {
        let response = match &self.response {
            Some((line, message)) => Seen::Seen(Response {
                status: Some(line.status),
                reason: line.reason.clone(),
                message: message.snapshot(),
                interim: self.interim.clone(),
                early: false,
                socket: self.talk.as_ref().map(|talk| Box::new(talk.so_far())),
            }),
            None => Seen::Unseen(Unseen::NeverCame),
        };
        Exchange {
            id: self.id,
            started: self.started,
            connection: Arc::clone(&setting.connection),
            method: self.method.clone(),
            url: self.url.clone(),
            request: if self.unreadable {
                Seen::Unseen(Unseen::NotUnderstood)
            } else {
                Seen::Seen(self.request.snapshot())
            },
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
    if head.method == b"CONNECT" && head.protocol.is_none() {
        return Some([b"https://", target, b"/"].concat());
    }
    if !target.starts_with(b"/") && memchr::memmem::find(target, b"://").is_some() {
        return Some(target.to_vec());
    }
    let host = head.fields.values("host").find(|host| !host.is_empty());
    let scheme = head.scheme.unwrap_or(scheme.as_bytes());
    let authority = head.authority.or(host).or(authority)?;
    let slash: &[u8] = if target.starts_with(b"/") { b"" } else { b"/" };
    Some([scheme, b"://", authority, slash, target].concat())
}

/// A message of which the head has come.
#[derive(Default)]
pub(super) struct OpenMessage {
    version: Option<Clean>,
    head: Head,
    fields: Fields,
    body: Collected,
    trailers: Fields,
    odd: Oddities,
}

impl OpenMessage {
    fn new(version: &[u8], fields: wire::Fields<'_>, door: Door<'_>) -> Self {
        let (content_type, content_encoding) = of_body(fields);
        let (kept, head) = kept_fields(fields, door);
        Self {
            version: Some(door.token(version)),
            head,
            fields: kept,
            body: Collected { content_type, content_encoding, recorded: true, ..Collected::default() },
            ..Self::default()
        }
    }

    fn split(self, refusal: bool) -> (Message, RawBody) {
        let message = Message {
            version: self.version.unwrap_or_else(|| "".into()),
            head: self.head,
            fields: self.fields,
            body: Body { length: self.body.length, content: Content::Empty },
            trailers: self.trailers,
            odd: self.odd,
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
            head: self.head,
            fields: self.fields.clone(),
            body: Body { length: self.body.length, content: Content::Withheld(Withheld::NotRecorded) },
            trailers: Fields::default(),
            odd: self.odd,
        }
    }
}

/// The fields that are kept, and whether those are all.
fn kept_fields(mut fields: wire::Fields<'_>, door: Door<'_>) -> (Fields, Head) {
    let kept = door.first_fields(fields, FIELDS);
    let excerpt = kept.len() == FIELDS && fields.nth(FIELDS).is_some();
    (kept, if excerpt { Head::Excerpt } else { Head::Whole })
}

/// What the fields say of the body: the values of Content-Type and of Content-Encoding.
fn of_body(fields: wire::Fields<'_>) -> (Vec<u8>, Vec<u8>) {
    let (mut content_type, mut content_encoding) = (Vec::new(), Vec::new());
    for field in fields {
        let joined = match field.name.len() {
            12 if field.name.eq_ignore_ascii_case(b"content-type") => &mut content_type,
            16 if field.name.eq_ignore_ascii_case(b"content-encoding") => &mut content_encoding,
            _ => continue,
        };
        if !joined.is_empty() {
            joined.extend_from_slice(b", ");
        }
        joined.extend_from_slice(field.value);
    }
    (content_type, content_encoding)
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
