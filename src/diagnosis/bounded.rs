//! A map that forgets its oldest key when it is full.

use std::borrow::Borrow;
use std::collections::{HashMap, VecDeque};
use std::hash::Hash;

/// At most `ROOM` keys.
#[derive(Debug)]
pub(super) struct Bounded<K, V, const ROOM: usize> {
    map: HashMap<K, V>,
    order: VecDeque<K>,
}

impl<K, V, const ROOM: usize> Default for Bounded<K, V, ROOM> {
    fn default() -> Self {
        Self { map: HashMap::new(), order: VecDeque::new() }
    }
}

impl<K: Hash + Eq + Clone, V: Default, const ROOM: usize> Bounded<K, V, ROOM> {
    pub(super) fn get<Q: Hash + Eq + ?Sized>(&self, key: &Q) -> Option<&V>
    where
        K: Borrow<Q>,
    {
        self.map.get(key)
    }

    pub(super) fn get_mut<Q: Hash + Eq + ?Sized>(&mut self, key: &Q) -> Option<&mut V>
    where
        K: Borrow<Q>,
    {
        self.map.get_mut(key)
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
        let mut gone = None;
        if !self.map.contains_key(key) {
            if self.order.len() == ROOM
                && let Some(oldest) = self.order.pop_front()
            {
                gone = self.map.remove(oldest.borrow());
            }
            self.order.push_back(key.to_owned());
        }
        (self.map.entry(key.to_owned()).or_default(), gone)
    }

    /// All values, in no order; nothing stays.
    pub(super) fn drain(&mut self) -> impl Iterator<Item = V> {
        self.order.clear();
        self.map.drain().map(|(_, value)| value)
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
        assert_eq!((bounded.get(&0), bounded.get(&100), bounded.map.len()), (None, Some(&100), 100));
        assert_eq!(bounded.entry_for(&7).1, None);
        assert_eq!(bounded.entry_for(&200).1, Some(1));
    }
}
