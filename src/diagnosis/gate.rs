//! Which exchanges a rule is asked about: a cheap test before the rule runs, and the index that makes it cheap for all.

use std::sync::LazyLock;

use super::rules::RULES;
use super::signs::Signs;
use super::{Case, Rule};
use crate::exchange::Exchange;

/// Which exchanges a rule is asked about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Gate {
    outcome: Outcome,
    signs: Signs,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Outcome {
    Status(&'static [u16]),
    Failed,
    Tunnel,
    Any,
}

impl Gate {
    /// Those that failed without a response, or whose response was cut.
    pub const FAILED: Self = Self::of(Outcome::Failed);
    /// Tunnels that were not looked into.
    pub const TUNNEL: Self = Self::of(Outcome::Tunnel);
    /// All.
    pub const ANY: Self = Self::of(Outcome::Any);

    /// Those answered with one of these statuses, or with one that was not captured.
    pub const fn status(statuses: &'static [u16]) -> Self {
        Self::of(Outcome::Status(statuses))
    }

    /// Of those, the ones that show at least one of these signs.
    #[must_use]
    pub const fn showing(self, signs: Signs) -> Self {
        Self { signs, ..self }
    }

    const fn of(outcome: Outcome) -> Self {
        Self { outcome, signs: Signs::NONE }
    }

    /// Whether the rule is asked about `case`.
    pub fn opens(self, case: &Case<'_>) -> bool {
        self.outcome.is_of(case.exchange) && (self.signs.is_none() || case.signs().has_any(self.signs))
    }
}

impl Outcome {
    fn is_of(self, exchange: &Exchange) -> bool {
        match self {
            Self::Status(statuses) => match exchange.status() {
                Some(status) => statuses.contains(&status),
                None => exchange.response.seen().is_some(),
            },
            Self::Failed => exchange.error.is_some(),
            Self::Tunnel => {
                exchange.error.is_none() && exchange.method.as_ref().is_some_and(|method| method == "CONNECT")
            }
            Self::Any => true,
        }
    }
}

/// Statuses with a list of their own.
const STATUSES: usize = 600;

/// The rules that a complete response of each status can concern, each with the signs that it asks for, in the order of
/// their rank.
static BY_STATUS: LazyLock<Vec<Vec<(Signs, &'static Rule)>>> = LazyLock::new(|| {
    let concerns = |rule: &&Rule, status: usize| match rule.gate.outcome {
        Outcome::Status(statuses) => statuses.iter().any(|of| usize::from(*of) == status),
        Outcome::Failed => false,
        Outcome::Tunnel | Outcome::Any => true,
    };
    let listed = |status| {
        let concerned = RULES.iter().copied().filter(|rule| concerns(rule, status));
        concerned.map(|rule| (rule.gate.signs, rule)).collect()
    };
    (0..STATUSES).map(listed).collect()
});

/// Asks `take` to hear each rule that concerns `case`, in the order of their rank.
pub(super) fn asked(case: &Case<'_>, mut take: impl FnMut(&'static Rule)) {
    let listed = case.exchange.status().filter(|_| case.exchange.error.is_none());
    match listed.and_then(|status| BY_STATUS.get(usize::from(status))) {
        Some(list) => {
            let signs = case.signs();
            for (wanted, rule) in list {
                // Of the outcomes only a tunnel is left to tell apart; the list has the status already.
                if (wanted.is_none() || signs.has_any(*wanted))
                    && (rule.gate.outcome != Outcome::Tunnel || rule.gate.outcome.is_of(case.exchange))
                {
                    take(rule);
                }
            }
        }
        None => RULES.iter().copied().filter(|rule| rule.gate.opens(case)).for_each(take),
    }
}
