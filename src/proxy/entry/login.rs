//! `--proxy-auth`: which user name and password open this proxy.
//!
//! Only a digest of them is kept, and two digests are compared without regard to where they differ, so that the time
//! it takes tells nothing. What a client sent is wiped as soon as it was looked at. How a refusal is said is for
//! those who ask: HTTP with 407, SOCKS in its own way.

use std::str::FromStr;

use base64::Engine;
use base64::alphabet::STANDARD;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use zeroize::Zeroizing;

use crate::proxy::tls::crypto;
use crate::wire::Fields;

/// Some clients leave the padding out.
const BASE64: GeneralPurpose = GeneralPurpose::new(
    &STANDARD,
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
);
const FIELD: &str = "proxy-authorization";

/// The user name and password that clients must give.
#[derive(Clone)]
pub struct ProxyLogin {
    digest: [u8; 32],
}

impl FromStr for ProxyLogin {
    type Err = ProxyLoginError;

    /// Reads `user:password`. The password may hold colons.
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let (user, password) = text.split_once(':').ok_or(ProxyLoginError::NoColon)?;
        if user.is_empty() || password.is_empty() {
            return Err(ProxyLoginError::Empty);
        }
        if text.contains(char::is_control) {
            return Err(ProxyLoginError::Control);
        }
        Ok(Self { digest: crypto::sha256(text.as_bytes()) })
    }
}

impl ProxyLogin {
    /// Whether these are the ones.
    pub(crate) fn admits(&self, user: &[u8], password: &[u8]) -> bool {
        // A user name with a colon in it could move the border between the two.
        !user.contains(&b':') && self.is(&Zeroizing::new([user, b":", password].concat()))
    }

    /// What a request's head says of whoever sent it.
    pub(crate) fn judge(&self, head: &[u8]) -> Login {
        let lines = memchr::memchr(b'\n', head).map_or(&b""[..], |end| &head[end + 1..]);
        let mut values = Fields::new(lines).values(FIELD);
        let Some(value) = values.next() else { return Login::Missing };
        let basic = value.split_at_checked(5).filter(|(scheme, _)| scheme.eq_ignore_ascii_case(b"basic"));
        let decoded = basic.and_then(|(_, rest)| BASE64.decode(rest.trim_ascii()).ok()).map(Zeroizing::new);
        let admitted = decoded.is_some_and(|text| self.is(&text)) && values.next().is_none();
        if admitted { Login::Admitted } else { Login::Wrong }
    }

    fn is(&self, text: &[u8]) -> bool {
        let given = crypto::sha256(text);
        self.digest.iter().zip(given).fold(0, |differences, (own, other)| differences | (own ^ other)) == 0
    }
}

/// What a client said to be let in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Login {
    /// The right thing.
    Admitted,
    /// Nothing: mostly it waits to be asked.
    Missing,
    /// Something else.
    Wrong,
}

/// Why a text is no user name and password.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ProxyLoginError {
    /// It is not set.
    #[error("--proxy-auth needs AUTHTAP_PROXY_AUTH; set it to user:password and start again")]
    Unset,
    /// It is no UTF-8.
    #[error("AUTHTAP_PROXY_AUTH is no UTF-8; write user:password in UTF-8")]
    NotText,
    /// Nothing parts the two.
    #[error("AUTHTAP_PROXY_AUTH holds no colon; write user:password")]
    NoColon,
    /// One of the two is empty.
    #[error("AUTHTAP_PROXY_AUTH lacks the user name or the password; write user:password")]
    Empty,
    /// It holds characters that no client can send.
    #[error(
        "AUTHTAP_PROXY_AUTH holds a control character (a line break at its end?); write user:password and nothing else"
    )]
    Control,
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn judged(fields: &str) -> Login {
        let login: ProxyLogin = "avery:hunter:2".parse().unwrap();
        login.judge(format!("CONNECT mail.contoso.com:443 HTTP/1.1\r\n{fields}\r\n").as_bytes())
    }

    #[test]
    fn the_right_name_and_password_are_admitted_and_nothing_else_is() {
        let basic = |text: &str| format!("Basic {}", base64::prelude::BASE64_STANDARD.encode(text));
        let right = basic("avery:hunter:2");
        assert_eq!(judged(&format!("proxy-AUTHORIZATION: {right}\r\n")), Login::Admitted);
        assert_eq!(judged(&format!("Host: a\r\nProxy-Authorization:  bAsIc  {}\r\n", &right[6..])), Login::Admitted);
        assert_eq!(judged("Host: a\r\n"), Login::Missing);
        assert_eq!(judged(&format!("Authorization: {right}\r\n")), Login::Missing, "that one is for the origin");
        for wrong in ["avery:hunter:3", "avery:hunter:", "avery", "", "Avery:hunter:2", "avery:hunter:22"] {
            assert_eq!(judged(&format!("Proxy-Authorization: {}\r\n", basic(wrong))), Login::Wrong, "{wrong}");
        }
        for odd in ["Basic", "Basic ???", "Bearer x", "Negotiate YII=", "Basic avery:hunter:2", ""] {
            assert_eq!(judged(&format!("Proxy-Authorization: {odd}\r\n")), Login::Wrong, "{odd}");
        }
        let twice = format!("Proxy-Authorization: {right}\r\n").repeat(2);
        assert_eq!(judged(&twice), Login::Wrong);
    }

    #[test]
    fn name_and_password_given_apart_are_compared_as_a_whole() {
        let login: ProxyLogin = "avery:hunter:2".parse().unwrap();
        assert!(login.admits(b"avery", b"hunter:2"));
        assert!(!login.admits(b"avery:hunter", b"2") && !login.admits(b"avery", b"2") && !login.admits(b"", b""));
    }

    #[test]
    fn says_what_is_wrong_with_a_setting_and_never_the_setting() {
        let error = |text: &str| text.parse::<ProxyLogin>().err().unwrap();
        for (text, wrong) in [
            ("avery", ProxyLoginError::NoColon),
            ("", ProxyLoginError::NoColon),
            (":x", ProxyLoginError::Empty),
            ("avery:", ProxyLoginError::Empty),
            ("avery:hunter2\n", ProxyLoginError::Control),
        ] {
            assert_eq!(error(text), wrong, "{text}");
            assert!(!wrong.to_string().contains("hunter"));
        }
    }
}
