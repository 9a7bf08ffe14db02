//! Readers without I/O: they are fed bytes and give events.
//!
//! A reader follows a copy of what passes; it never decides what is forwarded. What it cannot follow it calls
//! [`Event::Lost`] and stays quiet from there. The same reader serves live traffic, replayed traffic and the raw
//! messages that people paste.
//!
//! Everything here is unredacted and borrowed: it goes on to `redact`, and nowhere else.

pub mod hello;
mod hpack;
pub mod http1;
pub mod http2;
mod oddity;
pub mod websocket;

use std::fmt;

pub use oddity::{Oddities, Oddity};

/// What a reader saw, in the order of the bytes. Payloads borrow from the bytes fed or from the reader's buffer.
pub enum Event<'a> {
    /// A request's head is complete.
    Request(RequestHead<'a>),
    /// An interim (1xx, not 101) response: the final one is still to come.
    Interim(ResponseHead<'a>),
    /// A final response's head is complete.
    Response(ResponseHead<'a>),
    /// Something about the message at hand that different servers read differently. Comes after its head.
    Odd(Oddity),
    /// Part of a message body, transfer coding removed, content coding not.
    Body(&'a [u8]),
    /// Trailer fields after a chunked body; comes only when there are any.
    Trailers(Fields<'a>),
    /// The message is complete.
    End,
    /// From here the connection carries another protocol (after 101, or 2xx to CONNECT). The bytes follow as
    /// [`Event::Body`].
    Upgraded,
    /// The message ends here, unfinished, by the word of the side that is read (RST_STREAM), with its error code.
    Reset(u32),
    /// The reader cannot follow from here on. Bytes fed later give no events.
    Lost(Loss),
}

/// Why a reader lost its place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Loss {
    /// The first line is no HTTP request line or status line.
    NotHttp,
    /// The head is longer than the reader's bound.
    HeadTooLong,
    /// A chunk size is missing, malformed or larger than 2^60.
    BadChunkSize,
    /// `Content-Length` is malformed, or given twice with different values.
    BadContentLength,
    /// A request whose Transfer-Encoding does not end with `chunked`, or whose framing field has blanks before its
    /// colon: servers differ on where it ends.
    AmbiguousFraming,
    /// A response came that no request asked for.
    UnexpectedResponse,
    /// The connection ended inside a message.
    CutShort,
    /// A frame of HTTP/2 breaks the rules that tell where the next one begins, or stands where none can.
    BadFrame,
    /// A header block of HTTP/2 cannot be decoded, and no later one can.
    BadHeaderBlock,
    /// A header block of HTTP/2 is longer than the reader's bound, so that later ones cannot be decoded.
    BlockTooLong,
    /// HTTP/1 on a connection that both sides agreed to speak HTTP/2 on.
    Http1InHttp2,
    /// More streams are open than the reader follows.
    TooManyStreams,
    /// A frame of a WebSocket breaks the rules that tell which message it belongs to.
    BadSocketFrame,
}

impl Loss {
    /// A short phrase for error texts, without a full stop.
    pub const fn phrase(self) -> &'static str {
        match self {
            Self::NotHttp => "the bytes are not HTTP/1",
            Self::HeadTooLong => "the message head is longer than 256 KiB",
            Self::BadChunkSize => "a chunk size is malformed",
            Self::BadContentLength => "Content-Length is malformed or contradictory",
            Self::AmbiguousFraming => "servers differ on where this request ends",
            Self::UnexpectedResponse => "a response came that no request asked for",
            Self::CutShort => "the connection ended inside the message",
            Self::BadFrame => "a frame is not HTTP/2",
            Self::BadHeaderBlock => "a header block of HTTP/2 cannot be decoded",
            Self::BlockTooLong => "a header block of HTTP/2 is longer than 1 MiB",
            Self::Http1InHttp2 => "HTTP/1 came on a connection that had agreed on HTTP/2",
            Self::TooManyStreams => "more than 4096 streams were open at once",
            Self::BadSocketFrame => "a frame is not WebSocket",
        }
    }
}

impl fmt::Display for Loss {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.phrase())
    }
}

/// A request's first line and fields.
#[derive(Clone, Copy)]
pub struct RequestHead<'a> {
    /// As sent, any letter case.
    pub method: &'a [u8],
    /// Origin, absolute, authority or asterisk form, as sent; `:path` of HTTP/2.
    pub target: &'a [u8],
    /// `HTTP/1.1` as sent; `HTTP/2`.
    pub version: &'a [u8],
    /// `:scheme` of HTTP/2.
    pub scheme: Option<&'a [u8]>,
    /// `:authority` of HTTP/2.
    pub authority: Option<&'a [u8]>,
    /// `:protocol` of HTTP/2: what an extended CONNECT asks for (RFC 8441).
    pub protocol: Option<&'a [u8]>,
    /// The fields in order.
    pub fields: Fields<'a>,
}

/// A response's first line and fields.
#[derive(Clone, Copy)]
pub struct ResponseHead<'a> {
    /// `HTTP/1.1` as sent.
    pub version: &'a [u8],
    /// Three digits.
    pub status: u16,
    /// As sent, may be empty, may hold bytes above 127.
    pub reason: &'a [u8],
    /// The fields in order.
    pub fields: Fields<'a>,
}

/// The fields of a head or of trailers, as sent; iterate to get them one by one.
#[derive(Clone, Copy)]
pub struct Fields<'a>(Form<'a>);

#[derive(Clone, Copy)]
enum Form<'a> {
    /// Field lines of HTTP/1.
    Lines(&'a [u8]),
    /// Decoded fields of HTTP/2: their text, and where each stands in it.
    Decoded(&'a [u8], &'a [hpack::Bounds]),
}

/// One field line: duplicates, order and spelling are kept.
#[derive(Clone, Copy)]
pub struct Field<'a> {
    /// As spelled. A line without a colon is all name.
    pub name: &'a [u8],
    /// Without the blanks at both ends. A folded value (RFC 9112 section 5.2) still holds its line breaks.
    pub value: &'a [u8],
}

impl<'a> Fields<'a> {
    /// Fields of `lines`: field lines separated by CRLF or LF, without the empty line that ends a head.
    pub const fn new(lines: &'a [u8]) -> Self {
        Self(Form::Lines(lines))
    }

    /// The field lines of HTTP/1; nothing of HTTP/2.
    const fn lines(self) -> &'a [u8] {
        match self.0 {
            Form::Lines(lines) => lines,
            Form::Decoded(..) => &[],
        }
    }

    const fn decoded(text: &'a [u8], fields: &'a [hpack::Bounds]) -> Self {
        Self(Form::Decoded(text, fields))
    }

    /// What they are told by: fields of equal pieces are equal.
    pub fn pieces(self) -> impl Iterator<Item = &'a [u8]> {
        let (lines, decoded) = match self.0 {
            Form::Lines(lines) => (Some(lines), None),
            Form::Decoded(..) => (None, Some(self)),
        };
        lines.into_iter().chain(decoded.into_iter().flatten().flat_map(|field| [field.name, field.value]))
    }

    /// How many bytes they take, at least.
    pub const fn length(self) -> usize {
        match self.0 {
            Form::Lines(bytes) | Form::Decoded(bytes, _) => bytes.len(),
        }
    }

    /// The values of all fields called `name`, in any letter case.
    pub fn values(self, name: &'a str) -> impl Iterator<Item = &'a [u8]> {
        self.filter(move |field| field.name.eq_ignore_ascii_case(name.as_bytes())).map(|field| field.value)
    }
}

impl<'a> Iterator for Fields<'a> {
    type Item = Field<'a>;

    fn next(&mut self) -> Option<Field<'a>> {
        match &mut self.0 {
            Form::Lines(lines) => next_line(lines),
            Form::Decoded(text, fields) => loop {
                let (first, rest) = fields.split_first()?;
                *fields = rest;
                let (name, value) = first.of(text);
                // Those that begin so are no fields: they stand in the first line of HTTP/1.
                if !name.starts_with(b":") {
                    return Some(Field { name, value });
                }
            },
        }
    }
}

fn next_line<'a>(lines: &mut &'a [u8]) -> Option<Field<'a>> {
    let line = unfolded_line(lines)?;
    let colon = memchr::memchr(b':', line).unwrap_or(line.len());
    let value = line.get(colon + 1..).unwrap_or_default();
    Some(Field { name: &line[..colon], value: value.trim_ascii() })
}

/// The next field line with those that go on with it; empty lines are passed over.
fn unfolded_line<'a>(lines: &mut &'a [u8]) -> Option<&'a [u8]> {
    loop {
        if lines.is_empty() {
            return None;
        }
        let mut end = line_end(lines, 0);
        while matches!(lines.get(end.next), Some(b' ' | b'\t')) {
            end = line_end(lines, end.next);
        }
        let line = &lines[..end.content];
        *lines = &lines[end.next..];
        if !line.is_empty() {
            return Some(line);
        }
    }
}

struct LineEnd {
    /// Where the line's content ends.
    content: usize,
    /// Where the next line begins.
    next: usize,
}

fn line_end(bytes: &[u8], from: usize) -> LineEnd {
    match memchr::memchr(b'\n', &bytes[from..]) {
        Some(at) => {
            let newline = from + at;
            let content = if newline > from && bytes[newline - 1] == b'\r' { newline - 1 } else { newline };
            LineEnd { content, next: newline + 1 }
        }
        None => LineEnd { content: bytes.len(), next: bytes.len() },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_keep_order_spelling_duplicates_and_folds() {
        let fields = Fields::new(b"hOsT: a\r\nX-A:1\r\nX-A:  2 \r\nFolded: one\r\n two\r\nbare\r\n");
        let seen: Vec<_> = fields.map(|f| (String::from_utf8_lossy(f.name).into_owned(), f.value.to_vec())).collect();
        assert_eq!(
            seen,
            [
                ("hOsT".to_owned(), b"a".to_vec()),
                ("X-A".to_owned(), b"1".to_vec()),
                ("X-A".to_owned(), b"2".to_vec()),
                ("Folded".to_owned(), b"one\r\n two".to_vec()),
                ("bare".to_owned(), b"".to_vec()),
            ]
        );
    }
}
