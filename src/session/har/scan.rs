//! A JSON text walked value by value, without holding more of it than one value.
//!
//! It tells where values begin and end, no more: what stands in a value is for a JSON parser. So a value with broken
//! insides costs that value alone, and a file of any length costs the memory of its longest value.

use std::io::{self, BufRead};

/// What ends the walk.
pub(super) enum Broken {
    /// The text ends inside a value.
    Cut,
    /// Something stands where it cannot.
    Syntax,
    /// The text cannot be read on.
    Input(io::Error),
}

impl From<io::Error> for Broken {
    fn from(error: io::Error) -> Self {
        Self::Input(error)
    }
}

/// Walks over a JSON text.
pub(super) struct Scanner<R> {
    from: R,
}

/// Keys are kept up to this length; no key that anybody asks for is longer.
const KEY: usize = 256;

impl<R: BufRead> Scanner<R> {
    /// At the beginning of a text, behind its byte order mark if it has one.
    pub(super) fn new(mut from: R) -> io::Result<Self> {
        if from.fill_buf()?.starts_with(b"\xEF\xBB\xBF") {
            from.consume(3);
        }
        Ok(Self { from })
    }

    /// Steps into the object (`{`) or array (`[`) that begins here; false where something else does.
    pub(super) fn enter(&mut self, bracket: u8) -> Result<bool, Broken> {
        let found = self.peek()? == bracket;
        if found {
            self.from.consume(1);
        }
        Ok(found)
    }

    /// Steps to the next member of the object we are in; `None` behind its end. `first` says whether none came yet.
    pub(super) fn key(&mut self, first: &mut bool) -> Result<Option<Vec<u8>>, Broken> {
        if !self.item(first, b'}')? {
            return Ok(None);
        }
        let mut key = Vec::new();
        if self.peek()? != b'"' {
            return Err(Broken::Syntax);
        }
        self.value(&mut key, KEY)?;
        if self.peek()? != b':' {
            return Err(Broken::Syntax);
        }
        self.from.consume(1);
        Ok(Some(key))
    }

    /// Steps to the next item of the array or object that ends with `end`; false behind its end.
    pub(super) fn item(&mut self, first: &mut bool, end: u8) -> Result<bool, Broken> {
        let next = self.peek()?;
        if next == end {
            self.from.consume(1);
            return Ok(false);
        }
        match (std::mem::replace(first, false), next) {
            (true, _) => Ok(true),
            (false, b',') => {
                self.from.consume(1);
                // A comma before the end: some writers leave one.
                let over = self.peek()? == end;
                if over {
                    self.from.consume(1);
                }
                Ok(!over)
            }
            (false, _) => Err(Broken::Syntax),
        }
    }

    /// Takes the value that begins here into `into`, as it stands; false where it is longer than `limit`: then it is
    /// passed over.
    pub(super) fn value(&mut self, into: &mut Vec<u8>, limit: usize) -> Result<bool, Broken> {
        into.clear();
        let mut fits = true;
        self.walk(|bytes| {
            fits &= into.len() + bytes.len() <= limit;
            if fits {
                into.extend_from_slice(bytes);
            }
        })?;
        Ok(fits)
    }

    /// Passes over the value that begins here.
    pub(super) fn skip(&mut self) -> Result<(), Broken> {
        self.walk(|_| ())
    }

    fn walk(&mut self, mut take: impl FnMut(&[u8])) -> Result<(), Broken> {
        if matches!(self.peek()?, b',' | b':' | b'}' | b']') {
            return Err(Broken::Syntax);
        }
        let mut inside = Inside::default();
        loop {
            let bytes = self.from.fill_buf()?;
            if bytes.is_empty() {
                return Err(Broken::Cut);
            }
            let (used, over) = inside.walk(bytes);
            take(&bytes[..used]);
            self.from.consume(used);
            if over {
                return Ok(());
            }
        }
    }

    /// The next byte that is no blank; it stays.
    fn peek(&mut self) -> Result<u8, Broken> {
        loop {
            let bytes = self.from.fill_buf()?;
            if bytes.is_empty() {
                return Err(Broken::Cut);
            }
            match bytes.iter().position(|byte| !byte.is_ascii_whitespace()) {
                Some(at) => {
                    let byte = bytes[at];
                    self.from.consume(at);
                    return Ok(byte);
                }
                None => {
                    let blanks = bytes.len();
                    self.from.consume(blanks);
                }
            }
        }
    }
}

/// How deep inside a value we are.
#[derive(Default)]
struct Inside {
    depth: usize,
    string: bool,
    escaped: bool,
}

impl Inside {
    /// How many of `bytes` belong to the value, and whether it ends there.
    fn walk(&mut self, bytes: &[u8]) -> (usize, bool) {
        let mut at = 0;
        while at < bytes.len() {
            if self.string {
                at = self.string(bytes, at);
                if !self.string && self.depth == 0 {
                    return (at, true);
                }
                continue;
            }
            match bytes[at] {
                b'"' => self.string = true,
                b'{' | b'[' => self.depth += 1,
                // Behind a number or a word.
                b'}' | b']' | b',' if self.depth == 0 => return (at, true),
                byte if self.depth == 0 && byte.is_ascii_whitespace() => return (at, true),
                b'}' | b']' => {
                    self.depth -= 1;
                    if self.depth == 0 {
                        return (at + 1, true);
                    }
                }
                _ => {}
            }
            at += 1;
        }
        (at, false)
    }

    /// Goes on in a string from `at`; gives the place behind its end or behind `bytes`.
    fn string(&mut self, bytes: &[u8], at: usize) -> usize {
        if std::mem::take(&mut self.escaped) {
            return at + 1;
        }
        match memchr::memchr2(b'"', b'\\', &bytes[at..]) {
            None => bytes.len(),
            Some(found) => {
                self.escaped = bytes[at + found] == b'\\';
                self.string = self.escaped;
                at + found + 1
            }
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use std::io::BufReader;

    use super::*;

    /// Reads in pieces of `piece` bytes, so that every state meets the end of a buffer.
    fn scanner(text: &str, piece: usize) -> Scanner<BufReader<&[u8]>> {
        Scanner { from: BufReader::with_capacity(piece, text.as_bytes()) }
    }

    fn items(text: &str, piece: usize) -> (Vec<String>, bool) {
        let (mut scanner, mut first, mut items) = (scanner(text, piece), true, Vec::new());
        assert!(scanner.enter(b'[').is_ok_and(|found| found));
        loop {
            match scanner.item(&mut first, b']') {
                Ok(true) => {}
                Ok(false) => return (items, true),
                Err(_) => return (items, false),
            }
            let mut value = Vec::new();
            match scanner.value(&mut value, 64) {
                Ok(true) => items.push(String::from_utf8(value).unwrap()),
                Ok(false) => items.push("long".to_owned()),
                Err(_) => return (items, false),
            }
        }
    }

    #[test]
    fn values_are_told_apart_wherever_the_buffer_ends() {
        let text = r#" [ {"a":"}\"]\\"} ,[1,[2]], "x,]" ,12.5e3, null,NaN,true , {} ]"#;
        let expected = [r#"{"a":"}\"]\\"}"#, "[1,[2]]", r#""x,]""#, "12.5e3", "null", "NaN", "true", "{}"];
        for piece in [1, 2, 3, 5, 8, 200] {
            assert_eq!(items(text, piece), (expected.map(str::to_owned).to_vec(), true), "{piece}");
        }
    }

    #[test]
    fn what_is_cut_or_wrong_ends_the_walk_after_what_was_whole() {
        for text in ["[1, {\"a\":", "[1, \"x\\", "[1 2", "[1,,2]", "[1"] {
            let (found, whole) = items(text, 4);
            assert!(!whole && found.first().is_none_or(|first| first == "1"), "{text}: {found:?}");
        }
        assert_eq!(items("[1,]", 4), (vec!["1".to_owned()], true));
    }

    #[test]
    fn a_value_that_is_too_long_is_passed_over() {
        let text = format!("[\"{}\",7]", "a".repeat(100));
        assert_eq!(items(&text, 16), (vec!["long".to_owned(), "7".to_owned()], true));
    }

    #[test]
    fn keys_lead_through_an_object() {
        let (mut scanner, mut first) = (scanner("{ \"a\" : {\"b\":1} , \"c\":2}", 3), true);
        assert!(scanner.enter(b'{').is_ok_and(|found| found));
        let mut keys = Vec::new();
        while let Ok(Some(key)) = scanner.key(&mut first) {
            keys.push(String::from_utf8(key).unwrap());
            assert!(scanner.skip().is_ok());
        }
        assert_eq!(keys, ["\"a\"", "\"c\""]);
    }
}
