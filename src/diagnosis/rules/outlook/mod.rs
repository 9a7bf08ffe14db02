//! Outlook: what the client does or does not do.

use crate::diagnosis::Rule;

mod client_no_bearer;
mod outlook_mobile_cloud;
mod wam_loopback_blocked;

/// In the order of their rank: the particular before the general.
pub(super) static RULES: &[&Rule] =
    &[&wam_loopback_blocked::RULE, &client_no_bearer::RULE, &outlook_mobile_cloud::RULE];
