//! The members of a ZIP file, read within limits: what a member says of its own length is not believed.

use std::fs::File;
use std::io::{self, Read};
use std::num::NonZeroU64;
use std::path::Path;

use zeroize::Zeroizing;
use zip::result::ZipError;

use super::cut::Cut;
use super::directory::Directory;
use super::index::Index;
use crate::session::SessionError;
use crate::session::progress::Progress;

/// Where an archive tells of a member: the place of its entry in the directory, or of its own head where there is none.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) struct Slot(NonZeroU64);

impl Slot {
    /// The slot at this place of the file.
    pub(super) fn at(place: u64) -> Self {
        Self(NonZeroU64::MIN.saturating_add(place))
    }

    /// Its place in the file.
    pub(super) const fn place(self) -> u64 {
        self.0.get() - 1
    }
}

/// Why a member cannot be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Refused {
    /// The password is not that of the archive.
    Password,
    /// It is damaged, too long, or packed in a way that nobody packs sessions.
    Unreadable,
}

/// An open archive.
pub(super) struct Archive {
    form: Form,
    password: Option<Zeroizing<String>>,
    /// How many bytes may yet come out of it.
    room: u64,
    /// The same at the beginning.
    all_room: u64,
}

enum Form {
    Whole(Directory),
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
    /// The archive at `path`, and which members it has.
    pub(super) fn open(path: &Path, progress: &Progress) -> Result<(Self, Index), SessionError> {
        let reading = |error: io::Error| SessionError::reading(path, &error);
        let file = File::open(path).map_err(reading)?;
        let room = TOTAL.saturating_add(file.metadata().map_err(reading)?.len().saturating_mul(RATIO));
        let goes_on = || !progress.is_cancelled();
        let mut index = Index::default();
        let walked = Directory::walk(file.try_clone().map_err(reading)?, |name, slot, locked| {
            index.add(&String::from_utf8_lossy(name), slot, locked);
            goes_on()
        });
        let form = match walked {
            Ok(directory) => Form::Whole(directory),
            Err(ZipError::Io(error)) if error.kind() != io::ErrorKind::UnexpectedEof => return Err(reading(error)),
            Err(_) => {
                index = Index::default();
                Form::Cut(
                    Cut::walk(file, |name, slot| {
                        index.add(name, slot, false);
                        goes_on()
                    })
                    .map_err(reading)?,
                )
            }
        };
        if progress.is_cancelled() {
            return Err(SessionError::Cancelled);
        }
        index.close();
        Ok((Self { form, password: None, room, all_room: room }, index))
    }

    /// The same archive from its beginning.
    pub(super) fn again(&self) -> io::Result<Self> {
        let form = match &self.form {
            Form::Whole(directory) => Form::Whole(directory.again()?),
            Form::Cut(cut) => Form::Cut(cut.again()?),
        };
        Ok(Self { form, password: self.password.clone(), room: self.all_room, all_room: self.all_room })
    }

    /// Uses `password` from now on.
    pub(super) fn unlock(&mut self, password: Zeroizing<String>) {
        self.password = Some(password);
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
    pub(super) fn whole(&mut self, slot: Slot, limit: u64) -> Result<Zeroizing<Vec<u8>>, Refused> {
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
            Form::Whole(directory) => {
                let password = self.password.as_ref().map(|password| password.as_bytes());
                Ok(Box::new(directory.member(slot, password).map_err(refused)?))
            }
            Form::Cut(cut) => Ok(Box::new(cut.member(slot).map_err(|_| Refused::Unreadable)?)),
        }
    }
}
