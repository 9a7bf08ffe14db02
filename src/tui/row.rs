//! The compact row that is kept of every exchange for the list.

use std::fmt;
use std::sync::Arc;

use crate::diagnosis::{Judgement, Rule, Verdict};
use crate::exchange::{Exchange, Timestamp};
use crate::redact::{Clean, Credential, Negotiate, Ntlm, NtlmMessage, Token, Url};
use crate::session::Outline;

/// What the list shows of one exchange. Small, because there is one for every exchange of a session.
#[derive(Clone, Debug)]
pub struct Row {
    /// The exchange.
    pub id: u64,
    pub(super) started: Timestamp,
    pub(super) path: Clean,
    pub(super) kind: Arc<RequestKind>,
    pub(super) status: Option<u16>,
    pub(super) progress: Progress,
    pub(super) verdict: Verdict,
    pub(super) rules: Box<[&'static Rule]>,
}

/// What thousands of requests have in common: the list keeps each once.
#[derive(Debug, PartialEq, Eq, Hash)]
pub(super) struct RequestKind {
    pub(super) method: Clean,
    pub(super) host: Clean,
    pub(super) authn: Authn,
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
        let (asked, answered) = (exchange.request.seen().is_some(), exchange.response.seen().is_some());
        Self {
            id: exchange.id,
            started: exchange.started,
            path: path(exchange.url.as_ref()),
            kind: RequestKind::new(exchange.method.as_ref(), exchange.url.as_ref(), Authn::of(exchange)),
            status: exchange.status(),
            progress: Progress::of(exchange.running, exchange.error.is_some(), asked || answered),
            verdict: Verdict::Pending,
            rules: Box::default(),
        }
    }

    /// The same of an exchange that was not read as a whole.
    pub fn outlined(outline: &Outline) -> Self {
        let seen = outline.request_seen || outline.response_seen;
        let authn = Authn::carried(outline.request_seen, outline.authorization.as_ref());
        Self {
            id: outline.id,
            started: outline.started,
            path: path(outline.url.as_ref()),
            kind: RequestKind::new(outline.method.as_ref(), outline.url.as_ref(), authn),
            status: outline.status,
            progress: Progress::of(outline.running, outline.broken, seen),
            verdict: Verdict::Pending,
            rules: Box::default(),
        }
    }

    /// The row with `id` in the place of its number.
    #[must_use]
    pub fn numbered(self, id: u64) -> Self {
        Self { id, ..self }
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

/// Path and query, of their own: a part of the URL would keep all of it.
fn path(url: Option<&Url>) -> Clean {
    let Some(url) = url else { return "".into() };
    let (text, from) = (url.text().as_str(), url.origin().len());
    let to = text.floor_char_boundary(from + PATH_LIMIT);
    Clean::concat([url.text().slice(from..to)])
}

impl RequestKind {
    fn new(method: Option<&Clean>, url: Option<&Url>, authn: Authn) -> Arc<Self> {
        let host = |url: &Url| url.text().slice(url.scheme().len() + 3..url.origin().len());
        let empty = || Clean::from("");
        Arc::new(Self { method: method.cloned().unwrap_or_else(empty), host: url.map_or_else(empty, host), authn })
    }
}

impl Progress {
    const fn of(running: bool, broken: bool, seen: bool) -> Self {
        if running {
            Self::Running
        } else if broken {
            Self::Broken
        } else if seen {
            Self::Done
        } else {
            Self::Unseen
        }
    }
}

/// How the client authenticated, in the words of the Authn column of Outlook's Connection Status.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
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
        Self::carried(exchange.request.seen().is_some(), exchange.authorization())
    }

    /// What it says where it carried `credential`.
    fn carried(seen: bool, credential: Option<&Credential>) -> Self {
        if !seen {
            return Self::Unseen;
        }
        match credential {
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

impl Authn {
    /// The same in full.
    pub(super) fn long(&self) -> &str {
        match self {
            Self::Anonymous => "Anonymous",
            Self::BearerEmpty => "Bearer (empty)",
            Self::NegotiateNtlm(1) => "Nego NTLM 1/3",
            Self::NegotiateNtlm(2) => "Nego NTLM 2/3",
            Self::NegotiateNtlm(3) => "Nego NTLM 3/3",
            Self::NegotiateNtlm(_) => "Nego NTLM",
            Self::Kerberos => "Nego Kerberos",
            other => other.short(),
        }
    }
}

impl fmt::Display for Authn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.long())
    }
}

const fn leg(message: &NtlmMessage) -> u8 {
    match message {
        NtlmMessage::Negotiate { .. } => 1,
        NtlmMessage::Challenge { .. } => 2,
        NtlmMessage::Authenticate { .. } => 3,
    }
}
