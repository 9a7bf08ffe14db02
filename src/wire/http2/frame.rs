//! Frames (RFC 9113 section 4): where each begins and ends, without its padding.

use std::mem;

use zeroize::Zeroizing;

use crate::wire::Loss;

/// What a client sends before its first frame.
const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";
const HEADER: usize = 9;
/// A larger frame that has to be collected is not followed. Without a setting that nobody changes it is 16 KiB.
const COLLECTED: usize = 1 << 20;

/// The kinds of frames that are told apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Data,
    Headers,
    Reset,
    Settings,
    PushPromise,
    GoAway,
    WindowUpdate,
    Continuation,
    /// PRIORITY, PING, and what no version of HTTP/2 knows.
    Other,
}

/// A frame, or a piece of a DATA frame.
pub(super) struct Frame<'a> {
    pub(super) kind: Kind,
    flags: u8,
    pub(super) stream: u32,
    payload: Payload<'a>,
    /// What counts for flow control: of DATA the whole payload with its padding, told with its first piece.
    pub(super) counted: u32,
    /// Whether nothing of the frame follows.
    pub(super) last: bool,
}

enum Payload<'a> {
    /// In the bytes fed.
    Fed(&'a [u8]),
    /// It came in pieces. Wiped when dropped: credentials stand in it.
    Kept(Zeroizing<Vec<u8>>),
}

impl Frame<'_> {
    /// Without padding, pad length and priority.
    pub(super) fn payload(&self) -> Result<&[u8], Loss> {
        let whole = match &self.payload {
            Payload::Fed(bytes) => bytes,
            Payload::Kept(bytes) => bytes.as_slice(),
        };
        match self.kind {
            Kind::Headers | Kind::PushPromise => trimmed(whole, self.flags, self.kind).ok_or(Loss::BadFrame),
            _ => Ok(whole),
        }
    }

    pub(super) const fn is_end_of_stream(&self) -> bool {
        self.flags & 0x01 != 0
    }

    pub(super) const fn is_acknowledgement(&self) -> bool {
        self.flags & 0x01 != 0
    }

    pub(super) const fn is_end_of_headers(&self) -> bool {
        self.flags & 0x04 != 0
    }
}

const PADDED: u8 = 0x08;
const PRIORITY: u8 = 0x20;

/// A header block fragment without what may stand around it.
fn trimmed(payload: &[u8], flags: u8, kind: Kind) -> Option<&[u8]> {
    let (padding, rest) = match payload.split_first() {
        Some((padding, rest)) if flags & PADDED != 0 => (usize::from(*padding), rest),
        _ if flags & PADDED != 0 => return None,
        _ => (0, payload),
    };
    let rest = &rest[..rest.len().checked_sub(padding)?];
    if flags & PRIORITY != 0 && kind == Kind::Headers { rest.get(5..) } else { Some(rest) }
}

/// What became of some bytes.
pub(super) struct Step<'a> {
    /// How many of them were used, at least one.
    pub(super) used: usize,
    /// What they gave.
    pub(super) frame: Result<Option<Frame<'a>>, Loss>,
}

/// Finds the frames in the bytes of one direction.
pub(super) struct Frames {
    state: State,
    /// The beginning of a frame's header, or of a payload that is collected.
    kept: Zeroizing<Vec<u8>>,
}

#[derive(Clone, Copy)]
enum State {
    /// This many bytes of the preface have come.
    Preface(usize),
    /// Before or inside a frame's header.
    Header,
    /// Inside a payload that is collected.
    Collecting(Header),
    /// Before the pad length of a DATA frame.
    PadLength(Header),
    /// Inside the payload of a DATA frame.
    Data { header: Header, left: usize, padding: usize, counted: u32 },
    /// Inside the payload of a frame that says nothing, or padding.
    Skipping(usize),
}

#[derive(Clone, Copy)]
struct Header {
    kind: Kind,
    flags: u8,
    stream: u32,
    length: usize,
}

impl Header {
    const fn read(bytes: [u8; HEADER]) -> Self {
        let [l1, l2, l3, kind, flags, s1, s2, s3, s4] = bytes;
        let kind = match kind {
            0 => Kind::Data,
            1 => Kind::Headers,
            3 => Kind::Reset,
            4 => Kind::Settings,
            5 => Kind::PushPromise,
            7 => Kind::GoAway,
            8 => Kind::WindowUpdate,
            9 => Kind::Continuation,
            _ => Kind::Other,
        };
        let length = u32::from_be_bytes([0, l1, l2, l3]) as usize;
        Self { kind, flags, stream: u32::from_be_bytes([s1, s2, s3, s4]) & 0x7fff_ffff, length }
    }

    const fn frame(self, payload: Payload<'_>, counted: u32, last: bool) -> Frame<'_> {
        Frame { kind: self.kind, flags: self.flags, stream: self.stream, payload, counted, last }
    }

    /// The state in which its payload is read.
    #[allow(clippy::cast_possible_truncation, reason = "a length has 24 bits")]
    const fn state(self) -> Result<State, Loss> {
        match self.kind {
            Kind::Data if self.flags & PADDED != 0 => Ok(State::PadLength(self)),
            Kind::Data => Ok(State::Data { header: self, left: self.length, padding: 0, counted: self.length as u32 }),
            Kind::Other => Ok(State::Skipping(self.length)),
            _ if self.length > COLLECTED => Err(Loss::BadFrame),
            _ => Ok(State::Collecting(self)),
        }
    }

    /// Whether its payload is empty, so that no further byte belongs to it.
    const fn is_bare(self) -> bool {
        self.length == 0
    }
}

impl Frames {
    /// From the first frame on.
    pub(super) fn new() -> Self {
        Self { state: State::Header, kept: Zeroizing::new(Vec::new()) }
    }

    /// The same after the client's preface.
    pub(super) fn after_preface() -> Self {
        Self { state: State::Preface(0), kept: Zeroizing::new(Vec::new()) }
    }

    /// Whether no frame has begun that is not complete.
    pub(super) fn is_between(&self) -> bool {
        matches!(self.state, State::Header) && self.kept.is_empty()
    }

    /// Takes some of `bytes`, which are not empty.
    pub(super) fn next<'a>(&mut self, bytes: &'a [u8]) -> Step<'a> {
        match self.state {
            State::Preface(seen) => {
                let wanted = &PREFACE[seen..];
                let used = wanted.len().min(bytes.len());
                if bytes[..used] != wanted[..used] {
                    // A method begins with a capital letter, as the preface does.
                    let is_http1 = seen > 0 || bytes[0].is_ascii_uppercase();
                    let loss = if is_http1 { Loss::Http1InHttp2 } else { Loss::BadFrame };
                    return Step { used, frame: Err(loss) };
                }
                self.state = if used == wanted.len() { State::Header } else { State::Preface(seen + used) };
                Step { used, frame: Ok(None) }
            }
            State::Header => self.header(bytes),
            State::Collecting(header) => self.collect(header, bytes),
            State::PadLength(header) => {
                let padding = usize::from(bytes[0]);
                let frame = match header.length.checked_sub(1 + padding) {
                    None => Err(Loss::BadFrame),
                    Some(left) => {
                        let counted = u32::try_from(header.length).unwrap_or(u32::MAX);
                        Ok(self.data_follows(header, left, padding, counted))
                    }
                };
                Step { used: 1, frame }
            }
            State::Data { header, left, padding, counted } => {
                let used = left.min(bytes.len());
                let last = used == left;
                self.state = match left - used {
                    0 => skip(padding),
                    left => State::Data { header, left, padding, counted: 0 },
                };
                Step { used, frame: Ok(Some(header.frame(Payload::Fed(&bytes[..used]), counted, last))) }
            }
            State::Skipping(left) => {
                let used = left.min(bytes.len());
                self.state = skip(left - used);
                Step { used, frame: Ok(None) }
            }
        }
    }

    fn header<'a>(&mut self, bytes: &'a [u8]) -> Step<'a> {
        let used = (HEADER - self.kept.len()).min(bytes.len());
        self.kept.extend_from_slice(&bytes[..used]);
        let Some(header) = self.kept.first_chunk().copied() else {
            return Step { used, frame: Ok(None) };
        };
        // As a header it would announce four megabytes of an unknown kind.
        if header.starts_with(b"HTTP/1.") {
            return Step { used, frame: Err(Loss::Http1InHttp2) };
        }
        let header = Header::read(header);
        self.kept.clear();
        let frame = match header.state() {
            Err(loss) => Err(loss),
            // A frame without a payload is complete with its header; padding without its length is none.
            Ok(State::PadLength(_)) if header.is_bare() => Err(Loss::BadFrame),
            Ok(_) if header.is_bare() => {
                self.state = State::Header;
                Ok((header.kind != Kind::Other).then(|| header.frame(Payload::Fed(&[]), 0, true)))
            }
            Ok(state) => {
                self.state = state;
                Ok(None)
            }
        };
        Step { used, frame }
    }

    /// A payload that is read as a whole; where it stands whole in `bytes`, it is not copied.
    fn collect<'a>(&mut self, header: Header, bytes: &'a [u8]) -> Step<'a> {
        let used = (header.length - self.kept.len()).min(bytes.len());
        let piece = &bytes[..used];
        if self.kept.len() + used < header.length {
            self.kept.extend_from_slice(piece);
            return Step { used, frame: Ok(None) };
        }
        self.state = State::Header;
        let payload = if self.kept.is_empty() {
            Payload::Fed(piece)
        } else {
            self.kept.extend_from_slice(piece);
            Payload::Kept(mem::replace(&mut self.kept, Zeroizing::new(Vec::new())))
        };
        Step { used, frame: Ok(Some(header.frame(payload, 0, true))) }
    }

    /// After a pad length. A frame of nothing but padding gives its (empty) payload at once.
    fn data_follows<'a>(&mut self, header: Header, left: usize, padding: usize, counted: u32) -> Option<Frame<'a>> {
        if left == 0 {
            self.state = skip(padding);
            return Some(header.frame(Payload::Fed(&[]), counted, true));
        }
        self.state = State::Data { header, left, padding, counted };
        None
    }
}

const fn skip(length: usize) -> State {
    if length == 0 { State::Header } else { State::Skipping(length) }
}
