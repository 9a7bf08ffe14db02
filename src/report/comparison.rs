//! Two sessions side by side, as text and as JSON: the first divergence first.

use std::fmt::Write as _;

use serde::Serialize;

use super::json::shown;
use super::layout;
use super::words;
use crate::diagnosis::comparison::{Comparison, Course, Difference, Moment, Pair};
use crate::diagnosis::{Place, Verdict};
use crate::redact::Clean;
use crate::text::{Language, Text};

/// The name and version of the JSON document.
pub const SCHEMA: &str = "authtap/comparison/1";

/// How many steps after the first are told in text, and how many facts of each.
const TOLD: usize = 12;
const FACTS: usize = 8;

/// What was compared, and what came of it.
pub struct Compared<'a> {
    /// The good session: its name, without its folder, and its course.
    pub good: (&'a str, &'a Course),
    /// The bad one.
    pub bad: (&'a str, &'a Course),
    /// How they differ.
    pub comparison: &'a Comparison,
}

/// The first divergence in full, then the others, then what differs without harm.
pub fn text(compared: &Compared<'_>, language: Language) -> String {
    let mut page = headline(compared, language) + "\n";
    let Some(first) = compared.comparison.first() else {
        circumstances(&mut page, compared.comparison, language);
        return page;
    };
    step(&mut page, first, language, usize::MAX);
    let mut others = compared.comparison.steps.iter().filter(|step| step.is_telling() && step.number != first.number);
    let mut later = others.by_ref().take(TOLD).peekable();
    if later.peek().is_some() {
        let _ = writeln!(page, "\n{}", Text { en: "Further on", ja: "その先" }.to(language));
        later.for_each(|later| step(&mut page, later, language, FACTS));
    }
    let more = others.count();
    if more > 0 {
        let text =
            Text { en: "and {number} more steps that differ", ja: "ほかに {number} 個の手順が異なります" };
        let _ = writeln!(page, "\n  {}", text.fill(language, &[("number", &more.to_string())]));
    }
    circumstances(&mut page, compared.comparison, language);
    page
}

fn headline(compared: &Compared<'_>, language: Language) -> String {
    let text = match compared.comparison.first() {
        Some(_) => Text {
            en: "{bad} leaves the way of {good} at step {number}",
            ja: "{bad} は手順 {number} で {good} と分かれます",
        },
        None if compared.comparison.divergences().next().is_none() => Text {
            en: "{bad} and {good} do not differ in any of {steps} steps",
            ja: "{bad} と {good} は {steps} 個の手順のどれにも違いがありません",
        },
        None => Text {
            en: "{bad} and {good} differ in circumstances only; all of {steps} steps went alike",
            ja: "{bad} と {good} の違いは周辺の事柄だけで、{steps} 個の手順はすべて同じように進みました",
        },
    };
    let number = compared.comparison.first().map_or(0, |first| first.number).to_string();
    let steps = compared.comparison.steps.len().to_string();
    let mut line = text
        .fill(language, &[("bad", compared.bad.0), ("good", compared.good.0), ("number", &number), ("steps", &steps)]);
    if let Some(first) = compared.comparison.first() {
        line += "\n";
        line += &first.sentence(compared.good.0, compared.bad.0, language);
    }
    for (name, course) in [compared.good, compared.bad] {
        let count = layout::exchanges(course.exchanges, language);
        let failures = course.failures().to_string();
        let text =
            Text { en: "\n  {name}: {count}, {failures} failed", ja: "\n  {name}: {count}、失敗 {failures} 件" };
        line += &text.fill(language, &[("name", name), ("count", &count), ("failures", &failures)]);
        if course.cut {
            let text = Text {
                en: " (only the beginning is compared)", ja: " (比較したのは始めの部分だけです)"
            };
            line += text.to(language);
        }
    }
    line
}

fn step(page: &mut String, step: &Pair, language: Language, facts: usize) {
    let Some(moment) = step.moment() else { return };
    let text = Text { en: "Step {number}: {place}", ja: "手順 {number}: {place}" };
    let place = match moment.endpoint.as_str() {
        place if place == moment.step => place.to_owned(),
        place => format!("{place} {}", moment.step),
    };
    let names = [("number", step.number.to_string()), ("place", place)];
    let _ = writeln!(page, "\n{}", text.fill(language, &names.each_ref().map(|(name, value)| (*name, value.as_str()))));
    let good = Text { en: "good", ja: "正常" }.to(language);
    let bad = Text { en: "bad", ja: "異常" }.to(language);
    for (name, side) in [(good, &step.good), (bad, &step.bad)] {
        let _ = match side {
            Some(moment) => writeln!(page, "  {name}: {}", told(moment, language)),
            None => writeln!(page, "  {name}: {}", Text { en: "did not come", ja: "ありません" }.to(language)),
        };
    }
    for difference in step.differences.iter().filter(|difference| difference.telling).take(facts) {
        fact(page, difference, [good, bad], language);
    }
}

fn told(moment: &Moment, language: Language) -> String {
    let mut line = format!("#{} {}", moment.exchange, moment.verdict.words().to(language));
    if let Some(answer) = moment.answer {
        let _ = write!(line, " {answer}");
    }
    if let Some(server) = &moment.server {
        let text = Text { en: ", server {server}", ja: "、サーバー {server}" };
        line += &text.fill(language, &[("server", server.as_str())]);
    }
    line
}

fn fact(page: &mut String, difference: &Difference, [good, bad]: [&str; 2], language: Language) {
    let _ = writeln!(page, "    {} {}", difference.place, difference.name);
    for (name, value) in [(good, &difference.good), (bad, &difference.bad)] {
        let missing = words::MISSING.to(language);
        let _ = writeln!(page, "      {name}: {}", value.as_ref().map_or(missing, Clean::as_str));
    }
}

/// What differs without harm, each fact once.
fn circumstances(page: &mut String, comparison: &Comparison, language: Language) {
    let mut told: Vec<&Difference> = Vec::new();
    for difference in
        comparison.divergences().flat_map(|step| &step.differences).filter(|difference| !difference.telling)
    {
        if told.len() < TOLD && !told.contains(&difference) {
            told.push(difference);
        }
    }
    if told.is_empty() {
        return;
    }
    let title = Text { en: "What else differs", ja: "そのほかの違い" }.to(language);
    let _ = writeln!(page, "\n{title}");
    for difference in told {
        let value = |value: &Option<Clean>| value.as_ref().map_or("-", Clean::as_str).to_owned();
        let _ = writeln!(
            page,
            "  {} {}: {} | {}",
            difference.place,
            difference.name,
            value(&difference.good),
            value(&difference.bad)
        );
    }
}

/// The comparison as JSON. What is missing on a side is null.
#[derive(Debug, Serialize)]
pub struct Document<'a> {
    schema: &'static str,
    good: Named<'a>,
    bad: Named<'a>,
    steps: usize,
    first: Option<Parting<'a>>,
    divergences: Vec<Parting<'a>>,
}

#[derive(Debug, Serialize)]
struct Named<'a> {
    source: &'a str,
    exchanges: u64,
    failures: usize,
    cut: bool,
}

#[derive(Debug, Serialize)]
struct Parting<'a> {
    step: usize,
    endpoint: Option<&'a Clean>,
    name: Option<&'static str>,
    telling: bool,
    good: Option<Side<'a>>,
    bad: Option<Side<'a>>,
    differences: Vec<Fact<'a>>,
}

#[derive(Debug, Serialize)]
struct Side<'a> {
    exchange: u64,
    server: Option<&'a Clean>,
    #[serde(serialize_with = "shown")]
    verdict: Verdict,
    finding: Option<&'static str>,
}

#[derive(Debug, Serialize)]
struct Fact<'a> {
    #[serde(serialize_with = "shown")]
    place: &'a Place,
    name: &'static str,
    good: Option<&'a Clean>,
    bad: Option<&'a Clean>,
    telling: bool,
}

impl<'a> Document<'a> {
    /// All that differs.
    pub fn new(compared: &Compared<'a>) -> Self {
        let source = |(name, course): (&'a str, &Course)| Named {
            source: name,
            exchanges: course.exchanges,
            failures: course.failures(),
            cut: course.cut,
        };
        Self {
            schema: SCHEMA,
            good: source(compared.good),
            bad: source(compared.bad),
            steps: compared.comparison.steps.len(),
            first: compared.comparison.first().map(Parting::new),
            divergences: compared.comparison.divergences().map(Parting::new).collect(),
        }
    }
}

impl<'a> Parting<'a> {
    fn new(step: &'a Pair) -> Self {
        let side = |moment: &'a Moment| Side {
            exchange: moment.exchange,
            server: moment.server.as_ref(),
            verdict: moment.verdict,
            finding: moment.answer,
        };
        let fact = |difference: &'a Difference| Fact {
            place: &difference.place,
            name: difference.name,
            good: difference.good.as_ref(),
            bad: difference.bad.as_ref(),
            telling: difference.telling,
        };
        Self {
            step: step.number,
            endpoint: step.moment().map(|moment| &moment.endpoint),
            name: step.moment().map(|moment| moment.step),
            telling: step.is_telling(),
            good: step.good.as_ref().map(side),
            bad: step.bad.as_ref().map(side),
            differences: step.differences.iter().map(fact).collect(),
        }
    }
}
