//! Where a client wants to go: host and port.

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
        let text = std::str::from_utf8(authority).ok()?;
        let (host, port) = split_port(text.rsplit_once('@').map_or(text, |(_, host)| host))?;
        let odd =
            |c: char| c.is_whitespace() || c.is_control() || matches!(c, '/' | '?' | '#' | '\\' | '"' | '<' | '>');
        if host.is_empty() || host.len() > 255 || host.contains(odd) {
            return None;
        }
        Some(Self { host: host.to_ascii_lowercase(), port: port.unwrap_or(default_port) })
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
        for bad in ["", ":443", "a b:443", "mail:0", "mail:65536", "mail:x", "[::1", "a<b>:1"] {
            assert_eq!(read(bad), None, "{bad}");
        }
    }

    #[test]
    fn default_ports_are_left_out_of_urls() {
        let url = |text: &str| Target::read(text.as_bytes(), 443).unwrap().tunnel_url(&Redactor::new()).text().clone();
        assert_eq!(url("mail.contoso.com:443"), "https://mail.contoso.com/");
        assert_eq!(url("[::1]:8443"), "https://[::1]:8443/");
    }
}
