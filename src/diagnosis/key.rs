//! Names as numbers: what is looked up for every exchange is hashed once and compared as a number after that.

use std::collections::HashMap;
use std::hash::{BuildHasherDefault, Hash, Hasher};

/// The number of a name, or of several things together. Of 64 bits, so that two names that are met share none.
pub(super) fn key(of: impl Hash) -> u64 {
    let mut hasher = Folded::default();
    of.hash(&mut hasher);
    hasher.finish()
}

/// A map whose keys are such numbers.
pub(super) type ByKey<V> = HashMap<u64, V, BuildHasherDefault<AsItIs>>;

/// Numbers that are hashes need no further hashing.
#[derive(Debug, Default)]
pub(super) struct AsItIs(u64);

impl Hasher for AsItIs {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        self.0 = bytes.iter().fold(self.0, |number, byte| number.rotate_left(8) ^ u64::from(*byte));
    }

    fn write_u64(&mut self, number: u64) {
        self.0 = number;
    }
}

/// A hash of few instructions. The maps that it serves are bounded, so nobody who could make names collide would gain
/// anything by it.
#[derive(Debug, Default)]
pub(super) struct Folded(u64);

impl Folded {
    fn add(&mut self, number: u64) {
        let product = u128::from(self.0 ^ number ^ 0x9e37_79b9_7f4a_7c15) * u128::from(0xd6e8_feb8_6659_fd93_u64);
        let [low, high] = [product, product >> 64].map(|half| half & u128::from(u64::MAX));
        self.0 = u64::try_from(low ^ high).unwrap_or_default().rotate_left(23);
    }
}

impl Hasher for Folded {
    fn finish(&self) -> u64 {
        let mut last = Self(self.0);
        last.add(0x2545_f491_4f6c_dd1d);
        last.0
    }

    fn write(&mut self, bytes: &[u8]) {
        let (words, rest) = bytes.as_chunks::<8>();
        for word in words {
            self.add(u64::from_le_bytes(*word));
        }
        let rest = rest.iter().fold(rest.len() as u64, |number, byte| number << 8 | u64::from(*byte));
        self.add(rest);
    }

    fn write_u8(&mut self, number: u8) {
        self.add(u64::from(number));
    }

    fn write_u32(&mut self, number: u32) {
        self.add(u64::from(number));
    }

    fn write_u64(&mut self, number: u64) {
        self.add(number);
    }

    fn write_usize(&mut self, number: usize) {
        self.add(number as u64);
    }
}
