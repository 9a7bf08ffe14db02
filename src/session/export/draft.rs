//! A file on its way to its name.

use std::fs::{self, File, OpenOptions};
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use crate::session::SessionError;
use crate::session::native::{beside, private};

/// A private file beside the one that it shall become; removed unless it is published.
pub(in crate::session) struct Draft {
    path: PathBuf,
    target: PathBuf,
}

/// What SQLite may leave beside its file.
const LEFTOVERS: [&str; 3] = ["-wal", "-shm", "-journal"];

impl Draft {
    /// Makes an empty one.
    pub(super) fn beside(target: &Path) -> Result<Self, SessionError> {
        if target.is_dir() {
            return Err(SessionError::Folder { path: target.to_owned() });
        }
        let mut number = 0;
        loop {
            // Of a name that two runs do not share.
            let path = beside(target, &format!(".{}-{number}.part", std::process::id()));
            number += 1;
            match create(&path) {
                Ok(_) => return Ok(Self { path, target: target.to_owned() }),
                Err(error) if error.kind() == ErrorKind::AlreadyExists && number < 1000 => {}
                Err(error) => return Err(SessionError::writing(target, &error)),
            }
        }
    }

    /// Where it is.
    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// What it shall be called.
    pub(super) fn target(&self) -> &Path {
        &self.target
    }

    /// Opens it for reading and writing.
    #[allow(clippy::disallowed_methods)] // the session room writes files
    pub(super) fn open(&self) -> Result<File, SessionError> {
        let file = OpenOptions::new().read(true).write(true).open(&self.path);
        file.map_err(|error| SessionError::writing(&self.target, &error))
    }

    /// Gives it its name, in the place of any file that had it.
    pub(super) fn publish(self) -> Result<PathBuf, SessionError> {
        let failed = |error: std::io::Error| SessionError::writing(&self.target, &error);
        // Else the name could reach the disk before what it names.
        self.open()?.sync_all().map_err(failed)?;
        fs::rename(&self.path, &self.target).map_err(failed)?;
        Ok(self.target.clone())
    }
}

impl Drop for Draft {
    fn drop(&mut self) {
        // Gone already where it was published.
        let _ = fs::remove_file(&self.path);
        for suffix in LEFTOVERS {
            let _ = fs::remove_file(beside(&self.path, suffix));
        }
    }
}

#[allow(clippy::disallowed_methods)] // the session room writes files
fn create(path: &Path) -> std::io::Result<File> {
    private(OpenOptions::new().write(true).create_new(true)).open(path)
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::disallowed_methods)]
mod tests {
    use std::io::Write as _;

    use super::*;

    #[test]
    fn a_draft_becomes_the_file_or_nothing() {
        let folder = tempfile::tempdir().unwrap();
        let target = folder.path().join("a.har");
        fs::write(&target, "before").unwrap();
        let (given_up, draft) = (Draft::beside(&target).unwrap(), Draft::beside(&target).unwrap());
        draft.open().unwrap().write_all(b"after").unwrap();
        assert_eq!(fs::read(&target).unwrap(), b"before");
        drop(given_up);
        draft.publish().unwrap();
        assert_eq!(fs::read(&target).unwrap(), b"after");
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt as _;
            assert_eq!(fs::metadata(&target).unwrap().permissions().mode() & 0o777, 0o600);
        }
        assert!(matches!(Draft::beside(folder.path()), Err(SessionError::Folder { .. })));
    }
}
