//! All texts of a session file that we wrote, as those who open it get to see them: what stands in a database's columns,
//! in an archive's lines, in the members of a ZIP file once they are unlocked and unpacked.
//!
//! This is for looking through a finished file before it is given away. It knows how our own files are laid out and
//! takes no part of them for granted: texts of tables and members that no reader asks for are among them.

use std::fs::File;
use std::io::{BufRead as _, BufReader};
use std::path::Path;

use rusqlite::types::ValueRef;
use zeroize::Zeroizing;

use super::kind::Kind;
use super::saz::Archive;
use super::{SessionError, native};

/// Where in a file a text stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Place<'p> {
    /// Which exchange it belongs to, by the order in which they stand in the file, from 1; nothing where it belongs to
    /// several or to the file.
    pub exchange: Option<u64>,
    /// The column, the member, or the part of the file.
    pub part: &'p str,
}

/// What is done with each text; an error ends it.
pub type Each<'e> = dyn FnMut(Place<'_>, &[u8]) -> Result<(), SessionError> + 'e;

/// Hands each text of the file at `path`, which we wrote, to `each`; in bounded memory, however long the file. An archive
/// that we encrypted needs its password.
pub fn texts(path: &Path, password: Option<&Zeroizing<String>>, each: &mut Each<'_>) -> Result<(), SessionError> {
    match Kind::of_file(path)? {
        Kind::Har => lines(path, each),
        Kind::Saz => members(path, password, each),
        _ => columns(path, each),
    }
}

/// A HAR of ours has a line for each entry.
fn lines(path: &Path, each: &mut Each<'_>) -> Result<(), SessionError> {
    let failed = |error: std::io::Error| SessionError::reading(path, &error);
    let mut file = BufReader::with_capacity(1 << 18, File::open(path).map_err(failed)?);
    let (mut line, mut number, mut ended) = (Vec::new(), 0, false);
    while file.read_until(b'\n', &mut line).map_err(failed)? > 0 {
        ended |= line.starts_with(b"]");
        let is_entry = number > 0 && !ended;
        each(Place { exchange: is_entry.then_some(number), part: if is_entry { "entry" } else { "log" } }, &line)?;
        number += 1;
        line.clear();
    }
    Ok(())
}

/// A SAZ has three members for each session, and ours has further ones.
fn members(path: &Path, password: Option<&Zeroizing<String>>, each: &mut Each<'_>) -> Result<(), SessionError> {
    let (mut archive, slots) = Archive::slots(path)?;
    if let Some(password) = password {
        archive.unlock(password.clone());
    }
    for slot in slots {
        let part = archive.name(slot);
        let digits: String =
            part.strip_prefix("raw/").unwrap_or_default().chars().take_while(char::is_ascii_digit).collect();
        let place = Place { exchange: digits.parse().ok(), part: &part };
        each(place, part.as_bytes())?;
        let whole = archive
            .whole(slot, u64::MAX)
            .map_err(|_| SessionError::Unreadable { path: path.to_owned(), reason: part.clone() })?;
        each(place, &whole)?;
    }
    Ok(())
}

/// A database has columns; those that are made of others are left out.
fn columns(path: &Path, each: &mut Each<'_>) -> Result<(), SessionError> {
    let failed = |error: rusqlite::Error| SessionError::sqlite_reading(path, &error);
    let store = native::open(path).map_err(failed)?;
    for (table, columns) in native::tables(&store).map_err(failed)? {
        let names: Vec<_> = columns.iter().map(|column| format!("{table}.{column}")).collect();
        let mut select =
            store.prepare(&format!("SELECT rowid, \"{}\" FROM \"{table}\"", columns.join("\", \""))).map_err(failed)?;
        let mut rows = select.query([]).map_err(failed)?;
        while let Some(row) = rows.next().map_err(failed)? {
            let number = row.get::<_, i64>(0).ok().and_then(|number| u64::try_from(number).ok());
            let exchange = number.filter(|_| table == "exchanges");
            for (at, part) in names.iter().enumerate() {
                if let ValueRef::Text(text) | ValueRef::Blob(text) = row.get_ref(at + 1).map_err(failed)? {
                    each(Place { exchange, part }, text)?;
                }
            }
        }
    }
    Ok(())
}
