//! The ways in which a text is looked through: as it stands, and with its escapes resolved, round by round.
//!
//! In all of them, signs that stand for each other in some encoding are one: those by which the alphabets of base64 differ, and
//! the blank, which forms write as a plus.

use std::borrow::Cow;
use std::cell::OnceCell;
use std::ops::Range;

use super::super::markup;

/// A text as it is looked through.
pub(super) struct View<'t> {
    text: &'t [u8],
    /// What was made of it, before signs are one.
    resolved: Cow<'t, [u8]>,
    bytes: Vec<u8>,
    /// How often it was resolved.
    rounds: usize,
    /// Where in the text the bytes began, once somebody asks.
    places: OnceCell<Vec<usize>>,
}

/// An escape may stand in another: JSON in a form in JSON; and what a secret holds may look like one.
const ROUNDS: usize = 6;

impl<'t> View<'t> {
    /// The text as it stands.
    pub(super) fn plain(text: &'t [u8]) -> Self {
        Self { text, resolved: Cow::Borrowed(text), bytes: all_folded(text), rounds: 0, places: OnceCell::new() }
    }

    /// The same with its escapes resolved once more, and without NULs; nothing where it has none.
    pub(super) fn next(&self) -> Option<Self> {
        let may_have = memchr::memchr3(b'%', b'\\', b'&', &self.resolved).or_else(|| memchr::memchr(0, &self.resolved));
        may_have.filter(|_| self.rounds < ROUNDS)?;
        let resolved = resolve(&self.resolved, &mut |_| ());
        let (bytes, rounds) = (all_folded(&resolved), self.rounds + 1);
        let is_other = resolved.len() < self.resolved.len();
        is_other.then_some(Self {
            text: self.text,
            bytes,
            resolved: Cow::Owned(resolved),
            rounds,
            places: OnceCell::new(),
        })
    }

    pub(super) fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// What of the text a part of the view stands for: whole words, for what was found may be a part of a token. `known` is
    /// such a range; what begins in it belongs to it.
    pub(super) fn origin(&self, range: Range<usize>, known: &Range<usize>) -> Range<usize> {
        let places = self.places.get_or_init(|| self.places());
        let place = |at: usize| {
            if self.rounds == 0 { at } else { places.get(at).copied().unwrap_or(self.text.len()) }
        };
        let (start, end) = (place(range.start), place(range.end));
        if known.contains(&start) && end <= known.end { known.clone() } else { word(self.text, start..end) }
    }

    fn places(&self) -> Vec<usize> {
        let mut places: Option<Vec<usize>> = None;
        let mut bytes = self.text.to_vec();
        for _ in 0..self.rounds {
            let mut from = Vec::with_capacity(bytes.len());
            bytes = resolve(&bytes, &mut |at| from.push(at));
            places = Some(match places {
                None => from,
                Some(places) => from.into_iter().map(|at| places[at]).collect(),
            });
        }
        places.unwrap_or_default()
    }
}

/// What a text is in the first and in the last of its views.
pub(super) fn ends(text: &[u8]) -> [Vec<u8>; 2] {
    let first = View::plain(text);
    let last = std::iter::successors(first.next(), View::next).last();
    [first.bytes.clone(), last.map_or(first.bytes, |last| last.bytes)]
}

fn all_folded(bytes: &[u8]) -> Vec<u8> {
    bytes.iter().map(|byte| folded(*byte)).collect()
}

/// One for all signs that stand for each other.
pub(super) const fn folded(byte: u8) -> u8 {
    match byte {
        b'-' | b' ' => b'+',
        b'_' => b'/',
        byte => byte,
    }
}

/// One round. For each byte `from` is told where what it stands for began. No escape is as short as what it stands for.
fn resolve(bytes: &[u8], from: &mut impl FnMut(usize)) -> Vec<u8> {
    let mut out = Vec::with_capacity(bytes.len());
    let mut at = 0;
    let has_nul = memchr::memchr(0, bytes).is_some();
    let next = |rest: &[u8]| {
        let sign = memchr::memchr3(b'%', b'\\', b'&', rest).unwrap_or(rest.len());
        if has_nul { memchr::memchr(0, &rest[..sign]).unwrap_or(sign) } else { sign }
    };
    loop {
        let plain = at..at + next(&bytes[at..]);
        out.extend_from_slice(&bytes[plain.clone()]);
        at = plain.end;
        plain.for_each(&mut *from);
        let Some(&byte) = bytes.get(at) else { break };
        match escape(&bytes[at..]) {
            Some((Stands::Byte(byte), length)) => {
                from(at);
                out.push(byte);
                at += length;
            }
            Some((Stands::Letter(letter), length)) => {
                let mut letters = [0; 4];
                for byte in letter.encode_utf8(&mut letters).bytes() {
                    from(at);
                    out.push(byte);
                }
                at += length;
            }
            None => {
                if byte != 0 {
                    from(at);
                    out.push(byte);
                }
                at += 1;
            }
        }
    }
    out
}

/// What an escape stands for.
enum Stands {
    Byte(u8),
    Letter(char),
}

/// The escape that `bytes` begins with, and its length.
fn escape(bytes: &[u8]) -> Option<(Stands, usize)> {
    let hex = |from: usize, to: usize| {
        let digits = std::str::from_utf8(bytes.get(from..to)?).ok()?;
        u32::from_str_radix(digits, 16).ok().filter(|_| !digits.starts_with('+'))
    };
    let byte = |code: u32| u8::try_from(code).ok().map(Stands::Byte);
    match *bytes {
        [b'%', ..] => Some((byte(hex(1, 3)?)?, 3)),
        [b'\\', b'x', ..] => Some((byte(hex(2, 4)?)?, 4)),
        [b'\\', b'u' | b'U', ..] => match hex(2, 6)? {
            high @ 0xd800..0xdc00 => {
                let low = hex(8, 12).filter(|low| bytes[6..8] == *b"\\u" && (0xdc00..0xe000).contains(low))?;
                Some((Stands::Letter(char::from_u32(0x1_0000 + ((high - 0xd800) << 10) + (low - 0xdc00))?), 12))
            }
            code => Some((Stands::Letter(char::from_u32(code)?), 6)),
        },
        [b'\\', sign, ..] => {
            let stands = match sign {
                b'n' => b'\n',
                b'r' => b'\r',
                b't' => b'\t',
                b'b' => 8,
                b'f' => 12,
                b'"' | b'\'' | b'\\' | b'/' => sign,
                _ => return None,
            };
            Some((Stands::Byte(stands), 2))
        }
        [b'&', ..] => {
            let end = bytes.iter().take(12).position(|byte| *byte == b';')?;
            Some((Stands::Letter(markup::entity(std::str::from_utf8(&bytes[1..end]).ok()?)?), end + 1))
        }
        _ => None,
    }
}

/// The word around a part of a text. Letters of escapes and of other alphabets belong to it; no escape is cut.
fn word(text: &[u8], range: Range<usize>) -> Range<usize> {
    let is_end =
        |byte: &u8| byte.is_ascii_whitespace() || byte.is_ascii_control() || b"\"'\\<>&;,(){}[]".contains(byte);
    let before = text[..range.start].iter().rev().take_while(|byte| !is_end(byte) && **byte != b'=').count();
    let after = text[range.end..].iter().take_while(|byte| !is_end(byte)).count();
    let (mut start, mut end) = (range.start - before, range.end + after);
    let slashes = text[..start].iter().rev().take_while(|byte| **byte == b'\\').count();
    if slashes % 2 == 1 {
        start -= 1;
    }
    let slashes = text[start..end].iter().rev().take_while(|byte| **byte == b'\\').count();
    if slashes % 2 == 1 {
        end = text.len().min(end + 1);
    }
    start..end
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn every_escape_is_resolved_however_deep() {
        for (text, plain) in [
            ("a%21b%2fc%2F", "a!b/c/"),
            ("a%2521", "a!"),
            (r#"\"a\\q\/\u0063\n"#, "\"a\\q/c\n"),
            (r"\ud83d\ude00 \x41", "\u{1f600}+A"),
            ("&lt;a&#33;&#x21;&amp;amp;", "<a!!&"),
            ("h\0i\0", "hi"),
            ("50% &c \\q %zz \\u12", "50%+&c+\\q+%zz+\\u12"),
            ("a-b_c+d/e f", "a+b/c+d/e+f"),
        ] {
            let [_, last] = ends(text.as_bytes());
            assert_eq!(String::from_utf8_lossy(&last), plain, "{text}");
        }
    }

    #[test]
    fn what_a_part_of_a_view_stands_for_is_the_words_around_it() {
        let origin = |text: &'static str, part: &str| {
            let view = std::iter::successors(Some(View::plain(text.as_bytes())), View::next).last().unwrap();
            let at = memchr::memmem::find(view.bytes(), part.as_bytes()).unwrap_or_default();
            &text[view.origin(at..at + part.len(), &(0..0))]
        };
        assert_eq!(origin("a=1&sig=x%2521yz&b", "x!y"), "x%2521yz");
        assert_eq!(origin(r#"{"a":"k\u0041\"b c"}"#, "kA\"b"), r#"k\u0041\"b"#);
        assert_eq!(origin("Bearer abc.def-g, x", "c.d"), "abc.def-g");
        assert_eq!(origin(r"CONTOSO\nabc x", "abc"), r"\nabc");
        assert_eq!(origin("abc", "abc"), "abc");
    }
}
