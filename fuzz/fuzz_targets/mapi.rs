//! Answers of MAPI over HTTP, whole and with a secret behind their codes.
#![no_main]

use authtap_fuzz::{SECRET, body, hidden, text};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    body("application/mapi-http", "", false, bytes);
    let secret = [bytes, b"\r\nDONE\r\n\r\n\0\0\0\0\0\0\0\0", SECRET.as_bytes()].concat();
    hidden(text(&body("application/mapi-http", "", true, &secret)));
});
