//! Decoded parts of an exchange as a person reads them: in the detail pane, in `diagnose`, in reports.

use crate::diagnosis::Place;
use crate::redact::Clean;

/// One decoded part of a message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Decoded {
    /// What it is, in the field's own term: `NTLM message 3`, `JWT`, `x-ms-diagnostics`.
    pub title: &'static str,
    /// Where it stands.
    pub place: Place,
    /// What it says.
    pub rows: Vec<Row>,
}

/// One fact of a decoded part.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Row {
    /// In the field's own term, as in the specification: `aud`, `TargetName`, `error_category`.
    pub name: &'static str,
    /// As text.
    pub value: Clean,
}
