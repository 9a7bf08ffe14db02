//! Bytes where a response should begin, and that begin none.
//!
//! Some servers send a body where none can be (to HEAD, with 204 or 304), or more of one than they announced. Clients that
//! do not close such a connection pass over what is too much, and so does the reader, where that takes no guessing: a
//! body where none can be has the length that its head announced; and what comes while nobody has asked for anything
//! belongs to no answer. Where neither holds, the reader is lost.

use zeroize::Zeroize;

use super::{Framing, Progress, Reader, Sink, State};
use crate::wire::{Event, Loss, Oddity};

impl Reader {
    /// Begins to pass over what is no head. Of what was put aside, the first `before` bytes came with earlier pieces; the
    /// piece at hand is still to be used.
    pub(super) fn surplus(&mut self, before: usize, sink: Sink<'_>) -> Progress {
        let mut aside = std::mem::take(&mut self.partial);
        let (state, in_surplus) = match self.after.announced.take() {
            Some(Framing::Fixed(length)) if length > self.after.blank => {
                (State::Fixed { left: length - self.after.blank }, true)
            }
            Some(Framing::Chunked) => (State::ChunkSize, true),
            _ if self.after.message && self.side == super::Side::Responses && self.asked.is_empty() => {
                (State::Unasked, false)
            }
            _ => return Progress::Lost(Loss::NotHttp),
        };
        (self.state, self.in_surplus) = (state, in_surplus);
        sink(Event::Odd(Oddity::Surplus));
        let mut rest = &aside[..before];
        let progress = loop {
            if rest.is_empty() {
                break Progress::Used(0);
            }
            match self.step(rest, sink) {
                Progress::Used(used) => rest = &rest[used..],
                Progress::NeedMore => break Progress::Used(0),
                lost @ Progress::Lost(_) => break lost,
            }
        };
        aside.zeroize();
        progress
    }

    /// Follows a body that belongs to no message.
    pub(super) fn pass_over(&mut self, bytes: &[u8]) -> Progress {
        let mut ended = false;
        self.in_surplus = false;
        let progress = self.step(bytes, &mut |event| ended |= matches!(event, Event::End));
        self.in_surplus = !ended;
        progress
    }
}

#[cfg(test)]
mod tests {
    use super::super::Asked;
    use super::*;

    /// What is read of `bytes`, in pieces of `size`, as answers to what was `asked`; before each part after the first,
    /// another GET is sent.
    fn read(asked: &[Asked], bytes: &[&[u8]], size: usize) -> String {
        let mut seen = Vec::new();
        let mut reader = Reader::responses();
        for one in asked {
            reader.expect(*one);
        }
        let mut sink = |event: Event<'_>| match event {
            Event::Response(head) => seen.push(head.status.to_string()),
            Event::Body(bytes) => seen.push(format!("{}b", bytes.len())),
            Event::Odd(oddity) => seen.push(oddity.code().to_owned()),
            Event::End => seen.push("end".to_owned()),
            Event::Lost(loss) => seen.push(format!("{loss:?}")),
            _ => {}
        };
        for (number, bytes) in bytes.iter().enumerate() {
            if number > 0 {
                reader.expect(Asked::Other);
            }
            bytes.chunks(size).for_each(|piece| reader.read(piece, &mut sink));
        }
        reader.close(&mut sink);
        seen.join(" ")
    }

    const NEXT: &[u8] = b"HTTP/1.1 401 No\r\nContent-Length: 0\r\n\r\n";

    #[test]
    fn a_body_where_none_can_be_has_the_length_that_was_announced() {
        let cases: [(Asked, &[u8], &str); 5] = [
            (Asked::Head, b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nHello", "200 end surplus"),
            (Asked::Head, b"HTTP/1.1 401 No\r\nContent-Length: 7\r\n\r\n\r\nHello", "401 end surplus"),
            (Asked::Other, b"HTTP/1.1 304 Same\r\nContent-Length: 2\r\n\r\n{}", "304 end surplus"),
            (
                Asked::Other,
                b"HTTP/1.1 204 Nothing\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nHTTP/\r\n0\r\n\r\n",
                "204 framing-without-body end surplus",
            ),
            (
                Asked::Head,
                b"HTTP/1.1 200 OK\r\nContent-Length: 20\r\n\r\n<html>\r\n\r\n</html>\r\n\r",
                "200 end surplus",
            ),
        ];
        for (asked, bytes, expected) in cases {
            for size in [1, 3, 1000] {
                // The next request was sent before the surplus came, and after it.
                let pipelined = read(&[asked, Asked::Other], &[&[bytes, NEXT].concat()], size);
                assert_eq!(pipelined, format!("{expected} 401 end"), "{}", bytes.escape_ascii());
                assert_eq!(read(&[asked], &[bytes, NEXT], size), format!("{expected} 401 end"));
                assert_eq!(read(&[asked], &[bytes], size), expected);
            }
        }
    }

    #[test]
    fn what_comes_while_nobody_has_asked_belongs_to_no_answer() {
        for size in [1, 3, 1000] {
            let first = b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\nHT more than that\r\n\r\n and more";
            assert_eq!(read(&[Asked::Other], &[first, NEXT], size), "200 end surplus 401 end");
            assert_eq!(read(&[Asked::Other], &[first], size), "200 end surplus");
        }
    }

    #[test]
    fn what_takes_guessing_is_lost() {
        let first = b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\nmore";
        let lost = read(&[Asked::Other, Asked::Other], &[&[first, NEXT].concat()], 1000);
        assert_eq!(lost, "200 end NotHttp", "a request was under way");
        assert_eq!(read(&[], &[b"220 mail.contoso.com\r\n"], 1000), "NotHttp", "no answer came before it");
        let first = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nno size\r\n";
        assert_eq!(read(&[Asked::Head], &[first, NEXT], 1000), "200 end surplus BadChunkSize");
        let again = b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\nHTTP/1.1 408 Timeout\r\n\r\n";
        assert_eq!(read(&[Asked::Other], &[again], 1000), "200 end UnexpectedResponse", "that is an answer");
    }
}
