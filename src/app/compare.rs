//! `authtap compare`: where one session leaves the way of another.

use std::io::Write as _;
use std::path::Path;

use super::input::{self, Folds, Input};
use super::onlooker::{Onlooker, Then, unless_ended};
use super::output::Output;
use super::{Exit, Fault, Lines, warn};
use crate::diagnosis::comparison::{Comparison, Course};
use crate::redact::Redactor;
use crate::report::comparison::{self, Compared};
use crate::session::{Opening, Progress, Recorded, SessionError};
use crate::text::Language;

pub(super) fn compare(good: &Path, bad: &Path, lines: Lines, language: Language) -> Result<Exit, Fault> {
    let progress = Progress::default();
    let waits = [good, bad].contains(&Path::new(input::STANDARD));
    let onlooker = Onlooker::new(&progress, Then::ReadAnother, waits, language)?;
    let read = read(good, &progress, language).and_then(|good| {
        progress.begin_anew();
        Ok([good, read(bad, &progress, language)?])
    });
    let mut heard = onlooker.leave();
    // What follows is ended as the system ends programs.
    heard.signals = None;
    let [good, bad] = match read {
        Ok(read) => read,
        Err(fault) => return unless_ended(Err(fault), language),
    };
    let comparison = Comparison::new(&good.course, &bad.course);
    let compared =
        Compared { good: (&good.name, &good.course), bad: (&bad.name, &bad.course), comparison: &comparison };
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

struct Read {
    name: String,
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
    follow(&mut course, Input::open(source, &opening)?.exchanges(&mut gaps));
    if progress.is_cancelled() {
        return Err(SessionError::Cancelled.into());
    }
    for gap in &gaps {
        warn(&Fault::from(gap.clone()).message(language));
    }
    Ok(Read { name: super::diagnose::name(source), course, whole: gaps.is_empty() })
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
