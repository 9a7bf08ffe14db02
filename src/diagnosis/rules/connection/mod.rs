//! Before any HTTP: names, addresses, TLS, certificates; proxies on the way; and what a capture cannot show.

use crate::diagnosis::Rule;

mod capture_not_decrypted;
mod capture_sanitised;
mod certificate_invalid;
mod client_certificate_required;
mod http_ambiguous_framing;
mod http_proxy_blocked;
mod preauth_device;
mod proxy_auth_failed;
mod server_unreachable;
mod tls_client_legacy;
mod tls_server_legacy;
mod tls_trust_failure;

/// In the order of their rank: the particular before the general.
pub(super) static RULES: &[&Rule] = &[
    &tls_trust_failure::RULE,
    &certificate_invalid::RULE,
    &client_certificate_required::RULE,
    &tls_server_legacy::RULE,
    &tls_client_legacy::RULE,
    &server_unreachable::RULE,
    &proxy_auth_failed::RULE,
    &http_proxy_blocked::RULE,
    &preauth_device::RULE,
    &http_ambiguous_framing::RULE,
    &capture_not_decrypted::RULE,
    &capture_sanitised::RULE,
];
