//! The order in which exchanges ended.
//!
//! A HAR lists exchanges as they began; a diagnosis follows them as they ended, which is how a live capture sees them: a
//! notification that hangs for minutes must not stand before the token that was fetched meanwhile. On one connection of
//! HTTP/1 nothing overtakes, whatever the times say: the legs of a handshake stay in their order.

use std::collections::BTreeMap;

use crate::exchange::{Exchange, Timestamp};

/// Exchanges that have begun and not yet ended, at the time up to which the file was read.
#[derive(Default)]
pub(super) struct Order {
    /// By end, then by number.
    waiting: BTreeMap<(Timestamp, u64), Exchange>,
    now: Timestamp,
}

/// How many exchanges wait at most for those that began later.
const WAITING: usize = 512;

impl Order {
    /// Takes the next exchange of the file, which ended at `ended`.
    pub(super) fn push(&mut self, exchange: Exchange, ended: Timestamp) {
        self.now = exchange.started;
        let same = |other: &Exchange| other.connection.id == exchange.connection.id && !is_multiplexed(other);
        let before: Vec<_> = self.waiting.iter().filter(|(_, other)| same(other)).map(|(place, _)| *place).collect();
        for place in before {
            if let Some(waiting) = self.waiting.remove(&place) {
                self.waiting.insert((place.0.min(self.now), place.1), waiting);
            }
        }
        self.waiting.insert((ended.max(exchange.started), exchange.id), exchange);
    }

    /// The next one that ended before anything that can still come began; with `all`, the next one.
    pub(super) fn pop(&mut self, all: bool) -> Option<Exchange> {
        let ((ended, _), _) = self.waiting.first_key_value()?;
        let over = all || *ended <= self.now || self.waiting.len() > WAITING;
        over.then(|| self.waiting.pop_first()).flatten().map(|(_, exchange)| exchange)
    }
}

/// Whether several exchanges may be under way on the connection at a time.
fn is_multiplexed(exchange: &Exchange) -> bool {
    exchange.request.seen().is_some_and(|message| matches!(message.version.as_str(), "HTTP/2" | "HTTP/3"))
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::exchange::{Connection, Seen, Timings, Unseen};

    fn exchange(id: u64, connection: u32, started: i64) -> Exchange {
        Exchange {
            id,
            started: Timestamp(started),
            connection: Arc::new(Connection { id: connection, ..Connection::default() }),
            method: None,
            url: None,
            request: Seen::Unseen(Unseen::NotInSource),
            response: Seen::Unseen(Unseen::NotInSource),
            error: None,
            timings: Timings::default(),
            running: false,
        }
    }

    /// Numbers in the order in which they come out; each is (connection, start, end).
    fn order(entries: &[(u32, i64, i64)]) -> Vec<u64> {
        let (mut order, mut out) = (Order::default(), Vec::new());
        for (id, (connection, started, ended)) in (1..).zip(entries) {
            order.push(exchange(id, *connection, *started), Timestamp(*ended));
            out.extend(std::iter::from_fn(|| order.pop(false)).map(|exchange| exchange.id));
        }
        out.extend(std::iter::from_fn(|| order.pop(true)).map(|exchange| exchange.id));
        out
    }

    #[test]
    fn exchanges_come_out_as_they_ended() {
        assert_eq!(order(&[(1, 0, 5), (1, 6, 7)]), [1, 2]);
        assert_eq!(order(&[(1, 0, 90), (2, 10, 20), (3, 30, 95)]), [2, 1, 3]);
        assert_eq!(order(&[(1, 0, 0), (2, 0, 0), (3, 0, 0)]), [1, 2, 3]);
    }

    #[test]
    fn on_one_connection_nothing_overtakes() {
        assert_eq!(order(&[(1, 0, 1000), (1, 400, 500), (1, 800, 900)]), [1, 2, 3]);
    }

    #[test]
    fn only_so_many_wait() {
        let entries: Vec<_> = (0..10_000).map(|at| (u32::try_from(at).unwrap_or(0), at, 1_000_000)).collect();
        let mut waiting = Order::default();
        for (id, (connection, started, ended)) in (1..).zip(&entries) {
            waiting.push(exchange(id, *connection, *started), Timestamp(*ended));
            while waiting.pop(false).is_some() {}
            assert!(waiting.waiting.len() <= WAITING);
        }
    }
}
