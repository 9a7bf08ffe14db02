//! ActiveSync's WBXML (MS-ASWBXML) as indented text: the names of all elements, and the values of those that say how the
//! protocol stands. What people wrote, and whatever names them or keeps their place, is masked.
//!
//! ```text
//! <FolderSync>
//!   <Status>142</Status>
//! </FolderSync>
//! ```

mod pages;

use std::fmt::Write;

use super::door::Door;
use super::memory::Kind;
use super::names::Treatment;

/// Elements are not followed deeper.
const DEPTH: usize = 32;
/// The text is not written on beyond this length.
const LONGEST: usize = 64 * 1024;

const SWITCH_PAGE: u8 = 0x00;
const END: u8 = 0x01;
const ENTITY: u8 = 0x02;
const STRING: u8 = 0x03;
const STRING_TABLE: u8 = 0x83;
const OPAQUE: u8 = 0xc3;
/// Tokens without a meaning of their own in this protocol: literals, extensions, processing instructions.
const FOREIGN: [u8; 13] = [0x04, 0x40, 0x41, 0x42, 0x43, 0x44, 0x80, 0x81, 0x82, 0x84, 0xc0, 0xc1, 0xc2];
const CONTENT: u8 = 0x40;
const ATTRIBUTES: u8 = 0x80;

/// The text of a document, and whether it was read to its end. Nothing where it is no WBXML.
pub(super) fn decode(door: &Door<'_>, bytes: &[u8]) -> Option<(String, bool)> {
    let mut reader = Reader { bytes };
    if !(1..=3).contains(&reader.byte()?) {
        return None;
    }
    if reader.number()? == 0 {
        reader.number()?;
    }
    let _charset = reader.number()?;
    let table = usize::try_from(reader.number()?).ok()?;
    let table = reader.take(table)?;
    let mut page = Page { door, out: String::new(), open: Vec::new() };
    let complete = page.document(&mut reader, table).is_some();
    (!page.out.is_empty()).then(|| (page.finish(), complete))
}

/// The same text read again: what does not belong to it is masked.
pub(super) fn reread(door: &Door<'_>, text: &str, out: &mut String) {
    for (at, line) in text.split('\n').enumerate() {
        out.push_str(if at > 0 { "\n" } else { "" });
        let line_start = out.len();
        let bare = line.trim_start_matches(' ');
        let indent = (line.len() - bare.len()).min(2 * DEPTH);
        out.extend(std::iter::repeat_n(' ', indent));
        match element(bare) {
            Some((_, Part::Tag)) => out.push_str(bare),
            Some((name, Part::Value(text))) => leaf(door, name, text, out),
            None => {
                out.truncate(line_start + indent);
                door.hide(bare, out);
            }
        }
    }
}

enum Part<'t> {
    /// An opening, closing or empty tag.
    Tag,
    Value(&'t str),
}

/// The element of a line, where it is one that could have been written here.
fn element(line: &str) -> Option<(&str, Part<'_>)> {
    let known = |name: &str| pages::is_name(name) || is_unknown(name);
    let (tag, rest) = line.strip_prefix('<')?.split_once('>')?;
    let name = tag.strip_prefix('/').or_else(|| tag.strip_suffix('/')).unwrap_or(tag);
    if !known(name) {
        return None;
    }
    if rest.is_empty() {
        return Some((name, Part::Tag));
    }
    let value = rest.strip_suffix('>')?.strip_suffix(name)?.strip_suffix("</")?;
    (tag == name).then_some((name, Part::Value(value)))
}

/// A token without a name: `unknown-25-3f`.
fn is_unknown(name: &str) -> bool {
    name.strip_prefix("unknown-").and_then(|rest| rest.split_once('-')).is_some_and(|(page, token)| {
        page.len() <= 3
            && page.bytes().all(|byte| byte.is_ascii_digit())
            && token.len() == 2
            && token.bytes().all(|byte| byte.is_ascii_hexdigit())
    })
}

/// An element with nothing but a text in it.
fn leaf(door: &Door<'_>, name: &str, text: &str, out: &mut String) {
    out.extend(["<", name, ">"]);
    let mut shown = String::new();
    value(door, name, text, &mut shown);
    if shown.contains(|c: char| matches!(c, '<' | '>' | '&') || c.is_control()) {
        shown.clear();
        door.hide(text, &mut shown);
    }
    out.extend([shown.as_str(), "</", name, ">"]);
}

fn value(door: &Door<'_>, name: &str, text: &str, out: &mut String) {
    let shown = match name {
        // Nothing is synchronised or provisioned yet; any other key is somebody's.
        "SyncKey" | "PolicyKey" => text == "0",
        "Class" => ["Email", "Calendar", "Contacts", "Tasks", "Notes", "SMS"].contains(&text),
        "PolicyType" => ["MS-EAS-Provisioning-WBXML", "MS-WAP-Provisioning-XML"].contains(&text),
        "Model" | "OS" | "OSLanguage" | "UserAgent" => return door.treat(Treatment::Product, text, out),
        "SMTPAddress" | "PrimarySmtpAddress" | "EmailAddress" | "UserName" => {
            return door.treat(Treatment::Identity(Kind::User), text, out);
        }
        "IMEI" | "FriendlyName" | "PhoneNumber" => return door.treat(Treatment::Identity(Kind::Device), text, out),
        name => is_state(name) && (1..=10).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_digit()),
    };
    if shown { out.push_str(text) } else { door.hide(text, out) }
}

/// Whether an element's number says how the protocol or a policy stands.
fn is_state(name: &str) -> bool {
    const NAMES: &[&str] = &[
        "Status",
        "HeartbeatInterval",
        "MaxFolders",
        "WindowSize",
        "Count",
        "Estimate",
        "Wait",
        "Limit",
        "GetChanges",
        "DeletesAsMoves",
        "FilterType",
        "Truncation",
        "TruncationSize",
        "AllOrNone",
        "MIMESupport",
        "MIMETruncation",
        "Conflict",
        "ConversationMode",
        "MaxItems",
        "OofState",
        "Enabled",
        "Total",
        "RecipientCount",
        "CertificateCount",
        "EnableOutboundSMS",
        "RightsManagementSupport",
        "SendDisabled",
        "DevicePasswordEnabled",
        "AlphanumericDevicePasswordRequired",
        "PasswordRecoveryEnabled",
        "AttachmentsEnabled",
        "MinDevicePasswordLength",
        "MaxInactivityTimeDeviceLock",
        "MaxDevicePasswordFailedAttempts",
        "DevicePasswordExpiration",
        "DevicePasswordHistory",
        "MinDevicePasswordComplexCharacters",
    ];
    // The settings of a policy.
    let policy = |start: &str| name.len() > start.len() + 3 && name.starts_with(start);
    NAMES.contains(&name) || policy("Allow") || policy("Require") || (policy("Max") && name != "MaxPictures")
}

/// The text in the making.
struct Page<'a, 'd> {
    door: &'a Door<'d>,
    out: String,
    open: Vec<Open>,
}

/// An element that has not ended.
struct Open {
    name: String,
    text: String,
    /// Its tag stands on a line of its own.
    split: bool,
}

impl Page<'_, '_> {
    fn document(&mut self, reader: &mut Reader<'_>, table: &[u8]) -> Option<()> {
        let mut page = 0;
        while self.out.is_empty() || !self.open.is_empty() {
            if self.out.len() > LONGEST {
                return None;
            }
            match reader.byte()? {
                SWITCH_PAGE => page = reader.byte()?,
                END => self.end()?,
                ENTITY => {
                    let sign = char::from_u32(reader.number()?)?;
                    self.open.last_mut()?.text.push(sign);
                }
                STRING => self.text(reader.string()?)?,
                STRING_TABLE => {
                    let from = usize::try_from(reader.number()?).ok()?;
                    self.text(Reader { bytes: table.get(from..)? }.string()?)?;
                }
                OPAQUE => {
                    let length = usize::try_from(reader.number()?).ok()?;
                    let bytes = reader.take(length)?;
                    self.text(bytes)?;
                }
                token if FOREIGN.contains(&token) || token & ATTRIBUTES != 0 => return None,
                token => self.start(page, token & !CONTENT, token & CONTENT != 0)?,
            }
        }
        Some(())
    }

    fn start(&mut self, page: u8, token: u8, content: bool) -> Option<()> {
        self.split();
        if self.open.len() >= DEPTH {
            return None;
        }
        let name = pages::name(page, token).map_or_else(|| format!("unknown-{page}-{token:02x}"), str::to_owned);
        if content {
            self.open.push(Open { name, text: String::new(), split: false });
            // The first element of all makes the text one.
            if self.open.len() == 1 {
                self.split();
            }
        } else {
            self.line(self.open.len());
            let _ = write!(self.out, "<{name}/>");
        }
        Some(())
    }

    fn text(&mut self, bytes: &[u8]) -> Option<()> {
        let text = self.door.text(bytes);
        let open = self.open.last_mut()?;
        (open.text.len() + text.len() <= LONGEST).then(|| open.text.push_str(&text))
    }

    fn end(&mut self) -> Option<()> {
        let Open { name, text, split } = self.open.pop()?;
        self.line(self.open.len());
        if split {
            if !text.is_empty() {
                self.out.push_str("  ");
                self.door.hide(&text, &mut self.out);
                self.line(self.open.len());
            }
            let _ = write!(self.out, "</{name}>");
        } else {
            leaf(self.door, &name, &text, &mut self.out);
        }
        Some(())
    }

    /// Puts the tag of the element at hand on a line of its own, since something follows in it.
    fn split(&mut self) {
        let depth = self.open.len();
        let Some(open) = self.open.last_mut().filter(|open| !open.split) else { return };
        open.split = true;
        let tag = format!("<{}>", open.name);
        self.line(depth - 1);
        self.out.push_str(&tag);
    }

    fn line(&mut self, depth: usize) {
        if !self.out.is_empty() {
            self.out.push('\n');
        }
        self.out.extend(std::iter::repeat_n("  ", depth));
    }

    /// The text, with the tag of an element that was cut off at its beginning.
    fn finish(mut self) -> String {
        self.split();
        self.out
    }
}

struct Reader<'a> {
    bytes: &'a [u8],
}

impl<'a> Reader<'a> {
    fn byte(&mut self) -> Option<u8> {
        let (first, rest) = self.bytes.split_first()?;
        self.bytes = rest;
        Some(*first)
    }

    /// A number of seven bits a byte, of at most five bytes.
    fn number(&mut self) -> Option<u32> {
        let mut number = 0_u32;
        for _ in 0..5 {
            let byte = self.byte()?;
            number = number << 7 | u32::from(byte & 0x7f);
            if byte & 0x80 == 0 {
                return Some(number);
            }
        }
        None
    }

    fn take(&mut self, length: usize) -> Option<&'a [u8]> {
        let (taken, rest) = self.bytes.split_at_checked(length)?;
        self.bytes = rest;
        Some(taken)
    }

    /// A string up to its NUL.
    fn string(&mut self) -> Option<&'a [u8]> {
        let text = self.take(memchr::memchr(0, self.bytes)?)?;
        self.byte()?;
        Some(text)
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::super::Redactor;
    use super::*;

    /// A document of page switches, tokens and texts.
    fn document(parts: &[&[u8]]) -> Vec<u8> {
        [&[3, 1, 0x6a, 0][..], &parts.concat()].concat()
    }

    fn decoded(bytes: &[u8]) -> Option<(String, bool)> {
        let redactor = Redactor::new();
        let decoded = decode(&redactor.wire(), bytes);
        if let Some((text, _)) = &decoded {
            let mut again = String::new();
            reread(&redactor.own(), text, &mut again);
            assert_eq!(&again, text);
        }
        decoded
    }

    #[test]
    fn a_device_that_must_provision_is_told_so() {
        let bytes = document(&[&[0, 7, 0x56, 0x4c, 3], b"142\0", &[1, 1]]);
        let text = "<FolderSync>\n  <Status>142</Status>\n</FolderSync>";
        assert_eq!(decoded(&bytes), Some((text.to_owned(), true)));
    }

    #[test]
    fn policies_are_shown_and_keys_are_not() {
        let bytes = document(&[
            &[0, 14, 0x45, 0x4b, 3],
            b"1\0",
            &[1, 0x46, 0x47, 0x48, 3],
            b"MS-EAS-Provisioning-WBXML\0",
            &[1, 0x49, 3],
            b"1307199584\0",
            &[1, 0x4a, 0x4d, 0x4e, 3],
            b"1\0",
            &[1, 0x54, 3],
            b"6\0",
            &[1, 0x13, 1, 1, 1, 1, 0x0c, 1],
        ]);
        let (text, complete) = decoded(&bytes).unwrap();
        assert!(complete);
        assert_eq!(
            text,
            "<Provision>\n  <Status>1</Status>\n  <Policies>\n    <Policy>\n      \
             <PolicyType>MS-EAS-Provisioning-WBXML</PolicyType>\n      <PolicyKey>[hidden #1]</PolicyKey>\n      \
             <Data>\n        <EASProvisionDoc>\n          <DevicePasswordEnabled>1</DevicePasswordEnabled>\n          \
             <MinDevicePasswordLength>6</MinDevicePasswordLength>\n          <AttachmentsEnabled/>\n        \
             </EASProvisionDoc>\n      </Data>\n    </Policy>\n  </Policies>\n  <RemoteWipe/>\n</Provision>"
        );
    }

    #[test]
    fn what_people_wrote_stays_away() {
        let bytes = document(&[
            &[0x45, 0x4b, 3],
            b"0\0",
            &[1, 0x5c, 0x4f, 0x4b, 3],
            b"1234567890\0",
            &[1, 0x50, 3],
            b"Email\0",
            &[1, 0x5d, 0, 2, 0x54, 3],
            b"The merger\0",
            &[1, 0x56, 3],
            b"\"Avery\" <avery@contoso.com>\0",
            &[1, 0, 17, 0x4a, 0x4b, 0xc3, 4],
            b"on <",
            &[1, 1, 0, 18, 0x5a, 3],
            b"iOS 18.1\0",
            &[1, 0x63, 3],
            b"avery@contoso.com\0",
            &[1, 0x57, 3],
            b"a\nb\0",
            &[1, 0x7e, 1, 1, 1, 1, 1],
        ]);
        let (text, complete) = decoded(&bytes).unwrap();
        assert!(complete, "{text}");
        assert_eq!(
            text,
            "<Sync>\n  <SyncKey>0</SyncKey>\n  <Collections>\n    <Collection>\n      \
             <SyncKey>[hidden #1]</SyncKey>\n      <Class>Email</Class>\n      <ApplicationData>\n        \
             <Subject>[hidden #2]</Subject>\n        <To>[hidden #3]</To>\n        <Body>\n          \
             <Data>[hidden #4]</Data>\n        </Body>\n        <OS>iOS 18.1</OS>\n        \
             <PrimarySmtpAddress>user#1@contoso.com</PrimarySmtpAddress>\n        <Model>a\\nb</Model>\n        \
             <unknown-18-3e></unknown-18-3e>\n      </ApplicationData>\n    </Collection>\n  </Collections>\n</Sync>"
                .replace("a\\nb", "[hidden #5]")
        );
    }

    #[test]
    fn what_was_cut_off_or_is_foreign_ends_the_text() {
        let bytes = document(&[&[0, 7, 0x56, 0x4c, 3], b"142\0", &[1, 0x52, 3], b"123"]);
        assert_eq!(decoded(&bytes), Some(("<FolderSync>\n  <Status>142</Status>\n  <SyncKey>".to_owned(), false)));
        assert_eq!(decoded(&document(&[&[0x45, 0x84, 1]])), Some(("<Sync>".to_owned(), false)));
        for none in [&b""[..], b"\x03\x01\x6a\x00", b"\x03\x01\x6a\x00\x01", b"<html>", b"\x03\x01\x6a\x09ab"] {
            assert_eq!(decoded(none), None, "{none:?}");
        }
        let deep = document(&[&[0x5c; 100]]);
        assert!(!decoded(&deep).unwrap().1);
    }

    #[test]
    fn a_forged_line_carries_no_text() {
        let redactor = Redactor::new();
        for line in
            ["hunter2", "<hunter2>", "<Status>hunter2</Status>", "<Status a=\"hunter2\">", "<Subject>12</Subject>"]
        {
            let mut out = String::new();
            reread(&redactor.own(), line, &mut out);
            assert!(!out.contains("hunter2") && !out.contains("12"), "{out}");
        }
    }
}
