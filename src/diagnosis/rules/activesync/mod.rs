//! Exchange ActiveSync.

use crate::diagnosis::Rule;

mod eas_2003_backend_iwa;
mod eas_device_blocked;
mod eas_remote_wipe;
mod eas_throttled;
mod eas_upn_required;
mod eas_version_blocked;
mod exo_user_not_found;

/// In the order of their rank: the particular before the general.
pub(super) static RULES: &[&Rule] = &[
    &eas_remote_wipe::RULE,
    &eas_version_blocked::RULE,
    &eas_throttled::RULE,
    &exo_user_not_found::RULE,
    &eas_device_blocked::RULE,
];

/// What a refused password may mean besides being wrong: never more than possible, so after that.
pub(super) static AFTER_PASSWORDS: &[&Rule] = &[&eas_upn_required::RULE, &eas_2003_backend_iwa::RULE];
