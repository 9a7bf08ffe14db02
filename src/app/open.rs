//! `authtap open`: saved sessions on the terminal screen, several of them as one.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use super::input::Folds;
use super::judgements::Judgements;
use super::numbers::Numbers;
use super::shelved::Shelved;
use super::{Exit, Fault, capture, signals::Signals, warn};
use crate::diagnosis::{Handshake, Judgement, Readiness};
use crate::exchange::Exchange;
use crate::redact::Clean;
use crate::session::{Progress, Recorded, SessionError};
use crate::text::Language;
use crate::tui::{Banner, Command, Mode, Row, Screen, ScreenError, Source, State};

/// How often the screen is drawn while somebody looks.
const TICK: Duration = Duration::from_millis(100);

pub(super) fn open(files: &[PathBuf], language: Language) -> Result<Exit, Fault> {
    let names: Vec<_> = files.iter().map(|file| file.display().to_string()).collect();
    let banner = Banner {
        mode: Mode::Open,
        addresses: Vec::new(),
        ca: None,
        session: Some(names.join(", ")),
        upstream_proxy: None,
    };
    let mut state = State::new(language, banner);
    let mut shelf = Shelf::of(files, language)?;
    for gap in shelf.read(&mut state) {
        warn(&Fault::from(gap).message(language));
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

/// The sessions that are looked at.
pub(super) struct Shelf {
    sessions: Vec<Shelved>,
    numbers: Numbers,
    judgements: Judgements,
    handshakes: Vec<Handshake>,
    readiness: Vec<Readiness>,
}

impl Shelf {
    pub(super) fn of(files: &[PathBuf], language: Language) -> Result<Self, Fault> {
        let shelved = |file: &PathBuf| Shelved::of(file, &Progress::default(), language);
        let sessions = files.iter().map(shelved).collect::<Result<Vec<_>, _>>()?;
        let numbers = Numbers::of(&sessions);
        Ok(Self { sessions, numbers, judgements: Judgements::default(), handshakes: Vec::new(), readiness: Vec::new() })
    }

    /// Has all exchanges judged and listed; gives what cannot be read.
    pub(super) fn read(&mut self, state: &mut State) -> Vec<SessionError> {
        let mut gaps = Vec::new();
        let sessions = std::mem::take(&mut self.sessions);
        for (at, shelved) in sessions.iter().enumerate() {
            let mut folds = Folds::default();
            for Recorded { origin, mut exchange } in shelved.exchanges(&mut gaps) {
                let Some(number) = self.numbers.shown(at, exchange.id) else { continue };
                exchange.id = number;
                let observed = folds.observe(&origin, &exchange);
                state.add(Row::of(&exchange));
                self.judge(observed.judgement, state);
                observed.revised.into_iter().for_each(|judgement| self.judge(judgement, state));
            }
            let folded = folds.finish();
            folded.revised.into_iter().for_each(|judgement| self.judge(judgement, state));
            self.handshakes.extend(folded.handshakes);
            Readiness::merge(&mut self.readiness, folded.readiness);
        }
        self.sessions = sessions;
        gaps
    }

    fn judge(&mut self, judgement: Judgement, state: &mut State) {
        state.judge(&judgement);
        self.judgements.keep(judgement);
    }
}

impl Source for Shelf {
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
        let is_step = |handshake: &&Handshake| handshake.steps.iter().any(|step| step.exchange == Some(id));
        self.handshakes.iter().filter(is_step).cloned().collect()
    }

    fn readiness(&self) -> Vec<Readiness> {
        self.readiness.clone()
    }

    fn reveal(&self, text: &Clean) -> String {
        self.sessions.last().map_or_else(|| text.as_str().to_owned(), |shelved| shelved.reveal(text))
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::disallowed_methods)]
mod tests {
    use super::*;
    use crate::exchange::{Ids, Timestamp};
    use crate::redact::Redactor;
    use crate::session::{self, Writer, paste};

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
        let banner = Banner { mode: Mode::Open, addresses: Vec::new(), ca: None, session: None, upstream_proxy: None };
        let mut state = State::new(Language::En, banner);
        let mut shelf = Shelf::of(&files, Language::En).unwrap();
        assert!(shelf.read(&mut state).is_empty());
        let path =
            |id| shelf.exchange(id).map(|exchange| (exchange.id, exchange.url.as_ref().unwrap().path().to_owned()));
        let expected = [(1, "/a/10"), (2, "/b/20"), (3, "/b/30"), (4, "/a/40")];
        assert_eq!((1..=4).filter_map(path).collect::<Vec<_>>(), expected.map(|(id, path)| (id, path.to_owned())));
        assert!(path(0).is_none() && path(5).is_none());
        assert!((1..=4).all(|id| shelf.judgement(id).is_some()));
        let alone = Shelf::of(&files[1..], Language::En).unwrap();
        assert_eq!(alone.exchange(2).unwrap().started, Timestamp(30));
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
        let banner = Banner { mode: Mode::Open, addresses: Vec::new(), ca: None, session: None, upstream_proxy: None };
        let mut state = State::new(Language::En, banner);
        let mut shelf = Shelf::of(&[path], Language::En).unwrap();
        assert!(matches!(shelf.read(&mut state)[..], [SessionError::BadEntry { number: 3, .. }]));
        let path = |id| shelf.exchange(id).map(|exchange| exchange.url.as_ref().unwrap().path().to_owned());
        assert_eq!([1, 2, 3].map(path), [Some("/poll".to_owned()), Some("/a".to_owned()), None]);
        assert!((1..=2).all(|id| shelf.judgement(id).is_some()));
    }
}
