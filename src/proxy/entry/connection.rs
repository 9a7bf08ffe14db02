//! A client's connection: what its first bytes ask for.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use tokio::io::AsyncReadExt;
use tokio::net::TcpStream;

use crate::exchange::{Certificate, Connection, Failure, Server, Timestamp};
use crate::proxy::Context;
use crate::proxy::answer::instead::Conversation;
use crate::proxy::answer::page::{self, Way};
use crate::proxy::answer::respond::Responder;
use crate::proxy::answer::{self, Page};
use crate::proxy::entry::absolute;
use crate::proxy::entry::crowd::{Dismissal, FirstWords, SILENCE};
use crate::proxy::entry::login::Login;
use crate::proxy::entry::reverse;
use crate::proxy::entry::socks;
use crate::proxy::entry::transparent;
use crate::proxy::entry::tunnel::{self, Manner};
use crate::proxy::failure;
use crate::proxy::tap::stream::Plain;
use crate::proxy::tap::tape;
use crate::proxy::target::{Target, TargetError};
use crate::redact::{Bindings, Clean};
use crate::wire::http1::{head_end, is_token_byte};

/// A request head longer than this is none that a client would send to a proxy.
pub(crate) const HEAD_LIMIT: usize = 256 * 1024;

/// Nor is one of more lines.
const FIELDS_LIMIT: usize = 1002;

/// Who calls, and since when.
#[derive(Clone)]
pub(crate) struct Caller {
    pub(crate) context: Arc<Context>,
    pub(crate) id: u32,
    client: Clean,
    peer: SocketAddr,
}

impl Caller {
    fn new(context: Arc<Context>, peer: SocketAddr) -> Self {
        let client = context.redactor.wire().client_address(peer);
        Self { id: context.ids.connection(), client, peer, context }
    }

    /// The facts of the connection, as far as they are known by now.
    pub(crate) fn connection(
        &self,
        target: Option<&Target>,
        server: Option<Server>,
        presented: Option<Certificate>,
    ) -> Arc<Connection> {
        Arc::new(Connection {
            id: self.id,
            client: Some(self.client.clone()),
            target: target.map(|target| target.shown(&self.context.redactor)),
            client_tls: None,
            server,
            presented,
        })
    }
}

impl Caller {
    /// Whether the caller is this proxy itself, which is then recorded. Only for callers that have sent something.
    pub(crate) fn is_ourselves(&self, tcp: &TcpStream, started: Timestamp) -> bool {
        let ours = self.context.upstream.is_ours(self.peer, || transparent::destinations(tcp));
        if ours {
            let connection = self.connection(None, None, None);
            tape::failed(&self.context, connection, started, None, None, failure::called_by_ourselves());
        }
        ours
    }

    /// What to answer to the request with this head, whose sender did not say what `--proxy-auth` asks for. A request
    /// without a login is a client's way of asking whether it needs one: it is counted. One with a wrong login is a
    /// failure, of the client and of nobody else, for the caller to record.
    pub(crate) fn turn_away(&self, head: &[u8]) -> Option<(Page, Option<Failure>)> {
        let context = &self.context;
        match context.login.as_ref()?.judge(head) {
            Login::Admitted => None,
            Login::Missing => {
                context.asked.fetch_add(1, Ordering::Relaxed);
                Some((Page::log_in(), None))
            }
            Login::Wrong => Some((Page::log_in(), Some(failure::wrong_login()))),
        }
    }
}

/// Turns a tunnel away.
pub(crate) async fn refuse_tunnel(
    caller: &Caller,
    client: TcpStream,
    asked: tunnel::Asked,
    (page, failure): (Page, Option<Failure>),
) {
    if let Some(failure) = failure {
        let connection = caller.connection(Some(&asked.target), None, None);
        tape::failed_tunnel(&caller.context, connection, asked.started, &asked.target, failure);
    }
    answer::serve(Plain::new(client, [asked.head, asked.early].concat()), &page).await;
}

/// Serves one client connection to its end.
pub(crate) async fn serve(context: Arc<Context>, mut tcp: TcpStream, peer: SocketAddr) {
    let _ = tcp.set_nodelay(true);
    let caller = Caller::new(context, peer);
    if let Some(url) = caller.context.reverse.clone() {
        return Box::pin(reverse::serve(caller, tcp, &url)).await;
    }
    if caller.context.transparent
        && let Some(destination) = transparent::destination(&tcp, caller.context.upstream.own())
    {
        return Box::pin(transparent::serve(caller, tcp, destination)).await;
    }
    let mut read = Vec::new();
    let mut wait = caller.context.crowd.wait();
    let found = loop {
        if let Some(found) = opening(&read) {
            break found;
        }
        let begun = !read.is_empty();
        tokio::select! {
            amount = tcp.read_buf(&mut read) => match amount {
                Ok(0) | Err(_) if !begun => return,
                Ok(0) | Err(_) => break Opening::Broken("the client closed the connection inside its first request head"),
                Ok(_) => {}
            },
            dismissal = wait.dismissal(begun, Some(SILENCE)) => return dismiss(&caller, tcp, dismissal).await,
        }
    };
    drop(wait);
    let started = Timestamp::now();
    if caller.is_ourselves(&tcp, started) {
        return;
    }
    let responder = caller.context.responder.clone();
    match (found, responder) {
        (Opening::Tunnel { target, head }, responder) => {
            if responder.is_upstream()
                && !page::is_at(&target)
                && caller.context.upstream.tunnel_proxy(&target, &[]).is_some()
            {
                return Box::pin(absolute::serve(caller, tcp, read)).await;
            }
            let early = read.split_off(head);
            let asked = tunnel::Asked { target, manner: Manner::Http, head: read, early, started };
            if page::is_at(&asked.target) {
                return tunnel::to_page(caller, tcp, asked).await;
            }
            if let Some(refusal) = caller.turn_away(&asked.head) {
                return refuse_tunnel(&caller, tcp, asked, refusal).await;
            }
            match responder {
                Responder::Upstream => tunnel::serve(caller, tcp, asked).await,
                Responder::Instead(respond) => Box::pin(tunnel::pretend(caller, tcp, asked, &*respond)).await,
            }
        }
        (Opening::Absolute { .. }, Responder::Upstream) => Box::pin(absolute::serve(caller, tcp, read)).await,
        (Opening::Absolute { head }, Responder::Instead(_)) if absolute::is_for_page(&read[..head]) => {
            own_page(&caller, tcp, read, Way::Proxied).await;
        }
        (Opening::Absolute { .. }, Responder::Instead(respond)) => {
            let connection = caller.connection(None, None, None);
            let conversation = Conversation {
                context: caller.context,
                connection,
                bindings: Bindings::UNKNOWN,
                scheme: "http",
                authority: None,
            };
            conversation.hold(Plain::new(tcp, read), &*respond).await;
        }
        (Opening::Socks, _) => Box::pin(socks::serve(caller, tcp, read)).await,
        (Opening::Ourselves, _) => own_page(&caller, tcp, read, Way::Directly).await,
        (Opening::Broken(text), _) => not_a_request(&caller, tcp, text, started).await,
    }
}

/// Sends off a client that does not say what it wants, and records it.
pub(crate) async fn dismiss(caller: &Caller, tcp: TcpStream, dismissal: Dismissal) {
    let context = &caller.context;
    let failure = dismissal.failure(FirstWords::RequestHead);
    let page = (dismissal == Dismissal::TooSlow).then(|| Page::too_slow(&failure));
    if context.crowd.may_record() {
        tape::failed(context, caller.connection(None, None, None), Timestamp::now(), None, None, failure);
    }
    if let Some(page) = page {
        answer::refuse(tcp, &page).await;
    }
}

/// Records a client for whom there is no room.
pub(crate) fn turned_away(context: &Arc<Context>, peer: SocketAddr) {
    if context.crowd.may_record() {
        let caller = Caller::new(Arc::clone(context), peer);
        tape::failed(context, caller.connection(None, None, None), Timestamp::now(), None, None, context.crowd.full());
    }
}

/// Shows the proxy's own page to a client of which `read` has come.
pub(crate) async fn own_page(caller: &Caller, tcp: TcpStream, read: Vec<u8>, way: Way) {
    let local = tcp.local_addr().ok();
    page::serve(Plain::new(tcp, read), way, local, &caller.context.authority).await;
}

/// Answers and records what is no request to a proxy.
pub(crate) async fn not_a_request(caller: &Caller, tcp: TcpStream, text: &'static str, started: Timestamp) {
    let failure = failure::not_a_request(text);
    let page = Page::bad_request(&failure);
    tape::failed(&caller.context, caller.connection(None, None, None), started, None, None, failure);
    answer::refuse(tcp, &page).await;
}

/// What the bytes of a head ask for. Heads are so long.
pub(crate) enum Opening {
    /// `CONNECT host:port`.
    Tunnel { target: Target, head: usize },
    /// `GET http://host/…`.
    Absolute { head: usize },
    /// SOCKS, of whatever version.
    Socks,
    /// `GET /…`: for the proxy itself.
    Ourselves,
    /// No request to a proxy; what it is instead.
    Broken(&'static str),
}

/// What `read` asks for; nothing where more must be read to tell.
pub(crate) fn opening(read: &[u8]) -> Option<Opening> {
    let broken = |text| Some(Opening::Broken(text));
    match read.first()? {
        0x16 => {
            return broken(
                "the client speaks TLS to the proxy; set it up with an http:// proxy, not with an https:// one",
            );
        }
        &socks::VERSION | &socks::VERSION_4 => return Some(Opening::Socks),
        byte if !is_token_byte(*byte) => return broken("the client sent bytes that are no HTTP request"),
        _ => {}
    }
    let Some(line_end) = memchr::memchr(b'\n', read) else {
        return if read.len() > HEAD_LIMIT { broken("the client sent a request line without an end") } else { None };
    };
    let line = read[..line_end].trim_ascii_end();
    let mut words = line.split(|byte| *byte == b' ');
    let (method, target, version) = (words.next()?, words.next().unwrap_or_default(), words.next().unwrap_or_default());
    let is_request = method.iter().all(|byte| is_token_byte(*byte)) && version.starts_with(b"HTTP/1.");
    if !is_request || words.next().is_some() {
        return broken("the client sent bytes that are no HTTP/1 request");
    }
    let Some(head) = head_end(read, 0) else {
        return if read.len() > HEAD_LIMIT {
            broken("the client sent a request head longer than 256 KiB")
        } else if memchr::memchr_iter(b'\n', read).count() > FIELDS_LIMIT {
            broken("the client sent a request head of more than 1000 fields")
        } else {
            None
        };
    };
    if memchr::memchr_iter(b'\n', &read[..head]).count() > FIELDS_LIMIT {
        return broken("the client sent a request head of more than 1000 fields");
    }
    if method == b"CONNECT" {
        return match Target::parse(target, 443) {
            Ok(target) => Some(Opening::Tunnel { target, head }),
            Err(TargetError::Zone) => broken(TargetError::Zone.phrase()),
            Err(TargetError::Form) => broken("the client sent a CONNECT without a usable host and port"),
        };
    }
    if target.get(..7).is_some_and(|scheme| scheme.eq_ignore_ascii_case(b"http://")) {
        return Some(Opening::Absolute { head });
    }
    if target.starts_with(b"/") || target == b"*" {
        return Some(Opening::Ourselves);
    }
    broken("the client sent a request whose target is neither host:port nor an http:// URL")
}
