//! `authtap diagnose`: folds saved exchanges and says what came of it.

use std::collections::{HashMap, HashSet};
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::input::{self, Folds, Input};
use super::numbers::Numbers;
use super::onlooker::{Onlooker, Then, unless_ended};
use super::output::Output;
use super::proof::{self, Found, Sieve};
use super::recent::Recent;
use super::shelved::Shelved;
use super::{Exit, Fault, Page, warn};
use crate::diagnosis::{Entries, Handshake, Judgement, Readiness, Verdict};
use crate::exchange::{Exchange, Head};
use crate::redact::{Clean, Redactor};
use crate::report::json::{Document, Entry, Known};
use crate::report::sanitizing::{Sanitizing, Source};
use crate::report::{html, markdown, text};
use crate::session::kind::Kind;
use crate::session::{Opening, Progress, Recorded, SessionError, Stated};
use crate::text::{Language, Text};

pub(super) fn diagnose(sources: &[PathBuf], page: Page, language: Language) -> Result<Exit, Fault> {
    let mut sum = Sum::default();
    let progress = Progress::default();
    let waits = sources.iter().any(|source| source == Path::new(input::STANDARD));
    let onlooker = Onlooker::new(&progress, Then::Diagnose, waits, language)?;
    let read = sum.read(sources, &progress, language);
    let mut heard = onlooker.leave();
    // What follows is ended as the system ends programs.
    heard.signals = None;
    if let Err(fault) = read {
        return unless_ended(Err(fault), language);
    }
    // A stable sort would take half as much room again.
    sum.exchanges.sort_unstable_by_key(|entry| entry.id);
    for gap in &sum.gaps {
        warn(&Fault::from(gap.clone()).message(language));
    }
    for source in &sum.unread {
        let nothing = Text {
            en: "{source}: nothing was recognised in this text. Paste the response of the server, at best from its status \
                 line on (HTTP/1.1 401 ...), or its header lines, or the error message",
            ja: "{source}: このテキストからは何も読み取れませんでした。サーバーの応答をできればステータス行 (HTTP/1.1 401 …) から、\
                 またはヘッダー行かエラー メッセージを貼り付けてください",
        };
        warn(&nothing.fill(language, &[("source", text::source_name(source, language))]));
    }
    let found = sum.write(page, language, Output::standard())?;
    if let Some(alarm) = proof::alarm(&found, language) {
        warn(&alarm);
        return Ok(Exit::Refused);
    }
    Ok(sum.exit())
}

/// What all sources came to.
#[derive(Default)]
pub(super) struct Sum {
    names: Vec<String>,
    exchanges: Vec<Entry>,
    /// Where in `exchanges` each number stands.
    places: Places,
    /// Addresses that repeat are kept once.
    urls: HashSet<Clean>,
    findings: Entries,
    /// Whole exchanges, for findings that come later.
    recent: Recent,
    handshakes: Vec<Handshake>,
    readiness: Vec<Readiness>,
    /// Parts of sources that could not be read.
    gaps: Vec<SessionError>,
    /// Pasted texts in which nothing was recognised.
    unread: Vec<String>,
    /// The highest number so far.
    last: u64,
    /// What was met of secrets, a source each.
    nets: Vec<Redactor>,
    sanitizing: Sanitizing,
}

impl Sum {
    /// Files are read as they are; several become one view in the order of time, with what was pasted behind them.
    pub(super) fn read(&mut self, sources: &[PathBuf], progress: &Progress, language: Language) -> Result<(), Fault> {
        self.names = sources.iter().map(|source| name(source)).collect();
        let (texts, files) =
            if sources.len() > 1 { pasted_and_files(sources)? } else { (sources.to_vec(), Vec::new()) };
        let shelved = |file: &PathBuf| Shelved::of(file, Redactor::with_net(), progress, language);
        let sessions = files.iter().map(shelved).collect::<Result<Vec<_>, _>>()?;
        let numbers = Numbers::of(&sessions);
        if !sessions.is_empty() {
            progress.begin_anew();
            progress.expect(sessions.iter().map(Shelved::len).sum());
        }
        for (at, shelved) in sessions.iter().enumerate() {
            let mut gaps = Vec::new();
            let numbered =
                shelved.exchanges(&mut gaps).take_while(|_| !progress.is_cancelled()).filter_map(|recorded| {
                    progress.advance(1);
                    let id = numbers.shown(at, recorded.exchange.id)?;
                    Some(Recorded { exchange: Exchange { id, ..recorded.exchange }, ..recorded })
                });
            self.fold(0, numbered);
            self.gaps.append(&mut gaps);
            self.nets.push(shelved.redactor().clone());
            let kind = files.get(at).and_then(|file| Kind::of_file(file).ok());
            self.note(files.get(at).map_or_else(String::new, |file| name(file)), kind, shelved.stated());
        }
        texts.iter().try_for_each(|source| self.read_one(source, progress, language))?;
        self.nets.iter().for_each(|net| self.sanitizing.met.add(&net.met()));
        if progress.is_cancelled() { Err(SessionError::Cancelled.into()) } else { Ok(()) }
    }

    fn read_one(&mut self, source: &Path, progress: &Progress, language: Language) -> Result<(), Fault> {
        let redactor = Redactor::with_net();
        self.nets.push(redactor.clone());
        let opening = Opening {
            redactor: &redactor,
            password: &|path| input::password(path, language),
            progress: progress.clone(),
        };
        let mut input = Input::open(source, &opening)?;
        if input.is_nothing() {
            self.unread.push(name(source));
        }
        let mut gaps = Vec::new();
        self.fold(self.last, input.exchanges(&mut gaps));
        self.gaps.append(&mut gaps);
        self.note(name(source), input.kind(), input.stated());
        Ok(())
    }

    fn note(&mut self, name: String, kind: Option<Kind>, stated: Option<&Stated>) {
        self.sanitizing.sources.push(Source { name, kind, stated: stated.cloned() });
    }

    /// `offset` is added to the numbers.
    fn fold(&mut self, offset: u64, recorded: impl Iterator<Item = Recorded>) {
        let mut folds = Folds::default();
        for Recorded { origin, mut exchange } in recorded {
            exchange.id += offset;
            self.last = self.last.max(exchange.id);
            self.sanitizing.stripped += stripped(&exchange);
            let observed = folds.observe(&origin, &exchange);
            self.places.insert(exchange.id, self.exchanges.len());
            let mut entry = Entry::new(&exchange, &observed.judgement);
            self.share(&mut entry);
            self.exchanges.push(entry);
            self.findings.add(&observed.judgement, Some(&exchange));
            self.recent.keep(Arc::new(exchange));
            self.revise(&observed.revised);
        }
        let folded = folds.finish();
        self.revise(&folded.revised);
        self.handshakes.extend(folded.handshakes);
        Readiness::merge(&mut self.readiness, folded.readiness);
    }

    fn share(&mut self, entry: &mut Entry) {
        const REMEMBERED: usize = 10_000;
        let Some(url) = &entry.url else { return };
        match self.urls.get(url) {
            Some(known) => entry.url = Some(known.clone()),
            None if self.urls.len() < REMEMBERED => {
                self.urls.insert(url.clone());
            }
            None => {}
        }
    }

    fn revise(&mut self, revised: &[Judgement]) {
        for judgement in revised {
            let place = self.places.get(judgement.exchange);
            if let Some(entry) = place.and_then(|place| self.exchanges.get_mut(place)) {
                entry.revise(judgement);
            }
            self.findings.add(judgement, self.recent.exchange(judgement.exchange).as_deref());
        }
    }

    fn exit(&self) -> Exit {
        if self.exchanges.iter().any(|entry| entry.verdict == Verdict::Failure) {
            Exit::Failures
        } else if !self.gaps.is_empty() {
            Exit::Usage
        } else {
            Exit::Done
        }
    }

    /// Writes what is said of all sources. It goes into tickets: secrets that were met are looked for in it, masked, and
    /// given back.
    pub(super) fn write(&self, page: Page, language: Language, mut output: Output) -> Result<Found, Fault> {
        let list = self.findings.list();
        let known = |sanitizing| Known {
            sources: &self.names,
            exchanges: &self.exchanges,
            findings: &list,
            handshakes: &self.handshakes,
            readiness: &self.readiness,
            sanitizing,
        };
        let write = match page {
            Page::Text => text::diagnosis,
            Page::Markdown => markdown::diagnosis,
            Page::Html => html::diagnosis,
            Page::Json => {
                let mut sieve = Sieve::new(&mut output, &self.nets);
                let written =
                    serde_json::to_writer_pretty(&mut sieve, &Document::new(&known(&self.sanitizing), language));
                written.map_err(|error| Fault::Output(error.into()))?;
                let found = sieve.finish().map_err(Fault::Output)?;
                output.flush().map_err(Fault::Output)?;
                return Ok(found);
            }
        };
        let mut whole = write(&known(&self.sanitizing), language);
        let found = proof::look(&whole, &self.nets);
        if !found.is_empty() {
            let sanitizing = Sanitizing { found: found.by_class(), ..self.sanitizing.clone() };
            whole = proof::masked(write(&known(&sanitizing), language), &self.nets);
        }
        output.page(&whole)?;
        Ok(found)
    }
}

/// How many of its messages came without their credentials.
fn stripped(exchange: &Exchange) -> u64 {
    let response = exchange.response.seen().map(|response| &response.message);
    let messages = [exchange.request.seen(), response].into_iter().flatten();
    messages.map(|message| u64::from(message.head == Head::Stripped)).sum()
}

/// Where each number stands: numbers follow each other, so that a block of them takes little more than the places.
#[derive(Default)]
struct Places(HashMap<u64, [u32; Places::BLOCK]>);

impl Places {
    const BLOCK: usize = 64;
    const NOWHERE: u32 = u32::MAX;

    fn insert(&mut self, number: u64, place: usize) {
        let (block, at) = Self::split(number);
        let block = self.0.entry(block).or_insert([Self::NOWHERE; Self::BLOCK]);
        block[at] = u32::try_from(place).unwrap_or(Self::NOWHERE);
    }

    fn get(&self, number: u64) -> Option<usize> {
        let (block, at) = Self::split(number);
        let place = *self.0.get(&block)?.get(at)?;
        (place != Self::NOWHERE).then_some(place as usize)
    }

    const fn split(number: u64) -> (u64, usize) {
        (number / Self::BLOCK as u64, (number % Self::BLOCK as u64) as usize)
    }
}

/// The sources that are read from their beginning to their end, and the files that can be looked into.
fn pasted_and_files(sources: &[PathBuf]) -> Result<(Vec<PathBuf>, Vec<PathBuf>), Fault> {
    let (mut texts, mut files) = (Vec::new(), Vec::new());
    for source in sources {
        let is_text = source == Path::new(input::STANDARD) || input::is_text(source)?;
        if is_text { &mut texts } else { &mut files }.push(source.clone());
    }
    Ok((texts, files))
}

/// What a source is called in a diagnosis: a folder may be named after a person.
pub(super) fn name(source: &Path) -> String {
    source.file_name().unwrap_or(source.as_os_str()).to_string_lossy().into_owned()
}
