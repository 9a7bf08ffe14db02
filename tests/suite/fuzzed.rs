//! The committed corpus of the fuzzers, with every input that once broke something, holds on every run: the targets
//! are kept from rotting, and no nightly toolchain is needed for that.

use std::fs;
use std::path::Path;

#[path = "../../fuzz/src/lib.rs"]
#[allow(
    dead_code,
    unreachable_pub,
    clippy::pedantic,
    clippy::restriction,
    missing_docs,
    reason = "a crate of its own, built for the fuzzers"
)]
mod targets_of_the_fuzzers;

#[test]
fn every_target_holds_on_its_corpus() {
    for (target, run) in targets_of_the_fuzzers::targets::ALL {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz/corpus").join(target);
        let mut files: Vec<_> = fs::read_dir(&folder).unwrap().map(|file| file.unwrap().path()).collect();
        files.sort();
        assert!(files.len() >= 2, "{target} has no corpus");
        for file in files {
            eprintln!("{}", file.display());
            let bytes = fs::read(&file).unwrap();
            run(&bytes);
            // Cut off, as captures are; and with one byte changed.
            for part in 1..8 {
                let at = bytes.len() * part / 8;
                run(&bytes[..at]);
                let mut changed = bytes.clone();
                if let Some(byte) = changed.get_mut(at) {
                    *byte ^= 0x11;
                }
                run(&changed);
            }
        }
    }
}
