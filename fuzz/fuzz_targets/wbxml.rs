//! ActiveSync's bodies, whole and with a secret anywhere in them.
#![no_main]

use authtap_fuzz::{body, hidden, planted, text};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let (whole, planted) = planted(bytes);
    body("application/vnd.ms-sync", "", false, whole);
    hidden(text(&body("application/vnd.ms-sync", "", false, &planted)));
});
