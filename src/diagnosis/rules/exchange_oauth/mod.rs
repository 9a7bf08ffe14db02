//! Exchange refuses a token, or its Hybrid Modern Authentication is set up wrong.

use crate::diagnosis::Rule;

mod audience_host_mismatch;
mod hma_exchange2010_coexist;
mod hma_mapihttp_disabled;
mod hma_no_authorization_uri;
mod hma_server_version;
mod hma_wrong_authorization_uri;
mod oauth_not_enabled_for_client;
mod ssl_offload_audience_scheme;
mod user_not_in_directory;
mod vdir_oauth_disabled;

/// In the order of their rank: the particular before the general.
pub(super) static RULES: &[&Rule] = &[
    &ssl_offload_audience_scheme::RULE,
    &audience_host_mismatch::RULE,
    &hma_exchange2010_coexist::RULE,
    &user_not_in_directory::RULE,
    &hma_mapihttp_disabled::RULE,
    &hma_server_version::RULE,
    &oauth_not_enabled_for_client::RULE,
    &hma_no_authorization_uri::RULE,
    &hma_wrong_authorization_uri::RULE,
    &vdir_oauth_disabled::RULE,
];
