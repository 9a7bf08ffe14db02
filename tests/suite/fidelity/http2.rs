//! HTTP/2 through the tap: conversations that Python's hpack and hyperframe wrote, which our reader has to read as they
//! were meant, and frames of any kind, which have to arrive as they were sent whatever they are.

use std::net::{TcpListener, TcpStream};
use std::process::Command;
use std::sync::mpsc::channel;
use std::thread;

use authtap::exchange::{Exchange, FailureKind};
use authtap::wire::http2::{Connection, Side, Sight};
use authtap::wire::{Event, Fields};
use proptest::prelude::*;
use proptest::strategy::ValueTree as _;
use proptest::test_runner::TestRunner;
use serde_json::{Value, json};

use super::line::{Ended, Line};
use super::{any_cuts, config, pieces, trusting};
use crate::kit::frames::{PREFACE, frame};
use crate::kit::{Workshop, need_python, saved};

const HOST: &str = "mail.contoso.com";
const COUNT: usize = 200;

#[test]
fn conversations_that_python_wrote_arrive_as_they_were_sent_and_are_read_as_they_were_meant() {
    let Some(python) = need_python() else { return };
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/partners/http2_talks.py");
    let written = Command::new(python).args([script, "20261122", &COUNT.to_string()]).output().unwrap();
    assert!(written.status.success(), "{}", String::from_utf8_lossy(&written.stderr));
    let talks: Vec<Value> =
        String::from_utf8(written.stdout).unwrap().lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(talks.len(), COUNT);
    let bytes: Vec<[Vec<u8>; 2]> =
        talks.iter().map(|talk| ["client", "server"].map(|side| hex(&talk[side]["bytes"]))).collect();

    for (number, (talk, [client, server])) in talks.iter().zip(&bytes).enumerate() {
        let seen = read(client, server, 1 + number * 7);
        for (side, seen) in ["client", "server"].into_iter().zip(seen) {
            assert_eq!(json!(seen), talk[side]["said"], "the {side} of conversation {number}");
        }
    }

    let recorded = pass(&bytes);
    let mut connections = recorded.chunk_by(|one, other| one.connection.id == other.connection.id);
    for (number, talk) in talks.iter().enumerate() {
        let exchanges = connections.next().unwrap_or_else(|| panic!("conversation {number} is missing"));
        let said = |side: &str, what: &str| -> Vec<Value> {
            let all = talk[side]["said"].as_array().unwrap().iter();
            all.filter(|said| said[1] == what).cloned().collect()
        };
        let requests = said("client", "request");
        assert_eq!(exchanges.len(), requests.len(), "conversation {number}");
        for (exchange, request) in exchanges.iter().zip(&requests) {
            let of = |all: Vec<Value>| all.into_iter().find(|said| said[0] == request[0]);
            let what = format!("conversation {number}: {request}");
            assert_eq!(exchange.method.as_ref().unwrap().as_str(), request[2], "{what}");
            let length = |side| of(said(side, "body")).map_or(0, |said| said[2].as_str().unwrap().len() as u64 / 2);
            assert_eq!(exchange.request.seen().unwrap().body.length, length("client"), "{what}");
            match of(said("server", "response")) {
                Some(response) => {
                    assert_eq!(exchange.status().map(u64::from), response[2].as_u64(), "{what}");
                    assert_eq!(exchange.error, None, "{what}");
                    let message = &exchange.response.seen().unwrap().message;
                    assert_eq!(message.fields.len(), response[3].as_array().unwrap().len(), "{what}");
                    assert_eq!(message.body.length, length("server"), "{what}");
                }
                None => assert_eq!(exchange.error.as_ref().unwrap().kind, FailureKind::Reset, "{what}"),
            }
        }
    }
}

#[test]
fn frames_of_any_kind_arrive_as_they_were_sent() {
    let mut runner = TestRunner::new(config());
    let any_frame = (0_u8..12, any::<u8>(), 0_u32..8, prop::collection::vec(any::<u8>(), 0..200));
    let any_frame = any_frame.prop_map(|(kind, flags, stream, payload)| frame(kind, flags, stream, &payload));
    let any_frames = prop::collection::vec(any_frame, 0..20).prop_map(|frames| frames.concat());
    let mut side = || any_frames.new_tree(&mut runner).unwrap().current();
    let bytes: Vec<[Vec<u8>; 2]> = (0..100).map(|_| [[PREFACE, &side()].concat(), side()]).collect();
    pass(&bytes);
}

/// Passes both sides of each of `talks` through a proxy, one connection after the other, and gives what was recorded.
fn pass(talks: &[[Vec<u8>; 2]]) -> Vec<Exchange> {
    let workshop = Workshop::new();
    let mut server = (*workshop.authority.server(&[HOST])).clone();
    server.alpn_protocols = vec![b"h2".to_vec()];
    let server = server.into();
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let proxy = workshop.proxy(&["--resolve", &format!("{HOST}:443={}", listener.local_addr().unwrap())]);
    let mut trust = (*trusting(&proxy.ca)).clone();
    trust.alpn_protocols = vec![b"h2".to_vec()];
    let trust = trust.into();
    let (received, at_server) = channel();
    thread::scope(|scope| {
        scope.spawn(move || {
            for (number, [client, server_bytes]) in talks.iter().enumerate() {
                let mut line = Line::plain(listener.accept().unwrap().0).server(&server);
                let mut bytes = line.read(client.len());
                pieces(&mut line, server_bytes, &any_cuts(number));
                let (rest, ended) = line.end();
                bytes.extend(rest);
                let _ = received.send((bytes, ended));
            }
        });
        for (number, [client, server_bytes]) in talks.iter().enumerate() {
            let mut line = Line::plain(TcpStream::connect(proxy.address).unwrap());
            line.send(format!("CONNECT {HOST}:443 HTTP/1.1\r\n\r\n").as_bytes()).unwrap();
            line.head();
            let mut line = line.client(&trust, HOST);
            pieces(&mut line, client, &any_cuts(number + 1));
            let answer = line.read(server_bytes.len());
            line.half_close();
            let (bytes, ended) = at_server.recv().expect("the server plays its part");
            assert!(answer == *server_bytes, "what the client of conversation {number} received");
            assert!(bytes == *client, "what the server of conversation {number} received");
            assert_eq!(ended, Ended::InOrder, "how conversation {number} ended");
        }
    });
    let session = proxy.session.clone();
    assert_eq!(proxy.stop().code, Some(0));
    saved(&session)
}

/// What our reader makes of both sides, in the words of the one who wrote them.
fn read(client: &[u8], server: &[u8], size: usize) -> [Vec<Value>; 2] {
    let mut connection = Connection::new();
    let mut seen = [Vec::new(), Vec::new()];
    for (side, bytes) in [(Side::Client, client), (Side::Server, server)] {
        for piece in bytes.chunks(size) {
            connection.read(side, piece, &mut |sight| see(&mut seen, &sight));
        }
    }
    assert!(connection.is_idle(), "nothing is left of what is over");
    seen
}

fn see(seen: &mut [Vec<Value>; 2], sight: &Sight<'_>) {
    let (id, side, event) = match sight {
        Sight::Stream { id, side, event } => (*id, *side, event),
        Sight::Lost(side, loss) => panic!("lost {side:?}: {loss}"),
        Sight::GoAway { .. } | Sight::Stalled { .. } => return,
    };
    let seen = &mut seen[usize::from(side == Side::Server)];
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    let pairs = |fields: Fields<'_>| fields.map(|field| [text(field.name), text(field.value)]).collect::<Vec<_>>();
    if let (Event::Body(bytes), Some(last)) = (event, seen.last_mut())
        && last[0] == id
        && last[1] == "body"
    {
        last[2] = json!(last[2].as_str().unwrap().to_owned() + &hexed(bytes));
        return;
    }
    seen.push(match event {
        Event::Request(head) => json!([id, "request", text(head.method), text(head.target), pairs(head.fields)]),
        Event::Interim(head) => json!([id, "interim", head.status, pairs(head.fields)]),
        Event::Response(head) => json!([id, "response", head.status, pairs(head.fields)]),
        Event::Trailers(fields) => json!([id, "trailers", pairs(*fields)]),
        Event::End => json!([id, "end"]),
        Event::Reset(code) => json!([id, "reset", code]),
        Event::Body(bytes) => json!([id, "body", hexed(bytes)]),
        Event::Odd(_) | Event::Upgraded | Event::Lost(_) => panic!("nothing of the kind was written"),
    });
}

fn hexed(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |text, byte| text + &format!("{byte:02x}"))
}

fn hex(text: &Value) -> Vec<u8> {
    let text = text.as_str().unwrap();
    (0..text.len()).step_by(2).map(|at| u8::from_str_radix(&text[at..at + 2], 16).unwrap()).collect()
}
