//! Which members of an archive belong to which session.
//!
//! Names only tell what a member is; nothing is ever written under them. So a name that leads elsewhere does no harm:
//! it is none of the names that are looked for.

use std::collections::BTreeMap;

use super::archive::{Archive, Slot};

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
}

/// More sessions than this are not read: no Fiddler opens half as many.
const SESSIONS: usize = 4_000_000;

enum Name {
    Request(u32),
    Response(u32),
    Timers(u32),
    Own(u32),
    Log,
}

impl Index {
    pub(super) fn of(archive: &mut Archive) -> Self {
        let (mut index, mut sessions) = (Self::default(), BTreeMap::<u32, Numbered>::new());
        archive.names(|name, slot| {
            let part = match name_of(name) {
                None => return,
                Some(Name::Own(first)) => {
                    index.own.entry(first).or_insert(slot);
                    return;
                }
                Some(Name::Log) => {
                    index.log.get_or_insert(slot);
                    return;
                }
                Some(part) => part,
            };
            let (Name::Request(number) | Name::Response(number) | Name::Timers(number) | Name::Own(number)) = part
            else {
                return;
            };
            if sessions.len() >= SESSIONS && !sessions.contains_key(&number) {
                return;
            }
            let session = sessions.entry(number).or_insert(Numbered { number, ..Numbered::default() });
            // The first of two with the same number counts.
            match part {
                Name::Request(_) => session.request.get_or_insert(slot),
                Name::Response(_) => session.response.get_or_insert(slot),
                _ => session.timers.get_or_insert(slot),
            };
        });
        // Times alone are no session.
        index.sessions = sessions.into_values().filter(|one| one.request.or(one.response).is_some()).collect();
        index
    }

    /// All members that are read.
    fn slots(&self) -> impl Iterator<Item = Slot> + '_ {
        let of = |session: &Numbered| [session.request, session.response, session.timers].into_iter().flatten();
        self.sessions.iter().flat_map(of)
    }

    /// Those of them that only a password opens.
    pub(super) fn locked<'i>(&'i self, archive: &'i Archive) -> impl Iterator<Item = Slot> + 'i {
        self.slots().filter(|slot| archive.is_locked(*slot))
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
            ("raw/7_w.txt", ""),
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
