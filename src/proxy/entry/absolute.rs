//! Requests to a proxy, one after another: those in absolute form (`GET http://host/…`), of which only the target and
//! the proxy's own fields change, and CONNECT where another proxy is asked for the tunnel.
//!
//! Each origin has one connection for each client connection, never shared: NTLM binds identities to connections. An
//! upstream proxy has one for each client connection too, as it would without us: a login to it is bound likewise. One
//! request is in flight at a time, because origins may differ from request to request. Where the framing is lost the
//! connection is closed; nothing is guessed.

use std::collections::HashMap;
use std::future::poll_fn;
use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::task::{Context, Poll};

use tokio::io::{AsyncBufRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::exchange::{Failure, Server, Side, Timestamp};
use crate::proxy::answer::page::{self, Way};
use crate::proxy::answer::{self, Page, hang_up};
use crate::proxy::entry::connection::{Caller, Opening, not_a_request, opening, own_page, refuse_tunnel};
use crate::proxy::entry::tunnel::{self, Manner};
use crate::proxy::failure;
use crate::proxy::tap::relay::{RowClock, relay};
use crate::proxy::tap::stream::{Plain, Stream};
use crate::proxy::tap::tape::{Ending, Tape};
use crate::proxy::target::Target;
use crate::proxy::upstream::Connected;
use crate::proxy::upstream::hop::Hop;
use crate::proxy::upstream::via::connect::with_login;
use crate::proxy::upstream::via::{self, UpstreamProxy};
use crate::redact::{Bindings, Clean};
use crate::wire::http1::{Asked, Reader};
use crate::wire::{Event, Fields};

/// More origins than this on one client connection is no client that we know.
const ORIGINS: usize = 64;

/// Serves a client whose first request is in absolute form, or a CONNECT that another proxy is to answer.
pub(crate) async fn serve(caller: Caller, mut tcp: TcpStream, mut read: Vec<u8>) {
    let context = Arc::clone(&caller.context);
    let mut origins: HashMap<Next, Origin> = HashMap::new();
    let mut current: Option<Next> = None;
    loop {
        let started = Timestamp::now();
        // Left over from the request before (RFC 9112 section 2.2); which server they are for nobody can say.
        read.drain(..read.iter().take_while(|byte| matches!(byte, b'\r' | b'\n')).count());
        let Some(found) = opening(&read) else {
            let idle = current.as_ref().and_then(|next| origins.get_mut(next)).map(|origin| &mut origin.server);
            if !read_more(&mut tcp, &mut read, idle).await {
                return hang_up(tcp).await;
            }
            continue;
        };
        origins.retain(|_, origin| origin.is_alive());
        let (next, went) = match found {
            Opening::Absolute { head } => {
                let rest = read.split_off(head);
                let Some(Request { target, head: rewritten, asked }) = Request::read(&read) else {
                    return not_a_request(&caller, tcp, "the client sent a request without a usable host", started)
                        .await;
                };
                if page::is_at(&target) {
                    read.extend(rest);
                    return own_page(&caller, tcp, read, Way::Proxied).await;
                }
                if let Some((page, failure)) = caller.turn_away(&read) {
                    if let Some(failure) = failure {
                        let mut tape = tape(&caller, &target, None);
                        tape.request_bytes(&without_login(&read));
                        tape.fail(failure);
                    }
                    read.extend(rest);
                    return answer::serve(Plain::new(tcp, read), &page).await;
                }
                if context.login.is_some() {
                    read = without_login(&read);
                }
                if origins.len() >= ORIGINS {
                    origins.clear();
                }
                let proxy = context.upstream.request_proxy(&target);
                let (next, sent) = match &proxy {
                    Some(proxy) => {
                        let (line, fields) = read.split_at(after_line(&read, 0));
                        read = with_login(line, fields, proxy);
                        (Next::Proxy(proxy.target().clone()), read.clone())
                    }
                    None => (Next::Origin(target.clone()), rewritten),
                };
                if !origins.contains_key(&next) {
                    match Origin::connect(&caller, &target, proxy.as_deref()).await {
                        Ok(origin) => drop(origins.insert(next.clone(), origin)),
                        Err(failure) => {
                            let page = Page::unreachable(&target, &failure, &context.redactor);
                            let mut tape = tape(&caller, &target, None);
                            tape.request_bytes(&read);
                            tape.fail(failure);
                            read.extend(rest);
                            return answer::serve(Plain::new(tcp, read), &page).await;
                        }
                    }
                }
                let Some(origin) = origins.get_mut(&next) else { return };
                origin.turn_to(&caller, &target);
                let went = origin.exchange(Plain::new(tcp, rest), &read, sent, asked).await;
                (next, went)
            }
            Opening::Tunnel { target, head } => {
                let early = read.split_off(head);
                let mut asked = tunnel::Asked { target, manner: Manner::Http, head: read, early, started };
                if page::is_at(&asked.target) {
                    return tunnel::to_page(caller, tcp, asked).await;
                }
                if let Some(refusal) = caller.turn_away(&asked.head) {
                    return refuse_tunnel(&caller, tcp, asked, refusal).await;
                }
                if context.login.is_some() {
                    asked.head = without_login(&asked.head);
                }
                let Some((proxy, request)) = context.upstream.tunnel_proxy(&asked.target, &asked.head) else {
                    return tunnel::serve(caller, tcp, asked).await;
                };
                let next = Next::Proxy(proxy.target().clone());
                let kept = origins.remove(&next);
                match through(&caller, &mut tcp, &mut asked, &proxy, &request, kept).await {
                    Through::Left => return,
                    Through::Failed(failure) => return tunnel::refuse(&caller, tcp, asked, failure).await,
                    Through::Stands { connected, answer } => {
                        if tcp.write_all(&answer).await.is_ok() {
                            tunnel::go_on(caller, tcp, connected, asked, false).await;
                        }
                        return;
                    }
                    Through::Refused(mut origin) => {
                        // The answer has come already; what asked for it is only told.
                        let client = Plain::new(tcp, asked.early);
                        let went = origin.exchange(client, &request, Vec::new(), Asked::Connect).await;
                        origins.insert(next.clone(), *origin);
                        (next, went)
                    }
                }
            }
            Opening::Socks => return not_a_request(&caller, tcp, "the client sent no HTTP request", started).await,
            Opening::Ourselves => return own_page(&caller, tcp, read, Way::Directly).await,
            Opening::Broken(text) => return not_a_request(&caller, tcp, text, started).await,
        };
        match went {
            Went::On(client) => (tcp, read) = client.into_parts(),
            Went::Upgraded(client) => {
                if let Some(Origin { server, mut tape, .. }) = origins.remove(&next) {
                    relay(client, server, &mut tape).await;
                }
                return;
            }
            Went::Over(client) => {
                drop(origins);
                return hang_up(client).await;
            }
            Went::Reset(mut client) => return client.abort(),
            Went::Unframed(client) => {
                let failure = failure::not_a_request("servers differ on where this request ends");
                let page = Page::bad_request(&failure);
                if let Some(mut origin) = origins.remove(&next) {
                    origin.tape.fail(failure);
                }
                return answer::refuse(client.into_parts().0, &page).await;
            }
        }
        current = Some(next);
    }
}

/// Who a request is given to.
#[derive(Clone, PartialEq, Eq, Hash)]
enum Next {
    /// The server that it is for.
    Origin(Target),
    /// A proxy before it.
    Proxy(Target),
}

/// What became of a CONNECT that another proxy was asked to answer.
enum Through {
    Stands {
        connected: Connected,
        /// The proxy's own, for the client.
        answer: Vec<u8>,
    },
    /// The proxy has something else to say; it waits in the origin.
    Refused(Box<Origin>),
    Failed(Failure),
    /// The client did not wait.
    Left,
}

/// Asks `proxy` for a tunnel, over the connection that the client has with it already, if it has one.
async fn through(
    caller: &Caller,
    client: &mut TcpStream,
    asked: &mut tunnel::Asked,
    proxy: &UpstreamProxy,
    request: &[u8],
    kept: Option<Origin>,
) -> Through {
    let context = &caller.context;
    let reached = match kept {
        Some(origin) => Ok((origin.server.into_parts().0, origin.address)),
        None => context.upstream.reach(proxy).await,
    };
    let (mut hop, address) = match reached {
        Ok(reached) => reached,
        Err(failure) => return Through::Failed(failure),
    };
    let said = tokio::select! {
        said = via::connect::ask(&mut hop, request) => said,
        () = client_left(client, &mut asked.early) => return Through::Left,
    };
    match said {
        Ok(mut said) if said.stands() => {
            let greeting = said.read.split_off(said.head);
            Through::Stands { connected: Connected { hop, address, greeting }, answer: said.read }
        }
        Ok(said) => {
            let server = Server { address: Clean::from(address), tls: None };
            let connection = caller.connection(Some(&asked.target), Some(server), None);
            let authority = asked.target.short_authority(443).into_bytes();
            let tape = if context.is_wanted(&asked.target.host, asked.target.port) {
                Tape::http(context, connection, Bindings::UNKNOWN, None, "https", Some(authority), None)
            } else {
                Tape::Off
            };
            Through::Refused(Box::new(Origin::new(hop, said.read, asked.target.clone(), address, tape)))
        }
        Err(failure) => Through::Failed(via::on_the_way(proxy, failure, &context.redactor)),
    }
}

/// Returns when the client goes away; what it sends meanwhile is kept.
async fn client_left(client: &mut TcpStream, early: &mut Vec<u8>) {
    /// More than this nobody sends before its tunnel stands.
    const EARLY: usize = 64 * 1024;
    while early.len() < EARLY {
        if !matches!(client.read_buf(early).await, Ok(more) if more > 0) {
            return;
        }
    }
    std::future::pending::<()>().await;
}

/// Whether the request with this head is for the proxy's own page.
pub(crate) fn is_for_page(head: &[u8]) -> bool {
    Request::read(head).is_some_and(|request| page::is_at(&request.target))
}

/// Reads more of the next request. Not so when the client leaves, or the server that it talked to last: the client
/// is told of that close as it would be without us.
async fn read_more(tcp: &mut TcpStream, read: &mut Vec<u8>, idle: Option<&mut Plain<Hop>>) -> bool {
    let server_left = async {
        match idle {
            Some(server) => poll_fn(|cx| Pin::new(&mut *server).poll_fill_buf(cx).map(|_| ())).await,
            None => std::future::pending().await,
        }
    };
    tokio::select! {
        amount = tcp.read_buf(read) => matches!(amount, Ok(amount) if amount > 0),
        () = server_left => false,
    }
}

/// The tape of a connection to `target`, or none where `--only` does not name it.
fn tape(caller: &Caller, target: &Target, server: Option<Server>) -> Tape {
    if !caller.context.is_wanted(&target.host, target.port) {
        caller.context.passed.fetch_add(1, Ordering::Relaxed);
        return Tape::Off;
    }
    let connection = caller.connection(Some(target), server, None);
    let authority = target.short_authority(80).into_bytes();
    Tape::http(&caller.context, connection, Bindings::UNKNOWN, None, "http", Some(authority), None)
}

/// A request's head, made ready for the origin.
struct Request {
    target: Target,
    head: Vec<u8>,
    asked: Asked,
}

impl Request {
    /// Rewrites a head in absolute form: origin form for the target, without the fields that are for a proxy.
    fn read(head: &[u8]) -> Option<Self> {
        let line_end = memchr::memchr(b'\n', head)? + 1;
        let mut words = head[..line_end].splitn(3, |byte| *byte == b' ');
        let (method, target, version) = (words.next()?, words.next()?, words.next()?);
        let after_scheme = target.get(b"http://".len()..)?;
        let split = after_scheme.iter().position(|byte| matches!(byte, b'/' | b'?' | b'#'));
        let (authority, path) = after_scheme.split_at(split.unwrap_or(after_scheme.len()));
        let slash: &[u8] = match path.first() {
            None if method == b"OPTIONS" => b"*",
            Some(b'/') => b"",
            _ => b"/",
        };
        let mut rewritten = [method, b" ", slash, path, b" ", version].concat();
        copy_fields(&head[line_end..], &mut rewritten, is_for_origin);
        Some(Self { target: Target::read(authority, 80)?, head: rewritten, asked: Asked::by(method) })
    }
}

/// The head without what was said to us to be let in.
fn without_login(head: &[u8]) -> Vec<u8> {
    let (line, fields) = head.split_at(after_line(head, 0));
    let mut without = line.to_vec();
    copy_fields(fields, &mut without, |name| !name.eq_ignore_ascii_case(b"proxy-authorization"));
    without
}

/// Whether a field is for the origin and not for a proxy.
fn is_for_origin(name: &[u8]) -> bool {
    !name.eq_ignore_ascii_case(b"proxy-connection") && !name.eq_ignore_ascii_case(b"proxy-authorization")
}

/// Copies verbatim the field lines whose names are to be kept.
fn copy_fields(mut lines: &[u8], into: &mut Vec<u8>, keep: impl Fn(&[u8]) -> bool) {
    while !lines.is_empty() {
        let mut end = after_line(lines, 0);
        while matches!(lines.get(end), Some(b' ' | b'\t')) {
            end = after_line(lines, end);
        }
        let (line, rest) = lines.split_at(end);
        if keep(Fields::new(line).next().map_or(&b""[..], |field| field.name.trim_ascii())) {
            into.extend_from_slice(line);
        }
        lines = rest;
    }
}

fn after_line(bytes: &[u8], from: usize) -> usize {
    memchr::memchr(b'\n', &bytes[from..]).map_or(bytes.len(), |at| from + at + 1)
}

/// The one connection to an origin or to a proxy before it, for one client connection.
struct Origin {
    server: Plain<Hop>,
    requests: Reader,
    responses: Reader,
    tape: Tape,
    /// What the tape is of.
    target: Target,
    address: SocketAddr,
}

/// How an exchange left the connections.
enum Went {
    /// The next request may come.
    On(Plain),
    /// They carry another protocol now.
    Upgraded(Plain),
    /// They are of no use any more.
    Over(Plain),
    Reset(Plain),
    /// Nothing of the request was passed on: what comes after it cannot be told from it.
    Unframed(Plain),
}

impl Origin {
    fn new(hop: Hop, read: Vec<u8>, target: Target, address: SocketAddr, tape: Tape) -> Self {
        let (requests, responses) = (Reader::requests(), Reader::responses());
        Self { server: Plain::new(hop, read), requests, responses, tape, target, address }
    }

    async fn connect(caller: &Caller, target: &Target, proxy: Option<&UpstreamProxy>) -> Result<Self, Failure> {
        let upstream = &caller.context.upstream;
        let (hop, address, greeting) = match proxy {
            Some(proxy) => upstream.reach(proxy).await.map(|(hop, address)| (hop, address, Vec::new()))?,
            None => upstream.connect(target, &[]).await.map(|found| (found.hop, found.address, found.greeting))?,
        };
        let tape = tape(caller, target, Some(Server { address: Clean::from(address), tls: None }));
        Ok(Self::new(hop, greeting, target.clone(), address, tape))
    }

    /// The next request is for `target`: behind a proxy, targets change on one connection.
    fn turn_to(&mut self, caller: &Caller, target: &Target) {
        if self.target != *target {
            self.tape.close(None);
            self.tape = tape(caller, target, Some(Server { address: Clean::from(self.address), tls: None }));
            self.target = target.clone();
        }
    }

    /// Whether the server keeps the connection open and says nothing unasked.
    fn is_alive(&mut self) -> bool {
        let mut cx = Context::from_waker(std::task::Waker::noop());
        Pin::new(&mut self.server).poll_fill_buf(&mut cx).is_pending()
    }

    /// Carries one request, whose head is `original` as sent and `head` as passed on, and its response.
    async fn exchange(&mut self, mut client: Plain, original: &[u8], head: Vec<u8>, asked: Asked) -> Went {
        let mut request = Half::default();
        let mut response = Half::default();
        self.requests.read_message(original, &mut |event| request.event(&event));
        if request.lost {
            self.tape.request_bytes(original);
            return Went::Unframed(client);
        }
        self.responses.expect(asked);
        let mut pending = Pending { bytes: head, written: 0 };
        let mut clock = RowClock::new();
        let mut told = false;
        let ending = poll_fn(|cx| {
            let Self { server, requests, responses, tape, .. } = self;
            if !pending.poll_write(server, cx) {
                return Poll::Pending;
            }
            if !told {
                told = true;
                tape.request_bytes(original);
            }
            if !request.failed {
                request.copy(&mut client, server, requests, cx, |bytes| tape.request_bytes(bytes));
            }
            response.copy(server, &mut client, responses, cx, |bytes| tape.response_bytes(bytes));
            request.watch_source(&mut client, server, cx);
            tape.deliver();
            clock.poll(tape, cx);
            ending(&request, &response).map_or(Poll::Pending, Poll::Ready)
        })
        .await;
        match ending {
            End::Complete => Went::On(client),
            End::Upgraded => Went::Upgraded(client),
            End::Broken => {
                self.tape.close(None);
                Went::Over(client)
            }
            End::ServerClosed => {
                self.tape.response_end();
                self.tape.close(None);
                Went::Over(client)
            }
            End::Left { side, reset } => {
                self.tape.close(Some(Ending { side, reset, tls: None }));
                if side == Side::Client && reset {
                    self.server.abort();
                }
                if side == Side::Server && reset { Went::Reset(client) } else { Went::Over(client) }
            }
        }
    }
}

/// Bytes of our own making on their way to the server.
struct Pending {
    bytes: Vec<u8>,
    written: usize,
}

impl Pending {
    /// Whether all is written. A server that takes nothing more shows itself when it is read from.
    fn poll_write(&mut self, server: &mut Plain<Hop>, cx: &mut Context<'_>) -> bool {
        while self.written < self.bytes.len() {
            match Pin::new(&mut *server).poll_write(cx, &self.bytes[self.written..]) {
                Poll::Ready(Ok(amount)) if amount > 0 => self.written += amount,
                Poll::Ready(_) => self.written = self.bytes.len(),
                Poll::Pending => return false,
            }
        }
        true
    }
}

/// One message on its way.
#[derive(Default)]
struct Half {
    /// How many bytes at the front of the source are known to belong to the message.
    known: usize,
    complete: bool,
    upgraded: bool,
    lost: bool,
    /// The sink takes nothing more.
    failed: bool,
    source: Source,
}

#[derive(Clone, Copy, Default, PartialEq, Eq)]
enum Source {
    #[default]
    Open,
    Closed,
    Reset,
}

impl Half {
    fn event(&mut self, event: &Event<'_>) {
        match event {
            Event::End => self.complete = true,
            Event::Upgraded => self.upgraded = true,
            Event::Lost(_) => self.lost = true,
            _ => {}
        }
    }

    /// After the whole message: whether its sender goes away. A half-closed one may still read, so the half-close is
    /// passed on and the answer waited for.
    fn watch_source(&mut self, from: &mut Plain, to: &mut Plain<Hop>, cx: &mut Context<'_>) {
        if !(self.complete && self.known == 0 && self.source == Source::Open) {
            return;
        }
        match Pin::new(from).poll_fill_buf(cx) {
            Poll::Ready(Ok([])) => {
                self.source = Source::Closed;
                let _ = Pin::new(to).poll_shutdown(cx);
            }
            Poll::Ready(Err(_)) => self.source = Source::Reset,
            _ => {}
        }
    }

    /// Moves what can be moved of the message, and no byte beyond it.
    fn copy<A: Stream, B: Stream>(
        &mut self,
        from: &mut A,
        to: &mut B,
        reader: &mut Reader,
        cx: &mut Context<'_>,
        mut tell: impl FnMut(&[u8]),
    ) {
        while self.known > 0 || !(self.complete || self.upgraded || self.lost) {
            let bytes = match Pin::new(&mut *from).poll_fill_buf(cx) {
                Poll::Ready(Ok([])) => {
                    self.source = Source::Closed;
                    reader.close(&mut |event| self.event(&event));
                    return;
                }
                Poll::Ready(Ok(bytes)) => bytes,
                Poll::Ready(Err(error)) => {
                    self.source =
                        if error.kind() == io::ErrorKind::UnexpectedEof { Source::Closed } else { Source::Reset };
                    return;
                }
                Poll::Pending => return,
            };
            if self.known == 0 {
                self.known = reader.read_message(bytes, &mut |event| self.event(&event));
            }
            match Pin::new(&mut *to).poll_write(cx, &bytes[..self.known]) {
                Poll::Ready(Ok(amount)) if amount > 0 => {
                    tell(&bytes[..amount]);
                    self.known -= amount;
                    Pin::new(&mut *from).consume(amount);
                }
                Poll::Ready(_) => {
                    self.failed = true;
                    return;
                }
                Poll::Pending => return,
            }
        }
    }
}

/// How the two messages came to their end.
enum End {
    Complete,
    Upgraded,
    /// The framing was lost, or a peer takes or sends nothing more.
    Broken,
    /// In order: the response reached to the end of the connection, or the server had enough.
    ServerClosed,
    Left {
        side: Side,
        reset: bool,
    },
}

fn ending(request: &Half, response: &Half) -> Option<End> {
    let sent = request.complete && request.known == 0;
    let answered = response.complete && response.known == 0;
    match (request.source, response.source) {
        (_, Source::Closed) => Some(End::ServerClosed),
        (_, Source::Reset) => Some(End::Left { side: Side::Server, reset: true }),
        (Source::Open, _) if sent && answered => Some(End::Complete),
        _ if response.upgraded && response.known == 0 => Some(End::Upgraded),
        _ if request.lost || response.lost || response.failed || (sent && answered) => Some(End::Broken),
        (Source::Closed, _) if !sent => Some(End::Left { side: Side::Client, reset: false }),
        (Source::Reset, _) => Some(End::Left { side: Side::Client, reset: true }),
        _ => None,
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
mod tests {
    use std::sync::Mutex;
    use std::sync::atomic::AtomicUsize;

    use tokio::io::AsyncWriteExt;

    use super::*;
    use crate::exchange::FailureKind;
    use crate::proxy::WayOut;
    use crate::proxy::stage::{Line, ServerAuthority, Stage, expect, patiently, read_head, rest, self_signed, server};

    const OK: &[u8] = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";

    /// Answers every request with the number of its connection, as NTLM would depend on it.
    async fn counting() -> std::net::SocketAddr {
        let connections = std::sync::Arc::new(AtomicUsize::new(0));
        server(None, move |mut line: Box<dyn Line>| {
            let number = connections.fetch_add(1, Ordering::Relaxed);
            async move {
                while read_head(&mut line).await.ends_with("\r\n\r\n") {
                    let answer = format!("HTTP/1.1 200 OK\r\nX-Connection: {number}\r\nContent-Length: 0\r\n\r\n");
                    line.write_all(answer.as_bytes()).await.unwrap();
                }
            }
        })
        .await
    }

    #[test]
    fn only_the_target_and_the_fields_for_a_proxy_change() {
        let head =
            b"PoST http://user:pw@mail.contoso.com:8080/EWS?a=1 HTTP/1.1\r\nhOsT:  mail\r\nProxy-Connection: x\r\n\
            X-A: 1\r\nProxy-Authorization: Basic\r\n abc\r\nX-A: \xff\r\nFolded: 1\r\n\t2\r\n\r\n";
        let request = Request::read(head).unwrap();
        let expected: &[u8] =
            b"PoST /EWS?a=1 HTTP/1.1\r\nhOsT:  mail\r\nX-A: 1\r\nX-A: \xff\r\nFolded: 1\r\n\t2\r\n\r\n";
        assert_eq!(String::from_utf8_lossy(&request.head), String::from_utf8_lossy(expected));
        assert_eq!(request.target.authority(), "mail.contoso.com:8080");
        for (target, origin_form) in
            [("GET http://a", "GET /"), ("GET http://a?q", "GET /?q"), ("OPTIONS http://a", "OPTIONS *")]
        {
            let request = Request::read(format!("{target} HTTP/1.0\n\n").as_bytes()).unwrap();
            assert_eq!(request.head, format!("{origin_form} HTTP/1.0\n\n").as_bytes());
        }
    }

    #[tokio::test]
    async fn a_request_with_a_chunked_body_passes_verbatim_and_is_recorded() {
        let body = b"5;ext=1\r\nhello\r\n0\r\nX-Trailer: 1\r\n\r\n";
        let origin = server(None, |mut line: Box<dyn Line>| async move {
            let head = read_head(&mut line).await;
            assert_eq!(head, "POST /EWS HTTP/1.1\r\nHost: mail.contoso.com\r\nTransfer-Encoding: chunked\r\n\r\n");
            expect(&mut line, b"5;ext=1\r\nhello\r\n0\r\nX-Trailer: 1\r\n\r\n").await;
            line.write_all(OK).await.unwrap();
            rest(&mut line).await;
        })
        .await;
        let mut stage = Stage::new(origin, None, |_| ()).await;
        let mut client = stage.connect().await;
        let head = b"POST http://mail.contoso.com/EWS HTTP/1.1\r\nHost: mail.contoso.com\r\nTransfer-Encoding: chunked\r\n\r\n";
        client.write_all(head).await.unwrap();
        client.write_all(body).await.unwrap();
        expect(&mut client, OK).await;
        let exchange = stage.ended_one().await;
        assert_eq!(exchange.url.unwrap().text().as_str(), "http://mail.contoso.com/EWS");
        assert_eq!(exchange.request.seen().unwrap().body.length, 5);
        assert_eq!(exchange.connection.server.as_ref().unwrap().address.as_str(), origin.to_string());
    }

    #[tokio::test]
    async fn each_client_connection_has_its_own_connection_to_each_origin() {
        let origin = counting().await;
        let stage = Stage::new(origin, None, |_| ()).await;
        let mut numbers = Vec::new();
        for _ in 0..3 {
            let mut client = stage.connect().await;
            for host in ["mail", "mail", "autodiscover", "mail"] {
                let request = format!("GET http://{host}.contoso.com/ HTTP/1.1\r\n\r\n");
                client.write_all(request.as_bytes()).await.unwrap();
                let head = read_head(&mut client).await;
                let number = head.split("X-Connection: ").nth(1).unwrap().split('\r').next().unwrap().to_owned();
                numbers.push(number);
            }
        }
        assert_eq!(numbers, ["0", "0", "1", "0", "2", "2", "3", "2", "4", "4", "5", "4"]);
    }

    #[tokio::test]
    async fn pipelined_requests_to_different_origins_are_answered_in_order() {
        let seen = std::sync::Arc::new(Mutex::new(Vec::new()));
        let heads = std::sync::Arc::clone(&seen);
        let origin = server(None, move |mut line: Box<dyn Line>| {
            let heads = std::sync::Arc::clone(&heads);
            async move {
                loop {
                    let head = read_head(&mut line).await;
                    if head.is_empty() {
                        return;
                    }
                    let word = head.split(' ').nth(1).unwrap().to_owned();
                    let answer = format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n{word}", word.len());
                    heads.lock().unwrap().push(word);
                    line.write_all(answer.as_bytes()).await.unwrap();
                }
            }
        })
        .await;
        let mut stage = Stage::new(origin, None, |_| ()).await;
        let mut client = stage.connect().await;
        let requests = b"GET http://a.contoso.com/1 HTTP/1.1\r\n\r\nGET http://b.contoso.com/2 HTTP/1.1\r\n\r\n\
            GET http://a.contoso.com/3 HTTP/1.1\r\n\r\n";
        client.write_all(requests).await.unwrap();
        for word in ["/1", "/2", "/3"] {
            let answer = format!("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{word}");
            expect(&mut client, answer.as_bytes()).await;
        }
        assert_eq!(*seen.lock().unwrap(), ["/1", "/2", "/3"]);
        assert_eq!(stage.ended(3).await.len(), 3);
    }

    #[tokio::test]
    async fn the_close_of_the_server_reaches_the_client() {
        let origin = server(None, |mut line: Box<dyn Line>| async move {
            read_head(&mut line).await;
            line.write_all(b"HTTP/1.0 200 OK\r\n\r\nuntil the end").await.unwrap();
        })
        .await;
        let mut stage = Stage::new(origin, None, |_| ()).await;
        let mut client = stage.connect().await;
        client.write_all(b"GET http://mail.contoso.com/ HTTP/1.1\r\n\r\n").await.unwrap();
        assert_eq!(rest(&mut client).await, b"HTTP/1.0 200 OK\r\n\r\nuntil the end");
        let exchange = stage.ended_one().await;
        assert_eq!((exchange.status(), exchange.error), (Some(200), None));
    }

    #[tokio::test]
    async fn a_client_that_half_closes_gets_its_answer() {
        let origin = server(None, |mut line: Box<dyn Line>| async move {
            assert!(read_head(&mut line).await.starts_with("GET / "));
            assert!(rest(&mut line).await.is_empty(), "the half-close is passed on");
            line.write_all(OK).await.unwrap();
        })
        .await;
        let stage = Stage::new(origin, None, |_| ()).await;
        let mut client = stage.connect().await;
        client.write_all(b"GET http://mail.contoso.com/ HTTP/1.1\r\n\r\n").await.unwrap();
        client.shutdown().await.unwrap();
        assert_eq!(rest(&mut client).await, OK);
    }

    #[tokio::test]
    async fn an_upgrade_turns_into_a_plain_tap() {
        let origin = server(None, |mut line: Box<dyn Line>| async move {
            read_head(&mut line).await;
            line.write_all(b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\n\r\nhello").await.unwrap();
            expect(&mut line, b"ping").await;
            line.write_all(b"pong").await.unwrap();
        })
        .await;
        let stage = Stage::new(origin, None, |_| ()).await;
        let mut client = stage.connect().await;
        client.write_all(b"GET http://mail.contoso.com/ HTTP/1.1\r\nUpgrade: x\r\n\r\n").await.unwrap();
        expect(&mut client, b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\n\r\nhello").await;
        client.write_all(b"ping").await.unwrap();
        expect(&mut client, b"pong").await;
    }

    #[tokio::test]
    async fn an_origin_that_cannot_be_reached_gets_a_page_and_an_exchange() {
        let nobody = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap();
        let mut stage = Stage::new(nobody, None, |_| ()).await;
        let mut client = stage.connect().await;
        client.write_all(b"GET http://mail.contoso.com/owa HTTP/1.1\r\n\r\n").await.unwrap();
        let answer = String::from_utf8(rest(&mut client).await).unwrap();
        assert!(answer.starts_with("HTTP/1.1 502 "), "{answer}");
        assert!(answer.contains("proxy-status: authtap; error=connection_refused"), "{answer}");
        let exchange = stage.ended_one().await;
        assert_eq!(exchange.url.unwrap().text().as_str(), "http://mail.contoso.com/owa");
        assert_eq!(exchange.error.unwrap().kind, FailureKind::Refused);
        assert!(exchange.response.seen().is_none());
    }

    /// A stage behind a proxy that wants TLS itself and leads every tunnel to `origin`.
    async fn behind_a_proxy_of_tls(origin: SocketAddr, trusted: bool) -> Stage {
        let servers = ServerAuthority::new();
        let proxy = server(Some(servers.server("proxy.contoso.com")), move |mut line: Box<dyn Line>| async move {
            let head = read_head(&mut line).await;
            assert!(head.starts_with("CONNECT mail.contoso.com:443 HTTP/1.1\r\n"), "{head}");
            line.write_all(b"HTTP/1.1 200 OK\r\n\r\n").await.unwrap();
            let mut tcp = TcpStream::connect(origin).await.unwrap();
            let _ = tokio::io::copy_bidirectional(&mut line, &mut tcp).await;
        })
        .await;
        Stage::new(origin, trusted.then_some(&servers), |options| {
            let url = format!("https://proxy.contoso.com:{}", proxy.port());
            options.way_out = WayOut::through(url.parse().unwrap(), |_| None);
            options.resolve = vec![format!("proxy.contoso.com={}", proxy.ip()).parse().unwrap()];
            options.insecure_upstream = true;
        })
        .await
    }

    #[tokio::test]
    async fn a_proxy_that_wants_tls_itself_is_spoken_to_in_tls() {
        let origin = server(Some(self_signed("mail.contoso.com")), |mut line: Box<dyn Line>| async move {
            assert!(read_head(&mut line).await.starts_with("GET / "));
            line.write_all(OK).await.unwrap();
        })
        .await;
        let mut stage = behind_a_proxy_of_tls(origin, true).await;
        let mut client = stage.tls("mail.contoso.com").await;
        client.write_all(b"GET / HTTP/1.1\r\nHost: mail.contoso.com\r\n\r\n").await.unwrap();
        expect(&mut client, OK).await;
        assert_eq!(stage.ended_one().await.url.unwrap().text().as_str(), "https://mail.contoso.com/");
    }

    #[tokio::test]
    async fn a_proxy_with_a_certificate_that_nobody_trusts_is_told_nothing() {
        let nobody = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap();
        let mut stage = behind_a_proxy_of_tls(nobody, false).await;
        let mut client = stage.connect().await;
        client.write_all(b"CONNECT mail.contoso.com:443 HTTP/1.1\r\n\r\n").await.unwrap();
        let answer = String::from_utf8(rest(&mut client).await).unwrap();
        assert!(
            answer.starts_with("HTTP/1.1 502 ") && answer.contains("the upstream proxy proxy.contoso.com"),
            "{answer}"
        );
        assert_eq!(stage.ended_one().await.error.unwrap().kind, FailureKind::CertificateUntrusted);
    }

    #[tokio::test]
    async fn a_proxy_that_closes_after_its_407_closes_on_the_client_too() {
        let proxy = server(None, |mut line: Box<dyn Line>| async move {
            read_head(&mut line).await;
            line.write_all(b"HTTP/1.0 407 No\r\nProxy-Authenticate: NTLM\r\n\r\nuntil the end").await.unwrap();
        })
        .await;
        let mut stage = Stage::new(proxy, None, |options| {
            options.way_out = WayOut::through(format!("http://{proxy}").parse().unwrap(), |_| None);
            options.resolve = Vec::new();
        })
        .await;
        let mut client = stage.connect().await;
        client.write_all(b"CONNECT mail.contoso.com:443 HTTP/1.1\r\n\r\n").await.unwrap();
        let answer = rest(&mut client).await;
        assert_eq!(answer, b"HTTP/1.0 407 No\r\nProxy-Authenticate: NTLM\r\n\r\nuntil the end");
        let exchange = stage.ended_one().await;
        assert_eq!((exchange.status(), exchange.error), (Some(407), None));
        assert_eq!(exchange.url.unwrap().text().as_str(), "https://mail.contoso.com/");
    }

    #[tokio::test]
    async fn a_client_that_does_not_wait_for_a_silent_proxy_leaves_nothing_behind() {
        let proxy = server(None, |mut line: Box<dyn Line>| async move {
            read_head(&mut line).await;
            assert!(rest(&mut line).await.is_empty(), "our connection ends with the client's");
        })
        .await;
        let stage = Stage::new(proxy, None, |options| {
            options.way_out = WayOut::through(format!("http://{proxy}").parse().unwrap(), |_| None);
            options.resolve = Vec::new();
        })
        .await;
        let mut client = stage.connect().await;
        client.write_all(b"CONNECT mail.contoso.com:443 HTTP/1.1\r\n\r\n").await.unwrap();
        client.shutdown().await.unwrap();
        assert!(rest(&mut client).await.is_empty());
    }

    #[tokio::test]
    async fn a_request_that_servers_end_at_different_places_is_refused_and_says_so() {
        let origin = counting().await;
        let mut stage = Stage::new(origin, None, |_| ()).await;
        let mut client = stage.connect().await;
        let request =
            b"POST http://mail.contoso.com/ HTTP/1.1\r\nContent-Length: 1\r\nContent-Length: 9\r\n\r\nGET http";
        client.write_all(request).await.unwrap();
        let answer = String::from_utf8(rest(&mut client).await).unwrap();
        assert!(answer.starts_with("HTTP/1.1 400 "), "{answer}");
        let exchange = stage.ended_one().await;
        assert_eq!(exchange.error.unwrap().kind, FailureKind::NotUnderstood);
        assert!(exchange.request.seen().unwrap().odd.has(crate::exchange::Oddity::LengthsDiffer));
    }

    #[tokio::test]
    async fn lost_framing_closes_and_says_so() {
        let origin = server(None, |mut line: Box<dyn Line>| async move {
            read_head(&mut line).await;
            line.write_all(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n").await.unwrap();
            rest(&mut line).await;
        })
        .await;
        let mut stage = Stage::new(origin, None, |_| ()).await;
        let mut client = stage.connect().await;
        client.write_all(b"GET http://mail.contoso.com/ HTTP/1.1\r\n\r\n").await.unwrap();
        patiently(rest(&mut client)).await;
        assert_eq!(stage.ended_one().await.error.unwrap().kind, FailureKind::NotUnderstood);
    }
}
