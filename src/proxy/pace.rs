//! How often something may happen: so many at once, then so many a second.

use std::time::Duration;

use tokio::time::Instant;

/// A pace. What is asked for beyond it must wait its turn.
pub(crate) struct Pace {
    every: Duration,
    /// How far ahead of the pace one may be.
    ahead: Duration,
    /// When the next turn would be, had every turn been taken at the pace.
    next: Option<Instant>,
}

impl Pace {
    /// `burst` at once, then `rate` a second.
    pub(crate) fn new(burst: u32, rate: u32) -> Self {
        let every = Duration::from_secs(1) / rate.max(1);
        Self { every, ahead: every * burst.saturating_sub(1), next: None }
    }

    /// Takes the next turn: how long to wait for it. Nothing, and no turn taken, where that is longer than `patience`.
    pub(crate) fn turn(&mut self, patience: Duration) -> Option<Duration> {
        let now = Instant::now();
        let turn = self.next.map_or(now, |next| next.max(now));
        let wait = turn.saturating_duration_since(now).saturating_sub(self.ahead);
        if wait > patience {
            return None;
        }
        self.next = Some(turn + self.every);
        Some(wait)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_burst_is_free_then_turns_come_at_the_pace_and_rest_fills_it_again() {
        let mut pace = Pace::new(3, 10);
        let turn = |pace: &mut Pace| pace.turn(Duration::from_millis(250)).map(|wait| wait.as_millis());
        let turns: Vec<_> = (0..7).map(|_| turn(&mut pace)).collect();
        assert_eq!(turns, [Some(0), Some(0), Some(0), Some(100), Some(200), None, None]);
        tokio::time::advance(Duration::from_millis(100)).await;
        assert_eq!((turn(&mut pace), turn(&mut pace)), (Some(200), None));
        tokio::time::advance(Duration::from_hours(1)).await;
        assert_eq!((0..4).map(|_| turn(&mut pace)).collect::<Vec<_>>(), [Some(0), Some(0), Some(0), Some(100)]);
    }
}
