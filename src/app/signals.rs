//! Requests to end, from the keyboard or the system.

use std::io;
use std::sync::mpsc::{self, Receiver, RecvTimeoutError};
use std::time::Duration;

use tokio::runtime::Runtime;

use super::{Exit, Fault};
use crate::tui;

/// Requests to end. The first is handed over, a second one ends the program on the spot.
pub(super) struct Signals {
    requests: Receiver<()>,
}

impl Signals {
    /// Listens from now on.
    pub(super) fn listen(runtime: &Runtime) -> Result<Self, Fault> {
        let _inside = runtime.enter();
        let mut source = Source::open().map_err(Fault::Threads)?;
        let (sender, requests) = mpsc::sync_channel(1);
        runtime.spawn(async move {
            source.next().await;
            // Where nobody waits for it any more, there is nothing to be tidied up.
            if sender.try_send(()).is_ok() {
                source.next().await;
            }
            end_at_once();
        });
        Ok(Self { requests })
    }

    /// Waits no longer than `patience`; whether the run is to end.
    pub(super) fn wait(&self, patience: Duration) -> bool {
        // A listener that is gone is a runtime that is gone.
        !matches!(self.requests.recv_timeout(patience), Err(RecvTimeoutError::Timeout))
    }
}

#[allow(clippy::disallowed_methods)] // Asked for twice: nothing may hold it up. The session file is safe against that.
fn end_at_once() -> ! {
    tui::give_back();
    std::process::exit(Exit::AtOnce.code().into())
}

#[cfg(unix)]
struct Source {
    interrupt: tokio::signal::unix::Signal,
    terminate: tokio::signal::unix::Signal,
    /// The terminal is gone: a closed window, a remote session that broke.
    hangup: tokio::signal::unix::Signal,
}

#[cfg(unix)]
impl Source {
    fn open() -> io::Result<Self> {
        use tokio::signal::unix::{SignalKind, signal};
        let (interrupt, terminate) = (signal(SignalKind::interrupt())?, signal(SignalKind::terminate())?);
        Ok(Self { interrupt, terminate, hangup: signal(SignalKind::hangup())? })
    }

    async fn next(&mut self) {
        tokio::select! {
            _ = self.interrupt.recv() => {}
            _ = self.terminate.recv() => {}
            _ = self.hangup.recv() => {}
        }
    }
}

#[cfg(windows)]
struct Source {
    interrupt: tokio::signal::windows::CtrlC,
    close: tokio::signal::windows::CtrlBreak,
}

#[cfg(windows)]
impl Source {
    fn open() -> io::Result<Self> {
        use tokio::signal::windows::{ctrl_break, ctrl_c};
        Ok(Self { interrupt: ctrl_c()?, close: ctrl_break()? })
    }

    async fn next(&mut self) {
        tokio::select! {
            _ = self.interrupt.recv() => {}
            _ = self.close.recv() => {}
        }
    }
}
