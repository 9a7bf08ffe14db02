//! Which servers could not be looked into lately, so that the next connection need not find out again.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use crate::exchange::Unseen;
use crate::proxy::target::Target;

/// Long enough to spare a server a failed handshake a connection, short enough to notice that it was repaired.
const REMEMBERED: Duration = Duration::from_mins(10);
const KEPT: usize = 512;

/// Servers whose TLS does not get along with ours, and why.
#[derive(Default)]
pub(crate) struct Unreadable {
    servers: Mutex<HashMap<Target, (Unseen, Instant)>>,
}

impl Unreadable {
    pub(crate) fn remember(&self, target: &Target, reason: Unseen) {
        // Any other reason is the client's, and the next client is another one.
        if reason != Unseen::ServerTlsTooOld {
            return;
        }
        let now = Instant::now();
        let mut servers = self.servers.lock().unwrap_or_else(PoisonError::into_inner);
        if servers.len() >= KEPT {
            servers.retain(|_, (_, since)| now.duration_since(*since) < REMEMBERED);
        }
        if servers.len() < KEPT {
            servers.entry(target.clone()).or_insert((reason, now));
        }
    }

    pub(crate) fn recall(&self, target: &Target) -> Option<Unseen> {
        let mut servers = self.servers.lock().unwrap_or_else(PoisonError::into_inner);
        let (reason, since) = *servers.get(target)?;
        if since.elapsed() < REMEMBERED {
            return Some(reason);
        }
        servers.remove(target);
        None
    }
}
