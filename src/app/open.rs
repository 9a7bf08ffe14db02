//! `authtap open`: saved sessions on the terminal screen, several of them as one.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use super::input::{self, Folds};
use super::judgements::Judgements;
use super::screen::with_step_in;
use super::{Exit, Fault, capture, signals::Signals, warn};
use crate::diagnosis::{Handshake, Judgement};
use crate::exchange::Exchange;
use crate::redact::{Clean, Redactor};
use crate::session::Session;
use crate::text::Language;
use crate::tui::{Banner, Command, Mode, Row, Screen, ScreenError, Source, State};

/// How often the screen is drawn while somebody looks.
const TICK: Duration = Duration::from_millis(100);

pub(super) fn open(files: &[PathBuf], language: Language) -> Result<Exit, Fault> {
    let names: Vec<_> = files.iter().map(|file| file.display().to_string()).collect();
    let banner = Banner { mode: Mode::Open, addresses: Vec::new(), ca: None, session: Some(names.join(", ")) };
    let mut state = State::new(language, banner);
    let mut shelf = Shelf::default();
    for file in files {
        let redactor = Redactor::new();
        let session = input::session(file, &redactor)?;
        shelf.read(session, redactor, &mut state, language);
    }
    let runtime = capture::runtime()?;
    let signals = Signals::listen(&runtime)?;
    let mut screen = Screen::open().map_err(|error| match error {
        ScreenError::NoTerminal => Fault::NoTerminalToOpen,
        other => other.into(),
    })?;
    while !signals.wait(Duration::ZERO) {
        screen.draw(&mut state, &shelf)?;
        let inputs = screen.poll(TICK)?;
        if inputs.into_iter().any(|input| state.input(input) == Some(Command::Quit)) {
            break;
        }
    }
    Ok(Exit::Done)
}

/// The sessions that are looked at. Numbers of the first stay; those of a further one go on after the one before.
#[derive(Default)]
struct Shelf {
    sessions: Vec<Shelved>,
    judgements: Judgements,
    handshakes: Vec<Handshake>,
    /// The highest number so far.
    last: u64,
}

struct Shelved {
    session: Session,
    redactor: Redactor,
    offset: u64,
}

impl Shelf {
    fn read(&mut self, session: Session, redactor: Redactor, state: &mut State, language: Language) {
        let (offset, mut gaps) = (self.last, Vec::new());
        let mut folds = Folds::new(input::RECORDED);
        for (run, mut exchange) in input::readable(session.exchanges_of_runs(), &mut gaps) {
            exchange.id += offset;
            self.last = self.last.max(exchange.id);
            let observed = folds.observe(run, &exchange);
            state.add(Row::of(&exchange));
            self.judge(observed.judgement, state);
            observed.revised.into_iter().for_each(|judgement| self.judge(judgement, state));
        }
        let folded = folds.finish();
        folded.revised.into_iter().for_each(|judgement| self.judge(judgement, state));
        self.handshakes.extend(folded.handshakes);
        self.sessions.push(Shelved { session, redactor, offset });
        for gap in gaps {
            warn(&Fault::from(gap).message(language));
        }
    }

    fn judge(&mut self, judgement: Judgement, state: &mut State) {
        state.judge(&judgement);
        self.judgements.keep(judgement);
    }
}

impl Source for Shelf {
    fn exchange(&self, id: u64) -> Option<Arc<Exchange>> {
        let shelved = self.sessions.iter().rev().find(|shelved| shelved.offset < id)?;
        let mut exchange = shelved.session.exchange(id - shelved.offset).ok()??;
        exchange.id = id;
        Some(Arc::new(exchange))
    }

    fn judgement(&self, id: u64) -> Option<Judgement> {
        self.judgements.of(id)
    }

    fn handshakes(&self, id: u64) -> Vec<Handshake> {
        with_step_in(self.handshakes.clone(), id)
    }

    fn reveal(&self, text: &Clean) -> String {
        self.sessions.last().map_or_else(|| text.as_str().to_owned(), |shelved| shelved.redactor.reveal(text))
    }
}
