//! Message bodies: what may be kept of them.

use std::io::Read;

use encoding_rs::{Encoding, SHIFT_JIS, UTF_8, UTF_16BE, UTF_16LE};
use zeroize::Zeroizing;

use super::door::Door;
use super::json::{self, Sort};
use super::{Clean, Secret, mapi, markup, rpc, wbxml};

/// What may be kept of a body.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Body {
    /// Bytes that passed, transfer coding removed, content coding not.
    pub length: u64,
    /// What is kept.
    pub content: Content,
}

/// The content of a body after redaction.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Content {
    /// There was no body.
    Empty,
    /// Text in the same syntax as sent, content coding and charset decoded, secrets replaced by markers; or what was
    /// read of bytes that are no text, see [`Syntax::is_decoded`].
    Text {
        /// Which syntax.
        syntax: Syntax,
        /// The redacted text.
        text: Clean,
        /// Whether the whole body is in it; else its end was not recorded.
        complete: bool,
    },
    /// Nothing but the length.
    Withheld(Withheld),
}

/// The syntax a body was read by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Syntax {
    /// RFC 8259.
    Json,
    /// `application/x-www-form-urlencoded`.
    Form,
    /// XML: SOAP, POX, WS-Trust, SAML.
    Xml,
    /// HTML.
    Html,
    /// Plain text.
    Text,
    /// ActiveSync's WBXML, as indented elements: their names, and the values that say how the protocol stands.
    Wbxml,
    /// An answer of MAPI over HTTP: its stages, its fields and its codes.
    Mapi,
    /// RPC over HTTP: the headers of its PDUs, one a line.
    Rpc,
}

impl Syntax {
    /// All.
    pub const ALL: [Self; 8] =
        [Self::Json, Self::Form, Self::Xml, Self::Html, Self::Text, Self::Wbxml, Self::Mapi, Self::Rpc];

    /// A stable word for files.
    pub const fn code(self) -> &'static str {
        match self {
            Self::Json => "json",
            Self::Form => "form",
            Self::Xml => "xml",
            Self::Html => "html",
            Self::Text => "text",
            Self::Wbxml => "wbxml",
            Self::Mapi => "mapi",
            Self::Rpc => "rpc",
        }
    }

    /// Whether the text tells of bytes that are no text: it cannot be sent in their place.
    pub const fn is_decoded(self) -> bool {
        matches!(self, Self::Wbxml | Self::Mapi | Self::Rpc)
    }
}

/// Why nothing but the length of a body is kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Withheld {
    /// Of a type that is not read: MIME, pictures, files; plain text that is no error message; what asks for something
    /// in a binary protocol.
    Binary,
    /// Its content coding or charset could not be decoded.
    Undecodable,
    /// It was not recorded: capture was paused or out of room.
    NotRecorded,
}

/// A body as collected, on its way to the redactor.
pub struct RawBody {
    /// What was kept of it, at most the body limit.
    pub bytes: Secret,
    /// How many bytes passed in all.
    pub length: u64,
    /// Whether it was recorded at all.
    pub recorded: bool,
    /// Whether it says why something was refused or failed (a status of 400 or above). Plain text of any other message
    /// is content, and content is not kept.
    pub refusal: bool,
    /// The message's Content-Type values, joined.
    pub content_type: Vec<u8>,
    /// The message's Content-Encoding values, joined by commas.
    pub content_encoding: Vec<u8>,
}

/// Decoded bodies are read up to this length.
const DECODED: u64 = 1 << 20;

/// Plain text that is longer is content, not an error message.
const PROSE: usize = 8 * 1024;

/// What stands for an end that was not recorded or could not be read.
const CUT: &str = "[cut]";

/// What may be kept of a body.
pub(super) fn body(door: &Door<'_>, raw: &RawBody) -> Body {
    let content = if raw.length == 0 {
        Content::Empty
    } else if raw.recorded {
        let form = [u8::from(raw.refusal), u8::from(raw.bytes.len() as u64 >= raw.length)];
        let pieces = [&form, &raw.content_type[..], &raw.content_encoding, raw.bytes.expose()];
        let length = pieces.iter().map(|piece| piece.len()).sum();
        door.recalled(&door.memory().bodies, length, pieces, || content(door, raw))
    } else {
        Content::Withheld(Withheld::NotRecorded)
    };
    Body { length: raw.length, content }
}

fn content(door: &Door<'_>, raw: &RawBody) -> Content {
    let whole = raw.bytes.len() as u64 >= raw.length;
    let media = Media::of(&raw.content_type);
    if media.named == Named::Unread {
        return Content::Withheld(Withheld::Binary);
    }
    let Some((bytes, decoded_whole)) = decoded(raw.bytes.expose(), &raw.content_encoding) else {
        return Content::Withheld(Withheld::Undecodable);
    };
    if let Named::Binary(syntax) = media.named {
        return binary(door, syntax, &bytes, whole && decoded_whole);
    }
    let Some(text) = characters(&bytes, &media) else { return Content::Withheld(Withheld::Undecodable) };
    // Of another charset than it is said to be: read as it stands, it would come out letter by letter.
    if text.contains('\0') {
        return Content::Withheld(Withheld::Undecodable);
    }
    let syntax = match media.named {
        Named::Syntax(named) => Some(sniffed(named, &text)),
        _ => unnamed(&text),
    };
    let Some(syntax) = syntax else { return Content::Withheld(Withheld::Binary) };
    if syntax == Syntax::Text && (!raw.refusal || text.len() > PROSE || is_message(&text)) {
        return Content::Withheld(Withheld::Binary);
    }
    let (text, read) = text_of(door, syntax, &text);
    Content::Text { syntax, text, complete: whole && decoded_whole && read }
}

/// What is read of bytes that are no text. A text of our own about such bytes stands in their place.
fn binary(door: &Door<'_>, syntax: Syntax, bytes: &[u8], whole: bool) -> Content {
    let own = std::str::from_utf8(bytes).ok().filter(|text| door.is_own() && !text.contains('\0'));
    let read = match (own, syntax) {
        (Some(text), _) => Some(text_of(door, syntax, &text.replace("\r\n", "\n"))),
        (None, Syntax::Wbxml) => wbxml::decode(door, bytes).map(|(text, read)| cut_off(&text, read && whole)),
        (None, Syntax::Mapi) => mapi::decode(door, bytes).map(|(text, read)| cut_off(&text, read && whole)),
        (None, _) => rpc::decode(bytes).map(|(text, read)| cut_off(&text, read && whole)),
    };
    read.map_or(Content::Withheld(Withheld::Binary), |(text, complete)| Content::Text { syntax, text, complete })
}

fn cut_off(text: &str, complete: bool) -> (Clean, bool) {
    (Clean::vouch(&if complete { text.to_owned() } else { format!("{text}\n{CUT}") }), complete)
}

/// Text of a known syntax, and whether it was understood to its end.
pub(super) fn text_of(door: &Door<'_>, syntax: Syntax, text: &str) -> (Clean, bool) {
    let mut out = String::with_capacity(text.len() + text.len() / 8);
    let settled = door.settled(text, &mut out, |door, text, out| write(door, syntax, text, out));
    let complete = settled.unwrap_or_else(|| {
        out.push_str(CUT);
        false
    });
    (Clean::vouch(&out), complete)
}

fn write(door: &Door<'_>, syntax: Syntax, text: &str, out: &mut String) -> bool {
    let (text, cut) = uncut(door, text);
    let understood = match syntax {
        Syntax::Json => json::write(door, text, Sort::Data, false, out),
        Syntax::Form => {
            door.query(text.trim_end(), out);
            json::Read { length: text.len(), complete: true }
        }
        Syntax::Xml | Syntax::Html => markup::write(door, text, syntax == Syntax::Html, out),
        Syntax::Text => {
            // Markers are longer than what they stand for.
            let mut end = text.len().min(if door.is_own() { 16 * PROSE } else { PROSE });
            while !text.is_char_boundary(end) {
                end -= 1;
            }
            door.words(&text[..end], out);
            json::Read { length: end, complete: end == text.len() }
        }
        Syntax::Wbxml | Syntax::Mapi | Syntax::Rpc => {
            match syntax {
                Syntax::Wbxml => wbxml::reread(door, text, out),
                Syntax::Mapi => mapi::reread(door, text, out),
                _ => rpc::reread(door, text, out),
            }
            json::Read { length: text.len(), complete: true }
        }
    };
    if cut || understood.length < text.len() {
        out.push_str(CUT);
    }
    understood.complete && !cut
}

/// JSON in a header or a claims request.
pub(super) fn json(door: &Door<'_>, text: &str, sort: Sort, out: &mut String) {
    let settled = door.settled(text, out, |door, text, out| {
        let (text, cut) = uncut(door, text);
        let read = json::write(door, text, sort, false, out);
        if cut || read.length < text.len() {
            out.push_str(CUT);
        }
    });
    if settled.is_none() {
        out.push_str(CUT);
    }
}

/// Our own text says itself where it was cut.
fn uncut<'t>(door: &Door<'_>, text: &'t str) -> (&'t str, bool) {
    match text.strip_suffix(CUT).filter(|_| door.is_own()) {
        Some(text) => (text, true),
        None => (text, false),
    }
}

/// What a Content-Type names.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Named {
    /// There is none.
    Nothing,
    /// A type that is not read.
    Unread,
    Syntax(Syntax),
    /// A binary protocol of which something is read.
    Binary(Syntax),
}

/// What a Content-Type says.
struct Media {
    named: Named,
    charset: Option<&'static Encoding>,
}

impl Media {
    fn of(value: &[u8]) -> Self {
        let text = String::from_utf8_lossy(value).to_ascii_lowercase();
        let mut parts = text.split(';');
        let kind = parts.next().unwrap_or_default().trim();
        let charset = parts
            .filter_map(|part| part.trim().strip_prefix("charset="))
            .find_map(|name| Encoding::for_label(name.trim_matches(['"', '\'', ' ']).as_bytes()));
        let named = match kind {
            "" => Named::Nothing,
            "application/x-www-form-urlencoded" => Named::Syntax(Syntax::Form),
            "text/html" | "application/xhtml+xml" => Named::Syntax(Syntax::Html),
            "text/xml" | "application/xml" => Named::Syntax(Syntax::Xml),
            "application/json" | "text/json" | "application/x-json" | "text/javascript+json" => {
                Named::Syntax(Syntax::Json)
            }
            "text/plain" => Named::Syntax(Syntax::Text),
            "application/vnd.ms-sync.wbxml" | "application/vnd.ms-sync" => Named::Binary(Syntax::Wbxml),
            "application/mapi-http" => Named::Binary(Syntax::Mapi),
            "application/rpc" => Named::Binary(Syntax::Rpc),
            kind if kind.ends_with("+json") => Named::Syntax(Syntax::Json),
            kind if kind.ends_with("+xml") && !kind.starts_with("image/") => Named::Syntax(Syntax::Xml),
            _ => Named::Unread,
        };
        Self { named, charset }
    }
}

/// Whether a text is a mail, a contact or a calendar entry.
fn is_message(text: &str) -> bool {
    const STARTS: [&str; 7] =
        ["subject:", "mime-version:", "received:", "return-path:", "message-id:", "begin:vc", "begin:ve"];
    text.lines().take(20).any(|line| {
        let line = line.trim_start();
        STARTS.iter().any(|start| line.get(..start.len()).is_some_and(|head| head.eq_ignore_ascii_case(start)))
    })
}

/// Servers name JSON and XML as text or HTML, and the other way round.
fn sniffed(named: Syntax, text: &str) -> Syntax {
    match (named, unnamed(text)) {
        (Syntax::Form | Syntax::Text | Syntax::Html | Syntax::Xml, Some(Syntax::Json)) => Syntax::Json,
        (Syntax::Text | Syntax::Json | Syntax::Xml, Some(found @ (Syntax::Xml | Syntax::Html))) => found,
        (Syntax::Text, Some(Syntax::Form)) => Syntax::Form,
        (Syntax::Html, Some(Syntax::Xml)) if markup::has_prefixed_root(text) => Syntax::Xml,
        _ => named,
    }
}

/// The syntax of a text without a type; `None` where it is no text.
fn unnamed(text: &str) -> Option<Syntax> {
    let start = text.trim_start_matches('\u{feff}').trim_start();
    let begins = |tag: &str| start.get(..tag.len()).is_some_and(|head| head.eq_ignore_ascii_case(tag));
    if start.starts_with(['{', '[']) {
        Some(Syntax::Json)
    } else if begins("<!doctype html") || begins("<html") {
        Some(Syntax::Html)
    } else if start.starts_with('<') {
        Some(Syntax::Xml)
    } else if start.chars().any(|c| c.is_control() && !c.is_whitespace()) || start.contains('\u{fffd}') {
        None
    } else if start.contains('=') && !start.trim_end().contains(|c: char| c.is_whitespace()) {
        Some(Syntax::Form)
    } else {
        Some(Syntax::Text)
    }
}

/// The bytes with their content codings removed, and whether their end was reached.
fn decoded(bytes: &[u8], codings: &[u8]) -> Option<(Zeroizing<Vec<u8>>, bool)> {
    let codings = String::from_utf8_lossy(codings).to_ascii_lowercase();
    let mut current = Zeroizing::new(bytes.to_vec());
    let mut whole = true;
    // More than three codings are an attack, not a message.
    for coding in
        codings.rsplit(',').map(str::trim).filter(|coding| !coding.is_empty() && *coding != "identity").take(3)
    {
        let (next, end) = match coding {
            "gzip" | "x-gzip" => inflated(flate2::read::MultiGzDecoder::new(current.as_slice())),
            "deflate" => match current.as_slice() {
                // RFC 9110 says zlib; some servers send bare deflate.
                [first, ..] if first & 0x0f == 8 => inflated(flate2::read::ZlibDecoder::new(current.as_slice())),
                _ => inflated(flate2::read::DeflateDecoder::new(current.as_slice())),
            },
            "br" => inflated(brotli_decompressor::Decompressor::new(current.as_slice(), 4096)),
            _ => return None,
        };
        if next.is_empty() && !current.is_empty() && !end {
            return None;
        }
        whole &= end;
        current = next;
    }
    Some((current, whole))
}

/// What a decoder gives, up to its first error and at most [`DECODED`] bytes.
fn inflated(decoder: impl Read) -> (Zeroizing<Vec<u8>>, bool) {
    let mut bytes = Zeroizing::new(Vec::new());
    let read = decoder.take(DECODED).read_to_end(&mut bytes);
    let whole = read.is_ok() && (bytes.len() as u64) < DECODED;
    (bytes, whole)
}

/// The bytes as text: by byte order mark, by the charset named, by the look of UTF-16; else UTF-8 or Shift_JIS.
fn characters(bytes: &[u8], media: &Media) -> Option<Zeroizing<String>> {
    let named = Encoding::for_bom(bytes).map(|(encoding, _)| encoding).or(media.charset).or(match bytes {
        [0, b'<' | b'{', ..] => Some(UTF_16BE),
        [b'<' | b'{', 0, ..] => Some(UTF_16LE),
        _ => None,
    });
    let encoding = match named {
        Some(encoding) => encoding,
        None if std::str::from_utf8(bytes).is_ok() => UTF_8,
        None if bytes.contains(&0) => return None,
        None if SHIFT_JIS.decode_without_bom_handling(bytes).1 => UTF_8,
        None => SHIFT_JIS,
    };
    let (text, _) = encoding.decode_with_bom_removal(bytes);
    Some(Zeroizing::new(text.into_owned()))
}

#[cfg(test)]
mod tests {
    use super::super::Redactor;
    use super::*;

    fn content(content_type: &str, bytes: &[u8]) -> Content {
        let raw = RawBody {
            bytes: bytes.to_vec().into(),
            length: bytes.len() as u64,
            recorded: true,
            refusal: true,
            content_type: content_type.as_bytes().to_vec(),
            content_encoding: Vec::new(),
        };
        Redactor::new().wire().body(raw).content
    }

    #[test]
    fn plain_text_is_kept_where_it_says_why_something_failed() {
        let bytes = b"Access is denied.";
        assert!(matches!(content("text/plain", bytes), Content::Text { .. }));
        let raw = RawBody {
            bytes: bytes.to_vec().into(),
            length: bytes.len() as u64,
            recorded: true,
            refusal: false,
            content_type: b"text/plain".to_vec(),
            content_encoding: Vec::new(),
        };
        assert_eq!(Redactor::new().wire().body(raw).content, Content::Withheld(Withheld::Binary));
    }

    #[test]
    fn binary_protocols_are_read_and_what_asks_is_not() {
        let text = |content_type: &str, bytes: &[u8]| match content(content_type, bytes) {
            Content::Text { syntax, text, complete } => {
                let redactor = Redactor::new();
                assert_eq!(redactor.own().body_text(syntax, text.as_str().as_bytes()), text);
                let pasted = RawBody {
                    bytes: text.as_str().as_bytes().to_vec().into(),
                    length: text.as_str().len() as u64,
                    recorded: true,
                    refusal: false,
                    content_type: content_type.as_bytes().to_vec(),
                    content_encoding: Vec::new(),
                };
                assert_eq!(redactor.own().body(pasted).content, content(content_type, bytes));
                Some((syntax, text.as_str().to_owned(), complete))
            }
            _ => None,
        };
        let wbxml = b"\x03\x01\x6a\0\0\x07\x56\x4c\x03142\0\x01\x01";
        for name in ["application/vnd.ms-sync.wbxml", "application/vnd.ms-sync"] {
            let shown = "<FolderSync>\n  <Status>142</Status>\n</FolderSync>";
            assert_eq!(text(name, wbxml), Some((Syntax::Wbxml, shown.to_owned(), true)));
        }
        let cut = "<FolderSync>\n  <Status>\n[cut]".to_owned();
        assert_eq!(text("application/vnd.ms-sync", &wbxml[..10]), Some((Syntax::Wbxml, cut, false)));
        let done = "DONE\n\nStatusCode: 0x00000000\nErrorCode: 0x80040111 ecLoginFailure".to_owned();
        assert_eq!(
            text("application/mapi-http", b"DONE\r\n\r\n\0\0\0\0\x11\x01\x04\x80"),
            Some((Syntax::Mapi, done, true))
        );
        assert_eq!(content("application/mapi-http", b"\0\0hunter2"), Content::Withheld(Withheld::Binary));
        assert_eq!(content("application/rpc", b"hunter2"), Content::Withheld(Withheld::Binary));
    }

    #[test]
    fn a_charset_that_was_not_named_does_not_spell_a_secret_out() {
        let wide: Vec<u8> = "password is hunter2".encode_utf16().flat_map(u16::to_le_bytes).collect();
        assert_eq!(content("text/plain", &wide), Content::Withheld(Withheld::Undecodable));
    }

    #[test]
    fn a_mail_or_a_long_text_is_content() {
        for text in ["From: Avery\r\nSubject: The merger\r\n\r\nIt is on.", &"all words ".repeat(1000)] {
            assert_eq!(content("", text.as_bytes()), Content::Withheld(Withheld::Binary));
            assert_eq!(content("text/plain", text.as_bytes()), Content::Withheld(Withheld::Binary));
        }
        assert!(matches!(content("text/plain", b"Access denied."), Content::Text { .. }));
    }

    #[test]
    fn what_is_named_wrongly_is_read_as_what_it_is() {
        let syntax = |content_type: &str, text: &str| match content(content_type, text.as_bytes()) {
            Content::Text { syntax, .. } => Some(syntax),
            _ => None,
        };
        assert_eq!(syntax("text/plain", "grant_type=password&password=hunter2"), Some(Syntax::Form));
        assert_eq!(syntax("text/html", "<s:Envelope><s:Body/></s:Envelope>"), Some(Syntax::Xml));
        assert_eq!(syntax("text/html", "<head><title>Denied</title></head>"), Some(Syntax::Html));
    }
}
