//! A comparison on the terminal screen, and behind it each of the two sessions as `open` shows it.

use std::path::Path;
use std::time::{Duration, Instant};

use super::{follow, names};
use crate::app::convert::Onlooker;
use crate::app::numbers::Numbers;
use crate::app::open::{Reading, SOON, Shelf, TICK, TURN};
use crate::app::shelved::Shelved;
use crate::app::{Exit, Fault, capture, signals::Signals, warn};
use crate::diagnosis::comparison::{Comparison, Course};
use crate::session::Progress;
use crate::text::Language;
use crate::tui::{Banner, Command, Compared, Input, Mode, Named, Screen, Side, State};

pub(super) fn compare(sources: [&Path; 2], language: Language) -> Result<Exit, Fault> {
    let shelved = shelve(sources, language)?;
    let names = names(sources);
    let mut gaps = Vec::new();
    let courses = shelved.each_ref().map(|one| {
        let mut course = Course::default();
        follow(&mut course, one.exchanges(&mut gaps));
        course
    });
    let mut desk = Desk::new(&shelved, &names, &courses, language);
    let runtime = capture::runtime()?;
    let signals = Signals::listen(&runtime)?;
    let mut screen = Screen::open()?;
    let mut over = false;
    while !over && !signals.wait(Duration::ZERO) {
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

/// Opens both. Files of other programs are read for that, which may take a while: a bar says how far it is.
fn shelve([good, bad]: [&Path; 2], language: Language) -> Result<[Shelved; 2], Fault> {
    let progress = Progress::default();
    let onlooker = Onlooker::new(None, progress.clone());
    let both = Shelved::of_any(good, &progress, language)
        .and_then(|good| Ok([good, Shelved::of_any(bad, &progress, language)?]));
    onlooker.leave();
    both
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
