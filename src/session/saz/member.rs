//! A request or a response as its text has it: what stands in the first line, the fields, the body.
//!
//! The end of the text is the end of the body, whatever the fields say of its length: Fiddler rewrites bodies and keeps
//! fields. Only a body that is still in chunks is taken apart, by the reader of live traffic.

use zeroize::Zeroizing;

use super::archive::{Archive, Refused, Slot};
use crate::redact::{self, Door};
use crate::session::foreign::BODY;
use crate::wire::http1::{Asked, Reader, head_end};
use crate::wire::{Event, Fields};

/// A text.
pub(super) struct Text {
    /// The first line.
    pub(super) line: Zeroizing<Vec<u8>>,
    /// The lines of the fields.
    head: Zeroizing<Vec<u8>>,
    /// The first bytes of the body, as they stand.
    body: Zeroizing<Vec<u8>>,
    /// How long the body is, as it stands.
    length: u64,
    /// The body without its chunks.
    joined: Option<Joined>,
}

#[derive(Default)]
struct Joined {
    bytes: Zeroizing<Vec<u8>>,
    length: u64,
    trailers: Zeroizing<Vec<u8>>,
    /// All chunks were there, or as many as the text has.
    sound: bool,
}

/// A longer head is none.
const HEAD: usize = 256 << 10;

impl Text {
    /// The text in `slot`; nothing where it is empty.
    pub(super) fn read(archive: &mut Archive, slot: Slot) -> Result<Option<Self>, Refused> {
        let mut start = Zeroizing::new(Vec::new());
        let mut text: Option<(Self, Option<Reader>)> = None;
        let mut searched = 0;
        archive.read(slot, |piece| {
            if let Some((text, reader)) = &mut text {
                text.take(piece, reader.as_mut());
                return true;
            }
            start.extend_from_slice(piece);
            let end = head_end(&start, searched);
            searched = start.len().saturating_sub(3);
            if let Some(end) = end {
                let (mut begun, mut reader) = Self::begin(&start[..end]);
                begun.take(&start[end..], reader.as_mut());
                text = Some((begun, reader));
            }
            start.len() <= HEAD + piece.len()
        })?;
        if start.iter().all(u8::is_ascii_whitespace) {
            return Ok(None);
        }
        // A head without an end is all there is.
        let (mut text, reader) = text.unwrap_or_else(|| Self::begin(&start));
        if let (Some(mut reader), Some(joined)) = (reader, &mut text.joined) {
            reader.close(&mut |_| ());
            // Where the first chunk was none, the field says something that is not so.
            joined.sound |= joined.length > 0;
        }
        Ok(Some(text))
    }

    fn begin(head: &[u8]) -> (Self, Option<Reader>) {
        let head = head.strip_prefix("\u{feff}".as_bytes()).unwrap_or(head).trim_ascii_start();
        let line = head.iter().position(|byte| *byte == b'\n').map_or(head.len(), |at| at + 1);
        let text = Self {
            line: Zeroizing::new(head[..line].trim_ascii_end().to_vec()),
            head: Zeroizing::new(head[line..].to_vec()),
            body: Zeroizing::new(Vec::new()),
            length: 0,
            joined: None,
        };
        let is_chunked = text.values("transfer-encoding").any(|value| value.to_ascii_lowercase().ends_with(b"chunked"));
        if !is_chunked {
            return (text, None);
        }
        let mut reader = Reader::responses();
        reader.expect(Asked::Other);
        reader.read(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", &mut |_| ());
        (Self { joined: Some(Joined::default()), ..text }, Some(reader))
    }

    fn take(&mut self, piece: &[u8], reader: Option<&mut Reader>) {
        self.length += piece.len() as u64;
        keep(&mut self.body, piece);
        let (Some(reader), Some(joined)) = (reader, &mut self.joined) else { return };
        reader.read(piece, &mut |event| match event {
            Event::Body(bytes) => {
                joined.length += bytes.len() as u64;
                keep(&mut joined.bytes, bytes);
            }
            Event::Trailers(fields) => {
                for field in fields {
                    joined.trailers.extend([field.name, b": ", field.value, b"\r\n"].concat());
                }
            }
            Event::End => joined.sound = true,
            _ => {}
        });
    }

    pub(super) fn fields(&self) -> Fields<'_> {
        Fields::new(&self.head)
    }

    pub(super) fn values<'t>(&'t self, name: &'t str) -> impl Iterator<Item = &'t [u8]> {
        self.fields().values(name)
    }

    /// The length that the message says its body has.
    pub(super) fn stated_length(&self) -> Option<u64> {
        std::str::from_utf8(self.values("content-length").next()?).ok()?.trim().parse().ok()
    }

    /// The body as it was sent, without its chunks: the first bytes of it, and how many there are.
    pub(super) fn body(&self) -> (&[u8], u64) {
        match &self.joined {
            Some(joined) if joined.sound => (&joined.bytes, joined.length),
            _ => (&self.body, self.length),
        }
    }

    pub(super) fn trailers(&self, door: Door<'_>) -> redact::Fields {
        self.joined.as_ref().map_or_else(redact::Fields::default, |joined| door.fields(Fields::new(&joined.trailers)))
    }
}

fn keep(kept: &mut Vec<u8>, bytes: &[u8]) {
    let room = BODY.saturating_sub(kept.len());
    kept.extend_from_slice(&bytes[..bytes.len().min(room)]);
}
