//! RFC 7616: only who; the rest is nonces and a keyed hash.

use super::door::Door;
use super::{Credential, User, challenge};

/// What follows `Digest`.
pub(super) fn read(door: &Door<'_>, rest: &str) -> Credential {
    let name = challenge::parameter(rest, "username").unwrap_or_default();
    // In quotation marks a backslash escapes the next sign, but many clients send `DOMAIN\user` as it is.
    let name = name.replace("\\\\", "\\");
    let user = if name.is_empty() { User::Empty } else { door.user(&name, "") };
    Credential::Digest { user, label: door.memory().label(rest.as_bytes()) }
}
