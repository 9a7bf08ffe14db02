//! A connection of the engine for old TLS, as the tap wants it.

use std::future::poll_fn;
use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::task::{Context, Poll, ready};

use openssl::ssl::Ssl;
use tokio::io::{AsyncBufRead, AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio_openssl::SslStream;

use super::watch::Watch;
use super::{Settled, fault, settled};
use crate::proxy::tap::stream::{Plain, Stream};

/// A record's worth.
const BUFFER: usize = 16 * 1024;

/// TLS by OpenSSL over TCP.
pub(crate) struct Legacy<T> {
    tls: SslStream<Below<T>>,
    /// Decrypted and not consumed. Given back while nothing comes.
    buffer: Vec<u8>,
    start: usize,
    end: usize,
}

impl<T: AsyncRead + AsyncWrite + Unpin> Legacy<T> {
    pub(super) fn new(ssl: Ssl, below: Below<T>) -> io::Result<Self> {
        let tls = SslStream::new(ssl, below).map_err(fault::setup)?;
        Ok(Self { tls, buffer: Vec::new(), start: 0, end: 0 })
    }

    pub(super) async fn connect(mut self: Pin<&mut Self>) -> io::Result<()> {
        poll_fn(|cx| Pin::new(&mut self.tls).poll_connect(cx)).await.map_err(fault::of_handshake)
    }

    pub(super) async fn accept(mut self: Pin<&mut Self>) -> io::Result<()> {
        poll_fn(|cx| Pin::new(&mut self.tls).poll_accept(cx)).await.map_err(fault::of_handshake)
    }

    /// What the handshake settled.
    pub(crate) fn settled(&self) -> Settled {
        settled(self.tls.ssl(), self.tls.get_ref().watch.as_ref().is_some_and(|watch| watch.asked))
    }
}

impl<T: AsyncRead + AsyncWrite + Unpin> Stream for Legacy<T>
where
    Plain<T>: Stream,
{
    fn tcp(&mut self) -> &mut TcpStream {
        self.tls.get_mut().plain.tcp()
    }

    fn poll_fin(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.tls.get_mut().plain.poll_fin(cx)
    }

    fn renegotiation(&self) -> Option<Arc<AtomicBool>> {
        self.tls.get_ref().watch.as_ref().map(|watch| Arc::clone(&watch.renegotiated))
    }
}

impl<T: AsyncRead + AsyncWrite + Unpin> AsyncBufRead for Legacy<T> {
    fn poll_fill_buf(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<&[u8]>> {
        let this = self.get_mut();
        if this.start == this.end {
            this.buffer.resize(BUFFER, 0);
            (this.start, this.end) = (0, 0);
            let mut read = ReadBuf::new(&mut this.buffer);
            match Pin::new(&mut this.tls).poll_read(cx, &mut read) {
                Poll::Ready(result) => result.map_err(fault::of_stream)?,
                Poll::Pending => {
                    this.buffer = Vec::new();
                    return Poll::Pending;
                }
            }
            this.end = read.filled().len();
        }
        Poll::Ready(Ok(&this.buffer[this.start..this.end]))
    }

    fn consume(self: Pin<&mut Self>, amount: usize) {
        let this = self.get_mut();
        this.start = this.end.min(this.start + amount);
    }
}

impl<T: AsyncRead + AsyncWrite + Unpin> AsyncRead for Legacy<T> {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, into: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let bytes = ready!(self.as_mut().poll_fill_buf(cx))?;
        let amount = bytes.len().min(into.remaining());
        into.put_slice(&bytes[..amount]);
        self.consume(amount);
        Poll::Ready(Ok(()))
    }
}

impl<T: AsyncRead + AsyncWrite + Unpin> AsyncWrite for Legacy<T> {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.tls).poll_write(cx, bytes).map_err(fault::of_stream)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.tls).poll_flush(cx).map_err(fault::of_stream)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.tls).poll_shutdown(cx).map_err(fault::of_stream)
    }
}

/// What OpenSSL reads and writes.
pub(super) struct Below<T> {
    plain: Plain<T>,
    watch: Option<Watch>,
}

impl<T> Below<T> {
    /// A server's connection, whose records are watched.
    pub(super) fn watched(io: T) -> Self {
        Self { plain: Plain::new(io, Vec::new()), watch: Some(Watch::default()) }
    }

    /// A client's connection, of which `read` has been read.
    pub(super) fn replaying(io: T, read: Vec<u8>) -> Self {
        Self { plain: Plain::new(io, read), watch: None }
    }
}

impl<T: AsyncRead + Unpin> AsyncRead for Below<T> {
    fn poll_read(self: Pin<&mut Self>, cx: &mut Context<'_>, into: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        let before = into.filled().len();
        ready!(Pin::new(&mut this.plain).poll_read(cx, into))?;
        if let Some(watch) = &mut this.watch {
            watch.follow(&into.filled()[before..]);
        }
        Poll::Ready(Ok(()))
    }
}

impl<T: AsyncWrite + Unpin> AsyncWrite for Below<T> {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.plain).poll_write(cx, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.plain).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.plain).poll_shutdown(cx)
    }
}
