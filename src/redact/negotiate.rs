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
