//! Just enough HTTP/1 to play a server and a client by hand: raw bytes in, raw bytes out.

use std::io::{BufRead, ErrorKind, Read};

/// A message head with the empty line at its end; nothing where the connection ended before its first byte.
pub(crate) fn read_head(source: &mut impl BufRead) -> Option<Vec<u8>> {
    let mut head = Vec::new();
    loop {
        match source.read_until(b'\n', &mut head) {
            Ok(0) => {
                assert!(head.is_empty(), "the connection ended inside a head: {}", String::from_utf8_lossy(&head));
                return None;
            }
            Ok(_) if head.ends_with(b"\r\n\r\n") || head == b"\r\n" => return Some(head),
            Ok(_) => {}
            Err(error) if ended(error.kind()) && head.is_empty() => return None,
            Err(error) => panic!("{error} inside a head: {}", String::from_utf8_lossy(&head)),
        }
    }
}

/// The body that `head` announces, exactly as sent (chunk headers and all).
pub(crate) fn read_body(source: &mut impl BufRead, head: &[u8]) -> Vec<u8> {
    let chunked = field(head, "transfer-encoding").is_some_and(|coding| coding.eq_ignore_ascii_case("chunked"));
    let mut body = Vec::new();
    if chunked {
        read_chunks(source, &mut body);
    } else if let Some(length) = field(head, "content-length") {
        body.resize(length.parse().unwrap(), 0);
        source.read_exact(&mut body).unwrap();
    }
    body
}

/// The first value of a field, in any letter case.
pub(crate) fn field(head: &[u8], name: &str) -> Option<String> {
    fields(head).into_iter().find(|(spelled, _)| spelled.eq_ignore_ascii_case(name)).map(|(_, value)| value)
}

/// The fields of a head in order, as spelled.
pub(crate) fn fields(head: &[u8]) -> Vec<(String, String)> {
    String::from_utf8_lossy(head)
        .split("\r\n")
        .skip(1)
        .filter_map(|line| line.split_once(':'))
        .map(|(name, value)| (name.to_owned(), value.trim().to_owned()))
        .collect()
}

/// Peers end connections in several ways; to a server that waits for the next request they are all the end.
pub(super) fn ended(kind: ErrorKind) -> bool {
    matches!(
        kind,
        ErrorKind::UnexpectedEof | ErrorKind::ConnectionReset | ErrorKind::ConnectionAborted | ErrorKind::BrokenPipe
    )
}

fn read_chunks(source: &mut impl BufRead, body: &mut Vec<u8>) {
    loop {
        let from = body.len();
        source.read_until(b'\n', body).unwrap();
        let line = String::from_utf8_lossy(&body[from..]).into_owned();
        let size = usize::from_str_radix(line.split(';').next().unwrap().trim(), 16).unwrap();
        if size == 0 {
            break;
        }
        source.take(size as u64 + 2).read_to_end(body).unwrap();
    }
    loop {
        let from = body.len();
        source.read_until(b'\n', body).unwrap();
        if &body[from..] == b"\r\n" {
            return;
        }
    }
}
