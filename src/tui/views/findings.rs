//! The findings of an exchange as a text: the answer first, each with its evidence, meaning and remedy.

use crate::diagnosis::{Finding, Judgement};
use crate::text::{Language, Text};
use crate::tui::document::{Document, Line, Mark};
use crate::tui::looked::Names;
use crate::tui::theme::{self, Tone};
use crate::tui::words::text;

const NOT_JUDGED: Text = text("Not judged yet.", "まだ判定されていません。");
const NO_FINDING: Text = text("Nothing to say about this exchange.", "この通信について特記事項はありません。");

/// Evidence is shown up to so many characters here; all of it stands at its place.
const EVIDENCE_LIMIT: usize = 160;

/// The text, and where each piece of evidence points.
pub(in crate::tui) fn lay_out(
    judgement: Option<&Judgement>,
    id: u64,
    language: Language,
    names: &Names<'_>,
) -> (Document, Vec<Mark>) {
    let mut page = Document::default();
    let mut marks = Vec::new();
    let Some(judgement) = judgement else {
        page.push(Line::of(Tone::Quiet, NOT_JUDGED.to(language)));
        return (page, marks);
    };
    verdict(&mut page, judgement, language);
    if judgement.findings.is_empty() {
        page.push(Line::of(Tone::Quiet, NO_FINDING.to(language)));
    }
    for found in &judgement.findings {
        page.blank();
        finding(&mut page, &mut marks, found, id, language, names);
    }
    (page, marks)
}

fn verdict(page: &mut Document, judgement: &Judgement, language: Language) {
    let verdict = judgement.verdict;
    let said = format!("{} {}", theme::verdict_glyph(verdict), verdict.words().to(language));
    page.push(
        Line::new().put(Tone::Quiet, text("Verdict: ", "判定: ").to(language)).put(Tone::of_verdict(verdict), &said),
    );
}

fn finding(
    page: &mut Document,
    marks: &mut Vec<Mark>,
    finding: &Finding,
    id: u64,
    language: Language,
    names: &Names<'_>,
) {
    let rule = finding.rule;
    let shown: Vec<(&str, String)> =
        finding.names.iter().map(|(name, value)| (*name, names.show(value).text)).collect();
    let filled: Vec<(&str, &str)> = shown.iter().map(|(name, value)| (*name, value.as_str())).collect();
    let tone = Tone::of_kind(finding.kind);
    page.push(
        Line::new()
            .put(tone, &format!("{} ", theme::kind_glyph(finding.kind)))
            .put(Tone::Strong, &rule.title.fill(language, &filled))
            .indent(2),
    );
    page.push(
        Line::new()
            .put(Tone::Quiet, "  ")
            .put(Tone::Name, rule.id)
            .put(Tone::Quiet, "  ")
            .put(tone, finding.kind.words().to(language))
            .put(Tone::Quiet, ", ")
            .put(Tone::Plain, finding.certainty.words().to(language))
            .indent(2),
    );
    page.push(
        Line::new()
            .put(Tone::Quiet, "  ")
            .put(Tone::Quiet, text("who must act: ", "対応者: ").to(language))
            .put(Tone::Plain, finding.actor.words().to(language))
            .indent(2),
    );
    evidence(page, marks, finding, id, language, names);
    section(page, text("What it means", "意味"), &rule.explanation.fill(language, &filled), Tone::Plain, language);
    section(page, text("What to do", "対処"), &rule.remedy.fill(language, &filled), Tone::Plain, language);
    if !finding.candidates.is_empty() {
        section(
            page,
            text("What can be behind it", "考えられる原因"),
            &finding.candidates.join("\n"),
            Tone::Name,
            language,
        );
    }
    section(
        page,
        text("Sources", "出典"),
        &rule.sources_in(language).collect::<Vec<_>>().join("\n"),
        Tone::Quiet,
        language,
    );
}

fn evidence(
    page: &mut Document,
    marks: &mut Vec<Mark>,
    finding: &Finding,
    id: u64,
    language: Language,
    names: &Names<'_>,
) {
    for evidence in &finding.evidence {
        let words = names.show(&evidence.text);
        let elsewhere = if evidence.exchange == id { String::new() } else { format!("#{} ", evidence.exchange) };
        let line = Line::new()
            .put(Tone::Quiet, "  › ")
            .put(Tone::Strong, &elsewhere)
            .put(Tone::Link, &evidence.place.to_string())
            .put(Tone::Plain, "  ");
        let line = match words.text.as_str() {
            "" => line.put(Tone::Warning, text("(not there)", "(ありません)").to(language)),
            long if long.chars().count() > EVIDENCE_LIMIT => {
                let cut: String = long.chars().take(EVIDENCE_LIMIT).collect();
                line.put(Tone::Plain, &cut).put(Tone::Quiet, "…")
            }
            _ => line.put_shown(Tone::Plain, &words),
        };
        page.push(line.indent(4).tells(marks.len()));
        marks.push(Mark { exchange: evidence.exchange, place: evidence.place.clone(), words: words.text });
    }
}

fn section(page: &mut Document, title: Text, words: &str, tone: Tone, language: Language) {
    if words.is_empty() {
        return;
    }
    page.blank();
    page.push(Line::of(Tone::Heading, &format!("  {}", title.to(language))));
    for line in words.lines() {
        let (tone, indent) = if is_command(line) { (Tone::Command, 6) } else { (tone, 2) };
        page.push(Line::of(tone, &format!("  {line}")).indent(indent));
    }
}

/// Whether a line of a remedy is there to be typed in: it is set in, or begins with a cmdlet (`Get-AuthServer`).
fn is_command(line: &str) -> bool {
    let word = line.trim_start_matches(['(', '$']).split([' ', ')', '.']).next().unwrap_or_default();
    let capital = |part: &str| part.starts_with(|char: char| char.is_ascii_uppercase()) && part.len() > 2;
    line.starts_with("  ") || word.split_once('-').is_some_and(|(verb, noun)| capital(verb) && capital(noun))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn commands_are_told_from_sentences() {
        for command in ["Get-AuthServer | fl", "(Get-OrganizationConfig).OAuth2ClientProfileEnabled", "  curl -v"] {
            assert!(is_command(command), "{command}");
        }
        for sentence in ["Re-enter the password.", "Set the value.", "すべてのサーバーを比べます"] {
            assert!(!is_command(sentence), "{sentence}");
        }
    }
}
