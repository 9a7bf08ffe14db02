//! What a run remembers of the secrets and the people it met: enough to say "the same again", never enough to say what.
//!
//! Secrets are kept as keyed hashes alone, under a key that is random per run and never written. People's names are
//! kept as they are, in memory, for the live screen. Everything is bounded.

use std::collections::HashMap;
use std::collections::hash_map::RandomState;
use std::hash::{BuildHasher, Hash};
use std::sync::{Mutex, MutexGuard, PoisonError};

use super::body::Content;
use super::net::{Class, Hit, Met, Net};
use super::pseudonym::replaced;
use super::recall::{Age, Pieces, Recall};
use super::{Bindings, Field, Fields, Label, Token, Url};

/// How many secrets, people and tokens are remembered before the ones not met for long are forgotten.
const LABELS: usize = 1 << 17;
const PEOPLE: usize = 1 << 15;
const TOKENS: usize = 256;

/// What a pseudonym stands for.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum Kind {
    User,
    Name,
    Mailbox,
    Device,
    Id,
    Address,
}

impl Kind {
    const ALL: [Self; 6] = [Self::User, Self::Name, Self::Mailbox, Self::Device, Self::Id, Self::Address];

    /// The word before the `#`.
    pub(super) const fn word(self) -> &'static str {
        match self {
            Self::User => "user",
            Self::Name => "name",
            Self::Mailbox => "mailbox",
            Self::Device => "device",
            Self::Id => "id",
            Self::Address => "ip",
        }
    }

    /// The kind whose word `text` ends with, where the word stands alone.
    pub(super) fn ending(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| {
            text.strip_suffix(kind.word()).is_some_and(|before| !before.ends_with(|c: char| c.is_ascii_alphanumeric()))
        })
    }
}

/// A run's memory.
pub(super) struct Memory {
    keys: [RandomState; 2],
    labels: Mutex<Numbered>,
    people: Mutex<People>,
    tokens: Mutex<Generations<u128, Token>>,
    /// Where something is to be given away: to look for secrets in it.
    net: Option<Mutex<Net>>,
    age: Age,
    pub(super) heads: Recall<Fields>,
    pub(super) fields: Recall<Field>,
    pub(super) urls: Recall<Url>,
    pub(super) bodies: Recall<Content>,
}

impl Default for Memory {
    fn default() -> Self {
        Self {
            keys: Default::default(),
            labels: Mutex::default(),
            people: Mutex::default(),
            tokens: Mutex::default(),
            net: None,
            age: Age::default(),
            heads: Recall::new(256, 8 * 1024),
            fields: Recall::new(1024, 4 * 1024),
            urls: Recall::new(256, 2 * 1024),
            bodies: Recall::new(64, 8 * 1024),
        }
    }
}

#[derive(Default)]
struct Numbered {
    known: Generations<u128, u32>,
    last: u32,
}

#[derive(Default)]
struct People {
    numbers: Generations<u128, u32>,
    names: Generations<(Kind, u32), Box<str>>,
    last: HashMap<Kind, u32>,
}

impl Memory {
    /// One that reads everything anew, to compare with.
    #[cfg(test)]
    pub(super) fn without_recall() -> Self {
        Self {
            heads: Recall::new(1, 0),
            fields: Recall::new(1, 0),
            urls: Recall::new(1, 0),
            bodies: Recall::new(1, 0),
            ..Self::default()
        }
    }

    /// One with a second net.
    pub(super) fn with_net() -> Self {
        Self { net: Some(Mutex::new(Net::new())), ..Self::default() }
    }

    /// Remembers a secret for the second net, where there is one.
    pub(super) fn meet(&self, class: Class, secret: &[u8]) {
        if let Some(net) = &self.net {
            lock(net).add(class, secret, None);
        }
    }

    /// The same of one that came packed so.
    pub(super) fn meet_packed(&self, class: Class, secret: &[u8], packed: &str) {
        if let Some(net) = &self.net {
            lock(net).add(class, secret, Some(packed.as_bytes()));
        }
    }

    /// Remembers that the mark of a secret of this class stood in a text of our own.
    pub(super) fn meet_mark(&self, class: Class, Label(label): Label) {
        if let Some(net) = &self.net {
            lock(net).mark(class, label);
        }
    }

    /// What the second net is made of; nothing where there is none.
    pub(super) fn met(&self) -> Met {
        self.net.as_ref().map_or_else(Met::default, |net| lock(net).met())
    }

    /// The secrets that stand in `text`.
    pub(super) fn find(&self, text: &[u8]) -> Vec<Hit> {
        self.net.as_ref().map_or_else(Vec::new, |net| lock(net).find(text))
    }

    /// The label of a secret: equal secrets have equal labels.
    pub(super) fn label(&self, secret: &[u8]) -> Label {
        let key = self.key(secret);
        let mut labels = lock(&self.labels);
        if let Some(number) = labels.known.get(&key, LABELS) {
            return Label(number);
        }
        labels.last = labels.last.wrapping_add(1);
        let number = labels.last;
        if labels.known.put(key, number, LABELS) {
            self.age.advance();
        }
        Label(number)
    }

    /// Remembers that a label stood in a text of our own, so that no other secret gets it.
    pub(super) fn seen_label(&self, Label(number): Label) {
        let mut labels = lock(&self.labels);
        labels.last = labels.last.max(number);
    }

    /// The number of a person or thing. `identity` is what makes it the same one, `spelled` what is shown on request.
    pub(super) fn number(&self, kind: Kind, identity: [&str; 2], spelled: &str) -> u32 {
        let key = self.key((kind, identity));
        let mut people = lock(&self.people);
        if let Some(number) = people.numbers.get(&key, PEOPLE) {
            // Asked for only to keep the name in memory as long as its number.
            people.names.get(&(kind, number), PEOPLE);
            return number;
        }
        let last = people.last.entry(kind).or_default();
        *last = last.wrapping_add(1);
        let number = *last;
        let turned = people.numbers.put(key, number, PEOPLE);
        if people.names.put((kind, number), spelled.into(), PEOPLE) || turned {
            self.age.advance();
        }
        number
    }

    /// Remembers that a pseudonym stood in a text of our own, so that nobody else gets it.
    pub(super) fn seen_number(&self, kind: Kind, number: u32) {
        let mut people = lock(&self.people);
        let last = people.last.entry(kind).or_default();
        *last = (*last).max(number);
    }

    /// `text` with the names behind its pseudonyms, `user#1` as well as the `user%231` of a URL.
    pub(super) fn reveal(&self, text: &str) -> String {
        replaced(text, |kind, number| self.name(kind, number))
    }

    /// What the person or thing of that number is called.
    pub(super) fn name(&self, kind: Kind, number: u32) -> Option<Box<str>> {
        lock(&self.people).names.get(&(kind, number), PEOPLE)
    }

    /// Whether anybody is remembered.
    pub(super) fn knows_people(&self) -> bool {
        !lock(&self.people).names.young.is_empty()
    }

    /// What is known of a token, read with `read` where it was not met before.
    pub(super) fn token(&self, raw: &[u8], read: impl FnOnce() -> Token) -> Token {
        let key = self.key(raw);
        if let Some(token) = lock(&self.tokens).get(&key, TOKENS) {
            return token;
        }
        let token = read();
        lock(&self.tokens).put(key, token.clone(), TOKENS);
        token
    }

    /// What `make` makes of `pieces` at a door like this, or what it made of them before.
    pub(super) fn recalled<'p, V: Clone>(
        &self,
        recall: &Recall<V>,
        door: (bool, Bindings),
        pieces: impl IntoIterator<Item = &'p [u8]>,
        make: impl FnOnce() -> V,
    ) -> V {
        let hash = pieces.into_iter().fold(Pieces::of(&self.keys[0], door), Pieces::add).hash();
        recall.get(hash, &self.age, make)
    }

    fn key(&self, value: impl Hash) -> u128 {
        let [high, low] = &self.keys;
        u128::from(high.hash_one(&value)) << 64 | u128::from(low.hash_one(&value))
    }
}

/// A map of bounded size: when the young half is full it becomes the old half, and the old half is forgotten.
pub(super) struct Generations<K, V> {
    young: HashMap<K, V>,
    old: HashMap<K, V>,
}

impl<K, V> Default for Generations<K, V> {
    fn default() -> Self {
        Self { young: HashMap::new(), old: HashMap::new() }
    }
}

impl<K: Eq + Hash + Copy, V: Clone> Generations<K, V> {
    pub(super) fn get(&mut self, key: &K, room: usize) -> Option<V> {
        if let Some(value) = self.young.get(key) {
            return Some(value.clone());
        }
        let value = self.old.remove(key)?;
        self.put(*key, value.clone(), room);
        Some(value)
    }

    /// Says whether the old half was forgotten for it.
    pub(super) fn put(&mut self, key: K, value: V, room: usize) -> bool {
        let full = self.young.len() >= room / 2;
        if full {
            self.old = std::mem::take(&mut self.young);
        }
        self.young.insert(key, value);
        full
    }
}

/// A memory whose holder panicked is still sound: every change to it is one insertion.
pub(super) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn equal_secrets_have_equal_labels() {
        let memory = Memory::default();
        assert_eq!(memory.label(b"one"), Label(1));
        assert_eq!(memory.label(b"two"), Label(2));
        assert_eq!(memory.label(b"one"), Label(1));
    }

    #[test]
    fn forgets_in_bounds_and_never_gives_a_label_twice() {
        let mut map = Generations::default();
        for key in 0..1000 {
            map.put(key, key, 10);
            assert_eq!(map.get(&0, 10).is_some(), map.get(&0, 10).is_some());
        }
        assert!(map.young.len() + map.old.len() <= 10);
        assert_eq!(map.get(&999, 10), Some(999));
    }

    #[test]
    fn a_label_of_our_own_file_is_not_given_again() {
        let memory = Memory::default();
        memory.seen_label(Label(7));
        assert_eq!(memory.label(b"fresh"), Label(8));
    }

    #[test]
    fn reveals_what_stands_behind_a_pseudonym() {
        let memory = Memory::default();
        assert_eq!(memory.number(Kind::User, ["avery", "contoso"], "Avery"), 1);
        assert_eq!(
            memory.reveal("user#1@contoso.com 50%23 #1 user#2 superuser#1 ?User=user%231%40contoso.com"),
            "Avery@contoso.com 50%23 #1 user#2 superuser#1 ?User=Avery%40contoso.com"
        );
    }
}
