//! Bodies by their type and coding.
#![no_main]

use authtap_fuzz::body;
use libfuzzer_sys::fuzz_target;

const TYPES: [&str; 16] = [
    "",
    "application/json",
    "application/x-www-form-urlencoded",
    "text/xml",
    "application/soap+xml; charset=utf-8",
    "text/html",
    "text/html; charset=shift_jis",
    "text/plain",
    "text/plain; charset=utf-16",
    "application/vnd.ms-sync.wbxml",
    "application/vnd.ms-sync",
    "application/mapi-http",
    "application/rpc",
    "multipart/mixed",
    "application/octet-stream",
    "application/problem+json",
];

fuzz_target!(|bytes: &[u8]| {
    let Some((choice, bytes)) = bytes.split_first() else { return };
    let coding = ["", "gzip", "deflate", "br"][usize::from(choice >> 4 & 3)];
    body(TYPES[usize::from(choice & 15)], coding, choice & 0x80 != 0, bytes);
});
