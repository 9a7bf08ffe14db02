//! Any session file as one that can be asked for single exchanges.
//!
//! A session of ours is that already. Another file's exchanges are written into a session of their own, which nobody
//! else can read and which is gone with the program: so a screen can show any exchange of a file of any size, and
//! nothing of it is held in memory.

use std::path::Path;
use std::sync::Arc;

use super::export::Scratch;
use super::{Opening, Origin, Provenance, Reader, Recorded, Session, SessionError};
use crate::exchange::Exchange;
use crate::redact::Redactor;

impl Session {
    /// The file at `path`, of any kind, and what of it could not be read. A session of ours tells of that when it is
    /// read.
    pub fn of_any(path: &Path, opening: &Opening<'_>) -> Result<(Self, Vec<SessionError>), SessionError> {
        match Reader::open(path, opening)?.into_session() {
            Ok(session) => Ok((session, Vec::new())),
            Err(reader) => spooled(&reader, path, opening),
        }
    }

    /// Exchanges of the text at `path`, which another program made.
    pub fn of_exchanges(exchanges: Vec<Exchange>, path: &Path, redactor: &Redactor) -> Result<Self, SessionError> {
        let (mut scratch, origin) = (Scratch::new()?, Origin::of(Provenance::Imported));
        for exchange in exchanges {
            scratch.add(Recorded { origin: Arc::clone(&origin), exchange })?;
        }
        let (written, draft) = scratch.finish()?;
        Ok(Self::open(&written, redactor)?.standing_for(path, None, draft))
    }
}

fn spooled(reader: &Reader, path: &Path, opening: &Opening<'_>) -> Result<(Session, Vec<SessionError>), SessionError> {
    let (mut scratch, mut gaps) = (Scratch::new()?, Vec::new());
    for recorded in reader.exchanges() {
        match recorded {
            Ok(recorded) => scratch.add(recorded)?,
            Err(SessionError::Cancelled) => return Err(SessionError::Cancelled),
            Err(gap) => gaps.push(gap),
        }
    }
    let (written, draft) = scratch.finish()?;
    Ok((Session::open(&written, opening.redactor)?.standing_for(path, reader.stated().cloned(), draft), gaps))
}
