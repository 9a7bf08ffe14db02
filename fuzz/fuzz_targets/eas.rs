//! ActiveSync's short query, whole and with a secret anywhere in it.
#![no_main]

use authtap_fuzz::{hidden, planted, url};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    const DIRECTORY: &str = "https://mail.contoso.com/Microsoft-Server-ActiveSync?";
    let (whole, planted) = planted(bytes);
    url(format!("{DIRECTORY}{}", STANDARD.encode(whole)).as_bytes());
    hidden(url(format!("{DIRECTORY}{}", STANDARD.encode(planted)).as_bytes()).text().as_str());
    url(&[DIRECTORY.as_bytes(), whole].concat());
});
