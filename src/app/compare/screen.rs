//! A comparison on the terminal screen, and behind it each of the two sessions as `open` shows it.

use std::path::Path;
use std::time::{Duration, Instant};

use super::{follow, names};
use crate::app::numbers::Numbers;
use crate::app::onlooker::{Onlooker, Then};
use crate::app::open::{Reading, SOON, Shelf, TICK, TURN};
use crate::app::shelved::Shelved;
use crate::app::{Exit, Fault, warn};
use crate::diagnosis::comparison::{Comparison, Course};
use crate::session::{Progress, SessionError};
use crate::text::Language;
use crate::tui::{Banner, Command, Compared, Input, Mode, Named, Screen, Side, State};

pub(super) fn compare(sources: [&Path; 2], language: Language) -> Result<Exit, Fault> {
    let names = names(sources);
    let mut gaps = Vec::new();
    let progress = Progress::default();
    let onlooker = Onlooker::new(&progress, Then::Diagnose, false, language)?;
    let read = read(sources, &mut gaps, &progress, language);
    let heard = onlooker.leave();
    let (shelved, courses) = read?;
    let asked_to_end = || heard.signals.as_ref().is_some_and(|signals| signals.wait(Duration::ZERO));
    let mut desk = Desk::new(&shelved, &names, &courses, language);
    let mut screen = Screen::open()?;
    let mut over = false;
    while !over && !asked_to_end() {
        let patience = desk.read_on(Instant::now() + TURN);
        desk.draw(&mut screen)?;
        for input in screen.poll(patience)? {
            over |= desk.input(input);
        }
    }
    drop(screen);
    for gap in &gaps {
        warn(&Fault::from(gap.clone()).message(language));
    }
    Ok(if gaps.is_empty() { Exit::Done } else { Exit::Usage })
}

/// Opens both, then follows each to its end. What cannot be read goes to `gaps`.
fn read(
    [good, bad]: [&Path; 2],
    gaps: &mut Vec<SessionError>,
    progress: &Progress,
    language: Language,
) -> Result<([Shelved; 2], [Course; 2]), Fault> {
    let good = Shelved::of_any(good, progress, language)?;
    let shelved = [good, Shelved::of_any(bad, progress, language)?];
    progress.begin_anew();
    progress.expect(shelved.iter().map(Shelved::len).sum());
    let courses = shelved.each_ref().map(|one| {
        let mut course = Course::default();
        let exchanges = one.exchanges(gaps).take_while(|_| !progress.is_cancelled());
        follow(&mut course, exchanges.inspect(|_| progress.advance(1)));
        course
    });
    if progress.is_cancelled() { Err(SessionError::Cancelled.into()) } else { Ok((shelved, courses)) }
}

/// The screens that one goes to and fro between.
struct Desk<'a> {
    home: State,
    sides: [Aside<'a>; 2],
    /// Which of the sessions is looked at; nothing while it is the comparison.
    at: Option<Side>,
}

/// One of the two sessions.
struct Aside<'a> {
    state: State,
    shelf: Shelf<'a>,
    reading: Reading<'a>,
    /// The exchange that is to be shown once it is in the list.
    wanted: Option<u64>,
}

impl<'a> Desk<'a> {
    fn new(shelved: &'a [Shelved; 2], names: &[String; 2], courses: &[Course; 2], language: Language) -> Self {
        let identities = shelved.iter().map(Shelved::identities).max().unwrap_or_default();
        let banner = Banner { mode: Mode::Compare, identities, ..Banner::of_saved(names.join(" | ")) };
        let named = |at: usize| Named { name: names[at].clone(), cut: courses[at].cut };
        let comparison = Comparison::new(&courses[0], &courses[1]);
        let home = State::of_comparison(language, banner, Compared { good: named(0), bad: named(1), comparison });
        let aside = |side: Side, at: usize| {
            let one = std::slice::from_ref(&shelved[at]);
            let banner = Banner {
                mode: Mode::Side(side),
                identities: shelved[at].identities(),
                ..Banner::of_saved(names[at].clone())
            };
            Aside {
                state: State::new(language, banner),
                shelf: Shelf::new(one, &Numbers::Own),
                reading: Reading::new(one, &Numbers::Own),
                wanted: None,
            }
        };
        Self { home, sides: [aside(Side::Good, 0), aside(Side::Bad, 1)], at: None }
    }

    /// Reads both sessions on until `until`; says how long there is time to wait for keys.
    fn read_on(&mut self, until: Instant) -> Duration {
        let mut busy = false;
        for aside in &mut self.sides {
            busy |= aside.reading.goes_on(&mut aside.shelf, &mut aside.state, until);
            if let Some(id) = aside.wanted
                && aside.state.show(id)
            {
                aside.wanted = None;
            }
        }
        if busy {
            Duration::ZERO
        } else if self.state().is_dirty() {
            SOON
        } else {
            TICK
        }
    }

    fn draw(&mut self, screen: &mut Screen) -> Result<(), Fault> {
        let aside = match self.at {
            None => return Ok(screen.draw(&mut self.home, &self.sides[0].shelf)?),
            Some(side) => &mut self.sides[side as usize],
        };
        Ok(screen.draw(&mut aside.state, &aside.shelf)?)
    }

    /// Takes an input; says whether it was the last.
    fn input(&mut self, input: Input) -> bool {
        match self.state().input(input) {
            Some(Command::Quit) => return true,
            Some(Command::Look(side, exchange)) => {
                self.at = Some(side);
                self.sides[side as usize].wanted = Some(exchange);
                self.state().refresh();
            }
            Some(Command::Compare) => {
                self.at = None;
                self.home.refresh();
            }
            Some(Command::SetLanguage(language)) => {
                self.home.set_language(language);
                self.sides.iter_mut().for_each(|aside| aside.state.set_language(language));
            }
            Some(Command::Pause(_) | Command::Reveal(_)) | None => {}
        }
        false
    }

    fn state(&mut self) -> &mut State {
        match self.at {
            None => &mut self.home,
            Some(side) => &mut self.sides[side as usize].state,
        }
    }
}
