//! What was said of each exchange, kept for looking at it.

use std::collections::{HashMap, VecDeque};

use crate::diagnosis::{Actor, Certainty, Finding, Judgement, Kind, Rule, Subject, Verdict};

/// How many judgements with findings are kept whole. Older ones keep what was found and lose the rest.
const WHOLE: usize = 20_000;

/// The latest judgement of every exchange.
///
/// Of most there is nothing to say: those take a bit each.
#[derive(Default)]
pub(super) struct Judgements {
    /// What is said of those of which anything is.
    telling: HashMap<u64, Kept>,
    /// The others, as bits of 64 numbers each.
    fine: HashMap<u64, u64>,
    whole: VecDeque<u64>,
}

enum Kept {
    Whole(Box<Judgement>),
    Bare(Verdict, Box<[Bare]>),
}

/// A finding without its evidence and names, that is about a fifth of it.
struct Bare {
    rule: &'static Rule,
    kind: Kind,
    certainty: Certainty,
    actor: Actor,
}

impl Judgements {
    pub(super) fn keep(&mut self, judgement: Judgement) {
        let id = judgement.exchange;
        let is_fine = judgement.verdict == Verdict::Ok && judgement.findings.is_empty();
        let bits = self.fine.entry(id / 64).or_default();
        if is_fine {
            *bits |= 1 << (id % 64);
            self.telling.remove(&id);
            return;
        }
        *bits &= !(1 << (id % 64));
        if !judgement.findings.is_empty() {
            self.whole.push_back(id);
        }
        self.telling.insert(id, Kept::Whole(Box::new(judgement)));
        if self.whole.len() > WHOLE
            && let Some(oldest) = self.whole.pop_front().and_then(|id| self.telling.get_mut(&id))
        {
            oldest.strip();
        }
    }

    pub(super) fn of(&self, exchange: u64) -> Option<Judgement> {
        let is_fine = self.fine.get(&(exchange / 64)).is_some_and(|bits| bits & 1 << (exchange % 64) != 0);
        if is_fine {
            return Some(Judgement { exchange, verdict: Verdict::Ok, findings: Vec::new() });
        }
        Some(match self.telling.get(&exchange)? {
            Kept::Whole(judgement) => (**judgement).clone(),
            Kept::Bare(verdict, findings) => {
                Judgement { exchange, verdict: *verdict, findings: findings.iter().map(Bare::finding).collect() }
            }
        })
    }
}

impl Kept {
    fn strip(&mut self) {
        if let Self::Whole(judgement) = self {
            *self = Self::Bare(judgement.verdict, judgement.findings.iter().map(Bare::of).collect());
        }
    }
}

impl Bare {
    const fn of(finding: &Finding) -> Self {
        let Finding { rule, kind, certainty, actor, .. } = finding;
        Self { rule, kind: *kind, certainty: *certainty, actor: *actor }
    }

    fn finding(&self) -> Finding {
        Finding {
            rule: self.rule,
            kind: self.kind,
            certainty: self.certainty,
            actor: self.actor,
            subject: Subject::default(),
            evidence: Vec::new(),
            names: Vec::new(),
            candidates: Vec::new(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::diagnosis::{Evidence, Place, rules::RULES};

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

    #[test]
    fn what_was_fine_may_be_revised_and_back() {
        let mut judgements = Judgements::default();
        let fine = |exchange| Judgement { exchange, verdict: Verdict::Ok, findings: Vec::new() };
        let said = |judgements: &Judgements, id| judgements.of(id).map(|found| (found.verdict, found.findings.len()));
        judgements.keep(fine(63));
        assert_eq!((said(&judgements, 63), said(&judgements, 64)), (Some((Verdict::Ok, 0)), None));
        judgements.keep(judged(63));
        assert_eq!(said(&judgements, 63), Some((Verdict::Failure, 1)));
        judgements.keep(fine(63));
        assert_eq!(said(&judgements, 63), Some((Verdict::Ok, 0)));
        assert!(judgements.telling.is_empty());
    }
}
