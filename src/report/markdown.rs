//! The diagnosis as Markdown, for the ticket.
//!
//! What comes from the traffic stands in code, where Markdown means nothing by it.

use std::fmt::Write as _;

use super::json::Known;
use super::layout::{self, numbers};
use super::outline::{Outline, Passage, REDACTED, Topic};
use crate::diagnosis::{Handshake, Kind, Readiness, StepState};
use crate::redact::Clean;
use crate::text::{Language, Text};

/// The whole diagnosis.
pub fn diagnosis(known: &Known<'_>, language: Language) -> String {
    let outline = Outline::new(known, language);
    let mut page = format!("# {}\n", words(&outline.headline));
    for topic in &outline.topics {
        add_topic(&mut page, topic, language);
    }
    if !outline.open.is_empty() {
        heading(&mut page, Text { en: "What is still unknown", ja: "まだ分からないこと" }, language);
        outline.open.iter().for_each(|line| _ = writeln!(page, "- {}", words(line)));
    }
    if !known.handshakes.is_empty() {
        heading(&mut page, Text { en: "Handshakes", ja: "ハンドシェイク" }, language);
        known.handshakes.iter().for_each(|handshake| ladder(&mut page, handshake, language));
    }
    if !known.readiness.is_empty() {
        heading(&mut page, Text { en: "What the endpoints offer", ja: "各エンドポイントの認証方式" }, language);
        readiness(&mut page, known.readiness, language);
    }
    if !outline.telling.is_empty() {
        heading(&mut page, Text { en: "Exchanges", ja: "エクスチェンジ" }, language);
        exchanges(&mut page, &outline, language);
    }
    heading(&mut page, Text { en: "What was taken out", ja: "取り除いたもの" }, language);
    let _ = writeln!(page, "{}", REDACTED.to(language));
    page
}

fn add_topic(page: &mut String, topic: &Topic<'_>, language: Language) {
    let entry = topic.entry;
    let _ = writeln!(page, "\n## {}\n", words(&topic.title));
    let _ = writeln!(
        page,
        "`{}` · {} ({}) · {}\n",
        entry.rule.id,
        entry.kind.words().to(language),
        entry.certainty.words().to(language),
        numbers(entry.exchanges.iter().copied())
    );
    let act = Text { en: "Who must act", ja: "対応する人" }.to(language);
    let _ = writeln!(page, "**{act}:** {}\n\n{}", entry.actor.words().to(language), words(&topic.explanation));
    part(page, Text { en: "What to do", ja: "対処" }, language);
    for passage in &topic.remedy {
        match passage {
            Passage::Words(text) => _ = writeln!(page, "{}\n", words(text)),
            Passage::Commands(text) => fenced(page, "powershell", text),
        }
    }
    if !entry.evidence.is_empty() {
        part(page, Text { en: "Evidence", ja: "根拠" }, language);
        for evidence in &entry.evidence {
            let missing = Text { en: "(missing)", ja: "(ありません)" }.to(language);
            let text = if evidence.text.as_str().is_empty() { missing } else { evidence.text.as_str() };
            let _ = writeln!(page, "- #{} `{}`: {}", evidence.exchange, evidence.place, code(text));
        }
    }
    if let Some((exchange, parts)) = topic.decoded {
        let title = Text { en: "Decoded", ja: "デコード結果" }.to(language);
        let _ = writeln!(page, "\n**{title}, #{exchange}**");
        for decoded in parts {
            let _ = writeln!(page, "\n| {} | `{}` |\n|---|---|", decoded.title, decoded.place);
            decoded.rows.iter().for_each(|row| _ = writeln!(page, "| {} | {} |", row.name, cell(row.value.as_str())));
        }
    }
    if !entry.candidates.is_empty() {
        part(page, Text { en: "Can be behind it, likeliest first", ja: "考えられる原因 (可能性の高い順)" }, language);
        entry.candidates.iter().for_each(|id| _ = writeln!(page, "1. `{id}`"));
    }
    if entry.kind == Kind::Failure {
        part(page, Text { en: "What would disprove it", ja: "この判断が覆る条件" }, language);
        let _ = writeln!(page, "{}", topic.disproof);
    }
    let sources = Text { en: "Sources", ja: "出典" }.to(language);
    let _ = writeln!(page, "\n{sources}: {}", entry.rule.sources_in(language).collect::<Vec<_>>().join(" · "));
}

fn ladder(page: &mut String, handshake: &Handshake, language: Language) {
    let _ = write!(
        page,
        "- {} {} (**{}**): ",
        code(handshake.server.as_str()),
        handshake.scheme.code(),
        handshake.verdict.words().to(language)
    );
    let step = |step: &crate::diagnosis::HandshakeStep| {
        let mark = match step.state {
            StepState::Done => "✓",
            StepState::Failed => "✗",
            StepState::Missing => Text { en: "missing", ja: "欠落" }.to(language),
            StepState::Unseen => Text { en: "not captured", ja: "未捕捉" }.to(language),
        };
        step.exchange.map_or_else(|| format!("{} {mark}", step.name), |id| format!("{} {mark} #{id}", step.name))
    };
    let _ = writeln!(page, "{}", handshake.steps.iter().map(step).collect::<Vec<_>>().join(" → "));
}

fn readiness(page: &mut String, rows: &[Readiness], language: Language) {
    let head = Text {
        en: "| endpoint | server | offers | lacks | authorization_uri | realm | last |\n|---|---|---|---|---|---|---|",
        ja: "| エンドポイント | サーバー | 提示 | 不足 | authorization_uri | realm | 最後 |\n|---|---|---|---|---|---|---|",
    };
    let _ = writeln!(page, "{}", head.to(language));
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
    let head = Text {
        en: "| # | time | request | answer | verdict | findings |\n|---|---|---|---|---|---|",
        ja: "| # | 時刻 | 要求 | 応答 | 判定 | 所見 |\n|---|---|---|---|---|---|",
    };
    let _ = writeln!(page, "{}", head.to(language));
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
        let rest = Text { en: "Not listed: {number}", ja: "ほかに: {number} 件" };
        let _ = writeln!(page, "\n{}", rest.fill(language, &[("number", &outline.unlisted.to_string())]));
    }
}

fn heading(page: &mut String, title: Text, language: Language) {
    let _ = writeln!(page, "\n## {}\n", title.to(language));
}

fn part(page: &mut String, title: Text, language: Language) {
    let _ = writeln!(page, "\n### {}\n", title.to(language));
}

fn fenced(page: &mut String, kind: &str, text: &str) {
    let longest = text.split(|character| character != '`').map(str::len).max().unwrap_or(0);
    let fence = "`".repeat(longest.max(2) + 1);
    let _ = writeln!(page, "{fence}{kind}\n{text}\n{fence}\n");
}

/// Words of ours with names of the traffic in them: what Markdown or HTML would read as theirs is taken as it stands.
fn words(text: &str) -> String {
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
        assert_eq!(words("<img> *a* [b](c)"), "&lt;img> \\*a\\* \\[b\\](c)");
        assert_eq!(code("a`b"), "`` a`b ``");
        assert_eq!(cell("a|b\nc"), "`a\\|b c`");
        let mut page = String::new();
        fenced(&mut page, "", "a\n```\nb");
        assert_eq!(page, "````\na\n```\nb\n````\n\n");
    }
}
