//! Single values of the command line: read once, never looked at as text again.

use std::net::{Ipv4Addr, SocketAddr};

/// An address to listen on. `localhost` is the IPv4 loopback address.
pub(super) fn listen(text: &str) -> Result<SocketAddr, ValueError> {
    if let Some(port) = text.strip_prefix("localhost:").and_then(|port| port.parse().ok()) {
        return Ok((Ipv4Addr::LOCALHOST, port).into());
    }
    text.parse().map_err(|_| ValueError::Address)
}

/// A number of bytes.
pub(super) fn bytes(text: &str) -> Result<usize, ValueError> {
    text.parse().map_err(|_| ValueError::Bytes)
}

/// Why a value is none.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum ValueError {
    #[error("write ADDRESS:PORT, such as 127.0.0.1:8080 or [::1]:0")]
    Address,
    #[error("write a whole number of bytes, such as 262144")]
    Bytes,
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn a_number_of_bytes_is_asked_for_in_words() {
        assert_eq!(bytes("1000"), Ok(1000));
        for wrong in ["x", "", "-1", "1k", "99999999999999999999999"] {
            assert_eq!(
                bytes(wrong).unwrap_err().to_string(),
                "write a whole number of bytes, such as 262144",
                "{wrong}"
            );
        }
    }

    #[test]
    fn reads_addresses_to_listen_on() {
        assert_eq!(listen("127.0.0.1:0").unwrap().to_string(), "127.0.0.1:0");
        assert_eq!(listen("localhost:8080").unwrap().to_string(), "127.0.0.1:8080");
        assert_eq!(listen("[::1]:3128").unwrap().to_string(), "[::1]:3128");
        for wrong in ["8080", ":8080", "127.0.0.1", "localhost:99999", "mail.contoso.com:80"] {
            assert!(listen(wrong).is_err(), "{wrong}");
        }
    }
}
