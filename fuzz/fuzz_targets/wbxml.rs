//! ActiveSync's bodies, whole and with a secret anywhere in them.
#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| authtap_fuzz::targets::wbxml(bytes));
