//! The `x-ms-diagnostics` header: a number, a reason and a category, in three dialects.

use super::view::Decoded;
use crate::diagnosis::{Case, Place};
use crate::redact::Clean;

/// What a server says of its refusal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Diagnostics<'a> {
    /// The number at its head.
    pub code: Option<u32>,
    /// `reason`, as it stands; empty where there is none.
    pub reason: &'a str,
    /// `error_category`, `error_type` or `category`; empty where there is none.
    pub category: &'a str,
    /// Whose dialect it is.
    pub family: Family,
    line: &'a Clean,
}

/// Who writes `x-ms-diagnostics`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Family {
    /// `error_category`, 2xxxxxx and 4xxxxxx.
    Exchange,
    /// `category`, 3xxxxxx.
    SharePoint,
    /// `source`, small numbers.
    Lync,
    /// None of these.
    Other,
}

impl<'a> Diagnostics<'a> {
    /// Reads a header value; nothing where it holds neither a number nor a reason.
    pub fn read(line: &'a Clean) -> Option<Self> {
        let text = line.as_str().trim();
        let digits = text.find(|letter: char| !letter.is_ascii_digit()).unwrap_or(text.len());
        let code = text[..digits].parse().ok();
        let reason = value(text, "reason").unwrap_or_default();
        let exchange = value(text, "error_category").or_else(|| value(text, "error_type"));
        let share_point = value(text, "category");
        if code.is_none() && reason.is_empty() {
            return None;
        }
        let family = match code {
            Some(2_000_000..=2_999_999 | 4_000_000..=4_999_999) => Family::Exchange,
            Some(3_000_000..=3_999_999) => Family::SharePoint,
            _ if exchange.is_some() => Family::Exchange,
            _ if share_point.is_some() => Family::SharePoint,
            _ if value(text, "source").is_some() => Family::Lync,
            _ => Family::Other,
        };
        Some(Self { code, reason, category: exchange.or(share_point).unwrap_or_default(), family, line })
    }

    /// The reason as clean text.
    pub fn clean_reason(&self) -> Clean {
        self.line.part(self.reason)
    }

    /// Whether Exchange said one of these: the number, or, since numbers were reused, the category.
    pub fn is_exchange(&self, code: u32, category: &str) -> bool {
        self.family == Family::Exchange
            && if self.category.is_empty() { self.code == Some(code) } else { self.category_is(category) }
    }

    /// Whether the category is this, in any letter case.
    pub fn category_is(&self, category: &str) -> bool {
        self.category.eq_ignore_ascii_case(category)
    }

    /// Whether the reason holds these words, in any letter case.
    pub fn reason_has(&self, words: &str) -> bool {
        let words = words.as_bytes();
        self.reason.as_bytes().windows(words.len().max(1)).any(|window| window.eq_ignore_ascii_case(words))
    }
}

/// The header in its parts.
pub(super) fn decoded(case: &Case<'_>) -> Option<Decoded> {
    let said = case.diagnostics()?;
    let family = match said.family {
        Family::Exchange => Some("Exchange"),
        Family::SharePoint => Some("SharePoint"),
        Family::Lync => Some("Skype for Business"),
        Family::Other => None,
    };
    let category = (!said.category.is_empty()).then(|| said.line.part(said.category));
    let part = Decoded::new("x-ms-diagnostics", Place::ResponseHeader("x-ms-diagnostics"));
    let part = part.row_if("dialect", family).row_if("code", said.code).row_if("error_category", category);
    Some(part.row_if("reason", (!said.reason.is_empty()).then(|| said.clean_reason())))
}

/// The value of `name=`, quoted or not.
fn value<'a>(text: &'a str, name: &str) -> Option<&'a str> {
    let mut rest = text;
    loop {
        let at = rest.find(';')?;
        rest = rest[at + 1..].trim_start();
        let (key, after) = rest.split_once('=')?;
        let found = key.trim().eq_ignore_ascii_case(name);
        let after = after.trim_start();
        let (value, next) = match after.strip_prefix('"') {
            Some(inside) => {
                let end = inside
                    .match_indices('"')
                    .map(|(at, _)| at)
                    .find(|at| closes(&inside[at + 1..]))
                    .unwrap_or(inside.len());
                (&inside[..end], inside.get(end + 1..).unwrap_or_default())
            }
            None => after.split_at(after.find(';').unwrap_or(after.len())),
        };
        if found {
            return Some(value.trim());
        }
        rest = next;
    }
}

/// Whether the end or the next `;name=` follows a quotation mark: reasons quote things themselves.
fn closes(after: &str) -> bool {
    let after = after.trim_start();
    let next = after.strip_prefix([';', ',']).map(str::trim_start);
    next.map_or(after.is_empty(), |next| {
        let key = next.find(|letter: char| !(letter.is_ascii_alphanumeric() || letter == '_')).unwrap_or(next.len());
        next.is_empty() || (key > 0 && next[key..].trim_start().starts_with('='))
    })
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn reads_the_dialects_apart() {
        let read = |text: &'static str| {
            let line = Clean::from(text);
            let found =
                Diagnostics::read(&line).map(|d| (d.code, d.reason.to_owned(), d.category.to_owned(), d.family));
            found.unwrap()
        };
        assert_eq!(
            read(r#"2000003;reason="The claim "x"; y 'https://a' is invalid";error_category="invalid_resource""#),
            (
                Some(2_000_003),
                r#"The claim "x"; y 'https://a' is invalid"#.to_owned(),
                "invalid_resource".to_owned(),
                Family::Exchange
            )
        );
        assert_eq!(read("3001000;reason=\"There\";category=\"invalid_client\"").3, Family::SharePoint);
        assert_eq!(read("28001; source=\"pool\"; reason=\"x\"").3, Family::Lync);
        assert_eq!(read("2000009; Reason=\"r\" ; error_type=\"t\"").2, "t");
        assert_eq!(read("17").3, Family::Other);
        assert!(Diagnostics::read(&Clean::from("[hidden]")).is_none());
    }

    #[test]
    fn the_category_outranks_a_reused_number() {
        let line = Clean::from("2000009;reason=\"Unknown.\";error_category=\"invalid_issuer\"");
        let diagnostics = Diagnostics::read(&line).unwrap();
        assert!(!diagnostics.is_exchange(2_000_009, "invalid_certificate"));
        assert!(diagnostics.is_exchange(2_000_001, "Invalid_Issuer"));
        assert!(diagnostics.reason_has("UNKNOWN") && !diagnostics.reason_has("known by"));
    }
}
