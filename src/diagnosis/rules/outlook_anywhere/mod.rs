//! RPC over HTTP: Outlook Anywhere, and the migrations that use it.

use crate::diagnosis::Rule;

mod outlook_anywhere_basic_required;
mod outlook_anywhere_not_enabled;
mod rpc_proxy_address_wrong;
mod rpc_target_denied;

/// In the order of their rank: the particular before the general.
pub(super) static RULES: &[&Rule] = &[
    &rpc_target_denied::RULE,
    &outlook_anywhere_not_enabled::RULE,
    &rpc_proxy_address_wrong::RULE,
    &outlook_anywhere_basic_required::RULE,
];
