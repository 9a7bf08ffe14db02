use std::io;

use tokio::io::{AsyncBufRead, AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, BufWriter, ReadBuf};
use tokio::net::{TcpListener, TcpStream};

use super::*;
use crate::exchange::FailureKind;
use crate::proxy::stage::{Line, ServerAuthority, Stage, expect, patiently, read_head, rest, server};
use crate::proxy::tap::stream::Plain;
use crate::wire::http1::Reader;

const HOST: &str = "mail.contoso.com";

/// A stage in front of a server that expects `request` and answers `response`, inside TLS.
async fn conversation(request: &'static [u8], response: &'static [u8]) -> Stage {
    let servers = ServerAuthority::new();
    let origin = server(Some(servers.server(HOST)), move |mut line: Box<dyn Line>| async move {
        expect(&mut line, request).await;
        line.write_all(response).await.unwrap();
        line.flush().await.unwrap();
        rest(&mut line).await;
    })
    .await;
    Stage::new(origin, Some(&servers), |_| ()).await
}

#[tokio::test]
async fn odd_heads_pass_byte_for_byte_both_ways() {
    const REQUEST: &[u8] = b"pOsT /EWS HTTP/1.1\r\nX-Z:  1 \r\nhOST:mail.contoso.com\r\nx-z: 2\r\nX-High: caf\xe9\r\n\
        Transfer-Encoding: chunked\r\n\r\n3;a=b\r\nabc\r\n0\r\nT: 1\r\n\r\n";
    const RESPONSE: &[u8] = b"HTTP/1.1 401 Nicht erlaubt \xe4\r\nB: 1\r\nA: 1\r\nB: 2\r\nContent-Length: 3\r\n\r\nxyz";
    let mut stage = conversation(REQUEST, RESPONSE).await;
    let mut client = stage.tls(HOST).await;
    client.write_all(REQUEST).await.unwrap();
    expect(&mut client, RESPONSE).await;
    let exchange = stage.ended_one().await;
    let names: Vec<_> = exchange.request_fields().iter().map(|field| field.name.as_str()).collect();
    assert_eq!(names, ["X-Z", "hOST", "x-z", "X-High", "Transfer-Encoding"]);
    assert_eq!((exchange.status(), exchange.error), (Some(401), None));
}

#[tokio::test]
async fn an_answer_before_the_end_of_the_request_passes_at_once() {
    const HEAD: &[u8] = b"POST /EWS HTTP/1.1\r\nHost: mail.contoso.com\r\nContent-Length: 1000000\r\n\r\nfirst";
    const RESPONSE: &[u8] = b"HTTP/1.1 413 Too Large\r\nContent-Length: 0\r\n\r\n";
    let mut stage = conversation(HEAD, RESPONSE).await;
    let mut client = stage.tls(HOST).await;
    client.write_all(HEAD).await.unwrap();
    expect(&mut client, RESPONSE).await;
    drop(client);
    let exchange = stage.ended_one().await;
    assert!(exchange.response.seen().unwrap().early);
    assert_eq!(exchange.error.unwrap().side, Side::Client);
}

#[tokio::test]
async fn interim_answers_and_held_back_bodies_pass() {
    let servers = ServerAuthority::new();
    let origin = server(Some(servers.server(HOST)), |mut line: Box<dyn Line>| async move {
        read_head(&mut line).await;
        line.write_all(b"HTTP/1.1 100 Continue\r\n\r\n").await.unwrap();
        expect(&mut line, b"body").await;
        line.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n").await.unwrap();
        rest(&mut line).await;
    })
    .await;
    let mut stage = Stage::new(origin, Some(&servers), |_| ()).await;
    let mut client = stage.tls(HOST).await;
    client.write_all(b"POST / HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\nContent-Length: 4\r\n\r\n").await.unwrap();
    expect(&mut client, b"HTTP/1.1 100 Continue\r\n\r\n").await;
    client.write_all(b"body").await.unwrap();
    expect(&mut client, b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n").await;
    assert_eq!(stage.ended_one().await.response.seen().unwrap().interim.len(), 1);
}

#[tokio::test]
async fn a_half_close_is_passed_on_and_the_answer_still_comes() {
    let servers = ServerAuthority::new();
    let origin = server(Some(servers.server(HOST)), |mut line: Box<dyn Line>| async move {
        let asked = rest(&mut line).await;
        line.write_all(format!("HTTP/1.1 200 OK\r\n\r\n{} bytes", asked.len()).as_bytes()).await.unwrap();
        line.shutdown().await.unwrap();
    })
    .await;
    let mut stage = Stage::new(origin, Some(&servers), |_| ()).await;
    let mut client = stage.tls(HOST).await;
    client.write_all(b"GET / HTTP/1.0\r\n\r\n").await.unwrap();
    client.shutdown().await.unwrap();
    assert_eq!(rest(&mut client).await, b"HTTP/1.1 200 OK\r\n\r\n18 bytes");
    let exchange = stage.ended_one().await;
    assert_eq!((exchange.status(), exchange.error), (Some(200), None));
}

#[tokio::test]
async fn a_server_that_hangs_up_in_mid_body_is_an_exchange_with_an_error() {
    let servers = ServerAuthority::new();
    let origin = server(Some(servers.server(HOST)), |mut line: Box<dyn Line>| async move {
        read_head(&mut line).await;
        line.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhalf").await.unwrap();
    })
    .await;
    let mut stage = Stage::new(origin, Some(&servers), |_| ()).await;
    let mut client = stage.tls(HOST).await;
    client.write_all(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n").await.unwrap();
    assert_eq!(rest(&mut client).await, b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhalf");
    drop(client);
    let exchange = stage.ended_one().await;
    let failure = exchange.error.as_ref().unwrap();
    assert_eq!((failure.side, failure.kind), (Side::Server, FailureKind::ClosedEarly));
    assert_eq!(exchange.status(), Some(200));
}

/// Both ends of a connection.
async fn pair() -> (TcpStream, TcpStream) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let outer = TcpStream::connect(listener.local_addr().unwrap()).await.unwrap();
    (outer, listener.accept().await.unwrap().0)
}

/// Two connected pairs with a relay between the inner ends: the outer ends are client and server.
async fn tapped() -> (TcpStream, TcpStream) {
    let (client, client_end) = pair().await;
    let (server, server_end) = pair().await;
    tokio::spawn(async move {
        relay(Plain::new(client_end, Vec::new()), Plain::new(server_end, Vec::new()), &mut Tape::Off).await;
    });
    (client, server)
}

#[tokio::test]
async fn a_reset_arrives_as_a_reset_after_what_was_sent() {
    let (mut client, mut server) = tapped().await;
    server.write_all(b"last words").await.unwrap();
    expect(&mut client, b"last words").await;
    server.set_zero_linger().unwrap();
    drop(server);
    let error = patiently(client.read_u8()).await.unwrap_err();
    assert_eq!(error.kind(), io::ErrorKind::ConnectionReset);

    let (client, mut server) = tapped().await;
    client.set_zero_linger().unwrap();
    drop(client);
    let error = patiently(server.read_u8()).await.unwrap_err();
    assert_eq!(error.kind(), io::ErrorKind::ConnectionReset);
}

#[tokio::test]
async fn an_orderly_close_arrives_as_an_orderly_close() {
    let (mut client, mut server) = tapped().await;
    server.shutdown().await.unwrap();
    assert_eq!(patiently(client.read(&mut [0; 8])).await.unwrap(), 0);
    client.write_all(b"still open this way").await.unwrap();
    expect(&mut server, b"still open this way").await;
    drop(client);
    assert_eq!(patiently(server.read(&mut [0; 8])).await.unwrap(), 0);
}

#[tokio::test]
async fn a_sink_that_takes_nothing_holds_its_source_back() {
    let (mut client, server) = tapped().await;
    let piece = vec![7; 64 * 1024];
    let mut sent = 0usize;
    // The sockets' buffers fill, then nothing goes any more: what the tap itself keeps is bounded.
    let full = loop {
        match client.try_write(&piece) {
            Ok(amount) => sent += amount,
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                let more = tokio::time::timeout(Duration::from_millis(200), client.writable()).await;
                if more.is_err() {
                    break true;
                }
            }
            Err(error) => panic!("{error}"),
        }
        if sent > 256 * 1024 * 1024 {
            break false;
        }
    };
    assert!(full, "the client could send {sent} bytes to a server that reads none");
    client.shutdown().await.unwrap();
    let mut server = server;
    let mut received = Vec::new();
    patiently(server.read_to_end(&mut received)).await.unwrap();
    assert_eq!(received.len(), sent);
}

/// A line that sends nothing until it is told to, as TLS does when the socket below is full.
struct Held(BufWriter<TcpStream>);

impl Stream for Held {
    fn tcp(&mut self) -> &mut TcpStream {
        self.0.get_mut()
    }
}

impl AsyncRead for Held {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, into: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        Pin::new(self.0.get_mut()).poll_read(cx, into)
    }
}

impl AsyncBufRead for Held {
    fn poll_fill_buf(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<&[u8]>> {
        Poll::Pending
    }

    fn consume(self: Pin<&mut Self>, _: usize) {}
}

impl AsyncWrite for Held {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.0).poll_write(cx, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_shutdown(cx)
    }
}

#[tokio::test]
async fn nothing_stays_behind_in_a_buffer_below() {
    for part in [None, Some(&b"half the body"[..]), Some(b"the whole body of it")] {
        let (mut client, client_end) = pair().await;
        let (mut server, server_end) = pair().await;
        tokio::spawn(async move {
            let mut client = Plain::new(client_end, Vec::new());
            let mut server = Held(BufWriter::new(server_end));
            let (mut requests, mut responses) = (Reader::requests(), Reader::responses());
            let head = b"PUT / HTTP/1.1\r\nContent-Length: 20\r\n\r\n";
            server.write_all(head).await.unwrap();
            if part.is_some() {
                let (request, response) = (Message::after(head, &mut requests), Message::new(&mut responses));
                exchange(&mut client, &mut server, &mut Tape::Off, request, response).await;
            } else {
                relay(client, server, &mut Tape::Off).await;
            }
        });
        let part = part.unwrap_or(b"anything");
        client.write_all(part).await.unwrap();
        assert!(read_head(&mut server).await.starts_with("PUT "));
        expect(&mut server, part).await;
    }
}

#[tokio::test]
async fn a_request_that_the_server_takes_no_more_is_recorded_all_the_same() {
    let servers = ServerAuthority::new();
    let origin = server(Some(servers.server(HOST)), |mut line: Box<dyn Line>| async move {
        read_head(&mut line).await;
        line.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n").await.unwrap();
        line.shutdown().await.unwrap();
    })
    .await;
    let mut stage = Stage::new(origin, Some(&servers), |_| ()).await;
    let mut client = stage.tls(HOST).await;
    client.write_all(b"GET /1 HTTP/1.1\r\nHost: x\r\n\r\n").await.unwrap();
    assert!(rest(&mut client).await.starts_with(b"HTTP/1.1 200 "));
    client.write_all(b"GET /2 HTTP/1.1\r\nHost: x\r\n\r\n").await.unwrap();
    client.flush().await.unwrap();
    drop(client);
    let ended = stage.ended(2).await;
    assert_eq!((ended[0].status(), ended[0].error.clone()), (Some(200), None));
    assert!(ended[1].url.as_ref().unwrap().text().as_str().ends_with("/2"));
    let failure = ended[1].error.clone().unwrap();
    assert_eq!((failure.side, failure.kind), (Side::Server, FailureKind::ClosedEarly));
    assert!(failure.text.as_str().contains("before this request came"), "{}", failure.text);
}

/// Longer than all buffers on the way.
const LENGTH: usize = 3_000_000;

#[tokio::test]
async fn large_bodies_pass_whole_in_both_directions_at_once() {
    let servers = ServerAuthority::new();
    let origin = server(Some(servers.server(HOST)), |line: Box<dyn Line>| async move {
        let (mut read, mut write) = tokio::io::split(line);
        let sent = tokio::spawn(async move {
            let head = format!("HTTP/1.1 200 OK\r\nContent-Length: {LENGTH}\r\n\r\n");
            write.write_all(head.as_bytes()).await.unwrap();
            write.write_all(&vec![b'd'; LENGTH]).await.unwrap();
            write.flush().await.unwrap();
            write
        });
        read_head(&mut read).await;
        expect(&mut read, &vec![b'u'; LENGTH]).await;
        let _ = sent.await;
    })
    .await;
    let mut stage = Stage::new(origin, Some(&servers), |_| ()).await;
    let client = stage.tls(HOST).await;
    let (mut read, mut write) = tokio::io::split(client);
    let head = format!("PUT / HTTP/1.1\r\nHost: x\r\nContent-Length: {LENGTH}\r\n\r\n");
    write.write_all(head.as_bytes()).await.unwrap();
    let upload = tokio::spawn(async move {
        write.write_all(&vec![b'u'; LENGTH]).await.unwrap();
        write.flush().await.unwrap();
        write
    });
    assert!(read_head(&mut read).await.starts_with("HTTP/1.1 200 "));
    expect(&mut read, &vec![b'd'; LENGTH]).await;
    let _write = patiently(upload).await.unwrap();
    let exchange = stage.ended_one().await;
    assert_eq!(exchange.request.seen().unwrap().body.length, LENGTH as u64);
    assert_eq!(exchange.response.seen().unwrap().message.body.length, LENGTH as u64);
}
