//! Reading a session file: also while it is being written, after its writer was killed, and when it is damaged.
//!
//! Nothing is loaded that is not asked for, and the file is never changed.

use std::cell::RefCell;
use std::collections::HashMap;
use std::fs::File;
use std::io::Read as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use rusqlite::{ErrorCode, OpenFlags, Row};

use super::row::{self, RowError};
use super::walk::Walk;
use super::{Mode, Run, beside, connection, head, last_ids, people, schema};
use crate::exchange::{Connection, Exchange, Ids, Timestamp};
use crate::redact::{Clean, Credential, Door, Redactor, Url, revealed};
use crate::session::export::Draft;
use crate::session::kind::Kind;
use crate::session::{Origin, Provenance, Recorded, SessionError, Stated};

/// How many connections are remembered.
const REMEMBERED: usize = 4096;

/// A saved session, open for reading.
pub struct Session {
    path: PathBuf,
    store: rusqlite::Connection,
    redactor: Redactor,
    runs: Vec<Run>,
    origins: Vec<Arc<Origin>>,
    connections: RefCell<HashMap<i64, Arc<Connection>>>,
    /// It is shorter than it says itself: where it seems to end, its end is missing.
    cut: bool,
    stated: Option<Stated>,
    /// What is behind it, where it stands for another file. Dropped last: behind it the file is gone.
    _draft: Option<Draft>,
}

/// What is needed to find an exchange, without its bodies.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Outline {
    /// The exchange's number.
    pub id: u64,
    /// The number of its connection.
    pub connection: u32,
    /// When it began.
    pub started: Timestamp,
    /// The request's method.
    pub method: Option<Clean>,
    /// The request's URL.
    pub url: Option<Url>,
    /// What the request's `Authorization` carried.
    pub authorization: Option<Credential>,
    /// What the request's `Proxy-Authorization` carried.
    pub proxy_authorization: Option<Credential>,
    /// The final status, if a response was seen.
    pub status: Option<u16>,
    /// Whether it was still going on when it was written.
    pub running: bool,
    /// Whether traffic failed.
    pub broken: bool,
    /// Whether the request was captured.
    pub request_seen: bool,
    /// Whether the response was captured.
    pub response_seen: bool,
    /// The request's `User-Agent`.
    pub client: Option<Clean>,
}

/// All exchanges of a session in the order in which they ended, read bit by bit.
///
/// A place that cannot be read gives an error, once for all places beside it; the ones after it follow.
pub type Exchanges<'s> = Walk<'s, Exchange>;

/// The same of outlines.
pub type Outlines<'s> = Walk<'s, Outline>;

impl Session {
    /// Opens the session file at `path`; what is read from it goes through `redactor`.
    pub fn open(path: &Path, redactor: &Redactor) -> Result<Self, SessionError> {
        match Kind::of_file(path)? {
            Kind::Authtap => {}
            Kind::Empty => return Err(SessionError::Empty { path: path.to_owned() }),
            kind => return Err(SessionError::NotASession { path: path.to_owned(), kind }),
        }
        let store = open_somehow(path).map_err(|error| SessionError::sqlite_reading(path, &error))?;
        let found = schema::version(&store).map_err(|error| SessionError::sqlite_reading(path, &error))?;
        if found > schema::VERSION {
            return Err(SessionError::Newer { path: path.to_owned(), found, known: schema::VERSION });
        }
        let mut session = Self {
            path: path.to_owned(),
            store,
            redactor: redactor.clone(),
            runs: Vec::new(),
            origins: Vec::new(),
            connections: RefCell::default(),
            cut: is_cut(path),
            stated: None,
            _draft: None,
        };
        // Without a table of exchanges there is nothing to read; a damaged list of runs costs only itself.
        session.store.prepare("SELECT seq FROM exchanges LIMIT 0").map_err(|error| session.failed(&error))?;
        session.runs = session.read_runs(found).unwrap_or_default();
        session.stated = session.read_manifest();
        session.origins = session.runs.iter().map(|run| Arc::new(Origin::from(run))).collect();
        Ok(session)
    }

    /// The same, which holds what was read of the file at `path`.
    pub(in crate::session) fn standing_for(self, path: &Path, stated: Option<Stated>, draft: Draft) -> Self {
        // An open file needs no name here, and one without a name is gone whatever becomes of the program.
        let draft = if cfg!(unix) { None } else { Some(draft) };
        Self { path: path.to_owned(), stated, _draft: draft, ..self }
    }

    /// The file.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The runs that were recorded into it, in order.
    pub fn runs(&self) -> &[Run] {
        &self.runs
    }

    /// What the file states of itself, where it was made to be given away.
    pub const fn stated(&self) -> Option<&Stated> {
        self.stated.as_ref()
    }

    /// How many exchanges it holds.
    pub fn len(&self) -> Result<u64, SessionError> {
        let count: i64 = self
            .store
            .query_row("SELECT count(*) FROM exchanges", [], |row| row.get(0))
            .map_err(|error| self.failed(&error))?;
        Ok(u64::try_from(count).unwrap_or_default())
    }

    /// Whether it holds no exchange.
    pub fn is_empty(&self) -> Result<bool, SessionError> {
        self.len().map(|count| count == 0)
    }

    /// Numbering that goes on after its last exchange and connection.
    pub fn ids(&self) -> Result<Ids, SessionError> {
        last_ids(&self.store).map_err(|error| self.failed(&error))
    }

    /// All exchanges.
    pub fn exchanges(&self) -> Exchanges<'_> {
        Walk::new(self, &self.columns(), Session::read_exchange)
    }

    /// All exchanges, each with the run that it was recorded in.
    pub fn recorded(&self) -> Walk<'_, Recorded> {
        Walk::new(self, &self.columns(), |session, row| {
            // The second of the columns; by its name all names would be compared for each row.
            let run: i64 = row.get(1)?;
            Ok(Recorded { origin: session.origin(run), exchange: session.read_exchange(row)? })
        })
    }

    /// All exchanges without their bodies.
    pub fn outlines(&self) -> Outlines<'_> {
        const COLUMNS: &str = "id, connection, started_us, method, url, status, request_head, running, \
             error_kind IS NOT NULL, request_unseen IS NULL, response_unseen IS NULL";
        Walk::new(self, COLUMNS, Session::read_outline)
    }

    /// When each exchange began, and its number.
    pub fn beginnings(&self) -> Walk<'_, (Timestamp, u64)> {
        Walk::new(self, "id, started_us", |_, row| {
            let id = u64::try_from(row.get::<_, i64>(0)?).map_err(|_| RowError::Foreign("id"))?;
            Ok((Timestamp(row.get(1)?), id))
        })
    }

    /// One exchange.
    pub fn exchange(&self, id: u64) -> Result<Option<Exchange>, SessionError> {
        let sql = format!("SELECT {} FROM exchanges WHERE id = ?", self.columns());
        let mut select = self.store.prepare_cached(&sql).map_err(|error| self.failed(&error))?;
        let mut rows = select.query([row::signed(id)]).map_err(|error| self.failed(&error))?;
        match rows.next().map_err(|error| self.failed(&error))? {
            None => Ok(None),
            Some(row) => self.read_exchange(row).map(Some).map_err(|error| match error {
                RowError::Sqlite(error) => self.failed(&error),
                RowError::Foreign(column) => SessionError::Damaged {
                    path: self.path.clone(),
                    reason: format!("exchange {id} has no valid {column}"),
                },
            }),
        }
    }

    /// Whether one of the texts of an exchange is such as `wanted` asks for: its address, a head as lines, a body.
    pub fn holds(&self, id: u64, mut wanted: impl FnMut(&str) -> bool) -> bool {
        const SQL: &str = "SELECT url, error_text, response_reason, request_head, response_head, request_trailers, \
             response_trailers, request_body, response_body FROM exchanges WHERE id = ?";
        let Ok(mut select) = self.store.prepare_cached(SQL) else { return false };
        let columns = select.column_count();
        let Ok(mut rows) = select.query([row::signed(id)]) else { return false };
        let Ok(Some(row)) = rows.next() else { return false };
        (0..columns).any(|column| {
            let text = row.get_ref(column).ok().and_then(|text| text.as_str_or_null().ok().flatten());
            text.is_some_and(&mut wanted)
        })
    }

    /// Whether the file knows who stands behind its pseudonyms: it is not to be given away.
    pub fn has_identities(&self) -> bool {
        self.runs.iter().any(|run| run.identities) || people::are_kept(&self.store)
    }

    /// A text of the exchange of that number with the people behind its pseudonyms, as far as the file knows them. For a
    /// screen alone.
    pub fn reveal(&self, exchange: u64, text: &Clean) -> String {
        revealed(text, |pseudonym| people::name(&self.store, row::signed(exchange), pseudonym))
    }

    /// The columns of an exchange, as far as the file's format has them.
    fn columns(&self) -> String {
        row::columns(schema::version(&self.store).unwrap_or(schema::VERSION))
    }

    fn read_exchange(&self, row: &Row<'_>) -> Result<Exchange, RowError> {
        row::read(row, self.door(), |number| self.connection(number))
    }

    fn read_outline(&self, row: &Row<'_>) -> Result<Outline, RowError> {
        let text = |column: usize| row.get::<_, Option<String>>(column).map(|text| text.map(String::into_bytes));
        let lines: Option<String> = row.get(6)?;
        let names = ["authorization", "proxy-authorization", "user-agent"];
        let fields = head::read_named(&lines.unwrap_or_default(), &names, self.door());
        let field = |name: &str| fields.iter().find(|field| field.name.as_str().eq_ignore_ascii_case(name));
        let credential = |name: &str| field(name)?.credential.clone();
        Ok(Outline {
            id: u64::try_from(row.get::<_, i64>(0)?).map_err(|_| RowError::Foreign("id"))?,
            connection: self.connection(row.get(1)?)?.id,
            started: Timestamp(row.get(2)?),
            method: text(3)?.map(|method| self.door().token(&method)),
            url: text(4)?.map(|url| self.door().url(&url)),
            authorization: credential("authorization"),
            proxy_authorization: credential("proxy-authorization"),
            status: row.get(5)?,
            running: row.get(7)?,
            broken: row.get(8)?,
            request_seen: row.get(9)?,
            response_seen: row.get(10)?,
            client: field("user-agent").map(|field| field.value.clone()),
        })
    }

    /// The run of that number, also where the list of runs does not have it.
    fn origin(&self, run: i64) -> Arc<Origin> {
        let number = u64::try_from(run).unwrap_or_default();
        let known = self.origins.iter().find(|origin| origin.run == number);
        known
            .cloned()
            .unwrap_or_else(|| Arc::new(Origin { run: number, provenance: Provenance::HERE, ..Origin::default() }))
    }

    fn read_manifest(&self) -> Option<Stated> {
        let last = "SELECT manifest FROM manifests ORDER BY rowid DESC LIMIT 1";
        // Older files have no such table.
        let manifest: String = self.store.query_row(last, [], |row| row.get(0)).ok()?;
        Stated::read(&serde_json::from_str(&manifest).ok()?)
    }

    fn read_runs(&self, version: i64) -> rusqlite::Result<Vec<Run>> {
        let capture = if version < 4 { "NULL" } else { "capture" };
        let identities = if version < 5 { "0" } else { "identities" };
        let mut select = self.store.prepare(&format!(
            "SELECT run, started_us, ended_us, mode, version, lost, {capture}, {identities} FROM runs ORDER BY run"
        ))?;
        let runs = select.query_map([], |row| {
            let unsigned = |column: usize| row.get(column).map(|number: i64| u64::try_from(number).unwrap_or_default());
            Ok(Run {
                number: unsigned(0)?,
                started: Timestamp(row.get(1)?),
                ended: row.get::<_, Option<i64>>(2)?.map(Timestamp),
                mode: row::of_code(&Mode::ALL, &row.get::<_, String>(3)?, Mode::code),
                version: self.door().token(row.get::<_, String>(4)?.as_bytes()),
                lost: unsigned(5)?,
                provenance: row
                    .get::<_, Option<String>>(6)?
                    .and_then(|words| Provenance::of_words(&words))
                    .unwrap_or(Provenance::HERE),
                identities: row.get(7)?,
            })
        })?;
        runs.collect()
    }

    fn connection(&self, number: i64) -> Result<Arc<Connection>, RowError> {
        if let Some(known) = self.connections.borrow().get(&number) {
            return Ok(Arc::clone(known));
        }
        let connection = connection::read(&self.store, number, self.door())?;
        let mut known = self.connections.borrow_mut();
        if known.len() >= REMEMBERED {
            known.clear();
        }
        known.insert(number, Arc::clone(&connection));
        Ok(connection)
    }

    fn door(&self) -> Door<'_> {
        self.redactor.own()
    }

    pub(super) const fn is_cut(&self) -> bool {
        self.cut
    }

    pub(super) const fn store(&self) -> &rusqlite::Connection {
        &self.store
    }

    pub(super) fn failed(&self, error: &rusqlite::Error) -> SessionError {
        SessionError::sqlite_reading(&self.path, error)
    }
}

/// Whether the file at `path` is shorter than its header says (SQLite file format, offsets 16, 28 and 92). With a log
/// beside it, the header may be ahead of the file.
fn is_cut(path: &Path) -> bool {
    let mut header = [0; 100];
    let read = File::open(path).and_then(|mut file| {
        file.read_exact(&mut header)?;
        file.metadata()
    });
    let long = |at: usize| u32::from_be_bytes([header[at], header[at + 1], header[at + 2], header[at + 3]]);
    let page = match u16::from_be_bytes([header[16], header[17]]) {
        1 => 1 << 16,
        size => u64::from(size),
    };
    let is_kept = long(24) == long(92);
    !beside(path, "-wal").exists()
        && read.is_ok_and(|file| is_kept && file.len() < u64::from(long(28)).saturating_mul(page))
}

/// As it is; else, where nothing may be written beside it, without a log; else, where it is cut short, what is there.
#[allow(clippy::disallowed_methods)] // the session room opens databases
pub(in crate::session) fn open_somehow(path: &Path) -> rusqlite::Result<rusqlite::Connection> {
    let error = match open_and_look(path, None) {
        Ok(store) => return Ok(store),
        Err(error) => error,
    };
    match error.sqlite_error_code() {
        Some(ErrorCode::CannotOpen | ErrorCode::ReadOnly | ErrorCode::PermissionDenied) => {
            let store = rusqlite::Connection::open_with_flags(
                immutable_uri(path),
                OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX | OpenFlags::SQLITE_OPEN_URI,
            )?;
            look(&store, None).map(|()| store)
        }
        // With this set SQLite believes the length of the file rather than the length that its header claims.
        Some(ErrorCode::DatabaseCorrupt | ErrorCode::SystemIoFailure) => open_and_look(path, Some("writable_schema")),
        _ => Err(error),
    }
}

#[allow(clippy::disallowed_methods)] // the session room opens databases
fn open_and_look(path: &Path, setting: Option<&str>) -> rusqlite::Result<rusqlite::Connection> {
    let store = rusqlite::Connection::open_with_flags(
        path,
        OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX,
    )?;
    look(&store, setting).map(|()| store)
}

fn look(store: &rusqlite::Connection, setting: Option<&str>) -> rusqlite::Result<()> {
    schema::guard(store)?;
    if let Some(setting) = setting {
        store.pragma_update(None, setting, true)?;
    }
    store.query_row("SELECT count(*) FROM sqlite_schema", [], |_| Ok(()))
}

/// A file that nobody changes: SQLite then wants neither locks nor files beside it.
pub(super) fn immutable_uri(path: &Path) -> String {
    const HEX: [char; 16] = ['0', '1', '2', '3', '4', '5', '6', '7', '8', '9', 'A', 'B', 'C', 'D', 'E', 'F'];
    let mut uri = String::from("file:");
    for byte in path.to_string_lossy().bytes() {
        if byte.is_ascii_alphanumeric() || b"/-_.~:".contains(&byte) {
            uri.push(char::from(byte));
        } else {
            uri.extend(['%', HEX[usize::from(byte >> 4)], HEX[usize::from(byte & 15)]]);
        }
    }
    uri.push_str("?immutable=1");
    uri
}
