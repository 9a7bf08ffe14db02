//! `authtap convert`: from one session file to another, through the door.

use std::path::{Path, PathBuf};
use std::sync::mpsc::{self, SyncSender};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use super::save::is_same_file;
use super::signals::Signals;
use super::{Convert, Exit, Fault, Share, capture, input, warn};
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
            Ok(if copied.gaps.is_empty() { Exit::Done } else { Exit::Usage })
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

/// Writes a finished recording again as `into`, in the form that its name asks for.
pub(super) fn export(recording: &Path, into: &Path, form: Form, language: Language) -> Result<(), Fault> {
    let order =
        Convert { from: recording.to_owned(), to: into.to_owned(), form, encrypt: false, share: Share::Support };
    copy(&order, &Progress::default(), language)?.say(into, language);
    Ok(())
}

/// What became of a copy.
pub(super) struct Copied {
    exchanges: u64,
    /// What could not be read.
    gaps: Vec<SessionError>,
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
    }
}

pub(super) fn copy(order: &Convert, progress: &Progress, language: Language) -> Result<Copied, Fault> {
    // Asked for before the long part, not behind it.
    let password = order.encrypt.then(|| input::password(&order.to, language)).flatten();
    if order.encrypt && password.as_ref().is_none_or(|password| password.is_empty()) {
        return Err(SessionError::Protected { path: order.to.clone() }.into());
    }
    let redactor = Redactor::new();
    let opening =
        Opening { redactor: &redactor, password: &|path| input::password(path, language), progress: progress.clone() };
    let reader = Reader::open(&order.from, &opening)?;
    let mut export = Export::begin(&order.to, order.form, password)?;
    let mut copied = Copied { exchanges: 0, gaps: Vec::new() };
    for recorded in reader.exchanges() {
        match recorded {
            Ok(recorded) => {
                export.add(shared(order.share, recorded))?;
                copied.exchanges += 1;
            }
            Err(SessionError::Cancelled) => return Err(SessionError::Cancelled.into()),
            Err(gap) => copied.gaps.push(gap),
        }
    }
    let manifest = Manifest {
        share: order.share.code(),
        source: reader.kind().code(),
        exchanges: copied.exchanges,
        unread: copied.gaps.len() as u64,
    };
    export.finish(&manifest)?;
    Ok(copied)
}

/// What may be given to those whom the file is for. Support sees hosts, tenants and request ids.
fn shared(share: Share, recorded: Recorded) -> Recorded {
    match share {
        Share::Support => recorded,
    }
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
