//! Members as they were before they were packed: one after the other, in the same memory.
//!
//! A reader made anew for each member takes large pieces of memory and gives them back; what is kept of a session
//! meanwhile comes to lie in the gaps, and a long archive would take more and more.

use std::io::{self, BufRead as _, Read, Seek as _, SeekFrom};

use flate2::{Crc, Decompress, FlushDecompress, Status};

use super::window::Window;

/// A member as it stands in the file.
pub(super) struct Packed {
    /// Where its content begins.
    pub(super) from: u64,
    /// How long that is; nothing where only its end will tell.
    pub(super) length: Option<u64>,
    pub(super) deflated: bool,
    /// The checksum of what comes out.
    pub(super) crc: Option<u32>,
}

/// A member on its way out of the archive.
pub(super) enum Opened<'m> {
    /// One that a password, or the library alone, opens.
    Unlocked(Box<dyn Read + 'm>),
    /// One that only has to be unpacked, and the file that it is in.
    Plain(Packed, &'m mut Window),
}

/// Unpacks members.
pub(super) struct Unpacker(Decompress);

/// A member that is being read. It fails at its end where its checksum is not the one that was written.
pub(super) struct Unpacking<'u> {
    unpacker: &'u mut Decompress,
    file: &'u mut Window,
    deflated: bool,
    left: u64,
    over: bool,
    sum: Crc,
    crc: Option<u32>,
}

impl Unpacker {
    pub(super) fn new() -> Self {
        Self(Decompress::new(false))
    }

    pub(super) fn open<'u>(&'u mut self, file: &'u mut Window, packed: &Packed) -> io::Result<Unpacking<'u>> {
        self.0.reset(false);
        file.seek(SeekFrom::Start(packed.from))?;
        Ok(Unpacking {
            unpacker: &mut self.0,
            file,
            deflated: packed.deflated,
            left: packed.length.unwrap_or(u64::MAX),
            over: false,
            sum: Crc::new(),
            crc: packed.crc,
        })
    }
}

impl Unpacking<'_> {
    /// Some bytes of what was packed; none behind the last.
    fn unpacked(&mut self, into: &mut [u8]) -> io::Result<usize> {
        loop {
            let bytes = self.file.fill_buf()?;
            let bytes = &bytes[..bytes.len().min(usize::try_from(self.left).unwrap_or(usize::MAX))];
            let (used, read) = if self.deflated {
                let (taken, given) = (self.unpacker.total_in(), self.unpacker.total_out());
                let status = self.unpacker.decompress(bytes, into, FlushDecompress::None);
                self.over = status.map_err(|_| io::ErrorKind::InvalidData)? == Status::StreamEnd;
                ((self.unpacker.total_in() - taken) as usize, (self.unpacker.total_out() - given) as usize)
            } else {
                let read = bytes.len().min(into.len());
                into[..read].copy_from_slice(&bytes[..read]);
                self.over = read == 0;
                (read, read)
            };
            let is_stuck = used == 0 && read == 0 && !self.over;
            self.file.consume(used);
            self.left -= used as u64;
            if read > 0 || self.over {
                return Ok(read);
            }
            if is_stuck {
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
        }
    }
}

impl Read for Unpacking<'_> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let read = if self.over || into.is_empty() { 0 } else { self.unpacked(into)? };
        self.sum.update(&into[..read]);
        let wrong = read == 0 && self.over && self.crc.is_some_and(|expected| expected != self.sum.sum());
        if wrong { Err(io::ErrorKind::InvalidData.into()) } else { Ok(read) }
    }
}
