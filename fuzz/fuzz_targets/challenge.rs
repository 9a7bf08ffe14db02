//! Challenges, alone and with a secret in a parameter behind them.
#![no_main]

use authtap_fuzz::{SECRET, field, hidden};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let bytes = bytes.trim_ascii();
    for name in ["WWW-Authenticate", "Proxy-Authenticate", "Authentication-Info"] {
        field(name, bytes);
        let nonce = format!(", nonce=\"{SECRET}\"");
        hidden(field(name, &[bytes, nonce.as_bytes()].concat()).value.as_str());
    }
});
