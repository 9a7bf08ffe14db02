//! Where a client wants to go: host and port.

use std::net::{IpAddr, Ipv6Addr};

use crate::proxy::hosts::split_port;
use crate::redact::{Clean, Redactor, Url};

/// A host with a port, as a client named them. It came over the wire: it has no `Debug`.
#[derive(Clone, PartialEq, Eq, Hash)]
pub(crate) struct Target {
    /// Without brackets.
    pub(crate) host: String,
    pub(crate) port: u16,
}

impl Target {
    /// Reads `host[:port]`, with or without userinfo in front (which goes).
    pub(crate) fn read(authority: &[u8], default_port: u16) -> Option<Self> {
        Self::parse(authority, default_port).ok()
    }

    /// The same, with the reason where it is none.
    pub(crate) fn parse(authority: &[u8], default_port: u16) -> Result<Self, TargetError> {
        let text = std::str::from_utf8(authority).map_err(|_| TargetError::Form)?;
        let text = text.rsplit_once('@').map_or(text, |(_, host)| host);
        let (host, port) = split_port(text).ok_or(TargetError::Form)?;
        if text.starts_with('[') && !host.contains(':') {
            return Err(TargetError::Form);
        }
        Self::of(host, port.unwrap_or(default_port))
    }

    /// A host, without brackets, and its port.
    pub(crate) fn of(host: &str, port: u16) -> Result<Self, TargetError> {
        let odd = |c: char| {
            c.is_whitespace() || c.is_control() || matches!(c, '/' | '?' | '#' | '\\' | '"' | '<' | '>' | '@')
        };
        if host.is_empty() || host.len() > 255 || host.contains(odd) || port == 0 {
            return Err(TargetError::Form);
        }
        if host.contains(':') {
            // Written in many ways, it is one server.
            let address = |text: &str| text.parse::<Ipv6Addr>();
            return match (address(host), host.split_once('%')) {
                (Ok(address), _) => Ok(Self { host: address.to_string(), port }),
                (Err(_), Some((zoned, _))) if address(zoned).is_ok() => Err(TargetError::Zone),
                (Err(_), _) => Err(TargetError::Form),
            };
        }
        Ok(Self { host: host.to_ascii_lowercase(), port })
    }

    /// Whether it is an address and no name.
    pub(crate) fn is_address(&self) -> bool {
        self.host.parse::<IpAddr>().is_ok()
    }

    /// `host:port`, IPv6 in brackets.
    pub(crate) fn authority(&self) -> String {
        format!("{}:{}", self.bracketed(), self.port)
    }

    /// `host:port`, or `host` alone where `default` is the port.
    pub(crate) fn short_authority(&self, default: u16) -> String {
        if self.port == default { self.bracketed() } else { self.authority() }
    }

    /// `host:port`, as it may be shown.
    pub(crate) fn shown(&self, redactor: &Redactor) -> Clean {
        redactor.wire().host(self.authority().as_bytes())
    }

    /// The host alone, as it may be shown.
    pub(crate) fn shown_host(&self, redactor: &Redactor) -> Clean {
        redactor.wire().host(self.bracketed().as_bytes())
    }

    /// The URL of a tunnel there.
    pub(crate) fn tunnel_url(&self, redactor: &Redactor) -> Url {
        redactor.wire().url(format!("https://{}/", self.short_authority(443)).as_bytes())
    }

    fn bracketed(&self) -> String {
        if self.host.contains(':') { format!("[{}]", self.host) } else { self.host.clone() }
    }
}

/// Why something is no host and port.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum TargetError {
    /// It is not written like one.
    Form,
    /// It is an IPv6 address with a zone.
    Zone,
}

impl TargetError {
    /// In words, of what a client asked for.
    pub(crate) const fn phrase(self) -> &'static str {
        match self {
            Self::Form => "the client sent a request without a usable host and port",
            Self::Zone => {
                "the client asks for an IPv6 address with a zone (%), which means something on its own machine alone"
            }
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn reads_names_addresses_and_ports() {
        let read = |text: &str| Target::read(text.as_bytes(), 443).map(|target| target.authority());
        assert_eq!(read("Mail.contoso.com:8443").as_deref(), Some("mail.contoso.com:8443"));
        assert_eq!(read("mail.contoso.com").as_deref(), Some("mail.contoso.com:443"));
        assert_eq!(read("user:pass@mail.contoso.com:1").as_deref(), Some("mail.contoso.com:1"));
        assert_eq!(read("[::1]:8443").as_deref(), Some("[::1]:8443"));
        assert_eq!(read("::1").as_deref(), Some("[::1]:443"));
        assert_eq!(read("[2001:DB8:0::1]").as_deref(), Some("[2001:db8::1]:443"));
        assert_eq!(read("_mail.contoso.com.").as_deref(), Some("_mail.contoso.com.:443"));
        for bad in ["", ":443", "a b:443", "mail:0", "mail:65536", "mail:x", "[::1", "a<b>:1", "[mail]", "1:2:3"] {
            assert_eq!(read(bad), None, "{bad}");
        }
    }

    #[test]
    fn a_zone_is_refused_by_name() {
        for zoned in ["[fe80::1%25eth0]:443", "[fe80::1%eth0]", "fe80::1%3"] {
            assert_eq!(Target::parse(zoned.as_bytes(), 443).err(), Some(TargetError::Zone), "{zoned}");
        }
        assert_eq!(Target::parse(b"[x%25eth0]", 443).err(), Some(TargetError::Form));
    }

    #[test]
    fn default_ports_are_left_out_of_urls() {
        let url = |text: &str| Target::read(text.as_bytes(), 443).unwrap().tunnel_url(&Redactor::new()).text().clone();
        assert_eq!(url("mail.contoso.com:443"), "https://mail.contoso.com/");
        assert_eq!(url("[::1]:8443"), "https://[::1]:8443/");
    }
}
