//! One saved source as the screen needs it: every exchange can be had by its number, and none is held.

use std::path::Path;

use super::Fault;
use super::input;
use crate::exchange::{Exchange, Timestamp};
use crate::redact::{Clean, Redactor};
use crate::session::{Opening, Progress, Recorded, Session, SessionError};
use crate::text::Language;

/// A saved source.
pub(super) struct Shelved {
    session: Session,
    /// What could not be read of the file that the session stands for.
    gaps: Vec<SessionError>,
    redactor: Redactor,
}

impl Shelved {
    /// The source at `path`, of any kind.
    pub(super) fn of(path: &Path, progress: &Progress, language: Language) -> Result<Self, Fault> {
        let redactor = Redactor::new();
        let opening = Opening {
            redactor: &redactor,
            password: &|path| input::password(path, language),
            progress: progress.clone(),
        };
        let (session, gaps) = input::session(path, &opening)?;
        Ok(Self { session, gaps, redactor })
    }

    /// All exchanges that can be read; what cannot be read goes to `gaps`.
    pub(super) fn exchanges<'s>(&'s self, gaps: &'s mut Vec<SessionError>) -> impl Iterator<Item = Recorded> + 's {
        gaps.extend(self.gaps.iter().cloned());
        input::readable(self.session.recorded(), gaps)
    }

    /// When each exchange began, and its number. A place that cannot be read is told of when it is read as a whole.
    pub(super) fn outlines(&self) -> impl Iterator<Item = (Timestamp, u64)> + '_ {
        self.session.outlines().flatten().map(|found| (found.started, found.id))
    }

    /// The exchange of this number.
    pub(super) fn exchange(&self, id: u64) -> Option<Exchange> {
        self.session.exchange(id).ok()?
    }

    /// `text` with the people behind its pseudonyms.
    pub(super) fn reveal(&self, text: &Clean) -> String {
        self.redactor.reveal(text)
    }
}
