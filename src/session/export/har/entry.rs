//! One exchange as an entry of `log.entries`.

use serde::Serialize;
use serde_json::{Map, Value};

use crate::exchange::{self, Exchange, Message, Seen, Side, Socket, SocketKind};
use crate::redact::{self, Clean, Field, Withheld, percent_decoded};
use crate::session::{Recorded, facts, origins};

/// The only page.
pub(super) const PAGE: &str = "page_1";

/// An entry.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Entry<'e> {
    pageref: &'static str,
    started_date_time: String,
    time: f64,
    request: Request<'e>,
    response: Response<'e>,
    cache: Map<String, Value>,
    timings: Timings,
    #[serde(rename = "serverIPAddress", skip_serializing_if = "Option::is_none")]
    server_ip_address: Option<&'e str>,
    connection: String,
    /// Where Chrome has it: what it reads in the field that is meant for it is a port.
    #[serde(rename = "_connectionId")]
    connection_id: String,
    #[serde(rename = "_resourceType", skip_serializing_if = "Option::is_none")]
    resource_type: Option<&'static str>,
    #[serde(rename = "_error", skip_serializing_if = "Option::is_none")]
    error: Option<String>,
    /// As Chrome writes them.
    #[serde(rename = "_webSocketMessages", skip_serializing_if = "Option::is_none")]
    socket: Option<Vec<SocketMessage<'e>>>,
    #[serde(rename = "_authtap")]
    facts: Value,
}

#[derive(Serialize)]
struct SocketMessage<'e> {
    r#type: &'static str,
    /// Seconds since 1970.
    time: f64,
    opcode: u8,
    data: &'e str,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Request<'e> {
    method: &'e str,
    url: &'e str,
    http_version: &'e str,
    cookies: Vec<Pair<'e>>,
    headers: Vec<Pair<'e>>,
    query_string: Vec<Pair<'e>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    post_data: Option<Content<'e>>,
    headers_size: i64,
    body_size: i64,
    #[serde(skip_serializing_if = "Option::is_none")]
    comment: Option<String>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Response<'e> {
    status: u16,
    status_text: &'e str,
    http_version: &'e str,
    cookies: Vec<Pair<'e>>,
    headers: Vec<Pair<'e>>,
    content: Content<'e>,
    #[serde(rename = "redirectURL")]
    redirect_url: &'e str,
    headers_size: i64,
    body_size: i64,
    #[serde(skip_serializing_if = "Option::is_none")]
    comment: Option<String>,
}

#[derive(Serialize)]
struct Pair<'e> {
    name: std::borrow::Cow<'e, str>,
    value: std::borrow::Cow<'e, str>,
}

/// The text of a body: `postData` has no `size`.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Content<'e> {
    #[serde(skip_serializing_if = "Option::is_none")]
    size: Option<u64>,
    mime_type: &'e str,
    #[serde(skip_serializing_if = "Option::is_none")]
    text: Option<&'e str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    comment: Option<&'static str>,
}

/// Milliseconds; -1 is "does not apply".
#[derive(Serialize)]
struct Timings {
    blocked: f64,
    dns: f64,
    connect: f64,
    ssl: f64,
    send: f64,
    wait: f64,
    receive: f64,
}

impl<'e> Entry<'e> {
    pub(super) fn of(recorded: &'e Recorded) -> Self {
        let Recorded { origin, exchange } = recorded;
        let timings = timings(exchange);
        let mut facts = facts::of(exchange, origin.run, false);
        origins::note(&mut facts, origin);
        let server = exchange.connection.server.as_ref();
        let socket = exchange.response.seen().and_then(|response| Some(socket(exchange, response.socket.as_deref()?)));
        Self {
            pageref: PAGE,
            started_date_time: exchange.started.to_string(),
            time: timings.send + timings.wait + timings.receive,
            request: request(exchange),
            response: response(exchange),
            cache: Map::new(),
            timings,
            server_ip_address: server.map(|server| address(server.address.as_str())).filter(|text| !text.is_empty()),
            connection: exchange.connection.id.to_string(),
            connection_id: exchange.connection.id.to_string(),
            resource_type: socket.is_some().then_some("websocket"),
            error: exchange
                .error
                .as_ref()
                .map(|error| format!("{} {}: {}", error.side.code(), error.step.code(), error.text)),
            socket,
            facts,
        }
    }
}

#[allow(clippy::cast_precision_loss)] // Microseconds since 1970 are below 2^53.
fn socket<'e>(exchange: &Exchange, socket: &'e Socket) -> Vec<SocketMessage<'e>> {
    let message = |message: &'e exchange::SocketMessage| SocketMessage {
        r#type: if message.side == Side::Client { "send" } else { "receive" },
        time: exchange.started.0 as f64 / 1e6 + message.at.as_secs_f64(),
        opcode: match message.kind {
            SocketKind::Text => 1,
            SocketKind::Binary => 2,
            SocketKind::Close => 8,
            SocketKind::Ping => 9,
            SocketKind::Pong => 10,
        },
        data: match &message.body.content {
            redact::Content::Text { text, .. } => text.as_str(),
            _ => "",
        },
    };
    socket.messages.iter().map(message).collect()
}

fn request(exchange: &Exchange) -> Request<'_> {
    let message = exchange.request.seen();
    let fields = exchange.request_fields();
    let length = message.map_or(0, |message| message.body.length);
    let query = exchange.url.as_ref().and_then(|url| url.query()).unwrap_or_default();
    Request {
        method: exchange.method.as_ref().map_or("GET", Clean::as_str),
        url: exchange.url.as_ref().map_or("about:blank", |url| url.text().as_str()),
        http_version: version(message),
        cookies: values(fields, "cookie").flat_map(|value| value.split("; ")).map(|pair| pair_of(pair)).collect(),
        headers: headers(fields),
        query_string: query.split('&').filter(|pair| !pair.is_empty()).map(|pair| pair_of(pair)).collect(),
        post_data: message.filter(|_| length > 0).map(|message| text(message, None)),
        headers_size: -1,
        body_size: size(length),
        comment: unseen(&exchange.request),
    }
}

fn response(exchange: &Exchange) -> Response<'_> {
    let response = exchange.response.seen();
    let message = response.map(|response| &response.message);
    let fields = exchange.response_fields();
    let length = message.map_or(0, |message| message.body.length);
    let empty = Content { size: Some(0), mime_type: "", text: None, comment: None };
    Response {
        // What readers know for "none came".
        status: exchange.status().unwrap_or(0),
        status_text: response.map_or("", |response| response.reason.as_str()),
        http_version: version(message),
        cookies: values(fields, "set-cookie")
            .map(|value| pair_of(value.split(';').next().unwrap_or_default()))
            .collect(),
        headers: headers(fields),
        content: message.map_or(empty, |message| text(message, Some(length))),
        redirect_url: values(fields, "location").next().unwrap_or_default(),
        headers_size: -1,
        body_size: size(length),
        comment: unseen(&exchange.response),
    }
}

fn text(message: &Message, length: Option<u64>) -> Content<'_> {
    let mime_type = values(&message.fields, "content-type").next().unwrap_or("application/octet-stream");
    let (text, comment) = match &message.body.content {
        redact::Content::Empty => (None, None),
        redact::Content::Text { syntax, text, complete } => {
            let comment = match (syntax.is_decoded(), complete) {
                (true, _) => Some("what authtap read of bytes that are no text"),
                (false, false) => Some("its end was not recorded"),
                (false, true) => None,
            };
            (Some(text.as_str()), comment)
        }
        redact::Content::Withheld(Withheld::Binary) => (None, Some("content is not kept")),
        redact::Content::Withheld(Withheld::Undecodable) => (None, Some("it could not be decoded")),
        redact::Content::Withheld(Withheld::NotRecorded) => (None, Some("it was not recorded")),
    };
    // Of what is decoded the length is known where the text is there.
    let size = length.map(|length| text.map_or(length, |text| text.len() as u64));
    Content { size, mime_type, text, comment }
}

fn timings(exchange: &Exchange) -> Timings {
    let millis = |time: Option<std::time::Duration>| time.map(|time| time.as_secs_f64() * 1000.0);
    let done = millis(exchange.timings.done).unwrap_or(0.0);
    // What was never reached took no time of its own.
    let sent = millis(exchange.timings.sent).unwrap_or(0.0).min(done);
    let first_byte = millis(exchange.timings.first_byte).unwrap_or(done).clamp(sent, done);
    let tidy = |time: f64| (time * 1000.0).round() / 1000.0;
    let (send, wait, receive) = (tidy(sent), tidy(first_byte - sent), tidy(done - first_byte));
    Timings { blocked: -1.0, dns: -1.0, connect: -1.0, ssl: -1.0, send, wait, receive }
}

fn headers(fields: &[Field]) -> Vec<Pair<'_>> {
    fields.iter().map(|field| Pair { name: field.name.as_str().into(), value: field.value.as_str().into() }).collect()
}

fn values<'f>(fields: &'f [Field], name: &'static str) -> impl Iterator<Item = &'f str> {
    fields.iter().filter(move |field| field.name.as_str().eq_ignore_ascii_case(name)).map(|field| field.value.as_str())
}

/// A pair of a query or of cookies.
fn pair_of(pair: &str) -> Pair<'_> {
    let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
    Pair { name: percent_decoded(name.trim()), value: percent_decoded(value) }
}

fn version(message: Option<&Message>) -> &str {
    message.map(|message| message.version.as_str()).filter(|version| !version.is_empty()).unwrap_or("unknown")
}

fn unseen<T>(seen: &Seen<T>) -> Option<String> {
    seen.unseen().map(|reason| format!("not captured: {}", reason.code()))
}

/// Without the port and the brackets of an IPv6 address.
fn address(text: &str) -> &str {
    let host = text.rsplit_once(':').map_or(text, |(host, _)| host);
    host.trim_matches(['[', ']'])
}

fn size(length: u64) -> i64 {
    i64::try_from(length).unwrap_or(-1)
}
