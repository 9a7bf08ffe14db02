//! What is written reads back as it was, in every form.

#![allow(clippy::unwrap_used, clippy::disallowed_methods)]

use std::fs;
use std::path::Path;
use std::sync::Arc;

use proptest::prelude::*;

use super::*;
use crate::exchange::{Exchange, Timestamp};
use crate::redact::Redactor;
use crate::session::{Mode, Opening, Origin, Provenance, Reader, made, texts};

const FORMS: [Form; 3] = [Form::Authtap, Form::Har, Form::Saz];

fn origins() -> [Arc<Origin>; 2] {
    let first = Origin {
        run: 1,
        provenance: Provenance::Live { loopback: false, windows: Some(true) },
        mode: Some(Mode::Reverse),
        started: Some(Timestamp(1_795_338_000_000_001)),
        ended: Some(Timestamp(1_795_338_000_000_002)),
        lost: 3,
    };
    let second = Origin { run: 2, provenance: Provenance::Intercepted, mode: None, ended: None, ..first.clone() };
    [Arc::new(first), Arc::new(second)]
}

fn write(path: &Path, form: Form, exchanges: &[Recorded]) {
    let mut export = Export::begin(path, form, None).unwrap();
    for recorded in exchanges {
        export.add(recorded.clone()).unwrap();
    }
    assert!(!path.exists(), "nothing has the name before all is written");
    export.seal().unwrap();
    assert_eq!(export.finish(&Manifest { share: "support", ..Manifest::default() }).unwrap(), path);
}

fn read(path: &Path) -> Vec<Recorded> {
    let redactor = Redactor::new();
    let reader = Reader::open(path, &Opening::quietly(&redactor)).unwrap();
    reader.exchanges().map(Result::unwrap).collect()
}

fn recorded(exchanges: Vec<Exchange>) -> Vec<Recorded> {
    let origins = origins();
    let half = exchanges.len() / 2;
    let of = |(at, exchange)| Recorded { origin: Arc::clone(&origins[usize::from(at > half)]), exchange };
    exchanges.into_iter().enumerate().map(of).collect()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_exchanges_read_back_as_they_were(
        mut exchanges in prop::collection::vec(made::any_exchange(Redactor::new()), 1..6),
    ) {
        let folder = tempfile::tempdir().unwrap();
        // They end in any order, but each number is one exchange's.
        for (id, exchange) in [4, 2, 1, 9, 3].into_iter().zip(&mut exchanges) {
            exchange.id = id;
        }
        let exchanges = recorded(exchanges);
        for form in FORMS {
            let path = folder.path().join(format!("{form:?}"));
            write(&path, form, &exchanges);
            prop_assert_eq!(&read(&path), &exchanges, "{:?}", form);
        }
        prop_assert_eq!(fs::read_dir(folder.path()).unwrap().count(), FORMS.len());
    }
}

#[test]
fn a_file_without_exchanges_is_a_file_all_the_same() {
    let folder = tempfile::tempdir().unwrap();
    for form in FORMS {
        let path = folder.path().join(format!("{form:?}"));
        write(&path, form, &[]);
        assert!(read(&path).is_empty(), "{form:?}");
    }
}

#[test]
fn what_is_given_up_leaves_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let all = recorded((1..=600).map(|id| made::exchange(&Redactor::new(), id, 200)).collect());
    for form in FORMS {
        let mut export = Export::begin(&folder.path().join("given-up"), form, None).unwrap();
        for recorded in &all {
            export.add(recorded.clone()).unwrap();
        }
        drop(export);
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0, "{form:?}");
    }
}

#[test]
fn a_session_that_is_being_recorded_is_not_replaced() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.authtap");
    let writer = crate::session::Writer::begin(&path, Mode::Forward, &Redactor::new()).unwrap();
    assert!(matches!(Export::begin(&path, Form::Authtap, None).err(), Some(SessionError::InUse { .. })));
    writer.close();
    assert!(Export::begin(&path, Form::Authtap, None).is_ok());
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
}

#[test]
fn a_manifest_is_stated_in_the_file() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.har");
    write(&path, Form::Har, &recorded(vec![made::exchange(&Redactor::new(), 1, 200)]));
    let har: serde_json::Value = serde_json::from_slice(&fs::read(&path).unwrap()).unwrap();
    assert_eq!(har["log"]["_authtap"]["manifest"]["share"], "support");
    let path = folder.path().join("a.authtap");
    write(&path, Form::Authtap, &recorded(vec![made::exchange(&Redactor::new(), 1, 200)]));
    let store = rusqlite::Connection::open(&path).unwrap();
    let stated: String = store.query_row("SELECT manifest FROM manifests", [], |row| row.get(0)).unwrap();
    assert!(stated.contains("\"share\":\"support\""), "{stated}");
}

#[test]
fn the_kind_follows_the_extension() {
    for (name, form) in [
        ("a.authtap", Some(Form::Authtap)),
        ("b.HAR", Some(Form::Har)),
        ("b.saz", Some(Form::Saz)),
        ("c.txt", None),
        ("har", None),
    ] {
        assert_eq!(Form::of_name(Path::new(name)), form);
    }
}

#[test]
fn of_a_file_that_is_cut_or_altered_what_is_readable_is_read() {
    let folder = tempfile::tempdir().unwrap();
    let all = recorded((1..=60).map(|id| made::exchange(&Redactor::new(), id, 400)).collect());
    for form in FORMS {
        let path = folder.path().join(format!("{form:?}"));
        write(&path, form, &all);
        let whole = fs::read(&path).unwrap();
        let broken = folder.path().join("broken");
        let tried = |bytes: &[u8]| -> Option<(Vec<Exchange>, usize)> {
            fs::write(&broken, bytes).unwrap();
            let redactor = Redactor::new();
            let reader = Reader::open(&broken, &Opening::quietly(&redactor)).ok()?;
            let (mut read, mut lost) = (Vec::new(), 0);
            for item in reader.exchanges() {
                item.map_or_else(|_| lost += 1, |recorded| read.push(recorded.exchange));
            }
            Some((read, lost))
        };
        let known = |exchange: &Exchange| all.iter().any(|recorded| recorded.exchange == *exchange);
        let (mut most, mut before) = (0, 0);
        for cut in (0..whole.len()).step_by(1000) {
            let Some((read, lost)) = tried(&whole[..cut]) else {
                assert!(form == Form::Authtap || cut <= 4000, "{form:?} cut at {cut}");
                continue;
            };
            assert!(read.iter().all(known), "{form:?} cut at {cut}: nothing is made up");
            // Of a page that is cut, what its first half says of the second is not so.
            let grows = form == Form::Authtap || read.len() + 1 >= before;
            assert!(grows, "{form:?} cut at {cut}: more bytes, fewer exchanges");
            assert!(lost > 0 || read.len() == all.len(), "{form:?} cut at {cut}: {} and not a word more", read.len());
            before = read.len();
            most = most.max(before);
        }
        assert!(most > all.len() / 2, "{form:?}: {most}");
        for at in (0..whole.len()).step_by(997) {
            let mut flipped = whole.clone();
            flipped[at] ^= 1 << (at % 8);
            if let Some((read, lost)) = tried(&flipped) {
                assert!(read.len() + 60 * lost >= all.len(), "{form:?} altered at {at}: what was lost is said");
            }
        }
    }
}

#[test]
fn all_texts_of_a_file_are_told_with_their_place() {
    let folder = tempfile::tempdir().unwrap();
    let all = recorded((1..=3).map(|id| made::exchange(&Redactor::new(), id, 200)).collect());
    let password = zeroize::Zeroizing::new("of a test".to_owned());
    for (form, locked) in [(Form::Authtap, false), (Form::Har, false), (Form::Saz, false), (Form::Saz, true)] {
        let path = folder.path().join(format!("{form:?}{locked}"));
        let password = locked.then_some(&password);
        let mut export = Export::begin(&path, form, password.cloned()).unwrap();
        for recorded in &all {
            export.add(recorded.clone()).unwrap();
        }
        export.finish(&Manifest { share: "support", ..Manifest::default() }).unwrap();
        let (mut hosts, mut manifest) = (Vec::new(), 0);
        texts(&path, password, &mut |place, text| {
            let holds = |word: &[u8]| memchr::memmem::find(text, word).is_some();
            hosts.extend(place.exchange.filter(|_| holds(b"mail.contoso.com")));
            manifest += usize::from(place.exchange.is_none() && holds(b"\"share\":\"support\""));
            Ok(())
        })
        .unwrap();
        hosts.dedup();
        assert_eq!((hosts, manifest), (vec![1, 2, 3], 1), "{form:?}");
    }
}
