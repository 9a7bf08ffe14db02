//! A server of our own, over TLS or plain, that answers as the test says.

use std::io::{BufRead, BufReader, Read, Result, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex};
use std::thread;

use rustls::{ServerConfig, ServerConnection, StreamOwned};

use super::DEADLINE;
use super::framing::{read_body, read_head};

/// A server on a port of its own. Dropping it stops it.
pub(crate) struct Origin {
    pub(crate) address: SocketAddr,
    received: Mutex<Receiver<Request>>,
    stopping: Arc<AtomicBool>,
}

/// A request as it arrived, byte for byte.
pub(crate) struct Request {
    /// Which connection it came over, from 0.
    pub(crate) connection: usize,
    pub(crate) head: Vec<u8>,
    pub(crate) body: Vec<u8>,
}

impl Request {
    /// The request target, as sent.
    pub(crate) fn target(&self) -> String {
        String::from_utf8_lossy(&self.head).split(' ').nth(1).unwrap_or_default().to_owned()
    }
}

impl Origin {
    /// A server that is handed whole requests and says which bytes to answer with.
    pub(crate) fn answering(
        tls: Option<Arc<ServerConfig>>,
        answer: impl Fn(&Request) -> Vec<u8> + Send + Sync + 'static,
    ) -> Self {
        Self::talking(tls, move |talk| {
            while let Some(request) = talk.request() {
                let bytes = answer(&request);
                talk.note(request);
                talk.send(&bytes);
            }
        })
    }

    /// A server that is handed whole connections, each on a thread of its own.
    pub(crate) fn talking(tls: Option<Arc<ServerConfig>>, talk: impl Fn(&mut Talk) + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let (sender, received) = channel();
        let stopping = Arc::new(AtomicBool::new(false));
        let stop = Arc::clone(&stopping);
        thread::spawn(move || serve(&listener, tls.as_ref(), &Arc::new(talk), &sender, &stop));
        Self { address, received: Mutex::new(received), stopping }
    }

    /// The next request that was noted.
    pub(crate) fn received(&self) -> Request {
        self.received.lock().unwrap().recv_timeout(DEADLINE).expect("the server received no further request")
    }

    /// `HOST:PORT=ADDRESS:PORT`, for `--resolve`.
    pub(crate) fn resolve(&self, host: &str, port: u16) -> String {
        format!("{host}:{port}={}", self.address)
    }
}

impl Drop for Origin {
    fn drop(&mut self) {
        self.stopping.store(true, Ordering::SeqCst);
        let _ = TcpStream::connect(self.address);
    }
}

/// One connection, seen from the server.
pub(crate) struct Talk {
    stream: BufReader<Stream>,
    connection: usize,
    notes: Sender<Request>,
}

impl Talk {
    /// Which connection this is, from 0.
    pub(crate) const fn connection(&self) -> usize {
        self.connection
    }

    /// The next request; nothing once the client has closed.
    pub(crate) fn request(&mut self) -> Option<Request> {
        let head = self.head()?;
        let body = read_body(&mut self.stream, &head);
        Some(Request { connection: self.connection, head, body })
    }

    /// The next request's head; nothing once the client has closed.
    pub(crate) fn head(&mut self) -> Option<Vec<u8>> {
        read_head(&mut self.stream)
    }

    /// The body that belongs to `head`, as sent.
    pub(crate) fn body(&mut self, head: &[u8]) -> Vec<u8> {
        read_body(&mut self.stream, head)
    }

    /// Hands what was received to [`Origin::received`].
    pub(crate) fn note(&self, request: Request) {
        let _ = self.notes.send(request);
    }

    /// Hands the pieces of a request to [`Origin::received`].
    pub(crate) fn note_parts(&self, head: Vec<u8>, body: Vec<u8>) {
        self.note(Request { connection: self.connection, head, body });
    }

    /// Sends bytes as they are. A client that has gone away is none of the server's business.
    pub(crate) fn send(&mut self, bytes: &[u8]) -> bool {
        let stream = self.stream.get_mut();
        stream.write_all(bytes).and_then(|()| stream.flush()).is_ok()
    }

    /// The bytes that come, as they come.
    pub(crate) fn reader(&mut self) -> &mut impl BufRead {
        &mut self.stream
    }

    /// Closes the TCP connection without a word of TLS.
    pub(crate) fn hang_up(&mut self) {
        self.stream.get_mut().tidy = false;
    }
}

impl Drop for Talk {
    fn drop(&mut self) {
        let stream = self.stream.get_mut();
        if stream.tidy
            && let Kind::Tls(tls) = &mut stream.kind
        {
            tls.conn.send_close_notify();
            let _ = tls.flush();
        }
    }
}

struct Stream {
    kind: Kind,
    tidy: bool,
}

enum Kind {
    Tls(Box<StreamOwned<ServerConnection, TcpStream>>),
    Plain(TcpStream),
}

impl Read for Stream {
    fn read(&mut self, buffer: &mut [u8]) -> Result<usize> {
        match &mut self.kind {
            Kind::Tls(stream) => stream.read(buffer),
            Kind::Plain(stream) => stream.read(buffer),
        }
    }
}

impl Write for Stream {
    fn write(&mut self, bytes: &[u8]) -> Result<usize> {
        match &mut self.kind {
            Kind::Tls(stream) => stream.write(bytes),
            Kind::Plain(stream) => stream.write(bytes),
        }
    }

    fn flush(&mut self) -> Result<()> {
        match &mut self.kind {
            Kind::Tls(stream) => stream.flush(),
            Kind::Plain(stream) => stream.flush(),
        }
    }
}

fn serve(
    listener: &TcpListener,
    tls: Option<&Arc<ServerConfig>>,
    talk: &Arc<impl Fn(&mut Talk) + Send + Sync + 'static>,
    notes: &Sender<Request>,
    stopping: &AtomicBool,
) {
    for (connection, tcp) in listener.incoming().enumerate() {
        if stopping.load(Ordering::SeqCst) {
            return;
        }
        let Ok(tcp) = tcp else { return };
        tcp.set_read_timeout(Some(DEADLINE)).unwrap();
        tcp.set_nodelay(true).unwrap();
        let kind = match tls {
            Some(config) => {
                let conn = ServerConnection::new(Arc::clone(config)).unwrap();
                Kind::Tls(Box::new(StreamOwned::new(conn, tcp)))
            }
            None => Kind::Plain(tcp),
        };
        let stream = BufReader::with_capacity(64 * 1024, Stream { kind, tidy: true });
        let notes = notes.clone();
        let talk = Arc::clone(talk);
        thread::spawn(move || talk(&mut Talk { stream, connection, notes }));
    }
}
