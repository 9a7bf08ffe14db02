//! One direction of a WebSocket in pieces. Any split gives the same messages.
#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| authtap_fuzz::targets::websocket(bytes));
