//! Labelled answers of real servers, asked for by real curl through the proxy: is each named by its cause, and is no
//! healthy step called a failure? Live in the JSON stream, and again from the saved session.

use std::fmt::Write as _;
use std::sync::Arc;

use authtap::diagnosis::rules::RULES;
use base64::Engine as _;
use serde_json::Value;

use crate::kit::{Origin, Proxy, Request, Workshop, curl, need};

#[test]
fn every_answer_of_seed_004_is_named_in_one_session() {
    if !need(&["curl"]) {
        return;
    }
    let cases: Vec<Value> = cases().into_iter().filter(|case| id(case).starts_with("seed004-")).collect();
    assert_eq!(cases.len(), 7);
    let said = ask(&cases);
    for (case, said) in cases.iter().zip(&said) {
        assert_eq!(said.live["findings"][0], case["expected"][0], "{}: live: {}", id(case), said.live);
        assert_eq!(said.saved["findings"][0], case["expected"][0], "{}: saved: {}", id(case), said.saved);
        assert_eq!(said.live["verdict"], "failure", "{}: {}", id(case), said.live);
    }
}

#[test]
fn every_refusal_of_a_known_cause_is_named_when_it_comes_alone() {
    if !need(&["curl"]) {
        return;
    }
    let mut wrong = Vec::new();
    let known = |case: &Value| RULES.iter().any(|rule| case["expected"][0] == rule.id);
    for case in cases().into_iter().filter(|case| case["normal_step"] == false && known(case)) {
        let said = ask(std::slice::from_ref(&case)).remove(0);
        for (source, said) in [("live", &said.live), ("saved", &said.saved)] {
            if said["findings"][0] != case["expected"][0] {
                wrong.push(format!("{}, {source}: {} is not {}", id(&case), said["findings"], case["expected"]));
            }
        }
    }
    assert!(wrong.is_empty(), "\n{}", wrong.join("\n"));
}

#[test]
fn no_healthy_step_is_called_a_failure() {
    if !need(&["curl"]) {
        return;
    }
    let mut wrong = Vec::new();
    for case in cases().into_iter().filter(|case| case["normal_step"] == true) {
        let said = ask(std::slice::from_ref(&case)).remove(0);
        let expected = &case["expected"][0];
        let known = RULES.iter().any(|rule| expected == rule.id);
        for (source, said) in [("live", &said.live), ("saved", &said.saved)] {
            if said["verdict"] == "failure" {
                wrong.push(format!("{}, {source}: a failure: {}", id(&case), said["findings"]));
            }
            if known && said["findings"][0] != *expected {
                wrong.push(format!("{}, {source}: {} is not {}", id(&case), said["findings"], case["expected"]));
            }
        }
    }
    assert!(wrong.is_empty(), "\n{}", wrong.join("\n"));
}

#[test]
fn a_step_that_leads_to_success_stays_a_step() {
    if !need(&["curl"]) {
        return;
    }
    let workshop = Workshop::new();
    let config = workshop.authority.server(&["mail.contoso.com"]);
    let origin = Origin::answering(Some(config), |request| {
        let credential = crate::kit::field(&request.head, "authorization");
        match credential.as_deref() {
            Some("Bearer") => b"HTTP/1.1 401 Unauthorized\r\nWWW-Authenticate: Bearer \
                client_id=\"00000002-0000-0ff1-ce00-000000000000\", \
                authorization_uri=\"https://login.windows.net/common/oauth2/authorize\"\r\nContent-Length: 0\r\n\r\n"
                .to_vec(),
            Some(_) => b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n".to_vec(),
            None => b"HTTP/1.1 401 Unauthorized\r\nWWW-Authenticate: Negotiate\r\nContent-Length: 0\r\n\r\n".to_vec(),
        }
    });
    let mut proxy = workshop.proxy(&["--resolve", &origin.resolve("mail.contoso.com", 443)]);
    for credential in ["Authorization:", "Authorization: Bearer", "Authorization: Bearer EwAgA8l6BAAUs"] {
        assert_eq!(curl(&proxy, &["-H", credential, "https://mail.contoso.com/mapi/nspi/"]).code, Some(0));
    }
    proxy.exchanges(3);
    let session = proxy.session.clone();
    let live = proxy.stop().exchanges();
    let saved = workshop.diagnose(&session);
    for verdicts in [live.iter().collect::<Vec<_>>(), saved["exchanges"].as_array().unwrap().iter().collect()] {
        let verdicts: Vec<_> = verdicts.iter().map(|exchange| exchange["verdict"].as_str().unwrap()).collect();
        assert_eq!(verdicts, ["step", "step", "ok"]);
    }
}

/// What was said of one exchange.
struct Said {
    live: Value,
    saved: Value,
}

fn cases() -> Vec<Value> {
    let lines = include_str!("../data/corpus/cases.jsonl").lines();
    let cases = lines.map(|line| serde_json::from_str(line).unwrap());
    // What a client asks of a proxy and not of a server is told apart in unit tests.
    cases.filter(|case: &Value| case["request"]["method"] != "CONNECT" && case["response"]["status"] != 407).collect()
}

fn id(case: &Value) -> &str {
    case["id"].as_str().unwrap()
}

/// Plays `cases` one after the other through one proxy.
fn ask(cases: &[Value]) -> Vec<Said> {
    let workshop = Workshop::new();
    let hosts: Vec<&str> = cases.iter().map(host).collect();
    let answers: Vec<_> = cases.iter().map(|case| (target(case), answer(case))).collect();
    let answers = Arc::new(answers);
    let serve = |tls| {
        let answers = Arc::clone(&answers);
        // The case says by its number in a field of curl's which answer is meant; the proxy passes all fields.
        Origin::answering(tls, move |request: &Request| {
            let number: usize = crate::kit::field(&request.head, "x-case").unwrap().parse().unwrap();
            let (target, answer) = &answers[number];
            assert_eq!(&request.target(), target);
            answer.clone()
        })
    };
    let tls = serve(Some(workshop.authority.server(&hosts)));
    let plain = serve(None);
    let mut options = Vec::new();
    for host in &hosts {
        options.extend(["--resolve".to_owned(), tls.resolve(host, 443)]);
        options.extend(["--resolve".to_owned(), plain.resolve(host, 80)]);
    }
    let options: Vec<&str> = options.iter().map(String::as_str).collect();
    let mut proxy = workshop.proxy(&options);
    for (number, case) in cases.iter().enumerate() {
        send(&proxy, number, case);
    }
    proxy.exchanges(cases.len());
    let session = proxy.session.clone();
    let finished = proxy.stop();
    assert_eq!(finished.code, Some(0), "{}", finished.error());
    let live = finished.exchanges();
    let saved = workshop.diagnose(&session);
    let saved = saved["exchanges"].as_array().unwrap();
    assert_eq!((live.len(), saved.len()), (cases.len(), cases.len()));
    live.into_iter().zip(saved).map(|(live, saved)| Said { live, saved: saved.clone() }).collect()
}

fn send(proxy: &Proxy, number: usize, case: &Value) {
    let request = &case["request"];
    let mut arguments = vec!["--globoff".to_owned(), "--path-as-is".to_owned()];
    let mut header = |line: String| arguments.extend(["-H".to_owned(), line]);
    header(format!("X-Case: {number}"));
    // Lengths are those of what is sent here.
    let sent: Vec<_> = pairs(&request["headers"])
        .into_iter()
        .filter(|(name, _)| !name.eq_ignore_ascii_case("content-length"))
        .collect();
    for (name, value) in &sent {
        header(if value.is_empty() { format!("{name};") } else { format!("{name}: {value}") });
    }
    // What curl would add of its own accord and the client of the case did not send.
    for own in ["User-Agent", "Accept", "Content-Type"] {
        if !sent.iter().any(|(name, _)| name.eq_ignore_ascii_case(own)) {
            header(format!("{own}:"));
        }
    }
    let method = request["method"].as_str().unwrap();
    arguments.extend(["-X".to_owned(), method.to_owned()]);
    if let Some(body) = request["body"].as_str() {
        arguments.extend(["--data-binary".to_owned(), body.to_owned()]);
    }
    arguments.push(request["url"].as_str().unwrap().to_owned());
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let received = curl(proxy, &arguments);
    assert_eq!(received.code, Some(0), "{}: {}", id(case), received.error);
    assert_eq!(u64::from(received.status), case["response"]["status"].as_u64().unwrap(), "{}", id(case));
}

/// The labelled response as bytes, with the length its body has here.
fn answer(case: &Value) -> Vec<u8> {
    let response = &case["response"];
    let body = match (response["body"].as_str(), response["body_base64"].as_str()) {
        (Some(text), _) => text.as_bytes().to_vec(),
        (None, Some(coded)) => base64::engine::general_purpose::STANDARD.decode(coded).unwrap(),
        (None, None) => Vec::new(),
    };
    let mut bytes = format!("HTTP/1.1 {} {}\r\n", response["status"], response["reason"].as_str().unwrap_or_default());
    for (name, value) in pairs(&response["headers"]) {
        if !["content-length", "transfer-encoding"].contains(&name.to_ascii_lowercase().as_str()) {
            let _ = write!(bytes, "{name}: {value}\r\n");
        }
    }
    let _ = write!(bytes, "Content-Length: {}\r\n\r\n", body.len());
    [bytes.into_bytes(), body].concat()
}

fn pairs(headers: &Value) -> Vec<(String, String)> {
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    headers.as_array().into_iter().flatten().map(|pair| (text(&pair[0]), text(&pair[1]))).collect()
}

fn host(case: &Value) -> &str {
    case["request"]["url"].as_str().unwrap().split('/').nth(2).unwrap()
}

/// The origin form of the case's URL.
fn target(case: &Value) -> String {
    let url = case["request"]["url"].as_str().unwrap();
    let target = url.splitn(4, '/').nth(3).unwrap_or_default();
    // An absolute-form request reaches the server in origin form, as any request does.
    format!("/{target}")
}
