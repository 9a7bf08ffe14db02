//! What a file that was made to be given away states of itself, both ways.
//!
//! A file may have been altered since. What is read back is numbers and words of closed sets, so a forged statement says
//! nothing that ours could not say; and it is shown as what the file says, not as what was seen.

use std::collections::BTreeMap;

use serde::Serialize;
use serde_json::Value;

use super::kind::Kind;
use crate::redact::{Class, Met};

/// What a file states of itself: how it was made, and what was seen when it was read again.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Manifest {
    /// `support` or `public`.
    pub share: &'static str,
    /// The kind of file that it was made from.
    pub source: &'static str,
    /// How many exchanges are in it.
    pub exchanges: u64,
    /// How many parts of the source could not be read.
    pub unread: u64,
    /// What was found in the source, and how often, by the findings' ids.
    pub findings_before: BTreeMap<&'static str, u64>,
    /// The same of this file, which was read again when it was written.
    pub findings_after: BTreeMap<&'static str, u64>,
    /// What was met of secrets when the source was read.
    pub met: Met,
    /// How many different ones of them stood in what was to be written and were masked, by their class.
    pub found: BTreeMap<&'static str, u64>,
    /// Whether every exchange has the same findings and the same verdict in both.
    pub same: bool,
    /// How many private names of each kind have stand-ins: in a file for strangers.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub replaced: BTreeMap<&'static str, u64>,
}

/// A [`Manifest`] as a file has it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Stated {
    /// For whom the file was made: `support` or `public`.
    pub share: &'static str,
    /// What it was made from.
    pub source: Option<Kind>,
    /// How many exchanges were written.
    pub exchanges: u64,
    /// How many parts of the source could not be read.
    pub unread: u64,
    /// How many findings the source had.
    pub before: u64,
    /// How many the file had.
    pub after: u64,
    /// Whether these were the same, exchange by exchange.
    pub same: bool,
    /// What was met of secrets.
    pub met: Met,
    /// How many of them were masked at last, by class.
    pub found: BTreeMap<&'static str, u64>,
    /// How many private names have stand-ins.
    pub replaced: u64,
}

impl Stated {
    /// Reads a manifest; nothing where it is none of ours.
    pub(super) fn read(manifest: &Value) -> Option<Self> {
        const SHARES: [&str; 2] = ["support", "public"];
        let text = |name: &str| manifest.get(name).and_then(Value::as_str);
        let number = |value: &Value, name: &str| value.get(name).and_then(Value::as_u64).unwrap_or_default();
        let sum = |name: &str| {
            let counts = manifest.get(name).and_then(Value::as_object).into_iter().flatten();
            counts.filter_map(|(_, count)| count.as_u64()).fold(0, u64::saturating_add)
        };
        let met = manifest.get("met").unwrap_or(&Value::Null);
        Some(Self {
            share: SHARES.into_iter().find(|share| text("share") == Some(share))?,
            source: Kind::ALL.into_iter().find(|kind| text("source") == Some(kind.code())),
            exchanges: number(manifest, "exchanges"),
            unread: number(manifest, "unread"),
            before: sum("findings_before"),
            after: sum("findings_after"),
            same: manifest.get("same").and_then(Value::as_bool).unwrap_or_default(),
            met: Met {
                secrets: classes(met.get("secrets")),
                plain: number(met, "plain"),
                beyond: number(met, "beyond"),
                marked: classes(met.get("marked")),
            },
            found: classes(manifest.get("found")),
            replaced: sum("replaced"),
        })
    }
}

fn classes(counts: Option<&Value>) -> BTreeMap<&'static str, u64> {
    let count = |class: Class| Some((class.code(), counts?.get(class.code())?.as_u64()?));
    Class::ALL.into_iter().filter_map(count).collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn what_is_stated_reads_back_and_a_forged_word_does_not() {
        let met = Met { secrets: BTreeMap::from([("password", 3), ("token", 12)]), plain: 1, ..Met::default() };
        let manifest = Manifest {
            share: "support",
            source: "saz",
            exchanges: 7,
            findings_before: BTreeMap::from([("spn-missing", 2), ("hma-empty-bearer", 1)]),
            findings_after: BTreeMap::from([("spn-missing", 2)]),
            met: met.clone(),
            found: BTreeMap::from([("token", 1)]),
            replaced: BTreeMap::from([("organisations", 2), ("servers", 3)]),
            ..Manifest::default()
        };
        let stated = Stated {
            share: "support",
            source: Some(Kind::Saz),
            exchanges: 7,
            before: 3,
            after: 2,
            met,
            found: BTreeMap::from([("token", 1)]),
            replaced: 5,
            ..Stated::default()
        };
        assert_eq!(Stated::read(&json!(manifest)), Some(stated));
        let forged = json!({"share": "public", "source": "<b>", "met": {"secrets": {"hunter2": 5}}, "found": 7, "exchanges": -1});
        assert_eq!(Stated::read(&forged), Some(Stated { share: "public", ..Stated::default() }));
        assert_eq!(Stated::read(&json!({"share": "everybody"})), None);
        assert_eq!(Stated::read(&json!(7)), None);
    }
}
