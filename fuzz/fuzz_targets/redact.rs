//! Any bytes pass the redactor without a panic, and what came out once comes out again as it is.
#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|input: (&[u8], &[u8], u8)| authtap_fuzz::targets::redact(input.0, input.1, input.2));
