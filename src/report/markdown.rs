//! The diagnosis as Markdown, for the ticket.
//!
//! What comes from the traffic stands in code, where Markdown means nothing by it.

use std::fmt::Write as _;

use super::json::Known;
use super::layout::{self, numbers};
use super::outline::{Outline, Passage, REDACTED, Topic};
use super::{sanitizing, words};
use crate::diagnosis::{Handshake, Kind, Readiness};
use crate::redact::Clean;
use crate::text::{Language, Text};

/// The whole diagnosis.
pub fn diagnosis(known: &Known<'_>, language: Language) -> String {
    let outline = Outline::new(known, language);
    let mut page = format!("# {}\n", escaped(&outline.headline));
    for topic in &outline.topics {
        add_topic(&mut page, topic, language);
    }
    if !outline.open.is_empty() {
        heading(&mut page, words::OPEN, language);
        outline.open.iter().for_each(|line| _ = writeln!(page, "- {}", escaped(line)));
    }
    if !known.handshakes.is_empty() {
        heading(&mut page, words::HANDSHAKES, language);
        known.handshakes.iter().for_each(|handshake| ladder(&mut page, handshake, language));
    }
    if !known.readiness.is_empty() {
        heading(&mut page, words::OFFERS, language);
        readiness(&mut page, known.readiness, language);
    }
    if !outline.telling.is_empty() {
        heading(&mut page, words::EXCHANGES, language);
        exchanges(&mut page, &outline, language);
    }
    heading(&mut page, words::TAKEN_OUT, language);
    let _ = writeln!(page, "{}\n", REDACTED.to(language));
    for (title, said) in sanitizing::lines(known.sanitizing, language) {
        let _ = writeln!(page, "- **{title}:** {}", escaped(&said));
    }
    page
}

fn add_topic(page: &mut String, topic: &Topic<'_>, language: Language) {
    let entry = topic.entry;
    let _ = writeln!(page, "\n## {}\n", escaped(&topic.title));
    let _ = writeln!(
        page,
        "`{}` · {} ({}) · {}\n",
        entry.rule.id,
        entry.kind.words().to(language),
        entry.certainty.words().to(language),
        numbers(entry.exchanges.iter().copied())
    );
    let act = words::WHO_ACTS.to(language);
    let _ = writeln!(page, "**{act}:** {}\n\n{}", entry.actor.words().to(language), escaped(&topic.explanation));
    part(page, words::REMEDY, language);
    for passage in &topic.remedy {
        match passage {
            Passage::Words(text) => _ = writeln!(page, "{}\n", escaped(text)),
            Passage::Commands(text) => fenced(page, "powershell", text),
        }
    }
    if !entry.evidence.is_empty() {
        part(page, words::EVIDENCE, language);
        for evidence in &entry.evidence {
            let text = code(words::said(evidence, language));
            let _ = writeln!(page, "- #{} `{}`: {text}", evidence.exchange, evidence.place);
        }
    }
    if let Some((exchange, parts)) = topic.decoded {
        let title = words::DECODED.to(language);
        let _ = writeln!(page, "\n**{title}, #{exchange}**");
        for decoded in parts {
            let _ = writeln!(page, "\n| {} | `{}` |\n|---|---|", decoded.title, decoded.place);
            decoded.rows.iter().for_each(|row| _ = writeln!(page, "| {} | {} |", row.name, cell(row.value.as_str())));
        }
    }
    if !entry.candidates.is_empty() {
        part(page, words::CANDIDATES, language);
        entry.candidates.iter().for_each(|id| _ = writeln!(page, "1. `{id}`"));
    }
    if entry.kind == Kind::Failure {
        part(page, words::DISPROOF, language);
        let _ = writeln!(page, "{}", topic.disproof);
    }
    let sources = words::SOURCES.to(language);
    let _ = writeln!(page, "\n{sources}: {}", entry.rule.sources_in(language).collect::<Vec<_>>().join(" · "));
}

fn ladder(page: &mut String, handshake: &Handshake, language: Language) {
    let _ = write!(
        page,
        "- {} {} (**{}**{}): ",
        code(handshake.server.as_str()),
        handshake.scheme.code(),
        handshake.verdict.words().to(language),
        words::preemptive(handshake, language)
    );
    let step = |step: &crate::diagnosis::HandshakeStep| {
        let mark = words::state(step.state, language);
        step.exchange.map_or_else(|| format!("{} {mark}", step.name), |id| format!("{} {mark} #{id}", step.name))
    };
    let _ = writeln!(page, "{}", handshake.steps.iter().map(step).collect::<Vec<_>>().join(" → "));
}

fn readiness(page: &mut String, rows: &[Readiness], language: Language) {
    table(page, &words::OFFER_COLUMNS, language);
    for (row, different) in rows.iter().zip(Readiness::differences(rows)) {
        let list = |schemes: &[Clean]| schemes.iter().map(Clean::as_str).collect::<Vec<_>>().join(", ");
        let optional = |value: &Option<Clean>| value.as_ref().map_or_else(String::new, |value| cell(value.as_str()));
        let _ = writeln!(
            page,
            "| {} | {} | {} | {} | {} | {} | {} #{} |",
            row.endpoint,
            cell(row.name().as_str()),
            cell(&list(&row.schemes)),
            cell(&list(&different.lacks)),
            optional(&row.authorization_uri),
            optional(&row.realm),
            row.last.1,
            row.last.0
        );
    }
}

fn exchanges(page: &mut String, outline: &Outline<'_>, language: Language) {
    table(page, &words::EXCHANGE_COLUMNS, language);
    for entry in &outline.telling {
        let answer = match (entry.status, &entry.error) {
            (Some(status), _) => status.to_string(),
            (None, Some(error)) => cell(&layout::failure(error, language)),
            (None, None) => "?".to_owned(),
        };
        let request = [&entry.method, &entry.url].map(|part| part.as_ref().map_or("?", Clean::as_str)).join(" ");
        let _ = writeln!(
            page,
            "| {} | {} | {} | {answer} | {} | {} |",
            entry.id,
            entry.started,
            cell(&request),
            entry.verdict.words().to(language),
            entry.findings.join(", ")
        );
    }
    if outline.unlisted > 0 {
        let _ = writeln!(page, "\n{}", words::not_listed(outline.unlisted, language));
    }
}

fn heading(page: &mut String, title: Text, language: Language) {
    let _ = writeln!(page, "\n## {}\n", title.to(language));
}

fn part(page: &mut String, title: Text, language: Language) {
    let _ = writeln!(page, "\n### {}\n", title.to(language));
}

/// The head of a table.
fn table(page: &mut String, columns: &[Text], language: Language) {
    for column in columns {
        let _ = write!(page, "| {} ", column.to(language));
    }
    let _ = writeln!(page, "|\n{}|", "|---".repeat(columns.len()));
}

fn fenced(page: &mut String, kind: &str, text: &str) {
    let longest = text.split(|character| character != '`').map(str::len).max().unwrap_or(0);
    let fence = "`".repeat(longest.max(2) + 1);
    let _ = writeln!(page, "{fence}{kind}\n{text}\n{fence}\n");
}

/// Words of ours with names of the traffic in them: what Markdown or HTML would read as theirs is taken as it stands.
fn escaped(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len() + 8);
    for character in text.chars() {
        match character {
            '<' => escaped.push_str("&lt;"),
            '&' => escaped.push_str("&amp;"),
            '\\' | '`' | '*' | '_' | '[' | ']' | '#' | '|' | '~' | '!' => {
                escaped.push('\\');
                escaped.push(character);
            }
            _ => escaped.push(character),
        }
    }
    escaped
}

/// A code span that holds `text` whatever it is.
fn code(text: &str) -> String {
    let text = text.replace(['\r', '\n'], " ");
    let longest = text.split(|character| character != '`').map(str::len).max().unwrap_or(0);
    let fence = "`".repeat(longest + 1);
    if longest == 0 { format!("`{text}`") } else { format!("{fence} {text} {fence}") }
}

/// A code span within a cell of a table.
fn cell(text: &str) -> String {
    if text.is_empty() { String::new() } else { code(text).replace('|', "\\|") }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::{json::Entry, sample};

    fn page(language: Language) -> String {
        let exchanges: Vec<_> =
            sample::exchanges().iter().map(|(exchange, judgement)| Entry::new(exchange, judgement)).collect();
        let findings = sample::findings();
        let known = Known {
            sources: &["trace.authtap".to_owned()],
            exchanges: &exchanges,
            findings: &findings.list(),
            handshakes: &sample::handshakes(),
            readiness: &sample::readiness(),
            sanitizing: &sample::sanitizing(),
        };
        diagnosis(&known, language)
    }

    #[test]
    fn the_verdict_comes_first_then_who_must_act() {
        insta::assert_snapshot!(page(Language::En));
    }

    #[test]
    fn it_says_the_same_in_japanese() {
        insta::assert_snapshot!(page(Language::Ja));
    }

    #[test]
    fn nothing_of_the_traffic_becomes_markup() {
        assert_eq!(escaped("<img> *a* [b](c)"), "&lt;img> \\*a\\* \\[b\\](c)");
        assert_eq!(code("a`b"), "`` a`b ``");
        assert_eq!(cell("a|b\nc"), "`a\\|b c`");
        let mut page = String::new();
        fenced(&mut page, "", "a\n```\nb");
        assert_eq!(page, "````\na\n```\nb\n````\n\n");
    }
}
