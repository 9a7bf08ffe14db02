//! Who looks on while files are read: shows how far it is where somebody can see it, and hands on a request to end.

use std::sync::mpsc::{self, SyncSender};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use tokio::runtime::Runtime;

use super::signals::Signals;
use super::{Exit, Fault, capture, warn};
use crate::session::{Progress, SessionError};
use crate::text::{Language, Text};

/// How often the bar moves, and a request to end is seen.
const TICK: Duration = Duration::from_millis(100);

const READING: Text = Text { en: "reading", ja: "読み込み中" };
const CHECKING: Text = Text { en: "reading again", ja: "読み直して確認中" };
const DIAGNOSING: Text = Text { en: "diagnosing", ja: "診断中" };

/// What is done once all was read; then progress begins anew.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Then {
    /// What was written is read again.
    Check,
    /// Another file is read.
    ReadAnother,
    /// What several files hold is diagnosed in the order of time.
    Diagnose,
}

/// Looks on until it is told that nothing goes on any more.
pub(super) struct Onlooker {
    over: SyncSender<()>,
    thread: Option<JoinHandle<Option<Signals>>>,
    runtime: Option<Runtime>,
}

/// What hears requests to end from now on: whoever holds the signals, else the system's way to end a program.
pub(super) struct Heard {
    pub(super) signals: Option<Signals>,
    /// Signals need it for as long as they are listened to.
    _runtime: Option<Runtime>,
}

impl Onlooker {
    /// Looks on. A request to end cancels `progress`; `waits` says that it would not be seen, because somebody has to
    /// type something first: then the system ends the program.
    pub(super) fn new(progress: &Progress, then: Then, waits: bool, language: Language) -> Result<Self, Fault> {
        let runtime = if waits { None } else { Some(capture::runtime()?) };
        let signals = runtime.as_ref().map(Signals::listen).transpose()?;
        let progress = progress.clone();
        let (over, ends) = mpsc::sync_channel::<()>(0);
        // Without a thread there is no bar, and a second request ends the program.
        let thread = thread::Builder::new().name("progress".to_owned()).spawn(move || {
            let bar = bar(language);
            let mut turn = None;
            while ends.recv_timeout(TICK) == Err(mpsc::RecvTimeoutError::Timeout) {
                if signals.as_ref().is_some_and(|signals| signals.wait(Duration::ZERO)) {
                    progress.cancel();
                }
                if turn.replace(progress.turn()) != Some(progress.turn()) {
                    bar.reset();
                    bar.set_message(words(progress.turn(), then).to(language));
                }
                // Before that somebody may be asked for a password.
                if progress.total() > 0 {
                    bar.set_length(progress.total());
                    bar.set_position(progress.done());
                }
            }
            bar.finish_and_clear();
            signals
        });
        Ok(Self { over, thread: thread.ok(), runtime })
    }

    /// Nothing goes on any more.
    pub(super) fn leave(self) -> Heard {
        drop(self.over);
        let signals = self.thread.and_then(|thread| thread.join().ok()).flatten();
        Heard { signals, _runtime: self.runtime }
    }
}

/// What came of a command that was ended on request: that is said, and is no fault.
pub(super) fn unless_ended(done: Result<Exit, Fault>, language: Language) -> Result<Exit, Fault> {
    match done {
        Err(Fault::Session(SessionError::Cancelled)) => {
            warn(Text { en: "ended on request", ja: "中止しました" }.to(language));
            Ok(Exit::AtOnce)
        }
        done => done,
    }
}

fn words(turn: u64, then: Then) -> Text {
    match (turn, then) {
        (0, _) | (_, Then::ReadAnother) => READING,
        (_, Then::Check) => CHECKING,
        (_, Then::Diagnose) => DIAGNOSING,
    }
}

/// A bar on standard error; invisible where that is no terminal.
fn bar(language: Language) -> ProgressBar {
    let bar = ProgressBar::with_draw_target(Some(0), ProgressDrawTarget::stderr());
    let form = Text {
        en: "{msg} {wide_bar} {percent:>3} %  {elapsed}, {eta} to go",
        ja: "{msg} {wide_bar} {percent:>3} %  経過 {elapsed}、残り {eta}",
    };
    let style = ProgressStyle::with_template(form.to(language));
    bar.set_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()));
    bar
}
