//! Looks for known names in a text, wherever they stand.

use aho_corasick::{AhoCorasick, MatchKind};

/// Names, in any letter case.
pub(super) struct Search {
    finder: AhoCorasick,
    /// Which of them count inside of a longer word, too.
    inside: Vec<bool>,
}

impl Search {
    /// Looks for `names`, each with whether it counts inside of a longer word; nothing where there are none.
    pub(super) fn of(names: Vec<(String, bool)>) -> Option<Self> {
        let (words, inside): (Vec<String>, Vec<bool>) = names.into_iter().unzip();
        let finder = AhoCorasick::builder().ascii_case_insensitive(true).match_kind(MatchKind::Standard).build(&words);
        finder.ok().filter(|_| !words.is_empty()).map(|finder| Self { finder, inside })
    }

    /// Where names stand between two places of `text`: the first ones and of those the longest, none within another.
    pub(super) fn found(&self, text: &[u8], from: usize, to: usize) -> Vec<(usize, usize)> {
        let mut found: Vec<(usize, usize)> = Vec::new();
        for hit in self.finder.find_overlapping_iter(&text[from..to]) {
            let (start, end) = (from + hit.start(), from + hit.end());
            if self.inside[hit.pattern().as_usize()] || (is_start(text, start) && is_end(text, end)) {
                found.push((start, end));
            }
        }
        if found.len() > 1 {
            found.sort_unstable_by_key(|(start, end)| (*start, usize::MAX - end));
            let mut last = 0;
            found.retain(|(start, end)| {
                let apart = *start >= last;
                last = if apart { *end } else { last };
                apart
            });
        }
        found
    }
}

/// Looks for all names of a session that must not be left in a file.
pub struct NameSearch(pub(super) Option<Search>);

impl NameSearch {
    /// How many of them stand in `text`.
    pub fn count(&self, text: &[u8]) -> usize {
        self.0.as_ref().map_or(0, |search| search.found(text, 0, text.len()).len())
    }
}

/// Whether a word may begin here.
fn is_start(text: &[u8], at: usize) -> bool {
    let before = &text[..at];
    let hex = |count: usize| before.len() >= count && before[before.len() - count..].iter().all(u8::is_ascii_hexdigit);
    match before {
        [] | [.., b'\\', b'n' | b'r' | b't'] => true,
        [.., last] if !last.is_ascii_alphanumeric() => true,
        [.., b'%', _, _] | [.., b'\\', b'x', _, _] => hex(2),
        [.., b'\\', b'u', _, _, _, _] => hex(4),
        _ => false,
    }
}

/// Whether a word may end here.
fn is_end(text: &[u8], at: usize) -> bool {
    text.get(at).is_none_or(|next| !next.is_ascii_alphanumeric())
}
