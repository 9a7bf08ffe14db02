//! The demonstration shows every kind of finding through the real proxy, and leaves nothing behind.

use std::collections::BTreeSet;
use std::fs;
use std::time::{Duration, Instant};

use crate::kit::Workshop;

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
