//! What each target does with the bytes it is given. The fuzzers call these, and so does the test that feeds them the
//! committed corpus on every run, so that they cannot rot.

use std::path::Path;
use std::sync::Arc;

use authtap::diagnosis::{Capture, Diagnosis, decode};
use authtap::exchange::{Exchange, Ids, Recorder, Setting, Timestamp};
use authtap::redact::{Bindings, Content, Credential, RawBody, Redactor, Syntax};
use authtap::session::har::Har;
use authtap::session::{self, Opening, paste};
use authtap::wire::Fields;
use authtap::wire::hello::{ClientHello, HELLO_LIMIT, Reading, read as read_hello};
use authtap::wire::websocket::{Extensions, KEPT, Reader};
use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};

use super::events::{of_http2, of_requests, of_responses};
use super::{SECRET, body as read_body, field, hidden, planted, text, token, url as read_url};

/// What one target does with its input.
pub type Target = fn(&[u8]);

/// All of them.
pub const ALL: [(&str, Target); 20] = [
    ("bearer", bearer),
    ("body", body),
    ("challenge", challenge),
    ("decode", decoders),
    ("eas", eas),
    ("har", har),
    ("hello", hello),
    ("http1", http1),
    ("http2", http2),
    ("mapi", mapi),
    ("mitm", mitm),
    ("negotiate", negotiate),
    ("ntlm", ntlm),
    ("paste", paste),
    ("redact", redact),
    ("rpc", rpc),
    ("saz", saz),
    ("url", url),
    ("wbxml", wbxml),
    ("websocket", websocket),
];

/// Tokens as they stand in a field, and JWTs made of a header and claims, with a secret in the claims.
pub fn bearer(bytes: &[u8]) {
    field("Authorization", &[b"Bearer ", bytes].concat());
    hidden(field("Authorization", &[b"Bearer ", bytes, SECRET.as_bytes()].concat()).value.as_str());

    // A line break stands between header and claims.
    let cut = bytes.iter().position(|byte| *byte == b'\n').unwrap_or(bytes.len());
    let (header, claims) = bytes.split_at(cut);
    let part = |bytes: &[u8]| URL_SAFE_NO_PAD.encode(bytes);
    let jwt = |claims: &[u8]| field("Authorization", format!("Bearer {}.{}.x", part(header), part(claims)).as_bytes());
    jwt(claims);
    let planted = String::from_utf8_lossy(claims).replace('*', SECRET);
    hidden(jwt(planted.as_bytes()).value.as_str());
    field("Authorization", format!("Bearer {}.a.b.c.d", part(header)).as_bytes());
}

const TYPES: [&str; 16] = [
    "",
    "application/json",
    "application/x-www-form-urlencoded",
    "text/xml",
    "application/soap+xml; charset=utf-8",
    "text/html",
    "text/html; charset=shift_jis",
    "text/plain",
    "text/plain; charset=utf-16",
    "application/vnd.ms-sync.wbxml",
    "application/vnd.ms-sync",
    "application/mapi-http",
    "application/rpc",
    "multipart/mixed",
    "application/octet-stream",
    "application/problem+json",
];

/// Bodies by their type and coding.
pub fn body(bytes: &[u8]) {
    let Some((choice, bytes)) = bytes.split_first() else { return };
    let coding = ["", "gzip", "deflate", "br"][usize::from(choice >> 4 & 3)];
    read_body(TYPES[usize::from(choice & 15)], coding, choice & 0x80 != 0, bytes);
}

/// Challenges, alone and with a secret in a parameter behind them.
pub fn challenge(bytes: &[u8]) {
    let bytes = bytes.trim_ascii();
    for name in ["WWW-Authenticate", "Proxy-Authenticate", "Authentication-Info"] {
        field(name, bytes);
        let nonce = format!(", nonce=\"{SECRET}\"");
        hidden(field(name, &[bytes, nonce.as_bytes()].concat()).value.as_str());
    }
}

/// ActiveSync's short query, whole and with a secret anywhere in it.
pub fn eas(bytes: &[u8]) {
    const DIRECTORY: &str = "https://mail.contoso.com/Microsoft-Server-ActiveSync?";
    let (whole, planted) = planted(bytes);
    read_url(format!("{DIRECTORY}{}", STANDARD.encode(whole)).as_bytes());
    hidden(read_url(format!("{DIRECTORY}{}", STANDARD.encode(planted)).as_bytes()).text().as_str());
    read_url(&[DIRECTORY.as_bytes(), whole].concat());
}

/// Any bytes are read as an archive without a panic, and what is read from the same bytes twice is the same.
pub fn har(bytes: &[u8]) {
    let read = |bytes: &[u8]| {
        let archive = Har::of_text(bytes.to_vec().into(), Path::new("fuzz.har"), &Opening::quietly(&Redactor::new()));
        archive.map(|archive| archive.exchanges().map(|read| read.map(|exchange| exchange.id)).collect::<Vec<_>>())
    };
    let first = read(bytes);
    assert!(read(bytes) == first);
    // The same as one entry of an archive.
    let entry = [b"{\"log\":{\"entries\":[".as_slice(), bytes, b"]}}"].concat();
    let _ = read(&entry);
}

/// The first bytes of a connection: what they are is the same however they come, and does not change with what follows.
/// The first byte is the size of the pieces.
pub fn hello(bytes: &[u8]) {
    let Some((size, bytes)) = bytes.split_first() else { return };
    // Longer ones are given up as soon as so much of them has come.
    let bytes = &bytes[..bytes.len().min(HELLO_LIMIT - 1)];
    let offered = |hello: Box<ClientHello>| {
        let ClientHello { newest, suites, server_name, protocols, groups, schemes } = *hello;
        let listed = suites.len() + schemes.len() + groups.as_ref().map_or(0, Vec::len);
        assert!(listed <= bytes.len(), "no more than was sent");
        (newest, suites, server_name, protocols, groups, schemes)
    };
    let read = |length: usize| match read_hello(&bytes[..length]) {
        Reading::Part => None,
        Reading::Hello(hello) => Some(Some(offered(hello))),
        Reading::Other => Some(None),
    };
    let mut ends = (0..bytes.len()).step_by(usize::from(*size).max(1));
    let whole = read(bytes.len());
    if let Some(end) = ends.find(|end| read(*end).is_some()) {
        assert!(read(end) == whole, "{end} bytes of it were read as {:?}, all as {whole:?}", read(end));
    }
}

/// Any bytes are read as flows without a panic, and what is read from the same bytes twice is the same.
pub fn mitm(bytes: &[u8]) {
    as_file("mitm", bytes);
    // Behind a flow whose end is known.
    as_file("mitm", &[b"24:7:version;2:21#4:type;1:x;}".as_slice(), bytes].concat());
}

/// Any bytes are read as an archive, and as the members of one, divided by a byte of 0: twice, and alike.
pub fn saz(bytes: &[u8]) {
    as_file("saz", &[b"PK\x03\x04".as_slice(), bytes].concat());
    let mut parts = bytes.splitn(4, |byte| *byte == 0);
    let names = ["raw/1_c.txt", "raw/1_s.txt", "raw/1_m.xml", "raw/1_w.txt"];
    let members = names.iter().zip(&mut parts).flat_map(|(name, content)| member(name, content));
    as_file("saz", &members.collect::<Vec<u8>>());
}

/// A member of a ZIP file, deflated without being made shorter, of a length that only its end tells.
fn member(name: &str, content: &[u8]) -> Vec<u8> {
    let content = &content[..content.len().min(usize::from(u16::MAX))];
    let length = u16::try_from(content.len()).unwrap_or_default();
    let mut member = b"PK\x03\x04\x14\0\x08\0\x08\0".to_vec();
    member.extend([0; 16]);
    member.extend(u16::try_from(name.len()).unwrap_or_default().to_le_bytes());
    member.extend([0; 2]);
    member.extend(name.bytes());
    member.push(1);
    member.extend(length.to_le_bytes());
    member.extend((!length).to_le_bytes());
    member.extend(content);
    member
}

/// Reads `bytes` as a session file, twice.
fn as_file(kind: &str, bytes: &[u8]) {
    let path = std::env::temp_dir().join(format!("authtap-fuzz-{}.{kind}", std::process::id()));
    if std::fs::write(&path, bytes).is_err() {
        return;
    }
    let read = || {
        let redactor = Redactor::new();
        let reader = session::Reader::open(&path, &Opening::quietly(&redactor));
        reader.map(|reader| reader.exchanges().map(|read| read.map(|read| read.exchange)).collect::<Vec<_>>())
    };
    let first = read();
    assert!(read() == first);
    let _ = std::fs::remove_file(&path);
}

/// Requests and their answers, divided by a byte of 0: any split of them gives the same events, and the same exchanges.
/// The first byte is the size of the pieces.
pub fn http1(bytes: &[u8]) {
    let Some((size, bytes)) = bytes.split_first() else { return };
    let size = usize::from(*size).max(1);
    let (requests, responses) = directions(bytes);
    let (seen, asked) = of_requests(requests, usize::MAX);
    let pieces = of_requests(requests, size);
    assert!(pieces.0 == seen, "{seen:?}\nin pieces of {size}\n{:?}", pieces.0);
    let seen = of_responses(responses, &asked, usize::MAX);
    let pieces = of_responses(responses, &asked, size);
    assert!(pieces == seen, "{seen:?}\nin pieces of {size}\n{pieces:?}");
    let whole = recorded(requests, responses, usize::MAX);
    let pieces = recorded(requests, responses, size);
    assert!(pieces == whole, "{whole:?}\nin pieces of {size}\n{pieces:?}");
}

/// HTTP/2, both directions in turns: any split of them gives the same events. The first byte is the size of the pieces.
pub fn http2(bytes: &[u8]) {
    let Some((size, turns)) = bytes.split_first() else { return };
    assert!(of_http2(turns, usize::from(*size).max(1)) == of_http2(turns, usize::MAX), "in pieces of {size}");
}

/// Answers of MAPI over HTTP, whole and with a secret behind their codes.
pub fn mapi(bytes: &[u8]) {
    read_body("application/mapi-http", "", false, bytes);
    let secret = [bytes, b"\r\nDONE\r\n\r\n\0\0\0\0\0\0\0\0", SECRET.as_bytes()].concat();
    hidden(text(&read_body("application/mapi-http", "", true, &secret)));
}

/// SPNEGO, Kerberos and NTLM in `Negotiate`, whole and with a secret anywhere in them.
pub fn negotiate(bytes: &[u8]) {
    let (whole, planted) = planted(bytes);
    token("Negotiate", whole);
    token("Negotiate", &planted);
}

/// NTLM messages, whole and with a secret anywhere in them.
pub fn ntlm(bytes: &[u8]) {
    let (whole, planted) = planted(bytes);
    token("NTLM", whole);
    token("NTLM", &planted);
}

/// Any bytes are read as pasted text without a panic, there is always an exchange, and whatever is found can be diagnosed.
pub fn paste(bytes: &[u8]) {
    let exchanges = paste::read(bytes, &Redactor::new(), &Ids::default(), Timestamp::default());
    assert!(!exchanges.is_empty());
    let mut diagnosis = Diagnosis::new(Capture::Imported);
    for exchange in &exchanges {
        diagnosis.observe(exchange);
    }
    diagnosis.finish();
}

/// Any bytes pass the redactor without a panic, and what came out once comes out again as it is. The first byte chooses
/// a field and a coding, the first line is a field's name.
pub fn redact(bytes: &[u8]) {
    let Some((choice, bytes)) = bytes.split_first() else { return };
    let mut parts = bytes.splitn(2, |byte| *byte == b'\n');
    let (name, bytes) = (parts.next().unwrap_or_default(), parts.next().unwrap_or_default());
    let redactor = Redactor::new();
    let (wire, own) = (redactor.wire(), redactor.own());

    let names: [&[u8]; 8] = [
        name,
        b"authorization",
        b"www-authenticate",
        b"set-cookie",
        b"location",
        b"x-ms-diagnostics",
        b"cookie",
        b"host",
    ];
    let name = names[usize::from(*choice) % names.len()];
    let field = wire.field(name, bytes.trim_ascii());
    assert!(own.field(field.name.as_str().as_bytes(), field.value.as_str().as_bytes()) == field);

    let url = wire.url(bytes);
    assert!(own.url(url.text().as_str().as_bytes()) == url);

    for syntax in Syntax::ALL {
        let text = wire.body_text(syntax, bytes);
        let again = own.body_text(syntax, text.as_str().as_bytes());
        assert!(again == text, "{syntax:?} {text:?}\nread back as\n{again:?}");
    }

    let codings: [&[u8]; 4] = [b"", b"gzip", b"deflate", b"br"];
    let body = wire.body(RawBody {
        bytes: bytes.to_vec().into(),
        length: bytes.len() as u64,
        recorded: true,
        refusal: true,
        content_type: name.to_vec(),
        content_encoding: codings[usize::from(choice >> 4) % codings.len()].to_vec(),
    });
    if let Content::Text { syntax, text, .. } = &body.content {
        assert!(own.body_text(*syntax, text.as_str().as_bytes()) == *text);
    }

    if let Some(credential) = std::str::from_utf8(bytes).ok().and_then(Credential::read) {
        assert!(Credential::read(&credential.to_string()) == Some(credential));
    }
}

/// PDUs of RPC over HTTP, whole and with a secret anywhere in them.
pub fn rpc(bytes: &[u8]) {
    let (whole, planted) = planted(bytes);
    read_body("application/rpc", "", false, whole);
    hidden(text(&read_body("application/rpc", "", false, &planted)));
}

/// URLs, alone and with a secret in their query.
pub fn url(bytes: &[u8]) {
    read_url(bytes);
    read_url(&[b"https://login.microsoftonline.com/", bytes].concat());
    let code = format!("&code={SECRET}#access_token={SECRET}");
    hidden(read_url(&[b"https://mail.contoso.com/?", bytes, code.as_bytes()].concat()).text().as_str());
}

/// ActiveSync's bodies, whole and with a secret anywhere in them.
pub fn wbxml(bytes: &[u8]) {
    let (whole, planted) = planted(bytes);
    read_body("application/vnd.ms-sync", "", false, whole);
    hidden(text(&read_body("application/vnd.ms-sync", "", false, &planted)));
}

/// A request and its answer, divided by a byte of 0, are recorded, decoded and diagnosed without a panic, and what is
/// said of them can be said in both languages.
pub fn decoders(bytes: &[u8]) {
    let (request, response) = directions(bytes);
    let mut diagnosis = Diagnosis::new(Capture::Imported);
    for exchange in recorded(request, response, usize::MAX) {
        for part in decode::decoded(&exchange) {
            assert!(!part.rows.is_empty(), "{}", part.title);
            part.rows.iter().for_each(|row| hidden(row.value.as_str()));
        }
        for finding in diagnosis.observe(&exchange).judgement.findings {
            finding.evidence.iter().for_each(|evidence| hidden(evidence.text.as_str()));
        }
    }
    diagnosis.finish();
}

/// What a client sent and what it was answered, divided by a byte of 0.
fn directions(bytes: &[u8]) -> (&[u8], &[u8]) {
    let cut = bytes.iter().position(|byte| *byte == 0).unwrap_or(bytes.len());
    (&bytes[..cut], bytes.get(cut + 1..).unwrap_or_default())
}

/// What is recorded of a connection whose bytes come in pieces of `size`.
fn recorded(requests: &[u8], responses: &[u8], size: usize) -> Vec<Exchange> {
    let mut recorder = Recorder::new(Setting {
        redactor: Redactor::new(),
        connection: Arc::default(),
        ids: Ids::default(),
        scheme: "https",
        authority: Some(b"mail.contoso.com".to_vec()),
        body_limit: 1 << 16,
        own: false,
        bindings: Bindings::UNKNOWN,
    });
    requests.chunks(size).for_each(|piece| recorder.request_bytes(piece, Timestamp(0)));
    responses.chunks(size).for_each(|piece| recorder.response_bytes(piece, Timestamp(1)));
    recorder.response_end(Timestamp(2));
    recorder.close(None, Timestamp(3));
    recorder.finished().into_iter().map(|draft| draft.finish()).collect()
}

/// One direction of a WebSocket: any split of it gives the same messages, and what is kept of each is bounded. The first
/// byte is the size of the pieces, the second which extensions were agreed on.
pub fn websocket(bytes: &[u8]) {
    let [size, extensions, bytes @ ..] = bytes else { return };
    let agreed = ["", "permessage-deflate", "permessage-deflate; server_no_context_takeover", "x-other"];
    let agreed = format!("Sec-WebSocket-Extensions: {}\r\n", agreed[usize::from(*extensions) % agreed.len()]);
    let agreed = Extensions::of(Fields::new(agreed.as_bytes()));
    let read = |size: usize| {
        let mut seen = Vec::new();
        let mut reader = Reader::server(agreed);
        for piece in bytes.chunks(size) {
            let read = reader.read(piece, &mut |message| {
                assert!(message.bytes.is_none_or(|bytes| bytes.len() <= KEPT), "what is kept is bounded");
                seen.push((Some(message.kind), message.length, message.bytes.map(<[u8]>::to_vec), message.whole));
            });
            if read.is_err() {
                seen.push((None, 0, None, false));
            }
        }
        seen
    };
    assert!(read(usize::from(*size).max(1)) == read(usize::MAX), "in pieces of {size}");
}
