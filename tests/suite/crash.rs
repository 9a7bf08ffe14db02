//! kill -9 in the middle of a capture: the session opens, and at most the last second is missing.

use std::collections::HashSet;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::channel;
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{Duration, Instant};

use crate::kit::{Origin, Tunnel, Workshop, saved};

const HOST: &str = "mail.contoso.com";
const CLIENTS: usize = 4;
/// How many requests may be ahead of the stream of events: the load is as high as the capture can follow.
const AHEAD: usize = 64;
const LOAD: Duration = Duration::from_secs(3);
/// What may be missing.
const LAST: Duration = Duration::from_secs(1);

/// With `AUTHTAP_LONG=1` as often as one likes to know before a release.
#[test]
fn at_most_the_last_second_is_missing_after_a_kill() {
    let often = std::env::var_os("AUTHTAP_LONG").is_some();
    for round in 0..if often { 25 } else { 1 } {
        // Somewhere else each time, between one flush and the next.
        kill_after(LOAD.saturating_sub(Duration::from_millis(round * 61)));
    }
}

fn kill_after(load: Duration) {
    let workshop = Workshop::new();
    let origin = Origin::answering(Some(workshop.authority.server(&[HOST])), |_| {
        b"HTTP/1.1 401 Unauthorized\r\nWWW-Authenticate: NTLM\r\nContent-Length: 2\r\n\r\nno".to_vec()
    });
    let mut proxy = workshop.proxy(&["--resolve", &origin.resolve(HOST, 443)]);
    let next = Arc::new(AtomicU64::new(1));
    let answered = Arc::new(Mutex::new(Vec::new()));
    let (permit, permits) = channel();
    let permits = Arc::new(Mutex::new(permits));
    (0..AHEAD).for_each(|_| permit.send(()).unwrap());
    let clients: Vec<_> = (0..CLIENTS)
        .map(|_| {
            let mut tunnel = Tunnel::open(&proxy, HOST);
            let (next, answered, permits) = (Arc::clone(&next), Arc::clone(&answered), Arc::clone(&permits));
            thread::spawn(move || {
                while permits.lock().unwrap().recv().is_ok() {
                    let number = next.fetch_add(1, Ordering::SeqCst);
                    let request = format!("GET /load/{number} HTTP/1.1\r\nHost: {HOST}\r\n\r\n");
                    if !tunnel.try_send(request.as_bytes()) {
                        return;
                    }
                    let Some(head) = tunnel.head() else { return };
                    tunnel.body(&head);
                    answered.lock().unwrap().push((number, Instant::now()));
                }
            })
        })
        .collect();
    let enough = Instant::now() + load;
    while Instant::now() < enough {
        if proxy.event() == "exchange" {
            permit.send(()).unwrap();
        }
    }
    let killed = Instant::now();
    let session = proxy.kill();
    drop(permit);
    for client in clients {
        let _ = client.join();
    }

    let kept = saved(&session);
    let kept: HashSet<&str> = kept.iter().map(|exchange| exchange.url.as_ref().unwrap().path()).collect();
    let old: Vec<u64> = answered
        .lock()
        .unwrap()
        .iter()
        .filter(|(_, at)| killed.saturating_duration_since(*at) > LAST)
        .map(|(number, _)| *number)
        .collect();
    assert!(old.len() > 100, "there was load: {}", old.len());
    let missing: Vec<_> = old.iter().filter(|number| !kept.contains(format!("/load/{number}").as_str())).collect();
    assert!(missing.is_empty(), "{} of {} are missing, the first is {}", missing.len(), old.len(), missing[0]);

    // It opens as any other, and can be gone on with.
    let said = workshop.diagnose(&session);
    assert!(said["exchanges"].as_array().unwrap().len() >= old.len());
    let mut again = workshop.proxy(&["--resolve", &origin.resolve(HOST, 443)]);
    let mut tunnel = Tunnel::open(&again, HOST);
    tunnel.send(format!("GET /again HTTP/1.1\r\nHost: {HOST}\r\n\r\n").as_bytes());
    tunnel.head().unwrap();
    again.exchanges(1);
    again.stop();
    assert!(saved(&session).iter().any(|exchange| exchange.url.as_ref().unwrap().path() == "/again"));
}
