//! Any bytes pass the redactor without a panic, and what came out once comes out again as it is.
#![no_main]

use authtap::redact::{Content, Credential, RawBody, Redactor, Syntax};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|input: (&[u8], &[u8], u8)| {
    let (name, bytes, choice) = input;
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
    let name = names[usize::from(choice) % names.len()];
    let field = wire.field(name, bytes.trim_ascii());
    assert!(own.field(field.name.as_str().as_bytes(), field.value.as_str().as_bytes()) == field);

    let url = wire.url(bytes);
    assert!(own.url(url.text().as_str().as_bytes()) == url);

    for syntax in Syntax::ALL {
        let text = wire.body_text(syntax, bytes);
        assert!(own.body_text(syntax, text.as_str().as_bytes()) == text);
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
});
