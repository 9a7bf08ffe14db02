//! Autodiscover: the addresses that clients try, and what they answer.

use crate::diagnosis::Rule;

mod autodiscover_foreign_host;
mod autodiscover_misconfigured;
mod outlook_o365_endpoint;

/// In the order of their rank: the particular before the general.
pub(super) static RULES: &[&Rule] =
    &[&outlook_o365_endpoint::RULE, &autodiscover_foreign_host::RULE, &autodiscover_misconfigured::RULE];
