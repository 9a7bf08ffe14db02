//! How a host bears its load: how long it takes to answer, what breaks off, and whether it refuses what it took before.

use std::time::Duration;

use crate::diagnosis::bounded::Bounded;
use crate::diagnosis::case::Case;
use crate::diagnosis::past::sent_label;
use crate::diagnosis::{Directory, Sent};
use crate::exchange::{FailureKind, Side, Step};
use crate::redact::{Clean, Credential, Label, NtlmMessage};

/// Answers whose time is remembered at the beginning, and again of late.
const SAMPLE: u32 = 8;
/// Fewer say nothing.
const ENOUGH: u32 = 4;
/// Accounts of one host whose outcomes are followed.
const ACCOUNTS: usize = 64;
/// What is faster than this is not slow, whatever it was before.
const SLOW: Duration = Duration::from_secs(2);

/// Remembered of one host.
#[derive(Debug, Default)]
pub struct Load {
    early: Average,
    recent: Average,
    served: u32,
    broken: u32,
    unavailable: u32,
    proxy_questions: u32,
    accounts: Bounded<Account, Wavering, ACCOUNTS>,
}

/// How long answers took: of the last few, weighing the newest most once there are enough.
#[derive(Clone, Copy, Debug, Default)]
struct Average {
    count: u32,
    mean: Duration,
}

/// By what an account is known again: a password by its label, who signs in with Windows by name.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
enum Account {
    Secret(Label),
    User(Clean),
}

/// Outcomes of one account.
#[derive(Clone, Copy, Debug, Default)]
struct Wavering {
    accepted: Option<bool>,
    turns: u32,
}

impl Load {
    /// How long the host took at first and takes of late (until the first byte of an answer), where that has become
    /// much more.
    pub fn slower(&self) -> Option<(Duration, Duration)> {
        let enough = self.early.count >= ENOUGH && self.recent.count >= ENOUGH;
        let (early, recent) = (self.early.mean, self.recent.mean);
        (enough && recent >= SLOW && recent >= early * 3).then_some((early, recent))
    }

    /// How many requests were answered well.
    pub const fn served(&self) -> u32 {
        self.served
    }

    /// How many answers never came or broke off, or said that the server is not available.
    pub const fn troubles(&self) -> u32 {
        self.broken + self.unavailable
    }

    /// How often a proxy asked for credentials on the way to this host since the client last answered.
    pub const fn proxy_questions(&self) -> u32 {
        self.proxy_questions
    }

    /// Whether the account of this refused request was taken and refused in turns before, for no reason given.
    pub fn wavers(&self, case: &Case<'_>) -> bool {
        let Some(account) = account(case) else { return false };
        // A name can stand for a right and a wrong password; the label of a password cannot.
        let enough = if matches!(account, Account::Secret(_)) { 1 } else { 2 };
        self.accounts.get(&account).is_some_and(|known| known.accepted == Some(true) && known.turns >= enough)
    }

    pub(super) fn remember(&mut self, lesson: Lesson) {
        if let Some(time) = lesson.first_byte {
            if self.early.count < SAMPLE { self.early.add(time) } else { self.recent.add(time) }
        }
        match lesson.outcome {
            Outcome::Served => self.served = self.served.saturating_add(1),
            Outcome::Broken => self.broken = self.broken.saturating_add(1),
            Outcome::Unavailable => self.unavailable = self.unavailable.saturating_add(1),
            Outcome::Other => {}
        }
        self.proxy_questions = if lesson.proxy_asked { self.proxy_questions.saturating_add(1) } else { 0 };
        if let Some((account, accepted)) = lesson.account {
            let known = self.accounts.entry(&account);
            if known.accepted.is_some_and(|before| before != accepted) {
                known.turns = known.turns.saturating_add(1);
            }
            known.accepted = Some(accepted);
        }
    }
}

impl Average {
    fn add(&mut self, time: Duration) {
        self.count = self.count.saturating_add(1);
        let weight = self.count.min(SAMPLE);
        self.mean = (self.mean * (weight - 1) + time) / weight;
    }
}

/// What one exchange teaches.
pub(super) struct Lesson {
    first_byte: Option<Duration>,
    outcome: Outcome,
    proxy_asked: bool,
    account: Option<(Account, bool)>,
}

enum Outcome {
    Served,
    Broken,
    Unavailable,
    Other,
}

impl Lesson {
    pub(super) fn of(case: &Case<'_>) -> Self {
        let outcome = match case.status() {
            Some(200..=399) => Outcome::Served,
            Some(502..=504) => Outcome::Unavailable,
            None if broke_off(case) => Outcome::Broken,
            _ => Outcome::Other,
        };
        let timings = case.exchange.timings;
        let counts = case.status().is_some() && !waits_on_purpose(case);
        let accepted = match case.status() {
            Some(200..=399) => Some(true),
            Some(401) if refuses_for_no_reason(case) => Some(false),
            _ => None,
        };
        Self {
            first_byte: timings
                .first_byte
                .filter(|_| counts)
                .map(|at| at.saturating_sub(timings.sent.unwrap_or_default())),
            outcome,
            proxy_asked: case.status() == Some(407) && case.proxy_authorization() == Sent::Absent,
            account: accepted.and_then(|accepted| Some((account(case)?, accepted))),
        }
    }
}

/// Whether the server ended the connection, or said nothing in time, after the request was on its way.
pub(in crate::diagnosis) fn broke_off(case: &Case<'_>) -> bool {
    case.exchange.error.as_ref().is_some_and(|failure| {
        let kind = matches!(failure.kind, FailureKind::Reset | FailureKind::ClosedEarly | FailureKind::TimedOut);
        failure.side == Side::Server && matches!(failure.step, Step::Send | Step::Receive) && kind
    })
}

/// Refused, and nothing in the answer says why or goes on with a handshake.
pub(in crate::diagnosis) fn refuses_for_no_reason(case: &Case<'_>) -> bool {
    case.diagnostics().is_none()
        && case.challenges().iter().all(|challenge| challenge.token.is_none() && challenge.param("error").is_none())
}

/// Requests that are answered when something happens.
fn waits_on_purpose(case: &Case<'_>) -> bool {
    match case.directory() {
        Some(Directory::Mapi) => case
            .request_header("x-requesttype")
            .is_some_and(|kind| kind.as_str().eq_ignore_ascii_case("NotificationWait")),
        Some(Directory::ActiveSync) => {
            let command = case.exchange.url.as_ref().and_then(|url| url.query_value("Cmd"));
            command.is_none_or(|command| command.eq_ignore_ascii_case("Ping") || command.eq_ignore_ascii_case("Sync"))
        }
        Some(Directory::Rpc) => true,
        _ => false,
    }
}

/// The account of a request that carries all that the client has to say.
fn account(case: &Case<'_>) -> Option<Account> {
    if matches!(case.authorization(), Sent::Credential(Credential::Basic { .. })) {
        return sent_label(case).map(Account::Secret);
    }
    match case.ntlm()? {
        NtlmMessage::Authenticate { user, .. } => user.name().cloned().map(Account::User),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn taking(milliseconds: &[u64]) -> Load {
        let mut load = Load::default();
        for time in milliseconds {
            let first_byte = Some(Duration::from_millis(*time));
            load.remember(Lesson { first_byte, outcome: Outcome::Served, proxy_asked: false, account: None });
        }
        load
    }

    #[test]
    fn a_host_is_slower_when_it_takes_three_times_as_long_and_that_is_long() {
        let slow = [&[200; 8][..], &[4000; 8]].concat();
        assert_eq!(taking(&slow).slower(), Some((Duration::from_millis(200), Duration::from_secs(4))));
        assert_eq!(taking(&[&[20; 8][..], &[900; 8]].concat()).slower(), None, "quick all the same");
        assert_eq!(taking(&[3000; 16]).slower(), None, "it was always so");
        assert_eq!(taking(&[&[200; 8][..], &[4000; 2]].concat()).slower(), None, "two say nothing");
    }
}
