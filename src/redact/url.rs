//! URLs whose userinfo, query values, fragments and opaque path segments are masked.

use std::borrow::Cow;

use super::Clean;

/// An absolute URL after redaction.
///
/// Its spelling is that of the wire. Default ports are left out; a path is always there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Url {
    text: Clean,
}

impl Url {
    /// For `redact`: a URL whose every part is clean.
    pub(in crate::redact) const fn vouch(text: Clean) -> Self {
        Self { text }
    }

    /// The whole, as it may be shown.
    pub const fn text(&self) -> &Clean {
        &self.text
    }

    /// `https` or `http`, in lower case; empty where there is none.
    pub fn scheme(&self) -> &str {
        self.text.as_str().split_once("://").map_or("", |(scheme, _)| scheme)
    }

    /// Host without port, in the letters of the wire. An IPv6 address keeps its brackets.
    pub fn host(&self) -> &str {
        let authority = self.authority();
        match authority.rfind(':') {
            Some(at) if !authority[at..].contains(']') => &authority[..at],
            _ => authority,
        }
    }

    /// The port, given or by default.
    pub fn port(&self) -> u16 {
        let authority = self.authority();
        let given = authority.rfind(':').and_then(|at| authority[at + 1..].parse().ok());
        given.unwrap_or(if self.scheme() == "http" { 80 } else { 443 })
    }

    /// Host and port as they stand.
    pub fn authority(&self) -> &str {
        let rest = self.after_scheme();
        &rest[..rest.find(['/', '?', '#']).unwrap_or(rest.len())]
    }

    /// Scheme, host and port: `https://mail.contoso.com`.
    pub fn origin(&self) -> &str {
        let text = self.text.as_str();
        &text[..text.len() - self.after_scheme().len() + self.authority().len()]
    }

    /// From the first slash to the query.
    pub fn path(&self) -> &str {
        let rest = &self.after_scheme()[self.authority().len()..];
        &rest[..rest.find(['?', '#']).unwrap_or(rest.len())]
    }

    /// The query without its question mark.
    pub fn query(&self) -> Option<&str> {
        let rest = self.after_scheme().split_once('?')?.1;
        Some(rest.split_once('#').map_or(rest, |(query, _)| query))
    }

    /// The first value of `name` (any letter case), percent-decoded. A masked value is its marker.
    pub fn query_value(&self, name: &str) -> Option<Cow<'_, str>> {
        query_value(self.query()?, name)
    }

    fn after_scheme(&self) -> &str {
        let text = self.text.as_str();
        text.split_once("://").map_or(text, |(_, rest)| rest)
    }
}

/// The first value of `name` (any letter case) in a query or form, percent-decoded with `+` as blank.
pub fn query_value<'a>(query: &'a str, name: &str) -> Option<Cow<'a, str>> {
    query.split('&').find_map(|pair| {
        let (key, value) = pair.split_once('=').unwrap_or((pair, ""));
        percent_decoded(key).eq_ignore_ascii_case(name).then(|| percent_decoded(value))
    })
}

/// Percent-decoded with `+` as blank; what does not decode stays as it is.
pub fn percent_decoded(text: &str) -> Cow<'_, str> {
    if !text.contains(['%', '+']) {
        return Cow::Borrowed(text);
    }
    let bytes = text.as_bytes();
    let mut decoded = Vec::with_capacity(bytes.len());
    let mut at = 0;
    while at < bytes.len() {
        let hex = |offset: usize| bytes.get(at + offset).and_then(|byte| char::from(*byte).to_digit(16));
        match (bytes[at], hex(1), hex(2)) {
            (b'%', Some(high), Some(low)) => {
                decoded.push((high << 4 | low) as u8);
                at += 3;
                continue;
            }
            (b'+', ..) => decoded.push(b' '),
            (byte, ..) => decoded.push(byte),
        }
        at += 1;
    }
    Cow::Owned(String::from_utf8_lossy(&decoded).into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn takes_a_url_apart() {
        let url = Url::vouch(Clean::vouch("https://[::1]:8443/EWS/Exchange.asmx?a=1&Error=x%20y+z#f"));
        assert_eq!((url.scheme(), url.host(), url.port()), ("https", "[::1]", 8443));
        assert_eq!((url.origin(), url.path()), ("https://[::1]:8443", "/EWS/Exchange.asmx"));
        assert_eq!(url.query_value("error").as_deref(), Some("x y z"));
        let plain = Url::vouch(Clean::vouch("http://mail.contoso.com/"));
        assert_eq!((plain.host(), plain.port(), plain.query()), ("mail.contoso.com", 80, None));
    }
}
