//! One saved source as the screen needs it: a session is read where it lies, an archive's exchanges are held.

use std::path::Path;

use super::Fault;
use super::input;
use crate::diagnosis::Capture;
use crate::exchange::{Exchange, Timestamp};
use crate::redact::{Clean, Redactor};
use crate::session::har::Har;
use crate::session::kind::Kind;
use crate::session::{Session, SessionError};

/// A saved source.
pub(super) struct Shelved {
    kept: Kept,
    redactor: Redactor,
}

enum Kept {
    Session(Session),
    Archive {
        capture: Capture,
        /// In the order in which they ended.
        exchanges: Vec<Exchange>,
        /// By number less one: the place in `exchanges`.
        places: Vec<usize>,
        gaps: Vec<SessionError>,
    },
}

impl Shelved {
    /// The source at `path`.
    pub(super) fn of(path: &Path) -> Result<Self, Fault> {
        let redactor = Redactor::new();
        let kept = if Kind::of_file(path)? == Kind::Har {
            let (archive, mut gaps) = (Har::open(path, &redactor)?, Vec::new());
            let exchanges: Vec<Exchange> = input::readable(archive.exchanges(), &mut gaps).collect();
            let mut places: Vec<usize> = (0..exchanges.len()).collect();
            places.sort_by_key(|place| exchanges.get(*place).map(|exchange| exchange.id));
            Kept::Archive { capture: input::captured(archive.provenance()), exchanges, places, gaps }
        } else {
            Kept::Session(input::session(path, &redactor)?)
        };
        Ok(Self { kept, redactor })
    }

    /// How its exchanges are judged.
    pub(super) const fn capture(&self) -> Capture {
        match &self.kept {
            Kept::Session(_) => input::RECORDED,
            Kept::Archive { capture, .. } => *capture,
        }
    }

    /// All exchanges that can be read, each with its run; what cannot be read goes to `gaps`.
    pub(super) fn exchanges<'s>(
        &'s self,
        gaps: &'s mut Vec<SessionError>,
    ) -> Box<dyn Iterator<Item = (u64, Exchange)> + 's> {
        match &self.kept {
            Kept::Session(session) => Box::new(input::readable(session.exchanges_of_runs(), gaps)),
            Kept::Archive { exchanges, gaps: found, .. } => {
                gaps.extend(found.iter().cloned());
                Box::new(exchanges.iter().map(|exchange| (0, exchange.clone())))
            }
        }
    }

    /// When each exchange began, and its number. A place that cannot be read is told of when it is read as a whole.
    pub(super) fn outlines(&self) -> Box<dyn Iterator<Item = (Timestamp, u64)> + '_> {
        match &self.kept {
            Kept::Session(session) => Box::new(session.outlines().flatten().map(|found| (found.started, found.id))),
            Kept::Archive { exchanges, .. } => {
                Box::new(exchanges.iter().map(|exchange| (exchange.started, exchange.id)))
            }
        }
    }

    /// The exchange of this number.
    pub(super) fn exchange(&self, id: u64) -> Option<Exchange> {
        match &self.kept {
            Kept::Session(session) => session.exchange(id).ok()?,
            Kept::Archive { exchanges, places, .. } => {
                let place = places.get(usize::try_from(id.checked_sub(1)?).ok()?)?;
                exchanges.get(*place).cloned()
            }
        }
    }

    /// `text` with the people behind its pseudonyms.
    pub(super) fn reveal(&self, text: &Clean) -> String {
        self.redactor.reveal(text)
    }
}
