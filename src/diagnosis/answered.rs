//! Who wrote an answer, Exchange itself or something in front of it; and whether it is as good as its status.
//!
//! [`Case::is_exchange`] asks about the host, and remembers; this asks about the one answer.

use super::decode::activesync::Status;
use super::decode::autodiscover::Answer;
use super::decode::mapi;
use super::{Case, Directory};
use crate::exchange::{FailureKind, Side};

/// Whether Exchange, or the IIS under it, wrote this answer.
pub(super) fn by_exchange(case: &Case<'_>) -> bool {
    const EXCHANGE: &str = "00000002-0000-0ff1-ce00-000000000000";
    const MARKS: [&str; 8] = [
        "x-feserver",
        "x-owa-version",
        "x-calculatedbetarget",
        "x-beserver",
        "x-diaginfo",
        "x-ms-diagnostics",
        "x-caserrorcode",
        "request-id",
    ];
    case.response_header("server").is_some_and(|server| server.as_str().to_ascii_lowercase().contains("microsoft-iis"))
        || MARKS.iter().any(|mark| case.response_header(mark).is_some())
        // A device that answers itself does not know this id.
        || case.challenge("bearer").and_then(|bearer| bearer.param("client_id")).is_some_and(|id| id == EXCHANGE)
}

/// Whether an exchange failed before its end. A WebSocket over which the server has spoken has no end but that somebody
/// leaves, and many clients do so with a reset.
pub(super) fn breaks_off(case: &Case<'_>) -> bool {
    let Some(failure) = &case.exchange.error else { return false };
    let left = failure.side == Side::Client && matches!(failure.kind, FailureKind::Reset | FailureKind::ClosedEarly);
    let socket = case.exchange.response.seen().and_then(|response| response.socket.as_ref());
    !(left && socket.is_some_and(|socket| socket.server.messages > 0))
}

/// Whether an answer with a good status says inside that it is none, in a protocol that has its own codes.
pub(super) fn fails_inside(case: &Case<'_>) -> bool {
    match case.directory() {
        Some(Directory::Mapi) => {
            let refused = mapi::response_code(case).is_some_and(|code| code != 0 && !mapi::is_reconnect(code));
            refused || mapi::error(case).is_some()
        }
        // Device information and a policy are asked for on the way to a good answer.
        Some(Directory::ActiveSync) => Status::refusal(case).is_some_and(|status| status.code != 165),
        Some(Directory::Autodiscover) => {
            let tried = case.method() == "POST" || case.path().to_ascii_lowercase().contains(".json");
            tried && matches!(Answer::of(case), Some(Answer::Error(_)))
        }
        _ => false,
    }
}
