//! Follows handshakes over exchanges: each exchange sets the steps of the ladders that it belongs to.
//!
//! Only ladders that are not at their end are looked at; those that are over are kept for showing, the oldest going
//! first.

use super::decode::Challenge;
use std::collections::{BTreeMap, VecDeque};

use super::bounded::Bounded;
use super::decode::activesync::Status;
use super::handshake::{Handshake, HandshakeStep, Scheme, StepState};
use super::key::{ByKey, key};
use super::{Capture, Case, Directory, Sent, Verdict};
use crate::redact::{Clean, Credential, Negotiate, Ntlm, NtlmMessage, Token};

/// Ladders that are followed at a time.
const OPEN: usize = 256;
/// Ladders that are kept after their end.
const OVER: usize = 1000;
/// The most steps that a handshake has.
const STEPS: usize = 5;

/// All ladders.
#[derive(Debug)]
pub(super) struct Ladders {
    capture: Capture,
    began: u64,
    open: ByKey<Ladder>,
    /// The keys of those that are open, by their numbers: the oldest first.
    ages: BTreeMap<u64, u64>,
    /// Ladders that went right, and those that did not, after their end.
    healthy: VecDeque<Ladder>,
    troubled: VecDeque<Ladder>,
    /// How the last ladder of a password ended.
    passwords: Bounded<u64, Option<Verdict>, OVER>,
}

/// Whose ladder it is.
#[derive(Clone, Copy)]
struct Whose<'a> {
    host: &'a Clean,
    host_key: u64,
}

#[derive(Clone, Debug)]
struct Ladder {
    /// The order in which ladders began.
    number: u64,
    host: Clean,
    scheme: Scheme,
    /// As many as the scheme has.
    steps: [(StepState, Option<u64>); STEPS],
    verdict: Verdict,
    opening: Opening,
}

/// How a ladder began.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Opening {
    /// With what comes first, or the capture does not say.
    Asked,
    /// With a credential; whether a challenge came before the capture began is not known.
    Unseen,
    /// With a credential, in a capture of ours, which would have seen a challenge.
    Unasked,
}

/// Steps that are done without where a client sends its credential at once.
const NEEDLESS: [&str; 3] = ["empty-bearer", "probe", "challenge"];

impl Ladder {
    fn handshake(&self) -> Handshake {
        let needless = |step: &HandshakeStep| {
            step.state == StepState::Unseen && NEEDLESS.contains(&step.name) && step.exchange.is_none()
        };
        let steps = self.scheme.steps().iter().zip(self.steps);
        let steps = steps.map(|(name, (state, exchange))| HandshakeStep { name, state, exchange });
        Handshake {
            server: self.host.clone(),
            scheme: self.scheme,
            steps: steps.filter(|step| self.opening == Opening::Asked || !needless(step)).collect(),
            preemptive: self.opening == Opening::Unasked,
            verdict: self.verdict,
        }
    }

    fn at(&self, name: &str) -> Option<usize> {
        self.scheme.steps().iter().position(|step| *step == name)
    }

    fn set(&mut self, name: &str, state: StepState, exchange: u64) {
        if let Some(at) = self.at(name) {
            self.steps[at] = (state, Some(exchange));
        }
    }

    fn state(&self, name: &str) -> Option<StepState> {
        let (state, exchange) = self.steps[self.at(name)?];
        exchange.map(|_| state)
    }

    fn is_done(&self, name: &str) -> bool {
        self.state(name) == Some(StepState::Done)
    }

    /// The step should have come by now and did not.
    fn miss(&mut self, name: &'static str) {
        if let Some(at) = self.at(name)
            && self.steps[at].1.is_none()
        {
            self.steps[at].0 = StepState::Missing;
        }
    }
}

impl Ladders {
    pub(super) fn new(capture: Capture) -> Self {
        Self {
            capture,
            began: 0,
            open: ByKey::default(),
            ages: BTreeMap::new(),
            healthy: VecDeque::new(),
            troubled: VecDeque::new(),
            passwords: Bounded::default(),
        }
    }

    /// All that are known, in the order in which they began.
    pub(super) fn list(&self) -> Vec<Handshake> {
        self.shown(|_| true)
    }

    /// Those that the exchange is a step of. Every ladder is looked at: there are no more of them than is looked through
    /// in a few microseconds, and nothing has to be kept up to date for it while exchanges are judged.
    pub(super) fn of(&self, exchange: u64) -> Vec<Handshake> {
        self.shown(|ladder| ladder.steps.iter().any(|(_, step)| *step == Some(exchange)))
    }

    fn shown(&self, wanted: impl Fn(&Ladder) -> bool) -> Vec<Handshake> {
        let known = self.healthy.iter().chain(&self.troubled).chain(self.open.values());
        let mut chosen: Vec<&Ladder> = known.filter(|ladder| wanted(ladder) && ladder.is_worth_showing()).collect();
        chosen.sort_by_key(|ladder| ladder.number);
        chosen.into_iter().map(Ladder::handshake).collect()
    }

    /// Nothing more will come.
    pub(super) fn finish(&mut self) {
        self.capture = Capture::Imported;
        for ladder in self.open.values_mut().filter(|ladder| ladder.verdict == Verdict::Pending) {
            ladder.verdict = Verdict::Unknown;
        }
    }

    /// Takes the next exchange with what was said of it.
    pub(super) fn add(&mut self, case: &Case<'_>, verdict: Verdict) {
        let Some(host) = case.host_name().filter(|host| !host.as_str().is_empty()) else { return };
        let host = Whose { host: &host, host_key: case.host_key() };
        let failed = verdict == Verdict::Failure;
        self.proxy(case, host);
        if case.is_sign_in() {
            self.sign_in(case, failed);
            return;
        }
        if case.directory() == Some(Directory::ActiveSync) {
            self.active_sync(case, host, failed);
        }
        match case.authorization() {
            Sent::Absent => self.anonymous(case, host),
            Sent::Credential(Credential::Bearer(Token::Empty) | Credential::Empty) if case.asks_for_oauth() => {
                self.empty_bearer(case, host, failed);
            }
            Sent::Credential(Credential::Bearer(_)) => self.token(case, host, failed),
            Sent::Credential(Credential::Ntlm(_)) => self.messages(case, host, Scheme::Ntlm, failed),
            Sent::Credential(Credential::Negotiate(_)) => self.messages(case, host, Scheme::Negotiate, failed),
            Sent::Credential(Credential::Basic { .. }) => self.password(case, host, Scheme::Basic),
            Sent::Credential(Credential::Digest { .. }) => self.password(case, host, Scheme::Digest),
            _ => {}
        }
    }

    /// A probe opens a ladder for each scheme that it may go on with; those that are not taken are not shown.
    fn anonymous(&mut self, case: &Case<'_>, host: Whose<'_>) {
        if case.status() != Some(401) {
            return;
        }
        let connection = Some(case.exchange.connection.id);
        for (scheme, name, connection) in [
            (Scheme::Ntlm, "ntlm", connection),
            (Scheme::Negotiate, "negotiate", connection),
            (Scheme::Basic, "basic", None),
            (Scheme::Digest, "digest", None),
        ] {
            if case.challenge(name).is_some() {
                let id = case.exchange.id;
                let ladder = self.begin(scheme, host, connection);
                ladder.set("probe", StepState::Done, id);
                if matches!(scheme, Scheme::Basic | Scheme::Digest) {
                    ladder.set("challenge", StepState::Done, id);
                }
            }
        }
        // After an OAuth challenge the client went on without a token.
        if let Some(ladder) = self.find(Scheme::OAuth, host, None) {
            for step in ["sign-in", "token", "retry"] {
                ladder.miss(step);
            }
        }
    }

    fn empty_bearer(&mut self, case: &Case<'_>, host: Whose<'_>, failed: bool) {
        let id = case.exchange.id;
        let challenged = case.challenge("bearer").is_some() && !failed;
        let undecided = self.undecided();
        let ladder = self.begin(Scheme::OAuth, host, None);
        ladder.set("empty-bearer", StepState::Done, id);
        if challenged {
            ladder.set("challenge", StepState::Done, id);
        } else if failed || case.status().is_some() {
            ladder.set("challenge", StepState::Failed, id);
        }
        if failed {
            self.end(Scheme::OAuth, host, None, Verdict::Failure);
        } else {
            ladder.verdict = undecided;
        }
    }

    /// A request to an issuer of tokens belongs to the ladder whose host it names, else to the last one that waits.
    fn sign_in(&mut self, case: &Case<'_>, failed: bool) {
        let id = case.exchange.id;
        let waits = |ladder: &Ladder| {
            ladder.scheme == Scheme::OAuth && ladder.is_done("challenge") && ladder.state("retry").is_none()
        };
        let named = hosts_named(case.query().unwrap_or_default(), hosts_named(case.request_body(), Vec::new()));
        let mut keys = named.iter().map(|host_key| key((Scheme::OAuth as u8, *host_key, None::<u32>)));
        let key = keys
            .find(|key| self.open.get(key).is_some_and(waits))
            .or_else(|| self.ages.values().rev().find(|key| self.open.get(key).is_some_and(waits)).copied());
        let Some(ladder) = key.and_then(|key| self.open.get_mut(&key)) else { return };
        let at_token = case.path().to_ascii_lowercase().contains("/token");
        let state = if failed { StepState::Failed } else { StepState::Done };
        match (at_token, case.status()) {
            (true, Some(200)) => ladder.set("token", StepState::Done, id),
            (true, _) if failed => ladder.set("token", StepState::Failed, id),
            (true, _) => {}
            (false, _) => ladder.set("sign-in", state, id),
        }
        if failed {
            ladder.verdict = Verdict::Failure;
        }
    }

    fn token(&mut self, case: &Case<'_>, host: Whose<'_>, failed: bool) {
        let id = case.exchange.id;
        let known = self.find(Scheme::OAuth, host, None).is_some();
        match case.status() {
            Some(401) if failed => {
                self.begin_with_credential(Scheme::OAuth, host, None).set("retry", StepState::Failed, id);
                self.end(Scheme::OAuth, host, None, Verdict::Failure);
            }
            Some(status) if known && status != 401 => {
                self.begin_or_find(Scheme::OAuth, host, None).set("retry", StepState::Done, id);
                self.end(Scheme::OAuth, host, None, Verdict::Ok);
            }
            _ => {}
        }
    }

    /// NTLM and Negotiate: three messages, or one ticket.
    fn messages(&mut self, case: &Case<'_>, host: Whose<'_>, scheme: Scheme, failed: bool) {
        let id = case.exchange.id;
        let connection = Some(case.exchange.connection.id);
        let refused = case.status() == Some(401);
        let undecided = self.undecided();
        let replied = case.goes_on();
        let first = matches!(case.ntlm(), Some(NtlmMessage::Negotiate { .. }));
        if first || (refused && replied && !failed) {
            let ladder = self.begin_or_find(scheme, host, connection);
            ladder.set("negotiate", StepState::Done, id);
            ladder.verdict = undecided;
            if case.status().is_none() {
                return;
            }
            ladder.set("challenge", if replied { StepState::Done } else { StepState::Failed }, id);
            if !refused {
                ladder.set("challenge", StepState::Done, id);
                ladder.set("authenticate", StepState::Done, id);
                self.end(scheme, host, connection, Verdict::Ok);
            } else if !replied {
                self.end(scheme, host, connection, Verdict::Failure);
            } else if failed {
                // The answer ends the connection that the next message would have to come on.
                ladder.miss("authenticate");
                self.end(scheme, host, connection, Verdict::Failure);
            }
            return;
        }
        if matches!(
            case.authorization(),
            Sent::Credential(Credential::Ntlm(Ntlm::Empty) | Credential::Negotiate(Negotiate::Empty))
        ) {
            return;
        }
        let ladder = if case.ntlm().is_none() {
            self.begin_with_credential(scheme, host, connection)
        } else {
            self.begin_or_find(scheme, host, connection)
        };
        if case.status().is_none() {
            ladder.verdict = undecided;
            return;
        }
        // A Kerberos ticket says in one message what NTLM says in three.
        if case.ntlm().is_none() && ladder.state("negotiate").is_none() {
            ladder.set("negotiate", StepState::Done, id);
            ladder.set("challenge", StepState::Done, id);
        }
        let here = case.exchange.connection.id;
        if case.past().windows(case.host()).is_some_and(|known| known.waiting_elsewhere(here).is_some()) {
            ladder.miss("challenge");
        }
        let refused = refused || failed;
        ladder.set("authenticate", if refused { StepState::Failed } else { StepState::Done }, id);
        self.end(scheme, host, connection, if refused { Verdict::Failure } else { Verdict::Ok });
    }

    /// Basic and Digest. A client that sends its password unasked makes one ladder for each outcome, not for each
    /// request.
    fn password(&mut self, case: &Case<'_>, host: Whose<'_>, scheme: Scheme) {
        if case.status().is_none() {
            return;
        }
        let id = case.exchange.id;
        let refused = case.status() == Some(401);
        let verdict = if refused { Verdict::Failure } else { Verdict::Ok };
        if self.find(scheme, host, None).is_none() {
            let last = self.passwords.get(&key_of(scheme, host, None)).copied().flatten();
            if last == Some(verdict) {
                return;
            }
        }
        let ladder = match scheme {
            // Digest cannot be answered before it is asked.
            Scheme::Digest => self.begin_or_find(scheme, host, None),
            _ => self.begin_with_credential(scheme, host, None),
        };
        if refused && ladder.state("challenge").is_none() {
            ladder.set("challenge", StepState::Done, id);
        }
        ladder.set("authenticate", if refused { StepState::Failed } else { StepState::Done }, id);
        self.end(scheme, host, None, verdict);
    }

    fn proxy(&mut self, case: &Case<'_>, host: Whose<'_>) {
        let id = case.exchange.id;
        let answered = matches!(case.proxy_authorization(), Sent::Credential(_));
        match case.status() {
            Some(407) => {
                let undecided = self.undecided();
                // NTLM to a proxy takes several rounds; a challenge that comes with a token is not the end.
                let goes_on = case.proxy_challenges().iter().any(Challenge::goes_on);
                let ladder = self.begin_or_find(Scheme::Proxy, host, None);
                if answered && !goes_on {
                    ladder.set("authenticate", StepState::Failed, id);
                    self.end(Scheme::Proxy, host, None, Verdict::Failure);
                } else {
                    if !answered {
                        ladder.set("probe", StepState::Done, id);
                    }
                    ladder.set("challenge", StepState::Done, id);
                    ladder.verdict = undecided;
                }
            }
            Some(_) if answered && self.find(Scheme::Proxy, host, None).is_some() => {
                self.begin_or_find(Scheme::Proxy, host, None).set("authenticate", StepState::Done, id);
                self.end(Scheme::Proxy, host, None, Verdict::Ok);
            }
            _ => {}
        }
    }

    fn active_sync(&mut self, case: &Case<'_>, host: Whose<'_>, failed: bool) {
        let (id, scheme, undecided) = (case.exchange.id, Scheme::ActiveSync, self.undecided());
        let command = case.exchange.url.as_ref().and_then(|url| url.query_value("Cmd")).unwrap_or_default();
        if case.status().is_none() && !failed {
            return;
        }
        let good = case.status() == Some(200) && !failed;
        if case.method() == "OPTIONS" {
            if good {
                let ladder = self.begin_or_find(scheme, host, None);
                ladder.set("options", StepState::Done, id);
                ladder.verdict = undecided;
            }
        } else if case.status() == Some(449) || asks_for_policy(case) {
            let ladder = self.begin_or_find(scheme, host, None);
            ladder.miss("provision");
            ladder.verdict = undecided;
        } else if command.eq_ignore_ascii_case("Provision") {
            let ladder = self.begin_or_find(scheme, host, None);
            ladder.set("provision", if good { StepState::Done } else { StepState::Failed }, id);
            ladder.verdict = if good { undecided } else { Verdict::Failure };
        } else if self.find(scheme, host, None).is_some() && case.status() != Some(401) {
            let ladder = self.begin_or_find(scheme, host, None);
            ladder.set("sync", if good { StepState::Done } else { StepState::Failed }, id);
            self.end(scheme, host, None, if good { Verdict::Ok } else { Verdict::Failure });
        }
    }

    const fn undecided(&self) -> Verdict {
        undecided(self.capture)
    }

    fn find(&mut self, scheme: Scheme, host: Whose<'_>, connection: Option<u32>) -> Option<&mut Ladder> {
        self.open.get_mut(&key_of(scheme, host, connection))
    }

    /// A new ladder in the place of one that was left in the middle.
    fn begin(&mut self, scheme: Scheme, host: Whose<'_>, connection: Option<u32>) -> &mut Ladder {
        self.put_away(key_of(scheme, host, connection));
        self.begin_or_find(scheme, host, connection)
    }

    /// The open ladder; if there is none, one that the client began with its credential.
    fn begin_with_credential(&mut self, scheme: Scheme, host: Whose<'_>, connection: Option<u32>) -> &mut Ladder {
        let is_new = self.find(scheme, host, connection).is_none();
        let opening = match self.capture {
            Capture::Live { .. } | Capture::Replayed => Opening::Unasked,
            Capture::Imported | Capture::Intercepted => Opening::Unseen,
        };
        let ladder = self.begin_or_find(scheme, host, connection);
        if is_new {
            ladder.opening = opening;
        }
        ladder
    }

    /// The open ladder, a new one if there is none.
    fn begin_or_find(&mut self, scheme: Scheme, host: Whose<'_>, connection: Option<u32>) -> &mut Ladder {
        let key = key_of(scheme, host, connection);
        if self.open.len() >= OPEN
            && !self.open.contains_key(&key)
            && let Some(oldest) = self.ages.values().next().copied()
        {
            self.put_away(oldest);
        }
        let (began, ages, verdict) = (&mut self.began, &mut self.ages, undecided(self.capture));
        self.open.entry(key).or_insert_with(|| {
            *began += 1;
            ages.insert(*began, key);
            let steps = [(StepState::Unseen, None); STEPS];
            Ladder { number: *began, host: host.host.clone(), scheme, steps, verdict, opening: Opening::Asked }
        })
    }

    fn end(&mut self, scheme: Scheme, host: Whose<'_>, connection: Option<u32>, verdict: Verdict) {
        let key = key_of(scheme, host, connection);
        if let Some(ladder) = self.open.get_mut(&key) {
            ladder.verdict = verdict;
            self.put_away(key);
        }
    }

    /// Into the ladders that are over; one that never went beyond its probe is forgotten.
    fn put_away(&mut self, key: u64) {
        let Some(mut ladder) = self.open.remove(&key) else { return };
        self.ages.remove(&ladder.number);
        if !ladder.is_worth_showing() {
            return;
        }
        if ladder.verdict == Verdict::Pending {
            ladder.verdict = Verdict::Unknown;
        }
        if matches!(ladder.scheme, Scheme::Basic | Scheme::Digest) {
            *self.passwords.entry(&key) = Some(ladder.verdict);
        }
        if self.healthy.len() + self.troubled.len() == OVER && self.healthy.pop_front().is_none() {
            // What went right is missed least.
            self.troubled.pop_front();
        }
        let list = if ladder.verdict == Verdict::Ok { &mut self.healthy } else { &mut self.troubled };
        list.push_back(ladder);
    }
}

fn key_of(scheme: Scheme, host: Whose<'_>, connection: Option<u32>) -> u64 {
    key((scheme as u8, host.host_key, connection))
}

const fn undecided(capture: Capture) -> Verdict {
    match capture {
        Capture::Live { .. } | Capture::Replayed => Verdict::Pending,
        Capture::Imported | Capture::Intercepted => Verdict::Unknown,
    }
}

/// The hosts of the URLs in a form or a query, as numbers, added to `known`: for whom a token is asked.
fn hosts_named(text: &str, mut known: Vec<u64>) -> Vec<u64> {
    let bytes = text.as_bytes();
    let mut at = 0;
    while let Some(colon) = memchr::memchr2(b':', b'%', bytes.get(at..).unwrap_or_default()) {
        at += colon;
        let separator = ["://", "%3a%2f%2f"].into_iter().find(|separator| {
            bytes.get(at..at + separator.len()).is_some_and(|found| found.eq_ignore_ascii_case(separator.as_bytes()))
        });
        at += separator.map_or(1, str::len);
        if separator.is_some() {
            let rest = bytes.get(at..).unwrap_or_default();
            let length = rest.iter().position(|byte| !(byte.is_ascii_alphanumeric() || b".-".contains(byte)));
            let host = text.get(at..at + length.unwrap_or(rest.len())).unwrap_or_default();
            known.push(key(host.to_ascii_lowercase().as_str()));
        }
    }
    known
}

/// Whether the answer says inside that the device must take its policy.
fn asks_for_policy(case: &Case<'_>) -> bool {
    Status::refusal(case).is_some_and(|status| matches!(status.code, 142..=144))
}

impl Ladder {
    /// A probe offers several schemes; the ladders of those that the client did not take are none.
    fn is_worth_showing(&self) -> bool {
        match self.scheme {
            Scheme::Ntlm | Scheme::Negotiate => {
                self.state("negotiate").is_some() || self.state("authenticate").is_some()
            }
            Scheme::Basic | Scheme::Digest => self.state("authenticate").is_some(),
            Scheme::OAuth | Scheme::Proxy | Scheme::ActiveSync => true,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_hosts_that_a_token_is_asked_for_are_found_in_forms_and_queries() {
        let named = |text| hosts_named(text, Vec::new());
        let mail = key("mail.contoso.com");
        assert_eq!(named("resource=https%3A%2F%2FMail.contoso.com%2F&x=%20y"), [mail]);
        let both = named("scope=https://mail.contoso.com/.default openid&r=https%3a%2f%2fgraph.microsoft.com");
        assert_eq!(both, [mail, key("graph.microsoft.com")]);
        assert_eq!(named("a:b%3ac://"), [key("")]);
        assert!(named("grant_type=password&scope=openid").is_empty());
    }
}
