//! Who speaks first in a tunnel, and what that is.

use rustls::server::{Accepted, Acceptor};
use tokio::io::AsyncReadExt;
use tokio::net::TcpStream;

use crate::exchange::Unseen;
use crate::proxy::entry::crowd::{Crowd, Dismissal};
use crate::proxy::entry::hello::Hello;
use crate::proxy::target::Target;
use crate::proxy::upstream::hop::Hop;
use crate::wire::Fields;
use crate::wire::hello::{self, HELLO_LIMIT, Reading};
use crate::wire::http1::head_end;

/// Who speaks first in a tunnel, and what.
pub(crate) enum Opening {
    Hello(Box<Hello>),
    /// The client's bytes look like HTTP without TLS.
    Http(Vec<u8>),
    /// The client's bytes are something else, or TLS that cannot be served.
    Other(Vec<u8>, Unseen),
    ServerFirst {
        client: Vec<u8>,
        server: Vec<u8>,
    },
    ClientLeft,
    /// The client did not come to the point.
    Dismissed(Dismissal),
    /// Whether with a reset.
    ServerLeft(bool),
}

/// What a client's first bytes are, of which `raw` have come; nothing where it leaves before that is clear.
pub(crate) async fn client_opening(client: &mut TcpStream, mut raw: Vec<u8>, crowd: &Crowd) -> Option<Opening> {
    let mut acceptor = Acceptor::default();
    let mut fed = 0;
    let mut wait = crowd.wait();
    loop {
        if let Some(opening) = opening(&mut raw, &mut fed, &mut acceptor) {
            return Some(opening);
        }
        let begun = !raw.is_empty();
        tokio::select! {
            read = client.read_buf(&mut raw) => if !matches!(read, Ok(read) if read > 0) {
                return None;
            },
            dismissal = wait.dismissal(begun, None) => return Some(Opening::Dismissed(dismissal)),
        }
    }
}

/// Watches both sides until it is clear what the tunnel carries. Both may be silent for as long as they like.
pub(super) async fn read_opening(client: &mut TcpStream, early: Vec<u8>, server: &mut Hop, crowd: &Crowd) -> Opening {
    let mut raw = early;
    let mut greeting = Vec::new();
    let mut acceptor = Acceptor::default();
    let mut fed = 0;
    let mut wait = crowd.wait();
    loop {
        if let Some(opening) = opening(&mut raw, &mut fed, &mut acceptor) {
            return opening;
        }
        let begun = !raw.is_empty();
        tokio::select! {
            read = client.read_buf(&mut raw) => match read {
                Ok(0) | Err(_) if !begun => return Opening::ClientLeft,
                Ok(0) | Err(_) => return Opening::Other(raw, Unseen::NotTls),
                Ok(_) => {}
            },
            read = server.read_buf(&mut greeting) => return match read {
                Ok(0) => Opening::ServerLeft(false),
                Err(_) => Opening::ServerLeft(true),
                Ok(_) => Opening::ServerFirst { client: raw, server: greeting },
            },
            dismissal = wait.dismissal(begun, None) => return Opening::Dismissed(dismissal),
        }
    }
}

/// The host that a request without TLS is for, of which the beginning has come; the rest of its head is waited for.
pub(crate) async fn host_field(client: &mut TcpStream, read: &mut Vec<u8>, crowd: &Crowd) -> Option<String> {
    let mut wait = crowd.wait();
    let end = loop {
        if let Some(end) = head_end(read, 0) {
            break end;
        }
        let more = tokio::select! {
            more = client.read_buf(read) => more.ok()?,
            _ = wait.dismissal(true, None) => return None,
        };
        if more == 0 || read.len() > HELLO_LIMIT {
            return None;
        }
    };
    let fields = &read[memchr::memchr(b'\n', read)? + 1..end];
    Target::read(Fields::new(fields).values("host").next()?, 80).map(|target| target.host)
}

/// Whether a client's first bytes are TLS. SSL 2's form of a ClientHello has the topmost bit set.
pub(crate) fn speaks_tls(bytes: &[u8]) -> bool {
    matches!(bytes.first(), Some(0x16 | 0x80..))
}

/// How a client that knows that its server speaks HTTP/2 begins (RFC 9113 section 3.4).
pub(super) const HTTP2_PREFACE: &[u8] = b"PRI * HTTP/2.0";

/// Whether a server's first bytes are those of HTTP/2: it need not wait for the client's.
pub(super) fn is_settings(bytes: &[u8]) -> bool {
    matches!(*bytes, [_, _, _, 4, 0, 0, 0, 0, 0, ..])
}

/// What the client's first bytes are; nothing where more must be read to tell. Of `raw`, `fed` bytes have been given
/// to `acceptor`; no number of them once it has refused.
fn opening(raw: &mut Vec<u8>, fed: &mut usize, acceptor: &mut Acceptor) -> Option<Opening> {
    match raw.first()? {
        // SSL 2's form of a ClientHello, which old clients send to servers of any age.
        first if first & 0x80 != 0 => match raw.get(2)? {
            1 => read_hello(raw, None),
            _ => Some(Opening::Other(std::mem::take(raw), Unseen::NotTls)),
        },
        0x16 => {
            if *fed == usize::MAX {
                return read_hello(raw, None);
            }
            let mut more = &raw[*fed..];
            while !more.is_empty() && acceptor.read_tls(&mut more).is_ok_and(|read| read > 0) {}
            *fed = raw.len();
            match acceptor.accept() {
                Ok(None) if raw.len() < HELLO_LIMIT => None,
                Ok(None) => Some(Opening::Other(std::mem::take(raw), Unseen::ClientTlsUnreadable)),
                Ok(Some(accepted)) => read_hello(raw, Some(accepted)),
                // Refused by the usual engine, which may have read no more than a part.
                Err(_) => {
                    *fed = usize::MAX;
                    read_hello(raw, None)
                }
            }
        }
        _ if raw.len() < HTTP2_PREFACE.len() && HTTP2_PREFACE.starts_with(raw) => None,
        _ if is_http(raw)? => Some(Opening::Http(std::mem::take(raw))),
        _ => Some(Opening::Other(std::mem::take(raw), Unseen::NotTls)),
    }
}

/// What a hello says of which `raw` has come; nothing where more must be read.
fn read_hello(raw: &mut Vec<u8>, accepted: Option<Accepted>) -> Option<Opening> {
    match hello::read(raw) {
        Reading::Part => None,
        Reading::Hello(read) => Some(Opening::Hello(Box::new(Hello::new(*read, accepted, std::mem::take(raw))))),
        Reading::Other => Some(Opening::Other(std::mem::take(raw), Unseen::ClientTlsUnreadable)),
    }
}

/// Whether bytes begin with an HTTP method and a blank; nothing where that is still open.
fn is_http(bytes: &[u8]) -> Option<bool> {
    const LONGEST_METHOD: usize = 32;
    match bytes.iter().position(|byte| !byte.is_ascii_alphabetic() && !matches!(byte, b'-' | b'_')) {
        Some(at) => Some(at > 0 && bytes[at] == b' '),
        None if bytes.len() > LONGEST_METHOD => Some(false),
        None => None,
    }
}
