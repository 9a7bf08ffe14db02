//! Both ends of our own connections. A client that calls from the one, on its way to the other, is this proxy itself:
//! whatever led there (a name, a redirection, a port forwarding), it would go round for ever.

use std::collections::HashMap;
use std::net::{IpAddr, SocketAddr};
use std::sync::{Arc, Mutex, PoisonError};

use tokio::net::TcpStream;

/// All of them; clones share them.
#[derive(Clone, Default)]
pub(crate) struct NearEnds {
    /// Where the connections from a near end lead. The system gives one to several that lead to different places.
    known: Arc<Mutex<HashMap<SocketAddr, Vec<SocketAddr>>>>,
}

/// The ends of one connection, known until it is dropped.
pub(crate) struct NearEnd {
    all: NearEnds,
    ends: Option<(SocketAddr, SocketAddr)>,
}

impl NearEnds {
    /// Remembers the ends of a connection of ours. Nothing may be sent over it before.
    pub(crate) fn of(&self, tcp: &TcpStream) -> NearEnd {
        let ends = tcp.local_addr().ok().zip(tcp.peer_addr().ok());
        let ends = ends.map(|(near, far)| (canonical(near), canonical(far)));
        if let Some((near, far)) = ends {
            self.known.lock().unwrap_or_else(PoisonError::into_inner).entry(near).or_default().push(far);
        }
        NearEnd { all: self.clone(), ends }
    }

    /// Whether a client at `peer` that was on its way to one of `destinations` is this proxy itself. It is known for
    /// sure once the client has sent something.
    pub(crate) fn hold(&self, peer: SocketAddr, destinations: impl FnOnce() -> Vec<SocketAddr>) -> bool {
        let known = self.known.lock().unwrap_or_else(PoisonError::into_inner).get(&canonical(peer)).cloned();
        known.is_some_and(|known| destinations().into_iter().any(|to| known.contains(&canonical(to))))
    }
}

impl Drop for NearEnd {
    fn drop(&mut self) {
        let Some((near, far)) = self.ends else { return };
        let mut known = self.all.known.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(from_here) = known.get_mut(&near) {
            if let Some(at) = from_here.iter().position(|known| *known == far) {
                from_here.swap_remove(at);
            }
            if from_here.is_empty() {
                known.remove(&near);
            }
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
    async fn ends_are_known_as_long_as_their_connection_lasts() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let ends = NearEnds::default();
        let tcp = TcpStream::connect(address).await.unwrap();
        let (_, peer) = listener.accept().await.unwrap();
        assert!(!ends.hold(peer, || vec![address]));
        let end = ends.of(&tcp);
        assert!(ends.hold(peer, || vec![address]));
        // A client of another's may have the same port for its way to us.
        assert!(!ends.hold(peer, || vec!["127.0.0.1:1".parse().unwrap()]));
        drop(end);
        assert!(!ends.hold(peer, || vec![address]) && ends.known.lock().unwrap().is_empty());
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
