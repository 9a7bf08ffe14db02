//! Text with nothing left to hide.

use std::borrow::Cow;
use std::fmt;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

use serde::Serialize;
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
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize)]
pub struct Clean(Arc<str>);

impl Clean {
    /// Redactor's word that `text` holds nothing to hide.
    pub(in crate::redact) fn vouch(text: &str) -> Self {
        Self(Arc::from(text))
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
        Self(Arc::from(text))
    }

    /// The bytes that stood on the wire, for answers made from a session.
    pub fn to_wire(&self) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(self.0.len());
        let mut rest = &*self.0;
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
        &self.0
    }

    /// Several clean texts as one.
    pub fn concat<const N: usize>(parts: [Self; N]) -> Self {
        Self(Arc::from(parts.iter().map(Self::as_str).collect::<String>()))
    }

    /// A part of this text, between two byte positions on character boundaries; the whole where they are not.
    #[must_use]
    pub fn slice(&self, range: std::ops::Range<usize>) -> Self {
        self.0.get(range).map_or_else(|| self.clone(), |part| Self(Arc::from(part)))
    }

    /// `part`, which must borrow from this very text, as clean text; the whole where it does not.
    #[must_use]
    pub fn part(&self, part: &str) -> Self {
        let start = (part.as_ptr() as usize).wrapping_sub(self.0.as_ptr() as usize);
        match start.checked_add(part.len()).and_then(|end| self.0.get(start..end)) {
            Some(inside) if inside == part => Self(Arc::from(part)),
            _ => self.clone(),
        }
    }

    /// Percent-decoded with `+` as blank. It tells nothing that the encoded text did not.
    #[must_use]
    pub fn percent_decoded(&self) -> Self {
        match super::percent_decoded(&self.0) {
            Cow::Borrowed(_) => self.clone(),
            Cow::Owned(decoded) => Self(Arc::from(decoded)),
        }
    }

    /// With the escapes of JSON strings resolved. It tells nothing that the escaped text did not.
    #[must_use]
    pub fn json_decoded(&self) -> Self {
        if !self.0.contains('\\') {
            return self.clone();
        }
        let decoded = serde_json::from_str::<String>(&format!("\"{}\"", self.0));
        decoded.map_or_else(|_| self.clone(), |decoded| Self(Arc::from(decoded)))
    }

    /// With the entities and character references of markup resolved. It tells nothing that the markup did not.
    #[must_use]
    pub fn markup_decoded(&self) -> Self {
        match super::markup::unescaped(&self.0) {
            Cow::Borrowed(_) => self.clone(),
            Cow::Owned(decoded) => Self(Arc::from(decoded)),
        }
    }

    /// A moment in RFC 3339, in UTC, given in seconds since 1970.
    pub fn moment(seconds: i64) -> Self {
        let moment = OffsetDateTime::from_unix_timestamp(seconds).ok().and_then(|time| time.format(&Rfc3339).ok());
        moment.map_or_else(|| Self::from(seconds), |text| Self(Arc::from(text)))
    }

    /// In ASCII lower case.
    #[must_use]
    pub fn lower(&self) -> Self {
        if self.0.bytes().any(|byte| byte.is_ascii_uppercase()) {
            Self(Arc::from(self.0.to_ascii_lowercase()))
        } else {
            self.clone()
        }
    }
}

impl From<&'static str> for Clean {
    fn from(text: &'static str) -> Self {
        Self(Arc::from(text))
    }
}

macro_rules! clean_from_display {
    ($($kind:ty),*) => {$(
        impl From<$kind> for Clean {
            fn from(value: $kind) -> Self {
                Self(Arc::from(value.to_string()))
            }
        }
    )*};
}
clean_from_display!(u8, u16, u32, u64, usize, i64, bool, IpAddr, SocketAddr, Label);

impl AsRef<str> for Clean {
    fn as_ref(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Clean {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for Clean {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.0, f)
    }
}

impl PartialEq<str> for Clean {
    fn eq(&self, other: &str) -> bool {
        &*self.0 == other
    }
}

impl PartialEq<&str> for Clean {
    fn eq(&self, other: &&str) -> bool {
        &*self.0 == *other
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
