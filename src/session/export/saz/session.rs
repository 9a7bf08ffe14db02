//! One exchange as the three members that Fiddler knows, and the facts beside them.

use std::fmt::Write as _;

use time::OffsetDateTime;

use crate::exchange::{Exchange, Message, Timestamp};
use crate::redact::{Clean, Content};
use crate::session::{Recorded, facts, origins};

/// What is written of an exchange.
pub(super) struct Session {
    pub(super) number: u32,
    pub(super) request: Vec<u8>,
    /// Empty where none was seen.
    pub(super) response: Vec<u8>,
    pub(super) timers: String,
    /// JSON in one line.
    pub(super) facts: String,
    row: String,
}

impl Session {
    pub(super) fn of(recorded: &Recorded, number: u32) -> Self {
        let Recorded { origin, exchange } = recorded;
        let mut facts = facts::of(exchange, origin.run, true);
        facts["number"] = number.into();
        origins::note(&mut facts, origin);
        facts["method"] = exchange.method.as_ref().map(Clean::as_str).into();
        facts["url"] = exchange.url.as_ref().map(|url| url.text().as_str()).into();
        if let Some(status) = exchange.status() {
            facts["response"]["status"] = status.into();
        }
        Self {
            number,
            request: request(exchange),
            response: response(exchange),
            timers: timers(exchange, number),
            facts: facts.to_string(),
            row: row(exchange, number),
        }
    }

    /// About what it takes.
    pub(super) fn len(&self) -> usize {
        self.request.len() + self.response.len() + self.timers.len() + self.facts.len()
    }

    /// A row of the archive's table.
    pub(super) fn row(&self) -> String {
        self.row.clone()
    }
}

fn request(exchange: &Exchange) -> Vec<u8> {
    let method = exchange.method.as_ref().map_or("GET", Clean::as_str);
    let url = exchange.url.as_ref();
    let target = match url {
        // What Fiddler writes of a tunnel.
        Some(url) if method == "CONNECT" => format!("{}:{}", url.host(), url.port()),
        Some(url) => one_word(url.text().as_str()),
        None => "/".to_owned(),
    };
    let host = url.map_or("", |url| url.authority());
    text(&format!("{} {target} HTTP/1.1", one_word(method)), exchange.request.seen(), Some(host))
}

fn response(exchange: &Exchange) -> Vec<u8> {
    let Some(response) = exchange.response.seen() else { return Vec::new() };
    let line = format!("HTTP/1.1 {} {}", response.status.unwrap_or(0), one_line(response.reason.as_str()));
    text(&line, Some(&response.message), None)
}

/// A head and a body; a request that was not seen has the Host that its URL names.
fn text(line: &str, message: Option<&Message>, host: Option<&str>) -> Vec<u8> {
    let mut head = format!("{line}\r\n");
    let body = match message.map(|message| &message.body.content) {
        Some(Content::Text { text, .. }) => text.as_str(),
        _ => "",
    };
    for field in message.map_or(&[][..], |message| &message.fields) {
        let name = field.name.as_str();
        // The text is as long as it is, and nothing in it is packed.
        if !["content-length", "transfer-encoding", "content-encoding"].iter().any(|own| name.eq_ignore_ascii_case(own))
        {
            // Writing to a string does not fail.
            let _ = write!(head, "{}: {}\r\n", one_line(name), one_line(field.value.as_str()));
        }
    }
    if let (None, Some(host)) = (message, host) {
        let _ = write!(head, "Host: {host}\r\n");
    }
    let length = message.filter(|message| message.body.length > 0).map(|_| body.len());
    if let Some(length) = length {
        let _ = write!(head, "Content-Length: {length}\r\n");
    }
    [head.as_bytes(), b"\r\n", body.as_bytes()].concat()
}

fn timers(exchange: &Exchange, number: u32) -> String {
    let at = |time: Option<std::time::Duration>| {
        let micros = time.and_then(|time| i64::try_from(time.as_micros()).ok());
        micros.map_or_else(|| UNSET.to_owned(), |micros| stamp(exchange.started.0.saturating_add(micros)))
    };
    let began = stamp(exchange.started.0);
    let (sent, first_byte, done) =
        (at(exchange.timings.sent), at(exchange.timings.first_byte), at(exchange.timings.done));
    let https = exchange.url.as_ref().is_some_and(|url| url.scheme() == "https");
    let dropped = exchange.response.seen().is_some_and(|response| {
        response.message.body.length > 0 && !matches!(response.message.body.content, Content::Text { .. })
    });
    let bits = (u32::from(https) * IS_HTTPS) | (u32::from(dropped) * RESPONSE_BODY_DROPPED);
    let aborted = if exchange.error.is_some() { " Aborted=\"true\"" } else { "" };
    let mut flags = String::new();
    // What tells connections apart where there are no ports to tell: their numbers.
    let mut flag = |name: &str, value: &str| {
        let _ = write!(flags, "<SessionFlag N=\"{name}\" V=\"{}\" />", escaped(value));
    };
    flag("x-clientport", &exchange.connection.id.to_string());
    flag("x-egressport", &exchange.connection.id.to_string());
    if let Some(server) = &exchange.connection.server {
        let address = server.address.as_str();
        flag("x-hostip", address.rsplit_once(':').map_or(address, |(host, _)| host).trim_matches(['[', ']']));
    }
    if let Some(error) = &exchange.error {
        flag("ui-comments", &format!("{} {}: {}", error.side.code(), error.step.code(), error.text));
    }
    format!(
        "<?xml version=\"1.0\" encoding=\"utf-8\"?>\r\n<Session SID=\"{number}\" BitFlags=\"{bits:x}\"{aborted}>\r\n  \
         <SessionTimers ClientConnected=\"{began}\" ClientBeginRequest=\"{began}\" GotRequestHeaders=\"{began}\" \
         ClientDoneRequest=\"{sent}\" GatewayTime=\"0\" DNSTime=\"0\" TCPConnectTime=\"0\" HTTPSHandshakeTime=\"0\" \
         ServerConnected=\"{UNSET}\" FiddlerBeginRequest=\"{UNSET}\" ServerGotRequest=\"{sent}\" \
         ServerBeginResponse=\"{first_byte}\" GotResponseHeaders=\"{first_byte}\" ServerDoneResponse=\"{done}\" \
         ClientBeginResponse=\"{first_byte}\" ClientDoneResponse=\"{done}\" />\r\n  <PipeInfo CltReuse=\"true\" \
         Reused=\"true\" />\r\n  <SessionFlags>{flags}</SessionFlags>\r\n</Session>\r\n"
    )
}

/// What .NET writes for no time.
const UNSET: &str = "0001-01-01T00:00:00";
const IS_HTTPS: u32 = 0x1;
const RESPONSE_BODY_DROPPED: u32 = 0x2_0000;

/// A time as .NET writes it.
fn stamp(micros: i64) -> String {
    let time = Timestamp(micros);
    let at = OffsetDateTime::from_unix_timestamp(time.seconds()).unwrap_or(OffsetDateTime::UNIX_EPOCH);
    let (month, fraction) = (u8::from(at.month()), micros.rem_euclid(1_000_000) * 10);
    let (year, day, hour, minute, second) = (at.year(), at.day(), at.hour(), at.minute(), at.second());
    format!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}.{fraction:07}+00:00")
}

fn row(exchange: &Exchange, number: u32) -> String {
    let status = exchange.status().map_or_else(|| "-".to_owned(), |status| status.to_string());
    let method = exchange.method.as_ref().map_or("", Clean::as_str);
    let url = exchange.url.as_ref().map_or("", |url| url.text().as_str());
    let link = |part: &str, text: &str| format!("<a href=\"raw/{number:06}_{part}\">{text}</a>");
    format!(
        "<tr><td>{} {} {} {number}</td><td>{status}</td><td>{}</td><td>{}</td></tr>\r\n",
        link("c.txt", "C"),
        link("s.txt", "S"),
        link("m.xml", "M"),
        escaped(method),
        escaped(url)
    )
}

fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for char in text.chars() {
        match char {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            // XML has no way to say them.
            '\0'..='\u{8}' | '\u{b}'..='\u{1f}' | '\u{fffe}' | '\u{ffff}' => out.push('\u{fffd}'),
            char => out.push(char),
        }
    }
    out
}

/// A text in which no line ends.
fn one_line(text: &str) -> String {
    text.replace(['\r', '\n', '\0'], " ")
}

/// A text in which nothing ends.
fn one_word(text: &str) -> String {
    text.replace(|char: char| char.is_whitespace() || char.is_control(), "%20")
}
