//! The ways in: what the first bytes of a client ask for, and each way's course from there to the tap.

mod absolute;
mod connection;
pub(crate) mod crowd;
mod hello;
pub(crate) mod listener;
pub(crate) mod login;
mod network;
mod reverse;
mod socks;
mod transparent;
mod tunnel;

pub use login::{ProxyLogin, ProxyLoginError};
pub use network::{Network, NetworkError};
pub use reverse::{ReverseUrl, ReverseUrlError};
pub(crate) use transparent::AVAILABLE as TRANSPARENT_AVAILABLE;
