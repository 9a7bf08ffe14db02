//! The compact row that is kept of every exchange for the list.

use std::fmt;

use crate::diagnosis::{Judgement, Rule, Verdict};
use crate::exchange::{Exchange, Seen, Timestamp};
use crate::redact::{Clean, Credential, Negotiate, Ntlm, NtlmMessage, Token};

/// What the list shows of one exchange. Small, because there is one for every exchange of a session.
#[derive(Clone, Debug)]
pub struct Row {
    /// The exchange.
    pub id: u64,
    pub(super) started: Timestamp,
    pub(super) method: Clean,
    pub(super) host: Clean,
    pub(super) path: Clean,
    pub(super) status: Option<u16>,
    pub(super) progress: Progress,
    pub(super) authn: Authn,
    pub(super) verdict: Verdict,
    pub(super) rules: Box<[&'static Rule]>,
}

/// How far an exchange came.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Progress {
    /// Still going on.
    Running,
    /// Over, as far as anyone can tell in order.
    Done,
    /// Traffic failed.
    Broken,
    /// Passed without being looked into.
    Unseen,
}

/// The longest path with query that a row keeps.
const PATH_LIMIT: usize = 160;

impl Row {
    /// The row of an exchange that has not been judged yet.
    pub fn of(exchange: &Exchange) -> Self {
        let (host, path) = match &exchange.url {
            Some(url) => {
                let text = url.text();
                let (scheme, origin) = (url.scheme().len() + 3, url.origin().len());
                (text.slice(scheme..origin), bounded(&text.slice(origin..text.as_str().len())))
            }
            None => (Clean::from(""), Clean::from("")),
        };
        let progress = match (&exchange.request, &exchange.response) {
            _ if exchange.running => Progress::Running,
            _ if exchange.error.is_some() => Progress::Broken,
            (Seen::Unseen(_), Seen::Unseen(_)) => Progress::Unseen,
            _ => Progress::Done,
        };
        Self {
            id: exchange.id,
            started: exchange.started,
            method: exchange.method.clone().unwrap_or_else(|| Clean::from("")),
            host,
            path,
            status: exchange.status(),
            progress,
            authn: Authn::of(exchange),
            verdict: Verdict::Pending,
            rules: Box::default(),
        }
    }

    pub(super) fn judge(&mut self, judgement: &Judgement) {
        self.verdict = judgement.verdict;
        self.rules = judgement.findings.iter().map(|finding| finding.rule).collect();
    }

    pub(super) fn is_401(&self) -> bool {
        self.status == Some(401)
    }

    pub(super) fn is_failure(&self) -> bool {
        self.verdict == Verdict::Failure
    }
}

fn bounded(path: &Clean) -> Clean {
    let text = path.as_str();
    if text.len() <= PATH_LIMIT { path.clone() } else { path.slice(0..text.floor_char_boundary(PATH_LIMIT)) }
}

/// How the client authenticated, in the words of the Authn column of Outlook's Connection Status.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Authn {
    /// No `Authorization`.
    Anonymous,
    /// `Authorization` without a value.
    Empty,
    /// User and password.
    Basic,
    /// A token.
    Bearer,
    /// The scheme without a token: the client asks where to get one.
    BearerEmpty,
    /// NTLM: which of its three messages; 0 where there is none that can be read.
    Ntlm(u8),
    /// NTLM inside Negotiate, likewise.
    NegotiateNtlm(u8),
    /// A Kerberos ticket.
    Kerberos,
    /// Negotiate with anything else.
    Negotiate,
    /// Digest.
    Digest,
    /// Another scheme, as spelled.
    Other(Clean),
    /// The request was not captured.
    Unseen,
}

impl Authn {
    /// What the request's `Authorization` says.
    pub fn of(exchange: &Exchange) -> Self {
        if exchange.request.seen().is_none() {
            return Self::Unseen;
        }
        match exchange.authorization() {
            None => Self::Anonymous,
            Some(Credential::Empty) => Self::Empty,
            Some(Credential::Basic { .. }) => Self::Basic,
            Some(Credential::Bearer(Token::Empty)) => Self::BearerEmpty,
            Some(Credential::Bearer(_)) => Self::Bearer,
            Some(Credential::Ntlm(Ntlm::Message(message))) => Self::Ntlm(leg(message)),
            Some(Credential::Ntlm(_)) => Self::Ntlm(0),
            Some(Credential::Negotiate(Negotiate::Ntlm(message) | Negotiate::SpnegoNtlm(message, _))) => {
                Self::NegotiateNtlm(leg(message))
            }
            Some(Credential::Negotiate(Negotiate::Kerberos { .. })) => Self::Kerberos,
            Some(Credential::Negotiate(_)) => Self::Negotiate,
            Some(Credential::Digest { .. }) => Self::Digest,
            Some(Credential::Other { scheme, .. }) => Self::Other(scheme.clone()),
        }
    }

    /// The same in at most eight columns.
    pub(super) fn short(&self) -> &str {
        match self {
            Self::Anonymous => "Anon",
            Self::Empty => "(empty)",
            Self::Basic => "Basic",
            Self::Bearer => "Bearer",
            Self::BearerEmpty => "Bearer()",
            Self::Ntlm(1) => "NTLM 1/3",
            Self::Ntlm(2) => "NTLM 2/3",
            Self::Ntlm(3) => "NTLM 3/3",
            Self::Ntlm(_) => "NTLM",
            Self::NegotiateNtlm(1) => "Nego 1/3",
            Self::NegotiateNtlm(2) => "Nego 2/3",
            Self::NegotiateNtlm(3) => "Nego 3/3",
            Self::NegotiateNtlm(_) | Self::Negotiate => "Nego",
            Self::Kerberos => "Kerberos",
            Self::Digest => "Digest",
            Self::Other(scheme) => scheme.as_str(),
            Self::Unseen => "unseen",
        }
    }
}

impl fmt::Display for Authn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Anonymous => "Anonymous",
            Self::BearerEmpty => "Bearer (empty)",
            Self::NegotiateNtlm(1) => "Nego NTLM 1/3",
            Self::NegotiateNtlm(2) => "Nego NTLM 2/3",
            Self::NegotiateNtlm(3) => "Nego NTLM 3/3",
            Self::NegotiateNtlm(_) => "Nego NTLM",
            Self::Kerberos => "Nego Kerberos",
            other => other.short(),
        })
    }
}

const fn leg(message: &NtlmMessage) -> u8 {
    match message {
        NtlmMessage::Negotiate { .. } => 1,
        NtlmMessage::Challenge { .. } => 2,
        NtlmMessage::Authenticate { .. } => 3,
    }
}
