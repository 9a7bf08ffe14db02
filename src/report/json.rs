//! The JSON contract: the diagnosis document and the lines of a headless run.
//!
//! Names and order of the fields are what scripts rely on; they change for nobody. What is unknown is null, never left
//! out.

use std::fmt::Display;

use serde::{Serialize, Serializer};

use crate::diagnosis::decode::{Decoded, Row};
use crate::diagnosis::{
    self, Actor, Certainty, Difference, End, Evidence, Finding, Handshake, HandshakeStep, Judgement, Kind, Place,
    Readiness, Verdict,
};
use crate::exchange::{Exchange, Failure, Timestamp};
use crate::redact::Clean;
use crate::text::Language;

use super::layout::fill;
use super::sanitizing::Sanitizing;

/// The name and version of the diagnosis document.
pub const SCHEMA: &str = "authtap/diagnosis/1";

/// One exchange, as it stands in a document and on a line.
#[derive(Clone, Debug, Serialize)]
pub struct Entry {
    /// The exchange's number.
    pub id: u64,
    /// When its request began.
    #[serde(serialize_with = "shown")]
    pub started: Timestamp,
    /// The number of its client connection.
    pub connection: u32,
    /// Nothing only where the request was not seen.
    pub method: Option<Clean>,
    /// Absolute, without a default port.
    pub url: Option<Clean>,
    /// Nothing where no response came.
    pub status: Option<u16>,
    /// What broke.
    pub error: Option<Box<Error>>,
    /// What is said of it as a whole.
    #[serde(serialize_with = "shown")]
    pub verdict: Verdict,
    /// Ids, the answer first.
    pub findings: Box<[&'static str]>,
}

impl Entry {
    /// An exchange with what is said of it.
    pub fn new(exchange: &Exchange, judgement: &Judgement) -> Self {
        Self {
            id: exchange.id,
            started: exchange.started,
            connection: exchange.connection.id,
            method: exchange.method.clone(),
            url: exchange.url.as_ref().map(|url| url.text().clone()),
            status: exchange.status(),
            error: exchange.error.as_ref().map(|failure| Box::new(Error::new(failure))),
            verdict: judgement.verdict,
            findings: ids(judgement),
        }
    }

    /// Takes over what later traffic made of the verdict.
    pub fn revise(&mut self, judgement: &Judgement) {
        self.verdict = judgement.verdict;
        self.findings = ids(judgement);
    }
}

fn ids(judgement: &Judgement) -> Box<[&'static str]> {
    judgement.findings.iter().map(Finding::id).collect()
}

/// A failure of traffic.
#[derive(Clone, Debug, Serialize)]
pub struct Error {
    /// Whose failure it is.
    pub side: &'static str,
    /// What was being done.
    pub step: &'static str,
    /// In words.
    pub text: Clean,
}

impl Error {
    fn new(failure: &Failure) -> Self {
        Self { side: failure.side.code(), step: failure.step.code(), text: failure.text.clone() }
    }
}

/// One line of a headless run.
#[derive(Debug, Serialize)]
#[serde(tag = "event", rename_all = "lowercase")]
pub enum Event<'a> {
    /// Connections are accepted now.
    Listening {
        /// Where.
        address: String,
        /// `forward`, `reverse`, `transparent`, `replay` or `demo`.
        mode: &'static str,
        /// The root certificate's file.
        ca: String,
        /// The session's file; nothing where none is written.
        session: Option<String>,
        /// The proxies through which servers are reached; nothing where there is none.
        upstream_proxy: Option<String>,
    },
    /// An exchange has ended.
    Exchange {
        /// The exchange.
        #[serde(flatten)]
        entry: &'a Entry,
        /// Its findings with their words.
        details: Vec<Detail<'a>>,
    },
    /// Later traffic changed what was said.
    Revised {
        /// The exchange.
        id: u64,
        /// The verdict now.
        #[serde(serialize_with = "shown")]
        verdict: Verdict,
        /// The finding ids now.
        findings: Box<[&'static str]>,
        /// The findings now.
        details: Vec<Detail<'a>>,
    },
    /// The reader of these lines was too slow, and lines had to be left out. The session has all exchanges.
    Skipped {
        /// How many lines.
        lines: u64,
    },
    /// The run is over.
    Closed {
        /// How many exchanges there were.
        exchanges: u64,
        /// How many of them failed in the end.
        failures: u64,
    },
}

impl<'a> Event<'a> {
    /// The line of an exchange that has ended.
    pub fn exchange(entry: &'a Entry, judgement: &'a Judgement, language: Language) -> Self {
        Self::Exchange { entry, details: details(judgement, language) }
    }

    /// The line of a judgement that later traffic changed.
    pub fn revised(judgement: &'a Judgement, language: Language) -> Self {
        Self::Revised {
            id: judgement.exchange,
            verdict: judgement.verdict,
            findings: ids(judgement),
            details: details(judgement, language),
        }
    }

    /// The event as one line, with its line break.
    pub fn line(&self) -> String {
        let mut line = serde_json::to_string(self).unwrap_or_default();
        line.push('\n');
        line
    }
}

/// A finding on the line of its exchange.
#[derive(Debug, Serialize)]
pub struct Detail<'a> {
    id: &'static str,
    #[serde(serialize_with = "shown")]
    kind: Kind,
    #[serde(serialize_with = "shown")]
    certainty: Certainty,
    #[serde(serialize_with = "shown")]
    actor: Actor,
    title: String,
    evidence: Vec<Proof<'a>>,
}

fn details(judgement: &Judgement, language: Language) -> Vec<Detail<'_>> {
    let detail = |finding| Detail {
        id: Finding::id(finding),
        kind: finding.kind,
        certainty: finding.certainty,
        actor: finding.actor,
        title: fill(finding.rule.title, &finding.names, language),
        evidence: finding.evidence.iter().map(Proof::new).collect(),
    };
    judgement.findings.iter().map(detail).collect()
}

/// One piece of evidence.
#[derive(Debug, Serialize)]
pub struct Proof<'a> {
    exchange: u64,
    #[serde(serialize_with = "shown")]
    place: &'a Place,
    text: &'a Clean,
}

impl<'a> Proof<'a> {
    fn new(evidence: &'a Evidence) -> Self {
        Self { exchange: evidence.exchange, place: &evidence.place, text: &evidence.text }
    }
}

/// The diagnosis document.
#[derive(Debug, Serialize)]
pub struct Document<'a> {
    schema: &'static str,
    source: &'a [String],
    exchanges: &'a [Entry],
    findings: Vec<Topic<'a>>,
    handshakes: Vec<Ladder<'a>>,
    readiness: Vec<Offer<'a>>,
}

impl<'a> Document<'a> {
    /// All that is known of `sources`, in `language`.
    pub fn new(known: &Known<'a>, language: Language) -> Self {
        Self {
            schema: SCHEMA,
            source: known.sources,
            exchanges: known.exchanges,
            findings: known.findings.iter().map(|finding| Topic::new(finding, language)).collect(),
            handshakes: known.handshakes.iter().map(Ladder::new).collect(),
            readiness: known
                .readiness
                .iter()
                .zip(Readiness::differences(known.readiness))
                .map(|(row, different)| Offer::new(row, different))
                .collect(),
        }
    }
}

/// What a diagnosis came to.
pub struct Known<'a> {
    /// Names of the files it was made of, without their folders; `-` is standard input.
    pub sources: &'a [String],
    /// By number.
    pub exchanges: &'a [Entry],
    /// Failures first.
    pub findings: &'a [&'a diagnosis::Entry],
    /// In the order in which they began.
    pub handshakes: &'a [Handshake],
    /// In the order in which they were first met.
    pub readiness: &'a [Readiness],
    /// What was taken out of the sources. Documents for programs do not tell it.
    pub sanitizing: &'a Sanitizing,
}

/// A finding with all the exchanges it was made on.
#[derive(Debug, Serialize)]
struct Topic<'a> {
    id: &'static str,
    #[serde(serialize_with = "shown")]
    kind: Kind,
    #[serde(serialize_with = "shown")]
    certainty: Certainty,
    #[serde(serialize_with = "shown")]
    actor: Actor,
    exchanges: Vec<u64>,
    title: String,
    explanation: String,
    remedy: String,
    evidence: Vec<Proof<'a>>,
    candidates: &'a [&'static str],
    sources: &'static [&'static str],
    decoded: Vec<Part<'a>>,
}

impl<'a> Topic<'a> {
    fn new(entry: &'a diagnosis::Entry, language: Language) -> Self {
        let filled = |text| fill(text, &entry.names, language);
        Self {
            id: entry.rule.id,
            kind: entry.kind,
            certainty: entry.certainty,
            actor: entry.actor,
            exchanges: entry.exchanges.iter().copied().collect(),
            title: filled(entry.rule.title),
            explanation: filled(entry.rule.explanation),
            remedy: filled(entry.rule.remedy),
            evidence: entry.evidence.iter().map(Proof::new).collect(),
            candidates: &entry.candidates,
            sources: entry.rule.sources,
            decoded: entry.decoded().into_iter().flat_map(Part::all).collect(),
        }
    }
}

/// A decoded part of a finding's first exchange.
#[derive(Debug, Serialize)]
struct Part<'a> {
    exchange: u64,
    title: &'static str,
    #[serde(serialize_with = "shown")]
    place: &'a Place,
    rows: Vec<Fact<'a>>,
}

#[derive(Debug, Serialize)]
struct Fact<'a> {
    name: &'static str,
    value: &'a Clean,
}

impl<'a> Part<'a> {
    fn all((exchange, parts): (u64, &'a [Decoded])) -> impl Iterator<Item = Self> {
        let fact = |row: &'a Row| Fact { name: row.name, value: &row.value };
        parts.iter().map(move |part| Self {
            exchange,
            title: part.title,
            place: &part.place,
            rows: part.rows.iter().map(fact).collect(),
        })
    }
}

/// A handshake with its steps.
#[derive(Debug, Serialize)]
struct Ladder<'a> {
    server: &'a Clean,
    scheme: &'static str,
    /// Only where it is.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    preemptive: bool,
    steps: Vec<Rung>,
    #[serde(serialize_with = "shown")]
    verdict: Verdict,
}

#[derive(Debug, Serialize)]
struct Rung {
    name: &'static str,
    state: &'static str,
    exchange: Option<u64>,
}

impl<'a> Ladder<'a> {
    fn new(handshake: &'a Handshake) -> Self {
        let rung = |step: &HandshakeStep| Rung { name: step.name, state: step.state.code(), exchange: step.exchange };
        Self {
            server: &handshake.server,
            scheme: handshake.scheme.code(),
            preemptive: handshake.preemptive,
            steps: handshake.steps.iter().map(rung).collect(),
            verdict: handshake.verdict,
        }
    }
}

/// What one endpoint of one server offers.
#[derive(Debug, Serialize)]
struct Offer<'a> {
    endpoint: &'static str,
    server: Clean,
    schemes: &'a [Clean],
    authorization_uri: Option<&'a Clean>,
    realm: Option<&'a Clean>,
    last: Last,
    lacks: Vec<Clean>,
    /// `source` or `destination`, where a tool talked to both ends of a migration.
    #[serde(skip_serializing_if = "Option::is_none")]
    end: Option<&'static str>,
}

#[derive(Debug, Serialize)]
struct Last {
    exchange: u64,
    status: u16,
}

impl<'a> Offer<'a> {
    fn new(readiness: &'a Readiness, different: Difference) -> Self {
        let (exchange, status) = readiness.last;
        Self {
            endpoint: readiness.endpoint,
            server: readiness.name(),
            schemes: &readiness.schemes,
            authorization_uri: readiness.authorization_uri.as_ref(),
            realm: readiness.realm.as_ref(),
            last: Last { exchange, status },
            lacks: different.lacks,
            end: readiness.end.map(End::code),
        }
    }
}

/// Writes what has a word of the contract as that word.
pub(super) fn shown<T: Display, S: Serializer>(value: &T, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_str(value)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::report::sample;

    fn shown(document: &impl Serialize) -> String {
        serde_json::to_string_pretty(document).unwrap()
    }

    #[test]
    fn the_document_has_the_fields_of_the_contract() {
        let exchanges: Vec<_> =
            sample::exchanges().iter().map(|(exchange, judgement)| Entry::new(exchange, judgement)).collect();
        let findings = sample::findings();
        let known = Known {
            sources: &["trace.authtap".to_owned()],
            exchanges: &exchanges,
            findings: &findings.list(),
            handshakes: &sample::handshakes(),
            readiness: &sample::readiness(),
            sanitizing: &sample::sanitizing(),
        };
        insta::assert_snapshot!(shown(&Document::new(&known, Language::En)));
    }

    #[test]
    fn an_event_is_one_line_with_the_fields_of_the_contract() {
        let exchanges = sample::exchanges();
        let (exchange, judgement) = &exchanges[1];
        let mut entry = Entry::new(exchange, judgement);
        let (ca, address) = ("/home/avery/authtap-ca.pem".to_owned(), "127.0.0.1:8080".to_owned());
        let session = Some("/home/avery/a.authtap".to_owned());
        let mut lines = vec![
            Event::Listening { address, mode: "forward", ca, session, upstream_proxy: None }.line(),
            Event::exchange(&entry, judgement, Language::Ja).line(),
            Event::revised(judgement, Language::En).line(),
            Event::Skipped { lines: 7 }.line(),
            Event::Closed { exchanges: 4, failures: 1 }.line(),
        ];
        entry.revise(&exchanges[2].1);
        lines.push(format!("{:?} {:?}\n", entry.verdict, entry.findings));
        assert!(lines.iter().all(|line| line.matches('\n').count() == 1 && line.ends_with('\n')));
        insta::assert_snapshot!(lines.concat());
    }
}
