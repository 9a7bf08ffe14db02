//! First lines as Fiddler writes them: absolute or in origin form, of any version.

use crate::session::foreign;
use crate::wire::Fields;
use crate::wire::http1::head_end;

/// A request's first line.
pub(super) struct RequestLine<'t> {
    pub(super) method: &'t [u8],
    pub(super) target: &'t [u8],
    pub(super) version: &'t str,
}

/// A response's first line.
pub(super) struct StatusLine<'t> {
    pub(super) version: &'t str,
    pub(super) status: u16,
    pub(super) reason: &'t [u8],
}

/// `GET /path HTTP/1.1`; a target may hold blanks, and the version may be missing.
pub(super) fn request_line(line: &[u8]) -> Option<RequestLine<'_>> {
    let first = line.iter().position(|byte| *byte == b' ')?;
    let (method, rest) = (&line[..first], line[first + 1..].trim_ascii());
    let last = rest.iter().rposition(|byte| *byte == b' ');
    let version = last.and_then(|at| std::str::from_utf8(&rest[at + 1..]).ok()).filter(|word| is_version(word));
    let target = match (last, version) {
        (Some(at), Some(_)) => rest[..at].trim_ascii(),
        _ => rest,
    };
    let is_method = !method.is_empty() && method.len() <= 64 && method.iter().all(u8::is_ascii_graphic);
    (is_method && !target.is_empty()).then(|| RequestLine { method, target, version: version.unwrap_or_default() })
}

/// `HTTP/1.1 401 Unauthorized`; HTTP/2 has no reason.
pub(super) fn status_line(line: &[u8]) -> Option<StatusLine<'_>> {
    let first = line.iter().position(|byte| *byte == b' ')?;
    let version = std::str::from_utf8(&line[..first]).ok().filter(|word| is_version(word))?;
    let rest = line[first + 1..].trim_ascii();
    let (digits, reason) = rest.split_at(rest.iter().position(|byte| *byte == b' ').unwrap_or(rest.len()));
    let status = std::str::from_utf8(digits).ok()?.parse().ok().filter(|status| (100..1000).contains(status))?;
    Some(StatusLine { version, status, reason: reason.trim_ascii() })
}

fn is_version(word: &str) -> bool {
    word.get(..4).is_some_and(|start| start.eq_ignore_ascii_case("http")) || matches!(word, "h2" | "h3")
}

/// The host that a request inside of TLS went to, by the beginning of its text: in absolute form it says so itself.
pub(super) fn host_inside_tls(start: &[u8]) -> Option<String> {
    let line = request_line(start.split(|byte| *byte == b'\n').next()?.trim_ascii_end())?;
    if line.method == b"CONNECT" {
        return None;
    }
    let target = std::str::from_utf8(line.target).ok()?;
    let inside = ["https://", "wss://"]
        .iter()
        .find_map(|scheme| target.get(..scheme.len())?.eq_ignore_ascii_case(scheme).then(|| &target[scheme.len()..]));
    let authority = match inside {
        Some(rest) => &rest[..rest.find(['/', '?', '#']).unwrap_or(rest.len())],
        None if target.contains("://") => return None,
        // In origin form the request may have been one without TLS; then no tunnel asks for its host.
        None => {
            let from = start.iter().position(|byte| *byte == b'\n')? + 1;
            let end = head_end(start, 0).unwrap_or(start.len());
            std::str::from_utf8(Fields::new(start.get(from..end)?).values("host").next()?).ok()?
        }
    };
    let authority = authority.rsplit('@').next().unwrap_or(authority);
    Some(foreign::host(authority).to_ascii_lowercase())
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn first_lines_of_every_fiddler_are_read() {
        let request = |line: &'static str| {
            let line = request_line(line.as_bytes()).unwrap();
            (std::str::from_utf8(line.method).unwrap(), std::str::from_utf8(line.target).unwrap(), line.version)
        };
        assert_eq!(request("GET https://a/ HTTP/1.1"), ("GET", "https://a/", "HTTP/1.1"));
        assert_eq!(request("POST /a b HTTP/2"), ("POST", "/a b", "HTTP/2"));
        assert_eq!(request("CONNECT a:443 HTTP/1.1"), ("CONNECT", "a:443", "HTTP/1.1"));
        assert_eq!(request("GET /"), ("GET", "/", ""));
        assert!(request_line(b"").is_none() && request_line(b"nonsense").is_none());
        let status = |line: &'static str| status_line(line.as_bytes()).map(|line| (line.status, line.reason));
        assert_eq!(status("HTTP/1.1 401 Unauthorized"), Some((401, &b"Unauthorized"[..])));
        assert_eq!(status("HTTP/2 200"), Some((200, &b""[..])));
        assert_eq!(status("HTTP/1.1 abc"), None);
    }

    #[test]
    fn hosts_inside_of_tls_are_told_in_both_forms() {
        let host = |text: &str| host_inside_tls(text.as_bytes());
        assert_eq!(host("GET https://Mail.contoso.com:444/ HTTP/1.1\r\n\r\n").as_deref(), Some("mail.contoso.com"));
        assert_eq!(host("GET / HTTP/1.1\r\nHost: mail.contoso.com\r\n\r\n").as_deref(), Some("mail.contoso.com"));
        assert_eq!(host("GET http://a/ HTTP/1.1\r\nHost: a\r\n\r\n"), None);
        assert_eq!(host("CONNECT a:443 HTTP/1.1\r\nHost: a\r\n\r\n"), None);
    }
}
