//! URLs, alone and with a secret in their query.
#![no_main]

use authtap_fuzz::{SECRET, hidden, url};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    url(bytes);
    url(&[b"https://login.microsoftonline.com/", bytes].concat());
    let code = format!("&code={SECRET}#access_token={SECRET}");
    hidden(url(&[b"https://mail.contoso.com/?", bytes, code.as_bytes()].concat()).text().as_str());
});
