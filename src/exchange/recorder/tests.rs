#![allow(clippy::unwrap_used)]

use super::*;
use crate::exchange::{FailureKind, Unseen};
use crate::redact::Clean;

fn recorder() -> Recorder {
    Recorder::new(Setting {
        redactor: Redactor::new(),
        connection: Arc::default(),
        ids: Ids::default(),
        scheme: "https",
        authority: Some(b"mail.contoso.com".to_vec()),
        body_limit: 1024,
        own: false,
        bindings: Bindings::UNKNOWN,
    })
}

fn at(milliseconds: i64) -> Timestamp {
    Timestamp(milliseconds * 1000)
}

fn exchanges(recorder: &mut Recorder) -> Vec<Exchange> {
    recorder.finished().into_iter().map(Draft::finish).collect()
}

/// Method, URL, status and what broke, as one line each.
fn lines(recorder: &mut Recorder) -> Vec<String> {
    let line = |exchange: Exchange| {
        format!(
            "{} {} {} {}",
            exchange.method.as_ref().map_or("-", Clean::as_str),
            exchange.url.as_ref().map_or("-", |url| url.text().as_str()),
            exchange.status().unwrap_or(0),
            exchange.error.map_or("", |error| error.kind.code()),
        )
    };
    exchanges(recorder).into_iter().map(line).collect()
}

#[test]
fn pairs_pipelined_requests_with_their_answers() {
    let mut recorder = recorder();
    recorder.request_bytes(b"HEAD /a HTTP/1.1\r\n\r\nGET /b HTTP/1.1\r\nHost: x.contoso.com\r\n\r\n", at(0));
    recorder.response_bytes(b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n", at(5));
    assert_eq!(lines(&mut recorder), ["HEAD https://mail.contoso.com/a 200 "]);
    recorder.response_bytes(b"HTTP/1.1 401 No\r\nContent-Length: 0\r\n\r\n", at(9));
    assert_eq!(lines(&mut recorder), ["GET https://x.contoso.com/b 401 "]);
    assert!(recorder.is_idle());
}

#[test]
fn an_early_answer_waits_for_the_request() {
    let mut recorder = recorder();
    recorder.request_bytes(b"POST / HTTP/1.1\r\nContent-Length: 4\r\n\r\nab", at(0));
    recorder.response_bytes(b"HTTP/1.1 413 Large\r\nContent-Length: 0\r\n\r\n", at(5));
    assert!(recorder.finished().is_empty());
    recorder.request_bytes(b"cd", at(7));
    let ended = exchanges(&mut recorder);
    let response = ended[0].response.seen().unwrap();
    assert!(response.early);
    assert_eq!(ended[0].timings.done, Some(at(7).since(at(0))));
}

#[test]
fn a_cut_answer_keeps_its_status_and_says_what_broke() {
    let mut recorder = recorder();
    recorder.request_bytes(b"GET / HTTP/1.1\r\n\r\n", at(0));
    recorder.response_bytes(b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nabc", at(1));
    recorder.close(None, at(2));
    assert_eq!(lines(&mut recorder), ["GET https://mail.contoso.com/ 200 closed-early"]);
}

#[test]
fn an_answer_that_the_server_broke_off_does_not_wait_for_the_client() {
    let mut recorder = recorder();
    recorder.request_bytes(b"GET / HTTP/1.1\r\n\r\n", at(0));
    recorder.response_bytes(b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nabc", at(1));
    recorder.server_left(at(2));
    assert_eq!(lines(&mut recorder), ["GET https://mail.contoso.com/ 200 closed-early"]);
}

#[test]
fn a_body_up_to_the_end_of_the_connection_is_whole() {
    let mut recorder = recorder();
    recorder.request_bytes(b"GET / HTTP/1.0\r\n\r\n", at(0));
    recorder.response_bytes(b"HTTP/1.0 200 OK\r\n\r\nabc", at(1));
    recorder.close(None, at(2));
    let ended = exchanges(&mut recorder);
    assert_eq!((ended[0].error.clone(), ended[0].response.seen().unwrap().message.body.length), (None, 3));
}

#[test]
fn what_is_no_http_becomes_an_exchange_that_says_so() {
    let mut recorder = recorder();
    recorder.request_bytes(b"\x00\x01garbage", at(0));
    recorder.request_bytes(b"GET / HTTP/1.1\r\n\r\n", at(0));
    recorder.close(None, at(2));
    let ended = exchanges(&mut recorder);
    assert_eq!(ended.len(), 1);
    assert_eq!(ended[0].request.unseen(), Some(Unseen::NotUnderstood));
    assert_eq!(ended[0].error.as_ref().unwrap().kind, FailureKind::NotUnderstood);
}

#[test]
fn a_pause_leaves_no_gap_in_the_numbers() {
    let mut recorder = recorder();
    let answer = b"HTTP/1.1 204 \r\n\r\n";
    for paused in [false, true, false] {
        recorder.pause(paused);
        recorder.request_bytes(b"GET / HTTP/1.1\r\n\r\n", at(0));
        recorder.response_bytes(answer, at(0));
    }
    assert_eq!(exchanges(&mut recorder).iter().map(|exchange| exchange.id).collect::<Vec<_>>(), [1, 2]);
}

#[test]
fn a_long_exchange_is_shown_while_it_runs() {
    let mut recorder = recorder();
    recorder.request_bytes(b"POST /ping HTTP/1.1\r\nContent-Length: 0\r\n\r\n", at(0));
    assert_eq!(recorder.running_since(), Some(at(0)));
    let running = recorder.running(at(1000));
    assert!(running[0].running && running[0].status().is_none());
}
