//! What every target holds the redactor to: no panic, output in proportion to the input, the same again when it is read
//! back, and nothing of a secret that was planted.

mod events;
pub mod targets;

use authtap::redact::{Body, Content, Credential, Field, RawBody, Redactor, Url};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;

/// Of the kind that tokens are made of: long, and letters and digits mixed.
pub const SECRET: &str = "Zx9plantedQ7k4secret";

/// A field with this value.
pub fn field(name: &str, value: &[u8]) -> Field {
    let redactor = Redactor::new();
    let field = redactor.wire().field(name.as_bytes(), value);
    in_proportion(value, field.value.as_str());
    let (name, shown) = (field.name.as_str().as_bytes(), field.value.as_str().as_bytes());
    for run in [&redactor, &Redactor::new()] {
        let again = run.own().field(name, shown);
        assert!(again == field, "{field:?}\nread back as\n{again:?}");
    }
    if let Some(credential) = &field.credential {
        assert!(Credential::read(&credential.to_string()).as_ref() == Some(credential), "marker");
        hidden(&format!("{credential:?}"));
    }
    field
}

/// A field whose value is a scheme and a token in base64.
pub fn token(scheme: &str, token: &[u8]) {
    for name in ["Authorization", "WWW-Authenticate"] {
        hidden(field(name, format!("{scheme} {}", STANDARD.encode(token)).as_bytes()).value.as_str());
    }
}

/// A URL.
pub fn url(raw: &[u8]) -> Url {
    let redactor = Redactor::new();
    let url = redactor.wire().url(raw);
    in_proportion(raw, url.text().as_str());
    let again = redactor.own().url(url.text().as_str().as_bytes());
    assert!(again == url, "{url:?}\nread back as\n{again:?}");
    url
}

/// A body of this type and content coding.
pub fn body(content_type: &str, coding: &str, refusal: bool, bytes: &[u8]) -> Body {
    let redactor = Redactor::new();
    let raw = |bytes: &[u8], coding: &str| RawBody {
        bytes: bytes.to_vec().into(),
        length: bytes.len() as u64,
        recorded: true,
        refusal,
        content_type: content_type.as_bytes().to_vec(),
        content_encoding: coding.as_bytes().to_vec(),
    };
    let body = redactor.wire().body(raw(bytes, coding));
    if let Content::Text { syntax, text, .. } = &body.content {
        // What is packed is bounded by itself.
        if coding.is_empty() {
            in_proportion(bytes, text.as_str());
        }
        let again = redactor.own().body_text(*syntax, text.as_str().as_bytes());
        assert!(again == *text, "{text:?}\nread back as\n{again:?}");
        if syntax.is_decoded() {
            let pasted = redactor.own().body(raw(text.as_str().as_bytes(), ""));
            assert!(pasted.content == body.content, "{:?}\npasted as\n{:?}", body.content, pasted.content);
        }
    }
    body
}

/// The text of a body, where one is kept.
pub fn text(body: &Body) -> &str {
    match &body.content {
        Content::Text { text, .. } => text.as_str(),
        _ => "",
    }
}

/// All but the first byte, and the same with the secret at a place that the first byte tells.
pub fn planted(bytes: &[u8]) -> (&[u8], Vec<u8>) {
    let Some((at, rest)) = bytes.split_first() else { return (bytes, SECRET.as_bytes().to_vec()) };
    let (before, after) = rest.split_at(rest.len() * usize::from(at & 0x7f) / 127);
    let secret: Vec<u8> =
        if *at < 0x80 { SECRET.bytes().collect() } else { SECRET.encode_utf16().flat_map(u16::to_le_bytes).collect() };
    (rest, [before, &secret, after].concat())
}

/// Nothing of the secret is to be seen, but in a domain or a host, also of a service: those are shown.
pub fn hidden(shown: &str) {
    for secret in [SECRET, &STANDARD.encode(SECRET)[..24]] {
        for (at, _) in shown.match_indices(secret) {
            let word = shown[..at].rsplit([' ', '\n', '=', '"', '>']).next().unwrap_or_default();
            assert!(["@", "%40", "\\", "/"].iter().any(|sign| word.contains(sign)), "{shown}");
        }
    }
}

/// A marker is longer than what it stands for, but not by much.
fn in_proportion(raw: &[u8], shown: &str) {
    assert!(shown.len() <= 64 * raw.len() + 8192, "{} bytes of {}", shown.len(), raw.len());
}
