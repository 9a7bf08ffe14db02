//! Which step of which handshake each exchange is, and what was missing.

use super::Verdict;
use crate::redact::Clean;
use crate::text::Text;

/// The handshakes that are followed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Scheme {
    /// Empty Bearer, challenge, sign-in, token, retry.
    OAuth,
    /// Probe, negotiate, challenge, authenticate.
    Ntlm,
    /// The same in the Negotiate scheme.
    Negotiate,
    /// Probe, challenge, authenticate.
    Basic,
    /// Probe, challenge, authenticate.
    Digest,
    /// A proxy's 407.
    Proxy,
    /// Options, provision, sync.
    ActiveSync,
}

impl Scheme {
    /// The word of the JSON contract.
    pub const fn code(self) -> &'static str {
        match self {
            Self::OAuth => "oauth",
            Self::Ntlm => "ntlm",
            Self::Negotiate => "negotiate",
            Self::Basic => "basic",
            Self::Digest => "digest",
            Self::Proxy => "proxy",
            Self::ActiveSync => "activesync",
        }
    }

    /// The names of its steps, in order.
    pub const fn steps(self) -> &'static [&'static str] {
        match self {
            Self::OAuth => &["empty-bearer", "challenge", "sign-in", "token", "retry"],
            Self::Ntlm | Self::Negotiate => &["probe", "negotiate", "challenge", "authenticate"],
            Self::Basic | Self::Digest | Self::Proxy => &["probe", "challenge", "authenticate"],
            Self::ActiveSync => &["options", "provision", "sync"],
        }
    }
}

/// What became of a step.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StepState {
    /// It happened and went right.
    Done,
    /// It happened and failed.
    Failed,
    /// It should have come and did not.
    Missing,
    /// It is not in the capture.
    Unseen,
}

impl StepState {
    /// The word of the JSON contract.
    pub const fn code(self) -> &'static str {
        match self {
            Self::Done => "done",
            Self::Failed => "failed",
            Self::Missing => "missing",
            Self::Unseen => "unseen",
        }
    }
}

/// One step of a handshake.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct HandshakeStep {
    /// One of [`Scheme::steps`].
    pub name: &'static str,
    /// What became of it.
    pub state: StepState,
    /// The exchange it happened in.
    pub exchange: Option<u64>,
}

/// One handshake with one server.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Handshake {
    /// The server's name.
    pub server: Clean,
    /// Which handshake.
    pub scheme: Scheme,
    /// [`Scheme::steps`], in order, without those that a client can do without and that this one did without.
    pub steps: Vec<HandshakeStep>,
    /// The client sent its credential without waiting for a challenge.
    pub preemptive: bool,
    /// What it came to.
    pub verdict: Verdict,
}

/// What is said of a preemptive handshake.
pub const PREEMPTIVE: Text =
    Text { en: "sent without waiting for a challenge", ja: "チャレンジを待たずに送信" };

impl Handshake {
    /// Whether an exchange is a step of it.
    pub fn has_step(&self, exchange: u64) -> bool {
        self.steps.iter().any(|step| step.exchange == Some(exchange))
    }
}
