//! SOCKS version 5 (RFC 1928, RFC 1929) on the proxy's own port: CONNECT, and then the course of any tunnel.
//!
//! What it does not do is refused in the protocol's own words: BIND, UDP, other versions.

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use zeroize::Zeroizing;

use crate::exchange::{Failure, FailureKind, Side, Step, Timestamp};
use crate::proxy::answer::respond::Responder;
use crate::proxy::answer::{hang_up, page};
use crate::proxy::entry::connection::Caller;
use crate::proxy::entry::crowd::FirstWords;
use crate::proxy::entry::tunnel::{self, Asked, Manner};
use crate::proxy::failure;
use crate::proxy::tap::tape;
use crate::proxy::target::{Target, TargetError};

/// The version in a client's first byte.
pub(crate) const VERSION: u8 = 5;
/// The version before it, which can neither log in nor speak IPv6.
pub(crate) const VERSION_4: u8 = 4;
/// The connection stands. From where it was opened is nobody's business.
pub(crate) const GRANTED: [u8; 10] = answer(0);
/// What version 4 says to a request that is refused.
const REFUSED_4: [u8; 8] = [0, 0x5b, 0, 0, 0, 0, 0, 0];

const NO_LOGIN: u8 = 0;
const LOGIN: u8 = 2;
const NO_METHOD: u8 = 0xff;
const CONNECT: u8 = 1;

/// Serves a client that speaks SOCKS, of which `read` has come.
pub(crate) async fn serve(caller: Caller, tcp: TcpStream, read: Vec<u8>) {
    let started = Timestamp::now();
    let mut talk = Talk { tcp, read: Zeroizing::new(read), at: 0 };
    let mut wait = caller.context.crowd.wait();
    let asked = tokio::select! {
        asked = ask(&caller, &mut talk) => asked,
        dismissal = wait.dismissal(true, None) => {
            if caller.context.crowd.may_record() {
                let connection = caller.connection(None, None, None);
                tape::failed(&caller.context, connection, started, None, None, dismissal.failure(FirstWords::SocksRequest));
            }
            return;
        }
    };
    drop(wait);
    match asked {
        Ok(target) => {
            let Talk { tcp, read, at } = talk;
            let early = read[at..].to_vec();
            let asked = Asked { target, manner: Manner::Socks, head: Vec::new(), early, started };
            if page::is_at(&asked.target) {
                return tunnel::to_page(caller, tcp, asked).await;
            }
            match caller.context.responder.clone() {
                Responder::Upstream => tunnel::serve(caller, tcp, asked).await,
                Responder::Instead(respond) => Box::pin(tunnel::pretend(caller, tcp, asked, &*respond)).await,
            }
        }
        Err(Refusal { reply, failure }) => {
            tape::failed(&caller.context, caller.connection(None, None, None), started, None, None, failure);
            if talk.tcp.write_all(&reply).await.is_ok() {
                hang_up(talk.tcp).await;
            }
        }
    }
}

/// What the client is told of `failure`.
pub(crate) const fn reply(failure: &Failure) -> [u8; 10] {
    answer(match (failure.side, failure.kind) {
        (Side::Proxy, _) => 2,
        (_, FailureKind::Unreachable) => 3,
        (_, FailureKind::NameNotFound) => 4,
        (_, FailureKind::Refused) => 5,
        (_, FailureKind::TimedOut) => 6,
        _ => 1,
    })
}

const fn answer(reply: u8) -> [u8; 10] {
    [VERSION, reply, 0, 1, 0, 0, 0, 0, 0, 0]
}

/// Why a client gets no tunnel, and the bytes that tell it.
struct Refusal {
    reply: Vec<u8>,
    failure: Failure,
}

impl Refusal {
    fn new(reply: &[u8], text: &'static str) -> Self {
        Self { reply: reply.to_vec(), failure: failure::not_a_request(text) }
    }
}

/// The conversation before the tunnel stands.
struct Talk {
    tcp: TcpStream,
    /// It may hold a password.
    read: Zeroizing<Vec<u8>>,
    at: usize,
}

impl Talk {
    /// The next `length` bytes.
    async fn take(&mut self, length: usize) -> Result<&[u8], Refusal> {
        while self.read.len() < self.at + length {
            // Grown by hand, so that nothing is left behind in freed memory.
            let mut more = Zeroizing::new([0; 512]);
            match self.tcp.read(&mut more[..]).await {
                Ok(count @ 1..) => {
                    let grown = [&self.read[..], &more[..count]].concat();
                    self.read = Zeroizing::new(grown);
                }
                _ => return Err(Refusal::new(&[], "the client closed the connection inside its SOCKS request")),
            }
        }
        self.at += length;
        Ok(&self.read[self.at - length..self.at])
    }

    async fn byte(&mut self) -> Result<u8, Refusal> {
        Ok(self.take(1).await?[0])
    }

    /// As many bytes as the next one says.
    async fn counted(&mut self) -> Result<&[u8], Refusal> {
        let length = self.byte().await?;
        self.take(length.into()).await
    }

    async fn say(&mut self, bytes: &[u8]) -> Result<(), Refusal> {
        let gone = |_| Refusal::new(&[], "the client closed the connection inside its SOCKS request");
        self.tcp.write_all(bytes).await.map_err(gone)
    }
}

/// Where the client wants to go.
async fn ask(caller: &Caller, talk: &mut Talk) -> Result<Target, Refusal> {
    if talk.byte().await? == VERSION_4 {
        return Err(Refusal::new(&REFUSED_4, "the client speaks SOCKS version 4; set it up with version 5 or HTTP"));
    }
    log_in(caller, talk).await?;
    let [version, command, _, kind] = *talk.take(4).await? else { return Err(broken()) };
    let target = match kind {
        1 => {
            let octets: [u8; 4] = talk.take(4).await?.try_into().map_err(|_| broken())?;
            Ok(std::net::IpAddr::from(octets).to_string())
        }
        4 => {
            let octets: [u8; 16] = talk.take(16).await?.try_into().map_err(|_| broken())?;
            Ok(std::net::IpAddr::from(octets).to_string())
        }
        3 => Ok(String::from_utf8_lossy(talk.counted().await?).into_owned()),
        _ => Err(Refusal::new(&answer(8), "the client asks for a SOCKS address of an unknown kind")),
    };
    let host = target?;
    let port = u16::from_be_bytes(talk.take(2).await?.try_into().map_err(|_| broken())?);
    match (version, command) {
        (VERSION, CONNECT) => {}
        (VERSION, 2) => return Err(Refusal::new(&answer(7), "the client asks for SOCKS BIND; only CONNECT is served")),
        (VERSION, 3) => return Err(Refusal::new(&answer(7), "the client asks for SOCKS UDP; only CONNECT is served")),
        _ => return Err(broken()),
    }
    Target::of(&host, port).map_err(|error| match error {
        TargetError::Zone => Refusal::new(&answer(8), TargetError::Zone.phrase()),
        TargetError::Form => Refusal::new(&answer(1), "the client sent a SOCKS request without a usable host and port"),
    })
}

/// Agrees on how to log in, and lets the client do so where `--proxy-auth` says it must.
async fn log_in(caller: &Caller, talk: &mut Talk) -> Result<(), Refusal> {
    let methods = talk.counted().await?.to_vec();
    let Some(login) = &caller.context.login else {
        if !methods.contains(&NO_LOGIN) {
            let text = "the client insists on a SOCKS login, and this proxy asks for none (--proxy-auth)";
            return Err(Refusal::new(&[VERSION, NO_METHOD], text));
        }
        return talk.say(&[VERSION, NO_LOGIN]).await;
    };
    let not_admitted = |reply: &[u8], text: &'static str| Refusal {
        reply: reply.to_vec(),
        failure: Failure { side: Side::Client, step: Step::Receive, kind: FailureKind::NotAdmitted, text: text.into() },
    };
    if !methods.contains(&LOGIN) {
        let text = "the client offers no user name and password for SOCKS, which --proxy-auth asks for";
        return Err(not_admitted(&[VERSION, NO_METHOD], text));
    }
    talk.say(&[VERSION, LOGIN]).await?;
    if talk.byte().await? != 1 {
        return Err(broken());
    }
    let user = Zeroizing::new(talk.counted().await?.to_vec());
    let admitted = login.admits(&user, talk.counted().await?);
    if !admitted {
        return Err(Refusal { reply: vec![1, 1], failure: failure::wrong_login() });
    }
    talk.say(&[1, 0]).await
}

fn broken() -> Refusal {
    Refusal::new(&answer(1), "the client breaks the rules of SOCKS")
}
