//! What every capture does with its exchanges: record them, have them judged, hand them to whoever shows them.

use std::collections::HashSet;
use std::sync::Arc;

use super::ledger::Ledger;
use super::recent::Recent;
use crate::diagnosis::{Finding, Judgement, Observed};
use crate::exchange::{Exchange, Timestamp};
use crate::proxy::{Event, Outbox, Tally};
use crate::redact::Redactor;
use crate::session::{Session, SessionError, Writer, WriterStatus};
use crate::tui;

/// Whoever shows a capture while it goes on.
pub(super) trait Show {
    /// This is what there is so far of an exchange that goes on.
    fn running(&mut self, exchange: &Exchange);

    /// An exchange has ended.
    fn ended(&mut self, exchange: &Exchange, observed: Observed);

    /// Something else is said now of earlier exchanges.
    fn revised(&mut self, judgements: Vec<Judgement>);
}

/// A capture's exchanges between the proxy and those who keep and show them.
pub(super) struct Watch {
    pub(super) outbox: Outbox,
    pub(super) redactor: Redactor,
    pub(super) ledger: Ledger,
    recent: Recent,
    /// Nothing where nothing is to be saved.
    writer: Option<Writer>,
    events: Vec<Event>,
}

impl Watch {
    pub(super) fn new(outbox: Outbox, redactor: Redactor, ledger: Ledger, writer: Option<Writer>) -> Self {
        Self { outbox, redactor, ledger, recent: Recent::default(), writer, events: Vec::new() }
    }

    /// Takes what the proxy left since the last time, in the order of time.
    pub(super) fn take(&mut self, show: &mut dyn Show) {
        let mut events = std::mem::take(&mut self.events);
        self.outbox.drain(&mut events);
        // Connections leave theirs when their own threads come to it: an effect can lie before its cause.
        events.sort_by_key(moment);
        for event in events.drain(..) {
            match event {
                Event::Running(exchange) => {
                    self.keep(&exchange);
                    show.running(&exchange);
                }
                Event::Ended(exchange) => {
                    self.keep(&exchange);
                    let observed = self.ledger.observe(&exchange);
                    log_exchange(&exchange, &observed.judgement);
                    show.ended(&exchange, observed);
                }
            }
        }
        self.events = events;
    }

    fn keep(&mut self, exchange: &Arc<Exchange>) {
        if let Some(writer) = &self.writer {
            writer.append(Arc::clone(exchange));
        }
        self.recent.keep(Arc::clone(exchange));
    }

    /// The whole exchange: from memory, else from the session file.
    pub(super) fn exchange(&self, id: u64) -> Option<Arc<Exchange>> {
        self.recent.exchange(id).or_else(|| {
            let path = self.writer.as_ref()?.path();
            let session = Session::open(path, &self.redactor).ok()?;
            session.exchange(id).ok()?.map(Arc::new)
        })
    }

    /// Those of the exchanges `ids` that hold `part`, which is in lower case, in any letter case.
    pub(super) fn holding(&self, ids: &[u64], part: &str) -> HashSet<u64> {
        let path = self.writer.as_ref().map(Writer::path);
        let session = path.and_then(|path| Session::open(path, &self.redactor).ok());
        let holds = |id: &u64| match self.recent.exchange(*id) {
            Some(exchange) => tui::holds(&exchange, part),
            None => session.as_ref().is_some_and(|session| session.holds(*id, |text| tui::contains(text, part))),
        };
        ids.iter().copied().filter(holds).collect()
    }

    /// How the recording stands, and how many exchanges are missing in it, those included that never came here.
    pub(super) fn standing(&self) -> Standing {
        let WriterStatus { lost, problem, .. } = self.writer.as_ref().map(Writer::status).unwrap_or_default();
        Standing { lost: lost + self.outbox.lost(), problem }
    }

    /// Nothing more will come: what was pending is decided, the session is closed. `tally` is what the proxy counted.
    pub(super) fn close(mut self, tally: Tally, show: &mut dyn Show) -> Closed {
        self.take(show);
        show.revised(self.ledger.finish());
        let unseen = self.outbox.lost();
        let WriterStatus { lost, problem, .. } = self.writer.map(Writer::close).unwrap_or_default();
        Closed { ledger: self.ledger, standing: Standing { lost: lost + unseen, problem }, tally }
    }
}

/// When an event took place. What goes on comes before what has ended, as its own end may be among that.
fn moment(event: &Event) -> Option<Timestamp> {
    match event {
        Event::Running(_) => None,
        Event::Ended(exchange) => {
            let lasted = exchange.timings.done.map_or(0, |done| i64::try_from(done.as_micros()).unwrap_or(i64::MAX));
            Some(Timestamp(exchange.started.0.saturating_add(lasted)))
        }
    }
}

pub(super) fn log_exchange(exchange: &Exchange, judgement: &Judgement) {
    let url = exchange.url.as_ref().map(|url| url.text().as_str());
    let findings: Vec<_> = judgement.findings.iter().map(Finding::id).collect();
    tracing::debug!(id = exchange.id, url, status = exchange.status(), verdict = %judgement.verdict, ?findings, "exchange");
}

/// How the recording stands.
#[derive(Default)]
pub(super) struct Standing {
    /// Exchanges that are missing in the session.
    pub(super) lost: u64,
    /// Why the last of them could not be written.
    pub(super) problem: Option<SessionError>,
}

/// What a capture came to.
pub(super) struct Closed {
    pub(super) ledger: Ledger,
    pub(super) standing: Standing,
    /// What was counted and not recorded, or not all of it.
    pub(super) tally: Tally,
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::app::input::RECORDED;
    use crate::exchange::{Connection, Seen, Timings, Unseen};
    use crate::session::Mode;

    /// What was shown, in its order; a running one is negative.
    #[derive(Default)]
    struct Shown(Vec<i64>);

    impl Show for Shown {
        fn running(&mut self, exchange: &Exchange) {
            self.0.push(-exchange.id.cast_signed());
        }

        fn ended(&mut self, exchange: &Exchange, _: Observed) {
            self.0.push(exchange.id.cast_signed());
        }

        fn revised(&mut self, _: Vec<Judgement>) {}
    }

    fn exchange(id: u64, started: i64, lasted: u64) -> Exchange {
        Exchange {
            id,
            started: Timestamp(started),
            connection: Arc::new(Connection { id: 1, ..Connection::default() }),
            method: None,
            url: None,
            request: Seen::Unseen(Unseen::NeverCame),
            response: Seen::Unseen(Unseen::NeverCame),
            error: None,
            timings: Timings { done: Some(Duration::from_micros(lasted)), ..Timings::default() },
            running: false,
        }
    }

    #[test]
    #[allow(clippy::unwrap_used)]
    fn what_one_visit_finds_is_shown_and_saved_in_the_order_of_its_ends() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.authtap");
        let (redactor, outbox) = (Redactor::new(), Outbox::new(8));
        let writer = Writer::begin(&path, Mode::Forward, &redactor).unwrap();
        let mut watch = Watch::new(outbox.clone(), redactor.clone(), Ledger::new(RECORDED), Some(writer));
        outbox.push(Event::Ended(exchange(3, 20, 40).into()));
        outbox.push(Event::Ended(exchange(2, 10, 20).into()));
        outbox.push(Event::Running(Exchange { running: true, ..exchange(1, 0, 5) }.into()));
        outbox.push(Event::Ended(exchange(1, 0, 70).into()));
        let mut shown = Shown::default();
        watch.take(&mut shown);
        assert_eq!(shown.0, [-1, 2, 3, 1]);
        watch.close(Tally::default(), &mut shown);
        let session = Session::open(&path, &redactor).unwrap();
        let saved: Vec<_> = session.exchanges().map(|exchange| exchange.unwrap().id).collect();
        assert_eq!(saved, [2, 3, 1]);
    }
}
