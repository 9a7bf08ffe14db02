//! The causes, one a file, and the tests over all of them.

use super::Rule;

#[cfg(test)]
pub(crate) mod kit;
#[cfg(test)]
mod registry;

// Steps of healthy handshakes, and credentials that are refused.
mod ntlm_type1_type2;

// Failures of OAuth and of Hybrid Modern Authentication, and of the way to the server.
mod aad_grant_revoked;
mod aad_unreachable;
mod adfs_extended_protection_mitm;
mod audience_host_mismatch;
mod certificate_invalid;
mod hma_exchange2010_coexist;
mod hma_mapihttp_disabled;
mod hma_no_authorization_uri;
mod hma_server_version;
mod hma_wrong_authorization_uri;
mod oauth_not_enabled_for_client;
mod preauth_device;
mod server_unreachable;
mod spn_missing;
mod ssl_offload_audience_scheme;
mod tls_server_legacy;
mod tls_trust_failure;
mod user_not_in_directory;
mod vdir_oauth_disabled;

/// All rules. All of them run; their order ranks the findings of one exchange, the particular before the general.
pub static RULES: &[&Rule] = &[
    // Failures of OAuth and of Hybrid Modern Authentication, and of the way to the server.
    &tls_trust_failure::RULE,
    &certificate_invalid::RULE,
    &tls_server_legacy::RULE,
    &aad_unreachable::RULE,
    &server_unreachable::RULE,
    &ssl_offload_audience_scheme::RULE,
    &audience_host_mismatch::RULE,
    &hma_exchange2010_coexist::RULE,
    &user_not_in_directory::RULE,
    &spn_missing::RULE,
    &aad_grant_revoked::RULE,
    &adfs_extended_protection_mitm::RULE,
    &preauth_device::RULE,
    &hma_mapihttp_disabled::RULE,
    &hma_server_version::RULE,
    &oauth_not_enabled_for_client::RULE,
    &hma_no_authorization_uri::RULE,
    &hma_wrong_authorization_uri::RULE,
    &vdir_oauth_disabled::RULE,
    // Steps of healthy handshakes, and credentials that are refused.
    &ntlm_type1_type2::RULE,
];

/// The rule with this id.
pub fn rule(id: &str) -> Option<&'static Rule> {
    RULES.iter().copied().find(|rule| rule.id == id)
}
