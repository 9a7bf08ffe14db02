//! Where one flow ends and the next begins.

use std::io::{self, BufRead, BufReader, ErrorKind, Read, Seek, SeekFrom};

use zeroize::Zeroizing;

use super::tnetstring::DIGITS;

/// The longest flow that is read; a body that long is a file somebody fetched.
const FLOW: u64 = 64 << 20;
/// How far behind a flow of unknown end the next one is looked for at a time.
const WINDOW: usize = 1 << 20;

/// Walks over the flows of a file.
pub(super) struct Scanner<R> {
    from: BufReader<R>,
    /// Where the next flow begins.
    at: u64,
}

/// What comes next.
pub(super) enum Next {
    /// A flow, which was read as it stands.
    Flow,
    /// A flow that is too long.
    Unreadable,
    /// The end of a flow is not known, and no other one follows.
    Lost,
    /// Nothing.
    End,
}

impl<R: Read + Seek> Scanner<R> {
    pub(super) fn new(from: R) -> Self {
        Self { from: BufReader::with_capacity(1 << 16, from), at: 0 }
    }

    /// Reads what comes next into `raw`, in the place of what is there: each time in the same memory, as what is kept of
    /// a flow would come to lie in the gaps.
    pub(super) fn next(&mut self, raw: &mut Zeroizing<Vec<u8>>) -> io::Result<Next> {
        let Some(header) = self.header()? else {
            let is_end = self.at_end()?;
            return if is_end { Ok(Next::End) } else { self.find_next() };
        };
        let (head, length) = header;
        let whole = head as u64 + length + 1;
        if length > FLOW {
            self.at += whole;
            self.from.seek(SeekFrom::Start(self.at - 1))?;
            return if self.byte()? == Some(b'}') { Ok(Next::Unreadable) } else { self.find_next() };
        }
        // Room is made as it is filled: a length that lies costs nothing.
        raw.clear();
        self.from.by_ref().take(whole).read_to_end(raw)?;
        if raw.len() as u64 == whole && raw.last() == Some(&b'}') {
            self.at += whole;
            Ok(Next::Flow)
        } else {
            self.find_next()
        }
    }

    /// Length of the length with its colon, and the length. What is read stays.
    fn header(&mut self) -> io::Result<Option<(usize, u64)>> {
        if self.from.stream_position()? != self.at {
            self.from.seek(SeekFrom::Start(self.at))?;
        }
        let near = self.from.fill_buf()?;
        if near.len() > DIGITS {
            return Ok(header(&near[..=DIGITS]));
        }
        let mut start = [0; DIGITS + 1];
        let read = read_up_to(&mut self.from, &mut start)?;
        self.from.seek(SeekFrom::Start(self.at))?;
        Ok(header(&start[..read]))
    }

    fn at_end(&mut self) -> io::Result<bool> {
        self.from.seek(SeekFrom::Start(self.at))?;
        Ok(self.from.fill_buf()?.is_empty())
    }

    fn byte(&mut self) -> io::Result<Option<u8>> {
        let mut byte = [0];
        match self.from.read_exact(&mut byte) {
            Ok(()) => Ok(Some(byte[0])),
            Err(error) if error.kind() == ErrorKind::UnexpectedEof => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Goes on at the next place where a whole flow stands: the end of one, or the beginning of the file, comes before
    /// it, its own length leads to its end, and a first key stands where it should.
    fn find_next(&mut self) -> io::Result<Next> {
        let mut from = self.at + 1;
        let mut window = Zeroizing::new(vec![0; WINDOW]);
        loop {
            self.from.seek(SeekFrom::Start(from))?;
            let read = read_up_to(&mut self.from, &mut window)?;
            let bytes = &window[..read];
            for end in memchr::memchr_iter(b'}', bytes) {
                let Some((head, length)) = bytes.get(end + 1..).and_then(header) else { continue };
                let first = bytes.get(end + 1 + head..).unwrap_or_default();
                if header(first).is_none() {
                    continue;
                }
                let begins = from + end as u64 + 1;
                self.from.seek(SeekFrom::Start(begins + head as u64 + length))?;
                if self.byte()? == Some(b'}') {
                    self.at = begins;
                    return Ok(Next::Unreadable);
                }
            }
            // A length may stand across the border.
            if read < WINDOW {
                return Ok(Next::Lost);
            }
            from += (WINDOW - 2 * (DIGITS + 1)) as u64;
        }
    }
}

fn header(bytes: &[u8]) -> Option<(usize, u64)> {
    let colon = bytes.iter().take(DIGITS + 1).position(|byte| *byte == b':').filter(|colon| *colon > 0)?;
    let digits = &bytes[..colon];
    let length = digits
        .iter()
        .try_fold(0_u64, |length, digit| digit.is_ascii_digit().then(|| length * 10 + u64::from(digit - b'0')))?;
    Some((colon + 1, length))
}

fn read_up_to(from: &mut impl Read, into: &mut [u8]) -> io::Result<usize> {
    let mut filled = 0;
    while filled < into.len() {
        match from.read(&mut into[filled..]) {
            Ok(0) => break,
            Ok(read) => filled += read,
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(filled)
}
