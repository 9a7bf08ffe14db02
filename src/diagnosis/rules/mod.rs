//! The causes, one a file, and the tests over all of them.

use super::Rule;

#[cfg(test)]
pub(crate) mod kit;
#[cfg(test)]
mod pages;
#[cfg(test)]
mod registry;

// Steps of healthy handshakes, and credentials that are refused.
mod aad_interrupt;
mod autodiscover_probe_401;
mod autodiscover_redirect;
mod basic_bad_credentials;
mod basic_retired_exo;
mod cae_claims_challenge;
mod client_no_bearer;
mod digest_challenge;
mod eas_449_provision;
mod eas_451_redirect;
mod generic_bad_credentials;
mod hma_empty_bearer;
mod hs_anonymous_probe;
mod negotiate_continue;
mod ntlm_rejected;
mod ntlm_type1_type2;
mod oauth_device_code_pending;
mod proxy_407_challenge;
mod registry_token_challenge;

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
mod tls_client_legacy;
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
    &tls_client_legacy::RULE,
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
    &cae_claims_challenge::RULE,
    &registry_token_challenge::RULE,
    &autodiscover_probe_401::RULE,
    &autodiscover_redirect::RULE,
    &eas_449_provision::RULE,
    &eas_451_redirect::RULE,
    &oauth_device_code_pending::RULE,
    &aad_interrupt::RULE,
    &hma_empty_bearer::RULE,
    &ntlm_type1_type2::RULE,
    &negotiate_continue::RULE,
    &proxy_407_challenge::RULE,
    &digest_challenge::RULE,
    &basic_retired_exo::RULE,
    &basic_bad_credentials::RULE,
    &ntlm_rejected::RULE,
    &hs_anonymous_probe::RULE,
    &client_no_bearer::RULE,
    &generic_bad_credentials::RULE,
];

/// The rule with this id.
pub fn rule(id: &str) -> Option<&'static Rule> {
    RULES.iter().copied().find(|rule| rule.id == id)
}
