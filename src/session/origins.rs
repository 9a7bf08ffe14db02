//! The runs of a file that we wrote ourselves.

use std::collections::HashMap;
use std::sync::Arc;

use serde_json::{Value, json};

use super::{Mode, Origin, Provenance};
use crate::exchange::Timestamp;

/// Runs by their numbers.
#[derive(Default)]
pub(super) struct Origins(HashMap<u64, Arc<Origin>>);

/// Runs remembered; a file with more of them is not ours.
pub(super) const RUNS: usize = 4096;

/// How a file lists its runs.
pub(super) fn list(origins: &[Arc<Origin>]) -> Value {
    let run = |origin: &Arc<Origin>| {
        json!({"run": origin.run, "capture": origin.provenance.words(), "mode": origin.mode.map(Mode::code),
               "started_us": origin.started.map(|time| time.0), "ended_us": origin.ended.map(|time| time.0),
               "lost": origin.lost})
    };
    origins.iter().map(run).collect()
}

/// Puts among the facts of an exchange what must be known of its run where the list is missing, as in a file that is
/// cut short.
pub(super) fn note(facts: &mut Value, origin: &Origin) {
    facts["capture"] = origin.provenance.words().into();
    if let Some(mode) = origin.mode {
        facts["mode"] = mode.code().into();
    }
}

impl Origins {
    /// Reads [`list`] back.
    pub(super) fn listed(list: &[Value]) -> Self {
        let origin = |listed: &Value| {
            let time = |name: &str| listed.get(name).and_then(Value::as_i64).map(Timestamp);
            let run = listed.get("run")?.as_u64()?;
            let lost = listed.get("lost").and_then(Value::as_u64).unwrap_or_default();
            let (started, ended) = (time("started_us"), time("ended_us"));
            Some((run, Arc::new(Origin { run, started, ended, lost, ..told(listed) })))
        };
        Self(list.iter().filter_map(origin).take(RUNS).collect())
    }

    /// The run of that number; where the list does not have it, what the exchange's own facts tell.
    pub(super) fn of(&mut self, run: u64, facts: &Value) -> Arc<Origin> {
        if let Some(known) = self.0.get(&run) {
            return Arc::clone(known);
        }
        let origin = Arc::new(Origin { run, ..told(facts) });
        if self.0.len() < RUNS {
            self.0.insert(run, Arc::clone(&origin));
        }
        origin
    }
}

fn told(facts: &Value) -> Origin {
    let text = |name: &str| facts.get(name).and_then(Value::as_str);
    let mode = text("mode").and_then(|code| Mode::ALL.into_iter().find(|mode| mode.code() == code));
    let provenance = text("capture").and_then(Provenance::of_words).unwrap_or_default();
    Origin { provenance, mode, ..Origin::default() }
}
