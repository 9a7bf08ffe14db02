//! Any bytes pass the redactor without a panic, and what came out once comes out again as it is.
#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| authtap_fuzz::targets::redact(bytes));
