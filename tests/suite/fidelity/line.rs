//! Both ends of what passes through the proxy, played by hand: over plain TCP or TLS, with every way to end.

use std::io::{ErrorKind, Read, Result, Write};
use std::net::TcpStream;
use std::sync::Arc;

use rustls::pki_types::ServerName;
use rustls::{ClientConfig, ClientConnection, ServerConfig, ServerConnection, StreamOwned};
use socket2::SockRef;

use crate::kit::DEADLINE;

/// One end of a connection.
pub(super) enum Line {
    Plain(TcpStream),
    Client(Box<StreamOwned<ClientConnection, TcpStream>>),
    Server(Box<StreamOwned<ServerConnection, TcpStream>>),
}

/// How the other side ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Ended {
    /// In order: a close_notify with TLS, a FIN without.
    InOrder,
    /// With TLS: a FIN without a close_notify.
    Cut,
    /// A reset.
    Reset,
}

impl Line {
    /// One end of `tcp`.
    pub(super) fn plain(tcp: TcpStream) -> Self {
        tcp.set_read_timeout(Some(DEADLINE)).unwrap();
        tcp.set_nodelay(true).unwrap();
        Self::Plain(tcp)
    }

    /// The same with TLS inside.
    pub(super) fn client(self, config: &Arc<ClientConfig>, name: &str) -> Self {
        let Self::Plain(tcp) = self else { return self };
        let name = ServerName::try_from(name.to_owned()).unwrap();
        Self::Client(Box::new(StreamOwned::new(ClientConnection::new(Arc::clone(config), name).unwrap(), tcp)))
    }

    /// The same, as the server.
    pub(super) fn server(self, config: &Arc<ServerConfig>) -> Self {
        let Self::Plain(tcp) = self else { return self };
        Self::Server(Box::new(StreamOwned::new(ServerConnection::new(Arc::clone(config)).unwrap(), tcp)))
    }

    /// After the TLS handshake, which otherwise comes with the first bytes.
    pub(super) fn shaken(mut self) -> Self {
        if let Self::Server(tls) = &mut self {
            tls.conn.complete_io(&mut tls.sock).unwrap();
        }
        self
    }

    pub(super) fn send(&mut self, bytes: &[u8]) -> Result<()> {
        let stream = self.stream();
        stream.write_all(bytes)?;
        stream.flush()
    }

    /// Exactly `length` bytes, or those that came before the end.
    pub(super) fn read(&mut self, length: usize) -> Vec<u8> {
        let mut bytes = vec![0; length];
        let mut filled = 0;
        while filled < length {
            match self.stream().read(&mut bytes[filled..]) {
                Ok(0) | Err(_) => break,
                Ok(read) => filled += read,
            }
        }
        bytes.truncate(filled);
        bytes
    }

    /// Passes over the answer to a CONNECT, byte by byte, so that nothing behind it is taken away.
    pub(super) fn head(&mut self) {
        let mut head = Vec::new();
        while !head.ends_with(b"\r\n\r\n") {
            let byte = self.read(1);
            assert!(!byte.is_empty(), "the connection ended inside {}", head.escape_ascii());
            head.extend(byte);
        }
        assert!(head.starts_with(b"HTTP/1.1 200 "), "{}", head.escape_ascii());
    }

    /// Waits for the other side to end, and gives what else it sent before.
    pub(super) fn end(&mut self) -> (Vec<u8>, Ended) {
        let mut rest = Vec::new();
        let mut piece = [0; 4096];
        loop {
            match self.stream().read(&mut piece) {
                Ok(0) => return (rest, Ended::InOrder),
                Ok(read) => rest.extend_from_slice(&piece[..read]),
                Err(error) if error.kind() == ErrorKind::UnexpectedEof => return (rest, Ended::Cut),
                Err(error) if error.kind() == ErrorKind::ConnectionReset => return (rest, Ended::Reset),
                Err(error) => panic!("{error} after {} bytes", rest.len()),
            }
        }
    }

    /// Says that nothing more comes, and goes on reading.
    pub(super) fn half_close(&mut self) {
        match self {
            Self::Plain(tcp) => tcp.shutdown(std::net::Shutdown::Write).unwrap(),
            Self::Client(tls) => {
                tls.conn.send_close_notify();
                tls.flush().unwrap();
            }
            Self::Server(tls) => {
                tls.conn.send_close_notify();
                tls.flush().unwrap();
            }
        }
    }

    /// Ends the TCP connection without a word of TLS.
    pub(super) fn hang_up(self) {
        self.tcp().shutdown(std::net::Shutdown::Write).unwrap();
    }

    /// Ends with a reset.
    pub(super) fn reset(self) {
        SockRef::from(self.tcp()).set_linger(Some(std::time::Duration::ZERO)).unwrap();
    }

    fn tcp(&self) -> &TcpStream {
        match self {
            Self::Plain(tcp) => tcp,
            Self::Client(tls) => &tls.sock,
            Self::Server(tls) => &tls.sock,
        }
    }

    fn stream(&mut self) -> &mut dyn ReadWrite {
        match self {
            Self::Plain(tcp) => tcp,
            Self::Client(tls) => tls.as_mut(),
            Self::Server(tls) => tls.as_mut(),
        }
    }
}

trait ReadWrite: Read + Write {}

impl<T: Read + Write> ReadWrite for T {}
