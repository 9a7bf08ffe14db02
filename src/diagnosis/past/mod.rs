//! What is remembered of earlier exchanges: facts, never the exchanges, and no more of them than a fixed number.

mod autodiscover;
pub(super) mod load;
mod sign_in;
mod tokens;
mod windows;

use std::collections::VecDeque;

use super::bounded::Bounded;
use super::case::Case;
use super::directory::Directory;
use super::rules::is_of_oauth;
use super::{Certainty, Evidence, Judgement, Kind, Sent};
use crate::exchange::Timestamp;
use crate::redact::{Clean, Credential, Label, Password, Token, organisation};
use tokens::{Tokens, obtained};

pub use load::Load;
pub use tokens::Obtained;

pub use autodiscover::OwnServer;
pub use windows::{Given, Legs, Logon, Person, Windows};

/// Hosts and organisations remembered; the oldest goes first.
const ROOM: usize = 4096;
/// Facts of one sort remembered of one host or organisation.
const FEW: usize = 64;

/// What earlier exchanges showed.
#[derive(Debug, Default)]
pub struct Past {
    hosts: Bounded<String, Host, ROOM>,
    organisations: Bounded<String, Organisation, ROOM>,
    tokens: Tokens,
    last_challenge: Option<BearerSeen>,
    signed_in: Option<u64>,
    candidates: autodiscover::Candidates,
    sign_ins: sign_in::SignIns,
}

/// Remembered of the hosts of one organisation together.
#[derive(Debug, Default)]
struct Organisation {
    bearer: VecDeque<BearerSeen>,
    hunted: Option<Hunted>,
}

/// A failure of an OAuth handshake, after which clients fall back to Windows authentication.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Hunted {
    /// The rule's id.
    pub id: &'static str,
    /// Why, of the exchange that it was found in.
    pub evidence: Evidence,
}

/// Remembered of one host.
#[derive(Debug, Default)]
struct Host {
    sent_bearer: bool,
    /// The last exchange that carried a token; 0 for none.
    token_sent: u64,
    exchange: bool,
    authorization_uri: Option<Clean>,
    credentials: Bounded<Label, Record, FEW>,
    accepted: Vec<Accepted>,
    windows: Windows,
    load: Load,
}

/// A Bearer challenge that was seen.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BearerSeen {
    /// The exchange.
    pub exchange: u64,
    /// When it began.
    pub started: Timestamp,
    /// The host asked.
    pub host: Clean,
    /// The virtual directory asked.
    pub directory: Option<Directory>,
    /// The server that answered, from `X-FEServer`.
    pub server: Option<Clean>,
    /// Where it sends the client.
    pub authorization_uri: Option<Clean>,
}

/// What became of one credential on one host.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Record {
    /// How often it was refused (401).
    pub refused: u32,
    /// How often of these the server asked for further claims.
    pub challenged: u32,
    /// How often it was accepted (2xx or 3xx).
    pub accepted: u32,
    /// The last exchange it was sent in.
    pub last: u64,
}

/// A user who was let in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Accepted {
    /// The user's pseudonym.
    pub user: Option<Clean>,
    /// The scheme, in lower case.
    pub scheme: &'static str,
    /// The first exchange.
    pub exchange: u64,
}

impl Past {
    /// Whether `host` (in lower case) showed itself to be Exchange.
    pub fn is_exchange(&self, host: &str) -> bool {
        self.hosts.get(host).is_some_and(|host| host.exchange)
    }

    /// The authorization_uri that `host` named.
    pub fn authorization_uri(&self, host: &str) -> Option<&Clean> {
        self.hosts.get(host)?.authorization_uri.as_ref()
    }

    /// Bearer challenges of Exchange on the hosts of the same organisation as `host`, one a host, directory and server.
    pub fn bearer_seen(&self, host: &str) -> impl Iterator<Item = &BearerSeen> {
        self.organisations.get(organisation(host)).into_iter().flat_map(|known| &known.bearer)
    }

    /// Another Autodiscover address for the organisation of `host` that answered well, and the exchange; nothing where
    /// `host` itself did.
    pub fn autodiscover(&self, host: &str) -> Option<&(Clean, u64)> {
        self.candidates.good_for(host)
    }

    /// Whether `candidate` is an Autodiscover address for the organisation of `host`: of the same owner, or one that its
    /// addresses lead to.
    pub fn is_candidate(&self, candidate: &str, host: &str) -> bool {
        self.candidates.serves(candidate, host)
    }

    /// The last Exchange server of an organisation whose Autodiscover answered well and led nowhere else.
    pub const fn own_server(&self) -> Option<&OwnServer> {
        self.candidates.own_server()
    }

    /// The exchange in which `host` told a client where to sign in for `path`, if no issuer of tokens was asked since.
    pub fn awaited_sign_in(&self, host: &str, path: &str) -> Option<u64> {
        self.sign_ins.awaited(host, path)
    }

    /// The first OAuth handshake that failed on the hosts of the same organisation as `host`.
    pub fn hunted(&self, host: &str) -> Option<&Hunted> {
        self.organisations.get(organisation(host))?.hunted.as_ref()
    }

    /// Whether a client sent `Bearer`, with or without a token, to `host`.
    pub fn sent_bearer(&self, host: &str) -> bool {
        self.hosts.get(host).is_some_and(|host| host.sent_bearer)
    }

    /// The last Bearer challenge of Exchange with an authorization_uri, of any host.
    pub const fn last_challenge(&self) -> Option<&BearerSeen> {
        self.last_challenge.as_ref()
    }

    /// A token that was obtained for `host`, or for another host of its organisation, and that no request to `host`
    /// has carried since.
    pub fn unused_token(&self, host: &str) -> Option<&Obtained> {
        let sent = self.hosts.get(host).map_or(0, |host| host.token_sent);
        self.tokens.for_host(host).filter(|token| token.exchange > sent)
    }

    /// What became of this credential on `host` before.
    pub fn record(&self, host: &str, label: Label) -> Record {
        self.hosts.get(host).and_then(|host| host.credentials.get(&label)).copied().unwrap_or_default()
    }

    /// Who was let in on `host`, by which scheme.
    pub fn accepted(&self, host: &str) -> &[Accepted] {
        self.hosts.get(host).map_or(&[], |host| &host.accepted)
    }

    /// What was seen of Windows authentication on `host`.
    pub fn windows(&self, host: &str) -> Option<&Windows> {
        self.hosts.get(host).map(|host| &host.windows)
    }

    /// How `host` bears its load.
    pub fn load(&self, host: &str) -> Option<&Load> {
        self.hosts.get(host).map(|host| &host.load)
    }

    /// The last exchange with an issuer of tokens that had a response.
    pub const fn signed_in(&self) -> Option<u64> {
        self.signed_in
    }

    /// Takes an exchange into the past.
    pub(super) fn remember(&mut self, lesson: Lesson) {
        self.signed_in = lesson.signed_in.or(self.signed_in);
        if let Some(token) = lesson.token {
            self.tokens.remember(token);
        }
        if let Some((host, hunted)) = lesson.hunted {
            self.organisations.entry(organisation(host.as_str())).hunted.get_or_insert(hunted);
        }
        let Some(name) = lesson.host else { return };
        let host = self.hosts.entry(name.as_str());
        host.exchange |= lesson.exchange;
        host.sent_bearer |= lesson.sent_bearer;
        host.load.remember(lesson.load);
        if lesson.sent_token {
            host.token_sent = lesson.id;
        }
        if let Some(candidate) = lesson.candidate {
            self.candidates.remember(&name, lesson.id, candidate);
        }
        if let Some(sign_in) = lesson.sign_in {
            self.sign_ins.remember(&name, lesson.id, sign_in);
        }
        if let Some((label, outcome)) = lesson.credential {
            let record = host.credentials.entry(&label);
            record.last = lesson.id;
            match outcome {
                Outcome::Refused => record.refused += 1,
                Outcome::Challenged => {
                    record.refused += 1;
                    record.challenged += 1;
                }
                Outcome::Accepted => record.accepted += 1,
                Outcome::Neither => {}
            }
        }
        if let Some(accepted) = lesson.accepted {
            let known = host.accepted.iter().any(|old| (old.scheme, &old.user) == (accepted.scheme, &accepted.user));
            if !known && host.accepted.len() < FEW {
                host.accepted.push(accepted);
            }
        }
        if let Some(lesson) = lesson.windows {
            host.windows.remember(lesson);
        }
        if let Some(seen) = lesson.bearer {
            if seen.authorization_uri.is_some() {
                host.authorization_uri.clone_from(&seen.authorization_uri);
                self.last_challenge = Some(seen.clone());
            }
            let list = &mut self.organisations.entry(organisation(name.as_str())).bearer;
            list.retain(|old| (old.directory, &old.server, &old.host) != (seen.directory, &seen.server, &seen.host));
            push_bounded(list, seen);
        }
    }
}

/// What one exchange teaches.
pub(super) struct Lesson {
    id: u64,
    /// In lower case; nothing where it is unknown.
    host: Option<Clean>,
    exchange: bool,
    sent_bearer: bool,
    sent_token: bool,
    candidate: Option<autodiscover::Lesson>,
    sign_in: Option<sign_in::Lesson>,
    signed_in: Option<u64>,
    token: Option<Obtained>,
    credential: Option<(Label, Outcome)>,
    accepted: Option<Accepted>,
    bearer: Option<BearerSeen>,
    windows: Option<windows::Lesson>,
    hunted: Option<(Clean, Hunted)>,
    load: load::Lesson,
}

enum Outcome {
    Refused,
    Challenged,
    Accepted,
    Neither,
}

impl Lesson {
    /// Reads it off a case.
    pub(super) fn of(case: &Case<'_>) -> Self {
        let id = case.exchange.id;
        let host = case.host_name().filter(|host| !host.as_str().is_empty());
        let exchange = case.is_exchange();
        let sign_in = case.is_sign_in() && case.status().is_some();
        let bearer = case.challenge("bearer").zip(host.clone()).filter(|_| exchange);
        let outcome = match case.status() {
            Some(401) if case.challenges().iter().any(|challenge| challenge.param("claims").is_some()) => {
                Outcome::Challenged
            }
            Some(401) => Outcome::Refused,
            Some(200..=399) => Outcome::Accepted,
            _ => Outcome::Neither,
        };
        Self {
            id,
            exchange,
            windows: windows::Lesson::of(case),
            hunted: None,
            sent_bearer: case.asks_for_oauth() || case.bearer().is_some(),
            sent_token: case.bearer().is_some(),
            candidate: autodiscover::Lesson::of(case),
            sign_in: sign_in::Lesson::of(case),
            signed_in: sign_in.then_some(id),
            token: sign_in.then(|| obtained(case)).flatten(),
            credential: sent_label(case).map(|label| (label, outcome)),
            accepted: accepted_scheme(case).map(|scheme| Accepted { user: case.user().cloned(), scheme, exchange: id }),
            bearer: bearer.map(|(bearer, host)| BearerSeen {
                exchange: id,
                started: case.exchange.started,
                host,
                directory: case.directory(),
                server: case.server_name(),
                authorization_uri: bearer.clean_param("authorization_uri"),
            }),
            load: load::Lesson::of(case),
            host,
        }
    }

    /// With what was said of the exchange: an OAuth handshake that failed is remembered for the server that the token
    /// was to be for.
    pub(super) fn of_judged(case: &Case<'_>, judgement: &Judgement) -> Self {
        let mut lesson = Self::of(case);
        let failed = judgement.findings.iter().find(|finding| {
            finding.kind == Kind::Failure && finding.certainty != Certainty::Possible && is_of_oauth(finding.rule)
        });
        lesson.hunted = failed.and_then(|finding| {
            let host = if case.is_sign_in() {
                case.past().last_challenge().map(|seen| seen.host.clone())
            } else {
                lesson.host.clone()
            };
            Some((host?, Hunted { id: finding.rule.id, evidence: finding.evidence.first()?.clone() }))
        });
        lesson
    }
}

fn push_bounded<T>(list: &mut VecDeque<T>, item: T) {
    if list.len() == FEW {
        list.pop_front();
    }
    list.push_back(item);
}

/// The host of an audience or scope such as `https://mail.contoso.com/.default`.
fn audience_host(audience: &str) -> &str {
    let rest = audience.split_once("://").map_or(audience, |(_, rest)| rest);
    &rest[..rest.find(['/', ' ', ':']).unwrap_or(rest.len())]
}

/// The label by which the credential of this request is known again.
pub(super) fn sent_label(case: &Case<'_>) -> Option<Label> {
    let Sent::Credential(credential) = case.authorization() else { return None };
    match credential {
        Credential::Basic { password: Password::Set { label, .. }, .. }
        | Credential::Bearer(Token::Jwe { label, .. } | Token::Opaque { label, .. })
        | Credential::Other { label: Some(label), .. } => Some(*label),
        Credential::Bearer(Token::Jwt(jwt)) => jwt.label,
        _ => None,
    }
}

fn accepted_scheme(case: &Case<'_>) -> Option<&'static str> {
    if !matches!(case.status(), Some(200..=399)) {
        return None;
    }
    let Sent::Credential(credential) = case.authorization() else { return None };
    match credential {
        Credential::Basic { .. } => Some("basic"),
        Credential::Bearer(Token::Empty) | Credential::Empty | Credential::Other { .. } => None,
        Credential::Bearer(_) => Some("bearer"),
        Credential::Ntlm(_) => Some("ntlm"),
        Credential::Negotiate(_) => Some("negotiate"),
        Credential::Digest { .. } => Some("digest"),
    }
}
