//! HTTP Archive 1.2: other tools' traces, and our own.
//!
//! A file is read twice, entry by entry, so its length does not matter: once for what concerns all of it (who made it,
//! what was taken out, which tunnels were looked into), then for the exchanges. Entries that we wrote ourselves carry
//! facts that say so ([`facts`](crate::session::facts)), and their markers are read back; all others are bytes of the wire.
//!
//! Exchanges come out in the order in which they ended (`order`); our own files list them so. Entries without a
//! connection's identity share one connection an origin: then the legs of a handshake stay together, and nothing is
//! concluded from a change of connections that nobody saw.

mod entry;
mod message;
mod own;
mod scan;
mod survey;
#[cfg(test)]
mod tests;

use std::collections::HashMap;
use std::fs::File;
use std::io::{BufRead, BufReader, Cursor};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use zeroize::Zeroizing;

use self::entry::Entry;
use self::scan::{Broken, Scanner};
use self::survey::Survey;
use super::facts::Numbers;
use super::order::Order;
use super::progress::{Counted, Progress};
use super::{Opening, Origin, Recorded, SessionError, Stated};
use crate::exchange::{Certificate, Connection, Ids, Server, Timestamp, Tls};
use crate::redact::{Clean, Redactor};

pub use super::provenance::Provenance;

/// An HTTP archive.
pub struct Har {
    path: PathBuf,
    source: Source,
    redactor: Redactor,
    progress: Progress,
    survey: Survey,
}

enum Source {
    File,
    Memory(Zeroizing<Vec<u8>>),
}

impl Source {
    fn reader(&self, path: &Path, progress: &Progress) -> Result<Box<dyn BufRead + '_>, SessionError> {
        Ok(match self {
            Self::File => {
                let file = File::open(path).map_err(|error| SessionError::reading(path, &error))?;
                Box::new(BufReader::with_capacity(1 << 16, Counted::new(file, progress)))
            }
            Self::Memory(text) => Box::new(Counted::new(Cursor::new(text.as_slice()), progress)),
        })
    }

    fn len(&self, path: &Path) -> u64 {
        match self {
            Self::File => std::fs::metadata(path).map_or(0, |file| file.len()),
            Self::Memory(text) => text.len() as u64,
        }
    }
}

/// The longest entry that is read; a body that long is a file somebody fetched.
const ENTRY: usize = 64 << 20;
/// Connections remembered by the identity that the file gives them.
const CONNECTIONS: usize = 1 << 16;

impl Har {
    /// The archive at `path`.
    pub fn open(path: &Path, opening: &Opening<'_>) -> Result<Self, SessionError> {
        Self::of(path, Source::File, opening)
    }

    /// The archive in `text`, called `name`.
    pub fn of_text(text: Zeroizing<Vec<u8>>, name: &Path, opening: &Opening<'_>) -> Result<Self, SessionError> {
        Self::of(name, Source::Memory(text), opening)
    }

    fn of(path: &Path, source: Source, opening: &Opening<'_>) -> Result<Self, SessionError> {
        let (redactor, progress) = (opening.redactor.clone(), opening.progress.clone());
        // It is read twice.
        progress.expect(2 * source.len(path));
        let survey = Survey::of(source.reader(path, &progress)?).map_err(|error| match error {
            Broken::Input(error) => SessionError::reading(path, &error),
            Broken::Cut | Broken::Syntax => SessionError::NoEntries { path: path.to_owned() },
        })?;
        Ok(Self { path: path.to_owned(), source, redactor, progress, survey })
    }

    /// What captured the exchanges of which the file itself does not say it.
    pub fn provenance(&self) -> &Provenance {
        &self.survey.provenance
    }

    /// What the file states of itself, where we made it to be given away.
    pub(super) const fn stated(&self) -> Option<&Stated> {
        self.survey.stated.as_ref()
    }

    /// The exchanges that can be read, in the order in which they ended, and what cannot be read.
    pub fn recorded(&self) -> impl Iterator<Item = Result<Recorded, SessionError>> {
        let reader = self.source.reader(&self.path, &self.progress);
        let (entries, unreadable) = match reader.and_then(|reader| self.entries(reader)) {
            Ok(entries) => (Some(entries), None),
            Err(error) => (None, Some(Err(error))),
        };
        let reading = Reading {
            har: self,
            entries,
            number: 0,
            ids: Ids::default(),
            numbers: Numbers::default(),
            origin: Origin::of(self.survey.provenance),
            own: own::Own::new(&self.survey),
            connections: HashMap::new(),
            order: Order::default(),
            last: Timestamp::default(),
        };
        unreadable.into_iter().chain(reading)
    }

    /// The exchanges of [`Har::recorded`] alone.
    pub fn exchanges(&self) -> impl Iterator<Item = Result<crate::exchange::Exchange, SessionError>> {
        self.recorded().map(|recorded| recorded.map(|recorded| recorded.exchange))
    }

    fn entries<'h>(&self, reader: Box<dyn BufRead + 'h>) -> Result<Entries<'h>, SessionError> {
        Entries::of(reader).map_err(|error| self.broken(&error, 1))
    }

    /// What keeps the entries from `number` on from being read.
    fn broken(&self, error: &Broken, number: u64) -> SessionError {
        let path = self.path.clone();
        match error {
            Broken::Input(error) => SessionError::reading(&path, error),
            Broken::Cut | Broken::Syntax => SessionError::Rest { path, from: number },
        }
    }
}

/// Walks to `log` and over its members: `each` is called at the value of every member, with the member's name in quotes,
/// and has to pass it. It says whether to go on.
fn walk_log<R: BufRead>(
    scanner: &mut Scanner<R>,
    mut each: impl FnMut(&mut Scanner<R>, &[u8]) -> Result<bool, Broken>,
) -> Result<bool, Broken> {
    let mut first = true;
    if !scanner.enter(b'{')? {
        return Err(Broken::Syntax);
    }
    while let Some(key) = scanner.key(&mut first)? {
        if key != b"\"log\"" || !scanner.enter(b'{')? {
            scanner.skip()?;
            continue;
        }
        let mut first = true;
        while let Some(key) = scanner.key(&mut first)? {
            if !each(scanner, &key)? {
                return Ok(true);
            }
        }
        return Ok(true);
    }
    Ok(false)
}

/// The entries, one raw JSON value after the other.
struct Entries<'h> {
    scanner: Scanner<Box<dyn BufRead + 'h>>,
    first: bool,
    raw: Zeroizing<Vec<u8>>,
}

impl<'h> Entries<'h> {
    fn of(reader: Box<dyn BufRead + 'h>) -> Result<Self, Broken> {
        let mut scanner = Scanner::new(reader)?;
        let mut found = false;
        walk_log(&mut scanner, |scanner, key| {
            found = key == b"\"entries\"" && scanner.enter(b'[')?;
            if !found {
                scanner.skip()?;
            }
            Ok(!found)
        })?;
        if found { Ok(Self { scanner, first: true, raw: Zeroizing::new(Vec::new()) }) } else { Err(Broken::Syntax) }
    }

    fn next(&mut self) -> Result<Next, Broken> {
        if !self.scanner.item(&mut self.first, b']')? {
            return Ok(Next::End);
        }
        let fits = self.scanner.value(&mut self.raw, ENTRY)?;
        let entry = if fits { Entry::read(&self.raw) } else { None };
        Ok(entry.map_or(Next::Unreadable, Next::Entry))
    }
}

enum Next {
    Entry(Entry),
    /// It is none that can be read, though where it ends is known.
    Unreadable,
    End,
}

struct Reading<'h> {
    har: &'h Har,
    /// Nothing behind the last.
    entries: Option<Entries<'h>>,
    /// The place of the next entry, from 0.
    number: u64,
    ids: Ids,
    numbers: Numbers,
    origin: Arc<Origin>,
    own: own::Own,
    connections: HashMap<String, Arc<Connection>>,
    order: Order,
    last: Timestamp,
}

impl Iterator for Reading<'_> {
    type Item = Result<Recorded, SessionError>;

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            if let Some(exchange) = self.order.pop(self.entries.is_none()) {
                return Some(Ok(Recorded { origin: Arc::clone(&self.origin), exchange }));
            }
            self.number += 1;
            match self.entries.as_mut()?.next() {
                Ok(Next::Entry(entry)) if entry.facts().is_some() => return Some(self.take_own(&entry)),
                Ok(Next::Entry(entry)) => self.take(&entry),
                Ok(Next::Unreadable) => return Some(Err(self.bad_entry())),
                Ok(Next::End) => self.entries = None,
                Err(error) => {
                    self.entries = None;
                    return Some(Err(self.har.broken(&error, self.number)));
                }
            }
        }
    }
}

impl Reading<'_> {
    fn bad_entry(&self) -> SessionError {
        SessionError::BadEntry { path: self.har.path.clone(), number: self.number }
    }

    /// An entry that we wrote. Others that still wait come later than it: they are not of the same capture.
    fn take_own(&mut self, entry: &Entry) -> Result<Recorded, SessionError> {
        let mut recorded = self.own.read(entry, self.har.redactor.own()).ok_or_else(|| self.bad_entry())?;
        recorded.exchange.id = self.numbers.give(Some(recorded.exchange.id));
        Ok(recorded)
    }

    fn take(&mut self, entry: &Entry) {
        let started = entry.started().unwrap_or(self.last);
        self.last = started;
        let connection = self.connection(entry);
        let told = message::Told { redactor: &self.har.redactor, survey: &self.har.survey, entry };
        let exchange = told.exchange(self.numbers.give(None), started, connection);
        let micros = exchange.timings.done.and_then(|done| i64::try_from(done.as_micros()).ok()).unwrap_or_default();
        self.order.push(exchange, Timestamp(started.0.saturating_add(micros)));
    }

    fn connection(&mut self, entry: &Entry) -> Arc<Connection> {
        let authority = message::authority(entry).unwrap_or_default();
        // A port is none, and a browser's connection may lead to several hosts: each of them has its own.
        let identity = format!("{} {}", authority.to_ascii_lowercase(), entry.connection().unwrap_or_default());
        if let Some(known) = self.connections.get(&identity) {
            return Arc::clone(known);
        }
        // An identity that comes back after so many others is another connection in all likelihood.
        if self.connections.len() >= CONNECTIONS {
            self.connections.clear();
        }
        let door = self.har.redactor.wire();
        let port = message::port(entry);
        let server = entry.server().map(|address| std::net::SocketAddr::new(address, port));
        let known = &self.har.survey.certificates;
        let host = message::host(entry).filter(|host| known.are_of(host));
        let shown = |fingerprint: Option<[u8; 32]>| host.and(fingerprint).map(Certificate::of_fingerprint);
        let tls = shown(known.upstream).map(Tls::of_certificate);
        let connection = Arc::new(Connection {
            id: self.ids.connection(),
            presented: shown(known.presented),
            target: (!authority.is_empty()).then(|| door.host(message::with_port(authority, port).as_bytes())),
            server: match (server, tls) {
                (None, None) => None,
                (address, tls) => Some(Server { address: address.map_or_else(|| "".into(), Clean::from), tls }),
            },
            ..Connection::default()
        });
        self.connections.insert(identity, Arc::clone(&connection));
        connection
    }
}
