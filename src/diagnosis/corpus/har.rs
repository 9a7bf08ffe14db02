//! The corpus as other people hand it in: every exchange and every conversation as an HTTP archive.

use std::path::Path;

use serde_json::{Value, json};
use zeroize::Zeroizing;

use super::{
    Judgement, Skipped, cases, conversations, judged, lines, print_skipped, text, wrong_in_case, wrong_in_conversation,
};
use crate::diagnosis::Capture;
use crate::diagnosis::rules::kit;
use crate::exchange::Exchange;
use crate::redact::Redactor;
use crate::session::Opening;
use crate::session::har::{Har, Provenance};

/// Archives in the ways of browsers, proxies and API clients.
const MORE_HARS: &str = include_str!("../../../tests/data/corpus/more_hars.jsonl");

#[test]
fn single_exchanges_are_judged_alike_through_an_archive() {
    let (mut wrong, mut skipped) = (Vec::new(), Skipped::new());
    for case in cases() {
        for base64 in [false, true] {
            let judgements = judge(std::slice::from_ref(&case), &Value::Null, base64);
            wrong.extend(wrong_in_case(&case, &judgements[0], &mut skipped));
        }
    }
    print_skipped(&skipped);
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn conversations_are_judged_alike_through_an_archive() {
    let (mut wrong, mut skipped) = (Vec::new(), Skipped::new());
    for conversation in conversations() {
        let exchanges = conversation["exchanges"].as_array().unwrap();
        let judgements = judge(exchanges, &conversation["capture"], true);
        wrong.extend(wrong_in_conversation(&conversation, &judgements, &mut skipped));
    }
    print_skipped(&skipped);
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn archives_as_other_programs_write_them_are_read_and_judged() {
    let mut wrong = Vec::new();
    for labelled in lines(MORE_HARS) {
        let mark = if labelled["bom"] == true { "\u{FEFF}" } else { "" };
        let file = format!("{mark}{}", labelled["har"]).into_bytes();
        let archive =
            match Har::of_text(Zeroizing::new(file), Path::new("other.har"), &Opening::quietly(&Redactor::new())) {
                Ok(archive) => archive,
                Err(error) => {
                    wrong.push(format!("{}: {error}", labelled["id"]));
                    continue;
                }
            };
        let read: Vec<Exchange> = archive.exchanges().map(Result::unwrap).collect();
        let judgements = judged(&read, Capture::Imported);
        let said = judgements.iter().map(|said| json!([said.findings.first().map(|f| f.id()), said.verdict.code()]));
        let said: Vec<Value> = said.collect();
        let expected = labelled["expected"].as_array().unwrap();
        let also = labelled["alternatives"].as_array().into_iter().flatten().collect::<Vec<_>>();
        let right = |(said, expected): (&Value, &Value)| said == expected || also.contains(&said);
        if said.len() != expected.len() || !said.iter().zip(expected).all(right) {
            wrong.push(format!("{}: {said:?} instead of {expected:?}", labelled["id"]));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// What is said of each entry at the end, in the order of the file.
fn judge(exchanges: &[Value], capture: &Value, base64: bool) -> Vec<Judgement> {
    let entries: Vec<Value> = exchanges.iter().map(|exchange| entry(exchange, base64)).collect();
    let mut log = json!({"version": "1.2", "creator": {"name": "corpus", "version": "1"}, "entries": entries});
    if !capture.is_null() {
        log["_authtap"] = capture.clone();
    }
    let text = json!({ "log": log }).to_string().into_bytes();
    let archive =
        Har::of_text(Zeroizing::new(text), Path::new("corpus.har"), &Opening::quietly(&Redactor::new())).unwrap();
    let capture = match *archive.provenance() {
        Provenance::Live { loopback, windows } => Capture::Live { loopback, windows: windows.unwrap_or(cfg!(windows)) },
        Provenance::Imported => Capture::Imported,
        Provenance::Intercepted => Capture::Intercepted,
    };
    let read: Vec<Exchange> = archive.exchanges().map(Result::unwrap).collect();
    assert_eq!(read.len(), exchanges.len());
    judged(&read, capture)
}

fn entry(exchange: &Value, base64: bool) -> Value {
    let mut entry = json!({
        "startedDateTime": exchange["started"].as_str().unwrap_or(kit::START),
        "time": 120,
        "connection": exchange["connection"].as_u64().map(|number| number.to_string()),
        "request": message(&exchange["request"], "postData", base64),
        "response": message(&exchange["response"], "content", base64),
        "timings": {"send": 10, "wait": 100, "receive": 10},
    });
    let (request, response) = (&exchange["request"], &exchange["response"]);
    entry["request"]["method"] = request["method"].clone();
    entry["request"]["url"] = request["url"].clone();
    entry["response"]["status"] = response["status"].as_u64().unwrap_or(0).into();
    entry["response"]["statusText"] = response["reason"].as_str().unwrap_or_default().into();
    if exchange["error"].is_object() {
        let word = |name: &str| text(&exchange["error"][name]);
        entry["_error"] = format!("{} {}: {}", word("side"), word("step"), word("text")).into();
    }
    entry
}

fn message(message: &Value, body_name: &str, base64: bool) -> Value {
    use base64::Engine as _;
    let pairs = message["headers"].as_array().into_iter().flatten();
    let headers: Vec<Value> = pairs.map(|pair| json!({"name": pair[0], "value": pair[1]})).collect();
    let mut written = json!({"httpVersion": "HTTP/1.1", "headers": headers});
    let media_type = pairs_value(message, "content-type");
    let body = match (&message["body_base64"], &message["body"]) {
        (Value::String(coded), _) => json!({"mimeType": media_type, "text": coded, "encoding": "base64"}),
        (_, Value::String(body)) if base64 => {
            let coded = base64::engine::general_purpose::STANDARD.encode(body);
            json!({"mimeType": media_type, "text": coded, "encoding": "base64"})
        }
        (_, Value::String(body)) => json!({"mimeType": media_type, "text": body, "size": body.len()}),
        _ => json!({"size": 0, "mimeType": "x-unknown"}),
    };
    written[body_name] = body;
    written
}

fn pairs_value(message: &Value, name: &str) -> String {
    let mut pairs = message["headers"].as_array().into_iter().flatten();
    let pair = pairs.find(|pair| text(&pair[0]).eq_ignore_ascii_case(name));
    pair.map_or_else(String::new, |pair| text(&pair[1]))
}
