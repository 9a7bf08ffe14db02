//! What a head says of the body behind it, and what in the head is read differently by different servers.
//!
//! One pass over the lines and one over the bytes; nothing is copied.

use super::{Framing, Sink, is_control, is_token_byte};
use crate::wire::{Event, Fields, Loss, Oddities, Oddity, unfolded_line};

/// A head, looked over once.
pub(super) struct Survey {
    odd: Oddities,
    coding: Coding,
    length: Length,
    /// A field that frames has blanks before its colon: to some servers it is another field.
    disguised: bool,
}

/// What Transfer-Encoding says.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Coding {
    Absent,
    /// `identity`, of which RFC 2616 said that it changes nothing.
    Identity,
    Chunked,
    Other,
}

/// What Content-Length says.
#[derive(Clone, Copy)]
enum Length {
    Absent,
    Known(u64),
    Unknown,
}

impl Survey {
    /// Of the bytes `head`, which consist of the first `line` and of `fields`.
    pub(super) fn of(head: &[u8], line: &[u8], fields: Fields<'_>) -> Self {
        let mut survey = Self { odd: Oddities::NONE, coding: Coding::Absent, length: Length::Absent, disguised: false };
        let (mut hosts, mut count) = (0_usize, 0);
        let mut rest = fields.lines();
        while let Some(line) = unfolded_line(&mut rest) {
            count += 1;
            let Some(colon) = memchr::memchr(b':', line) else {
                survey.odd.add(Oddity::FieldName);
                continue;
            };
            let (written, value) = (&line[..colon], &line[colon + 1..]);
            let name = written.trim_ascii_end();
            if name.len() < written.len() {
                survey.odd.add(Oddity::SpaceBeforeColon);
            }
            if name.is_empty() || !name.iter().all(|byte| is_token_byte(*byte)) {
                survey.odd.add(Oddity::FieldName);
            }
            // By length first: the names of three fields matter, and a head has many.
            match name.len() {
                4 if name.eq_ignore_ascii_case(b"host") => hosts += 1,
                14 if name.eq_ignore_ascii_case(b"content-length") => {
                    survey.disguised |= name.len() < written.len();
                    survey.read_length(value.trim_ascii());
                }
                17 if name.eq_ignore_ascii_case(b"transfer-encoding") => {
                    survey.disguised |= name.len() < written.len();
                    survey.read_coding(value.trim_ascii());
                }
                _ => {}
            }
        }
        if hosts > 1 && !line.starts_with(b"HTTP/") {
            survey.odd.add(Oddity::HostsDiffer);
        }
        survey.look_at_bytes(head, count);
        survey.look_at_first_line(line);
        survey.look_at_framing(line);
        survey
    }

    /// The oddities, for the reader's sink.
    pub(super) fn tell(&self, sink: Sink<'_>) {
        if !self.odd.is_empty() {
            self.odd.iter().for_each(|oddity| sink(Event::Odd(oddity)));
        }
    }

    /// RFC 9112 section 6.3 for requests. Where both are given, Transfer-Encoding wins.
    pub(super) const fn request_framing(&self) -> Result<Framing, Loss> {
        match (self.coding, self.length) {
            _ if self.disguised => Err(Loss::AmbiguousFraming),
            (Coding::Chunked, _) => Ok(Framing::Chunked),
            (Coding::Other, _) => Err(Loss::AmbiguousFraming),
            (_, Length::Unknown) => Err(Loss::BadContentLength),
            (_, Length::Known(length)) => Ok(Framing::Fixed(length)),
            (_, Length::Absent) => Ok(Framing::None),
        }
    }

    /// The same for responses. Blanks before a colon are to be overlooked in them (RFC 9112 section 5.1).
    pub(super) const fn response_framing(&self) -> Result<Framing, Loss> {
        match (self.coding, self.length) {
            (Coding::Chunked, _) => Ok(Framing::Chunked),
            (Coding::Other, _) | (_, Length::Absent) => Ok(Framing::UntilClose),
            (_, Length::Unknown) => Err(Loss::BadContentLength),
            (_, Length::Known(length)) => Ok(Framing::Fixed(length)),
        }
    }

    /// No body can follow, whatever is said.
    pub(super) const fn has_no_body(&mut self) -> Framing {
        if self.coding as u8 != Coding::Absent as u8 || !matches!(self.length, Length::Absent | Length::Known(0)) {
            self.odd.add(Oddity::FramingWithoutBody);
        }
        Framing::None
    }

    fn read_length(&mut self, value: &[u8]) {
        for digits in value.split(|byte| *byte == b',') {
            let length = number(digits.trim_ascii());
            if length.is_none() {
                self.odd.add(Oddity::LengthMalformed);
            }
            self.length = match (self.length, length) {
                (Length::Absent, Some(length)) => Length::Known(length),
                (Length::Known(before), Some(length)) if before == length => {
                    self.odd.add(Oddity::LengthRepeated);
                    Length::Known(length)
                }
                (Length::Absent, None) => Length::Unknown,
                (Length::Known(_) | Length::Unknown, _) => {
                    self.odd.add(Oddity::LengthsDiffer);
                    Length::Unknown
                }
            };
        }
    }

    fn read_coding(&mut self, value: &[u8]) {
        if self.coding != Coding::Absent {
            self.odd.add(Oddity::CodingRepeated);
        }
        let mut codings = value.split(|byte| *byte == b',').map(<[u8]>::trim_ascii);
        let last = codings.next_back().unwrap_or_default();
        if codings.any(|coding| coding.eq_ignore_ascii_case(b"chunked")) {
            self.odd.add(Oddity::CodingRepeated);
        }
        self.coding = match last {
            last if last.eq_ignore_ascii_case(b"chunked") => Coding::Chunked,
            last if last.eq_ignore_ascii_case(b"identity")
                && self.coding == Coding::Absent
                && last.len() == value.len() =>
            {
                Coding::Identity
            }
            _ => Coding::Other,
        };
    }

    /// Of a usual head, every control byte belongs to one of as many line ends as there are lines.
    fn look_at_bytes(&mut self, head: &[u8], fields: usize) {
        let mut counts = Counts::default();
        // Short runs, so that the counters of a run are bytes and the loop is one of wide registers.
        for run in head.chunks(255) {
            counts.add(run);
        }
        let pairs = memchr::memmem::find_iter(head, b"\r\n").count();
        if counts.line_feeds > pairs {
            self.odd.add(Oddity::BareLineFeed);
        }
        if counts.controls > counts.line_feeds + pairs {
            self.odd.add(Oddity::ControlByte);
        }
        // The first line and the empty one are no fields.
        if counts.line_feeds > fields + 2 {
            self.odd.add(Oddity::FoldedField);
        }
    }

    fn look_at_first_line(&mut self, line: &[u8]) {
        let is_response = line.starts_with(b"HTTP/");
        let odd = if is_response {
            let code = memchr::memchr(b' ', line).map(|blank| &line[blank + 1..]);
            code.is_some_and(|code| code.first() == Some(&b' '))
        } else {
            memchr::memchr_iter(b' ', line).count() != 2
        };
        if odd || (!is_response && line.contains(&b'\t')) {
            self.odd.add(Oddity::FirstLine);
        }
    }

    fn look_at_framing(&mut self, line: &[u8]) {
        if self.coding == Coding::Absent {
            return;
        }
        if !matches!(self.length, Length::Absent) {
            self.odd.add(Oddity::LengthAndCoding);
        }
        if self.coding != Coding::Chunked {
            self.odd.add(Oddity::ChunkedNotLast);
        }
        if line.starts_with(b"HTTP/1.0") || line.ends_with(b"HTTP/1.0") {
            self.odd.add(Oddity::CodingUnknownToVersion);
        }
    }
}

#[derive(Default)]
struct Counts {
    line_feeds: usize,
    controls: usize,
}

impl Counts {
    fn add(&mut self, run: &[u8]) {
        let (mut line_feeds, mut controls) = (0_u8, 0_u8);
        for byte in run {
            line_feeds += u8::from(*byte == b'\n');
            controls += u8::from(is_control(*byte));
        }
        self.line_feeds += usize::from(line_feeds);
        self.controls += usize::from(controls);
    }
}

fn number(digits: &[u8]) -> Option<u64> {
    if digits.is_empty() || !digits.iter().all(u8::is_ascii_digit) {
        return None;
    }
    std::str::from_utf8(digits).ok()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::super::Reader;
    use super::*;

    /// The oddities of a request's head, and where its reading leads.
    fn request(head: &str) -> (String, String) {
        said(Reader::requests(), head)
    }

    fn response(head: &str) -> (String, String) {
        let mut reader = Reader::responses();
        reader.expect(super::super::Asked::Other);
        said(reader, head)
    }

    fn said(mut reader: Reader, head: &str) -> (String, String) {
        let (mut odd, mut end) = (Oddities::NONE, "open".to_owned());
        reader.read(head.as_bytes(), &mut |event| match event {
            Event::Odd(oddity) => odd.add(oddity),
            Event::End => end = "end".to_owned(),
            Event::Lost(loss) => end = format!("{loss:?}"),
            _ => {}
        });
        (odd.codes(), end)
    }

    #[test]
    fn a_usual_head_has_nothing_odd() {
        let head = "POST /EWS HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\nX-Empty:\r\nX-Tab: a\tb\r\n\r\n";
        assert_eq!(request(head), (String::new(), "end".to_owned()));
        let head = "HTTP/1.1 401\r\nTransfer-Encoding: gzip, Chunked\r\nX: caf\u{e9}\r\n\r\n0\r\n\r\n";
        assert_eq!(response(head), (String::new(), "end".to_owned()));
    }

    #[test]
    fn what_servers_read_differently_is_named() {
        let cases = [
            ("Content-Length: 3\r\nTransfer-Encoding: chunked", "length-and-coding", "open"),
            ("Content-Length: 3\r\nContent-Length: 4", "lengths-differ", "BadContentLength"),
            ("Content-Length: 3, 4", "lengths-differ", "BadContentLength"),
            ("Content-Length: 3\r\nContent-Length: 3", "length-repeated", "open"),
            ("Content-Length: +3", "length-malformed", "BadContentLength"),
            ("Content-Length: 0x3", "length-malformed", "BadContentLength"),
            ("Content-Length: 99999999999999999999", "length-malformed", "BadContentLength"),
            ("Content-Length:", "length-malformed", "BadContentLength"),
            ("Content-Length : 3", "space-before-colon", "AmbiguousFraming"),
            ("X-A : 3", "space-before-colon", "end"),
            ("Transfer-Encoding: xchunked", "chunked-not-last", "AmbiguousFraming"),
            ("Transfer-Encoding: chunked, identity", "chunked-not-last coding-repeated", "AmbiguousFraming"),
            ("Transfer-Encoding: identity", "chunked-not-last", "end"),
            (
                "Transfer-Encoding: chunked\r\nTransfer-Encoding: x",
                "chunked-not-last coding-repeated",
                "AmbiguousFraming",
            ),
            ("Transfer-Encoding: chunked, chunked", "coding-repeated", "open"),
            ("Transfer-Encoding:\r\n chunked", "folded-field", "open"),
            ("Transfer-Encoding: \u{b}chunked", "chunked-not-last control-byte", "AmbiguousFraming"),
            ("Host: a\r\nhost: b", "hosts-differ", "end"),
            ("X-A: 1\n", "bare-line-feed", "end"),
            ("X-A: 1\r2", "control-byte", "end"),
            ("X-A: \0", "control-byte", "end"),
            ("X A: 1", "field-name", "end"),
            ("no colon", "field-name", "end"),
            (": nothing", "field-name", "end"),
            (" X-A: leading", "field-name", "end"),
        ];
        for (fields, oddities, end) in cases {
            // One that ends with a line feed brings its own end of line.
            let fields = if fields.ends_with('\n') { fields.to_owned() } else { format!("{fields}\r\n") };
            let seen = request(&format!("POST / HTTP/1.1\r\n{fields}\r\n"));
            assert_eq!(seen, (oddities.to_owned(), end.to_owned()), "{fields:?}");
        }
        assert_eq!(request("GET  / HTTP/1.1\r\n\r\n").0, "first-line");
        assert_eq!(request("GET /a b HTTP/1.1\r\n\r\n").0, "first-line");
        assert_eq!(request("POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n").0, "coding-unknown-to-version");
    }

    #[test]
    fn of_a_response_another_reading_is_sound() {
        assert_eq!(response("HTTP/1.1 200 OK\r\nContent-Length : 0\r\n\r\n").1, "end");
        assert_eq!(
            response("HTTP/1.1 200 OK\r\nTransfer-Encoding: br\r\n\r\nabc"),
            ("chunked-not-last".into(), "open".into())
        );
        assert_eq!(
            response("HTTP/1.1 204 No\r\nContent-Length: 3\r\n\r\n"),
            ("framing-without-body".into(), "end".into())
        );
        assert_eq!(response("HTTP/1.1  200 OK\r\nContent-Length: 0\r\n\r\n").0, "first-line");
    }

    #[test]
    fn chunks_that_are_written_oddly_are_named() {
        let body = |chunks: &str| request(&format!("POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n{chunks}"));
        let odd = ("chunk-line".to_owned(), "end".to_owned());
        assert_eq!(body("3;a=\"b\"\r\nabc\r\n0\r\n\r\n"), (String::new(), "end".to_owned()));
        assert_eq!(body("003\r\nabc\r\n0\r\n\r\n").0, "");
        assert_eq!(body("3\nabc\r\n0\r\n\r\n"), odd);
        assert_eq!(body("3\r\nabc\n0\r\n\r\n"), odd);
        assert_eq!(body(" 3 \r\nabc\r\n0\r\n\r\n"), odd);
        assert_eq!(body("3;a\rb\r\nabc\r\n0\r\n\r\n"), odd);
        for lost in ["0x3\r\nabc", "-1\r\n", "\r\n", "3\r\nabcd", "3\r\nabc\r\r\n", "FFFFFFFFFFFFFFFFF\r\n"] {
            assert_eq!(body(lost).1, "BadChunkSize", "{lost:?}");
        }
    }
}
