//! The terminal screen: what is looked at, the keys, and the drawing of it.
//!
//! `app` owns the exchanges. It hands a compact [`Row`] per exchange to [`State`], and answers through [`Source`] when
//! one of them is looked at; nothing here reads files or waits for traffic. [`State`] is pure: it can be driven by
//! made-up [`Input`] and drawn on a made-up terminal. [`Screen`] owns the real one.
//!
//! ```text
//! ┌ status: capture state, address, session, counts ───────────────┐
//! │ problems, when there are any                                    │
//! ├ flows ──────────────────────────┬ request ──────────────────────┤
//! │ # time method status authn url  │ head as on the wire, body     │
//! ├ handshake ──────────────────────┤                               │
//! │ ✓──────✓──────✓──────✗          ├ response ─────────────────────┤
//! ├ findings ───────────────────────┤ head as on the wire, body     │
//! │ answer, evidence, what to do    │                               │
//! └ hints from the key table ───────┴───────────────────────────────┘
//! ```
//!
//! A small terminal has the flows above and one of the other panes below them. Help and readiness take the place of all
//! panes while they are open. A comparison has a screen of its own; behind it each of its sessions has one as above.

mod banner;
mod comparing;
mod copying;
mod document;
mod filter;
mod flows;
mod focus;
mod keys;
mod looked;
mod matrix;
mod row;
mod search;
mod state;
mod terminal;
#[cfg(test)]
mod tests;
mod theme;
mod views;
mod words;
mod wrap;

use std::collections::HashSet;
use std::sync::Arc;

use crate::diagnosis::{Handshake, Judgement, Readiness};
use crate::exchange::Exchange;
use crate::redact::Clean;

/// What a terminal of this size shows.
#[cfg(test)]
#[allow(clippy::unwrap_used)]
pub(crate) fn drawn(state: &mut State, source: &dyn Source, (width, height): (u16, u16)) -> String {
    let mut terminal = ratatui::Terminal::new(ratatui::backend::TestBackend::new(width, height)).unwrap();
    terminal.draw(|frame| views::draw(frame, state, source)).unwrap();
    terminal.backend().to_string()
}

/// Goes on to the next exchange.
#[cfg(test)]
pub(crate) fn press_down(state: &mut State) {
    state.input(Input::pressed(crossterm::event::KeyCode::Down));
}

pub use banner::{Banner, Command, Counts, Identities, Mode, Problem, Reading};
pub use comparing::{Compared, Named, Side};
pub use copying::CopyForm;
pub use filter::contains;
pub use keys::Input;
pub use row::{Authn, Row};
pub use search::holds;
pub use state::State;
pub use terminal::{Screen, ScreenError, give_back, is_there};

/// Where the screen reads what it does not keep itself: one exchange at a time, when it is looked at.
pub trait Source {
    /// The whole exchange.
    fn exchange(&self, id: u64) -> Option<Arc<Exchange>>;

    /// What is said of it now.
    fn judgement(&self, id: u64) -> Option<Judgement>;

    /// The handshakes that the exchange is a step of.
    fn handshakes(&self, id: u64) -> Vec<Handshake>;

    /// What each endpoint of each server offers, as far as the session shows it.
    fn readiness(&self) -> Vec<Readiness>;

    /// The exchange as something to paste, without its credentials; nothing where its request was not seen.
    fn snippet(&self, id: u64, form: CopyForm) -> Option<String>;

    /// Those of the exchanges `ids` whose heads or bodies hold `part`, which is in lower case, in any letter case.
    fn holding(&self, ids: &[u64], part: &str) -> HashSet<u64> {
        let holds = |id: &u64| self.exchange(*id).is_some_and(|exchange| search::holds(&exchange, part));
        ids.iter().copied().filter(holds).collect()
    }

    /// A text of the exchange with the people behind its pseudonyms, where somebody knows them.
    fn reveal(&self, id: u64, text: &Clean) -> String;
}
