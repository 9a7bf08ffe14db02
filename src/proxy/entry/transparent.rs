//! `--transparent`: connections that the system redirected here on their way to somebody else (Linux: REDIRECT, DNAT
//! and TPROXY of netfilter). They are tunnels that nobody asked for: the client takes us for the server.
//!
//! A connection that was made to our own address is none of them; it is served as by any other proxy.

use std::net::{IpAddr, SocketAddr, UdpSocket};
use std::time::Duration;

use tokio::io::AsyncReadExt as _;
use tokio::net::TcpStream;

use crate::exchange::Timestamp;
use crate::proxy::answer::respond::Responder;
use crate::proxy::entry::connection::Caller;
use crate::proxy::entry::tunnel::{self, Asked, Manner};
use crate::proxy::target::Target;

/// A client that says nothing for so long waits for the server to speak first.
const SILENCE: Duration = Duration::from_millis(250);

/// Whether this system tells where a redirected connection was going.
pub(crate) const AVAILABLE: bool = cfg!(target_os = "linux");

/// Where a redirected connection was going; nothing for one that was made to one of our `own` addresses.
pub(crate) fn destination(tcp: &TcpStream, own: &[SocketAddr]) -> Option<SocketAddr> {
    // TPROXY leaves the destination in place, as the near end.
    let found = original(tcp).or_else(|| tcp.local_addr().ok())?;
    let found = SocketAddr::new(found.ip().to_canonical(), found.port());
    (!is_one_of(own, found, is_here)).then_some(found)
}

/// Where a connection may have been going: to where it arrived, or to where it was redirected from.
pub(crate) fn destinations(tcp: &TcpStream) -> Vec<SocketAddr> {
    tcp.local_addr().ok().into_iter().chain(original(tcp)).collect()
}

/// Serves a redirected connection to its end.
pub(crate) async fn serve(caller: Caller, mut tcp: TcpStream, destination: SocketAddr) {
    let started = Timestamp::now();
    let mut early = Vec::new();
    if let Ok(Ok(0) | Err(_)) = tokio::time::timeout(SILENCE, tcp.read_buf(&mut early)).await {
        return;
    }
    if caller.is_ourselves(&tcp, started) {
        return;
    }
    let target = Target { host: destination.ip().to_string(), port: destination.port() };
    let asked = Asked { target, manner: Manner::Unasked, head: Vec::new(), early, started };
    match caller.context.responder.clone() {
        Responder::Upstream => tunnel::serve(caller, tcp, asked).await,
        Responder::Instead(respond) => Box::pin(tunnel::pretend(caller, tcp, asked, &*respond)).await,
    }
}

/// Makes a listener take what TPROXY sends it. The system refuses that to most users; REDIRECT does without.
pub(crate) fn prepare(listener: &tokio::net::TcpListener) {
    #[cfg(target_os = "linux")]
    let _ = socket2::SockRef::from(listener).set_ip_transparent_v4(true);
    #[cfg(not(target_os = "linux"))]
    let _ = listener;
}

#[cfg(target_os = "linux")]
fn original(tcp: &TcpStream) -> Option<SocketAddr> {
    let socket = socket2::SockRef::from(tcp);
    let near = tcp.local_addr().ok()?;
    let of_v4 = || socket.original_dst_v4().ok()?.as_socket();
    let of_v6 = || socket.original_dst_v6().ok()?.as_socket();
    if near.ip().to_canonical().is_ipv4() { of_v4() } else { of_v6() }
}

#[cfg(not(target_os = "linux"))]
fn original(_: &TcpStream) -> Option<SocketAddr> {
    None
}

/// Whether `address` is one of our `own`, of which some may mean every address of this machine.
fn is_one_of(own: &[SocketAddr], address: SocketAddr, is_here: impl Fn(IpAddr) -> bool) -> bool {
    own.iter()
        .filter(|own| own.port() == address.port())
        .any(|own| own.ip().to_canonical() == address.ip() || (own.ip().is_unspecified() && is_here(address.ip())))
}

/// Whether an address belongs to this machine: no other can be bound to.
fn is_here(address: IpAddr) -> bool {
    UdpSocket::bind((address, 0)).is_ok()
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn only_what_was_made_to_our_own_address_is_not_redirected() {
        let own = |own: &str, to: &str| {
            let here = |address: IpAddr| address.to_string() == "192.0.2.1";
            is_one_of(&[own.parse().unwrap()], to.parse().unwrap(), here)
        };
        assert!(own("127.0.0.1:8080", "127.0.0.1:8080") && own("0.0.0.0:8080", "192.0.2.1:8080"));
        assert!(own("[::ffff:192.0.2.7]:8080", "192.0.2.7:8080"));
        assert!(!own("127.0.0.1:8080", "192.0.2.1:443") && !own("127.0.0.1:8080", "192.0.2.1:8080"));
        assert!(!own("0.0.0.0:443", "192.0.2.9:443"), "TPROXY to the port that we listen on");
    }

    #[tokio::test]
    async fn a_connection_that_nobody_redirected_is_served_as_by_any_other_proxy() {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let _client = TcpStream::connect(address).await.unwrap();
        let (tcp, _) = listener.accept().await.unwrap();
        assert_eq!(destination(&tcp, &[address]), None);
    }
}
