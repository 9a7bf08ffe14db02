//! NTLM, Kerberos, and Extended Protection.

use crate::diagnosis::Rule;

mod ntlm_rejected;

/// In the order of their rank: the particular before the general.
pub(super) static RULES: &[&Rule] = &[&ntlm_rejected::RULE];
