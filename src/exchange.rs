//! One request with its outcome: immutable and clean.
//!
//! Everything after the door works on these: the store, the diagnosis, the screens. Nothing in it can hold a
//! credential, because every text in it is [`Clean`].

mod connection;
mod failure;
mod recorder;
mod socket;
mod timestamp;

use std::sync::Arc;
use std::time::Duration;

use crate::redact::{Body, Clean, Credential, Field, Fields, Url};

pub use crate::wire::{Oddities, Oddity};
pub use connection::{Certificate, ClientCertificate, ClientTls, Connection, Server, SniForm, Tls};
pub use failure::{Failure, FailureKind, Side, Step};
pub use recorder::{Draft, Ids, Recorder, Setting, Talk, absolute_url};
pub use socket::{Socket, SocketKind, SocketMessage, Tally};
pub use timestamp::Timestamp;

/// One request with its outcome.
///
/// An intercepted CONNECT is none; a tunnel that failed or passed undecrypted is one, with method `CONNECT` and the
/// URL `https://host[:port]/`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Exchange {
    /// Given in the order in which requests began, from 1; unique within a session.
    pub id: u64,
    /// When the first byte of the request was read, or the text was pasted.
    pub started: Timestamp,
    /// The client connection it came over.
    pub connection: Arc<Connection>,
    /// As sent; nothing only in pasted text without a request.
    pub method: Option<Clean>,
    /// Absolute; nothing only in pasted text that names no host.
    pub url: Option<Url>,
    /// The request's message.
    pub request: Seen<Message>,
    /// The final response.
    pub response: Seen<Response>,
    /// What broke. Together with a response it means that the response, or the request behind it, was cut short.
    pub error: Option<Failure>,
    /// How long things took, from [`Exchange::started`].
    pub timings: Timings,
    /// Still going on: a row written so that a long exchange survives a crash.
    pub running: bool,
}

impl Exchange {
    /// The final status, if a response was seen.
    pub fn status(&self) -> Option<u16> {
        self.response.seen().and_then(|response| response.status)
    }

    /// The request's fields; empty where the request is unseen.
    pub fn request_fields(&self) -> &[Field] {
        self.request.seen().map_or(&[], |message| &message.fields)
    }

    /// The response's fields; empty where there is none.
    pub fn response_fields(&self) -> &[Field] {
        self.response.seen().map_or(&[], |response| &response.message.fields)
    }

    /// The credential in the request's `Authorization`. `None` with a seen request means that there was none.
    pub fn authorization(&self) -> Option<&Credential> {
        credential(self.request_fields(), "authorization")
    }

    /// The credential in the request's `Proxy-Authorization`.
    pub fn proxy_authorization(&self) -> Option<&Credential> {
        credential(self.request_fields(), "proxy-authorization")
    }
}

fn credential<'a>(fields: &'a [Field], name: &str) -> Option<&'a Credential> {
    fields
        .iter()
        .find(|field| field.name.as_str().eq_ignore_ascii_case(name))
        .and_then(|field| field.credential.as_ref())
}

/// Something that was captured, or the reason why it was not. "Absent" is a value of `T`; unseen is not absent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Seen<T> {
    /// It was captured.
    Seen(T),
    /// It was not; nothing may be concluded from that.
    Unseen(Unseen),
}

impl<T> Seen<T> {
    /// What was captured.
    pub const fn seen(&self) -> Option<&T> {
        match self {
            Self::Seen(value) => Some(value),
            Self::Unseen(_) => None,
        }
    }

    /// Why it was not captured.
    pub const fn unseen(&self) -> Option<Unseen> {
        match self {
            Self::Seen(_) => None,
            Self::Unseen(reason) => Some(*reason),
        }
    }
}

/// Why something was not captured.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unseen {
    /// `--skip-decrypt` names the host, or it is on the built-in list.
    SkippedHost,
    /// The root certificate is limited to other domains: clients would refuse what it signs for this one.
    OutsideRoot,
    /// More new names came in a short time than certificates are made for.
    TooManyNames,
    /// The tunnel carries no TLS and no HTTP/1.
    NotTls,
    /// The client offers only protocols this version does not read (HTTP/2 without HTTP/1.1).
    UnreadProtocol,
    /// The server speaks no TLS that this proxy speaks.
    ServerTlsTooOld,
    /// The client speaks no TLS that this proxy speaks, or sent a ClientHello that cannot be served.
    ClientTlsUnreadable,
    /// The server insists on a certificate of the client's, which this proxy does not have.
    ServerWantsCertificate,
    /// The reader lost its place.
    NotUnderstood,
    /// Recording was paused, or stopped for lack of room.
    NotRecorded,
    /// The pasted text or imported file does not have it.
    NotInSource,
    /// The tool that made the imported file let the tunnel pass undecrypted.
    NotDecrypted,
    /// There was none: the exchange failed before. See [`Exchange::error`].
    NeverCame,
}

impl Unseen {
    /// All reasons, for reading [`Unseen::code`] back.
    pub const ALL: [Self; 13] = [
        Self::SkippedHost,
        Self::OutsideRoot,
        Self::TooManyNames,
        Self::NotTls,
        Self::UnreadProtocol,
        Self::ServerTlsTooOld,
        Self::ClientTlsUnreadable,
        Self::ServerWantsCertificate,
        Self::NotUnderstood,
        Self::NotRecorded,
        Self::NotInSource,
        Self::NotDecrypted,
        Self::NeverCame,
    ];

    /// A stable word for files.
    pub const fn code(self) -> &'static str {
        match self {
            Self::SkippedHost => "skipped-host",
            Self::OutsideRoot => "outside-root",
            Self::TooManyNames => "too-many-names",
            Self::NotTls => "not-tls",
            Self::UnreadProtocol => "unread-protocol",
            Self::ServerTlsTooOld => "server-tls-too-old",
            Self::ClientTlsUnreadable => "client-tls-unreadable",
            Self::ServerWantsCertificate => "server-wants-certificate",
            Self::NotUnderstood => "not-understood",
            Self::NotRecorded => "not-recorded",
            Self::NotInSource => "not-in-source",
            Self::NotDecrypted => "not-decrypted",
            Self::NeverCame => "never-came",
        }
    }
}

/// Fields, body and trailers of one direction.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Message {
    /// `HTTP/1.1`, as sent.
    pub version: Clean,
    /// How much of the fields was captured.
    pub head: Head,
    /// In order, as spelled.
    pub fields: Fields,
    /// What may be kept of the body.
    pub body: Body,
    /// After a chunked body.
    pub trailers: Fields,
    /// What different servers read differently in it.
    pub odd: Oddities,
}

/// How much of a message's fields was captured.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Head {
    /// All of them.
    #[default]
    Whole,
    /// All but those that carry credentials: the exporter took them out.
    Stripped,
    /// Some lines that somebody copied: what is missing says nothing.
    Excerpt,
}

impl Head {
    /// All, for reading [`Head::code`] back.
    pub const ALL: [Self; 3] = [Self::Whole, Self::Stripped, Self::Excerpt];

    /// A stable word for files.
    pub const fn code(self) -> &'static str {
        match self {
            Self::Whole => "whole",
            Self::Stripped => "stripped",
            Self::Excerpt => "excerpt",
        }
    }

    /// Whether a field of this name would be there, had it been sent.
    pub fn would_show(self, name: &str) -> bool {
        const TAKEN_OUT: [&str; 4] = ["authorization", "proxy-authorization", "cookie", "set-cookie"];
        match self {
            Self::Whole => true,
            Self::Stripped => !TAKEN_OUT.iter().any(|taken| name.eq_ignore_ascii_case(taken)),
            Self::Excerpt => false,
        }
    }
}

/// A final response, with the interim ones before it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Response {
    /// Three digits; nothing where somebody copied lines of a response without its status.
    pub status: Option<u16>,
    /// As sent, may be empty.
    pub reason: Clean,
    /// Fields and body.
    pub message: Message,
    /// 1xx responses that came before it.
    pub interim: Vec<Interim>,
    /// The response ended before the request did.
    pub early: bool,
    /// What passed after it, where it opened a WebSocket.
    pub socket: Option<Box<Socket>>,
}

/// A 1xx response.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Interim {
    /// 100, 102, 103.
    pub status: u16,
    /// As sent, may be empty.
    pub reason: Clean,
    /// Its fields.
    pub fields: Fields,
}

/// How long things took, counted from [`Exchange::started`].
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Timings {
    /// Until the request was complete.
    pub sent: Option<Duration>,
    /// Until the first byte of the final response's head.
    pub first_byte: Option<Duration>,
    /// Until the exchange was over.
    pub done: Option<Duration>,
}
