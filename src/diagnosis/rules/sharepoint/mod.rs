//! Refusals of SharePoint and OneDrive.

use crate::diagnosis::Rule;

mod onedrive_not_provisioned;
mod spo_alg_invalid;
mod spo_app_only_unsupported;
mod spo_fba_cookie_missing;
mod spo_invalid_audience;
mod spo_invalid_signature;
mod spo_legacy_auth_blocked;
mod spo_unsupported_token;

/// In the order of their rank: the particular before the general.
pub(super) static RULES: &[&Rule] = &[
    &spo_invalid_signature::RULE,
    &spo_invalid_audience::RULE,
    &spo_alg_invalid::RULE,
    &spo_unsupported_token::RULE,
    &spo_app_only_unsupported::RULE,
    &spo_legacy_auth_blocked::RULE,
    &spo_fba_cookie_missing::RULE,
    &onedrive_not_provisioned::RULE,
];
