//! Text with nothing left to hide.

use std::borrow::Cow;
use std::cmp::Ordering;
use std::fmt;
use std::hash::{Hash, Hasher};
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

use serde::{Serialize, Serializer};
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

use super::Label;

/// Text that may be shown, logged and stored.
///
/// Only `redact` makes one out of bytes from outside. Elsewhere it is made of constants, numbers and other clean
/// texts. Bytes of the wire that are not UTF-8 stand in it as `\xNN`; see [`Clean::to_wire`].
///
/// ```compile_fail,E0277
/// let _ = authtap::redact::Clean::from(String::from("from outside"));
/// ```
/// ```compile_fail,E0624
/// let _ = authtap::redact::Clean::vouch("from outside");
/// ```
/// ```compile_fail,E0423
/// let _ = authtap::redact::Clean("from outside".into());
/// ```
/// ```compile_fail,E0521
/// fn outside(text: &str) -> authtap::redact::Clean {
///     text.into()
/// }
/// ```
#[derive(Clone)]
pub struct Clean(Repr);

/// Where the text is. A finding is made of constants and of parts of what was captured, and of neither is a copy made.
#[derive(Clone)]
enum Repr {
    /// A constant.
    Static(&'static str),
    /// A text.
    Whole(Arc<str>),
    /// A part of a text of at most [`SHARED`] bytes, from this byte to that one, on character boundaries.
    Part(Arc<str>, u16, u16),
}

/// The longest text that its parts share. A part of a longer one is a copy, so that a few words of a body that are
/// remembered do not keep all of it.
const SHARED: usize = 1024;

impl Clean {
    /// Redactor's word that `text` holds nothing to hide.
    pub(in crate::redact) fn vouch(text: &str) -> Self {
        Self::whole(text)
    }

    fn whole(text: impl Into<Arc<str>>) -> Self {
        Self(Repr::Whole(text.into()))
    }

    /// The part between two byte positions, if they are on character boundaries.
    fn between(&self, from: usize, to: usize) -> Option<Self> {
        let part = self.as_str().get(from..to)?;
        let (all, offset) = match &self.0 {
            Repr::Static(text) => return text.get(from..to).map(|part| Self(Repr::Static(part))),
            Repr::Whole(all) => (all, 0),
            Repr::Part(all, start, _) => (all, usize::from(*start)),
        };
        let ends = (u16::try_from(offset + from), u16::try_from(offset + to));
        Some(match ends {
            _ if part.len() == all.len() => self.clone(),
            (Ok(from), Ok(to)) if all.len() <= SHARED => Self(Repr::Part(Arc::clone(all), from, to)),
            _ => Self::whole(part),
        })
    }

    /// Bytes of the wire as text, exactly: UTF-8 stays, any other byte becomes `\xNN`, and a backslash before an `x`
    /// becomes `\x5C`, so that [`Clean::to_wire`] gives the bytes back.
    pub(in crate::redact) fn vouch_bytes(bytes: &[u8]) -> Self {
        let mut text = String::with_capacity(bytes.len());
        for chunk in bytes.utf8_chunks() {
            let valid = chunk.valid();
            let mut from = 0;
            for (at, _) in valid.match_indices("\\x") {
                text.push_str(&valid[from..at]);
                text.push_str("\\x5C");
                from = at + 1;
            }
            text.push_str(&valid[from..]);
            for byte in chunk.invalid() {
                text.push_str("\\x");
                for nibble in [byte >> 4, byte & 15] {
                    text.push(char::from(b"0123456789ABCDEF"[usize::from(nibble)]));
                }
            }
        }
        Self::whole(text)
    }

    /// The bytes that stood on the wire, for answers made from a session.
    pub fn to_wire(&self) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(self.as_str().len());
        let mut rest = self.as_str();
        while let Some(at) = rest.find("\\x") {
            let hex = rest.get(at + 2..at + 4).and_then(|hex| u8::from_str_radix(hex, 16).ok());
            bytes.extend_from_slice(&rest.as_bytes()[..at]);
            match hex {
                Some(byte) => {
                    bytes.push(byte);
                    rest = &rest[at + 4..];
                }
                None => {
                    bytes.extend_from_slice(b"\\x");
                    rest = &rest[at + 2..];
                }
            }
        }
        bytes.extend_from_slice(rest.as_bytes());
        bytes
    }

    /// The text.
    pub fn as_str(&self) -> &str {
        match &self.0 {
            Repr::Static(text) => text,
            Repr::Whole(text) => text,
            Repr::Part(text, from, to) => text.get(usize::from(*from)..usize::from(*to)).unwrap_or_default(),
        }
    }

    /// Several clean texts as one.
    pub fn concat<const N: usize>(parts: [Self; N]) -> Self {
        Self::whole(parts.iter().map(Self::as_str).collect::<String>())
    }

    /// Clean texts as a list, with `separator` between them.
    pub fn list(parts: impl IntoIterator<Item = Self>, separator: &'static str) -> Self {
        let mut parts = parts.into_iter();
        let Some(first) = parts.next() else { return Self::from("") };
        let Some(second) = parts.next() else { return first };
        let mut text = String::with_capacity(64);
        text.push_str(first.as_str());
        for part in std::iter::once(second).chain(parts) {
            text.push_str(separator);
            text.push_str(part.as_str());
        }
        Self::whole(text)
    }

    /// A part of this text, between two byte positions on character boundaries; the whole where they are not.
    #[must_use]
    pub fn slice(&self, range: std::ops::Range<usize>) -> Self {
        self.between(range.start, range.end).unwrap_or_else(|| self.clone())
    }

    /// `part`, which must borrow from this very text, as clean text; the whole where it does not.
    #[must_use]
    pub fn part(&self, part: &str) -> Self {
        let start = (part.as_ptr() as usize).wrapping_sub(self.as_str().as_ptr() as usize);
        match start.checked_add(part.len()).and_then(|end| self.between(start, end)) {
            Some(inside) if inside == *part => inside,
            _ => self.clone(),
        }
    }

    /// Percent-decoded with `+` as blank. It tells nothing that the encoded text did not.
    #[must_use]
    pub fn percent_decoded(&self) -> Self {
        match super::percent_decoded(self.as_str()) {
            Cow::Borrowed(_) => self.clone(),
            Cow::Owned(decoded) => Self::whole(decoded),
        }
    }

    /// With the escapes of JSON strings resolved. It tells nothing that the escaped text did not.
    #[must_use]
    pub fn json_decoded(&self) -> Self {
        if !self.as_str().contains('\\') {
            return self.clone();
        }
        let decoded = serde_json::from_str::<String>(&format!("\"{self}\""));
        decoded.map_or_else(|_| self.clone(), Self::whole)
    }

    /// With the entities and character references of markup resolved. It tells nothing that the markup did not.
    #[must_use]
    pub fn markup_decoded(&self) -> Self {
        match super::markup::unescaped(self.as_str()) {
            Cow::Borrowed(_) => self.clone(),
            Cow::Owned(decoded) => Self::whole(decoded),
        }
    }

    /// A moment in RFC 3339, in UTC, given in seconds since 1970.
    pub fn moment(seconds: i64) -> Self {
        let moment = OffsetDateTime::from_unix_timestamp(seconds).ok().and_then(|time| time.format(&Rfc3339).ok());
        moment.map_or_else(|| Self::from(seconds), Self::whole)
    }

    /// In ASCII lower case.
    #[must_use]
    pub fn lower(&self) -> Self {
        if self.as_str().bytes().any(|byte| byte.is_ascii_uppercase()) {
            Self::whole(self.as_str().to_ascii_lowercase())
        } else {
            self.clone()
        }
    }
}

impl From<&'static str> for Clean {
    fn from(text: &'static str) -> Self {
        Self(Repr::Static(text))
    }
}

macro_rules! clean_from_display {
    ($($kind:ty),*) => {$(
        impl From<$kind> for Clean {
            fn from(value: $kind) -> Self {
                Self::whole(value.to_string())
            }
        }
    )*};
}
clean_from_display!(u8, u32, u64, usize, i64, bool, IpAddr, SocketAddr, Label);

impl From<u16> for Clean {
    /// The statuses that most evidence shows are constants.
    fn from(number: u16) -> Self {
        match number {
            200 => Self::from("200"),
            302 => Self::from("302"),
            400 => Self::from("400"),
            401 => Self::from("401"),
            403 => Self::from("403"),
            407 => Self::from("407"),
            500 => Self::from("500"),
            _ => Self::whole(number.to_string()),
        }
    }
}

impl PartialEq for Clean {
    fn eq(&self, other: &Self) -> bool {
        self.as_str() == other.as_str()
    }
}

impl Eq for Clean {}

impl Hash for Clean {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.as_str().hash(state);
    }
}

impl PartialOrd for Clean {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Clean {
    fn cmp(&self, other: &Self) -> Ordering {
        self.as_str().cmp(other.as_str())
    }
}

impl Serialize for Clean {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}

impl AsRef<str> for Clean {
    fn as_ref(&self) -> &str {
        self.as_str()
    }
}

impl fmt::Display for Clean {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl fmt::Debug for Clean {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(self.as_str(), f)
    }
}

impl PartialEq<str> for Clean {
    fn eq(&self, other: &str) -> bool {
        self.as_str() == other
    }
}

impl PartialEq<&str> for Clean {
    fn eq(&self, other: &&str) -> bool {
        self.as_str() == *other
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn escapes_of_json_and_markup_are_resolved_where_they_are_sound() {
        assert_eq!(Clean::from(r"MSIS9659: \u0027x\u0027\r\n").json_decoded(), "MSIS9659: 'x'\r\n");
        assert_eq!(Clean::from(r"CONTOSO\user#1").json_decoded(), r"CONTOSO\user#1");
        assert_eq!(Clean::from("the app &#39;x&#39; &amp; co").markup_decoded(), "the app 'x' & co");
    }

    #[test]
    fn a_part_is_the_same_text_however_it_is_kept() {
        let long = "x\u{e9} \u{65e5}y ".repeat(SHARED);
        for text in ["x\u{e9} \u{65e5}y z", long.as_str()] {
            let constant = Clean::from("x\u{e9} \u{65e5}y z").part("");
            assert_eq!(constant, "x\u{e9} \u{65e5}y z", "what borrows from elsewhere is no part");
            let whole = Clean::vouch(text);
            let part = whole.part(&whole.as_str()[1..8]);
            assert_eq!((part.as_str(), part.slice(1..2).as_str()), ("\u{e9} \u{65e5}y", "\u{e9} \u{65e5}y"));
            let inner = part.part(&part.as_str()[3..6]);
            assert_eq!((inner.as_str(), inner.slice(0..3)), ("\u{65e5}", Clean::from("\u{65e5}")));
            assert_eq!(inner.part(text), "\u{65e5}");
            assert_eq!(whole.slice(0..text.len()), Clean::vouch(text));
        }
    }

    #[test]
    fn moments_are_written_in_utc() {
        assert_eq!(Clean::moment(1_763_802_000), "2025-11-22T09:00:00Z");
        assert_eq!(Clean::moment(i64::MAX), "9223372036854775807");
    }

    #[test]
    fn gives_any_bytes_back() {
        for bytes in
            [&b"plain"[..], b"caf\xe9", "caf\u{e9} \u{65e5}".as_bytes(), br"C:\x41\y", b"\\x\\", b"\xff\xfe\\x"]
        {
            assert_eq!(Clean::vouch_bytes(bytes).to_wire(), bytes);
        }
    }
}
