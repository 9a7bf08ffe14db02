//! Host names as people give them: patterns, and the list of hosts that are never decrypted.

use std::fmt;
use std::str::FromStr;

/// Hosts whose device and certificate authentication does not survive interception: Entra device registration,
/// certificate authentication, and the port on which AD FS asks for client certificates.
pub const NEVER_DECRYPTED: [&str; 4] =
    ["enterpriseregistration.windows.net", "device.login.microsoftonline.com", "certauth.*", "*:49443"];

/// A host name, or a pattern of host names, in any letter case, with or without a port.
///
/// `mail.contoso.com` is that host; `*.contoso.com` every host below it, at any depth, but not `contoso.com` itself;
/// `certauth.*` every host that begins so; `*` every host.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HostPattern {
    name: String,
    port: Option<u16>,
}

impl HostPattern {
    /// The built-in list, [`NEVER_DECRYPTED`].
    pub fn never_decrypted() -> Vec<Self> {
        NEVER_DECRYPTED.iter().filter_map(|pattern| pattern.parse().ok()).collect()
    }

    /// Whether `host`, asked for on `port`, is meant.
    pub fn matches(&self, host: &str, port: u16) -> bool {
        self.port.is_none_or(|own| own == port) && self.means(host)
    }

    /// The one host that is meant; nothing where it may be one of several.
    pub(crate) fn exact(&self) -> Option<&str> {
        (!self.name.contains('*')).then_some(self.name.as_str())
    }

    /// Whether `host` is meant, on whatever port.
    pub(crate) fn means(&self, host: &str) -> bool {
        let host = host.strip_suffix('.').unwrap_or(host);
        match self.name.split_once('*') {
            None => self.name.eq_ignore_ascii_case(host),
            Some((start, end)) => {
                host.len() > start.len() + end.len()
                    && host.get(..start.len()).is_some_and(|part| part.eq_ignore_ascii_case(start))
                    && host.get(host.len() - end.len()..).is_some_and(|part| part.eq_ignore_ascii_case(end))
            }
        }
    }
}

impl FromStr for HostPattern {
    type Err = HostPatternError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        if text.contains('/') {
            return Err(HostPatternError::Url);
        }
        let (name, port) = split_port(text).ok_or(HostPatternError::Port)?;
        if name.is_empty() || name.chars().any(char::is_whitespace) {
            return Err(HostPatternError::Empty);
        }
        if name.matches('*').count() > 1 {
            return Err(HostPatternError::Stars);
        }
        Ok(Self { name: name.strip_suffix('.').unwrap_or(name).to_ascii_lowercase(), port })
    }
}

impl fmt::Display for HostPattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.port {
            None => f.write_str(&self.name),
            Some(port) if self.name.contains(':') => write!(f, "[{}]:{port}", self.name),
            Some(port) => write!(f, "{}:{port}", self.name),
        }
    }
}

/// Why a text is no host pattern.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum HostPatternError {
    /// A URL was given.
    #[error("give a host name such as mail.contoso.com or *.contoso.com, not a URL")]
    Url,
    /// There is no name, or blanks in it.
    #[error("a host pattern needs a name, such as mail.contoso.com or *.contoso.com")]
    Empty,
    /// There is more than one star.
    #[error("a host pattern may hold one star only, such as *.contoso.com")]
    Stars,
    /// The port is none.
    #[error("the port after the host name must be a number from 1 to 65535")]
    Port,
}

/// Host and port of `host`, `host:port`, `[v6]`, `[v6]:port` or a bare IPv6 address; the host without brackets.
/// Nothing where the port is no port.
pub(crate) fn split_port(text: &str) -> Option<(&str, Option<u16>)> {
    let port_of = |digits: &str| digits.parse::<u16>().ok().filter(|port| *port != 0);
    if let Some(rest) = text.strip_prefix('[') {
        let (host, after) = rest.split_once(']')?;
        return match after.strip_prefix(':') {
            Some(digits) => Some((host, Some(port_of(digits)?))),
            None => after.is_empty().then_some((host, None)),
        };
    }
    match text.split_once(':') {
        Some((_, digits)) if digits.contains(':') => Some((text, None)),
        Some((host, digits)) => Some((host, Some(port_of(digits)?))),
        None => Some((text, None)),
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn matches(pattern: &str, host: &str, port: u16) -> bool {
        pattern.parse::<HostPattern>().unwrap().matches(host, port)
    }

    #[test]
    fn exact_names_match_in_any_letter_case_and_with_a_trailing_dot() {
        assert!(matches("Mail.Contoso.com", "mail.contoso.COM", 443));
        assert!(matches("mail.contoso.com", "mail.contoso.com.", 443));
        assert!(!matches("mail.contoso.com", "xmail.contoso.com", 443));
    }

    #[test]
    fn a_star_in_front_means_every_host_below() {
        assert!(matches("*.contoso.com", "a.b.contoso.com", 443));
        assert!(!matches("*.contoso.com", "contoso.com", 443));
        assert!(!matches("*.contoso.com", ".contoso.com", 443));
        assert!(!matches("*.contoso.com", "fabrikam.com", 443));
        assert!(matches("*", "anything", 1));
    }

    #[test]
    fn ports_narrow_a_pattern() {
        assert!(matches("*:49443", "adfs.contoso.com", 49443));
        assert!(!matches("*:49443", "adfs.contoso.com", 443));
        assert!(matches("[::1]:8443", "::1", 8443));
        assert!(matches("::1", "::1", 8443));
    }

    #[test]
    fn the_built_in_list_is_well_formed() {
        let list = HostPattern::never_decrypted();
        let shown: Vec<_> = list.iter().map(ToString::to_string).collect();
        assert_eq!(shown, NEVER_DECRYPTED);
        assert!(list.iter().any(|pattern| pattern.matches("certauth.login.microsoftonline.com", 443)));
    }

    #[test]
    fn says_what_is_wrong_with_a_pattern() {
        let error = |text: &str| text.parse::<HostPattern>().unwrap_err();
        assert_eq!(error("https://mail.contoso.com/"), HostPatternError::Url);
        assert_eq!(error("mail.contoso.com/owa"), HostPatternError::Url);
        assert_eq!(error(""), HostPatternError::Empty);
        assert_eq!(error("*.con*"), HostPatternError::Stars);
        assert_eq!(error("mail:x"), HostPatternError::Port);
    }
}
