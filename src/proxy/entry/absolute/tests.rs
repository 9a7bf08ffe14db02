use std::net::SocketAddr;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use tokio::io::AsyncWriteExt;

use super::*;
use crate::exchange::{FailureKind, Side, Step};
use crate::proxy::WayOut;
use crate::proxy::stage::{Line, ServerAuthority, Stage, expect, patiently, read_head, rest, self_signed, server};

const OK: &[u8] = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";

/// Answers every request with the number of its connection, as NTLM would depend on it.
async fn counting() -> SocketAddr {
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
    let head =
        b"POST http://mail.contoso.com/EWS HTTP/1.1\r\nHost: mail.contoso.com\r\nTransfer-Encoding: chunked\r\n\r\n";
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
async fn a_client_that_breaks_off_its_request_still_hears_what_the_server_says_of_it() {
    const REFUSED: &[u8] = b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n";
    let origin = server(None, |mut line: Box<dyn Line>| async move {
        assert!(read_head(&mut line).await.starts_with("POST / "));
        assert_eq!(rest(&mut line).await, b"ab", "the half-close is passed on behind what came");
        line.write_all(REFUSED).await.unwrap();
    })
    .await;
    let mut stage = Stage::new(origin, None, |_| ()).await;
    let mut client = stage.connect().await;
    client.write_all(b"POST http://mail.contoso.com/ HTTP/1.1\r\nContent-Length: 9\r\n\r\nab").await.unwrap();
    client.shutdown().await.unwrap();
    assert_eq!(rest(&mut client).await, REFUSED);
    let exchange = stage.ended_one().await;
    assert_eq!((exchange.status(), exchange.error.unwrap().side), (Some(400), Side::Client));
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
    assert!(answer.starts_with("HTTP/1.1 502 ") && answer.contains("the upstream proxy proxy.contoso.com"), "{answer}");
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
    let request = b"POST http://mail.contoso.com/ HTTP/1.1\r\nContent-Length: 1\r\nContent-Length: 9\r\n\r\nGET http";
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

/// Longer than all buffers on the way.
const LENGTH: usize = 3_000_000;

#[tokio::test]
async fn a_large_upload_through_a_proxy_of_tls_arrives_to_its_last_byte() {
    let servers = ServerAuthority::new();
    let proxy = server(Some(servers.server("proxy.contoso.com")), |mut line: Box<dyn Line>| async move {
        let head = read_head(&mut line).await;
        assert!(head.starts_with("PUT http://mail.contoso.com/big HTTP/1.1\r\n"), "{head}");
        expect(&mut line, &vec![b'u'; LENGTH]).await;
        line.write_all(OK).await.unwrap();
        line.flush().await.unwrap();
        rest(&mut line).await;
    })
    .await;
    let mut stage = Stage::new(proxy, Some(&servers), |options| {
        let url = format!("https://proxy.contoso.com:{}", proxy.port());
        options.way_out = WayOut::through(url.parse().unwrap(), |_| None);
        options.resolve = vec![format!("proxy.contoso.com={}", proxy.ip()).parse().unwrap()];
    })
    .await;
    let mut client = stage.connect().await;
    let head = format!("PUT http://mail.contoso.com/big HTTP/1.1\r\nContent-Length: {LENGTH}\r\n\r\n");
    client.write_all(head.as_bytes()).await.unwrap();
    client.write_all(&vec![b'u'; LENGTH]).await.unwrap();
    expect(&mut client, OK).await;
    let exchange = stage.ended_one().await;
    assert_eq!(exchange.request.seen().unwrap().body.length, LENGTH as u64);
}

#[tokio::test]
async fn a_request_that_crosses_the_close_of_its_server_is_recorded_as_unanswered() {
    let origin = server(None, |mut line: Box<dyn Line>| async move {
        read_head(&mut line).await;
        line.write_all(OK).await.unwrap();
    })
    .await;
    let mut stage = Stage::new(origin, None, |_| ()).await;
    let mut client = stage.connect().await;
    client.write_all(b"GET http://mail.contoso.com/1 HTTP/1.1\r\n\r\n").await.unwrap();
    assert_eq!(rest(&mut client).await, OK, "the close comes after the answer");
    let crossing = b"POST http://mail.contoso.com/2 HTTP/1.1\r\nContent-Length: 21\r\n\r\nGET http://a HTTP/1.1\
        GET http://mail.contoso.com/3 HTTP/1.1\r\n\r\n";
    client.write_all(crossing).await.unwrap();
    drop(client);
    let ended = stage.ended(3).await;
    assert_eq!((ended[0].status(), ended[0].error.clone()), (Some(200), None));
    assert_eq!(ended[1].url.as_ref().unwrap().text().as_str(), "http://mail.contoso.com/2");
    assert_eq!(ended[2].url.as_ref().unwrap().text().as_str(), "http://mail.contoso.com/3");
    let failure = ended[1].error.clone().unwrap();
    assert_eq!((failure.side, failure.step, failure.kind), (Side::Server, Step::Receive, FailureKind::ClosedEarly));
    assert!(failure.text.as_str().contains("before this request could be passed on"), "{}", failure.text);
}

#[tokio::test]
async fn empty_lines_after_an_answer_end_nothing() {
    let origin = server(None, |mut line: Box<dyn Line>| async move {
        while read_head(&mut line).await.ends_with("\r\n\r\n") {
            line.write_all(&[OK, b"\r\n"].concat()).await.unwrap();
        }
    })
    .await;
    let mut stage = Stage::new(origin, None, |_| ()).await;
    let mut client = stage.connect().await;
    for _ in 0..3 {
        client.write_all(b"GET http://mail.contoso.com/ HTTP/1.1\r\n\r\n").await.unwrap();
        expect(&mut client, OK).await;
    }
    assert_eq!(stage.ended(3).await.iter().filter(|exchange| exchange.error.is_none()).count(), 3);
}
