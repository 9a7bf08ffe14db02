//! Findings of many exchanges, grouped as the list "findings" of a diagnosis has them.

use std::collections::{BTreeSet, HashMap};

use super::decode::{Decoded, decoded};
use super::rules::is_of_oauth;
use super::{Actor, Certainty, Evidence, Finding, Judgement, Kind, Rule, Subject};
use crate::exchange::Exchange;
use crate::redact::Clean;

/// Pieces of evidence kept in one entry.
const EVIDENCE: usize = 12;
/// Entries that keep the decoded parts of an exchange.
const DECODED: usize = 500;

/// One finding with all the exchanges it was made on.
#[derive(Clone, Debug)]
pub struct Entry {
    /// Id and words.
    pub rule: &'static Rule,
    /// Step, note or failure.
    pub kind: Kind,
    /// How sure.
    pub certainty: Certainty,
    /// Who must act.
    pub actor: Actor,
    /// What it is about.
    pub subject: Subject,
    /// The exchanges, in order.
    pub exchanges: BTreeSet<u64>,
    /// Why: of the first exchanges.
    pub evidence: Vec<Evidence>,
    /// Names for the places in explanation and remedy.
    pub names: Vec<(&'static str, Clean)>,
    /// What else it can be, likeliest first.
    pub candidates: Vec<&'static str>,
    /// The decoded parts of one of the first exchanges, and which one it is.
    decoded: Option<(u64, Vec<Decoded>)>,
}

impl Entry {
    /// What stands in its first exchange, decoded, and the number of that exchange; nothing where it was not at hand.
    pub fn decoded(&self) -> Option<(u64, &[Decoded])> {
        let (exchange, parts) = self.decoded.as_ref().filter(|(exchange, _)| self.exchanges.contains(exchange))?;
        Some((*exchange, parts))
    }
}

/// Collects judgements; the latest of each exchange counts.
#[derive(Debug, Default)]
pub struct Entries {
    all: Vec<Entry>,
    by_key: HashMap<Key, usize>,
    by_exchange: HashMap<u64, Vec<usize>>,
    decoded: usize,
}

type Key = (&'static str, &'static str, &'static str, &'static str, Subject);

impl Entries {
    /// Takes a judgement in the place of an earlier one of the same exchange; the exchange itself too, where it is at
    /// hand.
    pub fn add(&mut self, judgement: &Judgement, exchange: Option<&Exchange>) {
        for at in self.by_exchange.remove(&judgement.exchange).unwrap_or_default() {
            if let Some(entry) = self.all.get_mut(at) {
                entry.exchanges.remove(&judgement.exchange);
                entry.evidence.retain(|evidence| evidence.exchange != judgement.exchange);
            }
        }
        let places: Vec<usize> =
            judgement.findings.iter().map(|finding| self.place(judgement.exchange, finding)).collect();
        if let Some(exchange) = exchange {
            for at in &places {
                self.decode(*at, exchange);
            }
        }
        if !places.is_empty() {
            self.by_exchange.insert(judgement.exchange, places);
        }
    }

    /// The entries: failures first, then notes, then steps; in each by certainty, then as they came. What an instrument
    /// did to a client that fell back to Windows authentication comes after the OAuth handshakes that failed before.
    pub fn list(&self) -> Vec<&Entry> {
        let mut list: Vec<&Entry> = self.all.iter().filter(|entry| !entry.exchanges.is_empty()).collect();
        let hunted = list.iter().any(|entry| entry.kind == Kind::Failure && is_of_oauth(entry.rule));
        list.sort_by_key(|entry| {
            let kind = match entry.kind {
                Kind::Failure => 0,
                Kind::Note => 1,
                Kind::Step => 2,
            };
            let last = hunted && entry.actor.is_instrument();
            (kind, last, entry.certainty, entry.exchanges.first().copied())
        });
        list
    }

    /// Once an entry: what an exchange says is the same in the others, more or less.
    fn decode(&mut self, at: usize, exchange: &Exchange) {
        let Some(entry) = self.all.get_mut(at).filter(|entry| entry.decoded().is_none()) else { return };
        if entry.decoded.is_none() && self.decoded == DECODED {
            return;
        }
        self.decoded += usize::from(entry.decoded.is_none());
        entry.decoded = Some((exchange.id, decoded(exchange)));
    }

    fn place(&mut self, exchange: u64, finding: &Finding) -> usize {
        let Finding { rule, kind, certainty, actor, subject, .. } = finding;
        let key = (rule.id, kind.code(), certainty.code(), actor.code(), subject.clone());
        let at = *self.by_key.entry(key).or_insert_with(|| {
            self.all.push(Entry {
                rule,
                kind: *kind,
                certainty: *certainty,
                actor: *actor,
                subject: subject.clone(),
                exchanges: BTreeSet::new(),
                evidence: Vec::new(),
                names: finding.names.clone(),
                candidates: finding.candidates.clone(),
                decoded: None,
            });
            self.all.len() - 1
        });
        let entry = &mut self.all[at];
        entry.exchanges.insert(exchange);
        let room = EVIDENCE.saturating_sub(entry.evidence.len());
        entry.evidence.extend(finding.evidence.iter().take(room).cloned());
        at
    }
}
