//! Refusals of Exchange Web Services, and of what migrations do with them.

use crate::diagnosis::Rule;

mod ews_403_mailbox_not_initialised;
mod ews_app_blocked;
mod ews_disabled;
mod ews_impersonation_denied;
mod exchange_version_unsupported;
mod mailbox_not_provisioned;
mod mailbox_store_unavailable;
mod migration_account_permission;
mod mrsproxy_disabled;
mod mrsproxy_unauthorized;
mod server_overloaded;
mod throttled;

/// In the order of their rank: the particular before the general.
pub(super) static RULES: &[&Rule] = &[
    &ews_disabled::RULE,
    &ews_app_blocked::RULE,
    &exchange_version_unsupported::RULE,
    &mrsproxy_disabled::RULE,
    &mrsproxy_unauthorized::RULE,
    &ews_impersonation_denied::RULE,
    &mailbox_not_provisioned::RULE,
    &mailbox_store_unavailable::RULE,
    &migration_account_permission::RULE,
    &throttled::RULE,
    &server_overloaded::RULE,
    &ews_403_mailbox_not_initialised::RULE,
];
