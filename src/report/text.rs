//! What people read on standard output: one line an exchange, and the diagnosis of a file.

use std::fmt::Write as _;

use super::json::Entry;
use super::layout;
use crate::diagnosis::{Finding, Judgement, Verdict};
use crate::text::{Language, Text};

/// The line of an exchange that has ended.
pub fn exchange(entry: &Entry, language: Language) -> String {
    let mut line = format!("#{} {} ", entry.id, entry.started);
    match &entry.method {
        Some(method) => line.push_str(method.as_str()),
        None => line.push('?'),
    }
    line.push(' ');
    match &entry.url {
        Some(url) => line.push_str(url.as_str()),
        None => line.push('?'),
    }
    line.push_str(" → ");
    match entry.status {
        Some(status) => {
            let _ = write!(line, "{status}");
        }
        None => line.push_str(Text { en: "no response", ja: "応答なし" }.to(language)),
    }
    let _ = write!(line, "  {}", layout::verdict(entry.verdict).to(language));
    said(&mut line, &entry.findings);
    if let Some(error) = &entry.error {
        let _ = write!(line, "  ({} {}: {})", error.side, error.step, error.text);
    }
    line.push('\n');
    line
}

/// The line of an exchange that is seen differently now.
pub fn revised(judgement: &Judgement, language: Language) -> String {
    let now = Text { en: "now", ja: "訂正" }.to(language);
    let mut line =
        format!("#{} {now}: {}", judgement.exchange, layout::verdict(judgement.verdict).to(language));
    said(&mut line, &judgement.findings.iter().map(Finding::id).collect::<Vec<_>>());
    line.push('\n');
    line
}

fn said(line: &mut String, findings: &[&str]) {
    if !findings.is_empty() {
        let _ = write!(line, " {}", findings.join(", "));
    }
}
