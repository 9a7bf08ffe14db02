//! Just enough HTTP/2 to play a server and a client by hand: frames from their parts, fields without compression.

/// What a client sends first.
pub(crate) const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";
pub(crate) const END_STREAM: u8 = 1;
pub(crate) const END_HEADERS: u8 = 4;

pub(crate) const DATA: u8 = 0;
pub(crate) const HEADERS: u8 = 1;
pub(crate) const RESET: u8 = 3;
pub(crate) const SETTINGS: u8 = 4;
pub(crate) const GO_AWAY: u8 = 7;
pub(crate) const CONTINUATION: u8 = 9;

/// A frame (RFC 9113 section 4.1).
pub(crate) fn frame(kind: u8, flags: u8, stream: u32, payload: &[u8]) -> Vec<u8> {
    let length = u32::try_from(payload.len()).unwrap().to_be_bytes();
    [&length[1..], &[kind, flags], &stream.to_be_bytes(), payload].concat()
}

/// Fields as literals that are not indexed.
pub(crate) fn block(fields: &[(&str, &str)]) -> Vec<u8> {
    fields.iter().flat_map(|(name, value)| [vec![0], text(name), text(value)].concat()).collect()
}

/// A string literal (RFC 7541 section 5.2), not Huffman coded.
pub(crate) fn text(text: &str) -> Vec<u8> {
    let mut literal = Vec::new();
    if text.len() < 127 {
        literal.push(text.len() as u8);
    } else {
        literal.push(127);
        let mut rest = text.len() - 127;
        while rest >= 128 {
            literal.push((rest & 127) as u8 | 128);
            rest >>= 7;
        }
        literal.push(rest as u8);
    }
    literal.extend_from_slice(text.as_bytes());
    literal
}

/// The head of a request to `https://mail.contoso.com` and more `fields`, in one frame.
pub(crate) fn request(stream: u32, flags: u8, method: &str, path: &str, fields: &[(&str, &str)]) -> Vec<u8> {
    let pseudo = [(":method", method), (":scheme", "https"), (":authority", "mail.contoso.com"), (":path", path)];
    frame(HEADERS, END_HEADERS | flags, stream, &block(&[&pseudo, fields].concat()))
}

/// The head of a response, in one frame.
pub(crate) fn response(stream: u32, flags: u8, status: &str, fields: &[(&str, &str)]) -> Vec<u8> {
    frame(HEADERS, END_HEADERS | flags, stream, &block(&[&[(":status", status)], fields].concat()))
}
