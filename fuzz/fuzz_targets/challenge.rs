//! Challenges, alone and with a secret in a parameter behind them.
#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| authtap_fuzz::targets::challenge(bytes));
