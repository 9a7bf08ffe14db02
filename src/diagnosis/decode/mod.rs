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
pub(super) mod graph;
pub(super) mod http_date;
pub mod soap;
mod token_fault;
mod view;
mod xml;

pub use aadsts::{Aadsts, Form, Numbering};
pub use challenge::Challenge;
pub use diagnostics::{Diagnostics, Family};
pub use graph::GraphError;
pub use soap::{Soap, SoapError};
pub use token_fault::TokenFault;
pub use view::{Decoded, Row, decoded};
