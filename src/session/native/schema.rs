//! The tables of a session file, their version, and how a connection to one is set up.
//!
//! The tables are meant to be read by any SQLite tool: text where a person would look, one row an exchange. They are
//! `STRICT`, so a column holds what its declaration says even in a file that somebody edited.

use std::time::Duration;

use rusqlite::Connection;
use rusqlite::config::DbConfig;

/// Marks a SQLite file as ours: `ATAP` at offset 68.
pub(in crate::session) const APPLICATION_ID: i32 = 0x4154_4150;

/// The format that this version writes, as `user_version`: it takes one step below for each.
pub(super) const VERSION: i64 = 5;

/// Step `n` leads from format `n` to `n + 1`. A step that was released is never changed; a change is a further step.
pub(super) const STEPS: [&str; VERSION as usize] = [
    "
CREATE TABLE runs (
    run INTEGER PRIMARY KEY,
    started_us INTEGER NOT NULL,
    ended_us INTEGER,
    mode TEXT NOT NULL,
    version TEXT NOT NULL,
    lost INTEGER NOT NULL DEFAULT 0,
    started TEXT GENERATED ALWAYS AS (strftime('%Y-%m-%dT%H:%M:%fZ', started_us / 1e6, 'unixepoch')) VIRTUAL
) STRICT;

CREATE TABLE certificates (
    sha256 TEXT PRIMARY KEY,
    subject TEXT NOT NULL,
    issuer TEXT NOT NULL,
    names TEXT NOT NULL,
    not_before_us INTEGER NOT NULL,
    not_after_us INTEGER NOT NULL
) STRICT;

-- A connection whose facts changed has several rows with the same id.
CREATE TABLE connections (
    row INTEGER PRIMARY KEY,
    id INTEGER NOT NULL,
    client TEXT,
    target TEXT,
    server TEXT,
    tls_version TEXT,
    tls_cipher TEXT,
    tls_alpn TEXT,
    tls_accepted_despite TEXT,
    server_certificate TEXT REFERENCES certificates (sha256),
    presented_certificate TEXT REFERENCES certificates (sha256)
) STRICT;

-- seq is the order in which exchanges ended. What is long comes last, so that reading the rest skips it.
CREATE TABLE exchanges (
    seq INTEGER PRIMARY KEY,
    id INTEGER NOT NULL UNIQUE,
    run INTEGER NOT NULL REFERENCES runs (run),
    connection INTEGER NOT NULL REFERENCES connections (row),
    started_us INTEGER NOT NULL,
    method TEXT,
    url TEXT,
    status INTEGER,
    error_side TEXT,
    error_step TEXT,
    error_kind TEXT,
    error_text TEXT,
    sent_us INTEGER,
    first_byte_us INTEGER,
    done_us INTEGER,
    running INTEGER NOT NULL,
    request_unseen TEXT,
    response_unseen TEXT,
    request_version TEXT,
    request_head TEXT,
    request_head_seen TEXT,
    request_trailers TEXT,
    request_body_kind TEXT,
    request_body_length INTEGER,
    request_body_complete INTEGER,
    response_version TEXT,
    response_reason TEXT,
    response_early INTEGER,
    response_interim TEXT,
    response_head TEXT,
    response_head_seen TEXT,
    response_trailers TEXT,
    response_body_kind TEXT,
    response_body_length INTEGER,
    response_body_complete INTEGER,
    request_body TEXT,
    response_body TEXT,
    started TEXT GENERATED ALWAYS AS (strftime('%Y-%m-%dT%H:%M:%fZ', started_us / 1e6, 'unixepoch')) VIRTUAL
) STRICT;
",
    "
ALTER TABLE connections ADD COLUMN client_tls_version TEXT;
ALTER TABLE connections ADD COLUMN client_tls_cipher TEXT;
ALTER TABLE connections ADD COLUMN client_tls_alpn TEXT;
ALTER TABLE connections ADD COLUMN client_sni TEXT;
ALTER TABLE connections ADD COLUMN client_sni_form TEXT;
ALTER TABLE connections ADD COLUMN client_tls_legacy TEXT;
ALTER TABLE connections ADD COLUMN tls_legacy TEXT;
ALTER TABLE connections ADD COLUMN tls_resumed INTEGER;
ALTER TABLE connections ADD COLUMN tls_renegotiated INTEGER;
-- What the server's certificate leads to: a line each, in the server's order.
ALTER TABLE connections ADD COLUMN tls_chain TEXT;
-- Whether the server wanted a certificate of the client's, and the subject of the one that it was given.
ALTER TABLE connections ADD COLUMN client_certificate_asked INTEGER;
ALTER TABLE connections ADD COLUMN client_certificate_given TEXT;
",
    "
-- What different servers read differently, as words; the messages of a WebSocket, as JSON.
ALTER TABLE exchanges ADD COLUMN request_odd TEXT;
ALTER TABLE exchanges ADD COLUMN response_odd TEXT;
ALTER TABLE exchanges ADD COLUMN response_socket TEXT;
",
    // What captured a run, nothing in a capture of ours before that was written down; and what a file that was made to
    // be shared states of itself, as JSON.
    "
ALTER TABLE runs ADD COLUMN capture TEXT;
CREATE TABLE manifests (manifest TEXT NOT NULL) STRICT;
",
    // Who stands behind the pseudonyms of a run, where whoever recorded it asked for that. Nothing else in a file names
    // people, so that no file made of it can.
    "
ALTER TABLE runs ADD COLUMN identities INTEGER NOT NULL DEFAULT 0;
CREATE TABLE identities (
    run INTEGER NOT NULL REFERENCES runs (run),
    pseudonym TEXT NOT NULL,
    name TEXT NOT NULL,
    PRIMARY KEY (run, pseudonym)
) STRICT;
",
];

/// Writes the tables into a new, empty file.
///
/// The file's own header carries its mark and version from then on, not only the log beside it: the change to
/// write-ahead logging comes last.
pub(super) fn create(connection: &mut Connection) -> rusqlite::Result<()> {
    // Large pages take long rows without overflow chains: half the work a row.
    connection.pragma_update(None, "page_size", 16_384)?;
    connection.pragma_update(None, "application_id", APPLICATION_ID)?;
    migrate(connection, 0)
}

/// Brings the tables from format `from` up to [`VERSION`], in one transaction.
pub(super) fn migrate(connection: &mut Connection, from: i64) -> rusqlite::Result<()> {
    let transaction = connection.transaction()?;
    for step in STEPS.iter().skip(usize::try_from(from).unwrap_or_default()) {
        transaction.execute_batch(step)?;
    }
    transaction.pragma_update(None, "user_version", VERSION)?;
    transaction.commit()
}

/// Brings the tables of a new, empty file to an older format, as an older version would have left them.
#[cfg(test)]
pub(super) fn create_older(connection: &Connection, format: i64) -> rusqlite::Result<()> {
    connection.pragma_update(None, "application_id", APPLICATION_ID)?;
    for step in STEPS.iter().take(usize::try_from(format).unwrap_or_default()) {
        connection.execute_batch(step)?;
    }
    connection.pragma_update(None, "user_version", format)
}

/// The format of an open file.
pub(super) fn version(connection: &Connection) -> rusqlite::Result<i64> {
    connection.pragma_query_value(None, "user_version", |row| row.get(0))
}

/// The tables with their columns, without those columns that are made of others.
pub(in crate::session) fn tables(connection: &Connection) -> rusqlite::Result<Vec<(String, Vec<String>)>> {
    let mut tables = Vec::new();
    let mut select = connection.prepare("SELECT name FROM sqlite_schema WHERE type = 'table' ORDER BY name")?;
    let names: Vec<String> = select.query_map([], |row| row.get(0))?.collect::<Result<_, _>>()?;
    for name in names {
        let mut select = connection.prepare("SELECT name FROM pragma_table_info(?)")?;
        let columns = select.query_map([&name], |row| row.get(0))?.collect::<Result<_, _>>()?;
        tables.push((name, columns));
    }
    Ok(tables)
}

/// For writing: a log beside the file, synced when it is folded in. What is committed survives the end of the process.
pub(super) fn prepare_writing(connection: &Connection) -> rusqlite::Result<()> {
    guard(connection)?;
    connection.pragma_update(None, "journal_mode", "WAL")?;
    connection.pragma_update(None, "synchronous", "NORMAL")?;
    connection.pragma_update(None, "journal_size_limit", 64 << 20)?;
    Ok(())
}

/// For filling a file that nobody reads yet, and that is thrown away if that breaks off.
pub(super) fn prepare_copying(connection: &Connection) -> rusqlite::Result<()> {
    guard(connection)?;
    connection.pragma_update(None, "journal_mode", "OFF")?;
    connection.pragma_update(None, "synchronous", "OFF")
}

/// For reading a file from anywhere: nothing in its schema may run.
pub(super) fn guard(connection: &Connection) -> rusqlite::Result<()> {
    connection.busy_timeout(Duration::from_secs(2))?;
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_TRUSTED_SCHEMA, false)?;
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_TRIGGER, false)?;
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_VIEW, false)?;
    connection.pragma_update(None, "cell_size_check", true)
}
