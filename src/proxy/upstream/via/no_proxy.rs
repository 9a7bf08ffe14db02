//! `NO_PROXY`: which servers are reached without the upstream proxy, by the rules of curl.

use std::net::IpAddr;

use crate::proxy::entry::Network;
use crate::proxy::hosts::split_port;
use crate::proxy::target::Target;

/// Servers that are reached directly.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct NoProxy {
    entries: Vec<Entry>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Entry {
    All,
    /// Networks and single addresses.
    Network(Network),
    /// A name and all below it, on one port or on any.
    Domain(String, Option<u16>),
}

impl NoProxy {
    /// Reads what stands in the variable: names, addresses and networks, with commas or blanks between them. What is
    /// none of these means nobody.
    pub(crate) fn read(text: &str) -> Self {
        let words = text.split(|c: char| c == ',' || c.is_whitespace());
        Self { entries: words.filter_map(entry).collect() }
    }

    /// Whether the server is reached directly.
    pub(crate) fn names(&self, target: &Target) -> bool {
        let host = target.host.strip_suffix('.').unwrap_or(&target.host);
        let address: Option<IpAddr> = host.parse().ok();
        self.entries.iter().any(|entry| match entry {
            Entry::All => true,
            Entry::Network(network) => address.is_some_and(|address| network.contains(address)),
            Entry::Domain(name, port) => {
                address.is_none() && is_within(host, name) && port.is_none_or(|port| port == target.port)
            }
        })
    }
}

fn entry(word: &str) -> Option<Entry> {
    if word == "*" {
        return Some(Entry::All);
    }
    let bare = word.strip_prefix('[').and_then(|word| word.strip_suffix(']')).unwrap_or(word);
    if let Some(network) = Network::around(bare) {
        return Some(Entry::Network(network));
    }
    let (name, port) = split_port(word)?;
    let name = name.strip_prefix("*.").or_else(|| name.strip_prefix('.')).unwrap_or(name);
    let name = name.strip_suffix('.').unwrap_or(name);
    (!name.is_empty()).then(|| Entry::Domain(name.to_ascii_lowercase(), port))
}

/// Whether `host` is `name` or lies below it.
fn is_within(host: &str, name: &str) -> bool {
    host.len().checked_sub(name.len()).is_some_and(|at| {
        host.is_char_boundary(at)
            && host[at..].eq_ignore_ascii_case(name)
            && (at == 0 || host.as_bytes()[at - 1] == b'.')
    })
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn names(list: &str, target: &str) -> bool {
        NoProxy::read(list).names(&Target::read(target.as_bytes(), 443).unwrap())
    }

    #[test]
    fn a_name_means_itself_and_all_below_it() {
        for list in ["contoso.com", ".contoso.com", "*.contoso.com", "Contoso.com.", "fabrikam.com, contoso.com"] {
            assert!(names(list, "mail.contoso.com") && names(list, "contoso.com."), "{list}");
            assert!(!names(list, "notcontoso.com") && !names(list, "contoso.com.fabrikam.net"), "{list}");
        }
        assert!(names("localhost 127.0.0.1\tcontoso.com", "MAIL.contoso.COM"));
    }

    #[test]
    fn addresses_and_networks_are_compared_as_such() {
        assert!(names("10.0.0.0/8", "10.1.2.3:8443") && !names("10.0.0.0/8", "11.1.2.3"));
        // curl looks at the prefix alone.
        assert!(names("192.168.1.7/16", "192.168.9.9"));
        assert!(names("192.0.2.1", "192.0.2.1") && !names("192.0.2.1", "192.0.2.10"));
        assert!(names("[::1]", "[::1]:8443") && names("::1", "[::1]") && names("fd00::/8", "[fd12::1]"));
        assert!(!names("0.2.1", "192.0.2.1"), "an address is no name below another");
    }

    #[test]
    fn a_star_means_everybody_and_nothing_means_nobody() {
        assert!(names("*", "mail.contoso.com") && names("*", "192.0.2.1"));
        for list in ["", " , ,", "https://", ":8080", "."] {
            assert!(!names(list, "mail.contoso.com"), "{list}");
        }
    }

    #[test]
    fn a_port_narrows_an_entry() {
        assert!(names("contoso.com:8443", "mail.contoso.com:8443") && !names("contoso.com:8443", "mail.contoso.com"));
    }
}
