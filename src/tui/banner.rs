//! What the app tells the screen of the run, and what the user wants of the app.

use super::comparing::Side;
use crate::redact::Clean;
use crate::text::{Language, Text};

/// What the screen says of the run as a whole.
#[derive(Clone, Debug)]
pub struct Banner {
    /// What is being done.
    pub mode: Mode,
    /// Where the proxy listens, `127.0.0.1:8080`; empty when it does not.
    pub addresses: Vec<String>,
    /// Where the certificate lies that clients must trust.
    pub ca: Option<String>,
    /// The session file, if there is one.
    pub session: Option<String>,
    /// Where it is known who stands behind the pseudonyms.
    pub identities: Identities,
    /// The proxy through which servers are reached, if there is one.
    pub upstream_proxy: Option<String>,
}

impl Banner {
    /// That of saved sessions, which are called so.
    pub fn of_saved(session: String) -> Self {
        Self {
            mode: Mode::Open,
            addresses: Vec::new(),
            ca: None,
            session: Some(session),
            identities: Identities::Unknown,
            upstream_proxy: None,
        }
    }
}

/// Where it is known who stands behind the pseudonyms of a session. The more of them may leave, the greater.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum Identities {
    /// Nowhere: the run that gave the pseudonyms took that with it.
    #[default]
    Unknown,
    /// In the memory of this run.
    InMemory,
    /// In the session's file.
    InFile,
}

/// What the program is doing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    /// Capturing live traffic.
    Capture,
    /// Capturing live traffic in front of one server.
    Reverse,
    /// Answering from a saved session.
    Replay,
    /// Playing the demonstration.
    Demo,
    /// Showing saved sessions.
    Open,
    /// Showing two sessions side by side.
    Compare,
    /// Showing one of the two.
    Side(Side),
}

impl Mode {
    /// Whether clients are being served, so that ending is worth a question.
    pub(super) const fn is_serving(self) -> bool {
        matches!(self, Self::Capture | Self::Reverse | Self::Replay)
    }

    /// Whether there is anything to pause.
    pub(super) const fn records(self) -> bool {
        !matches!(self, Self::Open | Self::Compare | Self::Side(_))
    }
}

/// Numbers that the rows do not tell.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Exchanges that could not be recorded.
    pub lost: u64,
    /// Connections that passed without being recorded, because `--only` does not name them.
    pub passed: u64,
    /// Connections of clients that `--allow` does not name.
    pub refused: u64,
}

/// Something wrong with the run itself: a full disk, an unwritable folder.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// In words, with places.
    pub words: Text,
    /// What fills the places.
    pub names: Vec<(&'static str, Clean)>,
}

/// How far a saved session has been read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reading {
    /// So many per cent are in the list.
    Listed(u8),
    /// All are; so many per cent have been judged.
    Judged(u8),
}

/// What the user wants done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Command {
    /// End.
    Quit,
    /// Stop recording, or go on with it.
    Pause(bool),
    /// The language was switched; the screen has done so already.
    SetLanguage(Language),
    /// Identities are shown or hidden; the screen has done so already.
    Reveal(bool),
    /// Show the exchange of that number in one of the sessions that are compared.
    Look(Side, u64),
    /// Back to the comparison.
    Compare,
}
