//! Writes HTTP Archive 1.2.
//!
//! What HAR has a place for stands there, for every reader; what it has none for stands in `_authtap`, a custom field
//! that others pass over: see [`facts`](crate::session::facts). Exchanges come in the order in which they ended, and the file is written as
//! they come. Bodies are text that was read and redacted: there are no bytes that would need base64.

mod entry;

use std::fs::File;
use std::io::{BufWriter, Seek, SeekFrom, Write};
use std::path::PathBuf;
use std::sync::Arc;

use serde_json::json;

use self::entry::Entry;
use super::draft::Draft;
use crate::redact::Redactor;
use crate::session::Manifest;
use crate::session::{Origin, Recorded, SessionError, origins};

pub(super) struct Pen {
    file: BufWriter<File>,
    target: PathBuf,
    /// Looks through what is written.
    mask: Option<Redactor>,
    begun: bool,
    origins: Vec<Arc<Origin>>,
    /// Where the list of entries ends, once it has.
    end: Option<u64>,
}

impl Pen {
    pub(super) fn new(draft: &Draft) -> Result<Self, SessionError> {
        Ok(Self {
            file: BufWriter::with_capacity(1 << 18, draft.open()?),
            target: draft.target().to_owned(),
            mask: None,
            begun: false,
            origins: Vec::new(),
            end: None,
        })
    }

    /// Masks the secrets that `net` met in all that is written from now on.
    pub(super) fn mask(&mut self, net: &Redactor) {
        self.mask = Some(net.clone());
    }

    pub(super) fn add(&mut self, recorded: &Recorded) -> Result<(), SessionError> {
        if self.origins.len() < origins::RUNS && !self.origins.contains(&recorded.origin) {
            self.origins.push(Arc::clone(&recorded.origin));
        }
        let written = self.write(recorded);
        written.map_err(|error| SessionError::writing(&self.target, &error))
    }

    /// Closes the list of entries; called again, it states another manifest in the same place.
    pub(super) fn seal(&mut self, manifest: Option<&Manifest>) -> Result<(), SessionError> {
        let written = self.close(manifest);
        written.map_err(|error| SessionError::writing(&self.target, &error))
    }

    fn write(&mut self, recorded: &Recorded) -> std::io::Result<()> {
        if self.begun {
            self.file.write_all(b",\n")?;
        } else {
            self.begin(&recorded.exchange.started.to_string())?;
        }
        let Some(net) = &self.mask else {
            return serde_json::to_writer(&mut self.file, &Entry::of(recorded)).map_err(Into::into);
        };
        let entry = serde_json::to_vec(&Entry::of(recorded))?;
        self.file.write_all(&net.masked(&entry).unwrap_or(entry))
    }

    fn begin(&mut self, started: &str) -> std::io::Result<()> {
        self.begun = true;
        let creator = json!({"name": "authtap", "version": env!("CARGO_PKG_VERSION")});
        // Firefox shows only what belongs to a page.
        let page = json!({"startedDateTime": started, "id": entry::PAGE, "title": "authtap",
                          "pageTimings": {"onContentLoad": -1, "onLoad": -1}});
        writeln!(self.file, "{{\"log\":{{\"version\":\"1.2\",\"creator\":{creator},\"pages\":[{page}],\"entries\":[")
    }

    fn close(&mut self, manifest: Option<&Manifest>) -> std::io::Result<()> {
        if !self.begun {
            self.begin("1970-01-01T00:00:00.000Z")?;
        }
        let end = match self.end {
            Some(end) => self.file.seek(SeekFrom::Start(end))?,
            None => self.file.stream_position()?,
        };
        self.end = Some(end);
        let mut facts = json!({"format": 1, "tool": "authtap", "runs": origins::list(&self.origins)});
        if let Some(manifest) = manifest {
            facts["manifest"] = json!(manifest);
        }
        let end_of_log = format!("\n],\"_authtap\":{facts}}}}}\n").into_bytes();
        let masked = self.mask.as_ref().and_then(|net| net.masked(&end_of_log));
        self.file.write_all(&masked.unwrap_or(end_of_log))?;
        self.file.flush()?;
        let length = self.file.stream_position()?;
        self.file.get_ref().set_len(length)
    }
}
