//! What an upstream proxy is told to let us in. It is given to nobody else and shown nowhere.

use std::str::FromStr;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use zeroize::Zeroizing;

/// A user name and a password.
pub(crate) struct Login {
    user: Zeroizing<Vec<u8>>,
    password: Zeroizing<Vec<u8>>,
}

impl Login {
    /// The two, each as it is.
    pub(crate) fn new(user: Vec<u8>, password: Vec<u8>) -> Self {
        Self { user: Zeroizing::new(user), password: Zeroizing::new(password) }
    }

    /// A field line for an HTTP proxy.
    pub(crate) fn field(&self) -> Zeroizing<Vec<u8>> {
        let pair = Zeroizing::new([&self.user[..], b":", &self.password[..]].concat());
        let word = Zeroizing::new(STANDARD.encode(&*pair));
        Zeroizing::new([b"Proxy-Authorization: Basic ", word.as_bytes(), b"\r\n"].concat())
    }

    /// The two as RFC 1929 wants them; nothing where they are too long for it.
    pub(crate) fn message(&self) -> Option<Zeroizing<Vec<u8>>> {
        let (user, password) = (u8::try_from(self.user.len()).ok()?, u8::try_from(self.password.len()).ok()?);
        Some(Zeroizing::new([&[1, user][..], &self.user, &[password], &self.password].concat()))
    }
}

impl FromStr for Login {
    type Err = UpstreamLoginError;

    /// Reads `user:password`. The password may hold colons.
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let (user, password) = text.split_once(':').ok_or(UpstreamLoginError::NoColon)?;
        if text.contains(char::is_control) {
            return Err(UpstreamLoginError::Control);
        }
        Ok(Self::new(user.into(), password.into()))
    }
}

/// Why `AUTHTAP_UPSTREAM_PROXY_AUTH` holds no user name and password.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum UpstreamLoginError {
    /// Nothing parts the two.
    #[error("AUTHTAP_UPSTREAM_PROXY_AUTH holds no colon; write user:password")]
    NoColon,
    /// It holds characters that no field can carry.
    #[error(
        "AUTHTAP_UPSTREAM_PROXY_AUTH holds a control character (a line break at its end?); write user:password and nothing else"
    )]
    Control,
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn it_is_said_in_the_words_of_each_kind_of_proxy() {
        let login: Login = "avery:pa:ss".parse().unwrap();
        assert_eq!(&**login.field(), b"Proxy-Authorization: Basic YXZlcnk6cGE6c3M=\r\n");
        assert_eq!(&**login.message().unwrap(), b"\x01\x05avery\x05pa:ss");
        assert!(Login::new(vec![b'a'; 256], Vec::new()).message().is_none());
    }

    #[test]
    fn what_cannot_be_sent_is_refused() {
        assert_eq!("avery".parse::<Login>().err(), Some(UpstreamLoginError::NoColon));
        assert_eq!("avery:x\r\n".parse::<Login>().err(), Some(UpstreamLoginError::Control));
    }
}
