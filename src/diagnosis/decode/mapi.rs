//! MAPI over HTTP: what was asked, and the result inside an answer of HTTP 200 (MS-OXCMAPIHTTP).
//!
//! `X-ResponseCode` says whether the request was understood, the codes in the body whether it was granted. Which cause it
//! is, the rules say.

use super::view::Decoded;
use crate::diagnosis::{Case, Directory, Place};
use crate::redact::Clean;

/// `X-ResponseCode`.
pub(in crate::diagnosis) fn response_code(case: &Case<'_>) -> Option<u16> {
    case.response_header("x-responsecode")?.as_str().trim().parse().ok()
}

/// Its name in MS-OXCMAPIHTTP section 2.2.3.3.3.
pub(in crate::diagnosis) const fn name(code: u16) -> Option<&'static str> {
    Some(match code {
        0 => "Success",
        1 => "UnknownFailure",
        2 => "InvalidVerb",
        3 => "InvalidPath",
        4 => "InvalidHeader",
        5 => "InvalidRequestType",
        6 => "InvalidContextCookie",
        7 => "MissingHeader",
        8 => "AnonymousNotAllowed",
        9 => "TooLarge",
        10 => "ContextNotFound",
        11 => "NoPrivilege",
        12 => "InvalidRequestBody",
        13 => "MissingCookie",
        14 => "Reserved",
        15 => "InvalidSequence",
        16 => "EndpointDisabled",
        17 => "InvalidResponse",
        18 => "EndpointShuttingDown",
        _ => return None,
    })
}

/// Whether a code only makes the client connect anew: its session ended or moved to another server.
pub(in crate::diagnosis) const fn is_reconnect(code: u16) -> bool {
    matches!(code, 6 | 10 | 13 | 15 | 18)
}

/// A code other than zero in the body, as it stands there: `ErrorCode: 0x80070005 ecAccessDenied`.
pub(in crate::diagnosis) fn error<'a>(case: &Case<'a>) -> Option<&'a str> {
    if case.directory() != Some(Directory::Mapi) {
        return None;
    }
    let lines = case.response_body().lines().map(str::trim);
    lines.filter(|line| line.starts_with("StatusCode:") || line.starts_with("ErrorCode:")).find(|line| {
        let value = line.split_once(':').map_or("", |(_, value)| value.trim());
        let number = value.split(' ').next().unwrap_or_default();
        let digits = number.trim_start_matches("0x");
        !digits.is_empty() && digits.bytes().any(|digit| digit != b'0')
    })
}

/// What was asked.
pub(super) fn asked(case: &Case<'_>) -> Option<Decoded> {
    const HEADERS: [(&str, &str); 5] = [
        ("X-RequestType", "x-requesttype"),
        ("X-RequestId", "x-requestid"),
        ("X-ClientInfo", "x-clientinfo"),
        ("X-ClientApplication", "x-clientapplication"),
        ("X-MapiHttpCapability", "x-mapihttpcapability"),
    ];
    if case.directory() != Some(Directory::Mapi) {
        return None;
    }
    let endpoint = match case.path().to_ascii_lowercase() {
        path if path.starts_with("/mapi/emsmdb") => Some("mailbox"),
        path if path.starts_with("/mapi/nspi") => Some("address book"),
        _ => None,
    };
    let part = Decoded::new("MAPI over HTTP", Place::RequestUrl).row_if("endpoint", endpoint);
    Some(HEADERS.iter().fold(part, |part, (name, key)| part.row_if(name, case.request_header(key).cloned())))
}

/// What was answered.
pub(super) fn answered(case: &Case<'_>) -> Option<Decoded> {
    const HEADERS: [(&str, &str); 4] = [
        ("X-RequestType", "x-requesttype"),
        ("X-PendingPeriod", "x-pendingperiod"),
        ("X-ExpirationInfo", "x-expirationinfo"),
        ("X-ElapsedTime", "x-elapsedtime"),
    ];
    let code = response_code(case);
    if code.is_none() && case.directory() != Some(Directory::Mapi) {
        return None;
    }
    let named = code.map(|code| match name(code) {
        Some(name) => Clean::concat([Clean::from(code), " ".into(), name.into()]),
        None => Clean::from(code),
    });
    let part = Decoded::new("MAPI over HTTP answer", Place::ResponseHeader("x-responsecode"));
    let part = part.row_if("X-ResponseCode", named);
    let part = part.row_if("body", error(case).map(|line| case.evidence_body(line).text));
    Some(HEADERS.iter().fold(part, |part, (name, key)| part.row_if(name, case.response_header(key).cloned())))
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::diagnosis::rules::kit::{Raw, exchanges};
    use crate::diagnosis::{Capture, Past};

    #[test]
    fn the_result_is_named() {
        let exchange = exchanges(&[Raw::new(
            "POST https://mail.contoso.com/mapi/emsmdb/\nX-RequestType: Connect",
            "200 OK\nX-ResponseCode: 11\nX-ElapsedTime: 15",
        )])
        .remove(0);
        let past = Past::default();
        let case = Case::new(&exchange, &past, Capture::Imported);
        let rows = |part: Option<Decoded>| -> Vec<String> {
            part.unwrap().rows.iter().map(|row| format!("{}={}", row.name, row.value)).collect()
        };
        assert_eq!(rows(asked(&case)), ["endpoint=mailbox", "X-RequestType=Connect"]);
        assert_eq!(rows(answered(&case)), ["X-ResponseCode=11 NoPrivilege", "X-ElapsedTime=15"]);
        assert!(is_reconnect(10) && !is_reconnect(11));
    }
}
