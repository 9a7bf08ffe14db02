//! What is said of every exchange so far.

use std::collections::HashMap;

use super::pinned::Pinned;
use crate::diagnosis::{Capture, Diagnosis, Judgement, Observed, Verdict};
use crate::exchange::Exchange;

/// The fold with its sum: a verdict an exchange, and how many of them are failures.
pub(super) struct Ledger {
    diagnosis: Diagnosis,
    verdicts: HashMap<u64, Verdict>,
    failures: u64,
    pinned: Pinned,
}

impl Ledger {
    pub(super) fn new(capture: Capture) -> Self {
        Self { diagnosis: Diagnosis::new(capture), verdicts: HashMap::new(), failures: 0, pinned: Pinned::default() }
    }

    /// Takes the next exchange that ended.
    pub(super) fn observe(&mut self, exchange: &Exchange) -> Observed {
        self.pinned.observe(exchange);
        let observed = self.diagnosis.observe(exchange);
        self.note(&observed.judgement);
        for judgement in &observed.revised {
            self.note(judgement);
        }
        observed
    }

    /// Nothing more will come. Gives what changed.
    pub(super) fn finish(&mut self) -> Vec<Judgement> {
        let revised = self.diagnosis.finish();
        for judgement in &revised {
            self.note(judgement);
        }
        revised
    }

    pub(super) fn exchanges(&self) -> u64 {
        self.verdicts.len() as u64
    }

    pub(super) const fn failures(&self) -> u64 {
        self.failures
    }

    /// The hosts whose clients seem to pin their certificates.
    pub(super) const fn pinned(&self) -> &Pinned {
        &self.pinned
    }

    pub(super) fn diagnosis(&self) -> &Diagnosis {
        &self.diagnosis
    }

    fn note(&mut self, judgement: &Judgement) {
        let before = self.verdicts.insert(judgement.exchange, judgement.verdict);
        self.failures += u64::from(judgement.verdict == Verdict::Failure);
        self.failures -= u64::from(before == Some(Verdict::Failure));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn judged(exchange: u64, verdict: Verdict) -> Judgement {
        Judgement { exchange, verdict, findings: Vec::new() }
    }

    #[test]
    fn the_latest_verdict_of_each_exchange_counts() {
        let mut ledger = Ledger::new(Capture::Imported);
        ledger.note(&judged(1, Verdict::Pending));
        ledger.note(&judged(2, Verdict::Failure));
        ledger.note(&judged(1, Verdict::Failure));
        assert_eq!((ledger.exchanges(), ledger.failures()), (2, 2));
        ledger.note(&judged(2, Verdict::Failure));
        ledger.note(&judged(1, Verdict::Step));
        assert_eq!((ledger.exchanges(), ledger.failures()), (2, 1));
    }
}
