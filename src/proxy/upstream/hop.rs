//! The connection to the next server on the way: TCP, or TLS on it where that server is a proxy that wants TLS itself.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio_rustls::client::TlsStream;

use crate::proxy::upstream::ends::NearEnd;

/// A connection of ours to a server or to a proxy before it. What it carries is for the caller to know.
pub(crate) struct Hop {
    line: Line,
}

enum Line {
    /// To the server itself, or to a proxy that is spoken to in the clear.
    Tcp(TcpStream, #[allow(dead_code, reason = "known for as long as it is held")] NearEnd),
    /// To a proxy that is spoken to in TLS.
    Tls(Box<TlsStream<Hop>>),
}

impl Hop {
    pub(crate) const fn plain(tcp: TcpStream, near: NearEnd) -> Self {
        Self { line: Line::Tcp(tcp, near) }
    }

    pub(crate) fn secured(tls: TlsStream<Self>) -> Self {
        Self { line: Line::Tls(Box::new(tls)) }
    }

    /// The TCP connection below.
    pub(crate) fn tcp(&mut self) -> &mut TcpStream {
        match &mut self.line {
            Line::Tcp(tcp, _) => tcp,
            Line::Tls(tls) => tls.get_mut().0.tcp(),
        }
    }
}

impl AsyncRead for Hop {
    fn poll_read(self: Pin<&mut Self>, cx: &mut Context<'_>, into: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        match &mut self.get_mut().line {
            Line::Tcp(tcp, _) => Pin::new(tcp).poll_read(cx, into),
            Line::Tls(tls) => Pin::new(tls).poll_read(cx, into),
        }
    }
}

impl AsyncWrite for Hop {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        match &mut self.get_mut().line {
            Line::Tcp(tcp, _) => Pin::new(tcp).poll_write(cx, bytes),
            Line::Tls(tls) => Pin::new(tls).poll_write(cx, bytes),
        }
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match &mut self.get_mut().line {
            Line::Tcp(tcp, _) => Pin::new(tcp).poll_flush(cx),
            Line::Tls(tls) => Pin::new(tls).poll_flush(cx),
        }
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match &mut self.get_mut().line {
            Line::Tcp(tcp, _) => Pin::new(tcp).poll_shutdown(cx),
            Line::Tls(tls) => Pin::new(tls).poll_shutdown(cx),
        }
    }

    fn is_write_vectored(&self) -> bool {
        match &self.line {
            Line::Tcp(tcp, _) => tcp.is_write_vectored(),
            Line::Tls(tls) => tls.is_write_vectored(),
        }
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        pieces: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        match &mut self.get_mut().line {
            Line::Tcp(tcp, _) => Pin::new(tcp).poll_write_vectored(cx, pieces),
            Line::Tls(tls) => Pin::new(tls).poll_write_vectored(cx, pieces),
        }
    }
}
