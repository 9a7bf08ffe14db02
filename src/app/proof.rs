//! What is stated of a file that was written to be given away: that it says the same as its source, and that nothing that
//! was met as a secret stands in it.

use std::collections::{BTreeMap, HashSet};
use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::io::{self, Write};
use std::path::Path;
use std::thread;

use zeroize::Zeroizing;

use super::Fault;
use super::input::Folds;
use crate::diagnosis::{Finding, Judgement};
use crate::redact::{Class, Hit, Redactor};
use crate::session::{self, Opening, Progress, Reader, Recorded, SessionError};
use crate::text::{Language, Text};

/// What is said of a session in the end, in so far as it can be compared: how often each finding, and a digest of what
/// is said of which exchange.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Said {
    pub(super) findings: BTreeMap<&'static str, u64>,
    digest: u64,
}

impl Said {
    pub(super) fn count(&self) -> u64 {
        self.findings.values().sum()
    }

    fn note(&mut self, judgement: &Judgement) {
        let ids: Vec<_> = judgement.findings.iter().map(Finding::id).collect();
        for id in &ids {
            *self.findings.entry(id).or_default() += 1;
        }
        // Labels and numbers differ from file to file; verdicts and findings must not.
        let mut digest = DefaultHasher::new();
        (self.digest, judgement.verdict.code(), ids).hash(&mut digest);
        self.digest = digest.finish();
    }
}

/// Judges exchanges as they come.
#[derive(Default)]
pub(super) struct Judge {
    folds: Folds,
    said: Said,
}

impl Judge {
    pub(super) fn observe(&mut self, recorded: &Recorded) {
        let observed = self.folds.observe(&recorded.origin, &recorded.exchange);
        self.said.note(&observed.judgement);
        observed.revised.iter().for_each(|judgement| self.said.note(judgement));
    }

    pub(super) fn finish(mut self) -> Said {
        self.folds.finish().revised.iter().for_each(|judgement| self.said.note(judgement));
        self.said
    }
}

/// The secrets that `net` met and that stand in the file at `path`, which is still a draft, and what is said of it. It is
/// searched while it is read again.
pub(super) fn of(
    path: &Path,
    password: Option<&Zeroizing<String>>,
    net: &Redactor,
    progress: &Progress,
) -> Result<(Found, Said), Fault> {
    thread::scope(|scope| {
        let searching = scope.spawn(|| search(path, password, net, progress));
        let said = read_again(path, password, progress);
        let found = searching.join().unwrap_or(Err(Fault::Ours));
        Ok((found?, said?))
    })
}

/// What is said of the file at `path`.
fn read_again(path: &Path, password: Option<&Zeroizing<String>>, progress: &Progress) -> Result<Said, Fault> {
    let redactor = Redactor::new();
    progress.begin_anew();
    let opening = Opening { redactor: &redactor, password: &|_| password.cloned(), progress: progress.clone() };
    let reader = Reader::open(path, &opening)?;
    let mut judge = Judge::default();
    for recorded in reader.exchanges() {
        judge.observe(&recorded?);
    }
    Ok(judge.finish())
}

/// Secrets that stood where none should.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Found {
    /// Each by its source, its class and its number.
    secrets: HashSet<(usize, Class, u32)>,
    /// The first places, one for each secret and exchange.
    pub(super) places: Vec<Spot>,
}

/// Where one stood.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Spot {
    pub(super) class: Class,
    /// Its place in the order of the file, from 1; its number once that is known.
    pub(super) exchange: Option<u64>,
    pub(super) part: String,
}

/// So many places are named.
const NAMED: usize = 20;

impl Found {
    pub(super) fn is_empty(&self) -> bool {
        self.secrets.is_empty()
    }

    pub(super) fn count(&self) -> u64 {
        self.secrets.len() as u64
    }

    /// How many different ones, by their class.
    pub(super) fn by_class(&self) -> BTreeMap<&'static str, u64> {
        let mut classes = BTreeMap::new();
        for (_, class, _) in &self.secrets {
            *classes.entry(class.code()).or_default() += 1;
        }
        classes
    }

    /// Names exchanges by their numbers, which are given in the order of the file.
    pub(super) fn number(&mut self, ids: &[u64]) {
        for spot in &mut self.places {
            let place = spot.exchange.and_then(|place| usize::try_from(place).ok()?.checked_sub(1));
            spot.exchange = place.and_then(|place| ids.get(place).copied());
        }
    }

    /// Looks through a text.
    pub(super) fn look(&mut self, net: &Redactor, place: session::Place<'_>, text: &[u8]) {
        for hit in net.find(text) {
            self.note(0, &hit, place.exchange, place.part.to_owned());
        }
    }

    /// Looks through lines, the first of which has this number.
    fn look_at_lines(&mut self, source: usize, net: &Redactor, text: &[u8], first: usize) {
        for hit in net.find(text) {
            let is_named = self.places.len() < NAMED;
            let before = if is_named { memchr::memchr_iter(b'\n', &text[..hit.range.start]).count() } else { 0 };
            self.note(source, &hit, None, format!("line {}", first + before));
        }
    }

    fn note(&mut self, source: usize, hit: &Hit, exchange: Option<u64>, part: String) {
        self.secrets.insert((source, hit.class, hit.secret));
        let spot = Spot { class: hit.class, exchange, part };
        if self.places.len() < NAMED && !self.places.contains(&spot) {
            self.places.push(spot);
        }
    }

    /// Where they stood, for whoever reports it: never what.
    fn told(&self, language: Language) -> String {
        let mut told = String::new();
        for (at, spot) in self.places.iter().enumerate() {
            told.push_str(if at > 0 { "; " } else { "" });
            let (class, part) = (spot.class.words().to(language), spot.part.as_str());
            let place = match spot.exchange {
                Some(_) => Text {
                    en: "{class} in exchange {number} ({part})",
                    ja: "エクスチェンジ {number} ({part}) の{class}",
                },
                None => Text { en: "{class} in {part}", ja: "{part} の{class}" },
            };
            let number = spot.exchange.unwrap_or_default().to_string();
            told.push_str(&place.fill(language, &[("class", class), ("number", &number), ("part", part)]));
        }
        told
    }
}

/// The secrets that `net` met and that stand in the file at `path`.
fn search(
    path: &Path,
    password: Option<&Zeroizing<String>>,
    net: &Redactor,
    progress: &Progress,
) -> Result<Found, Fault> {
    let mut found = Found::default();
    // Nothing was met in a source that was sanitized before.
    if net.met().count() == 0 {
        return Ok(found);
    }
    session::texts(path, password, &mut |place, text| {
        if progress.is_cancelled() {
            return Err(SessionError::Cancelled);
        }
        found.look(net, place, text);
        Ok(())
    })?;
    Ok(found)
}

/// The secrets that stand in a page, a net each source.
pub(super) fn look(page: &str, nets: &[Redactor]) -> Found {
    let mut found = Found::default();
    for (source, net) in nets.iter().enumerate() {
        found.look_at_lines(source, net, page.as_bytes(), 1);
    }
    found
}

/// The page without them.
pub(super) fn masked(page: String, nets: &[Redactor]) -> String {
    let mask = |page: String, net: &Redactor| match net.masked(page.as_bytes()) {
        Some(masked) => String::from_utf8_lossy(&masked).into_owned(),
        None => page,
    };
    nets.iter().fold(page, mask)
}

/// Lets lines through to an output, without the secrets in them.
pub(super) struct Sieve<'o> {
    output: &'o mut dyn Write,
    nets: &'o [Redactor],
    line: Vec<u8>,
    lines: usize,
    found: Found,
    /// Nothing was met that could be looked for.
    open: bool,
}

impl<'o> Sieve<'o> {
    pub(super) fn new(output: &'o mut dyn Write, nets: &'o [Redactor]) -> Self {
        let open = nets.iter().all(|net| net.met().count() == 0);
        Self { output, nets, line: Vec::new(), lines: 0, found: Found::default(), open }
    }

    /// Lets the last line through, and says what was found.
    pub(super) fn finish(mut self) -> io::Result<Found> {
        self.write_all(b"\n")?;
        Ok(self.found)
    }

    fn pass(&mut self) -> io::Result<()> {
        self.lines += 1;
        let mut line = std::mem::take(&mut self.line);
        for (source, net) in self.nets.iter().enumerate() {
            self.found.look_at_lines(source, net, &line, self.lines);
            line = net.masked(&line).unwrap_or(line);
        }
        self.output.write_all(&line)?;
        line.clear();
        self.line = line;
        Ok(())
    }
}

impl Write for Sieve<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if self.open {
            return self.output.write(bytes);
        }
        let end = memchr::memchr(b'\n', bytes).map_or(bytes.len(), |at| at + 1);
        self.line.extend_from_slice(&bytes[..end]);
        if self.line.ends_with(b"\n") {
            self.pass()?;
        }
        Ok(end)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.output.flush()
    }
}

/// What is said of secrets that were found; nothing where there are none.
pub(super) fn alarm(found: &Found, language: Language) -> Option<String> {
    let text = Text {
        en: "where [hidden] stands now, a secret stood in what was to be written ({count} in all): {places}. This is a fault of \
             this program: please report it, without the file",
        ja: "書き込む内容に秘密が {count} 件あったため、[hidden] に置き換えました: {places}。このプログラムの不具合です。\
             ファイルを添えずに報告してください",
    };
    let names = [("count", &*found.count().to_string()), ("places", &found.told(language))];
    (!found.is_empty()).then(|| text.fill(language, &names))
}
