//! The shape of a rule: data, and one function.

use super::{Actor, Case, Certainty, Evidence, Kind, Subject};
use crate::redact::Clean;
use crate::text::Text;

/// One cause, with its words.
///
/// A rule is one file in `rules/`: what it recognises and what it must not be confused with, the rule's data, one
/// function, tests. One line in [`super::rules::RULES`] registers it.
#[derive(Debug)]
pub struct Rule {
    /// Kebab-case, stable, equal to the file's name with dashes; it names the problem.
    pub id: &'static str,
    /// One line.
    pub title: Text,
    /// What it means and why it happens.
    pub explanation: Text,
    /// What to do, with commands that can be pasted; `{names}` are filled from the traffic.
    pub remedy: Text,
    /// Where the facts come from: a page, an RFC or MS- section, or `public capture`.
    pub sources: &'static [&'static str],
    /// The kinds its findings may take.
    pub kinds: &'static [Kind],
    /// The certainties its findings may take.
    pub certainties: &'static [Certainty],
    /// The actors its findings may take.
    pub actors: &'static [Actor],
    /// Which exchanges it is asked about.
    pub gate: Gate,
    /// Ids of more general rules that this one makes superfluous on the same exchange.
    pub supersedes: &'static [&'static str],
    /// The rule itself.
    pub find: fn(&Case<'_>) -> Option<Hit>,
}

/// Which exchanges a rule is asked about: a cheap test before the rule runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Gate {
    /// Those answered with one of these statuses.
    Status(&'static [u16]),
    /// Those that failed without a response, or whose response was cut.
    Failed,
    /// Tunnels that were not looked into.
    Tunnel,
    /// All.
    Any,
}

/// What a rule says of a case; the rule's own data is added to it.
#[derive(Clone, Debug)]
pub struct Hit {
    /// Step, note or failure.
    pub kind: Kind,
    /// How sure.
    pub certainty: Certainty,
    /// Who must act.
    pub actor: Actor,
    /// What it is about.
    pub subject: Subject,
    /// Why. Never empty.
    pub evidence: Vec<Evidence>,
    /// Names for the places in the rule's words.
    pub names: Vec<(&'static str, Clean)>,
    /// What else it can be, likeliest first.
    pub candidates: Vec<&'static str>,
}

impl Hit {
    /// A step of a healthy handshake: nobody must act.
    pub fn step() -> Self {
        Self::new(Kind::Step, Certainty::Certain, Actor::Nobody)
    }

    /// Worth knowing.
    pub fn note(certainty: Certainty, actor: Actor) -> Self {
        Self::new(Kind::Note, certainty, actor)
    }

    /// Something is wrong, and `actor` can mend it.
    pub fn failure(certainty: Certainty, actor: Actor) -> Self {
        Self::new(Kind::Failure, certainty, actor)
    }

    fn new(kind: Kind, certainty: Certainty, actor: Actor) -> Self {
        let (evidence, names, candidates) = (Vec::new(), Vec::new(), Vec::new());
        Self { kind, certainty, actor, subject: Subject::default(), evidence, names, candidates }
    }

    /// What it is about: [`Case::on_server`], [`Case::on_directory`], [`Case::on_user`].
    #[must_use]
    pub fn on(mut self, subject: Subject) -> Self {
        self.subject = subject;
        self
    }

    /// Why; the most telling evidence first.
    #[must_use]
    pub fn because(mut self, evidence: Evidence) -> Self {
        self.evidence.push(evidence);
        self
    }

    /// A name for `{place}` in the rule's words, where there is one.
    #[must_use]
    pub fn naming(mut self, place: &'static str, name: impl Into<Option<Clean>>) -> Self {
        self.names.extend(name.into().map(|name| (place, name)));
        self
    }

    /// What else it can be.
    #[must_use]
    pub fn or(mut self, candidate: &'static str) -> Self {
        self.candidates.push(candidate);
        self
    }
}
