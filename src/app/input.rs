//! Sources of saved exchanges, told by content, and their diagnosis run by run.

use std::path::Path;

use super::Fault;
use crate::diagnosis::{Capture, Diagnosis, Handshake, Judgement, Observed, Readiness};
use crate::exchange::Exchange;
use crate::redact::Redactor;
use crate::session::kind::Kind;
use crate::session::{Session, SessionError};

/// What a session file is to every command that reads one, once its content is known.
pub(super) fn session(path: &Path, redactor: &Redactor) -> Result<Session, Fault> {
    let not_yet = |what: &str| Err(Fault::NotYet { what: format!("{}: {what}", path.display()) });
    match Kind::of_file(path)? {
        Kind::Har => not_yet("reading HTTP archives (HAR)"),
        Kind::Saz => not_yet("reading Fiddler archives (SAZ)"),
        Kind::Mitm => not_yet("reading mitmproxy flow files"),
        _ => Ok(Session::open(path, redactor)?),
    }
}

/// The folds over one source: one a run, because labels of different runs say nothing about each other, and because
/// that is how the runs were diagnosed while they went on.
pub(super) struct Folds {
    capture: Capture,
    run: Option<u64>,
    diagnosis: Diagnosis,
    handshakes: Vec<Handshake>,
    readiness: Vec<Readiness>,
}

/// What the folds over one source came to.
pub(super) struct Folded {
    /// What the end of the last run changed.
    pub(super) revised: Vec<Judgement>,
    pub(super) handshakes: Vec<Handshake>,
    pub(super) readiness: Vec<Readiness>,
}

impl Folds {
    pub(super) fn new(capture: Capture) -> Self {
        let (handshakes, readiness) = (Vec::new(), Vec::new());
        Self { capture, run: None, diagnosis: Diagnosis::new(capture), handshakes, readiness }
    }

    /// Takes the next exchange of `run`. What is revised may belong to the run before.
    pub(super) fn observe(&mut self, run: u64, exchange: &Exchange) -> Observed {
        let before =
            if self.run.replace(run).is_some_and(|before| before != run) { self.end_run() } else { Vec::new() };
        let mut observed = self.diagnosis.observe(exchange);
        observed.revised.splice(..0, before);
        observed
    }

    pub(super) fn finish(mut self) -> Folded {
        let revised = self.end_run();
        Folded { revised, handshakes: self.handshakes, readiness: self.readiness }
    }

    fn end_run(&mut self) -> Vec<Judgement> {
        let mut ended = std::mem::replace(&mut self.diagnosis, Diagnosis::new(self.capture));
        let revised = ended.finish();
        self.handshakes.extend(ended.handshakes());
        self.readiness.extend_from_slice(ended.readiness());
        revised
    }
}

/// How our own recordings are judged afterwards: as they were judged while they went on.
pub(super) const RECORDED: Capture = Capture::Live { loopback: true };

/// The next exchange that can be read; what cannot be read goes to `gaps`.
pub(super) fn readable<T>(
    read: impl Iterator<Item = Result<T, SessionError>>,
    gaps: &mut Vec<SessionError>,
) -> impl Iterator<Item = T> {
    read.filter_map(|item| item.map_err(|gap| gaps.push(gap)).ok())
}
