//! The readiness of the endpoints while it is looked at: the rows in their order, and the one that is selected.

use super::Source;
use crate::diagnosis::{Difference, Readiness};

/// The rows, read anew when something was said since.
#[derive(Debug)]
pub(super) struct Matrix {
    rows: Vec<(Readiness, Difference)>,
    fresh: bool,
    at: usize,
    /// How many rows a page is; known once drawn.
    page: usize,
}

impl Default for Matrix {
    fn default() -> Self {
        Self { rows: Vec::new(), fresh: false, at: 0, page: 10 }
    }
}

/// The endpoints in the order in which they are listed: what Outlook asks first comes first.
const ORDER: [&str; 14] = [
    "autodiscover",
    "autodiscover-v2",
    "mapi",
    "ews",
    "oab",
    "activesync",
    "rpc",
    "owa",
    "ecp",
    "powershell",
    "api",
    "onedrive",
    "sharepoint",
    "graph",
];

impl Matrix {
    /// Something new was said; rows may have changed.
    pub(super) fn forget(&mut self) {
        self.fresh = false;
    }

    /// Reads the rows if they are out of date. The selected row stays selected.
    pub(super) fn read(&mut self, source: &dyn Source) {
        if self.fresh {
            return;
        }
        self.fresh = true;
        let key = |row: &Readiness| (row.endpoint, row.name());
        let selected = self.selected().map(key);
        let rows = source.readiness();
        let differences = Readiness::differences(&rows);
        self.rows = rows.into_iter().zip(differences).collect();
        let rank = |endpoint| ORDER.iter().position(|known| *known == endpoint).unwrap_or(ORDER.len());
        self.rows.sort_by_cached_key(|(row, _)| (rank(row.endpoint), row.host.clone(), row.server.clone()));
        let again = self.rows.iter().position(|(row, _)| Some(key(row)) == selected);
        self.at = again.unwrap_or(self.at).min(self.rows.len().saturating_sub(1));
    }

    pub(super) fn rows(&self) -> &[(Readiness, Difference)] {
        &self.rows
    }

    /// Which row is selected.
    pub(super) const fn at(&self) -> usize {
        self.at
    }

    /// The selected row.
    pub(super) fn selected(&self) -> Option<&Readiness> {
        self.rows.get(self.at).map(|(row, _)| row)
    }

    pub(super) fn go(&mut self, by: isize) {
        self.at = self.at.saturating_add_signed(by).min(self.rows.len().saturating_sub(1));
    }

    /// Rows of a page; one row of the page before stays.
    pub(super) fn page(&self) -> isize {
        self.page.saturating_sub(1).max(1).cast_signed()
    }

    pub(super) fn set_page(&mut self, rows: u16) {
        self.page = usize::from(rows);
    }
}
