//! Application protocols that are agreed on inside TLS (ALPN, RFC 7301): those that the reader follows.

/// One of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Protocol {
    /// `http/1.1`
    Http1,
    /// `h2`
    Http2,
}

impl Protocol {
    /// All.
    pub(crate) const ALL: [Self; 2] = [Self::Http1, Self::Http2];

    /// The one that a hello calls so.
    pub(crate) fn of(id: &[u8]) -> Option<Self> {
        Self::ALL.into_iter().find(|protocol| protocol.id() == id)
    }

    /// What a hello calls it.
    pub(crate) const fn id(self) -> &'static [u8] {
        match self {
            Self::Http1 => b"http/1.1",
            Self::Http2 => b"h2",
        }
    }
}
