//! Exit codes.

use std::process::ExitCode;

/// How a run ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Exit {
    /// Done.
    Done,
    /// Done, and at least one failure was found.
    Failures,
    /// Wrong usage, or input that cannot be read.
    Usage,
    /// The machine refused something, or the fault is ours.
    Refused,
    /// Ended on the spot by a second request to end: what shells call a run that an interrupt ended.
    AtOnce,
}

impl Exit {
    /// The number of the contract.
    pub const fn code(self) -> u8 {
        match self {
            Self::Done => 0,
            Self::Failures => 1,
            Self::Usage => 2,
            Self::Refused => 3,
            Self::AtOnce => 130,
        }
    }
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit.code())
    }
}
