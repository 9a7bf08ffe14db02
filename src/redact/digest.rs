//! RFC 7616: only who; the rest is nonces and a keyed hash.

use super::door::Door;
use super::net::Class;
use super::{Credential, User, challenge};

/// What follows `Digest`.
pub(super) fn read(door: &Door<'_>, rest: &str) -> Credential {
    let name = challenge::parameter(rest, "username").unwrap_or_default();
    // In quotation marks a backslash escapes the next sign, but many clients send `DOMAIN\user` as it is.
    let name = name.replace("\\\\", "\\");
    let user = if name.is_empty() { User::Empty } else { door.user(&name, "") };
    if let Some(response) = challenge::parameter(rest, "response") {
        door.memory().meet(Class::Digest, response.as_bytes());
    }
    Credential::Digest { user, label: door.memory().label(rest.as_bytes()) }
}

#[cfg(test)]
mod tests {
    use super::super::{Credential, Redactor};

    #[test]
    fn tells_who_and_nothing_else() {
        let redactor = Redactor::new();
        for (value, marker) in [
            ("Digest username=\"avery\", realm=\"a\", nonce=\"n\", response=\"00\"", "Digest [user=bare:user#1 #1]"),
            (r#"digest USERNAME="CONTOSO\\avery", response="00""#, r"digest [user=down-level:CONTOSO\user#2 #2]"),
            ("Digest response=\"00\"", "Digest [user=empty #3]"),
        ] {
            let field = redactor.wire().field(b"Authorization", value.as_bytes());
            assert_eq!(field.value, *marker);
            assert_eq!(Credential::read(marker), field.credential);
        }
    }
}
