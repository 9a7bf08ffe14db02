//! What is looked at. Pure: input and news go in, commands come out, drawing reads it.

use std::time::{Duration, Instant};

use crossterm::event::{KeyCode, KeyEvent, KeyModifiers};

use super::Source;
use super::banner::{Banner, Command, Counts, Mode, Problem, Reading};
use super::comparing::{Compared, Comparing, Side};
use super::copying::Copying;
use super::document::Mark;
use super::filter::Filter;
use super::flows::{Flows, Toward};
use super::focus::{Pane, Task, pane_of};
use super::keys::{self, Action, Entry, Input, When};
use super::looked::Looked;
use super::matrix::Matrix;
use super::row::Row;
use crate::diagnosis::Judgement;
use crate::text::Language;

/// What is looked at.
#[derive(Debug)]
pub struct State {
    pub(super) language: Language,
    pub(super) banner: Banner,
    pub(super) counts: Counts,
    pub(super) problems: Vec<Problem>,
    /// What of the session is still being read, where anything is.
    pub(super) reading: Option<Reading>,
    pub(super) paused: bool,
    pub(super) revealed: bool,
    pub(super) flows: Flows,
    pub(super) focus: Pane,
    /// The pane below the list on a small screen.
    pub(super) below: Pane,
    pub(super) zoomed: bool,
    /// The screen is too small for more than the list and one pane; known once drawn.
    pub(super) tabbed: bool,
    pub(super) task: Task,
    /// The selected exchange, read when it was first drawn.
    pub(super) looked: Looked,
    /// The selected piece of evidence, counted over all findings of the exchange.
    pub(super) evidence: Option<usize>,
    /// The words that stand out in request or response.
    pub(super) mark: Option<Mark>,
    /// The selected step, counted over all handshakes of the exchange.
    pub(super) step: Option<usize>,
    /// The first row on the screen of each pane that is a text, and of the help.
    scrolls: [usize; 5],
    pub(super) help_scroll: usize,
    pub(super) copying: Copying,
    /// What has yet to be put on the clipboard.
    clipboard: Option<String>,
    /// What the endpoints offer, while it is looked at.
    pub(super) matrix: Matrix,
    /// Two sessions side by side; nothing where there is one.
    pub(super) comparing: Option<Comparing>,
    /// How many rows a page is, by pane; known once drawn.
    pages: [u16; 5],
    /// The place of the evidence has yet to be scrolled to.
    pub(super) bring_into_view: bool,
    dirty: bool,
}

/// For how long it is applied before what it leaves so far is drawn: a key is never waited for longer.
const FILTER_PATIENCE: Duration = Duration::from_millis(20);

impl State {
    /// Nothing seen yet.
    pub fn new(language: Language, banner: Banner) -> Self {
        let mut flows = Flows::default();
        flows.following = banner.mode.records();
        Self {
            language,
            banner,
            counts: Counts::default(),
            problems: Vec::new(),
            reading: None,
            paused: false,
            revealed: false,
            flows,
            focus: Pane::Flows,
            below: Pane::Findings,
            zoomed: false,
            tabbed: false,
            task: Task::Browse,
            looked: Looked::default(),
            evidence: None,
            mark: None,
            step: None,
            scrolls: [0; 5],
            help_scroll: 0,
            copying: Copying::default(),
            clipboard: None,
            matrix: Matrix::default(),
            comparing: None,
            pages: [10; 5],
            bring_into_view: false,
            dirty: true,
        }
    }

    /// Two sessions side by side.
    pub fn of_comparison(language: Language, banner: Banner, compared: Compared) -> Self {
        let mut state = Self::new(language, banner);
        state.comparing = Some(Comparing::new(compared));
        state.task = state.base();
        state
    }

    /// Adds a row, or replaces the one of the same exchange (one that was running and has ended). A new row is
    /// `pending` until [`State::judge`] says otherwise.
    pub fn add(&mut self, row: Row) {
        self.looked.forget_exchange(row.id);
        self.flows.add(row);
        self.dirty = true;
    }

    /// Adds the rows of exchanges that have none yet.
    pub fn add_all(&mut self, rows: Vec<Row>) {
        self.flows.add_all(rows);
        self.dirty = true;
    }

    /// Takes over what is said of an exchange, at first or anew. Add its row before.
    pub fn judge(&mut self, judgement: &Judgement) {
        self.looked.forget_judgement();
        self.matrix.forget();
        self.flows.judge(judgement);
        self.dirty = true;
    }

    /// Takes over the numbers that the rows do not tell.
    pub fn counts(&mut self, counts: Counts) {
        self.dirty |= self.counts != counts;
        self.counts = counts;
    }

    /// What is wrong with the run now; an empty list takes everything back.
    pub fn problems(&mut self, problems: Vec<Problem>) {
        self.dirty |= self.problems != problems;
        self.problems = problems;
    }

    /// How far a saved session has been read; nothing once it was read as a whole.
    pub fn reading(&mut self, reading: Option<Reading>) {
        self.dirty |= self.reading != reading;
        self.reading = reading;
    }

    /// Whether capture is paused, where that was not decided on this screen.
    pub fn paused(&mut self, paused: bool) {
        self.dirty |= self.paused != paused;
        self.paused = paused;
    }

    /// Whether the next drawing would differ from the last.
    pub const fn is_dirty(&self) -> bool {
        self.dirty
    }

    /// Shows an exchange and what is said of it; says whether it is in the list.
    pub fn show(&mut self, id: u64) -> bool {
        let known = self.flows.select(id);
        if known {
            self.task = self.base();
            self.look_at(Pane::Findings);
            self.dirty = true;
        }
        known
    }

    /// Goes on in another language, where that was not decided on this screen.
    pub fn set_language(&mut self, language: Language) {
        self.dirty |= self.language != language;
        self.language = language;
    }

    /// Draws anew, after another screen was drawn in its place.
    pub const fn refresh(&mut self) {
        self.dirty = true;
    }

    /// The language that sentences are shown in now.
    pub const fn language(&self) -> Language {
        self.language
    }

    /// Takes one input; returns what the app has to do about it, if anything.
    pub fn input(&mut self, input: Input) -> Option<Command> {
        self.dirty = true;
        let Input::Key(event) = input else { return None };
        match keys::action(event, self.task, self.focus) {
            Some(action) => self.act(action),
            None => {
                self.type_into_filter(event);
                None
            }
        }
    }

    /// What has to be put on the clipboard now.
    pub(super) fn take_clipboard(&mut self) -> Option<String> {
        self.clipboard.take()
    }

    /// Called before each drawing: reads what is looked at, goes on with filtering.
    pub(super) fn prepare(&mut self, source: &dyn Source) {
        let began = Instant::now();
        self.dirty = loop {
            if self.flows.catch_up(source) {
                break false;
            }
            if began.elapsed() >= FILTER_PATIENCE {
                break true;
            }
        };
        if self.task == Task::Readiness {
            self.matrix.read(source);
        }
        if self.task == Task::Copy {
            self.clipboard = self.copying.read(source).or(self.clipboard.take());
        }
        let before = self.looked.id();
        self.looked.read(self.flows.selected(), source, self.language, self.revealed);
        if before != self.looked.id() {
            self.scrolls = [0; 5];
            self.evidence = None;
            self.step = None;
            self.mark.take_if(|mark| Some(mark.exchange) != self.looked.id());
        }
    }

    /// The first row of a pane on the screen, given how many rows there are and how many fit.
    pub(super) fn scroll(&mut self, pane: Pane, rows: usize, fit: u16) -> usize {
        self.pages[pane as usize] = fit;
        let scroll = &mut self.scrolls[pane as usize];
        *scroll = (*scroll).min(rows.saturating_sub(usize::from(fit)));
        *scroll
    }

    /// Scrolls a pane so that `row` is a third down from its top, if it is not on the screen already.
    pub(super) fn scroll_to(&mut self, pane: Pane, row: usize, fit: u16) {
        let scroll = &mut self.scrolls[pane as usize];
        if row < *scroll || row >= *scroll + usize::from(fit) {
            *scroll = row.saturating_sub(usize::from(fit) / 3);
        }
    }

    pub(super) fn set_page(&mut self, pane: Pane, rows: u16) {
        self.pages[pane as usize] = rows;
    }

    fn act(&mut self, action: Action) -> Option<Command> {
        match action {
            Action::Up => self.go(-1),
            Action::Down => self.go(1),
            Action::PageUp => self.go(-self.page()),
            Action::PageDown => self.go(self.page()),
            Action::Home => self.go_to_start(),
            Action::End => self.go_to_end(),
            Action::Left if self.task == Task::Compare => self.compare(|comparing| comparing.choose(Side::Good)),
            Action::Right if self.task == Task::Compare => self.compare(|comparing| comparing.choose(Side::Bad)),
            Action::Left => self.step_aside(-1),
            Action::Right => self.step_aside(1),
            Action::Enter => self.enter(),
            Action::Back => return self.back(),
            Action::NextPane | Action::PreviousPane if self.task == Task::Compare => self.compare(Comparing::turn),
            Action::NextPane => self.look_at(self.focus.next()),
            Action::PreviousPane => self.look_at(self.focus.previous()),
            Action::Zoom => self.zoomed = !self.zoomed,
            Action::Next401 => self.seek(Toward::Newer, Row::is_401),
            Action::Previous401 => self.seek(Toward::Older, Row::is_401),
            Action::NextFailure => self.seek(Toward::Newer, Row::is_failure),
            Action::PreviousFailure => self.seek(Toward::Older, Row::is_failure),
            Action::Filter => {
                self.task = Task::Filter;
                self.focus = Pane::Flows;
            }
            Action::Readiness => self.task = Task::Readiness,
            Action::FollowReadiness => self.follow_readiness(),
            Action::Copy => {
                if let Some(id) = self.flows.selected() {
                    self.copying.begin(id);
                    self.task = Task::Copy;
                }
            }
            Action::NextForm => self.copying.turn(),
            Action::KeepFilter | Action::CloseHelp | Action::CloseReadiness | Action::CloseCopy | Action::Refuse => {
                self.task = self.base();
            }
            Action::OpenSide => {
                let (side, exchange) = self.comparing.as_ref().and_then(Comparing::exchange)?;
                return Some(Command::Look(side, exchange));
            }
            Action::NextDifference => self.compare(|comparing| comparing.seek(true)),
            Action::PreviousDifference => self.compare(|comparing| comparing.seek(false)),
            Action::Compare => return matches!(self.banner.mode, Mode::Side(_)).then_some(Command::Compare),
            Action::ClearFilter => {
                self.task = Task::Browse;
                self.flows.set_filter(Filter::default());
            }
            Action::EraseFilter => {
                let mut text = self.flows.filter().text().to_owned();
                text.pop();
                self.flows.set_filter(Filter::new(&text));
            }
            Action::Help => {
                self.help_scroll = 0;
                self.task = Task::Help;
            }
            Action::Pause => return self.pause(),
            Action::Identities => {
                self.revealed = !self.revealed;
                return Some(Command::Reveal(self.revealed));
            }
            Action::Language => {
                self.language = self.language.other();
                return Some(Command::SetLanguage(self.language));
            }
            Action::Quit if self.banner.mode.is_serving() => self.task = Task::Quit,
            Action::Quit | Action::Confirm | Action::Leave => return Some(Command::Quit),
        }
        None
    }

    fn pause(&mut self) -> Option<Command> {
        if !self.banner.mode.records() {
            return None;
        }
        self.paused = !self.paused;
        Some(Command::Pause(self.paused))
    }

    fn type_into_filter(&mut self, event: KeyEvent) {
        let plain = (event.modifiers - KeyModifiers::SHIFT).is_empty();
        if let (Task::Filter, KeyCode::Char(char), true) = (self.task, event.code, plain) {
            let mut text = self.flows.filter().text().to_owned();
            text.push(char);
            self.flows.set_filter(Filter::new(&text));
        }
    }

    /// Rows of a page in the focused pane; one row of the page before stays.
    fn page(&self) -> isize {
        if self.task == Task::Readiness {
            return self.matrix.page();
        }
        if let (Task::Compare, Some(comparing)) = (self.task, &self.comparing) {
            return comparing.page();
        }
        usize::from(self.pages[self.focus as usize].saturating_sub(1).max(1)).cast_signed()
    }

    fn go(&mut self, by: isize) {
        if self.task == Task::Compare {
            self.compare(|comparing| comparing.go(by));
        } else if self.task == Task::Readiness {
            self.matrix.go(by);
        } else if self.task == Task::Copy {
            self.copying.scroll = self.copying.scroll.saturating_add_signed(by);
        } else if self.task == Task::Help {
            self.help_scroll = self.help_scroll.saturating_add_signed(by);
        } else if self.focus == Pane::Flows {
            self.flows.move_by(by);
        } else {
            let scroll = &mut self.scrolls[self.focus as usize];
            *scroll = scroll.saturating_add_signed(by);
        }
    }

    fn go_to_start(&mut self) {
        if self.task == Task::Compare {
            self.compare(|comparing| comparing.go(isize::MIN));
        } else if self.task == Task::Readiness {
            self.matrix.go(isize::MIN);
        } else if self.task == Task::Copy {
            self.copying.scroll = 0;
        } else if self.task == Task::Help {
            self.help_scroll = 0;
        } else if self.focus == Pane::Flows {
            self.flows.first();
        } else {
            self.scrolls[self.focus as usize] = 0;
        }
    }

    fn go_to_end(&mut self) {
        if self.task == Task::Compare {
            self.compare(|comparing| comparing.go(isize::MAX));
        } else if self.task == Task::Readiness {
            self.matrix.go(isize::MAX);
        } else if self.task == Task::Copy {
            self.copying.scroll = usize::MAX;
        } else if self.task == Task::Help {
            self.help_scroll = usize::MAX;
        } else if self.focus == Pane::Flows {
            self.flows.last();
        } else {
            self.scrolls[self.focus as usize] = usize::MAX;
        }
    }

    fn look_at(&mut self, pane: Pane) {
        self.focus = pane;
        if pane != Pane::Flows {
            self.below = pane;
        }
        self.bring_into_view |= self.mark.as_ref().is_some_and(|mark| pane_of(&mark.place) == pane);
    }

    fn seek(&mut self, toward: Toward, kind: fn(&Row) -> bool) {
        self.flows.seek(toward, kind);
    }

    /// The next piece of evidence or step of a handshake.
    fn step_aside(&mut self, by: isize) {
        let (chosen, count) = match self.focus {
            Pane::Handshake => (&mut self.step, self.looked.steps().count()),
            _ => (&mut self.evidence, self.looked.marks.len()),
        };
        let Some(last) = count.checked_sub(1) else { return };
        *chosen = Some(match *chosen {
            None if by < 0 => last,
            None => 0,
            Some(at) => at.saturating_add_signed(by).min(last),
        });
        if self.focus == Pane::Handshake {
            return;
        }
        self.mark_evidence();
        // In the panes of the messages the focus follows the evidence.
        if matches!(self.focus, Pane::Request | Pane::Response)
            && let Some(mark) = self.mark.as_ref().filter(|mark| Some(mark.exchange) == self.looked.id())
        {
            self.look_at(pane_of(&mark.place));
        }
    }

    /// Goes to the last exchange of the selected row.
    fn follow_readiness(&mut self) {
        let last = self.matrix.selected().map(|row| row.last.0);
        if last.is_some_and(|last| self.flows.select(last)) {
            self.task = Task::Browse;
            self.look_at(Pane::Flows);
        }
    }

    fn enter(&mut self) {
        match self.focus {
            Pane::Flows => {
                self.look_at(Pane::Findings);
                self.choose_evidence();
            }
            Pane::Handshake => {
                if let Some(id) =
                    self.step.and_then(|step| self.looked.steps().nth(step)).and_then(|step| step.exchange)
                {
                    self.flows.select(id);
                }
            }
            _ => {
                self.choose_evidence();
                if let Some(mark) = &self.mark {
                    let (pane, id) = (pane_of(&mark.place), mark.exchange);
                    if Some(id) == self.looked.id() || self.flows.select(id) {
                        self.look_at(pane);
                    }
                }
            }
        }
    }

    fn back(&mut self) -> Option<Command> {
        if self.zoomed {
            self.zoomed = false;
        } else if self.focus != Pane::Flows {
            self.focus = Pane::Flows;
        } else if !self.flows.filter().text().is_empty() {
            self.flows.set_filter(Filter::default());
        } else {
            return matches!(self.banner.mode, Mode::Side(_)).then_some(Command::Compare);
        }
        None
    }

    /// Whether an entry of the key table has a meaning here.
    pub(super) fn has(&self, entry: &Entry) -> bool {
        match (entry.when, self.banner.mode) {
            (When::Beside, mode) => matches!(mode, Mode::Side(_)),
            (When::While(Task::Compare), mode) => mode == Mode::Compare,
            (_, mode) => mode.records() || entry.keys.iter().all(|(_, action)| *action != Action::Pause),
        }
    }

    /// What is done where nothing is asked or laid over it.
    const fn base(&self) -> Task {
        if self.comparing.is_some() { Task::Compare } else { Task::Browse }
    }

    fn compare(&mut self, act: impl FnMut(&mut Comparing)) {
        self.comparing.iter_mut().for_each(act);
    }

    /// Selects the first piece of evidence where none is.
    fn choose_evidence(&mut self) {
        if self.evidence.is_none() && !self.looked.marks.is_empty() {
            self.evidence = Some(0);
        }
        self.mark_evidence();
    }

    fn mark_evidence(&mut self) {
        self.mark = self.evidence.and_then(|at| self.looked.marks.get(at)).cloned();
        self.bring_into_view = true;
    }
}
