//! `authtap convert`: from one session file to another, through the door.

mod sharing;

use std::cell::OnceCell;
use std::collections::BTreeMap;
use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::path::{Path, PathBuf};
use std::sync::mpsc::{self, SyncSender};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use zeroize::Zeroizing;

use self::sharing::Sharing;
use super::input::Folds;
use super::save::is_same_file;
use super::signals::Signals;
use super::{Convert, Exit, Fault, Share, capture, input, warn};
use crate::diagnosis::{Finding, Judgement};
use crate::redact::Redactor;
use crate::session::{Export, Form, Manifest, Opening, Progress, Reader, Recorded, SessionError};
use crate::text::{Language, Text};

/// How often the bar moves, and a request to end is seen.
const TICK: Duration = Duration::from_millis(100);

pub(super) fn convert(order: &Convert, language: Language) -> Result<Exit, Fault> {
    if is_same_file(&order.from, &order.to) {
        return Err(Fault::OntoItself { path: order.to.clone() });
    }
    let runtime = capture::runtime()?;
    let progress = Progress::default();
    let onlooker = Onlooker::new(Some(Signals::listen(&runtime)?), progress.clone());
    let copied = copy(order, &progress, language);
    onlooker.leave();
    match copied {
        Ok(copied) => {
            copied.say(&order.to, language);
            Ok(copied.exit())
        }
        Err(Fault::Session(SessionError::Cancelled)) => {
            let ended = Text {
                en: "ended on request; {path} was not written",
                ja: "中止しました。{path} は書き込んでいません",
            };
            warn(&ended.fill(language, &[("path", &order.to.display().to_string())]));
            Ok(Exit::AtOnce)
        }
        Err(fault) => Err(fault),
    }
}

/// Writes a finished recording again as `into`, in the form that its name asks for. What came of it is how the run exits.
pub(super) fn export(recording: &Path, into: &Path, form: Form, language: Language) -> Result<Exit, Fault> {
    let order =
        Convert { from: recording.to_owned(), to: into.to_owned(), form, encrypt: false, share: Share::Support };
    let copied = copy(&order, &Progress::default(), language)?;
    copied.say(into, language);
    Ok(copied.exit())
}

/// What became of a copy.
pub(super) struct Copied {
    exchanges: u64,
    /// What could not be read.
    gaps: Vec<SessionError>,
    before: Said,
    /// What is said of the copy.
    after: Said,
    /// How many private names have stand-ins.
    replaced: u64,
    /// How many of them there was no room to tell apart.
    beyond: u64,
}

impl Copied {
    fn say(&self, path: &Path, language: Language) {
        for gap in &self.gaps {
            warn(&Fault::from(gap.clone()).message(language));
        }
        let written = Text {
            en: "{count} exchanges are in {path}, sanitized",
            ja: "{count} 件のエクスチェンジを秘匿処理して {path} に書き込みました",
        };
        let names = [("count", &*self.exchanges.to_string()), ("path", &*path.display().to_string())];
        warn(&written.fill(language, &names));
        if self.replaced > 0 {
            let replaced = Text {
                en: "{count} names of hosts, domains, tenants, servers, certificates, addresses and ids have stand-ins, and \
                     none of them was found in the file. Sentences may tell more than names: look through it",
                ja: "ホスト、ドメイン、テナント、サーバー、証明書、アドレス、ID の {count} 件の名前を代わりの名前に置き換え、ファイルに残って\
                     いないことを確認しました。文章から分かることもあるため、内容を確認してください",
            };
            warn(&replaced.fill(language, &[("count", &self.replaced.to_string())]));
        }
        if self.beyond > 0 {
            let beyond = Text {
                en: "{count} times a name was one too many to tell apart: such names share a stand-in",
                ja: "{count} 回、区別できる数を超える名前がありました。それらは共通の名前に置き換えました",
            };
            warn(&beyond.fill(language, &[("count", &self.beyond.to_string())]));
        }
        let (before, after) = (self.before.count().to_string(), self.after.count().to_string());
        let proof = if self.before == self.after {
            Text {
                en: "read again: {before} findings before, the same {after} after",
                ja: "読み直して確認しました: 検出は変換前 {before} 件、変換後も同じ {after} 件です",
            }
        } else {
            Text {
                en: "read again: {before} findings before, {after} after, and they are not the same. This is a fault of \
                     this program: diagnose the source itself, and please report it",
                ja: "読み直した結果が一致しません: 検出は変換前 {before} 件、変換後 {after} 件です。このプログラムの不具合です。\
                     元のファイルを診断し、報告してください",
            }
        };
        warn(&proof.fill(language, &[("before", &before), ("after", &after)]));
    }

    fn exit(&self) -> Exit {
        if self.before != self.after {
            Exit::Refused
        } else if self.gaps.is_empty() {
            Exit::Done
        } else {
            Exit::Usage
        }
    }
}

/// What is said of a session in the end, in so far as it can be compared: how often each finding, and a digest of what
/// is said of which exchange.
#[derive(Debug, Default, PartialEq, Eq)]
struct Said {
    findings: BTreeMap<&'static str, u64>,
    digest: u64,
}

impl Said {
    fn count(&self) -> u64 {
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
struct Judge {
    folds: Folds,
    said: Said,
}

impl Judge {
    fn observe(&mut self, recorded: &Recorded) {
        let observed = self.folds.observe(&recorded.origin, &recorded.exchange);
        self.said.note(&observed.judgement);
        observed.revised.iter().for_each(|judgement| self.said.note(judgement));
    }

    fn finish(mut self) -> Said {
        self.folds.finish().revised.iter().for_each(|judgement| self.said.note(judgement));
        self.said
    }
}

/// What is said of the file at `path`, which was just written.
fn read_again(path: &Path, password: Option<&Zeroizing<String>>, progress: &Progress) -> Result<Said, Fault> {
    let redactor = Redactor::new();
    let opening = Opening { password: &|_| password.cloned(), ..Opening::quietly(&redactor) };
    let reader = Reader::open(path, &opening)?;
    let mut judge = Judge::default();
    for recorded in reader.exchanges() {
        if progress.is_cancelled() {
            return Err(SessionError::Cancelled.into());
        }
        judge.observe(&recorded?);
    }
    Ok(judge.finish())
}

pub(super) fn copy(order: &Convert, progress: &Progress, language: Language) -> Result<Copied, Fault> {
    // Asked for before the long part, not behind it.
    let password = order.encrypt.then(|| input::password(&order.to, language)).flatten();
    if order.encrypt && password.as_ref().is_none_or(|password| password.is_empty()) {
        return Err(SessionError::Protected { path: order.to.clone() }.into());
    }
    let redactor = Redactor::new();
    // The source may be read twice.
    let asked = OnceCell::new();
    let password_of = |path: &Path| asked.get_or_init(|| input::password(path, language)).clone();
    let opening = Opening { redactor: &redactor, password: &password_of, progress: progress.clone() };
    let reader = Reader::open(&order.from, &opening)?;
    let mut export = Export::begin(&order.to, order.form, password.clone())?;
    let (mut exchanges, mut gaps, mut judge) = (0, Vec::new(), Judge::default());
    let stream = reader.exchanges();
    let mut sharing = Sharing::learned(order.share, &order.from, &opening)?;
    for recorded in stream {
        match recorded {
            Ok(recorded) => {
                judge.observe(&recorded);
                export.add(sharing.shared(recorded))?;
                exchanges += 1;
            }
            Err(SessionError::Cancelled) => return Err(SessionError::Cancelled.into()),
            Err(gap) => gaps.push(gap),
        }
    }
    let before = judge.finish();
    let draft = export.seal()?;
    sharing.check(draft, password.as_ref(), &order.to)?;
    let after = read_again(draft, password.as_ref(), progress)?;
    let manifest = Manifest {
        share: order.share.code(),
        source: reader.kind().code(),
        exchanges,
        unread: gaps.len() as u64,
        findings_before: before.findings.clone(),
        findings_after: after.findings.clone(),
        same: before == after,
        replaced: sharing.replaced(),
    };
    let replaced = manifest.replaced.values().sum();
    export.finish(&manifest)?;
    Ok(Copied { exchanges, gaps, before, after, replaced, beyond: sharing.beyond() })
}

/// Shows how far the copy has come where somebody can see it, and hands on a request to end.
pub(super) struct Onlooker {
    done: SyncSender<()>,
    thread: Option<JoinHandle<()>>,
}

impl Onlooker {
    /// Without `signals` a request to end ends the program, as the system does it.
    pub(super) fn new(signals: Option<Signals>, progress: Progress) -> Self {
        let (done, over) = mpsc::sync_channel::<()>(0);
        // Without a thread there is no bar, and the system ends the program when somebody asks for that.
        let thread = thread::Builder::new().name("progress".to_owned()).spawn(move || {
            let bar = bar();
            while over.recv_timeout(TICK) == Err(mpsc::RecvTimeoutError::Timeout) {
                if signals.as_ref().is_some_and(|signals| signals.wait(Duration::ZERO)) {
                    progress.cancel();
                }
                // Before that somebody may be asked for a password.
                if progress.total() > 0 {
                    bar.set_length(progress.total());
                    bar.set_position(progress.done());
                }
            }
            bar.finish_and_clear();
        });
        Self { done, thread: thread.ok() }
    }

    pub(super) fn leave(self) {
        drop(self.done);
        if let Some(thread) = self.thread {
            let _ = thread.join();
        }
    }
}

/// A bar on standard error; invisible where that is no terminal.
fn bar() -> ProgressBar {
    let bar = ProgressBar::with_draw_target(Some(0), ProgressDrawTarget::stderr());
    let style = ProgressStyle::with_template("{wide_bar} {percent:>3} %  {elapsed}, {eta} to go");
    bar.set_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()));
    bar
}

/// Where a capture is written when it is over.
#[derive(Debug)]
pub(super) struct AtTheEnd {
    pub(super) path: PathBuf,
    pub(super) form: Form,
}

impl AtTheEnd {
    /// What `--save` asks for, where that is not a session of ours.
    pub(super) fn of(save: Option<&Path>) -> Result<Option<Self>, Fault> {
        let Some((path, form)) = save.and_then(|path| Some((path, Form::of_name(path)?))) else { return Ok(None) };
        if form == Form::Authtap {
            return Ok(None);
        }
        if path.exists() {
            return Err(Fault::SaveExists { path: path.to_owned() });
        }
        Ok(Some(Self { path: path.to_owned(), form }))
    }
}
