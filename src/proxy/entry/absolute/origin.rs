//! The connection of one client to one server, or to a proxy before servers.
//!
//! It belongs to that client alone: NTLM binds identities to connections. An upstream proxy has one for each client
//! connection too, as it would without us: a login to it is bound likewise.

use std::future::poll_fn;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::atomic::Ordering;
use std::task::{Context, Poll, Waker, ready};

use tokio::io::{AsyncBufRead, AsyncWriteExt};

use crate::exchange::{Failure, Server};
use crate::proxy::entry::connection::Caller;
use crate::proxy::failure;
use crate::proxy::tap::relay::{self, After, Message};
use crate::proxy::tap::stream::Plain;
use crate::proxy::tap::tape::Tape;
use crate::proxy::target::Target;
use crate::proxy::upstream::hop::Hop;
use crate::proxy::upstream::via::UpstreamProxy;
use crate::redact::{Bindings, Clean};
use crate::wire::http1::{Asked, Reader};

/// Who a request is given to.
#[derive(Clone, PartialEq, Eq, Hash)]
pub(crate) enum Next {
    /// The server that it is for.
    Origin(Target),
    /// A proxy before it.
    Proxy(Target),
}

/// The one connection to either, for one client connection.
pub(crate) struct Origin {
    server: Plain<Hop>,
    requests: Reader,
    responses: Reader,
    tape: Tape,
    /// What the tape is of.
    target: Target,
    address: SocketAddr,
}

impl Origin {
    /// One to `address`, from which `read` has come.
    pub(crate) fn new(hop: Hop, read: Vec<u8>, target: Target, address: SocketAddr, tape: Tape) -> Self {
        let (requests, responses) = (Reader::requests(), Reader::responses());
        Self { server: Plain::new(hop, read), requests, responses, tape, target, address }
    }

    pub(crate) async fn connect(
        caller: &Caller,
        target: &Target,
        proxy: Option<&UpstreamProxy>,
    ) -> Result<Self, Failure> {
        let upstream = &caller.context.upstream;
        let (hop, address, greeting) = match proxy {
            Some(proxy) => upstream.reach(proxy).await.map(|(hop, address)| (hop, address, Vec::new()))?,
            None => upstream.connect(target, &[]).await.map(|found| (found.hop, found.address, found.greeting))?,
        };
        Ok(Self::new(hop, greeting, target.clone(), address, tape(caller, target, Some(address))))
    }

    /// The bare connection again.
    pub(crate) fn into_parts(self) -> (Hop, SocketAddr) {
        (self.server.into_parts().0, self.address)
    }

    /// The next request is for `target`: behind a proxy, targets change on one connection.
    pub(crate) fn turn_to(&mut self, caller: &Caller, target: &Target) {
        if self.target != *target {
            self.tape.close(None);
            self.tape = tape(caller, target, Some(self.address));
            self.target = target.clone();
        }
    }

    /// Whether the server keeps the connection open and says nothing unasked.
    pub(crate) fn is_alive(&mut self) -> bool {
        self.poll_left(&mut Context::from_waker(Waker::noop())).is_pending()
    }

    /// Returns when it is so no more.
    pub(crate) async fn left(&mut self) {
        poll_fn(|cx| self.poll_left(cx)).await;
    }

    fn poll_left(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        loop {
            let said = ready!(Pin::new(&mut self.server).poll_fill_buf(cx)).unwrap_or_default();
            // Empty lines belong to the answer before (RFC 9112 section 2.2 has the same of requests).
            let blank = said.iter().take_while(|byte| matches!(byte, b'\r' | b'\n')).count();
            if blank == 0 {
                return Poll::Ready(());
            }
            Pin::new(&mut self.server).consume(blank);
        }
    }

    /// Carries one request of `client` and its response. The head of the request came as `head` and goes as `sent`, if
    /// it has not gone already. Fails where nobody can tell what comes after the request; then nothing of it was sent.
    pub(crate) async fn exchange(
        &mut self,
        client: &mut Plain,
        head: &[u8],
        sent: &[u8],
        asked: Asked,
    ) -> Result<After, Failure> {
        let request = Message::after(head, &mut self.requests);
        if request.is_lost() {
            let failure = failure::not_a_request("servers differ on where this request ends");
            self.tape.request_bytes(head);
            self.tape.fail(failure.clone());
            return Err(failure);
        }
        self.responses.expect(asked);
        // A server that takes nothing more shows itself when it is read from.
        let _ = self.server.write_all(sent).await;
        self.tape.request_bytes(head);
        let response = Message::new(&mut self.responses);
        Ok(relay::exchange(client, &mut self.server, &mut self.tape, request, response).await)
    }
}

/// The tape of a connection to `target`, or none where `--only` does not name it.
pub(crate) fn tape(caller: &Caller, target: &Target, server: Option<SocketAddr>) -> Tape {
    if !caller.context.is_wanted(&target.host, target.port) {
        caller.context.passed.fetch_add(1, Ordering::Relaxed);
        return Tape::Off;
    }
    let server = server.map(|address| Server { address: Clean::from(address), tls: None });
    let connection = caller.connection(Some(target), server, None);
    let authority = target.short_authority(80).into_bytes();
    Tape::http(&caller.context, connection, Bindings::UNKNOWN, None, "http", Some(authority), None)
}
