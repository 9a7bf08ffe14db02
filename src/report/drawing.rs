//! Drawings of a report as SVG: a handshake's ladder, and when what happened. Their colours are the page's.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use super::html::escaped;
use super::json::Entry;
use super::words;
use crate::diagnosis::{Handshake, HandshakeStep, StepState, Verdict};
use crate::redact::Clean;
use crate::text::{Language, Text};

/// The distance between two steps of a ladder.
const STEP: usize = 132;

/// A handshake as a row of steps: filled where it was done, crossed where it failed, open where it is missing, dashed
/// where it was not captured.
pub(super) fn ladder(handshake: &Handshake, language: Language) -> String {
    let (width, middle) = (handshake.steps.len() * STEP, STEP / 2);
    let label = Text { en: "{scheme} handshake with {server}", ja: "{server} との {scheme} ハンドシェイク" }
        .fill(language, &[("scheme", handshake.scheme.code()), ("server", handshake.server.as_str())]);
    let mut svg = format!(
        "<svg class=\"ladder\" viewBox=\"0 0 {width} 64\" width=\"{width}\" height=\"64\" role=\"img\" aria-label=\"{}\">",
        escaped(&label)
    );
    for place in 1..handshake.steps.len() {
        let (from, to) = ((place - 1) * STEP + middle + 13, place * STEP + middle - 13);
        let _ = write!(svg, "<line class=\"link\" x1=\"{from}\" y1=\"18\" x2=\"{to}\" y2=\"18\"/>");
    }
    for (place, step) in handshake.steps.iter().enumerate() {
        rung(&mut svg, step, place * STEP + middle, language);
    }
    svg + "</svg>"
}

fn rung(svg: &mut String, step: &HandshakeStep, x: usize, language: Language) {
    let (class, mark) = match step.state {
        StepState::Done => ("done", "✓"),
        StepState::Failed => ("failed", "✗"),
        StepState::Missing => ("missing", "?"),
        StepState::Unseen => ("unseen", ""),
    };
    let below = match (step.exchange, step.state) {
        (Some(id), _) => format!("#{id}"),
        (None, StepState::Done | StepState::Failed) => String::new(),
        (None, state) => words::state(state, language).to_owned(),
    };
    let _ = write!(
        svg,
        "<g class=\"{class}\"><circle cx=\"{x}\" cy=\"18\" r=\"11\"/><text class=\"mark\" x=\"{x}\" y=\"23\">{mark}</text>\
         <text x=\"{x}\" y=\"46\">{}</text><text class=\"small\" x=\"{x}\" y=\"60\">{below}</text></g>",
        step.name
    );
}

/// The width that time is drawn on.
const WIDE: usize = 900;
/// How far apart two dots are at least; what happened closer together is one.
const DOT: usize = 6;
/// How many hosts have a lane of their own.
const LANES: usize = 8;

/// When what happened, a lane for each host; nothing where there is no time to draw: one exchange, or pasted text.
pub(super) fn timeline(exchanges: &[Entry], language: Language) -> Option<String> {
    let first = exchanges.iter().map(|entry| entry.started).min()?;
    let last = exchanges.iter().map(|entry| entry.started).max()?;
    let whole = last.since(first).as_micros();
    if exchanges.len() < 2 || whole < 1000 {
        return None;
    }
    let mut lanes: Vec<String> = Vec::new();
    let mut dots: BTreeMap<(usize, usize), (Verdict, usize)> = BTreeMap::new();
    for entry in exchanges {
        let host = host(entry);
        let lane = match lanes.iter().position(|known| known == host) {
            Some(lane) => lane,
            None if lanes.len() < LANES => {
                lanes.push(host.to_owned());
                lanes.len() - 1
            }
            None => LANES,
        };
        let along = entry.started.since(first).as_micros() * (WIDE / DOT) as u128 / whole;
        let dot = dots.entry((lane, usize::try_from(along).unwrap_or(0))).or_insert((entry.verdict, 0));
        dot.1 += 1;
        if gravity(entry.verdict) > gravity(dot.0) {
            dot.0 = entry.verdict;
        }
    }
    if dots.keys().any(|(lane, _)| *lane == LANES) {
        lanes.push(Text { en: "other hosts", ja: "その他のホスト" }.to(language).to_owned());
    }
    Some(drawn(&lanes, &dots, [first.to_string(), last.to_string()], language))
}

fn drawn(
    lanes: &[String],
    dots: &BTreeMap<(usize, usize), (Verdict, usize)>,
    [first, last]: [String; 2],
    language: Language,
) -> String {
    const LANE: usize = 34;
    let (wide, high) = (WIDE + 20, lanes.len() * LANE + 26);
    let label = Text { en: "When which exchange took place", ja: "各エクスチェンジの時刻" }.to(language);
    let mut svg = format!("<svg class=\"timeline\" viewBox=\"0 0 {wide} {high}\" role=\"img\" aria-label=\"{label}\">");
    for (lane, host) in lanes.iter().enumerate() {
        let y = lane * LANE;
        let _ = write!(
            svg,
            "<text class=\"host\" x=\"10\" y=\"{}\">{}</text><line class=\"link\" x1=\"10\" y1=\"{line}\" x2=\"{}\" y2=\"{line}\"/>",
            y + 12,
            escaped(host),
            WIDE + 10,
            line = y + 24
        );
    }
    for ((lane, along), (verdict, count)) in dots {
        let (x, y) = (along * DOT + 10, lane * LANE + 24);
        let radius = if *count > 1 { 5 } else { 4 };
        let words = verdict.words().to(language);
        let _ = write!(
            svg,
            "<circle class=\"{verdict}\" cx=\"{x}\" cy=\"{y}\" r=\"{radius}\"><title>{words} × {count}</title></circle>"
        );
    }
    let y = high - 6;
    let _ = write!(
        svg,
        "<text class=\"small start\" x=\"10\" y=\"{y}\">{first}</text><text class=\"small end\" x=\"{}\" y=\"{y}\">{last}</text></svg>",
        WIDE + 10
    );
    svg
}

fn host(entry: &Entry) -> &str {
    let url = entry.url.as_ref().map_or("?", Clean::as_str);
    let after = url.split_once("://").map_or(url, |(_, rest)| rest);
    after.split(['/', '?']).next().unwrap_or(after)
}

const fn gravity(verdict: Verdict) -> u8 {
    match verdict {
        Verdict::Ok => 0,
        Verdict::Step => 1,
        Verdict::Pending => 2,
        Verdict::Unknown => 3,
        Verdict::Failure => 4,
    }
}
