//! Steps of healthy handshakes.

use crate::diagnosis::Rule;

mod aad_interrupt;
mod autodiscover_probe_401;
mod autodiscover_redirect;
mod cae_claims_challenge;
mod digest_challenge;
mod eas_449_provision;
mod eas_451_redirect;
mod hma_empty_bearer;
mod hs_anonymous_probe;
mod negotiate_continue;
mod ntlm_type1_type2;
mod oauth_device_code_pending;
mod proxy_407_challenge;
mod registry_token_challenge;
mod spo_empty_bearer;

/// In the order of their rank: the particular before the general.
pub(super) static RULES: &[&Rule] = &[
    &cae_claims_challenge::RULE,
    &registry_token_challenge::RULE,
    &autodiscover_probe_401::RULE,
    &autodiscover_redirect::RULE,
    &eas_449_provision::RULE,
    &eas_451_redirect::RULE,
    &oauth_device_code_pending::RULE,
    &aad_interrupt::RULE,
    &spo_empty_bearer::RULE,
    &hma_empty_bearer::RULE,
    &ntlm_type1_type2::RULE,
    &negotiate_continue::RULE,
    &proxy_407_challenge::RULE,
    &digest_challenge::RULE,
    &hs_anonymous_probe::RULE,
];
