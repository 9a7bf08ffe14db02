//! What was found out about servers lately, so that the next connection need not find out again.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use crate::exchange::Unseen;
use crate::proxy::target::Target;

/// Long enough to spare a server a failed handshake a connection, short enough to notice that it was repaired.
const REMEMBERED: Duration = Duration::from_mins(10);
const KEPT: usize = 512;

/// Something about each of some servers.
pub(crate) struct Memory<T> {
    servers: Mutex<HashMap<Target, (T, Instant)>>,
}

impl<T> Default for Memory<T> {
    fn default() -> Self {
        Self { servers: Mutex::default() }
    }
}

impl<T: Clone> Memory<T> {
    /// Remembers it from the first time on: what is found again does not renew it.
    pub(crate) fn remember(&self, target: &Target, what: T) {
        let now = Instant::now();
        let mut servers = self.servers.lock().unwrap_or_else(PoisonError::into_inner);
        if servers.len() >= KEPT {
            servers.retain(|_, (_, since)| now.duration_since(*since) < REMEMBERED);
        }
        if servers.len() < KEPT {
            servers.entry(target.clone()).or_insert((what, now));
        }
    }

    pub(crate) fn recall(&self, target: &Target) -> Option<T> {
        let mut servers = self.servers.lock().unwrap_or_else(PoisonError::into_inner);
        let (what, since) = servers.get(target)?;
        if since.elapsed() < REMEMBERED {
            return Some(what.clone());
        }
        servers.remove(target);
        None
    }

    #[cfg_attr(not(feature = "legacy-tls"), allow(dead_code))]
    pub(crate) fn forget(&self, target: &Target) {
        self.servers.lock().unwrap_or_else(PoisonError::into_inner).remove(target);
    }
}

/// Servers that could not be looked into, and why.
#[derive(Default)]
pub(crate) struct Unreadable(Memory<Unseen>);

impl Unreadable {
    pub(crate) fn remember(&self, target: &Target, reason: Unseen) {
        // Any other reason is the client's, and the next client is another one.
        if matches!(reason, Unseen::ServerTlsTooOld | Unseen::ServerWantsCertificate) {
            self.0.remember(target, reason);
        }
    }

    pub(crate) fn recall(&self, target: &Target) -> Option<Unseen> {
        self.0.recall(target)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn target(number: usize) -> Target {
        Target { host: format!("{number}.contoso.com"), port: 443 }
    }

    #[test]
    fn only_so_many_servers_are_remembered_and_what_is_forgotten_is_gone() {
        let memory = Memory::default();
        for number in 0..=KEPT {
            memory.remember(&target(number), number);
        }
        assert_eq!((memory.recall(&target(0)), memory.recall(&target(KEPT))), (Some(0), None));
        memory.remember(&target(0), 7);
        assert_eq!(memory.recall(&target(0)), Some(0));
        memory.forget(&target(0));
        assert_eq!(memory.recall(&target(0)), None);
    }

    #[test]
    fn what_is_the_clients_is_not_remembered_of_a_server() {
        let unreadable = Unreadable::default();
        unreadable.remember(&target(1), Unseen::ClientTlsUnreadable);
        unreadable.remember(&target(2), Unseen::ServerTlsTooOld);
        assert_eq!(unreadable.recall(&target(1)), None);
        assert_eq!(unreadable.recall(&target(2)), Some(Unseen::ServerTlsTooOld));
    }
}
