//! Which members of an archive belong to which session.
//!
//! Names only tell what a member is; nothing is ever written under them. So a name that leads elsewhere does no harm:
//! it is none of the names that are looked for.

use std::collections::BTreeMap;

use super::archive::Slot;

/// One session's members.
#[derive(Clone, Copy, Default)]
pub(super) struct Numbered {
    /// As its name says, from 1.
    pub(super) number: u32,
    /// Where its request is.
    pub(super) request: Option<Slot>,
    /// Where its response is.
    pub(super) response: Option<Slot>,
    /// Where its times and flags are.
    pub(super) timers: Option<Slot>,
    /// Where the messages of its WebSocket are.
    pub(super) socket: Option<Slot>,
}

/// The members of an archive.
#[derive(Default)]
pub(super) struct Index {
    /// By number.
    pub(super) sessions: Vec<Numbered>,
    /// Where our own facts are, by the number of the first session that they tell of.
    pub(super) own: BTreeMap<u32, Slot>,
    /// Where our own facts of the whole are.
    pub(super) log: Option<Slot>,
    /// The first of those that only a password opens.
    pub(super) locked: Vec<Slot>,
    /// There are more than are read.
    pub(super) is_full: bool,
}

/// More entries than this are not held, of which each is a session if its members stand side by side: no Fiddler opens
/// a tenth of them.
const SESSIONS: usize = 4_000_000;
/// The same of facts of our own, which stand in front of many sessions each.
const OWN: usize = 1 << 20;
/// So many encrypted members are tried with a password.
const TRIED: usize = 4;

enum Name {
    Request(u32),
    Response(u32),
    Timers(u32),
    Socket(u32),
    Own(u32),
    Log,
}

impl Index {
    /// Takes the next member of the archive.
    pub(super) fn add(&mut self, name: &str, slot: Slot, locked: bool) {
        let Some(name) = name_of(name) else { return };
        let (number, part) = match name {
            Name::Request(number) => (number, Numbered { number, request: Some(slot), ..Numbered::default() }),
            Name::Response(number) => (number, Numbered { number, response: Some(slot), ..Numbered::default() }),
            Name::Timers(number) => (number, Numbered { number, timers: Some(slot), ..Numbered::default() }),
            Name::Socket(number) => (number, Numbered { number, socket: Some(slot), ..Numbered::default() }),
            Name::Own(first) => {
                if self.own.len() < OWN {
                    self.own.entry(first).or_insert(slot);
                }
                return;
            }
            Name::Log => {
                self.log.get_or_insert(slot);
                return;
            }
        };
        if locked && self.locked.len() < TRIED {
            self.locked.push(slot);
        }
        if let Some(last) = self.sessions.last_mut().filter(|last| last.number == number) {
            last.complete(&part);
        } else if self.sessions.len() < SESSIONS {
            self.sessions.push(part);
        } else {
            self.is_full = true;
        }
    }

    /// All members were told of.
    pub(super) fn close(&mut self) {
        // Stable: the first of two with the same number counts.
        self.sessions.sort_by_key(|session| session.number);
        self.sessions.dedup_by(|later, first| {
            let same = later.number == first.number;
            if same {
                first.complete(later);
            }
            same
        });
        // Times alone are no session.
        self.sessions.retain(|one| one.request.or(one.response).is_some());
    }
}

impl Numbered {
    /// Takes over what it does not have.
    fn complete(&mut self, other: &Self) {
        self.request = self.request.or(other.request);
        self.response = self.response.or(other.response);
        self.timers = self.timers.or(other.timers);
        self.socket = self.socket.or(other.socket);
    }
}

/// `raw/01_c.txt`, in any letter case, with either slash, in a folder or not.
fn name_of(name: &str) -> Option<Name> {
    let name = name.replace('\\', "/").to_ascii_lowercase();
    let mut parts = name.rsplit('/');
    let (file, folder) = (parts.next()?, parts.next().unwrap_or_default());
    if file == "authtap.json" && folder.is_empty() {
        return Some(Name::Log);
    }
    if folder == "authtap" {
        return file.strip_suffix(".json").and_then(number).map(Name::Own);
    }
    if folder != "raw" {
        return None;
    }
    let (stem, extension) = file.rsplit_once('.')?;
    let (digits, part) = stem.split_once('_')?;
    let number = number(digits)?;
    match (part, extension) {
        ("c", "txt") => Some(Name::Request(number)),
        ("s", "txt") => Some(Name::Response(number)),
        ("m", "xml") => Some(Name::Timers(number)),
        ("w", "txt") => Some(Name::Socket(number)),
        _ => None,
    }
}

fn number(digits: &str) -> Option<u32> {
    (digits.bytes().all(|byte| byte.is_ascii_digit()) && digits.len() <= 9).then(|| digits.parse().ok())?
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_told_in_every_spelling_and_no_others() {
        let told = |name: &str| match name_of(name) {
            Some(Name::Request(number)) => format!("c{number}"),
            Some(Name::Response(number)) => format!("s{number}"),
            Some(Name::Timers(number)) => format!("m{number}"),
            Some(Name::Socket(number)) => format!("w{number}"),
            Some(Name::Own(number)) => format!("own{number}"),
            Some(Name::Log) => "log".to_owned(),
            None => String::new(),
        };
        for (name, expected) in [
            ("raw/1_c.txt", "c1"),
            ("raw/0042_s.txt", "s42"),
            (r"raw\7_m.xml", "m7"),
            ("RAW/7_M.XML", "m7"),
            ("trace/raw/7_c.txt", "c7"),
            ("../../raw/7_c.txt", "c7"),
            ("authtap/000001.json", "own1"),
            ("authtap.json", "log"),
            ("raw/7_w.txt", "w7"),
            ("raw/7_g.txt", ""),
            ("raw/x_c.txt", ""),
            ("raw/99999999999_c.txt", ""),
            ("raw/", ""),
            ("7_c.txt", ""),
            ("[Content_Types].xml", ""),
        ] {
            assert_eq!(told(name), expected, "{name}");
        }
    }
}
