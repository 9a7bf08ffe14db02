//! The last exchanges, kept whole so that they can be looked at before they are in the session file, or without one.

use std::collections::{HashMap, VecDeque};
use std::sync::Arc;

use crate::exchange::{Exchange, Message};
use crate::redact::Content;

/// How many bytes are kept in all.
const LIMIT: usize = 16 << 20;

/// Whole exchanges, the oldest of which go when room is short.
#[derive(Default)]
pub(super) struct Recent {
    by_id: HashMap<u64, Arc<Exchange>>,
    order: VecDeque<u64>,
    bytes: usize,
}

impl Recent {
    /// Keeps `exchange`, in the place of what was known of it while it was running.
    pub(super) fn keep(&mut self, exchange: Arc<Exchange>) {
        let id = exchange.id;
        self.bytes += weight(&exchange);
        match self.by_id.insert(id, exchange) {
            Some(before) => self.bytes -= weight(&before),
            None => self.order.push_back(id),
        }
        while self.bytes > LIMIT && self.order.len() > 1 {
            let oldest = self.order.pop_front().and_then(|id| self.by_id.remove(&id));
            self.bytes -= oldest.map_or(0, |oldest| weight(&oldest));
        }
    }

    pub(super) fn exchange(&self, id: u64) -> Option<Arc<Exchange>> {
        self.by_id.get(&id).cloned()
    }
}

/// About what an exchange takes: its bodies, and a flat sum for the rest.
fn weight(exchange: &Exchange) -> usize {
    const REST: usize = 4096;
    let body = |message: &Message| match &message.body.content {
        Content::Text { text, .. } => text.as_str().len(),
        Content::Empty | Content::Withheld(_) => 0,
    };
    let response = exchange.response.seen().map(|response| &response.message);
    REST + exchange.request.seen().map_or(0, body) + response.map_or(0, body)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::exchange::{Connection, Seen, Timestamp, Timings, Unseen};

    fn exchange(id: u64, running: bool) -> Arc<Exchange> {
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
            running,
        })
    }

    #[test]
    fn the_oldest_go_when_room_is_short() {
        let mut recent = Recent::default();
        (1..=5000).for_each(|id| recent.keep(exchange(id, false)));
        assert!(recent.exchange(1).is_none() && recent.exchange(5000).is_some());
        assert!(recent.bytes <= LIMIT && recent.order.len() == recent.by_id.len());
    }

    #[test]
    fn an_end_takes_the_place_of_what_was_running() {
        let mut recent = Recent::default();
        recent.keep(exchange(1, true));
        recent.keep(exchange(1, false));
        assert_eq!(recent.exchange(1).map(|exchange| exchange.running), Some(false));
        assert_eq!((recent.order.len(), recent.bytes), (1, weight(&exchange(1, false))));
    }
}
