//! The answers of MAPI over HTTP (MS-OXCMAPIHTTP): how the server went about the request, the header fields it sent
//! after all, and the two codes that every answer begins with. Not what was asked or told.
//!
//! ```text
//! PROCESSING
//! DONE
//! X-ElapsedTime: 15
//!
//! StatusCode: 0x00000000
//! ErrorCode: 0x80070005 ecAccessDenied
//! ```

use std::fmt::Write;

use super::door::Door;

/// A request that waits for news is answered with a line every fifteen seconds.
const LINES: usize = 256;
const STAGES: [&str; 3] = ["PROCESSING", "PENDING", "DONE"];
const CODES: [&str; 2] = ["StatusCode", "ErrorCode"];

/// The text of an answer, and whether it was there to its codes. Nothing where it is none.
pub(super) fn decode(door: &Door<'_>, bytes: &[u8]) -> Option<(String, bool)> {
    let mut rest = bytes;
    let mut out = String::new();
    for _ in 0..LINES {
        let Some((line, after)) = line(rest) else { break };
        let Some(stage) = STAGES.iter().find(|stage| stage.as_bytes() == line) else { break };
        out.extend([stage, "\n"]);
        rest = after;
        if line == b"DONE" {
            let complete = answer(door, rest, &mut out).is_some();
            out.truncate(out.trim_end_matches('\n').len());
            return Some((out, complete));
        }
    }
    out.truncate(out.trim_end_matches('\n').len());
    (!out.is_empty()).then_some((out, false))
}

/// What stands behind `DONE`.
fn answer(door: &Door<'_>, mut rest: &[u8], out: &mut String) -> Option<()> {
    for _ in 0..LINES {
        let (line, after) = line(rest)?;
        rest = after;
        if line.is_empty() {
            out.push('\n');
            let status = u32::from_le_bytes(*rest.first_chunk()?);
            code(CODES[0], status, out);
            // Where the request as a whole failed, no second code follows.
            if status == 0 {
                code(CODES[1], u32::from_le_bytes(*rest[4..].first_chunk()?), out);
            }
            return Some(());
        }
        let colon = memchr::memchr(b':', line).filter(|_| !line.iter().any(u8::is_ascii_control))?;
        let field = door.field(&line[..colon], line[colon + 1..].trim_ascii());
        let _ = writeln!(out, "{}: {}", field.name, field.value);
    }
    None
}

/// The first line, and what follows it.
fn line(bytes: &[u8]) -> Option<(&[u8], &[u8])> {
    let end = memchr::memchr(b'\n', bytes)?;
    let line = &bytes[..end];
    Some((line.strip_suffix(b"\r").unwrap_or(line), &bytes[end + 1..]))
}

/// The same text read again: what does not belong to it is masked.
pub(super) fn reread(door: &Door<'_>, text: &str, out: &mut String) {
    for (at, line) in text.split('\n').enumerate() {
        out.push_str(if at > 0 { "\n" } else { "" });
        if STAGES.contains(&line) || line.is_empty() || is_code(line) {
            out.push_str(line);
        } else if let Some((name, value)) = line.split_once(": ") {
            let field = door.field(name.as_bytes(), value.as_bytes());
            let _ = write!(out, "{}: {}", field.name, field.value);
        } else {
            door.hide(line, out);
        }
    }
}

fn code(name: &str, code: u32, out: &mut String) {
    let _ = write!(out, "{name}: {code:#010x}");
    if let Some(meaning) = meaning(code).filter(|_| name == CODES[1]) {
        out.extend([" ", meaning]);
    }
    out.push('\n');
}

/// Whether a line is one that [`code`] wrote.
fn is_code(line: &str) -> bool {
    line.split_once(": 0x").is_some_and(|(name, rest)| {
        let number = u32::from_str_radix(rest.get(..8).unwrap_or_default(), 16);
        let mut again = String::new();
        CODES.contains(&name)
            && number.is_ok_and(|number| {
                code(name, number, &mut again);
                again.trim_end() == line
            })
    })
}

/// The names of MS-OXCDATA section 2.4 and MS-OXCRPC for the codes that a client is refused with.
fn meaning(code: u32) -> Option<&'static str> {
    Some(match code {
        0 => "ecSuccess",
        0x0000_03eb => "ecUnknownUser",
        0x0000_03f0 => "ecServerOOM",
        0x0000_03f2 => "ecLoginPerm",
        0x0000_0478 => "ecWrongServer",
        0x0000_047d => "ecBufferTooSmall",
        0x0000_047f => "ecServerPaused",
        0x0000_0480 => "ecServerBusy",
        0x0000_04b6 => "ecRpcFormat",
        0x0000_04b9 => "ecNullObject",
        0x0000_04df => "ecClientVerDisallowed",
        0x0000_04e0 => "ecRpcHttpDisallowed",
        0x0000_04e1 => "ecCachedModeRequired",
        0x0000_050c => "ecMailboxInTransit",
        0x0000_07d8 => "ecProtocolDisabled",
        0x0000_0970 => "ecNotEncrypted",
        0x8004_010f => "ecNotFound",
        0x8004_0110 => "ecVersionMismatch",
        0x8004_0111 => "ecLoginFailure",
        0x8004_0115 => "ecRpcFailed",
        0x8007_0005 => "ecAccessDenied",
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::super::Redactor;
    use super::*;

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
    fn tells_how_the_server_answered() {
        let head = b"PROCESSING\r\nPENDING\r\nDONE\r\nX-ElapsedTime: 15\r\nX-Secret: hunter2\r\n\r\n";
        let refused = [&head[..], &[0, 0, 0, 0, 5, 0, 7, 0x80], b"hunter2"].concat();
        let shown = "PROCESSING\nPENDING\nDONE\nX-ElapsedTime: 15\nX-Secret: [hidden #1]\n\nStatusCode: 0x00000000";
        assert_eq!(decoded(&refused), Some((format!("{shown}\nErrorCode: 0x80070005 ecAccessDenied"), true)));
        assert_eq!(decoded(&refused[..head.len() + 6]), Some((shown.to_owned(), false)));
        assert_eq!(decoded(&refused[..14]), Some(("PROCESSING".to_owned(), false)));
        let failed = b"DONE\r\n\r\n\x05\0\0\0\x10\0\0\0hunter2";
        assert_eq!(decoded(failed), Some(("DONE\n\nStatusCode: 0x00000005".to_owned(), true)));
    }

    #[test]
    fn a_request_is_not_read() {
        for request in [&b""[..], b"\0\0\0\0hunter2", b"hunter2\r\nDONE\r\n", b"DONE", b"done\r\n"] {
            assert_eq!(decoded(request), None);
        }
        assert_eq!(decoded(b"PROCESSING\r\nhunter2\r\n"), Some(("PROCESSING".to_owned(), false)));
    }

    #[test]
    fn a_forged_line_carries_no_text() {
        for line in ["hunter2", "ErrorCode: 0x00000000 hunter2", "StatusCode: 0x00000000 ecSuccess", "X-Any: hunter2"] {
            let mut out = String::new();
            reread(&Redactor::new().own(), line, &mut out);
            assert!(!out.contains("hunter2") && !out.contains("ecSuccess"), "{out}");
        }
    }
}
