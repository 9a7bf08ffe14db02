//! The demonstration shows every kind of finding through the real proxy, and leaves nothing behind.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use std::time::{Duration, Instant};

use authtap::redact::Redactor;
use authtap::session::{Opening, Reader, Recorded};

use crate::kit::{Workshop, demonstration};

/// The causes that seed 004 tells of and the demonstration plays.
const SHOWN: [&str; 14] = [
    "aad-grant-revoked",
    "aad-unreachable",
    "audience-host-mismatch",
    "client-no-bearer",
    "hma-empty-bearer",
    "hma-exchange2010-coexist",
    "hma-mapihttp-disabled",
    "hma-no-authorization-uri",
    "oauth-not-enabled-for-client",
    "spn-missing",
    "ssl-offload-audience-scheme",
    "tls-trust-failure",
    "user-not-in-directory",
    "vdir-oauth-disabled",
];

#[test]
fn every_kind_of_failure_is_played_and_named_in_time() {
    let workshop = Workshop::new();
    let begun = Instant::now();
    let finished = workshop.run(&["demo", "--headless", "--format", "json"]);
    assert!(begun.elapsed() < Duration::from_secs(15), "it took {:?}", begun.elapsed());
    assert_eq!(finished.code, Some(1), "it finds failures: {}", finished.error());
    let lines = finished.output();
    let events: Vec<serde_json::Value> = lines.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let found: BTreeSet<&str> = events
        .iter()
        .flat_map(|event| event["findings"].as_array().into_iter().flatten())
        .map(|id| id.as_str().unwrap())
        .collect();
    let missing: Vec<_> = SHOWN.iter().filter(|id| !found.contains(*id)).collect();
    assert!(missing.is_empty(), "{missing:?} are not shown, only {found:?}");
    let last = events.last().unwrap();
    assert_eq!(last["event"], "closed");
    assert!(last["failures"].as_u64().unwrap() >= SHOWN.len() as u64 - 1, "{last}");

    let left: Vec<_> = fs::read_dir(workshop.path("home")).into_iter().flatten().collect();
    assert!(left.is_empty(), "no root, no session: {left:?}");
}

#[test]
fn what_is_recorded_of_it_stays_the_same_in_every_format() {
    let workshop = Workshop::new();
    let session = demonstration(&workshop);
    let recorded = read(&session);
    assert!(recorded.len() > 40, "{}", recorded.len());
    let before = diagnosed(&workshop, &session);
    let found = before["findings"].as_array().unwrap();
    assert!(found.len() >= SHOWN.len(), "{found:?}");
    for way in [["har", "authtap"], ["saz", "authtap"], ["authtap", "har"]] {
        let mut from = session.clone();
        for form in way {
            let to = workshop.path(&format!("{}.{form}", way.concat()));
            let finished = workshop.run(&["convert", &from.to_string_lossy(), &to.to_string_lossy()]);
            assert_eq!(finished.code, Some(0), "{}", finished.error());
            for (one, other) in recorded.iter().zip(read(&to)) {
                assert_eq!(*one, other, "{way:?} {form}");
            }
            assert_eq!(read(&to).len(), recorded.len(), "{way:?} {form}");
            assert_eq!(diagnosed(&workshop, &to), before, "{way:?} {form}");
            from = to;
        }
    }
}

fn read(path: &Path) -> Vec<Recorded> {
    let redactor = Redactor::new();
    Reader::open(path, &Opening::quietly(&redactor)).unwrap().exchanges().map(Result::unwrap).collect()
}

/// All that is said of a file but its name.
fn diagnosed(workshop: &Workshop, path: &Path) -> serde_json::Value {
    let mut said = workshop.diagnose(path);
    said.as_object_mut().unwrap().remove("source");
    said
}
