//! Files that are none, come from the future, or were cut short or altered.

use std::fs;
use std::path::Path;

use super::{made, record};
use crate::exchange::Exchange;
use crate::redact::Redactor;
use crate::session::kind::Kind;
use crate::session::{Mode, Session, SessionError, Writer};

fn open_error(path: &Path) -> SessionError {
    Session::open(path, &Redactor::new()).err().unwrap()
}

#[test]
fn says_what_is_wrong_with_a_file_that_is_none() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("trace.authtap");
    assert_eq!(open_error(&path), SessionError::Missing { path: path.clone() });
    assert_eq!(open_error(folder.path()), SessionError::Folder { path: folder.path().to_owned() });
    assert!(matches!(Writer::begin(folder.path(), Mode::Forward, &Redactor::new()), Err(SessionError::Folder { .. })));
    for (content, kind) in [
        (&b"HTTP/1.1 401 Unauthorized\r\n\r\n"[..], Kind::Text),
        (b"PK\x03\x04\x14\0\0\0", Kind::Saz),
        (b"{\"log\":{}}", Kind::Har),
        (b"\x7fELF\x02\x01\x01\0", Kind::Binary),
    ] {
        fs::write(&path, content).unwrap();
        assert_eq!(open_error(&path), SessionError::NotASession { path: path.clone(), kind });
        assert!(matches!(Writer::begin(&path, Mode::Forward, &Redactor::new()), Err(SessionError::NotASession { .. })));
        assert_eq!(fs::read(&path).unwrap(), content, "an existing file is left as it was");
    }
    fs::write(&path, b"").unwrap();
    assert_eq!(open_error(&path), SessionError::Empty { path: path.clone() });
    fs::remove_file(&path).unwrap();
    rusqlite::Connection::open(&path).unwrap().execute_batch("CREATE TABLE exchanges (seq)").unwrap();
    assert_eq!(open_error(&path), SessionError::NotASession { path, kind: Kind::OtherDatabase });
}

#[test]
fn refuses_a_file_of_a_newer_version_and_leaves_it_alone() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.authtap");
    record(&path, &[]);
    rusqlite::Connection::open(&path).unwrap().pragma_update(None, "user_version", 7).unwrap();
    let before = fs::read(&path).unwrap();
    assert_eq!(open_error(&path), SessionError::Newer { path: path.clone(), found: 7, known: super::schema::VERSION });
    assert!(matches!(Writer::begin(&path, Mode::Forward, &Redactor::new()), Err(SessionError::Newer { .. })));
    assert_eq!(fs::read(&path).unwrap(), before);
}

#[test]
fn a_file_cut_short_anywhere_gives_what_is_left() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.authtap");
    let redactor = Redactor::new();
    let all: Vec<_> = (1..=300).map(|id| made::exchange(&redactor, id, (id as usize * 37) % 3000)).collect();
    record(&path, &all);
    let whole = fs::read(&path).unwrap();
    let mut most = 0;
    for cut in (1..whole.len()).step_by(9973) {
        fs::write(&path, &whole[..cut]).unwrap();
        let readable = readable(&path, &redactor);
        assert!(readable.iter().all(|exchange| all.contains(exchange)), "cut at {cut}");
        assert!(readable.len() < 300 || cut + 16_384 > whole.len(), "cut at {cut}");
        if cut > whole.len() / 2 {
            assert!(readable.len() > 50, "cut at {cut} of {}: {} read", whole.len(), readable.len());
        }
        most = most.max(readable.len());
    }
    assert!(most > 250, "{most}");
}

#[test]
fn a_file_cut_short_claims_no_more_exchanges_than_it_held() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.authtap");
    let redactor = Redactor::new();
    let all: Vec<_> = (1..=9).map(|id| made::exchange(&redactor, id, 9000)).collect();
    record(&path, &all);
    let whole = fs::read(&path).unwrap();
    let mut unknown = 0;
    for cut in (1..whole.len()).step_by(4001) {
        fs::write(&path, &whole[..cut]).unwrap();
        let Ok(session) = Session::open(&path, &redactor) else { continue };
        for item in session.exchanges() {
            match item {
                Ok(_) => {}
                Err(SessionError::Gap { from, count, .. }) => assert!(from + count <= 10, "{from} {count}"),
                Err(SessionError::Rest { from, .. }) => {
                    assert!((1..=10).contains(&from), "{from}");
                    unknown += 1;
                }
                Err(other) => panic!("{other}"),
            }
        }
    }
    assert!(unknown > 0, "some cuts leave nothing that says how many there were");
}

#[test]
fn a_hole_in_the_middle_costs_only_what_was_in_it() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.authtap");
    let redactor = Redactor::new();
    let all: Vec<_> = (1..=300).map(|id| made::exchange(&redactor, id, 500)).collect();
    record(&path, &all);
    let mut bytes = fs::read(&path).unwrap();
    let middle = bytes.len() / 2 / 16_384 * 16_384;
    bytes[middle..middle + 16_384].fill(0xA5);
    fs::write(&path, &bytes).unwrap();
    let session = Session::open(&path, &redactor).unwrap();
    let (good, bad): (Vec<_>, Vec<_>) = session.exchanges().partition(Result::is_ok);
    assert!(good.len() > 250 && good.len() < 300, "{}", good.len());
    let lost: u64 = bad
        .iter()
        .map(|gap| match gap {
            Err(SessionError::Gap { count, .. }) => *count,
            other => panic!("{other:?}"),
        })
        .sum();
    assert_eq!(good.len() as u64 + lost, 300);
}

#[test]
fn flipped_bits_never_bring_it_down() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.authtap");
    let redactor = Redactor::new();
    let all: Vec<_> = (1..=60).map(|id| made::exchange(&redactor, id, 200)).collect();
    record(&path, &all);
    let whole = fs::read(&path).unwrap();
    for at in (0..whole.len()).step_by(whole.len() / 150) {
        let mut bytes = whole.clone();
        bytes[at] ^= 1 << (at % 8);
        fs::write(&path, &bytes).unwrap();
        assert!(readable(&path, &redactor).len() <= 60 + 1);
    }
}

#[test]
fn a_value_that_no_version_writes_costs_its_row_alone() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.authtap");
    let redactor = Redactor::new();
    let all: Vec<_> = (1..=3).map(|id| made::exchange(&redactor, id, 0)).collect();
    record(&path, &all);
    let store = rusqlite::Connection::open(&path).unwrap();
    store.execute("UPDATE exchanges SET response_unseen = 'surely' WHERE id = 2", []).unwrap();
    drop(store);
    let session = Session::open(&path, &redactor).unwrap();
    let ids: Vec<_> = session.exchanges().map(|exchange| exchange.map(|exchange| exchange.id)).collect();
    assert_eq!(ids, [Ok(1), Err(SessionError::Gap { path: path.clone(), from: 2, count: 1 }), Ok(3)]);
    assert!(matches!(session.exchange(2), Err(SessionError::Damaged { .. })));
}

#[test]
fn a_view_in_the_place_of_a_table_is_not_run() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.authtap");
    record(&path, &[]);
    let store = rusqlite::Connection::open(&path).unwrap();
    store.execute_batch("DROP TABLE exchanges; CREATE VIEW exchanges AS SELECT 1 AS seq").unwrap();
    drop(store);
    assert!(matches!(open_error(&path), SessionError::Damaged { .. }));
}

fn readable(path: &Path, redactor: &Redactor) -> Vec<Exchange> {
    match Session::open(path, redactor) {
        Ok(session) => session.exchanges().take(1000).filter_map(Result::ok).collect(),
        Err(_) => Vec::new(),
    }
}
