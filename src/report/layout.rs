//! Words on paper: filling names into sentences, breaking lines, labels in both languages.

use std::fmt::Write as _;

use unicode_width::{UnicodeWidthChar, UnicodeWidthStr};

use super::json::Error;
use crate::exchange::{Side, Step};
use crate::redact::Clean;
use crate::text::{Language, Text};

/// A sentence with names of the traffic in its places.
pub(super) fn fill(text: Text, names: &[(&'static str, Clean)], language: Language) -> String {
    let names: Vec<_> = names.iter().map(|(name, value)| (*name, value.as_str())).collect();
    text.fill(language, &names)
}

/// The columns that prose is broken at.
const WIDTH: usize = 100;

/// Adds prose to `page`, indented and broken between words; Japanese is broken between any two characters.
pub(super) fn prose(page: &mut String, indent: &str, text: &str) {
    for paragraph in text.lines() {
        let mut line = String::new();
        let mut width = 0;
        for word in words(paragraph) {
            let wide = word.width();
            if width > 0 && indent.len() + width + word.trim_end().width() > WIDTH {
                push_line(page, indent, &line);
                line.clear();
                width = 0;
            }
            line.push_str(word);
            width += wide;
        }
        push_line(page, indent, &line);
    }
}

/// Adds `text` to `page` line by line, indented and not broken: it holds commands that are copied.
pub(super) fn verbatim(page: &mut String, indent: &str, text: &str) {
    for line in text.lines() {
        push_line(page, indent, line);
    }
}

fn push_line(page: &mut String, indent: &str, line: &str) {
    let line = line.trim_end();
    if !line.is_empty() {
        page.push_str(indent);
        page.push_str(line);
    }
    page.push('\n');
}

/// Pieces that a line may be broken between, blanks left at their ends.
fn words(text: &str) -> impl Iterator<Item = &str> {
    let mut rest = text;
    std::iter::from_fn(move || {
        let mut previous: Option<char> = None;
        let end = rest.char_indices().find_map(|(at, character)| {
            let breaks = previous.is_some_and(|before| may_break(before, character));
            previous = Some(character);
            breaks.then_some(at)
        });
        let (word, after) = rest.split_at(end.unwrap_or(rest.len()));
        rest = after;
        (!word.is_empty()).then_some(word)
    })
}

fn may_break(before: char, after: char) -> bool {
    // No line begins with a closing mark, and none ends with an opening one.
    const CLOSING: &str = "、。，．・：；？！）」』】〕ー々ァィゥェォッャュョぁぃぅぇぉっゃゅょ";
    const OPENING: &str = "（「『【〔";
    let wide = |character: char| character.width() == Some(2);
    if before == ' ' {
        return after != ' ';
    }
    (wide(before) || wide(after)) && after != ' ' && !CLOSING.contains(after) && !OPENING.contains(before)
}

/// How many exchanges.
pub(super) fn exchanges(number: u64, language: Language) -> String {
    let en = if number == 1 { "{number} exchange" } else { "{number} exchanges" };
    Text { en, ja: "{number} 件のエクスチェンジ" }.fill(language, &[("number", &number.to_string())])
}

/// `#1, #2, #5`, the first twelve of them.
pub(super) fn numbers(mut exchanges: impl Iterator<Item = u64>) -> String {
    const SHOWN: usize = 12;
    let mut text = exchanges.by_ref().take(SHOWN).map(|id| format!("#{id}")).collect::<Vec<_>>().join(", ");
    let more = exchanges.count();
    if more > 0 {
        let _ = write!(text, ", +{more}");
    }
    text
}

/// A failure of traffic on one line. Its own words are English; in another language they are quoted.
pub(super) fn failure(error: &Error, language: Language) -> String {
    let text = Text { en: "{side} {step}: {text}", ja: "{side}、{step}:「{text}」" };
    let side = Side::ALL
        .into_iter()
        .find(|side| side.code() == error.side)
        .map_or(error.side, |known| side(known).to(language));
    let step = Step::ALL
        .into_iter()
        .find(|step| step.code() == error.step)
        .map_or(error.step, |known| step(known).to(language));
    text.fill(language, &[("side", side), ("step", step), ("text", error.text.as_str())])
}

const fn side(side: Side) -> Text {
    match side {
        Side::Client => Text { en: "client", ja: "クライアント側" },
        Side::Server => Text { en: "server", ja: "サーバー側" },
        Side::Proxy => Text { en: "proxy", ja: "プロキシ" },
    }
}

const fn step(step: Step) -> Text {
    match step {
        Step::Resolve => Text { en: "resolve", ja: "名前解決" },
        Step::Connect => Text { en: "connect", ja: "接続" },
        Step::Tls => Text { en: "tls", ja: "TLS" },
        Step::Send => Text { en: "send", ja: "送信" },
        Step::Receive => Text { en: "receive", ja: "受信" },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn prose_breaks_between_words_and_japanese_between_characters() {
        let mut page = String::new();
        prose(&mut page, "  ", &"word ".repeat(40));
        assert!(page.lines().all(|line| line.width() <= WIDTH && line.starts_with("  word")));
        assert_eq!(page.lines().count(), 3);
        let mut page = String::new();
        prose(&mut page, "", &"認証に失敗、".repeat(20));
        assert!(page.lines().all(|line| line.width() <= WIDTH + 2 && !line.starts_with('、')));
        assert!(page.lines().count() > 1);
    }

    #[test]
    fn commands_are_not_broken() {
        let command = "Get-MapiVirtualDirectory | ".repeat(10);
        let mut page = String::new();
        verbatim(&mut page, "    ", &command);
        assert_eq!(page, format!("    {}\n", command.trim_end()));
    }

    #[test]
    fn many_exchanges_of_a_finding_are_counted() {
        assert_eq!(numbers(1..=3), "#1, #2, #3");
        assert!(numbers(1..=20).ends_with("#12, +8"));
    }
}
