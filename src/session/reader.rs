//! One way to read any session file: a stream of clean exchanges in the order in which they ended.
//!
//! What is foreign comes in through the door for bytes of the wire; what we wrote ourselves through the one that reads
//! our markers back. An entry that cannot be read costs itself: it is given as an error in its place.

use std::path::Path;

use zeroize::Zeroizing;

use super::har::Har;
use super::kind::Kind;
use super::mitm::Mitm;
use super::progress::Progress;
use super::saz::Saz;
use super::{Recorded, Session, SessionError, Stated};
use crate::redact::Redactor;

/// How a file is opened.
pub struct Opening<'a> {
    /// What is read goes through it.
    pub redactor: &'a Redactor,
    /// Asked for the password of an encrypted archive.
    pub password: &'a dyn Fn(&Path) -> Option<Zeroizing<String>>,
    /// Told how far the reading has come.
    pub progress: Progress,
}

impl<'a> Opening<'a> {
    /// Without a password and with nobody who looks on.
    pub fn quietly(redactor: &'a Redactor) -> Self {
        Self { redactor, password: &|_| None, progress: Progress::default() }
    }
}

/// A session file of any kind.
pub struct Reader {
    source: Source,
    progress: Progress,
}

enum Source {
    Native(Box<Session>),
    Har(Box<Har>),
    Mitm(Mitm),
    Saz(Box<Saz>),
}

/// The exchanges of a file, and what could not be read.
pub type Stream<'r> = Box<dyn Iterator<Item = Result<Recorded, SessionError>> + 'r>;

impl Reader {
    /// The file at `path`, told by its content.
    pub fn open(path: &Path, opening: &Opening<'_>) -> Result<Self, SessionError> {
        let source = match Kind::of_file(path)? {
            Kind::Har => Source::Har(Box::new(Har::open(path, opening)?)),
            Kind::Saz => Source::Saz(Box::new(Saz::open(path, opening)?)),
            Kind::Mitm => Source::Mitm(Mitm::open(path, opening)?),
            _ => Source::Native(Box::new(Session::open(path, opening.redactor)?)),
        };
        Ok(Self { source, progress: opening.progress.clone() })
    }

    /// The HTTP archive in `text`, called `name`.
    pub fn of_har(text: Zeroizing<Vec<u8>>, name: &Path, opening: &Opening<'_>) -> Result<Self, SessionError> {
        let source = Source::Har(Box::new(Har::of_text(text, name, opening)?));
        Ok(Self { source, progress: opening.progress.clone() })
    }

    /// What kind of file it is.
    pub const fn kind(&self) -> Kind {
        match &self.source {
            Source::Native(_) => Kind::Authtap,
            Source::Har(_) => Kind::Har,
            Source::Mitm(_) => Kind::Mitm,
            Source::Saz(_) => Kind::Saz,
        }
    }

    /// What the file states of itself, where we made it to be given away.
    pub const fn stated(&self) -> Option<&Stated> {
        match &self.source {
            Source::Native(session) => session.stated(),
            Source::Har(archive) => archive.stated(),
            Source::Saz(archive) => archive.stated(),
            Source::Mitm(_) => None,
        }
    }

    /// The session of ours that it is, which can be asked for single exchanges.
    pub fn into_session(self) -> Result<Session, Self> {
        match self.source {
            Source::Native(session) => Ok(*session),
            source @ (Source::Har(_) | Source::Mitm(_) | Source::Saz(_)) => Err(Self { source, ..self }),
        }
    }

    /// All exchanges that can be read, in the order in which they ended, and an error for each part that cannot.
    pub fn exchanges(&self) -> Stream<'_> {
        let stream: Stream<'_> = match &self.source {
            Source::Native(session) => {
                self.progress.expect(session.len().unwrap_or_default());
                Box::new(session.recorded().inspect(|_| self.progress.advance(1)))
            }
            Source::Har(archive) => Box::new(archive.recorded()),
            Source::Mitm(flows) => Box::new(flows.recorded()),
            Source::Saz(archive) => Box::new(archive.recorded()),
        };
        Box::new(Cancellable { stream, progress: &self.progress, over: false })
    }
}

/// Ends with [`SessionError::Cancelled`] once somebody asked for that.
struct Cancellable<'r> {
    stream: Stream<'r>,
    progress: &'r Progress,
    over: bool,
}

impl Iterator for Cancellable<'_> {
    type Item = Result<Recorded, SessionError>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.over {
            return None;
        }
        if self.progress.is_cancelled() {
            self.over = true;
            return Some(Err(SessionError::Cancelled));
        }
        self.stream.next()
    }
}
