//! Any bytes are read as pasted text without a panic, there is always an exchange, and whatever is found can be diagnosed.
#![no_main]

use authtap::diagnosis::{Capture, Diagnosis};
use authtap::exchange::{Ids, Timestamp};
use authtap::redact::Redactor;
use authtap::session::paste;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let exchanges = paste::read(bytes, &Redactor::new(), &Ids::default(), Timestamp::default());
    assert!(!exchanges.is_empty());
    let mut diagnosis = Diagnosis::new(Capture::Imported);
    for exchange in &exchanges {
        diagnosis.observe(exchange);
    }
    diagnosis.finish();
});
