//! HTTP Archive 1.2: other tools' traces, and our own.
//!
//! A file is read twice, entry by entry, so its length does not matter: once for what concerns all of it (who made it,
//! what was taken out, which tunnels were looked into), then for the exchanges. They come in through the door that reads
//! our own markers back, as pasted text does: a file may be an export of ours, and a marker cannot be told from one by
//! the name of its writer.
//!
//! Exchanges come out in the order in which they ended ([`order`]). Entries without a connection's identity share one
//! connection an origin: then the legs of a handshake stay together, and nothing is concluded from a change of
//! connections that nobody saw.

mod entry;
mod failure;
mod message;
mod order;
mod provenance;
mod scan;
mod stripped;
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
use self::order::Order;
use self::scan::{Broken, Scanner};
use self::survey::Survey;
use super::SessionError;
use crate::exchange::{Certificate, Connection, Exchange, Ids, Server, Timestamp, Tls};
use crate::redact::{Clean, Redactor};

pub use provenance::Provenance;

/// An HTTP archive.
pub struct Har {
    path: PathBuf,
    source: Source,
    redactor: Redactor,
    survey: Survey,
}

enum Source {
    File,
    Memory(Zeroizing<Vec<u8>>),
}

impl Source {
    fn reader(&self, path: &Path) -> Result<Box<dyn BufRead + '_>, SessionError> {
        Ok(match self {
            Self::File => {
                let file = File::open(path).map_err(|error| SessionError::reading(path, &error))?;
                Box::new(BufReader::with_capacity(1 << 16, file))
            }
            Self::Memory(text) => Box::new(Cursor::new(text.as_slice())),
        })
    }
}

/// The longest entry that is read; a body that long is a file somebody fetched.
const ENTRY: usize = 64 << 20;
/// Connections remembered by the identity that the file gives them.
const CONNECTIONS: usize = 1 << 16;

impl Har {
    /// The archive at `path`.
    pub fn open(path: &Path, redactor: &Redactor) -> Result<Self, SessionError> {
        Self::of(path, Source::File, redactor)
    }

    /// The archive in `text`, called `name`.
    pub fn of_text(text: Zeroizing<Vec<u8>>, name: &Path, redactor: &Redactor) -> Result<Self, SessionError> {
        Self::of(name, Source::Memory(text), redactor)
    }

    fn of(path: &Path, source: Source, redactor: &Redactor) -> Result<Self, SessionError> {
        let survey = Survey::of(source.reader(path)?).map_err(|error| match error {
            Broken::Input(error) => SessionError::reading(path, &error),
            Broken::Cut | Broken::Syntax => SessionError::NoEntries { path: path.to_owned() },
        })?;
        Ok(Self { path: path.to_owned(), source, redactor: redactor.clone(), survey })
    }

    /// Where the exchanges come from.
    pub fn provenance(&self) -> &Provenance {
        &self.survey.provenance
    }

    /// The exchanges that can be read, in the order in which they ended, and what cannot be read.
    pub fn exchanges(&self) -> impl Iterator<Item = Result<Exchange, SessionError>> {
        let (entries, unreadable) = match self.source.reader(&self.path).and_then(|reader| self.entries(reader)) {
            Ok(entries) => (Some(entries), None),
            Err(error) => (None, Some(Err(error))),
        };
        let reading = Reading {
            har: self,
            entries,
            number: 0,
            ids: Ids::default(),
            connections: HashMap::new(),
            order: Order::default(),
            last: Timestamp::default(),
        };
        unreadable.into_iter().chain(reading)
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
    connections: HashMap<String, Arc<Connection>>,
    order: Order,
    last: Timestamp,
}

impl Iterator for Reading<'_> {
    type Item = Result<Exchange, SessionError>;

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            if let Some(exchange) = self.order.pop(self.entries.is_none()) {
                return Some(Ok(exchange));
            }
            self.number += 1;
            match self.entries.as_mut()?.next() {
                Ok(Next::Entry(entry)) => self.take(&entry),
                Ok(Next::Unreadable) => {
                    return Some(Err(SessionError::BadEntry { path: self.har.path.clone(), number: self.number }));
                }
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
    fn take(&mut self, entry: &Entry) {
        let started = entry.started().unwrap_or(self.last);
        self.last = started;
        let connection = self.connection(entry);
        let told = message::Told { redactor: &self.har.redactor, survey: &self.har.survey, entry };
        let exchange = told.exchange(self.ids.exchange(), started, connection);
        let micros = exchange.timings.done.and_then(|done| i64::try_from(done.as_micros()).ok()).unwrap_or_default();
        self.order.push(exchange, Timestamp(started.0.saturating_add(micros)));
    }

    fn connection(&mut self, entry: &Entry) -> Arc<Connection> {
        let authority = message::authority(entry).unwrap_or_default();
        let identity = entry.connection().unwrap_or_else(|| format!("of {}", authority.to_ascii_lowercase()));
        if let Some(known) = self.connections.get(&identity) {
            return Arc::clone(known);
        }
        // An identity that comes back after so many others is another connection in all likelihood.
        if self.connections.len() >= CONNECTIONS {
            self.connections.clear();
        }
        let door = self.har.redactor.own();
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
