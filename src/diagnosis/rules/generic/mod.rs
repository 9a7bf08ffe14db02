//! Where nothing shows a cause of the field: any web server.

use crate::diagnosis::Rule;

mod client_did_not_authenticate;
mod generic_bad_credentials;
mod generic_bearer_invalid_token;
mod generic_insufficient_scope;

/// In the order of their rank: the particular before the general.
pub(super) static RULES: &[&Rule] = &[
    &generic_insufficient_scope::RULE,
    &generic_bearer_invalid_token::RULE,
    &generic_bad_credentials::RULE,
    &client_did_not_authenticate::RULE,
];
