//! The streams that the relay copies between: plain TCP and TLS, with what a tap needs beyond reading and writing.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use tokio::io::{AsyncBufRead, AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;

/// How much of a plain connection is read at once.
const BUFFER: usize = 16 * 1024;

/// One end of a tap. Reading lends the bytes that have come, so that they are copied nowhere but to the other end.
pub(crate) trait Stream: AsyncBufRead + AsyncRead + AsyncWrite + Unpin {
    /// The TCP connection below.
    fn tcp(&mut self) -> &mut TcpStream;

    /// Ends our direction of the TCP connection, without a close_notify where there is TLS.
    fn poll_fin(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(self.tcp()).poll_shutdown(cx)
    }

    /// Whether the other side has negotiated TLS again since the first handshake.
    fn renegotiated(&self) -> bool {
        false
    }

    /// Makes the connection end with a reset when it is dropped.
    fn abort(&mut self) {
        let _ = self.tcp().set_zero_linger();
    }
}

/// One end of a tap with TLS, whichever engine it is of.
pub(crate) type Line = Box<dyn Stream + Send>;

/// A TCP connection, of which some bytes may have been read already.
pub(crate) struct Plain {
    tcp: TcpStream,
    buffer: Vec<u8>,
    start: usize,
    end: usize,
}

impl Plain {
    /// `read` comes before what is still to be read.
    pub(crate) fn new(tcp: TcpStream, read: Vec<u8>) -> Self {
        Self { tcp, end: read.len(), start: 0, buffer: read }
    }

    /// The connection and what was read of it and not consumed.
    pub(crate) fn into_parts(mut self) -> (TcpStream, Vec<u8>) {
        self.buffer.truncate(self.end);
        self.buffer.drain(..self.start);
        (self.tcp, self.buffer)
    }
}

impl Stream for Plain {
    fn tcp(&mut self) -> &mut TcpStream {
        &mut self.tcp
    }
}

impl Stream for tokio_rustls::server::TlsStream<TcpStream> {
    fn tcp(&mut self) -> &mut TcpStream {
        self.get_mut().0
    }
}

impl Stream for tokio_rustls::client::TlsStream<TcpStream> {
    fn tcp(&mut self) -> &mut TcpStream {
        self.get_mut().0
    }
}

impl<T: Stream + ?Sized> Stream for Box<T> {
    fn tcp(&mut self) -> &mut TcpStream {
        (**self).tcp()
    }

    fn renegotiated(&self) -> bool {
        (**self).renegotiated()
    }
}

impl AsyncBufRead for Plain {
    fn poll_fill_buf(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<&[u8]>> {
        let this = self.get_mut();
        if this.start == this.end {
            if this.buffer.len() != BUFFER {
                this.buffer = vec![0; BUFFER];
            }
            (this.start, this.end) = (0, 0);
            let mut read = ReadBuf::new(&mut this.buffer);
            ready!(Pin::new(&mut this.tcp).poll_read(cx, &mut read))?;
            this.end = read.filled().len();
        }
        Poll::Ready(Ok(&this.buffer[this.start..this.end]))
    }

    fn consume(self: Pin<&mut Self>, amount: usize) {
        let this = self.get_mut();
        this.start = this.end.min(this.start + amount);
    }
}

impl AsyncRead for Plain {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, into: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let bytes = ready!(self.as_mut().poll_fill_buf(cx))?;
        let amount = bytes.len().min(into.remaining());
        into.put_slice(&bytes[..amount]);
        self.consume(amount);
        Poll::Ready(Ok(()))
    }
}

impl AsyncWrite for Plain {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.tcp).poll_write(cx, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.tcp).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.tcp).poll_shutdown(cx)
    }
}
