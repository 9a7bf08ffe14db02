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
    let _ = writeln!(std::io::stderr(), "authtap: {}", without_userinfo(message));
}

/// A URL in the place of a file's name may hold a password: what stands before its host is left out.
fn without_userinfo(message: &str) -> String {
    let mut shown = String::with_capacity(message.len());
    let mut rest = message;
    while let Some((before, after)) = rest.split_once("://") {
        let url = after.split(char::is_whitespace).next().unwrap_or_default();
        shown.push_str(before);
        shown.push_str("://");
        rest = url.rfind('@').map_or(after, |at| &after[at + 1..]);
    }
    shown + rest
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_names_no_password_of_a_url() {
        for (message, shown) in [
            ("https://avery:hunter2@p/a.har does not exist", "https://p/a.har does not exist"),
            (
                "use http://a:hun/ter@2@p:1, not https://p for avery@contoso.com",
                "use http://p:1, not https://p for avery@contoso.com",
            ),
            ("cannot read a.har", "cannot read a.har"),
            ("x://://@", "x://"),
        ] {
            assert_eq!(without_userinfo(message), shown);
        }
    }
}
