//! Refusals of Microsoft Graph.

use crate::diagnosis::Rule;

mod graph_app_policy_blocked;
mod graph_permission_missing;
mod graph_token_expired;
mod graph_token_malformed;
mod graph_wrong_audience;

/// In the order of their rank: the particular before the general.
pub(super) static RULES: &[&Rule] = &[
    &graph_token_expired::RULE,
    &graph_wrong_audience::RULE,
    &graph_token_malformed::RULE,
    &graph_app_policy_blocked::RULE,
    &graph_permission_missing::RULE,
];
