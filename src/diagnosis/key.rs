//! Names as numbers: what is looked up for every exchange is hashed once and compared as a number after that.

use std::collections::HashMap;
use std::hash::{BuildHasherDefault, DefaultHasher, Hash, Hasher};

/// The number of a name, or of several things together. Of 64 bits, so that two names that are met share none.
pub(super) fn key(of: impl Hash) -> u64 {
    let mut hasher = DefaultHasher::new();
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
