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
    /// A file of another tool, or pasted text.
    Imported,
    /// A file of a tool that opens TLS with certificates of its own: its clients never saw the server's.
    Intercepted,
}

impl Capture {
    /// The capture of a tool, by the name that it goes by in its files: `Fiddler`, `mitmproxy 11.0.2`.
    pub fn of_tool(name: &str) -> Self {
        const INTERCEPTORS: [&str; 14] = [
            "fiddler",
            "mitm",
            "charles",
            "burp",
            "proxyman",
            "http toolkit",
            "httptoolkit",
            "zap",
            "whistle",
            "anyproxy",
            "reqable",
            "httpcanary",
            "fluxzy",
            "proxelar",
        ];
        let name = name.to_ascii_lowercase();
        if INTERCEPTORS.iter().any(|known| name.contains(known)) { Self::Intercepted } else { Self::Imported }
    }

    /// Whether it is one of our own.
    pub const fn is_live(self) -> bool {
        matches!(self, Self::Live { .. })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tool_that_opens_tls_is_told_from_one_that_looks_on() {
        assert_eq!(Capture::of_tool("Fiddler Everywhere"), Capture::Intercepted);
        assert_eq!(Capture::of_tool("mitmproxy"), Capture::Intercepted);
        for looks_on in ["WebInspector", "Firefox", "Microsoft Edge"] {
            assert_eq!(Capture::of_tool(looks_on), Capture::Imported);
        }
    }
}
