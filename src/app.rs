//! Does what was ordered: the one loop of a capture, and the commands that need none.
//!
//! It joins the rooms: it starts the proxy, stores what it hands over, has it diagnosed and shown. What is typed is
//! read in `cli`; how things look is settled in `report` and `tui`.

mod explain;
mod fault;
mod log;
mod order;
mod output;
mod printer;

pub use fault::{Exit, Fault};
pub use order::{Aim, CaDeed, Capture, Feed, Lines, Order, Page, Task, Upstream, View};

/// Does what was ordered.
pub fn run(order: Order) -> Result<Exit, Fault> {
    if let Some(path) = &order.log {
        log::start(path)?;
    }
    match order.task {
        Task::Explain { id } => explain::explain(id.as_deref(), order.language),
        _ => Err(Fault::NotYet { what: "this".to_owned() }),
    }
}
