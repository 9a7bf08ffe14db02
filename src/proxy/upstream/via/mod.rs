//! The way out through another proxy: which one leads to which server, and what it is told to let us in.
//!
//! Its 407 is the client's business wherever the client speaks to a proxy anyway: that conversation passes through us
//! as any other. Only where the client takes us for something else do we ask in its place, here.

pub(crate) mod connect;
mod login;
mod no_proxy;
pub(crate) mod socks;
pub(crate) mod url;

use std::net::SocketAddr;
use std::sync::Arc;

use crate::exchange::Failure;
use crate::proxy::target::Target;
use crate::redact::{Clean, Redactor};
use no_proxy::NoProxy;

pub(crate) use login::Login;
pub use login::UpstreamLoginError;
pub use url::{UpstreamProxy, UpstreamProxyError};

/// Which servers are reached through which proxy.
#[derive(Clone, Default)]
pub struct WayOut {
    /// For requests without TLS.
    requests: Option<Arc<UpstreamProxy>>,
    /// For everything else.
    tunnels: Option<Arc<UpstreamProxy>>,
    except: NoProxy,
}

/// A proxy that the environment names, and what is made of it.
pub struct Named {
    /// The variable.
    pub variable: &'static str,
    /// The proxy, or why it cannot be used. Nothing where it is this program itself.
    pub proxy: Result<Option<UpstreamProxy>, UpstreamProxyError>,
}

impl WayOut {
    /// Everything through `proxy`, but for what `NO_PROXY` names.
    pub fn through(proxy: UpstreamProxy, variable: impl Fn(&str) -> Option<String>) -> Self {
        let proxy = Some(Arc::new(proxy));
        Self { requests: proxy.clone(), tunnels: proxy, except: exceptions(&variable) }
    }

    /// As the environment has it for other programs: `HTTPS_PROXY`, `HTTP_PROXY`, `ALL_PROXY`, `NO_PROXY`, each in
    /// small letters first. `own` are the addresses that are going to be listened on: a proxy there is left out.
    /// Second, what there is to say of each variable that was looked at.
    pub fn of_environment(variable: impl Fn(&str) -> Option<String>, own: &[SocketAddr]) -> (Self, Vec<Named>) {
        let except = exceptions(&variable);
        let mut named: Vec<Named> = Vec::new();
        let mut find = |names: [&'static str; 4]| {
            let (name, text) = names.into_iter().find_map(|name| Some((name, set(&variable, name)?)))?;
            let proxy = UpstreamProxy::of_environment(&text)
                .map(|proxy| Some(proxy).filter(|proxy| !url::is_one_of(proxy.target(), own)));
            let found = proxy.as_ref().ok().and_then(Clone::clone);
            if named.iter().all(|known| known.variable != name) {
                named.push(Named { variable: name, proxy });
            }
            found.map(Arc::new)
        };
        let tunnels = find(["https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY"]);
        let requests = find(["http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"]);
        (Self { requests, tunnels, except }, named)
    }

    /// The same way, where a proxy that is told no login yet is told what `user:password` says.
    pub fn with_login(mut self, text: &str) -> Result<Self, UpstreamLoginError> {
        let login = Arc::new(text.parse::<Login>()?);
        for proxy in [&mut self.requests, &mut self.tunnels].into_iter().flatten() {
            *proxy = Arc::new(UpstreamProxy::clone(proxy).or_login(&login));
        }
        Ok(self)
    }

    /// The proxies, as they may be shown; nothing where every server is reached directly.
    pub fn shown(&self) -> Option<String> {
        let mut shown: Vec<_> =
            [&self.tunnels, &self.requests].into_iter().flatten().map(ToString::to_string).collect();
        shown.dedup();
        (!shown.is_empty()).then(|| shown.join(", "))
    }

    /// Whether any server is reached through a proxy.
    pub const fn is_direct(&self) -> bool {
        self.requests.is_none() && self.tunnels.is_none()
    }

    /// The proxy that requests without TLS for `target` are given to.
    pub(crate) fn for_requests(&self, target: &Target) -> Option<&Arc<UpstreamProxy>> {
        self.requests.as_ref().filter(|_| !self.except.names(target))
    }

    /// The proxy that is asked for a tunnel to `target`.
    pub(crate) fn for_tunnels(&self, target: &Target) -> Option<&Arc<UpstreamProxy>> {
        self.tunnels.as_ref().filter(|_| !self.except.names(target))
    }
}

/// A failure on the way to `proxy` or with it.
pub(crate) fn on_the_way(proxy: &UpstreamProxy, failure: Failure, redactor: &Redactor) -> Failure {
    let text = Clean::concat([proxy.shown(redactor), ": ".into(), failure.text]);
    Failure { text, ..failure }
}

fn exceptions(variable: impl Fn(&str) -> Option<String>) -> NoProxy {
    let list = ["no_proxy", "NO_PROXY"].into_iter().find_map(|name| set(&variable, name));
    NoProxy::read(&list.unwrap_or_default())
}

fn set(variable: impl Fn(&str) -> Option<String>, name: &str) -> Option<String> {
    variable(name).filter(|value| !value.trim().is_empty())
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn of(pairs: &[(&str, &str)]) -> (WayOut, Vec<Named>) {
        let own = ["127.0.0.1:8080".parse().unwrap()];
        let variable =
            |name: &str| pairs.iter().find(|(known, _)| *known == name).map(|(_, value)| (*value).to_owned());
        WayOut::of_environment(variable, &own)
    }

    /// The proxies for requests and for tunnels; nothing is `-`.
    fn ways(pairs: &[(&str, &str)], target: &str) -> [String; 2] {
        let target = Target::read(target.as_bytes(), 443).unwrap();
        let (way, _) = of(pairs);
        [way.for_requests(&target), way.for_tunnels(&target)]
            .map(|proxy| proxy.map_or("-".to_owned(), |proxy| format!("{proxy:?}")))
    }

    #[test]
    fn the_environment_is_read_as_curl_reads_it() {
        let (http, https) = (("http_proxy", "http://a:1"), ("HTTPS_PROXY", "https://b:2"));
        assert_eq!(ways(&[http, https], "mail.contoso.com"), ["http://a:1", "https://b:2"]);
        assert_eq!(ways(&[https], "mail.contoso.com"), ["-", "https://b:2"]);
        let all = ("ALL_PROXY", "socks5h://c");
        assert_eq!(ways(&[http, all], "mail.contoso.com"), ["http://a:1", "socks5://c:1080"]);
        assert_eq!(ways(&[("https_proxy", "small:3"), https], "x")[1], "http://small:3");
        assert_eq!(ways(&[("https_proxy", " "), https], "x")[1], "https://b:2");
        assert_eq!(ways(&[http, https, ("no_proxy", "contoso.com")], "mail.contoso.com"), ["-", "-"]);
    }

    #[test]
    fn a_proxy_that_is_this_program_is_left_out_and_named() {
        for own in ["http://127.0.0.1:8080", "localhost:8080", "http://0.0.0.0:8080/"] {
            let (way, named) = of(&[("HTTPS_PROXY", own)]);
            assert!(way.is_direct(), "{own}");
            assert!(matches!(&named[..], [Named { variable: "HTTPS_PROXY", proxy: Ok(None) }]), "{own}");
        }
        assert!(!of(&[("HTTPS_PROXY", "127.0.0.1:8081")]).0.is_direct());
    }

    #[test]
    fn what_cannot_be_used_is_said_once_and_left_out() {
        let (way, named) = of(&[("ALL_PROXY", "socks4://127.0.0.1:1080")]);
        assert!(way.is_direct());
        assert!(matches!(&named[..], [Named { variable: "ALL_PROXY", proxy: Err(_) }]));
    }

    #[test]
    fn a_login_goes_to_a_proxy_that_has_none() {
        let target = Target::read(b"mail.contoso.com", 443).unwrap();
        let pairs = [("http_proxy", "http://avery:first@a:1"), ("https_proxy", "http://b:2")];
        let way = of(&pairs).0.with_login("blake:second").unwrap();
        let field = |proxy: &UpstreamProxy| String::from_utf8(proxy.authorization().unwrap().to_vec()).unwrap();
        assert!(field(way.for_requests(&target).unwrap()).contains("YXZlcnk6Zmlyc3Q="));
        assert!(field(way.for_tunnels(&target).unwrap()).contains("Ymxha2U6c2Vjb25k"));
    }
}
