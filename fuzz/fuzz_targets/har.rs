//! Any bytes are read as an archive without a panic, and what is read from the same bytes twice is the same.
#![no_main]

use std::path::Path;

use authtap::redact::Redactor;
use authtap::session::har::Har;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let read = |bytes: &[u8]| {
        let archive = Har::of_text(bytes.to_vec().into(), Path::new("fuzz.har"), &Redactor::new());
        archive.map(|archive| archive.exchanges().map(|read| read.map(|exchange| exchange.id)).collect::<Vec<_>>())
    };
    let first = read(bytes);
    assert!(read(bytes) == first);
    // The same as one entry of an archive.
    let entry = [b"{\"log\":{\"entries\":[".as_slice(), bytes, b"]}}"].concat();
    let _ = read(&entry);
});
