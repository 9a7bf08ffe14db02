//! How many clients there may be at a time, and how long one may take to say what it wants.
//!
//! Each connection has a seat, and there are as many as the file limit carries; it is raised as far as the system lets
//! us. When all are taken, whoever has kept us waiting longest for its first words gives up its seat; only where all
//! have said what they want is a new one turned away. What a client and a server do once they are connected is never
//! hurried.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::{Notify, OwnedSemaphorePermit, Semaphore};
use tokio::time::Instant;

use crate::exchange::{Failure, FailureKind, Side, Step};
use crate::proxy::pace::Pace;
use crate::redact::Clean;

/// How long a client may say nothing at all. Browsers open connections ahead and drop them earlier than this.
pub(crate) const SILENCE: Duration = Duration::from_mins(2);
/// How long the first words may take once they have begun.
pub(crate) const FIRST_WORDS: Duration = Duration::from_mins(1);
/// How long a seat that was given up may take to become free.
const LEAVING: Duration = Duration::from_secs(1);
/// Of those that are dismissed so many are recorded at once, and so many a second; the rest is counted.
const RECORDED: (u32, u32) = (1000, 10);
/// Files for all but the connections: the session, the log, name lookups, connections that are being tried.
const RESERVE: u64 = 256;
const MOST: u64 = 100_000;

/// Everybody who is connected.
pub(crate) struct Crowd {
    size: usize,
    seats: Arc<Semaphore>,
    waiting: Mutex<Waiting>,
    records: Mutex<Pace>,
    turned_away: AtomicU64,
    dismissed: AtomicU64,
}

/// Those who have not said what they want, by the order in which they came.
#[derive(Default)]
struct Waiting {
    next: u64,
    clients: BTreeMap<u64, Arc<Notify>>,
}

impl Crowd {
    /// With a seat for every two files, one for each side, that may be open.
    pub(crate) fn new() -> Self {
        let files = file_limit();
        Self::of_size(usize::try_from(seats(files)).unwrap_or(usize::MAX))
    }

    fn of_size(size: usize) -> Self {
        Self {
            size,
            seats: Arc::new(Semaphore::new(size)),
            waiting: Mutex::default(),
            records: Mutex::new(Pace::new(RECORDED.0, RECORDED.1)),
            turned_away: AtomicU64::new(0),
            dismissed: AtomicU64::new(0),
        }
    }

    /// A seat, to be dropped with the connection; nothing where all are taken by clients that are being served.
    pub(crate) async fn seat(&self) -> Option<OwnedSemaphorePermit> {
        if let Ok(seat) = Arc::clone(&self.seats).try_acquire_owned() {
            return Some(seat);
        }
        let longest = self.waiting().clients.pop_first();
        if let Some((_, client)) = longest {
            client.notify_one();
            let seat = tokio::time::timeout(LEAVING, Arc::clone(&self.seats).acquire_owned()).await;
            if let Ok(Ok(seat)) = seat {
                return Some(seat);
            }
        }
        self.turned_away.fetch_add(1, Ordering::Relaxed);
        None
    }

    /// For a client that is to say something.
    pub(crate) fn wait(&self) -> Wait<'_> {
        let called = Arc::new(Notify::new());
        let mut waiting = self.waiting();
        let number = waiting.next;
        waiting.next += 1;
        waiting.clients.insert(number, Arc::clone(&called));
        Wait { crowd: self, number, called, came: Instant::now(), began: None }
    }

    /// Whether what was dismissed or turned away just now is to be recorded.
    pub(crate) fn may_record(&self) -> bool {
        self.records.lock().unwrap_or_else(PoisonError::into_inner).turn(Duration::ZERO).is_some()
    }

    /// How many were turned away because all seats were taken.
    pub(crate) fn turned_away(&self) -> u64 {
        self.turned_away.load(Ordering::Relaxed)
    }

    /// How many took too long to say what they want, or had not yet said it when their seat was needed.
    pub(crate) fn dismissed(&self) -> u64 {
        self.dismissed.load(Ordering::Relaxed)
    }

    /// Why a client was turned away.
    pub(crate) fn full(&self) -> Failure {
        let size = i64::try_from(self.size).unwrap_or(i64::MAX);
        let text = Clean::concat([
            "all ".into(),
            size.into(),
            " connections that the file limit allows are in use; raise it (ulimit -n) and start authtap again".into(),
        ]);
        Failure { side: Side::Proxy, step: Step::Connect, kind: FailureKind::TooMany, text }
    }

    fn waiting(&self) -> MutexGuard<'_, Waiting> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The wait for a client's words. While it lasts, the client can be dismissed.
pub(crate) struct Wait<'a> {
    crowd: &'a Crowd,
    number: u64,
    called: Arc<Notify>,
    came: Instant,
    began: Option<Instant>,
}

impl Wait<'_> {
    /// Returns when the client is to go: when others need the seat, or when it takes too long. `begun`: a part of its
    /// words is there. A client that has not begun may take `silence`, if that is given, since the wait began.
    pub(crate) async fn dismissal(&mut self, begun: bool, silence: Option<Duration>) -> Dismissal {
        if begun && self.began.is_none() {
            self.began = Some(Instant::now());
        }
        let end = self.began.map(|began| began + FIRST_WORDS).or_else(|| silence.map(|silence| self.came + silence));
        let dismissal = tokio::select! {
            () = self.called.notified() => Dismissal::SeatNeeded,
            () = until(end) => if begun { Dismissal::TooSlow } else { Dismissal::Silent },
        };
        self.crowd.dismissed.fetch_add(1, Ordering::Relaxed);
        dismissal
    }
}

impl Drop for Wait<'_> {
    fn drop(&mut self) {
        self.crowd.waiting().clients.remove(&self.number);
    }
}

async fn until(end: Option<Instant>) {
    match end {
        Some(end) => tokio::time::sleep_until(end).await,
        None => std::future::pending().await,
    }
}

/// What a client begins with, and has to come to the end of.
#[derive(Clone, Copy)]
pub(crate) enum FirstWords {
    RequestHead,
    SocksRequest,
    TlsHandshake,
}

/// Why a client has to go before it has said what it wants.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Dismissal {
    /// It said nothing.
    Silent,
    /// It began and did not come to the end.
    TooSlow,
    /// Others came, and it had waited longest.
    SeatNeeded,
}

impl Dismissal {
    /// The same as a failure of the client's, which was to say `words`.
    pub(crate) fn failure(self, words: FirstWords) -> Failure {
        let text = match (self, words) {
            (Self::Silent, _) => "the client connected and said nothing for two minutes",
            (Self::TooSlow, FirstWords::RequestHead) => {
                "the client did not come to the end of its request head within a minute"
            }
            (Self::TooSlow, FirstWords::SocksRequest) => {
                "the client did not come to the end of its SOCKS request within a minute"
            }
            (Self::TooSlow, FirstWords::TlsHandshake) => {
                "the client did not come to the end of its TLS handshake within a minute"
            }
            (Self::SeatNeeded, _) => {
                "the client had not said what it wants when all connections were in use and another client came"
            }
        };
        let kind = if self == Self::SeatNeeded { FailureKind::TooMany } else { FailureKind::TimedOut };
        let step = if matches!(words, FirstWords::TlsHandshake) { Step::Tls } else { Step::Receive };
        Failure { side: Side::Client, step, kind, text: text.into() }
    }
}

/// How many clients can be served with so many files.
fn seats(files: u64) -> u64 {
    (files.saturating_sub(RESERVE.min(files / 4)) / 2).clamp(4, MOST)
}

/// Raises the limit on open files to its hard bound; gives what it is then.
#[cfg(unix)]
fn file_limit() -> u64 {
    use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
    let limit = getrlimit(Resource::Nofile);
    // macOS takes no more than this, whatever it says the bound is.
    let bounds = [limit.maximum, limit.maximum.map(|most| most.min(10_240)), Some(10_240)];
    for bound in bounds {
        if bound.is_none_or(|bound| limit.current.is_some_and(|current| current < bound))
            && setrlimit(Resource::Nofile, Rlimit { current: bound, maximum: limit.maximum }).is_ok()
        {
            break;
        }
    }
    getrlimit(Resource::Nofile).current.unwrap_or(u64::MAX)
}

/// There is no such limit.
#[cfg(not(unix))]
fn file_limit() -> u64 {
    32 * 1024
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests;
