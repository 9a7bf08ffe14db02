//! The page of one finding, and the list of all.

use std::fmt::Write as _;

use super::layout::{prose, verbatim};
use super::words;
use crate::diagnosis::Rule;
use crate::diagnosis::rules::none::NoRule;
use crate::text::{Language, Text};

/// All rules, one a line: id and title.
pub fn list(rules: &[&Rule], language: Language) -> String {
    let column = rules.iter().map(|rule| rule.id.len()).max().unwrap_or(0);
    let mut page = String::new();
    for rule in rules {
        let title = rule.title.fill(language, &[]);
        let _ = writeln!(page, "{:column$}  {title}", rule.id);
    }
    page
}

/// What a rule's findings mean, who must act, and what to do.
pub fn page(rule: &Rule, language: Language) -> String {
    let mut page = String::new();
    let _ = writeln!(page, "{}\n{}\n", rule.id, rule.title.fill(language, &[]));
    let kinds = rule.kinds.iter().map(|kind| kind.words().to(language));
    let certainties = rule.certainties.iter().map(|certainty| certainty.words().to(language));
    let actors = rule.actors.iter().map(|actor| actor.words().to(language));
    for (label, words) in [
        (Text { en: "Kind", ja: "種類" }, join(kinds, language)),
        (Text { en: "Certainty", ja: "確かさ" }, join(certainties, language)),
        (words::WHO_ACTS, join(actors, language)),
    ] {
        let _ = writeln!(page, "{}: {words}", label.to(language));
    }
    heading(&mut page, words::MEANING, language);
    prose(&mut page, "  ", &rule.explanation.fill(language, &[]));
    heading(&mut page, words::REMEDY, language);
    verbatim(&mut page, "  ", &rule.remedy.fill(language, &[]));
    heading(&mut page, words::SOURCES, language);
    for source in rule.sources_in(language) {
        verbatim(&mut page, "  ", source);
    }
    page
}

/// Causes that are no rule, one a line: id, title, and the finding to read instead.
pub fn list_none(causes: &[NoRule], language: Language) -> String {
    let heading = Text { en: "Causes without a finding of their own:", ja: "専用の検出結果がない原因:" };
    let column = causes.iter().map(|cause| cause.id.len()).max().unwrap_or(0);
    let mut page = format!("\n{}\n", heading.to(language));
    for cause in causes {
        let nearest = cause.instead.first().copied().unwrap_or_default();
        let _ = writeln!(page, "{:column$}  {} -> {nearest}", cause.id, cause.title.to(language));
    }
    page
}

/// Why a cause is no rule, and what to read instead.
pub fn none(cause: &NoRule, language: Language) -> String {
    let mut page = String::new();
    let _ = writeln!(page, "{}\n{}", cause.id, cause.title.to(language));
    heading(&mut page, Text { en: "Why authtap does not find it", ja: "authtap が検出しない理由" }, language);
    prose(&mut page, "  ", cause.reason.to(language));
    heading(&mut page, Text { en: "Read instead", ja: "代わりに参照する検出結果" }, language);
    for id in cause.instead {
        let _ = writeln!(page, "  authtap explain {id}");
    }
    page
}

/// Ids that somebody may have meant by `wrong`: those that share a word with it, most shared words first.
pub fn meant(rules: &[&Rule], wrong: &str) -> Vec<&'static str> {
    let wrong = wrong.to_ascii_lowercase();
    let words: Vec<_> = wrong.split(['-', '_', ' ']).filter(|word| word.len() > 2).collect();
    let shared = |id: &str| words.iter().filter(|word| id.contains(**word)).count();
    let mut near: Vec<_> =
        rules.iter().map(|rule| (shared(rule.id), rule.id)).filter(|(count, _)| *count > 0).collect();
    near.sort_by_key(|(count, _)| std::cmp::Reverse(*count));
    near.into_iter().take(5).map(|(_, id)| id).collect()
}

fn heading(page: &mut String, title: Text, language: Language) {
    let _ = writeln!(page, "\n{}", title.to(language));
}

/// A list whose items may hold commas themselves.
fn join<'a>(words: impl Iterator<Item = &'a str>, language: Language) -> String {
    words.collect::<Vec<_>>().join(Text { en: "; ", ja: "／" }.to(language))
}

#[cfg(test)]
#[allow(clippy::expect_used)]
mod tests {
    use super::*;
    use crate::report::sample::{EMPTY_BEARER, OFFLOAD};

    #[test]
    fn a_page_has_the_words_in_the_language_asked_for() {
        insta::assert_snapshot!([page(&OFFLOAD, Language::En), page(&OFFLOAD, Language::Ja)].join("---\n"));
    }

    #[test]
    fn a_source_that_is_no_page_is_told_in_words() {
        let rule = Rule { sources: &["public capture", "RFC 9110"], ..OFFLOAD };
        assert!(page(&rule, Language::En).ends_with("Sources\n  seen in a published capture\n  RFC 9110\n"));
        assert!(page(&rule, Language::Ja).ends_with("出典\n  公開されているキャプチャで確認\n  RFC 9110\n"));
    }

    #[test]
    fn the_list_has_a_line_a_finding() {
        let list = list(&[&OFFLOAD, &EMPTY_BEARER], Language::En);
        assert_eq!(list.lines().count(), 2);
        assert!(list.contains("\nhma-empty-bearer             The client asks where to get a token\n"));
    }

    #[test]
    fn a_cause_without_a_rule_says_why_and_what_to_read() {
        let cause = crate::diagnosis::rules::none::none("eas-options-401").expect("it is in the list");
        let page = none(cause, Language::En);
        assert!(page.starts_with("eas-options-401\nActiveSync answers OPTIONS"), "{page}");
        assert!(page.ends_with("  authtap explain hs-anonymous-probe\n  authtap explain basic-bad-credentials\n"));
        assert!(none(cause, Language::Ja).contains("代わりに参照する検出結果"));
    }

    #[test]
    fn a_mistyped_id_leads_to_those_with_its_words() {
        let rules = [&OFFLOAD, &EMPTY_BEARER];
        assert_eq!(meant(&rules, "empty_bearer"), ["hma-empty-bearer"]);
        assert_eq!(meant(&rules, "ssl"), ["ssl-offload-audience-scheme"]);
        assert!(meant(&rules, "kerberos").is_empty());
    }
}
