//! One request with its outcome: immutable and clean.
//!
//! Everything after the door works on these: the store, the diagnosis, the screens. Nothing in it can hold a
//! credential, because every text in it is [`Clean`].

mod recorder;
mod socket;

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

use crate::redact::{Body, Clean, Credential, Field, Fields, Url};

pub use crate::wire::{Oddities, Oddity};
pub use recorder::{Draft, Ids, Recorder, Setting, Talk, absolute_url};
pub use socket::{Socket, SocketKind, SocketMessage, Tally};

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

/// A failure of traffic, which is data: who failed at which step, and in which words.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failure {
    /// Whose failure it is.
    pub side: Side,
    /// What was being done.
    pub step: Step,
    /// What went wrong, from a closed set.
    pub kind: FailureKind,
    /// The same in words, with names, addresses and dates; English, no full stop at the end.
    pub text: Clean,
}

/// Whose failure it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Side {
    /// The client's.
    Client,
    /// The server's, or the network's on the way to it.
    Server,
    /// Ours.
    Proxy,
}

impl Side {
    /// All, for reading [`Side::code`] back.
    pub const ALL: [Self; 3] = [Self::Client, Self::Server, Self::Proxy];

    /// The word of the JSON contract.
    pub const fn code(self) -> &'static str {
        match self {
            Self::Client => "client",
            Self::Server => "server",
            Self::Proxy => "proxy",
        }
    }
}

/// What was being done when it failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    /// Looking the name up.
    Resolve,
    /// Opening the TCP connection.
    Connect,
    /// The TLS handshake.
    Tls,
    /// Sending a message.
    Send,
    /// Receiving a message.
    Receive,
}

impl Step {
    /// All, for reading [`Step::code`] back.
    pub const ALL: [Self; 5] = [Self::Resolve, Self::Connect, Self::Tls, Self::Send, Self::Receive];

    /// The word of the JSON contract.
    pub const fn code(self) -> &'static str {
        match self {
            Self::Resolve => "resolve",
            Self::Connect => "connect",
            Self::Tls => "tls",
            Self::Send => "send",
            Self::Receive => "receive",
        }
    }
}

/// What went wrong, from a closed set that rules can ask for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FailureKind {
    /// The name has no address.
    NameNotFound,
    /// Nobody listens there.
    Refused,
    /// No answer in time.
    TimedOut,
    /// No route to the address.
    Unreachable,
    /// The peer reset the connection.
    Reset,
    /// The peer closed in the middle of a message or handshake.
    ClosedEarly,
    /// The server's certificate has expired.
    CertificateExpired,
    /// The server's certificate is not valid yet.
    CertificateNotYetValid,
    /// The server's certificate does not carry the name asked for.
    CertificateNameMismatch,
    /// The server's certificate leads to no trusted root.
    CertificateUntrusted,
    /// The server's certificate is refused for another reason.
    CertificateInvalid,
    /// The peer speaks no protocol version or cipher in common with us.
    TlsIncompatible,
    /// The client refuses our certificate: it does not trust our root, or pins another.
    CertificateRefusedByClient,
    /// Another TLS failure.
    TlsFailed,
    /// What came is not the protocol expected.
    NotUnderstood,
    /// The client may not use this proxy: it does not know its user name and password.
    NotAdmitted,
    /// A limit that keeps the proxy itself safe was reached.
    TooMany,
    /// Cut by our own end (shutdown).
    CutByUs,
    /// The recorded session has no answer to this request (replay).
    NotInSession,
    /// Anything else.
    Other,
}

impl FailureKind {
    /// All, for reading [`FailureKind::code`] back.
    pub const ALL: [Self; 20] = [
        Self::NameNotFound,
        Self::Refused,
        Self::TimedOut,
        Self::Unreachable,
        Self::Reset,
        Self::ClosedEarly,
        Self::CertificateExpired,
        Self::CertificateNotYetValid,
        Self::CertificateNameMismatch,
        Self::CertificateUntrusted,
        Self::CertificateInvalid,
        Self::TlsIncompatible,
        Self::CertificateRefusedByClient,
        Self::TlsFailed,
        Self::NotUnderstood,
        Self::NotAdmitted,
        Self::TooMany,
        Self::CutByUs,
        Self::NotInSession,
        Self::Other,
    ];

    /// A stable word for files.
    pub const fn code(self) -> &'static str {
        match self {
            Self::NameNotFound => "name-not-found",
            Self::Refused => "refused",
            Self::TimedOut => "timed-out",
            Self::Unreachable => "unreachable",
            Self::Reset => "reset",
            Self::ClosedEarly => "closed-early",
            Self::CertificateExpired => "certificate-expired",
            Self::CertificateNotYetValid => "certificate-not-yet-valid",
            Self::CertificateNameMismatch => "certificate-name-mismatch",
            Self::CertificateUntrusted => "certificate-untrusted",
            Self::CertificateInvalid => "certificate-invalid",
            Self::TlsIncompatible => "tls-incompatible",
            Self::CertificateRefusedByClient => "certificate-refused-by-client",
            Self::TlsFailed => "tls-failed",
            Self::NotUnderstood => "not-understood",
            Self::NotAdmitted => "not-admitted",
            Self::TooMany => "too-many",
            Self::CutByUs => "cut-by-us",
            Self::NotInSession => "not-in-session",
            Self::Other => "other",
        }
    }
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

/// One client connection, with the one upstream connection that belongs to it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Connection {
    /// Unique within a session, from 1.
    pub id: u32,
    /// The client's address; a pseudonym unless it is a loopback address. Nothing in pasted text.
    pub client: Option<Clean>,
    /// What the client asked for, `host:port`.
    pub target: Option<Clean>,
    /// What TLS with the client settled, where it was intercepted.
    pub client_tls: Option<ClientTls>,
    /// The server's address and TLS, once connected.
    pub server: Option<Server>,
    /// The certificate that the client was shown, where TLS was intercepted.
    pub presented: Option<Certificate>,
}

/// What a TLS handshake with the client settled.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ClientTls {
    /// `TLS 1.3`.
    pub version: Clean,
    /// As IANA names it.
    pub cipher: Clean,
    /// The application protocol, if one was negotiated.
    pub alpn: Option<Clean>,
    /// The server name that the client sent, in whatever form.
    pub sni: Option<Clean>,
    /// In which form it came.
    pub sni_form: SniForm,
    /// Why the engine for old TLS had to serve the client; nothing where the usual one did.
    pub legacy: Option<Clean>,
}

/// How a client names the server in its TLS handshake (RFC 6066 section 3).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum SniForm {
    /// Not at all.
    #[default]
    Absent,
    /// By a host name, as it should be.
    Name,
    /// By a host name with a dot behind it.
    TrailingDot,
    /// By a host and a port.
    Port,
    /// By an IP address.
    Address,
    /// By something else.
    Odd,
}

impl SniForm {
    /// All, for reading [`SniForm::code`] back.
    pub const ALL: [Self; 6] = [Self::Absent, Self::Name, Self::TrailingDot, Self::Port, Self::Address, Self::Odd];

    /// A stable word for files.
    pub const fn code(self) -> &'static str {
        match self {
            Self::Absent => "absent",
            Self::Name => "name",
            Self::TrailingDot => "trailing-dot",
            Self::Port => "port",
            Self::Address => "address",
            Self::Odd => "odd",
        }
    }
}

/// The upstream end of a connection.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Server {
    /// `address:port`.
    pub address: Clean,
    /// Nothing for plain HTTP and for tunnels that were not looked into.
    pub tls: Option<Tls>,
}

/// What a TLS handshake settled.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tls {
    /// `TLS 1.3`.
    pub version: Clean,
    /// As IANA names it.
    pub cipher: Clean,
    /// The application protocol, if one was negotiated.
    pub alpn: Option<Clean>,
    /// The server's own certificate.
    pub certificate: Certificate,
    /// The further certificates that the server sent, in its order.
    pub chain: Vec<Certificate>,
    /// Why verification would have refused the certificate, had `--insecure-upstream` not been given.
    pub accepted_despite: Option<Clean>,
    /// Why the engine for old TLS had to be taken; nothing where the usual one did.
    pub legacy: Option<Clean>,
    /// Whether the server wanted a certificate of the client's, and got one.
    pub client_certificate: ClientCertificate,
    /// An earlier session was resumed: the server has shown its certificates then.
    pub resumed: bool,
    /// The server has negotiated again later on the same connection, as IIS does for a client certificate that it wants
    /// of some directories alone.
    pub renegotiated: bool,
}

impl Tls {
    /// One of which nothing but the server's certificate is known.
    pub fn of_certificate(certificate: Certificate) -> Self {
        Self {
            version: "".into(),
            cipher: "".into(),
            alpn: None,
            certificate,
            chain: Vec::new(),
            accepted_despite: None,
            legacy: None,
            client_certificate: ClientCertificate::default(),
            resumed: false,
            renegotiated: false,
        }
    }
}

/// Whether a server wanted a certificate of the client's.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum ClientCertificate {
    /// It did not ask for one.
    #[default]
    NotAsked,
    /// It asked, and there was none to give.
    Asked,
    /// It asked, and got the one of this subject.
    Given(Clean),
}

/// A certificate's facts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Certificate {
    /// Subject, RFC 4514 style.
    pub subject: Clean,
    /// Issuer, RFC 4514 style.
    pub issuer: Clean,
    /// DNS names and addresses of the subject alternative name.
    pub names: Vec<Clean>,
    /// Not valid before.
    pub not_before: Timestamp,
    /// Not valid after.
    pub not_after: Timestamp,
    /// SHA-256 of the DER form.
    pub sha256: [u8; 32],
}

impl Certificate {
    /// One of which nothing but the fingerprint is known.
    pub fn of_fingerprint(sha256: [u8; 32]) -> Self {
        let (subject, issuer, names) = ("".into(), "".into(), Vec::new());
        Self { subject, issuer, names, not_before: Timestamp::default(), not_after: Timestamp::default(), sha256 }
    }
}

/// Microseconds since 1970-01-01T00:00:00Z.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Timestamp(pub i64);

impl Timestamp {
    /// The time now. Only those who carry traffic or read files call this; rules compare the exchanges' own times.
    pub fn now() -> Self {
        let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap_or_default();
        Self(i64::try_from(since.as_micros()).unwrap_or(i64::MAX))
    }

    /// From whole seconds since 1970.
    pub const fn from_seconds(seconds: i64) -> Self {
        Self(seconds.saturating_mul(1_000_000))
    }

    /// Whole seconds since 1970.
    pub const fn seconds(self) -> i64 {
        self.0.div_euclid(1_000_000)
    }

    /// How long after `earlier` this is; zero if it is before.
    pub fn since(self, earlier: Self) -> Duration {
        Duration::from_micros(u64::try_from(self.0.saturating_sub(earlier.0)).unwrap_or(0))
    }

    /// Reads RFC 3339.
    pub fn parse(text: &str) -> Option<Self> {
        let time = OffsetDateTime::parse(text, &Rfc3339).ok()?;
        i64::try_from(time.unix_timestamp_nanos() / 1000).ok().map(Self)
    }
}

impl fmt::Display for Timestamp {
    /// RFC 3339 in UTC with milliseconds: `2026-11-22T09:00:00.123Z`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let time = OffsetDateTime::from_unix_timestamp(self.seconds()).unwrap_or(OffsetDateTime::UNIX_EPOCH);
        write!(
            f,
            "{:04}-{:02}-{:02}T{:02}:{:02}:{:02}.{:03}Z",
            time.year(),
            u8::from(time.month()),
            time.day(),
            time.hour(),
            time.minute(),
            time.second(),
            self.0.rem_euclid(1_000_000) / 1000
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn timestamps_read_back() {
        let text = "2026-11-22T09:00:00.123Z";
        assert_eq!(Timestamp::parse(text).map(|time| time.to_string()).as_deref(), Some(text));
    }
}
