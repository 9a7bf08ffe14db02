//! What TLS is made of here: the cryptography, and the application protocols that are agreed on inside it.

pub(crate) mod crypto;
pub(crate) mod protocol;
