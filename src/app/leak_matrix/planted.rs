//! Secrets, the forms they are sent in, and the search for them.

use std::collections::HashMap;

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, STANDARD_NO_PAD, URL_SAFE_NO_PAD};

use super::places::{At, Place};

/// What stands around a secret.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Outside {
    Url,
    Field,
    Text,
}

/// The form that a secret is sent in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Form {
    Raw,
    Base64,
    Url,
    Html,
    Json,
    /// In base64, as tools of Windows write it.
    Utf16,
    /// A whole body in UTF-16.
    Utf16Body,
    /// A whole body that is packed.
    Gzip,
}

impl Form {
    pub(super) const ALL: [Self; 8] =
        [Self::Raw, Self::Base64, Self::Url, Self::Html, Self::Json, Self::Utf16, Self::Utf16Body, Self::Gzip];

    pub(super) fn of(self, secret: &str) -> String {
        match self {
            Self::Raw | Self::Utf16Body | Self::Gzip => secret.to_owned(),
            Self::Base64 => STANDARD.encode(secret),
            Self::Url => percent(secret),
            Self::Html => entities(secret),
            Self::Json => escapes(secret),
            Self::Utf16 => STANDARD.encode(utf16(secret)),
        }
    }
}

/// A secret in its place.
pub(super) struct Planted {
    pub(super) place: Place,
    pub(super) form: Form,
    pub(super) secret: String,
    /// The place's text with the secret in it.
    pub(super) text: String,
}

impl Planted {
    pub(super) fn new(place: Place, form: Form, seed: u64) -> Self {
        let secret = secret(seed);
        let text = filled(&place, form, &secret);
        Self { place, form, secret, text }
    }

    /// The bytes of a body.
    pub(super) fn body(&self) -> Vec<u8> {
        match self.form {
            Form::Utf16Body => utf16(&self.text),
            Form::Gzip => {
                let mut packed = flate2::read::GzEncoder::new(self.text.as_bytes(), flate2::Compression::fast());
                let mut out = Vec::new();
                std::io::Read::read_to_end(&mut packed, &mut out).unwrap();
                out
            }
            _ => self.text.clone().into_bytes(),
        }
    }

    /// The type of a body, with the charset that it is in.
    pub(super) fn content_type(&self) -> Option<String> {
        let (At::Sent(kind) | At::Got(kind)) = self.place.at else { return None };
        let bare = kind.split("; charset").next().unwrap_or(kind);
        Some(if self.form == Form::Utf16Body { format!("{bare}; charset=utf-16le") } else { kind.to_owned() })
    }
}

/// Twenty-six letters and digits that no other cell has.
fn secret(seed: u64) -> String {
    const LETTERS: &[u8; 62] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";
    let mut state = seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) ^ 0x5EED_0FC0_FFEE;
    let mut next = || {
        state = state.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut mixed = (state ^ (state >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        char::from(LETTERS[usize::try_from((mixed ^ (mixed >> 31)) % 62).unwrap()])
    };
    let mut text: String = (0..24).map(|_| next()).collect();
    text.push_str("K7");
    text
}

fn filled(place: &Place, form: Form, secret: &str) -> String {
    let sent = form.of(secret);
    // What would end the value is escaped, as whoever sends it there must.
    let held = match place.outside() {
        Outside::Url if !matches!(form, Form::Raw | Form::Url) => only(&sent, |c| c.is_ascii_alphanumeric()),
        Outside::Field if form == Form::Html => only(&sent, |c| !matches!(c, ';' | ',')),
        _ => sent.clone(),
    };
    let part = |text: &str| URL_SAFE_NO_PAD.encode(text);
    let mut text = place.text.to_owned();
    if text.contains("{jwt}") {
        let claims = format!(
            r#"{{"aud":"https://mail.contoso.com/","exp":4102444800,"upn":"{sent}@contoso.com","oid":"{sent}","nonce":"{sent}"}}"#
        );
        let jwt = format!("{}.{}.{}", part(r#"{"alg":"RS256","typ":"JWT"}"#), part(&claims), part(&sent));
        text = text.replace("{jwt}", &jwt);
    }
    let jwe = format!("{}.{1}..{1}.{1}", part(r#"{"alg":"dir","enc":"A256GCM"}"#), part(&sent));
    text = text.replace("{jwe}", &jwe);
    text = text.replace("{basic}", &STANDARD.encode(format!("avery@contoso.com:{sent}")));
    text = text.replace("{ntlm}", &STANDARD.encode(authenticate(sent.as_bytes())));
    text = text.replace("{challenge}", &STANDARD.encode(challenge(sent.as_bytes())));
    text = text.replace("{kerberos}", &STANDARD.encode(ticket(sent.as_bytes())));
    text = text
        .replace("{query}", &STANDARD.encode([b"\x8d\x01\x09\x04\x10", sent.as_bytes()].concat()).replace('=', "%3D"));
    text.replace("{}", &held)
}

/// An NTLM message of type 3 whose response and user are the secret.
fn authenticate(secret: &[u8]) -> Vec<u8> {
    let wide = |text: &[u8]| text.iter().flat_map(|byte| [*byte, 0]).collect::<Vec<u8>>();
    let parts = [vec![0; 24], secret.to_vec(), wide(b"CONTOSO"), wide(secret), wide(b"PC1"), secret.to_vec()];
    let mut message = b"NTLMSSP\0\x03\0\0\0".to_vec();
    let mut offset = 12 + 8 * 6 + 4;
    for part in &parts {
        let length = u16::try_from(part.len()).unwrap().to_le_bytes();
        message.extend([length, length].concat());
        message.extend(u32::try_from(offset).unwrap().to_le_bytes());
        offset += part.len();
    }
    message.extend(0x0000_8205_u32.to_le_bytes());
    message.extend(parts.concat());
    message
}

/// An NTLM message of type 2 whose challenge is the beginning of the secret.
fn challenge(secret: &[u8]) -> Vec<u8> {
    let mut message = b"NTLMSSP\0\x02\0\0\0\0\0\0\0\x38\0\0\0\x05\x82\x81\xa2".to_vec();
    message.extend(&secret[..8]);
    message.extend([0; 24]);
    message.extend(secret);
    message
}

/// A GSS token of Kerberos with the secret for a ticket.
fn ticket(secret: &[u8]) -> Vec<u8> {
    let mut token = b"\x06\x09\x2a\x86\x48\x86\xf7\x12\x01\x02\x02\x01\x00".to_vec();
    token.extend([0x6e, u8::try_from(secret.len().min(120)).unwrap()]);
    token.extend(secret.iter().take(120));
    let mut framed = vec![0x60, 0x81, u8::try_from(token.len().min(255)).unwrap()];
    framed.extend(token);
    framed
}

fn percent(text: &str) -> String {
    only(text, |_| false)
}

fn only(text: &str, keep: impl Fn(char) -> bool) -> String {
    let coded = |c: char| if keep(c) { c.to_string() } else { format!("%{:02X}", u32::from(c)) };
    text.chars().map(coded).collect()
}

fn entities(text: &str) -> String {
    text.chars().fold(String::new(), |text, letter| text + &format!("&#{};", u32::from(letter)))
}

fn escapes(text: &str) -> String {
    text.chars().fold(String::new(), |text, letter| text + &format!("\\u{:04x}", u32::from(letter)))
}

fn utf16(text: &str) -> Vec<u8> {
    text.encode_utf16().flat_map(u16::to_le_bytes).collect()
}

/// How many bytes of a form must be met in a row to count as a leak: those of about ten letters of what it encodes.
const WIDTHS: [usize; 5] = [10, 20, 30, 50, 60];
/// Which of these it is for bytes as they are, in UTF-16, in escapes of URLs, of HTML and of JSON.
const PLAIN: usize = 0;
const WIDE: usize = 1;
const PERCENT: usize = 2;
const ENTITIES: usize = 3;
const ESCAPES: usize = 4;

/// Finds secrets, whole or in good part, in any form.
pub(super) struct Search<'s> {
    /// By width: pieces of all forms, and whose they are.
    pieces: [HashMap<Vec<u8>, &'s str>; WIDTHS.len()],
    /// The first three bytes of every piece, a bit each.
    begins: Vec<bool>,
}

impl<'s> Search<'s> {
    pub(super) fn of(planted: &'s [Planted]) -> Self {
        let mut search = Self { pieces: Default::default(), begins: vec![false; 1 << 24] };
        for Planted { secret, form, .. } in planted {
            search.add(ENTITIES, secret, entities(secret).as_bytes());
            // As it is, and as another word. Of UTF-16, base64 shows a letter in nearly three.
            let word = if *form == Form::Utf16 { Form::Utf16 } else { Form::Base64 };
            for text in [secret.clone(), word.of(secret)] {
                let plain = if text.len() > 60 { PERCENT } else { PLAIN };
                search.add(plain, secret, text.as_bytes());
                search.add(WIDE, secret, &utf16(&text));
                search.add(PERCENT, secret, percent(&text).as_bytes());
                search.add(PERCENT, secret, percent(&text).to_lowercase().as_bytes());
                search.add(ESCAPES, secret, escapes(&text).as_bytes());
                for (width, bytes) in [(plain, text.clone().into_bytes()), (PERCENT, utf16(&text))] {
                    for shift in 0..3 {
                        let coded = STANDARD_NO_PAD.encode([&b"\0\0"[..shift], &bytes].concat());
                        let inner = &coded[[0, 2, 3][shift]..coded.len() - 1];
                        search.add(width, secret, inner.as_bytes());
                        search.add(width, secret, inner.replace('+', "-").replace('/', "_").as_bytes());
                    }
                }
            }
        }
        search
    }

    fn add(&mut self, width: usize, secret: &'s str, form: &[u8]) {
        for piece in form.windows(WIDTHS[width]) {
            self.begins[begin(piece)] = true;
            self.pieces[width].insert(piece.to_vec(), secret);
        }
    }

    /// The secrets that stand in `bytes`.
    pub(super) fn found(&self, bytes: &[u8]) -> Vec<&'s str> {
        let mut found = Vec::new();
        for at in 0..bytes.len().saturating_sub(2) {
            if !self.begins[begin(&bytes[at..])] {
                continue;
            }
            for (width, pieces) in WIDTHS.iter().zip(&self.pieces) {
                let piece = bytes.get(at..at + width).and_then(|piece| pieces.get(piece));
                if let Some(secret) = piece
                    && !found.contains(secret)
                {
                    found.push(*secret);
                }
            }
        }
        found
    }
}

fn begin(bytes: &[u8]) -> usize {
    usize::from(bytes[0]) << 16 | usize::from(bytes[1]) << 8 | usize::from(bytes[2])
}
