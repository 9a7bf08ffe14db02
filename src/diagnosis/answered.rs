//! Who wrote an answer: Exchange itself, or something in front of it.
//!
//! [`Case::is_exchange`] asks about the host, and remembers; this asks about the one answer.

use super::Case;

/// Whether Exchange, or the IIS under it, wrote this answer.
pub(super) fn by_exchange(case: &Case<'_>) -> bool {
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
}
