//! What the topics share: the program under test, servers and clients to put around it, and guards that end them.

mod apache;
mod authority;
mod authtap;
mod both_ways;
mod bound;
mod chromium;
mod curl;
mod demonstration;
mod forward;
pub(crate) mod frames;
mod framing;
mod kdc;
mod need;
mod nghttpd;
mod openssl;
mod origin;
mod partners;
mod process;
mod saved;
mod sogo;
mod tmux;
mod tunnel;
mod way;

use std::time::Duration;

pub(crate) use apache::{Apache, Site};
pub(crate) use authority::Authority;
pub(crate) use authtap::{Finished, Proxy, Workshop};
pub(crate) use both_ways::BothWays;
pub(crate) use bound::{Bound, Verdict, challenge_of, hello, response};
pub(crate) use chromium::Chromium;
pub(crate) use curl::{Answer, curl, curl_through};
pub(crate) use demonstration::demonstration;
pub(crate) use forward::{Demand, Forward};
pub(crate) use framing::{field, fields, read_body, read_head};
pub(crate) use kdc::Realm;
pub(crate) use need::{need, need_apache, need_mitmproxy, need_node, need_python};
pub(crate) use nghttpd::Nghttpd;
pub(crate) use openssl::{SServer, rsa_certificate, s_client};
pub(crate) use origin::{Origin, Request, Talk};
pub(crate) use partners::{Acceptor, accounts, partner};
pub(crate) use process::{Output, Process};
pub(crate) use saved::saved;
pub(crate) use sogo::Sogo;
pub(crate) use tmux::Terminal;
pub(crate) use tunnel::Tunnel;
pub(crate) use way::Way;

/// How long anything may take before a test gives up on it. Long, because the machine may be busy; nothing waits for
/// it unless something is broken.
pub(crate) const DEADLINE: Duration = Duration::from_mins(1);
