//! Refusals of Microsoft Graph.

use crate::diagnosis::Rule;

/// In the order of their rank: the particular before the general.
pub(super) static RULES: &[&Rule] = &[];
