//! The corpus as pasted text: the labelled texts as they are, and every exchange as its raw text.

use serde_json::{Value, json};

use super::{Judgement, Skipped, cases, judged, lines, print_skipped, text, wrong_in_case};
use crate::diagnosis::rules::{kit, rule};
use crate::diagnosis::{Capture, Verdict};
use crate::exchange::{Exchange, Ids, Timestamp};
use crate::redact::{Content, Redactor};
use crate::session::paste;

const PASTED: &str = include_str!("../../../tests/data/corpus/paste.jsonl");
const MORE_PASTED: &str = include_str!("../../../tests/data/corpus/more_paste.jsonl");

/// Every labelled text.
fn texts() -> impl Iterator<Item = Value> {
    [PASTED, MORE_PASTED].into_iter().flat_map(lines)
}

#[test]
fn pasted_texts_get_their_verdicts_findings_and_candidates() {
    let (mut wrong, mut skipped) = (Vec::new(), Skipped::new());
    for case in texts() {
        // Windows changes line ends on the way through the clipboard.
        for line_end in ["\n", "\r\n"] {
            let pasted = text(&case["text"]).replace("\r\n", "\n").replace('\n', line_end);
            wrong.extend(wrong_in_text(&case, &read(&pasted), &mut skipped));
        }
    }
    print_skipped(&skipped);
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

fn wrong_in_text(case: &Value, exchanges: &[Exchange], skipped: &mut Skipped) -> Vec<String> {
    let (name, mut wrong) = (text(&case["id"]), Vec::new());
    if let Some(expected) = case["exchanges"].as_array() {
        let judgements = judged(exchanges, Capture::Imported);
        let said = judgements.iter().map(|said| json!([said.findings.first().map(|f| f.id()), said.verdict.code()]));
        let said: Vec<Value> = said.collect();
        if *expected != said {
            wrong.push(format!("{name}: {said:?} instead of {expected:?}"));
        }
        return wrong;
    }
    if exchanges.len() != 1 {
        wrong.push(format!("{name}: {} exchanges", exchanges.len()));
    }
    let judgement: Judgement = judged(exchanges, Capture::Imported).remove(0);
    let first = judgement.findings.first();
    let expected = case["expected"][0].as_str();
    match expected {
        Some(id) if rule(id).is_none() => {
            *skipped.entry(id.to_owned()).or_insert(0) += 1;
            return wrong;
        }
        _ if first.map(|finding| finding.id()) != expected => {
            wrong.push(format!("{name}: {:?} instead of {expected:?}", first.map(|finding| finding.id())));
        }
        _ => {}
    }
    let verdict = judgement.verdict;
    let also = case["alt_verdicts"].as_array().into_iter().flatten();
    if !also.chain([&case["verdict"]]).any(|acceptable| acceptable == verdict.code()) {
        wrong.push(format!("{name}: {verdict} instead of {}", case["verdict"]));
    }
    let found = |id: &Value| {
        let all = judgement.findings.iter();
        all.clone().any(|finding| id == finding.id())
            || all.flat_map(|finding| &finding.candidates).any(|candidate| id == candidate)
    };
    let candidates = case["candidates_include"].as_array().into_iter().flatten();
    wrong.extend(candidates.filter(|id| !found(id)).map(|id| format!("{name}: lacks the candidate {id}")));
    wrong
}

#[test]
fn single_exchanges_are_judged_alike_as_pasted_text() {
    let (mut wrong, mut skipped) = (Vec::new(), Skipped::new());
    for case in cases().filter(is_text) {
        let exchanges = read(&written(&case));
        if exchanges.len() != 1 {
            wrong.push(format!("{}: {} exchanges", case["id"], exchanges.len()));
        }
        wrong.extend(wrong_in_case(&case, &judged(&exchanges, Capture::Imported)[0], &mut skipped));
    }
    print_skipped(&skipped);
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn what_people_write_around_an_error_changes_nothing() {
    let mail = |text: &str| {
        format!(
            "From: Avery\nSubject: cannot connect\n\nHi all,\n\nsince Monday our users see this:\n\n{text}\n\nWe changed \
             nothing. Any ideas?\n\nBest regards,\nAvery\n"
        )
    };
    let mut wrong = Vec::new();
    for case in texts().filter(|case| case["expected"][0].is_string()) {
        let say = |pasted: &str| -> Vec<(Verdict, Option<&'static str>)> {
            let judgements = judged(&read(pasted), Capture::Imported);
            judgements.iter().map(|said| (said.verdict, said.findings.first().map(|finding| finding.id()))).collect()
        };
        let pasted = text(&case["text"]);
        if say(&pasted) != say(&mail(&pasted)) {
            wrong.push(format!("{}: {:?} became {:?}", case["id"], say(&pasted), say(&mail(&pasted))));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn what_was_shown_of_a_pasted_text_is_judged_alike_when_it_is_pasted_again() {
    let say = |exchange: &Exchange| {
        let judgement = judged(std::slice::from_ref(exchange), Capture::Imported).remove(0);
        let findings = judgement.findings.iter();
        (judgement.verdict, findings.map(|finding| (finding.id(), finding.certainty)).collect::<Vec<_>>())
    };
    let mut wrong = Vec::new();
    let texts = texts().filter(|case| case["exchanges"].is_null()).map(|case| (text(&case["id"]), text(&case["text"])));
    for (name, pasted) in texts.filter(|(_, text)| !text.trim().is_empty()) {
        let first = read(&pasted).remove(0);
        let again = read(&shown(&first));
        if again.len() != 1 || say(&first) != say(&again[0]) {
            wrong.push(format!("{name}: {:?} became {:?}", say(&first), again.iter().map(say).collect::<Vec<_>>()));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// An exchange as the screen has it.
fn shown(exchange: &Exchange) -> String {
    let mut lines = Vec::new();
    if let Some(request) = exchange.request.seen() {
        if let (Some(method), Some(url)) = (&exchange.method, &exchange.url) {
            lines.push(format!("{method} {} {}", url.text(), request.version));
        }
        lines.extend(request.fields.iter().map(|field| format!("{}: {}", field.name, field.value)));
        lines.push(String::new());
    }
    if let Some(response) = exchange.response.seen() {
        if let Some(status) = response.status {
            lines.push(format!("{} {status} {}", response.message.version, response.reason));
        }
        lines.extend(response.message.fields.iter().map(|field| format!("{}: {}", field.name, field.value)));
        if let Content::Text { text, .. } = &response.message.body.content {
            lines.push(String::new());
            lines.push(text.as_str().to_owned());
        }
    }
    lines.join("\n")
}

#[test]
fn an_article_about_an_error_line_is_the_line() {
    let line = "Your migration failed while checking source credentials. Http POST request to 'mail.fabrikam.com' failed - 401 \
                Unauthorized";
    let article = format!(
        "MigrationWiz and 401\n\nMigrationWiz reports this where it cannot sign in at the source or the destination:\n\n{line}\n\n\
         Check the credentials of the endpoint, then start the migration again. Basic authentication may be off.\n"
    );
    let judgements = judged(&read(&article), Capture::Imported);
    let found: Vec<_> = judgements.iter().map(|judgement| judgement.findings.first().map(|f| f.id())).collect();
    assert_eq!(found, [Some("migrationwiz-error-line")]);
}

#[test]
fn words_that_name_no_cause_get_no_finding() {
    let mut wrong = Vec::new();
    for words in [
        "The remote server returned an error: (401) Unauthorized.",
        "System.Net.WebException: The request failed with HTTP status 401: Unauthorized.",
        "401 Unauthorized",
        "403 Forbidden: Access is denied.",
        "Logon failure: unknown user name or bad password.",
        "{\"message\": \"Not Found\", \"code\": 404}",
        "Server: nginx\nX-Powered-By: PHP/8.3\nX-Request-Id: 7f3c",
    ] {
        for judgement in judged(&read(words), Capture::Imported) {
            if !judgement.findings.is_empty() || judgement.verdict != Verdict::Unknown {
                wrong.push(format!("{words}: {} {:?}", judgement.verdict, judgement.findings.first().map(|f| f.id())));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn every_candidate_is_a_finding() {
    let texts = texts().map(|case| text(&case["text"]));
    let further = [
        "Http POST request to 'outlook.office365.com' failed - 403 Forbidden",
        "Http POST request to 'outlook.office365.com' failed - 503 Service Unavailable",
        "Your migration failed while checking source credentials. Http POST request to 'mail.fabrikam.com' failed - 403",
        "Your migration failed while checking source credentials. Http POST request to 'mail.fabrikam.com' failed - 503",
    ];
    let cases = cases().filter(is_text).map(|case| written(&case));
    let mut unknown = std::collections::BTreeSet::new();
    for text in texts.chain(further.map(str::to_owned)).chain(cases) {
        let judgements = judged(&read(&text), Capture::Imported);
        let findings = judgements.iter().flat_map(|judgement| &judgement.findings);
        unknown.extend(findings.flat_map(|finding| finding.candidates.clone()).filter(|id| rule(id).is_none()));
    }
    assert!(unknown.is_empty(), "candidates that are no finding: {unknown:?}");
}

/// Bodies that are no text cannot be pasted, and a tunnel has no text.
fn is_text(case: &Value) -> bool {
    case["response"]["body_base64"].is_null() && case["request"]["method"] != "CONNECT"
}

fn read(pasted: &str) -> Vec<Exchange> {
    paste::read(pasted.as_bytes(), &Redactor::new(), &Ids::default(), Timestamp::parse(kit::START).unwrap())
}

/// As a raw view shows it, with the whole URL.
fn written(case: &Value) -> String {
    let (request, response) = (&case["request"], &case["response"]);
    let status = format!("HTTP/1.1 {} {}\n", response["status"], response["reason"].as_str().unwrap_or_default());
    let answer = format!("{status}{}", message(response));
    if request.is_null() {
        return answer;
    }
    let first = format!("{} {} HTTP/1.1\n", text(&request["method"]), text(&request["url"]));
    format!("{first}{}\n{answer}", message(request))
}

fn message(message: &Value) -> String {
    let pairs = message["headers"].as_array().into_iter().flatten();
    let lines: Vec<_> = pairs.map(|pair| format!("{}: {}\n", text(&pair[0]), text(&pair[1]))).collect();
    format!("{}\n{}\n", lines.concat(), message["body"].as_str().unwrap_or_default())
}
