//! One flow becomes one exchange.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use super::certificate;
use super::tnetstring::Value;
use crate::exchange::{
    ClientTls, Connection, Exchange, Message, Response, Seen, Server, Side, SniForm, Socket, SocketKind, SocketMessage,
    Tally, Timestamp, Timings, Tls, Unseen,
};
use crate::redact::{Bindings, Clean, Door, Redactor};
use crate::session::failure;
use crate::session::foreign::{self, Captured, Parts};

/// A flow, asked leniently: names of members changed between the formats.
pub(super) struct Flow<'f>(pub(super) &'f Value<'f>);

impl<'f> Flow<'f> {
    pub(super) fn is_http(&self) -> bool {
        self.0.text("type") == Some("http") && self.request().is_some()
    }

    pub(super) fn is_of_another_protocol(&self) -> bool {
        self.0.text("type").is_some_and(|kind| matches!(kind, "tcp" | "udp" | "dns" | "websocket"))
    }

    /// When the request began.
    pub(super) fn started(&self) -> Option<Timestamp> {
        let started = self.request()?.number("timestamp_start").or_else(|| self.0.number("timestamp_created"));
        foreign::moment(started?)
    }

    /// What tells this flow's connections, to the client and to the server, from others.
    pub(super) fn connection_identity(&self) -> String {
        let id = |end: &str| self.0.get(end).and_then(|end| end.text("id")).unwrap_or_default().to_owned();
        let ids = (id("client_conn"), id("server_conn"));
        if ids.0.is_empty() && ids.1.is_empty() {
            // All that is known is where it went.
            return format!("of {}", self.authority().unwrap_or_default().to_ascii_lowercase());
        }
        format!("{} {}", ids.0, ids.1)
    }

    /// The connection, called `id`.
    pub(super) fn connection(&self, redactor: &Redactor, id: u32) -> Connection {
        let door = redactor.wire();
        let (client, server) = (self.0.get("client_conn"), self.0.get("server_conn"));
        let address = |end: Option<&Value<'f>>, names: [&str; 2]| {
            names.into_iter().find_map(|name| socket_address(end?.get(name)?))
        };
        let server_address = address(server, ["peername", "ip_address"]);
        let authority = self.authority();
        let port =
            self.request().and_then(|request| request.number("port")).filter(|port| (1.0..65536.0).contains(port));
        let default = if self.scheme() == "http" { 80.0 } else { 443.0 };
        let target = authority.as_deref().map(|authority| {
            format!(
                "{}:{}",
                foreign::host(authority),
                foreign::split(authority).1.map_or(port.unwrap_or(default), f64::from)
            )
        });
        let tls = server.and_then(|server| server_tls(door, server));
        Connection {
            id,
            client: address(client, ["peername", "address"]).map(|address| door.client_address(address)),
            target: target.map(|target| door.host(target.as_bytes())),
            client_tls: client.and_then(|client| client_tls(door, client)),
            server: match (server_address, tls) {
                (None, None) => None,
                (address, tls) => Some(Server { address: address.map_or_else(|| "".into(), Clean::from), tls }),
            },
            presented: self.presented().map(|der| certificate::facts(door, &der)),
        }
    }

    /// The exchange; nothing where the request is none.
    pub(super) fn exchange(
        &self,
        redactor: &Redactor,
        id: u64,
        started: Timestamp,
        connection: Arc<Connection>,
    ) -> Option<Exchange> {
        let (presented, shown) = (self.presented(), self.shown());
        let door = redactor.wire().with_bindings(Bindings::of_certificates(presented.as_deref(), shown.as_deref()));
        let request = self.request()?;
        let method = request.bytes("method")?;
        let response = self.0.get("response").filter(|response| response.get("status_code").is_some());
        let authority = self.authority().unwrap_or_default();
        let said = self.0.get("error").and_then(|error| error.text("msg"));
        let error = said.map(|said| failure::failure(door, said, &[&authority]));
        let passed = |at: Option<f64>| foreign::moment(at?).map(|at| at.since(started));
        let ended =
            [response, self.0.get("websocket")].into_iter().flatten().filter_map(|part| part.number("timestamp_end"));
        let failed = self.0.get("error").and_then(|error| error.number("timestamp"));
        let is_head = method.eq_ignore_ascii_case(b"HEAD");
        Some(Exchange {
            id,
            started,
            connection,
            method: Some(door.token(method)),
            url: self.url(method).map(|url| door.url(&url)),
            request: Seen::Seen(message(door, request, false, false)),
            response: match response {
                Some(response) => self
                    .response(door, response, is_head, started)
                    .map_or(Seen::Unseen(Unseen::NotInSource), Seen::Seen),
                None if error.is_some() => Seen::Unseen(Unseen::NeverCame),
                None => Seen::Unseen(Unseen::NotInSource),
            },
            timings: Timings {
                sent: passed(request.number("timestamp_end")),
                first_byte: passed(response.and_then(|response| response.number("timestamp_start"))),
                done: passed(ended.chain(failed).reduce(f64::max)),
            },
            error,
            running: false,
        })
    }

    fn response(&self, door: Door<'_>, response: &Value<'_>, is_head: bool, started: Timestamp) -> Option<Response> {
        #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "checked to be in range")]
        let status = response
            .number("status_code")
            .filter(|status| (100.0..1000.0).contains(status))
            .map(|status| status as u16)?;
        let bodiless = is_head || matches!(status, 101 | 204 | 304);
        Some(Response {
            status: Some(status),
            reason: door.prose(response.bytes("reason").unwrap_or_default()),
            message: message(door, response, status >= 400, bodiless),
            interim: Vec::new(),
            early: false,
            socket: self
                .0
                .get("websocket")
                .filter(|socket| socket.get("messages").is_some())
                .map(|messages| Box::new(socket(door, messages, started))),
        })
    }

    fn request(&self) -> Option<&'f Value<'f>> {
        self.0.get("request").filter(|request| request.get("method").is_some())
    }

    fn scheme(&self) -> &'f str {
        match self.request().and_then(|request| request.text("scheme")) {
            Some("http") => "http",
            _ => "https",
        }
    }

    /// Host and port as the client asked for them: by the Host field or HTTP/2's `:authority`, else by address.
    fn authority(&self) -> Option<String> {
        let request = self.request()?;
        let said = |text: Option<&'f str>| text.filter(|text| !text.is_empty()).map(str::to_owned);
        let field = || fields(request).into_iter().find(|(name, _)| name.eq_ignore_ascii_case(b"host"));
        said(request.text("authority"))
            .or_else(|| said(field().and_then(|(_, value)| std::str::from_utf8(value).ok())))
            .or_else(|| {
                let host = request.text("host").filter(|host| !host.is_empty())?;
                let host = if host.contains(':') { format!("[{host}]") } else { host.to_owned() };
                Some(match request.number("port") {
                    Some(port) => format!("{host}:{port}"),
                    None => host,
                })
            })
    }

    fn url(&self, method: &[u8]) -> Option<Vec<u8>> {
        let authority = self.authority()?;
        if method == b"CONNECT" {
            return Some(format!("https://{authority}/").into_bytes());
        }
        let path = self.request()?.bytes("path").unwrap_or(b"/");
        // In absolute form the path may be all of it.
        if path.starts_with(b"http://") || path.starts_with(b"https://") {
            return Some(path.to_vec());
        }
        let slash: &[u8] = if path.starts_with(b"/") { b"" } else { b"/" };
        Some([self.scheme().as_bytes(), b"://", authority.as_bytes(), slash, path].concat())
    }

    /// The certificate that the client was shown.
    fn presented(&self) -> Option<Vec<u8>> {
        certificate::der(self.0.get("client_conn")?.bytes("mitmcert")?)
    }

    /// The certificate that the server showed.
    fn shown(&self) -> Option<Vec<u8>> {
        certificates(self.0.get("server_conn")?).next()
    }
}

fn server_tls(door: Door<'_>, server: &Value<'_>) -> Option<Tls> {
    let mut chain = certificates(server);
    let certificate = certificate::facts(door, &chain.next()?);
    Some(Tls {
        version: door.prose(tls_version(server).as_bytes()),
        cipher: door.prose(server.bytes("cipher").or_else(|| server.bytes("cipher_name")).unwrap_or_default()),
        alpn: server.bytes("alpn").filter(|alpn| !alpn.is_empty()).map(|alpn| door.token(alpn)),
        chain: chain.map(|der| certificate::facts(door, &der)).collect(),
        ..Tls::of_certificate(certificate)
    })
}

fn client_tls(door: Door<'_>, client: &Value<'_>) -> Option<ClientTls> {
    let version = tls_version(client);
    if version.is_empty() {
        return None;
    }
    let sni = client.bytes("sni").filter(|name| !name.is_empty());
    Some(ClientTls {
        version: door.prose(version.as_bytes()),
        cipher: door.prose(client.bytes("cipher").or_else(|| client.bytes("cipher_name")).unwrap_or_default()),
        alpn: client.bytes("alpn").filter(|alpn| !alpn.is_empty()).map(|alpn| door.token(alpn)),
        sni: sni.map(|name| door.host(name)),
        sni_form: if sni.is_some() { SniForm::Name } else { SniForm::Absent },
        legacy: None,
    })
}

/// The certificates of a chain, the server's own first.
fn certificates<'v>(server: &'v Value<'_>) -> impl Iterator<Item = Vec<u8>> + use<'v> {
    let list = server.get("certificate_list").map(Value::items).unwrap_or_default();
    list.iter().take(16).filter_map(|item| match item {
        Value::Bytes(pem) => certificate::der(pem),
        _ => None,
    })
}

/// `TLS 1.3` of `TLSv1.3`.
fn tls_version(end: &Value<'_>) -> String {
    let version = end.text("tls_version").unwrap_or_default();
    match version.strip_prefix("TLSv") {
        Some("1") => "TLS 1.0".to_owned(),
        Some(number) => format!("TLS {number}"),
        None => version.to_owned(),
    }
}

fn message(door: Door<'_>, part: &Value<'_>, refusal: bool, bodiless: bool) -> Message {
    let fields = fields(part);
    let length = fields
        .iter()
        .find(|(name, _)| name.eq_ignore_ascii_case(b"content-length"))
        .and_then(|(_, value)| std::str::from_utf8(value).ok()?.trim().parse().ok());
    let body = match part.get("content") {
        Some(Value::Bytes(bytes)) => Captured::Bytes(bytes.to_vec(), bytes.len() as u64),
        // It passed without being kept.
        _ if bodiless => Captured::NONE,
        _ => Captured::Missing(length.unwrap_or(0)),
    };
    let trailers = part.get("trailers").map(pairs).unwrap_or_default();
    foreign::message(
        door,
        Parts {
            version: part.text("http_version").unwrap_or_default(),
            fields: &fields,
            body,
            trailers: trailers.iter().map(|(name, value)| door.field(name, value)).collect(),
            refusal,
        },
    )
}

fn fields<'v>(part: &'v Value<'_>) -> Vec<(&'v [u8], &'v [u8])> {
    part.get("headers").map(pairs).unwrap_or_default()
}

fn pairs<'v>(list: &'v Value<'_>) -> Vec<(&'v [u8], &'v [u8])> {
    let pair = |pair: &'v Value<'_>| match pair.items() {
        [Value::Bytes(name), Value::Bytes(value)] => Some((*name, *value)),
        _ => None,
    };
    list.items().iter().filter_map(pair).collect()
}

fn socket(door: Door<'_>, told: &Value<'_>, started: Timestamp) -> Socket {
    let mut socket = Socket::default();
    for message in told.get("messages").map(Value::items).unwrap_or_default() {
        let [Value::Integer(kind), Value::Bool(from_client), Value::Bytes(bytes), at, ..] = message.items() else {
            continue;
        };
        let side = if *from_client { Side::Client } else { Side::Server };
        let length = bytes.len() as u64;
        let tally = if *from_client { &mut socket.client } else { &mut socket.server };
        *tally = Tally { messages: tally.messages + 1, bytes: tally.bytes + length };
        if socket.messages.len() < foreign::SOCKET_MESSAGES {
            let kind = if *kind == 1 { SocketKind::Text } else { SocketKind::Binary };
            let at = at.as_number().and_then(foreign::moment).map_or(Duration::ZERO, |at| at.since(started));
            let body = foreign::socket_body(door, kind, bytes);
            socket.messages.push(SocketMessage { side, kind, at, code: None, body });
        }
    }
    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "checked to be in range")]
    let code = told.number("close_code").filter(|code| (1.0..65536.0).contains(code)).map(|code| code as u16);
    if let Some(code) = code {
        let by_client = matches!(told.get("closed_by_client"), Some(Value::Bool(true)));
        let reason = told.bytes("close_reason").unwrap_or_default();
        let side = if by_client { Side::Client } else { Side::Server };
        let at = told.number("timestamp_end").and_then(foreign::moment).map_or(Duration::ZERO, |at| at.since(started));
        let body = foreign::socket_body(door, SocketKind::Close, reason);
        let tally = if by_client { &mut socket.client } else { &mut socket.server };
        tally.messages += 1;
        socket.messages.push(SocketMessage { side, kind: SocketKind::Close, at, code: Some(code), body });
    }
    socket
}

/// An address with a port: a list of both, with more behind them for IPv6.
fn socket_address(value: &Value<'_>) -> Option<SocketAddr> {
    let [Value::Bytes(host), Value::Integer(port), ..] = value.items() else { return None };
    // An IPv6 address may name its interface.
    let host = std::str::from_utf8(host).ok()?.split('%').next()?;
    Some(SocketAddr::new(host.parse().ok()?, u16::try_from(*port).ok()?))
}
