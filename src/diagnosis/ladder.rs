//! Follows handshakes over exchanges: each exchange sets the steps of the ladders that it belongs to.
//!
//! Only ladders that are not at their end are looked at; those that are over are kept for showing, the oldest going
//! first.

use std::collections::VecDeque;

use super::handshake::{Handshake, HandshakeStep, Scheme, StepState};
use super::{Capture, Case, Directory, Sent, Verdict};
use crate::redact::{Clean, Credential, Negotiate, Ntlm, NtlmMessage, Token};

/// Ladders that are followed at a time.
const OPEN: usize = 256;
/// Ladders that are kept after their end.
const OVER: usize = 1000;

/// All ladders.
#[derive(Debug)]
pub(super) struct Ladders {
    capture: Capture,
    began: u64,
    open: VecDeque<Ladder>,
    over: VecDeque<Ladder>,
}

#[derive(Clone, Debug)]
struct Ladder {
    /// The order in which ladders began.
    number: u64,
    host: Clean,
    scheme: Scheme,
    /// Where the handshake belongs to one connection.
    connection: Option<u32>,
    steps: Vec<HandshakeStep>,
    verdict: Verdict,
}

impl Ladder {
    fn handshake(&self) -> Handshake {
        Handshake { server: self.host.clone(), scheme: self.scheme, steps: self.steps.clone(), verdict: self.verdict }
    }

    fn set(&mut self, name: &str, state: StepState, exchange: u64) {
        if let Some(step) = self.steps.iter_mut().find(|step| step.name == name) {
            (step.state, step.exchange) = (state, Some(exchange));
        }
    }

    fn state(&self, name: &str) -> Option<StepState> {
        self.steps.iter().find(|step| step.name == name).filter(|step| step.exchange.is_some()).map(|step| step.state)
    }

    fn is_done(&self, name: &str) -> bool {
        self.state(name) == Some(StepState::Done)
    }

    fn is(&self, scheme: Scheme, host: &str, connection: Option<u32>) -> bool {
        self.scheme == scheme && self.connection == connection && self.host == *host
    }

    /// The step should have come by now and did not.
    fn miss(&mut self, name: &'static str) {
        if let Some(step) = self.steps.iter_mut().find(|step| step.name == name && step.exchange.is_none()) {
            step.state = StepState::Missing;
        }
    }
}

impl Ladders {
    pub(super) const fn new(capture: Capture) -> Self {
        Self { capture, began: 0, open: VecDeque::new(), over: VecDeque::new() }
    }

    /// All that are known, in the order in which they began.
    pub(super) fn list(&self) -> Vec<Handshake> {
        self.shown(|_| true)
    }

    /// Those that the exchange is a step of. Every ladder is looked at: there are no more of them than is looked through
    /// in a few microseconds, and nothing has to be kept up to date for it while exchanges are judged.
    pub(super) fn of(&self, exchange: u64) -> Vec<Handshake> {
        self.shown(|ladder| ladder.steps.iter().any(|step| step.exchange == Some(exchange)))
    }

    fn shown(&self, wanted: impl Fn(&Ladder) -> bool) -> Vec<Handshake> {
        let known = self.over.iter().chain(&self.open);
        let mut chosen: Vec<&Ladder> = known.filter(|ladder| wanted(ladder) && ladder.is_worth_showing()).collect();
        chosen.sort_by_key(|ladder| ladder.number);
        chosen.into_iter().map(Ladder::handshake).collect()
    }

    /// Nothing more will come.
    pub(super) fn finish(&mut self) {
        self.capture = Capture::Imported;
        for ladder in self.open.iter_mut().filter(|ladder| ladder.verdict == Verdict::Pending) {
            ladder.verdict = Verdict::Unknown;
        }
    }

    /// Takes the next exchange with what was said of it.
    pub(super) fn add(&mut self, case: &Case<'_>, verdict: Verdict) {
        let Some(host) = case.host_name().filter(|host| !host.as_str().is_empty()) else { return };
        let failed = verdict == Verdict::Failure;
        self.proxy(case, &host);
        if case.is_sign_in() {
            self.sign_in(case, failed);
            return;
        }
        if case.directory() == Some(Directory::ActiveSync) {
            self.active_sync(case, &host, failed);
        }
        match case.authorization() {
            Sent::Absent => self.anonymous(case, &host),
            Sent::Credential(Credential::Bearer(Token::Empty) | Credential::Empty) if case.asks_for_oauth() => {
                self.empty_bearer(case, &host, failed);
            }
            Sent::Credential(Credential::Bearer(_)) => self.token(case, &host, failed),
            Sent::Credential(Credential::Ntlm(_)) => self.messages(case, &host, Scheme::Ntlm),
            Sent::Credential(Credential::Negotiate(_)) => self.messages(case, &host, Scheme::Negotiate),
            Sent::Credential(Credential::Basic { .. }) => self.password(case, &host, Scheme::Basic),
            Sent::Credential(Credential::Digest { .. }) => self.password(case, &host, Scheme::Digest),
            _ => {}
        }
    }

    /// A probe opens a ladder for each scheme that it may go on with; those that are not taken are not shown.
    fn anonymous(&mut self, case: &Case<'_>, host: &Clean) {
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

    fn empty_bearer(&mut self, case: &Case<'_>, host: &Clean, failed: bool) {
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
        let asked = case.exchange.url.as_ref().and_then(|url| url.query()).unwrap_or_default();
        let body = case.request_body();
        let names = |ladder: &Ladder| asked.contains(ladder.host.as_str()) || body.contains(ladder.host.as_str());
        let waits = |ladder: &&mut Ladder| {
            ladder.scheme == Scheme::OAuth && ladder.is_done("challenge") && ladder.state("retry").is_none()
        };
        let mut waiting: Vec<&mut Ladder> = self.open.iter_mut().filter(waits).collect();
        let at = waiting.iter().rposition(|ladder| names(ladder)).or_else(|| waiting.len().checked_sub(1));
        let Some(ladder) = at.and_then(|at| waiting.get_mut(at)) else { return };
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

    fn token(&mut self, case: &Case<'_>, host: &Clean, failed: bool) {
        let id = case.exchange.id;
        let known = self.find(Scheme::OAuth, host, None).is_some();
        match case.status() {
            Some(401) if failed => {
                self.begin_or_find(Scheme::OAuth, host, None).set("retry", StepState::Failed, id);
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
    fn messages(&mut self, case: &Case<'_>, host: &Clean, scheme: Scheme) {
        let id = case.exchange.id;
        let connection = Some(case.exchange.connection.id);
        let refused = case.status() == Some(401);
        let undecided = self.undecided();
        let replied = case.challenges().iter().any(|challenge| challenge.token.is_some());
        let first = matches!(case.ntlm(), Some(NtlmMessage::Negotiate { .. }));
        if first || (refused && replied) {
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
            }
            return;
        }
        if matches!(
            case.authorization(),
            Sent::Credential(Credential::Ntlm(Ntlm::Empty) | Credential::Negotiate(Negotiate::Empty))
        ) {
            return;
        }
        let ladder = self.begin_or_find(scheme, host, connection);
        if case.status().is_none() {
            ladder.verdict = undecided;
            return;
        }
        // A Kerberos ticket says in one message what NTLM says in three.
        if case.ntlm().is_none() && ladder.state("negotiate").is_none() {
            ladder.set("negotiate", StepState::Done, id);
            ladder.set("challenge", StepState::Done, id);
        }
        ladder.set("authenticate", if refused { StepState::Failed } else { StepState::Done }, id);
        self.end(scheme, host, connection, if refused { Verdict::Failure } else { Verdict::Ok });
    }

    /// Basic and Digest. A client that sends its password unasked makes one ladder for each outcome, not for each
    /// request.
    fn password(&mut self, case: &Case<'_>, host: &Clean, scheme: Scheme) {
        if case.status().is_none() {
            return;
        }
        let id = case.exchange.id;
        let refused = case.status() == Some(401);
        let verdict = if refused { Verdict::Failure } else { Verdict::Ok };
        if self.find(scheme, host, None).is_none() {
            let last = self.over.iter().rev().find(|ladder| ladder.is(scheme, host.as_str(), None));
            if last.is_some_and(|ladder| ladder.verdict == verdict) {
                return;
            }
        }
        let ladder = self.begin_or_find(scheme, host, None);
        if refused && ladder.state("challenge").is_none() {
            ladder.set("challenge", StepState::Done, id);
        }
        ladder.set("authenticate", if refused { StepState::Failed } else { StepState::Done }, id);
        self.end(scheme, host, None, verdict);
    }

    fn proxy(&mut self, case: &Case<'_>, host: &Clean) {
        let id = case.exchange.id;
        let answered = matches!(case.proxy_authorization(), Sent::Credential(_));
        match case.status() {
            Some(407) => {
                let undecided = self.undecided();
                // NTLM to a proxy takes several rounds; a challenge that comes with a token is not the end.
                let goes_on = case.proxy_challenges().iter().any(|challenge| challenge.token.is_some());
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

    fn active_sync(&mut self, case: &Case<'_>, host: &Clean, failed: bool) {
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
        } else if case.status() == Some(449) {
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
        match self.capture {
            Capture::Live { .. } => Verdict::Pending,
            Capture::Imported => Verdict::Unknown,
        }
    }

    fn find(&mut self, scheme: Scheme, host: &Clean, connection: Option<u32>) -> Option<&mut Ladder> {
        self.open.iter_mut().find(|ladder| ladder.is(scheme, host.as_str(), connection))
    }

    fn begin_or_find(&mut self, scheme: Scheme, host: &Clean, connection: Option<u32>) -> &mut Ladder {
        match self.open.iter().position(|ladder| ladder.is(scheme, host.as_str(), connection)) {
            Some(at) => &mut self.open[at],
            None => self.begin(scheme, host, connection),
        }
    }

    /// A new ladder in the place of one that was left in the middle.
    fn begin(&mut self, scheme: Scheme, host: &Clean, connection: Option<u32>) -> &mut Ladder {
        if let Some(at) = self.open.iter().position(|ladder| ladder.is(scheme, host.as_str(), connection)) {
            self.put_away(at);
        } else if self.open.len() == OPEN {
            self.put_away(0);
        }
        self.began += 1;
        let unseen = |name: &&'static str| HandshakeStep { name, state: StepState::Unseen, exchange: None };
        let steps = scheme.steps().iter().map(unseen).collect();
        let (number, host, verdict) = (self.began, host.clone(), self.undecided());
        self.open.push_back(Ladder { number, host, scheme, connection, steps, verdict });
        let last = self.open.len() - 1;
        &mut self.open[last]
    }

    fn end(&mut self, scheme: Scheme, host: &Clean, connection: Option<u32>, verdict: Verdict) {
        if let Some(at) = self.open.iter().position(|ladder| ladder.is(scheme, host.as_str(), connection)) {
            self.open[at].verdict = verdict;
            self.put_away(at);
        }
    }

    /// Into the ladders that are over; one that never went beyond its probe is forgotten.
    fn put_away(&mut self, at: usize) {
        let Some(mut ladder) = self.open.remove(at).filter(Ladder::is_worth_showing) else { return };
        if ladder.verdict == Verdict::Pending {
            ladder.verdict = Verdict::Unknown;
        }
        if self.over.len() == OVER {
            // What went right is missed least.
            let healthy = self.over.iter().position(|ladder| ladder.verdict == Verdict::Ok);
            self.over.remove(healthy.unwrap_or(0));
        }
        self.over.push_back(ladder);
    }
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
