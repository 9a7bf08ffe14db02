//! Says of every exchange whether it is fine, a step, a failure, or cannot be known, and why.
//!
//! Pure: no clock, no I/O, no async. It is a fold over exchanges in the order in which they ended; what it costs for one
//! exchange does not grow with the number before it.

mod answered;
mod audience;
mod bounded;
mod capture;
mod case;
pub mod comparison;
#[cfg(test)]
mod corpus;
pub mod decode;
mod directory;
mod ends;
mod entries;
mod ews;
mod finding;
mod gate;
mod handshake;
mod interception;
mod judge;
mod key;
mod ladder;
mod open;
mod past;
mod person;
mod readiness;
mod refusal;
mod rule;
pub mod rules;
mod sharepoint;
mod signs;
#[cfg(test)]
mod tests;
mod token;
mod words;

use crate::exchange::Exchange;
use ends::Ends;
use judge::{Judged, judge};
use ladder::Ladders;
use open::Open;
use past::Lesson;
use readiness::Matrix;

pub use capture::Capture;
pub use case::{Case, Sent};
pub use decode::migration_line::End;
pub use decode::{
    Aadsts, Challenge, Diagnostics, Family, Form, GraphError, GraphFault, Numbering, RestError, Soap, SoapError,
    TokenFault,
};
pub use directory::Directory;
pub use ends::Platform;
pub use entries::{Entries, Entry};
pub use finding::{Actor, Certainty, Evidence, Finding, Judgement, Kind, Place, Subject, Verdict};
pub use gate::Gate;
pub use handshake::{Handshake, HandshakeStep, PREEMPTIVE, Scheme, StepState};
pub use interception::Bound;
pub use past::{
    Accepted, BearerSeen, Given, Hunted, Legs, Load, Logon, Obtained, OwnServer, Past, Person, Record, Windows,
};
pub use readiness::{Difference, Readiness};
pub use rule::{Hit, Next, Rule, Then};
pub use signs::Signs;

/// What one exchange changed.
#[derive(Clone, Debug)]
pub struct Observed {
    /// What is said of the exchange itself.
    pub judgement: Judgement,
    /// What is said now of earlier ones.
    pub revised: Vec<Judgement>,
}

/// The fold.
#[derive(Debug)]
pub struct Diagnosis {
    capture: Capture,
    past: Past,
    open: Open,
    ladders: Ladders,
    matrix: Matrix,
    ends: Ends,
}

impl Diagnosis {
    /// Nothing seen yet.
    pub fn new(capture: Capture) -> Self {
        Self {
            capture,
            past: Past::default(),
            open: Open::default(),
            ladders: Ladders::new(capture),
            matrix: Matrix::default(),
            ends: Ends::default(),
        }
    }

    /// Takes the next exchange that ended.
    pub fn observe(&mut self, exchange: &Exchange) -> Observed {
        let case = Case::new(exchange, &self.past, self.capture);
        let Judged { judgement, next } = judge(&case);
        let mut revised = self.open.decide(&case);
        if !next.is_empty() {
            revised.extend(self.open.add(&case, judgement.clone(), next));
        }
        self.ladders.add(&case, judgement.verdict);
        self.matrix.add(&case, judgement.verdict);
        self.matrix.tell_ends(&self.ends.add(&case));
        let lesson = Lesson::of_judged(&case, &judgement);
        self.past.remember(lesson);
        Observed { judgement, revised }
    }

    /// Nothing more will come: every `pending` becomes `unknown`. Gives what changed.
    pub fn finish(&mut self) -> Vec<Judgement> {
        self.ladders.finish();
        self.open.finish()
    }

    /// The handshakes seen so far, in the order in which they began.
    pub fn handshakes(&self) -> Vec<Handshake> {
        self.ladders.list()
    }

    /// The handshakes that an exchange is a step of, likewise.
    pub fn handshakes_of(&self, exchange: u64) -> Vec<Handshake> {
        self.ladders.of(exchange)
    }

    /// What each endpoint of each server offered, in the order in which they were first met.
    pub fn readiness(&self) -> &[Readiness] {
        self.matrix.rows()
    }
}
