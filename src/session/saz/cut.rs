//! A ZIP file without its directory, which stands at the end: what a transfer that broke off leaves.
//!
//! Members are found by their own heads, one behind the other. Encrypted ones are not read so: without the directory
//! it is not known where they end.

use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};

use super::archive::Slot;
use super::unpack::Packed;
use super::window::Window;

/// An archive without a directory.
pub(super) struct Cut(Window);

struct Member {
    name: String,
    packed: Packed,
}

const SIGNATURE: &[u8; 4] = b"PK\x03\x04";
/// The fixed part of a member's head.
const HEAD: usize = 30;
/// No archive's folders have names that are longer.
const NAME: u16 = 1024;

impl Cut {
    /// Walks over the members of `file`: tells the name of each and its place.
    pub(super) fn walk(file: File, mut each: impl FnMut(&str, Slot) -> bool) -> io::Result<Self> {
        let mut file = Window::new(file)?;
        let mut at = 0;
        while let Some(found) = find(&mut file, at)? {
            at = found + 4;
            if let Some(member) = head(&mut file, found)? {
                // What is in it may look like a head: its length leads past it.
                at = member.packed.from + member.packed.length.unwrap_or(0);
                if !each(&member.name, Slot::at(found)) {
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

    pub(super) fn member(&mut self, slot: Slot) -> io::Result<(Packed, &mut Window)> {
        let member = head(&mut self.0, slot.place())?.ok_or(io::ErrorKind::NotFound)?;
        Ok((member.packed, &mut self.0))
    }
}

/// Where the next signature stands.
fn find(file: &mut Window, from: u64) -> io::Result<Option<u64>> {
    let mut window = vec![0; 1 << 16];
    let (mut base, mut kept) = (from, 0);
    file.seek(SeekFrom::Start(from))?;
    loop {
        let read = file.read(&mut window[kept..])?;
        if read == 0 {
            return Ok(None);
        }
        let filled = kept + read;
        if let Some(at) = memchr::memmem::find(&window[..filled], SIGNATURE) {
            return Ok(Some(base + at as u64));
        }
        // It may stand across the border.
        kept = filled.min(SIGNATURE.len() - 1);
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
    let encrypted = flags & 1 != 0;
    let later = flags & 8 != 0;
    if encrypted || !matches!(method, 0 | 8) || name > NAME || (later && method == 0) {
        return Ok(None);
    }
    let mut raw = vec![0; usize::from(name)];
    if !fills(file, &mut raw)? {
        return Ok(None);
    }
    let packed = long(18);
    Ok(Some(Member {
        name: String::from_utf8_lossy(&raw).into_owned(),
        packed: Packed {
            from: at + HEAD as u64 + u64::from(name) + u64::from(extra),
            length: (!later && packed != u32::MAX).then_some(packed.into()),
            deflated: method == 8,
            crc: (!later).then(|| long(14)),
        },
    }))
}

/// Where the content of the member begins whose head stands here.
pub(super) fn content(file: &mut Window, at: u64) -> io::Result<u64> {
    let mut fixed = [0; HEAD];
    file.seek(SeekFrom::Start(at))?;
    file.read_exact(&mut fixed)?;
    if !fixed.starts_with(SIGNATURE) {
        return Err(io::ErrorKind::InvalidData.into());
    }
    let short = |at: usize| u64::from(u16::from_le_bytes([fixed[at], fixed[at + 1]]));
    Ok(at + HEAD as u64 + short(26) + short(28))
}

fn fills(file: &mut Window, into: &mut [u8]) -> io::Result<bool> {
    match file.read_exact(into) {
        Ok(()) => Ok(true),
        Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => Ok(false),
        Err(error) => Err(error),
    }
}
