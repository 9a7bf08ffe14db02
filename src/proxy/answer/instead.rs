//! Conversations in which somebody answers in the server's place: requests are read, answered one after another and
//! recorded like any other traffic.

use std::collections::VecDeque;
use std::io;
use std::pin::Pin;
use std::sync::Arc;

use tokio::io::{AsyncBufReadExt, AsyncWriteExt};
use tokio::time::{Duration, Instant};

use crate::exchange::{Connection, absolute_url};
use crate::proxy::Context;
use crate::proxy::answer::respond::{Piece, Request, Respond};
use crate::proxy::answer::{FAREWELL, hang_up};
use crate::proxy::tap::stream::Stream;
use crate::proxy::tap::tape::Tape;
use crate::redact::{Bindings, Body, Clean, Fields, RawBody, Redactor, Secret, Url};
use crate::wire::http1::Reader;
use crate::wire::{Event, RequestHead};

/// What the conversation is about.
pub(crate) struct Conversation {
    pub(crate) context: Arc<Context>,
    pub(crate) connection: Arc<Connection>,
    pub(crate) bindings: Bindings,
    /// Of requests in origin form.
    pub(crate) scheme: &'static str,
    /// Of requests in origin form without a Host field.
    pub(crate) authority: Option<Vec<u8>>,
}

impl Conversation {
    /// Answers what `client` asks until one of the two has enough.
    pub(crate) async fn hold<C: Stream>(self, mut client: C, respond: &dyn Respond) {
        let id = self.connection.id;
        let (connection, authority) = (Arc::clone(&self.connection), self.authority.clone());
        let mut tape = Tape::http(&self.context, connection, self.bindings, None, self.scheme, authority, None);
        self.answer_all(&mut client, respond, &mut tape).await;
        tape.close(None);
        respond.closed(id);
        hang_up(client).await;
    }

    async fn answer_all<C: Stream>(&self, client: &mut C, respond: &dyn Respond, tape: &mut Tape) {
        let mut reader = Reader::requests();
        let mut requests = Requests { conversation: self, open: None, complete: VecDeque::new(), lost: false };
        loop {
            let bytes = match client.fill_buf().await {
                Ok(bytes) if !bytes.is_empty() => bytes,
                _ => return,
            };
            let amount = bytes.len();
            tape.request_bytes(bytes);
            reader.read(bytes, &mut |event| requests.event(event));
            Pin::new(&mut *client).consume(amount);
            if requests.body_is_held_back() && send(client, tape, b"HTTP/1.1 100 Continue\r\n\r\n").await.is_err() {
                return;
            }
            while let Some(asked) = requests.complete.pop_front() {
                let answer = respond.respond(&Request {
                    connection: self.connection.id,
                    method: &asked.method,
                    url: &asked.url,
                    fields: &asked.fields,
                    body: &asked.body,
                });
                tape.explain(answer.failure);
                let sent = send_all(client, tape, &answer.pieces).await;
                tape.deliver();
                tape.explain(None);
                if sent.is_err() || answer.close || asked.close {
                    return;
                }
            }
            if requests.lost {
                tape.deliver();
                return;
            }
        }
    }
}

/// Sends an answer piece by piece as the time of each comes, if somebody still waits for it.
async fn send_all<C: Stream>(client: &mut C, tape: &mut Tape, pieces: &[Piece]) -> io::Result<()> {
    for piece in pieces {
        if !piece.after.is_zero() {
            wait(client, tape, piece.after).await?;
        }
        send(client, tape, &piece.bytes).await?;
    }
    Ok(())
}

/// Waits, and notes meanwhile what goes on. A client that ends its direction may still read, but one that has gone ends
/// it too: it is not waited for as long as it takes.
async fn wait<C: Stream>(client: &mut C, tape: &mut Tape, time: Duration) -> io::Result<()> {
    let mut end = Instant::now() + time;
    let mut deserted = false;
    let mut silent = true;
    loop {
        let row = tape.next_row();
        tokio::select! {
            biased;
            () = tokio::time::sleep_until(end) => break,
            said = client.fill_buf(), if silent => {
                silent = false;
                let patience = Instant::now() + FAREWELL;
                if said?.is_empty() && end > patience {
                    (end, deserted) = (patience, true);
                }
            }
            () = tokio::time::sleep(row.unwrap_or_default()), if row.is_some() => tape.write_rows(),
        }
    }
    if deserted { Err(io::ErrorKind::UnexpectedEof.into()) } else { Ok(()) }
}

async fn send<C: Stream>(client: &mut C, tape: &mut Tape, bytes: &[u8]) -> io::Result<()> {
    client.write_all(bytes).await?;
    client.flush().await?;
    tape.response_bytes(bytes);
    Ok(())
}

/// A complete request.
struct Complete {
    method: Clean,
    url: Url,
    fields: Fields,
    body: Body,
    /// The client wants the connection closed after it.
    close: bool,
}

/// Requests in the making.
struct Requests<'a> {
    conversation: &'a Conversation,
    open: Option<Open>,
    complete: VecDeque<Complete>,
    lost: bool,
}

/// A request of which the head has come.
struct Open {
    method: Clean,
    url: Url,
    fields: Fields,
    body: RawBody,
    close: bool,
    /// It says `Expect: 100-continue` and nothing of its body has come.
    waits: bool,
}

impl Requests<'_> {
    fn event(&mut self, event: Event<'_>) {
        let redactor = &self.conversation.context.redactor;
        match event {
            Event::Request(head) => match self.conversation.open(head, redactor) {
                Some(open) => self.open = Some(open),
                None => self.lost = true,
            },
            Event::Body(bytes) => {
                if let Some(open) = &mut self.open {
                    open.waits = false;
                    open.body.length += bytes.len() as u64;
                    open.body.bytes.extend(bytes, self.conversation.context.body_limit);
                }
            }
            Event::End => {
                if let Some(open) = self.open.take() {
                    let Open { method, url, fields, body, close, .. } = open;
                    self.complete.push_back(Complete { method, url, fields, body: redactor.wire().body(body), close });
                }
            }
            Event::Lost(_) => self.lost = true,
            // Of none of these is anything answered.
            Event::Interim(_)
            | Event::Response(_)
            | Event::Odd(_)
            | Event::Trailers(_)
            | Event::Upgraded
            | Event::Reset(_) => {}
        }
    }

    /// Whether the client waits to be asked for its body; says so once.
    fn body_is_held_back(&mut self) -> bool {
        self.open.as_mut().is_some_and(|open| std::mem::take(&mut open.waits))
    }
}

impl Conversation {
    fn open(&self, head: RequestHead<'_>, redactor: &Redactor) -> Option<Open> {
        let door = redactor.wire();
        let url = absolute_url(head, self.scheme, self.authority.as_deref())?;
        let joined = |name| head.fields.values(name).collect::<Vec<_>>().join(&b", "[..]);
        let says = |name, word: &[u8]| {
            head.fields
                .values(name)
                .flat_map(|value| value.split(|byte| *byte == b','))
                .any(|value| value.trim_ascii().eq_ignore_ascii_case(word))
        };
        let close = says("connection", b"close") || (head.version == b"HTTP/1.0" && !says("connection", b"keep-alive"));
        Some(Open {
            method: door.token(head.method),
            url: door.url(&url),
            fields: door.fields(head.fields),
            body: RawBody {
                bytes: Secret::new(),
                length: 0,
                recorded: true,
                refusal: false,
                content_type: joined("content-type"),
                content_encoding: joined("content-encoding"),
            },
            close,
            waits: says("expect", b"100-continue"),
        })
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
mod tests {
    use std::sync::Mutex;

    use super::*;
    use crate::exchange::{Failure, FailureKind, Side, Step};
    use crate::proxy::answer::respond::{Answer, Responder};
    use crate::proxy::stage::{Stage, expect, read_head, rest};
    use tokio::io::AsyncWriteExt;

    /// Answers in three pieces, one of them late.
    struct Slow;

    impl Respond for Slow {
        fn respond(&self, _: &Request<'_>) -> Answer {
            let piece = |after, text: &str| Piece { after: Duration::from_millis(after), bytes: text.into() };
            let head = "HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\n";
            Answer { pieces: vec![piece(40, head), piece(30, "ab"), piece(0, "cd")], close: false, failure: None }
        }
    }

    #[tokio::test]
    async fn an_answer_takes_its_time_and_is_recorded_with_it() {
        let nobody = ([127, 0, 0, 1], 9).into();
        let mut stage =
            Stage::new(nobody, None, |options| options.responder = Responder::Instead(Arc::new(Slow))).await;
        let mut client = stage.connect().await;
        client.write_all(b"GET http://mail.contoso.com/a HTTP/1.1\r\n\r\n").await.unwrap();
        // It may end its direction and still read.
        client.shutdown().await.unwrap();
        assert_eq!(rest(&mut client).await, b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nabcd");
        let timings = stage.ended_one().await.timings;
        assert!(timings.first_byte.unwrap() >= Duration::from_millis(40), "{timings:?}");
        assert!(timings.done.unwrap() >= Duration::from_millis(70), "{timings:?}");
    }

    /// Remembers what it was asked; has no answer to anything below `/unknown`.
    #[derive(Default)]
    struct Parrot {
        asked: Mutex<Vec<String>>,
        closed: Mutex<Vec<u32>>,
    }

    impl Respond for Parrot {
        fn respond(&self, request: &Request<'_>) -> Answer {
            let line = format!("{} {} body={}", request.method, request.url.text(), request.body.length);
            self.asked.lock().unwrap().push(line);
            let known = !request.url.path().starts_with("/unknown");
            let status = if known { "200 As Recorded" } else { "599 Not In The Session" };
            let failure = (!known).then(|| Failure {
                side: Side::Proxy,
                step: Step::Receive,
                kind: FailureKind::NotInSession,
                text: "the session has no answer to this request".into(),
            });
            let bytes = format!("HTTP/1.1 {status}\r\nX-oDD: 1\r\nContent-Length: 0\r\n\r\n").into_bytes();
            Answer { pieces: vec![Piece::now(bytes)], close: false, failure }
        }

        fn closed(&self, connection: u32) {
            self.closed.lock().unwrap().push(connection);
        }
    }

    async fn stage() -> (Stage, Arc<Parrot>) {
        let parrot = Arc::new(Parrot::default());
        let nobody = ([127, 0, 0, 1], 9).into();
        let responder = Responder::Instead(Arc::clone(&parrot) as Arc<dyn Respond>);
        (Stage::new(nobody, None, |options| options.responder = responder).await, parrot)
    }

    const KNOWN: &[u8] = b"HTTP/1.1 200 As Recorded\r\nX-oDD: 1\r\nContent-Length: 0\r\n\r\n";

    #[tokio::test]
    async fn requests_inside_tls_are_answered_verbatim_and_recorded() {
        let (mut stage, parrot) = stage().await;
        let mut client = stage.tls("mail.contoso.com").await;
        client
            .write_all(b"POST /EWS HTTP/1.1\r\nHost: mail.contoso.com\r\nContent-Length: 3\r\n\r\nabc")
            .await
            .unwrap();
        expect(&mut client, KNOWN).await;
        client.write_all(b"GET /unknown HTTP/1.1\r\nHost: mail.contoso.com\r\n\r\n").await.unwrap();
        assert!(read_head(&mut client).await.starts_with("HTTP/1.1 599 "));
        let ended = stage.ended(2).await;
        assert_eq!((ended[0].status(), ended[0].error.is_none()), (Some(200), true));
        assert_eq!(ended[1].status(), Some(599));
        assert_eq!(ended[1].error.as_ref().unwrap().kind, FailureKind::NotInSession);
        assert_eq!(
            *parrot.asked.lock().unwrap(),
            ["POST https://mail.contoso.com/EWS body=3", "GET https://mail.contoso.com/unknown body=0"]
        );
    }

    #[tokio::test]
    async fn absolute_form_is_answered_too_and_the_end_is_told() {
        let (mut stage, parrot) = stage().await;
        let mut client = stage.connect().await;
        client.write_all(b"GET http://mail.contoso.com/a HTTP/1.1\r\nConnection: close\r\n\r\n").await.unwrap();
        assert_eq!(rest(&mut client).await, KNOWN);
        assert_eq!(stage.ended_one().await.connection.id, 1);
        assert_eq!(*parrot.asked.lock().unwrap(), ["GET http://mail.contoso.com/a body=0"]);
        assert_eq!(*parrot.closed.lock().unwrap(), [1]);
    }

    #[tokio::test]
    async fn a_client_that_waits_to_be_asked_for_its_body_is_asked() {
        let (stage, parrot) = stage().await;
        let mut client = stage.tls("mail.contoso.com").await;
        let head = b"POST /EWS HTTP/1.1\r\nHost: mail.contoso.com\r\nContent-Length: 3\r\nExpect: 100-continue\r\n\r\n";
        client.write_all(head).await.unwrap();
        expect(&mut client, b"HTTP/1.1 100 Continue\r\n\r\n").await;
        client.write_all(b"abc").await.unwrap();
        expect(&mut client, KNOWN).await;
        assert_eq!(parrot.asked.lock().unwrap().len(), 1);
    }
}
