//! Names with dots: which domain they lie in, and what stands for each label.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use super::book::{Guid, Kind, like, stand_in};
use super::known::{self, Below};
use super::{Aliases, words};
use crate::redact::shape;

/// No name of a host is longer.
const LONGEST: usize = 253;

impl Aliases {
    /// A host where nothing else can stand: a name of any form or an address, with a port or without.
    pub(super) fn authority(&mut self, text: &str) -> String {
        let (before, rest) = text.rfind('@').map_or(("", text), |at| text.split_at(at + 1));
        let end = match rest.strip_prefix('[') {
            Some(inside) => inside.find(']').map_or(rest.len(), |at| at + 2),
            None => rest.find(':').unwrap_or(rest.len()),
        };
        let (host, port) = rest.split_at(end);
        let host = self.named_host(host, Kind::Server).unwrap_or_else(|| host.to_owned());
        [before, &host, port].concat()
    }

    /// A hop of `Via`: the protocol, who received it, a comment.
    pub(super) fn hop(&mut self, text: &str) -> String {
        let mut parts = text.splitn(3, ' ');
        let (Some(protocol), Some(by)) = (parts.next(), parts.next()) else { return self.prose(text).into_owned() };
        let comment = parts.next().map_or_else(String::new, |comment| format!(" {}", self.version_text(comment)));
        let is_product = by.split(['/', '-']).all(words::is_known);
        let by = if is_product { by.to_owned() } else { self.authority(by) };
        format!("{protocol} {by}{comment}")
    }

    /// What stands for a name that is known to be a host's, or an organisation's; nothing where it stays.
    pub(super) fn named_host(&mut self, host: &str, kind: Kind) -> Option<String> {
        if let Some(inside) = host.strip_prefix('[').and_then(|inside| inside.strip_suffix(']')) {
            let address: Ipv6Addr = inside.parse().ok()?;
            return self.address(address.into()).map(|address| format!("[{address}]"));
        }
        if let Ok(address) = host.parse::<Ipv4Addr>() {
            return self.address(address.into()).map(|address| address.to_string());
        }
        let bare = host.trim_end_matches('.');
        if !shape::is_host(bare.trim_start_matches("*.")) || bare.is_empty() {
            return None;
        }
        if !bare.contains('.') {
            return self.lone(host, kind);
        }
        self.learn(bare);
        Some(self.dotted(bare)? + &host[bare.len()..])
    }

    /// Remembers the domain that a host lies in.
    fn learn(&mut self, host: &str) {
        let lower = host.trim_start_matches("*.").to_ascii_lowercase();
        if known::service(&lower).is_none() {
            self.book.learn_domain(shape::organisation(&lower));
        }
    }

    /// What stands for a name of one label that is known to be one.
    pub(super) fn lone(&mut self, label: &str, kind: Kind) -> Option<String> {
        if shape::is_guid(label) {
            return self.book.guid(label, Guid::Other, self.learning);
        }
        let stays = words::is_everywhere(label)
            || known::is_data_center(label)
            || (label.is_ascii() && !shape::is_host(label))
            || !label.chars().any(char::is_alphabetic)
            || label.eq_ignore_ascii_case("hidden");
        if stays {
            return None;
        }
        Some(self.book.label(label, kind)).filter(|stand_in| stand_in != label)
    }

    /// What stands for a name of several labels; nothing where it stays.
    pub(super) fn dotted(&mut self, name: &str) -> Option<String> {
        if name.len() > LONGEST {
            return None;
        }
        let lower = name.to_ascii_lowercase();
        let shown = match known::service(&lower) {
            Some((_, Below::Own)) => return None,
            Some((length, Below::Customers)) => {
                let below = name.get(..name.len() - length)?.strip_suffix('.')?;
                let (rest, customer) = below.rsplit_once('.').map_or(("", below), |(rest, last)| (rest, last));
                let customer = self.customer(customer);
                format!("{}{customer}.{}", self.below(rest), &name[name.len() - length..])
            }
            None => {
                let owner = shape::organisation(&lower).len();
                let (rest, domain) = name.split_at(name.len() - owner);
                let (label, top) = domain.split_once('.')?;
                let domain = self.domain(label, top);
                format!("{}{domain}", self.below(rest.trim_end_matches('.')))
            }
        };
        (shown != name).then_some(shown)
    }

    /// A domain of two labels, or of three below a country's second level.
    fn domain(&mut self, label: &str, top: &str) -> String {
        let lower = top.to_ascii_lowercase();
        let stays = matches!(&*lower, "invalid" | "localhost" | "arpa")
            || (known::is_private_top(&lower) && words::is_everywhere(label));
        if stays {
            return format!("{label}.{top}");
        }
        if known::is_private_top(&lower) {
            return format!("{}.{top}", self.book.label(label, Kind::Organisation));
        }
        if lower == "example" && stand_in(&label.to_ascii_lowercase()).is_some() {
            return format!("{}.{top}", self.book.label(label, Kind::Organisation));
        }
        let label = self.book.domain(label, top);
        format!("{label}.{}", like(top, "example"))
    }

    /// Labels below a domain, with a dot behind the last.
    fn below(&mut self, labels: &str) -> String {
        if labels.is_empty() {
            return String::new();
        }
        let mut out = String::with_capacity(labels.len() + 8);
        for label in labels.split('.') {
            let service = label.strip_prefix('_').is_some_and(|service| service == "msdcs" || words::is_known(service));
            let stays = label == "*" || label.is_empty() || service;
            match (!stays).then(|| self.lone(label, Kind::Server)).flatten() {
                Some(shown) => out.push_str(&shown),
                None => out.push_str(label),
            }
            out.push('.');
        }
        out
    }

    /// The label that a customer has at a service: `contoso`, `contoso-my`, `contoso-com`.
    fn customer(&mut self, label: &str) -> String {
        let lower = label.to_ascii_lowercase();
        if label == "*" || words::is_everywhere(label) {
            return label.to_owned();
        }
        if shape::is_guid(label) {
            return self.book.guid(label, Guid::Other, self.learning).unwrap_or_else(|| label.to_owned());
        }
        let site = known::SITES.iter().find(|ending| lower.ends_with(**ending));
        let top = || lower.rsplit_once('-').filter(|(_, top)| known::is_usual_top(top)).map(|(_, top)| top.len() + 1);
        let ending = site.map(|ending| ending.len()).or_else(top).unwrap_or_default();
        let (base, ending) = label.split_at(label.len() - ending);
        let ending = if site.is_some() || ending.is_empty() { ending.to_owned() } else { like(ending, "-example") };
        self.book.label(base, Kind::Organisation) + &ending
    }

    /// Whether a name in a sentence is a host's: it lies in a domain that was met, or looks like it.
    pub(super) fn is_host_like(&self, name: &str, in_path: bool) -> bool {
        if name.len() > LONGEST {
            return false;
        }
        let lower = name.to_ascii_lowercase();
        let Some((before, top)) = lower.rsplit_once('.') else { return false };
        if lower.split('.').any(|label| label.is_empty() || label.len() > 63) || self.lies_in_known(&lower) {
            return self.lies_in_known(&lower);
        }
        let written = name.rsplit('.').next().unwrap_or_default();
        let mixed = written.bytes().any(|b| b.is_ascii_uppercase()) && written.bytes().any(|b| b.is_ascii_lowercase());
        let label = before.rsplit('.').next().unwrap_or_default();
        known::is_usual_top(top)
            && (!mixed || written == "Com" || written == "Local")
            && !(known::is_ending(top) && (in_path || !before.contains('.')))
            && label.len() >= 2
            && label.bytes().any(|byte| byte.is_ascii_alphabetic())
            && !label.contains('_')
    }

    fn lies_in_known(&self, lower: &str) -> bool {
        self.book.knows_domain(shape::organisation(lower)) || known::service(lower).is_some()
    }

    /// What stands for an address of four numbers; nothing where it is none, or stays.
    pub(super) fn address_text(&mut self, text: &str, only_known: bool) -> Option<String> {
        let address: IpAddr = text.parse::<Ipv4Addr>().ok()?.into();
        if only_known && !self.knows_address(address) {
            return None;
        }
        self.address(address).map(|address| address.to_string())
    }
}
