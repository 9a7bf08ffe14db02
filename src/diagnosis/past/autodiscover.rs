//! What the Autodiscover addresses answered: which organisation has a good one, and where they lead.

use std::collections::VecDeque;

use super::super::bounded::Bounded;
use super::super::case::Case;
use super::super::decode::autodiscover::{is_final, is_good, redirect_host};
use super::super::directory::Directory;
use crate::redact::{Clean, organisation};

/// Organisations, and targets of redirects, remembered; the oldest goes first.
const ROOM: usize = 1024;
/// Good addresses of one organisation, and organisations behind one target.
const FEW: usize = 8;

/// The answers of all candidates.
#[derive(Debug, Default)]
pub(super) struct Candidates {
    good: Bounded<String, VecDeque<(Clean, u64)>, ROOM>,
    /// The organisations whose addresses lead to a host.
    leads_to: Bounded<String, VecDeque<String>, ROOM>,
    own: Option<OwnServer>,
}

/// An Exchange server of an organisation whose Autodiscover answered well and led nowhere else.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OwnServer {
    /// Its name.
    pub host: Clean,
    /// The exchange.
    pub exchange: u64,
    /// The program that asked.
    pub agent: Option<Clean>,
}

/// What one exchange teaches of it.
pub(super) struct Lesson {
    good: bool,
    own: Option<OwnServer>,
    /// The host it leads to.
    leads: Option<Clean>,
}

impl Lesson {
    pub(super) fn of(case: &Case<'_>) -> Option<Self> {
        if case.directory() != Some(Directory::Autodiscover) {
            return None;
        }
        let good = is_good(case);
        let leads = redirect_host(case).filter(|target| target != case.host());
        let own = is_final(case) && case.is_exchange() && !case.is_exchange_online();
        let agent = || case.request_header("user-agent").cloned();
        let server = |host| OwnServer { host, exchange: case.exchange.id, agent: agent() };
        let own = case.host_name().filter(|_| own).map(server);
        (good || leads.is_some()).then_some(Self { good, own, leads })
    }
}

impl Candidates {
    pub(super) fn remember(&mut self, host: &Clean, exchange: u64, lesson: Lesson) {
        let of = organisation(host.as_str());
        self.own = lesson.own.or(self.own.take());
        if let Some(target) = lesson.leads {
            let list = self.leads_to.entry(target.as_str());
            if !list.iter().any(|known| known == of) {
                push(list, of.to_owned());
            }
        }
        if lesson.good {
            let behind: Vec<String> = self.leads_to.get(host.as_str()).into_iter().flatten().cloned().collect();
            for organisation in behind.iter().map(String::as_str).chain([of]) {
                let list = self.good.entry(organisation);
                list.retain(|(known, _)| known != host);
                push(list, (host.clone(), exchange));
            }
        }
    }

    /// The last address of the same organisation as `host` that answered well; nothing where `host` itself did.
    pub(super) fn good_for(&self, host: &str) -> Option<&(Clean, u64)> {
        let list = self.good.get(organisation(host))?;
        if list.iter().any(|(known, _)| known == host) { None } else { list.back() }
    }

    /// Whether `candidate` is an Autodiscover address for the organisation of `host`.
    pub(super) fn serves(&self, candidate: &str, host: &str) -> bool {
        let of = organisation(host);
        let behind = || self.leads_to.get(candidate).is_some_and(|list| list.iter().any(|known| known == of));
        organisation(candidate) == of || behind()
    }

    pub(super) const fn own_server(&self) -> Option<&OwnServer> {
        self.own.as_ref()
    }
}

fn push<T>(list: &mut VecDeque<T>, item: T) {
    if list.len() == FEW {
        list.pop_front();
    }
    list.push_back(item);
}
