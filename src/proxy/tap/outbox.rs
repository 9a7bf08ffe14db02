//! Where the connections leave their exchanges for the app to fetch.
//!
//! Leaving never waits and wakes nobody: an exchange costs no thread wake-up of its own. The app fetches by timer. The
//! box is bounded; what does not fit is counted, and the count is shown.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use crate::exchange::Exchange;

/// What a connection has to tell.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Event {
    /// An exchange is over; nothing more comes of it.
    Ended(Arc<Exchange>),
    /// An exchange goes on for a while already; this is what there is of it so far.
    Running(Arc<Exchange>),
}

/// A bounded box of events; clones share it.
#[derive(Clone)]
pub struct Outbox {
    shared: Arc<Shared>,
}

struct Shared {
    limit: usize,
    /// Held for the time of one push or one swap.
    waiting: Mutex<Vec<Event>>,
    lost: AtomicU64,
}

impl Outbox {
    /// A box for at most `limit` events between two visits of the app.
    pub fn new(limit: usize) -> Self {
        Self { shared: Arc::new(Shared { limit, waiting: Mutex::default(), lost: AtomicU64::new(0) }) }
    }

    /// Leaves an event. When the box is full, an ended exchange is counted as lost; a running one is passed over,
    /// because its end is still to come.
    pub fn push(&self, event: Event) {
        let mut waiting = self.shared.waiting.lock().unwrap_or_else(PoisonError::into_inner);
        if waiting.len() < self.shared.limit {
            waiting.push(event);
        } else if matches!(event, Event::Ended(_)) {
            self.shared.lost.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// Moves what waits to the end of `into`, in the order in which it was left.
    pub fn drain(&self, into: &mut Vec<Event>) {
        let waiting = std::mem::take(&mut *self.shared.waiting.lock().unwrap_or_else(PoisonError::into_inner));
        into.extend(waiting);
    }

    /// How many ended exchanges did not fit, since the beginning.
    pub fn lost(&self) -> u64 {
        self.shared.lost.load(Ordering::Relaxed)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::exchange::{Connection, Seen, Timestamp, Timings, Unseen};

    fn exchange(id: u64) -> Arc<Exchange> {
        Arc::new(Exchange {
            id,
            started: Timestamp(0),
            connection: Arc::new(Connection::default()),
            method: None,
            url: None,
            request: Seen::Unseen(Unseen::NeverCame),
            response: Seen::Unseen(Unseen::NeverCame),
            error: None,
            timings: Timings::default(),
            running: false,
        })
    }

    fn drained(outbox: &Outbox) -> Vec<(bool, u64)> {
        let mut events = Vec::new();
        outbox.drain(&mut events);
        events
            .iter()
            .map(|event| match event {
                Event::Ended(exchange) => (true, exchange.id),
                Event::Running(exchange) => (false, exchange.id),
            })
            .collect()
    }

    #[test]
    fn what_does_not_fit_is_counted() {
        let outbox = Outbox::new(2);
        for id in 1..=5 {
            outbox.push(Event::Ended(exchange(id)));
        }
        assert_eq!(outbox.lost(), 3);
        assert_eq!(drained(&outbox), [(true, 1), (true, 2)]);
        outbox.push(Event::Ended(exchange(6)));
        assert_eq!((drained(&outbox), outbox.lost()), (vec![(true, 6)], 3));
    }

    #[test]
    fn a_running_row_that_does_not_fit_is_no_loss() {
        let outbox = Outbox::new(1);
        outbox.push(Event::Running(exchange(1)));
        outbox.push(Event::Running(exchange(2)));
        assert_eq!((drained(&outbox), outbox.lost()), (vec![(false, 1)], 0));
    }
}
