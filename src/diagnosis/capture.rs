//! Where exchanges come from: it decides who can be blamed for an interception, and what can still come.

/// Where the exchanges come from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Capture {
    /// A capture of our own, going on or recorded.
    Live {
        /// Whether only programs of this machine can be the client: the proxy listens on loopback addresses alone.
        loopback: bool,
        /// Whether this machine runs Windows.
        windows: bool,
    },
    /// A capture of our own in which a recorded session answered: what servers say of the time is of another day.
    Replayed,
    /// A file of another tool, or pasted text.
    Imported,
    /// A file of a tool that opens TLS with certificates of its own: its clients never saw the server's.
    Intercepted,
}

impl Capture {
    /// Whether it is one of our own.
    pub const fn is_live(self) -> bool {
        matches!(self, Self::Live { .. } | Self::Replayed)
    }
}
