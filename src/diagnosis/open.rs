//! Judgements that later traffic may change, until it does or their room is needed.

use std::collections::VecDeque;
use std::mem;
use std::net::{IpAddr, SocketAddr};

use super::bounded::Bounded;
use super::decode::activesync::Status;
use super::decode::autodiscover::{is_final, is_good};
use super::judge::{Effect, Turn};
use super::key::key;
use super::past::sent_label;
use super::{Case, Certainty, Directory, Evidence, Finding, Judgement, Kind, Next, Sent, Verdict};
use crate::redact::{Clean, Credential, Negotiate, Ntlm, NtlmMessage, Token, Url, organisation};

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
    hosts: Bounded<u64, OfHost, HOSTS>,
    elsewhere: VecDeque<Waiting>,
    failed_elsewhere: VecDeque<Waiting>,
}

#[derive(Debug, Default)]
struct OfHost {
    steps: VecDeque<Waiting>,
    failures: VecDeque<Waiting>,
}

/// What is looked at first, for every exchange; the rest only where it may be the one.
#[derive(Debug)]
struct Waiting {
    wants: Kinds,
    host_key: u64,
    /// The other host that may decide it: the issuer that it was sent to, or the host named.
    other_key: u64,
    kept: Box<Kept>,
}

#[derive(Debug)]
struct Kept {
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
        let other_key = next.iter().find_map(|turn| match &turn.next {
            Next::Host(host) => Some(key(host.as_str())),
            Next::SignIn | Next::Issuer | Next::NewToken(_) => issuer(case),
            _ => None,
        });
        let wants = next.iter().fold(Kinds::default(), |wants, turn| wants.or(Kinds::of(&turn.next)));
        let kept = Kept {
            next,
            connection: case.exchange.connection.id,
            host: case.host_name().unwrap_or_else(|| "".into()),
            place: Place::of(case),
            agent: case.request_header("user-agent").cloned(),
            judgement,
        };
        let (host_key, other_key) = (case.host_key(), other_key.unwrap_or_default());
        let waiting = Waiting { wants, host_key, other_key, kept: Box::new(kept) };
        let mut gone = VecDeque::new();
        let (list, room) = if elsewhere {
            (if failed { &mut self.failed_elsewhere } else { &mut self.elsewhere }, ELSEWHERE)
        } else {
            let (host, forgotten) = self.hosts.entry_for(&case.host_key());
            gone.extend(forgotten.into_iter().flat_map(|host| host.steps));
            if failed { (&mut host.failures, FAILURES) } else { (&mut host.steps, STEPS) }
        };
        list.push_back(waiting);
        if list.len() > room {
            gone.extend(list.pop_front());
        }
        gone.into_iter().filter_map(|waiting: Waiting| waiting.kept.given_up()).collect()
    }

    /// What `case` changes about earlier ones.
    pub(super) fn decide(&mut self, case: &Case<'_>) -> Vec<Judgement> {
        let mut revised = Vec::new();
        let news = News::of(case);
        if let Some(host) = self.hosts.get_mut(&case.host_key()) {
            decide_in(&mut host.steps, case, &news, &mut revised);
            decide_in(&mut host.failures, case, &news, &mut revised);
        }
        decide_in(&mut self.elsewhere, case, &news, &mut revised);
        decide_in(&mut self.failed_elsewhere, case, &news, &mut revised);
        revised
    }

    /// Nothing more will come. Gives what changes by that, in the order of the exchanges.
    pub(super) fn finish(&mut self) -> Vec<Judgement> {
        let open = self.hosts.drain().flat_map(|host| host.steps).chain(mem::take(&mut self.elsewhere));
        let mut ended: Vec<Judgement> = open.filter_map(|waiting| waiting.kept.given_up()).collect();
        ended.sort_by_key(|judgement| judgement.exchange);
        ended
    }
}

fn decide_in(list: &mut VecDeque<Waiting>, case: &Case<'_>, news: &News, revised: &mut Vec<Judgement>) {
    let mut at = 0;
    while let Some(waiting) = list.get_mut(at) {
        let kept = &mut waiting.kept;
        if !news.may_decide(waiting.wants, waiting.host_key, waiting.other_key)
            || kept.judgement.exchange >= case.exchange.id
            || !kept.changes_with(case)
        {
            at += 1;
        } else if kept.next.is_empty() {
            revised.extend(list.remove(at).map(|waiting| waiting.kept.judgement));
        } else {
            revised.push(kept.judgement.clone());
            at += 1;
        }
    }
}

/// A set of kinds of [`Next`].
#[derive(Clone, Copy, Debug, Default)]
struct Kinds(u16);

impl Kinds {
    /// A kind for each variant.
    const fn of(next: &Next) -> Self {
        Self(match next {
            Next::Credentials => 1,
            Next::SameConnection => 1 << 1,
            Next::SignIn => 1 << 2,
            Next::NewToken(_) => 1 << 3,
            Next::Proxy => 1 << 4,
            Next::Poll => 1 << 5,
            Next::Provision => 1 << 6,
            Next::Host(_) => 1 << 7,
            Next::Candidate => 1 << 8,
            Next::SameCredential(_) => 1 << 9,
            Next::Token => 1 << 10,
            Next::BearerOffered(_) => 1 << 11,
            Next::OwnServer => 1 << 12,
            Next::Logon(_) => 1 << 13,
            Next::Issuer => 1 << 14,
            Next::Through(_) => 1 << 15,
            Next::Nothing => 0,
        })
    }

    const CREDENTIALS: Self = Self::of(&Next::Credentials);
    const SAME_CONNECTION: Self = Self::of(&Next::SameConnection);
    const SIGN_IN: Self = Self::of(&Next::SignIn).or(Self(1 << 3 | 1 << 14));
    const HOST: Self = Self(1 << 7);
    const CANDIDATE: Self = Self::of(&Next::Candidate);
    const SAME_CREDENTIAL: Self = Self(1 << 9);
    const BEARER_OFFERED: Self = Self(1 << 11);
    const OWN_SERVER: Self = Self::of(&Next::OwnServer);
    const LOGON: Self = Self(1 << 13);
    const THROUGH: Self = Self(1 << 15);
    /// Those that any request to the same host may be.
    const ANY_REQUEST: Self = Self(1 << 4 | 1 << 5 | 1 << 6);
    /// Those that a token may be.
    const TOKEN: Self = Self(1 << 3 | 1 << 10 | 1 << 14);

    const fn or(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    const fn meets(self, other: Self) -> bool {
        self.0 & other.0 != 0
    }

    const fn when(self, it: bool) -> Self {
        if it { self } else { Self(0) }
    }
}

/// What an exchange may decide: asked once, so that most of what waits is passed over at a glance.
struct News {
    /// On the host that it went to.
    here: Kinds,
    /// Wherever.
    anywhere: Kinds,
    host_key: u64,
    authority_key: u64,
}

impl News {
    fn of(case: &Case<'_>) -> Self {
        let went_well = succeeded(case);
        let credential = matches!(case.authorization(), Sent::Credential(_));
        let here = Kinds::ANY_REQUEST
            .or(Kinds::CREDENTIALS.when(credential || went_well))
            .or(Kinds::SAME_CONNECTION.when(carries_handshake_on(case)))
            .or(Kinds::SIGN_IN.when(carries_credential(case)))
            .or(Kinds::TOKEN.when(case.bearer().is_some()))
            .or(Kinds::SAME_CREDENTIAL.when(went_well && credential))
            .or(Kinds::THROUGH.when(came_through(case)))
            .or(Kinds::LOGON.when(credential && (went_well || case.status() == Some(500))));
        let candidate = case.directory() == Some(Directory::Autodiscover) && is_good(case);
        let own_server = case.is_exchange() && !case.is_exchange_online() && is_final(case);
        let anywhere = Kinds::SIGN_IN
            .when(case.is_sign_in())
            .or(Kinds::CANDIDATE.when(candidate))
            .or(Kinds::OWN_SERVER.when(own_server))
            .or(Kinds::BEARER_OFFERED.when(case.challenge("bearer").is_some()));
        let authority = case.exchange.url.as_ref().map_or("", Url::authority);
        Self { here, anywhere, host_key: case.host_key(), authority_key: authority_key(authority) }
    }

    fn may_decide(&self, wants: Kinds, host_key: u64, other_key: u64) -> bool {
        wants.meets(self.anywhere)
            || (host_key == self.host_key && wants.meets(self.here))
            || (other_key != 0
                && ((wants.meets(Kinds::HOST) && other_key == self.host_key)
                    || (wants.meets(Kinds::SIGN_IN) && other_key == self.authority_key)))
    }
}

/// Host and port of the issuer that Exchange on the host of `case` sends clients to, as a number.
fn issuer(case: &Case<'_>) -> Option<u64> {
    let uri = case.challenge("bearer").and_then(|bearer| bearer.clean_param("authorization_uri"));
    let uri = uri.or_else(|| case.past().authorization_uri(case.host()).cloned())?;
    let (_, after) = uri.as_str().split_once("://")?;
    Some(authority_key(after.split(['/', '?']).next()?))
}

fn authority_key(authority: &str) -> u64 {
    if authority.bytes().any(|byte| byte.is_ascii_uppercase()) {
        key(authority.to_ascii_lowercase().as_str())
    } else {
        key(authority)
    }
}

fn settle(judgement: &mut Judgement, next: &Next) {
    match next {
        Next::SameCredential(_) => intermittent(judgement),
        Next::OwnServer if judgement.findings.first().is_some_and(|first| first.kind == Kind::Failure) => {
            judgement.verdict = Verdict::Failure;
        }
        _ => judgement.verdict = Verdict::Step,
    }
}

/// Puts what was withheld before what it makes superfluous. A failure that is merely possible comes last.
fn say(judgement: &mut Judgement, finding: Finding, next: &Next) {
    judgement.findings.retain(|old| !finding.rule.supersedes.contains(&old.rule.id));
    match (finding.kind, finding.certainty) {
        (Kind::Failure, Certainty::Possible) => return judgement.findings.push(finding),
        (Kind::Failure, _) => judgement.verdict = Verdict::Failure,
        (Kind::Step, _) => settle(judgement, next),
        // A note answers nothing where something else was found.
        (Kind::Note, _) => {
            settle(judgement, next);
            return judgement.findings.push(finding);
        }
    }
    judgement.findings.insert(0, finding);
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
        matches!(
            self,
            Self::SignIn
                | Self::Issuer
                | Self::NewToken(_)
                | Self::Host(_)
                | Self::Candidate
                | Self::OwnServer
                | Self::BearerOffered(_)
        )
    }
}

impl Kept {
    /// Takes in what `case` decides; whether that changed anything. What is settled waits for nothing more.
    fn changes_with(&mut self, case: &Case<'_>) -> bool {
        if !self.next.iter().any(|turn| self.is_decided_by(&turn.next, case)) {
            return false;
        }
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
                Effect::Settle | Effect::Say(_) | Effect::Become(..) if settled => {}
                Effect::Settle => {
                    settle(judgement, &next);
                    settled = true;
                }
                Effect::Say(finding) => {
                    say(judgement, *finding, &next);
                    settled = true;
                }
                Effect::Become(id, verdict, findings) => {
                    (judgement.verdict, judgement.findings) = (verdict, findings);
                    if let Some(finding) = judgement.findings.iter_mut().find(|finding| finding.id() == id) {
                        finding.evidence.push(match next {
                            Next::Through(_) => case.evidence_url(),
                            _ => case.evidence_request("authorization"),
                        });
                    }
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
            Next::Issuer => is_sign_in_of(case, &self.host) || (same_host && case.bearer().is_some()),
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
                let goes_on = || succeeded(case) && Status::refusal(case).is_none();
                same_host && self.place.holds(case) && (provision || goes_on())
            }
            Next::Host(host) => *host == *case.host(),
            Next::Candidate => !same_host && is_good(case) && case.past().is_candidate(case.host(), self.host.as_str()),
            Next::OwnServer => {
                let own = case.is_exchange() && !case.is_exchange_online();
                own && is_final(case) && self.same_agent(case)
            }
            Next::Logon(logon) => same_host && logon.is_in(case),
            Next::SameCredential(label) => same_host && succeeded(case) && sent_label(case) == Some(*label),
            Next::Token => same_host && case.bearer().is_some(),
            Next::BearerOffered(server) => {
                let offered = case.challenge("bearer").is_some() && case.is_exchange();
                offered
                    && organisation(self.host.as_str()) == organisation(case.host())
                    && (!same_host || !self.place.holds(case) || *server != case.server_name())
            }
            Next::Through(client) => {
                let connection = &case.exchange.connection;
                same_host
                    && self.connection != connection.id
                    && came_through(case)
                    && is_same_client(client.as_ref(), connection.client.as_ref())
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

/// Whether the client accepted the certificate that it was shown: it sent a request over TLS.
fn came_through(case: &Case<'_>) -> bool {
    let url = case.exchange.url.as_ref();
    url.is_some_and(|url| url.scheme().eq_ignore_ascii_case("https")) && case.exchange.request.seen().is_some()
}

/// Whether two connections come from the same client, as far as their addresses tell: each has a port of its own.
fn is_same_client(one: Option<&Clean>, other: Option<&Clean>) -> bool {
    fn host(client: &Clean) -> Result<IpAddr, &str> {
        client.as_str().parse().map(|address: SocketAddr| address.ip()).map_err(|_| client.as_str())
    }
    match (one, other) {
        (Some(one), Some(other)) => host(one) == host(other),
        _ => true,
    }
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
