//! From a host name to a TCP connection: `--resolve`, DNS, every address in turn.

use std::fmt;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::str::FromStr;
use std::time::Duration;

use tokio::net::TcpStream;
use tokio::task::JoinSet;

use crate::exchange::{Failure, FailureKind, Side, Step};
use crate::proxy::hosts::{HostPattern, HostPatternError, split_port};
use crate::proxy::target::Target;
use crate::proxy::upstream::ends::{came_back, leads_to};
use crate::redact::{Clean, Redactor};

/// How long one address may stay silent before the next is tried beside it (RFC 8305 section 8).
const NEXT_ADDRESS_AFTER: Duration = Duration::from_millis(250);

/// `--resolve HOST[:PORT]=ADDR[:PORT]`: connect there instead of asking DNS.
///
/// The name stays in SNI, in the Host field and in certificate checks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Resolve {
    host: HostPattern,
    address: IpAddr,
    port: Option<u16>,
}

impl FromStr for Resolve {
    type Err = ResolveError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let (host, to) = text.split_once('=').ok_or(ResolveError::Form)?;
        let (address, port) = split_port(to).ok_or(ResolveError::Address)?;
        Ok(Self { host: host.parse()?, address: address.parse().map_err(|_| ResolveError::Address)?, port })
    }
}

impl fmt::Display for Resolve {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.address, self.port) {
            (address, Some(port)) => write!(f, "{}={}", self.host, SocketAddr::new(address, port)),
            (address, None) => write!(f, "{}={address}", self.host),
        }
    }
}

/// Why a text is no `HOST[:PORT]=ADDR[:PORT]`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ResolveError {
    /// The equals sign is missing.
    #[error("give HOST[:PORT]=ADDR[:PORT], such as mail.contoso.com=10.1.2.3")]
    Form,
    /// What stands before it is no host.
    #[error(transparent)]
    Host(#[from] HostPatternError),
    /// What stands behind it is no address.
    #[error("what stands behind the equals sign must be an IP address, with or without a port, such as 10.1.2.3:8443")]
    Address,
}

/// Where `target` is to be reached instead, if `overrides` say so.
pub(crate) fn overridden<'a>(target: &'a Target, overrides: &'a [Resolve]) -> impl Iterator<Item = SocketAddr> + 'a {
    overrides
        .iter()
        .filter(|resolve| resolve.host.matches(&target.host, target.port))
        .map(|resolve| SocketAddr::new(resolve.address, resolve.port.unwrap_or(target.port)))
}

/// Opens a TCP connection to `target`, trying each of its addresses. `own` are the addresses that we listen on.
pub(crate) async fn dial(
    target: &Target,
    overrides: &[Resolve],
    own: &[SocketAddr],
    redactor: &Redactor,
) -> Result<(TcpStream, SocketAddr), Failure> {
    let addresses = addresses(target, overrides, redactor).await?;
    if let Some(address) = addresses.iter().find(|address| leads_to(own, **address)) {
        return Err(leads_back(target, *address, redactor));
    }
    match connect_any(&addresses).await {
        Ok((tcp, address)) if came_back(own, &tcp) => Err(leads_back(target, address, redactor)),
        Ok((tcp, address)) => {
            // A tap adds no delay of its own: small messages are not held back for larger ones.
            let _ = tcp.set_nodelay(true);
            Ok((tcp, address))
        }
        Err(errors) => Err(connect_failure(target, &errors, redactor)),
    }
}

async fn addresses(target: &Target, overrides: &[Resolve], redactor: &Redactor) -> Result<Vec<SocketAddr>, Failure> {
    let overridden: Vec<_> = overridden(target, overrides).collect();
    if !overridden.is_empty() {
        return Ok(overridden);
    }
    if let Ok(address) = target.host.parse::<IpAddr>() {
        return Ok(vec![SocketAddr::new(address, target.port)]);
    }
    let found: io::Result<Vec<_>> =
        tokio::net::lookup_host((target.host.as_str(), target.port)).await.map(Iterator::collect);
    match found {
        Ok(addresses) if !addresses.is_empty() => Ok(addresses),
        _ => Err(Failure {
            side: Side::Server,
            step: Step::Resolve,
            kind: FailureKind::NameNotFound,
            text: Clean::concat([
                "the name ".into(),
                target.shown_host(redactor),
                " could not be resolved to an address".into(),
            ]),
        }),
    }
}

/// The first connection that stands. An address that stays silent does not hold up the next one.
async fn connect_any(addresses: &[SocketAddr]) -> Result<(TcpStream, SocketAddr), Vec<(SocketAddr, io::Error)>> {
    let mut errors = Vec::new();
    let mut waiting = addresses.iter().copied();
    let mut attempts = JoinSet::new();
    let mut next = waiting.next();
    while next.is_some() || !attempts.is_empty() {
        if let Some(address) = next.take() {
            attempts.spawn(async move { (address, TcpStream::connect(address).await) });
        }
        tokio::select! {
            Some(attempt) = attempts.join_next() => match attempt {
                Ok((address, Ok(tcp))) => return Ok((tcp, address)),
                Ok((address, Err(error))) => {
                    errors.push((address, error));
                    next = waiting.next();
                }
                Err(_) => next = waiting.next(),
            },
            () = tokio::time::sleep(NEXT_ADDRESS_AFTER), if waiting.len() > 0 => next = waiting.next(),
        }
    }
    Err(errors)
}

fn connect_failure(target: &Target, errors: &[(SocketAddr, io::Error)], redactor: &Redactor) -> Failure {
    let kinds: Vec<_> = errors.iter().map(|(_, error)| connect_kind(error)).collect();
    // Where the addresses disagree, the most telling answer is the one that came from the server's own machine.
    let order = [FailureKind::Refused, FailureKind::Reset, FailureKind::TimedOut, FailureKind::Unreachable];
    let kind = order.into_iter().find(|kind| kinds.contains(kind)).unwrap_or(FailureKind::Other);
    let mut text = Clean::concat(["cannot connect to ".into(), target.shown(redactor)]);
    for (at, (address, error)) in errors.iter().enumerate() {
        let separator = if at == 0 { ": " } else { "; " };
        text = Clean::concat([text, separator.into(), (*address).into(), " ".into(), connect_words(error)]);
    }
    Failure { side: Side::Server, step: Step::Connect, kind, text }
}

fn connect_kind(error: &io::Error) -> FailureKind {
    match error.kind() {
        io::ErrorKind::ConnectionRefused => FailureKind::Refused,
        io::ErrorKind::ConnectionReset | io::ErrorKind::ConnectionAborted => FailureKind::Reset,
        io::ErrorKind::TimedOut => FailureKind::TimedOut,
        io::ErrorKind::HostUnreachable | io::ErrorKind::NetworkUnreachable | io::ErrorKind::NetworkDown => {
            FailureKind::Unreachable
        }
        _ => FailureKind::Other,
    }
}

fn connect_words(error: &io::Error) -> Clean {
    match connect_kind(error) {
        FailureKind::Refused => "refuses the connection (nobody listens there, or a firewall says so)".into(),
        FailureKind::Reset => "reset the connection".into(),
        FailureKind::TimedOut => "does not answer".into(),
        FailureKind::Unreachable => "is unreachable from here".into(),
        _ => match error.raw_os_error() {
            Some(code) => Clean::concat(["fails with the system's error ".into(), i64::from(code).into()]),
            None => "fails".into(),
        },
    }
}

fn leads_back(target: &Target, address: SocketAddr, redactor: &Redactor) -> Failure {
    let text = Clean::concat([
        target.shown(redactor),
        " leads to this proxy itself (".into(),
        address.into(),
        "): it would call itself for ever".into(),
    ]);
    Failure { side: Side::Proxy, step: Step::Connect, kind: FailureKind::Other, text }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use tokio::net::TcpListener;

    fn target(text: &str) -> Target {
        Target::read(text.as_bytes(), 443).unwrap()
    }

    async fn closed_port() -> SocketAddr {
        TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap()
    }

    #[test]
    fn reads_what_people_type_and_says_what_is_wrong() {
        for text in ["mail.contoso.com=10.1.2.3", "mail.contoso.com:443=10.1.2.3:8443", "*.contoso.com=[::1]:1"] {
            assert_eq!(text.parse::<Resolve>().unwrap().to_string(), text);
        }
        assert_eq!("a=::1".parse::<Resolve>().unwrap().address, IpAddr::from([0, 0, 0, 0, 0, 0, 0, 1]));
        assert_eq!("mail.contoso.com".parse::<Resolve>().unwrap_err(), ResolveError::Form);
        assert_eq!("mail.contoso.com=localhost".parse::<Resolve>().unwrap_err(), ResolveError::Address);
        assert_eq!("https://x/=1.1.1.1".parse::<Resolve>().unwrap_err(), ResolveError::Host(HostPatternError::Url));
    }

    #[tokio::test]
    async fn overrides_are_followed_and_all_addresses_are_tried() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let there = listener.local_addr().unwrap();
        let nobody = closed_port().await;
        let overrides: Vec<Resolve> = vec![
            format!("mail.contoso.com={nobody}").parse().unwrap(),
            format!("mail.contoso.com={there}").parse().unwrap(),
        ];
        let redactor = Redactor::new();
        let (_, address) = dial(&target("mail.contoso.com:443"), &overrides, &[], &redactor).await.ok().unwrap();
        assert_eq!(address, there);
    }

    #[tokio::test]
    async fn a_closed_port_is_a_failure_that_names_the_address() {
        let nobody = closed_port().await;
        let failure = dial(&target(&nobody.to_string()), &[], &[], &Redactor::new()).await.err().unwrap();
        assert_eq!((failure.side, failure.step, failure.kind), (Side::Server, Step::Connect, FailureKind::Refused));
        assert!(failure.text.as_str().contains(&nobody.to_string()), "{}", failure.text);
    }

    #[tokio::test]
    async fn a_name_without_address_is_a_failure_of_resolving() {
        let failure = dial(&target("nobody.invalid:443"), &[], &[], &Redactor::new()).await.err().unwrap();
        assert_eq!((failure.step, failure.kind), (Step::Resolve, FailureKind::NameNotFound));
        assert!(failure.text.as_str().contains("nobody.invalid"), "{}", failure.text);
    }

    #[tokio::test]
    async fn it_does_not_call_itself() {
        let own = closed_port().await;
        let failure = dial(&target(&own.to_string()), &[], &[own], &Redactor::new()).await.err().unwrap();
        assert_eq!((failure.side, failure.step), (Side::Proxy, Step::Connect));
    }
}
