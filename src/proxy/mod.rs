//! The proxy as a tap: bytes pass verbatim, a reader follows a copy of them.

mod authority;
mod certificate;
mod crypto;
mod hosts;
mod leaf;
mod outbox;
mod respond;

pub use authority::{Authority, AuthorityError};
pub use hosts::{HostPattern, HostPatternError, NEVER_DECRYPTED};
pub use outbox::{Event, Outbox};
pub use respond::{Answer, Request, Respond, Responder};
