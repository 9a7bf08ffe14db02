//! Where a capture is kept when nobody names a file, and for how long.
//!
//! Every capture is kept by default: the 401 that one wants to look at again is in the trace that one did not think of
//! saving. The folder stays within a number of files and a size; files that are being recorded and files that are not
//! ours are never removed.

use std::fs::{self, DirBuilder};
use std::path::{Path, PathBuf};

use super::kind::Kind;
use super::native::{Lock, beside};
use super::{SessionError, Writer};
use crate::exchange::Timestamp;

/// How many sessions are kept, the one being recorded included.
const KEEP_COUNT: usize = 20;
/// How many bytes they may have together when a further one begins.
const KEEP_BYTES: u64 = 1 << 30;
/// What SQLite and we may leave beside a session whose recording was killed.
const BESIDE: [&str; 3] = ["-wal", "-shm", "-journal"];

/// The folder for everything that authtap keeps for this user. `AUTHTAP_DATA_DIR` names another one.
pub fn data_folder() -> Result<PathBuf, SessionError> {
    if let Some(folder) = std::env::var_os("AUTHTAP_DATA_DIR").filter(|folder| !folder.is_empty()) {
        return Ok(PathBuf::from(folder));
    }
    directories::ProjectDirs::from("", "", "authtap")
        .map(|project| project.data_local_dir().to_owned())
        .ok_or(SessionError::NoDataFolder)
}

/// Has a session begun with `begin` in the `sessions` folder of `data_folder`, named by the time `now`, and removes the
/// oldest ones that are too many or too large. The one before this is kept, however large it is.
pub fn begin(
    data_folder: &Path,
    now: Timestamp,
    begin: impl Fn(&Path) -> Result<Writer, SessionError>,
) -> Result<Writer, SessionError> {
    let folder = data_folder.join("sessions");
    make_private(&folder)?;
    prune(&folder, KEEP_COUNT - 1, KEEP_BYTES);
    let time = now.to_string();
    let stem = time.split('.').next().unwrap_or(&time).replace(':', "-");
    let mut number = 1;
    loop {
        let name = if number == 1 { format!("{stem}Z.authtap") } else { format!("{stem}Z-{number}.authtap") };
        let path = folder.join(name);
        number += 1;
        if path.exists() {
            continue;
        }
        match begin(&path) {
            // Another process was faster with the same name.
            Err(SessionError::InUse { .. }) => {}
            result => return result,
        }
    }
}

fn make_private(folder: &Path) -> Result<(), SessionError> {
    let mut builder = DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(folder).map_err(|error| SessionError::writing(folder, &error))
}

struct Kept {
    path: PathBuf,
    bytes: u64,
}

/// Removes the oldest sessions until at most `count` with `bytes` are left. What cannot be removed stays.
fn prune(folder: &Path, count: usize, bytes: u64) {
    let mut kept = sessions(folder);
    kept.sort_by(|one, other| one.path.cmp(&other.path));
    let mut left = kept.len();
    let mut total: u64 = kept.iter().map(|session| session.bytes).sum();
    kept.pop();
    for session in kept {
        if left <= count && total <= bytes {
            return;
        }
        if remove(&session.path) {
            left -= 1;
            total -= session.bytes;
        }
    }
}

/// The files of `folder` that were recorded here.
fn sessions(folder: &Path) -> Vec<Kept> {
    let size = |path: &Path| fs::symlink_metadata(path).map_or(0, |metadata| metadata.len());
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    entries
        .filter(|entry| {
            entry.file_type().is_ok_and(|kind| kind.is_file()) && is_ours(&entry.file_name().to_string_lossy())
        })
        .map(|entry| entry.path())
        .filter(|path| matches!(Kind::of_file(path), Ok(Kind::Authtap | Kind::Empty)))
        .map(|path| Kept { bytes: size(&path) + size(&beside(&path, "-wal")), path })
        .collect()
}

/// `2026-11-22T09-00-00Z.authtap` or `2026-11-22T09-00-00Z-2.authtap`.
fn is_ours(name: &str) -> bool {
    let Some((time, number)) = name.strip_suffix(".authtap").and_then(|stem| stem.split_once('Z')) else {
        return false;
    };
    let form = time.bytes().map(|byte| if byte.is_ascii_digit() { b'0' } else { byte });
    let numbered = number.strip_prefix('-').is_some_and(|number| number.bytes().all(|byte| byte.is_ascii_digit()));
    form.eq(*b"0000-00-00T00-00-00") && (number.is_empty() || numbered)
}

fn remove(session: &Path) -> bool {
    // Held by whoever records into it; a lock left behind by a killed process is free.
    let Ok(_lock) = Lock::take(session) else { return false };
    if fs::remove_file(session).is_err() {
        return false;
    }
    for suffix in BESIDE {
        let _ = fs::remove_file(beside(session, suffix));
    }
    true
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::disallowed_methods)]

    use super::*;
    use crate::redact::Redactor;
    use crate::session::Mode;

    /// Begins one that many seconds after 2026-11-22T09:00:00Z.
    fn begin(data: &Path, second: i64) -> Result<Writer, SessionError> {
        super::begin(data, Timestamp::from_seconds(START + second), |path| {
            Writer::begin(path, Mode::Forward, &Redactor::new())
        })
    }

    /// 2026-11-22T09:00:00Z.
    const START: i64 = 1_795_338_000;

    fn names(folder: &Path) -> Vec<String> {
        let entries = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap());
        let mut names: Vec<_> = entries.collect();
        names.sort();
        names
    }

    #[test]
    fn names_files_by_time_and_never_shares_one() {
        let data = tempfile::tempdir().unwrap();
        let first = begin(data.path(), 0).unwrap();
        let second = begin(data.path(), 0).unwrap();
        first.close();
        second.close();
        assert_eq!(
            names(&data.path().join("sessions")),
            ["2026-11-22T09-00-00Z-2.authtap", "2026-11-22T09-00-00Z.authtap"]
        );
    }

    #[cfg(unix)]
    #[test]
    fn only_the_owner_may_enter_the_folder() {
        use std::os::unix::fs::PermissionsExt;
        let data = tempfile::tempdir().unwrap();
        begin(data.path(), 0).unwrap().close();
        let mode = fs::metadata(data.path().join("sessions")).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o700);
    }

    #[test]
    fn keeps_twenty_and_removes_the_oldest_but_never_one_in_use_nor_a_stranger() {
        let data = tempfile::tempdir().unwrap();
        let folder = data.path().join("sessions");
        let running = begin(data.path(), 0).unwrap();
        for stranger in ["2026-11-22T09-00-00Z-x.authtap", "notes.txt", "2020-01-01T00-00-00Z.authtap"] {
            fs::write(folder.join(stranger), "mine").unwrap();
        }
        for second in 1..=25 {
            begin(data.path(), second).unwrap().close();
        }
        let kept: Vec<_> =
            names(&folder).into_iter().filter(|name| name.starts_with("2026") && is_ours(name)).collect();
        assert_eq!(kept.len(), KEEP_COUNT);
        assert_eq!(kept[0], "2026-11-22T09-00-00Z.authtap");
        assert_eq!(kept[1], "2026-11-22T09-00-07Z.authtap");
        assert!(folder.join("notes.txt").exists() && folder.join("2020-01-01T00-00-00Z.authtap").exists());
        assert!(folder.join("2026-11-22T09-00-00Z-x.authtap").exists());
        assert_eq!(running.close().problem, None);
    }

    #[test]
    fn keeps_within_a_size_but_not_at_the_cost_of_the_last_one() {
        let data = tempfile::tempdir().unwrap();
        for second in 0..4 {
            begin(data.path(), second).unwrap().close();
        }
        let folder = data.path().join("sessions");
        prune(&folder, KEEP_COUNT, 1);
        assert_eq!(names(&folder), ["2026-11-22T09-00-03Z.authtap"]);
    }
}
