//! What can be wrong with a session file, each with what to do about it.

use std::io;
use std::path::{Path, PathBuf};

use rusqlite::ErrorCode;

use super::kind::Kind;
use super::progress::Cancelled;

/// Why a session file could not be read or written.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SessionError {
    /// There is no such file.
    #[error("{} does not exist; check the name", path.display())]
    Missing {
        /// The file asked for.
        path: PathBuf,
    },
    /// The name is that of a folder.
    #[error("{} is a folder; name a session file in it", path.display())]
    Folder {
        /// The folder.
        path: PathBuf,
    },
    /// The system refuses to read it.
    #[error("cannot read {}: {reason}; check its permissions", path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// The system's words.
        reason: String,
    },
    /// The file holds nothing.
    #[error("{} is empty: nothing was ever recorded into it; name another file", path.display())]
    Empty {
        /// The file.
        path: PathBuf,
    },
    /// The file is something else.
    #[error("{} is no authtap session, but {}; name a file that authtap recorded", path.display(), kind.phrase())]
    NotASession {
        /// The file.
        path: PathBuf,
        /// What it looks like.
        kind: Kind,
    },
    /// A newer version wrote it.
    #[error("{} was written by a newer authtap (session format {found}, this one reads up to {known}); update authtap",
            path.display())]
    Newer {
        /// The file.
        path: PathBuf,
        /// Its format.
        found: i64,
        /// The newest format that this version reads.
        known: i64,
    },
    /// Cut short or altered, so that no exchange can be read.
    #[error("{} is damaged (cut short or altered): {reason}; copy it again from where it was recorded, together with \
             the file of the same name ending in -wal if there is one", path.display())]
    Damaged {
        /// The file.
        path: PathBuf,
        /// What was found.
        reason: String,
    },
    /// Exchanges inside an otherwise readable file that cannot be read.
    #[error("{}: {count} recorded exchanges from number {from} on cannot be read, the file is damaged there; the \
             others were read", path.display())]
    Gap {
        /// The file.
        path: PathBuf,
        /// The place of the first one in the order of the file, from 1.
        from: u64,
        /// How many places cannot be read; some may never have been used.
        count: u64,
    },
    /// The end of the file cannot be read, nor how many exchanges stood there.
    #[error("{}: from recorded exchange number {from} on nothing can be read, the file is damaged or cut short there; \
             how many are missing is not known", path.display())]
    Rest {
        /// The file.
        path: PathBuf,
        /// The place of the first one in the order of the file, from 1.
        from: u64,
    },
    /// One entry of an imported file that cannot be read.
    #[error("{}: entry {number} cannot be read (it is not what the format asks for, or too long); the others were read",
            path.display())]
    BadEntry {
        /// The file.
        path: PathBuf,
        /// Its place in the order of the file, from 1.
        number: u64,
    },
    /// JSON that begins like an archive and has no exchanges.
    #[error("{} has no readable list log.entries, so there is nothing to read; export it again as HAR with content",
            path.display())]
    NoEntries {
        /// The file.
        path: PathBuf,
    },
    /// A ZIP file with something else in it.
    #[error("{} is a ZIP file without Fiddler sessions in it (raw/1_c.txt and so on); name a session archive (SAZ)",
            path.display())]
    NoSessions {
        /// The file.
        path: PathBuf,
    },
    /// It is encrypted, and nobody gave the password.
    #[error("{} is protected by a password; set AUTHTAP_SAZ_PASSWORD, or call this from a terminal to be asked",
            path.display())]
    Protected {
        /// The file.
        path: PathBuf,
    },
    /// It is encrypted with another password.
    #[error("the password is not that of {}; check AUTHTAP_SAZ_PASSWORD", path.display())]
    WrongPassword {
        /// The file.
        path: PathBuf,
    },
    /// Somebody asked for the reading to end.
    #[error("ended before all of it was read")]
    Cancelled,
    /// Another process records into it.
    #[error("{} is being recorded by another authtap; stop that one or name another file", path.display())]
    InUse {
        /// The file.
        path: PathBuf,
    },
    /// The system refuses to write it.
    #[error("cannot write {}: {reason}; choose a place you may write to", path.display())]
    Unwritable {
        /// The file or folder.
        path: PathBuf,
        /// The system's words.
        reason: String,
    },
    /// No room is left.
    #[error("no room is left for {}; free some space", path.display())]
    Full {
        /// The file.
        path: PathBuf,
    },
    /// The disk takes in less than the traffic brings.
    #[error("the disk of {} is too slow for this traffic; some exchanges were not recorded", path.display())]
    TooSlow {
        /// The file.
        path: PathBuf,
    },
    /// The system has no folder for the user's data.
    #[error("this account has no data folder; name a session file, or set AUTHTAP_DATA_DIR to a folder")]
    NoDataFolder,
}

impl SessionError {
    /// From a failure to open or read `path`.
    pub(super) fn reading(path: &Path, error: &io::Error) -> Self {
        if error.get_ref().is_some_and(<dyn std::error::Error + Send + Sync>::is::<Cancelled>) {
            return Self::Cancelled;
        }
        let path = path.to_owned();
        match error.kind() {
            io::ErrorKind::NotFound => Self::Missing { path },
            io::ErrorKind::IsADirectory => Self::Folder { path },
            _ => Self::Unreadable { path, reason: error.to_string() },
        }
    }

    /// From a failure to make or change `path`.
    pub(super) fn writing(path: &Path, error: &io::Error) -> Self {
        let path = path.to_owned();
        match error.kind() {
            io::ErrorKind::IsADirectory => Self::Folder { path },
            io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => Self::Full { path },
            _ => Self::Unwritable { path, reason: error.to_string() },
        }
    }

    /// From SQLite while it read `path`.
    pub(super) fn sqlite_reading(path: &Path, error: &rusqlite::Error) -> Self {
        let (path, reason) = (path.to_owned(), error.to_string());
        match error.sqlite_error_code() {
            Some(
                ErrorCode::CannotOpen
                | ErrorCode::PermissionDenied
                | ErrorCode::SystemIoFailure
                | ErrorCode::DatabaseBusy,
            ) => Self::Unreadable { path, reason },
            _ => Self::Damaged { path, reason },
        }
    }

    /// From SQLite while it wrote `path`.
    pub(super) fn sqlite_writing(path: &Path, error: &rusqlite::Error) -> Self {
        let (path, reason) = (path.to_owned(), error.to_string());
        match error.sqlite_error_code() {
            Some(ErrorCode::DiskFull) => Self::Full { path },
            Some(ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase) => Self::Damaged { path, reason },
            _ => Self::Unwritable { path, reason },
        }
    }
}
