//! `authtap compare`: where one session leaves the way of another.

mod screen;

use std::io::Write as _;
use std::path::Path;
use std::sync::Arc;

use super::input::{self, Folds, Input};
use super::onlooker::{Onlooker, Then, unless_ended};
use super::output::Output;
use super::{Exit, Fault, Lines, warn};
use crate::diagnosis::comparison::{Comparison, Course};
use crate::redact::Redactor;
use crate::report::comparison::{self, Compared};
use crate::session::{Opening, Origin, Progress, Provenance, Recorded, SessionError};
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
    let mut output = Output::standard();
    match lines {
        Lines::Text => output.page(&comparison::text(&compared, language))?,
        Lines::Json => {
            let written = serde_json::to_writer_pretty(&mut output, &comparison::Document::new(&compared));
            written.map_err(|error| Fault::Output(error.into()))?;
            output.write_all(b"\n").and_then(|()| output.flush()).map_err(Fault::Output)?;
        }
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
}

fn read(source: &Path, progress: &Progress, language: Language) -> Result<Read, Fault> {
    let redactor = Redactor::new();
    let opening =
        Opening { redactor: &redactor, password: &|path| input::password(path, language), progress: progress.clone() };
    let mut course = Course::default();
    let mut gaps = Vec::new();
    match Input::open(source, &opening)? {
        Input::File(reader) => follow(&mut course, input::readable(reader.exchanges(), &mut gaps)),
        Input::Pasted(exchanges) => {
            let origin = Origin::of(Provenance::Imported);
            follow(
                &mut course,
                exchanges.into_iter().map(|exchange| Recorded { origin: Arc::clone(&origin), exchange }),
            );
        }
    }
    if progress.is_cancelled() {
        return Err(SessionError::Cancelled.into());
    }
    for gap in &gaps {
        warn(&Fault::from(gap.clone()).message(language));
    }
    Ok(Read { course, whole: gaps.is_empty() })
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
