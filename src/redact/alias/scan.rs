//! Texts: the words in them that name somebody, told by where they stand, by their shape, or because they are known.
//!
//! A word here is a run of letters, digits, dots, dashes and underscores. Escapes of URLs, of JSON and of bytes that are
//! no text end before it. All else stands where it stood.

use std::borrow::Cow;
use std::net::Ipv6Addr;

use base64::Engine as _;

use super::book::{Guid, Kind};
use super::place::{self, Place};
use super::{Aliases, words};
use crate::redact::{basic, shape};

/// What stands in a text.
#[derive(Clone, Copy, Default)]
pub(super) struct Ground {
    /// A word without dots is a name of this kind, too.
    pub(super) lone: Option<Kind>,
    /// Four numbers with dots are a version.
    pub(super) versions: bool,
}

impl Aliases {
    /// `text` with stand-ins.
    pub(super) fn text<'t>(&mut self, text: &'t str, ground: Ground) -> Cow<'t, str> {
        let mut walk = Walk { text, at: 0, kept: 0, marker: 0, out: String::new() };
        while let Some((from, to)) = walk.word() {
            self.word(&mut walk, from, to, ground);
        }
        if walk.kept == 0 {
            return match self.lone_names(text, 0, text.len()) {
                Some(shown) => Cow::Owned(shown),
                None => Cow::Borrowed(text),
            };
        }
        self.keep(&mut walk, text.len());
        if walk.out == text { Cow::Borrowed(text) } else { Cow::Owned(walk.out) }
    }

    /// The comment of a proxy, in which numbers are versions.
    pub(super) fn version_text<'t>(&mut self, text: &'t str) -> Cow<'t, str> {
        self.text(text, Ground { versions: true, ..Ground::default() })
    }

    /// What stands between the last word that was replaced and `to`: known names in it are replaced.
    fn keep(&mut self, walk: &mut Walk<'_>, to: usize) {
        match self.lone_names(walk.text, walk.kept, to) {
            Some(shown) => walk.out.push_str(&shown),
            None => walk.out.push_str(&walk.text[walk.kept..to]),
        }
        walk.kept = to;
    }

    fn replace(&mut self, walk: &mut Walk<'_>, from: usize, to: usize, by: &str) {
        self.keep(walk, from);
        walk.out.push_str(by);
        (walk.kept, walk.at) = (to, walk.at.max(to));
    }

    fn word(&mut self, walk: &mut Walk<'_>, from: usize, to: usize, ground: Ground) {
        let text = walk.text;
        let word = &*plain(&text[from..to]);
        if let Some((start, end)) = in_brackets(text, from)
            && let Ok(address) = text[start..end].parse::<Ipv6Addr>()
        {
            walk.at = end;
            if let Some(address) = self.address(address.into()) {
                self.replace(walk, start, end, &address.to_string());
            }
            return;
        }
        if word.len() >= 36 && self.guids(walk, from, to) {
            return;
        }
        let place = place::of(walk.before(from), word, &text[to..], from < walk.marker);
        if place == Some(Place::Claims) {
            return self.claims(walk, from);
        }
        if let Some(Place::Title | Place::TitleLast) = place {
            return self.titled(walk, from, place == Some(Place::TitleLast));
        }
        if word.contains('.') && word.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.') {
            let version = match place {
                Some(Place::Name(_) | Place::Called(_)) => false,
                Some(Place::Version) => true,
                _ => ground.versions || walk.is_behind_product(from),
            };
            if let Some(address) = self.address_text(word, version) {
                self.replace(walk, from, to, &address);
            }
            return;
        }
        let kind = match place {
            Some(Place::Name(kind)) => Some(kind),
            Some(Place::Called(kind)) if !word.split('-').all(words::is_known) => Some(kind),
            _ => ground.lone,
        };
        let shown = if place == Some(Place::Site) {
            Some(self.title(word))
        } else if let Some(kind) = kind.filter(|_| shape::is_host(word)) {
            self.named_host(word, kind)
        } else if word.contains('.') {
            let tenant = place == Some(Place::Tenant) && !word.to_ascii_lowercase().ends_with(".srf");
            if tenant || self.is_host_like(word, walk.is_in_path(from)) { self.dotted(word) } else { None }
        } else if shape::is_opaque(word, 15) && walk.marker <= from {
            self.book.id(word, self.learning)
        } else {
            None
        };
        if let Some(shown) = shown {
            self.replace(walk, from, to, &shown);
        }
    }

    /// GUIDs inside of a word; whether there are any.
    fn guids(&mut self, walk: &mut Walk<'_>, from: usize, to: usize) -> bool {
        let text = walk.text;
        let (mut at, mut found) = (from, false);
        while at + 36 <= to {
            let guid = text.get(at..at + 36).unwrap_or_default();
            let apart = |byte: Option<&u8>| byte.is_none_or(|byte| !byte.is_ascii_alphanumeric());
            let alone = at == from || apart(text.as_bytes().get(at - 1));
            if !(alone && shape::is_guid(guid) && apart(text.as_bytes().get(at + 36))) {
                at += 1;
                continue;
            }
            // A label of a host's name is replaced with the host.
            if text[at..to].contains('.') && self.is_host_like(&text[from..to], false) {
                return false;
            }
            found = true;
            let kind = place::of_guid(walk.before(at));
            if let Some(shown) = self.book.guid(guid, kind, self.learning) {
                self.replace(walk, at, at + 36, &shown);
            }
            at += 36;
        }
        found
    }

    /// JSON in base64.
    fn claims(&mut self, walk: &mut Walk<'_>, from: usize) {
        let rest = &walk.text[from..];
        let rest = &rest[..rest.floor_char_boundary(8192)];
        let length = rest.find(['"', '\'', '&', ' ', ',', ';', '<', '%']).unwrap_or(rest.len());
        let coded = &walk.text[from..from + length];
        let json = basic::LENIENT.decode(coded).ok().and_then(|bytes| String::from_utf8(bytes).ok());
        let Some(json) = json.filter(|json| json.starts_with('{')) else { return };
        walk.at = from + length;
        if let Cow::Owned(shown) = self.text(&json, Ground::default()) {
            self.replace(walk, from, from + length, &basic::LENIENT.encode(shown));
        }
    }

    /// A title up to the quotation mark or bracket that ends it, or up to the end of the sentence.
    fn titled(&mut self, walk: &mut Walk<'_>, from: usize, last: bool) {
        let quoted = walk.before(from).ends_with(['"', '\'', '>']);
        let ends = |c: char| "\"'<&\\".contains(c) || (!quoted && !last && " ,;".contains(c));
        // No title is as long.
        let rest = &walk.text[from..];
        let rest = &rest[..rest.floor_char_boundary(200)];
        let mut length = rest.find(ends).unwrap_or(rest.len());
        if last {
            length = rest[..length].find(". ").unwrap_or(length);
            length = rest[..length].trim_end_matches('.').len();
        }
        let title = &walk.text[from..from + length];
        let port = title.rsplit_once(':').filter(|(_, port)| port.bytes().all(|byte| byte.is_ascii_digit()));
        let name = port.map_or(title, |(host, _)| host);
        let shown = if title.contains("://") || title.contains('@') || title.len() > 80 {
            return;
        } else if shape::is_guid(title) {
            self.book.guid(title, Guid::Tenant, self.learning).unwrap_or_else(|| title.to_owned())
        } else if shape::is_host(name) {
            self.named_host(name, Kind::Organisation).unwrap_or_else(|| name.to_owned()) + &title[name.len()..]
        } else {
            self.title(title)
        };
        walk.at = from + length;
        if shown != title {
            self.replace(walk, from, from + length, &shown);
        }
    }

    /// The part of `text` with what stands for known names in it; nothing where there are none.
    fn lone_names(&mut self, text: &str, from: usize, to: usize) -> Option<String> {
        let found = self.search.as_ref()?.found(text.as_bytes(), from, to);
        if found.is_empty() {
            return None;
        }
        let (mut out, mut kept) = (String::with_capacity(to - from + 8), from);
        for (start, end) in found {
            let name = &text[start..end];
            let kind = self.book.kind_of(&name.to_ascii_lowercase());
            out.push_str(&text[kept..start]);
            out.push_str(&self.book.label(name, kind));
            kept = end;
        }
        out.push_str(&text[kept..to]);
        Some(out)
    }
}

/// A text that is being read.
struct Walk<'t> {
    text: &'t str,
    at: usize,
    /// All before it is in `out`.
    kept: usize,
    /// Where the marker ends that was last begun.
    marker: usize,
    out: String,
}

impl Walk<'_> {
    /// The next word.
    fn word(&mut self) -> Option<(usize, usize)> {
        let bytes = self.text.as_bytes();
        loop {
            while let Some(byte) = bytes.get(self.at).filter(|byte| !byte.is_ascii_alphanumeric() && !is_latin(**byte))
            {
                if *byte == b'[' && self.at >= self.marker {
                    self.marker = marker_end(self.text, self.at);
                }
                self.at += 1;
            }
            let from = self.at;
            let mut to = from;
            while let Some(length) =
                sign(&bytes[to..]).filter(|length| *length == 1 || to > from || is_latin(bytes[to]))
            {
                to += length;
            }
            if from == to {
                return None;
            }
            self.at = to;
            let from = from + escaped(self.text, from, to);
            while matches!(bytes[to - 1], b'.' | b'-' | b'_') {
                to -= 1;
            }
            if from < to {
                return Some((from, to));
            }
        }
    }

    fn before(&self, at: usize) -> &str {
        let mut from = at.saturating_sub(64);
        while !self.text.is_char_boundary(from) {
            from += 1;
        }
        &self.text[from..at]
    }

    /// `Chrome/120.0.0.0`.
    fn is_behind_product(&self, from: usize) -> bool {
        let before = self.before(from);
        before.ends_with('/') && !before.ends_with("//")
    }

    /// Behind a slash that is not that of a URL's host.
    fn is_in_path(&self, from: usize) -> bool {
        let before = self.before(from);
        before.ends_with('/') && !before.ends_with("//")
    }
}

/// Where the inside of brackets begins and ends that begin right before `from`, where it may be an IPv6 address.
fn in_brackets(text: &str, from: usize) -> Option<(usize, usize)> {
    let colons = text.as_bytes()[..from].iter().rev().take_while(|byte| **byte == b':').count();
    let start = from - colons;
    let end = start + text[start..].bytes().take(46).position(|byte| byte == b']')?;
    (text[..start].ends_with('[') && text[start..end].contains(':')).then_some((start, end))
}

/// How much of a word belongs to an escape that began before it.
fn escaped(text: &str, from: usize, to: usize) -> usize {
    let (before, word) = (&text.as_bytes()[..from], &text.as_bytes()[from..to]);
    let hex = |count: usize, skip: usize| {
        word.get(skip..skip + count).is_some_and(|digits| digits.iter().all(u8::is_ascii_hexdigit))
    };
    match before {
        [.., b'%'] if hex(2, 0) => {
            // What is encoded again has its percent signs encoded.
            let mut length = 2;
            while word[length - 2..].starts_with(b"25") && hex(2, length) {
                length += 2;
            }
            length
        }
        [.., b'\\'] if word[0] == b'x' && hex(2, 1) => 3,
        [.., b'\\'] if word[0] == b'u' && hex(4, 1) => 5,
        [.., b'\\', b'\\'] => 0,
        [.., b'\\'] if b"nrtbf".contains(&word[0]) && !place::is_kind(&text[from..]) => 1,
        _ => 0,
    }
}

/// The length of what `bytes` begin with, where it may stand in a name: a letter, a digit, a dot, a dash, an underscore; a
/// dot or a dash may be spelled as an escape.
fn sign(bytes: &[u8]) -> Option<usize> {
    match bytes.first()? {
        byte if byte.is_ascii_alphanumeric() || b"._-".contains(byte) => Some(1),
        byte if is_latin(*byte) => Some(2),
        b'%' | b'\\' | b'&' => {
            let escape = ESCAPES.iter().find(|(escape, _)| {
                bytes.get(..escape.len()).is_some_and(|start| start.eq_ignore_ascii_case(escape.as_bytes()))
            })?;
            let length = escape.0.len();
            bytes.get(length).is_some_and(u8::is_ascii_alphanumeric).then_some(length)
        }
        _ => None,
    }
}

/// The first byte of a letter of two bytes, as in `m\u{fc}ller`. Other scripts write no blanks between words.
const fn is_latin(byte: u8) -> bool {
    matches!(byte, 0xC3..=0xC9)
}

/// Dots and dashes as URLs, JSON and markup may spell them.
const ESCAPES: [(&str, &str); 8] = [
    ("%2E", "."),
    ("%2D", "-"),
    ("\\u002E", "."),
    ("\\u002D", "-"),
    ("&#46;", "."),
    ("&#45;", "-"),
    ("&#x2E;", "."),
    ("&#x2D;", "-"),
];

/// A word with its dots and dashes as they are.
fn plain(word: &str) -> Cow<'_, str> {
    if !word.contains(['%', '\\', '&']) {
        return Cow::Borrowed(word);
    }
    let lower = |text: &str, escape: &str, sign| text.replace(escape, sign).replace(&escape.to_ascii_lowercase(), sign);
    Cow::Owned(ESCAPES.iter().fold(word.to_owned(), |word, (escape, sign)| lower(&word, escape, sign)))
}

/// Where the marker ends that begins at `from`; `from` where none does.
fn marker_end(text: &str, from: usize) -> usize {
    const FIRST: [&str; 17] = [
        "type1",
        "type2",
        "type3",
        "jwt",
        "jwe",
        "opaque",
        "hidden",
        "guid",
        "spnego",
        "kerberos",
        "ntlm",
        "empty",
        "unreadable",
        "user=empty",
        "user=upn",
        "user=bare",
        "user=down-level",
    ];
    let rest = &text[from + 1..];
    let begins = FIRST
        .iter()
        .any(|first| rest.strip_prefix(first).is_some_and(|after| after.starts_with([' ', ']', ':', '+', '%'])));
    let end = || memchr::memchr(b']', &rest.as_bytes()[..rest.len().min(4096)]);
    if begins { from + 1 + end().unwrap_or_default() } else { from }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests;
