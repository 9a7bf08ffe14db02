//! The demo's Outlook: it does what the real one does, and gives up where the real one would prompt.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use bytes::Bytes;
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use hyper::client::conn::http1::{self, SendRequest};
use hyper::{Request, Response, StatusCode};
use hyper_util::rt::TokioIo;
use rustls::ClientConfig;
use rustls::pki_types::ServerName;
use serde_json::Value;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;

use super::organisation::{Fault, Organisation};
use super::{Pace, certificates};
use crate::redact::query_value;

const USER_AGENT: &str = "Microsoft Office/16.0 (Windows NT 10.0; Microsoft Outlook 16.0.18227; Pro)";
const OLD_USER_AGENT: &str = "Microsoft Office/14.0 (Windows NT 6.1; Microsoft Outlook 14.0.7268; Pro)";
const APPLICATION: &str = "d3590ed6-52b3-4102-aeff-aad2292ab01c";

/// A user's Outlook being started.
pub(super) struct Outlook<'a> {
    organisation: &'static Organisation,
    proxy: SocketAddr,
    tls: Arc<ClientConfig>,
    trusted: &'a Arc<ClientConfig>,
    pace: Pace,
}

/// Why Outlook stops: it would prompt or show "Trying to connect…".
enum GiveUp {
    /// The connection broke, or the proxy said no.
    Connection,
    /// The server's answer leaves nothing to try.
    Answer,
}

impl From<io::Error> for GiveUp {
    fn from(_: io::Error) -> Self {
        Self::Connection
    }
}

impl From<hyper::Error> for GiveUp {
    fn from(_: hyper::Error) -> Self {
        Self::Connection
    }
}

impl<'a> Outlook<'a> {
    pub(super) fn new(
        organisation: &'static Organisation,
        proxy: SocketAddr,
        trusted: &'a Arc<ClientConfig>,
        pace: Pace,
    ) -> Self {
        let tls = match organisation.fault {
            Fault::ProxyNotTrusted => certificates::distrust(),
            _ => Arc::clone(trusted),
        };
        Self { organisation, proxy, tls, trusted, pace }
    }

    /// Finds the mailbox, signs in, and opens mailbox, web services and address book.
    pub(super) async fn start(&self) {
        // That it gave up is the scene; why, is for the one who watches the traffic to find out.
        let _gave_up = self.sign_in().await.err();
    }

    async fn sign_in(&self) -> Result<(), GiveUp> {
        let autodiscover = format!("autodiscover.{}", self.organisation.domain);
        let mail = self.organisation.mail();
        if self.organisation.fault == Fault::OldOutlook {
            return self.sign_in_with_password(&autodiscover).await;
        }
        let mut token = None;
        self.open(&autodiscover, "POST", "/autodiscover/autodiscover.xml", &mut token).await?;
        // A token is for one resource; the mailbox is another one.
        let mut token = None;
        if self.organisation.fault == Fault::MapiHttpOff {
            return self.open(&mail, "RPC_OUT_DATA", &self.organisation.rpc(), &mut token).await;
        }
        self.open(&mail, "POST", &self.organisation.mapi(), &mut token).await?;
        self.open(&mail, "POST", "/EWS/Exchange.asmx", &mut token).await?;
        self.open(&mail, "GET", "/OAB/oab.xml", &mut token).await
    }

    /// One resource over a connection of its own: ask with an empty Bearer, sign in if need be, ask again.
    async fn open(&self, host: &str, method: &str, path: &str, token: &mut Option<String>) -> Result<(), GiveUp> {
        let mut connection = self.connect(host, &self.tls).await?;
        let first = self.ask(&mut connection, host, method, path, "Bearer").await?;
        if first.status() != StatusCode::UNAUTHORIZED {
            return Err(GiveUp::Answer);
        }
        let challenge = bearer_challenge(&first).ok_or(GiveUp::Answer)?;
        if first.headers().get("x-ms-diagnostics").is_some_and(|value| value.as_bytes().starts_with(b"4000000")) {
            return Err(GiveUp::Answer);
        }
        drain(first).await?;
        let token = match token {
            Some(token) => token,
            None => token.insert(self.fetch_token(host, &challenge).await?),
        };
        let second = self.ask(&mut connection, host, method, path, &format!("Bearer {token}")).await?;
        let accepted = second.status() == StatusCode::OK;
        drain(second).await?;
        if accepted { Ok(()) } else { Err(GiveUp::Answer) }
    }

    async fn fetch_token(&self, host: &str, challenge: &str) -> Result<String, GiveUp> {
        let authorize = parameter(challenge, "authorization_uri").ok_or(GiveUp::Answer)?;
        let (authority, path) =
            authorize.strip_prefix("https://").and_then(|rest| rest.split_once('/')).ok_or(GiveUp::Answer)?;
        let mut connection = self.connect(authority, self.trusted).await?;
        let query = format!(
            "/{path}?response_type=code&client_id={APPLICATION}&redirect_uri=urn%3Aietf%3Awg%3Aoauth%3A2.0%3Aoob\
             &resource=https%3A%2F%2F{host}%2F&login_hint=avery%40{}",
            self.organisation.domain
        );
        let code = if matches!(self.organisation.fault, Fault::PasswordChanged | Fault::Unicorns) {
            None
        } else {
            let response = self.send(&mut connection, Request::get(query).header("Host", authority), "").await?;
            let location = response.headers().get("location").and_then(|value| value.to_str().ok()).unwrap_or_default();
            let code = query_value(location.split_once('?').map_or("", |(_, query)| query), "code");
            let code = code.ok_or(GiveUp::Answer)?.into_owned();
            drain(response).await?;
            Some(code)
        };
        let grant = match &code {
            Some(code) => format!("grant_type=authorization_code&code={code}"),
            None => "grant_type=refresh_token&refresh_token=0.AXkAkCocWz5vJ02a.demo-refresh-token".to_owned(),
        };
        let form = format!("{grant}&client_id={APPLICATION}&resource=https%3A%2F%2F{host}%2F");
        let request = Request::post("/common/oauth2/token")
            .header("Host", authority)
            .header("Content-Type", "application/x-www-form-urlencoded");
        let response = self.send(&mut connection, request, &form).await?;
        let body: Value = serde_json::from_slice(&drain(response).await?).unwrap_or_default();
        body.get("access_token").and_then(Value::as_str).map(str::to_owned).ok_or(GiveUp::Answer)
    }

    async fn sign_in_with_password(&self, host: &str) -> Result<(), GiveUp> {
        let mut connection = self.connect(host, &self.tls).await?;
        let path = "/autodiscover/autodiscover.xml";
        let request = Request::post(path).header("Host", host).header("User-Agent", OLD_USER_AGENT);
        drain(self.send(&mut connection, request, "").await?).await?;
        let password = BASE64_STANDARD.encode(format!("FABRIKAM\\avery:last-summers-password-{}", self.proxy.port()));
        let request = Request::post(path)
            .header("Host", host)
            .header("User-Agent", OLD_USER_AGENT)
            .header("Authorization", format!("Basic {password}"));
        drain(self.send(&mut connection, request, "").await?).await?;
        Ok(())
    }

    async fn ask(
        &self,
        connection: &mut SendRequest<Full<Bytes>>,
        host: &str,
        method: &str,
        path: &str,
        authorization: &str,
    ) -> Result<Response<Incoming>, GiveUp> {
        let request = Request::builder()
            .method(method)
            .uri(path)
            .header("Host", host)
            .header("User-Agent", USER_AGENT)
            .header("X-ClientInfo", "{2F94A2BF-A2E6-4CCC-BF98-B5F22C542226}:1")
            .header("X-User-Identity", self.organisation.user())
            .header("Authorization", authorization);
        self.send(connection, request, "").await
    }

    async fn send(
        &self,
        connection: &mut SendRequest<Full<Bytes>>,
        request: hyper::http::request::Builder,
        body: &str,
    ) -> Result<Response<Incoming>, GiveUp> {
        self.pace.between_requests().await;
        let request = request.body(Full::new(Bytes::copy_from_slice(body.as_bytes()))).map_err(|_| GiveUp::Answer)?;
        connection.ready().await?;
        Ok(connection.send_request(request).await?)
    }

    /// A connection to `host` through the proxy.
    async fn connect(&self, host: &str, tls: &Arc<ClientConfig>) -> Result<SendRequest<Full<Bytes>>, GiveUp> {
        let mut stream = TcpStream::connect(self.proxy).await?;
        stream.set_nodelay(true)?;
        stream.write_all(format!("CONNECT {host}:443 HTTP/1.1\r\nHost: {host}:443\r\n\r\n").as_bytes()).await?;
        let mut head = Vec::new();
        while !head.ends_with(b"\r\n\r\n") {
            head.push(stream.read_u8().await?);
        }
        if !head.starts_with(b"HTTP/1.1 200") {
            return Err(GiveUp::Connection);
        }
        let name = ServerName::try_from(host.to_owned()).map_err(|_| GiveUp::Connection)?;
        let stream = TlsConnector::from(Arc::clone(tls)).connect(name, stream).await?;
        let (sender, connection) =
            http1::Builder::new().title_case_headers(true).handshake(TokioIo::new(stream)).await?;
        tokio::spawn(connection);
        Ok(sender)
    }
}

async fn drain(response: Response<Incoming>) -> Result<Bytes, GiveUp> {
    Ok(response.into_body().collect().await?.to_bytes())
}

fn bearer_challenge(response: &Response<Incoming>) -> Option<String> {
    let challenges = response.headers().get_all("www-authenticate").into_iter();
    challenges.filter_map(|value| value.to_str().ok()).find(|value| value.starts_with("Bearer")).map(str::to_owned)
}

fn parameter<'a>(challenge: &'a str, name: &str) -> Option<&'a str> {
    challenge.split_once(&format!("{name}=\""))?.1.split_once('"').map(|(value, _)| value)
}
