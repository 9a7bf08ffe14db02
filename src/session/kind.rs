//! What a file is, told by how it begins and not by its name.

use std::fs::File;
use std::io::Read;
use std::path::Path;

use super::SessionError;
use super::native::APPLICATION_ID;

/// What a file holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A session of ours.
    Authtap,
    /// HTTP Archive: JSON with a `log` in it.
    Har,
    /// Fiddler's session archive: a ZIP file.
    Saz,
    /// mitmproxy's flow file: a tnetstring of a dictionary.
    Mitm,
    /// Another program's SQLite file.
    OtherDatabase,
    /// Text that somebody may have pasted.
    Text,
    /// Bytes that are no text.
    Binary,
    /// Nothing at all.
    Empty,
}

/// How much of a file is looked at.
const LOOK: usize = 4096;

impl Kind {
    /// All.
    pub const ALL: [Self; 8] =
        [Self::Authtap, Self::Har, Self::Saz, Self::Mitm, Self::OtherDatabase, Self::Text, Self::Binary, Self::Empty];

    /// What the file at `path` is.
    pub fn of_file(path: &Path) -> Result<Self, SessionError> {
        let mut start = Vec::with_capacity(LOOK);
        File::open(path)
            .and_then(|file| file.take(LOOK as u64).read_to_end(&mut start))
            .map_err(|error| SessionError::reading(path, &error))?;
        Ok(Self::of(&start))
    }

    /// What bytes that begin with `start` are; the first 4 KiB are enough.
    pub fn of(start: &[u8]) -> Self {
        if start.is_empty() {
            return Self::Empty;
        }
        if start.starts_with(b"SQLite format 3\0") {
            let id = start.get(68..72).and_then(|bytes| bytes.try_into().ok()).map(i32::from_be_bytes);
            // A file cut off inside its first hundred bytes can no longer say whose it is; opening it says the rest.
            return if id.is_none_or(|id| id == APPLICATION_ID) { Self::Authtap } else { Self::OtherDatabase };
        }
        if start.starts_with(b"PK\x03\x04") || start.starts_with(b"PK\x05\x06") {
            return Self::Saz;
        }
        if is_tnetstring_dictionary(start) {
            return Self::Mitm;
        }
        if is_har(start) {
            return Self::Har;
        }
        if is_text(start) { Self::Text } else { Self::Binary }
    }

    /// A stable word for files.
    pub const fn code(self) -> &'static str {
        match self {
            Self::Authtap => "authtap",
            Self::Har => "har",
            Self::Saz => "saz",
            Self::Mitm => "mitm",
            Self::OtherDatabase => "sqlite",
            Self::Text => "text",
            Self::Binary => "binary",
            Self::Empty => "empty",
        }
    }

    /// What to call it in a sentence.
    pub const fn phrase(self) -> &'static str {
        match self {
            Self::Authtap => "an authtap session",
            Self::Har => "an HTTP archive (HAR)",
            Self::Saz => "a ZIP or Fiddler archive (SAZ)",
            Self::Mitm => "a mitmproxy flow file",
            Self::OtherDatabase => "the SQLite file of another program",
            Self::Text => "text",
            Self::Binary => "a file of unknown kind",
            Self::Empty => "an empty file",
        }
    }
}

/// `1234:7:version;…`: a length, a colon, and the length of the first key.
fn is_tnetstring_dictionary(start: &[u8]) -> bool {
    let after_number = |bytes: &[u8]| {
        let digits = bytes.iter().take_while(|byte| byte.is_ascii_digit()).count();
        ((1..=12).contains(&digits) && bytes.get(digits) == Some(&b':')).then_some(digits + 1)
    };
    let Some(outer) = after_number(start) else { return false };
    let Some(inner) = after_number(&start[outer..]) else { return false };
    start[outer + inner..].first().is_some_and(u8::is_ascii_lowercase)
}

/// A JSON object whose first words hold the key `log`.
fn is_har(start: &[u8]) -> bool {
    let text = start.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(start).trim_ascii_start();
    let Some(inside) = text.strip_prefix(b"{") else { return false };
    let inside = inside.trim_ascii_start();
    // Exporters write `log` first; some put a comment or a field of their own before it.
    inside.starts_with(b"\"log\"")
        || memchr::memmem::find(inside, b"\"log\"").is_some_and(|at| {
            inside[at + 5..]
                .trim_ascii_start()
                .strip_prefix(b":")
                .is_some_and(|rest| rest.trim_ascii_start().starts_with(b"{"))
        })
}

/// Text in UTF-8, an 8-bit charset, or UTF-16 with or without its mark.
fn is_text(start: &[u8]) -> bool {
    if start.starts_with(b"\xFF\xFE") || start.starts_with(b"\xFE\xFF") {
        return true;
    }
    let zeros = |from: usize| start.iter().skip(from).step_by(2).filter(|byte| **byte == 0).count();
    let half = start.len() / 2;
    if half > 4 && (zeros(0) * 10 > half * 9 || zeros(1) * 10 > half * 9) && zeros(0).min(zeros(1)) == 0 {
        return true;
    }
    let controls = start.iter().filter(|byte| matches!(byte, 0..=8 | 14..=26 | 28..=31 | 127)).count();
    controls == 0
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sqlite(id: i32) -> Vec<u8> {
        let mut header = b"SQLite format 3\0".to_vec();
        header.resize(68, 0);
        header.extend_from_slice(&id.to_be_bytes());
        header
    }

    #[test]
    fn tells_kinds_by_content() {
        let har = b"\xEF\xBB\xBF{\n  \"log\": {\"version\": \"1.2\"";
        let har_with_comment = b"{\"comment\": \"x\", \"log\" : {";
        assert_eq!(Kind::of(&sqlite(APPLICATION_ID)), Kind::Authtap);
        assert_eq!(Kind::of(&sqlite(7)), Kind::OtherDatabase);
        assert_eq!(Kind::of(b"SQLite format 3\0cut"), Kind::Authtap);
        assert_eq!(Kind::of(har), Kind::Har);
        assert_eq!(Kind::of(har_with_comment), Kind::Har);
        assert_eq!(Kind::of(b"PK\x03\x04\x14\0"), Kind::Saz);
        assert_eq!(Kind::of(b"2413:7:version;2:21#4:mode"), Kind::Mitm);
        assert_eq!(Kind::of(b"\x00\x01\xff\x07PK"), Kind::Binary);
        assert_eq!(Kind::of(b""), Kind::Empty);
    }

    #[test]
    fn pasted_text_is_text_in_any_charset() {
        for text in [
            &b"HTTP/1.1 401 Unauthorized\r\n\r\n"[..],
            b"{\"error\":\"invalid_grant\",\"catalog\":1}",
            b" \r\n\t\n  ",
            b"caf\xe9",
            b"12:30 it failed",
            b"\xff\xfeH\0T\0",
            b"H\0T\0T\0P\0/\x001\0.\x001\0 \x004\x000\x001\0",
        ] {
            assert_eq!(Kind::of(text), Kind::Text, "{text:?}");
        }
    }
}
