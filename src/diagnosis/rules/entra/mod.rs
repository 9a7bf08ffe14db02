//! Refusals of token issuers: Entra ID, ACS and AD FS.

use crate::diagnosis::Rule;

mod aad_grant_revoked;
mod aad_unreachable;
mod adfs_extended_protection_mitm;
mod spn_missing;
mod spo_acs_retired;

/// In the order of their rank: the particular before the general.
pub(super) static RULES: &[&Rule] = &[
    &spo_acs_retired::RULE,
    &aad_unreachable::RULE,
    &spn_missing::RULE,
    &aad_grant_revoked::RULE,
    &adfs_extended_protection_mitm::RULE,
];
