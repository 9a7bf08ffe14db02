//! A stage for tests: a proxy, servers with certificates of their own authority, and clients that trust the proxy.

use std::future::Future;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use rcgen::{BasicConstraints, CertificateParams, DistinguishedName, DnType, IsCa, Issuer, KeyPair};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer, ServerName};
use rustls::{ClientConfig, RootCertStore, ServerConfig};
use tempfile::TempDir;
use time::OffsetDateTime;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::{TlsAcceptor, TlsConnector};

use crate::exchange::{Exchange, Ids};
use crate::proxy::tls::crypto;
use crate::proxy::{Authority, Event, HostPattern, Options, Outbox, Proxy, Responder, WayOut, start};
use crate::redact::Redactor;

/// No test waits longer for anything.
const PATIENCE: Duration = Duration::from_secs(20);

/// A running proxy with all around it.
pub(crate) struct Stage {
    pub(crate) proxy: Proxy,
    pub(crate) authority: Arc<Authority>,
    pub(crate) outbox: Outbox,
    seen: Vec<Event>,
    _folder: TempDir,
}

/// The authority of the servers on a stage.
pub(crate) struct ServerAuthority {
    issuer: Issuer<'static, KeyPair>,
    pem: String,
}

impl ServerAuthority {
    pub(crate) fn new() -> Self {
        let mut params = CertificateParams::default();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.distinguished_name = DistinguishedName::new();
        params.distinguished_name.push(DnType::CommonName, "Contoso Issuing CA");
        let key = KeyPair::generate().unwrap();
        let pem = params.self_signed(&key).unwrap().pem();
        Self { issuer: Issuer::new(params, key), pem }
    }

    /// For clients that speak with a server of ours directly.
    pub(crate) fn roots(&self) -> Vec<CertificateDer<'static>> {
        CertificateDer::pem_slice_iter(self.pem.as_bytes()).map(Result::unwrap).collect()
    }

    /// TLS of a server called `name`.
    pub(crate) fn server(&self, name: &str) -> ServerConfig {
        let now = OffsetDateTime::now_utc();
        self.server_valid(name, now - time::Duration::days(1), now + time::Duration::days(1))
    }

    /// TLS of a server called `name`, with a certificate for these days.
    pub(crate) fn server_valid(&self, name: &str, from: OffsetDateTime, until: OffsetDateTime) -> ServerConfig {
        let mut params = CertificateParams::new([name.to_owned()]).unwrap();
        (params.not_before, params.not_after) = (from, until);
        params.distinguished_name = DistinguishedName::new();
        params.distinguished_name.push(DnType::CommonName, name);
        let key = KeyPair::generate().unwrap();
        let certificate = params.signed_by(&key, &self.issuer).unwrap().der().clone();
        server_config(certificate, &key)
    }
}

/// TLS of a server that signed its own certificate.
pub(crate) fn self_signed(name: &str) -> ServerConfig {
    let made = rcgen::generate_simple_self_signed(vec![name.to_owned()]).unwrap();
    server_config(made.cert.der().clone(), &made.signing_key)
}

/// TLS of a server that signed its own certificate with SHA-384, and the certificate.
pub(crate) fn self_signed_with_sha384(name: &str) -> (ServerConfig, CertificateDer<'static>) {
    let key = KeyPair::generate_for(&rcgen::PKCS_ECDSA_P384_SHA384).unwrap();
    let certificate = CertificateParams::new([name.to_owned()]).unwrap().self_signed(&key).unwrap().der().clone();
    (server_config(certificate.clone(), &key), certificate)
}

fn server_config(certificate: CertificateDer<'static>, key: &KeyPair) -> ServerConfig {
    let key = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(key.serialize_der()));
    ServerConfig::builder_with_provider(crypto::provider())
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![certificate], key)
        .unwrap()
}

/// Starts a server that plays `part` on every connection, after TLS where there is a `tls`.
pub(crate) async fn server<P, F>(tls: Option<ServerConfig>, part: P) -> SocketAddr
where
    P: Fn(Box<dyn Line>) -> F + Send + 'static,
    F: Future<Output = ()> + Send + 'static,
{
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let tls = tls.map(|config| TlsAcceptor::from(Arc::new(config)));
    tokio::spawn(async move {
        while let Ok((tcp, _)) = listener.accept().await {
            match &tls {
                None => drop(tokio::spawn(part(Box::new(tcp)))),
                Some(tls) => {
                    if let Ok(stream) = tls.accept(tcp).await {
                        tokio::spawn(part(Box::new(stream)));
                    }
                }
            }
        }
    });
    address
}

/// Anything that can be read and written.
pub(crate) trait Line: AsyncRead + AsyncWrite + Send + Unpin {}
impl<T: AsyncRead + AsyncWrite + Send + Unpin> Line for T {}

impl Stage {
    /// A proxy that reaches `mail.contoso.com` at `server` and trusts `servers`; `change` may ask for more.
    pub(crate) async fn new(
        server: SocketAddr,
        servers: Option<&ServerAuthority>,
        change: impl FnOnce(&mut Options),
    ) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let mut upstream_ca = Vec::new();
        if let Some(servers) = servers {
            let path = folder.path().join("servers.pem");
            #[allow(clippy::disallowed_methods)] // a test's own folder
            std::fs::write(&path, &servers.pem).unwrap();
            upstream_ca.push(path);
        }
        let authority = Arc::new(Authority::load_or_create(&folder.path().join("ca")).unwrap());
        let outbox = Outbox::new(1000);
        let mut options = Options {
            listen: vec![([127, 0, 0, 1], 0).into()],
            reverse: None,
            transparent: false,
            allow: Vec::new(),
            login: None,
            authority: Arc::clone(&authority),
            upstream_ca,
            insecure_upstream: false,
            resolve: vec![format!("*.contoso.com={server}").parse().unwrap()],
            way_out: WayOut::default(),
            skip_decrypt: HostPattern::never_decrypted(),
            http1: Vec::new(),
            server_certs: Vec::new(),
            client_certs: Vec::new(),
            only: Vec::new(),
            body_limit: 256 * 1024,
            redactor: Redactor::new(),
            ids: Ids::default(),
            outbox: outbox.clone(),
            responder: Responder::Upstream,
        };
        change(&mut options);
        let proxy = start(options).await.unwrap();
        Self { proxy, authority, outbox, seen: Vec::new(), _folder: folder }
    }

    /// A connection to the proxy.
    pub(crate) async fn connect(&self) -> TcpStream {
        TcpStream::connect(self.proxy.addresses()[0]).await.unwrap()
    }

    /// A tunnel to `target`, with the proxy's answer read.
    pub(crate) async fn tunnel(&self, target: &str) -> TcpStream {
        let mut tcp = self.connect().await;
        let request = format!("CONNECT {target} HTTP/1.1\r\nHost: {target}\r\n\r\n");
        tcp.write_all(request.as_bytes()).await.unwrap();
        let head = read_head(&mut tcp).await;
        assert!(head.starts_with("HTTP/1.1 200 "), "{head}");
        tcp
    }

    /// TLS through the proxy to `host` on port 443, by a client that trusts the proxy.
    pub(crate) async fn tls(&self, host: &str) -> tokio_rustls::client::TlsStream<TcpStream> {
        let config = self.client_config(&[b"http/1.1"]);
        let name = ServerName::try_from(host.to_owned()).unwrap();
        let tcp = self.tunnel(&format!("{host}:443")).await;
        TlsConnector::from(Arc::new(config)).connect(name, tcp).await.unwrap()
    }

    /// TLS of a client that trusts the proxy.
    pub(crate) fn client_config(&self, alpn: &[&[u8]]) -> ClientConfig {
        let mut roots = RootCertStore::empty();
        roots.add(self.authority.certificate().clone()).unwrap();
        client_config(roots, alpn)
    }

    /// The next `count` exchanges to end.
    pub(crate) async fn ended(&mut self, count: usize) -> Vec<Exchange> {
        let collect = async {
            loop {
                self.outbox.drain(&mut self.seen);
                let ended = self.seen.iter().filter(|event| matches!(event, Event::Ended(_))).count();
                if ended >= count {
                    break;
                }
                tokio::task::yield_now().await;
            }
        };
        patiently(collect).await;
        let mut ended = Vec::new();
        self.seen.retain(|event| match event {
            Event::Ended(exchange) => {
                ended.push(Exchange::clone(exchange));
                false
            }
            Event::Running(_) => true,
        });
        assert_eq!(ended.len(), count, "{ended:#?}");
        ended
    }

    /// The next `count` rows of exchanges that go on.
    pub(crate) async fn running(&mut self, count: usize) -> Vec<Exchange> {
        let running = |event: &Event| match event {
            Event::Running(exchange) => Some(Exchange::clone(exchange)),
            Event::Ended(_) => None,
        };
        let collect = async {
            loop {
                self.outbox.drain(&mut self.seen);
                let rows: Vec<_> = self.seen.iter().filter_map(running).collect();
                if rows.len() >= count {
                    return rows;
                }
                tokio::task::yield_now().await;
            }
        };
        patiently(collect).await
    }

    /// The next exchange to end.
    pub(crate) async fn ended_one(&mut self) -> Exchange {
        self.ended(1).await.remove(0)
    }

    /// Ends the proxy; gives what was recorded and not yet asked for.
    pub(crate) async fn close(mut self, drain: Duration) -> Vec<Exchange> {
        self.proxy.shutdown(drain).await;
        self.outbox.drain(&mut self.seen);
        let ended = |event| match event {
            Event::Ended(exchange) => Some(Arc::unwrap_or_clone(exchange)),
            Event::Running(_) => None,
        };
        self.seen.into_iter().filter_map(ended).collect()
    }
}

/// TLS of a client that trusts `roots`.
pub(crate) fn client_config(roots: RootCertStore, alpn: &[&[u8]]) -> ClientConfig {
    let mut config = ClientConfig::builder_with_provider(crypto::provider())
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(roots)
        .with_no_client_auth();
    config.alpn_protocols = alpn.iter().map(|protocol| protocol.to_vec()).collect();
    config
}

/// Reads up to the end of a head, byte by byte, so that what follows stays.
pub(crate) async fn read_head(line: &mut (impl AsyncRead + Unpin)) -> String {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        match patiently(line.read_u8()).await {
            Ok(byte) => head.push(byte),
            Err(_) => break,
        }
    }
    String::from_utf8_lossy(&head).into_owned()
}

/// Reads exactly as many bytes as `expected` has, and compares.
pub(crate) async fn expect(line: &mut (impl AsyncRead + Unpin), expected: &[u8]) {
    let mut read = vec![0; expected.len()];
    patiently(line.read_exact(&mut read)).await.unwrap();
    assert_eq!(String::from_utf8_lossy(&read), String::from_utf8_lossy(expected));
}

/// Reads to the end.
pub(crate) async fn rest(line: &mut (impl AsyncRead + Unpin)) -> Vec<u8> {
    let mut read = Vec::new();
    let _ = patiently(line.read_to_end(&mut read)).await;
    read
}

/// Waits for `what`, within reason.
pub(crate) async fn patiently<T>(what: impl Future<Output = T>) -> T {
    tokio::time::timeout(PATIENCE, what).await.expect("an answer in time")
}
