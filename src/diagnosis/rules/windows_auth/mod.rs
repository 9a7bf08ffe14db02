//! NTLM, Kerberos, and Extended Protection.

use crate::diagnosis::Rule;

mod auth_scheme_mismatch;
mod ep_binding_missing;
mod ep_channel_binding;
mod ep_channel_binding_network;
mod kerberos_failure;
mod legacy_auth_blocked_policy;
mod ntlm_connection_broken;
mod ntlm_loop;
mod ntlm_rejected;
mod ntlmv1_refused;

/// In the order of their rank: the particular before the general. What is only possible stands behind all the same.
pub(super) static RULES: &[&Rule] = &[
    &ntlm_connection_broken::RULE,
    &ep_channel_binding::RULE,
    &ep_channel_binding_network::RULE,
    &ntlmv1_refused::RULE,
    &auth_scheme_mismatch::RULE,
    &ep_binding_missing::RULE,
    &legacy_auth_blocked_policy::RULE,
    &ntlm_loop::RULE,
    &kerberos_failure::RULE,
    &ntlm_rejected::RULE,
];
