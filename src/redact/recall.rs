//! What came to the door before, and what it came to.
//!
//! Clients and servers repeat themselves: on a connection that is kept open most fields of a head are those of the
//! head before. Redacting is a pure function of the bytes, the door and the run's labels, so what was read once need
//! not be read again. Only clean results are kept, each under a keyed hash of the bytes; the bytes themselves are not.
//!
//! Labels are forgotten when they were not met for long. What is kept here is good for as long as no label can have
//! been forgotten since, so that a secret that comes often keeps its label by coming, as it would without this.

use std::hash::{BuildHasher, Hash, Hasher};
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};

use super::memory::lock;

/// How many results with the same place are kept.
const WAYS: usize = 4;

/// Results by the keyed hash of what they were made of, bounded in number.
///
/// Only what has come twice is kept: most values that differ from one message to the next (a date, the id of a request)
/// never come again.
pub(super) struct Recall<V> {
    sets: Box<[Mutex<Set<V>>]>,
    longest: usize,
}

struct Set<V> {
    /// The one met last stands first.
    kept: Vec<Kept<V>>,
    /// Hashes of what has come once.
    met: [u64; WAYS],
    oldest: usize,
}

struct Kept<V> {
    hash: u64,
    age: u64,
    value: V,
}

/// How often labels or pseudonyms may have been forgotten.
#[derive(Default)]
pub(super) struct Age(AtomicU64);

impl Age {
    pub(super) fn advance(&self) {
        self.0.fetch_add(1, Ordering::Relaxed);
    }

    fn now(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }
}

impl<V: Clone> Recall<V> {
    /// Room for `room` results, each made of at most `longest` bytes.
    pub(super) fn new(room: usize, longest: usize) -> Self {
        let set = || Mutex::new(Set { kept: Vec::new(), met: [0; WAYS], oldest: 0 });
        Self { sets: std::iter::repeat_with(set).take((room / WAYS).next_power_of_two()).collect(), longest }
    }

    /// Whether what is made of so many bytes may be kept.
    pub(super) const fn takes(&self, length: usize) -> bool {
        length <= self.longest
    }

    /// What `hash` came to, made with `make` where it has not come lately. No lock is held meanwhile.
    pub(super) fn get(&self, hash: u64, age: &Age, make: impl FnOnce() -> V) -> V {
        let place = (hash >> 32) as usize & (self.sets.len() - 1);
        let Some(set) = self.sets.get(place) else { return make() };
        // Before it is made: what is forgotten while it is made may be a label in it.
        let now = age.now();
        if let Some(value) = lock(set).find(hash, now) {
            return value;
        }
        let value = make();
        lock(set).put(hash, now, &value);
        value
    }
}

impl<V: Clone> Set<V> {
    fn find(&mut self, hash: u64, now: u64) -> Option<V> {
        let at = self.kept.iter().position(|kept| kept.hash == hash && kept.age == now)?;
        self.kept[..=at].rotate_right(1);
        self.kept.first().map(|kept| kept.value.clone())
    }

    fn put(&mut self, hash: u64, age: u64, value: &V) {
        let known = self.kept.iter().position(|kept| kept.hash == hash);
        if known.is_none() && !self.met.contains(&hash) {
            self.met[self.oldest] = hash;
            self.oldest = (self.oldest + 1) % WAYS;
            return;
        }
        match known {
            Some(at) => drop(self.kept.remove(at)),
            None => self.kept.truncate(WAYS - 1),
        }
        self.kept.insert(0, Kept { hash, age, value: value.clone() });
    }
}

/// The hash of several pieces, each with its length, so that they cannot run into each other.
pub(super) struct Pieces<H>(H);

impl<H: Hasher> Pieces<H> {
    /// None yet, on the way to `place`.
    pub(super) fn of(keys: &impl BuildHasher<Hasher = H>, place: impl Hash) -> Self {
        let mut hasher = keys.build_hasher();
        place.hash(&mut hasher);
        Self(hasher)
    }

    pub(super) fn add(mut self, piece: &[u8]) -> Self {
        self.0.write_usize(piece.len());
        self.0.write(piece);
        self
    }

    pub(super) fn hash(self) -> u64 {
        self.0.finish()
    }
}

#[cfg(test)]
mod tests {
    use proptest::collection::vec;
    use proptest::prelude::*;
    use proptest::sample::select;

    use super::super::{Bindings, Body, Door, Field, Fields, RawBody, Redactor, Url};
    use super::*;
    use crate::wire;

    /// How often something was made.
    fn made(recall: &Recall<u64>, age: &Age, hashes: &[u64]) -> usize {
        let mut made = 0;
        for hash in hashes {
            let value = recall.get(*hash, age, || {
                made += 1;
                *hash
            });
            assert_eq!(value, *hash);
        }
        made
    }

    #[test]
    fn what_has_come_twice_is_kept_until_labels_may_have_been_forgotten() {
        let (recall, age) = (Recall::new(8, 100), Age::default());
        assert_eq!(made(&recall, &age, &[7, 7, 7, 7]), 2);
        age.advance();
        assert_eq!(made(&recall, &age, &[7, 7, 7]), 1, "it is made anew once, and kept at once");
    }

    #[test]
    fn what_comes_once_drives_nothing_out_and_room_is_bounded() {
        let (recall, age) = (Recall::new(WAYS, 100), Age::default());
        made(&recall, &age, &[1, 1]);
        let others: Vec<u64> = (2..1000).collect();
        assert_eq!(made(&recall, &age, &others), others.len());
        assert_eq!(made(&recall, &age, &[1]), 0);
        let twice: Vec<u64> = (2..1000).flat_map(|hash| [hash, hash]).collect();
        made(&recall, &age, &twice);
        assert_eq!(recall.sets.len(), 1);
        assert!(lock(&recall.sets[0]).kept.len() == WAYS);
    }

    #[test]
    fn pieces_do_not_run_into_each_other() {
        let keys = std::hash::RandomState::new();
        let hash =
            |pieces: &[&str]| pieces.iter().fold(Pieces::of(&keys, ()), |sum, piece| sum.add(piece.as_bytes())).hash();
        assert_ne!(hash(&["ab", "c"]), hash(&["a", "bc"]));
        assert_eq!(hash(&["ab", "c"]), hash(&["ab", "c"]));
    }

    /// What a message comes to.
    fn read(door: Door<'_>, (head, url, body): (&str, &str, &str)) -> (Fields, Url, Body) {
        let raw = RawBody {
            bytes: body.as_bytes().to_vec().into(),
            length: body.len() as u64,
            recorded: true,
            refusal: head.len().is_multiple_of(2),
            content_type: b"application/json".to_vec(),
            content_encoding: Vec::new(),
        };
        (door.fields(wire::Fields::new(head.as_bytes())), door.url(url.as_bytes()), door.body(raw))
    }

    fn any_line() -> impl Strategy<Value = String> {
        let name = select(&["Authorization", "Cookie", "X-AnchorMailbox", "request-id", "WWW-Authenticate", "X-Other"]);
        let value = select(&[
            "Bearer",
            "Bearer hunter2",
            "Bearer eyJhbGciOiJub25lIn0.eyJhdWQiOiJhIn0.c2ln",
            "Basic YXZlcnk6aHVudGVyMg==",
            "NTLM TlRMTVNTUAADAAAAGAAYAEgAAAAYABgAYAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA",
            "a=hunter2; b=hunter3",
            "avery@contoso.com",
            "[hidden #1]",
            "user#1@contoso.com",
        ]);
        (name, value).prop_map(|(name, value)| format!("{name}: {value}\r\n"))
    }

    proptest! {
        #[test]
        fn recalled_or_read_anew_it_is_the_same(
            heads in vec(vec(any_line(), 0..3), 1..3),
            turns in vec((0..3_usize, any::<bool>(), any::<bool>()), 1..40),
        ) {
            let urls = ["https://mail.contoso.com/EWS?User=avery&x=hunter2", "https://mail.contoso.com/avery@contoso.com"];
            let bodies = ["", r#"{"password":"hunter2","upn":"avery@contoso.com"}"#, r#"{"a":"hunter4"}"#];
            let (recalling, reading) = (Redactor::new(), Redactor::without_recall());
            for (pick, own, bound) in turns {
                let head: String = heads[pick % heads.len()].concat();
                let message = (head.as_str(), urls[pick % urls.len()], bodies[pick]);
                let bindings = Bindings { ours: bound.then_some([7; 16]), server: None };
                let through = |redactor: &Redactor| {
                    let door = if own { redactor.own() } else { redactor.wire() };
                    read(door.with_bindings(bindings), message)
                };
                prop_assert_eq!(through(&recalling), through(&reading));
            }
        }
    }

    #[test]
    fn a_secret_that_comes_all_the_time_keeps_its_label_however_many_others_come() {
        let redactor = Redactor::new();
        let token = || -> Field { redactor.wire().field(b"Authorization", b"Bearer hunter2") };
        let first = token();
        for other in 0..300_000_u32 {
            redactor.wire().field(b"X-Api-Key", &other.to_le_bytes());
            if other % 1000 == 0 {
                assert_eq!(token(), first);
            }
        }
    }
}
