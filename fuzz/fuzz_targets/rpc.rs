//! PDUs of RPC over HTTP, whole and with a secret anywhere in them.
#![no_main]

use authtap_fuzz::{body, hidden, planted, text};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let (whole, planted) = planted(bytes);
    body("application/rpc", "", false, whole);
    hidden(text(&body("application/rpc", "", false, &planted)));
});
