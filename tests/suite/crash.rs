//! kill -9 at random moments of a capture and of a conversion: the session opens, at most the last second is missing, and
//! no half-written file has the final name.

use std::collections::HashSet;
use std::fs;
use std::io::{BufReader, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::channel;
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use authtap::redact::Redactor;
use authtap::session::{Opening, Reader};

use crate::kit::{Origin, Process, Tunnel, Workshop, read_body, read_head, saved};

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

/// So many captures and so many conversions are killed.
const KILLS: u64 = if cfg!(debug_assertions) { 6 } else { 25 };

#[test]
fn a_capture_killed_at_any_moment_opens() {
    let mut dice = Dice::new();
    let workshop = Workshop::new();
    let origin = Origin::answering(None, |_| b"HTTP/1.1 401 Unauthorized\r\nContent-Length: 2\r\n\r\nno".to_vec());
    for round in 0..KILLS {
        // While the file is being made, between the first rows, and when it has been filled for a while.
        let moment = Duration::from_millis(dice.below(1400));
        let name = format!("killed-{round}.authtap");
        let mut proxy = workshop.proxy_beside(&name, &[]);
        let begun = Instant::now();
        let (address, target) = (proxy.address, origin.address);
        let client = thread::spawn(move || ask_until_gone(address, target));
        while begun.elapsed() < moment {
            proxy.event();
        }
        let killed = Instant::now();
        let session = proxy.kill();
        let answered = client.join().unwrap();
        let kept: HashSet<String> =
            saved(&session).iter().map(|exchange| exchange.url.as_ref().unwrap().path().to_owned()).collect();
        let old = answered.iter().enumerate().filter(|(_, at)| killed.saturating_duration_since(**at) > LAST);
        for (number, _) in old {
            assert!(kept.contains(&format!("/{number}")), "{moment:?}: {number} is missing of {}", answered.len());
        }
    }
}

/// Asks again and again; when each was answered.
fn ask_until_gone(proxy: SocketAddr, origin: SocketAddr) -> Vec<Instant> {
    let mut answered = Vec::new();
    let Ok(stream) = TcpStream::connect(proxy) else { return answered };
    let mut stream = BufReader::new(stream);
    loop {
        let request = format!("GET http://{origin}/{} HTTP/1.1\r\nHost: {origin}\r\n\r\n", answered.len());
        if stream.get_mut().write_all(request.as_bytes()).is_err() {
            return answered;
        }
        let Some(head) = read_head(&mut stream) else { return answered };
        read_body(&mut stream, &head);
        answered.push(Instant::now());
    }
}

#[test]
fn a_conversion_killed_at_any_moment_leaves_all_or_nothing() {
    let mut dice = Dice::new();
    let workshop = Workshop::new();
    let from = workshop.path("many.har");
    fs::write(&from, many()).unwrap();
    let convert = |to: &Path| {
        let mut command = workshop.authtap(&["convert"]);
        Process::start(command.arg(&from).arg(to))
    };
    for form in ["authtap", "har", "saz"] {
        let begun = Instant::now();
        assert!(convert(&workshop.path(&format!("whole.{form}"))).wait().success());
        let whole = u64::try_from(begun.elapsed().as_micros()).unwrap();
        let mut left = 0;
        for round in 0..KILLS.div_ceil(3) {
            let to = workshop.path(&format!("killed-{round}.{form}"));
            let moment = Duration::from_micros(dice.below(whole));
            let mut process = convert(&to);
            // The one thing that is waited for is the moment.
            thread::sleep(moment);
            process.kill();
            if to.exists() {
                assert_eq!(count(&to), MANY, "{form} after {moment:?}");
            } else {
                left += 1;
                // What it left is in nobody's way.
                assert!(left > 1 || convert(&to).wait().success() && count(&to) == MANY, "{form} after {moment:?}");
            }
        }
        assert!(left > 0, "{form}: some were killed before they were done");
    }
}

const MANY: usize = 1500;

fn many() -> String {
    let entry = |number: usize| {
        serde_json::json!({
            "startedDateTime": format!("2026-11-22T10:{:02}:{:02}Z", number / 60 % 60, number % 60), "time": 20,
            "request": {"method": "GET", "url": format!("https://mail.contoso.com/{number}"), "headers": []},
            "response": {"status": 401, "headers": [["WWW-Authenticate", "NTLM"]], "content": {}},
        })
    };
    serde_json::json!({"log": {"entries": (0..MANY).map(entry).collect::<Vec<_>>()}}).to_string()
}

fn count(path: &Path) -> usize {
    let redactor = Redactor::new();
    Reader::open(path, &Opening::quietly(&redactor)).unwrap().exchanges().map(Result::unwrap).count()
}

/// Moments that are others in each run.
struct Dice(u64);

impl Dice {
    fn new() -> Self {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
        Self(now.as_nanos() as u64 | 1)
    }

    /// Below `end`, by xorshift.
    fn below(&mut self, end: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 % end.max(1)
    }
}
