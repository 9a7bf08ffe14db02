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
use super::unpack::{Opened, Unpacker};
use crate::session::SessionError;
use crate::session::progress::Progress;

/// Where an archive tells of a member: the place of its entry in the directory, or of its own head where there is none.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(in crate::session) struct Slot(NonZeroU64);

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
pub(in crate::session) enum Refused {
    /// The password is not that of the archive.
    Password,
    /// It is damaged, too long, or packed in a way that nobody packs sessions.
    Unreadable,
}

/// An open archive.
pub(in crate::session) struct Archive {
    form: Form,
    unpacker: Unpacker,
    /// A piece of a member.
    piece: Zeroizing<Vec<u8>>,
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

/// How much of a member is handed over at a time.
const PIECE: usize = 1 << 15;
/// The longest member: a body that long is a file somebody fetched.
const MEMBER: u64 = 1 << 30;
/// All members together are not longer than this and so many times the archive: real sessions are ten times as long
/// as their archive.
const TOTAL: u64 = 4 << 30;
const RATIO: u64 = 200;

impl Archive {
    /// The archive at `path`, and which sessions are in it.
    pub(super) fn open(path: &Path, progress: &Progress) -> Result<(Self, Index), SessionError> {
        let (archive, mut index) = Self::walk(path, |index: &mut Index, name, slot, locked| {
            index.add(name, slot, locked);
            !progress.is_cancelled()
        })?;
        if progress.is_cancelled() {
            return Err(SessionError::Cancelled);
        }
        index.close();
        Ok((archive, index))
    }

    /// The archive at `path`, and the places of all members, in the order of its directory.
    pub(in crate::session) fn slots(path: &Path) -> Result<(Self, Vec<Slot>), SessionError> {
        Self::walk(path, |slots: &mut Vec<Slot>, _, slot, _| {
            slots.push(slot);
            true
        })
    }

    /// Walks over the members: `each` is told of their names, their places and whether they take a password, and notes
    /// what it wants to know. It says whether to go on.
    fn walk<T: Default>(
        path: &Path,
        mut each: impl FnMut(&mut T, &str, Slot, bool) -> bool,
    ) -> Result<(Self, T), SessionError> {
        let reading = |error: io::Error| SessionError::reading(path, &error);
        let file = File::open(path).map_err(reading)?;
        let room = TOTAL.saturating_add(file.metadata().map_err(reading)?.len().saturating_mul(RATIO));
        let mut noted = T::default();
        let walked = Directory::walk(file.try_clone().map_err(reading)?, |name, slot, locked| {
            each(&mut noted, &String::from_utf8_lossy(name), slot, locked)
        });
        let form = match walked {
            Ok(directory) => Form::Whole(directory),
            Err(ZipError::Io(error)) if error.kind() != io::ErrorKind::UnexpectedEof => return Err(reading(error)),
            Err(_) => {
                noted = T::default();
                let cut = Cut::walk(file, |name, slot, locked| each(&mut noted, name, slot, locked));
                Form::Cut(cut.map_err(reading)?)
            }
        };
        Ok((Self::new(form, None, room), noted))
    }

    /// The same archive from its beginning.
    pub(super) fn again(&self) -> io::Result<Self> {
        let form = match &self.form {
            Form::Whole(directory) => Form::Whole(directory.again()?),
            Form::Cut(cut) => Form::Cut(cut.again()?),
        };
        Ok(Self::new(form, self.password.clone(), self.all_room))
    }

    fn new(form: Form, password: Option<Zeroizing<String>>, room: u64) -> Self {
        let piece = Zeroizing::new(vec![0; PIECE]);
        Self { form, unpacker: Unpacker::new(), piece, password, room, all_room: room }
    }

    /// Uses `password` from now on.
    pub(in crate::session) fn unlock(&mut self, password: Zeroizing<String>) {
        self.password = Some(password);
    }

    /// What the member in `slot` is called; nothing where that cannot be read.
    pub(in crate::session) fn name(&mut self, slot: Slot) -> String {
        match &mut self.form {
            Form::Whole(directory) => directory.name(slot).unwrap_or_default(),
            Form::Cut(cut) => cut.name(slot).unwrap_or_default(),
        }
    }

    /// Whether its directory is missing: then there may have been more.
    pub(super) const fn is_cut(&self) -> bool {
        matches!(self.form, Form::Cut(_))
    }

    /// The first bytes of a member.
    pub(super) fn look(&mut self, slot: Slot, limit: usize) -> Result<Zeroizing<Vec<u8>>, Refused> {
        let mut start = Zeroizing::new(Vec::with_capacity(limit.min(1 << 14)));
        let member = opened(&mut self.form, &mut self.unpacker, self.password.as_ref(), slot)?;
        member.take(limit as u64).read_to_end(&mut start).map_err(|_| Refused::Unreadable)?;
        Ok(start)
    }

    /// All of a member that may not be longer than `limit`.
    pub(in crate::session) fn whole(&mut self, slot: Slot, limit: u64) -> Result<Zeroizing<Vec<u8>>, Refused> {
        let mut all = Zeroizing::new(Vec::new());
        self.whole_into(&mut all, slot, limit)?;
        Ok(all)
    }

    /// The same in the place of what is in `all`.
    pub(super) fn whole_into(&mut self, all: &mut Zeroizing<Vec<u8>>, slot: Slot, limit: u64) -> Result<(), Refused> {
        all.clear();
        self.read(slot, |piece| {
            all.extend_from_slice(piece);
            all.len() as u64 <= limit
        })?;
        if all.len() as u64 > limit { Err(Refused::Unreadable) } else { Ok(()) }
    }

    /// Hands a member over piece by piece, until `each` has enough. Its checksum is checked where all of it is read.
    pub(super) fn read(&mut self, slot: Slot, mut each: impl FnMut(&[u8]) -> bool) -> Result<(), Refused> {
        let mut left = self.room.min(MEMBER);
        let mut used = 0;
        let mut member = opened(&mut self.form, &mut self.unpacker, self.password.as_ref(), slot)?;
        let read = loop {
            match member.read(&mut self.piece) {
                Ok(0) => break Ok(()),
                Ok(read) if read as u64 > left => break Err(Refused::Unreadable),
                Ok(read) => {
                    left -= read as u64;
                    used += read as u64;
                    if !each(&self.piece[..read]) {
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
}

/// The member in `slot`, to be read from its beginning.
fn opened<'m>(
    form: &'m mut Form,
    unpacker: &'m mut Unpacker,
    password: Option<&Zeroizing<String>>,
    slot: Slot,
) -> Result<Box<dyn Read + 'm>, Refused> {
    let refused = |error: ZipError| match error {
        ZipError::InvalidPassword => Refused::Password,
        _ => Refused::Unreadable,
    };
    let password = password.map(|password| password.as_bytes());
    let member = match form {
        Form::Whole(directory) => directory.member(slot, password),
        Form::Cut(cut) => cut.member(slot, password),
    };
    match member.map_err(refused)? {
        Opened::Unlocked(member) => Ok(member),
        Opened::Plain(packed, file) => Ok(Box::new(unpacker.open(file, &packed).map_err(|_| Refused::Unreadable)?)),
    }
}
