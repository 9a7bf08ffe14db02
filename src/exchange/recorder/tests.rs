#![allow(clippy::unwrap_used)]

use super::*;
use crate::exchange::{FailureKind, Head, Oddity, SocketKind, Unseen};
use crate::redact::{Clean, Content};

fn recorder() -> Recorder {
    Recorder::new(setting())
}

fn setting() -> Setting {
    Setting {
        redactor: Redactor::new(),
        connection: Arc::default(),
        ids: Ids::default(),
        scheme: "https",
        authority: Some(b"mail.contoso.com".to_vec()),
        body_limit: 1024,
        own: false,
        bindings: Bindings::UNKNOWN,
    }
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
fn a_request_that_cannot_be_followed_gets_the_answer_that_refuses_it() {
    let mut recorder = recorder();
    recorder.request_bytes(b"GET /before HTTP/1.1\r\n\r\n", at(0));
    recorder.request_bytes(b"POST /odd HTTP/1.1\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nGET ", at(0));
    recorder.response_bytes(b"HTTP/1.1 204 \r\n\r\nHTTP/1.1 400 Bad\r\nContent-Length: 0\r\n\r\n", at(1));
    // What comes after it is of requests that nobody knows.
    recorder.response_bytes(b"HTTP/1.1 200 OK\r\n\r\n", at(2));
    recorder.close(None, at(3));
    let ended = exchanges(&mut recorder);
    assert_eq!(ended.len(), 2);
    assert_eq!((ended[0].status(), ended[0].error.clone()), (Some(204), None));
    assert_eq!(ended[1].status(), Some(400));
    assert_eq!(ended[1].error.as_ref().unwrap().kind, FailureKind::NotUnderstood);
    let odd = ended[1].request.seen().unwrap().odd;
    assert_eq!(odd.iter().collect::<Vec<_>>(), [Oddity::LengthsDiffer]);
}

#[test]
fn of_a_head_that_is_too_long_its_beginning_is_recorded_with_the_answer() {
    let mut recorder = recorder();
    recorder.request_bytes(b"GET /long HTTP/1.1\r\nHost: x.contoso.com\r\nX-Long: ", at(0));
    for _ in 0..64 {
        recorder.request_bytes(&[b'a'; 16 * 1024], at(0));
    }
    recorder.request_bytes(b"\r\n\r\n", at(0));
    recorder.response_bytes(b"HTTP/1.1 431 Too Large\r\nContent-Length: 0\r\n\r\n", at(1));
    let ended = exchanges(&mut recorder);
    assert_eq!((ended.len(), ended[0].status()), (1, Some(431)));
    let request = ended[0].request.seen().unwrap();
    assert_eq!((request.head, request.fields.len()), (Head::Excerpt, 1));
    assert_eq!(ended[0].url.as_ref().unwrap().text().as_str(), "https://x.contoso.com/long");
}

#[test]
fn of_ten_thousand_fields_a_bounded_number_is_kept() {
    let mut recorder = recorder();
    let head = [b"GET / HTTP/1.1\r\n", "a: b\r\n".repeat(10_000).as_bytes(), b"\r\n"].concat();
    recorder.request_bytes(&head, at(0));
    recorder.response_bytes(b"HTTP/1.1 204 \r\n\r\n", at(1));
    let request = exchanges(&mut recorder).remove(0).request.seen().unwrap().clone();
    assert_eq!((request.head, request.fields.len()), (Head::Excerpt, 2000));
}

#[test]
fn surplus_bytes_are_named_and_what_follows_is_read() {
    const HEAD: &[u8] = b"HEAD /owa/ HTTP/1.1\r\n\r\n";
    const ANSWER: &[u8] = b"HTTP/1.1 401 No\r\nContent-Length: 5\r\n\r\n";
    let odd = |exchange: &Exchange| exchange.response.seen().unwrap().message.odd.codes();
    // With the answer, or after it had been handed over: then the next one says so.
    let mut at_once = recorder();
    at_once.request_bytes(HEAD, at(0));
    at_once.response_bytes(&[ANSWER, b"Hello"].concat(), at(1));
    let ended = exchanges(&mut at_once);
    assert_eq!((ended[0].status(), odd(&ended[0]).as_str(), ended[0].error.clone()), (Some(401), "surplus", None));
    for late in [false, true] {
        let mut recorder = recorder();
        recorder.request_bytes(HEAD, at(0));
        recorder.response_bytes(ANSWER, at(1));
        assert_eq!(odd(&exchanges(&mut recorder)[0]), "");
        if !late {
            recorder.response_bytes(b"Hello", at(2));
        }
        recorder.request_bytes(b"GET /owa/ HTTP/1.1\r\n\r\n", at(3));
        if late {
            recorder.response_bytes(b"Hello", at(4));
        }
        recorder.response_bytes(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n", at(5));
        recorder.close(None, at(6));
        let ended = exchanges(&mut recorder);
        assert_eq!((ended.len(), ended[0].status(), odd(&ended[0]).as_str()), (1, Some(200), "surplus"));
    }
}

#[test]
fn surplus_bytes_beside_which_nothing_is_left_to_say_so_are_an_exchange_of_their_own() {
    let mut recorder = recorder();
    recorder.request_bytes(b"GET / HTTP/1.1\r\n\r\n", at(0));
    recorder.response_bytes(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n", at(1));
    assert_eq!(lines(&mut recorder), ["GET https://mail.contoso.com/ 200 "]);
    recorder.response_bytes(b"more", at(2));
    recorder.close(None, at(3));
    assert_eq!(lines(&mut recorder), ["CONNECT https://mail.contoso.com/ 0 not-understood"]);
}

#[test]
fn a_request_after_the_server_has_closed_says_so() {
    let mut recorder = recorder();
    recorder.request_bytes(b"GET /1 HTTP/1.1\r\n\r\n", at(0));
    recorder.response_bytes(b"HTTP/1.1 204 \r\n\r\n", at(1));
    recorder.server_left(at(2));
    recorder.request_bytes(b"GET /2 HTTP/1.1\r\n\r\n", at(3));
    recorder.close(None, at(4));
    let ended = exchanges(&mut recorder);
    let failure = ended[1].error.as_ref().unwrap();
    assert_eq!((ended.len(), failure.side, failure.kind), (2, Side::Server, FailureKind::ClosedEarly));
    assert!(failure.text.as_str().contains("before this request came"), "{}", failure.text);
}

/// A frame of a WebSocket, shorter than 126 bytes.
fn frame(first: u8, payload: &[u8]) -> Vec<u8> {
    [&[first, payload.len() as u8], payload].concat()
}

const SOCKET: &[u8] = b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: WebSocket\r\nConnection: upgrade\r\n\r\n";

#[test]
fn messages_of_a_websocket_are_parts_of_its_exchange() {
    let mut recorder = recorder();
    recorder.request_bytes(b"GET /signalr HTTP/1.1\r\nUpgrade: websocket\r\n\r\n", at(0));
    recorder.response_bytes(&[SOCKET, &frame(0x81, b"{\"status\":1}")].concat(), at(1));
    recorder.request_bytes(&frame(0x81, b"{\"password\":\"Synth-Pw-1\"}"), at(2));
    let running = recorder.running(at(3)).remove(0);
    assert_eq!(running.response.seen().unwrap().socket.as_ref().unwrap().messages.len(), 2);
    recorder.request_bytes(&frame(0x81, b"words of a person"), at(4));
    recorder.response_bytes(&frame(0x88, b"\x03\xf0token expired"), at(5));
    recorder.close(None, at(6));
    let exchange = exchanges(&mut recorder).remove(0);
    assert_eq!(exchange.error, None);
    let socket = exchange.response.seen().unwrap().socket.as_ref().unwrap();
    let said: Vec<String> = socket
        .messages
        .iter()
        .map(|message| {
            let text = match &message.body.content {
                Content::Text { text, .. } => text.as_str().to_owned(),
                Content::Empty => String::new(),
                Content::Withheld(why) => format!("{why:?}"),
            };
            format!("{} {} {:?} {text}", message.side.code(), message.kind.code(), message.code)
        })
        .collect();
    assert_eq!(said[0], "server text None {\"status\":1}");
    assert!(said[1].starts_with("client text None {\"password\":") && !said[1].contains("Synth"), "{}", said[1]);
    assert_eq!(said[2..], ["client text None Binary", "server close Some(1008) token expired"]);
    assert_eq!((socket.client.messages, socket.server.messages, socket.missing()), (2, 2, 0));
    assert_eq!(socket.messages[3].at, at(5).since(at(0)));
}

#[test]
fn of_endless_messages_the_first_are_kept_and_all_are_counted() {
    let mut recorder = recorder();
    recorder.request_bytes(b"GET /signalr HTTP/1.1\r\nUpgrade: websocket\r\n\r\n", at(0));
    recorder.response_bytes(SOCKET, at(1));
    for _ in 0..1000 {
        recorder.response_bytes(&frame(0x81, b"{}"), at(2));
    }
    recorder.response_bytes(&frame(0xff, b"no frame"), at(3));
    recorder.response_bytes(&frame(0x81, b"{}"), at(3));
    recorder.close(None, at(4));
    let exchange = exchanges(&mut recorder).remove(0);
    let response = exchange.response.seen().unwrap();
    let socket = response.socket.as_ref().unwrap();
    assert_eq!((socket.server.messages, socket.messages.len(), socket.missing()), (1000, 200, 800));
    assert_eq!(socket.lost, Some(Side::Server));
    assert_eq!(response.message.body.length, 4000 + 10 + 4, "all bytes are counted");
}

#[test]
fn a_server_that_goes_away_says_which_requests_it_never_took_up() {
    let h2 = |kind: u8, stream: u8, payload: &[u8]| {
        [&[0, 0, payload.len() as u8, kind, 5, 0, 0, 0, stream], payload].concat()
    };
    let mut recorder = Recorder::http2(setting());
    let preface = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";
    recorder.request_bytes(&[&preface[..], &h2(1, 1, b"\x82\x84\x87"), &h2(1, 3, b"\x82\x84\x87")].concat(), at(0));
    recorder.response_bytes(&[h2(7, 0, &[0, 0, 0, 1, 0, 0, 0, 0]), h2(1, 1, b"\x88")].concat(), at(1));
    recorder.close(None, at(2));
    let ended = exchanges(&mut recorder);
    assert_eq!((ended[0].status(), ended[0].error.clone()), (Some(200), None));
    let failure = ended[1].error.as_ref().unwrap();
    assert_eq!(failure.kind, FailureKind::ClosedEarly);
    assert!(failure.text.as_str().contains("before it took this request up"), "{}", failure.text);
}

#[test]
fn a_websocket_over_http_2_is_one_too() {
    let block = |fields: &[(&str, &str)]| -> Vec<u8> {
        let text = |text: &str| [&[text.len() as u8], text.as_bytes()].concat();
        fields.iter().flat_map(|(name, value)| [vec![0], text(name), text(value)].concat()).collect()
    };
    let h2 =
        |kind: u8, flags: u8, payload: &[u8]| [&[0, 0, payload.len() as u8, kind, flags, 0, 0, 0, 1], payload].concat();
    let asked = block(&[
        (":method", "CONNECT"),
        (":protocol", "websocket"),
        (":scheme", "https"),
        (":path", "/chat"),
        (":authority", "mail.contoso.com"),
    ]);
    let mut recorder = Recorder::http2(setting());
    recorder.request_bytes(&[&b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"[..], &h2(1, 4, &asked)].concat(), at(0));
    recorder.response_bytes(&h2(1, 4, &block(&[(":status", "200")])), at(1));
    recorder.request_bytes(&h2(0, 0, &frame(0x81, b"{\"a\":1}")), at(2));
    recorder.response_bytes(&h2(0, 1, &frame(0x88, b"")), at(3));
    recorder.request_bytes(&h2(0, 1, b""), at(4));
    let exchange = exchanges(&mut recorder).remove(0);
    assert_eq!(exchange.url.as_ref().unwrap().text().as_str(), "https://mail.contoso.com/chat");
    let socket = exchange.response.seen().unwrap().socket.as_ref().unwrap();
    assert_eq!(
        socket.messages.iter().map(|message| message.kind).collect::<Vec<_>>(),
        [SocketKind::Text, SocketKind::Close]
    );
}

#[test]
fn a_long_exchange_is_shown_while_it_runs() {
    let mut recorder = recorder();
    recorder.request_bytes(b"POST /ping HTTP/1.1\r\nContent-Length: 0\r\n\r\n", at(0));
    assert_eq!(recorder.running_since(), Some(at(0)));
    let running = recorder.running(at(1000));
    assert!(running[0].running && running[0].status().is_none());
}
