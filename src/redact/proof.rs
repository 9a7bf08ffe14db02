//! The two promises, tried with made-up traffic: nothing planted comes out, and what came out stays as it is.

use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use proptest::prelude::*;
use proptest::sample::select;

use super::{Content, Credential, Field, RawBody, Redactor, Syntax};

/// Where secrets sit in heads: a header's name, and its value with `{}` for the secret.
const HEADERS: &[(&str, &str)] = &[
    ("Authorization", "Basic {}"),
    ("Authorization", "Basic avery:{}"),
    ("Authorization", "Bearer {}"),
    ("aUTHORIZATION", "bearer {}"),
    ("Authorization", "Bearer Bearer {}"),
    ("Authorization", "Bearer \"{}\""),
    ("Authorization", "NTLM {}"),
    ("Authorization", "Negotiate {}"),
    ("Authorization", "{}"),
    ("Authorization", "Token {}"),
    ("Authorization", "Digest username=\"avery\", realm=\"a\", nonce=\"{}\", response=\"{}\""),
    ("Authorization", "AWS4-HMAC-SHA256 Credential={}/20261120, SignedHeaders=host, Signature={}"),
    ("Proxy-Authorization", "Bearer {}"),
    ("WWW-Authenticate", "Digest realm=\"a\", nonce=\"{}\", opaque=\"{}\""),
    ("WWW-Authenticate", "Basic realm=\"a\", Bearer nonce=\"{}\", error=\"invalid_token\""),
    ("WWW-Authenticate", "NTLM {}"),
    ("Authentication-Info", "rspauth=\"{}\", nextnonce={}"),
    ("Cookie", "a={}; b={}"),
    ("cookie", "{}"),
    ("Set-Cookie", "ESTSAUTH={}; path=/; HttpOnly"),
    ("Set-Cookie", "a=b; {}; path=/"),
    ("X-OWA-CANARY", "{}"),
    ("X-BackEndCookie", "{}"),
    ("X-Api-Key", "{}"),
    ("X-Never-Heard-Of", "{}"),
    ("X-AnchorMailbox", "SMTP:{}@contoso.com"),
    ("X-User-Identity", "{}"),
    ("Referer", "https://avery:{}@contoso.com/?code={}&state={}#access_token={}"),
    ("Location", "urn:ietf:wg:oauth:2.0:oob?code={}&session_state={}"),
    ("Host", "avery:{}@mail.contoso.com"),
];

/// Where secrets sit in bodies: a type, and the body with `{}` for the secret.
const BODIES: &[(&str, &str)] = &[
    ("application/x-www-form-urlencoded", "grant_type=password&username=a&password={}&client_secret={}&x={}"),
    ("application/x-www-form-urlencoded", "client_assertion={}&refresh_token={}&code={}&assertion={}&wresult={}"),
    ("application/json", r#"{"access_token":"{}","refresh_token":"{}","a":[{"b":{"id_token":"{}","x":"{}"}}]}"#),
    ("application/json", r#"{"password":"{}"#),
    ("application/json", r#"{"subject":"{}","body":{"content":"{}"}}"#),
    ("text/xml", r"<s:Envelope><wsse:Password>{}</wsse:Password><a><BinarySecurityToken>{}</BinarySecurityToken></a>"),
    ("text/xml", r#"<t:Body BodyType="Text">{}</t:Body><x y="{}">{}</x><!-- {} --><![CDATA[{}]]>"#),
    (
        "text/html",
        r#"<input name="flowToken" value="{}"><input type=hidden name=passwd value='{}'><!-- {} --><script>var x="{}"</script>"#,
    ),
    ("text/html", r#"<script>$Config={"sFT":"{}","canary":"{}"};</script><a href="https://a.com/?code={}">x</a>"#),
    ("text/plain", "https://contoso.com/?sig={}"),
    ("application/octet-stream", "{}"),
    (
        "application/vnd.ms-sync.wbxml",
        "\u{3}\u{1}j\0E\u{5c}\u{4f}\u{4b}\u{3}{}\0\u{1}\u{4e}\u{3}{}\0\u{1}\u{5d}\0\u{2}\u{54}\u{3}{}\0\u{1}\u{56}\u{3}{}",
    ),
    ("application/mapi-http", "PROCESSING\r\nDONE\r\nX-Any: {}\r\nSet-Cookie: MapiContext={}\r\n\r\n{}{}"),
    ("application/rpc", "\u{5}\0\0\u{3}\u{10}\0\0\0\u{7f}\0\u{8}\0\u{1}\0\0\0{}"),
];

/// The forms a secret may be planted in and must not come out in.
fn forms(secret: &str) -> Vec<String> {
    let percent = secret.bytes().map(|byte| format!("%{byte:02X}")).collect::<Vec<_>>().concat();
    let entities = secret.chars().map(|c| format!("&#{};", u32::from(c))).collect::<Vec<_>>().concat();
    let escapes = secret.chars().map(|c| format!("\\u{:04x}", u32::from(c))).collect::<Vec<_>>().concat();
    vec![secret.to_owned(), STANDARD.encode(secret), URL_SAFE_NO_PAD.encode(secret), percent, entities, escapes]
}

/// A secret: at least four characters, among them a letter and a digit, so that it is no word of the templates.
fn secret() -> impl Strategy<Value = String> {
    "[A-Za-z0-9!$*_.~-]{1,30}[A-Z][0-9][a-z][0-9]"
}

/// Pieces that the grammar, the syntaxes and the rules care about.
fn pieces() -> impl Strategy<Value = String> {
    let known = select(vec![
        "[hidden #2]",
        "[hidden #",
        "[guid #3]",
        "[jwt #1 alg=RS256]",
        "[empty]",
        "[cut]",
        "[",
        "]",
        "user#1",
        "user%231",
        "#",
        "%",
        "avery@contoso.com",
        "CONTOSO\\avery",
        "SMTP:",
        "@",
        "\\",
        "\\x",
        "\\x41",
        "\"",
        "'",
        "=",
        "==",
        "&",
        ";",
        ",",
        ", ",
        " ",
        ":",
        "://",
        "https://avery:pw@mail.contoso.com:443/EWS/a?b=c&code=d#e",
        "urn:",
        "/",
        "?",
        "+",
        "%20",
        "%5B",
        "{",
        "}",
        "<",
        ">",
        "</",
        "<a>",
        "<a b=\"",
        "</a>",
        "<!--",
        "-->",
        "<![CDATA[",
        "]]>",
        "<?xml version=\"1.0\"?>",
        "&amp;",
        "&#x41;",
        "<script>",
        "$Config={",
        "null",
        "12",
        "Basic",
        "Bearer",
        "NTLM",
        "Negotiate",
        "Digest",
        "realm=",
        "claims=\"eyJ4IjoiYSBiIn0=\"",
        "nonce=",
        "password",
        "\"password\":",
        "access_token=",
        "error_description",
        "User",
        "8da56bec-0d27-4cac-ab06-52ee2c40ea22",
        "@*",
        "00000001-0000-0000-c000-000000000000@contoso.com",
        "203.0.113.5",
        "15.2.1544.11",
        "eyJhbGciOiJSUzI1NiJ9.eyJhdWQiOiJodHRwczovL2EuY29tIn0.c2ln",
        "aHVudGVyMjI=",
        "TlRMTVNTUAABAAAAl4II4g==",
        "Thumbprint 7A1C0DE0000000000000000000000000000000AA",
        "personal",
        "日本",
        "é",
        "\u{2019}",
        "\r\n ",
        "\t",
    ])
    .prop_map(str::to_owned);
    prop_oneof![4 => known, 1 => "[ -~]{0,12}", 1 => "\\PC{0,4}"]
}

fn text() -> impl Strategy<Value = String> {
    prop::collection::vec(pieces(), 0..12).prop_map(|pieces| pieces.concat())
}

fn header_name() -> impl Strategy<Value = &'static str> {
    select(vec![
        "Authorization",
        "Proxy-Authorization",
        "WWW-Authenticate",
        "Proxy-Authenticate",
        "Authentication-Info",
        "Cookie",
        "Set-Cookie",
        "Location",
        "Referer",
        "Host",
        "x-ms-diagnostics",
        "X-AutoDiscovery-Error",
        "X-MSDAVEXT_Error",
        "User-Agent",
        "Server",
        "X-AnchorMailbox",
        "X-User-Identity",
        "X-Forwarded-For",
        "Forwarded",
        "request-id",
        "Content-Type",
        "x-ms-ags-diagnostic",
        "X-Unknown",
        "X-Api-Key",
        "X-MS-PolicyKey",
        "Link",
    ])
}

fn assert_gone(shown: &str, secret: &str) {
    for form in forms(secret) {
        assert!(!shown.contains(&form), "{form} in {shown}");
    }
}

#[test]
fn every_known_case_redacted_twice_is_redacted_once() {
    let redactor = Redactor::new();
    let cases = std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/data/corpus/cases.jsonl")).unwrap();
    let mut fields = 0;
    for case in cases.lines().map(|line| serde_json::from_str::<serde_json::Value>(line).unwrap()) {
        let url = redactor.wire().url(case["request"]["url"].as_str().unwrap_or_default().as_bytes());
        assert_eq!(redactor.own().url(url.text().as_str().as_bytes()), url);
        for message in [&case["request"], &case["response"]] {
            for field in message["headers"].as_array().into_iter().flatten() {
                let [name, value] = [&field[0], &field[1]].map(|text| text.as_str().unwrap().as_bytes());
                let once = redactor.wire().field(name, value);
                assert_eq!(redactor.own().field(name, once.value.as_str().as_bytes()), once);
                fields += 1;
            }
            let Some(body) = message["body"].as_str() else { continue };
            for syntax in Syntax::ALL {
                let once = redactor.wire().body_text(syntax, body.as_bytes());
                assert_eq!(redactor.own().body_text(syntax, once.as_str().as_bytes()), once);
                if once.as_str().contains("AADSTS") || body.contains("AADSTS") {
                    let code = |text: &str| text.split("AADSTS").nth(1).map(|rest| rest[..5].to_owned());
                    assert!(syntax != Syntax::Json || !body.starts_with('{') || code(once.as_str()) == code(body));
                }
            }
        }
    }
    assert!(fields > 100, "{fields}");
}

proptest! {
    #[test]
    fn no_planted_secret_comes_out_of_a_header(secret in secret(), place in select(HEADERS), form in 0..4_usize) {
        let redactor = Redactor::new();
        let value = place.1.replace("{}", &forms(&secret)[form]);
        let field = redactor.wire().field(place.0.as_bytes(), value.as_bytes());
        assert_gone(field.value.as_str(), &secret);
        assert_gone(&format!("{:?}", field.credential), &secret);
        let utf16: Vec<u8> = value.encode_utf16().flat_map(u16::to_le_bytes).collect();
        let field = redactor.wire().field(place.0.as_bytes(), &utf16);
        assert_gone(&field.value.as_str().replace('\0', ""), &secret);
    }

    #[test]
    fn no_planted_secret_comes_out_of_a_body(secret in secret(), place in select(BODIES), form in 0..6_usize, wide: bool, zipped: bool) {
        let redactor = Redactor::new();
        // Character references and escapes mean something only to their syntax.
        let form = match form {
            4 if place.0.starts_with("text/plain") || place.0.contains("json") => 0,
            5 if !place.0.contains("json") => 1,
            form => form,
        };
        let text = place.1.replace("{}", &forms(&secret)[form]);
        let mut bytes = if wide { text.encode_utf16().flat_map(u16::to_le_bytes).collect() } else { text.into_bytes() };
        if zipped {
            let mut packed = flate2::read::GzEncoder::new(bytes.as_slice(), flate2::Compression::fast());
            let mut out = Vec::new();
            std::io::Read::read_to_end(&mut packed, &mut out).unwrap();
            bytes = out;
        }
        let body = redactor.wire().body(RawBody {
            length: bytes.len() as u64,
            bytes: bytes.into(),
            recorded: true,
            refusal: true,
            content_type: format!("{}{}", place.0, if wide { "; charset=utf-16le" } else { "" }).into_bytes(),
            content_encoding: if zipped { b"gzip".to_vec() } else { Vec::new() },
        });
        if let Content::Text { text, .. } = &body.content {
            assert_gone(text.as_str(), &secret);
        }
    }

    #[test]
    fn no_planted_secret_comes_out_of_a_url(secret in secret(), form in 0..4_usize) {
        let redactor = Redactor::new();
        let planted = &forms(&secret)[form];
        for place in ["https://avery:{}@contoso.com/", "https://a.com/?code={}", "https://a.com/?x={}&sig={}", "https://a.com/#{}", "https://a.com/x#a={}"] {
            let url = redactor.wire().url(place.replace("{}", planted).as_bytes());
            assert_gone(url.text().as_str(), &secret);
        }
    }

    #[test]
    fn a_header_redacted_twice_is_a_header_redacted_once(name in header_name(), value in text()) {
        let redactor = Redactor::new();
        let once = redactor.wire().field(name.as_bytes(), value.trim().as_bytes());
        let twice = redactor.own().field(once.name.as_str().as_bytes(), once.value.as_str().as_bytes());
        prop_assert_eq!(&once, &twice);
        // The same in another run.
        let elsewhere = Redactor::new().own().field(once.name.as_str().as_bytes(), once.value.as_str().as_bytes());
        prop_assert_eq!(&once, &elsewhere);
    }

    #[test]
    fn a_url_redacted_twice_is_a_url_redacted_once(path in text(), query in text()) {
        let redactor = Redactor::new();
        for raw in [format!("https://mail.contoso.com/{path}?{query}"), format!("https://login.windows.net/{path}?user={query}"), path] {
            let once = redactor.wire().url(raw.as_bytes());
            let twice = redactor.own().url(once.text().as_str().as_bytes());
            prop_assert_eq!(&once, &twice);
        }
    }

    #[test]
    fn a_body_redacted_twice_is_a_body_redacted_once(text in text(), wrap in 0..9_usize) {
        let redactor = Redactor::new();
        let (syntax, text) = match wrap {
            0 => (Syntax::Json, format!("{{\"error\":\"{text}\",\"x\":\"{text}\"}}")),
            1 => (Syntax::Json, text),
            2 => (Syntax::Form, text),
            3 => (Syntax::Xml, text),
            4 => (Syntax::Html, text),
            5 => (Syntax::Wbxml, format!("<Sync>\n  <Status>{text}</Status>\n  <UserAgent>{text}</UserAgent>\n{text}")),
            6 => (Syntax::Mapi, format!("DONE\nX-Any: {text}\nServer: {text}\n{text}")),
            7 => (Syntax::Rpc, format!("rts\n{text}")),
            _ => (Syntax::Text, text),
        };
        let once = redactor.wire().body_text(syntax, text.as_bytes());
        let twice = redactor.own().body_text(syntax, once.as_str().as_bytes());
        prop_assert_eq!(&once, &twice);
    }

    #[test]
    fn bytes_of_the_wire_are_never_markers(value in text()) {
        let redactor = Redactor::new();
        for marker in ["[hidden #77]", "[jwt #77 alg=RS256]", "[guid #77]"] {
            let Field { value, .. } = redactor.wire().field(b"x-ms-diagnostics", format!("{value} {marker}").as_bytes());
            prop_assert!(!value.as_str().contains("#77"), "{}", value);
        }
    }

    #[test]
    fn any_bytes_are_read_without_panic(bytes in prop::collection::vec(any::<u8>(), 0..200), name in header_name()) {
        let redactor = Redactor::new();
        let door = redactor.wire();
        door.field(name.as_bytes(), &bytes);
        door.field(&bytes, b"x");
        door.url(&bytes);
        door.host(&bytes);
        door.prose(&bytes);
        for syntax in Syntax::ALL {
            door.body_text(syntax, &bytes);
        }
        let _ = Credential::read(&String::from_utf8_lossy(&bytes));
    }
}
