//! The causes, one a file, and the tests over all of them.

use super::Rule;

#[cfg(test)]
pub(crate) mod kit;
#[cfg(test)]
mod registry;

// Steps of healthy handshakes, and credentials that are refused.
mod ntlm_type1_type2;

// Failures of OAuth and of Hybrid Modern Authentication.

/// All rules. All of them run; their order ranks the findings of one exchange, the particular before the general.
pub static RULES: &[&Rule] = &[
    // Failures of OAuth and of Hybrid Modern Authentication.

    // Steps of healthy handshakes, and credentials that are refused.
    &ntlm_type1_type2::RULE,
];

/// The rule with this id.
pub fn rule(id: &str) -> Option<&'static Rule> {
    RULES.iter().copied().find(|rule| rule.id == id)
}
