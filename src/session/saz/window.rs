//! A file that is read at any place: what lies beside the last place is at hand, so that going to and fro costs nothing.

use std::fs::File;
use std::io::{self, BufRead, Read, Seek, SeekFrom};

/// How much is read at a time.
const PIECE: usize = 1 << 16;

/// A place in a file, and what lies around it.
pub(super) struct Window {
    file: File,
    length: u64,
    at: u64,
    /// What is at hand, and where it lies.
    piece: Vec<u8>,
    from: u64,
}

impl Window {
    pub(super) fn new(file: File) -> io::Result<Self> {
        let length = file.metadata()?.len();
        Ok(Self { file, length, at: 0, piece: Vec::new(), from: 0 })
    }

    /// How long the file is.
    pub(super) const fn len(&self) -> u64 {
        self.length
    }

    /// Another place in the same file.
    pub(super) fn another(&self) -> io::Result<Self> {
        Self::new(self.file.try_clone()?)
    }
}

impl BufRead for Window {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        let is_near = (self.from..self.from + self.piece.len() as u64).contains(&self.at);
        if !is_near {
            self.piece.clear();
            self.from = self.at;
            // Places of the same file share what the system remembers as theirs.
            self.file.seek(SeekFrom::Start(self.at))?;
            (&mut self.file).take(PIECE as u64).read_to_end(&mut self.piece)?;
        }
        Ok(&self.piece[(self.at - self.from) as usize..])
    }

    fn consume(&mut self, used: usize) {
        self.at += used as u64;
    }
}

impl Read for Window {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let bytes = self.fill_buf()?;
        let read = bytes.len().min(into.len());
        into[..read].copy_from_slice(&bytes[..read]);
        self.consume(read);
        Ok(read)
    }
}

impl Seek for Window {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        let at = match to {
            SeekFrom::Start(at) => Some(at),
            SeekFrom::Current(by) => self.at.checked_add_signed(by),
            SeekFrom::End(by) => self.length.checked_add_signed(by),
        };
        self.at = at.ok_or(io::ErrorKind::InvalidInput)?;
        Ok(self.at)
    }
}

/// A file with something else behind it.
pub(super) struct Extended {
    file: Window,
    behind: Vec<u8>,
    at: u64,
}

impl Extended {
    pub(super) const fn new(file: Window) -> Self {
        Self { file, behind: Vec::new(), at: 0 }
    }

    /// Where the file ends.
    pub(super) const fn border(&self) -> u64 {
        self.file.len()
    }

    /// Puts `behind` there, in the place of what was.
    pub(super) fn extend(&mut self, behind: Vec<u8>) {
        self.behind = behind;
    }
}

impl Read for Extended {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let read = match self.at.checked_sub(self.border()) {
            None => {
                self.file.seek(SeekFrom::Start(self.at))?;
                self.file.read(into)?
            }
            Some(behind) => {
                let from = usize::try_from(behind).unwrap_or(usize::MAX).min(self.behind.len());
                (&self.behind[from..]).read(into)?
            }
        };
        self.at += read as u64;
        Ok(read)
    }
}

impl Seek for Extended {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        let end = self.border() + self.behind.len() as u64;
        let at = match to {
            SeekFrom::Start(at) => Some(at),
            SeekFrom::Current(by) => self.at.checked_add_signed(by),
            SeekFrom::End(by) => end.checked_add_signed(by),
        };
        self.at = at.ok_or(io::ErrorKind::InvalidInput)?;
        Ok(self.at)
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use std::io::Write as _;

    use super::*;

    #[test]
    fn every_place_is_read_wherever_one_comes_from() {
        let bytes: Vec<u8> = (0..200_000_u32).map(|at| (at % 251) as u8).collect();
        let mut file = tempfile::tempfile().unwrap();
        file.write_all(&bytes).unwrap();
        let window = Window::new(file).unwrap();
        let mut other = window.another().unwrap();
        let mut extended = Extended::new(window);
        extended.extend(b"behind".to_vec());
        let whole = [&bytes[..], b"behind"].concat();
        for at in [0, 65_535, 65_536, 199_990, 70_000, 3, 199_999, 200_000, 200_003] {
            let mut read = [0; 12];
            let count = (whole.len() - at).min(12);
            extended.seek(SeekFrom::Start(at as u64)).unwrap();
            extended.read_exact(&mut read[..count]).unwrap();
            assert_eq!(read[..count], whole[at..at + count], "{at}");
            other.seek(SeekFrom::End(-5)).unwrap();
            other.read_exact(&mut read[..5]).unwrap();
            assert_eq!(read[..5], bytes[199_995..], "{at}");
        }
        assert_eq!(extended.seek(SeekFrom::End(0)).unwrap(), 200_006);
        assert_eq!(extended.read(&mut [0; 4]).unwrap(), 0);
    }
}
