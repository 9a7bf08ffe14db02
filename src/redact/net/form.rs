//! The forms in which a secret might be written, and whether it can be told from ordinary text at all.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD_NO_PAD;

use super::super::shape;
use super::view::{ends, folded};
use super::{Class, LONGEST, SHORTEST};

/// Calls `each` with the beginnings of all forms of `secret` that are looked for: none where it cannot be told from what
/// any text holds.
pub(super) fn of(class: Class, secret: &[u8], each: &mut dyn FnMut(&[u8])) {
    let mut form = |form: &[u8]| {
        if form.len() >= SHORTEST {
            each(form);
        }
    };
    for piece in pieces(secret) {
        if !is_telling(class, piece) {
            continue;
        }
        for end in ends(piece) {
            form(&end);
        }
        for digits in ["0123456789abcdef", "0123456789ABCDEF"] {
            form(&hexadecimal(piece, digits.as_bytes()));
        }
        base64(piece, &mut form);
        // Tools of Windows write texts so.
        if let (Class::Password | Class::Code | Class::Key, Ok(text)) = (class, std::str::from_utf8(piece)) {
            let wide: Vec<u8> = text.encode_utf16().flat_map(u16::to_le_bytes).collect();
            base64(&wide, &mut form);
            for end in ends(&wide) {
                form(&end);
            }
        }
    }
}

/// Of a long secret its beginning, its middle and its end, no letter cut.
fn pieces(secret: &[u8]) -> Vec<&[u8]> {
    if secret.len() <= LONGEST {
        return vec![secret];
    }
    let last = secret.len() - LONGEST;
    let bound = |at: usize| std::str::from_utf8(secret).map_or(at, |text| text.floor_char_boundary(at));
    [0, last / 2, last].map(|from| &secret[bound(from)..bound(from + LONGEST)]).to_vec()
}

/// Base64 of a longer text holds that of its parts at one of three shifts, but for the ends.
fn base64(piece: &[u8], form: &mut impl FnMut(&[u8])) {
    for (shift, first) in [(0, 0), (1, 2), (2, 3)] {
        let coded = STANDARD_NO_PAD.encode([&[0, 0][..shift], piece].concat());
        let mut coded: Vec<u8> = coded.bytes().map(folded).collect();
        if !(shift + piece.len()).is_multiple_of(3) {
            coded.pop();
        }
        form(&coded[first..]);
    }
}

fn hexadecimal(piece: &[u8], digits: &[u8]) -> Vec<u8> {
    piece.iter().flat_map(|byte| [digits[usize::from(byte >> 4)], digits[usize::from(byte & 15)]]).collect()
}

/// Whether nothing but a leak would put this into a text.
///
/// A password is what somebody made up, so anything but words alone is telling. All else is made by machines: it is
/// telling where it is random, and not where it is made of words, numbers, names of hosts or ids, as many cookies are.
fn is_telling(class: Class, piece: &[u8]) -> bool {
    const BYTES: usize = 5;
    let Ok(text) = std::str::from_utf8(piece) else {
        let mut kinds: Vec<u8> = piece.to_vec();
        kinds.sort_unstable();
        kinds.dedup();
        return piece.len() >= SHORTEST && kinds.len() >= BYTES;
    };
    let text = text.trim();
    if text.len() < SHORTEST || shape::is_guid(text) || shape::is_harmless(text) || text.contains("://") {
        return false;
    }
    match class {
        Class::Password => {
            !shape::is_words(text) && !shape::is_ip(text) && text.bytes().any(|byte| !byte.is_ascii_digit())
        }
        _ => shape::is_opaque(text, SHORTEST + 3),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_any_text_may_hold_is_not_looked_for() {
        for (class, text) in [
            (Class::Password, "hunter2"),
            (Class::Password, "password"),
            (Class::Password, "Exchange-Server"),
            (Class::Password, "2026-11-22"),
            (Class::Password, "1234567890"),
            (Class::Cookie, "8da56bec-0d27-4cac-ab06-52ee2c40ea22"),
            (Class::Cookie, "mail.contoso.com"),
            (Class::Cookie, "https://mail.contoso.com/owa/"),
            (Class::Cookie, "avery@contoso.com"),
            (Class::Cookie, "lang=en-US|tz=UTC"),
            (Class::Cookie, "EX01-contoso1"),
            (Class::Token, "the-token-of-the-user"),
            (Class::Key, "disabled"),
        ] {
            assert!(!is_telling(class, text.as_bytes()), "{text}");
        }
        for (class, text) in [
            (Class::Password, "Summer2026"),
            (Class::Password, "correct horse battery"),
            (Class::Password, "P@ssword"),
            (Class::Cookie, "E9459F787DAA"),
            (Class::Token, "0.AXkAq83bDQ4nrEyrBlLuLEDqIg"),
            (Class::Key, "b1946ac92492d2347c6235b4d2611184"),
        ] {
            assert!(is_telling(class, text.as_bytes()), "{text}");
        }
        assert!(is_telling(Class::Ntlm, &[1, 0x92, 3, 4, 5, 6, 7, 8]));
        assert!(!is_telling(Class::Ntlm, &[0xff; 24]));
    }
}
