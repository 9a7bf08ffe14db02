//! The diagnosis as one page of HTML that needs nothing else: no script, no font, no picture from anywhere. Its content
//! security policy forbids all but its own style, so that opening it in a browser tells nobody.

use std::fmt::Write as _;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use sha2::{Digest as _, Sha256};

use super::json::Known;
use super::layout::{self, numbers};
use super::outline::{Outline, Passage, REDACTED, Topic};
use super::{drawing, text};
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
    let causes = Text { en: "Findings", ja: "所見" };
    section(&mut page, causes, language, &outline.topics, |page, topics| {
        for topic in topics {
            article(page, topic, language);
        }
    });
    let unknown = Text { en: "What is still unknown", ja: "まだ分からないこと" };
    section(&mut page, unknown, language, &outline.open, |page, open| {
        page.push_str("<ul>");
        for line in open {
            let _ = write!(page, "<li>{}</li>", escaped(line));
        }
        page.push_str("</ul>");
    });
    let handshakes = Text { en: "Handshakes", ja: "ハンドシェイク" };
    section(&mut page, handshakes, language, known.handshakes, |page, _| ladders(page, known, language));
    if let Some(drawing) = drawing::timeline(known.exchanges, language) {
        let title = Text { en: "Timeline", ja: "タイムライン" }.to(language);
        let _ = write!(page, "<h2>{title}</h2><div class=\"wide\">{drawing}</div>");
    }
    let offers = Text { en: "What the endpoints offer", ja: "各エンドポイントの認証方式" };
    section(&mut page, offers, language, known.readiness, |page, rows| readiness(page, rows, language));
    let listed = Text { en: "Exchanges", ja: "エクスチェンジ" };
    section(&mut page, listed, language, &outline.telling, |page, _| exchanges(page, &outline, language));
    let healthy = Text { en: "Steps of a healthy handshake", ja: "正常なハンドシェイクの手順" };
    section(&mut page, healthy, language, &outline.steps, |page, steps| {
        page.push_str("<ul>");
        for step in steps {
            let ids = numbers(step.entry.exchanges.iter().copied());
            let _ = write!(page, "<li>{} <code>{}</code> {ids}</li>", escaped(&step.title), step.entry.rule.id);
        }
        page.push_str("</ul>");
    });
    let title = Text { en: "What was taken out", ja: "取り除いたもの" }.to(language);
    let _ = write!(
        page,
        "<footer><h4>{title}</h4><p class=\"soft\">{}</p><p class=\"soft\">authtap {}</p></footer>\n</html>\n",
        escaped(REDACTED.to(language)),
        env!("CARGO_PKG_VERSION")
    );
    page
}

/// The verdict, and of a failure the answer and who must act: all that some will read.
fn verdict(page: &mut String, known: &Known<'_>, outline: &Outline<'_>, language: Language) {
    let _ = write!(page, "<header class=\"verdict {}\"><h1>{}</h1>", outline.verdict, escaped(&outline.headline));
    if let Some(topic) = outline.topics.iter().find(|topic| topic.entry.kind == Kind::Failure) {
        let act = Text { en: "Who must act", ja: "対応する人" }.to(language);
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
    let act = Text { en: "Who must act", ja: "対応する人" }.to(language);
    let _ = write!(page, "<p><span class=\"act\">{act}:</span> {}</p>", entry.actor.words().to(language));
    paragraphs(page, &topic.explanation);
    part(page, Text { en: "What to do", ja: "対処" }, language);
    for passage in &topic.remedy {
        match passage {
            Passage::Words(words) => paragraphs(page, words),
            Passage::Commands(commands) => _ = write!(page, "<pre>{}</pre>", escaped(commands)),
        }
    }
    if !entry.evidence.is_empty() {
        part(page, Text { en: "Evidence", ja: "根拠" }, language);
        page.push_str("<dl>");
        for evidence in &entry.evidence {
            let _ = write!(page, "<dt>#{} {}</dt>", evidence.exchange, escaped(&evidence.place.to_string()));
            let missing = Text { en: "(missing)", ja: "(ありません)" }.to(language);
            let _ = match evidence.text.as_str() {
                "" => write!(page, "<dd class=\"soft\">{missing}</dd>"),
                text => write!(page, "<dd><code>{}</code></dd>", escaped(text)),
            };
        }
        page.push_str("</dl>");
    }
    if !entry.candidates.is_empty() {
        part(page, Text { en: "Can be behind it, likeliest first", ja: "考えられる原因 (可能性の高い順)" }, language);
        let _ = write!(page, "<p><code>{}</code></p>", entry.candidates.join("</code> <code>"));
    }
    if entry.kind == Kind::Failure {
        part(page, Text { en: "What would disprove it", ja: "この判断が覆る条件" }, language);
        paragraphs(page, topic.disproof);
    }
    decoded(page, topic, language);
    part(page, Text { en: "Sources", ja: "出典" }, language);
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
    let title = Text { en: "Decoded", ja: "デコード結果" }.to(language);
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
            "<div class=\"handshake\"><p>{} <b>{}</b> <span class=\"badge {verdict}\">{}</span></p><div class=\"wide\">{}</div></div>",
            escaped(handshake.server.as_str()),
            handshake.scheme.code(),
            verdict.words().to(language),
            drawing::ladder(handshake, language)
        );
    }
    rest(page, known.handshakes.len().saturating_sub(DRAWN), language);
}

fn readiness(page: &mut String, rows: &[Readiness], language: Language) {
    let heads = Text {
        en: "<th>endpoint<th>server<th>offers<th>lacks<th>authorization_uri<th>realm<th>last answer",
        ja: "<th>エンドポイント<th>サーバー<th>提示<th>不足<th>authorization_uri<th>realm<th>最後の応答",
    };
    let _ = write!(page, "<div class=\"wide\"><table><tr>{}</tr>", heads.to(language));
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
    let heads = Text {
        en: "<th>#<th>time<th>request<th>answer<th>verdict<th>findings",
        ja: "<th>#<th>時刻<th>要求<th>応答<th>判定<th>所見",
    };
    let _ = write!(page, "<div class=\"wide\"><table><tr>{}</tr>", heads.to(language));
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

fn rest(page: &mut String, number: usize, language: Language) {
    if number > 0 {
        let text = Text { en: "Not listed: {number}", ja: "ほかに: {number} 件" };
        let _ = write!(page, "<p class=\"soft\">{}</p>", text.fill(language, &[("number", &number.to_string())]));
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
