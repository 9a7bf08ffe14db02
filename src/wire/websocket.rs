//! WebSocket (RFC 6455), followed and not judged: one direction's frames, put together to messages.
//!
//! Fragments, control frames between them, masks, and messages that were deflated (RFC 7692). Of a message a bounded
//! beginning is kept; its length is counted to the end. What breaks the framing ends the reading.

use flate2::{Decompress, FlushDecompress, Status};
use zeroize::Zeroizing;

use super::{Fields, Loss};

/// So much of a message is kept: what is longer is content, and is hidden anyway.
pub const KEPT: usize = 16 * 1024;
/// A message that inflates to more is not inflated to its end: a few bytes can stand for a thousand times as many.
const INFLATED: usize = 1 << 20;
/// The longest frame header: two bytes, eight of length, four of mask.
const HEADER: usize = 14;
/// A control frame's payload has at most so many bytes (RFC 6455 section 5.5).
const CONTROL: u64 = 125;

/// What a message is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Text in UTF-8.
    Text,
    /// Anything else.
    Binary,
    /// The end, with a code and a reason.
    Close,
    /// A question whether the other side is there.
    Ping,
    /// The answer to it.
    Pong,
}

/// A message that is complete.
pub struct Message<'a> {
    /// What it is.
    pub kind: Kind,
    /// Bytes that passed, frame headers not counted, deflated ones as they were sent.
    pub length: u64,
    /// Its beginning, unmasked and inflated; nothing where it could not be.
    pub bytes: Option<&'a [u8]>,
    /// Whether that is all of it.
    pub whole: bool,
}

/// What both sides agreed on beyond the plain protocol (`Sec-WebSocket-Extensions` of the answer).
#[derive(Clone, Copy, Default)]
pub struct Extensions {
    deflate: bool,
    client_forgets: bool,
    server_forgets: bool,
    /// Others, which may mean anything by the reserved bits.
    foreign: bool,
}

impl Extensions {
    /// Those that a response's `fields` name.
    pub fn of(fields: Fields<'_>) -> Self {
        let mut extensions = Self::default();
        for value in fields.values("sec-websocket-extensions") {
            for extension in value.split(|byte| *byte == b',') {
                let mut words = extension.split(|byte| *byte == b';').map(<[u8]>::trim_ascii);
                match words.next() {
                    Some(b"permessage-deflate") => extensions.deflate = true,
                    Some(b"") | None => continue,
                    Some(_) => extensions.foreign = true,
                }
                for word in words {
                    extensions.client_forgets |= word.eq_ignore_ascii_case(b"client_no_context_takeover");
                    extensions.server_forgets |= word.eq_ignore_ascii_case(b"server_no_context_takeover");
                }
            }
        }
        extensions
    }
}

/// Follows one direction, from its first frame on.
pub struct Reader {
    state: State,
    /// The beginning of a frame header.
    header: [u8; HEADER],
    known: usize,
    open: Option<Open>,
    control: Zeroizing<Vec<u8>>,
    inflater: Option<Inflater>,
    foreign: bool,
}

#[derive(Clone, Copy)]
enum State {
    Header,
    Payload(Frame),
    /// Lost.
    Over,
}

#[derive(Clone, Copy)]
struct Frame {
    last: bool,
    /// Of a control frame.
    control: Option<Kind>,
    left: u64,
    length: u64,
    mask: [u8; 4],
}

/// A message of which frames are still to come.
struct Open {
    kind: Kind,
    length: u64,
    kept: Zeroizing<Vec<u8>>,
    whole: bool,
    coding: Coding,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Coding {
    Plain,
    Deflated,
    /// By an extension that is not known, or deflated after the inflater gave up.
    Unreadable,
}

/// What a compressed message needs of those before it.
struct Inflater {
    stream: Box<Decompress>,
    /// Each message is deflated by itself.
    forgets: bool,
    /// How much the message at hand has come to.
    spent: usize,
    /// It gave up; no later message can be read unless each is deflated by itself.
    broken: bool,
}

type Sink<'s> = &'s mut dyn FnMut(Message<'_>);

impl Reader {
    /// Follows what the client sends.
    pub fn client(extensions: Extensions) -> Self {
        Self::new(extensions, extensions.client_forgets)
    }

    /// Follows what the server sends.
    pub fn server(extensions: Extensions) -> Self {
        Self::new(extensions, extensions.server_forgets)
    }

    fn new(extensions: Extensions, forgets: bool) -> Self {
        let inflater = || Inflater { stream: Box::new(Decompress::new(false)), forgets, spent: 0, broken: false };
        Self {
            state: State::Header,
            header: [0; HEADER],
            known: 0,
            open: None,
            control: Zeroizing::new(Vec::new()),
            inflater: extensions.deflate.then(inflater),
            foreign: extensions.foreign,
        }
    }

    /// Feeds the next bytes; `sink` gets the messages that they complete. After a loss further bytes say nothing.
    pub fn read(&mut self, bytes: &[u8], sink: Sink<'_>) -> Result<(), Loss> {
        let mut rest = bytes;
        loop {
            match self.state {
                State::Over => return Ok(()),
                State::Payload(frame) => {
                    let used = usize::try_from(frame.left).unwrap_or(usize::MAX).min(rest.len());
                    let (piece, after) = rest.split_at(used);
                    rest = after;
                    self.payload(frame, piece, sink);
                }
                State::Header if rest.is_empty() => return Ok(()),
                State::Header => {
                    self.header[self.known] = rest[0];
                    self.known += 1;
                    rest = &rest[1..];
                    if self.known >= 2 && self.known == header_length(self.header[1]) {
                        self.known = 0;
                        if let Err(loss) = self.begin() {
                            self.state = State::Over;
                            return Err(loss);
                        }
                    }
                }
            }
            if rest.is_empty() && !matches!(self.state, State::Payload(Frame { left: 0, .. })) {
                return Ok(());
            }
        }
    }

    /// A frame's header is complete.
    fn begin(&mut self) -> Result<(), Loss> {
        let [first, second, rest @ ..] = self.header;
        let (length, mask) = match second & 0x7f {
            126 => (u64::from(u16::from_be_bytes([rest[0], rest[1]])), &rest[2..6]),
            127 => {
                let mut length = [0; 8];
                length.copy_from_slice(&rest[..8]);
                (u64::from_be_bytes(length), &rest[8..12])
            }
            length => (u64::from(length), &rest[..4]),
        };
        let mask = if second & 0x80 == 0 { [0; 4] } else { [mask[0], mask[1], mask[2], mask[3]] };
        let (last, reserved, opcode) = (first & 0x80 != 0, first & 0x70, first & 0x0f);
        let control = match opcode {
            8 => Some(Kind::Close),
            9 => Some(Kind::Ping),
            10 => Some(Kind::Pong),
            _ => None,
        };
        let sound = match (opcode, &self.open) {
            _ if length >> 63 != 0 => false,
            (8..=10, _) => last && length <= CONTROL && (reserved == 0 || self.foreign),
            (0, Some(_)) => reserved == 0 || self.foreign,
            (1 | 2, None) => reserved == 0 || (reserved == 0x40 && self.inflater.is_some()) || self.foreign,
            _ => false,
        };
        if !sound {
            return Err(Loss::BadSocketFrame);
        }
        if matches!(opcode, 1 | 2) {
            let coding = match (reserved, &self.inflater) {
                (0, _) => Coding::Plain,
                (0x40, Some(inflater)) if !inflater.broken => Coding::Deflated,
                _ => Coding::Unreadable,
            };
            let kind = if opcode == 1 { Kind::Text } else { Kind::Binary };
            self.open = Some(Open { kind, length: 0, kept: Zeroizing::default(), whole: true, coding });
        }
        self.state = State::Payload(Frame { last, control, left: length, length, mask });
        Ok(())
    }

    /// A piece of a frame's payload, or nothing of an empty one.
    fn payload(&mut self, frame: Frame, piece: &[u8], sink: Sink<'_>) {
        let mut offset = (frame.length - frame.left) as usize;
        let mut unmasked = Zeroizing::new([0; 4096]);
        for bytes in piece.chunks(unmasked.len()) {
            if frame.control.is_none() && self.open.as_ref().is_some_and(Open::is_counted_only) {
                break;
            }
            for (at, byte) in bytes.iter().enumerate() {
                unmasked[at] = byte ^ frame.mask[(offset + at) & 3];
            }
            offset += bytes.len();
            let bytes = &unmasked[..bytes.len()];
            match (frame.control, &mut self.open) {
                (Some(_), _) => self.control.extend_from_slice(bytes),
                (None, Some(open)) => open.add(bytes, self.inflater.as_mut()),
                (None, None) => {}
            }
        }
        let left = frame.left - piece.len() as u64;
        if left > 0 {
            self.state = State::Payload(Frame { left, ..frame });
            return;
        }
        self.state = State::Header;
        if let Some(kind) = frame.control {
            sink(Message { kind, length: frame.length, bytes: Some(&self.control), whole: true });
            self.control = Zeroizing::default();
            return;
        }
        if let Some(open) = &mut self.open {
            open.length += frame.length;
        }
        if frame.last
            && let Some(mut open) = self.open.take()
        {
            open.end(self.inflater.as_mut());
            let bytes = (open.coding != Coding::Unreadable).then_some(open.kept.as_slice());
            sink(Message { kind: open.kind, length: open.length, bytes, whole: open.whole });
        }
    }
}

impl Open {
    /// Whether no further byte of it is looked at.
    fn is_counted_only(&self) -> bool {
        match self.coding {
            Coding::Plain => self.kept.len() >= KEPT && !self.whole,
            Coding::Deflated => false,
            Coding::Unreadable => true,
        }
    }

    fn add(&mut self, bytes: &[u8], inflater: Option<&mut Inflater>) {
        match (self.coding, inflater) {
            (Coding::Plain, _) => self.keep(bytes),
            (Coding::Deflated, Some(inflater)) => inflater.inflate(bytes, self),
            _ => {}
        }
    }

    fn keep(&mut self, bytes: &[u8]) {
        let room = KEPT - self.kept.len();
        self.whole &= bytes.len() <= room;
        let wanted = self.kept.len() + bytes.len().min(room);
        if wanted > self.kept.capacity() {
            // Growing in place would leave an unwiped copy behind.
            let mut grown = Zeroizing::new(Vec::with_capacity(wanted.next_power_of_two()));
            grown.extend_from_slice(&self.kept);
            self.kept = grown;
        }
        self.kept.extend_from_slice(&bytes[..bytes.len().min(room)]);
    }

    fn end(&mut self, inflater: Option<&mut Inflater>) {
        let Some(inflater) = inflater else { return };
        if self.coding == Coding::Deflated {
            // What every deflated message ends with, and none sends (RFC 7692 section 7.2.2).
            inflater.inflate(&[0, 0, 0xff, 0xff], self);
        }
        inflater.spent = 0;
        if inflater.forgets {
            inflater.stream.reset(false);
            inflater.broken = false;
        }
    }
}

impl Inflater {
    fn inflate(&mut self, mut bytes: &[u8], into: &mut Open) {
        let mut room = Zeroizing::new([0; 4096]);
        while !self.broken {
            let (read, written) = (self.stream.total_in(), self.stream.total_out());
            let status = self.stream.decompress(bytes, room.as_mut_slice(), FlushDecompress::Sync);
            let used = (self.stream.total_in() - read) as usize;
            let made = (self.stream.total_out() - written) as usize;
            bytes = &bytes[used..];
            into.keep(&room[..made]);
            self.spent += made;
            match status {
                Err(_) => self.broken = true,
                Ok(Status::StreamEnd) => self.stream.reset(false),
                Ok(_) if self.spent > INFLATED => self.broken = true,
                Ok(_) if made < room.len() && bytes.is_empty() => return,
                Ok(_) if made == 0 && used == 0 => return,
                Ok(_) => {}
            }
        }
        into.coding = Coding::Unreadable;
    }
}

/// How long a frame header is, by its second byte.
const fn header_length(second: u8) -> usize {
    let length = match second & 0x7f {
        126 => 4,
        127 => 10,
        _ => 2,
    };
    if second & 0x80 == 0 { length } else { length + 4 }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use flate2::{Compress, Compression, FlushCompress};
    use proptest::prelude::*;

    use super::*;

    const LAST: u8 = 0x80;
    const DEFLATED: u8 = 0x40;

    fn frame(first: u8, masked: bool, payload: &[u8]) -> Vec<u8> {
        let mut frame = vec![first];
        let bit = if masked { 0x80 } else { 0 };
        match payload.len() {
            length @ 0..126 => frame.push(bit | length as u8),
            length @ 126..65536 => {
                frame.push(bit | 0x7e);
                frame.extend((length as u16).to_be_bytes());
            }
            length => {
                frame.push(bit | 0x7f);
                frame.extend((length as u64).to_be_bytes());
            }
        }
        let mask = if masked { [7, 77, 177, 217] } else { [0; 4] };
        if masked {
            frame.extend(mask);
        }
        frame.extend(payload.iter().enumerate().map(|(at, byte)| byte ^ mask[at & 3]));
        frame
    }

    fn deflating(extensions: &str) -> Extensions {
        Extensions::of(Fields::new(format!("Sec-WebSocket-Extensions: {extensions}\r\n").as_bytes()))
    }

    fn read(reader: &mut Reader, bytes: &[u8], size: usize) -> Vec<String> {
        let mut said = Vec::new();
        for piece in bytes.chunks(size) {
            let read = reader.read(piece, &mut |message| {
                let text =
                    message.bytes.map_or_else(|| "?".into(), |bytes| String::from_utf8_lossy(bytes).into_owned());
                let cut = if message.whole { "" } else { "…" };
                said.push(format!("{:?} {}: {text}{cut}", message.kind, message.length));
            });
            if let Err(loss) = read {
                said.push(format!("{loss:?}"));
            }
        }
        said
    }

    /// As a sender with a window of its own deflates: each message flushed, its last four bytes left out.
    fn deflated(compress: &mut Compress, text: &[u8]) -> Vec<u8> {
        let mut out = Vec::with_capacity(text.len() + 100);
        compress.compress_vec(text, &mut out, FlushCompress::Sync).unwrap();
        assert!(out.ends_with(&[0, 0, 0xff, 0xff]));
        out.truncate(out.len() - 4);
        out
    }

    #[test]
    fn fragments_with_control_frames_between_them_are_one_message_in_any_pieces() {
        let bytes = [
            frame(LAST | 1, true, b"hello"),
            frame(1, true, b"one "),
            frame(LAST | 9, true, b"there?"),
            frame(0, true, b""),
            frame(LAST, true, b"message"),
            frame(LAST | 2, true, &[b'x'; 300]),
            frame(LAST | 1, true, b""),
            frame(LAST | 8, true, b"\x03\xe8bye"),
        ]
        .concat();
        let whole = read(&mut Reader::client(Extensions::default()), &bytes, usize::MAX);
        assert_eq!(whole[..3], ["Text 5: hello", "Ping 6: there?", "Text 11: one message"]);
        assert_eq!(whole[3], format!("Binary 300: {}", "x".repeat(300)));
        assert_eq!(whole[4..], ["Text 0: ", "Close 5: \u{3}\u{fffd}bye"]);
        for size in 1..20 {
            assert_eq!(read(&mut Reader::client(Extensions::default()), &bytes, size), whole, "in pieces of {size}");
        }
    }

    #[test]
    fn deflated_messages_are_inflated_with_what_came_before_them() {
        let mut compress = Compress::new(Compression::default(), false);
        let text = b"{\"type\":\"negotiate\",\"version\":1}";
        let first = deflated(&mut compress, text);
        let second = deflated(&mut compress, text);
        assert!(second.len() < first.len(), "the second refers to the first");
        let bytes = [
            frame(DEFLATED | 1, false, &first[..5]),
            frame(LAST, false, &first[5..]),
            frame(LAST | 1, false, b"plain"),
            frame(LAST | DEFLATED | 1, false, &second),
        ]
        .concat();
        for size in [1, 3, usize::MAX] {
            let seen =
                read(&mut Reader::server(deflating("permessage-deflate; server_max_window_bits=15")), &bytes, size);
            let texts: Vec<_> = seen.iter().map(|said| said.split_once(": ").unwrap().1).collect();
            assert_eq!(texts, [std::str::from_utf8(text).unwrap(), "plain", std::str::from_utf8(text).unwrap()]);
        }
    }

    #[test]
    fn messages_that_are_each_deflated_by_themselves_are_read_after_one_that_is_broken() {
        let extensions = deflating("permessage-deflate; server_no_context_takeover");
        let fresh = |text: &[u8]| deflated(&mut Compress::new(Compression::default(), false), text);
        let bytes = [
            frame(LAST | DEFLATED | 1, false, &fresh(b"one")),
            frame(LAST | DEFLATED | 1, false, b"\xff\xff\xff"),
            frame(LAST | DEFLATED | 1, false, &fresh(b"two")),
        ]
        .concat();
        let seen = read(&mut Reader::server(extensions), &bytes, 7);
        assert!(seen[0].ends_with(": one") && seen[1].ends_with(": ?") && seen[2].ends_with(": two"), "{seen:?}");
        let seen = read(&mut Reader::server(deflating("permessage-deflate")), &bytes, 7);
        assert!(seen[2].ends_with(": ?"), "what it would refer to is not known: {seen:?}");
    }

    #[test]
    fn a_bomb_is_given_up_and_the_framing_goes_on() {
        let mut compress = Compress::new(Compression::best(), false);
        let mut bomb = Vec::with_capacity(1 << 20);
        compress.compress_vec(&vec![0; 64 << 20], &mut bomb, FlushCompress::Sync).unwrap();
        let bytes = [frame(LAST | DEFLATED | 2, false, &bomb), frame(LAST | 1, false, b"after")].concat();
        let mut reader = Reader::server(deflating("permessage-deflate"));
        let seen = read(&mut reader, &bytes, 16 * 1024);
        assert_eq!(seen, [format!("Binary {}: ?…", bomb.len()), "Text 5: after".to_owned()]);
        assert!(reader.inflater.unwrap().stream.total_out() < 2 << 20);
    }

    #[test]
    fn a_long_message_is_counted_and_its_beginning_kept() {
        let bytes = frame(LAST | 1, true, &vec![b'a'; 100_000]);
        let seen = read(&mut Reader::client(Extensions::default()), &bytes, 9000);
        assert_eq!(seen, [format!("Text 100000: {}…", "a".repeat(KEPT))]);
    }

    #[test]
    fn what_breaks_the_framing_is_said_once() {
        let broken: [&[u8]; 7] = [
            &frame(LAST, false, b"goes on with nothing"),
            &[frame(1, false, b"a"), frame(LAST | 1, false, b"b")].concat(),
            &frame(9, false, b"a ping in parts"),
            &frame(LAST | 9, false, &[0; 126]),
            &frame(LAST | 3, false, b"no such kind"),
            &frame(LAST | DEFLATED | 1, false, b"nobody agreed on that"),
            b"\x81\x7f\xff\xff\xff\xff\xff\xff\xff\xff",
        ];
        for bytes in broken {
            let seen = read(&mut Reader::server(Extensions::default()), &[bytes, b"\x81\x01a"].concat(), usize::MAX);
            assert_eq!(seen, ["BadSocketFrame"], "{}", bytes.escape_ascii());
        }
    }

    proptest! {
        #[test]
        fn never_panics_and_splits_do_not_matter(bytes in prop::collection::vec(any::<u8>(), 0..300), size in 1_usize..40) {
            for extensions in [Extensions::default(), deflating("permessage-deflate"), deflating("x-other")] {
                let whole = read(&mut Reader::client(extensions), &bytes, usize::MAX);
                prop_assert_eq!(whole, read(&mut Reader::client(extensions), &bytes, size));
            }
        }
    }
}
