//! Answers out of a recorded session, in the place of the servers, without any network.
//!
//! A request is matched by its method, its URL and what it carries to authenticate with, and then in the order of the
//! recording: first along the recorded connection that this client connection follows, then along the whole session.
//! So a client that is refused at first and let in later meets the same again. Heads are sent as they were recorded;
//! secrets in them are replaced by stand-ins, and what says where a message ends is made to fit.

mod answer;
mod carried;
mod index;

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use self::answer::Wire;
use self::carried::Carried;
use self::index::{Asked, Found, Index, Step};
use crate::exchange::{self, Exchange, Failure, FailureKind, Response, Seen, Side, Unseen};
use crate::proxy::answer::respond::{Answer, Request, Respond};
use crate::redact::{Clean, StandIns};
use crate::session::{Session, SessionError};

/// A session that answers.
pub struct Replay {
    state: Mutex<State>,
    stand_ins: StandIns,
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
    /// Answers from `session`. Its exchanges are listed now, their bodies are read when they are asked for.
    ///
    /// Places of the file that cannot be read are left out and returned.
    pub fn new(session: Session) -> (Self, Vec<SessionError>) {
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
        (Self { state: Mutex::new(state), stand_ins: StandIns::new() }, gaps)
    }
}

impl Respond for Replay {
    fn respond(&self, request: &Request<'_>) -> Answer {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        match state.find(request) {
            Ok((status, response)) => sent(answer::recorded(status, &response, request, &self.stand_ins), None),
            Err(Lack { what, failure }) => {
                let failure = failure.unwrap_or_else(|| not_in_session(request, &what));
                sent(answer::missing(request, &what), Some(failure))
            }
        }
    }

    fn closed(&self, connection: u32) {
        self.state.lock().unwrap_or_else(PoisonError::into_inner).connections.remove(&connection);
    }
}

/// Why there is no answer.
struct Lack {
    what: Clean,
    /// What went wrong when it was recorded, if that is why.
    failure: Option<Failure>,
}

impl From<Clean> for Lack {
    fn from(what: Clean) -> Self {
        Self { what, failure: None }
    }
}

impl State {
    fn find(&mut self, request: &Request<'_>) -> Result<(u16, Response), Lack> {
        let reached = self.connections.get(&request.connection).copied().unwrap_or_default();
        let credential = |name: &str| {
            let field = request.fields.iter().find(|field| field.name.as_str().eq_ignore_ascii_case(name))?;
            field.credential.as_ref()
        };
        let carried = Carried::of(credential("authorization"), credential("proxy-authorization"));
        let asked = Asked {
            method: request.method,
            url: request.url,
            carried: carried.clone(),
            authenticated: reached.authenticated,
            after: reached.step,
        };
        let step = match self.index.find(&asked) {
            Found::Answer(step) => step,
            Found::OtherCredentials(others) => return Err(other_credentials(&carried, &others).into()),
            Found::Nothing => return Err(self.never_asked(request).into()),
        };
        let exchange = self.read(step)?;
        let authenticated = reached.authenticated || carried.authenticates(exchange.status());
        self.connections.insert(request.connection, Reached { step: Some(step), authenticated });
        response_of(exchange)
    }

    fn read(&self, step: Step) -> Result<Exchange, Lack> {
        let read = self.session.exchange(step.id).ok().flatten();
        read.ok_or_else(|| Clean::from("Its place in the session file cannot be read: the file is damaged.").into())
    }

    /// An endpoint may be missing because nobody looked into the tunnel that led there.
    fn never_asked(&self, request: &Request<'_>) -> Clean {
        let tunnel = self.index.tunnel(request.url).and_then(|step| self.read(step).ok());
        let reason = tunnel.and_then(|tunnel| tunnel.response.unseen()).filter(|reason| *reason != Unseen::NeverCame);
        match reason {
            Some(reason) => Clean::concat([
                "The connections to this server passed undecrypted when the session was recorded (".into(),
                reason.code().into(),
                ").".into(),
            ]),
            None => "The session has no request with this method to this URL.".into(),
        }
    }
}

fn response_of(exchange: Exchange) -> Result<(u16, Response), Lack> {
    match (exchange.response, exchange.error) {
        // What follows a change of protocol is not in a session.
        (Seen::Seen(response), _) => match response.status {
            Some(101) => {
                Err(Clean::from("The recorded answer changes to another protocol, which cannot be replayed.").into())
            }
            Some(status) => Ok((status, response)),
            None => Err(Clean::from("The status of the recorded answer is not in the session.").into()),
        },
        (Seen::Unseen(_), Some(failure)) => Err(Lack {
            what: Clean::concat(["It failed when it was recorded: ".into(), failure.text.clone(), ".".into()]),
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
    let mut recorded = Clean::from("");
    for (number, other) in others.iter().enumerate() {
        let comma = if number == 0 { "" } else { ", " };
        recorded = Clean::concat([recorded, comma.into(), other.words()]);
    }
    Clean::concat([
        "The request carries ".into(),
        carried.words(),
        "; in the session this URL was asked with ".into(),
        recorded,
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
    Answer { after: Duration::ZERO, bytes: wire.bytes, close: wire.close, failure }
}

#[cfg(test)]
mod tests;
