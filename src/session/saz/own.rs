//! Archives that we wrote ourselves: facts of the exchanges stand in members of our own, in front of the texts they
//! belong to.

use std::collections::BTreeMap;
use std::ops::Range;

use serde::Deserialize;
use serde_json::Value;
use zeroize::Zeroizing;

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
    /// The member at hand, the number that it begins with, and the lines of it, by number.
    facts: Zeroizing<Vec<u8>>,
    from: Option<u32>,
    lines: Vec<(u32, Range<usize>)>,
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
            facts: Zeroizing::new(Vec::new()),
            from: None,
            lines: Vec::new(),
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
            self.lines.clear();
            archive.whole_into(&mut self.facts, *slot, FACTS)?;
            self.lines.extend(lines(&self.facts));
            self.lines.sort_by_key(|(number, _)| *number);
        }
        let line = self.lines.binary_search_by_key(&session.number, |(number, _)| *number);
        let line = line.ok().and_then(|at| self.facts.get(self.lines[at].1.clone()));
        let facts = &line.and_then(|line| serde_json::from_slice::<Value>(line).ok()).ok_or(Refused::Unreadable)?;
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

/// The sessions that a member tells of, a line each: their numbers, and where the lines are.
fn lines(bytes: &[u8]) -> impl Iterator<Item = (u32, Range<usize>)> + '_ {
    #[derive(Deserialize)]
    struct Numbered {
        number: u32,
    }
    let mut from = 0;
    bytes.split(|byte| *byte == b'\n').filter_map(move |line| {
        let place = from..from + line.len();
        from = place.end + 1;
        Some((serde_json::from_slice::<Numbered>(line).ok()?.number, place))
    })
}

/// What follows the head.
fn body(text: &[u8]) -> &str {
    let end = memchr::memmem::find(text, b"\r\n\r\n").map_or(text.len(), |at| at + 4);
    std::str::from_utf8(&text[end..]).unwrap_or_default()
}
