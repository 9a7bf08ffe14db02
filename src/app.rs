//! Does what was ordered: the one loop of a capture, and the commands that need none.
//!
//! It joins the rooms: it starts the proxy, stores what it hands over, has it diagnosed and shown. What is typed is
//! read in `cli`; how things look is settled in `report` and `tui`.

mod ca;
mod diagnose;
mod explain;
mod fault;
mod input;
mod ledger;
mod log;
mod order;
mod output;
mod printer;
mod signals;

use std::io::Write as _;

pub use fault::{Exit, Fault};
pub use order::{Aim, CaDeed, Capture, Feed, Lines, Order, Page, Task, Upstream, View};

/// Does what was ordered.
pub fn run(order: Order) -> Result<Exit, Fault> {
    if let Some(path) = &order.log {
        log::start(path)?;
    }
    match order.task {
        Task::Explain { id } => explain::explain(id.as_deref(), order.language),
        Task::Diagnose { sources, page } => diagnose::diagnose(&sources, page, order.language),
        Task::Ca { deed, folder } => ca::ca(deed, folder, order.language),
        _ => Err(Fault::NotYet { what: "this".to_owned() }),
    }
}

/// Says something beside what was asked for, on standard error.
#[allow(clippy::disallowed_methods)] // The one place that writes messages on standard error.
pub(crate) fn warn(message: &str) {
    let _ = writeln!(std::io::stderr(), "authtap: {message}");
}
