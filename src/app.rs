//! Does what was ordered: the one loop of a capture, and the commands that need none.
//!
//! It joins the rooms: it starts the proxy, stores what it hands over, has it diagnosed and shown. What is typed is
//! read in `cli`; how things look is settled in `report` and `tui`.

mod ca;
mod capture;
mod compare;
mod convert;
mod demo;
mod diagnose;
mod exit;
mod explain;
mod fault;
mod input;
mod judgements;
#[cfg(test)]
mod leak_matrix;
mod ledger;
mod lines;
mod log;
#[cfg(test)]
mod name_matrix;
mod numbers;
mod onlooker;
mod open;
mod order;
mod output;
mod panics;
mod pinned;
mod printer;
mod proof;
mod reach;
mod recent;
mod save;
mod screen;
mod shelved;
mod signals;
mod trust;
mod watch;

use std::io::Write as _;

pub use exit::Exit;
pub use fault::Fault;
pub use order::{CaDeed, Capture, Convert, Feed, Lines, Order, Page, Proxied, Replayed, Share, Task, Upstream, View};

/// Does what was ordered.
pub fn run(order: Order) -> Result<Exit, Fault> {
    panics::hook();
    panics::caught(|| obey(order)).unwrap_or(Err(Fault::Ours))
}

fn obey(Order { task, language, log }: Order) -> Result<Exit, Fault> {
    if let Some(path) = &log {
        log::start(path)?;
    }
    match task {
        Task::Capture(order) => capture::capture(*order, language),
        Task::Open { files } => open::open(&files, language),
        Task::Diagnose { sources, page } => diagnose::diagnose(&sources, page, language),
        Task::Compare { good, bad, lines } => compare::compare(&good, &bad, lines, language),
        Task::Convert(order) => convert::convert(&order, language),
        Task::Explain { id } => explain::explain(id.as_deref(), language),
        Task::Ca { deed, folder } => ca::ca(deed, folder, language),
        Task::Demo { view } => demo::demo(view, language),
    }
}

/// Says something beside what was asked for, on standard error.
#[allow(clippy::disallowed_methods)] // The one place that writes messages on standard error.
pub(crate) fn warn(message: &str) {
    let _ = writeln!(std::io::stderr(), "authtap: {message}");
}
