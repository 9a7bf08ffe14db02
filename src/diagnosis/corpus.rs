//! The labelled corpus: what is said of single exchanges and of whole conversations, measured.
//!
//! An id that is no rule yet is skipped by name and counted, so that adding the rule is all there is to do.

#![allow(
    clippy::unwrap_used,
    clippy::print_stdout,
    clippy::format_push_string,
    clippy::redundant_closure_for_method_calls,
    reason = "a test that reads files of its own and tells what it skipped"
)]

mod formats;
mod har;
mod pasted;
mod public;
mod variations;

use std::collections::BTreeMap;
use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::Value;

use super::rules::{kit, rule};
use super::{Capture, Certainty, Diagnosis, Judgement, Place, Verdict};
use crate::exchange::{
    Connection, Exchange, Failure, FailureKind, Ids, Response, Seen, Setting, Side, Step, Timestamp, Timings, Unseen,
};
use crate::redact::{Bindings, Body, Clean, Content, Field, Redactor};

const CASES: &str = include_str!("../../tests/data/corpus/cases.jsonl");
const MORE_CASES: &str = include_str!("../../tests/data/corpus/more_cases.jsonl");
const MORE_CASES_B: &str = include_str!("../../tests/data/corpus/more_cases_b.jsonl");
const CONVERSATIONS: &str = include_str!("../../tests/data/corpus/conversations.jsonl");
const MORE_CONVERSATIONS: &str = include_str!("../../tests/data/corpus/more_conversations.jsonl");

/// Ids without a rule yet, and how often each was asked for.
type Skipped = BTreeMap<String, usize>;

#[test]
fn single_exchanges_get_their_first_finding_and_steps_are_no_failures() {
    let (mut wrong, mut skipped) = (Vec::new(), Skipped::new());
    for case in cases() {
        let judgement = judge(std::slice::from_ref(&case), Capture::Imported).remove(0);
        wrong.extend(wrong_in_case(&case, &judgement, &mut skipped));
    }
    print_skipped(&skipped);
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// What is wrong with what is said of a single exchange.
fn wrong_in_case(case: &Value, judgement: &Judgement, skipped: &mut Skipped) -> Vec<String> {
    let (name, mut wrong) = (text(&case["id"]), Vec::new());
    let first = judgement.findings.first().map(|finding| finding.id());
    match case["expected"][0].as_str() {
        Some(id) if rule(id).is_none() => *skipped.entry(id.to_owned()).or_insert(0) += 1,
        expected if expected != first => wrong.push(format!("{name}: {first:?} instead of {expected:?}")),
        _ => {}
    }
    if case["normal_step"] == true && judgement.verdict == Verdict::Failure {
        wrong.push(format!("{name}: a normal step is called a failure by {first:?}"));
    }
    if case["normal_step"] == false && rule_of(&case["expected"][0]) && judgement.verdict == Verdict::Ok {
        wrong.push(format!("{name}: called ok"));
    }
    if case["verdict"].as_str().is_some_and(|verdict| verdict != judgement.verdict.code()) {
        wrong.push(format!("{name}: {} instead of {}", judgement.verdict, case["verdict"]));
    }
    wrong
}

fn print_skipped(skipped: &Skipped) {
    println!("skipped, no rule yet: {skipped:?}");
}

#[test]
fn redacted_text_is_diagnosed_as_the_original_was() {
    let mut wrong = Vec::new();
    for case in cases().filter(|case| case["request"]["method"] != "CONNECT") {
        let original = exchange(&case, &Redactor::new(), &Ids::default());
        let own = Setting { own: true, ..setting_of(&original) };
        let (request, response) = (head_of_request(&original), original.response.seen().map(written));
        let mut again = kit::record(own, &request, response.as_deref(), None, original.started);
        if case["request"].is_null() {
            kit::forget_request(&mut again);
        }
        let say = |exchange: &Exchange| {
            let judgement = Diagnosis::new(Capture::Imported).observe(exchange).judgement;
            let ids: Vec<_> = judgement.findings.iter().map(|f| (f.id(), f.certainty, f.actor)).collect();
            (judgement.verdict, ids)
        };
        if say(&original) != say(&again) {
            wrong.push(format!("{}: {:?} became {:?}", case["id"], say(&original), say(&again)));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn nothing_is_said_of_a_request_that_was_not_seen() {
    let mut wrong = Vec::new();
    for case in cases().filter(|case| case["response"]["status"].is_number()) {
        let mut exchange = exchange(&case, &Redactor::new(), &Ids::default());
        kit::forget_request(&mut exchange);
        for finding in Diagnosis::new(Capture::Imported).observe(&exchange).judgement.findings {
            let of_request =
                |place: &Place| matches!(place, Place::RequestUrl | Place::RequestHeader(_) | Place::RequestBody);
            if finding.evidence.iter().any(|evidence| of_request(&evidence.place)) {
                wrong.push(format!("{}: {}", case["id"], finding.id()));
            }
            if finding.id() == "hs-anonymous-probe" && finding.certainty == Certainty::Certain {
                wrong.push(format!("{}: a probe for certain", case["id"]));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

fn setting_of(exchange: &Exchange) -> Setting {
    let (scheme, authority) =
        exchange.url.as_ref().map_or(("https", "unseen.invalid"), |url| (url.scheme(), url.authority()));
    kit::setting(&Redactor::new(), Arc::clone(&exchange.connection), Ids::default(), scheme, authority)
}

fn head_of_request(exchange: &Exchange) -> Vec<u8> {
    let method = exchange.method.as_ref().map_or("GET", Clean::as_str);
    let target = exchange.url.as_ref().map_or("/", |url| &url.text().as_str()[url.origin().len()..]);
    let first = format!("{method} {target} HTTP/1.1\r\n");
    let empty = Body { length: 0, content: Content::Empty };
    exchange.request.seen().map_or_else(
        || written_message(&first, &[], &empty),
        |message| written_message(&first, &message.fields, &message.body),
    )
}

fn written(response: &Response) -> Vec<u8> {
    let first = format!("HTTP/1.1 {} {}\r\n", response.status.unwrap(), response.reason);
    written_message(&first, &response.message.fields, &response.message.body)
}

fn written_message(first: &str, fields: &[Field], body: &Body) -> Vec<u8> {
    let body = if let Content::Text { text, .. } = &body.content { text.as_str() } else { "" };
    let mut wire = first.to_owned();
    for field in fields.iter().filter(|field| !field.name.as_str().eq_ignore_ascii_case("content-length")) {
        wire += &format!("{}: {}\r\n", field.name, field.value);
    }
    wire += &format!("Content-Length: {}\r\n\r\n{body}", body.len());
    wire.into_bytes()
}

#[test]
fn conversations_get_their_verdicts_and_findings() {
    let (mut wrong, mut skipped) = (Vec::new(), Skipped::new());
    // What lies inside a tunnel of another tool, and which certificates it showed, only a file says: see `har`.
    for conversation in conversations().filter(|conversation| conversation["capture"].is_null()) {
        let exchanges = conversation["exchanges"].as_array().unwrap();
        let judgements = judge(exchanges, Capture::Imported);
        wrong.extend(wrong_in_conversation(&conversation, &judgements, &mut skipped));
    }
    print_skipped(&skipped);
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// What is wrong with what is said of a conversation.
fn wrong_in_conversation(conversation: &Value, judgements: &[Judgement], skipped: &mut Skipped) -> Vec<String> {
    let (name, mut wrong) = (text(&conversation["id"]), Vec::new());
    for (at, (judgement, expected)) in judgements.iter().zip(conversation["expected"].as_array().unwrap()).enumerate() {
        let at = at + 1;
        if let Some(id) = expected["first"].as_str().filter(|id| rule(id).is_none()) {
            *skipped.entry(id.to_owned()).or_insert(0) += 1;
            continue;
        }
        let first = judgement.findings.first().map(|finding| finding.id());
        if !expected["first"].is_null() && !among(expected, "first", "alt_first", first) {
            wrong.push(format!("{name} {at}: {first:?} instead of {}", expected["first"]));
        }
        if !among(expected, "verdict", "alt_verdicts", Some(judgement.verdict.code())) {
            wrong.push(format!("{name} {at}: {} instead of {}", judgement.verdict, expected["verdict"]));
        }
    }
    let found = |id: &str| judgements.iter().flat_map(|judgement| &judgement.findings).any(|f| f.id() == id);
    for id in conversation["must_have"].as_array().unwrap() {
        if rule_of(id) && !found(&text(id)) {
            wrong.push(format!("{name}: lacks {id}"));
        }
    }
    for id in conversation["must_not"].as_array().unwrap() {
        if found(&text(id)) {
            wrong.push(format!("{name}: must not have {id}"));
        }
    }
    wrong
}

/// Every labelled single exchange.
fn cases() -> impl Iterator<Item = Value> {
    [CASES, MORE_CASES, MORE_CASES_B].into_iter().flat_map(lines)
}

/// Every labelled conversation.
fn conversations() -> impl Iterator<Item = Value> {
    [CONVERSATIONS, MORE_CONVERSATIONS].into_iter().flat_map(lines)
}

fn lines(corpus: &str) -> impl Iterator<Item = Value> + use<'_> {
    corpus.lines().map(|line| serde_json::from_str(line).unwrap())
}

fn text(value: &Value) -> String {
    value.as_str().unwrap().to_owned()
}

fn rule_of(id: &Value) -> bool {
    id.as_str().is_some_and(|id| rule(id).is_some())
}

fn among(expected: &Value, one: &str, others: &str, found: Option<&str>) -> bool {
    let found = found.map_or(Value::Null, Value::from);
    expected[one] == found || expected[others].as_array().is_some_and(|others| others.contains(&found))
}

/// What is said of each exchange at the end.
fn judge(exchanges: &[Value], capture: Capture) -> Vec<Judgement> {
    let (redactor, ids) = (Redactor::new(), Ids::default());
    let exchanges: Vec<Exchange> = exchanges.iter().map(|value| exchange(value, &redactor, &ids)).collect();
    judged(&exchanges, capture)
}

/// What is said of each exchange at the end, by number.
fn judged(exchanges: &[Exchange], capture: Capture) -> Vec<Judgement> {
    let mut diagnosis = Diagnosis::new(capture);
    let mut judgements: Vec<Judgement> = Vec::new();
    for exchange in exchanges {
        let observed = diagnosis.observe(exchange);
        judgements.push(observed.judgement);
        revise(&mut judgements, observed.revised);
    }
    let last = diagnosis.finish();
    revise(&mut judgements, last);
    judgements.sort_by_key(|judgement| judgement.exchange);
    judgements
}

fn revise(judgements: &mut [Judgement], revised: Vec<Judgement>) {
    for new in revised {
        let old = judgements.iter_mut().find(|old| old.exchange == new.exchange).unwrap();
        *old = new;
    }
}

fn exchange(value: &Value, redactor: &Redactor, ids: &Ids) -> Exchange {
    let number = u32::try_from(value["connection"].as_u64().unwrap_or(1)).unwrap();
    let mut connection = Connection { id: number, ..Connection::default() };
    let (presented, upstream) = certificates(&value["capture"], &value["request"]["url"]);
    kit::between(&mut connection, presented, upstream);
    let connection = Arc::new(connection);
    let started = value["started"].as_str().unwrap_or(kit::START);
    let now = Timestamp::parse(started).unwrap();
    let request = &value["request"];
    let method = request["method"].as_str().unwrap_or("GET");
    let url = request["url"].as_str().unwrap_or("https://unseen.invalid/");
    let (scheme, rest) = url.split_once("://").unwrap_or(("https", url));
    let (authority, path) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
    if let Some(failure) = failure(&value["error"]) {
        return Exchange {
            id: ids.exchange(),
            started: now,
            connection,
            method: Some("CONNECT".into()),
            url: Some(redactor.wire().url(url.as_bytes())),
            request: Seen::Unseen(Unseen::NeverCame),
            response: Seen::Unseen(Unseen::NeverCame),
            error: Some(failure),
            timings: Timings::default(),
            running: false,
        };
    }
    let connect = method == "CONNECT";
    // A CONNECT is an exchange with the URL of what it asks for.
    let (verb, path) = if connect || path.is_empty() { ("GET", "/") } else { (method, path) };
    let head = format!("{verb} {path} HTTP/1.1\r\n");
    let response = &value["response"];
    let status = format!("HTTP/1.1 {} {}\r\n", response["status"], response["reason"].as_str().unwrap_or_default());
    let setting = kit::setting(redactor, connection, ids.clone(), scheme, authority);
    let setting = Setting { bindings: Bindings::of_fingerprints(presented, upstream), ..setting };
    let mut exchange = kit::record(setting, &message(&head, request), Some(&message(&status, response)), None, now);
    if connect {
        exchange.method = Some("CONNECT".into());
    }
    if request.is_null() {
        kit::forget_request(&mut exchange);
    }
    exchange
}

/// The certificates that the capture knows of the host asked.
fn certificates(capture: &Value, url: &Value) -> (Option<[u8; 32]>, Option<[u8; 32]>) {
    let fingerprint = |name: &str| {
        let digits = capture[name].as_str()?;
        let byte = |at: usize| u8::from_str_radix(&digits[2 * at..2 * at + 2], 16).unwrap();
        Some(std::array::from_fn(byte))
    };
    let asked = url.as_str().is_some_and(|url| capture["host"].as_str().is_none_or(|host| url.contains(host)));
    let known = |name| fingerprint(name).filter(|_| asked);
    (known("presented_cert_sha256"), known("upstream_cert_sha256"))
}

/// Head and body; the framing is that of this text, whatever the original's was.
fn message(first: &str, value: &Value) -> Vec<u8> {
    let binary = value["body_base64"].as_str().map(|body| STANDARD.decode(body).unwrap());
    let body = binary.unwrap_or_else(|| value["body"].as_str().unwrap_or_default().into());
    let mut wire = first.to_owned();
    for field in value["headers"].as_array().into_iter().flatten() {
        let (name, content) = (text(&field[0]), text(&field[1]));
        let framing = ["content-length", "transfer-encoding", "content-encoding"];
        if !framing.contains(&name.to_ascii_lowercase().as_str()) {
            wire += &format!("{name}: {content}\r\n");
        }
    }
    wire += &format!("Content-Length: {}\r\n\r\n", body.len());
    [wire.into_bytes(), body].concat()
}

fn failure(value: &Value) -> Option<Failure> {
    let side = Side::ALL.into_iter().find(|side| value["side"] == side.code())?;
    let step = Step::ALL.into_iter().find(|step| value["step"] == step.code())?;
    let kind = match (side, step) {
        (Side::Client, Step::Tls) => FailureKind::CertificateRefusedByClient,
        (Side::Server, Step::Resolve) => FailureKind::NameNotFound,
        _ => FailureKind::Other,
    };
    Some(Failure { side, step, kind, text: "as labelled".into() })
}
