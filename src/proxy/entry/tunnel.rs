//! Tunnels: a connection to the server first, then TLS on both sides, then the relay; or the client's own bytes
//! undecrypted where we cannot look inside. How a client asked for its tunnel makes no difference to its course.
//!
//! Nothing that works without us may break: whatever our TLS cannot do with the server or with the client is left to
//! the two of them, and recorded as unseen.

mod instead;
mod opening;

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use rustls::pki_types::ServerName;
use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;

pub(crate) use self::instead::{pretend, to_page};
use self::opening::{HTTP2_PREFACE, is_settings, read_opening};
pub(crate) use self::opening::{Opening, client_opening, host_field, speaks_tls};
use crate::exchange::{Connection, Failure, FailureKind, Server, Side, Step, Timestamp, Tls, Unseen};
use crate::proxy::answer::{self, Page, hang_up};
use crate::proxy::certificates::leaf::Leaf;
use crate::proxy::entry::connection::Caller;
use crate::proxy::entry::crowd::{Dismissal, FirstWords};
use crate::proxy::entry::hello::{Hello, greet};
use crate::proxy::entry::{reverse, socks};
use crate::proxy::failure;
use crate::proxy::tap::relay::relay;
use crate::proxy::tap::stream::{Line, Plain};
use crate::proxy::tap::tape::{self, Tape};
use crate::proxy::target::Target;
use crate::proxy::tls::protocol::Protocol;
use crate::proxy::upstream::hop::Hop;
use crate::proxy::upstream::secure::Names;
use crate::proxy::upstream::{Connected, Offer, Secured, Unsecured};
use crate::redact::{Bindings, Clean};

const ESTABLISHED: &[u8] = b"HTTP/1.1 200 Connection established\r\n\r\n";

/// A tunnel that a client asked for.
pub(crate) struct Asked {
    pub(crate) target: Target,
    pub(crate) manner: Manner,
    /// The CONNECT itself, where it was one, without what was said to us to be let in.
    pub(crate) head: Vec<u8>,
    /// What the client sent without waiting for the answer.
    pub(crate) early: Vec<u8>,
    pub(crate) started: Timestamp,
}

/// How a client asked for its tunnel, and so how it is told what became of that.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Manner {
    /// With CONNECT.
    Http,
    Socks,
    /// Not of us: it takes us for the server.
    Unasked,
}

impl Manner {
    /// Tells the client that its tunnel stands.
    async fn welcome(self, client: &mut TcpStream) -> io::Result<()> {
        match self {
            Self::Http => client.write_all(ESTABLISHED).await,
            Self::Socks => client.write_all(&socks::GRANTED).await,
            Self::Unasked => Ok(()),
        }
    }
}

/// Serves a tunnel to its end.
pub(crate) async fn serve(caller: Caller, client: TcpStream, asked: Asked) {
    // What only the handshakes need is gone when the relay, which may last for hours, begins.
    carry(Box::pin(settle(caller, client, asked)).await).await;
}

/// Serves a tunnel whose client takes us for the server, or was told already that the tunnel stands.
pub(crate) async fn go_on(caller: Caller, client: TcpStream, connected: Connected, asked: Asked, front: bool) {
    let tunnel = Tunnel::new(caller, &asked, connected.address, front);
    carry(Box::pin(tunnel.settle(client, connected, asked.early)).await).await;
}

async fn carry(settled: Settled) {
    match settled {
        Settled::Intercepted { client, server, mut tape } => relay(client, server, &mut tape).await,
        Settled::Plain { client, server, mut tape } => relay(client, server, &mut tape).await,
        Settled::Over => {}
    }
}

/// What a tunnel came to.
enum Settled {
    /// TLS with us on both sides.
    Intercepted { client: Line, server: Line, tape: Tape },
    /// The bytes pass as they are.
    Plain { client: Plain, server: Plain<Hop>, tape: Tape },
    /// Nothing is left to do.
    Over,
}

async fn settle(caller: Caller, mut client: TcpStream, asked: Asked) -> Settled {
    let context = Arc::clone(&caller.context);
    let connected = match context.upstream.connect(&asked.target, &asked.head).await {
        Ok(connected) => connected,
        Err(failure) => {
            refuse(&caller, client, asked, failure).await;
            return Settled::Over;
        }
    };
    if asked.manner.welcome(&mut client).await.is_err() {
        return Settled::Over;
    }
    let tunnel = Tunnel::new(caller, &asked, connected.address, false);
    tunnel.settle(client, connected, asked.early).await
}

/// Says and records that the server cannot be reached.
pub(crate) async fn refuse(caller: &Caller, mut client: TcpStream, asked: Asked, failure: Failure) {
    let context = &caller.context;
    if asked.manner == Manner::Unasked {
        let tls = speaks_tls(&asked.early);
        return reverse::fail(caller, client, asked, tls, failure).await;
    }
    let reply = socks::reply(&failure);
    let page = Page::unreachable(&asked.target, &failure, &context.redactor);
    let connection = caller.connection(Some(&asked.target), None, None);
    tape::failed_tunnel(context, connection, asked.started, &asked.target, failure);
    if asked.manner == Manner::Http {
        return answer::serve(Plain::new(client, asked.head), &page).await;
    }
    if client.write_all(&reply).await.is_ok() {
        hang_up(client).await;
    }
}

/// A tunnel whose connections stand.
struct Tunnel {
    caller: Caller,
    target: Target,
    address: SocketAddr,
    started: Timestamp,
    /// Clients call us by any name, and take us for the server.
    front: bool,
    /// The CONNECT, for a proxy before the server that is asked again.
    head: Vec<u8>,
}

impl Tunnel {
    fn new(caller: Caller, asked: &Asked, address: SocketAddr, front: bool) -> Self {
        let (target, started, head) = (asked.target.clone(), asked.started, asked.head.clone());
        Self { caller, target, address, started, front, head }
    }

    async fn settle(mut self, mut client: TcpStream, connected: Connected, early: Vec<u8>) -> Settled {
        let context = &self.caller.context;
        let Connected { hop: mut server, greeting, .. } = connected;
        let wanted = context.is_wanted(&self.target.host, self.target.port);
        // Where the target is no name of the client's choice, the name comes later.
        if !wanted && !self.front && !self.target.is_address() {
            return self.leave_alone(client, early, server, greeting);
        }
        let known = context.is_skipped(&self.target.host, self.target.port).then_some(Unseen::SkippedHost);
        if let Some(reason) = known.or_else(|| context.unreadable.recall(&self.target)).filter(|_| wanted) {
            return self.pass(client, early, server, greeting, reason);
        }
        let opening = if greeting.is_empty() {
            read_opening(&mut client, early, &mut server, &context.crowd).await
        } else {
            Opening::ServerFirst { client: early, server: greeting }
        };
        match opening {
            Opening::ClientLeft => Settled::Over,
            Opening::Dismissed(dismissal) => {
                dismiss(&self.caller, self.connection(None, None), self.started, &self.target, dismissal);
                Settled::Over
            }
            Opening::ServerLeft(_) if !wanted => Settled::Over,
            Opening::ServerLeft(reset) => self.fail(None, server_left(reset)),
            Opening::Hello(hello) if wanted || self.is_called(hello.sni()) => {
                Box::pin(self.tls(client, server, *hello)).await
            }
            Opening::Hello(hello) => self.leave_alone(client, hello.raw, server, Vec::new()),
            Opening::Http(mut early) => {
                if wanted || self.is_called(host_field(&mut client, &mut early, &context.crowd).await.as_deref()) {
                    let protocol = early.starts_with(HTTP2_PREFACE).then_some(Protocol::Http2);
                    self.plain_http(client, early, server, Vec::new(), protocol)
                } else {
                    self.leave_alone(client, early, server, Vec::new())
                }
            }
            Opening::ServerFirst { client: early, server: greeting } if !wanted => {
                self.leave_alone(client, early, server, greeting)
            }
            Opening::Other(early, _) if !wanted => self.leave_alone(client, early, server, Vec::new()),
            Opening::ServerFirst { client: early, server: greeting } if is_settings(&greeting) => {
                self.plain_http(client, early, server, greeting, Some(Protocol::Http2))
            }
            Opening::ServerFirst { client: early, server: greeting } => {
                self.pass(client, early, server, greeting, Unseen::NotTls)
            }
            Opening::Other(early, Unseen::ClientTlsUnreadable) => self.odd_hello(client, early, server).await,
            Opening::Other(early, reason) => self.pass(client, early, server, Vec::new(), reason),
        }
    }

    /// Whether `--only` names the server by what the client calls it.
    fn is_called(&self, name: Option<&str>) -> bool {
        name.is_some_and(|name| self.caller.context.is_wanted(name, self.target.port))
    }

    /// Passes what `--only` does not name.
    fn leave_alone(&self, client: TcpStream, early: Vec<u8>, server: Hop, greeting: Vec<u8>) -> Settled {
        self.caller.context.passed.fetch_add(1, Ordering::Relaxed);
        Settled::Plain { client: Plain::new(client, early), server: Plain::new(server, greeting), tape: Tape::Off }
    }

    /// Passes the client's own bytes, which we cannot or shall not read.
    fn pass(&self, client: TcpStream, early: Vec<u8>, server: Hop, greeting: Vec<u8>, reason: Unseen) -> Settled {
        let connection = self.connection(None, None);
        let tape = Tape::blind(&self.caller.context, connection, self.started, &self.target, reason);
        Settled::Plain { client: Plain::new(client, early), server: Plain::new(server, greeting), tape }
    }

    /// HTTP without TLS inside a tunnel.
    fn plain_http(
        &self,
        client: TcpStream,
        early: Vec<u8>,
        server: Hop,
        greeting: Vec<u8>,
        protocol: Option<Protocol>,
    ) -> Settled {
        let authority = self.target.short_authority(80).into_bytes();
        let connection = self.connection(None, None);
        let context = &self.caller.context;
        let tape = Tape::http(context, connection, Bindings::UNKNOWN, protocol, "http", Some(authority), None);
        Settled::Plain { client: Plain::new(client, early), server: Plain::new(server, greeting), tape }
    }

    async fn tls(&mut self, client: TcpStream, server: Hop, hello: Hello) -> Settled {
        let Wishes { name, sni, protocols, servable } = match self.wishes(&hello) {
            Ok(wishes) => wishes,
            Err(reason) => return self.pass(client, hello.raw, server, Vec::new(), reason),
        };
        let Ok(server_name) = ServerName::try_from(name.clone()) else {
            return self.pass(client, hello.raw, server, Vec::new(), Unseen::ClientTlsUnreadable);
        };
        match self.caller.context.authority.turn(&name) {
            Some(Duration::ZERO) => {}
            Some(wait) => tokio::time::sleep(wait).await,
            None => return self.pass(client, hello.raw, server, Vec::new(), Unseen::TooManyNames),
        }
        // Callers may know the server by another name than we do; either will do in its certificate.
        let alias = ServerName::try_from(self.host().to_owned()).ok().filter(|_| self.front);
        let names = Names { name: server_name, alias };
        let offer = Offer::new(protocols, sni || self.front, hello.groups().as_deref());
        let Some(secured) = attended(&client, self.secure(server, names, &offer)).await else {
            return self.fail(None, failure::left_before_server_tls());
        };
        let reason = match secured {
            Ok(secured) if servable => return self.intercept(client, hello, &name, secured).await,
            Err(Unsecured::Refused(failure, tls)) if servable => {
                return self.explain(client, hello, &name, failure, tls.map(|tls| *tls)).await;
            }
            // An old client of an old server: what keeps us out for good is the server.
            Err(Unsecured::Incompatible(reason)) => reason,
            _ => Unseen::ClientTlsUnreadable,
        };
        self.pass_anew(client, hello.raw, reason).await
    }

    /// A hello that our TLS cannot even read: mostly one of old TLS. Whether the server is as old decides what keeps
    /// us out, so it is asked.
    async fn odd_hello(&mut self, client: TcpStream, raw: Vec<u8>, server: Hop) -> Settled {
        let Ok(name) = ServerName::try_from(self.host().to_owned()) else {
            return self.pass(client, raw, server, Vec::new(), Unseen::ClientTlsUnreadable);
        };
        let offer = Offer::new(Vec::new(), true, None);
        let Some(secured) = attended(&client, self.secure(server, Names { name, alias: None }, &offer)).await else {
            return self.fail(None, failure::left_before_server_tls());
        };
        let reason = match secured {
            Err(Unsecured::Incompatible(reason)) => reason,
            _ => Unseen::ClientTlsUnreadable,
        };
        self.pass_anew(client, raw, reason).await
    }

    /// TLS with the server, by the engine that can, over a new connection where the first one is spent.
    async fn secure(&mut self, mut server: Hop, names: Names, offer: &Offer) -> Result<Box<Secured>, Unsecured> {
        let upstream = &self.caller.context.upstream;
        let mut attempt = upstream.attempt(&self.target);
        loop {
            match upstream.secure(&self.target, server, &names, offer, attempt).await {
                Err(Unsecured::Again(next)) => attempt = next,
                other => return other,
            }
            match upstream.connect(&self.target, &self.head).await {
                Ok(again) => (server, self.address) = (again.hop, again.address),
                Err(failure) => return Err(Unsecured::Refused(failure, None)),
            }
        }
    }

    /// Passes the client's own bytes over a new connection, after ours has seen a handshake of our own.
    async fn pass_anew(&self, client: TcpStream, raw: Vec<u8>, reason: Unseen) -> Settled {
        match self.caller.context.upstream.connect(&self.target, &self.head).await {
            Ok(again) => self.pass(client, raw, again.hop, again.greeting, reason),
            Err(failure) => {
                // A proxy may let the client's own connection through and no other: the next one passes at once.
                self.caller.context.unreadable.remember(&self.target, reason);
                self.fail(None, failure)
            }
        }
    }

    /// The host asked for, without the dot that may end it.
    fn host(&self) -> &str {
        self.target.host.strip_suffix('.').unwrap_or(&self.target.host)
    }

    /// What the client wants, or why it cannot have it from us.
    fn wishes(&self, hello: &Hello) -> Result<Wishes, Unseen> {
        let sni = hello.sni().map(str::to_owned);
        if sni.as_ref().is_some_and(|name| self.caller.context.is_skipped(name, self.target.port)) {
            return Err(Unseen::SkippedHost);
        }
        let name = sni.clone().unwrap_or_else(|| self.host().to_owned());
        if !self.caller.context.may_show(&name, self.target.port) {
            return Err(Unseen::OutsideRoot);
        }
        let offered = hello.protocols();
        let mut protocols = offered.clone().unwrap_or_default();
        if self.caller.context.is_http1_only(&name, self.target.port) {
            protocols.retain(|protocol| *protocol == Protocol::Http1);
        }
        if protocols.is_empty() && offered.is_some() {
            return Err(Unseen::UnreadProtocol);
        }
        let servable = hello.is_servable(&self.caller.context, &name, self.target.port);
        Ok(Wishes { sni: hello.names_server(), name, protocols, servable })
    }

    /// Both sides speak TLS with us: the tap.
    async fn intercept(&self, client: TcpStream, hello: Hello, name: &str, secured: Box<Secured>) -> Settled {
        let context = &self.caller.context;
        let Secured { stream: server, facts, certificate, protocol } = *secured;
        let Ok(leaf) = context.leaf(name, self.target.port, Some(&certificate)) else {
            return self.fail(Some(facts), failure::ours("no certificate could be made for this name"));
        };
        let connection = self.connection(Some(facts), Some(&leaf));
        let greeted = match greet(client, hello, &leaf, protocol, context).await {
            Ok(greeted) => greeted,
            Err(failure) => {
                tape::failed_tunnel(context, connection, self.started, &self.target, failure);
                return Settled::Over;
            }
        };
        let authority = self.target.short_authority(443).into_bytes();
        let tunnel = Some((self.target.clone(), self.started));
        let bindings = Bindings::of_certificates(Some(&greeted.shown), Some(&certificate));
        let (client, connection) = greeted.enter(connection);
        let mut tape = Tape::http(context, connection, bindings, protocol, "https", Some(authority), tunnel);
        tape.watch(server.renegotiation());
        Settled::Intercepted { client, server, tape }
    }

    /// The server's certificate is refused: the client is told so inside its own TLS connection.
    async fn explain(
        &self,
        client: TcpStream,
        hello: Hello,
        name: &str,
        failure: Failure,
        tls: Option<Tls>,
    ) -> Settled {
        let context = &self.caller.context;
        let page = Page::unreachable(&self.target, &failure, &context.redactor);
        let http1 = hello.protocols().is_some().then_some(Protocol::Http1);
        let over = self.fail(tls, failure);
        let Ok(leaf) = context.leaf(name, self.target.port, None) else { return over };
        if let Ok(greeted) = greet(client, hello, &leaf, http1, context).await {
            answer::serve(greeted.stream, &page).await;
        }
        over
    }

    fn fail(&self, tls: Option<Tls>, failure: Failure) -> Settled {
        let connection = self.connection(tls, None);
        tape::failed_tunnel(&self.caller.context, connection, self.started, &self.target, failure);
        Settled::Over
    }

    fn connection(&self, tls: Option<Tls>, leaf: Option<&Leaf>) -> Arc<Connection> {
        let server = Server { address: Clean::from(self.address), tls };
        let presented = leaf.and_then(|leaf| leaf.facts(&self.caller.context.redactor));
        self.caller.connection(Some(&self.target), Some(server), presented)
    }
}

/// Records a client that did not come to the point in its tunnel.
pub(crate) fn dismiss(
    caller: &Caller,
    connection: Arc<Connection>,
    started: Timestamp,
    target: &Target,
    dismissal: Dismissal,
) {
    if caller.context.crowd.may_record() {
        tape::failed_tunnel(&caller.context, connection, started, target, dismissal.failure(FirstWords::TlsHandshake));
    }
}

/// Waits for what a server does, for as long as the client does: a server that never answers is left alone by us.
async fn attended<T>(client: &TcpStream, server: impl Future<Output = T>) -> Option<T> {
    tokio::select! {
        biased;
        done = server => Some(done),
        () = left(client) => None,
    }
}

/// Returns when the client leaves. One that has sent more cannot be seen leaving behind that.
async fn left(client: &TcpStream) {
    if matches!(client.peek(&mut [0]).await, Ok(amount) if amount > 0) {
        std::future::pending::<()>().await;
    }
}

/// What a client's hello asks for.
struct Wishes {
    /// The name in it, else that of the CONNECT.
    name: String,
    /// Whether the name was in it.
    sni: bool,
    /// Those that the reader follows, in the client's order.
    protocols: Vec<Protocol>,
    /// Our TLS can serve it.
    servable: bool,
}

fn server_left(reset: bool) -> Failure {
    let (kind, text) = if reset {
        (FailureKind::Reset, "the server reset the connection before TLS began")
    } else {
        (FailureKind::ClosedEarly, "the server closed the connection before TLS began")
    };
    Failure { side: Side::Server, step: Step::Tls, kind, text: text.into() }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
mod tests;
