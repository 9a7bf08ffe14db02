//! The real terminal: taken over, read, drawn on, and given back whatever happens.
//!
//! Signals are the app's: it ends its loop on SIGINT, SIGTERM and SIGHUP, and dropping the [`Screen`] gives the
//! terminal back. (In raw mode Ctrl-C is a key and comes as [`Command::Quit`](super::Command::Quit).)

#![allow(clippy::disallowed_methods)] // The terminal's setup: the screen is written on standard output.

use std::io::{self, IsTerminal, Stdout, Write};
use std::panic;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, sync_channel};
use std::thread::{self, ThreadId};
use std::time::{Duration, Instant};

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use crossterm::cursor::Show;
use crossterm::event::{self, Event, KeyEventKind};
use crossterm::execute;
use crossterm::terminal::{EnterAlternateScreen, LeaveAlternateScreen, disable_raw_mode, enable_raw_mode};
use ratatui::Terminal;
use ratatui::backend::CrosstermBackend;

use super::keys::Input;
use super::state::State;
use super::{Source, views};

/// Why the terminal cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum ScreenError {
    /// Standard input or output is a file or a pipe.
    #[error("standard input and output are no terminal; use --headless to capture without one")]
    NoTerminal,
    /// The terminal could not be switched.
    #[error("the terminal could not be taken over ({0}); use --headless to capture without one")]
    Take(#[source] io::Error),
    /// The terminal could not be read.
    #[error("keys could not be read from the terminal: {0}")]
    Read(#[source] io::Error),
    /// The terminal could not be written.
    #[error("the terminal could not be drawn on: {0}")]
    Draw(#[source] io::Error),
}

/// The terminal while the program has it. Dropping it gives it back.
pub struct Screen {
    terminal: Terminal<CrosstermBackend<Stdout>>,
    inputs: Receiver<io::Result<Input>>,
    drawn: Option<Instant>,
    _taken: Taken,
}

/// The shortest time between two drawings.
const FRAME: Duration = Duration::from_millis(33);
/// The most inputs taken at once, so that a held key or a pasted text cannot keep traffic from being shown.
const INPUTS: usize = 64;

/// Whether standard input and output are a terminal.
pub fn is_there() -> bool {
    io::stdout().is_terminal() && io::stdin().is_terminal()
}

impl Screen {
    /// Takes over the terminal: raw mode, alternate screen, and a panic hook that gives it back before a panic of this
    /// thread is reported. A panic of another thread is reported when the screen is closed, so that its words do not
    /// tear the picture.
    pub fn open() -> Result<Self, ScreenError> {
        if !is_there() {
            return Err(ScreenError::NoTerminal);
        }
        let taken = Taken::take().map_err(ScreenError::Take)?;
        let terminal = Terminal::new(CrosstermBackend::new(io::stdout())).map_err(ScreenError::Take)?;
        let (sender, inputs) = sync_channel(INPUTS);
        thread::Builder::new().name("keys".into()).spawn(move || read(&sender)).map_err(ScreenError::Take)?;
        Ok(Self { terminal, inputs, drawn: None, _taken: taken })
    }

    /// Waits at most `timeout` for keys, and returns those that came.
    pub fn poll(&mut self, timeout: Duration) -> Result<Vec<Input>, ScreenError> {
        let first = match self.inputs.recv_timeout(timeout) {
            Ok(input) => input,
            Err(RecvTimeoutError::Timeout) => return Ok(Vec::new()),
            Err(RecvTimeoutError::Disconnected) => Err(io::ErrorKind::UnexpectedEof.into()),
        };
        let more = self.inputs.try_iter().take(INPUTS);
        std::iter::once(first).chain(more).collect::<io::Result<_>>().map_err(ScreenError::Read)
    }

    /// Draws if there is something new to show, but not more than 30 times a second: call it as often as you like.
    pub fn draw(&mut self, state: &mut State, source: &dyn Source) -> Result<(), ScreenError> {
        let rests = self.drawn.is_some_and(|drawn| drawn.elapsed() < FRAME);
        if rests || !state.is_dirty() {
            return Ok(());
        }
        self.terminal.draw(|frame| views::draw(frame, state, source)).map_err(ScreenError::Draw)?;
        self.drawn = Some(Instant::now());
        if let Some(text) = state.take_clipboard() {
            let sequence = clipboard(&text, std::env::var_os("TMUX").is_some());
            let mut stdout = io::stdout();
            stdout.write_all(sequence.as_bytes()).and_then(|()| stdout.flush()).map_err(ScreenError::Draw)?;
        }
        Ok(())
    }
}

/// Asks the terminal to put `text` on its clipboard (OSC 52): it is the terminal of whoever sits before it, at the other
/// end of an SSH connection too. Terminals that do not know that take no notice. tmux takes it for itself or hands it
/// on, as it is set up: it is asked both ways.
fn clipboard(text: &str, tmux: bool) -> String {
    let sequence = format!("\x1b]52;c;{}\x07", BASE64_STANDARD.encode(text));
    if tmux { format!("{sequence}\x1bPtmux;\x1b{sequence}\x1b\\") } else { sequence }
}

/// Reads keys for as long as the program lives. On a thread of its own, because a terminal that has hung up keeps
/// crossterm reading for ever: the program must be able to end all the same.
fn read(inputs: &SyncSender<io::Result<Input>>) {
    loop {
        let input = match event::read() {
            Ok(Event::Key(key)) if key.kind != KeyEventKind::Release => Ok(Input::Key(key)),
            Ok(Event::Resize(..)) => Ok(Input::Resized),
            Ok(_) => continue,
            Err(error) => Err(error),
        };
        let over = input.is_err();
        if inputs.send(input).is_err() || over {
            return;
        }
    }
}

/// The terminal is ours until this is dropped.
struct Taken;

/// Whether the terminal is in our mode now.
static TAKEN: AtomicBool = AtomicBool::new(false);
/// The thread that draws, and what panics of other threads left to say.
static OWNER: Mutex<Option<Owner>> = Mutex::new(None);

struct Owner {
    thread: ThreadId,
    postponed: Vec<String>,
}

impl Taken {
    fn take() -> io::Result<Self> {
        hook_panics();
        if let Ok(mut owner) = OWNER.lock() {
            *owner = Some(Owner { thread: thread::current().id(), postponed: Vec::new() });
        }
        enable_raw_mode()?;
        TAKEN.store(true, Ordering::SeqCst);
        let taken = Self;
        execute!(io::stdout(), EnterAlternateScreen)?;
        Ok(taken)
    }
}

impl Drop for Taken {
    fn drop(&mut self) {
        give_back();
        let owner = OWNER.lock().ok().and_then(|mut owner| owner.take());
        let mut stderr = io::stderr();
        for words in owner.map(|owner| owner.postponed).unwrap_or_default() {
            // Nowhere is left to report to if standard error is gone.
            let _ = writeln!(stderr, "{words}");
        }
    }
}

/// Leaves the alternate screen and raw mode, once: for whoever ends the program without dropping the [`Screen`].
pub fn give_back() {
    if TAKEN.swap(false, Ordering::SeqCst) {
        // Best effort: the terminal may be gone already.
        let _ = execute!(io::stdout(), LeaveAlternateScreen, Show);
        let _ = disable_raw_mode();
    }
}

/// Puts our hook before the one that reports panics; once for the life of the program.
fn hook_panics() {
    static HOOKED: AtomicBool = AtomicBool::new(false);
    if HOOKED.swap(true, Ordering::SeqCst) {
        return;
    }
    let report = panic::take_hook();
    panic::set_hook(Box::new(move |info| {
        if TAKEN.load(Ordering::SeqCst)
            && let Ok(mut owner) = OWNER.try_lock()
            && let Some(owner) = owner.as_mut().filter(|owner| owner.thread != thread::current().id())
        {
            // Its place alone: the words of a panic may hold what passed.
            let place = info.location().map_or_else(String::new, ToString::to_string);
            owner.postponed.push(format!("authtap: a fault of this program at {place}; please report it"));
            return;
        }
        give_back();
        report(info);
    }));
}

#[cfg(test)]
mod tests {
    use super::clipboard;

    #[test]
    fn the_clipboard_is_asked_in_one_sequence_and_through_tmux_in_two() {
        assert_eq!(clipboard("curl '\u{3042}'", false), "\x1b]52;c;Y3VybCAn44GCJw==\x07");
        assert_eq!(clipboard("a", true), "\x1b]52;c;YQ==\x07\x1bPtmux;\x1b\x1b]52;c;YQ==\x07\x1b\\");
    }
}
