//! A small HTTPS server for the demo: one function answers every request.
//!
//! It writes its heads itself, because the spelling and order that IIS uses are part of the picture.

use std::io;
use std::sync::Arc;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;
use tokio_rustls::TlsAcceptor;

use crate::wire::Event;
use crate::wire::http1::Reader;

/// A request as a handler sees it.
#[derive(Default)]
pub(super) struct Request {
    pub(super) method: String,
    /// Path and query.
    pub(super) target: String,
    fields: Vec<(String, String)>,
    pub(super) body: Vec<u8>,
}

impl Request {
    /// The first field called `name`, in any letter case.
    pub(super) fn field(&self, name: &str) -> Option<&str> {
        self.fields.iter().find(|(known, _)| known.eq_ignore_ascii_case(name)).map(|(_, value)| value.as_str())
    }

    /// The host asked for, without a port.
    pub(super) fn host(&self) -> &str {
        let host = self.field("host").unwrap_or_default();
        host.split_once(':').map_or(host, |(host, _)| host)
    }

    /// The bearer token: `Some("")` for an empty Bearer.
    pub(super) fn bearer(&self) -> Option<&str> {
        let value = self.field("authorization")?;
        value.strip_prefix("Bearer").map(str::trim)
    }
}

/// A response as a handler makes it.
pub(super) struct Answer {
    status: &'static str,
    fields: Vec<(&'static str, String)>,
    body: Vec<u8>,
}

impl Answer {
    /// With a status line's code and reason: `401 Unauthorized`.
    pub(super) const fn new(status: &'static str) -> Self {
        Self { status, fields: Vec::new(), body: Vec::new() }
    }

    pub(super) fn with(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.fields.push((name, value.into()));
        self
    }

    pub(super) fn body(mut self, media_type: &'static str, body: impl Into<Vec<u8>>) -> Self {
        self.body = body.into();
        self.with("Content-Type", media_type)
    }

    fn into_bytes(self) -> Vec<u8> {
        let mut bytes = format!("HTTP/1.1 {}\r\n", self.status).into_bytes();
        for (name, value) in &self.fields {
            bytes.extend_from_slice(&[name.as_bytes(), b": ", value.as_bytes(), b"\r\n"].concat());
        }
        bytes.extend_from_slice(format!("Content-Length: {}\r\n\r\n", self.body.len()).as_bytes());
        bytes.extend_from_slice(&self.body);
        bytes
    }
}

/// Serves connections until the task is dropped.
pub(super) async fn run(listener: TcpListener, tls: Arc<rustls::ServerConfig>, answer: fn(&Request) -> Answer) {
    let acceptor = TlsAcceptor::from(tls);
    let mut connections = JoinSet::new();
    while let Ok((stream, _)) = listener.accept().await {
        connections.spawn(serve(stream, acceptor.clone(), answer));
        while connections.try_join_next().is_some() {}
    }
}

/// A connection that breaks is the client's affair: the demo has no use for the error.
async fn serve(stream: TcpStream, acceptor: TlsAcceptor, answer: fn(&Request) -> Answer) -> io::Result<()> {
    stream.set_nodelay(true)?;
    let mut stream = acceptor.accept(stream).await?;
    let mut reader = Reader::requests();
    let mut request = Request::default();
    let mut bytes = vec![0; 16 * 1024];
    loop {
        let read = stream.read(&mut bytes).await?;
        if read == 0 {
            return stream.shutdown().await;
        }
        let mut complete = Vec::new();
        reader.read(&bytes[..read], &mut |event| match event {
            Event::Request(head) => {
                let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
                request = Request {
                    method: text(head.method),
                    target: text(head.target),
                    fields: head.fields.map(|field| (text(field.name), text(field.value))).collect(),
                    body: Vec::new(),
                };
            }
            Event::Body(part) => request.body.extend_from_slice(part),
            Event::End => complete.push(std::mem::take(&mut request)),
            _ => {}
        });
        for request in complete {
            stream.write_all(&answer(&request).into_bytes()).await?;
        }
        stream.flush().await?;
    }
}
