//! What tools say of a failure in words of their own, where nothing of the traffic was captured.

use crate::diagnosis::Rule;

mod migrationwiz_error_line;

/// In the order of their rank: the particular before the general.
pub(super) static RULES: &[&Rule] = &[&migrationwiz_error_line::RULE];
