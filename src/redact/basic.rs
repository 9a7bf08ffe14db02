//! RFC 7617: user and password in base64.

use base64::Engine;
use base64::alphabet::STANDARD;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use zeroize::Zeroizing;

use super::door::Door;
use super::net::Class;
use super::{Credential, Password};

/// Base64 as clients write it: with or without padding, with stray bits at the end.
pub(super) const LENIENT: GeneralPurpose = GeneralPurpose::new(
    &STANDARD,
    GeneralPurposeConfig::new()
        .with_decode_allow_trailing_bits(true)
        .with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

/// What follows `Basic`. What is no base64 is all secret: clients that forget to encode send `user:password`.
pub(super) fn read(door: &Door<'_>, rest: &str) -> Credential {
    let decoded = LENIENT.decode(rest);
    let encoded = decoded.is_ok();
    let bytes = Zeroizing::new(decoded.unwrap_or_else(|_| rest.as_bytes().to_vec()));
    let colon = bytes.iter().position(|byte| *byte == b':');
    let name = &bytes[..colon.unwrap_or(bytes.len())];
    // Bytes that are no UTF-8 are Latin-1, as older clients send.
    let name = Zeroizing::new(match std::str::from_utf8(name) {
        Ok(name) => name.to_owned(),
        Err(_) => name.iter().map(|byte| char::from(*byte)).collect(),
    });
    let password = match colon.map(|colon| &bytes[colon + 1..]) {
        None => Password::Missing,
        Some([]) => Password::Empty,
        Some(password) => {
            door.memory().meet_packed(Class::Password, password, rest);
            Password::Set {
                label: door.memory().label(password),
                padded: password.trim_ascii().len() < password.len(),
                non_ascii: !password.is_ascii(),
            }
        }
    };
    // Damaged base64 is nobody's name: it must not be remembered as one.
    let user = if encoded || colon.is_some() { door.user(name.trim(), "") } else { door.unnamed(rest) };
    Credential::Basic { user, password }
}

#[cfg(test)]
mod tests {
    use super::super::Redactor;
    use super::*;

    #[test]
    fn tells_all_but_the_password() {
        let redactor = Redactor::new();
        for (raw, marker) in [
            ("CONTOSO\\avery:hunter2", r"Basic [user=down-level:CONTOSO\user#1 password=set #1]"),
            ("avery@contoso.com:hunter2", "Basic [user=upn:user#1@contoso.com password=set #1]"),
            ("avery:", "Basic [user=bare:user#2 password=empty]"),
            ("avery", "Basic [user=bare:user#2 password=missing]"),
            (":", "Basic [user=empty password=empty]"),
            ("avery: hunter2", "Basic [user=bare:user#2 password=set #2 padded]"),
            ("avery:h\u{fc}nter2", "Basic [user=bare:user#2 password=set #3 non-ascii]"),
            ("sarah@contoso@fabrikam.com:a:b", "Basic [user=upn:user#3@fabrikam.com password=set #4]"),
        ] {
            let credential = read(&redactor.wire(), &LENIENT.encode(raw));
            assert_eq!(credential.to_string(), marker);
            assert_eq!(Credential::read(marker), Some(credential));
        }
    }

    #[test]
    fn reads_latin_1_and_hides_what_was_not_encoded() {
        let redactor = Redactor::new();
        let latin = read(&redactor.wire(), &LENIENT.encode(b"av\xe9ry:p\xe4ss"));
        assert_eq!(latin.to_string(), "Basic [user=bare:user#1 password=set #1 non-ascii]");
        let plain = read(&redactor.wire(), "avery:hunter2");
        assert_eq!(plain.to_string(), "Basic [user=bare:user#2 password=set #2]");
    }
}
