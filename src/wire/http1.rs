//! HTTP/1 (RFC 9112), followed and not judged.
//!
//! The reader wants to know where messages begin and end, not whether they are right: odd spelling, bare line feeds,
//! folded lines and unknown methods pass. It gives up only where it can no longer tell what the next byte belongs to.

mod surplus;
mod survey;

use std::collections::VecDeque;

use zeroize::Zeroize;

use self::survey::Survey;
use super::{Event, Fields, Loss, Oddity, RequestHead, ResponseHead, line_end};

/// A longer head is not followed: four times what the largest Kerberos ticket takes, and what no server takes in.
const HEAD_LIMIT: usize = 256 * 1024;
/// A longer method is none: binary protocols without a blank are told by it while their head is still to come.
const METHOD_LIMIT: usize = 64;
/// A longer chunk-size line, extensions included, is not followed: nobody sends extensions, and no reader needs more.
const CHUNK_LINE_LIMIT: usize = 16 * 1024;
/// Chunk sizes have at most this many hexadecimal digits (2^60).
const CHUNK_DIGITS: usize = 15;

/// Follows one direction of a connection.
pub struct Reader {
    side: Side,
    state: State,
    /// The beginning of a head, chunk-size line or trailer that came in pieces.
    partial: Vec<u8>,
    asked: VecDeque<Asked>,
    after: After,
    /// What is read belongs to no message: nothing is told of it.
    in_surplus: bool,
}

/// What is known of the message before, where the next one should begin.
#[derive(Default)]
struct After {
    /// There was one.
    message: bool,
    /// The body that it announced, where it could have none.
    announced: Option<Framing>,
    /// How many bytes of empty lines have come since.
    blank: u64,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Side {
    Requests,
    Responses,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum State {
    /// Before or inside a head.
    Head,
    /// Inside a body of known length.
    Fixed { left: u64 },
    /// Before or inside a chunk-size line.
    ChunkSize,
    /// Inside a chunk.
    Chunk { left: u64 },
    /// Before or inside the line break after a chunk.
    ChunkEnd { cr: bool },
    /// Before or inside the trailers and the empty line after them.
    Trailers,
    /// Inside a body that ends with the connection.
    UntilClose,
    /// Nobody has asked for anything, and bytes come all the same.
    Unasked,
    /// Another protocol.
    Upgraded,
    /// Lost, or closed.
    Over,
}

/// What a response answers; it decides whether a body follows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Asked {
    /// HEAD: no body whatever the fields say.
    Head,
    /// CONNECT: after a 2xx the connection is a tunnel.
    Connect,
    /// Any other method.
    Other,
}

impl Asked {
    /// What a request with this method asks for. Methods are case-sensitive (RFC 9110 section 9.1).
    pub fn by(method: &[u8]) -> Self {
        match method {
            b"HEAD" => Self::Head,
            b"CONNECT" => Self::Connect,
            _ => Self::Other,
        }
    }
}

/// How the body of a message is delimited.
#[derive(Clone, Copy)]
enum Framing {
    None,
    Fixed(u64),
    Chunked,
    UntilClose,
}

/// What became of the bytes fed to one state.
enum Progress {
    /// This many bytes were used; the state may have changed.
    Used(usize),
    /// All bytes were put aside; more are needed.
    NeedMore,
    /// The reader is lost.
    Lost(Loss),
}

type Sink<'s> = &'s mut dyn FnMut(Event<'_>);

impl Reader {
    /// Follows what a client sends.
    pub const fn requests() -> Self {
        Self::new(Side::Requests)
    }

    /// Follows what a server sends. Tell it each request with [`Reader::expect`].
    pub const fn responses() -> Self {
        Self::new(Side::Responses)
    }

    const fn new(side: Side) -> Self {
        let after = After { message: false, announced: None, blank: 0 };
        Self { side, state: State::Head, partial: Vec::new(), asked: VecDeque::new(), after, in_surplus: false }
    }

    /// A request was made that the next unanswered final response belongs to.
    pub fn expect(&mut self, asked: Asked) {
        self.asked.push_back(asked);
        if self.state == State::Unasked {
            self.state = State::Head;
        }
    }

    /// The other direction was upgraded: what follows is no HTTP here either.
    pub fn upgrade(&mut self) {
        self.state = State::Upgraded;
    }

    /// Whether the reader stands between two messages.
    pub fn is_between_messages(&self) -> bool {
        self.state == State::Head && self.partial.is_empty() || self.state == State::Unasked
    }

    /// Feeds the next bytes; `sink` gets the events in order. Splitting the bytes differently gives the same events,
    /// but for the pieces of [`Event::Body`].
    pub fn read(&mut self, bytes: &[u8], sink: Sink<'_>) {
        let mut rest = bytes;
        while !rest.is_empty() {
            match self.step(rest, sink) {
                Progress::Used(used) => rest = &rest[used..],
                Progress::NeedMore => return,
                Progress::Lost(loss) => return self.lose(loss, sink),
            }
        }
    }

    /// Feeds bytes up to the end of one message, for those who must know where it ends; returns how many were used.
    pub fn read_message(&mut self, bytes: &[u8], sink: Sink<'_>) -> usize {
        let mut ended = false;
        let mut rest = bytes;
        while !rest.is_empty() && !ended {
            let step = self.step(rest, &mut |event| {
                ended = matches!(event, Event::End);
                sink(event);
            });
            match step {
                Progress::Used(used) => rest = &rest[used..],
                Progress::NeedMore => return bytes.len(),
                Progress::Lost(loss) => {
                    self.lose(loss, sink);
                    return bytes.len();
                }
            }
        }
        bytes.len() - rest.len()
    }

    /// The connection ended: completes a body that runs to the end of the connection; gives [`Loss::CutShort`] inside
    /// any other message.
    pub fn close(&mut self, sink: Sink<'_>) {
        match self.state {
            State::UntilClose | State::Upgraded => sink(Event::End),
            State::Over | State::Unasked => {}
            State::Head if self.partial.is_empty() => {}
            _ if self.in_surplus => {}
            _ => return self.lose(Loss::CutShort, sink),
        }
        self.state = State::Over;
    }

    fn lose(&mut self, loss: Loss, sink: Sink<'_>) {
        self.state = State::Over;
        self.forget_partial();
        sink(Event::Lost(loss));
    }

    fn step(&mut self, bytes: &[u8], sink: Sink<'_>) -> Progress {
        if self.in_surplus {
            return self.pass_over(bytes);
        }
        match self.state {
            State::Head => self.head(bytes, sink),
            State::Fixed { left } => {
                let take = bytes.len().min(usize::try_from(left).unwrap_or(usize::MAX));
                sink(Event::Body(&bytes[..take]));
                self.state = State::Fixed { left: left - take as u64 };
                if left == take as u64 {
                    self.end(sink);
                }
                Progress::Used(take)
            }
            State::ChunkSize => self.chunk_size(bytes, sink),
            State::Chunk { left } => {
                let take = bytes.len().min(usize::try_from(left).unwrap_or(usize::MAX));
                sink(Event::Body(&bytes[..take]));
                let left = left - take as u64;
                self.state = if left == 0 { State::ChunkEnd { cr: false } } else { State::Chunk { left } };
                Progress::Used(take)
            }
            State::ChunkEnd { cr } => match bytes[0] {
                b'\r' if !cr => {
                    self.state = State::ChunkEnd { cr: true };
                    Progress::Used(1)
                }
                b'\n' => {
                    if !cr {
                        sink(Event::Odd(Oddity::ChunkLine));
                    }
                    self.state = State::ChunkSize;
                    Progress::Used(1)
                }
                _ => Progress::Lost(Loss::BadChunkSize),
            },
            State::Trailers => self.trailers(bytes, sink),
            State::UntilClose | State::Upgraded => {
                sink(Event::Body(bytes));
                Progress::Used(bytes.len())
            }
            State::Unasked | State::Over => Progress::Used(bytes.len()),
        }
    }

    fn end(&mut self, sink: Sink<'_>) {
        self.state = State::Head;
        (self.after.message, self.after.blank) = (true, 0);
        sink(Event::End);
    }

    fn head(&mut self, bytes: &[u8], sink: Sink<'_>) -> Progress {
        if self.partial.is_empty() {
            // Empty lines before a message are left over from the one before (RFC 9112 section 2.2).
            let blank = bytes.iter().take_while(|byte| matches!(byte, b'\r' | b'\n')).count();
            if blank > 0 {
                self.after.blank += blank as u64;
                return Progress::Used(blank);
            }
            let seen = &bytes[..bytes.len().min(HEAD_LIMIT)];
            if !may_be_head(self.side, seen) {
                return self.surplus(0, sink);
            }
            if let Some(end) = head_end(seen, 0) {
                return match self.complete_head(&bytes[..end], sink) {
                    Ok(()) => Progress::Used(end),
                    Err(loss) => Progress::Lost(loss),
                };
            }
        }
        let known = self.partial.len();
        let whole = self.put_aside(bytes, HEAD_LIMIT);
        if !may_be_head(self.side, &self.partial) {
            return self.surplus(known, sink);
        }
        match head_end(&self.partial, known.saturating_sub(3)) {
            Some(end) => {
                let mut head = std::mem::take(&mut self.partial);
                let completed = self.complete_head(&head[..end], sink);
                head.zeroize();
                match completed {
                    Ok(()) => Progress::Used(end - known),
                    Err(loss) => Progress::Lost(loss),
                }
            }
            None if whole => Progress::NeedMore,
            None => Progress::Lost(self.head_too_long(sink)),
        }
    }

    /// Says what has come of a head that is too long: its first line and the fields that are complete.
    fn head_too_long(&mut self, sink: Sink<'_>) -> Loss {
        let mut head = std::mem::take(&mut self.partial);
        let lines = memchr::memrchr(b'\n', &head).map_or(0, |newline| newline + 1);
        let first = line_end(&head[..lines], 0);
        let (line, fields) = (&head[..first.content], Fields::new(&head[first.next..lines]));
        match self.side {
            Side::Requests => {
                if let Some(request) = request_line(line, fields) {
                    sink(Event::Request(request));
                }
            }
            Side::Responses => {
                if let Some(response) = status_line(line, fields).filter(|_| self.asked.pop_front().is_some()) {
                    sink(Event::Response(response));
                }
            }
        }
        head.zeroize();
        Loss::HeadTooLong
    }

    fn complete_head(&mut self, head: &[u8], sink: Sink<'_>) -> Result<(), Loss> {
        let first = line_end(head, 0);
        let line = &head[..first.content];
        let fields = Fields::new(&head[first.next..]);
        match self.side {
            Side::Requests => {
                let request = request_line(line, fields).ok_or(Loss::NotHttp)?;
                let asked = Asked::by(request.method);
                let survey = Survey::of(head, line, fields);
                let framing = survey.request_framing();
                sink(Event::Request(request));
                survey.tell(sink);
                // What follows a CONNECT belongs to the tunnel; it has no body (RFC 9110 section 9.3.6).
                let framing = framing?;
                self.begin_body(if asked == Asked::Connect { Framing::None } else { framing }, sink);
            }
            Side::Responses => {
                let response = status_line(line, fields).ok_or(Loss::NotHttp)?;
                self.response(response, Survey::of(head, line, fields), sink)?;
            }
        }
        Ok(())
    }

    fn response(&mut self, response: ResponseHead<'_>, mut survey: Survey, sink: Sink<'_>) -> Result<(), Loss> {
        if matches!(response.status, 100 | 102..=199) {
            survey.has_no_body();
            sink(Event::Interim(response));
            survey.tell(sink);
            return Ok(());
        }
        let asked = self.asked.pop_front().ok_or(Loss::UnexpectedResponse)?;
        let upgraded = response.status == 101 || asked == Asked::Connect && matches!(response.status, 200..=299);
        self.after.announced = survey.response_framing().ok();
        let framing = match response.status {
            204 => Ok(survey.has_no_body()),
            _ if upgraded => Ok(survey.has_no_body()),
            _ if asked == Asked::Head => Ok(Framing::None),
            304 => Ok(Framing::None),
            _ => survey.response_framing(),
        };
        sink(Event::Response(response));
        survey.tell(sink);
        let framing = framing?;
        if upgraded {
            self.state = State::Upgraded;
            sink(Event::Upgraded);
        } else {
            self.begin_body(framing, sink);
        }
        Ok(())
    }

    fn begin_body(&mut self, framing: Framing, sink: Sink<'_>) {
        if !matches!(framing, Framing::None) {
            self.after.announced = None;
        }
        self.state = match framing {
            Framing::None | Framing::Fixed(0) => return self.end(sink),
            Framing::Fixed(left) => State::Fixed { left },
            Framing::Chunked => State::ChunkSize,
            Framing::UntilClose => State::UntilClose,
        };
    }

    fn chunk_size(&mut self, bytes: &[u8], sink: Sink<'_>) -> Progress {
        let Some(newline) = memchr::memchr(b'\n', bytes) else {
            let whole = self.put_aside(bytes, CHUNK_LINE_LIMIT);
            return if whole { Progress::NeedMore } else { Progress::Lost(Loss::BadChunkSize) };
        };
        let size = if self.partial.is_empty() {
            chunk_size(&bytes[..newline])
        } else if self.put_aside(&bytes[..newline], CHUNK_LINE_LIMIT) {
            let size = chunk_size(&self.partial);
            self.forget_partial();
            size
        } else {
            None
        };
        let Some((size, odd)) = size else { return Progress::Lost(Loss::BadChunkSize) };
        if odd {
            sink(Event::Odd(Oddity::ChunkLine));
        }
        self.state = if size == 0 { State::Trailers } else { State::Chunk { left: size } };
        Progress::Used(newline + 1)
    }

    fn trailers(&mut self, bytes: &[u8], sink: Sink<'_>) -> Progress {
        let known = self.partial.len();
        let whole = self.put_aside(bytes, HEAD_LIMIT);
        let end = match self.partial.as_slice() {
            [b'\n', ..] => Some(1),
            [b'\r', b'\n', ..] => Some(2),
            partial => head_end(partial, known.saturating_sub(3)),
        };
        let Some(end) = end else {
            return if whole { Progress::NeedMore } else { Progress::Lost(Loss::HeadTooLong) };
        };
        if end > 2 {
            sink(Event::Trailers(Fields::new(&self.partial[..end])));
        }
        self.forget_partial();
        self.end(sink);
        Progress::Used(end - known)
    }

    /// Keeps bytes until more have come; whether all of them had room.
    fn put_aside(&mut self, bytes: &[u8], limit: usize) -> bool {
        let room = limit.saturating_sub(self.partial.len());
        self.partial.extend_from_slice(&bytes[..bytes.len().min(room)]);
        bytes.len() <= room
    }

    fn forget_partial(&mut self) {
        self.partial.zeroize();
        self.partial = Vec::new();
    }
}

impl Drop for Reader {
    fn drop(&mut self) {
        self.partial.zeroize();
    }
}

/// Where the empty line that ends a head ends; looks at line breaks from `from` on.
pub fn head_end(bytes: &[u8], from: usize) -> Option<usize> {
    memchr::memchr_iter(b'\n', &bytes[from..]).map(|at| from + at).find_map(|newline| match &bytes[newline + 1..] {
        [b'\n', ..] => Some(newline + 2),
        [b'\r', b'\n', ..] => Some(newline + 3),
        _ => None,
    })
}

/// Whether `bytes` can be the beginning of a head: tells binary protocols at their first byte.
fn may_be_head(side: Side, bytes: &[u8]) -> bool {
    match side {
        Side::Responses => bytes.iter().zip(b"HTTP/").all(|(byte, expected)| byte == expected),
        Side::Requests => {
            let method = bytes.split(|byte| *byte == b' ').next().unwrap_or_default();
            method.len() <= METHOD_LIMIT && method.iter().all(|byte| is_token_byte(*byte))
        }
    }
}

/// Whether a method or a field name may hold this byte (RFC 9110 section 5.6.2).
pub const fn is_token_byte(byte: u8) -> bool {
    TOKEN[byte as usize]
}

const TOKEN: [bool; 256] = {
    let mut token = [false; 256];
    let mut byte: u8 = 0;
    while byte < 128 {
        token[byte as usize] = byte.is_ascii_alphanumeric()
            || matches!(
                byte,
                b'!' | b'#' | b'$' | b'%' | b'&' | b'\'' | b'*' | b'+' | b'-' | b'.' | b'^' | b'_' | b'`' | b'|' | b'~'
            );
        byte += 1;
    }
    token
};

/// A byte that has no place in a head but at the ends of its lines.
const fn is_control(byte: u8) -> bool {
    (byte < b' ' && byte != b'\t') || byte == 0x7f
}

fn request_line<'a>(line: &'a [u8], fields: Fields<'a>) -> Option<RequestHead<'a>> {
    let first = memchr::memchr(b' ', line)?;
    let last = memchr::memrchr(b' ', line)?;
    let (method, version) = (&line[..first], &line[last + 1..]);
    let target = line.get(first + 1..last)?.trim_ascii();
    let valid = (1..=METHOD_LIMIT).contains(&method.len())
        && method.iter().all(|byte| is_token_byte(*byte))
        && version.starts_with(b"HTTP/1.")
        && !target.is_empty();
    valid.then_some(RequestHead { method, target, version, scheme: None, authority: None, protocol: None, fields })
}

fn status_line<'a>(line: &'a [u8], fields: Fields<'a>) -> Option<ResponseHead<'a>> {
    let first = memchr::memchr(b' ', line)?;
    let (version, rest) = (&line[..first], line[first + 1..].trim_ascii_start());
    let digits = rest.get(..3)?;
    let status = std::str::from_utf8(digits).ok()?.parse().ok()?;
    let valid = version.starts_with(b"HTTP/")
        && digits.iter().all(u8::is_ascii_digit)
        && matches!(rest.get(3), None | Some(b' '))
        && status >= 100;
    valid.then_some(ResponseHead { version, status, reason: rest.get(4..).unwrap_or_default(), fields })
}

fn chunk_size(line: &[u8]) -> Option<(u64, bool)> {
    let (line, crlf) = line.strip_suffix(b"\r").map_or((line, false), |line| (line, true));
    let written = line.split(|byte| *byte == b';').next().unwrap_or_default();
    let size = written.trim_ascii();
    if size.is_empty() || size.len() > CHUNK_DIGITS || !size.iter().all(u8::is_ascii_hexdigit) {
        return None;
    }
    let odd = !crlf || size.len() < written.len() || line.iter().any(|byte| is_control(*byte));
    Some((u64::from_str_radix(std::str::from_utf8(size).ok()?, 16).ok()?, odd))
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// The events as text; body pieces joined.
    fn events(reader: &mut Reader, pieces: &[&[u8]], close: bool) -> Vec<String> {
        let mut events: Vec<String> = Vec::new();
        let mut sink = |event: Event<'_>| {
            let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
            let names = |fields: Fields<'_>| fields.map(|f| text(f.name)).collect::<Vec<_>>().join(",");
            match event {
                Event::Request(head) => {
                    events.push(format!("{} {} [{}]", text(head.method), text(head.target), names(head.fields)));
                }
                Event::Interim(head) => events.push(format!("interim {}", head.status)),
                Event::Response(head) => {
                    events.push(format!("{} '{}' [{}]", head.status, text(head.reason), names(head.fields)));
                }
                Event::Body(bytes) => match events.last_mut().filter(|last| last.starts_with("body:")) {
                    Some(last) => last.push_str(&text(bytes)),
                    None => events.push(format!("body:{}", text(bytes))),
                },
                Event::Trailers(fields) => events.push(format!("trailers [{}]", names(fields))),
                Event::End => events.push("end".into()),
                Event::Upgraded => events.push("upgraded".into()),
                Event::Lost(loss) => events.push(format!("lost: {loss}")),
                Event::Reset(code) => events.push(format!("reset {code}")),
                Event::Odd(oddity) => events.push(format!("odd: {}", oddity.code())),
            }
        };
        for piece in pieces {
            reader.read(piece, &mut sink);
        }
        if close {
            reader.close(&mut sink);
        }
        events
    }

    fn responses(asked: &[Asked]) -> Reader {
        let mut reader = Reader::responses();
        for one in asked {
            reader.expect(*one);
        }
        reader
    }

    #[test]
    fn pipelined_requests_come_apart() {
        let bytes = b"POST /a HTTP/1.1\r\nContent-Length: 3\r\n\r\nabc\r\nGET /b HTTP/1.1\r\nhOst: x\r\n\r\n";
        assert_eq!(
            events(&mut Reader::requests(), &[bytes], true),
            ["POST /a [Content-Length]", "body:abc", "end", "GET /b [hOst]", "end"]
        );
    }

    #[test]
    fn chunked_with_extensions_and_trailers() {
        let bytes =
            b"HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip, chunked\r\n\r\n4;n=\"v\"\r\nWiki\r\n0;x\r\nA: 1\r\n\r\n";
        assert_eq!(
            events(&mut responses(&[Asked::Other]), &[bytes], true),
            ["200 'OK' [Transfer-Encoding]", "body:Wiki", "trailers [A]", "end"]
        );
    }

    #[test]
    fn interim_responses_do_not_answer() {
        let bytes = b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 401 \r\nContent-Length: 0\r\n\r\n";
        assert_eq!(
            events(&mut responses(&[Asked::Other]), &[bytes], true),
            ["interim 100", "401 '' [Content-Length]", "end"]
        );
    }

    #[test]
    fn head_and_304_have_no_body() {
        let bytes =
            b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nHTTP/1.1 304 Not Modified\r\nContent-Length: 9\r\n\r\n";
        assert_eq!(
            events(&mut responses(&[Asked::Head, Asked::Other]), &[bytes], true),
            ["200 'OK' [Content-Length]", "end", "304 'Not Modified' [Content-Length]", "end"]
        );
    }

    #[test]
    fn a_body_may_run_to_the_end_of_the_connection() {
        let bytes = b"HTTP/1.0 200 OK\r\n\r\nabc";
        assert_eq!(events(&mut responses(&[Asked::Other]), &[bytes], true), ["200 'OK' []", "body:abc", "end"]);
    }

    #[test]
    fn upgrade_and_connect_end_http() {
        let bytes = b"HTTP/1.1 101 Switching Protocols\r\n\r\n\x81\x00";
        let seen = events(&mut responses(&[Asked::Other]), &[bytes], true);
        assert_eq!(seen, ["101 'Switching Protocols' []", "upgraded", "body:\u{fffd}\0", "end"]);
        let bytes = b"HTTP/1.1 407 No\r\nContent-Length: 0\r\n\r\nHTTP/1.1 200 OK\r\n\r\nx";
        let seen = events(&mut responses(&[Asked::Connect, Asked::Connect]), &[bytes], true);
        assert_eq!(seen, ["407 'No' [Content-Length]", "end", "200 'OK' []", "upgraded", "body:x", "end"]);
    }

    #[test]
    fn says_what_it_cannot_follow() {
        let lost = |mut reader: Reader, bytes: &[u8]| events(&mut reader, &[bytes], true).pop().unwrap();
        assert_eq!(lost(Reader::requests(), b"\x16\x03\x01"), "lost: the bytes are not HTTP/1");
        assert_eq!(lost(Reader::requests(), b"GET / HTTP/2.0\r\n\r\n"), "lost: the bytes are not HTTP/1");
        assert_eq!(lost(responses(&[Asked::Other]), b"SSH-2.0"), "lost: the bytes are not HTTP/1");
        let two = b"POST / HTTP/1.1\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n";
        assert_eq!(lost(Reader::requests(), two), "lost: Content-Length is malformed or contradictory");
        let chunk = b"POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n";
        assert_eq!(lost(Reader::requests(), chunk), "lost: a chunk size is malformed");
        let unasked = lost(responses(&[]), b"HTTP/1.1 408 Timeout\r\n\r\n");
        assert_eq!(unasked, "lost: a response came that no request asked for");
        let cut = b"POST / HTTP/1.1\r\nContent-Length: 5\r\n\r\nab";
        assert_eq!(lost(Reader::requests(), cut), "lost: the connection ended inside the message");
        let mut long = b"GET / HTTP/1.1\r\nA: ".to_vec();
        long.resize(HEAD_LIMIT + 1, b'a');
        assert_eq!(lost(Reader::requests(), &long), "lost: the message head is longer than 256 KiB");
    }

    proptest! {
        #[test]
        fn never_panics_and_splits_do_not_matter(
            bytes in prop_oneof![
                prop::collection::vec(any::<u8>(), 0..200),
                prop::collection::vec(prop::sample::select(&b"GET /HTP1.0:\r\n\r\n\r\n5;chunkedTransfer-Encoding: 2"[..]), 0..200),
                Just(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nWiki\r\n0\r\nA: 1\r\nB: 2\r\n\r\nHTTP/1.1 204 \n\n".to_vec()),
                Just(b"POST / HTTP/1.1\nA: b\n c\nContent-Length: 3\n\nabcGET / HTTP/1.0\r\n\r\n".to_vec()),
            ],
            cuts in prop::collection::vec(any::<prop::sample::Index>(), 0..6),
        ) {
            let mut at: Vec<usize> = cuts.iter().map(|cut| cut.index(bytes.len() + 1)).collect();
            at.extend([0, bytes.len()]);
            at.sort_unstable();
            let pieces: Vec<&[u8]> = at.windows(2).map(|pair| &bytes[pair[0]..pair[1]]).collect();
            for make in [Reader::requests, || responses(&[Asked::Other, Asked::Other])] {
                let whole = events(&mut make(), &[&bytes], true);
                prop_assert_eq!(&whole, &events(&mut make(), &pieces, true));
            }
        }
    }
}
