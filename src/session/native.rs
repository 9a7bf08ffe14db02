//! The native session file (`.authtap`): an SQLite file that is written while capturing and read by anyone meanwhile.

mod connection;
mod head;
mod lock;
mod people;
mod queue;
mod read;
mod row;
mod schema;
pub(super) mod socket;
mod walk;
mod writer;

use rusqlite::OptionalExtension;

use crate::exchange::{Ids, Timestamp};
use crate::redact::Clean;
use crate::session::Provenance;

pub(super) use lock::{Lock, beside, private};
pub use queue::WriterStatus;
pub(super) use read::open_somehow as open;
pub use read::{Exchanges, Outline, Outlines, Session};
pub(super) use row::{body_kind, read_content};
pub(super) use schema::{APPLICATION_ID, tables};
pub use walk::Walk;
pub(super) use writer::Recording;
pub use writer::Writer;

/// One run of the program that recorded into a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Run {
    /// Its number in the file, from 1.
    pub number: u64,
    /// When it began.
    pub started: Timestamp,
    /// When it ended; nothing while it goes on, or when it was killed.
    pub ended: Option<Timestamp>,
    /// Where its exchanges came from; nothing where another tool captured them, or if a later version knows a further way.
    pub mode: Option<Mode>,
    /// The version of authtap.
    pub version: Clean,
    /// Exchanges that could not be written.
    pub lost: u64,
    /// What captured them.
    pub provenance: Provenance,
    /// Whether the file knows who stands behind its pseudonyms.
    pub identities: bool,
}

/// Where the exchanges of a run come from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    /// Live traffic through the forward proxy.
    Forward,
    /// Live traffic, in front of one server.
    Reverse,
    /// Live traffic that was redirected on its way.
    Transparent,
    /// Answers from another session.
    Replay,
    /// The made-up servers and client of the demonstration.
    Demo,
}

impl Mode {
    /// All, for reading [`Mode::code`] back.
    pub const ALL: [Self; 5] = [Self::Forward, Self::Reverse, Self::Transparent, Self::Replay, Self::Demo];

    /// A stable word for files and events.
    pub const fn code(self) -> &'static str {
        match self {
            Self::Forward => "forward",
            Self::Reverse => "reverse",
            Self::Transparent => "transparent",
            Self::Replay => "replay",
            Self::Demo => "demo",
        }
    }
}

/// Numbering that goes on after the last exchange and connection of a file.
fn last_ids(store: &rusqlite::Connection) -> rusqlite::Result<Ids> {
    let last = |sql: &str| -> rusqlite::Result<i64> {
        Ok(store.query_row(sql, [], |row| row.get::<_, Option<i64>>(0)).optional()?.flatten().unwrap_or_default())
    };
    let exchange = last("SELECT max(id) FROM exchanges")?;
    let connection = last("SELECT max(id) FROM connections")?;
    Ok(Ids::after(u64::try_from(exchange).unwrap_or_default(), u32::try_from(connection).unwrap_or_default()))
}

#[cfg(test)]
mod tests;
#[cfg(test)]
pub(super) use tests::made;
