//! Writes Fiddler's session archive.
//!
//! The texts are such as Fiddler and others open: framed by their own length, with no coding left. What they do not
//! tell stands in members of our own, `authtap/NUMBER.json`, in front of the sessions it belongs to, so that a part of
//! the archive is read as the whole would be; other readers pass over them.

mod session;

use std::fs::File;
use std::io::Write;
use std::path::PathBuf;
use std::sync::Arc;

use serde_json::json;
use zeroize::Zeroizing;
use zip::result::ZipError;
use zip::write::SimpleFileOptions;
use zip::{AesMode, CompressionMethod, ZipWriter};

use self::session::Session;
use super::draft::Draft;
use crate::redact::Redactor;
use crate::session::Manifest;
use crate::session::{Origin, Recorded, SessionError, origins};

pub(super) struct Pen {
    /// Nothing once it is complete.
    archive: Option<ZipWriter<File>>,
    file: File,
    target: PathBuf,
    password: Option<Zeroizing<String>>,
    /// Sessions that are not in the archive yet, and how long they are.
    waiting: Vec<Session>,
    bytes: usize,
    /// Of the next session, from 1.
    number: u32,
    origins: Vec<Arc<Origin>>,
    index: String,
    sealed: bool,
    /// Looks through what is written.
    mask: Option<Redactor>,
}

/// Sessions are written so many at a time, or of so many bytes.
const SESSIONS: usize = 250;
const BYTES: usize = 4 << 20;
/// The table of the archive has so many rows; Fiddler makes its own when it opens it.
const ROWS: u32 = 10_000;

const CONTENT_TYPES: &str = "<?xml version=\"1.0\" encoding=\"utf-8\"?>\r\n\
    <Types xmlns=\"http://schemas.openxmlformats.org/package/2006/content-types\">\
    <Default Extension=\"htm\" ContentType=\"text/html\"/><Default Extension=\"xml\" ContentType=\"application/xml\"/>\
    <Default Extension=\"txt\" ContentType=\"text/plain\"/><Default Extension=\"json\" ContentType=\"application/json\"/>\
    </Types>";

type Written = Result<(), ZipError>;

impl Pen {
    pub(super) fn new(draft: &Draft, password: Option<Zeroizing<String>>) -> Result<Self, SessionError> {
        let file = draft.open()?;
        let other = file.try_clone().map_err(|error| SessionError::writing(draft.target(), &error))?;
        let mut pen = Self {
            archive: Some(ZipWriter::new(other)),
            file,
            target: draft.target().to_owned(),
            password,
            waiting: Vec::new(),
            bytes: 0,
            number: 1,
            origins: Vec::new(),
            index: String::new(),
            sealed: false,
            mask: None,
        };
        let begun = pen.begin();
        pen.said(begun)?;
        Ok(pen)
    }

    /// Masks the secrets that `net` met in all that is written from now on.
    pub(super) fn mask(&mut self, net: &Redactor) {
        self.mask = Some(net.clone());
    }

    pub(super) fn add(&mut self, recorded: &Recorded) -> Result<(), SessionError> {
        if self.origins.len() < origins::RUNS && !self.origins.contains(&recorded.origin) {
            self.origins.push(Arc::clone(&recorded.origin));
        }
        let session = Session::of(recorded, self.number);
        if self.number <= ROWS {
            self.index.push_str(&session.row());
        }
        self.number += 1;
        self.bytes += session.len();
        self.waiting.push(session);
        if self.waiting.len() < SESSIONS && self.bytes < BYTES {
            return Ok(());
        }
        let written = self.write();
        self.said(written)
    }

    /// Completes the archive; called again, it states a manifest in it.
    pub(super) fn seal(&mut self, manifest: Option<&Manifest>) -> Result<(), SessionError> {
        let written = self.close(manifest);
        self.said(written)
    }

    fn begin(&mut self) -> Written {
        // Readers look at it before they ask for a password.
        self.member("[Content_Types].xml", CONTENT_TYPES.as_bytes(), false)?;
        let options = SimpleFileOptions::default().compression_method(CompressionMethod::Stored);
        self.archive()?.add_directory("raw/", options)
    }

    fn write(&mut self) -> Written {
        let sessions = std::mem::take(&mut self.waiting);
        self.bytes = 0;
        let Some(first) = sessions.first() else { return Ok(()) };
        let facts: Vec<u8> = sessions.iter().flat_map(|session| session.facts.bytes().chain([b'\n'])).collect();
        self.member(&format!("authtap/{:06}.json", first.number), &facts, true)?;
        for session in &sessions {
            let name = |part: &str| format!("raw/{:06}_{part}", session.number);
            self.member(&name("c.txt"), &session.request, true)?;
            self.member(&name("s.txt"), &session.response, true)?;
            self.member(&name("m.xml"), session.timers.as_bytes(), true)?;
        }
        Ok(())
    }

    fn close(&mut self, manifest: Option<&Manifest>) -> Written {
        self.write()?;
        if !self.sealed {
            let index = format!(
                "<html><head><meta charset=\"utf-8\"><title>authtap</title></head><body><table><tr><th>#</th><th>Result\
                 </th><th>Method</th><th>URL</th></tr>\r\n{}</table></body></html>",
                self.index
            );
            self.member("_index.htm", index.as_bytes(), true)?;
        }
        if let Some(manifest) = manifest {
            let log =
                json!({"format": 1, "tool": "authtap", "runs": origins::list(&self.origins), "manifest": manifest});
            self.member("authtap.json", log.to_string().as_bytes(), true)?;
        }
        self.sealed = true;
        if let Some(archive) = self.archive.take() {
            archive.finish()?;
        }
        Ok(())
    }

    fn member(&mut self, name: &str, content: &[u8], secret: bool) -> Written {
        let password = self.password.clone().filter(|_| secret);
        let options = SimpleFileOptions::default().compression_method(CompressionMethod::Deflated);
        let archive = self.archive()?;
        match &password {
            Some(password) => archive.start_file(name, options.with_aes_encryption(AesMode::Aes256, password))?,
            None => archive.start_file(name, options)?,
        }
        let masked = self.mask.as_ref().and_then(|net| net.masked(content));
        self.archive()?.write_all(masked.as_deref().unwrap_or(content)).map_err(ZipError::Io)
    }

    /// The archive; one that was complete is gone on with.
    fn archive(&mut self) -> Result<&mut ZipWriter<File>, ZipError> {
        if self.archive.is_none() {
            let file = self.file.try_clone().map_err(ZipError::Io)?;
            self.archive = Some(ZipWriter::new_append(file)?);
        }
        self.archive.as_mut().ok_or(ZipError::FileNotFound)
    }

    fn said(&self, written: Written) -> Result<(), SessionError> {
        written.map_err(|error| match error {
            ZipError::Io(error) => SessionError::writing(&self.target, &error),
            other => SessionError::Unwritable { path: self.target.clone(), reason: other.to_string() },
        })
    }
}
