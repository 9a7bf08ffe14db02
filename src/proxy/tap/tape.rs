//! What becomes of a copy of the bytes: exchanges in the outbox.
//!
//! A tape that is dropped before it was closed belongs to a connection that we cut; it says so.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use crate::exchange::{
    Connection, Draft, Exchange, Failure, FailureKind, Recorder, Seen, Setting, Side, Step, Timestamp, Timings, Unseen,
};
use crate::proxy::Context;
use crate::proxy::failure;
use crate::proxy::tap::outbox::Event;
use crate::proxy::target::Target;
use crate::proxy::tls::protocol::Protocol;
use crate::redact::{Bindings, Url};
use rustls::AlertDescription;

/// Bodies above this are redacted off the connection's task.
const HEAVY: usize = 64 * 1024;
/// An exchange that has lasted so long gets a row while it goes on.
const FIRST_ROW: Duration = Duration::from_secs(1);
/// And again after so long, at the earliest.
const NEXT_ROW: Duration = Duration::from_secs(10);

/// How a connection came to its end.
pub(crate) struct Ending {
    /// The side that ended first.
    pub(crate) side: Side,
    pub(crate) reset: bool,
    /// What TLS had to say.
    pub(crate) tls: Option<rustls::Error>,
}

/// Where the bytes of a connection are followed.
pub(crate) enum Tape {
    /// They are read as HTTP.
    Http(Box<Http>),
    /// They cannot be read: the tunnel as a whole is one exchange.
    Blind(Box<Blind>),
    /// Nothing is recorded.
    Off,
}

impl Tape {
    /// Reads the bytes as HTTP/2 where `protocol` is that, else as HTTP/1.
    pub(crate) fn http(
        context: &Arc<Context>,
        connection: Arc<Connection>,
        bindings: Bindings,
        protocol: Option<Protocol>,
        scheme: &'static str,
        authority: Option<Vec<u8>>,
        tunnel: Option<(Target, Timestamp)>,
    ) -> Self {
        let connection_facts = Arc::clone(&connection);
        let setting = Setting {
            redactor: context.redactor.clone(),
            connection,
            ids: context.ids.clone(),
            scheme,
            authority,
            body_limit: context.body_limit,
            own: false,
            bindings,
        };
        let recorder = match protocol {
            Some(Protocol::Http2) => Recorder::http2(setting),
            Some(Protocol::Http1) | None => Recorder::new(setting),
        };
        Self::Http(Box::new(Http {
            recorder,
            context: Arc::clone(context),
            busy: false,
            closed: false,
            silent: true,
            last_row: None,
            connection: connection_facts,
            tunnel,
            explained: None,
            renegotiation: None,
        }))
    }

    /// One exchange for a tunnel that is passed undecrypted because of `reason`; nothing while recording is paused.
    pub(crate) fn blind(
        context: &Arc<Context>,
        connection: Arc<Connection>,
        started: Timestamp,
        target: &Target,
        reason: Unseen,
    ) -> Self {
        if context.paused.load(Ordering::Relaxed) {
            return Self::Off;
        }
        Self::Blind(Box::new(Blind {
            id: context.ids.exchange(),
            context: Arc::clone(context),
            connection,
            started,
            url: target.tunnel_url(&context.redactor),
            reason,
            target: target.clone(),
            answer: Vec::new(),
            first_byte: None,
            last_row: None,
            closed: false,
        }))
    }

    /// Bytes that were sent on to the server.
    pub(crate) fn request_bytes(&mut self, bytes: &[u8]) {
        if let Self::Http(tape) = self {
            tape.silent = false;
            tape.recorder.pause(tape.context.paused.load(Ordering::Relaxed));
            tape.recorder.request_bytes(bytes, Timestamp::now());
        }
    }

    /// Bytes that were sent on to the client.
    pub(crate) fn response_bytes(&mut self, bytes: &[u8]) {
        match self {
            Self::Http(tape) => {
                tape.silent = false;
                tape.note_renegotiation();
                tape.recorder.response_bytes(bytes, Timestamp::now());
            }
            Self::Blind(tape) => tape.answered(bytes),
            Self::Off => {}
        }
    }

    /// The server ended its direction in order.
    pub(crate) fn response_end(&mut self) {
        if let Self::Http(tape) = self {
            tape.recorder.response_end(Timestamp::now());
        }
    }

    /// The server ended its direction, in order or not, before the client ended its own.
    pub(crate) fn server_left(&mut self) {
        if let Self::Http(tape) = self {
            tape.recorder.server_left(Timestamp::now());
        }
    }

    /// Hands over what has ended.
    pub(crate) fn deliver(&mut self) {
        if let Self::Http(tape) = self {
            tape.deliver();
        }
    }

    /// Where it is noted that the server has negotiated TLS again.
    pub(crate) fn watch(&mut self, renegotiation: Option<Arc<AtomicBool>>) {
        if let Self::Http(tape) = self {
            tape.renegotiation = renegotiation;
        }
    }

    /// Exchanges that end from now on failed so, whatever was answered.
    pub(crate) fn explain(&mut self, failure: Option<Failure>) {
        if let Self::Http(tape) = self {
            tape.explained = failure;
        }
    }

    /// How long until a row of what goes on should be written; nothing where nothing goes on.
    pub(crate) fn next_row(&self) -> Option<Duration> {
        let (since, last) = match self {
            Self::Http(tape) => (tape.recorder.running_since()?, tape.last_row),
            Self::Blind(tape) => (tape.started, tape.last_row),
            Self::Off => return None,
        };
        let (from, wait) = match last {
            Some(row) if row.since == since => (row.written, NEXT_ROW),
            _ => (since, FIRST_ROW),
        };
        Some(wait.saturating_sub(Timestamp::now().since(from)))
    }

    /// Writes a row of what goes on, if it is time.
    pub(crate) fn write_rows(&mut self) {
        if self.next_row().is_none_or(|wait| wait > Duration::ZERO) {
            return;
        }
        let now = Timestamp::now();
        match self {
            Self::Http(tape) => {
                tape.last_row = tape.recorder.running_since().map(|since| Row { since, written: now });
                for exchange in tape.recorder.running(now) {
                    tape.context.outbox.push(Event::Running(exchange.into()));
                }
            }
            Self::Blind(tape) => {
                tape.last_row = Some(Row { since: tape.started, written: now });
                let exchange = Exchange { running: true, ..tape.exchange(None) };
                tape.context.outbox.push(Event::Running(exchange.into()));
            }
            Self::Off => {}
        }
    }

    /// The connection is over. Without an `ending` it is we who end it, in order.
    pub(crate) fn close(&mut self, ending: Option<Ending>) {
        match self {
            Self::Http(tape) => {
                let failure = ending.and_then(|ending| tape.failure(ending));
                tape.close(failure);
            }
            Self::Blind(tape) => {
                let failure = ending.and_then(|ending| tape.failure(&ending));
                tape.close(failure);
            }
            Self::Off => {}
        }
    }

    /// The connection is over because of `failure`.
    pub(crate) fn fail(&mut self, failure: Failure) {
        match self {
            Self::Http(tape) => tape.close(Some(failure)),
            Self::Blind(tape) => tape.close(Some(failure)),
            Self::Off => {}
        }
    }
}

#[derive(Clone, Copy)]
struct Row {
    /// The oldest exchange of the row began then.
    since: Timestamp,
    written: Timestamp,
}

/// A connection that is read as HTTP.
pub(crate) struct Http {
    recorder: Recorder,
    context: Arc<Context>,
    /// An exchange is open; shutdown waits for it.
    busy: bool,
    closed: bool,
    /// Not a byte has passed.
    silent: bool,
    last_row: Option<Row>,
    connection: Arc<Connection>,
    /// The tunnel that this is the inside of, and when it was asked for.
    tunnel: Option<(Target, Timestamp)>,
    explained: Option<Failure>,
    /// Where it is noted that the server has negotiated TLS again, until it is known.
    renegotiation: Option<Arc<AtomicBool>>,
}

impl Http {
    fn note_renegotiation(&mut self) {
        if self.renegotiation.as_ref().is_some_and(|noted| noted.load(Ordering::Relaxed)) {
            self.renegotiation = None;
            let mut connection = Connection::clone(&self.connection);
            if let Some(tls) = connection.server.as_mut().and_then(|server| server.tls.as_mut()) {
                tls.renegotiated = true;
            }
            self.connection = Arc::new(connection);
            self.recorder.learn(Arc::clone(&self.connection));
        }
    }

    fn deliver(&mut self) {
        for draft in self.recorder.finished() {
            deliver(&self.context, draft, self.explained.clone());
        }
        let busy = self.recorder.running_since().is_some() && !self.closed;
        if busy != self.busy {
            self.busy = busy;
            let step = if busy { 1 } else { usize::MAX };
            self.context.busy.fetch_add(step, Ordering::Relaxed);
        }
    }

    fn close(&mut self, failure: Option<Failure>) {
        if !self.closed {
            self.closed = true;
            self.recorder.close(failure, Timestamp::now());
            self.deliver();
        }
    }

    fn failure(&self, ending: Ending) -> Option<Failure> {
        let failure = self.failure_of(ending);
        if let (Some(refused), Some((target, started)), true) = (&failure, &self.tunnel, self.silent)
            && (refused.kind == FailureKind::CertificateRefusedByClient
                || (refused.side, refused.step) == (Side::Server, Step::Tls))
        {
            // TLS 1.3: either side's refusal may come after what is to us the end of the handshake.
            failed_tunnel(&self.context, Arc::clone(&self.connection), *started, target, refused.clone());
        }
        failure
    }

    fn failure_of(&self, ending: Ending) -> Option<Failure> {
        if let (
            Some(rustls::Error::AlertReceived(AlertDescription::CertificateRequired)),
            Side::Server,
            Some((target, _)),
        ) = (&ending.tls, ending.side, &self.tunnel)
        {
            // TLS 1.3 says so once the handshake is over. The next client speaks for itself.
            self.context.unreadable.remember(target, Unseen::ServerWantsCertificate);
        }
        match (ending.tls, ending.side) {
            (Some(error), Side::Client) => Some(failure::client_tls(&error, &self.context.redactor)),
            (Some(error), _) => Some(failure::server_tls(&error, &self.context.redactor)),
            (None, side) if ending.reset => Some(failure::reset(side)),
            (None, Side::Client) => Some(failure::client_left()),
            (None, _) => None,
        }
    }
}

impl Drop for Http {
    fn drop(&mut self) {
        self.close(Some(failure::cut_by_us()));
    }
}

/// A tunnel that is passed undecrypted.
pub(crate) struct Blind {
    id: u64,
    context: Arc<Context>,
    connection: Arc<Connection>,
    started: Timestamp,
    url: Url,
    target: Target,
    reason: Unseen,
    /// The first bytes that the server sent: whether it went along with the client's hello.
    answer: Vec<u8>,
    first_byte: Option<Duration>,
    last_row: Option<Row>,
    closed: bool,
}

/// A TLS record's header and an alert.
const ANSWER: usize = 7;

impl Blind {
    fn answered(&mut self, bytes: &[u8]) {
        if self.first_byte.is_none() {
            self.first_byte = Some(Timestamp::now().since(self.started));
        }
        let more = ANSWER.saturating_sub(self.answer.len()).min(bytes.len());
        self.answer.extend_from_slice(&bytes[..more]);
        if more > 0 && self.answer.first() == Some(&0x16) {
            // The client's own hello is welcome where ours was not.
            self.context.unreadable.remember(&self.target, self.reason);
        }
    }

    fn failure(&self, ending: &Ending) -> Option<Failure> {
        let tls_expected = self.reason != Unseen::NotTls;
        match *self.answer {
            [] if tls_expected && ending.side == Side::Server => Some(failure::no_answer_to_hello(ending.reset)),
            [0x15, _, _, _, _, 2, alert] if tls_expected => Some(failure::hello_refused(alert, &self.context.redactor)),
            _ => None,
        }
    }

    fn close(&mut self, failure: Option<Failure>) {
        if !self.closed {
            self.closed = true;
            self.context.outbox.push(Event::Ended(self.exchange(failure).into()));
        }
    }

    fn exchange(&self, error: Option<Failure>) -> Exchange {
        let timings = Timings {
            sent: None,
            first_byte: self.first_byte,
            done: self.closed.then(|| Timestamp::now().since(self.started)),
        };
        Exchange {
            id: self.id,
            started: self.started,
            connection: Arc::clone(&self.connection),
            method: Some("CONNECT".into()),
            url: Some(self.url.clone()),
            request: Seen::Unseen(self.reason),
            response: Seen::Unseen(self.reason),
            error,
            timings,
            running: false,
        }
    }
}

impl Drop for Blind {
    fn drop(&mut self) {
        self.close(Some(failure::cut_by_us()));
    }
}

/// Records a tunnel that failed.
pub(crate) fn failed_tunnel(
    context: &Context,
    connection: Arc<Connection>,
    started: Timestamp,
    target: &Target,
    failure: Failure,
) {
    let url = Some(target.tunnel_url(&context.redactor));
    failed(context, connection, started, Some("CONNECT".into()), url, failure);
}

/// Records a request that failed before anything of it could be sent.
pub(crate) fn failed(
    context: &Context,
    connection: Arc<Connection>,
    started: Timestamp,
    method: Option<crate::redact::Clean>,
    url: Option<Url>,
    failure: Failure,
) {
    if context.paused.load(Ordering::Relaxed) {
        return;
    }
    let done = Some(Timestamp::now().since(started));
    let exchange = Exchange {
        id: context.ids.exchange(),
        started,
        connection,
        method,
        url,
        request: Seen::Unseen(Unseen::NeverCame),
        response: Seen::Unseen(Unseen::NeverCame),
        error: Some(failure),
        timings: Timings { done, ..Timings::default() },
        running: false,
    };
    context.outbox.push(Event::Ended(exchange.into()));
}

/// Redacts the bodies of `draft` and leaves it in the outbox; heavy ones elsewhere.
fn deliver(context: &Arc<Context>, draft: Draft, explained: Option<Failure>) {
    let heavy = draft.weight() > HEAVY;
    let context = Arc::clone(context);
    context.redacting.fetch_add(1, Ordering::Relaxed);
    let finish = move || {
        let mut exchange = draft.finish();
        exchange.error = exchange.error.or(explained);
        context.outbox.push(Event::Ended(exchange.into()));
        context.redacting.fetch_sub(1, Ordering::Release);
    };
    match tokio::runtime::Handle::try_current() {
        Ok(runtime) if heavy => drop(runtime.spawn_blocking(finish)),
        _ => finish(),
    }
}
