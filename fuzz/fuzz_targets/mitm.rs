//! Any bytes are read as flows without a panic, and what is read from the same bytes twice is the same.
#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| authtap_fuzz::targets::mitm(bytes));
