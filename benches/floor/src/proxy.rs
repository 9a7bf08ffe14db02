//! The floor: CONNECT, TLS on both sides, hyper's server in front of one connection of hyper's client.
//!
//! It verifies the origin, agrees on the protocol that the origin chose, and records nothing.

use std::sync::{Arc, Mutex, PoisonError};

use hyper::body::Incoming;
use hyper::client::conn::{http1, http2};
use hyper::service::service_fn;
use hyper::{Request, Response};
use hyper_util::rt::{TokioExecutor, TokioIo};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::rustls::server::Acceptor;
use tokio_rustls::{LazyConfigAcceptor, TlsConnector};

use crate::{Options, Outcome, tls};

/// What all connections share: for each protocol, how the client is met and how the server is asked.
struct Floor {
    front: [Arc<ServerConfig>; 2],
    back: [TlsConnector; 2],
}

/// Serves until it is stopped.
pub async fn serve(options: &Options) -> Outcome {
    let folder = options.folder()?;
    let root = folder.join("origin-ca.pem");
    let floor = Arc::new(Floor {
        front: [tls::server(&folder, "floor", &[tls::H1])?, tls::server(&folder, "floor", &[tls::H2])?],
        back: [tls::client(&root, &[tls::H1], true)?, tls::client(&root, &[tls::H2, tls::H1], true)?],
    });
    let listener = TcpListener::bind(("127.0.0.1", u16::try_from(options.number("listen", 0)?)?)).await?;
    loop {
        let (client, _) = listener.accept().await?;
        tokio::spawn(tunnel(client, Arc::clone(&floor)));
    }
}

async fn tunnel(mut client: TcpStream, floor: Arc<Floor>) -> Outcome {
    client.set_nodelay(true)?;
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        if client.read_buf(&mut head).await? == 0 {
            return Ok(());
        }
    }
    let head = String::from_utf8(head)?;
    let target = head.split(' ').nth(1).ok_or("no target")?;
    let server = TcpStream::connect(target).await?;
    server.set_nodelay(true)?;
    client.write_all(b"HTTP/1.1 200 OK\r\n\r\n").await?;

    let hello = LazyConfigAcceptor::new(Acceptor::default(), client).await?;
    let offers_h2 = hello.client_hello().alpn().is_some_and(|mut names| names.any(|name| name == tls::H2));
    let server = floor.back[usize::from(offers_h2)].connect(tls::localhost()?, server).await?;
    let h2 = server.get_ref().1.alpn_protocol() == Some(tls::H2);
    let client = hello.into_stream(Arc::clone(&floor.front[usize::from(h2)])).await?;
    let (client, server) = (TokioIo::new(client), TokioIo::new(server));
    if h2 {
        let (sender, connection) = http2::handshake(TokioExecutor::new(), server).await?;
        tokio::spawn(connection);
        let forward = service_fn(move |request: Request<Incoming>| sender.clone().send_request(request));
        hyper::server::conn::http2::Builder::new(TokioExecutor::new()).serve_connection(client, forward).await?;
    } else {
        let (sender, connection) = http1::handshake(server).await?;
        tokio::spawn(connection);
        let sender = Arc::new(Mutex::new(sender));
        let forward = service_fn(move |request| forward(Arc::clone(&sender), request));
        hyper::server::conn::http1::Builder::new().serve_connection(client, forward).await?;
    }
    Ok(())
}

async fn forward(
    sender: Arc<Mutex<http1::SendRequest<Incoming>>>,
    request: Request<Incoming>,
) -> Outcome<Response<Incoming>> {
    std::future::poll_fn(|cx| sender.lock().unwrap_or_else(PoisonError::into_inner).poll_ready(cx)).await?;
    let answer = sender.lock().unwrap_or_else(PoisonError::into_inner).send_request(request);
    Ok(answer.await?)
}
