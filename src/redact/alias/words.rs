//! Words that tell nobody whose traffic it was: those of hosts everywhere, and those of the protocols.

use std::collections::HashSet;
use std::sync::LazyLock;

use super::known;
use crate::redact::{header, names};

/// Labels that hosts have everywhere. They stay.
const HOSTS: &str = "mail webmail owa ews eas oab mapi rpc activesync autodiscover autodiscover-s exchange exch outlook \
    smtp imap pop pop3 mx adfs sts fs legacy hybrid mrs mrsproxy mrsproxy-svc migration cas hub edge mbx dag www web \
    remote vpn proxy gateway gw login logon signin sso auth oauth idp portal api app apps ad dc corp int internal ext \
    external extern intern intranet extranet dmz dev test qa uat prod stage staging lab cloud local localdomain localhost \
    lan wan mobile m enterpriseregistration enterpriseenrollment lyncdiscover lyncdiscoverinternal sip meet dialin \
    sharepoint teams onedrive relay lb nlb vip f5 bigip waf kemp netscaler citrix tmg isa arr wap cdn static ns ns1 ns2 \
    ntp dns ldap kdc ca pki crl ocsp aia wpad registry docker git gitlab graph token id identity account accounts my \
    home server servers client clients host hosts www1 www2 primary secondary backup dr node cluster old new default \
    unseen upstream origin backend frontend internalmail externalmail webmail2 msoid bluecoat zscaler squid fortigate \
    fortiweb sophos barracuda mimecast proofpoint okta duo ping iis apache nginx tomcat haproxy envoy traefik kong \
    net com org co ac go or ne gov edu";

/// Words of the protocols and of sentences about them. They stay where they stand alone; in the place of a name they are
/// names.
const PROTOCOLS: &str = include_str!("words.txt");

static HOST_WORDS: LazyLock<HashSet<&str>> = LazyLock::new(|| HOSTS.split_whitespace().collect());
static WORDS: LazyLock<HashSet<&str>> = LazyLock::new(|| {
    HOSTS.split_whitespace().chain(PROTOCOLS.split_whitespace()).chain(header::words()).chain(known::words()).collect()
});

/// Whether a label, in any letter case, is one that hosts have everywhere, with a number behind it or without.
pub(super) fn is_everywhere(label: &str) -> bool {
    let lower = label.to_ascii_lowercase();
    let bare = lower.trim_end_matches(|c: char| c.is_ascii_digit());
    let numbered = lower.len() - bare.len() <= 4;
    HOST_WORDS.contains(&*lower) || (numbered && HOST_WORDS.contains(bare.trim_end_matches(['-', '_'])))
}

/// Whether a word, in any letter case, is one of the protocols.
pub(super) fn is_known(word: &str) -> bool {
    let lower = word.to_ascii_lowercase();
    WORDS.contains(&*lower) || is_everywhere(&lower) || names::known(&lower).is_some()
}

/// Whether a label (in lower case) names somebody where it stands alone. Two letters, numbers and words of the protocols
/// do not.
pub(super) fn is_telling(label: &str) -> bool {
    let apart = |label: &str| label.split(['-', '_', '.', ' ']).all(|part| is_known(part) || part.len() < 2);
    label.len() >= 3 && !label.bytes().all(|byte| byte.is_ascii_digit()) && !apart(label)
}

/// Whether it does so inside of a longer word as well: `ContosoMail/1.0`.
pub(super) fn is_telling_inside(label: &str) -> bool {
    label.len() >= 5
        && label.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
        && !WORDS.iter().any(|word| word.contains(label))
        && !names::is_part(label)
}
