//! Any bytes are read as an archive, and as the members of one, without a panic; twice, and alike.
#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| authtap_fuzz::targets::saz(bytes));
