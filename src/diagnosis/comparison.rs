//! Two sessions side by side: where the bad one leaves the way of the good one.
//!
//! Exchanges are paired by what the client did: the endpoint it asked, and the form in which it authenticated. What is
//! compared of a pair are the decoded facts, without what differs in any two runs: times, request ids, labels,
//! pseudonyms, the host's own name. The first pair that differs in what matters for authentication is the answer.

mod sentence;

use std::collections::HashMap;

use super::decode::{self, Decoded};
use super::readiness;
use super::{Capture, Case, Judgement, Past, Place, Sent, Verdict};
use crate::exchange::Exchange;
use crate::redact::{Clean, Credential, NtlmMessage, Token};

/// How many moments of a session are compared; repetitions count as one.
const MOMENTS: usize = 1_500;

/// What is compared of one exchange.
#[derive(Clone, Debug)]
pub struct Moment {
    /// The exchange's number.
    pub exchange: u64,
    /// `ews`, `mapi`, `sign-in`; another host by its name.
    pub endpoint: Clean,
    /// What the client did, in words of the handshake: `probe`, `empty-bearer`, `token`, `negotiate`, `authenticate`,
    /// `sign-in`, `tunnel`.
    pub step: &'static str,
    /// The server that answered, where it says so.
    pub server: Option<Clean>,
    /// What is said of it.
    pub verdict: Verdict,
    /// The finding that explains it best.
    pub answer: Option<&'static str>,
    /// The final status, where there was an answer.
    pub status: Option<u16>,
    host: String,
    facts: Vec<Fact>,
}

#[derive(Clone, Debug)]
struct Fact {
    place: Place,
    part: &'static str,
    name: &'static str,
    value: Clean,
}

/// One session, as far as it is compared.
#[derive(Debug, Default)]
pub struct Course {
    moments: Vec<Moment>,
    /// Where the moment of an exchange stands, for verdicts that come later.
    places: HashMap<u64, usize>,
    /// How many exchanges there were.
    pub exchanges: u64,
    /// Whether some came after the last one that is compared.
    pub cut: bool,
}

impl Course {
    /// Takes the next exchange that ended. One that repeats the one before it at its endpoint adds nothing.
    pub fn add(&mut self, exchange: &Exchange, judgement: &Judgement) {
        self.exchanges += 1;
        if self.moments.len() >= MOMENTS {
            self.cut = true;
            return;
        }
        let moment = Moment::new(exchange, judgement);
        let last = self.moments.iter().rev().take(32).find(|earlier| earlier.endpoint == moment.endpoint);
        if last.is_none_or(|last| last.step != moment.step || last.differs(&moment)) {
            self.places.insert(exchange.id, self.moments.len());
            self.moments.push(moment);
        }
    }

    /// Takes over what later traffic made of a verdict.
    pub fn revise(&mut self, judgement: &Judgement) {
        let place = self.places.get(&judgement.exchange).copied();
        if let Some(moment) = place.and_then(|place| self.moments.get_mut(place)) {
            moment.verdict = judgement.verdict;
            moment.answer = judgement.findings.first().map(super::Finding::id);
        }
    }

    /// How many of the exchanges compared failed.
    pub fn failures(&self) -> usize {
        self.moments.iter().filter(|moment| moment.verdict == Verdict::Failure).count()
    }
}

impl Moment {
    fn new(exchange: &Exchange, judgement: &Judgement) -> Self {
        let past = Past::default();
        let case = Case::new(exchange, &past, Capture::Imported);
        let endpoint = if case.is_sign_in() {
            "sign-in".into()
        } else {
            readiness::endpoint(&case).map_or_else(|| case.host_name().unwrap_or("?".into()), Clean::from)
        };
        let mut facts: Vec<_> = decode::decoded(exchange).into_iter().flat_map(facts_of).collect();
        if let Some(status) = exchange.status() {
            facts.push(Fact { place: Place::ResponseStatus, part: "", name: "status", value: status.into() });
        }
        if let Some(error) = &exchange.error {
            let value = Clean::from(error.kind.code());
            facts.push(Fact { place: Place::ConnectionServer, part: "", name: "error", value });
        }
        Self {
            exchange: exchange.id,
            endpoint,
            step: step(&case),
            server: case.server_name().filter(|name| name.as_str() != case.host()),
            verdict: judgement.verdict,
            answer: judgement.findings.first().map(super::Finding::id),
            status: exchange.status(),
            host: case.host().to_owned(),
            facts,
        }
    }

    /// Whether it says anything else than `other`.
    fn differs(&self, other: &Self) -> bool {
        !self.ends_like(other) || !differences(self, other).is_empty()
    }

    fn ends_like(&self, other: &Self) -> bool {
        self.verdict == other.verdict && self.answer == other.answer
    }

    fn value(&self, fact: &Fact) -> String {
        plain(fact.value.as_str(), &self.host)
    }
}

fn facts_of(part: Decoded) -> impl Iterator<Item = Fact> {
    let (place, title) = (part.place, part.title);
    part.rows.into_iter().filter(|row| !VOLATILE.contains(&row.name)).map(move |row| Fact {
        place: place.clone(),
        part: title,
        name: row.name,
        value: row.value,
    })
}

/// Facts that differ in any two runs.
const VOLATILE: &[&str] = &[
    "server's clock",
    "label",
    "kid",
    "exp",
    "iat",
    "nbf",
    "began",
    "ends",
    "request-id",
    "client-request-id",
    "correlation id",
    "trace id",
    "Timestamp",
    "timestamp",
    "notBefore",
    "notAfter",
    "MIC",
    "session",
    "ServerTime",
];

/// Parts in which two runs may differ without harm: shown after the others.
const CIRCUMSTANCES: &[&str] = &["Exchange", "TLS with the client", "TLS with the server"];

/// What the client did.
fn step(case: &Case<'_>) -> &'static str {
    if case.method().eq_ignore_ascii_case("CONNECT") {
        return "tunnel";
    }
    if case.is_sign_in() {
        return "sign-in";
    }
    match case.authorization() {
        Sent::Unseen => "unseen",
        Sent::Absent => "probe",
        Sent::Credential(Credential::Empty | Credential::Bearer(Token::Empty)) => "empty-bearer",
        Sent::Credential(Credential::Bearer(_)) => "token",
        Sent::Credential(_) if matches!(case.ntlm(), Some(NtlmMessage::Negotiate { .. })) => "negotiate",
        Sent::Credential(_) => "authenticate",
    }
}

/// A value without what differs in any two runs: numbers of labels and pseudonyms, and the host's own name.
fn plain(value: &str, host: &str) -> String {
    let value = if host.is_empty() { value.to_owned() } else { value.replace(host, "{host}") };
    let mut plain = String::with_capacity(value.len());
    let mut after_mark = false;
    for character in value.chars() {
        if !(after_mark && character.is_ascii_digit()) {
            plain.push(character);
            after_mark = character == '#';
        }
    }
    plain
}

/// Two sessions, step by step.
#[derive(Debug)]
pub struct Comparison {
    /// The steps of both together, in the order in which they were taken.
    pub steps: Vec<Pair>,
}

/// A step of the two sessions.
#[derive(Debug)]
pub struct Pair {
    /// Its number among all steps, from 1.
    pub number: usize,
    /// In the good session; nothing where it did not come.
    pub good: Option<Moment>,
    /// In the bad session; nothing where it did not come.
    pub bad: Option<Moment>,
    /// What differs, the telling first. Empty where one side is missing.
    pub differences: Vec<Difference>,
}

impl Pair {
    /// Whether the two did not take it alike.
    pub fn differs(&self) -> bool {
        match (&self.good, &self.bad) {
            (Some(good), Some(bad)) => !self.differences.is_empty() || !good.ends_like(bad),
            _ => true,
        }
    }

    /// What was done where, of whichever session has it.
    pub fn moment(&self) -> Option<&Moment> {
        self.bad.as_ref().or(self.good.as_ref())
    }

    /// Whether it can be why one works and the other does not.
    pub fn is_telling(&self) -> bool {
        let failed = |moment: &Option<Moment>| moment.as_ref().is_some_and(|one| one.verdict == Verdict::Failure);
        match (&self.good, &self.bad) {
            (Some(_), Some(_)) => {
                failed(&self.bad) != failed(&self.good) || self.differences.iter().any(|one| one.telling)
            }
            (Some(only), None) | (None, Some(only)) => only.step != "probe" || only.verdict != Verdict::Ok,
            (None, None) => false,
        }
    }
}

/// A fact that the two sessions do not share.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Difference {
    /// Where it stands.
    pub place: Place,
    /// The fact, in the field's own term.
    pub name: &'static str,
    /// Its value in the good session; nothing where it is missing there.
    pub good: Option<Clean>,
    /// Its value in the bad session; nothing where it is missing there.
    pub bad: Option<Clean>,
    /// It belongs to the authentication, not to the circumstances.
    pub telling: bool,
}

impl Comparison {
    /// Compares `good` with `bad`.
    pub fn new(good: &Course, bad: &Course) -> Self {
        let pair = |(number, (good, bad)): (usize, Aligned<'_>)| Pair {
            number,
            differences: good.zip(bad).map(|(good, bad)| differences(good, bad)).unwrap_or_default(),
            good: good.cloned(),
            bad: bad.cloned(),
        };
        Self { steps: (1..).zip(aligned(&good.moments, &bad.moments)).map(pair).collect() }
    }

    /// The steps that the two did not take alike.
    pub fn divergences(&self) -> impl Iterator<Item = &Pair> {
        self.steps.iter().filter(|step| step.differs())
    }

    /// The first step whose difference can be why one works and the other does not.
    pub fn first(&self) -> Option<&Pair> {
        self.steps.iter().find(|step| step.is_telling())
    }
}

type Aligned<'a> = (Option<&'a Moment>, Option<&'a Moment>);

/// Pairs the steps that both took, in order (a longest common subsequence), with what only one took in between.
fn aligned<'a>(good: &'a [Moment], bad: &'a [Moment]) -> Vec<Aligned<'a>> {
    let same = |one: &Moment, other: &Moment| one.step == other.step && one.is_at(other);
    let wide = bad.len() + 1;
    // How long the common course of the rests is that begin at (g, b).
    let mut common = vec![0_u16; (good.len() + 1) * wide];
    for (g, one) in good.iter().enumerate().rev() {
        for (b, other) in bad.iter().enumerate().rev() {
            common[g * wide + b] = if same(one, other) {
                common[(g + 1) * wide + b + 1] + 1
            } else {
                common[(g + 1) * wide + b].max(common[g * wide + b + 1])
            };
        }
    }
    let (mut g, mut b) = (0, 0);
    let mut pairs = Vec::with_capacity(good.len().max(bad.len()));
    while let (Some(one), Some(other)) = (good.get(g), bad.get(b)) {
        if same(one, other) {
            pairs.push((Some(one), Some(other)));
            (g, b) = (g + 1, b + 1);
        } else if common[(g + 1) * wide + b] >= common[g * wide + b + 1] {
            pairs.push((Some(one), None));
            g += 1;
        } else {
            pairs.push((None, Some(other)));
            b += 1;
        }
    }
    pairs.extend(good.get(g..).unwrap_or_default().iter().map(|one| (Some(one), None)));
    pairs.extend(bad.get(b..).unwrap_or_default().iter().map(|other| (None, Some(other))));
    pairs
}

impl Moment {
    /// Whether both are at the same endpoint. A host that is no endpoint of its kind is itself, or the one that the other
    /// session has in its place: two organisations may be compared.
    fn is_at(&self, other: &Self) -> bool {
        let unnamed = |moment: &Self| moment.endpoint.as_str() == moment.host;
        self.endpoint == other.endpoint || (unnamed(self) && unnamed(other))
    }
}

/// What differs between two moments of the same step, the telling first.
fn differences(good: &Moment, bad: &Moment) -> Vec<Difference> {
    let mut differences = Vec::new();
    let mut seen: Vec<(&Place, &str, &str)> = Vec::new();
    for fact in good.facts.iter().chain(&bad.facts) {
        let key = (&fact.place, fact.part, fact.name);
        if seen.contains(&key) {
            continue;
        }
        seen.push(key);
        let of = |moment: &Moment| {
            let values = moment.facts.iter().filter(|fact| (&fact.place, fact.part, fact.name) == key);
            let mut values: Vec<_> = values.map(|fact| (moment.value(fact), fact.value.clone())).collect();
            values.sort_by(|(one, _), (other, _)| one.cmp(other));
            values
        };
        let (of_good, of_bad) = (of(good), of(bad));
        if of_good.iter().map(|(plain, _)| plain).ne(of_bad.iter().map(|(plain, _)| plain)) {
            differences.push(Difference {
                place: fact.place.clone(),
                name: fact.name,
                good: joined(of_good),
                bad: joined(of_bad),
                telling: !CIRCUMSTANCES.contains(&fact.part),
            });
        }
    }
    differences.sort_by_key(|difference| !difference.telling);
    differences
}

fn joined(values: Vec<(String, Clean)>) -> Option<Clean> {
    let mut values = values.into_iter().map(|(_, value)| value);
    let first = values.next()?;
    Some(values.fold(first, |joined, value| Clean::concat([joined, ", ".into(), value])))
}

#[cfg(test)]
mod tests {
    use super::*;

    pub(super) fn moment(endpoint: &'static str, step: &'static str, facts: &[(&'static str, &'static str)]) -> Moment {
        let fact = |(name, value): &(&'static str, &'static str)| Fact {
            place: Place::ResponseHeader("www-authenticate"),
            part: "WWW-Authenticate",
            name,
            value: (*value).into(),
        };
        Moment {
            exchange: 1,
            endpoint: endpoint.into(),
            step,
            server: None,
            verdict: Verdict::Step,
            answer: None,
            status: Some(401),
            host: "mail.contoso.com".to_owned(),
            facts: facts.iter().map(fact).collect(),
        }
    }

    /// Endpoint, step, facts.
    type Step<'a> = (&'static str, &'static str, &'a [(&'static str, &'static str)]);

    fn course(moments: Vec<Moment>) -> Course {
        Course { exchanges: moments.len() as u64, moments, ..Course::default() }
    }

    #[test]
    fn the_first_step_that_differs_in_its_challenge_is_the_answer() {
        let challenge = &[("scheme", "Bearer"), ("authorization_uri", "https://login.windows.net/common")];
        let good = [("ews", "probe", &challenge[..]), ("ews", "empty-bearer", challenge), ("sign-in", "sign-in", &[])];
        let bad =
            [("ews", "probe", &challenge[..]), ("ews", "empty-bearer", &challenge[..1]), ("ews", "negotiate", &[])];
        let made = |steps: [Step<'_>; 3]| {
            course(steps.into_iter().map(|(endpoint, step, facts)| moment(endpoint, step, facts)).collect())
        };
        let comparison = Comparison::new(&made(good), &made(bad));
        let first = comparison.first();
        assert_eq!(first.map(|step| step.number), Some(2));
        let missing = Difference {
            place: Place::ResponseHeader("www-authenticate"),
            name: "authorization_uri",
            good: Some("https://login.windows.net/common".into()),
            bad: None,
            telling: true,
        };
        assert_eq!(first.map(|step| step.differences.clone()), Some(vec![missing]));
        let only = |step: &Pair| (step.good.is_some(), step.bad.is_some());
        assert_eq!(
            comparison.divergences().map(only).collect::<Vec<_>>(),
            [(true, true), (true, false), (false, true)]
        );
    }

    #[test]
    fn what_differs_in_any_two_runs_is_no_difference() {
        let good = moment("ews", "token", &[("user", "user#1@contoso.com"), ("aud", "https://mail.contoso.com/")]);
        let mut bad = moment("ews", "token", &[("aud", "https://mail.fabrikam.com/"), ("user", "user#7@contoso.com")]);
        bad.host = "mail.fabrikam.com".to_owned();
        assert_eq!(differences(&good, &bad), []);
        bad.host = "webmail.fabrikam.com".to_owned();
        assert_eq!(differences(&good, &bad).iter().map(|one| one.name).collect::<Vec<_>>(), ["aud"]);
    }

    #[test]
    fn a_step_that_one_of_them_took_alone_does_not_shift_the_others() {
        let steps = |names: &[&'static str]| names.iter().map(|step| moment("ews", step, &[])).collect::<Vec<_>>();
        let (good, bad) = (
            steps(&["probe", "negotiate", "authenticate"]),
            steps(&["probe", "empty-bearer", "negotiate", "authenticate"]),
        );
        let pairs: Vec<_> = aligned(&good, &bad).iter().map(|(one, other)| (one.is_some(), other.is_some())).collect();
        assert_eq!(pairs, [(true, true), (false, true), (true, true), (true, true)]);
    }
}
