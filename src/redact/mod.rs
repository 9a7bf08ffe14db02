//! The only door from raw bytes to anything that can be shown or stored.
//!
//! Redaction is extraction: the facts that a diagnosis needs are read here, then the bytes go. What leaves is
//! [`Clean`] text, [`Credential`] facts and [`Label`]s; what must still wait (a body that is being collected) leaves
//! only inside [`Secret`], which nothing outside this module can read.
//!
//! There is no raw mode.

mod alias;
mod basic;
mod bearer;
mod binding;
mod body;
mod challenge;
mod clean;
mod cookie;
mod credential;
mod der;
mod digest;
mod door;
mod eas;
mod failure;
mod field;
mod header;
mod identity;
mod json;
mod kerberos;
mod label;
mod mapi;
mod marker;
mod markup;
mod memory;
mod names;
mod negotiate;
mod net;
mod ntlm;
#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod proof;
mod prose;
mod pseudonym;
mod recall;
mod rpc;
mod secret;
mod shape;
mod stand_in;
mod url;
mod wbxml;

pub use alias::{Aliases, NameSearch};
pub use binding::Bindings;
pub use body::{Body, Content, RawBody, Syntax, Withheld};
pub use clean::Clean;
pub use credential::{
    Binding, Credential, Jwt, Kerberos, Mechanism, NegState, Negotiate, Ntlm, NtlmBuild, NtlmMessage, OpaqueForm,
    Password, Spnego, Token, User,
};
#[cfg(test)]
pub(crate) use door::with_values_shown;
pub use door::{Door, Redactor};
pub use field::{Field, Fields};
pub use label::Label;
pub use net::{Class, Hit, Met};
pub use pseudonym::revealed;
pub use secret::Secret;
pub use shape::organisation;
pub use stand_in::StandIns;
pub use url::{Url, percent_decoded, query_value};
