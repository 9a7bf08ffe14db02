//! The short form of ActiveSync's query (MS-ASHTTP section 2.2.1.1.1.1): one word of base64 in the place of
//! `Cmd=…&User=…&DeviceId=…&DeviceType=…`.

use std::fmt::Write;

use base64::Engine;
use zeroize::Zeroizing;

use super::basic::LENIENT;
use super::url;

/// The paths that clients and proxies use for the directory.
const PATHS: [&str; 3] =
    ["/Microsoft-Server-ActiveSync", "/Microsoft-Server-ActiveSync/", "/Microsoft-Server-ActiveSync/default.eas"];

/// The versions of the protocol that know this form, times ten. Of any other word these bytes would tell something.
const VERSIONS: [u8; 5] = [121, 140, 141, 160, 161];

/// Commands by their codes.
const COMMANDS: [(u8, &str); 20] = [
    (0, "Sync"),
    (1, "SendMail"),
    (2, "SmartForward"),
    (3, "SmartReply"),
    (4, "GetAttachment"),
    (9, "FolderSync"),
    (10, "FolderCreate"),
    (11, "FolderDelete"),
    (12, "FolderUpdate"),
    (13, "MoveItems"),
    (14, "GetItemEstimate"),
    (15, "MeetingResponse"),
    (16, "Search"),
    (17, "Settings"),
    (18, "Ping"),
    (19, "ItemOperations"),
    (20, "Provision"),
    (21, "ResolveRecipients"),
    (22, "ValidateCert"),
    (23, "Find"),
];

/// Parameters of commands by their tags. Options are a byte of flags.
const PARAMETERS: [(u8, &str); 7] = [
    (0, "AttachmentName"),
    (1, "CollectionId"),
    (3, "ItemId"),
    (4, "LongId"),
    (6, "Occurrence"),
    (OPTIONS, "Options"),
    (8, "User"),
];
const OPTIONS: u8 = 7;

/// The same in the long form, with the version and the locale that only the short form has; still to be redacted. What
/// was cut off is left out. Nothing for another path or another query.
pub(super) fn long_form(path: &str, query: &str) -> Option<Zeroizing<String>> {
    if query.len() < 8 || !PATHS.iter().any(|known| known.eq_ignore_ascii_case(path)) {
        return None;
    }
    let plain = Zeroizing::new(url::percent_decoded(&query.replace('+', "%2B")).into_owned());
    let whole = plain.len() - plain.len() % 4;
    let decoded = LENIENT.decode(&*plain).or_else(|_| LENIENT.decode(plain.get(..whole).unwrap_or_default()));
    let decoded = Zeroizing::new(decoded.ok()?);
    let [version, command, low, high, rest @ ..] = &decoded[..] else { return None };
    let (_, name) = COMMANDS.iter().find(|(code, _)| code == command).filter(|_| VERSIONS.contains(version))?;
    let mut form = Zeroizing::new(format!("Cmd={name}"));
    // Of what is cut off nothing more can be said.
    let _ = parameters(rest, &mut form);
    let locale = u16::from_le_bytes([*low, *high]);
    let _ = write!(form, "&ProtocolVersion={}.{}&Locale={locale}", version / 10, version % 10);
    Some(form)
}

fn parameters(bytes: &[u8], form: &mut String) -> Option<()> {
    let (device, bytes) = counted(bytes)?;
    let (policy_key, bytes) = counted(bytes)?;
    let (kind, mut bytes) = counted(bytes)?;
    let mut fields = Vec::new();
    while let Some((tag, rest)) = bytes.split_first() {
        let Some((value, rest)) = counted(rest) else { break };
        fields.push((*tag, value));
        bytes = rest;
    }
    // The long form begins with who asks.
    let (user, others): (Vec<_>, Vec<_>) = fields.into_iter().partition(|(tag, _)| *tag == 8);
    for (tag, value) in user {
        add(tag, value, form);
    }
    if !device.is_empty() {
        pair("DeviceId", &device_id(device), form);
    }
    if !kind.is_empty() {
        pair("DeviceType", &String::from_utf8_lossy(kind), form);
    }
    if let Ok(key) = <[u8; 4]>::try_from(policy_key) {
        pair("PolicyKey", &u32::from_le_bytes(key).to_string(), form);
    }
    for (tag, value) in others {
        add(tag, value, form);
    }
    Some(())
}

fn add(tag: u8, value: &[u8], form: &mut String) {
    match (PARAMETERS.iter().find(|(known, _)| *known == tag), value) {
        (Some((OPTIONS, name)), [flags]) => pair(name, &flags.to_string(), form),
        (Some((_, name)), _) => pair(name, &String::from_utf8_lossy(value), form),
        (None, _) => pair("Parameter", &String::from_utf8_lossy(value), form),
    }
}

/// The long form spells out in hexadecimal digits what the short one may hold as bytes.
fn device_id(bytes: &[u8]) -> String {
    match std::str::from_utf8(bytes) {
        Ok(text) if text.bytes().all(|byte| byte.is_ascii_graphic()) => text.to_owned(),
        _ => {
            let digits = bytes.iter().flat_map(|byte| [byte >> 4, byte & 15]);
            digits.filter_map(|digit| char::from_digit(digit.into(), 16)).collect()
        }
    }
}

fn pair(name: &str, value: &str, form: &mut String) {
    form.extend(["&", name, "="]);
    url::encode_query(value, form);
}

/// A value with its length before it, and what follows.
fn counted(bytes: &[u8]) -> Option<(&[u8], &[u8])> {
    let (length, rest) = bytes.split_first()?;
    rest.split_at_checked(usize::from(*length))
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::super::Redactor;
    use super::*;

    fn query(command: u8, fields: &[(u8, &[u8])]) -> Vec<u8> {
        let mut bytes = vec![161, command, 0x09, 0x04, 4, 0xde, 0xad, 0xbe, 0xef, 4, 0x20, 0xeb, 0xd2, 0x45, 6];
        bytes.extend(b"iPhone");
        for (tag, value) in fields {
            bytes.extend([*tag, value.len() as u8]);
            bytes.extend(*value);
        }
        bytes
    }

    fn shown(redactor: &Redactor, query: &str) -> String {
        let raw = format!("https://mail.contoso.com/microsoft-server-activesync?{query}");
        let url = redactor.wire().url(raw.as_bytes());
        assert_eq!(redactor.own().url(url.text().as_str().as_bytes()), url);
        assert_eq!(Redactor::new().own().url(url.text().as_str().as_bytes()), url);
        url.query().unwrap_or_default().to_owned()
    }

    #[test]
    fn reads_like_the_long_form() {
        let redactor = Redactor::new();
        let short = query(9, &[(8, b"avery@contoso.com"), (1, b"7"), (7, &[3]), (0, b"The merger.docx"), (99, b"x y")]);
        assert_eq!(
            shown(&redactor, &LENIENT.encode(&short)),
            "Cmd=FolderSync&User=user%231@contoso.com&DeviceId=device%231&DeviceType=iPhone&PolicyKey=[hidden+%231]\
             &CollectionId=7&Options=3&AttachmentName=[hidden+%232]&Parameter=[hidden+%233]\
             &ProtocolVersion=16.1&Locale=1033"
        );
        let long = "Cmd=FolderSync&User=avery@contoso.com&DeviceId=deadbeef&DeviceType=iPhone";
        assert_eq!(
            shown(&redactor, long),
            "Cmd=FolderSync&User=user%231@contoso.com&DeviceId=device%231&DeviceType=iPhone"
        );
        let url = redactor.wire().url(
            format!("https://mail.contoso.com/Microsoft-Server-ActiveSync?{}", LENIENT.encode(query(20, &[])))
                .as_bytes(),
        );
        assert_eq!(url.query_value("cmd").as_deref(), Some("Provision"));
        assert_eq!(url.query_value("DeviceType").as_deref(), Some("iPhone"));
    }

    #[test]
    fn signs_of_base64_may_be_percent_encoded_and_the_end_may_be_cut() {
        let redactor = Redactor::new();
        let short = LENIENT.encode(query(18, &[(8, b"avery")]));
        let expected = "Cmd=Ping&User=user%231&DeviceId=device%231&DeviceType=iPhone&PolicyKey=[hidden+%231]\
                        &ProtocolVersion=16.1&Locale=1033";
        let encoded = short.replace('+', "%2B").replace('/', "%2f").replace('=', "%3D");
        assert_eq!((shown(&redactor, &short), shown(&redactor, &encoded)), (expected.to_owned(), expected.to_owned()));
        assert_eq!(shown(&redactor, &short[..9]), "Cmd=Ping&ProtocolVersion=16.1&Locale=1033");
    }

    #[test]
    fn what_is_something_else_stays_hidden() {
        let redactor = Redactor::new();
        for other in ["aHVudGVyMmh1bnRlcjI=", "hunter2hunter2", "oQkJ", &LENIENT.encode(query(77, &[]))] {
            assert!(shown(&redactor, other).starts_with("[hidden+%23"), "{other}");
        }
        let elsewhere = redactor.wire().url(format!("https://a.com/x?{}", LENIENT.encode(query(9, &[]))).as_bytes());
        assert!(elsewhere.query().unwrap().starts_with("[hidden+%23"));
    }

    #[test]
    fn a_path_alone_is_read_too() {
        let target = format!("/Microsoft-Server-ActiveSync?{}", LENIENT.encode(query(0, &[])));
        let field = Redactor::new().wire().field(b":path", target.as_bytes());
        assert!(field.value.as_str().starts_with("/Microsoft-Server-ActiveSync?Cmd=Sync&DeviceId=device%231"));
    }
}
