//! `authtap open`: saved sessions on the terminal screen, several of them as one.
//!
//! The screen comes first: a long session is listed and then judged bit by bit between two drawings, and nothing of it
//! is held but a row of each exchange and what is said of those that are not fine.

use std::collections::HashSet;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};

use super::input::Folds;
use super::judgements::Judgements;
use super::numbers::Numbers;
use super::onlooker::{Heard, Onlooker, Then, unless_ended};
use super::screen::copied;
use super::shelved::Shelved;
use super::{Exit, Fault, warn};
use crate::diagnosis::{Handshake, Judgement, Readiness};
use crate::exchange::Exchange;
use crate::redact::{Clean, Redactor};
use crate::session::{Outline, Progress, Recorded, SessionError};
use crate::text::{Language, Text};
use crate::tui::{self, Banner, Command, CopyForm, Problem, Row, Screen, ScreenError, Source, State};

/// How long is waited for keys while there is nothing to do.
pub(super) const TICK: Duration = Duration::from_millis(100);
/// The same while something is left to draw.
pub(super) const SOON: Duration = Duration::from_millis(10);
/// For how long is read between two looks at the keyboard.
pub(super) const TURN: Duration = Duration::from_millis(20);
/// How many exchanges are listed at a time.
const BATCH: usize = 2_000;
/// The same where several sessions are merged: each batch is sorted in between those that are there.
const MERGED_BATCH: usize = 50_000;

pub(super) fn open(files: &[PathBuf], language: Language) -> Result<Exit, Fault> {
    let names: Vec<_> = files.iter().map(|file| file.display().to_string()).collect();
    let (sessions, heard) = shelve(files, language)?;
    let sessions = match sessions {
        Ok(sessions) => sessions,
        Err(fault) => return unless_ended(Err(fault), language),
    };
    let banner = Banner {
        identities: sessions.iter().map(Shelved::identities).max().unwrap_or_default(),
        ..Banner::of_saved(names.join(", "))
    };
    let numbers = Numbers::of(&sessions);
    let asked_to_end = || heard.signals.as_ref().is_some_and(|signals| signals.wait(Duration::ZERO));
    let mut screen = Screen::open().map_err(|error| match error {
        ScreenError::NoTerminal => Fault::NoTerminalToOpen,
        other => other.into(),
    })?;
    let mut state = State::new(language, banner);
    let mut shelf = Shelf::new(&sessions, &numbers);
    let mut reading = Reading::new(&sessions, &numbers);
    while !asked_to_end() {
        let patience = if reading.goes_on(&mut shelf, &mut state, Instant::now() + TURN) {
            Duration::ZERO
        } else if state.is_dirty() {
            SOON
        } else {
            TICK
        };
        screen.draw(&mut state, &shelf)?;
        let inputs = screen.poll(patience)?;
        if inputs.into_iter().any(|input| state.input(input) == Some(Command::Quit)) {
            break;
        }
    }
    drop(screen);
    for gap in reading.gaps {
        warn(&Fault::from(gap).message(language));
    }
    Ok(Exit::Done)
}

/// Opens all files. Files of other programs are read for that, which may take a while: a bar says how far it is.
fn shelve(files: &[PathBuf], language: Language) -> Result<(Result<Vec<Shelved>, Fault>, Heard), Fault> {
    let progress = Progress::default();
    let onlooker = Onlooker::new(&progress, Then::Diagnose, false, language)?;
    let sessions = files.iter().map(|file| Shelved::of(file, Redactor::new(), &progress, language)).collect();
    Ok((sessions, onlooker.leave()))
}

/// The sessions that are looked at.
pub(super) struct Shelf<'a> {
    sessions: &'a [Shelved],
    numbers: &'a Numbers,
    judgements: Judgements,
    /// Over the session that is being judged.
    folds: Folds,
    handshakes: Vec<Handshake>,
    readiness: Vec<Readiness>,
}

impl<'a> Shelf<'a> {
    pub(super) fn new(sessions: &'a [Shelved], numbers: &'a Numbers) -> Self {
        Self {
            sessions,
            numbers,
            judgements: Judgements::default(),
            folds: Folds::default(),
            handshakes: Vec::new(),
            readiness: Vec::new(),
        }
    }

    fn judge(&mut self, Recorded { origin, mut exchange }: Recorded, number: u64, state: &mut State) {
        exchange.id = number;
        let observed = self.folds.observe(&origin, &exchange);
        self.say(observed.judgement, state);
        observed.revised.into_iter().for_each(|judgement| self.say(judgement, state));
    }

    /// The session that is being judged is over.
    fn end(&mut self, state: &mut State) {
        let folded = std::mem::take(&mut self.folds).finish();
        folded.revised.into_iter().for_each(|judgement| self.say(judgement, state));
        self.handshakes.extend(folded.handshakes);
        Readiness::merge(&mut self.readiness, folded.readiness);
    }

    fn say(&mut self, judgement: Judgement, state: &mut State) {
        state.judge(&judgement);
        self.judgements.keep(judgement);
    }
}

impl Source for Shelf<'_> {
    fn exchange(&self, id: u64) -> Option<Arc<Exchange>> {
        let (at, recorded) = self.numbers.recorded(id)?;
        let mut exchange = self.sessions.get(at)?.exchange(recorded)?;
        exchange.id = id;
        Some(Arc::new(exchange))
    }

    fn judgement(&self, id: u64) -> Option<Judgement> {
        self.judgements.of(id)
    }

    fn handshakes(&self, id: u64) -> Vec<Handshake> {
        let over = self.handshakes.iter().filter(|handshake| handshake.has_step(id)).cloned();
        over.chain(self.folds.handshakes_of(id)).collect()
    }

    fn readiness(&self) -> Vec<Readiness> {
        let mut readiness = self.readiness.clone();
        Readiness::merge(&mut readiness, self.folds.readiness());
        readiness
    }

    fn snippet(&self, id: u64, form: CopyForm) -> Option<String> {
        copied(&*self.exchange(id)?, form)
    }

    fn holding(&self, ids: &[u64], part: &str) -> HashSet<u64> {
        let holds = |id: &u64| {
            let place = self.numbers.recorded(*id);
            place.is_some_and(|(at, id)| self.sessions.get(at).is_some_and(|shelved| shelved.holds(id, part)))
        };
        ids.iter().copied().filter(holds).collect()
    }

    fn reveal(&self, id: u64, text: &Clean) -> String {
        let revealed = self.numbers.recorded(id).and_then(|(at, recorded)| {
            let shelved = self.sessions.get(at)?;
            Some(shelved.reveal(recorded, text))
        });
        revealed.unwrap_or_else(|| text.as_str().to_owned())
    }
}

/// The reading of all sessions: each is listed, then each is judged.
pub(super) struct Reading<'a> {
    sessions: &'a [Shelved],
    numbers: &'a Numbers,
    stage: Stage<'a>,
    /// Exchanges of all sessions.
    all: u64,
    /// How many of them the stage has dealt with.
    done: u64,
    /// What cannot be read.
    gaps: Vec<SessionError>,
}

/// What is being done, and with which session.
enum Stage<'a> {
    List(usize, Box<dyn Iterator<Item = Outline> + 'a>),
    Judge(usize, Box<dyn Iterator<Item = Result<Recorded, SessionError>> + 'a>),
    Over,
}

impl<'a> Reading<'a> {
    pub(super) fn new(sessions: &'a [Shelved], numbers: &'a Numbers) -> Self {
        let all = sessions.iter().map(Shelved::len).sum();
        let mut reading = Self { sessions, numbers, stage: Stage::Over, all, done: 0, gaps: Vec::new() };
        reading.stage = reading.list(0);
        reading
    }

    /// Reads until `until`; says whether anything is left.
    pub(super) fn goes_on(&mut self, shelf: &mut Shelf<'_>, state: &mut State, until: Instant) -> bool {
        while self.step(shelf, state) {
            if Instant::now() >= until {
                state.reading(self.progress());
                return true;
            }
        }
        state.reading(None);
        false
    }

    /// Deals with some exchanges; says whether there may be more.
    fn step(&mut self, shelf: &mut Shelf<'_>, state: &mut State) -> bool {
        match &mut self.stage {
            Stage::Over => return false,
            Stage::List(at, outlines) => {
                let (at, numbers) = (*at, self.numbers);
                let batch = if self.sessions.len() > 1 { MERGED_BATCH } else { BATCH };
                let number = |outline: Outline| Some((numbers.shown(at, outline.id)?, outline));
                let rows: Vec<_> = outlines
                    .take(batch)
                    .filter_map(number)
                    .map(|(number, outline)| Row::outlined(&outline).numbered(number))
                    .collect();
                self.done += rows.len() as u64;
                let is_over = rows.is_empty();
                state.add_all(rows);
                if is_over {
                    self.stage = self.list(at + 1);
                }
            }
            Stage::Judge(at, exchanges) => {
                let at = *at;
                match exchanges.next() {
                    Some(Ok(recorded)) => {
                        self.done += 1;
                        if let Some(number) = self.numbers.shown(at, recorded.exchange.id) {
                            shelf.judge(recorded, number, state);
                        }
                    }
                    Some(Err(gap)) => {
                        self.gaps.push(gap);
                        state.problems(vec![problem(self.gaps.len())]);
                    }
                    None => {
                        shelf.end(state);
                        self.stage = self.judge(at + 1);
                    }
                }
            }
        }
        true
    }

    fn list(&mut self, at: usize) -> Stage<'a> {
        match self.sessions.get(at) {
            Some(shelved) => Stage::List(at, Box::new(shelved.outlines())),
            None => {
                self.done = 0;
                self.judge(0)
            }
        }
    }

    fn judge(&self, at: usize) -> Stage<'a> {
        self.sessions.get(at).map_or(Stage::Over, |shelved| Stage::Judge(at, Box::new(shelved.recorded())))
    }

    fn progress(&self) -> Option<tui::Reading> {
        let percent = u8::try_from((self.done * 100).checked_div(self.all).unwrap_or(100).min(100)).unwrap_or(100);
        match self.stage {
            Stage::List(..) => Some(tui::Reading::Listed(percent)),
            Stage::Judge(..) => Some(tui::Reading::Judged(percent)),
            Stage::Over => None,
        }
    }
}

fn problem(gaps: usize) -> Problem {
    let words = Text {
        en: "Not all could be read: {gaps} places, which are named when this screen is closed",
        ja: "読み取れない箇所が {gaps} か所あります。内容はこの画面を閉じると表示されます",
    };
    Problem { words, names: vec![("gaps", gaps.into())] }
}

/// Reads all of `files`, and has somebody look at them.
#[cfg(test)]
pub(super) fn look(
    files: &[PathBuf],
    state: &mut State,
    looked: impl FnOnce(&mut State, &dyn Source),
) -> Result<(), Fault> {
    let sessions = shelve(files, Language::En)?.0?;
    let numbers = Numbers::of(&sessions);
    let mut shelf = Shelf::new(&sessions, &numbers);
    let mut reading = Reading::new(&sessions, &numbers);
    while reading.goes_on(&mut shelf, state, Instant::now() + TURN) {}
    looked(state, &shelf);
    Ok(())
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::disallowed_methods)]
mod tests {
    use super::*;
    use crate::exchange::{Ids, Timestamp};
    use crate::redact::Redactor;
    use crate::session::{self, Writer, paste};
    use crate::tui::Identities;

    /// How a recording is begun.
    type Begin = fn(&std::path::Path, session::Mode, &Redactor) -> Result<Writer, SessionError>;

    /// Reads all, and gives what cannot be read.
    fn read(shelf: &mut Shelf<'_>, state: &mut State) -> Vec<SessionError> {
        let mut reading = Reading::new(shelf.sessions, shelf.numbers);
        // Each turn does something, however short it is.
        while reading.goes_on(shelf, state, Instant::now()) {}
        reading.gaps
    }

    #[test]
    fn several_sessions_are_one_view_in_the_order_of_time() {
        let folder = tempfile::tempdir().unwrap();
        let file = |name: &str, times: [i64; 2]| {
            let path = folder.path().join(name);
            let redactor = Redactor::new();
            let writer = Writer::begin(&path, session::Mode::Forward, &redactor).unwrap();
            let ids = Ids::default();
            for time in times {
                let text =
                    format!("GET /{name}/{time} HTTP/1.1\r\nHost: mail.contoso.com\r\n\r\nHTTP/1.1 200 OK\r\n\r\n");
                for exchange in paste::read(text.as_bytes(), &redactor, &ids, Timestamp(time)) {
                    writer.append(Arc::new(exchange));
                }
            }
            path
        };
        let files = [file("a", [10, 40]), file("b", [20, 30])];
        let banner = Banner::of_saved(String::new());
        let mut state = State::new(Language::En, banner);
        let sessions = shelve(&files, Language::En).unwrap().0.unwrap();
        let numbers = Numbers::of(&sessions);
        let mut shelf = Shelf::new(&sessions, &numbers);
        assert!(read(&mut shelf, &mut state).is_empty());
        let path =
            |id| shelf.exchange(id).map(|exchange| (exchange.id, exchange.url.as_ref().unwrap().path().to_owned()));
        let expected = [(1, "/a/10"), (2, "/b/20"), (3, "/b/30"), (4, "/a/40")];
        assert_eq!((1..=4).filter_map(path).collect::<Vec<_>>(), expected.map(|(id, path)| (id, path.to_owned())));
        assert!(path(0).is_none() && path(5).is_none());
        assert!((1..=4).all(|id| shelf.judgement(id).is_some()));
        let alone = Shelf::new(&sessions[1..], &Numbers::Own);
        assert_eq!(alone.exchange(2).unwrap().started, Timestamp(30));
    }

    #[test]
    fn each_of_several_sessions_has_its_own_people() {
        let folder = tempfile::tempdir().unwrap();
        let file = |name: &str, begin: Begin, time: i64| {
            let path = folder.path().join(name);
            let redactor = Redactor::new();
            let writer = begin(&path, session::Mode::Forward, &redactor).unwrap();
            let text = format!("GET /?User={name}%40contoso.com HTTP/1.1\r\nHost: mail.contoso.com\r\n\r\n");
            // Not as pasted text: that is of somebody who has seen the names.
            let url = redactor.wire().url(format!("https://mail.contoso.com/?User={name}%40contoso.com").as_bytes());
            for exchange in paste::read(text.as_bytes(), &Redactor::new(), &Ids::default(), Timestamp(time)) {
                writer.append(Arc::new(Exchange { url: Some(url.clone()), ..exchange }));
            }
            path
        };
        let har = folder.path().join("casey.har");
        let entry = "{\"startedDateTime\":\"2026-11-22T09:00:00Z\",\"time\":1,\"request\":{\"method\":\"GET\",\"url\":\
             \"https://mail.contoso.com/?User=casey%40contoso.com\",\"headers\":[]},\"response\":{\"status\":200,\"headers\":[]}}";
        std::fs::write(&har, format!("{{\"log\":{{\"entries\":[{entry}]}}}}")).unwrap();
        let keeping: Begin = Writer::begin_with_identities;
        let files = [file("avery", keeping, 1), file("blake", keeping, 2), file("drew", Writer::begin, 3), har];
        let sessions = shelve(&files, Language::En).unwrap().0.unwrap();
        let identities = [Identities::InFile, Identities::InFile, Identities::Unknown, Identities::InMemory];
        assert_eq!(sessions.iter().map(Shelved::identities).collect::<Vec<_>>(), identities);
        let numbers = Numbers::of(&sessions);
        let shelf = Shelf::new(&sessions, &numbers);
        let shown = |id| {
            let exchange = shelf.exchange(id).unwrap();
            let url = exchange.url.as_ref().unwrap().text();
            (url.as_str().to_owned(), shelf.reveal(id, url))
        };
        for (id, name) in [(1, "avery"), (2, "blake"), (3, "user%231"), (4, "casey")] {
            let url = |user: &str| format!("https://mail.contoso.com/?User={user}@contoso.com");
            assert_eq!(shown(id), (url("user%231"), url(name)));
        }
    }

    #[test]
    fn an_archive_is_looked_at_like_a_session() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("trace.har");
        let entry = |second: u32, time: u32, path: &str| {
            format!(
                "{{\"startedDateTime\":\"2026-11-22T09:00:0{second}Z\",\"time\":{time},\"connection\":\"{path}\",\"request\":\
                 {{\"method\":\"GET\",\"url\":\"https://mail.contoso.com/{path}\",\"headers\":[]}},\"response\":\
                 {{\"status\":200,\"headers\":[]}}}}"
            )
        };
        let entries = [entry(1, 5000, "poll"), entry(2, 10, "a"), "7".to_owned()].join(",");
        std::fs::write(&path, format!("{{\"log\":{{\"entries\":[{entries}]}}}}")).unwrap();
        let banner = Banner::of_saved(String::new());
        let mut state = State::new(Language::En, banner);
        let sessions = shelve(&[path], Language::En).unwrap().0.unwrap();
        let mut shelf = Shelf::new(&sessions, &Numbers::Own);
        assert!(matches!(read(&mut shelf, &mut state)[..], [SessionError::BadEntry { number: 3, .. }]));
        let path = |id| shelf.exchange(id).map(|exchange| exchange.url.as_ref().unwrap().path().to_owned());
        assert_eq!([1, 2, 3].map(path), [Some("/poll".to_owned()), Some("/a".to_owned()), None]);
        assert!((1..=2).all(|id| shelf.judgement(id).is_some()));
    }
}
