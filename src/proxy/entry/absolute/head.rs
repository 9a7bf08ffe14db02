//! What changes of a request on its way from a client's proxy to a server: the target and the fields that are for a
//! proxy. All else is copied as it stands.

use crate::proxy::target::Target;
use crate::proxy::upstream::via::UpstreamProxy;
use crate::proxy::upstream::via::connect::with_login;
use crate::wire::Fields;
use crate::wire::http1::Asked;

/// A request's head, made ready for the origin.
pub(crate) struct Request {
    pub(crate) target: Target,
    pub(crate) head: Vec<u8>,
    pub(crate) asked: Asked,
}

impl Request {
    /// Rewrites a head in absolute form: origin form for the target, without the fields that are for a proxy.
    pub(crate) fn read(head: &[u8]) -> Option<Self> {
        let line_end = memchr::memchr(b'\n', head)? + 1;
        let mut words = head[..line_end].splitn(3, |byte| *byte == b' ');
        let (method, target, version) = (words.next()?, words.next()?, words.next()?);
        let after_scheme = target.get(b"http://".len()..)?;
        let split = after_scheme.iter().position(|byte| matches!(byte, b'/' | b'?' | b'#'));
        let (authority, path) = after_scheme.split_at(split.unwrap_or(after_scheme.len()));
        let slash: &[u8] = match path.first() {
            None if method == b"OPTIONS" => b"*",
            Some(b'/') => b"",
            _ => b"/",
        };
        let mut rewritten = [method, b" ", slash, path, b" ", version].concat();
        copy_fields(&head[line_end..], &mut rewritten, is_for_origin);
        Some(Self { target: Target::read(authority, 80)?, head: rewritten, asked: Asked::by(method) })
    }
}

/// The head as it goes to `proxy`, with our login for it where the client says none.
pub(crate) fn for_proxy(head: &[u8], proxy: &UpstreamProxy) -> Vec<u8> {
    let (line, fields) = head.split_at(after_line(head, 0));
    with_login(line, fields, proxy)
}

/// The head without what was said to us to be let in.
pub(crate) fn without_login(head: &[u8]) -> Vec<u8> {
    let (line, fields) = head.split_at(after_line(head, 0));
    let mut without = line.to_vec();
    copy_fields(fields, &mut without, |name| !name.eq_ignore_ascii_case(b"proxy-authorization"));
    without
}

/// Whether a field is for the origin and not for a proxy.
fn is_for_origin(name: &[u8]) -> bool {
    !name.eq_ignore_ascii_case(b"proxy-connection") && !name.eq_ignore_ascii_case(b"proxy-authorization")
}

/// Copies verbatim the field lines whose names are to be kept.
fn copy_fields(mut lines: &[u8], into: &mut Vec<u8>, keep: impl Fn(&[u8]) -> bool) {
    while !lines.is_empty() {
        let mut end = after_line(lines, 0);
        while matches!(lines.get(end), Some(b' ' | b'\t')) {
            end = after_line(lines, end);
        }
        let (line, rest) = lines.split_at(end);
        if keep(Fields::new(line).next().map_or(&b""[..], |field| field.name.trim_ascii())) {
            into.extend_from_slice(line);
        }
        lines = rest;
    }
}

fn after_line(bytes: &[u8], from: usize) -> usize {
    memchr::memchr(b'\n', &bytes[from..]).map_or(bytes.len(), |at| from + at + 1)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn only_the_target_and_the_fields_for_a_proxy_change() {
        let head =
            b"PoST http://user:pw@mail.contoso.com:8080/EWS?a=1 HTTP/1.1\r\nhOsT:  mail\r\nProxy-Connection: x\r\n\
            X-A: 1\r\nProxy-Authorization: Basic\r\n abc\r\nX-A: \xff\r\nFolded: 1\r\n\t2\r\n\r\n";
        let request = Request::read(head).unwrap();
        let expected: &[u8] =
            b"PoST /EWS?a=1 HTTP/1.1\r\nhOsT:  mail\r\nX-A: 1\r\nX-A: \xff\r\nFolded: 1\r\n\t2\r\n\r\n";
        assert_eq!(String::from_utf8_lossy(&request.head), String::from_utf8_lossy(expected));
        assert_eq!(request.target.authority(), "mail.contoso.com:8080");
        for (target, origin_form) in
            [("GET http://a", "GET /"), ("GET http://a?q", "GET /?q"), ("OPTIONS http://a", "OPTIONS *")]
        {
            let request = Request::read(format!("{target} HTTP/1.0\n\n").as_bytes()).unwrap();
            assert_eq!(request.head, format!("{origin_form} HTTP/1.0\n\n").as_bytes());
        }
    }
}
