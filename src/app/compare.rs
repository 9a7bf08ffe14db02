//! `authtap compare`: where one session leaves the way of another.

use std::io::Write as _;
use std::path::Path;
use std::sync::Arc;

use super::input::{self, Folds, Input};
use super::output::Output;
use super::proof::{self, Sieve};
use super::{Exit, Fault, Lines, warn};
use crate::diagnosis::comparison::{Comparison, Course};
use crate::redact::Redactor;
use crate::report::comparison::{self, Compared};
use crate::session::{Opening, Origin, Provenance, Recorded};
use crate::text::Language;

pub(super) fn compare(good: &Path, bad: &Path, lines: Lines, language: Language) -> Result<Exit, Fault> {
    let [good, bad] = [read(good, language)?, read(bad, language)?];
    let comparison = Comparison::new(&good.course, &bad.course);
    let compared =
        Compared { good: (&good.name, &good.course), bad: (&bad.name, &bad.course), comparison: &comparison };
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

struct Read {
    name: String,
    course: Course,
    /// Nothing of it was unreadable.
    whole: bool,
    /// What was met of secrets.
    net: Redactor,
}

fn read(source: &Path, language: Language) -> Result<Read, Fault> {
    let redactor = Redactor::with_net();
    let opening = Opening { password: &|path| input::password(path, language), ..Opening::quietly(&redactor) };
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
    for gap in &gaps {
        warn(&Fault::from(gap.clone()).message(language));
    }
    Ok(Read { name: super::diagnose::name(source), course, whole: gaps.is_empty(), net: redactor })
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
