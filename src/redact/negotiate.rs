//! RFC 4559: SPNEGO (RFC 4178, MS-SPNG) with Kerberos or NTLM inside, and both without it.
//!
//! Only as much DER is read as is needed to find the mechanism's own token.

use base64::Engine;

use super::basic::LENIENT;
use super::door::Door;
use super::{Negotiate, ntlm};

/// 1.3.6.1.5.5.2
const SPNEGO: &[u8] = &[0x2b, 6, 1, 5, 5, 2];
/// 1.2.840.113554.1.2.2, and the same with Microsoft's slip of 1.2.840.48018.1.2.2.
const KERBEROS: [&[u8]; 2] =
    [&[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x12, 1, 2, 2], &[0x2a, 0x86, 0x48, 0x82, 0xf7, 0x12, 1, 2, 2]];

const OID: u8 = 0x06;
const OCTETS: u8 = 0x04;
const SEQUENCE: u8 = 0x30;
const APPLICATION: u8 = 0x60;
const INIT: u8 = 0xa0;
const RESPONSE: u8 = 0xa1;
const MECHANISM_TOKEN: u8 = 0xa2;

/// What follows `Negotiate`.
pub(super) fn read(door: &Door<'_>, rest: &str) -> Negotiate {
    if rest.is_empty() {
        return Negotiate::Empty;
    }
    let label = door.memory().label(rest.as_bytes());
    let Ok(bytes) = LENIENT.decode(rest) else { return Negotiate::Unreadable { label } };
    if let Some(message) = ntlm::message(door, &bytes) {
        return Negotiate::Ntlm(Box::new(message));
    }
    match inside(&bytes) {
        Inside::Ntlm(token) => match ntlm::message(door, token) {
            Some(message) => Negotiate::SpnegoNtlm(Box::new(message)),
            None => Negotiate::Unreadable { label },
        },
        Inside::Kerberos => Negotiate::Kerberos { label },
        Inside::Other => Negotiate::Spnego { label },
        Inside::Nothing => Negotiate::Unreadable { label },
    }
}

enum Inside<'a> {
    Ntlm(&'a [u8]),
    Kerberos,
    Other,
    Nothing,
}

fn inside(bytes: &[u8]) -> Inside<'_> {
    let Some((tag, content, _)) = value(bytes) else { return Inside::Nothing };
    let token = match tag {
        APPLICATION => match value(content) {
            Some((OID, SPNEGO, rest)) => value(rest).filter(|(tag, ..)| *tag == INIT),
            Some((OID, oid, _)) if KERBEROS.contains(&oid) => return Inside::Kerberos,
            _ => return Inside::Nothing,
        },
        INIT | RESPONSE => Some((tag, content, &[][..])),
        _ => return Inside::Nothing,
    };
    let Some((_, content, _)) = token else { return Inside::Nothing };
    let Some((SEQUENCE, mut fields, _)) = value(content) else { return Inside::Nothing };
    // Eight fields are more than either message has.
    for _ in 0..8 {
        let Some((tag, field, rest)) = value(fields) else { break };
        if tag == MECHANISM_TOKEN {
            return match value(field) {
                Some((OCTETS, token, _)) if token.starts_with(ntlm::SIGNATURE) => Inside::Ntlm(token),
                Some((OCTETS, token, _)) if is_kerberos(token) => Inside::Kerberos,
                _ => Inside::Other,
            };
        }
        fields = rest;
    }
    Inside::Other
}

fn is_kerberos(token: &[u8]) -> bool {
    let inner = value(token).filter(|(tag, ..)| *tag == APPLICATION).and_then(|(_, content, _)| value(content));
    matches!(inner, Some((OID, oid, _)) if KERBEROS.contains(&oid))
}

/// The first value: its tag, its content, what follows. A content that was cut off counts as far as it goes.
fn value(bytes: &[u8]) -> Option<(u8, &[u8], &[u8])> {
    let (&tag, rest) = bytes.split_first()?;
    let (&first, rest) = rest.split_first()?;
    let (length, rest) = if first < 0x80 {
        (usize::from(first), rest)
    } else {
        let size = usize::from(first & 0x7f);
        if !(1..=4).contains(&size) || rest.len() < size {
            return None;
        }
        let (length, rest) = rest.split_at(size);
        (length.iter().fold(0, |sum, byte| sum << 8 | usize::from(*byte)), rest)
    };
    let (content, rest) = rest.split_at(length.min(rest.len()));
    Some((tag, content, rest))
}

#[cfg(test)]
mod tests {
    use super::super::{Credential, Redactor};
    use super::*;

    fn marker(raw: &str) -> String {
        let credential = Credential::Negotiate(read(&Redactor::new().wire(), raw));
        let marker = credential.to_string();
        assert_eq!(Credential::read(&marker), Some(credential));
        marker
    }

    fn der(tag: u8, content: &[u8]) -> Vec<u8> {
        [&[tag, 0x82, (content.len() >> 8) as u8, content.len() as u8], content].concat()
    }

    #[test]
    fn tells_what_is_inside() {
        let ntlm = LENIENT.decode("TlRMTVNTUAABAAAAl4II4gAAAAAoAAAAAAAAACgAAAAKAHxPAAAADw==").unwrap_or_default();
        let ticket = der(APPLICATION, &[&[OID, 9], KERBEROS[0], &[1, 0, 0x6e, 2, 7, 7]].concat());
        let init = |token: &[u8]| {
            let fields = [der(0xa0, &der(SEQUENCE, &[OID, 1, 1])), der(MECHANISM_TOKEN, &der(OCTETS, token))].concat();
            der(APPLICATION, &[&[OID, 6], SPNEGO, &der(INIT, &der(SEQUENCE, &fields))].concat())
        };
        for (bytes, shown) in [
            (ntlm.clone(), "Negotiate [ntlm type1 flags=0xe2088297]"),
            (init(&ntlm), "Negotiate [spnego type1 flags=0xe2088297]"),
            (init(&ticket), "Negotiate [kerberos #1]"),
            (ticket.clone(), "Negotiate [kerberos #1]"),
            (init(b"something else"), "Negotiate [spnego #1]"),
            (der(RESPONSE, &der(SEQUENCE, &der(0xa0, &[10, 1, 0]))), "Negotiate [spnego #1]"),
            (b"\x60\xff".to_vec(), "Negotiate [unreadable #1]"),
            (b"\x60\x84\xff\xff\xff\xff".to_vec(), "Negotiate [unreadable #1]"),
        ] {
            assert_eq!(marker(&LENIENT.encode(bytes)), shown);
        }
        assert_eq!(marker(""), "Negotiate [empty]");
        assert_eq!(marker("hunter2!"), "Negotiate [unreadable #1]");
    }
}
