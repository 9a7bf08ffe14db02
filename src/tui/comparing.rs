//! Two sessions side by side while they are looked at: the step and the side that are selected.

use crate::diagnosis::comparison::{Comparison, Moment, Pair};

/// One of the two sessions.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Side {
    /// In which it works.
    Good,
    /// In which it does not.
    Bad,
}

/// A session that is compared.
#[derive(Debug)]
pub struct Named {
    /// What it is called.
    pub name: String,
    /// Whether only its beginning is compared.
    pub cut: bool,
}

/// Two sessions and how they differ.
#[derive(Debug)]
pub struct Compared {
    /// In which it works.
    pub good: Named,
    /// In which it does not.
    pub bad: Named,
    /// Step by step.
    pub comparison: Comparison,
}

/// What is looked at of them.
#[derive(Debug)]
pub(super) struct Comparing {
    pub(super) compared: Compared,
    /// The selected step, by its place.
    pub(super) at: usize,
    /// The side that was chosen last.
    side: Side,
    /// The first step on the screen.
    pub(super) top: usize,
    /// The keys are for what differs, not for the steps.
    pub(super) in_details: bool,
    /// The first row on the screen of what differs.
    pub(super) scroll: usize,
    /// How many rows a page is; known once drawn.
    pub(super) page: u16,
}

impl Comparing {
    /// At the first divergence.
    pub(super) fn new(compared: Compared) -> Self {
        let first = compared.comparison.first().map_or(0, |first| first.number.saturating_sub(1));
        let top = first.saturating_sub(2);
        Self { compared, at: first, side: Side::Bad, top, in_details: false, scroll: 0, page: 10 }
    }

    pub(super) fn steps(&self) -> &[Pair] {
        &self.compared.comparison.steps
    }

    pub(super) fn selected(&self) -> Option<&Pair> {
        self.steps().get(self.at)
    }

    /// Whether a step is the first that can be why one works and the other does not.
    pub(super) fn is_first(&self, step: &Pair) -> bool {
        self.compared.comparison.first().is_some_and(|first| first.number == step.number)
    }

    /// The exchange of the selected side.
    pub(super) fn exchange(&self) -> Option<(Side, u64)> {
        let moment = self.selected()?.side(self.side())?;
        Some((self.side(), moment.exchange))
    }

    /// The selected side: of a step that one session alone has, that one.
    pub(super) fn side(&self) -> Side {
        match self.selected() {
            Some(Pair { good: Some(_), bad: None, .. }) => Side::Good,
            Some(Pair { good: None, bad: Some(_), .. }) => Side::Bad,
            _ => self.side,
        }
    }

    pub(super) const fn choose(&mut self, side: Side) {
        self.side = side;
    }

    /// The steps, or what differs in the selected one.
    pub(super) const fn turn(&mut self) {
        self.in_details = !self.in_details;
    }

    pub(super) fn go(&mut self, by: isize) {
        if self.in_details {
            self.scroll = self.scroll.saturating_add_signed(by);
        } else {
            self.select(self.at.saturating_add_signed(by));
        }
    }

    /// The next step that differs, or the one before.
    pub(super) fn seek(&mut self, forward: bool) {
        let differs = |at: &usize| self.steps().get(*at).is_some_and(Pair::differs);
        let found =
            if forward { (self.at + 1..self.steps().len()).find(differs) } else { (0..self.at).rev().find(differs) };
        if let Some(at) = found {
            self.select(at);
        }
    }

    /// Rows of a page; one row of the page before stays.
    pub(super) fn page(&self) -> isize {
        usize::from(self.page.saturating_sub(1).max(1)).cast_signed()
    }

    fn select(&mut self, at: usize) {
        self.at = at.min(self.steps().len().saturating_sub(1));
        self.scroll = 0;
    }
}

impl Pair {
    /// What one of the two did.
    pub(super) fn side(&self, side: Side) -> Option<&Moment> {
        match side {
            Side::Good => self.good.as_ref(),
            Side::Bad => self.bad.as_ref(),
        }
    }
}

impl Side {
    pub(super) const ALL: [Self; 2] = [Self::Good, Self::Bad];
}
