//! The list: all rows, those that the filter leaves, and the one selected.

use std::cmp::Ordering;
use std::collections::{HashSet, VecDeque};
use std::sync::Arc;

use unicode_width::UnicodeWidthStr;

use super::Source;
use super::filter::Filter;
use super::row::{RequestKind, Row};
use crate::diagnosis::Judgement;
use crate::redact::Clean;

/// Rows in the order in which their requests began.
///
/// The filter is applied as rows are caught up with, a bounded number a call, so neither a key nor a new row ever costs
/// time in proportion to the length of the session.
#[derive(Debug, Default)]
pub(super) struct Flows {
    rows: Vec<Row>,
    /// Indices of `rows[..scanned]` that the filter leaves, ascending.
    shown: VecDeque<u32>,
    scanned: usize,
    filter: Filter,
    /// Exchanges that the filter may leave now, which takes a look into them.
    doubtful: Vec<u64>,
    selected: Option<u64>,
    /// The selection stays on the newest row.
    pub(super) following: bool,
    /// The first row on the screen, as a position in `shown`.
    top: usize,
    /// Paths that repeat are kept once, and so are the kinds of requests.
    paths: HashSet<Clean>,
    kinds: HashSet<Arc<RequestKind>>,
    challenges: usize,
    failures: usize,
    /// Columns of the longest method and host so far, so that the list does not shift while one scrolls.
    widest: (usize, usize),
}

/// Rows that the filter is applied to at a time: about a millisecond's work.
const LOOKED_AT: usize = 20_000;
/// The same where exchanges have to be read.
const READ: usize = 200;
/// How many paths and kinds are remembered: more are of no use, as most of them never come again.
const REMEMBERED: usize = 10_000;

/// Which way to look for the next row of a kind.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Toward {
    Newer,
    Older,
}

impl Flows {
    pub(super) fn len(&self) -> usize {
        self.rows.len()
    }

    pub(super) fn shown_len(&self) -> usize {
        self.shown.len()
    }

    /// Rows with status 401.
    pub(super) fn challenges(&self) -> usize {
        self.challenges
    }

    /// Rows with verdict failure.
    pub(super) fn failures(&self) -> usize {
        self.failures
    }

    /// Columns of the longest method and of the longest host.
    pub(super) fn widest(&self) -> (usize, usize) {
        self.widest
    }

    /// The largest number of an exchange.
    pub(super) fn largest_id(&self) -> u64 {
        self.rows.last().map_or(0, |row| row.id)
    }

    pub(super) fn filter(&self) -> &Filter {
        &self.filter
    }

    /// Adds a row, or replaces the one of the same exchange.
    pub(super) fn add(&mut self, mut row: Row) {
        self.share(&mut row);
        match self.rows.binary_search_by_key(&row.id, |row| row.id) {
            Ok(at) => {
                // What was running has ended: more stands in it now.
                if self.filter.looks_inside() {
                    self.doubtful.push(row.id);
                }
                self.change(at, |old| {
                    row.verdict = old.verdict;
                    row.rules = std::mem::take(&mut old.rules);
                    *old = row;
                });
            }
            Err(at) => {
                self.count_in(&row);
                self.rows.insert(at, row);
                if at < self.scanned {
                    self.scanned += 1;
                    let from = self.shown.partition_point(|index| (*index as usize) < at);
                    self.shown.range_mut(from..).for_each(|index| *index += 1);
                    self.settle_row(at, false);
                }
            }
        }
    }

    /// Adds many rows of exchanges that have none yet: in time in proportion to all rows, once, where they belong
    /// between those that are there.
    pub(super) fn add_all(&mut self, mut rows: Vec<Row>) {
        rows.sort_unstable_by_key(|row| row.id);
        let Some(first) = rows.first().map(|row| row.id) else { return };
        let from = self.rows.partition_point(|row| row.id < first);
        if self.rows.len() - from <= 16 {
            for row in rows {
                self.add(row);
            }
            return;
        }
        for row in &mut rows {
            self.share(row);
            self.count_in(row);
        }
        let behind = self.rows.split_off(from);
        let (mut old, mut new) = (behind.into_iter().peekable(), rows.into_iter().peekable());
        loop {
            let order = match (old.peek(), new.peek()) {
                (None, None) => break,
                (Some(old), Some(new)) => old.id.cmp(&new.id),
                (Some(_), None) => Ordering::Less,
                (None, Some(_)) => Ordering::Greater,
            };
            self.rows.extend(if order == Ordering::Less { old.next() } else { new.next() });
        }
        // What follows has another place now.
        self.shown.truncate(self.shown.partition_point(|index| (*index as usize) < from));
        self.scanned = self.scanned.min(from);
    }

    /// Takes over what is said of an exchange. Nothing happens if there is no row of it.
    pub(super) fn judge(&mut self, judgement: &Judgement) {
        if let Ok(at) = self.rows.binary_search_by_key(&judgement.exchange, |row| row.id) {
            self.change(at, |row| row.judge(judgement));
        }
    }

    /// Replaces the filter; [`Flows::catch_up`] applies it.
    pub(super) fn set_filter(&mut self, filter: Filter) {
        self.filter = filter;
        self.doubtful.clear();
        self.shown.clear();
        self.scanned = 0;
        self.top = 0;
    }

    /// Applies the filter to some more rows: as many as take about a millisecond, which are fewer where `source` has to
    /// be asked what is in them. Returns whether all are done.
    pub(super) fn catch_up(&mut self, source: &dyn Source) -> bool {
        let looks_inside = self.filter.looks_inside();
        let budget = if looks_inside { READ } else { LOOKED_AT };
        let until = self.rows.len().min(self.scanned.saturating_add(budget));
        let mut left: Vec<u32> =
            (self.scanned..until).filter(|at| self.filter.matches(&self.rows[*at])).map(|at| at as u32).collect();
        if looks_inside {
            let doubtful = self.doubtful.split_off(self.doubtful.len().saturating_sub(READ));
            let places = doubtful.iter().filter_map(|id| self.place(*id)).filter(|at| *at < self.scanned);
            let places: Vec<u32> = places.map(|at| at as u32).collect();
            let mut kept = places.clone();
            kept.retain(|at| self.filter.matches(&self.rows[*at as usize]));
            self.keep_holding(&mut kept, source);
            for at in places {
                self.show(at, kept.contains(&at));
            }
            self.keep_holding(&mut left, source);
        }
        self.shown.extend(left);
        self.scanned = until;
        let complete = until == self.rows.len() && self.doubtful.is_empty();
        if complete {
            self.settle();
        }
        complete
    }

    /// How many percent of the rows the filter was applied to.
    pub(super) fn scanned(&self) -> usize {
        (self.scanned * 100).checked_div(self.rows.len()).unwrap_or(100)
    }

    pub(super) fn selected(&self) -> Option<u64> {
        self.selected
    }

    /// Selects an exchange; a filter that leaves it out is lifted. Returns whether there is a row of it.
    pub(super) fn select(&mut self, id: u64) -> bool {
        let known = self.place(id).map(|at| {
            if self.filter.looks_inside() {
                self.shown.binary_search(&(at as u32)).is_ok()
            } else {
                self.filter.matches(&self.rows[at])
            }
        });
        if known == Some(false) {
            self.set_filter(Filter::default());
        }
        if known.is_some() {
            self.selected = Some(id);
            self.following = false;
        }
        known.is_some()
    }

    #[cfg(test)]
    pub(super) fn row(&self, id: u64) -> Option<&Row> {
        self.place(id).map(|at| &self.rows[at])
    }

    fn place(&self, id: u64) -> Option<usize> {
        self.rows.binary_search_by_key(&id, |row| row.id).ok()
    }

    /// Moves the selection by so many shown rows.
    pub(super) fn move_by(&mut self, rows: isize) {
        if let Some(last) = self.shown.len().checked_sub(1) {
            let at = self.position().saturating_add_signed(rows).min(last);
            self.go_to(at);
        }
    }

    pub(super) fn first(&mut self) {
        self.go_to(0);
    }

    /// Goes to the newest row and stays there as more come.
    pub(super) fn last(&mut self) {
        self.following = true;
        self.settle();
    }

    /// Selects the nearest shown row of a kind, past the end from the other end on. Returns whether there was one.
    pub(super) fn seek(&mut self, toward: Toward, kind: fn(&Row) -> bool) -> bool {
        let (here, end) = (self.position().min(self.shown.len()), self.shown.len());
        let is = |at: &usize| kind(&self.rows[self.shown[*at] as usize]);
        let found = match toward {
            Toward::Newer => ((here + 1).min(end)..end).chain(0..here).find(is),
            Toward::Older => (0..here).rev().chain((here..end).rev()).find(is),
        };
        if let Some(at) = found {
            self.go_to(at);
        }
        found.is_some()
    }

    /// The rows for a window of `height` lines that holds the selected one.
    pub(super) fn window(&mut self, height: usize) -> impl Iterator<Item = &Row> {
        let at = self.position();
        let lowest = (at + 1).saturating_sub(height.max(1));
        self.top = self.top.clamp(lowest, at).min(self.shown.len().saturating_sub(height));
        let shown = self.shown.range(self.top..self.shown.len().min(self.top + height));
        shown.map(|index| &self.rows[*index as usize])
    }

    /// The position of the selected row among the shown ones, or of the one that would follow it.
    pub(super) fn position(&self) -> usize {
        let Some(id) = self.selected else { return 0 };
        self.shown.partition_point(|index| self.rows[*index as usize].id < id)
    }

    fn go_to(&mut self, at: usize) {
        if let Some(index) = self.shown.get(at) {
            self.selected = Some(self.rows[*index as usize].id);
            self.following = false;
        }
    }

    /// Keeps the selection on a shown row.
    fn settle(&mut self) {
        let Some(last) = self.shown.back().map(|index| self.rows[*index as usize].id) else {
            self.selected = None;
            return;
        };
        if self.following {
            self.selected = Some(last);
            return;
        }
        let at = self.position().min(self.shown.len() - 1);
        self.selected = Some(self.rows[self.shown[at] as usize].id);
    }

    /// Changes a row and what is counted of it.
    fn change(&mut self, at: usize, change: impl FnOnce(&mut Row)) {
        let matched = self.filter.matches(&self.rows[at]);
        let row = &mut self.rows[at];
        self.challenges -= usize::from(row.is_401());
        self.failures -= usize::from(row.is_failure());
        change(row);
        self.challenges += usize::from(row.is_401());
        self.failures += usize::from(row.is_failure());
        if at < self.scanned {
            self.settle_row(at, matched);
        }
    }

    /// Shows a row that has been scanned, or hides it, as the filter says; `matched` is what it said of the row before.
    fn settle_row(&mut self, at: usize, matched: bool) {
        let matches = self.filter.matches(&self.rows[at]);
        if !self.filter.looks_inside() || !matches {
            self.show(at as u32, matches);
        } else if !matched {
            self.doubtful.push(self.rows[at].id);
        }
    }

    fn show(&mut self, at: u32, shown: bool) {
        match (self.shown.binary_search(&at), shown) {
            (Ok(place), false) => {
                self.shown.remove(place);
            }
            (Err(place), true) => self.shown.insert(place, at),
            _ => {}
        }
    }

    /// Those of `rows` stay whose exchanges hold what the filter asks for.
    fn keep_holding(&self, rows: &mut Vec<u32>, source: &dyn Source) {
        for (part, negated) in self.filter.inside() {
            let ids: Vec<u64> = rows.iter().map(|at| self.rows[*at as usize].id).collect();
            let holding = source.holding(&ids, part);
            rows.retain(|at| holding.contains(&self.rows[*at as usize].id) != negated);
        }
    }

    fn count_in(&mut self, row: &Row) {
        self.challenges += usize::from(row.is_401());
        self.failures += usize::from(row.is_failure());
    }

    /// Has the row share what it has in common with others.
    fn share(&mut self, row: &mut Row) {
        match self.kinds.get(&row.kind) {
            Some(kind) => row.kind = Arc::clone(kind),
            None => {
                let (method, host) = self.widest;
                let kind = &row.kind;
                self.widest = (method.max(kind.method.as_str().width()), host.max(kind.host.as_str().width()));
                if self.kinds.len() < REMEMBERED {
                    self.kinds.insert(Arc::clone(kind));
                }
            }
        }
        match self.paths.get(&row.path) {
            Some(path) => row.path = path.clone(),
            None if self.paths.len() < REMEMBERED => {
                self.paths.insert(row.path.clone());
            }
            None => {}
        }
    }
}
