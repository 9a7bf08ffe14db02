//! Recorded exchanges through every decoder of clean text and every rule.
#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| authtap_fuzz::targets::decoders(bytes));
