//! SPNEGO, Kerberos and NTLM in `Negotiate`, whole and with a secret anywhere in them.
#![no_main]

use authtap_fuzz::{planted, token};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let (whole, planted) = planted(bytes);
    token("Negotiate", whole);
    token("Negotiate", &planted);
});
