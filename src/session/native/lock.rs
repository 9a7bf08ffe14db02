//! Who records into a file: at most one process at a time, and one can tell whether that process still lives.
//!
//! The sign is a lock on a file beside the session. The operating system drops it with the process, however that ends,
//! so there is no process number that could be reused and nothing to clean up by hand. It is not a lock on the session
//! file itself: on network file systems that one would be taken for SQLite's own.

use std::fs::{self, File, OpenOptions, TryLockError};
use std::path::{Path, PathBuf};

use crate::session::SessionError;

/// Held while a file is recorded into; the file beside it goes when this is dropped.
pub(in crate::session) struct Lock {
    path: PathBuf,
    file: File,
}

impl Lock {
    /// Takes the lock of the session file `session`, or says that another process has it. Where nothing may be written
    /// beside it, the session itself is named: that is the file one asked for.
    #[allow(clippy::disallowed_methods)] // the session room writes files; this one stays empty
    pub(in crate::session) fn take(session: &Path) -> Result<Self, SessionError> {
        let path = beside(session, "-lock");
        loop {
            let file = private(OpenOptions::new().create(true).truncate(false).write(true))
                .open(&path)
                .map_err(|error| SessionError::writing(session, &error))?;
            match file.try_lock() {
                Ok(()) if still_there(&file, &path) => return Ok(Self { path, file }),
                // Its last holder removed it between our opening and our locking.
                Ok(()) => {}
                Err(TryLockError::WouldBlock) => return Err(SessionError::InUse { path: session.to_owned() }),
                Err(TryLockError::Error(error)) => return Err(SessionError::writing(session, &error)),
            }
        }
    }
}

impl Drop for Lock {
    fn drop(&mut self) {
        // Removed before it is released: whoever opened it meanwhile finds that it is gone and takes a new one.
        let _ = fs::remove_file(&self.path);
        let _ = self.file.unlock();
    }
}

/// The file beside `session` whose name ends in `suffix`, as SQLite names its own.
pub(in crate::session) fn beside(session: &Path, suffix: &str) -> PathBuf {
    let mut name = session.as_os_str().to_owned();
    name.push(suffix);
    PathBuf::from(name)
}

/// Makes files that only their owner may read, from their first moment.
pub(in crate::session) fn private(options: &mut OpenOptions) -> &mut OpenOptions {
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(options, 0o600);
    options
}

#[cfg(unix)]
fn still_there(file: &File, path: &Path) -> bool {
    use std::os::unix::fs::MetadataExt;
    match (file.metadata(), fs::metadata(path)) {
        (Ok(ours), Ok(named)) => (ours.dev(), ours.ino()) == (named.dev(), named.ino()),
        _ => false,
    }
}

/// Elsewhere a name cannot be given to a new file while an old one of that name is open.
#[cfg(not(unix))]
fn still_there(_file: &File, path: &Path) -> bool {
    path.exists()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    #[test]
    fn a_file_is_recorded_by_one_at_a_time() {
        let folder = tempfile::tempdir().unwrap();
        let session = folder.path().join("a.authtap");
        let first = Lock::take(&session).unwrap();
        assert!(matches!(Lock::take(&session), Err(SessionError::InUse { .. })));
        drop(first);
        let _again = Lock::take(&session).unwrap();
        assert!(beside(&session, "-lock").exists());
    }

    #[test]
    fn nothing_is_left_beside_the_file() {
        let folder = tempfile::tempdir().unwrap();
        drop(Lock::take(&folder.path().join("a.authtap")).unwrap());
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0);
    }
}
