//! Pseudonyms in clean texts: where they stand, and the texts with what they stand for.

use std::ops::Range;

use super::Clean;
use super::memory::Kind;

/// `text` with the people behind its pseudonyms, as `name_of` knows them by `user#1`. For a screen alone.
pub fn revealed(text: &Clean, mut name_of: impl FnMut(&str) -> Option<String>) -> String {
    replaced(text.as_str(), |kind, number| name_of(&written(kind, number)))
}

/// A pseudonym as it stands in texts that are no URLs.
pub(super) fn written(kind: Kind, number: u32) -> String {
    format!("{}#{number}", kind.word())
}

/// `text` with what `name_of` gives for its pseudonyms.
pub(super) fn replaced<N: AsRef<str>>(text: &str, mut name_of: impl FnMut(Kind, u32) -> Option<N>) -> String {
    let mut shown = String::with_capacity(text.len() + 16);
    let mut from = 0;
    for (range, kind, number) in pseudonyms(text) {
        if let Some(name) = name_of(kind, number) {
            shown.push_str(&text[from..range.start]);
            shown.push_str(name.as_ref());
            from = range.end;
        }
    }
    shown.push_str(&text[from..]);
    shown
}

/// The pseudonyms in `text`, `user#1` as well as the `user%231` of a URL.
pub(super) fn pseudonyms(text: &str) -> impl Iterator<Item = (Range<usize>, Kind, u32)> {
    let mut from = 0;
    std::iter::from_fn(move || {
        loop {
            let at = from + memchr::memchr2(b'#', b'%', text.as_bytes().get(from..)?)?;
            let sign = if text[at..].starts_with("%23") { 3 } else { 1 };
            let digits = text.as_bytes()[at + sign..].iter().take_while(|byte| byte.is_ascii_digit()).count();
            let end = at + sign + digits;
            let kind = Kind::ending(&text[from..at]).filter(|_| sign == 3 || text[at..].starts_with('#'));
            from = end;
            if let (Some(kind), Ok(number)) = (kind, text[at + sign..end].parse()) {
                return Some((at - kind.word().len()..end, kind, number));
            }
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pseudonyms_are_found_in_sentences_markers_and_urls() {
        let found = |text: &str| pseudonyms(text).map(|(range, ..)| text[range].to_owned()).collect::<Vec<_>>();
        assert_eq!(found("user#1@contoso.com, CONTOSO\\user#22"), ["user#1", "user#22"]);
        assert_eq!(found("Basic [user=upn:user#1@contoso.com password=set #2]"), ["user#1"]);
        assert_eq!(found("/EWS?User=user%231%40contoso.com&DeviceId=device%234"), ["user%231", "device%234"]);
        assert!(found("superuser#1 #1 50%23 user# user#x user%1 id#99999999999 %").is_empty());
    }

    #[test]
    fn what_nobody_knows_stays_a_pseudonym() {
        let known = |pseudonym: &str| (pseudonym == "user#1").then(|| "avery".to_owned());
        assert_eq!(revealed(&"user#1 user#12 ?u=user%231".into(), known), "avery user#12 ?u=avery");
    }
}
