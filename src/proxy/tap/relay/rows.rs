//! Rows of exchanges that go on for long.

use std::pin::Pin;
use std::task::Context;
use std::time::Duration;

use tokio::time::{Instant, Sleep};

use crate::proxy::tap::tape::Tape;

/// Sees to the rows of exchanges that go on for long.
///
/// One alarm a connection, set only while an exchange is open: no timer is touched for an exchange that is short.
pub(super) struct RowClock {
    alarm: Pin<Box<Sleep>>,
    set: bool,
}

impl RowClock {
    pub(super) fn new() -> Self {
        Self { alarm: Box::pin(tokio::time::sleep(Duration::ZERO)), set: false }
    }

    /// Lets `tape` write what is due and wakes the task when it is time again.
    pub(super) fn poll(&mut self, tape: &mut Tape, cx: &mut Context<'_>) {
        loop {
            if !self.set {
                let Some(wait) = tape.next_row() else { return };
                self.alarm.as_mut().reset(Instant::now() + wait);
                self.set = true;
            }
            if self.alarm.as_mut().poll(cx).is_pending() {
                return;
            }
            self.set = false;
            tape.write_rows();
        }
    }
}
