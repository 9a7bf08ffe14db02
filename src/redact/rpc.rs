//! RPC over HTTP (MS-RPCH): what the headers of its PDUs say (C706 chapter 12, MS-RPCE), one line each. Never a payload.
//!
//! ```text
//! rts
//! bind call=1 auth=ntlm level=integrity message=type1
//! fault call=3 status=0x00000005 access-denied
//! ```

use std::fmt::Write;

use super::door::Door;
use super::ntlm;

/// More PDUs than this are not listed.
const MOST: usize = 256;
/// The header that all PDUs begin with.
const HEADER: usize = 16;

/// The list, and whether it goes to the end of `bytes`. Nothing where they are no PDUs.
pub(super) fn decode(bytes: &[u8]) -> Option<(String, bool)> {
    let mut out = String::new();
    let mut rest = bytes;
    for _ in 0..MOST {
        let Some(header) = Header::of(rest) else { break };
        if !out.is_empty() {
            out.push('\n');
        }
        let pdu = &rest[..header.length.min(rest.len())];
        header.write(pdu, &mut out);
        let Some(after) = rest.get(header.length..) else { return Some((out, false)) };
        if after.is_empty() {
            return Some((out, true));
        }
        rest = after;
    }
    (!out.is_empty()).then_some((out, false))
}

/// The same text read again: a line that could not have been written here is masked.
pub(super) fn reread(door: &Door<'_>, text: &str, out: &mut String) {
    for (at, line) in text.split('\n').enumerate() {
        out.push_str(if at > 0 { "\n" } else { "" });
        if is_line(line) { out.push_str(line) } else { door.hide(line, out) }
    }
}

fn is_line(line: &str) -> bool {
    let mut words = line.split(' ');
    let kind = words.next().is_some_and(|kind| KINDS.iter().any(|(_, known)| *known == kind));
    kind && words.all(|word| match word.split_once('=') {
        Some(("call", number)) => number.parse::<u32>().is_ok_and(|call| call.to_string() == number),
        Some(("reason", number)) => number.parse::<u16>().is_ok_and(|reason| reason.to_string() == number),
        Some(("status", number)) => number
            .strip_prefix("0x")
            .is_some_and(|hex| u32::from_str_radix(hex, 16).is_ok_and(|status| format!("{status:#010x}") == number)),
        Some(("auth", name)) => is_one_of(AUTHENTICATIONS, name),
        Some(("level", name)) => is_one_of(LEVELS, name),
        Some(("message", name)) => ["type1", "type2", "type3"].contains(&name),
        Some(_) => false,
        None => REASONS.contains(&word) || STATUSES.iter().any(|(_, known)| *known == word),
    })
}

/// Whether `name` stands for one of these numbers, or is another number.
fn is_one_of(table: &[(u8, &str)], name: &str) -> bool {
    let number = |name: &str| name.parse::<u8>().is_ok_and(|number| number.to_string() == name);
    table.iter().any(|(_, known)| *known == name) || number(name)
}

/// The common header of a PDU.
struct Header {
    kind: u8,
    little: bool,
    /// Of the whole PDU.
    length: usize,
    auth_length: usize,
}

impl Header {
    fn of(bytes: &[u8]) -> Option<Self> {
        let header = bytes.get(..HEADER)?;
        KINDS.iter().find(|(kind, _)| header[..2] == [5, 0] && *kind == header[2])?;
        let little = header[4] & 0x10 != 0;
        let number = |at: usize| usize::from(number16(header, at, little).unwrap_or_default());
        let (length, auth_length) = (number(8), number(10));
        (length >= HEADER).then_some(Self { kind: header[2], little, length, auth_length })
    }

    fn write(&self, pdu: &[u8], out: &mut String) {
        let name = KINDS.iter().find(|(kind, _)| *kind == self.kind).map_or("", |(_, name)| name);
        out.push_str(name);
        // A PDU that steers the channel belongs to no call.
        if self.kind != RTS {
            let _ = write!(out, " call={}", number32(pdu, 12, self.little).unwrap_or_default());
        }
        match self.kind {
            BIND_NAK => {
                if let Some(reason) = number16(pdu, 16, self.little) {
                    let _ = write!(out, " reason={reason}");
                    if let Some(name) = REASONS.get(usize::from(reason)) {
                        out.extend([" ", name]);
                    }
                }
            }
            FAULT => {
                if let Some(status) = number32(pdu, 24, self.little) {
                    let _ = write!(out, " status={status:#010x}");
                    if let Some((_, name)) = STATUSES.iter().find(|(known, _)| *known == status) {
                        out.extend([" ", name]);
                    }
                }
            }
            _ => {}
        }
        self.authentication(pdu, out);
    }

    /// The verifier at the end of the PDU: who vouches for it, and how far.
    fn authentication(&self, pdu: &[u8], out: &mut String) {
        const TRAILER: usize = 8;
        let start = self.length.checked_sub(self.auth_length + TRAILER).filter(|start| *start >= HEADER);
        let Some((kind, level, token)) = start
            .filter(|_| self.auth_length > 0)
            .and_then(|start| Some((*pdu.get(start)?, *pdu.get(start + 1)?, pdu.get(start + TRAILER..)?)))
        else {
            return;
        };
        let mut named = |key: &str, table: &[(u8, &str)], number: u8| {
            let _ = match table.iter().find(|(known, _)| *known == number) {
                Some((_, name)) => write!(out, " {key}={name}"),
                None => write!(out, " {key}={number}"),
            };
        };
        named("auth", AUTHENTICATIONS, kind);
        named("level", LEVELS, level);
        let message = memchr::memmem::find(token, ntlm::SIGNATURE).and_then(|at| token.get(at + 8));
        if let Some(number @ 1..=3) = message {
            let _ = write!(out, " message=type{number}");
        }
    }
}

fn number16(bytes: &[u8], at: usize, little: bool) -> Option<u16> {
    let bytes = *bytes.get(at..)?.first_chunk()?;
    Some(if little { u16::from_le_bytes(bytes) } else { u16::from_be_bytes(bytes) })
}

fn number32(bytes: &[u8], at: usize, little: bool) -> Option<u32> {
    let bytes = *bytes.get(at..)?.first_chunk()?;
    Some(if little { u32::from_le_bytes(bytes) } else { u32::from_be_bytes(bytes) })
}

const FAULT: u8 = 3;
const BIND_NAK: u8 = 13;
const RTS: u8 = 20;

static KINDS: &[(u8, &str)] = &[
    (0, "request"),
    (2, "response"),
    (FAULT, "fault"),
    (11, "bind"),
    (12, "bind_ack"),
    (BIND_NAK, "bind_nak"),
    (14, "alter_context"),
    (15, "alter_context_resp"),
    (16, "auth3"),
    (17, "shutdown"),
    (18, "co_cancel"),
    (19, "orphaned"),
    (RTS, "rts"),
];

static AUTHENTICATIONS: &[(u8, &str)] =
    &[(0, "none"), (9, "spnego"), (10, "ntlm"), (14, "schannel"), (16, "kerberos"), (68, "netlogon")];

static LEVELS: &[(u8, &str)] =
    &[(1, "none"), (2, "connect"), (3, "call"), (4, "packet"), (5, "integrity"), (6, "privacy")];

/// Why a bind is refused, by number.
static REASONS: [&str; 10] = [
    "not-specified",
    "temporary-congestion",
    "local-limit-exceeded",
    "called-address-unknown",
    "protocol-version-not-supported",
    "default-context-not-supported",
    "user-data-not-readable",
    "no-psap-available",
    "authentication-type-not-recognized",
    "invalid-checksum",
];

/// Why a call failed: C706 appendix E, and the Win32 codes that Windows puts there.
static STATUSES: &[(u32, &str)] = &[
    (0x0000_0005, "access-denied"),
    (0x0000_06ba, "server-unavailable"),
    (0x0000_06bb, "server-too-busy"),
    (0x0000_06be, "call-failed"),
    (0x0000_06c1, "proxy-access-denied"),
    (0x0000_06d9, "endpoint-not-registered"),
    (0x0000_06f7, "bad-stub-data"),
    (0x0000_0721, "security-package-error"),
    (0x1c00_001a, "context-mismatch"),
    (0x1c01_0001, "communication-failure"),
    (0x1c01_0002, "operation-out-of-range"),
    (0x1c01_0003, "unknown-interface"),
    (0x1c01_0009, "server-restarted"),
    (0x1c01_000b, "protocol-error"),
    (0x1c01_0014, "server-too-busy"),
];

#[cfg(test)]
mod tests {
    use super::super::Redactor;
    use super::*;

    fn pdu(kind: u8, body: &[u8], auth: &[u8]) -> Vec<u8> {
        let trailer = if auth.is_empty() { Vec::new() } else { [&[10, 5, 0, 0, 0, 0, 0, 0], auth].concat() };
        let length = (HEADER + body.len() + trailer.len()) as u16;
        let mut bytes = vec![5, 0, kind, 3, 0x10, 0, 0, 0];
        bytes.extend(length.to_le_bytes());
        bytes.extend((auth.len() as u16).to_le_bytes());
        bytes.extend(7_u32.to_le_bytes());
        [&bytes, body, &trailer].concat()
    }

    fn decoded(bytes: &[u8]) -> Option<(String, bool)> {
        let decoded = decode(bytes);
        if let Some((text, _)) = &decoded {
            let mut again = String::new();
            reread(&Redactor::new().own(), text, &mut again);
            assert_eq!(&again, text);
        }
        decoded
    }

    #[test]
    fn lists_what_the_headers_say() {
        let fault = [0, 0, 0, 0, 0, 0, 0, 0, 5, 0, 0, 0, 0, 0, 0, 0];
        let stream = [
            pdu(RTS, &[0; 4], b""),
            pdu(11, &[0; 12], b"NTLMSSP\0\x01\0\0\0"),
            pdu(BIND_NAK, &[8, 0, 0, 0], b""),
            pdu(FAULT, &fault, b""),
            pdu(2, b"hunter2", &[9; 16]),
        ]
        .concat();
        let text = "rts\nbind call=7 auth=ntlm level=integrity message=type1\n\
                    bind_nak call=7 reason=8 authentication-type-not-recognized\n\
                    fault call=7 status=0x00000005 access-denied\nresponse call=7 auth=ntlm level=integrity";
        assert_eq!(decoded(&stream), Some((text.to_owned(), true)));
        let cut = text.strip_suffix(" auth=ntlm level=integrity").unwrap_or_default();
        assert_eq!(decoded(&stream[..stream.len() - 24]), Some((cut.to_owned(), false)));
    }

    #[test]
    fn reads_either_byte_order() {
        let mut bytes = vec![5, 0, FAULT, 3, 0, 0, 0, 0, 0, 32, 0, 0, 0, 0, 0, 9];
        bytes.extend([0; 8]);
        bytes.extend(0x1c01_0003_u32.to_be_bytes());
        bytes.extend([0; 4]);
        assert_eq!(decoded(&bytes), Some(("fault call=9 status=0x1c010003 unknown-interface".to_owned(), true)));
    }

    #[test]
    fn what_is_no_pdu_is_not_read() {
        for bytes in [&b""[..], b"hunter2 hunter2 hunter2", &[5, 0, 0, 3, 0x10, 0, 0, 0, 15, 0, 0, 0, 1, 0, 0, 0]] {
            assert_eq!(decoded(bytes), None);
        }
        assert_eq!(decoded(&[pdu(RTS, b"", b""), b"hunter2".to_vec()].concat()), Some(("rts".to_owned(), false)));
    }

    #[test]
    fn a_forged_line_carries_no_text() {
        for line in ["hunter2", "rts hunter2", "rts call=hunter2", "fault auth=hunter2", "bind x=hunter2"] {
            let mut out = String::new();
            reread(&Redactor::new().own(), line, &mut out);
            assert_eq!(out, "[hidden #1]");
        }
    }
}
