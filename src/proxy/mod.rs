//! The proxy as a tap: bytes pass verbatim, a reader follows a copy of them.

mod hosts;
mod outbox;
mod respond;

pub use hosts::{HostPattern, HostPatternError, NEVER_DECRYPTED};
pub use outbox::{Event, Outbox};
pub use respond::{Answer, Request, Respond, Responder};
