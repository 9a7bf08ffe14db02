//! The near ends of our own connections. A client that calls from one of them is this proxy itself: whatever led there
//! (a name, a redirection, a port forwarding), it would go round for ever.

use std::collections::HashSet;
use std::net::{IpAddr, SocketAddr};
use std::sync::{Arc, Mutex, PoisonError};

use tokio::net::TcpStream;

/// All near ends; clones share them.
#[derive(Clone, Default)]
pub(crate) struct NearEnds {
    addresses: Arc<Mutex<HashSet<SocketAddr>>>,
}

/// One near end, known until it is dropped.
pub(crate) struct NearEnd {
    all: NearEnds,
    address: Option<SocketAddr>,
}

impl NearEnds {
    /// Remembers the near end of a connection of ours. Nothing may be sent over it before.
    pub(crate) fn of(&self, tcp: &TcpStream) -> NearEnd {
        let address = tcp.local_addr().ok().map(canonical);
        if let Some(address) = address {
            self.addresses.lock().unwrap_or_else(PoisonError::into_inner).insert(address);
        }
        NearEnd { all: self.clone(), address }
    }

    /// Whether a client at `peer` is this proxy itself. It is known for sure once the client has sent something.
    pub(crate) fn hold(&self, peer: SocketAddr) -> bool {
        self.addresses.lock().unwrap_or_else(PoisonError::into_inner).contains(&canonical(peer))
    }
}

impl Drop for NearEnd {
    fn drop(&mut self) {
        if let Some(address) = self.address {
            self.all.addresses.lock().unwrap_or_else(PoisonError::into_inner).remove(&address);
        }
    }
}

fn canonical(address: SocketAddr) -> SocketAddr {
    SocketAddr::new(address.ip().to_canonical(), address.port())
}

/// Whether a connection to `address` would come back to one of our listeners, as far as the addresses alone tell.
pub(crate) fn leads_to(own: &[SocketAddr], address: SocketAddr) -> bool {
    let to = address.ip().to_canonical();
    own.iter().filter(|own| own.port() == address.port()).any(|own| {
        let own = own.ip().to_canonical();
        let here = |ip: IpAddr| ip.is_loopback() || ip.is_unspecified();
        own == to || (to.is_unspecified() && here(own)) || (own.is_unspecified() && here(to))
    })
}

/// Whether a connection that stands leads to a listener of ours on all addresses: both its ends are on one machine.
pub(crate) fn came_back(own: &[SocketAddr], tcp: &TcpStream) -> bool {
    let (Ok(near), Ok(far)) = (tcp.local_addr(), tcp.peer_addr()) else { return false };
    let serves = |own: &&SocketAddr| own.ip().is_unspecified() && (own.is_ipv6() || far.ip().to_canonical().is_ipv4());
    near.ip().to_canonical() == far.ip().to_canonical() && own.iter().filter(serves).any(|own| own.port() == far.port())
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use tokio::net::TcpListener;

    #[test]
    fn every_spelling_of_our_own_address_leads_back_and_no_other() {
        let leads = |own: &str, to: &str| leads_to(&[own.parse().unwrap()], to.parse().unwrap());
        for (own, to) in [
            ("127.0.0.1:8080", "127.0.0.1:8080"),
            ("127.0.0.1:8080", "[::ffff:127.0.0.1]:8080"),
            ("127.0.0.1:8080", "0.0.0.0:8080"),
            ("0.0.0.0:8080", "127.0.0.2:8080"),
            ("[::]:8080", "127.0.0.1:8080"),
            ("[::1]:8080", "[::]:8080"),
            ("192.0.2.1:8080", "192.0.2.1:8080"),
        ] {
            assert!(leads(own, to), "{to} leads to {own}");
        }
        for (own, to) in [
            ("127.0.0.1:8080", "127.0.0.1:8081"),
            ("127.0.0.1:8080", "127.0.0.2:8080"),
            ("0.0.0.0:8080", "192.0.2.1:8080"),
            ("192.0.2.1:8080", "0.0.0.0:8080"),
        ] {
            assert!(!leads(own, to), "{to} leads elsewhere than {own}");
        }
    }

    #[tokio::test]
    async fn a_near_end_is_known_as_long_as_its_connection_lasts() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let ends = NearEnds::default();
        let tcp = TcpStream::connect(listener.local_addr().unwrap()).await.unwrap();
        let (_, peer) = listener.accept().await.unwrap();
        assert!(!ends.hold(peer));
        let end = ends.of(&tcp);
        assert!(ends.hold(peer));
        drop(end);
        assert!(!ends.hold(peer));
    }

    #[tokio::test]
    async fn both_ends_on_one_machine_lead_back_to_a_listener_on_all_addresses() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let tcp = TcpStream::connect(address).await.unwrap();
        let on_all = |ip: &str| SocketAddr::new(ip.parse().unwrap(), address.port());
        assert!(came_back(&[on_all("0.0.0.0")], &tcp) && came_back(&[on_all("::")], &tcp));
        assert!(!came_back(&[on_all("192.0.2.1")], &tcp) && !came_back(&[], &tcp));
    }
}
