//! HTTP/2, both directions in pieces. Any split gives the same events, and a head is never longer than its bound.
#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| authtap_fuzz::targets::http2(bytes));
