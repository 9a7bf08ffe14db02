//! The root certificate as a configuration profile, the form that iOS and iPadOS take.

use std::fmt::Write as _;

use base64::Engine;
use base64::prelude::BASE64_STANDARD;

use super::super::escaped;
use crate::proxy::certificates::Authority;
use crate::proxy::tls::crypto;

/// The profile. Its ids follow from the certificate: the same root is the same profile, another root another one.
pub(super) fn profile(authority: &Authority) -> String {
    let digest = crypto::sha256(authority.certificate());
    let (root, own) = digest.split_at(16);
    let name = escaped(authority.name());
    format!(
        r#"<?xml version="1.0" encoding="UTF-8"?>
<!DOCTYPE plist PUBLIC "-//Apple//DTD PLIST 1.0//EN" "http://www.apple.com/DTDs/PropertyList-1.0.dtd">
<plist version="1.0">
<dict>
	<key>PayloadContent</key>
	<array>
		<dict>
			<key>PayloadCertificateFileName</key>
			<string>authtap-ca.cer</string>
			<key>PayloadContent</key>
			<data>{certificate}</data>
			<key>PayloadDescription</key>
			<string>{name}</string>
			<key>PayloadDisplayName</key>
			<string>{name}</string>
			<key>PayloadIdentifier</key>
			<string>authtap.root.{root}</string>
			<key>PayloadType</key>
			<string>com.apple.security.root</string>
			<key>PayloadUUID</key>
			<string>{root}</string>
			<key>PayloadVersion</key>
			<integer>1</integer>
		</dict>
	</array>
	<key>PayloadDescription</key>
	<string>For debugging: whoever runs this authtap can read the traffic of this device. Remove it when you are done. / デバッグ用: この authtap の利用者は、この端末の通信を読み取れます。終わったら削除してください。</string>
	<key>PayloadDisplayName</key>
	<string>{name}</string>
	<key>PayloadIdentifier</key>
	<string>authtap.profile.{own}</string>
	<key>PayloadRemovalDisallowed</key>
	<false/>
	<key>PayloadType</key>
	<string>Configuration</string>
	<key>PayloadUUID</key>
	<string>{own}</string>
	<key>PayloadVersion</key>
	<integer>1</integer>
</dict>
</plist>
"#,
        certificate = BASE64_STANDARD.encode(authority.certificate()),
        root = uuid(root),
        own = uuid(own),
    )
}

/// 16 bytes as a UUID of version 8, which is for digests.
fn uuid(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(36);
    for (at, byte) in bytes.iter().enumerate() {
        let byte = match at {
            6 => byte & 0x0f | 0x80,
            8 => byte & 0x3f | 0x80,
            _ => *byte,
        };
        if matches!(at, 4 | 6 | 8 | 10) {
            text.push('-');
        }
        let _ = write!(text, "{byte:02X}");
    }
    text
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn it_is_xml_that_holds_the_certificate() {
        let folder = tempfile::tempdir().unwrap();
        let authority = Authority::load_or_create(folder.path()).unwrap();
        let profile = profile(&authority);
        let (_, data) = profile.split_once("<data>").unwrap();
        let (data, _) = data.split_once("</data>").unwrap();
        assert_eq!(BASE64_STANDARD.decode(data).unwrap(), authority.certificate().as_ref());
        let mut reader = quick_xml::Reader::from_str(&profile);
        let mut depth = 0;
        loop {
            match reader.read_event().unwrap() {
                quick_xml::events::Event::Start(_) => depth += 1,
                quick_xml::events::Event::End(_) => depth -= 1,
                quick_xml::events::Event::Eof => break,
                _ => {}
            }
        }
        assert_eq!(depth, 0);
        assert_eq!(profile, super::profile(&authority), "the same root is the same profile");
    }

    #[test]
    fn an_id_is_a_uuid() {
        assert_eq!(uuid(&[0xff; 16]), "FFFFFFFF-FFFF-8FFF-BFFF-FFFFFFFFFFFF");
    }
}
