use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

use super::*;
use crate::proxy::stage::{ServerAuthority, Stage};

#[test]
fn there_is_a_seat_for_every_two_files() {
    assert_eq!(seats(20_000), 9_872);
    assert_eq!(seats(1024), 384);
    assert_eq!((seats(0), seats(64), seats(u64::MAX)), (4, 24, MOST));
}

#[tokio::test(start_paused = true)]
async fn a_client_may_be_silent_for_a_while_and_slow_for_less() {
    let crowd = Crowd::of_size(1);
    let began = Instant::now();
    let silent = crowd.wait().dismissal(false, Some(SILENCE)).await;
    assert_eq!((silent, began.elapsed()), (Dismissal::Silent, SILENCE));

    let mut wait = crowd.wait();
    let began = Instant::now();
    for _ in 0..59 {
        // A byte a second: the words have begun, and every byte begins a new wait for the next.
        let next = tokio::time::timeout(Duration::from_secs(1), wait.dismissal(true, Some(SILENCE))).await;
        assert!(next.is_err());
    }
    assert_eq!(wait.dismissal(true, Some(SILENCE)).await, Dismissal::TooSlow);
    assert_eq!(began.elapsed(), FIRST_WORDS);
    assert_eq!(crowd.dismissed(), 2);

    let no_limit = tokio::time::timeout(Duration::from_hours(24), crowd.wait().dismissal(false, None)).await;
    assert!(no_limit.is_err());
    drop(wait);
    assert!(crowd.waiting().clients.is_empty());
}

#[tokio::test(start_paused = true)]
async fn whoever_waits_longest_gives_up_the_seat_and_those_served_never_do() {
    let crowd = Arc::new(Crowd::of_size(2));
    let sit = |silent: bool| {
        let crowd = Arc::clone(&crowd);
        async move {
            let seat = crowd.seat().await?;
            let crowd = Arc::clone(&crowd);
            let (sitting, sits) = tokio::sync::oneshot::channel();
            let task = tokio::spawn(async move {
                let dismissal = if silent {
                    let mut wait = crowd.wait();
                    let _ = sitting.send(());
                    Some(wait.dismissal(false, None).await)
                } else {
                    let _ = sitting.send(());
                    std::future::pending().await
                };
                drop(seat);
                dismissal
            });
            sits.await.unwrap();
            Some(task)
        }
    };
    let first = sit(true).await.unwrap();
    let second = sit(true).await.unwrap();
    let third = sit(false).await.unwrap();
    assert_eq!(first.await.unwrap(), Some(Dismissal::SeatNeeded));
    let fourth = sit(false).await.unwrap();
    assert_eq!(second.await.unwrap(), Some(Dismissal::SeatNeeded));
    assert!(sit(true).await.is_none() && !third.is_finished() && !fourth.is_finished());
    assert_eq!((crowd.turned_away(), crowd.dismissed()), (1, 2));
    assert!(crowd.full().text.as_str().starts_with("all 2 connections"));
    third.abort();
    let _ = third.await;
    assert!(sit(true).await.is_some());
}

#[test]
fn records_of_a_flood_are_bounded() {
    let crowd = Crowd::of_size(1);
    let recorded = (0..5000).filter(|_| crowd.may_record()).count();
    assert!((1000..1100).contains(&recorded), "{recorded}");
}

/// Sends `parts` and reads to the end; no time is measured but the proxy's.
async fn told(stage: &Stage, parts: &[&[u8]]) -> String {
    let mut client = stage.connect().await;
    for part in parts {
        client.write_all(part).await.unwrap();
        if part.starts_with(b"CONNECT") && part.ends_with(b"\r\n\r\n") {
            let mut head = [0; 39];
            client.read_exact(&mut head).await.unwrap();
            assert!(head.ends_with(b"\r\n\r\n"));
        }
    }
    let mut answer = Vec::new();
    let _ = client.read_to_end(&mut answer).await;
    String::from_utf8_lossy(&answer).into_owned()
}

#[tokio::test(start_paused = true)]
async fn clients_that_do_not_come_to_the_point_are_sent_off_and_recorded() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let mut stage = Stage::new(listener.local_addr().unwrap(), None, |_| {}).await;
    let tunnel = b"CONNECT mail.contoso.com:443 HTTP/1.1\r\n\r\n";
    let cases: [(&[&[u8]], &str, Step, &str); 6] = [
        (&[], "", Step::Receive, "said nothing for two minutes"),
        (&[b"GET http://mail.contoso"], "HTTP/1.1 408 ", Step::Receive, "its request head within a minute"),
        (&[b"CONNECT mail.contoso.com:443 HTTP/1.1\r\nHost"], "HTTP/1.1 408 ", Step::Receive, "its request head"),
        (&[&[5]], "", Step::Receive, "its SOCKS request within a minute"),
        (&[&[5, 1, 0], &[5, 1, 0, 3, 16]], "\u{5}\0", Step::Receive, "its SOCKS request within a minute"),
        (&[tunnel, &[0x16, 3, 1, 2, 0, 1, 0]], "", Step::Tls, "its TLS handshake within a minute"),
    ];
    for (parts, answer, step, words) in cases {
        let began = Instant::now();
        let told = told(&stage, parts).await;
        assert!(told.starts_with(answer) && told.is_empty() == answer.is_empty(), "{told}");
        assert!(began.elapsed() >= FIRST_WORDS, "{:?}", began.elapsed());
        let error = stage.ended_one().await.error.unwrap();
        assert_eq!((error.side, error.step, error.kind), (Side::Client, step, FailureKind::TimedOut));
        assert!(error.text.as_str().contains(words), "{}", error.text);
    }
    assert_eq!(stage.proxy.tally().dismissed, 6);
}

#[tokio::test(start_paused = true)]
async fn a_tunnel_in_which_nobody_speaks_is_left_alone() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let stage = Stage::new(listener.local_addr().unwrap(), None, |_| {}).await;
    let mut client = stage.connect().await;
    client.write_all(b"CONNECT mail.contoso.com:443 HTTP/1.1\r\n\r\n").await.unwrap();
    let mut byte = [0; 64];
    assert!(client.read(&mut byte).await.unwrap() > 0);
    let (mut server, _) = listener.accept().await.unwrap();
    let day = Duration::from_hours(24);
    assert!(tokio::time::timeout(day, client.read(&mut byte)).await.is_err(), "a day later it still stands");
    server.write_all(b"220 mail.contoso.com\r\n").await.unwrap();
    assert!(client.read(&mut byte).await.unwrap() > 0);
    assert_eq!(stage.proxy.tally().dismissed, 0);
}

#[tokio::test(start_paused = true)]
async fn a_server_that_never_answers_is_waited_for_until_the_client_leaves() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let mut stage = Stage::new(listener.local_addr().unwrap(), Some(&ServerAuthority::new()), |_| {}).await;
    let mut client = stage.connect().await;
    client.write_all(b"CONNECT mail.contoso.com:443 HTTP/1.1\r\n\r\n").await.unwrap();
    let mut head = [0; 39];
    client.read_exact(&mut head).await.unwrap();
    let (server, _) = listener.accept().await.unwrap();
    let name = rustls::pki_types::ServerName::try_from("mail.contoso.com").unwrap();
    let config = std::sync::Arc::new(stage.client_config(&[b"http/1.1"]));
    let mut session = rustls::ClientConnection::new(config, name).unwrap();
    let mut hello = Vec::new();
    session.write_tls(&mut hello).unwrap();
    client.write_all(&hello).await.unwrap();
    let day = Duration::from_hours(24);
    assert!(tokio::time::timeout(day, client.read(&mut head)).await.is_err(), "a day later it still waits");
    drop::<TcpStream>(client);
    let error = stage.ended_one().await.error.unwrap();
    assert_eq!((error.side, error.step, error.kind), (Side::Client, Step::Tls, FailureKind::ClosedEarly));
    drop(server);
}
