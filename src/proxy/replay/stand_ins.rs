//! What stands for the secrets of a recorded session on the wire.

use crate::redact::{Clean, Field, Syntax};

/// Markers as they are.
pub(super) struct StandIns;

impl StandIns {
    pub(super) const fn new() -> Self {
        Self
    }

    /// The value of a field.
    pub(super) fn field(&self, field: &Field) -> Vec<u8> {
        field.value.to_wire()
    }

    /// The text of a body, in UTF-8.
    pub(super) fn body(&self, _syntax: Syntax, text: &Clean) -> Vec<u8> {
        text.to_wire()
    }
}
