//! The `WWW-Authenticate` and `Proxy-Authenticate` grammar (RFC 9110 section 11.6.1), read as servers write it.
//!
//! Takes repeated lines, lines folded into one, any letter case, commas inside quotes, and the markers that stand for
//! tokens. What does not parse is skipped to the next comma; nothing here fails.

use std::borrow::Cow;

use super::view::Decoded;
use crate::diagnosis::{Case, Place};
use crate::redact::{Clean, Credential, Field, NegState};

/// One scheme that a server offers, or the token of a handshake that goes on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Challenge<'a> {
    /// As spelled.
    pub scheme: &'a str,
    /// A token, or the marker in its place.
    pub token: Option<&'a str>,
    /// What is known of the token, where the line holds nothing else.
    pub credential: Option<&'a Credential>,
    params: Vec<Param<'a>>,
    line: &'a Clean,
    text: &'a str,
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct Param<'a> {
    name: &'a str,
    /// Without the quotation marks, with its backslashes.
    raw: &'a str,
    quoted: bool,
}

impl<'a> Challenge<'a> {
    /// All challenges in the fields called `name`, in order.
    pub fn all(fields: &'a [Field], name: &str) -> Vec<Self> {
        let mut challenges = Vec::new();
        for field in fields.iter().filter(|field| field.name.as_str().eq_ignore_ascii_case(name)) {
            let first = challenges.len();
            Scan { line: &field.value, rest: field.value.as_str() }.challenges(&mut challenges);
            if let [only] = &mut challenges[first..] {
                only.credential = field.credential.as_ref();
            }
        }
        challenges
    }

    /// Whether it is a token of a handshake that goes on, and no refusal in the shape of one.
    pub fn goes_on(&self) -> bool {
        let refuses = || match self.credential {
            Some(Credential::Negotiate(said)) => said.spnego().is_some_and(|said| said.state == Some(NegState::Reject)),
            _ => false,
        };
        self.token.is_some() && !refuses()
    }

    /// Whether it is of this scheme, in any letter case.
    pub fn is(&self, scheme: &str) -> bool {
        self.scheme.eq_ignore_ascii_case(scheme)
    }

    /// The value of the first parameter called `name`, in any letter case, unquoted.
    pub fn param(&self, name: &str) -> Option<Cow<'a, str>> {
        let param = self.find(name)?;
        if !param.quoted || !param.raw.contains('\\') {
            return Some(Cow::Borrowed(param.raw));
        }
        let mut value = String::with_capacity(param.raw.len());
        let mut escaped = false;
        for letter in param.raw.chars() {
            escaped = letter == '\\' && !escaped;
            if !escaped {
                value.push(letter);
            }
        }
        Some(Cow::Owned(value))
    }

    /// The same as clean text. Backslashes in a quoted value stay.
    pub fn clean_param(&self, name: &str) -> Option<Clean> {
        self.find(name).map(|param| self.line.part(param.raw))
    }

    /// Whether there are any parameters.
    pub fn has_params(&self) -> bool {
        !self.params.is_empty()
    }

    /// The scheme's name as clean text.
    pub fn scheme_name(&self) -> Clean {
        self.line.part(self.scheme)
    }

    /// The challenge as it stands in its line.
    pub fn text(&self) -> Clean {
        self.line.part(self.text)
    }

    fn find(&self, name: &str) -> Option<&Param<'a>> {
        self.params.iter().find(|param| param.name.eq_ignore_ascii_case(name))
    }
}

/// What the server offers, scheme by scheme.
pub(super) fn offered(case: &Case<'_>) -> Option<Decoded> {
    listed(case.challenges(), "WWW-Authenticate", Place::ResponseHeader("www-authenticate"))
}

/// What the proxy offers.
pub(super) fn offered_by_proxy(case: &Case<'_>) -> Option<Decoded> {
    listed(&case.proxy_challenges(), "Proxy-Authenticate", Place::ResponseHeader("proxy-authenticate"))
}

fn listed(challenges: &[Challenge<'_>], title: &'static str, place: Place) -> Option<Decoded> {
    let first = Decoded::new(title, place);
    let all = challenges.iter().fold(first, |part, challenge| {
        let part = part.row("scheme", challenge.scheme_name());
        PARAMETERS.iter().fold(part, |part, name| part.row_if(name, challenge.clean_param(name)))
    });
    (!all.rows.is_empty()).then_some(all)
}

/// The parameters that are shown, as they are registered or documented.
const PARAMETERS: [&str; 20] = [
    "realm",
    "authorization_uri",
    "resource_id",
    "resource_metadata",
    "client_id",
    "trusted_issuers",
    "issuer",
    "token_types",
    "scope",
    "service",
    "error",
    "error_code",
    "error_description",
    "claims",
    "qop",
    "algorithm",
    "stale",
    "charset",
    "nonce",
    "state",
];

struct Scan<'a> {
    line: &'a Clean,
    rest: &'a str,
}

impl<'a> Scan<'a> {
    fn challenges(mut self, challenges: &mut Vec<Challenge<'a>>) {
        loop {
            self.skip(|letter| letter == ',' || letter.is_ascii_whitespace());
            let start = self.rest;
            if start.is_empty() {
                return;
            }
            let scheme = self.take(is_token);
            if scheme.is_empty() || !self.at_word_end() {
                self.skip(|letter| letter != ',');
                continue;
            }
            self.skip(|letter| letter.is_ascii_whitespace());
            let token = self.token();
            let mut params = Vec::new();
            while token.is_none() {
                let before = self.rest;
                self.skip(|letter| matches!(letter, ',' | ';') || letter.is_ascii_whitespace());
                match self.param() {
                    Some(param) => params.push(param),
                    None => {
                        self.rest = before;
                        break;
                    }
                }
            }
            let text = start[..start.len() - self.rest.len()].trim_end();
            challenges.push(Challenge { scheme, token, credential: None, params, line: self.line, text });
        }
    }

    /// A marker in brackets, or RFC 9110's token68.
    fn token(&mut self) -> Option<&'a str> {
        let start = self.rest;
        let length = if start.starts_with('[') {
            start.find(']').map_or(start.len(), |at| at + 1)
        } else {
            let body = start.find(|letter| !is_token68(letter)).unwrap_or(start.len());
            let padding = start[body..].find(|letter| letter != '=').unwrap_or(start.len() - body);
            body + padding
        };
        let after = start[length..].trim_start();
        if length == 0 || !(after.is_empty() || after.starts_with(',')) {
            return None;
        }
        self.rest = &start[length..];
        Some(&start[..length])
    }

    fn param(&mut self) -> Option<Param<'a>> {
        let name = self.take(is_token);
        self.skip(|letter| letter.is_ascii_whitespace());
        if name.is_empty() || !self.rest.starts_with('=') {
            return None;
        }
        self.rest = self.rest[1..].trim_start();
        if let Some(inside) = self.rest.strip_prefix('"') {
            let raw = &inside[..closing_quote(inside)];
            self.rest = inside.get(raw.len() + 1..).unwrap_or_default();
            return Some(Param { name, raw, quoted: true });
        }
        let raw = self.unquoted();
        self.rest = &self.rest[raw.len()..];
        Some(Param { name, raw, quoted: false })
    }

    /// Up to the next comma or semicolon, or to a blank that the next parameter follows.
    fn unquoted(&self) -> &'a str {
        let value = &self.rest[..self.rest.find([',', ';']).unwrap_or(self.rest.len())];
        let next = value.match_indices(|letter: char| letter.is_ascii_whitespace()).find(|(at, _)| {
            let word = value[*at..].trim_start();
            let name = word.find(|letter| !is_token(letter)).unwrap_or(word.len());
            name > 0 && word[name..].starts_with('=')
        });
        value[..next.map_or(value.len(), |(at, _)| at)].trim_end()
    }

    fn at_word_end(&self) -> bool {
        self.rest.is_empty() || self.rest.starts_with(|letter: char| letter == ',' || letter.is_ascii_whitespace())
    }

    fn take(&mut self, belongs: fn(char) -> bool) -> &'a str {
        let (taken, rest) = self.rest.split_at(self.rest.find(|letter| !belongs(letter)).unwrap_or(self.rest.len()));
        self.rest = rest;
        taken
    }

    fn skip(&mut self, belongs: fn(char) -> bool) {
        self.take(belongs);
    }
}

fn closing_quote(inside: &str) -> usize {
    let mut from = 0;
    while let Some(found) = inside.as_bytes().get(from..).and_then(|rest| memchr::memchr2(b'"', b'\\', rest)) {
        let at = from + found;
        if inside.as_bytes()[at] == b'"' {
            return at;
        }
        // What follows a backslash ends nothing.
        from = at + 2;
    }
    inside.len()
}

fn is_token(letter: char) -> bool {
    letter.is_ascii_alphanumeric()
        || matches!(letter, '!' | '#'..='\'' | '*' | '+' | '-' | '.' | '^' | '_' | '`' | '|' | '~')
}

fn is_token68(letter: char) -> bool {
    letter.is_ascii_alphanumeric() || matches!(letter, '-' | '.' | '_' | '~' | '+' | '/')
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::indexing_slicing)]
mod tests {
    use super::*;

    fn field(value: &'static str) -> Field {
        Field { name: "Www-Authenticate".into(), value: value.into(), credential: None }
    }

    #[test]
    fn commas_inside_quotes_do_not_split() {
        let fields = [
            field("Negotiate"),
            field(
                r#"BEARER client_id="1", trusted_issuers="a@b,c@d" , authorization_uri="https://x/y", error="invalid_token""#,
            ),
        ];
        let challenges = Challenge::all(&fields, "WWW-AUTHENTICATE");
        assert_eq!(challenges.iter().map(|c| c.scheme).collect::<Vec<_>>(), ["Negotiate", "BEARER"]);
        assert_eq!(challenges[1].param("Trusted_Issuers").unwrap(), "a@b,c@d");
        assert_eq!(challenges[1].param("error").unwrap(), "invalid_token");
        assert!(challenges[1].is("bearer") && challenges[1].token.is_none());
    }

    #[test]
    fn a_folded_list_with_tokens_and_markers_comes_apart() {
        let fields = [field(
            "Negotiate, NTLM [type2 target=CONTOSO, x], Negotiate oYG2==,Basic realm=\"a \\\"b\\\", c\", Digest realm=x;qop=\"auth\" nonce=n",
        )];
        let challenges = Challenge::all(&fields, "www-authenticate");
        let schemes: Vec<_> = challenges.iter().map(|c| (c.scheme, c.token)).collect();
        assert_eq!(
            schemes,
            [
                ("Negotiate", None),
                ("NTLM", Some("[type2 target=CONTOSO, x]")),
                ("Negotiate", Some("oYG2==")),
                ("Basic", None),
                ("Digest", None)
            ]
        );
        assert_eq!(challenges[3].param("realm").unwrap(), "a \"b\", c");
        assert_eq!(challenges[4].param("realm").unwrap(), "x");
        assert_eq!(challenges[4].param("nonce").unwrap(), "n");
        assert_eq!(challenges[4].text().as_str(), "Digest realm=x;qop=\"auth\" nonce=n");
    }

    #[test]
    fn folded_values_blanks_and_junk_are_survived() {
        let fields =
            [field("Basic\r\n realm=Secure Area of x"), field(",, @@@, \"x\", NTLM ,"), field("Bearer realm=\"open")];
        let challenges = Challenge::all(&fields, "www-authenticate");
        assert_eq!(challenges.iter().map(|c| c.scheme).collect::<Vec<_>>(), ["Basic", "NTLM", "Bearer"]);
        assert_eq!(challenges[0].param("realm").unwrap(), "Secure Area of x");
        assert_eq!(challenges[2].param("realm").unwrap(), "open");
        assert!(!challenges[1].has_params());
    }
}
