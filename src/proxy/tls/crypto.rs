//! The one cryptography provider of this build, and the two primitives that we use of it ourselves.

use std::sync::{Arc, OnceLock};

use rustls::crypto::CryptoProvider;

// aws-lc-rs is the faster one; ring builds for Windows with nothing but a C compiler.
#[cfg(not(windows))]
use rustls::crypto::aws_lc_rs as chosen;
#[cfg(windows)]
use rustls::crypto::ring as chosen;

/// The provider, shared by everything that speaks TLS.
pub(crate) fn provider() -> Arc<CryptoProvider> {
    static PROVIDER: OnceLock<Arc<CryptoProvider>> = OnceLock::new();
    Arc::clone(PROVIDER.get_or_init(|| Arc::new(chosen::default_provider())))
}

/// SHA-256 of `bytes`.
pub(crate) fn sha256(bytes: &[u8]) -> [u8; 32] {
    let mut digest = [0; 32];
    if let Some(suite) = chosen::cipher_suite::TLS13_AES_128_GCM_SHA256.tls13() {
        digest.copy_from_slice(suite.common.hash_provider.hash(bytes).as_ref());
    }
    digest
}

/// A positive random number of 16 bytes, for serial numbers. Nothing where the system has no randomness to give.
pub(crate) fn serial() -> Option<[u8; 16]> {
    let mut serial = [0; 16];
    provider().secure_random.fill(&mut serial).ok()?;
    serial[0] = serial[0] & 0x7f | 0x40;
    Some(serial)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sha256_is_sha256() {
        assert_eq!(sha256(b"abc")[..4], [0xba, 0x78, 0x16, 0xbf]);
    }
}
