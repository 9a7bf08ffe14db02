//! Exchange refuses a token, or its Hybrid Modern Authentication is set up wrong.

use crate::diagnosis::Rule;

mod app_unknown;
mod audience_host_mismatch;
mod audience_wrong_resource;
mod auth_strength_weak;
mod clock_skew;
mod exchange_oauth_internal_error;
mod hma_exchange2010_coexist;
mod hma_mapihttp_disabled;
mod hma_no_authorization_uri;
mod hma_server_version;
mod hma_wrong_authorization_uri;
mod hybrid_shared_sp_blocked;
mod hybrid_wssecurity;
mod issuer_unknown;
mod legacy_exchange_token_off;
mod oauth_not_enabled_for_client;
mod partner_app_linked_account;
mod ssl_offload_audience_scheme;
mod tenant_unknown;
mod token_expired;
mod token_invalid_signature;
mod token_malformed;
mod token_not_used;
mod token_scope_insufficient;
mod user_ambiguous;
mod user_not_in_directory;
mod vdir_oauth_disabled;

/// In the order of their rank: the particular before the general.
pub(super) static RULES: &[&Rule] = &[
    &legacy_exchange_token_off::RULE,
    &hybrid_shared_sp_blocked::RULE,
    &hybrid_wssecurity::RULE,
    &clock_skew::RULE,
    &token_malformed::RULE,
    &token_expired::RULE,
    &token_invalid_signature::RULE,
    &issuer_unknown::RULE,
    &tenant_unknown::RULE,
    &app_unknown::RULE,
    &partner_app_linked_account::RULE,
    &token_scope_insufficient::RULE,
    &auth_strength_weak::RULE,
    &exchange_oauth_internal_error::RULE,
    &ssl_offload_audience_scheme::RULE,
    &audience_host_mismatch::RULE,
    &audience_wrong_resource::RULE,
    &hma_exchange2010_coexist::RULE,
    &user_ambiguous::RULE,
    &user_not_in_directory::RULE,
    &hma_mapihttp_disabled::RULE,
    &hma_server_version::RULE,
    &oauth_not_enabled_for_client::RULE,
    &hma_no_authorization_uri::RULE,
    &hma_wrong_authorization_uri::RULE,
    &vdir_oauth_disabled::RULE,
    &token_not_used::RULE,
];
