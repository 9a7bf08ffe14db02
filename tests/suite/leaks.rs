//! Credentials pass unchanged and stay nowhere: not in the session file, its -wal, standard output, standard error, the
//! log, nor on a screen; raw or in any of the encodings that would give them back.

use std::fs;
use std::path::Path;

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, STANDARD_NO_PAD, URL_SAFE_NO_PAD};

use crate::kit::{Origin, Proxy, Request, Terminal, Tunnel, Workshop, curl, curl_through, field, need, saved};
use crate::screens::listening;

const PASSWORD: &str = "Kv7!basic-Gr\u{fc}n";
const FORM_PASSWORD: &str = "form:Pa55+w&rd%Ux";
const JSON_PASSWORD: &str = "json\"Secr3t\\Zw";
const OPAQUE: &str = "EwBwA8l6BAAUQ4opaqueTokenTail93";
const COOKIE: &str = "cookieValueT8s5Rk2Wm";
const CANARY: &str = "canaryJq4Nn8Lt6Yb";
const SET_COOKIE: &str = "setCookieH3v7Pd9Xc";
const ACCESS: &str = "accessGr8tTok3nFromServer";
const REFRESH: &str = "0.AXoAr3freshT0kenFromServer";
const CODE: &str = "0.AVYAauthorizationC0de";
const QUERY: &str = "queryTempAuthM5z1Qf7";
const FLOW: &str = "flowTokenInPageD2w6Sg4";
const UNKNOWN: &str = "unknownHeaderValueB9x3Kj";
const PROXY_PASSWORD: &str = "proxyPa55Hq2Vx";
const REFERER: &str = "0.AVYArefererC0deN8w4Lc";
const SOAP_PASSWORD: &str = "soap<Pa55>&Rz6";
const NTLM_RESPONSE: &str = "ntResponseBytesOfAvery!!";
const SIGNATURE: &str = "digestResponse7f3c9b1e5d";
const POLICY_KEY: &str = "1307199584";
const SUBJECT: &str = "Quarterly merger with Fabrikam";
const MAILBOX: &str = "5a1c3a62-1f0e-4e0b-9d37-0c5f7a0e6d11";

/// Everything that must not be found again. The signature stands for the token: it makes the token usable.
fn secrets() -> Vec<String> {
    let mut all: Vec<String> = [
        PASSWORD,
        FORM_PASSWORD,
        JSON_PASSWORD,
        OPAQUE,
        COOKIE,
        CANARY,
        SET_COOKIE,
        ACCESS,
        REFRESH,
        CODE,
        QUERY,
        FLOW,
        UNKNOWN,
        PROXY_PASSWORD,
        REFERER,
        SOAP_PASSWORD,
        NTLM_RESPONSE,
        SIGNATURE,
        POLICY_KEY,
        SUBJECT,
        MAILBOX,
    ]
    .map(str::to_owned)
    .to_vec();
    // Who it was is no credential, and stays out all the same: a pseudonym stands for it.
    all.push("avery".to_owned());
    all.push(jwt().rsplit('.').next().unwrap().to_owned());
    all.push(jwt().split('.').nth(1).unwrap().to_owned());
    all
}

fn jwt() -> String {
    let part = |text: &str| URL_SAFE_NO_PAD.encode(text);
    let claims = r#"{"aud":"https://mail.contoso.com/","exp":4102444800,"upn":"avery@contoso.com","nonce":"x7Yt"}"#;
    format!("{}.{}.{}", part(r#"{"alg":"RS256","typ":"JWT"}"#), part(claims), part("signatureNobodyMayKeep"))
}

#[test]
fn credentials_pass_unchanged_and_are_found_nowhere() {
    if !need(&["curl", "tmux"]) {
        return;
    }
    let workshop = Workshop::new();
    let origin = Origin::answering(Some(workshop.authority.server(&["mail.contoso.com"])), answer);
    let mut proxy = workshop.proxy(&["--resolve", &origin.resolve("mail.contoso.com", 443)]);
    let sent = send_all(|arguments| curl(&proxy, arguments).status);
    let exchanges = proxy.exchanges(sent.len());
    assert_eq!(exchanges.len(), sent.len());
    arrived_unchanged(&origin, &sent);
    speak_over_a_socket(&proxy);
    let socket = proxy.exchanges(sent.len() + 1).pop().unwrap();
    assert_eq!((&socket["status"], &socket["verdict"]), (&101.into(), &"ok".into()), "{socket}");

    // While it is being written, with its -wal; then when it is complete.
    nothing_is_kept(&workshop);
    let session = proxy.session.clone();
    let finished = proxy.stop();
    assert!(found_in(&finished.stdout).is_empty(), "standard output holds {:?}", found_in(&finished.stdout));
    assert!(found_in(&finished.stderr).is_empty(), "standard error holds {:?}", found_in(&finished.stderr));
    nothing_is_kept(&workshop);

    let text = session.to_string_lossy();
    for format in ["text", "json", "markdown", "html"] {
        let said = workshop.run(&["diagnose", "--format", format, &text]);
        assert!(found_in(&said.stdout).is_empty(), "{format}: {:?}", found_in(&said.stdout));
    }
    let messages = saved(&session).pop().unwrap().response.seen().unwrap().socket.clone().unwrap().messages;
    assert_eq!(messages.len(), 2, "{messages:?}");
    every_exchange_is_shown_clean(&workshop, &["open", &text], sent.len() + 1);
}

#[test]
fn a_trace_of_another_tool_and_a_pasted_text_give_no_credential_away() {
    let workshop = Workshop::new();
    let basic = STANDARD.encode(format!("avery:{PASSWORD}"));
    let form =
        format!("grant_type=password&username=avery%40contoso.com&password={JSON_PASSWORD}&refresh_token={REFRESH}");
    let tokens = format!("{{\"access_token\":\"{ACCESS}\",\"refresh_token\":\"{REFRESH}\",\"error\":\"x\"}}");
    let entry = |authorization: &str| {
        serde_json::json!({
            "comment": format!("password={FORM_PASSWORD}"), "pageref": FLOW, "serverIPAddress": UNKNOWN,
            "_initiator": {"url": format!("https://mail.contoso.com/?code={CODE}")},
            "_webSocketMessages": [
                {"type": "send", "opcode": 1, "time": 1.5, "data": format!("token {OPAQUE}: {SUBJECT}")},
                {"type": "send", "opcode": 1, "time": 1.5, "data": form},
                {"type": "receive", "opcode": 1, "time": 1.5, "data": tokens},
                {"type": "receive", "opcode": 2, "time": 1.5, "data": STANDARD.encode(&tokens)},
                {"type": "receive", "opcode": 8, "time": 1.5, "data": format!("no such token: {OPAQUE}")},
                {"type": "receive", "data": tokens},
            ],
            "startedDateTime": "2026-11-22T09:00:00Z", "time": 5, "connection": OPAQUE, "_error": format!("net::ERR_FAILED {OPAQUE}"),
            "request": {
                "method": "POST", "url": format!("https://mail.contoso.com/owa/?code={CODE}&t={QUERY}"),
                "headers": [
                    {"name": "Authorization", "value": authorization},
                    {"name": "Cookie", "value": format!("a={COOKIE}; canary={CANARY}")},
                    {"name": "X-Unknown", "value": UNKNOWN},
                    {"name": "X-MS-PolicyKey", "value": POLICY_KEY},
                    {"name": "request-id", "value": format!("Basic {basic}")},
                ],
                "cookies": [{"name": "a", "value": COOKIE}], "comment": PASSWORD,
                "queryString": [{"name": "code", "value": CODE}, {"name": "t", "value": QUERY}],
                "postData": {"mimeType": "application/x-www-form-urlencoded", "text": form},
            },
            "response": {
                "status": 401, "statusText": UNKNOWN,
                "headers": [{"name": "Set-Cookie", "value": format!("s={SET_COOKIE}")}],
                "content": {"mimeType": "application/json", "text": STANDARD.encode(&tokens), "encoding": "base64"},
            },
        })
    };
    let params = serde_json::json!({
        "startedDateTime": "2026-11-22T09:00:01Z",
        "request": {"method": "POST", "url": "https://mail.contoso.com/token", "headers": [], "postData": {
            "mimeType": "application/x-www-form-urlencoded",
            "params": [{"name": "password", "value": FORM_PASSWORD}, {"name": "refresh_token", "value": REFRESH}],
        }},
        "response": {"status": 400, "headers": [], "content": {"mimeType": "text/xml", "text": content_in_xml()}},
    });
    let entries = [
        params,
        entry(&format!("Basic {basic}")),
        entry(&format!("Bearer {}", jwt())),
        entry(&format!("Bearer {OPAQUE}")),
    ];
    let archive = serde_json::json!({"log": {"entries": entries, "creator": {"name": SIGNATURE}, "comment": PASSWORD,
        "pages": [{"id": FLOW, "title": format!("https://mail.contoso.com/?code={CODE}")}]}})
    .to_string();
    let pasted = format!(
        "> POST /owa/?code={CODE} HTTP/1.1\n> Host: mail.contoso.com\n> Authorization: Basic {basic}\n> Cookie: a={COOKIE}\n>\n\
         < HTTP/1.1 401 U\n< Set-Cookie: s={SET_COOKIE}\n< X-Unknown: {UNKNOWN}\n<\n{tokens}\n\
         Authorization: Bearer {}\n\nAADSTS50126: token {OPAQUE} of avery@contoso.com\n",
        jwt()
    );
    // A body that stands behind prose, as people quote it.
    let quoted = format!(
        "The remote server returned an error: (401) Unauthorized for avery@contoso.com. Cookie: a={COOKIE}; b={CANARY}\n\
         It sent {{\"message\": {{\"subject\": \"{SUBJECT}\", \"PolicyKey\": \"{POLICY_KEY}\"}}}} and {} then\n\
         x-ms-diagnostics: 2000003;reason=\"Mailbox {MAILBOX}@contoso.com: {{'x'}} token={OPAQUE} <t:Subject>{SUBJECT}\"\n",
        content_in_xml()
    );
    let texts = [("trace.har", archive), ("cut.har", String::new()), ("pasted.txt", pasted), ("quoted.txt", quoted)];
    for (name, text) in texts {
        let text = if name == "cut.har" {
            fs::read_to_string(workshop.path("trace.har")).unwrap()[..2000].to_owned()
        } else {
            text
        };
        let path = workshop.path(name);
        fs::write(&path, text).unwrap();
        for format in ["text", "json"] {
            let said = workshop.run(&["diagnose", "--format", format, &path.to_string_lossy()]);
            assert!(!said.stdout.is_empty(), "{name}: {}", said.error());
            assert!(found_in(&said.stdout).is_empty(), "{name} as {format}: {:?}", found_in(&said.stdout));
            assert!(found_in(&said.stderr).is_empty(), "{name} as {format}: {:?}", found_in(&said.stderr));
        }
    }
    for name in ["copy.har", "copy.authtap"] {
        let (from, to) = (workshop.path("trace.har"), workshop.path(name));
        let said = workshop.run(&["convert", &from.to_string_lossy(), &to.to_string_lossy()]);
        assert_eq!(said.code, Some(0), "{}", said.error());
        let copy = fs::read(&to).unwrap();
        assert!(found_in(&copy).is_empty(), "{name}: {:?}", found_in(&copy));
        if name == "copy.har" {
            let copy: serde_json::Value = serde_json::from_slice(&copy).unwrap();
            let messages = &copy["log"]["entries"][1]["_webSocketMessages"];
            assert_eq!(messages.as_array().map(Vec::len), Some(6), "{copy:#}");
            assert!(messages[1]["data"].as_str().unwrap().contains("grant_type=password"), "{messages:#}");
        }
    }
}

/// What a mailbox holds, and who it is, in SOAP and in an answer of Autodiscover.
fn content_in_xml() -> String {
    format!(
        "<s:Envelope xmlns:s=\"http://www.w3.org/2003/05/soap-envelope\"><s:Body><t:Message><t:Subject>{SUBJECT}</t:Subject>\
         <t:Name>{SUBJECT}</t:Name></t:Message><Protocol><Type>EXCH</Type><Server>{MAILBOX}@contoso.com</Server></Protocol>\
         </s:Body></s:Envelope>"
    )
}

#[test]
fn a_live_screen_shows_no_credential() {
    if !need(&["curl", "tmux"]) {
        return;
    }
    let workshop = Workshop::new();
    let origin = Origin::answering(Some(workshop.authority.server(&["mail.contoso.com"])), answer);
    let ca = workshop.path("ca");
    let arguments = [
        "proxy",
        "--listen",
        "127.0.0.1:0",
        "--ca-dir",
        &ca.to_string_lossy(),
        "--upstream-ca",
        &workshop.authority.pem.to_string_lossy(),
        "--resolve",
        &origin.resolve("mail.contoso.com", 443),
    ];
    let mut terminal = Terminal::start(&workshop, 160, 48, &arguments);
    let screen = terminal.screen("where it listens", |screen| listening(screen).is_some());
    let address = listening(&screen).unwrap();
    let pem = ca.join("authtap-ca.pem");
    let sent = send_all(|arguments| curl_through(&format!("http://{address}"), &pem, arguments).status);
    terminal.screen("the last request", |screen| screen.contains("/leak/page"));
    look_at_all(&mut terminal, sent.len());
    terminal.press("q");
    terminal.press("y");
    terminal.screen("the end", |screen| screen.contains("ended with 0"));
    nothing_is_kept(&workshop);
}

/// The search itself must be able to find: it is tried on what the server received.
#[test]
fn the_search_finds_every_encoding() {
    for secret in secrets() {
        let utf16: Vec<u16> = secret.encode_utf16().collect();
        let hidden: Vec<Vec<u8>> = vec![
            secret.clone().into_bytes(),
            STANDARD.encode(&secret).into_bytes(),
            STANDARD.encode(format!("avery@contoso.com:{secret}")).into_bytes(),
            URL_SAFE_NO_PAD.encode(format!("xy{secret}zz")).into_bytes(),
            percent(&secret, |_| false).into_bytes(),
            percent(&secret, |byte| byte.is_ascii_alphanumeric()).to_lowercase().into_bytes(),
            serde_json::to_string(&secret).unwrap().into_bytes(),
            utf16.iter().flat_map(|unit| unit.to_le_bytes()).collect(),
            utf16.iter().flat_map(|unit| unit.to_be_bytes()).collect(),
        ];
        for (number, bytes) in hidden.into_iter().enumerate() {
            let around = [b"before ".as_slice(), &bytes, b" after"].concat();
            assert!(found_in(&around).contains(&secret), "encoding {number} of {secret} was not found");
        }
    }
    assert!(found_in(b"nothing to find in Basic [user=upn:user#1@contoso.com password=set #2]").is_empty());
}

/// A request, and what of it must arrive at the server exactly so.
struct Sent {
    line: Option<(&'static str, String)>,
    target: String,
    body: String,
}

/// Sends a credential in every position that curl can put one into.
fn send_all(send: impl Fn(&[&str]) -> u16) -> Vec<Sent> {
    let url = |path: &str| format!("https://mail.contoso.com{path}");
    let mut sent = Vec::new();
    let basic = STANDARD.encode(format!("avery@contoso.com:{PASSWORD}"));
    let lines = [
        ("Authorization", format!("Basic {basic}")),
        ("Authorization", format!("Bearer {}", jwt())),
        ("authorization", format!("bearer {OPAQUE}")),
        ("Cookie", format!("ClientId=1; cadata={COOKIE}")),
        ("X-OWA-CANARY", CANARY.to_owned()),
        ("X-Contoso-Secret", UNKNOWN.to_owned()),
        ("Proxy-Authorization", format!("Basic {}", STANDARD.encode(format!("proxy:{PROXY_PASSWORD}")))),
        ("Referer", format!("https://login.contoso.com/cb?code={REFERER}&session_state=1")),
        ("Authorization", format!("NTLM {}", STANDARD.encode(ntlm_authenticate()))),
        (
            "Authorization",
            format!("Digest username=\"avery\", realm=\"x\", nonce=\"n\", uri=\"/\", response=\"{SIGNATURE}\""),
        ),
    ];
    for (number, (name, value)) in lines.into_iter().enumerate() {
        let target = format!("/leak/line{number}");
        assert_eq!(send(&["-H", &format!("{name}: {value}"), &url(&target)]), 401);
        sent.push(Sent { line: Some((name, value)), target, body: String::new() });
    }
    let target = format!("/leak/query?tempauth={QUERY}&access_token={OPAQUE}");
    assert_eq!(send(&[&url(&target)]), 401);
    sent.push(Sent { line: None, target, body: String::new() });

    let form =
        format!("grant_type=password&username=avery%40contoso.com&password={}", percent(FORM_PASSWORD, unreserved));
    let json = format!(r#"{{"user":"avery","credentials":{{"password":{}}}}}"#, serde_json::json!(JSON_PASSWORD));
    let soap = format!(
        "<s:Envelope xmlns:s=\"http://www.w3.org/2003/05/soap-envelope\"><s:Header><wsse:Security><wsse:UsernameToken>\
         <wsse:Username>avery@contoso.com</wsse:Username><wsse:Password>{}</wsse:Password></wsse:UsernameToken>\
         </wsse:Security></s:Header></s:Envelope>",
        SOAP_PASSWORD.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
    );
    let bodies = [
        ("/leak/token", "application/x-www-form-urlencoded", form),
        ("/leak/json", "application/json", json),
        ("/leak/soap", "application/soap+xml; charset=utf-8", soap),
    ];
    for (target, kind, body) in bodies {
        assert_eq!(send(&["-H", &format!("Content-Type: {kind}"), "--data-binary", &body, &url(target)]), 200);
        sent.push(Sent { line: None, target: target.to_owned(), body });
    }
    for (target, status) in [("/leak/redirect", 302), ("/leak/page", 200)] {
        assert_eq!(send(&[&url(target)]), status);
        sent.push(Sent { line: None, target: target.to_owned(), body: String::new() });
    }
    sent
}

/// Tokens in a message of either side of a WebSocket.
fn speak_over_a_socket(proxy: &Proxy) {
    let mut tunnel = Tunnel::open(proxy, "mail.contoso.com");
    tunnel.send(
        b"GET /leak/socket HTTP/1.1\r\nHost: mail.contoso.com\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n",
    );
    assert!(tunnel.head().unwrap().starts_with(b"HTTP/1.1 101 "));
    let answered = tunnel.bytes(message(false).len());
    assert_eq!(answered, message(false));
    tunnel.send(&message(true));
}

/// A text frame; a client's is masked, here with nothing.
fn message(masked: bool) -> Vec<u8> {
    let text = format!("{{\"access_token\":\"{ACCESS}\",\"says\":\"{OPAQUE}\"}}");
    let (bit, mask): (u8, &[u8]) = if masked { (0x80, &[0; 4]) } else { (0, &[]) };
    [&[0x81, bit | u8::try_from(text.len()).unwrap()], mask, text.as_bytes()].concat()
}

/// An AUTHENTICATE_MESSAGE (MS-NLMP section 2.2.1.3) whose NT response is the secret.
fn ntlm_authenticate() -> Vec<u8> {
    let utf16 = |text: &str| text.encode_utf16().flat_map(u16::to_le_bytes).collect::<Vec<u8>>();
    let parts = [vec![0; 24], NTLM_RESPONSE.into(), utf16("CONTOSO"), utf16("avery"), utf16("PC1"), Vec::new()];
    let mut message = b"NTLMSSP\0\x03\0\0\0".to_vec();
    let mut offset = 12 + 8 * 6 + 4;
    for part in &parts {
        let length = u16::try_from(part.len()).unwrap().to_le_bytes();
        message.extend([length, length].concat());
        message.extend(u32::try_from(offset).unwrap().to_le_bytes());
        offset += part.len();
    }
    message.extend(0x0000_8205_u32.to_le_bytes());
    message.extend(parts.concat());
    message
}

fn answer(request: &Request) -> Vec<u8> {
    let target = request.target();
    let (status, more, body) = match target.as_str() {
        "/leak/token" | "/leak/json" | "/leak/soap" => {
            let body = format!(r#"{{"token_type":"Bearer","access_token":"{ACCESS}","refresh_token":"{REFRESH}"}}"#);
            ("200 OK", "Content-Type: application/json\r\n".to_owned(), body)
        }
        "/leak/socket" => {
            let head = b"HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n";
            return [&head[..], &message(false)].concat();
        }
        "/leak/redirect" => {
            let location =
                format!("Location: https://login.contoso.com/cb?code={CODE}&state={QUERY}#id_token={ACCESS}\r\n");
            ("302 Found", location, String::new())
        }
        "/leak/page" => {
            let body = format!(
                "<html><form><input name=flowToken value=\"{FLOW}\"><script>var c={{\"canary\":\"{CANARY}\"}}</script>\
                 </form><p>Token {OPAQUE} refused</p></html>"
            );
            ("200 OK", "Content-Type: text/html\r\n".to_owned(), body)
        }
        _ => ("401 Unauthorized", "WWW-Authenticate: Basic realm=\"mail.contoso.com\"\r\n".to_owned(), String::new()),
    };
    let length = body.len();
    format!("HTTP/1.1 {status}\r\n{more}Set-Cookie: cadata={SET_COOKIE}; path=/; HttpOnly\r\nContent-Length: {length}\r\n\r\n{body}")
        .into_bytes()
}

fn arrived_unchanged(origin: &Origin, sent: &[Sent]) {
    for expected in sent {
        let request = origin.received();
        assert_eq!(request.target(), expected.target);
        assert_eq!(String::from_utf8_lossy(&request.body), expected.body);
        if let Some((name, value)) = &expected.line {
            let line = format!("\r\n{name}: {value}\r\n");
            let head = String::from_utf8_lossy(&request.head).into_owned();
            assert!(head.contains(&line), "{line} was not in {head}");
            assert_eq!(field(&request.head, name).as_ref(), Some(value));
        }
    }
}

/// Searches every file below the workshop: sessions, their -wal and -shm, the log, whatever its name.
fn nothing_is_kept(workshop: &Workshop) {
    let mut folders = vec![workshop.folder().to_owned()];
    let mut searched = 0;
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if path.is_file() {
                searched += usize::from(is_session(&path));
                let found = found_in(&fs::read(&path).unwrap());
                assert!(found.is_empty(), "{} holds {found:?}", path.display());
            }
        }
    }
    assert!(searched > 0, "a session was searched");
}

fn is_session(path: &Path) -> bool {
    path.extension().is_some_and(|extension| extension == "authtap")
        && fs::read(path).is_ok_and(|bytes| bytes.starts_with(b"SQLite format 3"))
}

fn every_exchange_is_shown_clean(workshop: &Workshop, arguments: &[&str], exchanges: usize) {
    let mut terminal = Terminal::start(workshop, 160, 48, arguments);
    terminal.screen("the session", |screen| screen.contains("/leak/"));
    look_at_all(&mut terminal, exchanges);
}

/// Walks down the list, reads the panes of every exchange from top to bottom, and searches every screen on the way.
fn look_at_all(terminal: &mut Terminal, exchanges: usize) {
    terminal.press("Home");
    for _ in 0..exchanges {
        for key in ["Tab", "PageDown", "Tab", "PageDown", "Tab", "PageDown", "Escape", "Down"] {
            clean(&terminal.screen("an exchange", |screen| !screen.trim().is_empty()));
            terminal.press(key);
        }
    }
    clean(&terminal.screen("an exchange", |screen| !screen.trim().is_empty()));
}

fn clean(screen: &str) {
    // A long value may be broken over lines; without line breaks and blanks it is whole again.
    let joined: String = screen.split_whitespace().collect();
    for text in [screen, &joined] {
        assert!(found_in(text.as_bytes()).is_empty(), "{:?} on the screen:\n{screen}", found_in(text.as_bytes()));
    }
}

/// The secrets that stand in `bytes` in any encoding.
fn found_in(bytes: &[u8]) -> Vec<String> {
    let found = |needle: &[u8]| memchr::memmem::find(bytes, needle).is_some();
    secrets().into_iter().filter(|secret| encodings(secret).iter().any(|needle| found(needle))).collect()
}

fn encodings(secret: &str) -> Vec<Vec<u8>> {
    let utf16: Vec<u16> = secret.encode_utf16().collect();
    let json = serde_json::to_string(secret).unwrap();
    let mut all = vec![
        secret.as_bytes().to_vec(),
        json.trim_matches('"').as_bytes().to_vec(),
        secret.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").into_bytes(),
        // Latin-1, as a client may send it.
        secret.chars().map(|char| u8::try_from(u32::from(char)).unwrap_or(b'?')).collect(),
        utf16.iter().flat_map(|unit| unit.to_le_bytes()).collect(),
        utf16.iter().flat_map(|unit| unit.to_be_bytes()).collect(),
    ];
    for keep in [|_: u8| false, |byte: u8| byte.is_ascii_alphanumeric(), unreserved] {
        let coded = percent(secret, keep);
        all.push(coded.to_lowercase().into_bytes());
        all.push(coded.into_bytes());
    }
    // Base64 of a longer text holds that of its parts at one of three shifts, but for the ends.
    for shift in 0..3 {
        let shifted = [&b"\0\0"[..shift], secret.as_bytes()].concat();
        let coded = STANDARD_NO_PAD.encode(shifted);
        let from = [0, 2, 3][shift];
        let inner = &coded[from..coded.len() - 1];
        all.push(inner.as_bytes().to_vec());
        all.push(inner.replace('+', "-").replace('/', "_").into_bytes());
    }
    all
}

fn unreserved(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"-._~".contains(&byte)
}

fn percent(text: &str, keep: impl Fn(u8) -> bool) -> String {
    text.bytes().map(|byte| if keep(byte) { char::from(byte).to_string() } else { format!("%{byte:02X}") }).collect()
}
