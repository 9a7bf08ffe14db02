//! ActiveSync's short query, whole and with a secret anywhere in it.
#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| authtap_fuzz::targets::eas(bytes));
