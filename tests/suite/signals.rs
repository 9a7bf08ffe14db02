//! Asked to end, the proxy lets what goes on finish, but not for long; asked again, it ends at once.

use std::io::Read as _;
use std::sync::mpsc::{Receiver, channel};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use crate::kit::{Origin, Proxy, Talk, Tunnel, Workshop, saved};

const HOST: &str = "mail.contoso.com";
/// How long a drain may take, and what starting and stopping may take beyond it on a busy machine.
const DRAIN: Duration = Duration::from_secs(3);
const SLACK: Duration = Duration::from_secs(3);

#[test]
fn what_goes_on_may_finish() {
    let workshop = Workshop::new();
    let stage = Stage::new(&workshop);
    let (proxy, mut tunnel) = stage.waiting(&workshop);
    proxy.signal("INT");
    stage.answer.send(()).unwrap();
    assert!(tunnel.head().unwrap().starts_with(b"HTTP/1.1 204"));
    let session = proxy.session.clone();
    let finished = proxy.finished();
    assert_eq!(finished.code, Some(0), "{}", finished.error());
    assert_eq!(finished.events.last().unwrap()["event"], "closed");
    assert_eq!(saved(&session)[0].status(), Some(204));
}

#[test]
fn what_does_not_finish_is_cut_and_recorded_so() {
    let workshop = Workshop::new();
    let stage = Stage::new(&workshop);
    let (proxy, _tunnel) = stage.waiting(&workshop);
    let begun = Instant::now();
    proxy.signal("TERM");
    let session = proxy.session.clone();
    let finished = proxy.finished();
    assert!(begun.elapsed() < DRAIN + SLACK, "{:?}", begun.elapsed());
    assert_eq!(finished.code, Some(0), "{}", finished.error());
    assert_eq!(finished.exchanges()[0]["error"]["side"], "proxy", "{:?}", finished.events);
    let exchange = saved(&session).remove(0);
    assert_eq!(exchange.error.unwrap().kind, authtap::exchange::FailureKind::CutByUs);
}

/// Enough to be redacted off the connection's task.
const BODY: usize = 250 * 1024;

#[test]
fn what_has_just_ended_is_recorded() {
    let workshop = Workshop::new();
    let origin = Origin::talking(Some(workshop.authority.server(&[HOST])), |talk: &mut Talk| {
        talk.head();
        talk.reader().read_exact(&mut vec![0; BODY]).unwrap();
        talk.send(b"HTTP/1.1 413 Content Too Large\r\nConnection: close\r\nContent-Length: 0\r\n\r\n");
        talk.hang_up();
    });
    for _ in 0..5 {
        let proxy = workshop.proxy(&["--resolve", &origin.resolve(HOST, 443)]);
        let mut tunnel = Tunnel::open(&proxy, HOST);
        tunnel.send(b"PUT /upload HTTP/1.1\r\nHost: mail.contoso.com\r\nContent-Length: 900000\r\n");
        tunnel.send(b"Content-Type: text/plain\r\n\r\n");
        tunnel.send(&vec![b'a'; BODY]);
        assert!(tunnel.head().unwrap().starts_with(b"HTTP/1.1 413"));
        drop(tunnel);
        proxy.signal("TERM");
        let finished = proxy.finished();
        assert_eq!(finished.exchanges().len(), 1, "{:?}", finished.events);
        assert_eq!(finished.exchanges()[0]["status"], 413);
    }
}

#[test]
fn a_second_signal_ends_at_once() {
    let workshop = Workshop::new();
    let stage = Stage::new(&workshop);
    let (proxy, _tunnel) = stage.waiting(&workshop);
    let begun = Instant::now();
    // Two of one kind that come together are one to the system.
    proxy.signal("TERM");
    proxy.signal("INT");
    let session = proxy.session.clone();
    assert_eq!(proxy.finished().code, Some(130));
    assert!(begun.elapsed() < DRAIN, "{:?}", begun.elapsed());
    // Whether the request is in it depends on how long it had lasted; that it opens does not.
    saved(&session);
}

/// A server that takes a request and answers when it is told to.
struct Stage {
    origin: Origin,
    asked: Receiver<()>,
    answer: std::sync::mpsc::Sender<()>,
}

impl Stage {
    fn new(workshop: &Workshop) -> Self {
        let (asking, asked) = channel();
        let (answer, answers) = channel();
        let parts = Arc::new(Mutex::new((asking, answers)));
        let origin = Origin::talking(Some(workshop.authority.server(&[HOST])), move |talk: &mut Talk| {
            talk.head();
            let parts = parts.lock().unwrap();
            let _ = parts.0.send(());
            if parts.1.recv().is_ok() {
                talk.send(b"HTTP/1.1 204 No Content\r\n\r\n");
                talk.head();
            }
        });
        Self { origin, asked, answer }
    }

    /// A proxy with one request that waits for its answer.
    fn waiting(&self, workshop: &Workshop) -> (Proxy, Tunnel) {
        let proxy = workshop.proxy(&["--resolve", &self.origin.resolve(HOST, 443)]);
        let mut tunnel = Tunnel::open(&proxy, HOST);
        tunnel.send(format!("GET /slow HTTP/1.1\r\nHost: {HOST}\r\n\r\n").as_bytes());
        self.asked.recv_timeout(crate::kit::DEADLINE).unwrap();
        (proxy, tunnel)
    }
}
