//! A map that forgets its oldest key when it is full.

use std::borrow::Borrow;
use std::collections::HashMap;
use std::hash::{BuildHasherDefault, Hash};
use std::mem;

use super::key::Folded;

/// At most `ROOM` keys.
#[derive(Debug)]
pub(super) struct Bounded<K, V, const ROOM: usize> {
    places: HashMap<K, usize, BuildHasherDefault<Folded>>,
    /// A ring, once it is full.
    slots: Vec<(K, V)>,
    oldest: usize,
}

impl<K, V, const ROOM: usize> Default for Bounded<K, V, ROOM> {
    fn default() -> Self {
        Self { places: HashMap::default(), slots: Vec::new(), oldest: 0 }
    }
}

impl<K: Hash + Eq + Clone, V: Default, const ROOM: usize> Bounded<K, V, ROOM> {
    pub(super) fn get<Q: Hash + Eq + ?Sized>(&self, key: &Q) -> Option<&V>
    where
        K: Borrow<Q>,
    {
        self.places.get(key).map(|at| &self.slots[*at].1)
    }

    pub(super) fn get_mut<Q: Hash + Eq + ?Sized>(&mut self, key: &Q) -> Option<&mut V>
    where
        K: Borrow<Q>,
    {
        self.places.get(key).map(|at| &mut self.slots[*at].1)
    }

    /// The value of `key`, made if it is not there.
    pub(super) fn entry<Q: Hash + Eq + ToOwned<Owned = K> + ?Sized>(&mut self, key: &Q) -> &mut V
    where
        K: Borrow<Q>,
    {
        self.entry_for(key).0
    }

    /// The same, with the value that had to go for it.
    pub(super) fn entry_for<Q: Hash + Eq + ToOwned<Owned = K> + ?Sized>(&mut self, key: &Q) -> (&mut V, Option<V>)
    where
        K: Borrow<Q>,
    {
        if let Some(at) = self.places.get(key) {
            return (&mut self.slots[*at].1, None);
        }
        let slot = (key.to_owned(), V::default());
        let (at, gone) = if self.slots.len() < ROOM {
            self.slots.push(slot);
            (self.slots.len() - 1, None)
        } else {
            let at = self.oldest;
            self.oldest = (at + 1) % ROOM;
            let (old, gone) = mem::replace(&mut self.slots[at], slot);
            self.places.remove(old.borrow());
            (at, Some(gone))
        };
        self.places.insert(key.to_owned(), at);
        (&mut self.slots[at].1, gone)
    }

    /// All values, in no order; nothing stays.
    pub(super) fn drain(&mut self) -> impl Iterator<Item = V> {
        mem::take(self).slots.into_iter().map(|(_, value)| value)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_oldest_key_is_forgotten() {
        let mut bounded: Bounded<u32, u32, 100> = Bounded::default();
        for key in 0..=100 {
            *bounded.entry(&key) = key;
        }
        assert_eq!((bounded.get(&0), bounded.get(&100), bounded.places.len()), (None, Some(&100), 100));
        assert_eq!(bounded.entry_for(&7).1, None);
        assert_eq!(bounded.entry_for(&200).1, Some(1));
    }
}
