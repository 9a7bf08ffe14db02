//! Single values of the command line: read once, never looked at as text again.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};

use crate::app::Aim;

/// An address to listen on. `localhost` is the IPv4 loopback address.
pub(super) fn listen(text: &str) -> Result<SocketAddr, String> {
    if let Some(port) = text.strip_prefix("localhost:").and_then(|port| port.parse().ok()) {
        return Ok((Ipv4Addr::LOCALHOST, port).into());
    }
    text.parse().map_err(|_| "write ADDRESS:PORT, such as 127.0.0.1:8080 or [::1]:0".to_owned())
}

/// A host name or address in which `*` stands for anything. A scheme, port or path is a mistake that would never match.
pub(super) fn host_pattern(text: &str) -> Result<String, String> {
    let address: Option<IpAddr> = text.trim_start_matches('[').trim_end_matches(']').parse().ok();
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"*.-_".contains(&byte) || byte >= 0x80;
    if address.is_some() || (!text.is_empty() && text.bytes().all(plain)) {
        return Ok(text.to_ascii_lowercase());
    }
    Err("write a host name alone, such as mail.contoso.com or *.contoso.com".to_owned())
}

/// `HOST[:PORT]=ADDR[:PORT]`. Without a port on the left it holds for every port; without one on the right the port
/// stays.
pub(super) fn aim(text: &str) -> Result<Aim, String> {
    const FORM: &str =
        "write HOST[:PORT]=ADDR[:PORT], such as mail.contoso.com=10.0.0.21 or a.contoso.com:443=[::1]:8443";
    let (left, right) = text.split_once('=').ok_or(FORM)?;
    let (host, port) = with_port(left).ok_or(FORM)?;
    let host = host_pattern(host).map_err(|_| FORM)?;
    let (address, to_port) = match right.parse::<IpAddr>() {
        Ok(address) => (address, None),
        Err(_) => {
            let (address, port) = with_port(right).ok_or(FORM)?;
            let address = address.trim_start_matches('[').trim_end_matches(']');
            (address.parse().map_err(|_| FORM)?, port)
        }
    };
    Ok(Aim { host, port, address, to_port })
}

/// A name and, after the last colon outside of brackets, a port.
fn with_port(text: &str) -> Option<(&str, Option<u16>)> {
    match text.rsplit_once(':') {
        Some((name, port)) if !port.contains(']') => {
            let port = port.parse().ok().filter(|port| *port != 0)?;
            Some((name, Some(port)))
        }
        _ => Some((text, None)),
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn reads_addresses_to_listen_on() {
        assert_eq!(listen("127.0.0.1:0").unwrap().to_string(), "127.0.0.1:0");
        assert_eq!(listen("localhost:8080").unwrap().to_string(), "127.0.0.1:8080");
        assert_eq!(listen("[::1]:3128").unwrap().to_string(), "[::1]:3128");
        for wrong in ["8080", ":8080", "127.0.0.1", "localhost:99999", "mail.contoso.com:80"] {
            assert!(listen(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn reads_host_patterns_and_refuses_urls() {
        assert_eq!(host_pattern("*.Contoso.com").unwrap(), "*.contoso.com");
        assert_eq!(host_pattern("[::1]").unwrap(), "[::1]");
        for wrong in ["", "https://mail.contoso.com", "mail.contoso.com:443", "mail.contoso.com/EWS"] {
            assert!(host_pattern(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn reads_where_to_connect_instead() {
        let shown = |text| {
            let Aim { host, port, address, to_port } = aim(text).unwrap();
            format!("{host} {port:?} {address} {to_port:?}")
        };
        assert_eq!(shown("mail.contoso.com=10.0.0.21"), "mail.contoso.com None 10.0.0.21 None");
        assert_eq!(shown("Mail.contoso.com:443=127.0.0.1:8443"), "mail.contoso.com Some(443) 127.0.0.1 Some(8443)");
        assert_eq!(shown("mail.contoso.com=::1"), "mail.contoso.com None ::1 None");
        assert_eq!(shown("mail.contoso.com=[::1]:8443"), "mail.contoso.com None ::1 Some(8443)");
        assert_eq!(shown("[fe80::1]:443=10.0.0.1"), "[fe80::1] Some(443) 10.0.0.1 None");
        for wrong in ["mail.contoso.com", "=10.0.0.1", "a=b", "a:x=10.0.0.1", "a=10.0.0.1:0", "a:443:443=10.0.0.1"] {
            assert!(aim(wrong).is_err(), "{wrong}");
        }
    }
}
