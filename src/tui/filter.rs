//! The words typed after `/`, and which rows they leave.
//!
//! Words are separated by blanks and must all match. `401` is a status, `4xx` a class of them; `is:failure`,
//! `host:`, `path:`, `method:`, `status:`, `authn:` and `finding:` look in one place; anything else is looked for in all of
//! them. `text:` looks into the exchange itself, which is not in the list: heads and bodies. A `-` before a word turns it
//! round.

use memchr::memchr2_iter;

use super::row::Row;

/// A filter as typed.
#[derive(Clone, Debug, Default)]
pub(super) struct Filter {
    text: String,
    words: Vec<Word>,
}

#[derive(Clone, Debug)]
struct Word {
    negated: bool,
    test: Test,
}

#[derive(Clone, Debug)]
enum Test {
    Status(u16),
    Class(u16),
    Verdict(String),
    Within(Place, String),
    Anywhere(String),
    /// The exchange has to be read for it.
    Inside(String),
}

#[derive(Clone, Copy, Debug)]
enum Place {
    Host,
    Path,
    Method,
    Status,
    Authn,
    Finding,
}

impl Filter {
    pub(super) fn new(text: &str) -> Self {
        Self { text: text.to_owned(), words: text.split_whitespace().filter_map(Word::read).collect() }
    }

    pub(super) fn text(&self) -> &str {
        &self.text
    }

    /// Whether the row is one of those that are left, as far as the row itself tells.
    pub(super) fn matches(&self, row: &Row) -> bool {
        self.words.iter().all(|word| word.test.matches(row).is_none_or(|matches| matches != word.negated))
    }

    /// What the exchange itself has to hold, and whether it must not.
    pub(super) fn inside(&self) -> impl Iterator<Item = (&str, bool)> {
        self.words.iter().filter_map(|word| match &word.test {
            Test::Inside(text) => Some((text.as_str(), word.negated)),
            _ => None,
        })
    }

    /// Whether exchanges have to be read for it.
    pub(super) fn looks_inside(&self) -> bool {
        self.inside().next().is_some()
    }
}

impl Word {
    /// Nothing for a word that is not finished yet, such as `host:`: while one types, it must not empty the list.
    fn read(text: &str) -> Option<Self> {
        let (negated, text) = text.strip_prefix('-').map_or((false, text), |rest| (true, rest));
        if text.is_empty() {
            return None;
        }
        let test = match text.split_once(':') {
            Some((name, value)) => match (name.to_ascii_lowercase().as_str(), value.to_lowercase()) {
                (known, value)
                    if value.is_empty() && (["is", "text"].contains(&known) || Place::named(known).is_some()) =>
                {
                    return None;
                }
                ("is", value) => Test::Verdict(value),
                ("text", value) => Test::Inside(value),
                (known, value) => match Place::named(known) {
                    Some(place) => Test::Within(place, value),
                    None => Test::Anywhere(text.to_lowercase()),
                },
            },
            None => status(text).unwrap_or_else(|| Test::Anywhere(text.to_lowercase())),
        };
        Some(Self { negated, test })
    }
}

/// `401`, `4xx`.
fn status(text: &str) -> Option<Test> {
    if text.len() != 3 {
        return None;
    }
    if let Some(class) = text.strip_suffix("xx") {
        return class.parse().ok().map(Test::Class);
    }
    text.parse().ok().filter(|status| (100..600).contains(status)).map(Test::Status)
}

impl Place {
    fn named(name: &str) -> Option<Self> {
        Some(match name {
            "host" => Self::Host,
            "path" | "url" => Self::Path,
            "method" => Self::Method,
            "status" => Self::Status,
            "authn" => Self::Authn,
            "finding" | "id" => Self::Finding,
            _ => return None,
        })
    }

    const ALL: [Self; 6] = [Self::Host, Self::Path, Self::Method, Self::Status, Self::Authn, Self::Finding];

    fn holds(self, row: &Row, text: &str) -> bool {
        match self {
            Self::Host => contains(row.kind.host.as_str(), text),
            Self::Path => contains(row.path.as_str(), text),
            Self::Method => contains(row.kind.method.as_str(), text),
            Self::Status => row.status.is_some_and(|status| digits(status).starts_with(text.as_bytes())),
            Self::Authn => contains(row.kind.authn.short(), text) || contains(row.kind.authn.long(), text),
            Self::Finding => row.rules.iter().any(|rule| contains(rule.id, text)),
        }
    }
}

impl Test {
    /// Nothing where the row does not tell.
    fn matches(&self, row: &Row) -> Option<bool> {
        Some(match self {
            Self::Status(status) => row.status == Some(*status),
            Self::Class(class) => row.status.is_some_and(|status| status / 100 == *class),
            Self::Verdict(start) => row.verdict.code().starts_with(start.as_str()),
            Self::Within(place, text) => place.holds(row, text),
            Self::Anywhere(text) => Place::ALL.iter().any(|place| place.holds(row, text)),
            Self::Inside(_) => return None,
        })
    }
}

/// The digits of a status without an allocation for each row.
fn digits(status: u16) -> [u8; 3] {
    [status / 100 % 10, status / 10 % 10, status % 10].map(|digit| b'0' + digit as u8)
}

/// Whether `text` holds `part`, which is in lower case, in any letter case.
pub fn contains(text: &str, part: &str) -> bool {
    if !part.is_ascii() {
        return text.to_lowercase().contains(part);
    }
    let Some((first, rest)) = part.as_bytes().split_first() else { return true };
    let text = text.as_bytes();
    // A million rows are looked through between two keys.
    let starts = text.len().checked_sub(rest.len()).and_then(|end| text.get(..end)).unwrap_or_default();
    memchr2_iter(*first, first.to_ascii_uppercase(), starts)
        .any(|at| text.get(at + 1..=at + rest.len()).is_some_and(|found| found.eq_ignore_ascii_case(rest)))
}
