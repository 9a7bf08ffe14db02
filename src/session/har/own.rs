//! Entries that we wrote ourselves: they carry the facts that HAR has no place for.

use std::collections::HashMap;
use std::sync::Arc;

use serde_json::Value;

use super::entry::{Entry, text};
use super::survey::Survey;
use crate::exchange::Timestamp;
use crate::redact::Door;
use crate::session::facts::{self, Connections, Outside};
use crate::session::{Mode, Origin, Provenance, Recorded};

/// Reads our own entries.
pub(super) struct Own {
    runs: HashMap<u64, Arc<Origin>>,
    connections: Connections,
}

/// Runs remembered; a file with more of them is not ours.
const RUNS: usize = 4096;

impl Own {
    pub(super) fn new(survey: &Survey) -> Self {
        let runs = survey.runs.iter().filter_map(origin).map(|origin| (origin.run, Arc::new(origin)));
        Self { runs: runs.take(RUNS).collect(), connections: Connections::default() }
    }

    /// The exchange; nothing where the facts are none of ours.
    pub(super) fn read(&mut self, entry: &Entry, door: Door<'_>) -> Option<Recorded> {
        let facts = entry.facts()?;
        let words = |message: Option<&'_ Value>, place: &str| {
            message.and_then(|message| message.get(place)?.get("text")?.as_str().map(str::to_owned)).unwrap_or_default()
        };
        let (request_body, response_body) = (words(entry.request(), "postData"), words(entry.response(), "content"));
        let outside = Outside {
            method: entry.method().unwrap_or_default(),
            url: entry.url().unwrap_or_default(),
            status: entry.status(),
            request_fields: entry.request().map(fields).unwrap_or_default(),
            request_body: &request_body,
            response_fields: entry.response().map(fields).unwrap_or_default(),
            response_body: &response_body,
        };
        let told = facts::read(facts, &outside, door, &mut self.connections)?;
        Some(Recorded { origin: self.origin(told.run, facts), exchange: told.exchange })
    }

    fn origin(&mut self, run: u64, facts: &Value) -> Arc<Origin> {
        if let Some(known) = self.runs.get(&run) {
            return Arc::clone(known);
        }
        // The end of the file, where runs are listed, is missing.
        let origin = Arc::new(Origin { run, ..told(facts) });
        if self.runs.len() < RUNS {
            self.runs.insert(run, Arc::clone(&origin));
        }
        origin
    }
}

/// A run as the file lists it.
fn origin(listed: &Value) -> Option<Origin> {
    let time = |name: &str| listed.get(name).and_then(Value::as_i64).map(Timestamp);
    Some(Origin {
        run: listed.get("run")?.as_u64()?,
        started: time("started_us"),
        ended: time("ended_us"),
        lost: listed.get("lost").and_then(Value::as_u64).unwrap_or_default(),
        ..told(listed)
    })
}

fn told(facts: &Value) -> Origin {
    let mode = text(facts, "mode").and_then(|code| Mode::ALL.into_iter().find(|mode| mode.code() == code));
    let provenance = text(facts, "capture").and_then(Provenance::of_words).unwrap_or_default();
    Origin { provenance, mode, ..Origin::default() }
}

/// Fields as we write them: nothing about them is odd.
fn fields(message: &Value) -> Vec<(&str, &str)> {
    let headers = message.get("headers").and_then(Value::as_array).into_iter().flatten();
    headers.filter_map(|field| Some((text(field, "name")?, text(field, "value")?))).collect()
}
