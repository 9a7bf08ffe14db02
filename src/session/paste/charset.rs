//! Pasted bytes as text, whatever charset the clipboard, shell or editor left them in.

use std::borrow::Cow;

use encoding_rs::{Encoding, SHIFT_JIS, UTF_16BE, UTF_16LE, WINDOWS_1252};

/// `bytes` as text: by its byte order mark, as UTF-16 without one, as UTF-8, as Shift_JIS where kana come out, else as
/// Windows-1252. Nothing is refused.
pub(super) fn decoded(bytes: &[u8]) -> Cow<'_, str> {
    if Encoding::for_bom(bytes).is_some() {
        return WINDOWS_1252.decode(bytes).0;
    }
    if let Some(encoding) = utf16(bytes) {
        return encoding.decode_without_bom_handling(bytes).0;
    }
    if let Ok(text) = std::str::from_utf8(bytes) {
        return Cow::Borrowed(text);
    }
    if let Some(text) = SHIFT_JIS.decode_without_bom_handling_and_without_replacement(bytes)
        && text.contains(|c| ('\u{3041}'..='\u{30FA}').contains(&c))
    {
        return text;
    }
    WINDOWS_1252.decode_without_bom_handling(bytes).0
}

/// HTTP is mostly ASCII: in UTF-16 every other byte of its first line is zero.
fn utf16(bytes: &[u8]) -> Option<&'static Encoding> {
    let start = &bytes[..bytes.len().min(64)];
    let zeros = |from: usize| start.iter().skip(from).step_by(2).filter(|byte| **byte == 0).count();
    let (even, odd) = (zeros(0), zeros(1));
    let most = start.len() / 2 * 3 / 4;
    match () {
        () if start.len() < 4 => None,
        () if odd > most && even == 0 => Some(UTF_16LE),
        () if even > most && odd == 0 => Some(UTF_16BE),
        () => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_what_editors_and_shells_write() {
        let text = "HTTP/1.1 401 Unauthorized é\r\n";
        let utf16: Vec<u8> = text.encode_utf16().flat_map(u16::to_le_bytes).collect();
        let big: Vec<u8> = text.encode_utf16().flat_map(u16::to_be_bytes).collect();
        assert_eq!(decoded(text.as_bytes()), text);
        assert_eq!(decoded(format!("\u{FEFF}{text}").as_bytes()), text);
        assert_eq!(decoded(&utf16), text);
        assert_eq!(decoded(&big), text);
        assert_eq!(decoded(&[b"\xFF\xFE".as_slice(), &utf16].concat()), text);
        assert_eq!(decoded(&[b"\xFE\xFF".as_slice(), &big].concat()), text);
        assert_eq!(decoded(&WINDOWS_1252.encode(text).0), text);
        assert_eq!(decoded(&SHIFT_JIS.encode("移行先の資格情報").0), "移行先の資格情報");
    }

    #[test]
    fn refuses_nothing() {
        assert_eq!(decoded(b""), "");
        assert_eq!(decoded(b"\x00\x01\xff\x07PK"), "\u{0}\u{1}\u{ff}\u{7}PK");
    }
}
