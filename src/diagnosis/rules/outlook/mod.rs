//! Outlook and Autodiscover: what the client does or does not do.

use crate::diagnosis::Rule;

mod client_no_bearer;

/// In the order of their rank: the particular before the general.
pub(super) static RULES: &[&Rule] = &[&client_no_bearer::RULE];
