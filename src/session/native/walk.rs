//! Reading a session row by row, around places that cannot be read.

use std::collections::VecDeque;

use rusqlite::{ErrorCode, OptionalExtension, Row};

use super::read::Session;
use super::row::RowError;
use crate::session::SessionError;

/// How many rows are read at a time.
const PAGE: usize = 32;
/// How many places in a row are tried one by one where a damaged file does not even say how many there are.
const PROBES: i64 = 4096;

/// Reads a session row by row.
pub struct Walk<'s, T> {
    session: &'s Session,
    page_sql: String,
    place_sql: String,
    read: fn(&Session, &Row<'_>) -> Result<T, RowError>,
    /// The last place that was dealt with.
    after: i64,
    page: VecDeque<Result<T, SessionError>>,
    /// Something that cannot be read was told of.
    told: bool,
    done: bool,
}

impl<'s, T> Walk<'s, T> {
    pub(super) fn new(
        session: &'s Session,
        columns: &str,
        read: fn(&Session, &Row<'_>) -> Result<T, RowError>,
    ) -> Self {
        Self {
            session,
            page_sql: format!("SELECT {columns}, seq FROM exchanges WHERE seq > ? ORDER BY seq LIMIT {PAGE}"),
            place_sql: format!("SELECT {columns}, seq FROM exchanges WHERE seq = ?"),
            read,
            after: 0,
            page: VecDeque::new(),
            told: false,
            done: false,
        }
    }

    fn fill(&mut self) {
        let before = self.after;
        match self.read_page() {
            Ok(()) if self.after != before => {}
            Ok(()) => {
                // A page of which only the beginning is there looks as if it held nothing.
                if self.session.is_cut() && !self.told {
                    self.page.push_back(Err(self.rest(before + 1)));
                }
                self.done = true;
            }
            Err(error) if is_damage(&error) => self.probe(),
            Err(error) => {
                self.page.push_back(Err(self.session.failed(&error)));
                self.done = true;
            }
        }
    }

    /// Reads the rows after the last place; an error says that SQLite could not go on.
    fn read_page(&mut self) -> rusqlite::Result<()> {
        let mut select = self.session.store().prepare_cached(&self.page_sql)?;
        let mut rows = select.query([self.after])?;
        while let Some(row) = rows.next()? {
            // The last column; by its name all names would be compared for each row.
            let place: i64 = row.get(row.as_ref().column_count() - 1)?;
            // Only a damaged tree goes backwards.
            if place <= self.after {
                break;
            }
            let item = match (self.read)(self.session, row) {
                Ok(item) => Ok(item),
                Err(RowError::Sqlite(error)) if error.sqlite_error_code().is_some() => return Err(error),
                // A value that no version of ours writes there.
                Err(_) => Err(self.gap(place, 1)),
            };
            self.after = place;
            self.page.push_back(item);
        }
        Ok(())
    }

    /// Tries place after place until one can be read.
    fn probe(&mut self) {
        let from = self.after + 1;
        let told = self.last_place();
        let last = told.unwrap_or(self.after + PROBES);
        let mut lost = 0;
        while self.after < last {
            self.after += 1;
            match self.read_place(self.after) {
                Ok(None) => {}
                Ok(Some(item)) => {
                    if lost > 0 {
                        self.page.push_back(Err(self.gap(from, lost)));
                    }
                    self.page.push_back(Ok(item));
                    return;
                }
                Err(()) => lost += 1,
            }
        }
        match told {
            // How many places were tried says nothing of how many exchanges there were.
            None => self.page.push_back(Err(self.rest(from))),
            Some(_) if lost > 0 => self.page.push_back(Err(self.gap(from, lost))),
            Some(_) => {}
        }
        self.done = true;
    }

    fn read_place(&self, place: i64) -> Result<Option<T>, ()> {
        let mut select = self.session.store().prepare_cached(&self.place_sql).map_err(drop)?;
        let mut rows = select.query([place]).map_err(drop)?;
        let row = rows.next().map_err(drop)?;
        row.map(|row| (self.read)(self.session, row)).transpose().map_err(drop)
    }

    fn last_place(&self) -> Option<i64> {
        self.session.store().query_row("SELECT max(seq) FROM exchanges", [], |row| row.get(0)).optional().ok().flatten()
    }

    fn rest(&self, from: i64) -> SessionError {
        SessionError::Rest { path: self.session.path().to_owned(), from: u64::try_from(from).unwrap_or_default() }
    }

    fn gap(&self, from: i64, count: u64) -> SessionError {
        SessionError::Gap { path: self.session.path().to_owned(), from: u64::try_from(from).unwrap_or_default(), count }
    }
}

impl<T> Iterator for Walk<'_, T> {
    type Item = Result<T, SessionError>;

    fn next(&mut self) -> Option<Self::Item> {
        while self.page.is_empty() && !self.done {
            self.fill();
        }
        let next = self.page.pop_front();
        self.told |= matches!(next, Some(Err(_)));
        next
    }
}

fn is_damage(error: &rusqlite::Error) -> bool {
    matches!(
        error.sqlite_error_code(),
        Some(ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase | ErrorCode::SystemIoFailure)
    )
}
