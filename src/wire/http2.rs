//! HTTP/2 (RFC 9113), followed and not judged.
//!
//! Both directions of a connection are followed together, because the settings of one change how the other encodes its
//! headers. Frames are read as they pass: payloads of DATA are never collected, those of HEADERS up to a bound. What is
//! not understood is skipped as long as its length is known; a header block that cannot be decoded ends the reading,
//! because all later ones build upon it.

mod frame;

use std::collections::HashMap;

use zeroize::Zeroizing;

use self::frame::{Frame, Frames, Kind};
use super::hpack::{Decoder, List};
use super::{Event, Field, Fields, Loss, Oddities, Oddity, RequestHead, ResponseHead};

/// More streams at a time are not followed: servers allow 100 to 256 of them, and each takes memory until it ends.
const STREAMS: usize = 4096;

/// Whose bytes an event was read from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Side {
    /// The client's.
    Client,
    /// The server's.
    Server,
}

/// Something seen.
pub enum Sight<'a> {
    /// On one stream.
    Stream {
        /// Its number.
        id: u32,
        /// Whose bytes.
        side: Side,
        /// What. [`Event::Request`] from the server's side is one that it promises to answer unasked (PUSH_PROMISE).
        event: Event<'a>,
    },
    /// The side ends the connection (GOAWAY): streams above `last` were not served.
    GoAway {
        /// Who says so.
        side: Side,
        /// The last stream that was or may be served.
        last: u32,
        /// An error code of RFC 9113 section 7; 0 is an orderly end.
        code: u32,
    },
    /// The side used up what the other side allows it to send at a time, on the connection or on one stream: it waits.
    Stalled {
        /// Who waits.
        side: Side,
        /// Nothing where it is the connection as a whole.
        stream: Option<u32>,
    },
    /// The connection cannot be followed from here on.
    Lost(Side, Loss),
}

type Sink<'s> = &'s mut dyn FnMut(Sight<'_>);

/// Follows a connection.
pub struct Connection {
    client: Direction,
    server: Direction,
    streams: HashMap<u32, Stream>,
    lost: bool,
}

/// What is followed of one direction.
struct Direction {
    frames: Frames,
    headers: Decoder,
    list: List,
    /// A header block that goes on in CONTINUATION frames.
    open: Option<Block>,
    /// What may still be sent on the connection.
    window: Window,
    /// What may be sent on a new stream, by the other side's settings.
    initial: i64,
}

struct Block {
    begins: Begins,
    /// Credentials stand in it.
    bytes: Zeroizing<Vec<u8>>,
}

/// What the first frame of a header block says of it.
#[derive(Clone, Copy)]
struct Begins {
    stream: u32,
    /// The stream that a PUSH_PROMISE promises.
    promised: Option<u32>,
    end_stream: bool,
}

/// What is followed of one stream.
struct Stream {
    client: Half,
    server: Half,
}

/// One direction of a stream.
struct Half {
    state: State,
    window: Window,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum State {
    /// Before its head.
    Idle,
    /// After its (final) head.
    Body,
    /// Complete, or reset.
    Over,
}

/// Flow control (RFC 9113 section 5.2): how much may still be sent.
#[derive(Clone, Copy)]
struct Window(i64);

/// What both sides may send before any setting.
const WINDOW: i64 = 65_535;

impl Window {
    /// Whether it was used up by this.
    const fn spend(&mut self, bytes: i64) -> bool {
        let before = self.0;
        self.0 -= bytes;
        before > 0 && self.0 <= 0
    }
}

impl Default for Connection {
    fn default() -> Self {
        Self::new()
    }
}

impl Connection {
    /// Follows a connection from its first byte.
    pub fn new() -> Self {
        Self {
            client: Direction::new(Frames::after_preface()),
            server: Direction::new(Frames::new()),
            streams: HashMap::new(),
            lost: false,
        }
    }

    /// Feeds the next bytes of `side`. Splitting them differently gives the same sights, but for the pieces of
    /// [`Event::Body`].
    pub fn read(&mut self, side: Side, bytes: &[u8], sink: Sink<'_>) {
        let mut rest = bytes;
        while !self.lost && !rest.is_empty() {
            let direction = if side == Side::Client { &mut self.client } else { &mut self.server };
            let step = direction.frames.next(rest);
            rest = &rest[step.used..];
            let read = match step.frame {
                Ok(Some(frame)) => self.frame(side, &frame, sink),
                Ok(None) => Ok(()),
                Err(loss) => Err(loss),
            };
            if let Err(loss) = read {
                self.lost = true;
                sink(Sight::Lost(side, loss));
            }
        }
    }

    /// Whether no stream is open and both directions stand between frames.
    pub fn is_idle(&self) -> bool {
        self.streams.is_empty() && self.client.frames.is_between() && self.server.frames.is_between()
    }

    fn of(&mut self, side: Side) -> &mut Direction {
        match side {
            Side::Client => &mut self.client,
            Side::Server => &mut self.server,
        }
    }

    fn frame(&mut self, side: Side, frame: &Frame<'_>, sink: Sink<'_>) -> Result<(), Loss> {
        if self.of(side).open.is_some() && frame.kind != Kind::Continuation {
            return Err(Loss::BadFrame);
        }
        match frame.kind {
            Kind::Data => self.data(side, frame, sink)?,
            Kind::Headers | Kind::PushPromise => {
                let (promised, fragment) = match (frame.kind, frame.payload()?) {
                    (Kind::PushPromise, payload) => {
                        let (number, rest) = payload.split_first_chunk().ok_or(Loss::BadFrame)?;
                        (Some(u32::from_be_bytes(*number) & 0x7fff_ffff), rest)
                    }
                    (_, payload) => (None, payload),
                };
                let end_stream = promised.is_none() && frame.is_end_of_stream();
                let begins = Begins { stream: frame.stream, promised, end_stream };
                if frame.is_end_of_headers() {
                    self.block(side, begins, fragment, sink)?;
                } else {
                    self.of(side).open = Some(Block { begins, bytes: Zeroizing::new(fragment.to_vec()) });
                }
            }
            Kind::Continuation => {
                let mut block = self.of(side).open.take().ok_or(Loss::BadFrame)?;
                if block.begins.stream != frame.stream {
                    return Err(Loss::BadFrame);
                }
                block.extend(frame.payload()?)?;
                if frame.is_end_of_headers() {
                    self.block(side, block.begins, &block.bytes, sink)?;
                } else {
                    self.of(side).open = Some(block);
                }
            }
            Kind::Settings if !frame.is_acknowledgement() => self.settings(side, frame.payload()?),
            Kind::WindowUpdate => self.window_update(side, frame.stream, frame.payload()?),
            Kind::Reset => self.reset(side, frame.stream, frame.payload()?, sink),
            Kind::GoAway => {
                if let Some((last, rest)) = frame.payload()?.split_first_chunk() {
                    let code = rest.first_chunk().map_or(0, |code| u32::from_be_bytes(*code));
                    sink(Sight::GoAway { side, last: u32::from_be_bytes(*last) & 0x7fff_ffff, code });
                }
            }
            Kind::Settings | Kind::Other => {}
        }
        Ok(())
    }

    /// A piece of a DATA frame's payload; the last one may carry the end of the message.
    fn data(&mut self, side: Side, frame: &Frame<'_>, sink: Sink<'_>) -> Result<(), Loss> {
        let id = frame.stream;
        let bytes = i64::from(frame.counted);
        if self.of(side).window.spend(bytes) {
            sink(Sight::Stalled { side, stream: None });
        }
        let Some(stream) = self.streams.get_mut(&id) else { return Ok(()) };
        let half = stream.half(side);
        let ends = frame.last && frame.is_end_of_stream();
        let stalled = half.window.spend(bytes) && !ends;
        if half.state != State::Body {
            return Ok(());
        }
        let payload = frame.payload()?;
        if !payload.is_empty() {
            sink(Sight::Stream { id, side, event: Event::Body(payload) });
        }
        if stalled {
            sink(Sight::Stalled { side, stream: Some(id) });
        }
        if ends {
            half.state = State::Over;
            sink(Sight::Stream { id, side, event: Event::End });
            self.forget_if_over(id);
        }
        Ok(())
    }

    /// A whole header block.
    fn block(&mut self, side: Side, begins: Begins, bytes: &[u8], sink: Sink<'_>) -> Result<(), Loss> {
        let direction = self.of(side);
        let mut list = std::mem::take(&mut direction.list);
        list.clear();
        direction.headers.decode(bytes, &mut list).map_err(|_| Loss::BadHeaderBlock)?;
        self.head(side, begins, &list, sink);
        list.clear();
        self.of(side).list = list;
        Ok(())
    }

    fn head(&mut self, side: Side, block: Begins, list: &List, sink: Sink<'_>) {
        let id = block.promised.unwrap_or(block.stream);
        let begins = side == Side::Client || block.promised.is_some();
        if begins && !self.streams.contains_key(&id) {
            if self.streams.len() >= STREAMS {
                let pseudo = |name: &[u8]| list.value(name);
                let (text, bounds) = list.parts();
                let head = request(&pseudo, Fields::decoded(text, bounds));
                sink(Sight::Stream { id, side, event: Event::Request(head) });
                sink(Sight::Stream { id, side, event: Event::Lost(Loss::TooManyStreams) });
                return;
            }
            let half = |window| Half { state: State::Idle, window: Window(window) };
            self.streams.insert(id, Stream { client: half(self.client.initial), server: half(self.server.initial) });
        }
        let Some(stream) = self.streams.get_mut(&id) else { return };
        let (text, bounds) = list.parts();
        let fields = Fields::decoded(text, bounds);
        let pseudo = |name: &[u8]| list.value(name);
        if block.promised.is_some() {
            // What the server makes the client ask for is complete at once.
            stream.client.state = State::Over;
            sink(Sight::Stream { id, side, event: Event::Request(request(&pseudo, fields)) });
            return;
        }
        let half = stream.half(side);
        let event = match (half.state, side) {
            (State::Idle, Side::Client) => Event::Request(request(&pseudo, fields)),
            (State::Idle, Side::Server) => {
                let status = pseudo(b":status").and_then(|digits| std::str::from_utf8(digits).ok()?.parse().ok());
                let head = ResponseHead { version: VERSION, status: status.unwrap_or(0), reason: b"", fields };
                if matches!(head.status, 100..=199) && !block.end_stream {
                    Event::Interim(head)
                } else {
                    Event::Response(head)
                }
            }
            (State::Body, _) => Event::Trailers(fields),
            (State::Over, _) => return,
        };
        if !matches!(event, Event::Interim(_)) {
            half.state = State::Body;
        }
        sink(Sight::Stream { id, side, event });
        for oddity in oddities(text, fields, pseudo(b":authority")).iter() {
            sink(Sight::Stream { id, side, event: Event::Odd(oddity) });
        }
        if list.is_too_long() {
            sink(Sight::Stream { id, side, event: Event::Lost(Loss::HeadTooLong) });
        }
        if block.end_stream {
            half.state = State::Over;
            sink(Sight::Stream { id, side, event: Event::End });
            self.forget_if_over(id);
        }
    }

    /// What `side` allows the other side to do.
    fn settings(&mut self, side: Side, payload: &[u8]) {
        let other = match side {
            Side::Client => Side::Server,
            Side::Server => Side::Client,
        };
        for setting in payload.chunks_exact(6) {
            let [id1, id2, v1, v2, v3, v4] = *setting else { return };
            let value = u32::from_be_bytes([v1, v2, v3, v4]);
            match u16::from_be_bytes([id1, id2]) {
                HEADER_TABLE_SIZE => self.of(other).headers.allow(value as usize),
                INITIAL_WINDOW_SIZE => {
                    let direction = self.of(other);
                    let change = i64::from(value) - direction.initial;
                    direction.initial = value.into();
                    for stream in self.streams.values_mut() {
                        stream.half(other).window.0 += change;
                    }
                }
                _ => {}
            }
        }
    }

    fn window_update(&mut self, side: Side, stream: u32, payload: &[u8]) {
        let Some(increment) = payload.first_chunk().map(|bytes| u32::from_be_bytes(*bytes) & 0x7fff_ffff) else {
            return;
        };
        let sender = match side {
            Side::Client => Side::Server,
            Side::Server => Side::Client,
        };
        let window = match stream {
            0 => Some(&mut self.of(sender).window),
            id => self.streams.get_mut(&id).map(|stream| &mut stream.half(sender).window),
        };
        if let Some(window) = window {
            window.0 += i64::from(increment);
        }
    }

    fn reset(&mut self, side: Side, stream: u32, payload: &[u8], sink: Sink<'_>) {
        let code = payload.first_chunk().map_or(0, |bytes| u32::from_be_bytes(*bytes));
        if self.streams.remove(&stream).is_some() {
            sink(Sight::Stream { id: stream, side, event: Event::Reset(code) });
        }
    }

    fn forget_if_over(&mut self, id: u32) {
        if self
            .streams
            .get(&id)
            .is_some_and(|stream| stream.client.state == State::Over && stream.server.state == State::Over)
        {
            self.streams.remove(&id);
        }
    }
}

const VERSION: &[u8] = b"HTTP/2";
const HEADER_TABLE_SIZE: u16 = 1;
const INITIAL_WINDOW_SIZE: u16 = 4;

/// A longer header block is not followed: what it would do to the table cannot be known.
const BLOCK_LIMIT: usize = 1 << 20;

impl Block {
    fn extend(&mut self, fragment: &[u8]) -> Result<(), Loss> {
        if self.bytes.len() + fragment.len() > BLOCK_LIMIT {
            return Err(Loss::BlockTooLong);
        }
        self.bytes.extend_from_slice(fragment);
        Ok(())
    }
}

impl Direction {
    const fn new(frames: Frames) -> Self {
        Self { frames, headers: Decoder::new(), list: List::new(), open: None, window: Window(WINDOW), initial: WINDOW }
    }
}

impl Stream {
    const fn half(&mut self, side: Side) -> &mut Half {
        match side {
            Side::Client => &mut self.client,
            Side::Server => &mut self.server,
        }
    }
}

fn request<'a>(pseudo: &dyn Fn(&[u8]) -> Option<&'a [u8]>, fields: Fields<'a>) -> RequestHead<'a> {
    let authority = pseudo(b":authority");
    RequestHead {
        method: pseudo(b":method").unwrap_or_default(),
        target: pseudo(b":path").or(authority).unwrap_or_default(),
        version: VERSION,
        scheme: pseudo(b":scheme"),
        authority,
        protocol: pseudo(b":protocol"),
        fields,
    }
}

/// What servers read differently, above all those behind a front that makes HTTP/1 of it.
fn oddities(text: &[u8], fields: Fields<'_>, authority: Option<&[u8]>) -> Oddities {
    let mut odd = Oddities::NONE;
    if text.iter().any(|byte| *byte < b' ' && *byte != b'\t') {
        odd.add(Oddity::ControlByte);
    }
    let (mut host, mut length) = (authority, None);
    for Field { name, value } in fields {
        let differs = |before: Option<&[u8]>| before.is_some_and(|before| !before.eq_ignore_ascii_case(value));
        match name {
            b"host" if differs(host.replace(value)) => odd.add(Oddity::HostsDiffer),
            b"content-length" => {
                if differs(length.replace(value)) {
                    odd.add(Oddity::LengthsDiffer);
                }
                if value.is_empty() || !value.iter().all(u8::is_ascii_digit) {
                    odd.add(Oddity::LengthMalformed);
                }
            }
            b"transfer-encoding" => odd.add(Oddity::CodingUnknownToVersion),
            _ => {}
        }
    }
    odd
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";
    const END_STREAM: u8 = 1;
    const END_HEADERS: u8 = 4;

    fn frame(kind: u8, flags: u8, stream: u32, payload: &[u8]) -> Vec<u8> {
        let length = u32::try_from(payload.len()).unwrap().to_be_bytes();
        [&length[1..], &[kind, flags], &stream.to_be_bytes(), payload].concat()
    }

    /// Fields as literals that are not indexed.
    fn block(fields: &[(&str, &str)]) -> Vec<u8> {
        let text = |text: &str| [&[u8::try_from(text.len()).unwrap()], text.as_bytes()].concat();
        fields.iter().flat_map(|(name, value)| [vec![0], text(name), text(value)].concat()).collect()
    }

    fn get(stream: u32, flags: u8) -> Vec<u8> {
        let fields = [(":method", "POST"), (":scheme", "https"), (":path", "/ews"), (":authority", "mail.contoso.com")];
        frame(1, END_HEADERS | flags, stream, &block(&[&fields[..], &[("authorization", "Bearer")]].concat()))
    }

    fn answer(stream: u32, status: &str, flags: u8) -> Vec<u8> {
        frame(1, END_HEADERS | flags, stream, &block(&[(":status", status), ("server", "x")]))
    }

    fn said(sight: &Sight<'_>) -> String {
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        let names = |fields: Fields<'_>| fields.map(|field| text(field.name)).collect::<Vec<_>>().join(" ");
        match sight {
            Sight::Stream { id, event, .. } => {
                let event = match event {
                    Event::Request(head) => format!(
                        "{} {}://{}{} [{}]",
                        text(head.method),
                        text(head.scheme.unwrap()),
                        text(head.authority.unwrap()),
                        text(head.target),
                        names(head.fields)
                    ),
                    Event::Interim(head) => format!("interim {}", head.status),
                    Event::Response(head) => format!("{} [{}]", head.status, names(head.fields)),
                    Event::Body(bytes) => format!("body {}", text(bytes)),
                    Event::Trailers(fields) => format!("trailers [{}]", names(*fields)),
                    Event::End => "end".to_owned(),
                    Event::Reset(code) => format!("reset {code}"),
                    Event::Lost(loss) => format!("lost: {loss}"),
                    Event::Upgraded => "upgraded".to_owned(),
                    Event::Odd(oddity) => format!("odd {}", oddity.code()),
                };
                format!("{id}: {event}")
            }
            Sight::GoAway { last, code, .. } => format!("goaway {last} {code}"),
            Sight::Stalled { stream, .. } => format!("stalled {stream:?}"),
            Sight::Lost(_, loss) => format!("lost: {loss}"),
        }
    }

    /// What is seen of these bytes, fed in pieces of `size`; bodies in one piece.
    fn seen(turns: &[(Side, Vec<u8>)], size: usize) -> Vec<String> {
        let mut connection = Connection::new();
        let mut seen: Vec<String> = Vec::new();
        for (side, bytes) in turns {
            for piece in bytes.chunks(size) {
                connection.read(*side, piece, &mut |sight| {
                    let said = said(&sight);
                    match (seen.last_mut(), said.split_once(": body ")) {
                        (Some(last), Some((stream, more))) if last.starts_with(&format!("{stream}: body ")) => {
                            last.push_str(more);
                        }
                        _ => seen.push(said),
                    }
                });
            }
        }
        seen
    }

    fn conversation() -> Vec<(Side, Vec<u8>)> {
        let padded = [&[3][..], b"padded", &[0; 3]].concat();
        let after_priority =
            [&[0; 5][..], &block(&[(":method", "GET"), (":scheme", "https"), (":path", "/")])].concat();
        let client = [
            PREFACE.to_vec(),
            frame(4, 0, 0, b""),
            get(1, 0),
            frame(0, 8, 1, &padded),
            frame(0, END_STREAM, 1, b""),
            frame(1, 0x20 | END_STREAM, 3, &after_priority[..9]),
            frame(9, END_HEADERS, 3, &[&after_priority[9..], &block(&[(":authority", "a")])].concat()),
        ];
        let server = [
            frame(4, 0, 0, b""),
            frame(4, 1, 0, b""),
            answer(1, "103", 0),
            answer(3, "401", END_STREAM),
            answer(1, "200", 0),
            frame(0, 0, 1, b"some "),
            frame(0xbe, 0, 0, b"unknown"),
            frame(0, 0, 1, b"words"),
            frame(1, END_HEADERS | END_STREAM, 1, &block(&[("grpc-status", "0")])),
            frame(7, 0, 0, &[0, 0, 0, 3, 0, 0, 0, 13]),
        ];
        vec![(Side::Client, client.concat()), (Side::Server, server.concat())]
    }

    #[test]
    fn streams_are_told_apart_and_any_split_gives_the_same() {
        let whole = seen(&conversation(), usize::MAX);
        assert_eq!(
            whole,
            [
                "1: POST https://mail.contoso.com/ews [authorization]",
                "1: body padded",
                "1: end",
                "3: GET https://a/ []",
                "3: end",
                "1: interim 103",
                "3: 401 [server]",
                "3: end",
                "1: 200 [server]",
                "1: body some words",
                "1: trailers [grpc-status]",
                "1: end",
                "goaway 3 13",
            ]
        );
        for size in 1..40 {
            assert_eq!(seen(&conversation(), size), whole, "in pieces of {size}");
        }
    }

    #[test]
    fn a_stream_that_ended_leaves_nothing_behind() {
        let mut connection = Connection::new();
        for (side, bytes) in conversation() {
            connection.read(side, &bytes, &mut |_| {});
        }
        assert!(connection.is_idle());
    }

    #[test]
    fn a_reset_ends_its_stream_alone() {
        let turns = [
            (Side::Client, [PREFACE.to_vec(), get(1, END_STREAM), get(3, END_STREAM)].concat()),
            (Side::Server, [frame(3, 0, 1, &[0, 0, 0, 0x0d]), answer(3, "200", END_STREAM)].concat()),
        ];
        assert_eq!(seen(&turns, 7)[4..], ["1: reset 13", "3: 200 [server]", "3: end"]);
    }

    #[test]
    fn a_promised_request_is_one_of_its_own() {
        let promise = [
            &[0, 0, 0, 2][..],
            &block(&[(":method", "GET"), (":scheme", "https"), (":path", "/p"), (":authority", "a")]),
        ];
        let turns = [
            (Side::Client, [PREFACE.to_vec(), get(1, END_STREAM)].concat()),
            (Side::Server, [frame(5, END_HEADERS, 1, &promise.concat()), answer(2, "200", END_STREAM)].concat()),
        ];
        assert_eq!(seen(&turns, 5)[2..], ["2: GET https://a/p []", "2: 200 [server]", "2: end"]);
    }

    #[test]
    fn who_waits_for_leave_to_send_is_said() {
        let small = frame(4, 0, 0, &[0, 4, 0, 0, 0, 4]);
        let update = |stream| frame(8, 0, stream, &[0, 0, 0, 9]);
        let turns = [
            (Side::Client, [PREFACE.to_vec(), small, get(1, END_STREAM)].concat()),
            (Side::Server, [answer(1, "200", 0), frame(0, 0, 1, b"full")].concat()),
            (Side::Client, update(1)),
            (Side::Server, frame(0, END_STREAM, 1, b"all of it")),
        ];
        let seen = seen(&turns, 64);
        assert_eq!(seen[2..5], ["1: 200 [server]", "1: body full", "stalled Some(1)"]);
        assert_eq!(seen[5..], ["1: body all of it", "1: end"]);
    }

    #[test]
    fn what_breaks_the_framing_is_said_once() {
        let cases: [(Side, Vec<u8>, &str); 6] = [
            (
                Side::Client,
                b"GET / HTTP/1.1\r\n\r\n".to_vec(),
                "lost: HTTP/1 came on a connection that had agreed on HTTP/2",
            ),
            (Side::Client, b"\x16\x03\x01 and so on".to_vec(), "lost: a frame is not HTTP/2"),
            (
                Side::Server,
                b"HTTP/1.1 400 Bad Request\r\n\r\n".to_vec(),
                "lost: HTTP/1 came on a connection that had agreed on HTTP/2",
            ),
            (Side::Server, frame(9, 0, 1, b""), "lost: a frame is not HTTP/2"),
            (Side::Server, frame(0, 8, 1, &[9, 0]), "lost: a frame is not HTTP/2"),
            (Side::Server, frame(1, END_HEADERS, 1, b"\x80"), "lost: a header block of HTTP/2 cannot be decoded"),
        ];
        for (side, bytes, expected) in cases {
            let twice = [bytes.clone(), bytes].concat();
            assert_eq!(seen(&[(side, twice)], usize::MAX), [expected]);
        }
    }
}
