//! The ClientHello of TLS (RFC 8446 section 4.1.2, RFC 5246 section 7.4.1.2) and its form of SSL 2 (RFC 5246 appendix E.2):
//! what a client offers.
//!
//! Read leniently: whatever a server might still answer is worth reading, such as a server name that is none.

/// A ClientHello longer than this is none that a client would send. With post-quantum shares and tickets it has a few
/// thousand bytes.
pub const HELLO_LIMIT: usize = 64 * 1024;

const RECORD_HEADER: usize = 5;
const HANDSHAKE_HEADER: usize = 4;

/// What a client offers. Holds bytes of the wire: nothing of it may be shown but through `redact`.
#[derive(Default)]
pub struct ClientHello {
    /// The newest version that it offers, as on the wire: `0x0301` is TLS 1.0.
    pub newest: u16,
    /// Cipher suites, in its order.
    pub suites: Vec<u16>,
    /// The server's name, as sent; nothing where it names none.
    pub server_name: Option<Vec<u8>>,
    /// Application protocols, in its order; nothing where it speaks of none.
    pub protocols: Option<Vec<Vec<u8>>>,
    /// Groups for key exchange; nothing where it speaks of none.
    pub groups: Option<Vec<u16>>,
    /// Signature schemes, in its order.
    pub schemes: Vec<u16>,
}

/// What the first bytes of a connection are.
pub enum Reading {
    /// The beginning of a ClientHello.
    Part,
    /// A whole one.
    Hello(Box<ClientHello>),
    /// Something else.
    Other,
}

/// Reads the first bytes of a connection.
pub fn read(bytes: &[u8]) -> Reading {
    match bytes.first() {
        None => Reading::Part,
        Some(0x16) => records(bytes),
        Some(first) if first & 0x80 != 0 => of_ssl2(bytes),
        Some(_) => Reading::Other,
    }
}

/// A hello may come in several records.
fn records(bytes: &[u8]) -> Reading {
    let mut message = Vec::new();
    let mut rest = bytes;
    while let Some((header, after)) = rest.split_at_checked(RECORD_HEADER) {
        if header[0] != 0x16 || header[1] != 3 {
            return Reading::Other;
        }
        let length = usize::from(u16::from_be_bytes([header[3], header[4]]));
        let here = after.len().min(length);
        message.extend_from_slice(&after[..here]);
        rest = &after[here..];
        if let Some((header, body)) = message.split_at_checked(HANDSHAKE_HEADER) {
            let wanted = usize::from(header[1]) << 16 | usize::from(header[2]) << 8 | usize::from(header[3]);
            if header[0] != 1 || wanted > HELLO_LIMIT {
                return Reading::Other;
            }
            if let Some(body) = body.get(..wanted) {
                return hello(Bytes(body)).map_or(Reading::Other, |hello| Reading::Hello(Box::new(hello)));
            }
        }
        if here < length {
            break;
        }
    }
    if bytes.len() < HELLO_LIMIT { Reading::Part } else { Reading::Other }
}

fn hello(mut bytes: Bytes<'_>) -> Option<ClientHello> {
    let mut hello = ClientHello { newest: bytes.u16()?, ..ClientHello::default() };
    bytes.take(32)?;
    bytes.vector8()?;
    hello.suites = bytes.vector16()?.numbers();
    bytes.vector8()?;
    // TLS 1.0 knows hellos without extensions.
    let Some(mut extensions) = bytes.vector16() else { return Some(hello) };
    while let (Some(kind), Some(content)) = (extensions.u16(), extensions.vector16()) {
        hello.extension(kind, content);
    }
    Some(hello)
}

impl ClientHello {
    /// An extension that is malformed is one that is not there.
    fn extension(&mut self, kind: u16, mut content: Bytes<'_>) {
        match kind {
            0 => self.server_name = server_name(content),
            10 => self.groups = content.vector16().map(Bytes::numbers),
            13 => self.schemes = content.vector16().map(Bytes::numbers).unwrap_or_default(),
            16 => self.protocols = content.vector16().map(protocols),
            43 => {
                let versions = content.vector8().map(Bytes::numbers).unwrap_or_default();
                // Not the values that are sent to see what a server makes of them (RFC 8701).
                let newest = versions.into_iter().filter(|version| version >> 8 == 3).max();
                self.newest = newest.unwrap_or(self.newest);
            }
            _ => {}
        }
    }
}

fn server_name(mut content: Bytes<'_>) -> Option<Vec<u8>> {
    let mut names = content.vector16()?;
    while let (Some(kind), Some(name)) = (names.u8(), names.vector16()) {
        if kind == 0 {
            return Some(name.0.to_vec());
        }
    }
    None
}

fn protocols(mut list: Bytes<'_>) -> Vec<Vec<u8>> {
    std::iter::from_fn(|| list.vector8().map(|protocol| protocol.0.to_vec())).collect()
}

/// The form of SSL 2, in which clients once offered TLS to servers of any age.
fn of_ssl2(bytes: &[u8]) -> Reading {
    let mut bytes = Bytes(bytes);
    let Some(length) = bytes.u16() else { return Reading::Part };
    match bytes.0.first() {
        None => return Reading::Part,
        Some(1) => {}
        Some(_) => return Reading::Other,
    }
    let Some(message) = bytes.take(usize::from(length & 0x7fff)) else { return Reading::Part };
    let read = |mut message: Bytes<'_>| {
        message.u8()?;
        let newest = message.u16()?;
        let suites = usize::from(message.u16()?);
        message.take(4)?;
        // Three bytes each; those of TLS begin with a zero.
        let suites = message.take(suites)?.0.chunks_exact(3).filter(|suite| suite[0] == 0);
        let suites = suites.map(|suite| u16::from_be_bytes([suite[1], suite[2]])).collect();
        Some(ClientHello { newest, suites, ..ClientHello::default() })
    };
    read(message).map_or(Reading::Other, |hello| Reading::Hello(Box::new(hello)))
}

/// Bytes that are read from the front.
#[derive(Clone, Copy)]
struct Bytes<'a>(&'a [u8]);

impl Bytes<'_> {
    fn take(&mut self, length: usize) -> Option<Self> {
        let (taken, rest) = self.0.split_at_checked(length)?;
        self.0 = rest;
        Some(Self(taken))
    }

    fn u8(&mut self) -> Option<u8> {
        self.take(1).map(|bytes| bytes.0[0])
    }

    fn u16(&mut self) -> Option<u16> {
        self.take(2).map(|bytes| u16::from_be_bytes([bytes.0[0], bytes.0[1]]))
    }

    /// As many bytes as one byte before them says.
    fn vector8(&mut self) -> Option<Self> {
        let length = self.u8()?;
        self.take(length.into())
    }

    /// As many bytes as two bytes before them say.
    fn vector16(&mut self) -> Option<Self> {
        let length = self.u16()?;
        self.take(length.into())
    }

    fn numbers(self) -> Vec<u16> {
        self.0.chunks_exact(2).map(|pair| u16::from_be_bytes([pair[0], pair[1]])).collect()
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::panic)]
mod tests {
    use super::*;

    fn vector16(content: &[u8]) -> Vec<u8> {
        [&u16::try_from(content.len()).unwrap().to_be_bytes()[..], content].concat()
    }

    fn extension(kind: u16, content: &[u8]) -> Vec<u8> {
        [&kind.to_be_bytes()[..], &vector16(content)].concat()
    }

    fn message(version: u16, extensions: Option<&[u8]>) -> Vec<u8> {
        let mut body = version.to_be_bytes().to_vec();
        body.extend([7; 32]);
        body.push(0);
        body.extend(vector16(&[0xc0, 0x14, 0x00, 0x2f]));
        body.extend([1, 0]);
        if let Some(extensions) = extensions {
            body.extend(vector16(extensions));
        }
        [&[1, 0][..], &vector16(&body)].concat()
    }

    fn record(content: &[u8]) -> Vec<u8> {
        [&[0x16, 3, 1][..], &vector16(content)].concat()
    }

    fn whole(bytes: &[u8]) -> ClientHello {
        match read(bytes) {
            Reading::Hello(hello) => *hello,
            Reading::Part => panic!("a part only"),
            Reading::Other => panic!("something else"),
        }
    }

    #[test]
    fn what_is_offered_is_read_also_in_several_records() {
        let name = [&[0][..], &vector16(b"mail.contoso.com:443")].concat();
        let extensions = [
            extension(0, &vector16(&name)),
            extension(16, &vector16(b"\x02h2\x08http/1.1")),
            extension(10, &vector16(&[0, 29, 0, 23])),
            extension(13, &vector16(&[4, 3])),
            extension(43, &[6, 0x7a, 0x7a, 3, 4, 3, 3]),
        ];
        let message = message(0x0303, Some(&extensions.concat()));
        let records: Vec<u8> = message.chunks(50).flat_map(record).collect();
        for length in 0..records.len() {
            assert!(matches!(read(&records[..length]), Reading::Part), "{length}");
        }
        let hello = whole(&records);
        assert_eq!(hello.newest, 0x0304);
        assert_eq!(hello.suites, [0xc014, 0x002f]);
        assert_eq!(hello.server_name.as_deref(), Some(&b"mail.contoso.com:443"[..]));
        assert_eq!(hello.protocols.unwrap(), [b"h2".to_vec(), b"http/1.1".to_vec()]);
        assert_eq!((hello.groups.as_deref(), &hello.schemes[..]), (Some(&[29, 23][..]), &[0x0403][..]));
    }

    #[test]
    fn an_old_hello_needs_no_extensions() {
        let hello = whole(&record(&message(0x0301, None)));
        assert_eq!((hello.newest, hello.server_name, hello.protocols), (0x0301, None, None));
    }

    #[test]
    fn the_form_of_ssl_2_is_read() {
        let bytes = [0x80, 18, 1, 3, 1, 0, 6, 0, 0, 0, 3, 0, 0, 0x2f, 1, 0, 0x80, 9, 9, 9];
        assert!(matches!(read(&bytes[..19]), Reading::Part));
        let hello = whole(&bytes);
        assert_eq!((hello.newest, hello.suites), (0x0301, vec![0x002f]));
        assert!(matches!(read(&[0x80, 18, 2]), Reading::Other));
    }

    #[test]
    fn what_is_no_hello_is_called_so_and_bounded() {
        assert!(matches!(read(b"GET / HTTP/1.1"), Reading::Other));
        assert!(matches!(read(&record(&[2, 0, 0, 0])), Reading::Other));
        assert!(matches!(read(&record(&[1, 0xff, 0, 0])), Reading::Other));
        assert!(matches!(read(&[0x16, 9, 9, 0, 0]), Reading::Other));
        assert!(matches!(read(&vec![record(&[]); 20_000].concat()), Reading::Other));
        assert!(matches!(read(&record(&message(0x0301, None)[..20])), Reading::Part));
    }
}
