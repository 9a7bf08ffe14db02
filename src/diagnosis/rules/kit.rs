//! For the rules' tests: short texts become exchanges by the way that real traffic takes, recorder and redactor.
//!
//! A request is `METHOD URL`, header lines, and after an empty line a body; a response begins with the status and may
//! go on with a reason. Placeholders stand for what is tedious to write: `{basic user:password}`, `{ntlm1}`, `{ntlm2}`,
//! `{ntlm3 user}`, with a channel binding `{ntlm3ours user}`, `{ntlm3server user}`, `{ntlm3zero user}` or, to a
//! certificate unknown here, `{ntlm3bound user}`, in version 1 `{ntlm3v1 user}`, `{kerberos}`, `{kerberos etype}`,
//! `{kerberoserror code}`, `{jwt claim=value claim=value}`, `{bearer}` and `{bearer authorization_uri}` (Exchange's
//! challenge).

#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing)]

use std::fmt::Write as _;
use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};

use crate::diagnosis::past::Lesson;
use crate::diagnosis::{Actor, Capture, Case, Certainty, Hit, Kind, Past, Rule};
use crate::exchange::{
    Certificate, Connection, Exchange, Failure, FailureKind, Head, Ids, Recorder, Seen, Server, Setting, Side, Step,
    Timestamp, Timings, Tls, Unseen,
};
use crate::redact::{Bindings, Redactor};

/// When the first exchange of an example begins; the next follow a second apart.
pub(crate) const START: &str = "2026-11-22T09:00:00.000Z";
/// The fingerprint of the certificate that the client of [`Raw::decrypted`] was shown.
const OURS: [u8; 32] = [1; 32];
/// The fingerprint of the server's own.
const SERVERS: [u8; 32] = [2; 32];

/// A few exchanges, and what a rule says of the last one.
pub(crate) struct Example {
    /// What happens, as the end of "it fires when …" or "it stays silent when …".
    pub(crate) name: &'static str,
    pub(crate) expected: Option<(Kind, Certainty, Actor)>,
    pub(crate) exchanges: &'static [Raw],
    pub(crate) capture: Capture,
    withheld: bool,
}

impl Example {
    /// The rule fires on the last exchange.
    pub(crate) const fn fires(
        name: &'static str,
        (kind, certainty, actor): (Kind, Certainty, Actor),
        exchanges: &'static [Raw],
    ) -> Self {
        Self { name, expected: Some((kind, certainty, actor)), exchanges, capture: Capture::Imported, withheld: false }
    }

    /// A near miss: the rule stays silent on the last exchange.
    pub(crate) const fn silent(name: &'static str, exchanges: &'static [Raw]) -> Self {
        Self { name, expected: None, exchanges, capture: Capture::Imported, withheld: false }
    }

    /// The rule has something to say that only later traffic decides.
    pub(crate) const fn withheld(name: &'static str, exchanges: &'static [Raw]) -> Self {
        Self::fires(name, STEP, exchanges).withheld_so()
    }

    /// What it says waits for later traffic.
    pub(crate) const fn withheld_so(mut self) -> Self {
        self.withheld = true;
        self
    }

    /// The same in a live capture on loopback.
    pub(crate) const fn live(mut self) -> Self {
        self.capture = Capture::Live { loopback: true, windows: true };
        self
    }

    /// The same in a file of a tool that opens TLS.
    pub(crate) const fn intercepted(mut self) -> Self {
        self.capture = Capture::Intercepted;
        self
    }

    /// What is wrong with what `rule` says of the last exchange.
    pub(crate) fn wrong(&self, rule: &Rule) -> Option<String> {
        let wrong = |what: String| Some(format!("{}: {}: {what}", rule.id, self.name));
        let hit = find(rule, self.capture, self.exchanges);
        let found = hit.as_ref().map(|hit| (hit.kind, hit.certainty, hit.actor));
        if found != self.expected {
            return wrong(format!("found {found:?}, expected {:?}", self.expected));
        }
        let hit = hit?;
        if hit.withheld != self.withheld {
            return wrong(format!("withheld: {}", hit.withheld));
        }
        if hit.evidence.is_empty() {
            return wrong("no evidence".to_owned());
        }
        let declared = rule.kinds.contains(&hit.kind)
            && rule.certainties.contains(&hit.certainty)
            && rule.actors.contains(&hit.actor);
        if declared { None } else { wrong(format!("{found:?} is not declared")) }
    }
}

/// What [`Example::fires`] expects of a step.
pub(crate) const STEP: (Kind, Certainty, Actor) = (Kind::Step, Certainty::Certain, Actor::Nobody);

/// The same where the request was not captured.
pub(crate) const LIKELY_STEP: (Kind, Certainty, Actor) = (Kind::Step, Certainty::Likely, Actor::Nobody);

/// One exchange as text.
#[derive(Clone, Copy)]
pub(crate) struct Raw {
    request: &'static str,
    response: &'static str,
    connection: u32,
    error: Option<(Side, Step, FailureKind, &'static str)>,
    unseen: Option<Unseen>,
    stripped: bool,
    decrypted: bool,
    pasted: bool,
}

impl Raw {
    /// A request with its response. An empty request is one that was not captured.
    pub(crate) const fn new(request: &'static str, response: &'static str) -> Self {
        Self {
            request,
            response,
            connection: 1,
            error: None,
            unseen: None,
            stripped: false,
            pasted: false,
            decrypted: false,
        }
    }

    /// A request (or `CONNECT https://host/`) that failed without a response.
    pub(crate) const fn failed(
        request: &'static str,
        side: Side,
        step: Step,
        kind: FailureKind,
        text: &'static str,
    ) -> Self {
        Self { error: Some((side, step, kind, text)), ..Self::new(request, "") }
    }

    /// A tunnel that passed undecrypted: `CONNECT https://host/`.
    pub(crate) const fn tunnel(request: &'static str, why: Unseen) -> Self {
        Self { unseen: Some(why), ..Self::new(request, "") }
    }

    /// Over TLS that was opened on the way with a certificate of its own.
    pub(crate) const fn decrypted(mut self) -> Self {
        self.decrypted = true;
        self
    }

    /// Read from a file whose writer took credentials out.
    pub(crate) const fn stripped(mut self) -> Self {
        self.stripped = true;
        self
    }

    /// What somebody was told, pasted as text: nothing of the traffic is known.
    pub(crate) const fn pasted(text: &'static str) -> Self {
        Self { pasted: true, ..Self::new("", text) }
    }

    /// On another client connection than the first.
    pub(crate) const fn on(mut self, connection: u32) -> Self {
        self.connection = connection;
        self
    }
}

/// What `rule` says of the last exchange, after the others; nothing where its gate stays shut.
pub(crate) fn find(rule: &Rule, capture: Capture, raw: &[Raw]) -> Option<Hit> {
    let exchanges = exchanges(raw);
    let (last, earlier) = exchanges.split_last().unwrap();
    let mut past = Past::default();
    for exchange in earlier {
        let lesson = Lesson::of(&Case::new(exchange, &past, capture));
        past.remember(lesson);
    }
    let case = Case::new(last, &past, capture);
    rule.gate.opens(&case).then(|| (rule.find)(&case))?
}

/// The texts as exchanges of one run, in their order.
pub(crate) fn exchanges(raw: &[Raw]) -> Vec<Exchange> {
    let redactor = Redactor::new();
    let ids = Ids::default();
    let start = Timestamp::parse(START).unwrap();
    let moment = |index: usize| Timestamp(start.0 + 1_000_000 * i64::try_from(index).unwrap());
    raw.iter().enumerate().map(|(index, raw)| exchange(*raw, &redactor, &ids, moment(index))).collect()
}

fn exchange(raw: Raw, redactor: &Redactor, ids: &Ids, now: Timestamp) -> Exchange {
    if raw.pasted {
        return crate::session::paste::read(raw.response.as_bytes(), redactor, ids, now).remove(0);
    }
    let request = expand(if raw.request.is_empty() { "GET https://unseen.invalid/" } else { raw.request });
    let (first, rest) = request.split_once('\n').unwrap_or((&request, ""));
    let (method, url) = first.split_once(' ').unwrap();
    let (scheme, after) = url.split_once("://").unwrap();
    let (authority, path) = after.split_at(after.find('/').unwrap_or(after.len()));
    let mut connection = Connection { id: raw.connection, ..Connection::default() };
    if raw.decrypted {
        between(&mut connection, Some(OURS), Some(SERVERS));
    }
    let connection = Arc::new(connection);
    let failure = raw.error.map(|(side, step, kind, text)| Failure { side, step, kind, text: text.into() });
    if method == "CONNECT" {
        let unseen = raw.unseen.unwrap_or(Unseen::NeverCame);
        return Exchange {
            id: ids.exchange(),
            started: now,
            connection,
            method: Some("CONNECT".into()),
            url: Some(redactor.wire().url(url.as_bytes())),
            request: Seen::Unseen(unseen),
            response: Seen::Unseen(unseen),
            error: failure,
            timings: Timings::default(),
            running: false,
        };
    }
    let path = if path.is_empty() { "/" } else { path };
    let head = format!("{method} {path} HTTP/1.1\nHost: {authority}\n{rest}");
    let response = (!raw.response.is_empty()).then(|| message(&format!("HTTP/1.1 {}", expand(raw.response))));
    let ids = ids.clone();
    let setting = setting(redactor, connection, ids, scheme, authority);
    let setting = Setting { bindings: Bindings::of_fingerprints(Some(OURS), Some(SERVERS)), ..setting };
    let mut exchange = record(setting, &message(&head), response.as_deref(), failure, now);
    if raw.request.is_empty() {
        forget_request(&mut exchange);
    }
    if let (true, Seen::Seen(message)) = (raw.stripped, &mut exchange.request) {
        message.head = Head::Stripped;
    }
    exchange
}

/// How a recorder is set for one origin.
pub(crate) fn setting(
    redactor: &Redactor,
    connection: Arc<Connection>,
    ids: Ids,
    scheme: &str,
    authority: &str,
) -> Setting {
    Setting {
        redactor: redactor.clone(),
        connection,
        ids,
        scheme: if scheme == "http" { "http" } else { "https" },
        authority: Some(authority.as_bytes().to_vec()),
        body_limit: 1 << 16,
        own: false,
        bindings: Bindings::UNKNOWN,
    }
}

/// Makes `connection` one whose client was shown one certificate and whose server showed another, of which nothing but
/// the fingerprints are known.
pub(crate) fn between(connection: &mut Connection, presented: Option<[u8; 32]>, server: Option<[u8; 32]>) {
    connection.presented = presented.map(Certificate::of_fingerprint);
    connection.server = server.map(|sha256| Server {
        address: "".into(),
        tls: Some(Tls::of_certificate(Certificate::of_fingerprint(sha256))),
    });
}

/// One request, and the response if there is one, through the recorder.
pub(crate) fn record(
    setting: Setting,
    request: &[u8],
    response: Option<&[u8]>,
    failure: Option<Failure>,
    now: Timestamp,
) -> Exchange {
    let mut recorder = Recorder::new(setting);
    recorder.request_bytes(request, now);
    if let Some(response) = response {
        recorder.response_bytes(response, now);
    }
    recorder.close(failure, now);
    recorder.finished().swap_remove(0).finish()
}

/// As if only the response had been pasted.
pub(crate) fn forget_request(exchange: &mut Exchange) {
    (exchange.method, exchange.url) = (None, None);
    exchange.request = Seen::Unseen(Unseen::NotInSource);
}

/// Head and body with the line ends and the length of the wire.
fn message(text: &str) -> Vec<u8> {
    let (head, body) = text.split_once("\n\n").unwrap_or((text, ""));
    let mut wire = head.trim_end().replace('\n', "\r\n");
    let framed = head.to_ascii_lowercase().contains("\ncontent-length:");
    if !framed {
        write!(wire, "\r\nContent-Length: {}", body.len()).unwrap();
    }
    write!(wire, "\r\n\r\n{body}").unwrap();
    wire.into_bytes()
}

/// Fills the placeholders; braces that open none (JSON) stay.
pub(crate) fn expand(text: &str) -> String {
    let mut filled = String::new();
    let mut rest = text;
    while let Some(open) = rest.find('{') {
        let (before, from) = rest.split_at(open);
        filled.push_str(before);
        let close = from.find('}').unwrap_or(0);
        let (word, argument) =
            from.get(1..close).unwrap_or_default().split_once(' ').unwrap_or((&from[1..close.max(1)], ""));
        let value = match word {
            "basic" => STANDARD.encode(argument),
            "ntlm1" => STANDARD.encode(ntlm1()),
            "ntlm2" => STANDARD.encode(ntlm2()),
            "ntlm3" => STANDARD.encode(ntlm3(argument, &[])),
            "ntlm3bound" => bound(argument, [5; 16]),
            "ntlm3zero" => bound(argument, [0; 16]),
            "ntlm3ours" => bound(argument, Bindings::of_fingerprints(Some(OURS), None).ours.unwrap()),
            "ntlm3server" => bound(argument, Bindings::of_fingerprints(Some(SERVERS), None).ours.unwrap()),
            "ntlm3v1" => STANDARD.encode(authenticate(argument, &[8; 24])),
            "kerberos" => STANDARD.encode(kerberos(argument)),
            "kerberoserror" => STANDARD.encode(kerberos_error(argument)),
            "jwt" => jwt(argument),
            "bearer" => bearer(argument),
            _ => {
                filled.push('{');
                rest = &from[1..];
                continue;
            }
        };
        filled.push_str(&value);
        rest = &from[close + 1..];
    }
    filled.push_str(rest);
    filled
}

/// The Bearer challenge of an Exchange in a hybrid organisation.
fn bearer(authorization_uri: &str) -> String {
    let mut challenge = "Bearer client_id=\"00000002-0000-0ff1-ce00-000000000000\", \
        trusted_issuers=\"00000001-0000-0000-c000-000000000000@8da56bec-0d27-4cac-ab06-52ee2c40ea22\", \
        token_types=\"app_asserted_user_v1 service_asserted_app_v1\""
        .to_owned();
    if !authorization_uri.is_empty() {
        write!(challenge, ", authorization_uri=\"{authorization_uri}\"").unwrap();
    }
    challenge
}

fn jwt(claims: &str) -> String {
    let mut payload = serde_json::Map::new();
    for claim in claims.split_whitespace() {
        let (name, value) = claim.split_once('=').unwrap();
        let value = value.parse::<i64>().map_or_else(|_| value.into(), serde_json::Value::from);
        payload.insert(name.to_owned(), value);
    }
    let part = |text: &str| URL_SAFE_NO_PAD.encode(text);
    let payload = serde_json::Value::Object(payload).to_string();
    format!("{}.{}.{}", part(r#"{"typ":"JWT","alg":"RS256"}"#), part(&payload), part("not a signature"))
}

const FLAGS: u32 = 0xe208_8297;

fn ntlm1() -> Vec<u8> {
    let mut message = b"NTLMSSP\0\x01\0\0\0".to_vec();
    message.extend(FLAGS.to_le_bytes());
    message.extend([0; 16]);
    message
}

fn ntlm2() -> Vec<u8> {
    let (target, info) = (utf16("CONTOSO"), [&[2, 0, 14, 0][..], &utf16("CONTOSO"), &[0, 0, 0, 0]].concat());
    let mut message = b"NTLMSSP\0\x02\0\0\0".to_vec();
    message.extend(buffer(target.len(), 56));
    message.extend(FLAGS.to_le_bytes());
    message.extend(*b"\x11\x22\x33\x44\x55\x66\x77\x88\0\0\0\0\0\0\0\0");
    message.extend(buffer(info.len(), 56 + target.len()));
    message.extend([0; 8]);
    message.extend(target);
    message.extend(info);
    message
}

/// A GSS-API token of the Kerberos mechanism, with an empty ticket or one for a service, encrypted as `etype` says.
fn kerberos(etype: &str) -> Vec<u8> {
    let Ok(etype) = etype.parse::<u8>() else { return gss([1, 0], &[0x6e, 0]) };
    let text = |text: &str| der(0x1b, text.as_bytes());
    let service = [der(0xa0, &[2, 1, 2]), der(0xa1, &der(0x30, &[text("HTTP"), text("mail.contoso.com")].concat()))];
    let encrypted = [der(0xa0, &[2, 1, etype]), der(0xa2, &der(4, &[7; 32]))].concat();
    let ticket = [
        der(0xa0, &[2, 1, 5]),
        der(0xa1, &text("CONTOSO.COM")),
        der(0xa2, &der(0x30, &service.concat())),
        der(0xa3, &der(0x30, &encrypted)),
    ];
    let request = [
        der(0xa0, &[2, 1, 5]),
        der(0xa1, &[2, 1, 14]),
        der(0xa2, &der(3, &[0; 5])),
        der(0xa3, &der(0x61, &der(0x30, &ticket.concat()))),
        der(0xa4, &der(0x30, &encrypted)),
    ];
    gss([1, 0], &der(0x6e, &der(0x30, &request.concat())))
}

/// The server's KRB-ERROR.
fn kerberos_error(code: &str) -> Vec<u8> {
    let fields = [
        der(0xa0, &[2, 1, 5]),
        der(0xa1, &[2, 1, 30]),
        der(0xa4, &der(0x18, b"20261122090500Z")),
        der(0xa6, &[2, 1, code.parse().unwrap()]),
        der(0xa9, &der(0x1b, b"CONTOSO.COM")),
    ];
    gss([3, 0], &der(0x7e, &der(0x30, &fields.concat())))
}

fn gss(kind: [u8; 2], message: &[u8]) -> Vec<u8> {
    const KERBEROS: [u8; 11] = [6, 9, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x12, 1, 2, 2];
    der(0x60, &[&KERBEROS[..], &kind, message].concat())
}

fn der(tag: u8, content: &[u8]) -> Vec<u8> {
    let length = u16::try_from(content.len()).unwrap().to_be_bytes();
    let short = u8::try_from(content.len()).ok().filter(|length| *length < 128);
    let head = short.map_or(vec![tag, 0x82, length[0], length[1]], |length| vec![tag, length]);
    [&head[..], content].concat()
}

fn bound(user: &str, binding: [u8; 16]) -> String {
    STANDARD.encode(ntlm3(user, &[&[10, 0, 16, 0][..], &binding].concat()))
}

/// Version 2, with these AV pairs.
fn ntlm3(user: &str, pairs: &[u8]) -> Vec<u8> {
    authenticate(user, &[&[7; 16][..], &[1, 1, 0, 0, 0, 0, 0, 0], &[9; 20], pairs, &[0; 8]].concat())
}

fn authenticate(user: &str, response: &[u8]) -> Vec<u8> {
    let (domain, user, workstation) = (utf16("CONTOSO"), utf16(user), utf16("PC1"));
    let parts = [&[0; 24][..], response, &domain, &user, &workstation, &[]];
    let mut message = b"NTLMSSP\0\x03\0\0\0".to_vec();
    let mut at = 88;
    for part in parts {
        message.extend(buffer(part.len(), at));
        at += part.len();
    }
    message.extend(FLAGS.to_le_bytes());
    message.extend([0; 24]);
    message.extend(parts.concat());
    message
}

fn buffer(length: usize, offset: usize) -> Vec<u8> {
    let length = u16::try_from(length).unwrap().to_le_bytes();
    [&length[..], &length, &u32::try_from(offset).unwrap().to_le_bytes()].concat()
}

fn utf16(text: &str) -> Vec<u8> {
    text.encode_utf16().flat_map(u16::to_le_bytes).collect()
}
