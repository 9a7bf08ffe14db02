//! The session file while it is written: readable by others, complete after a crash, and never in the way of traffic.

use std::fs;
use std::process::Command;
use std::time::Instant;

use authtap::exchange::Exchange;
use authtap::redact::Redactor;
use authtap::session::Session;

use crate::kit::{DEADLINE, Origin, Proxy, Talk, Tunnel, Workshop, saved};

const HOST: &str = "mail.contoso.com";

#[test]
fn a_session_can_be_read_while_it_is_written() {
    let workshop = Workshop::new();
    let origin = Origin::answering(Some(workshop.authority.server(&[HOST])), |_| refusal());
    let mut proxy = workshop.proxy(&["--resolve", &origin.resolve(HOST, 443)]);
    let mut tunnel = Tunnel::open(&proxy, HOST);
    for count in 1..=3 {
        ask(&mut tunnel, "/now");
        proxy.exchanges(count);
        let kept = until(&proxy, |kept| kept.len() == count);
        assert_eq!(kept[count - 1].status(), Some(401));
    }
    let said = workshop.diagnose(&proxy.session);
    assert_eq!(said["exchanges"].as_array().unwrap().len(), 3);
    assert_eq!(proxy.stop().code, Some(0));
}

#[test]
fn a_request_that_still_waits_survives_a_kill() {
    let workshop = Workshop::new();
    let origin = Origin::talking(Some(workshop.authority.server(&[HOST])), |talk: &mut Talk| {
        talk.head();
        // Never answered, as a Ping of half an hour.
        talk.head();
    });
    let proxy = workshop.proxy(&["--resolve", &origin.resolve(HOST, 443)]);
    let mut tunnel = Tunnel::open(&proxy, HOST);
    tunnel.send(
        b"POST /Microsoft-Server-ActiveSync?Cmd=Ping HTTP/1.1\r\nHost: mail.contoso.com\r\nContent-Length: 0\r\n\r\n",
    );
    until(&proxy, |kept| kept.len() == 1);
    let session = proxy.kill();
    let kept = saved(&session);
    assert!(kept[0].running);
    assert_eq!(kept[0].url.as_ref().unwrap().path(), "/Microsoft-Server-ActiveSync");
    assert_eq!(workshop.diagnose(&session)["exchanges"][0]["status"], serde_json::Value::Null);
}

#[test]
fn a_full_disk_stops_the_recording_and_not_the_traffic() {
    let workshop = Workshop::new();
    let origin = Origin::answering(Some(workshop.authority.server(&[HOST])), |_| {
        let body = "word ".repeat(1600);
        let length = body.len();
        format!("HTTP/1.1 503 Busy\r\nContent-Type: text/plain\r\nContent-Length: {length}\r\n\r\n{body}").into_bytes()
    });
    let session = workshop.path("session.authtap");
    // No file may grow beyond 1 MiB, which the system says as it says that a disk is full: by refusing to write.
    let mut command = Command::new("sh");
    command.args(["-c", "trap '' XFSZ; ulimit -f 2048; exec \"$@\"", "sh", env!("CARGO_BIN_EXE_authtap")]);
    command.args(["proxy", "--headless", "--format", "json", "--listen", "127.0.0.1:0"]);
    command.args(["--resolve", &origin.resolve(HOST, 443)]).arg("--save").arg(&session);
    command.arg("--ca-dir").arg(workshop.path("ca")).arg("--upstream-ca").arg(&workshop.authority.pem);
    command.envs(workshop.environment());
    let mut proxy = Proxy::start(&mut command);
    let mut tunnel = Tunnel::open(&proxy, HOST);
    (0..10).for_each(|count| ask(&mut tunnel, &format!("/{count}")));
    until(&proxy, |kept| kept.len() == 10);
    (10..200).for_each(|count| ask(&mut tunnel, &format!("/{count}")));
    assert_eq!(proxy.exchanges(200).len(), 200, "every exchange is said, recorded or not");
    let finished = proxy.stop();
    assert_eq!(finished.code, Some(0), "the capture itself did its work: {}", finished.error());
    assert!(finished.error().contains("session.authtap"), "what is missing is said at the end: {}", finished.error());
    let kept = saved(&session).len();
    assert!((10..200).contains(&kept), "{kept} of 200 are in the file, which opens");
}

#[test]
fn a_data_folder_that_cannot_be_used_does_not_stop_the_traffic() {
    let workshop = Workshop::new();
    let origin = Origin::answering(Some(workshop.authority.server(&[HOST])), |_| refusal());
    fs::write(workshop.path("data"), "no folder").unwrap();
    let mut command = workshop.authtap(&["proxy", "--headless", "--format", "json", "--listen", "127.0.0.1:0"]);
    command.args(["--resolve", &origin.resolve(HOST, 443)]).env("AUTHTAP_DATA_DIR", workshop.path("data"));
    command.arg("--ca-dir").arg(workshop.path("ca")).arg("--upstream-ca").arg(&workshop.authority.pem);
    let mut proxy = Proxy::start(&mut command);
    ask(&mut Tunnel::open(&proxy, HOST), "/now");
    assert_eq!(proxy.exchanges(1)[0]["status"], 401);
    let finished = proxy.stop();
    assert_eq!(finished.code, Some(0), "{}", finished.error());
    let data = workshop.path("data").to_string_lossy().into_owned();
    assert!(finished.error().contains(&data), "{}", finished.error());
}

fn refusal() -> Vec<u8> {
    b"HTTP/1.1 401 Unauthorized\r\nWWW-Authenticate: NTLM\r\nContent-Length: 0\r\n\r\n".to_vec()
}

fn ask(tunnel: &mut Tunnel, path: &str) {
    tunnel.send(format!("GET {path} HTTP/1.1\r\nHost: {HOST}\r\n\r\n").as_bytes());
    let head = tunnel.head().unwrap();
    tunnel.body(&head);
}

/// Reads the session of a running proxy again and again until it is as `wanted`.
fn until(proxy: &Proxy, wanted: impl Fn(&[Exchange]) -> bool) -> Vec<Exchange> {
    let before = Instant::now() + DEADLINE;
    let session = Session::open(&proxy.session, &Redactor::new()).unwrap();
    loop {
        let kept: Vec<Exchange> = session.exchanges().map(Result::unwrap).collect();
        if wanted(&kept) {
            return kept;
        }
        assert!(Instant::now() < before, "the session has {} exchanges", kept.len());
        std::thread::yield_now();
    }
}
