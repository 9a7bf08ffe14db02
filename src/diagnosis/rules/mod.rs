//! The causes, one a file in the folder of its family, and the tests over all of them.

use std::ptr;
use std::sync::LazyLock;

use super::Rule;

mod activesync;
mod autodiscover;
mod basic;
mod connection;
mod entra;
mod ews;
mod exchange_oauth;
mod generic;
mod graph;
pub mod none;
mod outlook;
mod outlook_anywhere;
mod sharepoint;
mod steps;
mod told;
mod windows_auth;

#[cfg(test)]
mod catalogue;
#[cfg(test)]
mod claims;
#[cfg(test)]
mod foreign;
#[cfg(test)]
pub(crate) mod kit;
#[cfg(test)]
mod pages;
#[cfg(test)]
mod registry;

/// All families. All rules run; their order ranks the findings of one exchange, the particular before the general.
static FAMILIES: &[&[&Rule]] = &[
    connection::RULES,
    entra::RULES,
    exchange_oauth::RULES,
    sharepoint::RULES,
    graph::RULES,
    ews::RULES,
    activesync::RULES,
    outlook_anywhere::RULES,
    autodiscover::RULES,
    windows_auth::RULES,
    basic::RULES,
    activesync::AFTER_PASSWORDS,
    outlook::RULES,
    steps::RULES,
    told::RULES,
    generic::RULES,
];

/// All rules, in the order of their rank.
pub static RULES: LazyLock<Vec<&'static Rule>> = LazyLock::new(|| FAMILIES.concat());

/// Whether `rule` is about the OAuth handshake with an Exchange server or its issuer of tokens.
pub(super) fn is_of_oauth(rule: &Rule) -> bool {
    let families = exchange_oauth::RULES.iter().chain(entra::RULES);
    rule.id != "adfs-extended-protection-mitm" && families.into_iter().any(|other| ptr::eq(*other, rule))
}

/// The rule with this id.
pub fn rule(id: &str) -> Option<&'static Rule> {
    RULES.iter().copied().find(|rule| rule.id == id)
}
