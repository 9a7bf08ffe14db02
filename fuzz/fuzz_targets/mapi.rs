//! Answers of MAPI over HTTP, whole and with a secret behind their codes.
#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| authtap_fuzz::targets::mapi(bytes));
