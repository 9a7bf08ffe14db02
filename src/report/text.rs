//! What people read on standard output: one line an exchange, and the diagnosis of a file.

use std::fmt::Write as _;

use super::json::{Entry, Event, Known};
use super::layout::{self, fill, numbers, prose, verbatim};
use super::{sanitizing, words};
use crate::diagnosis::decode::Decoded;
use crate::diagnosis::{self, Certainty, Difference, End, Handshake, Kind, Readiness, Verdict};
use crate::redact::Clean;
use crate::text::{Language, Text};

/// What is wrong, who must act, why, and what to do; after that what is fine.
pub fn diagnosis(known: &Known<'_>, language: Language) -> String {
    let mut page = summary(known, language) + "\n";
    for finding in known.findings.iter().filter(|finding| finding.kind != Kind::Step) {
        topic(&mut page, finding, language);
    }
    let steps: Vec<_> = known.findings.iter().filter(|finding| finding.kind == Kind::Step).collect();
    if !steps.is_empty() {
        heading(&mut page, words::STEPS, language);
        for step in steps {
            let title = fill(step.rule.title, &step.names, language);
            let _ = write!(page, "  {title} [{}] {}", step.rule.id, numbers(step.exchanges.iter().copied()));
            if step.certainty != Certainty::Certain {
                let _ = write!(page, " ({})", step.certainty.words().to(language));
            }
            page.push('\n');
        }
    }
    if !known.handshakes.is_empty() {
        heading(&mut page, words::HANDSHAKES, language);
        known.handshakes.iter().for_each(|handshake| ladder(&mut page, handshake, language));
    }
    if !known.readiness.is_empty() {
        heading(&mut page, words::OFFERS, language);
        let differences = Readiness::differences(known.readiness);
        for (readiness, different) in known.readiness.iter().zip(&differences) {
            endpoint(&mut page, readiness, different, language);
        }
    }
    let telling: Vec<_> = known.exchanges.iter().filter(|entry| entry.verdict != Verdict::Ok).collect();
    if !telling.is_empty() {
        heading(&mut page, words::EXCHANGES, language);
        for entry in telling {
            let _ = write!(page, "  {}", exchange(entry, language));
        }
        let fine = known.exchanges.iter().filter(|entry| entry.verdict == Verdict::Ok).count();
        if fine > 0 {
            let rest = Text {
                en: "not listed, as nothing is wrong: {fine}", ja: "ほかに問題のないもの: {fine} 件"
            };
            let _ = writeln!(page, "  {}", rest.fill(language, &[("fine", &fine.to_string())]));
        }
    }
    let stated: Vec<_> = sanitizing::statements(known.sanitizing, language).collect();
    if !stated.is_empty() {
        heading(&mut page, Text { en: "What the file states of its making", ja: "ファイルの作成時の記載" }, language);
        for line in &stated {
            prose(&mut page, "  ", line);
        }
    }
    page
}

/// The line of an event of a headless run.
pub fn event(event: &Event<'_>, language: Language) -> String {
    match event {
        Event::Listening { address, mode, ca, session, upstream_proxy } => {
            let mut line = Text {
                en: "listening on {address} ({mode}); root certificate {ca}",
                ja: "{address} で待ち受け中 ({mode})。ルート証明書 {ca}",
            }
            .fill(language, &[("address", address), ("mode", mode), ("ca", ca)]);
            if let Some(session) = session {
                line += &Text { en: "; session {session}", ja: "。セッション {session}" }
                    .fill(language, &[("session", session)]);
            }
            if let Some(proxy) = upstream_proxy {
                line += &Text { en: "; servers through {proxy}", ja: "。サーバーへは {proxy} を経由" }
                    .fill(language, &[("proxy", proxy)]);
            }
            line + "\n"
        }
        Event::Exchange { entry, .. } => exchange(entry, language),
        Event::Revised { id, verdict, findings, .. } => {
            let now = Text { en: "now", ja: "訂正" }.to(language);
            let mut line = format!("#{id} {now}: {}", verdict.words().to(language));
            said(&mut line, findings);
            line + "\n"
        }
        Event::Skipped { lines } => {
            let text = Text {
                en: "lines left out here because they were read too slowly: {lines}; the session has all exchanges\n",
                ja: "ここで {lines} 行を省きました: 読み取りが追いつきません。セッションにはすべてのエクスチェンジがあります\n",
            };
            text.fill(language, &[("lines", &lines.to_string())])
        }
        Event::Closed { exchanges: 0, .. } => {
            Text { en: "closed: no exchanges\n", ja: "終了: エクスチェンジはありません\n" }.to(language).to_owned()
        }
        Event::Closed { exchanges, failures } => {
            let text = Text {
                en: "closed: failure in {failures} of {exchanges}\n",
                ja: "終了: {exchanges}のうち {failures} 件が失敗\n",
            };
            let exchanges = layout::exchanges(*exchanges, language);
            text.fill(language, &[("exchanges", &exchanges), ("failures", &failures.to_string())])
        }
    }
}

/// The whole in one sentence.
pub(super) fn summary(known: &Known<'_>, language: Language) -> String {
    let count = |verdict| known.exchanges.iter().filter(|entry| entry.verdict == verdict).count();
    let (failures, unknown) = (count(Verdict::Failure), count(Verdict::Unknown));
    let text = if failures > 0 {
        Text {
            en: "{source}: failure in {failures} of {exchanges}",
            ja: "{source}: {exchanges}のうち {failures} 件が失敗",
        }
    } else if unknown > 0 {
        Text {
            en: "{source}: nothing proven wrong; {unknown} of {exchanges} cannot be decided from what was captured",
            ja: "{source}: 失敗は確認されません。{exchanges}のうち {unknown} 件はこのキャプチャだけでは判断できません",
        }
    } else {
        Text { en: "{source}: nothing wrong in {exchanges}", ja: "{source}: {exchanges}に問題はありません" }
    };
    let names = [
        ("source", known.sources.iter().map(|source| source_name(source, language)).collect::<Vec<_>>().join(", ")),
        ("exchanges", layout::exchanges(known.exchanges.len() as u64, language)),
        ("failures", failures.to_string()),
        ("unknown", unknown.to_string()),
    ];
    let names: Vec<_> = names.iter().map(|(name, value)| (*name, value.as_str())).collect();
    text.fill(language, &names)
}

/// What a source is called; `-` is standard input.
pub fn source_name(source: &str, language: Language) -> &str {
    match source {
        "-" => Text { en: "standard input", ja: "標準入力" }.to(language),
        file => file,
    }
}

fn topic(page: &mut String, entry: &diagnosis::Entry, language: Language) {
    let (kind, certainty) = (entry.kind.words(), entry.certainty.words());
    let title = fill(entry.rule.title, &entry.names, language);
    let _ = writeln!(page, "\n{} [{}]", title, entry.rule.id);
    let _ = writeln!(
        page,
        "  {} ({}) {}",
        kind.to(language),
        certainty.to(language),
        numbers(entry.exchanges.iter().copied())
    );
    let label = words::WHO_ACTS.to(language);
    let _ = writeln!(page, "  {label}: {}", entry.actor.words().to(language));
    part(page, words::MEANING, language);
    prose(page, "    ", &fill(entry.rule.explanation, &entry.names, language));
    if !entry.evidence.is_empty() {
        part(page, words::EVIDENCE, language);
        for evidence in &entry.evidence {
            let text = words::said(evidence, language);
            verbatim(
                page,
                "    ",
                &format!("#{} {}: {}", evidence.exchange, evidence.place, text.replace('\n', "\n  ")),
            );
        }
    }
    if let Some((exchange, parts)) = entry.decoded().filter(|(_, parts)| !parts.is_empty()) {
        let title = words::DECODED.to(language);
        let _ = writeln!(page, "  {title}, #{exchange}:");
        for part in parts {
            decoded(page, part);
        }
    }
    part(page, words::REMEDY, language);
    verbatim(page, "    ", &fill(entry.rule.remedy, &entry.names, language));
    if !entry.candidates.is_empty() {
        part(page, words::CANDIDATES, language);
        verbatim(page, "    ", &entry.candidates.join(", "));
    }
    part(page, words::SOURCES, language);
    entry.rule.sources_in(language).for_each(|source| verbatim(page, "    ", source));
}

/// A part in two lines or a few more: what it is, and what it says.
fn decoded(page: &mut String, part: &Decoded) {
    let _ = writeln!(page, "    {} ({})", part.title, part.place);
    let rows: Vec<_> = part.rows.iter().map(|row| format!("{}: {}", row.name, row.value)).collect();
    prose(page, "      ", &rows.join("; "));
}

fn ladder(page: &mut String, handshake: &Handshake, language: Language) {
    let verdict = handshake.verdict.words().to(language);
    let _ = write!(page, "  {} {} ({verdict}", handshake.server, handshake.scheme.code());
    let _ = write!(page, "{}):", words::preemptive(handshake, language));
    for step in &handshake.steps {
        let _ = write!(page, "  {} {}", step.name, words::state(step.state, language));
        if let Some(exchange) = step.exchange {
            let _ = write!(page, " #{exchange}");
        }
    }
    page.push('\n');
}

fn endpoint(page: &mut String, readiness: &Readiness, different: &Difference, language: Language) {
    let schemes = readiness.schemes.iter().map(AsRef::as_ref).collect::<Vec<&str>>().join(", ");
    let schemes = if schemes.is_empty() { "-" } else { &schemes };
    let (exchange, status) = readiness.last;
    let last = Text { en: "last answer", ja: "最後の応答" }.to(language);
    let _ = write!(page, "  {} {}: {schemes}; {last} {status} #{exchange}", readiness.name(), readiness.endpoint);
    if let Some(end) = readiness.end {
        let text = match end {
            End::Source => Text { en: "; source of the migration", ja: "。移行元" },
            End::Destination => Text { en: "; destination of the migration", ja: "。移行先" },
        };
        page.push_str(text.to(language));
    }
    if let Some(uri) = &readiness.authorization_uri {
        let _ = write!(page, "; authorization_uri {uri}");
    }
    if let Some(realm) = &readiness.realm {
        let _ = write!(page, "; realm {realm}");
    }
    if !different.lacks.is_empty() {
        let lacks = different.lacks.iter().map(Clean::as_str).collect::<Vec<_>>().join(", ");
        let text = Text { en: "; LACKS {lacks}, which others offer", ja: "。ほかにはある {lacks} がない" };
        page.push_str(&text.fill(language, &[("lacks", &lacks)]));
    }
    if different.authorization_uri {
        let text = Text {
            en: "; authorization_uri DIFFERS from the others", ja: "。authorization_uri がほかと異なる"
        };
        page.push_str(text.to(language));
    }
    page.push('\n');
}

fn heading(page: &mut String, title: Text, language: Language) {
    let _ = writeln!(page, "\n{}", title.to(language));
}

fn part(page: &mut String, title: Text, language: Language) {
    let _ = writeln!(page, "  {}:", title.to(language));
}

fn exchange(entry: &Entry, language: Language) -> String {
    let mut line = format!("#{} {} ", entry.id, entry.started);
    line.push_str(entry.method.as_ref().map_or("?", AsRef::as_ref));
    line.push(' ');
    line.push_str(entry.url.as_ref().map_or("?", AsRef::as_ref));
    line.push_str(" → ");
    match entry.status {
        Some(status) => {
            let _ = write!(line, "{status}");
        }
        // Words that somebody copied do not say what was asked, nor whether an answer came.
        None if entry.method.is_none() && entry.error.is_none() => line.push('?'),
        None => line.push_str(Text { en: "no response", ja: "応答なし" }.to(language)),
    }
    let _ = write!(line, "  {}", entry.verdict.words().to(language));
    said(&mut line, &entry.findings);
    if let Some(error) = &entry.error {
        let _ = write!(line, "  ({})", layout::failure(error, language));
    }
    line + "\n"
}

fn said(line: &mut String, findings: &[&str]) {
    if !findings.is_empty() {
        let _ = write!(line, " {}", findings.join(", "));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::sample;
    use crate::report::sanitizing::Sanitizing;

    fn page(language: Language, wanted: impl Fn(&Entry) -> bool) -> String {
        let exchanges: Vec<_> = sample::exchanges()
            .iter()
            .map(|(exchange, judgement)| Entry::new(exchange, judgement))
            .filter(wanted)
            .collect();
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
    fn a_diagnosis_begins_with_the_verdict_and_says_who_must_act() {
        insta::assert_snapshot!(page(Language::En, |_| true));
    }

    #[test]
    fn a_diagnosis_says_the_same_in_japanese() {
        insta::assert_snapshot!(page(Language::Ja, |_| true));
    }

    #[test]
    fn without_a_failure_the_verdict_says_what_is_open() {
        let first = |language, verdict| {
            page(language, |entry| entry.verdict == verdict).lines().next().unwrap_or_default().to_owned()
        };
        assert_eq!(
            first(Language::En, Verdict::Unknown),
            "trace.authtap: nothing proven wrong; 2 of 2 exchanges cannot be decided from what was captured"
        );
        assert_eq!(first(Language::En, Verdict::Step), "trace.authtap: nothing wrong in 1 exchange");
    }

    #[test]
    fn a_step_that_is_only_likely_says_so() {
        let mut exchanges = sample::exchanges();
        let (exchange, judgement) = &mut exchanges[0];
        judgement.findings[0].certainty = Certainty::Likely;
        let mut findings = diagnosis::Entries::default();
        findings.add(judgement, None);
        let known = Known {
            sources: &["-".to_owned()],
            exchanges: &[Entry::new(exchange, judgement)],
            findings: &findings.list(),
            handshakes: &[],
            readiness: &[],
            sanitizing: &sample::sanitizing(),
        };
        let page = super::diagnosis(&known, Language::En);
        assert!(page.contains("[hma-empty-bearer] #1 (likely)\n"), "{page}");
    }

    #[test]
    fn one_is_counted_in_the_singular_and_none_is_no_fraction() {
        let closed = |exchanges, failures| event(&Event::Closed { exchanges, failures }, Language::En);
        assert_eq!(closed(1, 1), "closed: failure in 1 of 1 exchange\n");
        assert_eq!(closed(2, 1), "closed: failure in 1 of 2 exchanges\n");
        assert_eq!(closed(0, 0), "closed: no exchanges\n");
    }

    #[test]
    fn exchanges_that_are_fine_are_counted_where_others_are_listed() {
        let ok = |mut exchanges: Vec<Entry>| {
            exchanges.truncate(2);
            exchanges[0].verdict = Verdict::Ok;
            exchanges
        };
        let exchanges = ok(sample::exchanges().iter().map(|(one, judged)| Entry::new(one, judged)).collect());
        let findings = Vec::new();
        let (sources, handshakes, readiness) = (["-".to_owned()], Vec::new(), Vec::new());
        let known = Known {
            sources: &sources,
            exchanges: &exchanges,
            findings: &findings,
            handshakes: &handshakes,
            readiness: &readiness,
            sanitizing: &Sanitizing::default(),
        };
        assert!(diagnosis(&known, Language::En).ends_with("not listed, as nothing is wrong: 1\n"));
        assert!(diagnosis(&known, Language::Ja).ends_with("ほかに問題のないもの: 1 件\n"));
    }

    #[test]
    fn an_event_is_one_line() {
        let exchanges = sample::exchanges();
        let entries = exchanges.iter().map(|(exchange, judgement)| (Entry::new(exchange, judgement), judgement));
        let (address, ca) = ("127.0.0.1:8080".to_owned(), "ca.pem".to_owned());
        let session = Some("a.authtap".to_owned());
        let upstream_proxy = Some("http://proxy.contoso.com:8080".to_owned());
        let listening = Event::Listening { address, mode: "forward", ca, session, upstream_proxy };
        let mut lines = event(&listening, Language::En);
        for (entry, judgement) in entries {
            lines += &event(&Event::exchange(&entry, judgement, Language::En), Language::En);
        }
        lines += &event(&Event::revised(&exchanges[1].1, Language::Ja), Language::Ja);
        lines += &event(&Event::Skipped { lines: 3 }, Language::En);
        lines += &event(&Event::Closed { exchanges: 4, failures: 1 }, Language::Ja);
        assert_eq!(lines.lines().count(), 8);
        insta::assert_snapshot!(lines);
    }
}
