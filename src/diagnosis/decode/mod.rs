//! What stands in messages, read by its grammar: each decoder is a pure function of clean text.
//!
//! Nothing here draws conclusions; that is for the rules. What only raw bytes tell (NTLM, Kerberos, WBXML, tokens) is
//! read by `redact` on the way in.

mod aadsts;
pub(super) mod activesync;
pub(super) mod autodiscover;
mod challenge;
mod credential;
mod diagnostics;
pub(super) mod exchange_build;
mod exchange_headers;
pub(super) mod graph;
pub(super) mod http_date;
mod live_id;
pub(super) mod mapi;
pub mod migration_line;
pub(super) mod rpc;
pub(super) mod sharepoint;
pub mod soap;
mod tls;
mod token_fault;
pub(super) mod trusted_issuers;
mod view;
mod wcf;
mod websocket;
mod xml;

pub use aadsts::{Aadsts, Form, Numbering};
pub use challenge::Challenge;
pub use diagnostics::{Diagnostics, Family};
pub use graph::{GraphError, GraphFault};
pub use live_id::LiveId;
pub use sharepoint::RestError;
pub use soap::{Soap, SoapError};
pub use token_fault::TokenFault;
pub use view::{Decoded, Row, decoded};
pub use wcf::Refused;
