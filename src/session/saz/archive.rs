//! The members of a ZIP file, read within limits: what a member says of its own length is not believed.

use std::fs::File;
use std::io::{self, BufReader, Read};
use std::path::Path;

use zeroize::Zeroizing;
use zip::ZipArchive;
use zip::read::ZipReadOptions;
use zip::result::ZipError;

use super::cut::Cut;
use super::index::Index;
use crate::session::SessionError;

/// A member's place in its archive.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(in crate::session) struct Slot(u32);

/// Why a member cannot be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::session) enum Refused {
    /// The password is not that of the archive.
    Password,
    /// It is damaged, too long, or packed in a way that nobody packs sessions.
    Unreadable,
}

/// An open archive.
pub(in crate::session) struct Archive {
    form: Form,
    password: Option<Zeroizing<String>>,
    /// How many bytes may yet come out of it.
    room: u64,
}

enum Form {
    Whole(ZipArchive<BufReader<File>>),
    /// Without a directory.
    Cut(Cut),
}

/// The longest member: a body that long is a file somebody fetched.
const MEMBER: u64 = 1 << 30;
/// All members together are not longer than this and so many times the archive: real sessions are ten times as long
/// as their archive.
const TOTAL: u64 = 4 << 30;
const RATIO: u64 = 200;

impl Archive {
    /// The archive at `path`.
    pub(in crate::session) fn open(path: &Path) -> Result<Self, SessionError> {
        let reading = |error: io::Error| SessionError::reading(path, &error);
        let file = File::open(path).map_err(reading)?;
        let room = TOTAL.saturating_add(file.metadata().map_err(reading)?.len().saturating_mul(RATIO));
        let form = match ZipArchive::new(BufReader::with_capacity(1 << 16, file)) {
            Ok(archive) => Form::Whole(archive),
            Err(ZipError::Io(error)) if error.kind() != io::ErrorKind::UnexpectedEof => return Err(reading(error)),
            Err(_) => Form::Cut(Cut::of(File::open(path).map_err(reading)?).map_err(reading)?),
        };
        Ok(Self { form, password: None, room })
    }

    /// Uses `password` from now on.
    pub(in crate::session) fn unlock(&mut self, password: Zeroizing<String>) {
        self.password = Some(password);
    }

    /// Tells the names and the places of all members.
    pub(super) fn names(&mut self, mut each: impl FnMut(&str, Slot)) {
        match &self.form {
            Form::Whole(archive) => {
                for (at, name) in archive.file_names_raw().enumerate() {
                    if let Ok(at) = u32::try_from(at) {
                        each(&String::from_utf8_lossy(name), Slot(at));
                    }
                }
            }
            Form::Cut(cut) => {
                for (at, name) in cut.names().enumerate() {
                    if let Ok(at) = u32::try_from(at) {
                        each(name, Slot(at));
                    }
                }
            }
        }
    }

    /// The places of all members, in the order of its directory.
    pub(in crate::session) fn slots(&self) -> impl Iterator<Item = Slot> + use<> {
        let count = match &self.form {
            Form::Whole(archive) => archive.len(),
            Form::Cut(cut) => cut.names().count(),
        };
        (0..u32::try_from(count).unwrap_or(u32::MAX)).map(Slot)
    }

    /// What the member in `slot` is called.
    pub(in crate::session) fn name(&self, slot: Slot) -> String {
        let at = slot.0 as usize;
        match &self.form {
            Form::Whole(archive) => archive.name_for_index(at).and_then(Result::ok).unwrap_or_default().into_owned(),
            Form::Cut(cut) => cut.names().nth(at).unwrap_or_default().to_owned(),
        }
    }

    /// Whether a password is needed to read it.
    pub(super) fn is_encrypted(&self, index: &Index) -> bool {
        index.locked(self).next().is_some()
    }

    pub(super) fn is_locked(&self, slot: Slot) -> bool {
        match &self.form {
            Form::Whole(archive) => archive.by_index_data(slot.0 as usize).is_ok_and(|entry| entry.encrypted()),
            Form::Cut(_) => false,
        }
    }

    /// Whether its directory is missing: then there may have been more.
    pub(super) const fn is_cut(&self) -> bool {
        matches!(self.form, Form::Cut(_))
    }

    /// The first bytes of a member.
    pub(super) fn look(&mut self, slot: Slot, limit: usize) -> Result<Zeroizing<Vec<u8>>, Refused> {
        let mut start = Zeroizing::new(Vec::with_capacity(limit.min(1 << 14)));
        let mut member = self.member(slot)?;
        member.by_ref().take(limit as u64).read_to_end(&mut start).map_err(|_| Refused::Unreadable)?;
        Ok(start)
    }

    /// All of a member that may not be longer than `limit`.
    pub(in crate::session) fn whole(&mut self, slot: Slot, limit: u64) -> Result<Zeroizing<Vec<u8>>, Refused> {
        let mut all = Zeroizing::new(Vec::new());
        self.read(slot, |piece| {
            all.extend_from_slice(piece);
            all.len() as u64 <= limit
        })?;
        if all.len() as u64 > limit { Err(Refused::Unreadable) } else { Ok(all) }
    }

    /// Hands a member over piece by piece, until `each` has enough. Its checksum is checked where all of it is read.
    pub(super) fn read(&mut self, slot: Slot, mut each: impl FnMut(&[u8]) -> bool) -> Result<(), Refused> {
        let mut left = self.room.min(MEMBER);
        let mut used = 0;
        let mut member = self.member(slot)?;
        let mut piece = Zeroizing::new(vec![0; 1 << 15]);
        let read = loop {
            match member.read(&mut piece) {
                Ok(0) => break Ok(()),
                Ok(read) if read as u64 > left => break Err(Refused::Unreadable),
                Ok(read) => {
                    left -= read as u64;
                    used += read as u64;
                    if !each(&piece[..read]) {
                        break Ok(());
                    }
                }
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(_) => break Err(Refused::Unreadable),
            }
        };
        drop(member);
        self.room -= used;
        read
    }

    fn member(&mut self, slot: Slot) -> Result<Box<dyn Read + '_>, Refused> {
        let refused = |error: ZipError| match error {
            ZipError::InvalidPassword => Refused::Password,
            _ => Refused::Unreadable,
        };
        match &mut self.form {
            Form::Whole(archive) => {
                let at = slot.0 as usize;
                let locked = archive.by_index_data(at).map_err(refused)?.encrypted();
                let password = self.password.as_ref().filter(|_| locked).map(|password| password.as_bytes());
                let options = ZipReadOptions::new().password(password);
                Ok(Box::new(archive.by_index_with_options(at, options).map_err(refused)?))
            }
            Form::Cut(cut) => Ok(Box::new(cut.member(slot.0 as usize).map_err(|_| Refused::Unreadable)?)),
        }
    }
}
