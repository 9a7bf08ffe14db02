//! What earlier exchanges with one host showed of Windows authentication: the legs seen on each connection, who was
//! let in or refused, and which channel bindings the host takes.

use std::collections::VecDeque;

use super::super::answered::by_exchange;
use super::super::bounded::Bounded;
use super::super::person::number_of;
use super::super::{Bound, Case, Directory, Next, Sent};
use crate::exchange::Timestamp;
use crate::redact::{Clean, Credential};

/// Connections of one host whose legs are remembered.
const CONNECTIONS: usize = 32;
/// People of one host who are remembered.
const PEOPLE: usize = 64;
/// Challenges of one host that wait for the client's answer.
const WAITING: usize = 16;

/// Remembered of one host.
#[derive(Debug, Default)]
pub struct Windows {
    connections: Bounded<u32, Legs, CONNECTIONS>,
    /// No connection up to this number can be said to be new.
    forgotten: u32,
    waiting: VecDeque<Given>,
    people: Bounded<String, Person, PEOPLE>,
    /// Where a foreign binding was accepted.
    foreign: Places,
    /// Where a binding of any kind was accepted.
    bound: Places,
    /// Where a message without a binding was accepted.
    unbound: Places,
    /// Where version 1 was accepted.
    version1: Places,
    /// Where a ticket was accepted.
    tickets: Places,
}

/// What was seen on one connection.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Legs {
    /// The connection.
    connection: u32,
    /// How often the server gave a challenge since somebody was last let in.
    pub challenges: u32,
    /// How often of these in a row the client began anew in the place of an answer.
    pub unanswered: u32,
}

/// A challenge that the server gave.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Given {
    /// The exchange.
    pub exchange: u64,
    /// On this connection.
    pub connection: u32,
    /// When the request began.
    pub started: Timestamp,
    /// The server behind the name that gave it, from `X-FEServer`.
    pub server: Option<Clean>,
}

/// What became of one person's credentials.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Person {
    /// Windows logons refused since the last one that was accepted.
    pub refused: u32,
    /// The exchange in which they were accepted with the server's own binding or by a scheme without any.
    pub let_in: Option<u64>,
    /// The exchange in which a token of theirs was accepted.
    pub token: Option<u64>,
    /// Whether they were ever let in by Basic, Digest, NTLM or Kerberos.
    pub legacy: bool,
}

/// Directories of a host, with the last exchange on one of them.
#[derive(Clone, Copy, Debug, Default)]
struct Places {
    bits: u32,
    last: u64,
}

impl Places {
    fn add(&mut self, place: u32, exchange: u64) {
        self.bits |= place;
        self.last = exchange;
    }

    /// The last exchange, where what it showed holds for `place` too.
    fn speak_for(self, place: u32) -> Option<u64> {
        (self.bits & (place | !EXEMPT) != 0).then_some(self.last)
    }
}

/// Directories on which Exchange does not ask for bindings: what is accepted there says nothing of others.
const EXEMPT: u32 = bit(Directory::Autodiscover) | bit(Directory::PowerShell);

const fn bit(directory: Directory) -> u32 {
    1 << directory as u32
}

/// Where the request in `case` goes, as one bit; everything that is none of Exchange's is one place.
fn place(case: &Case<'_>) -> u32 {
    case.directory().map_or(1 << 31, bit)
}

impl Windows {
    /// What was seen on a connection.
    pub fn legs(&self, connection: u32) -> Legs {
        self.connections.get(&connection).copied().unwrap_or_default()
    }

    /// The challenge that waits for an answer on this connection.
    pub fn waiting_on(&self, connection: u32) -> Option<&Given> {
        self.waiting.iter().rev().find(|given| given.connection == connection)
    }

    /// The last challenge that waits for an answer on another connection, where this one is known to have had none.
    pub fn waiting_elsewhere(&self, connection: u32) -> Option<&Given> {
        let new = connection > self.forgotten && self.legs(connection).challenges == 0;
        self.waiting.back().filter(|given| new && given.connection != connection && given.connection != 0)
    }

    /// What became of this person's credentials; of nobody's where the name is unknown.
    pub fn person(&self, user: Option<&Clean>) -> Person {
        user.and_then(|user| self.people.get(person_of(user))).copied().unwrap_or_default()
    }

    /// The exchange in which a foreign binding was accepted where it counts for this one.
    pub fn took_foreign(&self, case: &Case<'_>) -> Option<u64> {
        self.foreign.speak_for(place(case))
    }

    /// The exchange in which a binding of any kind was accepted where it counts for this one.
    pub fn took_bound(&self, case: &Case<'_>) -> Option<u64> {
        self.bound.speak_for(place(case))
    }

    /// The exchange in which a ticket was accepted where it counts for this one.
    pub fn took_ticket(&self, case: &Case<'_>) -> Option<u64> {
        self.tickets.speak_for(place(case))
    }

    /// The exchange in which NTLM without a binding was accepted in the same directory.
    pub fn took_unbound(&self, case: &Case<'_>) -> Option<u64> {
        (self.unbound.bits & place(case) != 0).then_some(self.unbound.last)
    }

    /// The exchange in which version 1 was accepted.
    pub fn took_version1(&self) -> Option<u64> {
        (self.version1.bits != 0).then_some(self.version1.last)
    }

    /// Takes an exchange into the past.
    pub(super) fn remember(&mut self, lesson: Lesson) {
        let Lesson { exchange, connection, started, place, leg } = lesson;
        match leg {
            Leg::Challenged { server } => {
                let (legs, gone) = self.connections.entry_for(&connection);
                let unanswered = self.waiting.iter().any(|given| given.connection == connection);
                legs.connection = connection;
                legs.challenges += 1;
                legs.unanswered = if unanswered { legs.unanswered + 1 } else { 0 };
                self.forgotten = gone.map_or(self.forgotten, |gone| gone.connection.max(self.forgotten));
                self.answered(connection);
                if self.waiting.len() == WAITING {
                    self.waiting.pop_front();
                }
                self.waiting.push_back(Given { exchange, connection, started, server });
            }
            Leg::Refused { bound, person } => {
                self.answered(connection);
                if let Some(person) = person.filter(|_| bound != Bound::Free) {
                    self.people.entry(person_of(&person)).refused += 1;
                }
            }
            Leg::Accepted { bound, person, token } => {
                self.answered(connection);
                if let Some(legs) = self.connections.get_mut(&connection) {
                    (legs.challenges, legs.unanswered) = (0, 0);
                }
                if let Some(person) = person {
                    let person = self.people.entry(person_of(&person));
                    if matches!(bound, Bound::Free | Bound::Right) {
                        person.let_in = Some(exchange);
                    }
                    if token {
                        person.token = Some(exchange);
                    } else {
                        person.legacy = true;
                    }
                    if bound != Bound::Free {
                        person.refused = 0;
                    }
                }
                let places = match bound {
                    Bound::Foreign => {
                        self.bound.add(place, exchange);
                        &mut self.foreign
                    }
                    Bound::Right | Bound::Somehow => &mut self.bound,
                    Bound::Nothing => &mut self.unbound,
                    Bound::Version1 => &mut self.version1,
                    Bound::Hidden => &mut self.tickets,
                    Bound::Free => return,
                };
                places.add(place, exchange);
            }
        }
    }

    fn answered(&mut self, connection: u32) {
        self.waiting.retain(|given| given.connection != connection);
    }
}

/// A logon that decides what an earlier refusal on the same host was.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Logon {
    place: u32,
    by: Accepted,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Accepted {
    Unhindered(Clean),
    Foreign,
    Bound,
    Ticket,
    Token(Clean),
}

impl Logon {
    /// The person refused in `case` is let in with the server's own binding, or by a scheme that has none.
    pub fn unhindered(case: &Case<'_>) -> Option<Next> {
        Some(Next::Logon(Self { place: place(case), by: Accepted::Unhindered(case.user()?.clone()) }))
    }

    /// A foreign binding is accepted where that counts for `case`.
    pub fn foreign(case: &Case<'_>) -> Next {
        Next::Logon(Self { place: place(case), by: Accepted::Foreign })
    }

    /// A binding of any kind is accepted where that counts for `case`.
    pub fn bound(case: &Case<'_>) -> Next {
        Next::Logon(Self { place: place(case), by: Accepted::Bound })
    }

    /// A ticket is accepted where that counts for `case`.
    pub fn ticket(case: &Case<'_>) -> Next {
        Next::Logon(Self { place: place(case), by: Accepted::Ticket })
    }

    /// A token of the person refused in `case` is accepted.
    pub fn token(case: &Case<'_>) -> Option<Next> {
        Some(Next::Logon(Self { place: place(case), by: Accepted::Token(case.user()?.clone()) }))
    }

    /// Whether `case`, on the same host, is it.
    pub(in crate::diagnosis) fn is_in(&self, case: &Case<'_>) -> bool {
        let Some(Lesson { place, leg: Leg::Accepted { bound, person, token }, .. }) = Lesson::of(case) else {
            return false;
        };
        let counts = place == self.place || place & EXEMPT == 0;
        let is = |wanted: &Clean| person.as_ref().is_some_and(|person| person_of(person) == person_of(wanted));
        match &self.by {
            Accepted::Unhindered(wanted) => matches!(bound, Bound::Free | Bound::Right) && is(wanted),
            Accepted::Foreign => bound == Bound::Foreign && counts,
            Accepted::Bound => matches!(bound, Bound::Foreign | Bound::Right | Bound::Somehow) && counts,
            Accepted::Ticket => bound == Bound::Hidden && counts,
            Accepted::Token(wanted) => token && is(wanted),
        }
    }
}

/// By what a person is known in every form of the name.
fn person_of(user: &Clean) -> &str {
    number_of(user).unwrap_or(user.as_str())
}

/// What one exchange teaches.
pub(super) struct Lesson {
    exchange: u64,
    connection: u32,
    started: Timestamp,
    place: u32,
    leg: Leg,
}

enum Leg {
    Challenged { server: Option<Clean> },
    Refused { bound: Bound, person: Option<Clean> },
    Accepted { bound: Bound, person: Option<Clean>, token: bool },
}

impl Lesson {
    /// Reads it off a case; nothing where it has no credentials.
    pub(super) fn of(case: &Case<'_>) -> Option<Self> {
        let refused = case.status() == Some(401);
        let leg = if refused && case.gives_ntlm_challenge() {
            Leg::Challenged { server: case.server_name() }
        } else {
            let Sent::Credential(credential) = case.authorization() else { return None };
            let bound = Bound::of(case)?;
            let person = case.user().cloned();
            match case.status()? {
                401 => Leg::Refused { bound, person },
                200..=399 => Leg::Accepted { bound, person, token: matches!(credential, Credential::Bearer(_)) },
                // Signed in, and then something else went wrong.
                500 if by_exchange(case) => {
                    Leg::Accepted { bound, person, token: matches!(credential, Credential::Bearer(_)) }
                }
                _ => return None,
            }
        };
        let exchange = case.exchange;
        Some(Self {
            exchange: exchange.id,
            connection: exchange.connection.id,
            started: exchange.started,
            place: place(case),
            leg,
        })
    }
}
