//! Bytes that may hold a credential, on their way to the redactor.

use zeroize::Zeroize;

/// Bytes that only `redact` can read.
///
/// It has no `Debug`, `Display`, `Clone` or `Serialize`, so it can neither be logged nor stored nor end in a panic
/// message, and its memory is wiped when it is dropped. Outside of `redact` it can be filled and measured, no more.
///
/// ```compile_fail,E0277
/// fn shown(_: impl std::fmt::Debug) {}
/// shown(authtap::redact::Secret::new());
/// ```
/// ```compile_fail,E0277
/// fn copied(_: impl Clone) {}
/// copied(authtap::redact::Secret::new());
/// ```
/// ```compile_fail,E0277
/// fn stored(_: impl serde::Serialize) {}
/// stored(authtap::redact::Secret::new());
/// ```
/// ```compile_fail,E0624
/// authtap::redact::Secret::new().expose();
/// ```
#[derive(Default)]
pub struct Secret {
    bytes: Vec<u8>,
}

impl Secret {
    /// An empty one.
    pub const fn new() -> Self {
        Self { bytes: Vec::new() }
    }

    /// Adds a copy of `more`, but never grows beyond `limit` bytes. Returns how many bytes were taken.
    pub fn extend(&mut self, more: &[u8], limit: usize) -> usize {
        let take = more.len().min(limit.saturating_sub(self.bytes.len()));
        let needed = self.bytes.len() + take;
        if needed > self.bytes.capacity() {
            // Growing in place would leave an unwiped copy behind in freed memory.
            let mut grown = Vec::with_capacity(needed.next_power_of_two());
            grown.extend_from_slice(&self.bytes);
            self.bytes.zeroize();
            self.bytes = grown;
        }
        self.bytes.extend_from_slice(&more[..take]);
        take
    }

    /// How many bytes are held.
    pub fn len(&self) -> usize {
        self.bytes.len()
    }

    /// Whether nothing is held.
    pub fn is_empty(&self) -> bool {
        self.bytes.is_empty()
    }

    /// The bytes, for the redactor alone.
    pub(in crate::redact) fn expose(&self) -> &[u8] {
        &self.bytes
    }
}

impl From<Vec<u8>> for Secret {
    fn from(bytes: Vec<u8>) -> Self {
        Self { bytes }
    }
}

impl Drop for Secret {
    fn drop(&mut self) {
        self.bytes.zeroize();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn takes_no_more_than_the_limit() {
        let mut secret = Secret::new();
        assert_eq!(secret.extend(b"abcdef", 4), 4);
        assert_eq!(secret.extend(b"g", 4), 0);
        assert_eq!(secret.expose(), b"abcd");
    }
}
