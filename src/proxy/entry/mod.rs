//! The ways in: what the first bytes of a client ask for, and each way's course from there to the tap.

mod absolute;
mod connection;
pub(crate) mod listener;
mod network;
mod reverse;
mod tunnel;

pub use network::{Network, NetworkError};
pub use reverse::{ReverseUrl, ReverseUrlError};
