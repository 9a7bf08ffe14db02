//! The streams that the relay copies between: plain TCP and TLS, with what a tap needs beyond reading and writing.

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::task::{Context, Poll, ready};

use tokio::io::{AsyncBufRead, AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;

use crate::proxy::upstream::hop::Hop;

/// How much of a plain connection is read at once.
const BUFFER: usize = 16 * 1024;

/// One end of a tap. Reading lends the bytes that have come, so that they are copied nowhere but to the other end.
pub(crate) trait Stream: AsyncBufRead + AsyncRead + AsyncWrite + Unpin {
    /// The TCP connection below.
    fn tcp(&mut self) -> &mut TcpStream;

    /// Ends our direction of the connection, without a close_notify where there is TLS for what it carries.
    fn poll_fin(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(self.tcp()).poll_shutdown(cx)
    }

    /// Where it is noted that the other side has negotiated TLS again; nothing where it cannot.
    fn renegotiation(&self) -> Option<Arc<AtomicBool>> {
        None
    }

    /// Makes the connection end with a reset when it is dropped.
    fn abort(&mut self) {
        let _ = self.tcp().set_zero_linger();
    }
}

/// One end of a tap with TLS, whichever engine it is of.
pub(crate) type Line = Box<dyn Stream + Send>;

/// A connection without TLS of ours for what it carries, of which some bytes may have been read already.
pub(crate) struct Plain<T = TcpStream> {
    io: T,
    buffer: Vec<u8>,
    start: usize,
    end: usize,
}

impl<T> Plain<T> {
    /// `read` comes before what is still to be read.
    pub(crate) fn new(io: T, read: Vec<u8>) -> Self {
        Self { io, end: read.len(), start: 0, buffer: read }
    }

    /// The connection and what was read of it and not consumed.
    pub(crate) fn into_parts(mut self) -> (T, Vec<u8>) {
        self.buffer.truncate(self.end);
        self.buffer.drain(..self.start);
        (self.io, self.buffer)
    }
}

impl Stream for Plain {
    fn tcp(&mut self) -> &mut TcpStream {
        &mut self.io
    }
}

impl Stream for Plain<Hop> {
    fn tcp(&mut self) -> &mut TcpStream {
        self.io.tcp()
    }

    fn poll_fin(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.io).poll_shutdown(cx)
    }
}

impl Stream for tokio_rustls::server::TlsStream<TcpStream> {
    fn tcp(&mut self) -> &mut TcpStream {
        self.get_mut().0
    }
}

impl Stream for tokio_rustls::client::TlsStream<Hop> {
    fn tcp(&mut self) -> &mut TcpStream {
        self.get_mut().0.tcp()
    }

    fn poll_fin(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(self.get_mut().0).poll_shutdown(cx)
    }
}

impl<T: Stream + ?Sized> Stream for Box<T> {
    fn tcp(&mut self) -> &mut TcpStream {
        (**self).tcp()
    }

    fn poll_fin(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        (**self).poll_fin(cx)
    }

    fn renegotiation(&self) -> Option<Arc<AtomicBool>> {
        (**self).renegotiation()
    }
}

impl<T: AsyncRead + Unpin> AsyncBufRead for Plain<T> {
    fn poll_fill_buf(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<&[u8]>> {
        let this = self.get_mut();
        if this.start == this.end {
            if this.buffer.len() != BUFFER {
                this.buffer = vec![0; BUFFER];
            }
            (this.start, this.end) = (0, 0);
            let mut read = ReadBuf::new(&mut this.buffer);
            ready!(Pin::new(&mut this.io).poll_read(cx, &mut read))?;
            this.end = read.filled().len();
        }
        Poll::Ready(Ok(&this.buffer[this.start..this.end]))
    }

    fn consume(self: Pin<&mut Self>, amount: usize) {
        let this = self.get_mut();
        this.start = this.end.min(this.start + amount);
    }
}

impl<T: AsyncRead + Unpin> AsyncRead for Plain<T> {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, into: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        if self.start == self.end {
            return Pin::new(&mut self.io).poll_read(cx, into);
        }
        let bytes = ready!(self.as_mut().poll_fill_buf(cx))?;
        let amount = bytes.len().min(into.remaining());
        into.put_slice(&bytes[..amount]);
        self.consume(amount);
        Poll::Ready(Ok(()))
    }
}

impl<T: AsyncWrite + Unpin> AsyncWrite for Plain<T> {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.io).poll_write(cx, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.io).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.io).poll_shutdown(cx)
    }
}
