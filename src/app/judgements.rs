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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::diagnosis::{Actor, Certainty, Evidence, Finding, Kind, Place, Subject, Verdict, rules::RULES};

    fn judged(exchange: u64) -> Judgement {
        let finding = Finding {
            rule: RULES[0],
            kind: Kind::Failure,
            certainty: Certainty::Certain,
            actor: Actor::Network,
            subject: Subject::default(),
            evidence: vec![Evidence { exchange, place: Place::ResponseStatus, text: "401".into() }],
            names: vec![("server", "mail.contoso.com".into())],
            candidates: Vec::new(),
        };
        Judgement { exchange, verdict: Verdict::Failure, findings: vec![finding] }
    }

    #[test]
    fn old_judgements_keep_what_was_found_and_lose_the_evidence() {
        let mut judgements = Judgements::default();
        (1..=WHOLE as u64 + 1).for_each(|exchange| judgements.keep(judged(exchange)));
        let evidence = |exchange| judgements.of(exchange).map(|judgement| judgement.findings[0].evidence.len());
        assert_eq!((evidence(1), evidence(2)), (Some(0), Some(1)));
    }
}
