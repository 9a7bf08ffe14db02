//! A client by hand: through the proxy's CONNECT into TLS, then raw bytes.

use std::io::{BufRead, BufReader, Read as _, Write as _};
use std::net::TcpStream;
use std::path::Path;
use std::sync::Arc;

use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{ClientConfig, ClientConnection, RootCertStore, StreamOwned};

use super::framing::{read_body, read_head};
use super::{DEADLINE, Proxy};

/// A connection through the proxy to a server. Unless said otherwise it trusts the proxy's root and nothing else.
pub(crate) struct Tunnel {
    stream: BufReader<StreamOwned<ClientConnection, TcpStream>>,
}

impl Tunnel {
    /// Opens one.
    pub(crate) fn open(proxy: &Proxy, host: &str) -> Self {
        Self::offering(proxy, host, &proxy.ca, b"http/1.1")
    }

    /// One that trusts the root in the file `ca` and speaks `protocol` alone.
    pub(crate) fn offering(proxy: &Proxy, host: &str, ca: &Path, protocol: &[u8]) -> Self {
        let mut tcp = TcpStream::connect(proxy.address).unwrap();
        tcp.set_read_timeout(Some(DEADLINE)).unwrap();
        tcp.set_nodelay(true).unwrap();
        write!(tcp, "CONNECT {host}:443 HTTP/1.1\r\nHost: {host}:443\r\n\r\n").unwrap();
        // One byte at a time, so that nothing behind the head is taken away from TLS.
        let head = read_head(&mut BufReader::with_capacity(1, &tcp)).expect("the proxy answered the CONNECT");
        assert!(head.starts_with(b"HTTP/1.1 200"), "{}", String::from_utf8_lossy(&head));
        Self::over(tcp, host, ca, protocol)
    }

    /// TLS on a connection that leads to the server already.
    pub(crate) fn over(tcp: TcpStream, host: &str, ca: &Path, protocol: &[u8]) -> Self {
        let name = ServerName::try_from(host.to_owned()).unwrap();
        let conn = ClientConnection::new(client(ca, protocol), name).unwrap();
        Self { stream: BufReader::with_capacity(64 * 1024, StreamOwned::new(conn, tcp)) }
    }

    /// Sends bytes as they are.
    pub(crate) fn send(&mut self, bytes: &[u8]) {
        let stream = self.stream.get_mut();
        stream.write_all(bytes).and_then(|()| stream.flush()).unwrap();
    }

    /// Like [`Tunnel::send`], telling whether it could be sent.
    pub(crate) fn try_send(&mut self, bytes: &[u8]) -> bool {
        let stream = self.stream.get_mut();
        stream.write_all(bytes).and_then(|()| stream.flush()).is_ok()
    }

    /// The next head, as received; nothing at the end of the connection.
    pub(crate) fn head(&mut self) -> Option<Vec<u8>> {
        read_head(&mut self.stream)
    }

    /// The body that belongs to `head`, as received.
    pub(crate) fn body(&mut self, head: &[u8]) -> Vec<u8> {
        read_body(&mut self.stream, head)
    }

    /// Exactly `length` bytes.
    pub(crate) fn bytes(&mut self, length: usize) -> Vec<u8> {
        let mut bytes = vec![0; length];
        self.stream.read_exact(&mut bytes).unwrap();
        bytes
    }

    /// The bytes that come, as they come.
    pub(crate) fn reader(&mut self) -> &mut impl BufRead {
        &mut self.stream
    }
}

fn client(ca: &Path, protocol: &[u8]) -> Arc<ClientConfig> {
    let mut roots = RootCertStore::empty();
    roots.add(CertificateDer::from_pem_file(ca).unwrap()).unwrap();
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let mut config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(roots)
        .with_no_client_auth();
    config.alpn_protocols = vec![protocol.to_vec()];
    Arc::new(config)
}
