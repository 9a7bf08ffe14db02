//! Writes Fiddler's session archive.
//!
//! The texts are such as Fiddler and others open: framed by their own length, with no coding left. What they do not
//! tell stands in members of our own, `authtap/NUMBER.json`, in front of the sessions it belongs to, so that a part of
//! the archive is read as the whole would be; other readers pass over them.
//!
//! The library that packs members holds an entry of the directory for each of them. So it writes no more than a part of
//! the archive at a time: the directory of the part is put aside, and all of them stand together at the end.

mod session;

use std::fs::File;
use std::io::{self, Read as _, Seek as _, SeekFrom, Write};
use std::path::PathBuf;
use std::sync::Arc;

use serde_json::json;
use zeroize::Zeroizing;
use zip::result::ZipError;
use zip::write::SimpleFileOptions;
use zip::{AesMode, CompressionMethod, ZipArchive, ZipWriter};

use self::session::Session;
use super::draft::Draft;
use crate::redact::Redactor;
use crate::session::Manifest;
use crate::session::saz::directory::end_of_directory;
use crate::session::{Origin, Recorded, SessionError, origins};

pub(super) struct Pen {
    /// The part that is being written.
    part: Option<ZipWriter<File>>,
    file: File,
    directory: Directory,
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
        let mut pen = Self {
            part: None,
            file: draft.open()?,
            directory: Directory::new(draft)?,
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
        self.part()?.add_directory("raw/", options)
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
        self.end_part()
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
        self.end_part()?;
        Ok(self.directory.copy_behind(&mut self.file)?)
    }

    fn member(&mut self, name: &str, content: &[u8], secret: bool) -> Written {
        let password = self.password.clone().filter(|_| secret);
        let options = SimpleFileOptions::default().compression_method(CompressionMethod::Deflated);
        let part = self.part()?;
        match &password {
            Some(password) => part.start_file(name, options.with_aes_encryption(AesMode::Aes256, password))?,
            None => part.start_file(name, options)?,
        }
        let masked = self.mask.as_ref().and_then(|net| net.masked(content));
        self.part()?.write_all(masked.as_deref().unwrap_or(content)).map_err(ZipError::Io)
    }

    /// The part that is being written: the next one, behind the members that there are, where the last is complete.
    fn part(&mut self) -> Result<&mut ZipWriter<File>, ZipError> {
        if self.part.is_none() {
            self.file.set_len(self.directory.members_end)?;
            let mut file = self.file.try_clone()?;
            file.seek(SeekFrom::Start(self.directory.members_end))?;
            self.part = Some(ZipWriter::new(file));
        }
        self.part.as_mut().ok_or(ZipError::FileNotFound)
    }

    fn end_part(&mut self) -> Written {
        let Some(part) = self.part.take() else { return Ok(()) };
        let part = part.finish_into_readable()?;
        self.directory.take(&part, &mut self.file)?;
        Ok(())
    }

    fn said(&self, written: Written) -> Result<(), SessionError> {
        written.map_err(|error| match error {
            ZipError::Io(error) => SessionError::writing(&self.target, &error),
            other => SessionError::Unwritable { path: self.target.clone(), reason: other.to_string() },
        })
    }
}

/// The directory of all parts so far, in a file of its own beside the archive's.
struct Directory {
    file: File,
    entries: u64,
    length: u64,
    /// Where in the archive the members end.
    members_end: u64,
    /// Removes the file.
    _draft: Draft,
}

impl Directory {
    fn new(archive: &Draft) -> Result<Self, SessionError> {
        let draft = Draft::beside(archive.target())?;
        Ok(Self { file: draft.open()?, entries: 0, length: 0, members_end: 0, _draft: draft })
    }

    /// Takes over the directory of `part`, which stands at the end of the `archive`.
    fn take(&mut self, part: &ZipArchive<File>, archive: &mut File) -> io::Result<()> {
        /// What stands behind a directory: in short, and as it is beyond 4 GiB.
        const END: u64 = 22;
        const LARGE_END: u64 = 56 + 20 + END;
        let from = part.central_directory_start();
        let end = if from > u32::MAX.into() { LARGE_END } else { END };
        let length = archive.metadata()?.len().saturating_sub(from + end);
        archive.seek(SeekFrom::Start(from))?;
        self.length += io::copy(&mut archive.take(length), &mut self.file)?;
        self.entries += part.len() as u64;
        self.members_end = from;
        Ok(())
    }

    /// Writes it where the archive's members end, and what ends an archive.
    fn copy_behind(&mut self, archive: &mut File) -> io::Result<()> {
        archive.set_len(self.members_end)?;
        archive.seek(SeekFrom::Start(self.members_end))?;
        self.file.seek(SeekFrom::Start(0))?;
        io::copy(&mut self.file, archive)?;
        let end = self.members_end + self.length;
        archive.write_all(&end_of_directory(self.entries, self.members_end, self.length, end))
    }
}
