//! What a server says in its handshake and OpenSSL does not tell: whether it asks for a certificate, and whether it
//! negotiates again later. Read off the records as they come.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

const RECORD_HEADER: usize = 5;
const HANDSHAKE_HEADER: usize = 4;

const CHANGE_CIPHER_SPEC: u8 = 20;
const HANDSHAKE: u8 = 22;
const CERTIFICATE_REQUEST: u8 = 13;

/// Follows the records of a server. Of each it keeps nothing but where it ends.
#[derive(Default)]
pub(super) struct Watch {
    header: Header<RECORD_HEADER>,
    /// Bytes of the record's content that are still to come.
    record: usize,
    kind: u8,
    message: Header<HANDSHAKE_HEADER>,
    /// Bytes of the handshake message that are still to come.
    body: usize,
    /// From here on all is encrypted.
    encrypted: bool,
    /// The record that ends the handshake has come.
    ended: bool,
    /// The server asked for a certificate.
    pub(super) asked: bool,
    /// The server has begun another handshake on this connection.
    pub(super) renegotiated: Arc<AtomicBool>,
}

impl Watch {
    /// Takes the next bytes.
    pub(super) fn follow(&mut self, mut bytes: &[u8]) {
        while !bytes.is_empty() {
            if self.record == 0 {
                let Some(header) = self.header.fill(&mut bytes) else { return };
                self.kind = header[0];
                self.record = usize::from(u16::from_be_bytes([header[3], header[4]]));
                match self.kind {
                    CHANGE_CIPHER_SPEC => self.encrypted = true,
                    HANDSHAKE if self.ended => self.renegotiated.store(true, Ordering::Relaxed),
                    HANDSHAKE if self.encrypted => self.ended = true,
                    _ => {}
                }
            }
            let (content, rest) = bytes.split_at(bytes.len().min(self.record));
            self.record -= content.len();
            bytes = rest;
            if self.kind == HANDSHAKE && !self.encrypted {
                self.messages(content);
            }
        }
    }

    fn messages(&mut self, mut bytes: &[u8]) {
        while !bytes.is_empty() {
            if self.body == 0 {
                let Some(header) = self.message.fill(&mut bytes) else { return };
                self.asked |= header[0] == CERTIFICATE_REQUEST;
                self.body = usize::from(header[1]) << 16 | usize::from(header[2]) << 8 | usize::from(header[3]);
            }
            let here = bytes.len().min(self.body);
            self.body -= here;
            bytes = &bytes[here..];
        }
    }
}

/// A header of `N` bytes, which may come in pieces.
struct Header<const N: usize> {
    bytes: [u8; N],
    filled: usize,
}

impl<const N: usize> Default for Header<N> {
    fn default() -> Self {
        Self { bytes: [0; N], filled: 0 }
    }
}

impl<const N: usize> Header<N> {
    /// Takes what is missing from the front of `bytes`; gives the header once it is whole, and starts anew.
    fn fill(&mut self, bytes: &mut &[u8]) -> Option<[u8; N]> {
        let (here, rest) = bytes.split_at(bytes.len().min(N - self.filled));
        self.bytes[self.filled..self.filled + here.len()].copy_from_slice(here);
        self.filled += here.len();
        *bytes = rest;
        (self.filled == N).then(|| {
            self.filled = 0;
            self.bytes
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn record(kind: u8, content: &[u8]) -> Vec<u8> {
        [&[kind, 3, 1, 0, u8::try_from(content.len()).unwrap_or_default()][..], content].concat()
    }

    fn watched(stream: &[u8], piece: usize) -> Watch {
        let mut watch = Watch::default();
        stream.chunks(piece).for_each(|bytes| watch.follow(bytes));
        watch
    }

    #[test]
    fn a_request_for_a_certificate_is_seen_however_the_bytes_come() {
        let hello_and_request = [2, 0, 0, 3, 9, 9, 9, 13, 0, 0, 1, 0, 14, 0, 0, 0];
        let without = [2, 0, 0, 3, 13, 13, 13, 14, 0, 0, 0];
        for piece in 1..12 {
            assert!(watched(&record(HANDSHAKE, &hello_and_request), piece).asked);
            let split = [record(HANDSHAKE, &hello_and_request[..9]), record(HANDSHAKE, &hello_and_request[9..])];
            assert!(watched(&split.concat(), piece).asked);
            assert!(!watched(&record(HANDSHAKE, &without), piece).asked);
        }
    }

    #[test]
    fn a_handshake_after_the_first_is_seen_and_its_content_is_not_guessed() {
        let first = [record(HANDSHAKE, &[14, 0, 0, 0]), record(CHANGE_CIPHER_SPEC, &[1]), record(HANDSHAKE, &[13; 40])];
        let data = record(23, &[13; 90]);
        for piece in [1, 7, 200] {
            let quiet = watched(&[first.concat(), data.clone()].concat(), piece);
            assert!(!quiet.asked && !quiet.renegotiated.load(Ordering::Relaxed));
            let again = watched(&[first.concat(), data.clone(), record(HANDSHAKE, &[0; 20])].concat(), piece);
            assert!(!again.asked && again.renegotiated.load(Ordering::Relaxed));
        }
    }
}
