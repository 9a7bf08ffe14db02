//! How a .NET client words a refusal: the scheme it used, and what the server offered instead.
//!
//! The mailbox replication service and the migration cmdlets hand these sentences on, in faults and error lines.

/// `The HTTP request is unauthorized with client authentication scheme 'Negotiate'. …`
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Refused<'a> {
    /// 403 instead of 401.
    pub forbidden: bool,
    /// The scheme that the client used.
    pub scheme: &'a str,
    /// The server's `WWW-Authenticate`, where the sentence gives it.
    pub offered: Option<&'a str>,
}

impl<'a> Refused<'a> {
    /// Reads the sentence wherever it stands in `text`.
    pub fn read(text: &'a str) -> Option<Self> {
        const UNAUTHORIZED: &str = "is unauthorized with client authentication scheme ";
        const FORBIDDEN: &str = "was forbidden with client authentication scheme ";
        let found = |words: &str, forbidden| Some((&text[find(text, words)? + words.len()..], forbidden));
        let (rest, forbidden) = found(UNAUTHORIZED, false).or_else(|| found(FORBIDDEN, true))?;
        let (scheme, rest) = quoted(rest)?;
        let words = "received from the server was ";
        let offered = find(rest, words).and_then(|at| quoted_to_end(&rest[at + words.len()..]));
        Some(Self { forbidden, scheme, offered })
    }

    /// Whether the server offered a scheme of this name.
    pub fn offers(&self, scheme: &str) -> bool {
        self.offered.is_some_and(|offered| find(offered, scheme).is_some())
    }
}

/// Where `words` (in lower case but for the scheme's name) stand, in any letter case.
fn find(text: &str, words: &str) -> Option<usize> {
    text.as_bytes().windows(words.len()).position(|window| window.eq_ignore_ascii_case(words.as_bytes()))
}

/// What the marks at the beginning enclose, and the rest.
fn quoted(text: &str) -> Option<(&str, &str)> {
    let open = text.chars().next()?;
    let close = closing(open)?;
    text[open.len_utf8()..].split_once(close)
}

/// The same of a value that holds marks itself: up to the one before the sentence's end.
fn quoted_to_end(text: &str) -> Option<&str> {
    let open = text.chars().next()?;
    let close = closing(open)?;
    let inner = &text[open.len_utf8()..];
    let ends = inner.match_indices(close).map(|(at, _)| at);
    let mut ends = ends.filter(|at| {
        let after = &inner[at + close.len_utf8()..];
        after.is_empty() || after.starts_with(['.', ' ', '<', '\r', '\n', ')', '-'])
    });
    ends.next().map(|end| &inner[..end])
}

const fn closing(open: char) -> Option<char> {
    match open {
        '\'' => Some('\''),
        '"' => Some('"'),
        '\u{2018}' => Some('\u{2019}'),
        '\u{201c}' => Some('\u{201d}'),
        _ => None,
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn the_two_sentences_are_read() {
        let text = "The call to 'https://mail.contoso.com/EWS/mrsproxy.svc' failed. Error details: The HTTP request is \
                    unauthorized with client authentication scheme 'Negotiate'. The authentication header received \
                    from the server was 'Basic realm=\"mail.contoso.com\"'. --> The remote server returned an error: \
                    (401) Unauthorized.";
        let refused = Refused::read(text).unwrap();
        assert_eq!((refused.forbidden, refused.scheme), (false, "Negotiate"));
        assert_eq!(refused.offered, Some("Basic realm=\"mail.contoso.com\""));
        assert!(refused.offers("basic") && !refused.offers("ntlm"));
        let refused =
            Refused::read("the http request was FORBIDDEN with client authentication scheme 'NTLM'.").unwrap();
        assert_eq!(refused, Refused { forbidden: true, scheme: "NTLM", offered: None });
    }

    #[test]
    fn other_words_are_none() {
        for other in ["", "The HTTP request is unauthorized", "forbidden with client authentication scheme Negotiate"] {
            assert_eq!(Refused::read(other), None, "{other}");
        }
    }
}
