//! mitmproxy's flow files, of its formats 18 to 21: flows one after the other, each a dictionary.
//!
//! A file has no beginning and no end of its own. A flow that cannot be read costs itself; where not even its end is
//! known, the next one is looked for.

mod certificate;
mod flow;
mod scan;
mod tnetstring;

use std::collections::HashMap;
use std::fs::File;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use zeroize::Zeroizing;

use self::flow::Flow;
use self::scan::{Next, Scanner};
use super::facts::Numbers;
use super::order::Order;
use super::progress::{Counted, Progress};
use super::{Opening, Origin, Provenance, Recorded, SessionError};
use crate::exchange::{Connection, Ids, Timestamp};
use crate::redact::Redactor;

/// A flow file.
pub(super) struct Mitm {
    path: PathBuf,
    redactor: Redactor,
    progress: Progress,
}

/// Connections remembered by the identity that the file gives them.
const CONNECTIONS: usize = 1 << 16;

impl Mitm {
    /// The file at `path`.
    pub(super) fn open(path: &Path, opening: &Opening<'_>) -> Result<Self, SessionError> {
        let length = std::fs::metadata(path).map_err(|error| SessionError::reading(path, &error))?.len();
        opening.progress.expect(length);
        Ok(Self { path: path.to_owned(), redactor: opening.redactor.clone(), progress: opening.progress.clone() })
    }

    /// The exchanges that can be read, in the order in which they ended, and what cannot be read.
    pub(super) fn recorded(&self) -> impl Iterator<Item = Result<Recorded, SessionError>> {
        let opened = File::open(&self.path).map_err(|error| SessionError::reading(&self.path, &error));
        let (scanner, unreadable) = match opened {
            Ok(file) => (Some(Scanner::new(Counted::new(file, &self.progress))), None),
            Err(error) => (None, Some(Err(error))),
        };
        let reading = Reading {
            mitm: self,
            scanner,
            raw: Zeroizing::new(Vec::new()),
            number: 0,
            numbers: Numbers::default(),
            ids: Ids::default(),
            connections: HashMap::new(),
            origin: Origin::of(Provenance::Intercepted),
            order: Order::default(),
        };
        unreadable.into_iter().chain(reading)
    }
}

struct Reading<'m> {
    mitm: &'m Mitm,
    /// Nothing behind the last.
    scanner: Option<Scanner<Counted<File>>>,
    /// The flow at hand, as it stands.
    raw: Zeroizing<Vec<u8>>,
    /// The place of the flow at hand, from 1.
    number: u64,
    numbers: Numbers,
    ids: Ids,
    connections: HashMap<String, Arc<Connection>>,
    origin: Arc<Origin>,
    order: Order,
}

impl Iterator for Reading<'_> {
    type Item = Result<Recorded, SessionError>;

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            if let Some(exchange) = self.order.pop(self.scanner.is_none()) {
                return Some(Ok(Recorded { origin: Arc::clone(&self.origin), exchange }));
            }
            self.number += 1;
            let path = || self.mitm.path.clone();
            let mut scanner = self.scanner.take()?;
            let lacks = match scanner.next(&mut self.raw) {
                Ok(Next::Flow) => match self.take() {
                    Taken::Exchange | Taken::OtherProtocol => None,
                    Taken::Unreadable => Some(SessionError::BadEntry { path: path(), number: self.number }),
                },
                Ok(Next::Unreadable) => Some(SessionError::BadEntry { path: path(), number: self.number }),
                Ok(Next::Lost) => {
                    let rest = SessionError::Rest { path: path(), from: self.number };
                    return Some(Err(rest));
                }
                Ok(Next::End) => continue,
                Err(error) => return Some(Err(SessionError::reading(&self.mitm.path, &error))),
            };
            self.scanner = Some(scanner);
            if let Some(lacks) = lacks {
                return Some(Err(lacks));
            }
        }
    }
}

/// What became of a flow.
enum Taken {
    Exchange,
    /// It is one of TCP, UDP or DNS.
    OtherProtocol,
    Unreadable,
}

impl Reading<'_> {
    fn take(&mut self) -> Taken {
        let raw = std::mem::take(&mut self.raw);
        let taken = self.take_flow(&raw);
        self.raw = raw;
        taken
    }

    fn take_flow(&mut self, raw: &[u8]) -> Taken {
        let Some(value) = tnetstring::parse(raw) else { return Taken::Unreadable };
        let flow = Flow(&value);
        if !flow.is_http() {
            return if flow.is_of_another_protocol() { Taken::OtherProtocol } else { Taken::Unreadable };
        }
        let Some(started) = flow.started() else { return Taken::Unreadable };
        let connection = self.connection(&flow);
        let id = self.numbers.give(None);
        let Some(exchange) = flow.exchange(&self.mitm.redactor, id, started, connection) else {
            return Taken::Unreadable;
        };
        let lasted = exchange.timings.done.and_then(|done| i64::try_from(done.as_micros()).ok()).unwrap_or_default();
        self.order.push(exchange, Timestamp(started.0.saturating_add(lasted)));
        Taken::Exchange
    }

    fn connection(&mut self, flow: &Flow<'_>) -> Arc<Connection> {
        let identity = flow.connection_identity();
        if let Some(known) = self.connections.get(&identity) {
            return Arc::clone(known);
        }
        // An identity that comes back after so many others is another connection in all likelihood.
        if self.connections.len() >= CONNECTIONS {
            self.connections.clear();
        }
        let connection = Arc::new(flow.connection(&self.mitm.redactor, self.ids.connection()));
        self.connections.insert(identity, Arc::clone(&connection));
        connection
    }
}

#[cfg(test)]
mod tests;
