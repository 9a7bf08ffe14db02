//! The tap proved: a thousand generated conversations, a client and a server of our own on both sides of the proxy. Both
//! byte streams are the same at both ends, and what was read of them is what parsers of other people read.

mod conversation;
mod http2;
mod judge;
mod line;
mod odd;

use std::collections::HashMap;
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::Path;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread;

use authtap::exchange::Exchange;
use authtap::redact::Field;
use proptest::arbitrary::any;
use proptest::collection;
use proptest::sample::Index;
use proptest::strategy::{Strategy as _, ValueTree as _};
use proptest::test_runner::{Config, RngSeed, TestRunner};
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject as _;
use rustls::{ClientConfig, RootCertStore, ServerConfig};

use self::conversation::{Conversation, End, any_conversation};
use self::line::{Ended, Line};
use crate::kit::{Workshop, saved};

/// Conversations over HTTP/1; how they reach the server goes round.
const COUNT: usize = 1000;
/// Those who converse at a time.
const WORKERS: usize = 4;

/// How a client reaches its server.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Way {
    /// TLS inside a tunnel.
    Tls,
    /// Plain HTTP inside a tunnel.
    Plain,
    /// `GET http://host/…`.
    Absolute,
}

impl Way {
    const fn of(number: usize) -> Self {
        match number % 10 {
            0..3 => Self::Tls,
            3..6 => Self::Absolute,
            _ => Self::Plain,
        }
    }
}

#[test]
fn a_thousand_conversations_arrive_as_they_were_sent_and_are_read_as_hyper_reads_them() {
    let conversations = Arc::new(generated());
    let workshop = Workshop::new();
    let config = workshop.authority.server(&HOSTS);
    let (servers, addresses): (Vec<_>, Vec<_>) = HOSTS.iter().map(|_| Server::start(&config, &conversations)).unzip();
    let mut options = Vec::new();
    for (host, address) in HOSTS.iter().zip(&addresses) {
        options.extend(["--resolve".to_owned(), format!("{host}:443={address}")]);
        options.extend(["--resolve".to_owned(), format!("{host}:80={address}")]);
    }
    let options: Vec<&str> = options.iter().map(String::as_str).collect();
    let proxy = workshop.proxy(&options);
    let trust = trusting(&proxy.ca);
    thread::scope(|scope| {
        for (worker, server) in servers.into_iter().enumerate() {
            let (proxy, trust, conversations) = (proxy.address, &trust, &conversations);
            scope.spawn(move || {
                for number in (worker..COUNT).step_by(WORKERS) {
                    server.numbers.send(number).unwrap();
                    let ended = client(proxy, trust, worker, number, &conversations[number]);
                    let seen = server.received.recv().expect("the server plays its part");
                    check(number, &conversations[number], seen, ended);
                }
            });
        }
    });
    let session = proxy.session.clone();
    assert_eq!(proxy.stop().code, Some(0));
    as_hyper_reads(&conversations, saved(&session));
}

const HOSTS: [&str; WORKERS] = ["w0.contoso.com", "w1.contoso.com", "w2.contoso.com", "w3.contoso.com"];

/// The same ones on every run, unless `PROPTEST_RNG_SEED` says otherwise.
fn generated() -> Vec<Conversation> {
    let mut runner = TestRunner::new(config());
    let strategy = any_conversation();
    let mut made = |number: usize| {
        let mut conversation = strategy.new_tree(&mut runner).unwrap().current();
        for (at, exchange) in conversation.exchanges.iter_mut().enumerate() {
            // By this it is found again in the session.
            exchange.target = format!("/c{number}-{at}{}", exchange.target);
        }
        if Way::of(number) == Way::Absolute && matches!(conversation.end, End::ClientCut(_)) {
            // What has not come whole is not passed on, so there is nothing to compare.
            conversation.end = End::Client;
        }
        // It is the beginning of a connection that tells what is spoken on it.
        conversation.exchanges[0].blank = b"";
        conversation
    };
    (0..COUNT).map(&mut made).collect()
}

fn config() -> Config {
    let config = Config { failure_persistence: None, ..Config::default() };
    let rng_seed = if config.rng_seed == RngSeed::Random { RngSeed::Fixed(20_261_122) } else { config.rng_seed };
    Config { rng_seed, ..config }
}

/// Where conversation `number` is cut into pieces.
fn any_cuts(number: usize) -> Vec<Index> {
    let mut runner = TestRunner::new(Config { rng_seed: RngSeed::Fixed(number as u64), ..config() });
    collection::vec(any::<Index>(), 0..9).new_tree(&mut runner).unwrap().current()
}

/// What one side is to send: its messages, the last one cut off where it breaks off.
fn sent(messages: Vec<Vec<u8>>, cut: Option<u8>) -> Vec<Vec<u8>> {
    let mut messages = messages;
    if let (Some(part), Some(last)) = (cut, messages.last_mut()) {
        last.truncate(last.len() * usize::from(part) / 256);
    }
    messages
}

/// What the server is to receive; in absolute form without what belongs to no request.
fn requests(conversation: &Conversation, way: Way) -> Vec<Vec<u8>> {
    let cut = if let End::ClientCut(part) = conversation.end { Some(part) } else { None };
    let request = |exchange: &conversation::Exchange| match way {
        Way::Absolute => exchange.request(&exchange.target),
        Way::Tls | Way::Plain => exchange.origin_form(),
    };
    sent(conversation.exchanges.iter().map(request).collect(), cut)
}

fn responses(conversation: &Conversation) -> Vec<Vec<u8>> {
    let cut = if let End::ServerCut(part) = conversation.end { Some(part) } else { None };
    let mut responses = sent(conversation.exchanges.iter().map(|exchange| exchange.response.clone()).collect(), cut);
    if matches!(conversation.end, End::ClientCut(_)) {
        responses.pop();
    }
    responses
}

/// What one side saw.
struct Saw {
    received: Vec<u8>,
    ended: Option<Ended>,
}

/// Plays the client and gives what it saw.
fn client(
    proxy: SocketAddr,
    trust: &Arc<ClientConfig>,
    worker: usize,
    number: usize,
    conversation: &Conversation,
) -> Saw {
    let (host, way) = (HOSTS[worker], Way::of(number));
    let mut line = Line::plain(TcpStream::connect(proxy).unwrap());
    if way != Way::Absolute {
        let port = if way == Way::Tls { 443 } else { 80 };
        line.send(format!("CONNECT {host}:{port} HTTP/1.1\r\nHost: {host}\r\n\r\n").as_bytes()).unwrap();
        line.head();
    }
    if way == Way::Tls {
        line = line.client(trust, host);
    }
    let requests = match way {
        Way::Absolute => {
            let target = |exchange: &conversation::Exchange| format!("http://{host}{}", exchange.target);
            let request =
                |exchange: &conversation::Exchange| [exchange.blank, &exchange.request(&target(exchange))].concat();
            conversation.exchanges.iter().map(request).collect()
        }
        Way::Tls | Way::Plain => requests(conversation, way),
    };
    let responses = responses(conversation);
    let mut received = Vec::new();
    let last = requests.len() - 1;
    for number in 0..requests.len() {
        if !conversation.pipelined {
            pieces(&mut line, &requests[number], &conversation.cuts);
        } else if number == 0 {
            pieces(&mut line, &requests.concat(), &conversation.cuts);
        }
        let nothing_more = if conversation.pipelined { number == 0 } else { number == last };
        if nothing_more && conversation.end == End::HalfClosed {
            line.half_close();
        }
        if let Some(response) = responses.get(number) {
            received.extend(line.read(response.len()));
        }
    }
    if matches!(conversation.end, End::Server | End::ServerCut(_) | End::HalfClosed) {
        let (rest, ended) = line.end();
        received.extend(rest);
        return Saw { received, ended: Some(ended) };
    }
    line.half_close();
    drop(line);
    Saw { received, ended: None }
}

/// Sends `bytes` in the pieces that were generated for them.
fn pieces(line: &mut Line, bytes: &[u8], cuts: &[Index]) {
    let mut cuts: Vec<usize> = cuts.iter().map(|cut| cut.index(bytes.len() + 1)).collect();
    cuts.extend([0, bytes.len()]);
    cuts.sort_unstable();
    for pair in cuts.windows(2).filter(|pair| pair[0] < pair[1]) {
        // A side that has ended takes nothing more; the comparison says what is missing.
        if line.send(&bytes[pair[0]..pair[1]]).is_err() {
            return;
        }
    }
}

/// The servers of one worker, one after the other.
struct Server {
    numbers: Sender<usize>,
    received: Receiver<(Saw, usize)>,
}

impl Server {
    fn start(config: &Arc<ServerConfig>, conversations: &Arc<Vec<Conversation>>) -> (Self, SocketAddr) {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let (numbers, next) = channel::<usize>();
        let (saw, received) = channel();
        let (config, conversations) = (Arc::clone(config), Arc::clone(conversations));
        thread::spawn(move || {
            for number in next {
                let mut line = Line::plain(listener.accept().unwrap().0);
                if Way::of(number) == Way::Tls {
                    line = line.server(&config);
                }
                let saw_of_it = serve(line, Way::of(number), &conversations[number]);
                let _ = saw.send((saw_of_it, number));
            }
        });
        (Self { numbers, received }, address)
    }
}

/// Plays the server and gives what it saw.
fn serve(mut line: Line, way: Way, conversation: &Conversation) -> Saw {
    let (requests, responses) = (requests(conversation, way), responses(conversation));
    let mut received = Vec::new();
    // In absolute form one request is in flight at a time.
    let pipelined = conversation.pipelined && way != Way::Absolute;
    let last = requests.len() - 1;
    for number in 0..requests.len() {
        if !pipelined {
            received.extend(line.read(requests[number].len()));
        } else if number == 0 {
            received.extend(line.read(requests.concat().len()));
        }
        if number == last && conversation.end == End::HalfClosed {
            let (rest, ended) = line.end();
            received.extend(rest);
            assert_eq!(ended, Ended::InOrder, "the half-close is passed on");
        }
        if let Some(response) = responses.get(number) {
            pieces(&mut line, response, &conversation.cuts);
        }
    }
    match conversation.end {
        End::ServerCut(_) => line.hang_up(),
        End::Server | End::HalfClosed => line.half_close(),
        End::Client | End::ClientCut(_) => {
            let (rest, ended) = line.end();
            received.extend(rest);
            return Saw { received, ended: Some(ended) };
        }
    }
    Saw { received, ended: None }
}

/// Both byte streams, and how each ended, are the same at both ends.
fn check(number: usize, conversation: &Conversation, (server, of): (Saw, usize), client: Saw) {
    let what = format!("conversation {number} ({:?}): {conversation:?}", Way::of(number));
    assert_eq!(of, number);
    assert!(server.received == requests(conversation, Way::of(number)).concat(), "what the server received of {what}");
    assert!(client.received == responses(conversation).concat(), "what the client received of {what}");
    let cut = matches!(conversation.end, End::ServerCut(_)) && Way::of(number) == Way::Tls;
    if let Some(ended) = client.ended {
        assert_eq!(ended, if cut { Ended::Cut } else { Ended::InOrder }, "how it ended for the client of {what}");
    }
    if let Some(ended) = server.ended {
        assert_eq!(ended, Ended::InOrder, "how it ended for the server of {what}");
    }
}

/// Compares what the readers and the session have with what hyper reads of the same bytes.
fn as_hyper_reads(conversations: &[Conversation], saved: Vec<Exchange>) {
    let recorded: HashMap<String, Exchange> = saved.into_iter().filter_map(|one| Some((key(&one)?, one))).collect();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    for (number, conversation) in conversations.iter().enumerate() {
        let what = format!("conversation {number}: {conversation:?}");
        let bytes: Vec<u8> = conversation.exchanges.iter().flat_map(conversation::Exchange::origin_form).collect();
        let size = 1 + number % 700;
        let asked = judge::requests(&bytes, size);
        assert!(asked == runtime.block_on(judge::requests_by_hyper(bytes)), "requests of {what}");
        let (answered, interim) = judge::responses(conversation, size);
        assert!(answered == runtime.block_on(judge::responses_by_hyper(conversation)), "responses of {what}");

        // The last one may have been cut off.
        let whole = match conversation.end {
            End::ClientCut(_) | End::ServerCut(_) => conversation.exchanges.len() - 1,
            _ => conversation.exchanges.len(),
        };
        let mut interim_seen = 0;
        for (at, (request, response)) in asked.iter().zip(&answered).enumerate() {
            let found = recorded.get(&format!("c{number}-{at}"));
            let Some(exchange) = found else {
                assert!(at >= whole, "exchange {at} is missing of {what}");
                continue;
            };
            let seen = exchange.request.seen().unwrap();
            assert_eq!(exchange.method.as_ref().unwrap().as_str(), request.line.split(' ').next().unwrap(), "{what}");
            same_names(&seen.fields, &request.fields, &what);
            if at >= whole {
                let cut = exchange.error.is_some() || exchange.response.seen().is_some();
                assert!(cut, "what is missing of exchange {at} is said, of {what}");
                continue;
            }
            let answer = exchange.response.seen().unwrap();
            interim_seen += answer.interim.len();
            assert_eq!(exchange.error, None, "{what}");
            assert_eq!(answer.status.unwrap().to_string(), response.line, "{what}");
            for (seen, read) in [(seen, request), (&answer.message, response)] {
                same_names(&seen.fields, &read.fields, &what);
                same_names(&seen.trailers, &read.trailers, &what);
                assert_eq!(seen.body.length, read.body.len() as u64, "{what}");
            }
        }
        assert!(interim_seen == interim || whole < conversation.exchanges.len(), "{what}");
    }
}

/// By which an exchange is found: the first segment of its path.
fn key(exchange: &Exchange) -> Option<String> {
    exchange.url.as_ref()?.path().split('/').nth(1).map(str::to_owned)
}

/// The session has the fields that were read. A name that looks like a password is hidden, but there.
fn same_names(seen: &[Field], read: &[(String, Vec<u8>)], what: &str) {
    let mut left: Vec<&str> = read.iter().map(|(name, _)| name.as_str()).collect();
    for field in seen {
        let name = field.name.as_str().to_lowercase();
        if !name.starts_with("[hidden ") {
            let at = left.iter().position(|read| *read == name);
            left.swap_remove(at.unwrap_or_else(|| panic!("{name} was not sent in {what}")));
        }
    }
    assert!(left.iter().all(|name| name.starts_with("x-")), "{left:?} are missing of {what}");
    assert_eq!(seen.len(), read.len(), "{what}");
}

/// A client that trusts the root in the file `ca`.
fn trusting(ca: &Path) -> Arc<ClientConfig> {
    let mut roots = RootCertStore::empty();
    roots.add(CertificateDer::from_pem_file(ca).unwrap()).unwrap();
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let config = ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions().unwrap();
    Arc::new(config.with_root_certificates(roots).with_no_client_auth())
}
