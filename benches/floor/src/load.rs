//! The load: connections that are opened before the clock starts, and exchanges until time or number is up.
//!
//! It says `ready`, waits for a line, runs, and says what came of it in one line of JSON. It trusts one root alone, so
//! that every exchange proves that the proxy was in between; and each answer's status and length are looked at.

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use bytes::Bytes;
use http_body_util::BodyExt;
use hyper::client::conn::{http1, http2};
use hyper::header::{ACCEPT, AUTHORIZATION, CONTENT_LENGTH, HOST, USER_AGENT};
use hyper::{Method, Request};
use hyper_util::rt::{TokioExecutor, TokioIo};
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

use crate::filler::{Filler, LARGE};
use crate::{Options, Outcome, tls};

/// A run as ordered.
struct Order {
    proxy: String,
    origin: String,
    path: String,
    token: String,
    http2: bool,
    /// Exchanges in all; time alone bounds them where it is 0.
    count: u64,
    seconds: f64,
    /// Exchanges a second; as fast as it goes where it is 0.
    rate: u64,
    /// Each exchange on a connection of its own.
    fresh: bool,
    tls: TlsConnector,
    begun: AtomicU64,
    bytes: AtomicU64,
}

impl Order {
    fn read(options: &Options) -> Outcome<Self> {
        let http2 = options.get("http2") == Some("yes");
        let path = options.text("path")?.to_owned();
        // As long as the access tokens that Entra issues. A refusal is that of a client that asks for discovery.
        let token = if path == "/challenge" { String::new() } else { "b3BhcXVlLXRva2Vu".repeat(84) };
        let root = PathBuf::from(options.text("ca")?);
        Ok(Self {
            proxy: options.text("proxy")?.to_owned(),
            origin: format!("localhost:{}", options.number("origin", 0)?),
            path,
            token: format!("Bearer {token}").trim_end().to_owned(),
            http2,
            count: options.number("count", 0)?,
            seconds: options.seconds("seconds")?,
            rate: options.number("rate", 0)?,
            fresh: options.get("fresh") == Some("yes"),
            tls: tls::client(&root, &[if http2 { tls::H2 } else { tls::H1 }], false)?,
            begun: AtomicU64::new(0),
            bytes: AtomicU64::new(0),
        })
    }

    async fn connect(&self) -> Outcome<TlsStream<TcpStream>> {
        let mut tcp = TcpStream::connect(&self.proxy).await?;
        tcp.set_nodelay(true)?;
        let origin = &self.origin;
        tcp.write_all(format!("CONNECT {origin} HTTP/1.1\r\nHost: {origin}\r\n\r\n").as_bytes()).await?;
        let mut head = Vec::new();
        while !head.ends_with(b"\r\n\r\n") {
            if tcp.read_buf(&mut head).await? == 0 {
                return Err("the proxy hung up".into());
            }
        }
        if head.get(8..12) != Some(b" 200") {
            return Err("the proxy refused".into());
        }
        Ok(self.tls.connect(tls::localhost()?, tcp).await?)
    }

    async fn open(&self) -> Outcome<Line> {
        let stream = TokioIo::new(self.connect().await?);
        Ok(if self.http2 {
            // Windows as browsers have them.
            let (line, connection) = http2::Builder::new(TokioExecutor::new())
                .initial_stream_window_size(4 << 20)
                .initial_connection_window_size(8 << 20)
                .handshake(stream)
                .await?;
            tokio::spawn(connection);
            Line::Http2(line)
        } else {
            let (line, connection) = http1::handshake(stream).await?;
            tokio::spawn(connection);
            Line::Http1(line)
        })
    }

    fn request(&self) -> Outcome<Request<Filler>> {
        let (method, body) = match self.path.as_str() {
            "/upload" => (Method::POST, Filler::large()),
            _ => (Method::GET, Filler::of(Bytes::new())),
        };
        let upload = method == Method::POST;
        let uri = if self.http2 { format!("https://{}{}", self.origin, self.path) } else { self.path.clone() };
        let mut request = Request::builder()
            .method(method)
            .uri(uri)
            .header(USER_AGENT, "Microsoft Office/16.0 (Windows NT 10.0; Microsoft Outlook 16.0.18227; Pro)")
            .header(ACCEPT, "*/*")
            .header("x-anchormailbox", "avery@contoso.com")
            .header("client-request-id", "{7C1E0F7A-94C5-4E5F-8E77-2D9B1D5C3A41}")
            .header(AUTHORIZATION, &self.token);
        if !self.http2 {
            request = request.header(HOST, &self.origin);
        }
        if upload {
            request = request.header(CONTENT_LENGTH, LARGE);
        }
        Ok(request.body(body)?)
    }

    async fn exchange(&self, line: &mut Line) -> Outcome {
        let request = self.request()?;
        let response = match line {
            Line::Http1(line) => {
                line.ready().await?;
                line.send_request(request).await?
            }
            Line::Http2(line) => {
                line.ready().await?;
                line.send_request(request).await?
            }
        };
        let refused = self.path == "/challenge";
        if response.status().as_u16() != if refused { 401 } else { 200 } {
            return Err(format!("status {}", response.status()).into());
        }
        let (mut body, mut length) = (response.into_body(), 0);
        while let Some(frame) = body.frame().await {
            length += frame?.data_ref().map_or(0, Bytes::len) as u64;
        }
        let (expected, passed) = match self.path.as_str() {
            "/small" => (1024, 1024),
            "/challenge" => (0, 0),
            "/download" => (LARGE, LARGE),
            _ => (length, LARGE),
        };
        if length != expected {
            return Err(format!("{length} bytes where {expected} were sent").into());
        }
        self.bytes.fetch_add(passed, Ordering::Relaxed);
        Ok(())
    }

    /// Whether another exchange is to begin.
    fn goes_on(&self, began: Instant) -> bool {
        let number = self.begun.fetch_add(1, Ordering::Relaxed);
        (self.count == 0 || number < self.count) && began.elapsed().as_secs_f64() < self.seconds
    }
}

/// A connection.
enum Line {
    Http1(http1::SendRequest<Filler>),
    Http2(http2::SendRequest<Filler>),
}

/// Runs to the end.
pub async fn run(options: Options) -> Outcome {
    let order = Arc::new(Order::read(&options)?);
    let (connections, streams) = (options.number("connections", 1)?, options.number("streams", 1)?);
    let mut lines = Vec::new();
    for _ in 0..connections {
        if order.fresh {
            lines.push(None);
            continue;
        }
        let mut line = order.open().await?;
        // Large bodies would warm nothing that a handshake has not.
        if options.get("idle") == Some("yes") || !matches!(order.path.as_str(), "/download" | "/upload") {
            order.exchange(&mut line).await?;
        }
        for _ in 1..streams {
            if let Line::Http2(line) = &line {
                lines.push(Some(Line::Http2(line.clone())));
            }
        }
        lines.push(Some(line));
    }
    order.bytes.store(0, Ordering::Relaxed);
    println!("ready");
    let mut input = BufReader::new(tokio::io::stdin()).lines();
    input.next_line().await?;
    if options.get("idle") != Some("yes") {
        let (began, workers) = (Instant::now(), lines.len() as u64);
        let runs: Vec<_> = (0..)
            .zip(lines)
            .map(|(number, line)| tokio::spawn(worker(Arc::clone(&order), line, began, (number, workers))))
            .collect();
        let (mut times, mut errors, mut first) = (Vec::new(), 0_u64, String::new());
        for run in runs {
            let (took, error) = run.await?;
            times.extend(took);
            if let Some(error) = error {
                errors += 1;
                first = error.to_string();
            }
        }
        let seconds = began.elapsed().as_secs_f64();
        times.sort_unstable();
        let at = |share: usize| times.get(times.len() * share / 100).map_or(0, Duration::as_micros);
        println!(
            "{{\"exchanges\":{},\"errors\":{errors},\"first_error\":{first:?},\"seconds\":{seconds},\"bytes\":{},\
             \"p50_us\":{},\"p99_us\":{}}}",
            times.len(),
            order.bytes.load(Ordering::Relaxed),
            at(50),
            at(99)
        );
        // The connections stay open until the processor's time has been read.
        input.next_line().await?;
    }
    Ok(())
}

/// One client's exchanges, how long each took, and what ended them too early.
async fn worker(
    order: Arc<Order>,
    mut line: Option<Line>,
    began: Instant,
    (number, workers): (u64, u64),
) -> (Vec<Duration>, Option<Box<dyn std::error::Error + Send + Sync>>) {
    let mut times = Vec::new();
    for turn in 0.. {
        let mut due = Instant::now();
        if order.rate > 0 {
            // An exchange that is late counts from when it was due.
            due = began + Duration::from_secs_f64((turn * workers + number) as f64 / order.rate as f64);
            tokio::time::sleep_until(due.into()).await;
        }
        if !order.goes_on(began) {
            break;
        }
        let done = async {
            if order.fresh {
                line = Some(order.open().await?);
            }
            match &mut line {
                Some(line) => order.exchange(line).await,
                None => Err("no connection".into()),
            }
        };
        match done.await {
            Ok(()) => times.push(due.elapsed()),
            Err(error) => return (times, Some(error)),
        }
    }
    (times, None)
}
