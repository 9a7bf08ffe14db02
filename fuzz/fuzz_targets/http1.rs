//! HTTP/1, both directions in pieces. Any split gives the same events and the same exchanges.
#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| authtap_fuzz::targets::http1(bytes));
