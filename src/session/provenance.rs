//! What captured the exchanges of a file. It decides what may be concluded from them.
//!
//! An archive tells it in `log._authtap`, a session of ours in the row of a run; a file without is another tool's.

use std::net::SocketAddr;

use serde_json::Value;

/// A member that is a string.
fn text<'v>(value: &'v Value, name: &str) -> Option<&'v str> {
    value.get(name)?.as_str()
}

/// Where the exchanges of a file come from.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Provenance {
    /// A capture of ours.
    Live {
        /// Whether the proxy listened on loopback addresses alone.
        loopback: bool,
        /// Whether the proxy's machine ran Windows; nothing where the file does not say.
        windows: Option<bool>,
    },
    /// A capture of another tool.
    #[default]
    Imported,
    /// A capture of another tool that opens TLS with certificates of its own.
    Intercepted,
}

impl Provenance {
    /// A capture of ours on this machine.
    pub const HERE: Self = Self::Live { loopback: true, windows: Some(cfg!(windows)) };

    /// The words that stand for it in our own files.
    pub fn words(self) -> String {
        match self {
            Self::Imported => "imported".to_owned(),
            Self::Intercepted => "intercepted".to_owned(),
            Self::Live { loopback, windows } => {
                let system = windows.map(|windows| if windows { " windows" } else { " other-system" });
                ["live", if loopback { " loopback" } else { "" }, system.unwrap_or_default()].concat()
            }
        }
    }

    /// Reads [`Provenance::words`] back.
    pub fn of_words(words: &str) -> Option<Self> {
        let says = |word: &str| words.split(' ').any(|said| said == word);
        match words.split(' ').next()? {
            "imported" => Some(Self::Imported),
            "intercepted" => Some(Self::Intercepted),
            "live" => {
                let windows = says("windows").then_some(true).or_else(|| says("other-system").then_some(false));
                Some(Self::Live { loopback: says("loopback"), windows })
            }
            _ => None,
        }
    }

    /// Reads `log._authtap`.
    pub(super) fn read(facts: &Value) -> Self {
        if !text(facts, "mode").is_some_and(|mode| mode.eq_ignore_ascii_case("live")) {
            return text(facts, "tool").map_or(Self::Imported, Self::of_tool);
        }
        let windows = text(facts, "os").map(|system| system.to_ascii_lowercase().starts_with("win"));
        Self::Live { loopback: words(facts, "listen").all(is_loopback), windows }
    }
}

impl Provenance {
    /// Another tool's, by the name that it goes by in its files: `Fiddler`, `mitmproxy 11.0.2`.
    pub(crate) fn of_tool(name: &str) -> Self {
        const INTERCEPTORS: [&str; 14] = [
            "fiddler",
            "mitm",
            "charles",
            "burp",
            "proxyman",
            "http toolkit",
            "httptoolkit",
            "zed attack",
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
}

/// The certificates that a capture knows of a host, by their SHA-256.
#[derive(Clone, Default)]
pub(super) struct Certificates {
    /// Nothing where they are those of every host.
    host: Option<String>,
    /// What the client was shown.
    pub(super) presented: Option<[u8; 32]>,
    /// What the server showed.
    pub(super) upstream: Option<[u8; 32]>,
}

impl Certificates {
    /// Reads `log._authtap`.
    pub(super) fn read(facts: &Value) -> Self {
        let fingerprint = |name| text(facts, name).and_then(fingerprint);
        Self {
            host: text(facts, "host").map(str::to_ascii_lowercase),
            presented: fingerprint("presented_cert_sha256"),
            upstream: fingerprint("upstream_cert_sha256"),
        }
    }

    /// Whether they are those of `host`.
    pub(super) fn are_of(&self, host: &str) -> bool {
        self.host.as_ref().is_none_or(|known| known.eq_ignore_ascii_case(host))
    }
}

/// A member that is one word or a list of words.
fn words<'v>(facts: &'v Value, name: &str) -> impl Iterator<Item = &'v str> {
    let value = facts.get(name);
    let list = value.and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str);
    value.and_then(Value::as_str).into_iter().chain(list)
}

fn is_loopback(address: &str) -> bool {
    match address.parse::<SocketAddr>() {
        Ok(address) => address.ip().is_loopback(),
        Err(_) => address.to_ascii_lowercase().starts_with("localhost"),
    }
}

/// 64 hexadecimal digits, with or without colons between them.
fn fingerprint(text: &str) -> Option<[u8; 32]> {
    let digits: Vec<u8> = text
        .chars()
        .filter(|c| !matches!(c, ':' | ' ' | '-'))
        .map(|c| c.to_digit(16).and_then(|digit| u8::try_from(digit).ok()))
        .collect::<Option<_>>()?;
    let bytes: Vec<u8> = digits.chunks_exact(2).map(|pair| pair[0] << 4 | pair[1]).collect();
    (digits.len() == 64).then(|| bytes.try_into().ok())?
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_capture_of_ours_says_so() {
        let live = |loopback, windows| Provenance::Live { loopback, windows };
        assert_eq!(Provenance::read(&json!({"mode": "live"})), live(true, None));
        let all = json!({"mode": "live", "listen": ["127.0.0.1:8080", "0.0.0.0:8080"], "os": "Windows 11"});
        assert_eq!(Provenance::read(&all), live(false, Some(true)));
        let one = json!({"mode": "live", "listen": "[::1]:8080", "os": "linux"});
        assert_eq!(Provenance::read(&one), live(true, Some(false)));
        assert_eq!(Provenance::read(&json!({"mode": "imported", "tool": "fiddler"})), Provenance::Intercepted);
        assert_eq!(Provenance::read(&json!({"mode": "imported", "tool": "Firefox"})), Provenance::Imported);
        assert_eq!(Provenance::of_tool("WebInspector"), Provenance::Imported);
        assert_eq!(Provenance::read(&json!(7)), Provenance::Imported);
    }

    #[test]
    fn words_read_back() {
        let live = |loopback, windows| Provenance::Live { loopback, windows };
        for provenance in [
            Provenance::Imported,
            Provenance::Intercepted,
            live(true, None),
            live(false, Some(true)),
            live(true, Some(false)),
        ] {
            assert_eq!(Provenance::of_words(&provenance.words()), Some(provenance));
        }
        assert_eq!(Provenance::of_words("by-a-later-version x"), None);
    }

    #[test]
    fn fingerprints_are_those_of_the_host_named() {
        let hex = "0f".repeat(32);
        let known = Certificates::read(&json!({"host": "Mail.contoso.com", "presented_cert_sha256": hex}));
        assert_eq!((known.presented, known.upstream), (Some([15; 32]), None));
        assert!(known.are_of("mail.contoso.com") && !known.are_of("login.windows.net"));
        assert!(Certificates::default().are_of("any"));
        assert_eq!(fingerprint(&["0F"; 32].join(":")), Some([15; 32]));
        assert_eq!(fingerprint("0f0f"), None);
        assert_eq!(fingerprint(&"gg".repeat(32)), None);
    }
}
