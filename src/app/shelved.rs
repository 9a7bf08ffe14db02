//! One saved source as the screen needs it: every exchange can be had by its number, and none is held.

use std::path::Path;

use super::Fault;
use super::input::{self, Input};
use crate::exchange::{Exchange, Timestamp};
use crate::redact::{Clean, Redactor};
use crate::session::{Opening, Outline, Progress, Recorded, Session, SessionError, Stated};
use crate::text::Language;
use crate::tui::{Identities, contains};

/// A saved source.
pub(super) struct Shelved {
    session: Session,
    /// What could not be read of the file that the session stands for.
    gaps: Vec<SessionError>,
    redactor: Redactor,
    identities: Identities,
}

impl Shelved {
    /// The source at `path`, of any kind; what is read goes through `redactor`.
    pub(super) fn of(path: &Path, redactor: Redactor, progress: &Progress, language: Language) -> Result<Self, Fault> {
        let opening = Opening {
            redactor: &redactor,
            password: &|path| input::password(path, language),
            progress: progress.clone(),
        };
        let (session, gaps) = input::session(path, &opening)?;
        Ok(Self::new(session, gaps, redactor))
    }

    /// The same, and a pasted text, too.
    pub(super) fn of_any(path: &Path, progress: &Progress, language: Language) -> Result<Self, Fault> {
        if !input::is_text(path)? {
            return Self::of(path, Redactor::new(), progress, language);
        }
        let redactor = Redactor::new();
        match Input::open(path, &Opening::quietly(&redactor))? {
            Input::File(_) => Self::of(path, redactor, progress, language),
            Input::Pasted(exchanges) => {
                let session = Session::of_exchanges(exchanges, path, &redactor)?;
                Ok(Self::new(session, Vec::new(), redactor))
            }
        }
    }

    fn new(session: Session, gaps: Vec<SessionError>, redactor: Redactor) -> Self {
        let identities = if session.has_identities() {
            Identities::InFile
        } else if redactor.knows_people() {
            // Another tool's file, which was read just now.
            Identities::InMemory
        } else {
            Identities::Unknown
        };
        Self { session, gaps, redactor, identities }
    }

    /// What the file states of itself.
    pub(super) const fn stated(&self) -> Option<&Stated> {
        self.session.stated()
    }

    /// What its secrets went through.
    pub(super) const fn redactor(&self) -> &Redactor {
        &self.redactor
    }

    /// All exchanges that can be read; what cannot be read goes to `gaps`.
    pub(super) fn exchanges<'s>(&'s self, gaps: &'s mut Vec<SessionError>) -> impl Iterator<Item = Recorded> + 's {
        input::readable(self.recorded(), gaps)
    }

    /// All exchanges, and what cannot be read.
    pub(super) fn recorded(&self) -> impl Iterator<Item = Result<Recorded, SessionError>> + '_ {
        self.gaps.iter().cloned().map(Err).chain(self.session.recorded())
    }

    /// How many exchanges there are.
    pub(super) fn len(&self) -> u64 {
        self.session.len().unwrap_or_default()
    }

    /// What the list shows of each exchange. A place that cannot be read is told of when it is read as a whole.
    pub(super) fn outlines(&self) -> impl Iterator<Item = Outline> + '_ {
        self.session.outlines().flatten()
    }

    /// When each exchange began, and its number; likewise.
    pub(super) fn beginnings(&self) -> impl Iterator<Item = (Timestamp, u64)> + '_ {
        self.session.beginnings().flatten()
    }

    /// The exchange of this number.
    pub(super) fn exchange(&self, id: u64) -> Option<Exchange> {
        self.session.exchange(id).ok()?
    }

    /// Whether the exchange of this number holds `part`, which is in lower case, in any letter case.
    pub(super) fn holds(&self, id: u64, part: &str) -> bool {
        self.session.holds(id, |text| contains(text, part))
    }

    /// Where it is known who stands behind its pseudonyms.
    pub(super) const fn identities(&self) -> Identities {
        self.identities
    }

    /// A text of an exchange with the people behind its pseudonyms.
    pub(super) fn reveal(&self, exchange: u64, text: &Clean) -> String {
        match self.identities {
            Identities::InFile => self.session.reveal(exchange, text),
            Identities::InMemory => self.redactor.reveal(text),
            Identities::Unknown => text.as_str().to_owned(),
        }
    }
}
