//! Requests to a proxy, one after another: those in absolute form (`GET http://host/…`), of which only the target and
//! the proxy's own fields change, and CONNECT where another proxy is asked for the tunnel.
//!
//! Each origin has one connection for each client connection, never shared. One request is in flight at a time,
//! because origins may differ from request to request. Where the framing is lost the connection is closed; nothing is
//! guessed. The bytes are the relay's: here it is decided to whom a request goes, and with which head.

mod asking;
mod head;
mod origin;

use std::collections::HashMap;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use self::asking::{Through, through};
use self::head::{Request, for_proxy, without_login};
use self::origin::{Next, Origin, tape};
use crate::exchange::{Failure, Timestamp};
use crate::proxy::answer::page::{self, Way};
use crate::proxy::answer::{self, FAREWELL, Page, hang_up};
use crate::proxy::entry::connection::{Caller, HEAD_LIMIT, Opening, not_a_request, opening, own_page, refuse_tunnel};
use crate::proxy::entry::tunnel::{self, Manner};
use crate::proxy::failure;
use crate::proxy::tap::relay::After;
use crate::proxy::tap::stream::Plain;
use crate::proxy::target::Target;
use crate::wire::http1::Asked;

/// More origins than this on one client connection is no client that we know.
const ORIGINS: usize = 64;

/// Serves a client whose first request is in absolute form, or a CONNECT that another proxy is to answer.
pub(crate) async fn serve(caller: Caller, mut tcp: TcpStream, mut read: Vec<u8>) {
    let mut visit = Visit { caller, origins: HashMap::new(), last: None };
    loop {
        let Some(opening) = visit.next_opening(&mut tcp, &mut read).await else {
            return visit.part(tcp, read).await;
        };
        let started = Timestamp::now();
        let client = match opening {
            Opening::Absolute { head } => {
                let rest = read.split_off(head);
                visit.request(tcp, read, rest, started).await
            }
            Opening::Tunnel { target, head } => {
                let early = read.split_off(head);
                visit.tunnel(tcp, tunnel::Asked { target, manner: Manner::Http, head: read, early, started }).await
            }
            Opening::Socks => {
                return not_a_request(&visit.caller, tcp, "the client sent no HTTP request", started).await;
            }
            Opening::Ourselves => return own_page(&visit.caller, tcp, read, Way::Directly).await,
            Opening::Broken(text) => return not_a_request(&visit.caller, tcp, text, started).await,
        };
        let Some(client) = client else { return };
        (tcp, read) = client.into_parts();
    }
}

/// Whether the request with this head is for the proxy's own page.
pub(crate) fn is_for_page(head: &[u8]) -> bool {
    Request::read(head).is_some_and(|request| page::is_at(&request.target))
}

/// A client's connection, from its first request to its last.
struct Visit {
    caller: Caller,
    origins: HashMap<Next, Origin>,
    /// Who got the last request.
    last: Option<Next>,
}

impl Visit {
    /// What the client asks for next. Nothing when it leaves, or when the server does that it talked to last: the
    /// client is told of that close as it would be without us.
    async fn next_opening(&mut self, tcp: &mut TcpStream, read: &mut Vec<u8>) -> Option<Opening> {
        loop {
            // Left over from the request before (RFC 9112 section 2.2); which server they are for nobody can say.
            read.drain(..read.iter().take_while(|byte| matches!(byte, b'\r' | b'\n')).count());
            if let Some(opening) = opening(read) {
                return Some(opening);
            }
            let last = self.last.as_ref().and_then(|next| self.origins.get_mut(next));
            let server_left = async {
                match last {
                    Some(origin) => origin.left().await,
                    None => std::future::pending().await,
                }
            };
            tokio::select! {
                biased;
                () = server_left => return None,
                amount = tcp.read_buf(read) => if !matches!(amount, Ok(1..)) {
                    return None;
                },
            }
        }
    }

    /// Ends the connection. Requests that cross this end get no answer; they are recorded.
    async fn part(&mut self, mut tcp: TcpStream, mut read: Vec<u8>) {
        self.origins.clear();
        let _ = tokio::time::timeout(FAREWELL, async {
            let _ = tcp.shutdown().await;
            while read.len() <= HEAD_LIMIT && tcp.read_buf(&mut read).await.is_ok_and(|more| more > 0) {}
        })
        .await;
        if let Some(Opening::Absolute { head } | Opening::Tunnel { head, .. }) = opening(&read)
            && let Some(target) = target_of(&read[..head])
        {
            let rest = read.split_off(head);
            let sent = [without_login(&read), rest].concat();
            self.fail(&target, &sent, failure::never_passed_on());
        }
    }

    /// Carries a request in absolute form. Gives the client back for the next one, if one may come.
    async fn request(&mut self, tcp: TcpStream, mut head: Vec<u8>, rest: Vec<u8>, started: Timestamp) -> Option<Plain> {
        let context = self.caller.context.clone();
        let Some(Request { target, head: rewritten, asked }) = Request::read(&head) else {
            not_a_request(&self.caller, tcp, "the client sent a request without a usable host", started).await;
            return None;
        };
        if page::is_at(&target) {
            own_page(&self.caller, tcp, [head, rest].concat(), Way::Proxied).await;
            return None;
        }
        if let Some((page, failure)) = self.caller.turn_away(&head) {
            if let Some(failure) = failure {
                self.fail(&target, &without_login(&head), failure);
            }
            answer::serve(Plain::new(tcp, [head, rest].concat()), &page).await;
            return None;
        }
        if context.login.is_some() {
            head = without_login(&head);
        }
        let proxy = context.upstream.request_proxy(&target);
        let (next, sent) = match &proxy {
            Some(proxy) => {
                head = for_proxy(&head, proxy);
                (Next::Proxy(proxy.target().clone()), head.clone())
            }
            None => (Next::Origin(target.clone()), rewritten),
        };
        self.make_room();
        if !self.origins.contains_key(&next) {
            match Origin::connect(&self.caller, &target, proxy.as_deref()).await {
                Ok(origin) => drop(self.origins.insert(next.clone(), origin)),
                Err(failure) => {
                    let page = Page::unreachable(&target, &failure, &context.redactor);
                    self.fail(&target, &head, failure);
                    answer::serve(Plain::new(tcp, [head, rest].concat()), &page).await;
                    return None;
                }
            }
        }
        self.origins.get_mut(&next)?.turn_to(&self.caller, &target);
        self.exchange(Plain::new(tcp, rest), next, &head, &sent, asked).await
    }

    /// Asks the proxy before the server for a tunnel, and serves it if it stands.
    async fn tunnel(&mut self, mut tcp: TcpStream, mut asked: tunnel::Asked) -> Option<Plain> {
        let (caller, context) = (self.caller.clone(), self.caller.context.clone());
        if page::is_at(&asked.target) {
            tunnel::to_page(caller, tcp, asked).await;
            return None;
        }
        if let Some(refusal) = caller.turn_away(&asked.head) {
            refuse_tunnel(&caller, tcp, asked, refusal).await;
            return None;
        }
        if context.login.is_some() {
            asked.head = without_login(&asked.head);
        }
        self.make_room();
        let Some((proxy, request)) = context.upstream.tunnel_proxy(&asked.target, &asked.head) else {
            self.origins.clear();
            tunnel::serve(caller, tcp, asked).await;
            return None;
        };
        let next = Next::Proxy(proxy.target().clone());
        let kept = self.origins.remove(&next);
        match through(&caller, &mut tcp, &mut asked, &proxy, &request, kept).await {
            Through::Left => {}
            Through::Failed(failure) => tunnel::refuse(&caller, tcp, asked, failure).await,
            Through::Stands { connected, answer } => {
                self.origins.clear();
                if tcp.write_all(&answer).await.is_ok() {
                    tunnel::go_on(caller, tcp, connected, asked, false).await;
                }
            }
            Through::Refused(origin) => {
                self.origins.insert(next.clone(), *origin);
                let client = Plain::new(tcp, asked.early);
                return self.exchange(client, next, &request, &[], Asked::Connect).await;
            }
        }
        None
    }

    /// Carries one request over the connection to `next`, and its response. The head of the request came as `head` and
    /// goes as `sent`.
    async fn exchange(
        &mut self,
        mut client: Plain,
        next: Next,
        head: &[u8],
        sent: &[u8],
        asked: Asked,
    ) -> Option<Plain> {
        let after = self.origins.get_mut(&next)?.exchange(&mut client, head, sent, asked).await;
        self.last = Some(next);
        if matches!(after, Ok(After::Next)) {
            return Some(client);
        }
        self.origins.clear();
        match after {
            Ok(After::Next | After::Reset) => {}
            Ok(After::Over { between: true }) => {
                let (tcp, read) = client.into_parts();
                self.part(tcp, read).await;
            }
            Ok(After::Over { between: false }) => hang_up(client).await,
            Err(failure) => answer::refuse(client.into_parts().0, &Page::bad_request(&failure)).await,
        }
        None
    }

    /// Forgets connections that are of no use any more, and all where they are too many.
    fn make_room(&mut self) {
        self.origins.retain(|_, origin| origin.is_alive());
        if self.origins.len() >= ORIGINS {
            self.origins.clear();
        }
    }

    /// Records what was asked for and no server gets; the first of it is for `target`.
    fn fail(&self, target: &Target, sent: &[u8], failure: Failure) {
        let mut tape = tape(&self.caller, target, None);
        tape.request_bytes(sent);
        tape.fail(failure);
    }
}

/// Whom a head, in absolute form or of a CONNECT, is for.
fn target_of(head: &[u8]) -> Option<Target> {
    match opening(head)? {
        Opening::Tunnel { target, .. } => Some(target),
        _ => Request::read(head).map(|request| request.target),
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
mod tests;
