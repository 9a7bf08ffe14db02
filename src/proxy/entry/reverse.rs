//! `--reverse URL`: clients call us as if we were the server at that URL.
//!
//! The first byte tells TLS from plain HTTP. Each client connection has one connection to the server, whatever either
//! side speaks, and the bytes inside pass verbatim. Where both speak the same, it is a tunnel without its CONNECT.

use std::net::SocketAddr;
use std::str::FromStr;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use rustls::pki_types::ServerName;
use tokio::io::AsyncReadExt;
use tokio::net::TcpStream;

use crate::exchange::{Connection, Failure, Server, Timestamp, Tls, Unseen};
use crate::proxy::answer::respond::Responder;
use crate::proxy::answer::{self, Page};
use crate::proxy::entry::connection::{Caller, dismiss};
use crate::proxy::entry::crowd::SILENCE;
use crate::proxy::entry::hello::greet;
use crate::proxy::entry::tunnel::{self, Asked, Manner, Opening};
use crate::proxy::failure;
use crate::proxy::tap::relay::relay;
use crate::proxy::tap::stream::Plain;
use crate::proxy::tap::tape::{self, Tape};
use crate::proxy::target::Target;
use crate::proxy::tls::protocol::Protocol;
use crate::proxy::upstream::secure::Names;
use crate::proxy::upstream::{Connected, Offer, Unsecured};
use crate::redact::{Bindings, Clean};

/// The server to stand in front of.
#[derive(Clone)]
pub struct ReverseUrl {
    tls: bool,
    target: Target,
}

impl FromStr for ReverseUrl {
    type Err = ReverseUrlError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let (scheme, rest) = text.split_once("://").ok_or(ReverseUrlError)?;
        let tls = scheme.eq_ignore_ascii_case("https");
        let authority = rest.strip_suffix('/').unwrap_or(rest);
        if !(tls || scheme.eq_ignore_ascii_case("http")) || authority.contains('@') {
            return Err(ReverseUrlError);
        }
        let target = Target::read(authority.as_bytes(), if tls { 443 } else { 80 }).ok_or(ReverseUrlError)?;
        Ok(Self { tls, target })
    }
}

impl ReverseUrl {
    /// Scheme, host and port as they stand in URLs: a default port is left out.
    pub(crate) fn origin(&self) -> String {
        let (scheme, port) = if self.tls { ("https", 443) } else { ("http", 80) };
        format!("{scheme}://{}", self.target.short_authority(port))
    }
}

impl std::fmt::Debug for ReverseUrl {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}://{}", if self.tls { "https" } else { "http" }, self.target.authority())
    }
}

/// A text is no URL of a server.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("give scheme, host and port alone, such as https://mail.contoso.com or http://10.1.2.3:8080")]
pub struct ReverseUrlError;

/// Serves one client connection to its end.
pub(crate) async fn serve(caller: Caller, mut client: TcpStream, url: &ReverseUrl) {
    let mut early = Vec::new();
    let mut wait = caller.context.crowd.wait();
    tokio::select! {
        amount = client.read_buf(&mut early) => if !matches!(amount, Ok(amount) if amount > 0) {
            return;
        },
        dismissal = wait.dismissal(false, Some(SILENCE)) => {
            drop(wait);
            return dismiss(&caller, client, dismissal).await;
        }
    }
    drop(wait);
    let started = Timestamp::now();
    if caller.is_ourselves(&client, started) {
        return;
    }
    let tls = tunnel::speaks_tls(&early);
    let asked = Asked { target: url.target.clone(), manner: Manner::Unasked, head: Vec::new(), early, started };
    if let Responder::Instead(respond) = caller.context.responder.clone() {
        return Box::pin(tunnel::pretend(caller, client, asked, &*respond)).await;
    }
    match caller.context.upstream.connect(&url.target, &[]).await {
        Ok(connected) if tls == url.tls => tunnel::go_on(caller, client, connected, asked, true).await,
        Ok(connected) if tls => to_plain(caller, client, connected, asked).await,
        Ok(connected) => to_tls(caller, client, connected, asked).await,
        Err(failure) => fail(&caller, client, asked, tls, failure).await,
    }
}

/// The client speaks TLS, the server does not.
async fn to_plain(caller: Caller, mut client: TcpStream, connected: Connected, asked: Asked) {
    let context = Arc::clone(&caller.context);
    let Asked { target, early, started, .. } = asked;
    let connection = |leaf| {
        let server = Server { address: Clean::from(connected.address), tls: None };
        caller.connection(Some(&target), Some(server), leaf)
    };
    let hello = match tunnel::client_opening(&mut client, early, &context.crowd).await {
        Some(Opening::Hello(hello)) => *hello,
        Some(Opening::Dismissed(dismissal)) => {
            return tunnel::dismiss(&caller, connection(None), started, &target, dismissal);
        }
        Some(_) => {
            let failure = failure::not_a_request("the client speaks a TLS that this proxy cannot read");
            return tape::failed_tunnel(&context, connection(None), started, &target, failure);
        }
        None => return,
    };
    let http1 = hello.offers(Protocol::Http1).then_some(Protocol::Http1);
    let name = hello.name(&target);
    match context.authority.turn(&name) {
        Some(Duration::ZERO) => {}
        Some(wait) => tokio::time::sleep(wait).await,
        None => return tape::failed_tunnel(&context, connection(None), started, &target, failure::too_many_names()),
    }
    let Ok(leaf) = context.leaf(&name, target.port, None) else { return };
    let connection = connection(leaf.facts(&context.redactor));
    match greet(client, hello, &leaf, http1, &context).await {
        Ok(greeted) => {
            let bindings = Bindings::of_certificates(Some(&greeted.shown), None);
            let (client, connection) = greeted.enter(connection);
            let mut tape = unread(&caller, &target, Some(&name), &connection, started).unwrap_or_else(|| {
                let authority = target.short_authority(443).into_bytes();
                let tunnel = Some((target, started));
                Tape::http(&context, connection, bindings, http1, "https", Some(authority), tunnel)
            });
            relay(client, Plain::new(connected.hop, connected.greeting), &mut tape).await;
        }
        Err(failure) => tape::failed_tunnel(&context, connection, started, &target, failure),
    }
}

/// The server speaks TLS, the client does not.
async fn to_tls(caller: Caller, mut client: TcpStream, connected: Connected, mut asked: Asked) {
    let context = Arc::clone(&caller.context);
    let target = asked.target.clone();
    let Connected { hop: mut server, mut address, .. } = connected;
    let connection = |address: SocketAddr, tls: Option<Tls>| {
        let server = Server { address: Clean::from(address), tls };
        caller.connection(Some(&target), Some(server), None)
    };
    let host = if context.only.is_empty() && !target.is_address() {
        None
    } else {
        tunnel::host_field(&mut client, &mut asked.early, &context.crowd).await
    };
    let Ok(name) = ServerName::try_from(target.host.clone()) else {
        let failure = failure::ours("the server's name cannot stand in a certificate");
        return fail(&caller, client, asked, false, failure).await;
    };
    // Where we know the server by its address alone, the client knows its name.
    let called = host.clone().filter(|_| target.is_address()).and_then(|host| ServerName::try_from(host).ok());
    let (name, alias) = called.map_or((name.clone(), None), |called| (called, Some(name)));
    let offer = Offer::new(vec![Protocol::Http1], true, None);
    let names = Names { name, alias };
    let mut attempt = context.upstream.attempt(&target);
    let (failure, tls) = loop {
        match context.upstream.secure(&target, server, &names, &offer, attempt).await {
            Ok(secured) => {
                let connection = connection(address, Some(secured.facts));
                let tape = unread(&caller, &target, host.as_deref(), &connection, asked.started);
                let mut tape = tape.unwrap_or_else(|| {
                    let authority = target.short_authority(80).into_bytes();
                    Tape::http(&context, connection, Bindings::UNKNOWN, None, "http", Some(authority), None)
                });
                return relay(Plain::new(client, asked.early), secured.stream, &mut tape).await;
            }
            Err(Unsecured::Again(next)) => attempt = next,
            Err(Unsecured::Refused(failure, tls)) => break (failure, tls.map(|tls| *tls)),
            Err(Unsecured::Incompatible(_)) => break (failure::server_tls_incompatible(), None),
        }
        match context.upstream.connect(&target, &[]).await {
            Ok(again) => (server, address) = (again.hop, again.address),
            Err(failure) => break (failure, None),
        }
    };
    let page = Page::unreachable(&target, &failure, &context.redactor);
    let url = context.redactor.wire().url(format!("http://{}/", target.short_authority(80)).as_bytes());
    tape::failed(&context, connection(address, tls), asked.started, None, Some(url), failure);
    answer::serve(Plain::new(client, asked.early), &page).await;
}

/// The tape for what `--only` or `--skip-decrypt` keep from being read, although TLS has to end here: by the server's
/// own name, or by what the client calls it.
fn unread(
    caller: &Caller,
    target: &Target,
    called: Option<&str>,
    connection: &Arc<Connection>,
    started: Timestamp,
) -> Option<Tape> {
    let context = &caller.context;
    let names = || [Some(target.host.as_str()), called].into_iter().flatten();
    if !names().any(|name| context.is_wanted(name, target.port)) {
        context.passed.fetch_add(1, Ordering::Relaxed);
        return Some(Tape::Off);
    }
    let skipped = names().any(|name| context.is_skipped(name, target.port));
    skipped.then(|| Tape::blind(context, Arc::clone(connection), started, target, Unseen::SkippedHost))
}

/// The server cannot be asked: the client is told so, in TLS where it speaks that.
pub(crate) async fn fail(caller: &Caller, mut client: TcpStream, asked: Asked, tls: bool, failure: Failure) {
    let context = &caller.context;
    let Asked { target, early, started, .. } = asked;
    let page = Page::unreachable(&target, &failure, &context.redactor);
    let connection = caller.connection(Some(&target), None, None);
    if !tls {
        let url = context.redactor.wire().url(format!("http://{}/", target.short_authority(80)).as_bytes());
        tape::failed(context, connection, started, None, Some(url), failure);
        return answer::serve(Plain::new(client, early), &page).await;
    }
    tape::failed_tunnel(context, connection, started, &target, failure);
    let Some(Opening::Hello(hello)) = tunnel::client_opening(&mut client, early, &context.crowd).await else { return };
    let http1 = hello.offers(Protocol::Http1).then_some(Protocol::Http1);
    let Ok(leaf) = context.leaf(&hello.name(&target), target.port, None) else { return };
    if let Ok(greeted) = greet(client, *hello, &leaf, http1, context).await {
        answer::serve(greeted.stream, &page).await;
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn a_url_is_scheme_host_and_port() {
        let read = |text: &str| text.parse::<ReverseUrl>().map(|url| format!("{url:?}"));
        assert_eq!(read("https://mail.contoso.com").unwrap(), "https://mail.contoso.com:443");
        assert_eq!(read("HTTP://mail.contoso.com:8080/").unwrap(), "http://mail.contoso.com:8080");
        assert_eq!(read("http://[::1]").unwrap(), "http://[::1]:80");
        for wrong in ["mail.contoso.com", "ftp://a", "https://", "https://a/ews", "https://avery:x@a", "https://a?b"] {
            assert!(read(wrong).is_err(), "{wrong}");
        }
    }
}
