//! The URL of a proxy, as an argument and as the environment has it.

use std::fmt;
use std::net::{SocketAddr, ToSocketAddrs as _};
use std::str::FromStr;
use std::sync::Arc;

use zeroize::Zeroizing;

use super::Login;
use crate::proxy::target::Target;
use crate::proxy::upstream::ends::leads_to;
use crate::redact::{Clean, Redactor};

/// A proxy through which servers are reached.
#[derive(Clone)]
pub struct UpstreamProxy {
    speech: Speech,
    target: Target,
    login: Option<Arc<Login>>,
}

/// What a proxy is spoken to in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Speech {
    Http,
    /// HTTP inside TLS.
    Https,
    Socks5,
}

impl UpstreamProxy {
    /// Reads it as the environment has it: without a scheme it speaks HTTP, and it may hold user name and password.
    pub fn of_environment(text: &str) -> Result<Self, UpstreamProxyError> {
        let (speech, userinfo, target) = read(text.trim(), Some(Speech::Http))?;
        let login = match userinfo {
            Some(userinfo) => Some(Arc::new(login(userinfo).ok_or(UpstreamProxyError::Form)?)),
            None => None,
        };
        Ok(Self { speech, target, login })
    }

    /// The same proxy, told `login` where it is told none yet.
    pub(crate) fn or_login(self, login: &Arc<Login>) -> Self {
        Self { login: self.login.or_else(|| Some(Arc::clone(login))), ..self }
    }

    pub(crate) const fn speech(&self) -> Speech {
        self.speech
    }

    pub(crate) const fn target(&self) -> &Target {
        &self.target
    }

    pub(crate) fn login(&self) -> Option<&Login> {
        self.login.as_deref()
    }

    /// The field line that lets us in, where something is to be said.
    pub(crate) fn authorization(&self) -> Option<Zeroizing<Vec<u8>>> {
        self.login().map(Login::field)
    }

    /// As failures name it.
    pub(crate) fn shown(&self, redactor: &Redactor) -> Clean {
        Clean::concat(["the upstream proxy ".into(), self.target.shown(redactor)])
    }
}

impl FromStr for UpstreamProxy {
    type Err = UpstreamProxyError;

    /// Reads an argument, which must not hold a password.
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let (speech, userinfo, target) = read(text, None)?;
        if userinfo.is_some() {
            return Err(UpstreamProxyError::Login);
        }
        Ok(Self { speech, target, login: None })
    }
}

/// Without user name and password.
impl fmt::Display for UpstreamProxy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let scheme = match self.speech {
            Speech::Http => "http",
            Speech::Https => "https",
            Speech::Socks5 => "socks5",
        };
        write!(f, "{scheme}://{}", self.target.authority())
    }
}

impl fmt::Debug for UpstreamProxy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// Why a text is no proxy to go through. The text is not in it: it may hold a password.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum UpstreamProxyError {
    /// It is not written like one.
    #[error(
        "give scheme, host and port of a proxy, such as http://proxy.contoso.com:8080; https:// and socks5:// will do as well"
    )]
    Form,
    /// It is spoken to in something else.
    #[error("only proxies of http://, https:// and socks5:// can be gone through")]
    Scheme,
    /// An argument holds user name or password.
    #[error(
        "leave user name and password out of the URL: every user of this machine can read arguments, and shells keep them; \
         put user:password into the environment variable AUTHTAP_UPSTREAM_PROXY_AUTH"
    )]
    Login,
}

/// Whether a proxy there is one of the listeners at `own`.
pub(super) fn is_one_of(target: &Target, own: &[SocketAddr]) -> bool {
    // Names are looked up only where the port makes it likely.
    own.iter().any(|own| own.port() == target.port)
        && (target.host.as_str(), target.port)
            .to_socket_addrs()
            .is_ok_and(|mut addresses| addresses.any(|address| leads_to(own, address)))
}

type Parts<'a> = (Speech, Option<&'a str>, Target);

fn read(text: &str, default: Option<Speech>) -> Result<Parts<'_>, UpstreamProxyError> {
    let (speech, rest) = match text.split_once("://") {
        None => (default.ok_or(UpstreamProxyError::Form)?, text),
        Some((scheme, rest)) => (speech(scheme)?, rest),
    };
    let rest = rest.strip_suffix('/').unwrap_or(rest);
    let (userinfo, authority) =
        rest.rsplit_once('@').map_or((None, rest), |(userinfo, authority)| (Some(userinfo), authority));
    let port = match speech {
        Speech::Http => 80,
        Speech::Https => 443,
        Speech::Socks5 => 1080,
    };
    let target = Target::read(authority.as_bytes(), port).ok_or(UpstreamProxyError::Form)?;
    Ok((speech, userinfo, target))
}

fn speech(scheme: &str) -> Result<Speech, UpstreamProxyError> {
    match scheme.to_ascii_lowercase().as_str() {
        "http" => Ok(Speech::Http),
        "https" => Ok(Speech::Https),
        // Names are left to the proxy either way: what it can reach is often not what can be resolved here.
        "socks5" | "socks5h" => Ok(Speech::Socks5),
        _ => Err(UpstreamProxyError::Scheme),
    }
}

fn login(userinfo: &str) -> Option<Login> {
    let (user, password) = userinfo.split_once(':').unwrap_or((userinfo, ""));
    Some(Login::new(unescaped(user)?, unescaped(password)?))
}

/// The bytes that percent-encoded text stands for.
fn unescaped(text: &str) -> Option<Vec<u8>> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        let byte = match byte {
            b'%' => {
                let digit = |byte: u8| char::from(byte).to_digit(16);
                u8::try_from(digit(rest.next()?)? * 16 + digit(rest.next()?)?).ok()?
            }
            other => other,
        };
        if byte.is_ascii_control() {
            return None;
        }
        bytes.push(byte);
    }
    Some(bytes)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn argument(text: &str) -> Result<String, UpstreamProxyError> {
        text.parse::<UpstreamProxy>().map(|proxy| proxy.to_string())
    }

    #[test]
    fn an_argument_names_scheme_host_and_port() {
        assert_eq!(argument("http://proxy.contoso.com:8080").unwrap(), "http://proxy.contoso.com:8080");
        assert_eq!(argument("HTTPS://proxy.contoso.com/").unwrap(), "https://proxy.contoso.com:443");
        assert_eq!(argument("socks5h://[::1]").unwrap(), "socks5://[::1]:1080");
        for wrong in ["proxy.contoso.com:8080", "", "http://", "http://a/b", "http://a:x"] {
            assert_eq!(argument(wrong), Err(UpstreamProxyError::Form), "{wrong}");
        }
        assert_eq!(argument("socks4://a"), Err(UpstreamProxyError::Scheme));
    }

    #[test]
    fn an_argument_with_a_login_is_refused_and_not_repeated() {
        for wrong in ["http://avery:hunter2@proxy:1", "https://avery@proxy"] {
            let error = argument(wrong).unwrap_err();
            assert_eq!(error, UpstreamProxyError::Login, "{wrong}");
            assert!(!error.to_string().contains("hunter2"));
        }
    }

    #[test]
    fn the_environment_may_leave_out_the_scheme_and_name_a_login() {
        let read = |text: &str| UpstreamProxy::of_environment(text);
        let proxy = read("avery:p%40ss%3A@proxy:3128").unwrap();
        assert_eq!(format!("{proxy} {proxy:?}"), "http://proxy:3128 http://proxy:3128");
        assert_eq!(&**proxy.authorization().unwrap(), b"Proxy-Authorization: Basic YXZlcnk6cEBzczo=\r\n");
        assert!(read("proxy:3128").unwrap().authorization().is_none());
        for wrong in ["http://a%0d%0a:b@proxy", "http://a%zz@proxy"] {
            assert_eq!(read(wrong).err(), Some(UpstreamProxyError::Form), "{wrong}");
        }
    }
}
