//! The diagnosis as one page of HTML that needs nothing else: no script, no font, no picture from anywhere. Its content
//! security policy forbids all but its own style, so that opening it in a browser tells nobody.

use std::fmt::Write as _;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use sha2::{Digest as _, Sha256};

use super::json::Known;
use super::layout::{self, numbers};
use super::outline::{Outline, Passage, REDACTED, Topic};
use super::{drawing, sanitizing, text, words};
use crate::diagnosis::{End, Kind, Readiness};
use crate::redact::Clean;
use crate::text::{Language, Text};

const STYLE: &str = include_str!("html.css");

/// How many handshakes are drawn; failed ones first.
const DRAWN: usize = 60;

/// The whole diagnosis.
pub fn diagnosis(known: &Known<'_>, language: Language) -> String {
    let outline = Outline::new(known, language);
    let hash = STANDARD.encode(Sha256::digest(STYLE.as_bytes()));
    let lang = match language {
        Language::En => "en",
        Language::Ja => "ja",
    };
    let mut page = format!(
        "<!doctype html>\n<html lang=\"{lang}\">\n<meta charset=\"utf-8\">\n\
         <meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'sha256-{hash}'; base-uri 'none'; \
         form-action 'none'\">\n<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
         <meta name=\"referrer\" content=\"no-referrer\">\n<title>authtap: {}</title>\n<style>{STYLE}</style>\n",
        escaped(&outline.headline)
    );
    verdict(&mut page, known, &outline, language);
    section(&mut page, words::FINDINGS, language, &outline.topics, |page, topics| {
        for topic in topics {
            article(page, topic, language);
        }
    });
    section(&mut page, words::OPEN, language, &outline.open, |page, open| {
        page.push_str("<ul>");
        for line in open {
            let _ = write!(page, "<li>{}</li>", escaped(line));
        }
        page.push_str("</ul>");
    });
    section(&mut page, words::HANDSHAKES, language, known.handshakes, |page, _| ladders(page, known, language));
    if let Some(drawing) = drawing::timeline(known.exchanges, language) {
        let _ = write!(page, "<h2>{}</h2><div class=\"wide\">{drawing}</div>", words::TIMELINE.to(language));
    }
    section(&mut page, words::OFFERS, language, known.readiness, |page, rows| readiness(page, rows, language));
    section(&mut page, words::EXCHANGES, language, &outline.telling, |page, _| exchanges(page, &outline, language));
    section(&mut page, words::STEPS, language, &outline.steps, |page, steps| {
        page.push_str("<ul>");
        for step in steps {
            let ids = numbers(step.entry.exchanges.iter().copied());
            let _ = write!(page, "<li>{} <code>{}</code> {ids}</li>", escaped(&step.title), step.entry.rule.id);
        }
        page.push_str("</ul>");
    });
    let title = words::TAKEN_OUT.to(language);
    let _ = write!(
        page,
        "<footer><h4>{title}</h4><p class=\"soft\">{}</p>{}<p class=\"soft\">authtap {}</p></footer>\n</html>\n",
        escaped(REDACTED.to(language)),
        manifest(known, language),
        env!("CARGO_PKG_VERSION")
    );
    page
}

/// The sanitizing manifest.
fn manifest(known: &Known<'_>, language: Language) -> String {
    let mut list = String::from("<dl class=\"manifest\">");
    for (title, said) in sanitizing::lines(known.sanitizing, language) {
        let _ = write!(list, "<dt>{title}</dt><dd>{}</dd>", escaped(&said));
    }
    list + "</dl>"
}

/// The verdict, and of a failure the answer and who must act: all that some will read.
fn verdict(page: &mut String, known: &Known<'_>, outline: &Outline<'_>, language: Language) {
    let _ = write!(page, "<header class=\"verdict {}\"><h1>{}</h1>", outline.verdict, escaped(&outline.headline));
    if let Some(topic) = outline.topics.iter().find(|topic| topic.entry.kind == Kind::Failure) {
        let act = words::WHO_ACTS.to(language);
        let _ = write!(
            page,
            "<p class=\"answer\"><a href=\"#{}\">{}</a></p><p><span class=\"act\">{act}:</span> {}</p>",
            topic.entry.rule.id,
            escaped(&topic.title),
            topic.entry.actor.words().to(language)
        );
    }
    if let (Some(first), Some(last)) = (known.exchanges.first(), known.exchanges.last()) {
        let sources: Vec<_> = known.sources.iter().map(|name| text::source_name(name, language)).collect();
        let _ = write!(
            page,
            "<p class=\"soft\">{} · {} – {}</p>",
            escaped(&sources.join(", ")),
            first.started,
            last.started
        );
    }
    page.push_str("</header>");
}

fn section<T>(page: &mut String, title: Text, language: Language, list: &[T], write: impl Fn(&mut String, &[T])) {
    if !list.is_empty() {
        let _ = write!(page, "<section><h2>{}</h2>", title.to(language));
        write(page, list);
        page.push_str("</section>\n");
    }
}

fn article(page: &mut String, topic: &Topic<'_>, language: Language) {
    let entry = topic.entry;
    let kind = if entry.kind == Kind::Failure { "failure" } else { "note" };
    let _ = write!(
        page,
        "<article class=\"{kind}\" id=\"{id}\"><h3>{}</h3><p class=\"soft\"><span class=\"badge {kind}\">{}</span> {} · \
         <code>{id}</code> · {}</p>",
        escaped(&topic.title),
        entry.kind.words().to(language),
        entry.certainty.words().to(language),
        numbers(entry.exchanges.iter().copied()),
        id = entry.rule.id
    );
    let act = words::WHO_ACTS.to(language);
    let _ = write!(page, "<p><span class=\"act\">{act}:</span> {}</p>", entry.actor.words().to(language));
    paragraphs(page, &topic.explanation);
    part(page, words::REMEDY, language);
    for passage in &topic.remedy {
        match passage {
            Passage::Words(words) => paragraphs(page, words),
            Passage::Commands(commands) => _ = write!(page, "<pre>{}</pre>", escaped(commands)),
        }
    }
    if !entry.evidence.is_empty() {
        part(page, words::EVIDENCE, language);
        page.push_str("<dl>");
        for evidence in &entry.evidence {
            let _ = write!(page, "<dt>#{} {}</dt>", evidence.exchange, escaped(&evidence.place.to_string()));
            let _ = match evidence.text.as_str() {
                "" => write!(page, "<dd class=\"soft\">{}</dd>", words::MISSING.to(language)),
                text => write!(page, "<dd><code>{}</code></dd>", escaped(text)),
            };
        }
        page.push_str("</dl>");
    }
    if !entry.candidates.is_empty() {
        part(page, words::CANDIDATES, language);
        let _ = write!(page, "<p><code>{}</code></p>", entry.candidates.join("</code> <code>"));
    }
    if entry.kind == Kind::Failure {
        part(page, words::DISPROOF, language);
        paragraphs(page, topic.disproof);
    }
    decoded(page, topic, language);
    part(page, words::SOURCES, language);
    page.push_str("<ul class=\"soft\">");
    for source in entry.rule.sources_in(language) {
        let source = escaped(source);
        let _ = if source.starts_with("https://") {
            write!(page, "<li><a href=\"{source}\" rel=\"noreferrer\">{source}</a></li>")
        } else {
            write!(page, "<li>{source}</li>")
        };
    }
    page.push_str("</ul></article>\n");
}

fn decoded(page: &mut String, topic: &Topic<'_>, language: Language) {
    let Some((exchange, parts)) = topic.decoded else { return };
    let title = words::DECODED.to(language);
    let _ = write!(page, "<details><summary>{title}, #{exchange}</summary>");
    for part in parts {
        let _ = write!(page, "<h4>{} <code>{}</code></h4><dl>", escaped(part.title), escaped(&part.place.to_string()));
        for row in &part.rows {
            let _ = write!(page, "<dt>{}</dt><dd>{}</dd>", escaped(row.name), escaped(row.value.as_str()));
        }
        page.push_str("</dl>");
    }
    page.push_str("</details>");
}

fn ladders(page: &mut String, known: &Known<'_>, language: Language) {
    use crate::diagnosis::Verdict::Failure;
    let (failed, others): (Vec<_>, Vec<_>) = known.handshakes.iter().partition(|one| one.verdict == Failure);
    for handshake in failed.into_iter().chain(others).take(DRAWN) {
        let verdict = handshake.verdict;
        let _ = write!(
            page,
            "<div class=\"handshake\"><p>{} <b>{}</b> <span class=\"badge {verdict}\">{}</span>{}</p><div class=\"wide\">{}</div></div>",
            escaped(handshake.server.as_str()),
            handshake.scheme.code(),
            verdict.words().to(language),
            words::preemptive(handshake, language),
            drawing::ladder(handshake, language)
        );
    }
    rest(page, known.handshakes.len().saturating_sub(DRAWN), language);
}

fn readiness(page: &mut String, rows: &[Readiness], language: Language) {
    table(page, &words::OFFER_COLUMNS, language);
    for (row, different) in rows.iter().zip(Readiness::differences(rows)) {
        let list = |schemes: &[Clean]| escaped(&schemes.iter().map(Clean::as_str).collect::<Vec<_>>().join(", "));
        let optional = |value: &Option<Clean>| value.as_ref().map_or_else(String::new, |value| escaped(value.as_str()));
        let end = match row.end {
            Some(End::Source) => Text { en: " (migration source)", ja: " (移行元)" }.to(language),
            Some(End::Destination) => Text { en: " (migration destination)", ja: " (移行先)" }.to(language),
            None => "",
        };
        let uri = match (&row.authorization_uri, different.authorization_uri) {
            (None, false) => "",
            (Some(_), false) => "long",
            (None, true) => "lacks",
            (Some(_), true) => "long lacks",
        };
        let _ = write!(
            page,
            "<tr><td class=\"tight\">{}</td><td>{}{end}</td><td>{}</td><td class=\"lacks\">{}</td><td class=\"{uri}\">{}</td><td>{}</td>\
             <td class=\"tight\">{} #{}</td></tr>",
            row.endpoint,
            escaped(row.name().as_str()),
            list(&row.schemes),
            list(&different.lacks),
            optional(&row.authorization_uri),
            optional(&row.realm),
            row.last.1,
            row.last.0
        );
    }
    page.push_str("</table></div>");
}

fn exchanges(page: &mut String, outline: &Outline<'_>, language: Language) {
    table(page, &words::EXCHANGE_COLUMNS, language);
    for entry in &outline.telling {
        let answer = match (entry.status, &entry.error) {
            (Some(status), _) => status.to_string(),
            (None, Some(error)) => escaped(&layout::failure(error, language)),
            (None, None) => "?".to_owned(),
        };
        let request = [&entry.method, &entry.url].map(|part| part.as_ref().map_or("?", Clean::as_str)).join(" ");
        let started = entry.started.to_string();
        let _ = write!(
            page,
            "<tr><td class=\"tight\">{}</td><td class=\"tight\">{}</td><td class=\"long\">{}</td><td>{answer}</td>\
             <td><span class=\"badge {}\">{}</span></td><td>{}</td></tr>",
            entry.id,
            started.split_once('T').map_or(started.as_str(), |(_, time)| time),
            escaped(&request),
            entry.verdict,
            entry.verdict.words().to(language),
            entry.findings.join(", ")
        );
    }
    page.push_str("</table></div>");
    rest(page, outline.unlisted, language);
}

/// The beginning of a table.
fn table(page: &mut String, columns: &[Text], language: Language) {
    page.push_str("<div class=\"wide\"><table><tr>");
    for column in columns {
        let _ = write!(page, "<th>{}", column.to(language));
    }
    page.push_str("</tr>");
}

fn rest(page: &mut String, number: usize, language: Language) {
    if number > 0 {
        let _ = write!(page, "<p class=\"soft\">{}</p>", words::not_listed(number, language));
    }
}

fn part(page: &mut String, title: Text, language: Language) {
    let _ = write!(page, "<h4>{}</h4>", title.to(language));
}

fn paragraphs(page: &mut String, text: &str) {
    text.lines().filter(|line| !line.trim().is_empty()).for_each(|line| _ = write!(page, "<p>{}</p>", escaped(line)));
}

/// Text as HTML, within an element or a quoted attribute.
pub(super) fn escaped(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len() + 8);
    for character in text.chars() {
        match character {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\'' => escaped.push_str("&#39;"),
            _ => escaped.push(character),
        }
    }
    escaped
}
