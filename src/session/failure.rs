//! What went wrong where no response came, from the words of the tool that wrote the file.
//!
//! Our own words are `side step: text`; Chrome's are `net::ERR_…`. Of other words only what they plainly say is taken.

use crate::exchange::{Failure, FailureKind, Side, Step};
use crate::redact::Door;

/// The failure that `text` tells of. `hosts` are the server's names, which stay readable in it.
pub(super) fn failure(door: Door<'_>, text: &str, hosts: &[&str]) -> Failure {
    let (side, step, kind, words) = match (of_ours(text), of_chrome(text)) {
        (Some((side, step, words)), _) => (side, step, kind(side, step, &words.to_ascii_lowercase()), words),
        (None, Some((side, step, kind))) => (side, step, kind, text),
        (None, None) => {
            let lower = text.to_ascii_lowercase();
            let step = step(&lower);
            (Side::Server, step, kind(Side::Server, step, &lower), text)
        }
    };
    Failure { side, step, kind, text: door.failure(words.as_bytes(), hosts) }
}

/// Whether an error beside a response says that the response was cut short. Chrome also calls every status above 399
/// an error.
pub(super) fn cuts_a_response(text: &str) -> bool {
    const CUTS: [&str; 6] = [
        "net::ERR_CONTENT_LENGTH_MISMATCH",
        "net::ERR_INCOMPLETE_CHUNKED_ENCODING",
        "net::ERR_INCOMPLETE_HTTP2_HEADERS",
        "net::ERR_CONNECTION_RESET",
        "net::ERR_CONNECTION_CLOSED",
        "net::ERR_HTTP2_PROTOCOL_ERROR",
    ];
    of_ours(text).is_some() || CUTS.iter().any(|cut| text.starts_with(cut))
}

fn of_ours(text: &str) -> Option<(Side, Step, &str)> {
    let (place, words) = text.split_once(':')?;
    let (side, step) = place.trim().split_once(' ')?;
    let side = Side::ALL.into_iter().find(|known| side.eq_ignore_ascii_case(known.code()))?;
    let step = Step::ALL.into_iter().find(|known| step.trim().eq_ignore_ascii_case(known.code()))?;
    Some((side, step, words.trim()))
}

fn of_chrome(text: &str) -> Option<(Side, Step, FailureKind)> {
    use FailureKind as Kind;
    let name = text.trim().strip_prefix("net::")?.strip_prefix("ERR_")?;
    let name = &name[..name.find(|c: char| !c.is_ascii_alphanumeric() && c != '_').unwrap_or(name.len())];
    Some(match name {
        "NAME_NOT_RESOLVED" | "NAME_RESOLUTION_FAILED" | "ICANN_NAME_COLLISION" => {
            (Side::Server, Step::Resolve, Kind::NameNotFound)
        }
        "DNS_TIMED_OUT" => (Side::Server, Step::Resolve, Kind::TimedOut),
        "CONNECTION_REFUSED" => (Side::Server, Step::Connect, Kind::Refused),
        "CONNECTION_TIMED_OUT" => (Side::Server, Step::Connect, Kind::TimedOut),
        "ADDRESS_UNREACHABLE" | "INTERNET_DISCONNECTED" | "NETWORK_ACCESS_DENIED" => {
            (Side::Server, Step::Connect, Kind::Unreachable)
        }
        "CONNECTION_FAILED" | "TUNNEL_CONNECTION_FAILED" | "PROXY_CONNECTION_FAILED" | "ADDRESS_INVALID" => {
            (Side::Server, Step::Connect, Kind::Other)
        }
        "CERT_DATE_INVALID" => (Side::Server, Step::Tls, Kind::CertificateExpired),
        "CERT_COMMON_NAME_INVALID" => (Side::Server, Step::Tls, Kind::CertificateNameMismatch),
        "CERT_AUTHORITY_INVALID" => (Side::Server, Step::Tls, Kind::CertificateUntrusted),
        name if name.starts_with("CERT_") || name.starts_with("CERTIFICATE_") => {
            (Side::Server, Step::Tls, Kind::CertificateInvalid)
        }
        "SSL_VERSION_OR_CIPHER_MISMATCH" | "SSL_OBSOLETE_VERSION" | "SSL_OBSOLETE_CIPHER" => {
            (Side::Server, Step::Tls, Kind::TlsIncompatible)
        }
        name if name.contains("SSL") => (Side::Server, Step::Tls, Kind::TlsFailed),
        "TIMED_OUT" => (Side::Server, Step::Receive, Kind::TimedOut),
        "CONNECTION_RESET" => (Side::Server, Step::Receive, Kind::Reset),
        "CONNECTION_CLOSED" | "EMPTY_RESPONSE" | "CONTENT_LENGTH_MISMATCH" | "INCOMPLETE_CHUNKED_ENCODING" => {
            (Side::Server, Step::Receive, Kind::ClosedEarly)
        }
        name if name == "ABORTED" || name.starts_with("BLOCKED_BY_") => (Side::Client, Step::Send, Kind::Other),
        _ => (Side::Server, Step::Receive, Kind::Other),
    })
}

/// The step that free words name, in lower case.
fn step(words: &str) -> Step {
    let says = |needles: &[&str]| needles.iter().any(|needle| words.contains(needle));
    match () {
        () if says(&["resolve", "dns", "getaddrinfo", "enotfound", "no such host", "name or service not known"]) => {
            Step::Resolve
        }
        () if says(&["certificate", "tls", "ssl", "handshake"]) => Step::Tls,
        () if says(&["connect", "refused", "unreachable", "no route"]) => Step::Connect,
        () => Step::Receive,
    }
}

fn kind(side: Side, step: Step, words: &str) -> FailureKind {
    let says = |needles: &[&str]| needles.iter().any(|needle| words.contains(needle));
    let closed = says(&["closed", "eof", "aborted", "hung up", "hang up", "end of file"]);
    match (side, step) {
        _ if says(&["timed out", "timeout", "etimedout", "deadline"]) => FailureKind::TimedOut,
        (_, Step::Resolve) => FailureKind::NameNotFound,
        (_, Step::Tls) => tls_kind(side, words, closed),
        _ if says(&["refused"]) => FailureKind::Refused,
        _ if says(&["unreachable", "no route"]) => FailureKind::Unreachable,
        _ if says(&["reset"]) => FailureKind::Reset,
        _ if closed => FailureKind::ClosedEarly,
        _ => FailureKind::Other,
    }
}

fn tls_kind(side: Side, words: &str, closed: bool) -> FailureKind {
    // Alerts are spelled `UnknownCA`, `unknown_ca`, `unknown ca`.
    let bare: String = words.chars().filter(char::is_ascii_alphanumeric).collect();
    let says = |needles: &[&str]| needles.iter().any(|needle| bare.contains(needle));
    let incompatible = || {
        says(&[
            "protocolversion",
            "unsupportedprotocol",
            "wrongversion",
            "handshakefailure",
            "cipher",
            "incompatible",
            "insufficientsecurity",
        ])
    };
    match side {
        _ if incompatible() => FailureKind::TlsIncompatible,
        Side::Client if says(&["unknownca", "certificate", "untrusted", "accessdenied", "pin"]) => {
            FailureKind::CertificateRefusedByClient
        }
        Side::Server if says(&["expired"]) => FailureKind::CertificateExpired,
        Side::Server if says(&["notyetvalid", "notvalidyet"]) => FailureKind::CertificateNotYetValid,
        Side::Server if says(&["validforname", "hostname", "namemismatch", "commonname", "doesnotmatch", "notfor"]) => {
            FailureKind::CertificateNameMismatch
        }
        Side::Server
            if says(&["unknownissuer", "unknownca", "selfsigned", "localissuer", "untrusted", "trustanchor"]) =>
        {
            FailureKind::CertificateUntrusted
        }
        Side::Server if says(&["certificate"]) => FailureKind::CertificateInvalid,
        _ if says(&["reset"]) => FailureKind::Reset,
        _ if closed => FailureKind::ClosedEarly,
        _ => FailureKind::TlsFailed,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::redact::Redactor;

    fn told(text: &str) -> (Side, Step, FailureKind, String) {
        let redactor = Redactor::new();
        let failure = failure(redactor.own(), text, &["mail.contoso.com:443"]);
        (failure.side, failure.step, failure.kind, failure.text.as_str().to_owned())
    }

    #[test]
    fn our_own_words_read_back() {
        use FailureKind as Kind;
        for (text, side, step, kind) in [
            ("client tls: received fatal alert: UnknownCA", Side::Client, Step::Tls, Kind::CertificateRefusedByClient),
            ("client tls: tls handshake eof", Side::Client, Step::Tls, Kind::ClosedEarly),
            ("client tls: connection reset by peer", Side::Client, Step::Tls, Kind::Reset),
            ("server tls: HandshakeFailure", Side::Server, Step::Tls, Kind::TlsIncompatible),
            ("server tls: certificate expired", Side::Server, Step::Tls, Kind::CertificateExpired),
            ("server tls: UnknownIssuer", Side::Server, Step::Tls, Kind::CertificateUntrusted),
            ("server tls: certificate not valid for name", Side::Server, Step::Tls, Kind::CertificateNameMismatch),
            ("server resolve: Name or service not known", Side::Server, Step::Resolve, Kind::NameNotFound),
            ("server connect: connection refused", Side::Server, Step::Connect, Kind::Refused),
            ("server connect: operation timed out", Side::Server, Step::Connect, Kind::TimedOut),
            ("server receive: closed", Side::Server, Step::Receive, Kind::ClosedEarly),
            ("Proxy Send: stopped", Side::Proxy, Step::Send, Kind::Other),
        ] {
            let words = text.split_once(": ").map_or("", |(_, words)| words).to_owned();
            assert_eq!(told(text), (side, step, kind, words));
        }
    }

    #[test]
    fn words_of_other_tools_are_taken_for_what_they_plainly_say() {
        use FailureKind as Kind;
        for (text, step, kind) in [
            ("net::ERR_NAME_NOT_RESOLVED", Step::Resolve, Kind::NameNotFound),
            ("net::ERR_CERT_AUTHORITY_INVALID", Step::Tls, Kind::CertificateUntrusted),
            ("net::ERR_SSL_PROTOCOL_ERROR", Step::Tls, Kind::TlsFailed),
            ("getaddrinfo ENOTFOUND mail.contoso.com", Step::Resolve, Kind::NameNotFound),
            ("connect ECONNREFUSED 192.0.2.1:443: refused", Step::Connect, Kind::Refused),
            ("something else", Step::Receive, Kind::Other),
        ] {
            assert_eq!(told(text), (Side::Server, step, kind, text.to_owned()));
        }
        assert_eq!(told("net::ERR_ABORTED").0, Side::Client);
    }

    #[test]
    fn a_refusal_is_no_cut_response() {
        assert!(!cuts_a_response("net::ERR_HTTP_RESPONSE_CODE_FAILURE"));
        assert!(cuts_a_response("net::ERR_INCOMPLETE_CHUNKED_ENCODING"));
        assert!(cuts_a_response("server receive: closed before its answer was complete"));
    }
}
