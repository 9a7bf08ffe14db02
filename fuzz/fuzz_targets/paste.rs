//! Any bytes are read as pasted text without a panic, there is always an exchange, and whatever is found can be diagnosed.
#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| authtap_fuzz::targets::paste(bytes));
