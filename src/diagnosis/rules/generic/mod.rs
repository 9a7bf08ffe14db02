//! Where nothing shows a cause of the field: any web server.

use crate::diagnosis::Rule;

mod generic_bad_credentials;

/// In the order of their rank: the particular before the general.
pub(super) static RULES: &[&Rule] = &[&generic_bad_credentials::RULE];
