//! Tokens as they stand in a field, and JWTs made of a header and claims, with a secret in the claims.
#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| authtap_fuzz::targets::bearer(bytes));
