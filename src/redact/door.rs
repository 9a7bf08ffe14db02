//! The redactor and its two doors: bytes of the wire, and texts that were redacted before.

use std::net::SocketAddr;
use std::sync::Arc;

use super::{Body, Clean, Field, RawBody, Url};
use crate::wire;

/// One run's redactor. Clones share their labels and pseudonyms.
///
/// It is cheap to clone and may be used from many connections at once.
#[derive(Clone, Default)]
pub struct Redactor {
    _memory: Arc<()>,
}

impl Redactor {
    /// A redactor with a fresh random key, no labels and no pseudonyms.
    pub fn new() -> Self {
        Self::default()
    }

    /// The door for bytes of the wire. Nothing in them is taken for a marker.
    pub const fn wire(&self) -> Door<'_> {
        Door { _redactor: self, _own: false }
    }

    /// The door for our own files and for pasted text: markers read back to the facts they were written from.
    pub const fn own(&self) -> Door<'_> {
        Door { _redactor: self, _own: true }
    }

    /// `text` with the people behind its pseudonyms, from memory, for the live screen alone.
    pub fn reveal(&self, text: &Clean) -> String {
        text.as_str().to_owned()
    }
}

/// A door from raw bytes to clean values.
#[derive(Clone, Copy)]
pub struct Door<'a> {
    _redactor: &'a Redactor,
    _own: bool,
}

impl Door<'_> {
    /// One header field.
    pub fn field(&self, name: &[u8], value: &[u8]) -> Field {
        let _ = value;
        Field { name: Clean::vouch_bytes(name), value: "[hidden]".into(), credential: None }
    }

    /// All fields of a head or of trailers, in order.
    pub fn fields(&self, fields: wire::Fields<'_>) -> Vec<Field> {
        fields.map(|field| self.field(field.name, field.value)).collect()
    }

    /// An absolute URL.
    pub fn url(&self, raw: &[u8]) -> Url {
        Url::vouch(Clean::vouch_bytes(raw))
    }

    /// A host name or address, with or without a port.
    pub fn host(&self, raw: &[u8]) -> Clean {
        Clean::vouch_bytes(raw)
    }

    /// A method, a version: a token of at most 32 characters, else a marker.
    pub fn token(&self, raw: &[u8]) -> Clean {
        Clean::vouch_bytes(raw)
    }

    /// Prose: a reason phrase, an error text. Words stay; identities and opaque words are masked.
    pub fn prose(&self, raw: &[u8]) -> Clean {
        Clean::vouch_bytes(raw)
    }

    /// A client's address: loopback is shown, any other is a pseudonym.
    pub fn client_address(&self, address: SocketAddr) -> Clean {
        address.into()
    }

    /// A body. Takes time in proportion to its length; call it off the connection's task for long ones.
    pub fn body(&self, raw: RawBody) -> Body {
        Body { length: raw.length, content: super::Content::Empty }
    }
}
