//! The messages of a WebSocket: `raw/NN_w.txt`.
//!
//! After an empty line, each frame stands behind lines that say whose it is, how long, and when it came; the frame is as
//! it passed. So the reader of live traffic follows them.

use crate::exchange::{Side, Socket, Talk, Timestamp};
use crate::redact::Door;
use crate::wire::Fields;
use crate::wire::http1::head_end;

/// The messages in `member`, of a WebSocket that a response with these `fields` opened in an exchange that began at
/// `started`.
pub(super) fn read(door: Door<'_>, member: &[u8], fields: Fields<'_>, started: Timestamp) -> Socket {
    let (mut talk, mut lost) = (Talk::new(fields), None);
    let mut rest = member;
    loop {
        rest = rest.trim_ascii_start();
        let Some(end) = head_end(rest, 0) else { break };
        let (head, behind) = rest.split_at(end);
        let said = |name: &'static str| std::str::from_utf8(Fields::new(head).values(name).next()?).ok().map(str::trim);
        let length = |name: &'static str| said(name)?.parse::<usize>().ok();
        let (side, length) = match (length("request-length"), length("response-length")) {
            (Some(length), _) => (Side::Client, length),
            (None, Some(length)) => (Side::Server, length),
            (None, None) => break,
        };
        let frame = &behind[..length.min(behind.len())];
        let came = said("doneread").and_then(super::timers::time).unwrap_or(started);
        talk.read(side, frame, door, started, came);
        if frame.len() < length {
            lost = Some(side);
        }
        rest = &behind[frame.len()..];
    }
    let mut socket = talk.end();
    socket.lost = socket.lost.or(lost);
    socket
}
