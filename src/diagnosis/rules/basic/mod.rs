//! Passwords in the Basic scheme.

use crate::diagnosis::Rule;

mod basic_app_password_required;
mod basic_bad_credentials;
mod basic_retired_exo;
mod federated_sts_unreachable;

/// In the order of their rank: the particular before the general.
pub(super) static RULES: &[&Rule] = &[
    &basic_app_password_required::RULE,
    &federated_sts_unreachable::RULE,
    &basic_retired_exo::RULE,
    &basic_bad_credentials::RULE,
];
