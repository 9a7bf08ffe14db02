//! Where a capture's session goes, and what becomes of it when there is no such place.

use std::path::{Path, PathBuf};

use super::{Fault, warn};
use crate::exchange::Timestamp;
use crate::redact::Redactor;
use crate::session::{Mode, SessionError, Writer, autosave};
use crate::text::{Language, Text};

/// Where the session goes.
pub(super) enum Save {
    /// The file that was asked for.
    Into(PathBuf),
    /// A file of its own in this data folder.
    Automatically(Result<PathBuf, SessionError>),
    /// Nowhere.
    Nowhere,
}

impl Save {
    /// Begins the session, which gets to know who is who where `identities` are asked for. A place that cannot be written
    /// is no reason not to capture: it is said, and counted.
    pub(super) fn begin(
        self,
        mode: Mode,
        redactor: &Redactor,
        identities: bool,
        language: Language,
    ) -> Result<Option<Begun>, Fault> {
        let begin = |path: &Path| {
            if identities {
                Writer::begin_with_identities(path, mode, redactor)
            } else {
                Writer::begin(path, mode, redactor)
            }
        };
        let (path, fresh, begun) = match self {
            Self::Nowhere => return Ok(None),
            Self::Into(path) => {
                let fresh = !path.exists();
                let begun = begin(&path);
                (path, fresh, begun)
            }
            Self::Automatically(Ok(folder)) => {
                let begun = autosave::begin(&folder, Timestamp::now(), begin);
                (folder, true, begun)
            }
            Self::Automatically(Err(error)) => (PathBuf::new(), false, Err(error)),
        };
        match begun {
            Ok(writer) => Ok(Some(Begun { writer, fresh })),
            Err(
                problem @ (SessionError::Unwritable { .. } | SessionError::Full { .. } | SessionError::NoDataFolder),
            ) => {
                warn(&nothing_recorded(&problem, language));
                Ok(Some(Begun { writer: Writer::refused(&path, problem), fresh: false }))
            }
            Err(error) => Err(error.into()),
        }
    }
}

/// A session that has begun.
pub(super) struct Begun {
    pub(super) writer: Writer,
    /// There was no such file before.
    fresh: bool,
}

impl Begun {
    /// Takes back the session of a capture that did not start.
    pub(super) fn discard(self) {
        let path = self.writer.path().to_owned();
        self.writer.close();
        if self.fresh {
            // At worst an empty session stays.
            let _ = std::fs::remove_file(path);
        }
    }
}

fn nothing_recorded(problem: &SessionError, language: Language) -> String {
    let why = Fault::from(problem.clone()).message(language);
    Text { en: "nothing is recorded: {why}", ja: "記録していません: {why}" }.fill(language, &[("why", &why)])
}

/// Whether both names lead to one file.
pub(super) fn is_same_file(one: &Path, other: &Path) -> bool {
    matches!((one.canonicalize(), other.canonicalize()), (Ok(one), Ok(other)) if one == other)
}
