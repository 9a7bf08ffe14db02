//! Answers out of a recorded session, in the place of the servers, without any network.
//!
//! A request is matched by its method, its URL and what it carries to authenticate with, and then in the order of the
//! recording: first along the recorded connection that this client connection follows, then along the whole session.
//! So a client that is refused at first and let in later meets the same again. Heads are sent as they were recorded;
//! secrets in them are replaced by stand-ins, and what says where a message ends is made to fit.

mod answer;
mod carried;
mod date;
mod index;
mod said;

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use self::answer::{Recorded, Wire};
use self::carried::Carried;
use self::index::{Asked, Found, Index, Nearest, Step};
use self::said::Said;
use crate::exchange::{self, Exchange, Failure, FailureKind, Response, Seen, Server, Side, Timestamp, Timings, Unseen};
use crate::proxy::ReverseUrl;
use crate::proxy::answer::respond::{Answer, Request, Respond};
use crate::redact::{Clean, StandIns};
use crate::session::{Session, SessionError};

/// How a session is replayed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Staging {
    /// How fast.
    pub pace: Pace,
    /// What becomes of the dates in heads.
    pub dates: Dates,
}

/// How fast answers come.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Pace {
    /// As fast as the client takes them.
    #[default]
    AtOnce,
    /// The first byte after as long as the server took for it, and the last one after as long as that took.
    Recorded,
}

/// What becomes of dates that say when something was (`Date`, `Expires`, `Last-Modified`, `Retry-After`). Cookies, tokens
/// and challenges are handed out anew, so their times are moved anyway.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Dates {
    /// They stay.
    #[default]
    Recorded,
    /// They are moved by as much as has passed since the recording.
    Now,
}

/// A session that answers.
pub struct Replay {
    state: Mutex<State>,
    stand_ins: StandIns,
    staging: Staging,
    /// The server in whose place it stands.
    front: Option<String>,
}

struct State {
    session: Session,
    index: Index,
    /// What each open client connection has reached.
    connections: HashMap<u32, Reached>,
}

/// How far a client connection has come.
#[derive(Clone, Copy, Default)]
struct Reached {
    /// The recorded exchange that it got last; it follows that one's connection.
    step: Option<Step>,
    /// NTLM or Negotiate has authenticated the connection itself.
    authenticated: bool,
}

impl Replay {
    /// Answers from `session`, in the place of the server `front` if there is one. Its exchanges are listed now, their
    /// bodies are read when they are asked for.
    ///
    /// Places of the file that cannot be read are left out and returned.
    pub fn new(session: Session, staging: Staging, front: Option<&ReverseUrl>) -> (Self, Vec<SessionError>) {
        let mut gaps = Vec::new();
        let mut index = Index::default();
        for outline in session.outlines() {
            match outline {
                Ok(outline) => index.add(outline),
                Err(gap) => gaps.push(gap),
            }
        }
        index.finish();
        let state = State { session, index, connections: HashMap::new() };
        let front = front.map(ReverseUrl::origin);
        (Self { state: Mutex::new(state), stand_ins: StandIns::new(), staging, front }, gaps)
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Respond for Replay {
    fn respond(&self, request: &Request<'_>) -> Answer {
        match self.state().find(request, self.front.as_deref()) {
            Ok(found) => {
                let recorded = Recorded {
                    status: found.status,
                    response: &found.response,
                    timings: found.timings,
                    age: found.age(),
                };
                sent(recorded.to_wire(request, self.staging, &self.stand_ins), None)
            }
            Err(Lack { what, instead, failure }) => {
                let failure = failure.unwrap_or_else(|| not_in_session(request, &what));
                sent(answer::missing(request, &what, &instead), Some(failure))
            }
        }
    }

    fn server(&self, origin: &str) -> Option<Server> {
        let state = self.state();
        let step = state.index.first_with(origin)?;
        state.read(step).ok()?.connection.server.clone()
    }

    fn unreachable(&self, origin: &str) -> Option<Failure> {
        let state = self.state();
        let tunnel = state.index.tunnel_to(origin).filter(|_| state.index.first_with(origin).is_none())?;
        let failure = state.read(tunnel).ok()?.error?;
        matches!(failure.step, exchange::Step::Resolve | exchange::Step::Connect).then_some(failure)
    }

    fn closed(&self, connection: u32) {
        self.state().connections.remove(&connection);
    }
}

/// A recorded answer.
struct Answered {
    status: u16,
    response: Response,
    started: Timestamp,
    timings: Timings,
}

impl Answered {
    /// How many seconds ago it was; nothing where the recording does not know.
    fn age(&self) -> i64 {
        if self.started > Timestamp(0) { Timestamp::now().seconds() - self.started.seconds() } else { 0 }
    }
}

/// Why there is no answer.
struct Lack {
    what: Clean,
    /// What there is.
    instead: Clean,
    /// What went wrong when it was recorded, if that is why.
    failure: Option<Failure>,
}

impl From<Clean> for Lack {
    fn from(what: Clean) -> Self {
        Self { what, instead: "".into(), failure: None }
    }
}

impl State {
    fn find(&mut self, request: &Request<'_>, front: Option<&str>) -> Result<Answered, Lack> {
        let reached = self.connections.get(&request.connection).copied().unwrap_or_default();
        let field = |name: &str| request.fields.iter().find(|field| field.name.as_str().eq_ignore_ascii_case(name));
        let credential = |name: &str| field(name)?.credential.as_ref();
        let asked = Asked {
            method: request.method,
            url: request.url,
            front,
            carried: Carried::of(credential("authorization"), credential("proxy-authorization")),
            authenticated: reached.authenticated,
            after: reached.step,
            client: field("user-agent").map(|field| &field.value),
            said: Said::of(request.body),
        };
        let session = &self.session;
        let said = |step: Step| match session.exchange(step.id) {
            Ok(Some(Exchange { request: Seen::Seen(message), .. })) => Said::of(&message.body),
            _ => Said::default(),
        };
        let step = match self.index.find(&asked, said) {
            Found::Answer(step) => step,
            Found::OtherCredentials(others) => return Err(other_credentials(&asked.carried, &others).into()),
            Found::Nothing => return Err(self.never_asked(&asked)),
        };
        let exchange = self.read(step)?;
        let authenticated = reached.authenticated || asked.carried.authenticates(exchange.status());
        self.connections.insert(request.connection, Reached { step: Some(step), authenticated });
        answered(exchange)
    }

    fn read(&self, step: Step) -> Result<Exchange, Lack> {
        let read = self.session.exchange(step.id).ok().flatten();
        read.ok_or_else(|| Clean::from("Its place in the session file cannot be read: the file is damaged.").into())
    }

    /// An endpoint may be missing because nobody looked into the tunnel that led there.
    fn never_asked(&self, asked: &Asked<'_>) -> Lack {
        let tunnel = self.index.tunnel(asked).and_then(|step| self.read(step).ok());
        let unread = tunnel.as_ref().and_then(|tunnel| tunnel.response.unseen());
        let failure = tunnel.as_ref().and_then(|tunnel| tunnel.error.clone());
        let what = match (unread.filter(|reason| *reason != Unseen::NeverCame), &failure) {
            (Some(reason), _) => Clean::concat([
                "The connections to this server passed undecrypted when the session was recorded (".into(),
                reason.code().into(),
                ").".into(),
            ]),
            (None, Some(failure)) => {
                Clean::concat(["The connection failed when it was recorded: ".into(), failure.text.clone(), ".".into()])
            }
            (None, None) => Clean::concat([
                "The session has no request with this method to this URL. It carries ".into(),
                asked.carried.words(),
                ".".into(),
            ]),
        };
        let instead = match self.index.nearest(asked) {
            Nearest::Request { method, url, carried } => Clean::concat([
                "The nearest that was recorded: ".into(),
                method.clone(),
                " ".into(),
                url.clone(),
                ", with ".into(),
                listed(carried.iter().map(Carried::words)),
                ".".into(),
            ]),
            Nearest::Origins([]) => "The session has no request at all.".into(),
            Nearest::Origins(origins) => {
                let more = if origins.len() > ORIGINS { ", and more." } else { "." };
                Clean::concat([
                    "The session knows these servers: ".into(),
                    listed(origins.iter().take(ORIGINS).cloned()),
                    more.into(),
                ])
            }
        };
        Lack { what, instead, failure }
    }
}

/// So many servers are listed where the one that is asked for was not recorded.
const ORIGINS: usize = 8;

fn listed(items: impl Iterator<Item = Clean>) -> Clean {
    Clean::list(items, ", ")
}

fn answered(exchange: Exchange) -> Result<Answered, Lack> {
    let Exchange { started, timings, .. } = exchange;
    match (exchange.response, exchange.error) {
        // What follows a change of protocol is not in a session.
        (Seen::Seen(response), _) => match response.status {
            Some(101) => {
                Err(Clean::from("The recorded answer changes to another protocol, which cannot be replayed.").into())
            }
            Some(status) => Ok(Answered { status, response, started, timings }),
            None => Err(Clean::from("The status of the recorded answer is not in the session.").into()),
        },
        (Seen::Unseen(_), Some(failure)) => Err(Lack {
            what: Clean::concat(["It failed when it was recorded: ".into(), failure.text.clone(), ".".into()]),
            instead: "".into(),
            failure: Some(failure),
        }),
        (Seen::Unseen(reason), None) => Err(Clean::concat([
            "The request is in the session, its answer is not (".into(),
            reason.code().into(),
            ").".into(),
        ])
        .into()),
    }
}

fn other_credentials(carried: &Carried, others: &[Carried]) -> Clean {
    Clean::concat([
        "The request carries ".into(),
        carried.words(),
        "; in the session this URL was asked with ".into(),
        listed(others.iter().map(Carried::words)),
        ".".into(),
    ])
}

fn not_in_session(request: &Request<'_>, what: &Clean) -> Failure {
    // The sentence without its full stop, as error texts are.
    let what = what.slice(0..what.as_str().len().saturating_sub(1));
    let text = Clean::concat([
        "the session has no answer to ".into(),
        request.method.clone(),
        " ".into(),
        request.url.text().clone(),
        ": ".into(),
        what,
    ]);
    Failure { side: Side::Proxy, step: exchange::Step::Receive, kind: FailureKind::NotInSession, text }
}

fn sent(wire: Wire, failure: Option<Failure>) -> Answer {
    Answer { pieces: wire.pieces, close: wire.close, failure }
}

#[cfg(test)]
mod tests;
