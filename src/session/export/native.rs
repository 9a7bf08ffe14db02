//! Writes a session of ours from other files: whole batches at once, and nothing is given up for want of time.

use std::sync::Arc;

use super::draft::Draft;
use crate::exchange::Exchange;
use crate::redact::Redactor;
use crate::session::Manifest;
use crate::session::native::Recording;
use crate::session::{Recorded, SessionError};

/// How many exchanges are written at a time.
const BATCH: usize = 256;

pub(super) struct Pen {
    recording: Recording,
    batch: Vec<Arc<Exchange>>,
    /// The number that the file read from gives the run, and the one it has here.
    run: Option<u64>,
    /// Looks through what was written.
    mask: Option<Redactor>,
}

impl Pen {
    pub(super) fn new(draft: &Draft) -> Result<Self, SessionError> {
        Ok(Self { recording: Recording::copy(draft.path(), draft.target())?, batch: Vec::new(), run: None, mask: None })
    }

    /// Masks the secrets that `net` met in all that is written.
    pub(super) fn mask(&mut self, net: &Redactor) {
        self.mask = Some(net.clone());
    }

    pub(super) fn add(&mut self, recorded: Recorded) -> Result<(), SessionError> {
        if self.run != Some(recorded.origin.run) {
            self.write()?;
            self.recording.enter(&recorded.origin)?;
            self.run = Some(recorded.origin.run);
        }
        self.batch.push(Arc::new(recorded.exchange));
        if self.batch.len() >= BATCH { self.write() } else { Ok(()) }
    }

    pub(super) fn seal(&mut self, manifest: Option<&Manifest>) -> Result<(), SessionError> {
        self.write()?;
        if let Some(net) = &self.mask {
            self.recording.mask(net)?;
        }
        self.recording.seal(manifest.and_then(|manifest| serde_json::to_string(manifest).ok()))
    }

    fn write(&mut self) -> Result<(), SessionError> {
        self.recording.write_all(&self.batch)?;
        self.batch.clear();
        Ok(())
    }
}
