//! Who stands behind the pseudonyms of a file, where whoever recorded it asked to keep that.
//!
//! It stands in a table of its own and nowhere else: texts have their pseudonyms, so whatever is made of them, a file or
//! a report, knows nobody. Nothing but a recording writes the table, and nothing but a screen reads it.

use std::collections::{HashMap, HashSet};

use rusqlite::types::{ToSqlOutput, ValueRef};
use rusqlite::{Connection, OptionalExtension, params};

use crate::redact::Redactor;

/// How many pseudonyms are remembered as written. Past it they are forgotten, and tried again when they come.
const REMEMBERED: usize = 1 << 16;

/// The people in the rows of a recording.
pub(super) struct People {
    redactor: Redactor,
    written: HashSet<String>,
    /// Those of the rows that are being written.
    fresh: HashMap<String, Box<str>>,
}

impl People {
    /// Those whom `redactor` knows.
    pub(super) fn known_to(redactor: &Redactor) -> Self {
        Self { redactor: redactor.clone(), written: HashSet::new(), fresh: HashMap::new() }
    }

    /// Nothing of a batch is in the file yet.
    pub(super) fn begin(&mut self) {
        self.fresh.clear();
    }

    /// A text of a row.
    pub(super) fn meet(&mut self, text: &str) {
        self.redactor.people(text, |pseudonym, name| {
            if !self.written.contains(&pseudonym) {
                self.fresh.insert(pseudonym, name);
            }
        });
    }

    /// A value of a row.
    pub(super) fn meet_value(&mut self, value: &ToSqlOutput<'_>) {
        let value = match value {
            ToSqlOutput::Borrowed(value) => *value,
            ToSqlOutput::Owned(value) => value.into(),
            _ => return,
        };
        if let ValueRef::Text(text) = value
            && let Ok(text) = std::str::from_utf8(text)
        {
            self.meet(text);
        }
    }

    /// Writes those who are new, in the transaction of the rows that they stand in.
    pub(super) fn write(&self, store: &Connection, run: i64) -> rusqlite::Result<()> {
        let mut insert =
            store.prepare_cached("INSERT OR IGNORE INTO identities (run, pseudonym, name) VALUES (?, ?, ?)")?;
        for (pseudonym, name) in &self.fresh {
            insert.execute(params![run, pseudonym, name])?;
        }
        Ok(())
    }

    /// The batch is in the file.
    pub(super) fn settle(&mut self) {
        if self.written.len() > REMEMBERED {
            self.written.clear();
        }
        self.written.extend(self.fresh.drain().map(|(pseudonym, _)| pseudonym));
    }
}

/// Whether anybody stands in the table.
pub(super) fn are_kept(store: &Connection) -> bool {
    store.query_row("SELECT EXISTS (SELECT 1 FROM identities)", [], |row| row.get(0)).unwrap_or_default()
}

/// Who stands behind `pseudonym` in the run of an exchange.
pub(super) fn name(store: &Connection, exchange: i64, pseudonym: &str) -> Option<String> {
    let mut select = store
        .prepare_cached(
            "SELECT name FROM identities WHERE run = (SELECT run FROM exchanges WHERE id = ?) AND pseudonym = ?",
        )
        .ok()?;
    select.query_row(params![exchange, pseudonym], |row| row.get(0)).optional().ok()?
}
