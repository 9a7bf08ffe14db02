//! The directory of a ZIP file, of which no more is held than the entry at hand: an archive of a million sessions has
//! three million of them.

use std::fs::File;
use std::io::{Read, Seek, SeekFrom};

use zip::read::{ArchiveOffset, Config, ZipFileEntry};
use zip::result::{ZipError, ZipResult};
use zip::unstable::read::ZipIterable;
use zip::{CompressionMethod, ZipReadOptions};

use super::archive::Slot;
use super::cut::content;
use super::unpack::{Opened, Packed};
use super::window::{Extended, Window};

/// An archive with a directory.
pub(super) struct Directory {
    /// For looking at entries.
    entries: Extended,
    /// For reading what they stand for.
    members: Window,
    /// How far all places are from where the archive believes them to be: something may have been put in front of it.
    offset: u64,
}

/// Where in an entry it says at which place its member begins.
const PLACE: u64 = 42;
/// What ends an archive is looked for in so many bytes at a time.
const SEARCHED: usize = 1024;

impl Directory {
    /// Walks over the directory of `file`: tells the name of each entry, its place, and whether it takes a password.
    pub(super) fn walk(file: File, mut each: impl FnMut(&[u8], Slot, bool) -> bool) -> ZipResult<Self> {
        let mut members = Window::new(file)?;
        let mut first = None;
        for entry in ZipIterable::try_new(&mut members, Config::default())?.files()? {
            let entry = entry?;
            first.get_or_insert((entry.central_header_start(), entry.header_start()));
            if !each(entry.name_raw(), Slot::at(entry.central_header_start()), entry.encrypted()) {
                break;
            }
        }
        let offset = match first {
            Some((entry, member)) => offset(&mut members, entry, member)?,
            None => 0,
        };
        Ok(Self { entries: Extended::new(members.another()?), members, offset })
    }

    /// The same archive once more.
    pub(super) fn again(&self) -> std::io::Result<Self> {
        let entries = Extended::new(self.members.another()?);
        Ok(Self { entries, members: self.members.another()?, offset: self.offset })
    }

    /// What the member whose entry is in `slot` is called.
    pub(super) fn name(&mut self, slot: Slot) -> ZipResult<String> {
        Ok(String::from_utf8_lossy(self.entry(slot)?.name_raw()).into_owned())
    }

    /// The member whose entry is in `slot`.
    pub(super) fn member(&mut self, slot: Slot, password: Option<&[u8]>) -> ZipResult<Opened<'_>> {
        let entry = self.entry(slot)?;
        let deflated = entry.compression() == CompressionMethod::Deflated;
        if entry.encrypted() || !(deflated || entry.compression() == CompressionMethod::Stored) {
            let options = ZipReadOptions::new().password(password.filter(|_| entry.encrypted()));
            return Ok(Opened::Unlocked(Box::new(entry.with_reader(&mut self.members, options)?)));
        }
        let from = content(&mut self.members, entry.header_start())?;
        let packed = Packed { from, length: Some(entry.compressed_size()), deflated, crc: Some(entry.crc32()) };
        Ok(Opened::Plain(packed, &mut self.members))
    }

    fn entry(&mut self, slot: Slot) -> ZipResult<ZipFileEntry<'static>> {
        // To the library it is an archive with this one entry.
        let from = slot.place().checked_sub(self.offset).ok_or(ZipError::FileNotFound)?;
        let mut end = vec![0; SEARCHED];
        end.extend(end_of_directory(1, from, PLACE + 4, self.entries.border() + SEARCHED as u64 - self.offset));
        self.entries.extend(end);
        let config = Config { archive_offset: ArchiveOffset::Known(self.offset) };
        let mut one = ZipIterable::try_new(&mut self.entries, config)?;
        one.files()?.next().ok_or(ZipError::FileNotFound)?
    }
}

fn offset(file: &mut Window, entry: u64, member: u64) -> ZipResult<u64> {
    let mut place = [0; 4];
    file.seek(SeekFrom::Start(entry + PLACE))?;
    file.read_exact(&mut place)?;
    let place = u32::from_le_bytes(place);
    // Where the field is too short, nobody put anything in front.
    Ok(if place == u32::MAX { 0 } else { member.saturating_sub(place.into()) })
}

/// What stands behind a directory of so many `entries`, which begins at `from` and is that long: where to find it
/// (APPNOTE 4.3.14 to 4.3.16). It stands at `at`.
pub(in crate::session) fn end_of_directory(entries: u64, from: u64, length: u64, at: u64) -> Vec<u8> {
    let mut end = Vec::new();
    let is_large = entries >= u16::MAX.into() || from.max(length) >= u32::MAX.into();
    if is_large {
        end.extend(b"PK\x06\x06");
        // The length of the rest, the version that wrote it and the one that reads it, the number of this disk and of
        // the one with the directory.
        end.extend(44_u64.to_le_bytes());
        end.extend([45, 0, 45, 0]);
        end.extend([0; 8]);
        for number in [entries, entries, length, from] {
            end.extend(number.to_le_bytes());
        }
        end.extend(b"PK\x06\x07\0\0\0\0");
        end.extend(at.to_le_bytes());
        end.extend(1_u32.to_le_bytes());
    }
    let short = u16::try_from(entries).unwrap_or(u16::MAX).to_le_bytes();
    let long = |number: u64| u32::try_from(number).unwrap_or(u32::MAX).to_le_bytes();
    end.extend(b"PK\x05\x06\0\0\0\0");
    end.extend([short, short].concat());
    end.extend([long(length), long(from)].concat());
    end.extend([0, 0]);
    end
}
