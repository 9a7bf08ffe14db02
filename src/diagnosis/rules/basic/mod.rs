//! Passwords in the Basic scheme.

use crate::diagnosis::Rule;

mod basic_bad_credentials;
mod basic_retired_exo;

/// In the order of their rank: the particular before the general.
pub(super) static RULES: &[&Rule] = &[&basic_retired_exo::RULE, &basic_bad_credentials::RULE];
