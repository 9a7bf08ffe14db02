//! Several sessions in one numbering.

use std::collections::HashMap;

use super::shelved::Shelved;

/// The numbers that exchanges are shown with: their own where one session is looked at, and in the order of time where
/// several are.
pub(super) enum Numbers {
    Own,
    ByTime {
        /// Session and own number, by shown number less one.
        recorded: Vec<(usize, u64)>,
        shown: HashMap<(usize, u64), u64>,
    },
}

impl Numbers {
    /// Of the exchanges of `sessions`.
    pub(super) fn of(sessions: &[Shelved]) -> Self {
        if sessions.len() < 2 {
            return Self::Own;
        }
        let mut all: Vec<_> = sessions
            .iter()
            .enumerate()
            .flat_map(|(at, shelved)| shelved.beginnings().map(move |(started, id)| (started, at, id)))
            .collect();
        all.sort_unstable();
        let recorded: Vec<_> = all.into_iter().map(|(_, at, id)| (at, id)).collect();
        let shown = recorded.iter().copied().zip(1..).collect();
        Self::ByTime { recorded, shown }
    }

    /// The number that the exchange `id` of a session is shown with.
    pub(super) fn shown(&self, session: usize, id: u64) -> Option<u64> {
        match self {
            Self::Own => Some(id),
            Self::ByTime { shown, .. } => shown.get(&(session, id)).copied(),
        }
    }

    /// The session and the own number of the exchange that is shown with `shown`.
    pub(super) fn recorded(&self, shown: u64) -> Option<(usize, u64)> {
        match self {
            Self::Own => Some((0, shown)),
            Self::ByTime { recorded, .. } => {
                let at = usize::try_from(shown.checked_sub(1)?).ok()?;
                recorded.get(at).copied()
            }
        }
    }
}
