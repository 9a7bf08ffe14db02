//! A ZIP file without its directory, which stands at the end: what a transfer that broke off leaves.
//!
//! Members are found by their own heads, one behind the other. Of an encrypted one a small archive of its own is made in
//! memory, which opens as any other.

use std::fs::File;
use std::io::{self, Cursor, Read, Seek, SeekFrom};

use zeroize::Zeroizing;
use zip::ZipArchive;
use zip::read::ZipReadOptions;
use zip::result::{ZipError, ZipResult};

use super::archive::Slot;
use super::directory::end_of_directory;
use super::unpack::{Opened, Packed};
use super::window::Window;

/// An archive without a directory.
pub(super) struct Cut(Window);

struct Member {
    name: String,
    packed: Packed,
    /// What a directory says of it, where it is encrypted.
    locked: Option<[u8; FACTS]>,
}

const SIGNATURE: [u8; 4] = *b"PK\x03\x04";
/// The fixed part of a member's head.
const HEAD: usize = 30;
/// What a head and a directory say alike, from the version to the lengths of the name and what is behind it.
const FACTS: usize = 26;
/// What stands behind a member whose lengths were not known before.
const DESCRIPTOR: [u8; 4] = *b"PK\x07\x08";
/// A longer member that is encrypted is not read.
const LOCKED: u64 = 64 << 20;
/// No archive's folders have names that are longer.
const NAME: u16 = 1024;

impl Cut {
    /// Walks over the members of `file`: tells the name of each, its place, and whether it takes a password.
    pub(super) fn walk(file: File, mut each: impl FnMut(&str, Slot, bool) -> bool) -> io::Result<Self> {
        let mut file = Window::new(file)?;
        let mut at = 0;
        while let Some(found) = find(&mut file, at, SIGNATURE)? {
            at = found + 4;
            if let Some(member) = head(&mut file, found)? {
                // What is in it may look like a head: its length leads past it.
                at = member.packed.from + member.packed.length.unwrap_or(0);
                if !each(&member.name, Slot::at(found), member.locked.is_some()) {
                    break;
                }
            }
        }
        Ok(Self(file))
    }

    /// The same archive once more.
    pub(super) fn again(&self) -> io::Result<Self> {
        self.0.another().map(Self)
    }

    pub(super) fn name(&mut self, slot: Slot) -> io::Result<String> {
        Ok(head(&mut self.0, slot.place())?.map(|member| member.name).unwrap_or_default())
    }

    /// The member in `slot`; `password` opens it if it takes one.
    pub(super) fn member(&mut self, slot: Slot, password: Option<&[u8]>) -> ZipResult<Opened<'_>> {
        let member = head(&mut self.0, slot.place())?.ok_or(ZipError::FileNotFound)?;
        if let Some(facts) = member.locked {
            let content = self.unlocked(slot, &member, facts, password.ok_or(ZipError::InvalidPassword)?)?;
            return Ok(Opened::Unlocked(Box::new(Wiped(content, 0))));
        }
        Ok(Opened::Plain(member.packed, &mut self.0))
    }

    /// The content of an encrypted member, of which an archive is made that has nothing else.
    fn unlocked(
        &mut self,
        slot: Slot,
        member: &Member,
        facts: [u8; FACTS],
        password: &[u8],
    ) -> ZipResult<Zeroizing<Vec<u8>>> {
        let packed = member.packed.length.filter(|packed| *packed <= LOCKED).ok_or(ZipError::FileNotFound)?;
        let length = member.packed.from - slot.place() + packed;
        let mut alone = Vec::new();
        self.0.seek(SeekFrom::Start(slot.place()))?;
        (&mut self.0).take(length).read_to_end(&mut alone)?;
        if (alone.len() as u64) < length {
            return Err(io::Error::from(io::ErrorKind::UnexpectedEof).into());
        }
        alone[4..HEAD].copy_from_slice(&facts);
        let name = alone[HEAD..alone.len() - packed as usize].to_vec();
        // Its entry in a directory: the facts, nothing more, and that it begins at 0.
        alone.extend([&b"PK\x01\x02\x14\0"[..], &facts, &[0; 14], &name].concat());
        alone.extend(end_of_directory(1, length, alone.len() as u64 - length, alone.len() as u64));
        let mut content = Zeroizing::new(Vec::new());
        let options = ZipReadOptions::new().password(Some(password));
        let mut archive = ZipArchive::new(Cursor::new(alone))?;
        archive.by_index_with_options(0, options)?.take(LOCKED).read_to_end(&mut content)?;
        Ok(content)
    }
}

/// Bytes that are wiped when they have been read.
struct Wiped(Zeroizing<Vec<u8>>, usize);

impl Read for Wiped {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let read = (&self.0[self.1..]).read(into)?;
        self.1 += read;
        Ok(read)
    }
}

/// Where the next of these signatures stands.
fn find(file: &mut Window, from: u64, signature: [u8; 4]) -> io::Result<Option<u64>> {
    let mut window = vec![0; 1 << 16];
    let (mut base, mut kept) = (from, 0);
    file.seek(SeekFrom::Start(from))?;
    loop {
        let read = file.read(&mut window[kept..])?;
        if read == 0 {
            return Ok(None);
        }
        let filled = kept + read;
        if let Some(at) = memchr::memmem::find(&window[..filled], &signature) {
            return Ok(Some(base + at as u64));
        }
        // It may stand across the border.
        kept = filled.min(signature.len() - 1);
        base += (filled - kept) as u64;
        window.copy_within(filled - kept..filled, 0);
    }
}

/// The member whose head stands here; nothing where none does, or one that is not read.
fn head(file: &mut Window, at: u64) -> io::Result<Option<Member>> {
    file.seek(SeekFrom::Start(at))?;
    let mut fixed = [0; HEAD];
    if !fills(file, &mut fixed)? {
        return Ok(None);
    }
    let short = |at: usize| u16::from_le_bytes([fixed[at], fixed[at + 1]]);
    let long = |at: usize| u32::from_le_bytes([fixed[at], fixed[at + 1], fixed[at + 2], fixed[at + 3]]);
    let (flags, method, name, extra) = (short(6), short(8), short(26), short(28));
    let (encrypted, later) = (flags & 1 != 0, flags & 8 != 0);
    // 99 is AES; what it is packed with stands behind the name.
    let is_known = matches!(method, 0 | 8) || (encrypted && method == 99);
    if !is_known || name > NAME || (later && method == 0 && !encrypted) {
        return Ok(None);
    }
    let mut raw = vec![0; usize::from(name)];
    if !fills(file, &mut raw)? {
        return Ok(None);
    }
    let from = at + HEAD as u64 + u64::from(name) + u64::from(extra);
    let mut facts = [0; FACTS];
    facts.copy_from_slice(&fixed[4..]);
    if encrypted && later {
        let Some(told) = described(file, from)? else { return Ok(None) };
        facts[10..22].copy_from_slice(&told);
    }
    let packed = u32::from_le_bytes([facts[14], facts[15], facts[16], facts[17]]);
    Ok(Some(Member {
        name: String::from_utf8_lossy(&raw).into_owned(),
        packed: Packed {
            from,
            length: ((encrypted || !later) && packed != u32::MAX).then_some(packed.into()),
            deflated: method == 8,
            crc: (!later).then(|| long(14)),
        },
        locked: encrypted.then_some(facts),
    }))
}

/// Where the content of the member begins whose head stands here.
pub(super) fn content(file: &mut Window, at: u64) -> io::Result<u64> {
    let mut fixed = [0; HEAD];
    file.seek(SeekFrom::Start(at))?;
    file.read_exact(&mut fixed)?;
    if !fixed.starts_with(&SIGNATURE) {
        return Err(io::ErrorKind::InvalidData.into());
    }
    let short = |at: usize| u64::from(u16::from_le_bytes([fixed[at], fixed[at + 1]]));
    Ok(at + HEAD as u64 + short(26) + short(28))
}

/// The checksum and both lengths of a member that begins at `from`, which stand where they say that it ends.
fn described(file: &mut Window, from: u64) -> io::Result<Option<[u8; 12]>> {
    let mut at = from;
    while let Some(found) = find(file, at, DESCRIPTOR)?.filter(|found| found - from <= LOCKED) {
        at = found + 4;
        file.seek(SeekFrom::Start(at))?;
        let mut told = [0; 12];
        if !fills(file, &mut told)? {
            return Ok(None);
        }
        if u64::from(u32::from_le_bytes([told[4], told[5], told[6], told[7]])) == found - from {
            return Ok(Some(told));
        }
    }
    Ok(None)
}

fn fills(file: &mut Window, into: &mut [u8]) -> io::Result<bool> {
    match file.read_exact(into) {
        Ok(()) => Ok(true),
        Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => Ok(false),
        Err(error) => Err(error),
    }
}
