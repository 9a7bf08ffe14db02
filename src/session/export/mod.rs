//! One way to write a session file of any kind.
//!
//! It is written into a file of its own beside the one that was asked for and gets that name when it is whole: under the
//! final name there is never half a file, whatever happens. Between the two the file can be read back, so that what is
//! stated in it has been seen.

mod draft;
mod har;
mod native;
mod saz;

#[cfg(test)]
mod tests;

use std::path::{Path, PathBuf};

use zeroize::Zeroizing;

pub(super) use self::draft::Draft;
use super::native::Lock;
use super::{Manifest, Recorded, SessionError};
use crate::redact::Redactor;

/// The kinds of session files that are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// A session of ours.
    Authtap,
    /// HTTP Archive 1.2.
    Har,
    /// Fiddler's session archive.
    Saz,
}

impl Form {
    /// The kind that the extension of `path` names, in any letter case.
    pub fn of_name(path: &Path) -> Option<Self> {
        let extension = path.extension()?.to_str()?.to_ascii_lowercase();
        match extension.as_str() {
            "authtap" => Some(Self::Authtap),
            "har" => Some(Self::Har),
            "saz" => Some(Self::Saz),
            _ => None,
        }
    }
}

/// A session file that is being written. Dropped before it is published, it leaves nothing.
pub struct Export {
    pen: Pen,
    // Goes after the pen, which holds it open.
    draft: Draft,
    /// A session that is being recorded is not replaced.
    _lock: Option<Lock>,
}

enum Pen {
    Native(Box<native::Pen>),
    Har(har::Pen),
    Saz(Box<saz::Pen>),
}

impl Export {
    /// Begins a file of the kind `form` that shall be called `path`. With a password an archive of Fiddler's is
    /// encrypted; the other forms have no such thing.
    pub fn begin(path: &Path, form: Form, password: Option<Zeroizing<String>>) -> Result<Self, SessionError> {
        let draft = Draft::beside(path)?;
        let lock = if form == Form::Authtap { Some(Lock::take(path)?) } else { None };
        let pen = match form {
            Form::Authtap => Pen::Native(Box::new(native::Pen::new(&draft)?)),
            Form::Har => Pen::Har(har::Pen::new(&draft)?),
            Form::Saz => Pen::Saz(Box::new(saz::Pen::new(&draft, password)?)),
        };
        Ok(Self { pen, draft, _lock: lock })
    }

    /// Masks the secrets that `net` met in all that is written from now on: for a file in which they were found.
    #[must_use]
    pub fn masking(mut self, net: &Redactor) -> Self {
        match &mut self.pen {
            Pen::Native(pen) => pen.mask(net),
            Pen::Har(pen) => pen.mask(net),
            Pen::Saz(pen) => pen.mask(net),
        }
        self
    }

    /// Adds the next exchange, in the order in which they ended.
    pub fn add(&mut self, recorded: Recorded) -> Result<(), SessionError> {
        match &mut self.pen {
            Pen::Native(pen) => pen.add(recorded),
            Pen::Har(pen) => pen.add(&recorded),
            Pen::Saz(pen) => pen.add(&recorded),
        }
    }

    /// Completes the file, which still has the name of a draft: it can be read there.
    pub fn seal(&mut self) -> Result<&Path, SessionError> {
        match &mut self.pen {
            Pen::Native(pen) => pen.seal(None)?,
            Pen::Har(pen) => pen.seal(None)?,
            Pen::Saz(pen) => pen.seal(None)?,
        }
        Ok(self.draft.path())
    }

    /// States `manifest` in the file, gives it its name and says that name.
    pub fn finish(mut self, manifest: &Manifest) -> Result<PathBuf, SessionError> {
        match &mut self.pen {
            Pen::Native(pen) => pen.seal(Some(manifest))?,
            Pen::Har(pen) => pen.seal(Some(manifest))?,
            Pen::Saz(pen) => pen.seal(Some(manifest))?,
        }
        drop(self.pen);
        self.draft.publish()
    }
}

/// A session of ours that nobody asked for: other files are read into it.
pub(super) struct Scratch {
    pen: native::Pen,
    draft: Draft,
}

impl Scratch {
    pub(super) fn new() -> Result<Self, SessionError> {
        let draft = Draft::beside(&scratch_folder().join("authtap-reading"))?;
        Ok(Self { pen: native::Pen::new(&draft)?, draft })
    }

    pub(super) fn add(&mut self, recorded: Recorded) -> Result<(), SessionError> {
        self.pen.add(recorded)
    }

    /// Where it is; it is there as long as the draft.
    pub(super) fn finish(mut self) -> Result<(PathBuf, Draft), SessionError> {
        self.pen.seal(None)?;
        Ok((self.draft.path().to_owned(), self.draft))
    }
}

/// Where there is room for as much as a session takes. The usual folder is memory on many systems.
fn scratch_folder() -> PathBuf {
    let usual = std::env::temp_dir();
    let roomy = Path::new("/var/tmp");
    let is_chosen = std::env::var_os("TMPDIR").is_some();
    if cfg!(unix) && !is_chosen && roomy.is_dir() { roomy.to_owned() } else { usual }
}
