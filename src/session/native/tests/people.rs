//! Who is who in a file: there where it was asked for, beside the rows that need it, and nowhere else.

use super::*;

/// An exchange whose request names `who`.
fn naming(redactor: &Redactor, id: u64, who: &str) -> Exchange {
    let mut exchange = made::exchange(redactor, id, 10);
    let mut message = exchange.request.seen().unwrap().clone();
    message.fields = [redactor.wire().field(b"X-User-Identity", who.as_bytes())].into_iter().collect();
    exchange.request = crate::exchange::Seen::Seen(message);
    exchange
}

fn record_named(path: &Path, keep: bool, names: &[&str]) {
    let redactor = Redactor::new();
    let begin = if keep { Writer::begin_with_identities } else { Writer::begin };
    let writer = begin(path, Mode::Forward, &redactor).unwrap();
    for name in names {
        writer.append(Arc::new(naming(&redactor, writer.ids().exchange(), name)));
    }
    writer.flush();
}

/// Run, pseudonym and name of each person in the table.
fn table(path: &Path) -> Vec<(i64, String, String)> {
    let store = rusqlite::Connection::open(path).unwrap();
    let mut select = store.prepare("SELECT * FROM identities ORDER BY run, pseudonym").unwrap();
    let rows = select.query_map([], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?))).unwrap();
    rows.map(Result::unwrap).collect()
}

fn user(run: i64, pseudonym: &str, name: &str) -> (i64, String, String) {
    (run, pseudonym.to_owned(), name.to_owned())
}

#[test]
fn a_file_knows_nobody_unless_that_was_asked_for() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.authtap");
    record_named(&path, false, &["avery@contoso.com"]);
    let session = Session::open(&path, &Redactor::new()).unwrap();
    assert!(!session.has_identities() && table(&path).is_empty());
    assert_eq!(session.reveal(1, &"user#1@contoso.com".into()), "user#1@contoso.com");
    assert!(memchr::memmem::find(&fs::read(&path).unwrap(), b"avery").is_none());
}

#[test]
fn each_run_has_its_own_people_and_says_so_before_the_first() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.authtap");
    record_named(&path, true, &[]);
    assert!(Session::open(&path, &Redactor::new()).unwrap().has_identities(), "marked though nobody came");
    record_named(&path, true, &["avery@contoso.com", "CONTOSO\\blake", "AVERY@contoso.com"]);
    record_named(&path, false, &["casey@contoso.com"]);
    record_named(&path, true, &["blake@contoso.com"]);
    assert_eq!(table(&path), [user(2, "user#1", "avery"), user(2, "user#2", "blake"), user(4, "user#4", "blake")]);
    let session = Session::open(&path, &Redactor::new()).unwrap();
    assert_eq!(session.runs().iter().map(|run| run.identities).collect::<Vec<_>>(), [true, true, false, true]);
    let revealed = |id| {
        let exchange = session.exchange(id).unwrap().unwrap();
        session.reveal(id, &exchange.request.seen().unwrap().fields[0].value)
    };
    let all: Vec<_> = (1..=5).map(revealed).collect();
    assert_eq!(
        all,
        ["avery@contoso.com", "CONTOSO\\blake", "avery@contoso.com", "user#3@contoso.com", "blake@contoso.com"]
    );
    assert_eq!(session.reveal(5, &"user#1".into()), "user#1", "of another run");
}

#[test]
fn whoever_stands_in_a_row_is_in_the_file_with_it() {
    let (folder, after) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let path = folder.path().join("a.authtap");
    let redactor = Redactor::new();
    let writer = Writer::begin_with_identities(&path, Mode::Forward, &redactor).unwrap();
    // Met, but in nothing that was recorded.
    redactor.wire().field(b"X-User-Identity", b"passer.by@contoso.com");
    writer.append(Arc::new(naming(&redactor, 1, "avery@contoso.com")));
    writer.flush();
    // What a killed process leaves.
    for suffix in ["", "-wal", "-shm"] {
        let name = format!("a.authtap{suffix}");
        fs::copy(folder.path().join(&name), after.path().join(&name)).unwrap();
    }
    let named: Vec<_> =
        table(&after.path().join("a.authtap")).into_iter().filter(|row| row.1.starts_with("user")).collect();
    assert_eq!(named, [user(1, "user#2", "avery")]);
}

#[test]
fn as_many_people_as_come_are_kept_and_few_of_them_in_memory() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.authtap");
    let redactor = Redactor::new();
    let writer = Writer::begin_with_identities(&path, Mode::Forward, &redactor).unwrap();
    let template = made::exchange(&redactor, 1, 10);
    for id in 1..=1_000_u64 {
        let mut exchange = template.clone();
        exchange.id = id;
        let mut message = exchange.request.seen().unwrap().clone();
        let person =
            |number| redactor.wire().field(b"X-User-Identity", format!("avery{id}.{number}@contoso.com").as_bytes());
        message.fields = (0..100).map(person).collect();
        exchange.request = crate::exchange::Seen::Seen(message);
        writer.append(Arc::new(exchange));
        if id % 100 == 0 {
            writer.flush();
        }
    }
    writer.close();
    let people: Vec<_> = table(&path).into_iter().filter(|row| row.2.starts_with("avery")).collect();
    assert_eq!(people.len(), 100_000);
    let session = Session::open(&path, &Redactor::new()).unwrap();
    let last = session.exchange(1_000).unwrap().unwrap();
    assert_eq!(session.reveal(1_000, &last.request.seen().unwrap().fields[99].value), "avery1000.99@contoso.com");
}
