//! JSON that may be cut off anywhere: syntax stays, values are shown by their names.

use super::door::Door;
use super::names::{self, Treatment};
use super::shape;

/// Deeper nesting is not followed.
const DEEPEST: usize = 128;

/// What an unnamed string is.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Sort {
    /// Anything.
    Data,
    /// A claims request, whose strings are claims' names and short values.
    Claims,
}

/// What became of a text.
#[derive(Clone, Copy)]
pub(super) struct Read {
    /// How many bytes of it were read.
    pub(super) length: usize,
    /// Whether it ended where JSON may end.
    pub(super) complete: bool,
}

/// Writes `text` redacted, up to its first error; `first` value only, or all of them.
pub(super) fn write(door: &Door<'_>, text: &str, sort: Sort, only_first: bool, out: &mut String) -> Read {
    let mut walk = Walk { door, text, at: 0, sort, levels: Vec::new(), out };
    let complete = walk.run(only_first);
    Read { length: walk.at, complete }
}

/// Writes the first value of `text`, which stands in a sentence, redacted. Gives how much of `text` that was: all of it
/// where the value has an error, for then it has no end, and what follows is masked.
pub(super) fn within(door: &Door<'_>, text: &str, out: &mut String) -> usize {
    let mut walk = Walk { door, text, at: 0, sort: Sort::Data, levels: Vec::new(), out };
    if walk.run(true) {
        return walk.at;
    }
    let rest = &text[walk.at..];
    if let Some(words) = rest.strip_prefix('"').filter(|_| walk.is_at_words()) {
        // Somebody copied the beginning of an error's description: where it ends means nothing for what it shows.
        out.push('"');
        door.words(words, out);
    } else if !rest.is_empty() {
        // A string without an end is where it stops again when it is read again.
        out.push('"');
        door.hide(rest.strip_prefix('"').filter(|rest| !rest.is_empty()).unwrap_or(rest), out);
    }
    text.len()
}

struct Walk<'a, 'd> {
    door: &'a Door<'d>,
    text: &'a str,
    at: usize,
    sort: Sort,
    levels: Vec<Level>,
    out: &'a mut String,
}

struct Level {
    object: bool,
    /// The next string is a name.
    name_next: bool,
    /// The name of the value to come; an array's values have the array's name.
    name: String,
    /// Within an object that tells an error.
    error: bool,
    /// The object is an error's message, which `OData` splits into a language and a text.
    message: bool,
}

impl Walk<'_, '_> {
    fn run(&mut self, only_first: bool) -> bool {
        while let Some(&byte) = self.text.as_bytes().get(self.at) {
            match byte {
                b' ' | b'\t' | b'\r' | b'\n' | b':' => self.copy(1),
                b'{' | b'[' if self.levels.len() < DEEPEST => {
                    let (name, error) = self.context();
                    let message = error && name.eq_ignore_ascii_case("message");
                    self.levels.push(Level { object: byte == b'{', name_next: byte == b'{', name, error, message });
                    self.copy(1);
                    continue;
                }
                b'}' | b']' => {
                    if self.levels.pop().is_none_or(|level| level.object != (byte == b'}')) {
                        return false;
                    }
                    self.copy(1);
                }
                b',' => {
                    if let Some(level) = self.levels.last_mut() {
                        level.name_next = level.object;
                    }
                    self.copy(1);
                }
                b'"' => {
                    if !self.string() {
                        return false;
                    }
                }
                b'-' | b'0'..=b'9' => self.number(),
                b't' | b'f' | b'n' => {
                    let rest = &self.text[self.at..];
                    let Some(word) = ["true", "false", "null"].into_iter().find(|word| rest.starts_with(word)) else {
                        return false;
                    };
                    self.copy(word.len());
                }
                _ => return false,
            }
            if only_first && self.levels.is_empty() && !byte.is_ascii_whitespace() {
                return true;
            }
        }
        self.levels.is_empty()
    }

    fn copy(&mut self, length: usize) {
        self.out.push_str(&self.text[self.at..self.at + length]);
        self.at += length;
    }

    /// The name of the value to come, and whether it stands in an error.
    fn context(&self) -> (String, bool) {
        self.levels.last().map_or_else(Default::default, |level| {
            let name = level.name.to_ascii_lowercase();
            (level.name.clone(), level.error || name.contains("error") || name.contains("exception"))
        })
    }

    fn string(&mut self) -> bool {
        let Some(length) = string_length(&self.text[self.at..]) else { return false };
        let raw = &self.text[self.at..self.at + length];
        self.at += length;
        let inner = &raw[1..length - 1];
        // What serde does not take (a raw line break, a bad escape) is read as it stands.
        let decoded = if inner.contains('\\') {
            serde_json::from_str(raw).unwrap_or_else(|_| inner.to_owned())
        } else {
            inner.to_owned()
        };
        let mut shown = String::with_capacity(decoded.len());
        if let Some(level) = self.levels.last_mut().filter(|level| level.name_next) {
            level.name_next = false;
            if shape::is_name(&decoded) {
                level.name.clone_from(&decoded);
                shown.push_str(&decoded);
            } else {
                // What stands under a name that is not shown is hidden as well, and is so when it is read again.
                "secret".clone_into(&mut level.name);
                self.door.hide(&decoded, &mut shown);
            }
        } else {
            self.value(&decoded, &mut shown);
        }
        if shown == decoded {
            self.out.push_str(raw);
        } else {
            self.out.push_str(&quoted(&shown));
        }
        true
    }

    fn value(&self, text: &str, out: &mut String) {
        let (name, error) = self.context();
        let treatment = names::treatment(&name);
        let treatment = match treatment {
            Treatment::Credential(_) if error && name.eq_ignore_ascii_case("code") => Treatment::Words,
            Treatment::Shape if self.in_message() && name.eq_ignore_ascii_case("value") => Treatment::Words,
            Treatment::Shape
                if self.sort == Sort::Claims && (shape::is_plain_segment(text) || shape::is_guid(text)) =>
            {
                return out.push_str(text);
            }
            treatment => treatment,
        };
        self.door.treat(treatment, text, out);
    }

    /// Whether the value to come is shown as prose.
    fn is_at_words(&self) -> bool {
        let value_next = self.levels.last().is_some_and(|level| !level.name_next);
        value_next && matches!(names::treatment(&self.context().0), Treatment::Words | Treatment::Diagnostics)
    }

    fn in_message(&self) -> bool {
        self.levels.last().is_some_and(|level| level.message)
    }

    fn number(&mut self) {
        let rest = &self.text[self.at..];
        let length = rest.bytes().take_while(|b| b.is_ascii_digit() || b"+-.eE".contains(b)).count();
        let (name, _) = self.context();
        let secret = !matches!(
            names::treatment(&name),
            Treatment::Shape | Treatment::Words | Treatment::Diagnostics | Treatment::Id | Treatment::Product
        );
        if length > 15 || (secret && length > 3) {
            let mut hidden = String::new();
            self.door.hide(&rest[..length], &mut hidden);
            self.out.push_str(&quoted(&hidden));
            self.at += length;
        } else {
            self.copy(length);
        }
    }
}

/// The length of the string that `text` begins with, with its quotation marks.
fn string_length(text: &str) -> Option<usize> {
    let bytes = text.as_bytes();
    let mut at = 1;
    loop {
        at += memchr::memchr2(b'"', b'\\', bytes.get(at..)?)?;
        if bytes[at] == b'"' {
            return Some(at + 1);
        }
        at += 2;
    }
}

fn quoted(text: &str) -> String {
    // A string always serialises; the marker is for the type checker alone.
    serde_json::to_string(text).unwrap_or_else(|_| "\"\"".to_owned())
}

#[cfg(test)]
mod tests {
    use super::super::{Redactor, Syntax};

    #[test]
    fn the_text_of_an_odata_message_is_shown_and_a_refused_value_is_not() {
        let shown = |text: &str| {
            let redactor = Redactor::new();
            let clean = redactor.wire().body_text(Syntax::Json, text.as_bytes());
            assert_eq!(redactor.own().body_text(Syntax::Json, clean.as_str().as_bytes()), clean);
            clean.as_str().to_owned()
        };
        let message = r#"{"error":{"code":"-1, System.X","message":{"lang":"en-US","value":"Access denied."}}}"#;
        assert_eq!(shown(message), message);
        for other in [
            r#"{"error":{"details":[{"target":"password","value":"hunter2 x"}]}}"#,
            r#"{"message":{"value":"hunter2 x"}}"#,
        ] {
            assert!(shown(other).contains("[hidden #1]"), "{other}");
        }
    }
}
