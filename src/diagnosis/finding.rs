//! What is said of an exchange.

use std::fmt;

use super::Rule;
use crate::redact::Clean;

/// What is said of one exchange as a whole.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// Nothing wrong.
    Ok,
    /// A refusal that belongs to a handshake going right.
    Step,
    /// A certain or likely failure.
    Failure,
    /// The client's next move decides; live captures only.
    Pending,
    /// What would decide is not in the capture.
    Unknown,
}

/// What a finding is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A step of a healthy handshake.
    Step,
    /// Worth knowing, and no failure.
    Note,
    /// Something is wrong.
    Failure,
}

/// How sure a finding is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Certainty {
    /// The exchange proves it.
    Certain,
    /// Best explanation of what was seen.
    Likely,
    /// One explanation among others.
    Possible,
}

/// Who must act.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Actor {
    /// Administrator of Exchange.
    ExchangeAdmin,
    /// Administrator of the Entra tenant.
    EntraAdmin,
    /// Administrator of Active Directory or AD FS.
    AdAdmin,
    /// Whoever runs load balancers, firewalls, reverse proxies, DNS.
    Network,
    /// Whoever runs the client machine.
    Client,
    /// Whoever runs the migration tool.
    MigrationTool,
    /// The user.
    User,
    /// Microsoft.
    Microsoft,
    /// This proxy, in a live capture.
    ThisProxy,
    /// The tool that made an imported capture.
    CaptureTool,
    /// Nobody: it is as it should be.
    Nobody,
}

impl Actor {
    /// Whether it is the instrument that looks at the traffic: this proxy, or the tool of an imported capture.
    pub const fn is_instrument(self) -> bool {
        matches!(self, Self::ThisProxy | Self::CaptureTool)
    }
}

macro_rules! codes {
    ($($kind:ty { $($variant:ident = $code:literal),* $(,)? })*) => {$(
        impl $kind {
            /// The word of the JSON contract.
            pub const fn code(self) -> &'static str {
                match self { $(Self::$variant => $code),* }
            }
        }

        impl fmt::Display for $kind {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(self.code())
            }
        }
    )*};
}
codes! {
    Verdict { Ok = "ok", Step = "step", Failure = "failure", Pending = "pending", Unknown = "unknown" }
    Kind { Step = "step", Note = "note", Failure = "failure" }
    Certainty { Certain = "certain", Likely = "likely", Possible = "possible" }
    Actor {
        ExchangeAdmin = "exchange-admin", EntraAdmin = "entra-admin", AdAdmin = "ad-admin", Network = "network",
        Client = "client", MigrationTool = "migration-tool", User = "user", Microsoft = "microsoft",
        ThisProxy = "this-proxy", CaptureTool = "capture-tool", Nobody = "nobody",
    }
}

/// Where a piece of evidence stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Place {
    /// The request's URL.
    RequestUrl,
    /// A request header; the name in lower case.
    RequestHeader(&'static str),
    /// The request's body.
    RequestBody,
    /// The response's status line.
    ResponseStatus,
    /// A response header; the name in lower case.
    ResponseHeader(&'static str),
    /// The response's body.
    ResponseBody,
    /// The client's side of the connection: its TLS, its errors.
    ConnectionClient,
    /// The server's side of the connection: address, TLS, certificate, errors.
    ConnectionServer,
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::RequestUrl => f.write_str("request.url"),
            Self::RequestHeader(name) => write!(f, "request.header.{name}"),
            Self::RequestBody => f.write_str("request.body"),
            Self::ResponseStatus => f.write_str("response.status"),
            Self::ResponseHeader(name) => write!(f, "response.header.{name}"),
            Self::ResponseBody => f.write_str("response.body"),
            Self::ConnectionClient => f.write_str("connection.client"),
            Self::ConnectionServer => f.write_str("connection.server"),
        }
    }
}

/// One piece of evidence: what stands where.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Evidence {
    /// The exchange it stands in.
    pub exchange: u64,
    /// Where in it.
    pub place: Place,
    /// The words there, shortened to what matters. Empty where the evidence is that something is missing.
    pub text: Clean,
}

/// What a finding is about. Findings of one rule with the same kind, certainty, actor and subject are one entry of a
/// diagnosis.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Subject {
    /// The server, as in the URL.
    pub server: Option<Clean>,
    /// The virtual directory, lower case: `/mapi`.
    pub directory: Option<Clean>,
    /// The user's pseudonym.
    pub user: Option<Clean>,
}

/// One finding about one exchange.
#[derive(Clone, Debug)]
pub struct Finding {
    /// The rule that found it: id and words.
    pub rule: &'static Rule,
    /// Step, note or failure.
    pub kind: Kind,
    /// How sure.
    pub certainty: Certainty,
    /// Who must act.
    pub actor: Actor,
    /// What it is about.
    pub subject: Subject,
    /// Why.
    pub evidence: Vec<Evidence>,
    /// Names from the traffic for the places in explanation and remedy.
    pub names: Vec<(&'static str, Clean)>,
    /// Ids of the findings that can be behind it, likeliest first, where the input alone cannot decide.
    pub candidates: Vec<&'static str>,
}

impl Finding {
    /// The rule's id.
    pub const fn id(&self) -> &'static str {
        self.rule.id
    }
}

/// What is said of one exchange: the verdict, and the findings with the answer first.
#[derive(Clone, Debug)]
pub struct Judgement {
    /// The exchange.
    pub exchange: u64,
    /// The verdict.
    pub verdict: Verdict,
    /// Superseded ones are left out.
    pub findings: Vec<Finding>,
}
