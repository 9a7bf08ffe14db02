//! The tap: bytes are copied from one end to the other, a tape hears of each piece, and what it makes of them is left in
//! the outbox.

mod outbox;
pub(crate) mod relay;
pub(crate) mod stream;
pub(crate) mod tape;

pub use outbox::{Event, Outbox};
