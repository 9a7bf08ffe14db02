//! The recording of a session: its own thread, written in batches, never in the way of the traffic.

use std::collections::HashMap;
use std::fs::{self, OpenOptions};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use rusqlite::types::ValueRef;
use rusqlite::{ErrorCode, OpenFlags, OptionalExtension, params};

use super::head::Heads;
use super::lock::{Lock, private};
use super::people::People;
use super::queue::Queue;
use super::row::Place;
use super::{Mode, Session, WriterStatus, connection, last_ids, row, schema};
use crate::exchange::{Connection, Exchange, Ids, Timestamp};
use crate::redact::Redactor;
use crate::session::kind::Kind;
use crate::session::{Origin, Provenance, SessionError};

/// How long the recording rests after a failure; what comes meanwhile is counted as lost.
const REST: Duration = Duration::from_secs(2);
/// After so many exchanges for which there was no room, the rest of a batch is not tried.
const REFUSALS: u32 = 8;
/// Connections whose row is remembered. Past it they are forgotten, and written again if they carry on.
const REMEMBERED: usize = 4096;

/// Records exchanges into a session file.
///
/// It never stops the traffic: [`Writer::append`] waits a fraction of a second at most, and what cannot be written is
/// counted and said by [`Writer::status`]. What was appended a second ago survives the end of the process.
pub struct Writer {
    path: PathBuf,
    ids: Ids,
    queue: Arc<Queue>,
    thread: Option<JoinHandle<()>>,
}

impl Writer {
    /// Begins a new run in the session file at `path`, which is made if it is not there.
    ///
    /// A file that is continued is read through `redactor` first, so that the run gives none of the labels and
    /// pseudonyms in it to another secret or person.
    pub fn begin(path: &Path, mode: Mode, redactor: &Redactor) -> Result<Self, SessionError> {
        let (recording, ids) = Recording::begin(path, mode, redactor)?;
        Self::on_thread(recording, ids)
    }

    /// The same, and the file gets to know who stands behind the pseudonyms of the run.
    pub fn begin_with_identities(path: &Path, mode: Mode, redactor: &Redactor) -> Result<Self, SessionError> {
        let (mut recording, ids) = Recording::begin(path, mode, redactor)?;
        recording.keep_identities(redactor)?;
        Self::on_thread(recording, ids)
    }

    /// Records nothing, and says why: for a capture that goes on although its file could not be made.
    pub fn refused(path: &Path, problem: SessionError) -> Self {
        let queue = Queue::new();
        queue.refuse(problem);
        Self { path: path.to_owned(), ids: Ids::default(), queue: Arc::new(queue), thread: None }
    }

    /// The numbers for the exchanges to be recorded; they go on where the file ends.
    pub fn ids(&self) -> Ids {
        self.ids.clone()
    }

    /// The file.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Hands over an exchange. One that is still running is replaced when it comes again with the same id.
    pub fn append(&self, exchange: Arc<Exchange>) {
        self.queue.append(exchange, &self.path);
    }

    /// How the recording stands.
    pub fn status(&self) -> WriterStatus {
        self.queue.status()
    }

    /// Waits until everything handed over so far is in the file or counted as lost.
    pub fn flush(&self) {
        if self.thread.is_some() {
            self.queue.flush();
        }
    }

    /// Ends the run: writes what is left and folds the log into the file, so that one file remains.
    pub fn close(mut self) -> WriterStatus {
        self.finish();
        self.status()
    }

    pub(super) fn on_thread(mut recording: Recording, ids: Ids) -> Result<Self, SessionError> {
        let path = recording.path.clone();
        let queue = Arc::new(Queue::new());
        let shared = Arc::clone(&queue);
        let thread = thread::Builder::new()
            .name("session".to_owned())
            .spawn(move || recording.run(&shared))
            .map_err(|error| SessionError::writing(&path, &error))?;
        Ok(Self { path, ids, queue, thread: Some(thread) })
    }

    fn finish(&mut self) {
        if let Some(thread) = self.thread.take() {
            self.queue.close();
            // A thread that panicked has nothing left to write.
            let _ = thread.join();
        }
    }
}

impl Drop for Writer {
    fn drop(&mut self) {
        self.finish();
    }
}

/// The open file of a run, on the writing thread. Fields are dropped in this order: the lock outlives the file.
pub(in crate::session) struct Recording {
    pub(super) store: rusqlite::Connection,
    run: i64,
    connections: HashMap<u32, Known>,
    heads: Heads,
    /// Nothing unless whoever records asked to keep who is who.
    people: Option<People>,
    path: PathBuf,
    pub(super) rest: Duration,
    /// Until when nothing is tried, and why.
    pub(super) resting: Option<(Instant, SessionError)>,
    /// Nothing where nobody else can know of the file yet.
    _lock: Option<Lock>,
}

struct Known {
    row: i64,
    connection: Arc<Connection>,
}

impl Recording {
    pub(super) fn begin(path: &Path, mode: Mode, redactor: &Redactor) -> Result<(Self, Ids), SessionError> {
        if path.is_dir() {
            return Err(SessionError::Folder { path: path.to_owned() });
        }
        let lock = Lock::take(path)?;
        let failed = |error: rusqlite::Error| SessionError::sqlite_writing(path, &error);
        let store = if path.exists() { open_existing(path, redactor)? } else { create(path)? };
        schema::prepare_writing(&store).map_err(failed)?;
        let ids = last_ids(&store).map_err(failed)?;
        store
            .execute(
                "INSERT INTO runs (started_us, mode, version, capture) VALUES (?, ?, ?, ?)",
                params![Timestamp::now().0, mode.code(), env!("CARGO_PKG_VERSION"), Provenance::HERE.words()],
            )
            .map_err(failed)?;
        let recording = Self {
            run: store.last_insert_rowid(),
            store,
            connections: HashMap::new(),
            heads: Heads::default(),
            people: None,
            path: path.to_owned(),
            rest: REST,
            resting: None,
            _lock: Some(lock),
        };
        Ok((recording, ids))
    }

    /// Marks the run, before anything is in it.
    fn keep_identities(&mut self, redactor: &Redactor) -> Result<(), SessionError> {
        let marked = self.store.execute("UPDATE runs SET identities = 1 WHERE run = ?", [self.run]);
        marked.map_err(|error| SessionError::sqlite_writing(&self.path, &error))?;
        self.people = Some(People::known_to(redactor));
        Ok(())
    }

    /// An empty file at `path`, to be filled from another file and then to be called `target`.
    pub(in crate::session) fn copy(path: &Path, target: &Path) -> Result<Self, SessionError> {
        let failed = |error: rusqlite::Error| SessionError::sqlite_writing(target, &error);
        let mut store = open_for_writing(path).map_err(failed)?;
        schema::create(&mut store).map_err(failed)?;
        schema::prepare_copying(&store).map_err(failed)?;
        Ok(Self {
            run: 0,
            store,
            connections: HashMap::new(),
            heads: Heads::default(),
            people: None,
            path: target.to_owned(),
            rest: REST,
            resting: None,
            _lock: None,
        })
    }

    /// What is written from now on belongs to the run `origin`.
    pub(in crate::session) fn enter(&mut self, origin: &Origin) -> Result<(), SessionError> {
        let entered =
            self.store.query_row("SELECT run FROM runs WHERE run = ?", [row::signed(origin.run)], |row| row.get(0));
        self.run = match entered.optional().map_err(|error| SessionError::sqlite_writing(&self.path, &error))? {
            Some(run) => run,
            None => self.begin_run(origin).map_err(|error| SessionError::sqlite_writing(&self.path, &error))?,
        };
        Ok(())
    }

    fn begin_run(&self, origin: &Origin) -> rusqlite::Result<i64> {
        let (started, ended) = (origin.started.unwrap_or_default().0, origin.ended.map(|ended| ended.0));
        let run = (origin.run > 0).then_some(row::signed(origin.run));
        self.store.execute(
            "INSERT INTO runs (run, started_us, ended_us, mode, version, lost, capture) VALUES (?, ?, ?, ?, ?, ?, ?)",
            params![
                run,
                started,
                ended,
                origin.mode.map_or("import", Mode::code),
                env!("CARGO_PKG_VERSION"),
                row::signed(origin.lost),
                origin.provenance.words(),
            ],
        )?;
        Ok(self.store.last_insert_rowid())
    }

    /// Writes all of `batch` or says why not.
    pub(in crate::session) fn write_all(&mut self, batch: &[Arc<Exchange>]) -> Result<(), SessionError> {
        self.write(batch, 0).map_err(|error| SessionError::sqlite_writing(&self.path, &error))
    }

    /// Completes the file; `manifest` is what it states of itself.
    pub(in crate::session) fn seal(&mut self, manifest: Option<String>) -> Result<(), SessionError> {
        let stated = match manifest {
            Some(manifest) => self.store.execute("INSERT INTO manifests (manifest) VALUES (?)", [manifest]).map(drop),
            None => Ok(()),
        };
        stated.map_err(|error| SessionError::sqlite_writing(&self.path, &error))
    }

    /// Masks the secrets that `net` met in all texts of the file, and leaves nothing of what they stood in.
    pub(in crate::session) fn mask(&mut self, net: &Redactor) -> Result<(), SessionError> {
        self.mask_columns(net).map_err(|error| SessionError::sqlite_writing(&self.path, &error))
    }

    fn mask_columns(&self, net: &Redactor) -> rusqlite::Result<()> {
        for (table, columns) in schema::tables(&self.store)? {
            for column in columns {
                let mut select = self.store.prepare(&format!("SELECT rowid, \"{column}\" FROM \"{table}\""))?;
                let mut update =
                    self.store.prepare(&format!("UPDATE \"{table}\" SET \"{column}\" = ? WHERE rowid = ?"))?;
                let mut rows = select.query([])?;
                let mut masked = Vec::new();
                while let Some(row) = rows.next()? {
                    let ValueRef::Text(text) = row.get_ref(1)? else { continue };
                    let text = net.masked(text).map(|text| String::from_utf8_lossy(&text).into_owned());
                    masked.extend(text.map(|text| row.get::<_, i64>(0).map(|place| (text, place))));
                }
                for masked in masked {
                    update.execute(masked?)?;
                }
            }
        }
        self.store.execute_batch("VACUUM")
    }

    fn run(&mut self, queue: &Queue) {
        loop {
            let batch = queue.take();
            if batch.last {
                queue.settle(0, 0, None);
                self.end(batch.lost);
                return;
            }
            let (written, problem) = self.write_unless_resting(&batch.exchanges, batch.lost);
            queue.settle(written, batch.exchanges.len() - written, problem);
        }
    }

    /// How many of the batch are in the file, and why the others are not.
    ///
    /// After a failure the disk is left alone for a while, then tried again: space may have been made.
    pub(super) fn write_unless_resting(&mut self, batch: &[Arc<Exchange>], lost: u64) -> (usize, Option<SessionError>) {
        if let Some((until, problem)) = &self.resting
            && Instant::now() < *until
        {
            return (0, Some(problem.clone()));
        }
        let (written, problem) = if self.path.exists() {
            self.write_what_fits(batch, lost, &mut { REFUSALS })
        } else {
            // SQLite would go on writing into a file that nobody can find any more.
            let reason = "it was removed while it was being recorded".to_owned();
            (0, Some(SessionError::Unwritable { path: self.path.clone(), reason }))
        };
        self.resting = problem.clone().filter(|_| written == 0).map(|problem| (Instant::now() + self.rest, problem));
        (written, problem)
    }

    /// Writes the batch; where there is no room for all of it, one half after the other, down to single exchanges.
    fn write_what_fits(
        &mut self,
        batch: &[Arc<Exchange>],
        lost: u64,
        refusals: &mut u32,
    ) -> (usize, Option<SessionError>) {
        let problem = match self.write(batch, lost) {
            Ok(()) => return (batch.len(), None),
            Err(error) => SessionError::sqlite_writing(&self.path, &error),
        };
        if batch.len() < 2 || !matches!(problem, SessionError::Full { .. }) {
            *refusals = refusals.saturating_sub(1);
            return (0, Some(problem));
        }
        let (first, second) = batch.split_at(batch.len() / 2);
        let (mut written, _) = self.write_what_fits(first, lost, refusals);
        if *refusals > 0 {
            written += self.write_what_fits(second, lost, refusals).0;
        }
        (written, Some(problem))
    }

    /// One transaction: all of the batch is in the file, or none of it.
    pub(super) fn write(&mut self, batch: &[Arc<Exchange>], lost: u64) -> rusqlite::Result<()> {
        let transaction = self.store.unchecked_transaction()?;
        // Rows of connections written in a transaction that fails are gone with it.
        let mut known = std::mem::take(&mut self.connections);
        if known.len() > REMEMBERED {
            known.clear();
        }
        if let Some(people) = &mut self.people {
            people.begin();
        }
        {
            // Replacing takes a journal of its own, a page for every row. Few rows replace one.
            let mut insert = transaction.prepare_cached(&insert_sql("INSERT"))?;
            let mut replace = transaction.prepare_cached(&insert_sql("INSERT OR REPLACE"))?;
            for exchange in batch {
                let connection = connection_row(&transaction, &mut known, &exchange.connection, self.people.as_mut())?;
                let place = Place { run: self.run, connection };
                match row::write(&mut insert, place, exchange, &mut self.heads, self.people.as_mut()) {
                    // It has a row from while it was running.
                    Err(error) if error.sqlite_error_code() == Some(ErrorCode::ConstraintViolation) => {
                        row::write(&mut replace, place, exchange, &mut self.heads, None)?;
                    }
                    written => written?,
                }
            }
        }
        if lost > 0 {
            note_lost(&transaction, self.run, lost)?;
        }
        if let Some(people) = &self.people {
            people.write(&transaction, self.run)?;
        }
        transaction.commit()?;
        if let Some(people) = &mut self.people {
            people.settle();
        }
        self.connections = known;
        Ok(())
    }

    fn end(&mut self, lost: u64) {
        // If the disk refuses even this, the run stays without an end; its rows are there.
        let _ = note_lost(&self.store, self.run, lost);
        let _ = self.store.execute("UPDATE runs SET ended_us = ? WHERE run = ?", params![Timestamp::now().0, self.run]);
        // Without the log's mark in its header the file opens even where nothing may be written beside it. It stays
        // while somebody else reads the file.
        let _ = self.store.pragma_update(None, "wal_checkpoint", "TRUNCATE");
        let _ = self.store.pragma_update(None, "journal_mode", "DELETE");
    }
}

#[allow(clippy::disallowed_methods)] // the session room writes files
fn create(path: &Path) -> Result<rusqlite::Connection, SessionError> {
    // Made before SQLite opens it, so that it is private from its first moment; its log inherits that.
    private(OpenOptions::new().write(true).create_new(true))
        .open(path)
        .map_err(|error| SessionError::writing(path, &error))?;
    let made = open_for_writing(path).and_then(|mut store| {
        schema::create(&mut store)?;
        Ok(store)
    });
    made.map_err(|error| {
        let _ = fs::remove_file(path);
        SessionError::sqlite_writing(path, &error)
    })
}

fn open_existing(path: &Path, redactor: &Redactor) -> Result<rusqlite::Connection, SessionError> {
    match Kind::of_file(path)? {
        Kind::Authtap => {}
        Kind::Empty => return Err(SessionError::Empty { path: path.to_owned() }),
        kind => return Err(SessionError::NotASession { path: path.to_owned(), kind }),
    }
    let failed = |error: rusqlite::Error| SessionError::sqlite_writing(path, &error);
    let mut store = open_for_writing(path).map_err(failed)?;
    let found = schema::version(&store).map_err(failed)?;
    if found > schema::VERSION {
        return Err(SessionError::Newer { path: path.to_owned(), found, known: schema::VERSION });
    }
    if found < schema::VERSION {
        schema::migrate(&mut store, found).map_err(failed)?;
    }
    Session::open(path, redactor)?.exchanges().for_each(drop);
    Ok(store)
}

#[allow(clippy::disallowed_methods)] // the session room opens databases
fn open_for_writing(path: &Path) -> rusqlite::Result<rusqlite::Connection> {
    rusqlite::Connection::open_with_flags(path, OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX)
}

/// `OR REPLACE` replaces the row that was written while the exchange was running; its place is then that of its end.
fn insert_sql(insert: &str) -> String {
    let places = vec!["?"; row::COLUMN_COUNT].join(", ");
    format!("{insert} INTO exchanges ({}) VALUES ({places})", row::COLUMNS)
}

fn connection_row(
    store: &rusqlite::Connection,
    known: &mut HashMap<u32, Known>,
    connection: &Arc<Connection>,
    people: Option<&mut People>,
) -> rusqlite::Result<i64> {
    if let Some(known) = known.get(&connection.id)
        && (Arc::ptr_eq(&known.connection, connection) || known.connection == *connection)
    {
        return Ok(known.row);
    }
    let row = connection::write(store, connection)?;
    if let Some(people) = people {
        connection::texts(connection).for_each(|text| people.meet(text.as_str()));
    }
    known.insert(connection.id, Known { row, connection: Arc::clone(connection) });
    Ok(row)
}

fn note_lost(store: &rusqlite::Connection, run: i64, lost: u64) -> rusqlite::Result<()> {
    store.prepare_cached("UPDATE runs SET lost = ? WHERE run = ?")?.execute(params![row::signed(lost), run]).map(drop)
}
