//! What TLS is made of here: the cryptography, the application protocols that are agreed on inside it, and a second
//! engine for old TLS.

pub(crate) mod crypto;
#[cfg(feature = "legacy-tls")]
pub(crate) mod legacy;
pub(crate) mod protocol;
