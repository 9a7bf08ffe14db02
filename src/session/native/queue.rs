//! What waits to be written: bounded in number and in bytes, handed over in batches, counted when it cannot wait.

use std::mem;
use std::path::Path;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use crate::exchange::{Exchange, Message};
use crate::redact::Content;
use crate::session::SessionError;

/// How long the first exchange of a batch waits for others.
const BATCH_AGE: Duration = Duration::from_millis(250);
/// A batch of this many is written at once.
const BATCH_COUNT: usize = 1000;
/// A batch of this many bytes is written at once.
const BATCH_BYTES: usize = 4 << 20;
/// No more than this many wait.
const LIMIT_COUNT: usize = 16 * BATCH_COUNT;
/// No more bytes than this wait.
const LIMIT_BYTES: usize = 32 << 20;
/// How long the one who brings an exchange is held up while there is no room.
const PATIENCE: Duration = Duration::from_millis(200);

/// How the recording stands.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct WriterStatus {
    /// Rows in the file. An exchange that was written while it was still running counts again at its end.
    pub written: u64,
    /// Exchanges that are missing in the file.
    pub lost: u64,
    /// Why the last ones were lost; nothing while all is well again.
    pub problem: Option<SessionError>,
}

/// Between those who bring exchanges and the thread that writes them.
pub(super) struct Queue {
    state: Mutex<State>,
    /// There is something to do for the writing thread.
    work: Condvar,
    /// Something was taken out or settled.
    progress: Condvar,
}

#[derive(Default)]
struct State {
    waiting: Vec<Arc<Exchange>>,
    bytes: usize,
    /// When the oldest that waits came.
    since: Option<Instant>,
    /// Somebody waits for all of it to be written.
    hurry: bool,
    closing: bool,
    /// Nobody takes anything: later exchanges are not waited with.
    stalled: bool,
    /// A batch is being written.
    writing: bool,
    status: WriterStatus,
}

/// What the writing thread is to do.
pub(super) struct Batch {
    /// To be written, in this order.
    pub(super) exchanges: Vec<Arc<Exchange>>,
    /// How many were lost so far.
    pub(super) lost: u64,
    /// Nothing comes after it.
    pub(super) last: bool,
}

impl Queue {
    pub(super) fn new() -> Self {
        Self { state: Mutex::default(), work: Condvar::new(), progress: Condvar::new() }
    }

    /// Adds an exchange, waiting a little for room; after that it counts as lost.
    pub(super) fn append(&self, exchange: Arc<Exchange>, path: &Path) {
        let weight = weight(&exchange);
        let full = |state: &mut State| {
            state.waiting.len() >= LIMIT_COUNT || (state.bytes + weight > LIMIT_BYTES && !state.waiting.is_empty())
        };
        let mut state = self.lock();
        if full(&mut state) && !state.stalled {
            state = self
                .progress
                .wait_timeout_while(state, PATIENCE, |state| full(state))
                .unwrap_or_else(PoisonError::into_inner)
                .0;
        }
        if full(&mut state) || state.closing {
            state.stalled = true;
            state.status.lost += 1;
            state.status.problem.get_or_insert_with(|| SessionError::TooSlow { path: path.to_owned() });
            return;
        }
        state.waiting.push(exchange);
        state.bytes += weight;
        let first = state.since.is_none();
        if first {
            state.since = Some(Instant::now());
        }
        // The thread wakes by itself when the batch is old enough, so an exchange costs no wake-up of its own.
        if first || state.waiting.len() == BATCH_COUNT || state.bytes >= BATCH_BYTES {
            self.work.notify_one();
        }
    }

    /// Waits for the next batch, on the writing thread.
    pub(super) fn take(&self) -> Batch {
        let mut state = self.lock();
        loop {
            let age = state.since.map(|since| since.elapsed());
            let ripe = age.is_some_and(|age| age >= BATCH_AGE);
            let large = state.waiting.len() >= BATCH_COUNT || state.bytes >= BATCH_BYTES;
            if ripe || large || state.closing || (state.hurry && age.is_some()) {
                break;
            }
            state = match age {
                None => self.work.wait(state).unwrap_or_else(PoisonError::into_inner),
                Some(age) => {
                    let left = BATCH_AGE.saturating_sub(age);
                    self.work.wait_timeout(state, left).unwrap_or_else(PoisonError::into_inner).0
                }
            };
        }
        let exchanges = mem::take(&mut state.waiting);
        state.bytes = 0;
        state.since = None;
        state.stalled = false;
        state.writing = true;
        self.progress.notify_all();
        Batch { last: exchanges.is_empty() && state.closing, exchanges, lost: state.status.lost }
    }

    /// Says how a batch ended, on the writing thread.
    pub(super) fn settle(&self, written: usize, lost: usize, problem: Option<SessionError>) {
        let mut state = self.lock();
        state.status.written += written as u64;
        state.status.lost += lost as u64;
        if written > 0 || problem.is_some() {
            state.status.problem = problem;
        }
        state.writing = false;
        self.progress.notify_all();
    }

    /// Waits until everything that was appended before is settled.
    pub(super) fn flush(&self) {
        let mut state = self.lock();
        state.hurry = true;
        self.work.notify_one();
        let busy = |state: &mut State| state.writing || !state.waiting.is_empty();
        state = self.progress.wait_while(state, busy).unwrap_or_else(PoisonError::into_inner);
        state.hurry = false;
    }

    /// Lets the writing thread finish.
    pub(super) fn close(&self) {
        self.lock().closing = true;
        self.work.notify_one();
    }

    /// Nothing can be written at all: everything counts as lost.
    pub(super) fn refuse(&self, problem: SessionError) {
        let mut state = self.lock();
        state.closing = true;
        state.status.problem = Some(problem);
    }

    pub(super) fn status(&self) -> WriterStatus {
        self.lock().status.clone()
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// About how much memory an exchange holds.
fn weight(exchange: &Exchange) -> usize {
    let body = |message: &Message| match &message.body.content {
        Content::Text { text, .. } => text.as_str().len(),
        Content::Empty | Content::Withheld(_) => 0,
    };
    let request = exchange.request.seen().map_or(0, body);
    let response = exchange.response.seen().map_or(0, |response| body(&response.message));
    2048 + request + response
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::redact::Redactor;
    use crate::session::native::tests::made;

    fn append(queue: &Queue, count: usize) {
        let exchange = Arc::new(made::exchange(&Redactor::new(), 1, 0));
        for _ in 0..count {
            queue.append(Arc::clone(&exchange), Path::new("a.authtap"));
        }
    }

    #[test]
    fn what_finds_no_room_is_held_up_once_and_counted() {
        let queue = Queue::new();
        let fits = LIMIT_COUNT.min(LIMIT_BYTES / 2048);
        append(&queue, fits);
        let began = Instant::now();
        append(&queue, 500);
        assert!(began.elapsed() >= PATIENCE && began.elapsed() < 10 * PATIENCE, "{:?}", began.elapsed());
        let status = queue.status();
        assert_eq!((status.written, status.lost), (0, 500));
        assert_eq!(status.problem, Some(SessionError::TooSlow { path: "a.authtap".into() }));
        let batch = queue.take();
        assert_eq!((batch.exchanges.len(), batch.lost, batch.last), (fits, 500, false));
        queue.settle(fits, 0, None);
        append(&queue, 1);
        assert_eq!(queue.status(), WriterStatus { written: fits as u64, lost: 500, problem: None });
    }

    #[test]
    fn a_closed_queue_gives_what_is_left_and_then_the_end() {
        let queue = Queue::new();
        append(&queue, 2);
        queue.close();
        let batch = queue.take();
        assert_eq!((batch.exchanges.len(), batch.last), (2, false));
        queue.settle(2, 0, None);
        assert!(queue.take().last);
        append(&queue, 1);
        assert_eq!(queue.status().lost, 1, "too late");
    }
}
