//! One exchange with its past: the questions a rule may ask.

use crate::exchange::Exchange;

/// One exchange with what came before it.
pub struct Case<'a> {
    /// The exchange in question.
    pub exchange: &'a Exchange,
}
