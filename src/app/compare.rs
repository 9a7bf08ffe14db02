//! `authtap compare`: where one session leaves the way of another.

mod screen;

use std::io::Write as _;
use std::path::Path;

use super::input::{self, Folds, Input};
use super::onlooker::{Onlooker, Then, unless_ended};
use super::output::Output;
use super::proof::{self, Sieve};
use super::{Exit, Fault, Lines, warn};
use crate::diagnosis::comparison::{Comparison, Course};
use crate::redact::Redactor;
use crate::report::comparison::{self, Compared};
use crate::session::{Opening, Progress, Recorded, SessionError};
use crate::text::Language;
use crate::tui;

/// Compares on the terminal, unless `lines` are asked for or there is none.
pub(super) fn compare(good: &Path, bad: &Path, lines: Option<Lines>, language: Language) -> Result<Exit, Fault> {
    let sources = [good, bad];
    let typed = sources.contains(&Path::new(input::STANDARD));
    let compared = match lines {
        None if tui::is_there() && !typed => screen::compare(sources, language),
        lines => print(sources, lines.unwrap_or(Lines::Text), typed, language),
    };
    unless_ended(compared, language)
}

fn print(sources: [&Path; 2], lines: Lines, typed: bool, language: Language) -> Result<Exit, Fault> {
    let progress = Progress::default();
    let onlooker = Onlooker::new(&progress, Then::ReadAnother, typed, language)?;
    let read = read(sources[0], &progress, language).and_then(|good| {
        progress.begin_anew();
        Ok([good, read(sources[1], &progress, language)?])
    });
    let mut heard = onlooker.leave();
    // What follows is ended as the system ends programs.
    heard.signals = None;
    let [good, bad] = read?;
    let names = names(sources);
    let comparison = Comparison::new(&good.course, &bad.course);
    let compared = Compared { good: (&names[0], &good.course), bad: (&names[1], &bad.course), comparison: &comparison };
    let nets = [good.net.clone(), bad.net.clone()];
    let mut output = Output::standard();
    let mut sieve = Sieve::new(&mut output, &nets);
    match lines {
        Lines::Text => sieve.write_all(comparison::text(&compared, language).trim_end().as_bytes()),
        Lines::Json => {
            serde_json::to_writer_pretty(&mut sieve, &comparison::Document::new(&compared)).map_err(Into::into)
        }
    }
    .map_err(Fault::Output)?;
    let found = sieve.finish().map_err(Fault::Output)?;
    output.flush().map_err(Fault::Output)?;
    if let Some(alarm) = proof::alarm(&found, language) {
        warn(&alarm);
        return Ok(Exit::Refused);
    }
    Ok(if good.whole && bad.whole { Exit::Done } else { Exit::Usage })
}

/// What the two are called: by their folders, too, where their names alone do not tell them apart.
fn names(sources: [&Path; 2]) -> [String; 2] {
    let names = sources.map(super::diagnose::name);
    if names[0] == names[1] { sources.map(|source| source.display().to_string()) } else { names }
}

struct Read {
    course: Course,
    /// Nothing of it was unreadable.
    whole: bool,
    /// What was met of secrets.
    net: Redactor,
}

fn read(source: &Path, progress: &Progress, language: Language) -> Result<Read, Fault> {
    let redactor = Redactor::with_net();
    let opening =
        Opening { redactor: &redactor, password: &|path| input::password(path, language), progress: progress.clone() };
    let mut course = Course::default();
    let mut gaps = Vec::new();
    follow(&mut course, Input::open(source, &opening)?.exchanges(&mut gaps));
    if progress.is_cancelled() {
        return Err(SessionError::Cancelled.into());
    }
    for gap in &gaps {
        warn(&Fault::from(gap.clone()).message(language));
    }
    Ok(Read { course, whole: gaps.is_empty(), net: redactor })
}

fn follow(course: &mut Course, recorded: impl Iterator<Item = Recorded>) {
    let mut folds = Folds::default();
    for Recorded { origin, exchange } in recorded {
        let observed = folds.observe(&origin, &exchange);
        course.add(&exchange, &observed.judgement);
        observed.revised.iter().for_each(|judgement| course.revise(judgement));
    }
    folds.finish().revised.iter().for_each(|judgement| course.revise(judgement));
}
