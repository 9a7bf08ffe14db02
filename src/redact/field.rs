//! Header fields after redaction.

use std::ops::Deref;
use std::sync::Arc;

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

/// The fields of a head or of trailers, in order.
///
/// Clones share them: a client that keeps its connection open sends the same head again and again.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Fields(Arc<[Field]>);

impl Fields {
    /// Whether somebody else has them, too.
    pub fn is_shared(&self) -> bool {
        Arc::strong_count(&self.0) > 1
    }
}

impl Deref for Fields {
    type Target = [Field];

    fn deref(&self) -> &[Field] {
        &self.0
    }
}

impl From<Vec<Field>> for Fields {
    fn from(fields: Vec<Field>) -> Self {
        Self(fields.into())
    }
}

impl FromIterator<Field> for Fields {
    fn from_iter<I: IntoIterator<Item = Field>>(fields: I) -> Self {
        Self(fields.into_iter().collect())
    }
}

impl<'a> IntoIterator for &'a Fields {
    type Item = &'a Field;
    type IntoIter = std::slice::Iter<'a, Field>;

    fn into_iter(self) -> Self::IntoIter {
        self.0.iter()
    }
}
