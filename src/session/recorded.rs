//! An exchange of a session file, with where it comes from.

use std::sync::Arc;

use super::{Mode, Provenance, Run};
use crate::exchange::{Exchange, Timestamp};

/// An exchange of a session file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Recorded {
    /// The run that it was recorded in, shared by all of that run.
    pub origin: Arc<Origin>,
    /// The exchange, with the number that it has in its file.
    pub exchange: Exchange,
}

/// One run that recorded into a file. Labels and pseudonyms of different runs say nothing about each other.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Origin {
    /// Its number in the file, from 1; 0 in files that know no runs.
    pub run: u64,
    /// What captured it.
    pub provenance: Provenance,
    /// Where its exchanges came from; nothing where another tool captured them.
    pub mode: Option<Mode>,
    /// When it began, where the file says so.
    pub started: Option<Timestamp>,
    /// When it ended, where the file says so.
    pub ended: Option<Timestamp>,
    /// Exchanges that could not be recorded.
    pub lost: u64,
}

impl Origin {
    /// The only run of a file that knows no runs.
    pub fn of(provenance: Provenance) -> Arc<Self> {
        Arc::new(Self { provenance, ..Self::default() })
    }
}

impl From<&Run> for Origin {
    fn from(run: &Run) -> Self {
        Self {
            run: run.number,
            provenance: run.provenance,
            mode: run.mode,
            // 1970 stands for a file that did not say it.
            started: Some(run.started).filter(|started| started.0 != 0),
            ended: run.ended,
            lost: run.lost,
        }
    }
}
