//! The session file, from both ends.

#![allow(clippy::unwrap_used, clippy::panic, clippy::disallowed_methods)]

mod damage;
pub(in crate::session) mod made;
mod people;

use std::fs;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use proptest::prelude::*;

use super::*;
use crate::exchange::{Certificate, Connection, Exchange, Failure, FailureKind, Server, Side, Step, Tls};
use crate::redact::Redactor;
use crate::session::SessionError;

fn record(path: &Path, exchanges: &[Exchange]) -> WriterStatus {
    let writer = Writer::begin(path, Mode::Forward, &Redactor::new()).unwrap();
    for exchange in exchanges {
        writer.append(Arc::new(exchange.clone()));
    }
    writer.close()
}

fn read(path: &Path, redactor: &Redactor) -> Vec<Exchange> {
    Session::open(path, redactor).unwrap().exchanges().map(Result::unwrap).collect()
}

fn made(redactor: &Redactor, ids: std::ops::RangeInclusive<u64>) -> Vec<Exchange> {
    ids.map(|id| made::exchange(redactor, id, 300)).collect()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_exchange_reads_back_as_it_was(
        exchange in made::any_exchange(Redactor::new()),
    ) {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("any.authtap");
        record(&path, std::slice::from_ref(&exchange));
        let session = Session::open(&path, &Redactor::new()).unwrap();
        let found = session.exchange(exchange.id).unwrap();
        prop_assert_eq!(found.as_ref(), Some(&exchange));
        let outline = session.outlines().next().unwrap().unwrap();
        prop_assert_eq!(outline.authorization.as_ref(), exchange.authorization());
        prop_assert_eq!((outline.url, outline.method), (exchange.url, exchange.method));
    }
}

#[test]
fn exchanges_come_in_the_order_of_their_end_and_a_running_row_is_replaced() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.authtap");
    let redactor = Redactor::new();
    let running = Exchange { running: true, ..made::exchange(&redactor, 1, 10) };
    let all = made(&redactor, 1..=3);
    record(&path, &[running.clone(), all[1].clone()]);
    assert_eq!(read(&path, &redactor), [running.clone(), all[1].clone()]);
    record(&path, &[running, all[2].clone(), all[0].clone()]);
    assert_eq!(read(&path, &redactor), [all[1].clone(), all[2].clone(), all[0].clone()]);
}

#[test]
fn a_file_of_an_older_format_is_read_as_it_is_and_brought_up_to_date_when_it_is_continued() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.authtap");
    let all = made(&Redactor::new(), 1..=2);
    record(&path, &all[..1]);
    let older = folder.path().join("older.authtap");
    let store = rusqlite::Connection::open(&older).unwrap();
    super::schema::create_older(&store, 1).unwrap();
    store.execute("ATTACH ? AS new", [path.to_string_lossy()]).unwrap();
    for table in ["runs", "certificates", "connections", "exchanges"] {
        let mut named = store.prepare(&format!("SELECT name FROM pragma_table_info('{table}')")).unwrap();
        let names: Vec<String> = named.query_map([], |row| row.get(0)).unwrap().map(Result::unwrap).collect();
        let names = names.join(", ");
        store.execute(&format!("INSERT INTO {table} ({names}) SELECT {names} FROM new.{table}"), []).unwrap();
    }
    drop(store);
    assert_eq!(read(&older, &Redactor::new()), all[..1]);
    record(&older, &all[1..]);
    assert_eq!(read(&older, &Redactor::new()), all);
}

#[test]
fn a_file_is_continued_by_a_new_run_with_higher_numbers() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.authtap");
    let redactor = Redactor::new();
    record(&path, &made(&redactor, 1..=25));
    let writer = Writer::begin(&path, Mode::Replay, &Redactor::new()).unwrap();
    assert_eq!((writer.ids().exchange(), writer.ids().connection()), (26, 4));
    writer.append(Arc::new(made::exchange(&redactor, 26, 0)));
    writer.close();
    let session = Session::open(&path, &redactor).unwrap();
    assert_eq!(session.len().unwrap(), 26);
    assert_eq!(session.ids().unwrap().exchange(), 27);
    let modes: Vec<_> = session.runs().iter().map(|run| (run.number, run.mode, run.ended.is_some())).collect();
    assert_eq!(modes, [(1, Some(Mode::Forward), true), (2, Some(Mode::Replay), true)]);
}

#[test]
fn is_read_while_it_is_written_and_by_one_writer_at_a_time() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.authtap");
    let redactor = Redactor::new();
    let all = made(&redactor, 1..=200);
    let writer = Writer::begin(&path, Mode::Forward, &Redactor::new()).unwrap();
    let session = Session::open(&path, &redactor).unwrap();
    for (number, exchange) in all.iter().enumerate() {
        writer.append(Arc::new(exchange.clone()));
        if number % 50 == 0 {
            writer.flush();
            assert_eq!(session.exchanges().map(Result::unwrap).collect::<Vec<_>>(), all[..=number]);
        }
    }
    assert!(matches!(Writer::begin(&path, Mode::Forward, &Redactor::new()), Err(SessionError::InUse { .. })));
    let status = writer.close();
    assert_eq!((status.written, status.lost, status.problem), (200, 0, None));
    assert_eq!(session.len().unwrap(), 200);
}

#[test]
fn what_was_written_survives_the_end_of_the_process() {
    let (folder, after) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let path = folder.path().join("a.authtap");
    let redactor = Redactor::new();
    let all = made(&redactor, 1..=100);
    let writer = Writer::begin(&path, Mode::Forward, &Redactor::new()).unwrap();
    for exchange in &all {
        writer.append(Arc::new(exchange.clone()));
    }
    writer.flush();
    // What a killed process leaves: the file and its log as they stand, the lock free.
    for suffix in ["", "-wal", "-shm"] {
        fs::copy(beside(&path, suffix), after.path().join(format!("a.authtap{suffix}"))).unwrap();
    }
    let left = after.path().join("a.authtap");
    assert_eq!(read(&left, &redactor), all);
    assert_eq!(Session::open(&left, &redactor).unwrap().runs()[0].ended, None);
    fs::remove_file(after.path().join("a.authtap-shm")).unwrap();
    assert_eq!(read(&left, &redactor), all);
    record(&left, &made(&redactor, 101..=101));
    assert_eq!(Session::open(&left, &redactor).unwrap().len().unwrap(), 101);
    assert_eq!(fs::read_dir(after.path()).unwrap().count(), 1);
}

#[test]
fn a_file_of_the_first_format_is_read_and_can_be_continued() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.authtap");
    let redactor = Redactor::new();
    let all = made(&redactor, 1..=3);
    let newest = folder.path().join("b.authtap");
    record(&newest, &all);
    first_format(&newest, &path);
    assert_eq!(read(&path, &redactor), all);
    record(&path, &made(&redactor, 4..=4));
    assert_eq!(read(&path, &redactor), made(&redactor, 1..=4));
}

/// Writes what `from` holds and the first format has into `to`.
fn first_format(from: &Path, to: &Path) {
    let store = rusqlite::Connection::open(to).unwrap();
    store.pragma_update(None, "application_id", super::schema::APPLICATION_ID).unwrap();
    store.execute_batch(super::schema::STEPS[0]).unwrap();
    store.pragma_update(None, "user_version", 1).unwrap();
    store.execute("ATTACH ?1 AS newest", [from.to_str().unwrap()]).unwrap();
    let names = |query: &str| {
        let mut query = store.prepare(query).unwrap();
        query.query_map([], |row| row.get(0)).unwrap().collect::<rusqlite::Result<Vec<String>>>().unwrap()
    };
    for table in names("SELECT name FROM main.sqlite_schema WHERE type = 'table'") {
        let columns = names(&format!("SELECT name FROM pragma_table_info('{table}')")).join(", ");
        let copy = format!("INSERT INTO main.{table} ({columns}) SELECT {columns} FROM newest.{table}");
        store.execute_batch(&copy).unwrap();
    }
}

#[test]
fn one_file_remains_and_needs_nothing_beside_it() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a #1 ä%.authtap");
    let redactor = Redactor::new();
    record(&path, &made(&redactor, 1..=3));
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
    let header = fs::read(&path).unwrap();
    // SQLite file format, offsets 18 and 19: 1 is a file without a log; offset 16: the page size.
    assert_eq!((header[18], header[19], &header[16..18]), (1, 1, &16_384_u16.to_be_bytes()[..]));
    let store = rusqlite::Connection::open_with_flags(
        super::read::immutable_uri(&path),
        rusqlite::OpenFlags::SQLITE_OPEN_READ_ONLY | rusqlite::OpenFlags::SQLITE_OPEN_URI,
    );
    let text: (String, String) = store
        .unwrap()
        .query_row("SELECT started, url FROM exchanges WHERE id = 2", [], |row| Ok((row.get(0)?, row.get(1)?)))
        .unwrap();
    assert!(text.0.starts_with("2026-11-22T") && text.1.starts_with("https://mail.contoso.com/EWS"), "{text:?}");
}

#[cfg(unix)]
#[test]
fn only_its_owner_may_read_it_and_the_files_beside_it() {
    use std::os::unix::fs::PermissionsExt;
    let folder = tempfile::tempdir().unwrap();
    let writer = Writer::begin(&folder.path().join("a.authtap"), Mode::Forward, &Redactor::new()).unwrap();
    writer.append(Arc::new(made::exchange(&Redactor::new(), 1, 10)));
    writer.flush();
    let files: Vec<_> = fs::read_dir(folder.path()).unwrap().map(Result::unwrap).collect();
    assert_eq!(files.len(), 4);
    for file in files {
        assert_eq!(file.metadata().unwrap().permissions().mode() & 0o777, 0o600, "{}", file.path().display());
    }
}

#[test]
fn a_file_that_cannot_be_made_is_said_and_everything_counted() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("missing").join("a.authtap");
    let problem = Writer::begin(&path, Mode::Forward, &Redactor::new()).err().unwrap();
    assert!(
        matches!(&problem, SessionError::Unwritable { path: named, .. } if *named == path),
        "the file that was asked for is named: {problem}"
    );
    let writer = Writer::refused(&path, problem.clone());
    for exchange in made(&Redactor::new(), 1..=3) {
        writer.append(Arc::new(exchange));
    }
    writer.flush();
    assert_eq!(writer.close(), WriterStatus { written: 0, lost: 3, problem: Some(problem) });
}

#[test]
fn a_full_disk_stops_the_recording_until_there_is_room_again() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.authtap");
    let redactor = Redactor::new();
    let all: Vec<_> = (1..=40).map(|id| Arc::new(made::exchange(&redactor, id, 20_000))).collect();
    let (mut recording, _) = super::writer::Recording::begin(&path, Mode::Forward, &Redactor::new()).unwrap();
    recording.write(&all[..10], 0).unwrap();
    let pages: i64 = recording.store.pragma_query_value(None, "page_count", |row| row.get(0)).unwrap();
    recording.store.pragma_update(None, "max_page_count", pages).unwrap();
    let full = recording.write_unless_resting(&all[10..20], 0);
    assert_eq!(full, (0, Some(SessionError::Full { path: path.clone() })));
    recording.store.pragma_update(None, "max_page_count", 1_000_000).unwrap();
    assert_eq!(recording.write_unless_resting(&all[20..30], 10), full, "the disk is left alone a while");
    recording.rest = Duration::ZERO;
    recording.resting = None;
    assert_eq!(recording.write_unless_resting(&all[30..], 20), (10, None));
    drop(recording);
    let session = Session::open(&path, &redactor).unwrap();
    let ids: Vec<_> = session.exchanges().map(|exchange| exchange.unwrap().id).collect();
    assert_eq!(ids, (1..=10).chain(31..=40).collect::<Vec<_>>());
    assert_eq!(session.runs()[0].lost, 20);
}

#[test]
fn on_a_disk_that_fills_up_only_what_does_not_fit_is_lost() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.authtap");
    let redactor = Redactor::new();
    let large = |id| id % 10 == 3;
    let size = |id| if large(id) { 3_000_000 } else { 2_000 };
    let all: Vec<_> = (1..=40).map(|id| Arc::new(made::exchange(&redactor, id, size(id)))).collect();
    let (mut recording, _) = super::writer::Recording::begin(&path, Mode::Forward, &Redactor::new()).unwrap();
    let pages: i64 = recording.store.pragma_query_value(None, "page_count", |row| row.get(0)).unwrap();
    recording.store.pragma_update(None, "max_page_count", pages + 64).unwrap();
    let full = SessionError::Full { path: path.clone() };
    assert_eq!(recording.write_unless_resting(&all, 0), (36, Some(full)));
    assert!(recording.resting.is_none(), "there is room for others");
    drop(recording);
    let ids: Vec<_> = read(&path, &redactor).iter().map(|exchange| exchange.id).collect();
    assert_eq!(ids, (1..=40).filter(|id| !large(*id)).collect::<Vec<_>>());
}

#[test]
fn what_was_said_of_servers_reads_back_as_it_was() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.authtap");
    let redactor = Redactor::new();
    let made = made::exchange(&redactor, 1, 0);
    let said = |words: &'static str| Failure {
        side: Side::Server,
        step: Step::Connect,
        kind: FailureKind::Refused,
        text: words.into(),
    };
    let names = ["*.contoso.com", "192.0.2.7", "[2001:db8::7]"].map(Clean::from).to_vec();
    let certificate = Certificate {
        subject: "CN=*.contoso.com".into(),
        issuer: "CN=Contoso Issuing CA 2".into(),
        names,
        not_before: Timestamp(0),
        not_after: Timestamp(1),
        sha256: [7; 32],
    };
    let tls = Tls {
        version: "TLS 1.3".into(),
        cipher: "TLS_AES_128_GCM_SHA256".into(),
        accepted_despite: Some("the server's certificate is not for 192.0.2.9 but for 192.0.2.7, [2001:db8::7]".into()),
        ..Tls::of_certificate(certificate)
    };
    let connection = Connection {
        server: Some(Server { address: "192.0.2.9:443".into(), tls: Some(tls) }),
        target: Some(redactor.wire().host(b"srv7k2m9q4x8w1z:443")),
        ..Connection::default()
    };
    let all: Vec<_> = [
        "127.0.0.1:44443 refuses the connection",
        "cannot connect to srv7k2m9q4x8w1z:443: 192.0.2.10:443 refuses the connection; [2001:db8::a]:443 is unreachable",
        "the server's certificate is not for 192.0.2.9 but for *.contoso.com, 192.0.2.7 and [2001:db8::7]",
    ]
    .into_iter()
    .zip(1..)
    .map(|(words, id)| Exchange {
        id,
        connection: Arc::new(connection.clone()),
        error: Some(said(words)),
        ..made.clone()
    })
    .collect();
    record(&path, &all);
    assert_eq!(read(&path, &Redactor::new()), all);
}

#[test]
fn a_full_disk_does_not_hold_up_those_who_append() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.authtap");
    let (recording, ids) = super::writer::Recording::begin(&path, Mode::Forward, &Redactor::new()).unwrap();
    let pages: i64 = recording.store.pragma_query_value(None, "page_count", |row| row.get(0)).unwrap();
    recording.store.pragma_update(None, "max_page_count", pages).unwrap();
    let writer = Writer::on_thread(recording, ids).unwrap();
    for id in 1..=2000 {
        writer.append(Arc::new(made::exchange(&Redactor::new(), id, 2000)));
    }
    let status = writer.close();
    // A few find room in the last page.
    assert!(status.written < 20, "{}", status.written);
    assert_eq!(status.written + status.lost, 2000);
    assert_eq!(status.problem, Some(SessionError::Full { path }));
}

#[cfg(unix)]
#[test]
fn a_file_that_is_removed_meanwhile_is_missed() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.authtap");
    let writer = Writer::begin(&path, Mode::Forward, &Redactor::new()).unwrap();
    fs::remove_file(&path).unwrap();
    writer.append(Arc::new(made::exchange(&Redactor::new(), 1, 0)));
    let status = writer.close();
    assert_eq!((status.written, status.lost), (0, 1));
    assert!(matches!(status.problem, Some(SessionError::Unwritable { .. })));
}
