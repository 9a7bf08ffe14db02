//! Failures of traffic: whose, at which step, and what kind.

use crate::redact::Clean;

/// A failure of traffic, which is data: who failed at which step, and in which words.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failure {
    /// Whose failure it is.
    pub side: Side,
    /// What was being done.
    pub step: Step,
    /// What went wrong, from a closed set.
    pub kind: FailureKind,
    /// The same in words, with names, addresses and dates; English, no full stop at the end.
    pub text: Clean,
}

/// Whose failure it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Side {
    /// The client's.
    Client,
    /// The server's, or the network's on the way to it.
    Server,
    /// Ours.
    Proxy,
}

impl Side {
    /// All, for reading [`Side::code`] back.
    pub const ALL: [Self; 3] = [Self::Client, Self::Server, Self::Proxy];

    /// The word of the JSON contract.
    pub const fn code(self) -> &'static str {
        match self {
            Self::Client => "client",
            Self::Server => "server",
            Self::Proxy => "proxy",
        }
    }
}

/// What was being done when it failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    /// Looking the name up.
    Resolve,
    /// Opening the TCP connection.
    Connect,
    /// The TLS handshake.
    Tls,
    /// Sending a message.
    Send,
    /// Receiving a message.
    Receive,
}

impl Step {
    /// All, for reading [`Step::code`] back.
    pub const ALL: [Self; 5] = [Self::Resolve, Self::Connect, Self::Tls, Self::Send, Self::Receive];

    /// The word of the JSON contract.
    pub const fn code(self) -> &'static str {
        match self {
            Self::Resolve => "resolve",
            Self::Connect => "connect",
            Self::Tls => "tls",
            Self::Send => "send",
            Self::Receive => "receive",
        }
    }
}

/// What went wrong, from a closed set that rules can ask for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FailureKind {
    /// The name has no address.
    NameNotFound,
    /// Nobody listens there.
    Refused,
    /// No answer in time.
    TimedOut,
    /// No route to the address.
    Unreachable,
    /// The peer reset the connection.
    Reset,
    /// The peer closed in the middle of a message or handshake.
    ClosedEarly,
    /// The server's certificate has expired.
    CertificateExpired,
    /// The server's certificate is not valid yet.
    CertificateNotYetValid,
    /// The server's certificate does not carry the name asked for.
    CertificateNameMismatch,
    /// The server's certificate leads to no trusted root.
    CertificateUntrusted,
    /// The server's certificate is refused for another reason.
    CertificateInvalid,
    /// The peer speaks no protocol version or cipher in common with us.
    TlsIncompatible,
    /// The client refuses our certificate: it does not trust our root, or pins another.
    CertificateRefusedByClient,
    /// Another TLS failure.
    TlsFailed,
    /// What came is not the protocol expected.
    NotUnderstood,
    /// The client may not use this proxy: it does not know its user name and password.
    NotAdmitted,
    /// A limit that keeps the proxy itself safe was reached.
    TooMany,
    /// Cut by our own end (shutdown).
    CutByUs,
    /// The recorded session has no answer to this request (replay).
    NotInSession,
    /// Anything else.
    Other,
}

impl FailureKind {
    /// All, for reading [`FailureKind::code`] back.
    pub const ALL: [Self; 20] = [
        Self::NameNotFound,
        Self::Refused,
        Self::TimedOut,
        Self::Unreachable,
        Self::Reset,
        Self::ClosedEarly,
        Self::CertificateExpired,
        Self::CertificateNotYetValid,
        Self::CertificateNameMismatch,
        Self::CertificateUntrusted,
        Self::CertificateInvalid,
        Self::TlsIncompatible,
        Self::CertificateRefusedByClient,
        Self::TlsFailed,
        Self::NotUnderstood,
        Self::NotAdmitted,
        Self::TooMany,
        Self::CutByUs,
        Self::NotInSession,
        Self::Other,
    ];

    /// A stable word for files.
    pub const fn code(self) -> &'static str {
        match self {
            Self::NameNotFound => "name-not-found",
            Self::Refused => "refused",
            Self::TimedOut => "timed-out",
            Self::Unreachable => "unreachable",
            Self::Reset => "reset",
            Self::ClosedEarly => "closed-early",
            Self::CertificateExpired => "certificate-expired",
            Self::CertificateNotYetValid => "certificate-not-yet-valid",
            Self::CertificateNameMismatch => "certificate-name-mismatch",
            Self::CertificateUntrusted => "certificate-untrusted",
            Self::CertificateInvalid => "certificate-invalid",
            Self::TlsIncompatible => "tls-incompatible",
            Self::CertificateRefusedByClient => "certificate-refused-by-client",
            Self::TlsFailed => "tls-failed",
            Self::NotUnderstood => "not-understood",
            Self::NotAdmitted => "not-admitted",
            Self::TooMany => "too-many",
            Self::CutByUs => "cut-by-us",
            Self::NotInSession => "not-in-session",
            Self::Other => "other",
        }
    }
}
