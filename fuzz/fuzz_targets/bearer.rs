//! Tokens as they stand in a field, and JWTs made of a header and claims, with a secret in the claims.
#![no_main]

use authtap_fuzz::{SECRET, field, hidden};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    field("Authorization", &[b"Bearer ", bytes].concat());
    hidden(field("Authorization", &[b"Bearer ", bytes, SECRET.as_bytes()].concat()).value.as_str());

    // A line break stands between header and claims.
    let cut = bytes.iter().position(|byte| *byte == b'\n').unwrap_or(bytes.len());
    let (header, claims) = bytes.split_at(cut);
    let part = |bytes: &[u8]| URL_SAFE_NO_PAD.encode(bytes);
    let jwt = |claims: &[u8]| field("Authorization", format!("Bearer {}.{}.x", part(header), part(claims)).as_bytes());
    jwt(claims);
    let planted = String::from_utf8_lossy(claims).replace('*', SECRET);
    hidden(jwt(planted.as_bytes()).value.as_str());
    field("Authorization", format!("Bearer {}.a.b.c.d", part(header)).as_bytes());
});
