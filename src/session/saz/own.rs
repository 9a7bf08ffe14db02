//! Archives that we wrote ourselves: facts of the exchanges stand in members of our own, in front of the texts they
//! belong to.

use std::collections::{BTreeMap, HashMap};

use serde_json::Value;

use super::archive::{Archive, Refused, Slot};
use super::index::{Index, Numbered};
use crate::redact::Door;
use crate::session::Recorded;
use crate::session::facts::{self, Connections, Outside};
use crate::session::origins::Origins;

/// Reads our own sessions.
pub(super) struct Own {
    /// Where facts are, by the number of the first session that they tell of.
    members: BTreeMap<u32, Slot>,
    log: Option<Slot>,
    origins: Option<Origins>,
    /// The facts at hand, by number.
    facts: HashMap<u32, Value>,
    from: Option<u32>,
    connections: Connections,
}

/// A member of facts is not longer than this.
const FACTS: u64 = 64 << 20;
/// A text of ours is not longer than this: heads and bodies are bounded where they are recorded.
const TEXT: u64 = 64 << 20;

impl Own {
    pub(super) fn new(index: &Index) -> Self {
        Self {
            members: index.own.clone(),
            log: index.log,
            origins: None,
            facts: HashMap::new(),
            from: None,
            connections: Connections::default(),
        }
    }

    /// The exchange of a session; nothing in an archive that we did not write.
    pub(super) fn read(
        &mut self,
        archive: &mut Archive,
        session: &Numbered,
        door: Door<'_>,
    ) -> Option<Result<Recorded, Refused>> {
        if self.members.is_empty() {
            return None;
        }
        Some(self.read_own(archive, session, door))
    }

    fn read_own(&mut self, archive: &mut Archive, session: &Numbered, door: Door<'_>) -> Result<Recorded, Refused> {
        let (from, slot) = self.members.range(..=session.number).next_back().ok_or(Refused::Unreadable)?;
        if self.from != Some(*from) {
            self.from = Some(*from);
            self.facts.clear();
            self.facts = lines(&archive.whole(*slot, FACTS)?);
        }
        let facts = self.facts.get(&session.number).ok_or(Refused::Unreadable)?;
        // We write both of every session; where one is missing, the archive is cut short.
        let mut text = |slot: Option<Slot>| archive.whole(slot.ok_or(Refused::Unreadable)?, TEXT);
        let (request, response) = (text(session.request)?, text(session.response)?);
        let outside = Outside { request_body: body(&request), response_body: body(&response), ..Outside::default() };
        let told = facts::read(facts, &outside, door, &mut self.connections).ok_or(Refused::Unreadable)?;
        let log = self.log;
        let origins = self.origins.get_or_insert_with(|| {
            let log = log.and_then(|slot| self::log(archive, slot)).unwrap_or_default();
            Origins::listed(log.get("runs").and_then(Value::as_array).map_or(&[], Vec::as_slice))
        });
        Ok(Recorded { origin: origins.of(told.run, facts), exchange: told.exchange })
    }
}

/// What is told of the archive as a whole.
pub(super) fn log(archive: &mut Archive, slot: Slot) -> Option<Value> {
    serde_json::from_slice(&archive.whole(slot, FACTS).ok()?).ok()
}

/// The facts of a member, a session a line.
fn lines(bytes: &[u8]) -> HashMap<u32, Value> {
    let facts = |line: &[u8]| {
        let facts: Value = serde_json::from_slice(line).ok()?;
        Some((u32::try_from(facts.get("number")?.as_u64()?).ok()?, facts))
    };
    bytes.split(|byte| *byte == b'\n').filter_map(facts).collect()
}

/// What follows the head.
fn body(text: &[u8]) -> &str {
    let end = memchr::memmem::find(text, b"\r\n\r\n").map_or(text.len(), |at| at + 4);
    std::str::from_utf8(&text[end..]).unwrap_or_default()
}
