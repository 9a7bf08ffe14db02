//! A file on its way to its name.
//!
//! A run that is killed leaves its draft. The next one on the way to the same name removes it: it is nobody's any more,
//! as nobody holds its lock.

use std::fs::{self, DirEntry, File, OpenOptions};
use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::session::SessionError;
use crate::session::native::{beside, private};

/// A private file beside the one that it shall become; removed unless it is published.
pub(in crate::session) struct Draft {
    path: PathBuf,
    target: PathBuf,
    /// Locked for as long as the draft is ours.
    _held: Option<File>,
}

/// So long after its last change at least a draft is left alone: one that was just made may not be locked yet.
const FRESH: Duration = Duration::from_secs(1);
/// What SQLite may leave beside its file.
const LEFTOVERS: [&str; 3] = ["-wal", "-shm", "-journal"];

impl Draft {
    /// Makes an empty one.
    pub(super) fn beside(target: &Path) -> Result<Self, SessionError> {
        if target.is_dir() {
            return Err(SessionError::Folder { path: target.to_owned() });
        }
        remove_stale(target);
        let mut number = 0;
        loop {
            // Of a name that two runs do not share.
            let path = beside(target, &format!(".{}-{number}.part", std::process::id()));
            number += 1;
            match create(&path) {
                Ok(file) => return Ok(Self { path, target: target.to_owned(), _held: held(file) }),
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
        remove(&self.path);
    }
}

fn remove(draft: &Path) {
    let _ = fs::remove_file(draft);
    for suffix in LEFTOVERS {
        let _ = fs::remove_file(beside(draft, suffix));
    }
}

/// Removes drafts of the same name whose run is gone.
fn remove_stale(target: &Path) {
    let folder = target.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let (Some(name), Ok(files)) = (target.file_name().and_then(|name| name.to_str()), fs::read_dir(folder)) else {
        return;
    };
    files.flatten().filter(|file| is_draft(file, name) && is_nobodys(file)).for_each(|file| remove(&file.path()));
}

/// Whether it is called `NAME.PROCESS-NUMBER.part`.
fn is_draft(file: &DirEntry, name: &str) -> bool {
    let is_number = |digits: &str| !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit());
    file.file_name().to_str().is_some_and(|draft| {
        let numbers = draft.strip_prefix(name).and_then(|rest| rest.strip_prefix('.')?.strip_suffix(".part"));
        numbers
            .and_then(|numbers| numbers.split_once('-'))
            .is_some_and(|(process, number)| is_number(process) && is_number(number))
    })
}

#[cfg(unix)]
fn is_nobodys(file: &DirEntry) -> bool {
    let is_old = file.metadata().is_ok_and(|file| {
        file.is_file() && file.modified().is_ok_and(|time| time.elapsed().is_ok_and(|age| age >= FRESH))
    });
    is_old && File::open(file.path()).is_ok_and(|file| file.try_lock().is_ok())
}

#[cfg(unix)]
fn held(file: File) -> Option<File> {
    // A disk without locks does not keep us from writing; nobody takes a lock there to remove the draft, either.
    file.try_lock().ok().map(|()| file)
}

/// Elsewhere a locked file can only be written through the handle that locked it: drafts are left to their owner.
#[cfg(not(unix))]
fn is_nobodys(_file: &DirEntry) -> bool {
    false
}

#[cfg(not(unix))]
fn held(_file: File) -> Option<File> {
    None
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

    #[cfg(unix)]
    #[test]
    fn a_draft_of_a_run_that_is_gone_is_removed_by_the_next() {
        let folder = tempfile::tempdir().unwrap();
        let target = folder.path().join("a.har");
        let old = |name: &str| {
            let file = File::create(folder.path().join(name)).unwrap();
            file.set_modified(std::time::SystemTime::now() - 2 * FRESH).unwrap();
        };
        let ours = Draft::beside(&target).unwrap();
        let name = ours.path().file_name().unwrap().to_str().unwrap().to_owned();
        ours.open().unwrap().set_modified(std::time::SystemTime::now() - 2 * FRESH).unwrap();
        let others = ["a.har.1-x.part", "b.har.1-0.part", "a.har.1-0.part.txt", "a.har.copy.part"];
        let stale = ["a.har.1-0.part", "a.har.1-0.part-wal", "a.har.4194304-12.part"];
        others.iter().chain(&stale).for_each(|name| old(name));
        File::create(folder.path().join("a.har.2-0.part")).unwrap();
        let next = Draft::beside(&target).unwrap();
        let mut left: Vec<_> =
            fs::read_dir(folder.path()).unwrap().map(|file| file.unwrap().file_name().into_string().unwrap()).collect();
        left.sort();
        let next = next.path().file_name().unwrap().to_str().unwrap().to_owned();
        let mut expected = vec![name, next, "a.har.2-0.part".to_owned()];
        expected.extend(others.map(str::to_owned));
        expected.sort();
        assert_eq!(left, expected);
    }
}
