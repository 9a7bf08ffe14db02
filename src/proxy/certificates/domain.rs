//! `ca renew --only DOMAIN`: the domains that a root is limited to.

use std::fmt;
use std::net::IpAddr;
use std::str::FromStr;

use rcgen::{CidrSubnet, GeneralSubtree, NameConstraints};
use x509_parser::extensions::GeneralName;
use x509_parser::prelude::X509Certificate;

/// A domain with all hosts below it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Domain(String);

impl FromStr for Domain {
    type Err = DomainError;

    /// Reads `contoso.com`; `*.contoso.com` and `.contoso.com` mean the same, because a limited root knows no other way
    /// to name hosts.
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let name = text.strip_prefix('*').unwrap_or(text);
        let name = name.strip_prefix('.').unwrap_or(name);
        let name = name.strip_suffix('.').unwrap_or(name);
        if name.parse::<IpAddr>().is_ok() || name.starts_with('[') {
            return Err(DomainError::Address);
        }
        if !name.is_ascii() {
            return Err(DomainError::NotAscii);
        }
        let is_label = |label: &str| {
            (1..=63).contains(&label.len())
                && label.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_".contains(&byte))
        };
        if name.len() > 253 || !name.split('.').all(is_label) {
            return Err(DomainError::Form);
        }
        Ok(Self(name.to_ascii_lowercase()))
    }
}

impl fmt::Display for Domain {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Whether `name` is in one of `domains`; without any, all names are. Addresses are in no domain.
pub(super) fn permit(domains: &[Domain], name: &str) -> bool {
    let name = name.strip_suffix('.').unwrap_or(name).to_ascii_lowercase();
    let within =
        |domain: &Domain| name.strip_suffix(&domain.0).is_some_and(|before| before.is_empty() || before.ends_with('.'));
    domains.is_empty() || (name.parse::<IpAddr>().is_err() && domains.iter().any(within))
}

/// What says so in a root: these names, and no address, which a limit on names alone would leave open.
pub(super) fn constraints(domains: &[Domain]) -> Option<NameConstraints> {
    let subtree = |domain: &Domain| GeneralSubtree::DnsName(domain.0.clone());
    (!domains.is_empty()).then(|| NameConstraints {
        permitted_subtrees: domains.iter().map(subtree).collect(),
        excluded_subtrees: vec![
            GeneralSubtree::IpAddress(CidrSubnet::V4([0; 4], [0; 4])),
            GeneralSubtree::IpAddress(CidrSubnet::V6([0; 16], [0; 16])),
        ],
    })
}

/// The domains that `root` is limited to.
pub(super) fn of(root: &X509Certificate<'_>) -> Vec<Domain> {
    let constraints = root.name_constraints().ok().flatten();
    let subtrees = constraints.and_then(|constraints| constraints.value.permitted_subtrees.as_ref());
    let domain = |name: &GeneralName<'_>| match name {
        GeneralName::DNSName(name) => name.parse().ok(),
        _ => None,
    };
    subtrees.into_iter().flatten().filter_map(|subtree| domain(&subtree.base)).collect()
}

/// Why a text is no domain that a root can be limited to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum DomainError {
    /// It is an address.
    #[error("a root is limited to domains, not to addresses; give one such as contoso.com")]
    Address,
    /// It is written in another script.
    #[error("write the domain as DNS does (xn--…), such as xn--bcher-kva.example")]
    NotAscii,
    /// It is not written like one.
    #[error("give a domain without scheme, port and path, such as contoso.com; hosts below it are included")]
    Form,
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn a_domain_is_itself_and_all_below_it() {
        let domains = ["Contoso.com".parse().unwrap(), "*.fabrikam.com".parse().unwrap()];
        for name in ["contoso.com", "MAIL.contoso.COM", "a.b.contoso.com.", "fabrikam.com", "x.fabrikam.com"] {
            assert!(permit(&domains, name), "{name}");
        }
        for name in ["xcontoso.com", "contoso.com.evil.example", "com", "", "10.1.2.3", "::1"] {
            assert!(!permit(&domains, name), "{name}");
        }
        assert!(permit(&[], "anything") && permit(&[], "10.1.2.3"));
    }

    #[test]
    fn what_is_no_domain_is_refused() {
        let error = |text: &str| text.parse::<Domain>().unwrap_err();
        for wrong in ["", ".", "*", "a..b", "https://contoso.com", "contoso.com:443", "a/b", "a b", "*.*.com"] {
            assert_eq!(error(wrong), DomainError::Form, "{wrong}");
        }
        assert_eq!([error("10.1.2.3"), error("::1"), error("[::1]")], [DomainError::Address; 3]);
        assert_eq!(error("b\u{fc}cher.example"), DomainError::NotAscii);
    }
}
