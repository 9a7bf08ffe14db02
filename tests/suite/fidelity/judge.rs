//! What an independent parser, hyper's, makes of a conversation, and what ours makes of it.

use std::convert::Infallible;
use std::sync::{Arc, Mutex};

use authtap::wire::http1::{Asked, Reader};
use authtap::wire::{self, Event, Oddity};
use bytes::Bytes;
use http_body_util::{BodyExt as _, Empty};
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper::{HeaderMap, Request, Response};
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

use super::conversation::{Conversation, End};

/// What was read of one message. Fields by their names in lower case, those of one name in their order: more hyper does
/// not keep.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Message {
    /// Method and target, or the status.
    pub(super) line: String,
    pub(super) fields: Fields,
    pub(super) body: Vec<u8>,
    pub(super) trailers: Fields,
}

type Fields = Vec<(String, Vec<u8>)>;

/// What hyper's server reads of `requests`.
pub(super) async fn requests_by_hyper(requests: Vec<u8>) -> Vec<Message> {
    let (mut client, server) = tokio::io::duplex(4 << 20);
    let seen = Arc::new(Mutex::new(Vec::new()));
    let seeing = Arc::clone(&seen);
    let service = service_fn(move |request: Request<Incoming>| {
        let seeing = Arc::clone(&seeing);
        async move {
            let line = format!("{} {}", request.method(), request.uri());
            let fields = sorted(request.headers());
            let body = request.into_body().collect().await.expect("hyper reads the body");
            let trailers = body.trailers().map(sorted).unwrap_or_default();
            seeing.lock().unwrap().push(Message { line, fields, body: body.to_bytes().to_vec(), trailers });
            Ok::<_, Infallible>(Response::new(Empty::<Bytes>::new()))
        }
    });
    client.write_all(&requests).await.unwrap();
    client.shutdown().await.unwrap();
    let mut http = hyper::server::conn::http1::Builder::new();
    http.half_close(true).serve_connection(TokioIo::new(server), service).await.expect("hyper reads the requests");
    seen.lock().unwrap().clone()
}

/// What hyper's client reads of the answers in `conversation`.
pub(super) async fn responses_by_hyper(conversation: &Conversation) -> Vec<Message> {
    let (mut server, client) = tokio::io::duplex(1 << 20);
    let (mut sender, connection) = hyper::client::conn::http1::handshake(TokioIo::new(client)).await.unwrap();
    let connection = tokio::spawn(connection);
    let mut seen = Vec::new();
    let last = conversation.exchanges.len() - 1;
    for (number, exchange) in conversation.exchanges.iter().enumerate() {
        let request = Request::builder().method(exchange.method).uri("/").body(Empty::<Bytes>::new()).unwrap();
        let answer = async {
            let mut head = Vec::new();
            while !head.ends_with(b"\r\n\r\n") {
                head.push(server.read_u8().await.unwrap());
            }
            server.write_all(&exchange.response).await.unwrap();
            if number == last && conversation.end == End::Server {
                server.shutdown().await.unwrap();
            }
        };
        let read = async {
            let response = sender.send_request(request).await.expect("hyper reads the response");
            let (line, fields) = (response.status().as_u16().to_string(), sorted(response.headers()));
            let body = response.into_body().collect().await.expect("hyper reads its body");
            let trailers = body.trailers().map(sorted).unwrap_or_default();
            Message { line, fields, body: body.to_bytes().to_vec(), trailers }
        };
        seen.push(tokio::join!(answer, read).1);
    }
    drop(sender);
    drop(server);
    let _ = connection.await;
    seen
}

/// What our reader reads of `requests`, fed in pieces of `size`.
pub(super) fn requests(requests: &[u8], size: usize) -> Vec<Message> {
    let mut seeing = Seeing::default();
    let mut reader = Reader::requests();
    requests.chunks(size).for_each(|piece| reader.read(piece, &mut |event| seeing.event(&event)));
    reader.close(&mut |event| seeing.event(&event));
    seeing.seen
}

/// What our reader reads of the answers in `conversation`; interim ones are counted.
pub(super) fn responses(conversation: &Conversation, size: usize) -> (Vec<Message>, usize) {
    let mut seeing = Seeing::default();
    let mut reader = Reader::responses();
    conversation.exchanges.iter().for_each(|exchange| reader.expect(Asked::by(exchange.method.as_bytes())));
    let bytes: Vec<u8> = conversation.exchanges.iter().flat_map(|exchange| exchange.response.clone()).collect();
    bytes.chunks(size).for_each(|piece| reader.read(piece, &mut |event| seeing.event(&event)));
    reader.close(&mut |event| seeing.event(&event));
    (seeing.seen, seeing.interim)
}

#[derive(Default)]
struct Seeing {
    seen: Vec<Message>,
    open: Message,
    interim: usize,
}

impl Seeing {
    fn event(&mut self, event: &Event<'_>) {
        match event {
            Event::Request(head) => {
                let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
                let line = format!("{} {}", text(head.method), text(head.target));
                self.open = Message { line, fields: ours(head.fields), ..Message::default() };
            }
            Event::Response(head) => {
                let fields = ours(head.fields);
                self.open = Message { line: head.status.to_string(), fields, ..Message::default() };
            }
            Event::Interim(_) => self.interim += 1,
            Event::Body(bytes) => self.open.body.extend_from_slice(bytes),
            Event::Trailers(fields) => self.open.trailers = ours(*fields),
            Event::End => self.seen.push(std::mem::take(&mut self.open)),
            Event::Odd(oddity) => {
                assert!(matches!(oddity, Oddity::BareLineFeed | Oddity::HostsDiffer), "{} was not made", oddity.code());
            }
            Event::Upgraded | Event::Reset(_) => panic!("nothing of the kind was generated"),
            Event::Lost(loss) => panic!("{loss}: {}", self.open.line),
        }
    }
}

fn ours(fields: wire::Fields<'_>) -> Fields {
    let fields = fields.map(|field| (String::from_utf8_lossy(field.name).to_lowercase(), field.value.to_vec()));
    by_name(fields.collect())
}

fn sorted(fields: &HeaderMap) -> Fields {
    by_name(fields.iter().map(|(name, value)| (name.as_str().to_owned(), value.as_bytes().to_vec())).collect())
}

fn by_name(mut fields: Fields) -> Fields {
    fields.sort_by(|one, other| one.0.cmp(&other.0));
    fields
}
