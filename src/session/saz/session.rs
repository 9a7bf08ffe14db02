//! One session becomes one exchange.

use std::collections::{HashMap, HashSet};
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

use zeroize::Zeroizing;

use super::archive::{Archive, Refused};
use super::index::Numbered;
use super::member::Text;
use super::socket;
use super::text::{RequestLine, StatusLine, request_line, status_line};
use super::timers::{Bit, Timers};
use crate::exchange::{
    Connection, Exchange, Failure, Message, Response, Seen, Server, Timestamp, Timings, Unseen, absolute_url,
};
use crate::redact::{Clean, Door, Redactor};
use crate::session::failure;
use crate::session::foreign::{self, Captured, Parts};
use crate::wire::RequestHead;

/// What an archive tells of a session.
pub(super) struct Told {
    request: Option<Text>,
    response: Option<Text>,
    timers: Timers,
    /// What stands there of the messages of a WebSocket.
    socket: Option<Zeroizing<Vec<u8>>>,
    scheme: &'static str,
}

/// What the sessions before tell of the one at hand.
#[derive(Default)]
pub(super) struct Met {
    /// How many connections had these ports so far.
    generations: HashMap<String, u32>,
    /// Clients' ports behind which a tunnel was opened.
    tunnels: HashSet<String>,
}

/// Times and flags are not longer than this.
const TIMERS: u64 = 4 << 20;
/// Messages of a WebSocket are not read where they are longer in all.
const SOCKET: u64 = 64 << 20;
/// Ports remembered.
const REMEMBERED: usize = 1 << 16;

impl Told {
    pub(super) fn read(archive: &mut Archive, session: &Numbered, met: &mut Met) -> Result<Self, Refused> {
        let mut text = |slot| match slot {
            Some(slot) => Text::read(archive, slot),
            None => Ok(None),
        };
        let (request, response) = (text(session.request)?, text(session.response)?);
        // Without times and flags a session can be read all the same.
        let timers = session.timers.and_then(|slot| archive.whole(slot, TIMERS).ok());
        let timers = timers.map(|xml| Timers::read(&xml)).unwrap_or_default();
        let socket = session.socket.and_then(|slot| archive.whole(slot, SOCKET).ok());
        let mut told = Self { request, response, timers, socket, scheme: "https" };
        if told.request_line().is_none() && told.status_line().is_none() {
            return Err(Refused::Unreadable);
        }
        told.scheme = told.scheme_of_origin_form(met);
        Ok(told)
    }

    /// Whether it opened a tunnel whose inside is in the archive: such is no exchange.
    pub(super) fn is_looked_into(&self, hosts: &HashSet<String>) -> bool {
        let opened = self.is_connect() && self.status().is_some_and(|status| (200..300).contains(&status));
        let inside = || self.authority().is_some_and(|authority| hosts.contains(&host_of(&authority)));
        opened
            && match (self.timers.is(Bit::DecryptingTunnel), self.timers.is(Bit::BlindTunnel)) {
                (Some(true), _) => true,
                (_, Some(true)) => false,
                _ => inside(),
            }
    }

    /// When the request began.
    pub(super) fn started(&self) -> Option<Timestamp> {
        self.timers.time("ClientBeginRequest").or_else(|| self.timers.time("ClientConnected"))
    }

    /// The connection, called `id`.
    pub(super) fn connection(&self, redactor: &Redactor, id: u32) -> Connection {
        let door = redactor.wire();
        let address = |name: &str| {
            let text = self.timers.flag(name)?.trim_start_matches("::ffff:").trim_matches(['[', ']']);
            text.split('%').next()?.parse::<IpAddr>().ok()
        };
        let port = |name: &str| self.timers.flag(name)?.parse::<u16>().ok();
        let authority = self.authority();
        let default = if self.scheme_of_target() == "http" { 80 } else { 443 };
        let (host, server_port) = authority.as_deref().map_or(("", None), foreign::split);
        let server_port = server_port.unwrap_or(default);
        Connection {
            id,
            client: address("x-clientip")
                .map(|ip| door.client_address(SocketAddr::new(ip, port("x-clientport").unwrap_or(0)))),
            target: (!host.is_empty()).then(|| door.host(format!("{host}:{server_port}").as_bytes())),
            server: address("x-hostip")
                .map(|ip| Server { address: Clean::from(SocketAddr::new(ip, server_port)), tls: None }),
            ..Connection::default()
        }
    }

    /// The exchange.
    pub(super) fn exchange(
        &self,
        redactor: &Redactor,
        id: u64,
        started: Timestamp,
        connection: Arc<Connection>,
    ) -> Exchange {
        let door = redactor.wire();
        let error = self.failure(door);
        let (request, response) = self.messages(door, error.is_some(), started);
        let since = |name: &str| self.timers.time(name).map(|time| time.since(started));
        Exchange {
            id,
            started,
            connection,
            method: self.request_line().map(|line| door.token(line.method)),
            url: self.url().map(|url| door.url(&url)),
            request,
            response,
            timings: Timings {
                sent: since("ClientDoneRequest"),
                first_byte: since("ServerBeginResponse")
                    .or_else(|| since("GotResponseHeaders"))
                    .filter(|_| self.status().is_some() && error.is_none()),
                done: since("ClientDoneResponse").or_else(|| since("ServerDoneResponse")),
            },
            error,
            running: false,
        }
    }

    fn messages(&self, door: Door<'_>, failed: bool, started: Timestamp) -> (Seen<Message>, Seen<Response>) {
        if self.is_connect() {
            if failed {
                return (Seen::Unseen(Unseen::NeverCame), Seen::Unseen(Unseen::NeverCame));
            }
            if self.status().is_some_and(|status| (200..300).contains(&status)) {
                return (Seen::Unseen(Unseen::NotDecrypted), Seen::Unseen(Unseen::NotDecrypted));
            }
        }
        let request = match (&self.request, self.request_line()) {
            (Some(text), Some(line)) => {
                let dropped = self.timers.flag("log-drop-request-body").is_some();
                Seen::Seen(message(
                    door,
                    text,
                    line.version,
                    body(text, if dropped { Dropped::Yes(None) } else { Dropped::No }),
                    false,
                ))
            }
            _ => Seen::Unseen(Unseen::NotInSource),
        };
        let response = match (&self.response, self.status_line()) {
            (Some(text), Some(line)) if !failed => Seen::Seen(self.response(door, text, &line, started)),
            _ if failed || self.timers.aborted => Seen::Unseen(Unseen::NeverCame),
            _ => Seen::Unseen(Unseen::NotInSource),
        };
        (request, response)
    }

    fn response(&self, door: Door<'_>, text: &Text, line: &StatusLine<'_>, started: Timestamp) -> Response {
        let is_head = self.request_line().is_some_and(|line| line.method.eq_ignore_ascii_case(b"HEAD"));
        let bodiless = is_head || matches!(line.status, 101 | 204 | 304);
        let dropped = self.timers.is(Bit::ResponseBodyDropped) == Some(true)
            || self.timers.flag("log-drop-response-body").is_some();
        let told =
            self.timers.flag("x-responsebodytransferlength").and_then(|length| length.replace(',', "").parse().ok());
        let body = match body(text, if dropped { Dropped::Yes(told) } else { Dropped::No }) {
            Captured::Missing(_) if bodiless => Captured::NONE,
            // Of what a field promises nothing has to come.
            Captured::Bytes(bytes, _) if bodiless => {
                let length = bytes.len() as u64;
                Captured::Bytes(bytes, length)
            }
            body => body,
        };
        Response {
            status: Some(line.status),
            reason: door.prose(line.reason),
            message: message(door, text, line.version, body, line.status >= 400),
            interim: Vec::new(),
            early: false,
            socket: self
                .socket
                .as_ref()
                .filter(|_| matches!(line.status, 101 | 200..=299))
                .map(|member| Box::new(socket::read(door, member, text.fields(), started))),
        }
    }

    /// An answer that Fiddler made itself because it got none: what it says there is what went wrong.
    fn failure(&self, door: Door<'_>) -> Option<Failure> {
        let status = self.status().filter(|status| matches!(status, 408 | 500..=599))?;
        let (bytes, _) = self.response.as_ref()?.body();
        let words = String::from_utf8_lossy(&bytes[..bytes.len().min(4096)]);
        let generated = self.timers.is(Bit::ResponseGenerated);
        if generated == Some(false) || !words.trim_start().starts_with("[Fiddler]") || status == 500 {
            return None;
        }
        let words = words.trim_start().trim_start_matches("[Fiddler]").trim();
        let first = words.split(['\r', '\n']).next().unwrap_or_default().trim();
        let first = first.split("<br").next().unwrap_or_default().trim_end_matches('.');
        let authority = self.authority().unwrap_or_default();
        Some(failure::failure(door, first, &[&authority]))
    }

    fn request_line(&self) -> Option<RequestLine<'_>> {
        request_line(&self.request.as_ref()?.line)
    }

    fn status_line(&self) -> Option<StatusLine<'_>> {
        status_line(&self.response.as_ref()?.line)
    }

    fn status(&self) -> Option<u16> {
        self.status_line().map(|line| line.status)
    }

    fn is_connect(&self) -> bool {
        self.request_line().is_some_and(|line| line.method == b"CONNECT")
    }

    fn url(&self) -> Option<Vec<u8>> {
        let line = self.request_line()?;
        let head = RequestHead {
            method: line.method,
            target: line.target,
            version: b"HTTP/1.1",
            scheme: None,
            authority: None,
            protocol: None,
            fields: self.request.as_ref()?.fields(),
        };
        absolute_url(head, self.scheme, None)
    }

    /// Host and port of the URL.
    fn authority(&self) -> Option<String> {
        let url = String::from_utf8(self.url()?).ok()?;
        let rest = url.split_once("://")?.1;
        let rest = &rest[..rest.find(['/', '?', '#']).unwrap_or(rest.len())];
        Some(rest.rsplit('@').next().unwrap_or(rest).to_owned()).filter(|authority| !authority.is_empty())
    }

    fn scheme_of_target(&self) -> &'static str {
        let is_plain = self.url().is_some_and(|url| {
            [&b"http://"[..], b"ws://"]
                .iter()
                .any(|plain| url.get(..plain.len()).is_some_and(|start| start.eq_ignore_ascii_case(plain)))
        });
        if is_plain { "http" } else { "https" }
    }

    /// In origin form only flags and the tunnel before tell whether there was TLS.
    fn scheme_of_origin_form(&self, met: &mut Met) -> &'static str {
        let client = self.timers.flag("x-clientport").map(str::to_owned);
        if self.is_connect() {
            if met.tunnels.len() >= REMEMBERED {
                met.tunnels.clear();
            }
            met.tunnels.extend(client);
            return "https";
        }
        match self.timers.is(Bit::Https) {
            Some(false) if !client.is_some_and(|client| met.tunnels.contains(&client)) => "http",
            _ => "https",
        }
    }
}

impl Met {
    /// What tells this session's connection from others: the ports at both ends of Fiddler. A pipe that was not reused
    /// is a new one, also where a port comes back.
    pub(super) fn connection(&mut self, told: &Told) -> String {
        let Some(client) = told.timers.flag("x-clientport") else {
            // All that is known is where it went.
            return format!("of {}", told.authority().unwrap_or_default().to_ascii_lowercase());
        };
        let server = told.timers.flag("x-egressport").filter(|port| *port != "0").unwrap_or_default();
        let ports = format!("{} {client} {server}", told.timers.flag("x-clientip").unwrap_or_default());
        if self.generations.len() >= REMEMBERED {
            self.generations.clear();
        }
        let is_new = |bit| told.timers.is(bit) == Some(false);
        let known = self.generations.get(&ports).copied();
        let generation = match known {
            None => 0,
            Some(known) if is_new(Bit::ClientPipeReused) || (server.is_empty() && is_new(Bit::ServerPipeReused)) => {
                known + 1
            }
            Some(known) => known,
        };
        let identity = format!("{ports} {generation}");
        self.generations.insert(ports, generation);
        identity
    }
}

/// Whether a body was thrown away by whoever recorded it.
enum Dropped {
    No,
    /// And how long it was, where that is known.
    Yes(Option<u64>),
}

/// What the archive has of a body.
fn body(text: &Text, dropped: Dropped) -> Captured {
    let (bytes, length) = text.body();
    match dropped {
        Dropped::Yes(told) if length == 0 => Captured::Missing(told.or_else(|| text.stated_length()).unwrap_or(0)),
        _ if length == 0 => Captured::Missing(text.stated_length().unwrap_or(0)),
        // Where more was announced than is there, the end is missing.
        _ => Captured::Bytes(bytes.to_vec(), text.stated_length().unwrap_or(0).max(length)),
    }
}

fn message(door: Door<'_>, text: &Text, version: &str, body: Captured, refusal: bool) -> Message {
    let fields: Vec<_> = text.fields().map(|field| (field.name, field.value)).collect();
    let trailers = text.trailers(door);
    foreign::message(door, Parts { version, fields: &fields, body, trailers, refusal })
}

fn host_of(authority: &str) -> String {
    foreign::host(authority).to_ascii_lowercase()
}
