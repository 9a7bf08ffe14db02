//! One header field after redaction.

use super::{Clean, Credential};

/// A header or trailer field: spelling, order and duplicates are those of the wire, the value is clean.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Field {
    /// As spelled on the wire.
    pub name: Clean,
    /// What may be shown of the value: itself, or itself with markers in the place of what is hidden.
    pub value: Clean,
    /// What is known of the credential in it, for the fields that carry exactly one: `Authorization`,
    /// `Proxy-Authorization`, and a `WWW-Authenticate` or `Proxy-Authenticate` line that is a single NTLM or Negotiate
    /// token.
    pub credential: Option<Credential>,
}
