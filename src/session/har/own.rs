//! Entries that we wrote ourselves: they carry the facts that HAR has no place for.

use serde_json::Value;

use super::entry::{Entry, text};
use super::survey::Survey;
use crate::redact::Door;
use crate::session::Recorded;
use crate::session::facts::{self, Connections, Outside};
use crate::session::origins::Origins;

/// Reads our own entries.
pub(super) struct Own {
    origins: Origins,
    connections: Connections,
}

impl Own {
    pub(super) fn new(survey: &Survey) -> Self {
        Self { origins: Origins::listed(&survey.runs), connections: Connections::default() }
    }

    /// The exchange; nothing where the facts are none of ours.
    pub(super) fn read(&mut self, entry: &Entry, door: Door<'_>) -> Option<Recorded> {
        let facts = entry.facts()?;
        let outside = Outside {
            method: entry.method().unwrap_or_default(),
            url: entry.url().unwrap_or_default(),
            status: entry.status(),
            request_fields: entry.request().map(fields).unwrap_or_default(),
            request_body: entry.request().map_or("", |message| words(message, "postData")),
            response_fields: entry.response().map(fields).unwrap_or_default(),
            response_body: entry.response().map_or("", |message| words(message, "content")),
        };
        let told = facts::read(facts, &outside, door, &mut self.connections)?;
        Some(Recorded { origin: self.origins.of(told.run, facts), exchange: told.exchange })
    }
}

/// The text of a body.
fn words<'v>(message: &'v Value, place: &str) -> &'v str {
    message.get(place).and_then(|body| text(body, "text")).unwrap_or_default()
}

/// Fields as we write them: nothing about them is odd.
fn fields(message: &Value) -> Vec<(&str, &str)> {
    let headers = message.get("headers").and_then(Value::as_array).into_iter().flatten();
    headers.filter_map(|field| Some((text(field, "name")?, text(field, "value")?))).collect()
}
