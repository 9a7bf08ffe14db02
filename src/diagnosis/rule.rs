//! The shape of a rule: data, and one function.

use std::fmt;

use super::{Actor, Case, Certainty, Evidence, Gate, Kind, Logon, Subject};
use crate::redact::{Clean, Label};
use crate::text::{Language, Text};

/// One cause, with its words.
///
/// A rule is one file in `rules/`: what it recognises and what it must not be confused with, the rule's data, one
/// function, tests. One line in the `RULES` of its family registers it.
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
    /// Exchanges that it fires on, and near misses that it stays silent on.
    #[cfg(test)]
    pub(crate) examples: &'static [super::rules::kit::Example],
}

/// The source of facts that have no page: they stand in captures that somebody made public.
const PUBLIC_CAPTURE: &str = "public capture";

impl Rule {
    /// Where the facts come from, in words for people: as in [`Rule::sources`], the constant spelled out.
    pub fn sources_in(&self, language: Language) -> impl Iterator<Item = &'static str> {
        let capture = Text { en: "seen in a published capture", ja: "公開されているキャプチャで確認" };
        let words = move |source| if source == PUBLIC_CAPTURE { capture.to(language) } else { source };
        self.sources.iter().copied().map(words)
    }

    /// Whether it is one of those that stand in where no cause is known.
    pub fn is_generic(&self) -> bool {
        self.id.starts_with("generic-")
    }
}

impl fmt::Debug for Rule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Rule").field(&self.id).finish()
    }
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
    /// What in later traffic would decide whether it was right to say so; nothing where this exchange settles it.
    pub next: Option<Next>,
    /// Said only when [`Hit::next`] has come; before that nobody can know.
    pub withheld: bool,
    /// What in later traffic shows that there was nothing to say.
    pub unless: Option<Next>,
    /// What in later traffic makes it certain.
    pub sure_once: Option<Next>,
    /// What later traffic makes of a failure.
    pub later: Vec<(Next, Then)>,
}

/// What later traffic makes of a failure.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Then {
    /// It is as sure as this.
    AsSure(Certainty),
    /// It was something else: what it had superseded stands instead.
    Retracted,
}

/// The client's next move that makes a refusal a step, or takes a failure back.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Next {
    /// Credentials sent to the same place, or an answer there without any.
    Credentials,
    /// The next message of the handshake on the same connection.
    SameConnection,
    /// A request to an issuer of tokens, or a token sent to the same host.
    SignIn,
    /// A request to an issuer of tokens, or a token sent to the same host; no other credentials will do.
    Issuer,
    /// The same, but another token than this one.
    NewToken(Label),
    /// The request again with proxy credentials, or an answer that is no 407.
    Proxy,
    /// The next poll of the same token endpoint.
    Poll,
    /// `Provision` on the same host.
    Provision,
    /// Any request to this host (in lower case).
    Host(Clean),
    /// Another Autodiscover candidate of the same organisation that answers well.
    Candidate,
    /// An Exchange server of an organisation whose Autodiscover tells the same program where its mailbox is.
    OwnServer,
    /// The same credential accepted on the same host: then the failure was none of the credential.
    SameCredential(Label),
    /// A token sent to the same host.
    Token,
    /// A Bearer challenge of the same organisation, from another host, virtual directory or server than this one.
    BearerOffered(Option<Clean>),
    /// Nothing that would have answered it: it was given up, or the capture ended.
    Nothing,
    /// A logon accepted on the same host.
    Logon(Logon),
    /// A request over TLS to the same host, on another connection, by the client with this address.
    Through(Option<Clean>),
}

impl Hit {
    /// A step of a healthy handshake: nobody must act.
    pub fn step() -> Self {
        Self::new(Kind::Step, Certainty::Certain, Actor::Nobody)
    }

    /// A step as far as the answer alone tells: the request was not captured, so it may have carried credentials.
    pub fn likely_step() -> Self {
        Self::new(Kind::Step, Certainty::Likely, Actor::Nobody)
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
        Self {
            kind,
            certainty,
            actor,
            subject: Subject::default(),
            evidence,
            names,
            candidates,
            next: None,
            withheld: false,
            unless: None,
            sure_once: None,
            later: Vec::new(),
        }
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
        if !self.evidence.contains(&evidence) {
            self.evidence.push(evidence);
        }
        self
    }

    /// A name for `{place}` in the rule's words, where there is one.
    #[must_use]
    pub fn naming(mut self, place: &'static str, name: impl Into<Option<Clean>>) -> Self {
        self.names.extend(name.into().map(|name| (place, name)));
        self
    }

    /// What in later traffic decides. A step without it stands by itself.
    #[must_use]
    pub fn until(mut self, next: Next) -> Self {
        self.next = Some(next);
        self
    }

    /// Not said before `next` has come.
    #[must_use]
    pub fn once(self, next: Next) -> Self {
        Self { withheld: true, ..self.until(next) }
    }

    /// Taken back when `next` comes.
    #[must_use]
    pub fn unless(self, next: Next) -> Self {
        Self { unless: Some(next), ..self }
    }

    /// Certain when `next` comes, with the exchange that shows it as further evidence.
    #[must_use]
    pub fn sure_once(self, next: Next) -> Self {
        Self { sure_once: Some(next), ..self }
    }

    /// What later traffic makes of it, where there is something that can.
    #[must_use]
    pub fn later(mut self, next: impl Into<Option<Next>>, then: Then) -> Self {
        self.later.extend(next.into().map(|next| (next, then)));
        self
    }

    /// What else it can be.
    #[must_use]
    pub fn or(mut self, candidate: &'static str) -> Self {
        self.candidates.push(candidate);
        self
    }
}
