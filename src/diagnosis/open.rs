//! Judgements that later traffic may change, until it does or their room is needed.

use std::collections::VecDeque;
use std::mem;

use super::bounded::Bounded;
use super::judge::{Effect, Turn};
use super::past::{organisation, sent_label};
use super::{Case, Certainty, Directory, Evidence, Finding, Judgement, Next, Sent, Verdict};
use crate::redact::{Clean, Credential, Negotiate, Ntlm, NtlmMessage, Token, Url};

/// Hosts that have something open.
const HOSTS: usize = 512;
/// Steps of one host that wait for the client's next move there; the oldest ends as unknown when there are more.
const STEPS: usize = 128;
/// Failures of one host that a later success may take back; the oldest stands for good when there are more.
const FAILURES: usize = 16;
/// Judgements that another host may decide: all of them are looked at each time.
const ELSEWHERE: usize = 64;

/// The judgements that are open.
#[derive(Debug, Default)]
pub(super) struct Open {
    hosts: Bounded<String, OfHost, HOSTS>,
    elsewhere: VecDeque<Waiting>,
    failed_elsewhere: VecDeque<Waiting>,
}

#[derive(Debug, Default)]
struct OfHost {
    steps: VecDeque<Waiting>,
    failures: VecDeque<Waiting>,
}

#[derive(Debug)]
struct Waiting {
    next: Vec<Turn>,
    connection: u32,
    host: Clean,
    place: Place,
    agent: Option<Clean>,
    judgement: Judgement,
}

/// What "the same place" means: the same virtual directory, elsewhere the same path.
#[derive(Debug, PartialEq, Eq)]
enum Place {
    Directory(Directory),
    Path(String),
}

impl Place {
    fn of(case: &Case<'_>) -> Self {
        case.directory().map_or_else(|| Self::Path(case.path().to_owned()), Self::Directory)
    }

    fn holds(&self, case: &Case<'_>) -> bool {
        match self {
            Self::Directory(directory) => case.directory() == Some(*directory),
            Self::Path(path) => path == case.path(),
        }
    }
}

impl Open {
    /// Keeps a judgement open. Gives those that had to go for it, if that changes what was said of them.
    pub(super) fn add(&mut self, case: &Case<'_>, judgement: Judgement, next: Vec<Turn>) -> Vec<Judgement> {
        let failed = judgement.verdict == Verdict::Failure;
        let elsewhere = next.iter().any(|turn| turn.next.is_elsewhere());
        let waiting = Waiting {
            next,
            connection: case.exchange.connection.id,
            host: case.host_name().unwrap_or_else(|| "".into()),
            place: Place::of(case),
            agent: case.request_header("user-agent").cloned(),
            judgement,
        };
        let mut gone = VecDeque::new();
        let (list, room) = if elsewhere {
            (if failed { &mut self.failed_elsewhere } else { &mut self.elsewhere }, ELSEWHERE)
        } else {
            let (host, forgotten) = self.hosts.entry_for(case.host());
            gone.extend(forgotten.into_iter().flat_map(|host| host.steps));
            if failed { (&mut host.failures, FAILURES) } else { (&mut host.steps, STEPS) }
        };
        list.push_back(waiting);
        if list.len() > room {
            gone.extend(list.pop_front());
        }
        gone.into_iter().filter_map(Waiting::given_up).collect()
    }

    /// What `case` changes about earlier ones.
    pub(super) fn decide(&mut self, case: &Case<'_>) -> Vec<Judgement> {
        let mut revised = Vec::new();
        if let Some(host) = self.hosts.get_mut(case.host()) {
            decide_in(&mut host.steps, case, &mut revised);
            decide_in(&mut host.failures, case, &mut revised);
        }
        decide_in(&mut self.elsewhere, case, &mut revised);
        decide_in(&mut self.failed_elsewhere, case, &mut revised);
        revised
    }

    /// Nothing more will come. Gives what changes by that, in the order of the exchanges.
    pub(super) fn finish(&mut self) -> Vec<Judgement> {
        let open = self.hosts.drain().flat_map(|host| host.steps).chain(mem::take(&mut self.elsewhere));
        let mut ended: Vec<Judgement> = open.filter_map(Waiting::given_up).collect();
        ended.sort_by_key(|judgement| judgement.exchange);
        ended
    }
}

fn decide_in(list: &mut VecDeque<Waiting>, case: &Case<'_>, revised: &mut Vec<Judgement>) {
    let mut at = 0;
    while let Some(waiting) = list.get_mut(at) {
        let later = waiting.judgement.exchange < case.exchange.id;
        if later && waiting.changes_with(case) {
            revised.push(waiting.judgement.clone());
        }
        if waiting.next.is_empty() {
            list.remove(at);
        } else {
            at += 1;
        }
    }
}

fn settle(judgement: &mut Judgement, next: &Next) {
    match next {
        Next::SameCredential(_) => intermittent(judgement),
        _ => judgement.verdict = Verdict::Step,
    }
}

/// The answer that made a finding certain.
fn shown_by(case: &Case<'_>) -> Option<Evidence> {
    let directory = case.directory().map_or("", Directory::path);
    let (at, server) = case.server_name().map_or(("", "".into()), |server| (" at ", server));
    let host = case.host_name()?;
    let text = Clean::concat(["Bearer offered by ".into(), host, directory.into(), at.into(), server]);
    case.challenge("bearer").map(|_| case.evidence(super::Place::ResponseHeader("www-authenticate"), text))
}

/// The same credential was accepted after all: it cannot be what was wrong.
fn intermittent(judgement: &mut Judgement) {
    if let Some(first) = judgement.findings.first_mut() {
        first.certainty = Certainty::Possible;
        first.candidates.push("server-overloaded");
    }
    judgement.verdict = Verdict::Unknown;
}

impl Next {
    /// Whether a request to another host can be it.
    const fn is_elsewhere(&self) -> bool {
        matches!(self, Self::SignIn | Self::NewToken(_) | Self::Host(_) | Self::Candidate | Self::BearerOffered(_))
    }
}

impl Waiting {
    /// Takes in what `case` decides; whether that changed anything. What is settled waits for nothing more.
    fn changes_with(&mut self, case: &Case<'_>) -> bool {
        let (decided, open): (Vec<Turn>, Vec<Turn>) =
            mem::take(&mut self.next).into_iter().partition(|turn| self.is_decided_by(&turn.next, case));
        self.next = open;
        let changed = !decided.is_empty();
        let mut settled = false;
        for Turn { next, effect } in decided {
            let judgement = &mut self.judgement;
            match effect {
                Effect::TakeBack(id) => judgement.findings.retain(|finding| finding.id() != id),
                Effect::MakeSure(id) => {
                    if let Some(finding) = judgement.findings.iter_mut().find(|finding| finding.id() == id) {
                        finding.certainty = Certainty::Certain;
                        finding.evidence.extend(shown_by(case));
                    }
                }
                Effect::Settle | Effect::Say(_) if settled => {}
                Effect::Settle => {
                    settle(judgement, &next);
                    settled = true;
                }
                Effect::Say(finding) => {
                    judgement.findings.retain(|old| !finding.rule.supersedes.contains(&old.rule.id));
                    judgement.findings.insert(0, *finding);
                    settle(judgement, &next);
                    settled = true;
                }
            }
        }
        if settled {
            self.next.clear();
        }
        changed
    }

    /// Nothing came of it. What changes by that, if anything does.
    fn given_up(self) -> Option<Judgement> {
        let mut judgement = self.judgement;
        let silent = self.next.into_iter().filter(|turn| turn.next == Next::Nothing);
        let said: Vec<Finding> = silent
            .filter_map(|turn| match turn.effect {
                Effect::Say(finding) => Some(*finding),
                _ => None,
            })
            .collect();
        let pending = judgement.verdict == Verdict::Pending;
        if pending {
            judgement.verdict = Verdict::Unknown;
        }
        (pending || !said.is_empty()).then(|| {
            judgement.findings.extend(said);
            judgement
        })
    }

    fn is_decided_by(&self, next: &Next, case: &Case<'_>) -> bool {
        let same_host = self.host == *case.host();
        match next {
            Next::Credentials => {
                let same_place = self.place.holds(case) || self.connection == case.exchange.connection.id;
                same_host
                    && same_place
                    && self.same_agent(case)
                    && (matches!(case.authorization(), Sent::Credential(_)) || succeeded(case))
            }
            Next::SameConnection => {
                same_host && self.connection == case.exchange.connection.id && carries_handshake_on(case)
            }
            Next::SignIn => is_sign_in_of(case, &self.host) || (same_host && carries_credential(case)),
            Next::NewToken(label) => {
                let token = case.bearer().is_some() && sent_label(case) != Some(*label);
                is_sign_in_of(case, &self.host) || (same_host && token)
            }
            Next::Proxy => {
                let answered = matches!(case.proxy_authorization(), Sent::Credential(_))
                    || case.status().is_some_and(|status| status != 407);
                same_host && answered
            }
            Next::Poll => same_host && self.place.holds(case),
            Next::Provision => {
                let command = case.exchange.url.as_ref().and_then(|url| url.query_value("Cmd"));
                let provision = command.is_some_and(|command| command.eq_ignore_ascii_case("Provision"));
                same_host && self.place.holds(case) && (provision || succeeded(case))
            }
            Next::Host(host) => *host == *case.host(),
            Next::Candidate => {
                let same = organisation(self.host.as_str()) == organisation(case.host());
                same && !same_host && case.directory() == Some(Directory::Autodiscover) && case.status() == Some(200)
            }
            Next::SameCredential(label) => same_host && succeeded(case) && sent_label(case) == Some(*label),
            Next::Token => same_host && case.bearer().is_some(),
            Next::BearerOffered(server) => {
                let offered = case.challenge("bearer").is_some() && case.is_exchange();
                offered
                    && organisation(self.host.as_str()) == organisation(case.host())
                    && (!same_host || !self.place.holds(case) || *server != case.server_name())
            }
            Next::Nothing => false,
        }
    }

    fn same_agent(&self, case: &Case<'_>) -> bool {
        match (&self.agent, case.request_header("user-agent")) {
            (Some(before), Some(now)) => before == now,
            _ => true,
        }
    }
}

fn succeeded(case: &Case<'_>) -> bool {
    matches!(case.status(), Some(200..=399))
}

fn carries_credential(case: &Case<'_>) -> bool {
    match case.authorization() {
        Sent::Unseen | Sent::Absent | Sent::Credential(Credential::Empty | Credential::Bearer(Token::Empty)) => false,
        Sent::Credential(_) => true,
    }
}

/// Anything of NTLM or Negotiate but a new beginning.
fn carries_handshake_on(case: &Case<'_>) -> bool {
    match case.authorization() {
        Sent::Credential(Credential::Ntlm(Ntlm::Empty) | Credential::Negotiate(Negotiate::Empty)) => false,
        Sent::Credential(Credential::Ntlm(_) | Credential::Negotiate(_)) => {
            !matches!(case.ntlm(), Some(NtlmMessage::Negotiate { .. }))
        }
        _ => succeeded(case),
    }
}

/// Whether the request went to an issuer of tokens, or to the one that `host` names.
fn is_sign_in_of(case: &Case<'_>, host: &Clean) -> bool {
    let named = || {
        let uri = case.past().authorization_uri(host.as_str())?;
        let (_, after) = uri.as_str().split_once("://")?;
        let authority = after.split(['/', '?']).next()?;
        let asked = case.exchange.url.as_ref().map(Url::authority)?;
        Some(authority.eq_ignore_ascii_case(asked))
    };
    case.is_sign_in() || named().unwrap_or(false)
}
