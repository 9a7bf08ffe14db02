//! What was said of each exchange, kept for looking at it.

use std::collections::{HashMap, VecDeque};

use crate::diagnosis::Judgement;

/// How many judgements with findings are kept whole. Older ones lose evidence and names, and keep what was found.
const WHOLE: usize = 20_000;

/// The latest judgement of every exchange.
#[derive(Default)]
pub(super) struct Judgements {
    by_exchange: HashMap<u64, Judgement>,
    whole: VecDeque<u64>,
}

impl Judgements {
    pub(super) fn keep(&mut self, judgement: Judgement) {
        if !judgement.findings.is_empty() {
            self.whole.push_back(judgement.exchange);
        }
        self.by_exchange.insert(judgement.exchange, judgement);
        if self.whole.len() > WHOLE {
            let oldest = self.whole.pop_front().and_then(|id| self.by_exchange.get_mut(&id));
            for finding in oldest.into_iter().flat_map(|judgement| &mut judgement.findings) {
                finding.evidence = Vec::new();
                finding.names = Vec::new();
            }
        }
    }

    pub(super) fn of(&self, exchange: u64) -> Option<Judgement> {
        self.by_exchange.get(&exchange).cloned()
    }
}
