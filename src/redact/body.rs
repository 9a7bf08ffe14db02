//! Message bodies: what may be kept of them.

use super::{Clean, Secret};

/// What may be kept of a body.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Body {
    /// Bytes that passed, transfer coding removed, content coding not.
    pub length: u64,
    /// What is kept.
    pub content: Content,
}

/// The content of a body after redaction.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Content {
    /// There was no body.
    Empty,
    /// Text in the same syntax as sent, content coding and charset decoded, secrets replaced by markers.
    Text {
        /// Which syntax.
        syntax: Syntax,
        /// The redacted text.
        text: Clean,
        /// Whether the whole body is in it; else its end was not recorded.
        complete: bool,
    },
    /// Nothing but the length.
    Withheld(Withheld),
}

/// The syntax a body was read by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Syntax {
    /// RFC 8259.
    Json,
    /// `application/x-www-form-urlencoded`.
    Form,
    /// XML: SOAP, POX, WS-Trust, SAML.
    Xml,
    /// HTML.
    Html,
    /// Plain text.
    Text,
}

/// Why nothing but the length of a body is kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Withheld {
    /// Of a type that is not read: MAPI, WBXML, MIME, pictures, files.
    Binary,
    /// Its content coding or charset could not be decoded.
    Undecodable,
    /// It was not recorded: capture was paused or out of room.
    NotRecorded,
}

/// A body as collected, on its way to the redactor.
pub struct RawBody {
    /// What was kept of it, at most the body limit.
    pub bytes: Secret,
    /// How many bytes passed in all.
    pub length: u64,
    /// Whether it was recorded at all.
    pub recorded: bool,
    /// The message's Content-Type values, joined.
    pub content_type: Vec<u8>,
    /// The message's Content-Encoding values, joined by commas.
    pub content_encoding: Vec<u8>,
}
