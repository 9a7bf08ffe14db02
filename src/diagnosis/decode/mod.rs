//! What stands in messages, read by its grammar: each decoder is a pure function of clean text.
//!
//! Nothing here draws conclusions; that is for the rules. What only raw bytes tell (NTLM, Kerberos, WBXML, tokens) is
//! read by `redact` on the way in.

mod aadsts;
mod challenge;
mod credential;
mod diagnostics;
pub(super) mod exchange_build;
mod exchange_headers;
pub mod soap;
mod view;
mod xml;

pub use aadsts::Aadsts;
pub use challenge::Challenge;
pub use diagnostics::{Diagnostics, Family};
pub use soap::{Soap, SoapError};
pub use view::{Decoded, Row, decoded};
