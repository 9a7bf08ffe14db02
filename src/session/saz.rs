//! Fiddler's session archives: a ZIP file with a text for each request and response, and an XML with times and flags.
//!
//! Archives of any Fiddler are read, protected by a password or not. Of one that is cut short or whose directory is
//! damaged, the members that stand in it are read one after the other. Our own carry facts beside the texts
//! ([`facts`](super::facts)) and are read by them.

mod archive;
mod cut;
pub(super) mod directory;
mod index;
mod member;
mod own;
mod session;
mod socket;
mod text;
mod timers;
mod unpack;
mod window;

use std::collections::{HashMap, HashSet};
use std::path::{Path, PathBuf};
use std::sync::Arc;

pub(super) use self::archive::Archive;
use self::archive::Refused;
use self::index::{Index, Numbered};
use self::session::{Met, Told};
use super::facts::Numbers;
use super::order::Order;
use super::progress::Progress;
use super::{Opening, Origin, Provenance, Recorded, SessionError, Stated};
use crate::exchange::{Connection, Ids, Timestamp};
use crate::redact::Redactor;

/// An archive.
pub(super) struct Saz {
    path: PathBuf,
    redactor: Redactor,
    progress: Progress,
    archive: Archive,
    index: Index,
    /// Hosts of which requests inside of TLS are there.
    looked_into: HashSet<String>,
    stated: Option<Stated>,
}

/// Connections remembered by the ports that the archive gives them.
const CONNECTIONS: usize = 1 << 16;
/// Hosts remembered; an archive with more of them has no host that matters.
const HOSTS: usize = 1 << 16;
/// How much of a request is looked at to tell where it went.
const LOOK: usize = 16 << 10;

impl Saz {
    /// The archive at `path`.
    pub(super) fn open(path: &Path, opening: &Opening<'_>) -> Result<Self, SessionError> {
        let (mut archive, index) = Archive::open(path, &opening.progress)?;
        if index.sessions.is_empty() && index.log.is_none() {
            return Err(SessionError::NoSessions { path: path.to_owned() });
        }
        if !index.locked.is_empty() {
            let password = (opening.password)(path).filter(|password| !password.is_empty());
            archive.unlock(password.ok_or_else(|| SessionError::Protected { path: path.to_owned() })?);
            // One of 256 wrong passwords opens a member of the old encryption; what comes out has a wrong checksum. Of an
            // archive that is cut short a member may be unreadable for another reason.
            let tried: Vec<_> = index.locked.iter().map(|slot| archive.read(*slot, |_| true)).collect();
            let is_wrong = tried.contains(&Err(Refused::Password)) || !archive.is_cut();
            if is_wrong && tried.iter().all(Result::is_err) {
                return Err(SessionError::WrongPassword { path: path.to_owned() });
            }
        }
        // Those of others are looked through before they are read.
        let is_own = !index.own.is_empty();
        opening.progress.expect(index.sessions.len() as u64 * if is_own { 1 } else { 2 });
        let log = index.log.and_then(|slot| own::log(&mut archive, slot));
        let mut saz = Self {
            path: path.to_owned(),
            redactor: opening.redactor.clone(),
            progress: opening.progress.clone(),
            archive,
            index,
            looked_into: HashSet::new(),
            stated: log.and_then(|log| Stated::read(log.get("manifest")?)),
        };
        if !is_own {
            saz.look_at_requests()?;
        }
        Ok(saz)
    }

    /// What the archive states of itself, where we made it to be given away.
    pub(super) const fn stated(&self) -> Option<&Stated> {
        self.stated.as_ref()
    }

    /// The exchanges that can be read, in the order in which they ended, and what cannot be read.
    pub(super) fn recorded(&self) -> impl Iterator<Item = Result<Recorded, SessionError>> {
        let (archive, unreadable) = match self.archive.again() {
            Ok(archive) => (Some(archive), None),
            Err(error) => (None, Some(Err(SessionError::reading(&self.path, &error)))),
        };
        let reading = Reading {
            saz: self,
            rest: (self.archive.is_cut() || self.index.is_full).then(|| SessionError::Rest {
                path: self.path.clone(),
                from: self.index.sessions.last().map_or(0, |last| u64::from(last.number)) + 1,
            }),
            archive,
            place: 0,
            numbers: Numbers::default(),
            ids: Ids::default(),
            own: own::Own::new(&self.index),
            met: Met::default(),
            connections: HashMap::new(),
            origin: Origin::of(Provenance::Intercepted),
            order: Order::default(),
            last: Timestamp::default(),
        };
        unreadable.into_iter().chain(reading)
    }

    /// Which hosts were looked into: what passed through a tunnel to another one was not seen.
    fn look_at_requests(&mut self) -> Result<(), SessionError> {
        let archive = &mut self.archive;
        for session in &self.index.sessions {
            if self.progress.is_cancelled() {
                return Err(SessionError::Cancelled);
            }
            self.progress.advance(1);
            let Some(request) = session.request else { continue };
            let Ok(start) = archive.look(request, LOOK) else { continue };
            if let Some(host) = text::host_inside_tls(&start)
                && self.looked_into.len() < HOSTS
            {
                self.looked_into.insert(host);
            }
        }
        Ok(())
    }
}

struct Reading<'s> {
    saz: &'s Saz,
    /// Nothing behind the last.
    archive: Option<Archive>,
    /// Said behind the last: the archive is cut short.
    rest: Option<SessionError>,
    /// Of the next session.
    place: usize,
    numbers: Numbers,
    ids: Ids,
    own: own::Own,
    met: Met,
    connections: HashMap<String, Arc<Connection>>,
    origin: Arc<Origin>,
    order: Order,
    last: Timestamp,
}

impl Iterator for Reading<'_> {
    type Item = Result<Recorded, SessionError>;

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            if let Some(exchange) = self.order.pop(self.archive.is_none()) {
                return Some(Ok(Recorded { origin: Arc::clone(&self.origin), exchange }));
            }
            let mut archive = self.archive.take()?;
            let Some(session) = self.saz.index.sessions.get(self.place) else {
                // It may be that no more can be read, and that there was more.
                if let Some(rest) = self.rest.take() {
                    return Some(Err(rest));
                }
                continue;
            };
            self.place += 1;
            self.saz.progress.advance(1);
            let read = match self.own.read(&mut archive, session, self.saz.redactor.own()) {
                Some(read) => read.map(|mut recorded| {
                    recorded.exchange.id = self.numbers.give(Some(recorded.exchange.id));
                    Some(recorded)
                }),
                None => self.take(&mut archive, session).map(|()| None),
            };
            self.archive = Some(archive);
            match read {
                Ok(None) => {}
                Ok(Some(recorded)) => return Some(Ok(recorded)),
                Err(Refused::Password) => {
                    self.archive = None;
                    return Some(Err(SessionError::WrongPassword { path: self.saz.path.clone() }));
                }
                Err(Refused::Unreadable) => {
                    let number = u64::from(session.number);
                    return Some(Err(SessionError::BadEntry { path: self.saz.path.clone(), number }));
                }
            }
        }
    }
}

impl Reading<'_> {
    fn take(&mut self, archive: &mut Archive, session: &Numbered) -> Result<(), Refused> {
        let told = Told::read(archive, session, &mut self.met)?;
        if told.is_looked_into(&self.saz.looked_into) {
            return Ok(());
        }
        let started = told.started().unwrap_or(self.last);
        self.last = started;
        let identity = self.met.connection(&told);
        if self.connections.len() >= CONNECTIONS {
            self.connections.clear();
        }
        let (redactor, ids) = (&self.saz.redactor, &self.ids);
        let new = || Arc::new(told.connection(redactor, ids.connection()));
        let connection = Arc::clone(self.connections.entry(identity).or_insert_with(new));
        let exchange = told.exchange(redactor, self.numbers.give(None), started, connection);
        let lasted = exchange.timings.done.and_then(|done| i64::try_from(done.as_micros()).ok()).unwrap_or_default();
        self.order.push(exchange, Timestamp(started.0.saturating_add(lasted)));
        Ok(())
    }
}

#[cfg(test)]
mod tests;
