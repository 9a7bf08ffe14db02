//! The first bytes of a connection, in pieces. Any split of a ClientHello reads the same.
#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| authtap_fuzz::targets::hello(bytes));
