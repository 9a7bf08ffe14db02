//! Chromium's own developer tools: what their network panel exports is read for what it is, and ours it imports.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use serde_json::{Value, json};

use crate::kit::{Acceptor, Apache, Chromium, Site, Way, Workshop, demonstration, need, need_apache, need_python};

const HOST: &str = "mail.contoso.com";
const LEGACY: &str = "legacy.contoso.com";
const LOGON: &str = "https://legacy.contoso.com/ews";

/// Refusals of several kinds, a redirect, a cookie, and a body that is no text.
const SERVER: &str = r#"
Protocols h2 http/1.1
Redirect 401 /EWS
Redirect 401 /oab
Redirect 302 /old https://mail.contoso.com/photo.bin
Header always set Set-Cookie "session=secret-cookie; HttpOnly; Secure"
<Location /EWS>
Header always set WWW-Authenticate "Bearer client_id=\"00000002-0000-0ff1-ce00-000000000000\", error=\"invalid_token\""
Header always set x-ms-diagnostics "2000003;reason=\"The audience claim value is invalid 'aud'.\";error_category=\"invalid_resource\""
Header always set X-FEServer EX01
</Location>
<Location /oab>
Header always set WWW-Authenticate "Basic realm=\"mail.contoso.com\""
Header always set X-FEServer EX01
</Location>"#;
const PAGES: &str = "Require all granted\n<Files *.html>\nForceType text/html\n</Files>\n\
    <Files *.bin>\nForceType application/octet-stream\n</Files>";
const PAGE: &str = r#"<!doctype html><link rel="icon" href="data:,"><script>
const ask = async (url, options) => { try { await (await fetch(url, options)).arrayBuffer(); } catch (error) {} };
const browse = async () => {
    await ask("/EWS/Exchange.asmx", {method: "POST", body: "<soap/>", headers: {"Authorization": "Bearer secret-token"}});
    await ask("/EWS/Exchange.asmx?none");
    await ask("/oab/oab.xml", {headers: {"Authorization": "Basic QTpC"}});
    await ask("/old");
    await ask("https://legacy.contoso.com/ews", {mode: "no-cors", credentials: "include"});
};
</script>"#;

#[test]
fn what_the_network_panel_exports_is_found_to_be_what_passed() {
    let (Some(python), true) = (need_python(), need_browser() && need_apache(&["http2", "alias"])) else { return };
    let workshop = Workshop::new();
    let site = Site { modules: &["http2", "alias"], server: SERVER, pages: PAGES, environment: &[] };
    let apache = Apache::start(&workshop, &[HOST, LEGACY], &site);
    fs::write(workshop.path("pages/page.html"), PAGE).unwrap();
    fs::write(workshop.path("pages/photo.bin"), (0..=255).collect::<Vec<u8>>()).unwrap();
    let acceptor = Acceptor::start(&workshop, &python, &[HOST, LEGACY], &[("CONTOSO\\avery", "First-Pa55")], "off");
    let servers = [(HOST, apache.tls), (LEGACY, acceptor.address)];
    let resolve = servers.map(|(name, at)| format!("--resolve={name}:443={at}"));
    let proxy = workshop.proxy(&resolve.each_ref().map(String::as_str));
    let way = Way::through(&proxy, apache.tls);
    let [whole, sanitized] = ["whole.har", "sanitized.har"].map(|name| workshop.path(name));
    Chromium::new(&workshop, &way, &[]).driven(
        &["har".as_ref(), format!("https://{HOST}/page.html").as_ref(), whole.as_ref(), sanitized.as_ref()],
        Some("CONTOSO\\avery:Wrong-Pa55"),
    );
    let session = proxy.session.clone();
    assert_eq!(proxy.stop().code, Some(0));

    let live = judged(&workshop, &session);
    let [exported, less] = [&whole, &sanitized].map(|path| judged(&workshop, path));
    assert_eq!(exported.len(), 6, "{exported:#?}");
    // Of a logon that it makes itself the browser exports the first request with the last answer.
    assert_eq!(live[LOGON], json!([401, "failure", ["ep-channel-binding"]]));
    assert_eq!(exported[LOGON], json!([401, "unknown", ["capture-sanitised"]]));
    for (url, said) in exported.iter().filter(|(url, _)| *url != LOGON) {
        assert_eq!(said, &live[url], "{url}");
    }
    for (path, findings) in [("EWS/Exchange.asmx", "audience-wrong-resource"), ("oab/oab.xml", "basic-bad-credentials")]
    {
        assert_eq!(exported[&format!("https://{HOST}/{path}")], json!([401, "failure", [findings]]));
    }
    // Why is still there where the server says so; and what only the credentials would tell is said to be unseen.
    let expected = exported.iter().map(|(url, said)| {
        let said = match said[2][0].as_str() {
            Some("audience-wrong-resource") => {
                json!([401, "failure", ["audience-wrong-resource", "capture-sanitised"]])
            }
            Some(_) => json!([401, "unknown", ["capture-sanitised"]]),
            None => said.clone(),
        };
        (url.clone(), said)
    });
    assert_eq!(less, expected.collect());

    for form in ["authtap", "saz", "har"] {
        let ours = workshop.path(&format!("converted.{form}"));
        let finished = workshop.run(&["convert", &whole.to_string_lossy(), &ours.to_string_lossy()]);
        assert_eq!(finished.code, Some(0), "{}", finished.error());
        assert_eq!(judged(&workshop, &ours), exported, "{form}");
        let bytes = fs::read(&ours).unwrap();
        for secret in [&b"secret-token"[..], b"secret-cookie", b"QTpC"] {
            assert!(!bytes.windows(secret.len()).any(|window| window == secret), "{form}");
        }
    }
}

/// What is said of the last exchange with each URL.
fn judged(workshop: &Workshop, session: &Path) -> BTreeMap<String, Value> {
    let said = workshop.diagnose(session);
    let facts = |one: &Value| {
        let of_note = |finding: &&Value| !finding.as_str().unwrap().starts_with("hs-");
        let findings: Vec<_> = one["findings"].as_array().unwrap().iter().filter(of_note).collect();
        (one["url"].as_str().unwrap().to_owned(), json!([one["status"], one["verdict"], findings]))
    };
    said["exchanges"].as_array().unwrap().iter().map(facts).collect()
}

#[test]
fn the_network_panel_imports_what_we_write() {
    if !need_browser() {
        return;
    }
    let workshop = Workshop::new();
    let [theirs, demo, odd] = ["theirs.har", "demo.har", "odd.har"].map(|name| workshop.path(name));
    fs::write(&theirs, oddities().to_string()).unwrap();
    for (from, to) in [(&demonstration(&workshop), &demo), (&theirs, &odd)] {
        let finished = workshop.run(&["convert", &from.to_string_lossy(), &to.to_string_lossy()]);
        assert_eq!(finished.code, Some(0), "{}", finished.error());
    }
    let way = Way::straight(&workshop, ([127, 0, 0, 1], 9).into());
    let read = Chromium::new(&workshop, &way, &[]).driven(&["import".as_ref(), demo.as_ref(), odd.as_ref()], None);
    for (path, read) in [&demo, &odd].into_iter().zip(read) {
        let (ours, read): (Value, Value) =
            (serde_json::from_slice(&fs::read(path).unwrap()).unwrap(), serde_json::from_str(&read).unwrap());
        assert_eq!(read["errors"], json!([]), "{}", path.display());
        // The panel lists by time.
        let mut entries = ours["log"]["entries"].as_array().unwrap().clone();
        entries.sort_by_key(|entry| entry["startedDateTime"].to_string());
        let requests = read["requests"].as_array().unwrap();
        assert_eq!(requests.len(), entries.len());
        for (entry, request) in entries.iter().zip(requests) {
            assert_eq!(*request, expected(entry, request), "{}", entry["startedDateTime"]);
        }
    }
}

/// What the panel has to say of an entry.
fn expected(entry: &Value, read: &Value) -> Value {
    let (request, response, timings) = (&entry["request"], &entry["response"], &entry["timings"]);
    let pairs = |fields: &Value| -> Vec<Value> {
        fields.as_array().unwrap().iter().map(|field| json!([field["name"], field["value"]])).collect()
    };
    let number = |value: &Value| value.as_f64().unwrap();
    let frames = entry["_webSocketMessages"].as_array().cloned().unwrap_or_default();
    let frames: Vec<_> = frames.iter().map(|one| json!([one["type"], one["opcode"], one["data"]])).collect();
    // What was added up is as good as its last digit.
    let near = |name: &str, at: f64, slack: f64| {
        if (number(&read[name]) - at).abs() < slack { read[name].clone() } else { json!(at) }
    };
    let sent = number(&timings["send"]);
    json!({
        "url": request["url"], "method": request["method"], "status": response["status"],
        "reason": response["statusText"], "protocol": response["httpVersion"].as_str().unwrap().to_lowercase(),
        "connection": entry["_connectionId"], "asked": pairs(&request["headers"]), "got": pairs(&response["headers"]),
        "posted": request["postData"]["text"].as_str(), "content": response["content"]["text"].as_str().unwrap_or(""),
        "frames": frames, "sent": near("sent", sent, 0.001),
        "answered": near("answered", sent + number(&timings["wait"]), 0.001),
        "lasted": near("lasted", number(&entry["time"]), 0.01),
    })
}

/// Entries with all that an archive may have.
fn oddities() -> Value {
    let entry = |second: u32, request: Value, response: Value| {
        json!({
            "startedDateTime": format!("2026-11-22T10:00:{second:02}.5+01:00"), "time": 34.5, "connection": "7",
            "request": request, "response": response, "timings": {"send": 5, "wait": 20.25, "receive": 9.25},
        })
    };
    let get =
        |url: &str| json!({"method": "GET", "url": url, "httpVersion": "h2", "headers": [["Cookie", "a=1; b=2"]]});
    let post = json!({
        "method": "POST", "url": "https://login.microsoftonline.com/common/oauth2/token", "httpVersion": "HTTP/1.1",
        "headers": [["Content-Type", "application/x-www-form-urlencoded"]],
        "postData": {"mimeType": "application/x-www-form-urlencoded", "params": [{"name": "grant_type", "value": "password"}]},
    });
    let answer = |status: u16, content: Value| {
        json!({"status": status, "statusText": "so", "httpVersion": "HTTP/2.0", "content": content,
               "headers": [["Set-Cookie", "a=secret; path=/"], ["Set-Cookie", "b=secret"], ["WWW-Authenticate", "NTLM"]]})
    };
    let mut socket = entry(5, get("https://mail.contoso.com/socket"), answer(101, json!({})));
    socket["_webSocketMessages"] = json!([
        {"type": "send", "time": 1_795_338_005.6, "opcode": 1, "data": "a word"},
        {"type": "receive", "time": 1_795_338_005.7, "opcode": 2, "data": "AAEC/w=="},
    ]);
    let mut failed = entry(6, get("https://nowhere.contoso.com/"), json!({"status": 0, "content": {}}));
    failed["_error"] = json!("net::ERR_NAME_NOT_RESOLVED");
    let japanese = json!({"mimeType": "text/html; charset=utf-8", "text": "<h1>拒否されました</h1>", "size": 30});
    json!({"log": {"version": "1.2", "creator": {"name": "x", "version": "1"}, "entries": [
        entry(1, post, answer(400, json!({"mimeType": "application/json", "text": "{\"error\":\"invalid_grant\"}"}))),
        entry(2, get("https://mail.contoso.com/?q=%E6%97%A5&r=a+b"), answer(401, japanese)),
        entry(3, get("https://mail.contoso.com/photo"),
              answer(200, json!({"mimeType": "image/png", "text": "iVBORw0KGgo=", "encoding": "base64"}))),
        entry(4, get("http://[::1]:8080/"), answer(304, json!({}))),
        socket,
        failed,
    ]}})
}

fn need_browser() -> bool {
    need(&["chromium", "certutil", "python3"])
}
