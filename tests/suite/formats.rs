//! Session files of other programs, made by them in the test, and ours in their hands.

use std::collections::BTreeMap;
use std::fs;
use std::io::{BufReader, Read as _, Write as _};
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use authtap::exchange::{Exchange, Side, SocketKind};
use authtap::redact::Redactor;
use authtap::session::{Opening, Reader};
use serde_json::{Value, json};

use crate::kit::{
    Apache, Origin, Process, Site, Talk, Tunnel, Workshop, curl_through, need, need_apache, need_mitmproxy, need_node,
    read_head,
};

/// What the server says to everybody.
const REFUSAL: &[u8] = b"HTTP/1.1 401 Unauthorized\r\nWWW-Authenticate: Bearer \
    client_id=\"00000002-0000-0ff1-ce00-000000000000\", error=\"invalid_token\"\r\n\
    x-ms-diagnostics: 2000003;reason=\"The audience claim value is invalid 'aud'.\";error_category=\"invalid_resource\"\r\n\
    X-FEServer: EX01\r\nrequest-id: a8e9dfb4-cb06-4b18-80a0-b110220177e1\r\nContent-Type: application/json\r\n\
    Content-Length: 13\r\n\r\n{\"error\":\"x\"}";
const PASSWORD: &str = "Synth-Pw-1";

#[test]
fn what_mitmproxy_records_live_is_read_and_what_we_write_it_loads() {
    let (Some(mitmproxy), true) = (need_mitmproxy(), need(&["curl"]) && need_apache(&["http2", "alias"])) else {
        return;
    };
    let workshop = Workshop::new();
    let tls = Origin::talking(Some(workshop.authority.server(&["localhost"])), talk);
    let plain = Origin::talking(None, talk);
    let site = Site { modules: &["http2", "alias"], server: TWO, pages: "Require all granted", environment: &[] };
    let two = Apache::start(&workshop, &["localhost"], &site);
    // Nobody listens there.
    let closed = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();

    let (flows, dump) = (workshop.path("live.mitm"), workshop.path("dump.har"));
    let mut command = Command::new(mitmproxy.join("mitmdump"));
    command.args(["--listen-host", "127.0.0.1", "--listen-port", "0", "--ssl-insecure", "--set"]);
    command.arg(format!("confdir={}", workshop.path("mitm").display())).arg("--set");
    command.arg(format!("hardump={}", dump.display())).arg("-w").arg(&flows);
    let mut proxy = Process::start(command.env("PYTHONUNBUFFERED", "1").stdin(Stdio::null()));
    let port: String =
        proxy.stdout.find("mitmdump listens", |line| Some(line.split_once("listening at ")?.1.to_owned()));
    let address = port.trim_start_matches('*').trim_end_matches('.').to_owned();
    let ca = workshop.path("mitm/mitmproxy-ca-cert.pem");
    let at = |origin: std::net::SocketAddr, path: &str| format!("https://localhost:{}/{path}", origin.port());
    let asked = [
        (at(tls.address, "ews/1?token=hunter2"), "Bearer", 401),
        (at(tls.address, "ews/2?token=hunter2"), "Bearer secret-one", 401),
        (at(tls.address, "oab/3?token=hunter2"), "Basic QTpC", 401),
        (at(tls.address, "hangup"), "Bearer", 502),
        (at(two.tls, "EWS/Exchange.asmx"), "Bearer secret-two", 401),
        (format!("http://localhost:{}/ews", plain.address.port()), "Bearer", 401),
        (format!("http://{closed}/"), "Bearer", 502),
    ];
    for (url, token, status) in &asked {
        let field = format!("Authorization: {token}");
        let answer = curl_through(&format!("http://{address}"), &ca, &["--http2", "-H", &field, url]);
        assert_eq!(answer.status, *status, "{url}: {}", answer.error);
        assert_eq!(answer.head.starts_with(b"HTTP/2 "), url.contains("/EWS/"), "{url}");
    }
    speak(&address, tls.address, &ca);
    proxy.signal("INT");
    proxy.wait();

    let read = |path: &Path| -> BTreeMap<String, Value> {
        let said = workshop.diagnose(path);
        let facts = |one: &Value| {
            let facts = json!([one["method"], one["status"], one["error"], one["verdict"], one["findings"]]);
            (one["url"].as_str().unwrap().to_owned(), facts)
        };
        said["exchanges"].as_array().unwrap().iter().map(facts).collect()
    };
    let (ours, theirs) = (read(&flows), read(&dump));
    assert_eq!(ours.len(), asked.len() + 1, "{ours:#?}");
    assert_eq!(ours, theirs, "by the flows and by the HAR");
    for (url, _, status) in &asked {
        let said = &ours[&url.replace("hunter2", "[hidden+%231]")];
        match status {
            401 => assert_eq!((&said[1], &said[3]), (&json!(401), &json!("failure")), "{url}: {said}"),
            _ => assert_eq!((&said[1], &said[2]["side"]), (&Value::Null, &json!("server")), "{url}: {said}"),
        }
    }
    let refused = |path: &str| ours.iter().find(|(url, _)| url.contains(path)).unwrap().1[4][0].clone();
    for (path, finding) in [
        ("/ews/1", "audience-wrong-resource"),
        ("/ews/2", "audience-wrong-resource"),
        ("/EWS/", "audience-wrong-resource"),
    ] {
        assert_eq!(refused(path), finding, "{path}");
    }

    let (har, again) = (workshop.path("ours.har"), workshop.path("again.authtap"));
    for (from, to) in [(&flows, &har), (&har, &again)] {
        convert(&workshop, from, to, &[]);
        assert_eq!(read(to), ours);
    }
    for path in [&flows, &dump, &again] {
        let redactor = Redactor::new();
        let reader = Reader::open(path, &Opening::quietly(&redactor)).unwrap();
        let exchanges: Vec<_> = reader.exchanges().map(|read| read.unwrap().exchange).collect();
        let of = |part: &str| {
            let url =
                |exchange: &&Exchange| exchange.url.as_ref().is_some_and(|url| url.text().as_str().contains(part));
            exchanges.iter().find(url).unwrap()
        };
        assert_eq!(of("/EWS/").request.seen().unwrap().version, "HTTP/2", "{}", path.display());
        let socket = of("/socket").response.seen().unwrap().socket.as_ref().unwrap();
        let told: Vec<_> = socket.messages.iter().map(|one| (one.side, one.kind, one.body.length)).collect();
        let messages = [(Side::Client, SocketKind::Text, 5), (Side::Server, SocketKind::Binary, 4)];
        assert_eq!(told[..2], messages, "{}", path.display());
    }
    let loaded = python(&mitmproxy, &["flows", &har.to_string_lossy()]);
    let loaded: Vec<Value> = loaded.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(loaded.len(), ours.len());
    let one = loaded.iter().find(|flow| flow[1].as_str().unwrap().contains("/ews/2")).unwrap();
    assert!(one[2] == 401 && one[3].as_str().unwrap().starts_with("Bearer [opaque #"), "{one}");
    for file in [&har, &again] {
        let bytes = fs::read(file).unwrap();
        for secret in [&b"secret-one"[..], b"secret-two", b"hunter2", b"QTpC"] {
            assert!(!bytes.windows(secret.len()).any(|window| window == secret), "{}", file.display());
        }
    }
}

/// Recorded by mitmproxy 9.0.1 in format 18 and by 10.1.6 in format 20; 19 was in no release.
#[test]
fn flows_of_every_format_are_read_alike() {
    let Some(mitmproxy) = need_mitmproxy() else { return };
    let workshop = Workshop::new();
    for (name, formats) in [("mitmproxy-9.0.1", &[18, 19, 20, 21][..]), ("mitmproxy-10.1.6", &[20, 21])] {
        let recorded = Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("tests/data/flows/{name}.flows"));
        let read = |path: &Path| -> Vec<Exchange> {
            let redactor = Redactor::new();
            let reader = Reader::open(path, &Opening::quietly(&redactor)).unwrap();
            reader.exchanges().map(|read| read.unwrap().exchange).collect()
        };
        let exchanges = read(&recorded);
        assert_eq!(exchanges.iter().map(Exchange::status).collect::<Vec<_>>(), [Some(401), Some(401), None], "{name}");
        for exchange in &exchanges {
            let (connection, tls) = (&exchange.connection, exchange.connection.client_tls.as_ref().unwrap());
            assert_eq!(connection.target.as_ref().unwrap(), "mail.contoso.com:443");
            assert!(connection.client.as_ref().unwrap().as_str().starts_with("127.0.0.1:"));
            assert_eq!((tls.version.as_str(), tls.cipher.as_str()), ("TLS 1.3", "TLS_AES_256_GCM_SHA384"));
            let server = connection.server.as_ref().unwrap();
            assert!(server.address.as_str().starts_with("127.0.0.1:"));
            assert_eq!(server.tls.as_ref().unwrap().certificate.names, ["mail.contoso.com"]);
        }
        let said = workshop.diagnose(&recorded);
        let findings: Vec<_> =
            said["exchanges"].as_array().unwrap().iter().map(|exchange| &exchange["findings"][0]).collect();
        assert_eq!(findings, ["audience-wrong-resource", "audience-wrong-resource", "server-unreachable"], "{name}");
        for format in formats {
            let upgraded = workshop.path(&format!("{name}-{format}.flows"));
            let [from, to] = [&recorded, &upgraded].map(|path| path.to_string_lossy().into_owned());
            python(&mitmproxy, &["upgrade", &from, &to, &format.to_string()]);
            let said = format!("7:version;2:{format}#");
            let bytes = fs::read(&upgraded).unwrap();
            assert!(bytes.windows(said.len()).any(|window| window == said.as_bytes()), "{name} {format}");
            assert_eq!(read(&upgraded), exchanges, "{name} {format}");
        }
    }
}

/// A server over HTTP/2 that says the same.
const TWO: &str = r#"
Protocols h2
Redirect 401 /EWS
Header always set WWW-Authenticate "Bearer client_id=\"00000002-0000-0ff1-ce00-000000000000\", error=\"invalid_token\""
Header always set x-ms-diagnostics "2000003;reason=\"The audience claim value is invalid 'aud'.\";error_category=\"invalid_resource\""
Header always set X-FEServer EX01"#;

/// What both servers over HTTP/1.1 do: refuse, hang up, and say four bytes to a word over a WebSocket.
fn talk(talk: &mut Talk) {
    while let Some(request) = talk.request() {
        match request.target().as_str() {
            "/hangup" => return talk.hang_up(),
            "/socket" => {
                talk.send(
                    b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
                      Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n",
                );
                // A masked text of five bytes.
                talk.reader().read_exact(&mut [0; 11]).unwrap();
                talk.send(b"\x82\x04\x00\x01\x02\xff\x88\x02\x03\xe8");
                let mut rest = Vec::new();
                let _ = talk.reader().read_to_end(&mut rest);
                return;
            }
            _ => talk.send(REFUSAL),
        };
    }
}

/// Opens a WebSocket through the proxy at `proxy` and says a word.
fn speak(proxy: &str, server: std::net::SocketAddr, ca: &Path) {
    let mut tcp = TcpStream::connect(proxy).unwrap();
    write!(tcp, "CONNECT localhost:{port} HTTP/1.1\r\nHost: localhost:{port}\r\n\r\n", port = server.port()).unwrap();
    read_head(&mut BufReader::with_capacity(1, &tcp)).unwrap();
    let mut tunnel = Tunnel::over(tcp, "localhost", ca, b"http/1.1");
    tunnel.send(
        format!(
            "GET /socket HTTP/1.1\r\nHost: localhost:{}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
             Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n",
            server.port()
        )
        .as_bytes(),
    );
    assert!(tunnel.head().unwrap().starts_with(b"HTTP/1.1 101"));
    tunnel.send(b"\x81\x85\0\0\0\0hello");
    assert_eq!(tunnel.bytes(6), b"\x82\x04\x00\x01\x02\xff");
    assert_eq!(tunnel.bytes(4), b"\x88\x02\x03\xe8");
    tunnel.send(b"\x88\x82\0\0\0\0\x03\xe8");
}

#[test]
fn a_schema_validator_passes_our_archives() {
    let Some(packages) = need_node() else { return };
    let workshop = Workshop::new();
    let folder = workshop.path("hars");
    fs::create_dir(&folder).unwrap();
    for (number, labelled) in include_str!("../data/corpus/more_hars.jsonl").lines().enumerate() {
        let labelled: Value = serde_json::from_str(labelled).unwrap();
        let (theirs, ours) = (workshop.path("theirs.har"), folder.join(format!("{number}.har")));
        fs::write(&theirs, labelled["har"].to_string()).unwrap();
        convert(&workshop, &theirs, &ours, &[]);
    }
    let script = "const {har} = require('har-validator'), fs = require('fs'), folder = process.argv[1];\
        Promise.all(fs.readdirSync(folder).map(async name => {\
            const archive = JSON.parse(fs.readFileSync(folder + '/' + name));\
            try { await har(archive); }\
            catch (error) { console.log(name, JSON.stringify(error.errors)); process.exitCode = 1; }\
            for (const entry of archive.log.entries) {\
                const {timings, time} = entry;\
                for (const name of ['send', 'wait', 'receive'])\
                    if (!(timings[name] >= 0)) { console.log(name, timings); process.exitCode = 1; }\
                if (!(Math.abs(timings.send + timings.wait + timings.receive - time) < 0.01)) process.exitCode = 1;\
            }\
        }))";
    let output = Command::new("node").current_dir(&packages).args(["-e", script]).arg(&folder).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stdout));
}

#[test]
fn python_opens_our_archives_and_we_open_pythons() {
    let Some(mitmproxy) = need_mitmproxy() else { return };
    let workshop = Workshop::new();
    let har = archive(&workshop);
    let (plain, encrypted) = (workshop.path("plain.saz"), workshop.path("encrypted.saz"));
    convert(&workshop, &har, &plain, &[]);
    convert(&workshop, &har, &encrypted, &["--encrypt"]);
    for (path, password) in [(&plain, None), (&encrypted, Some(PASSWORD))] {
        let path = path.to_string_lossy();
        let members = python(&mitmproxy, &[&["zip", &*path][..], password.as_slice()].concat());
        let members: Value = serde_json::from_str(&members).unwrap();
        let names: Vec<_> = members.as_object().unwrap().keys().cloned().collect();
        assert_eq!(names[..2], ["[Content_Types].xml", "raw/"], "{names:?}");
        for name in ["raw/000001_c.txt", "raw/000001_s.txt", "raw/000001_m.xml", "_index.htm", "authtap.json"] {
            assert!(names.contains(&name.to_owned()), "{name}: {names:?}");
        }
        let request = members["raw/000001_c.txt"].as_str().unwrap();
        assert!(request.starts_with("POST https://mail.contoso.com/EWS/Exchange.asmx HTTP/1.1\r\n"), "{request}");
        let response = members["raw/000001_s.txt"].as_str().unwrap();
        let (head, body) = response.split_once("\r\n\r\n").unwrap();
        assert!(head.contains(&format!("\r\nContent-Length: {}", body.len())), "{response}");
        assert!(!members.to_string().contains("secret-token"));
    }
    let before = findings(&workshop, &har);
    assert_eq!((findings(&workshop, &plain), findings(&workshop, &encrypted)), (before.clone(), before));
    for (password, words) in [("", "is protected by a password"), ("wrong", "the password is not that of")] {
        let mut command = workshop.authtap(&["diagnose", &encrypted.to_string_lossy()]);
        let output = command.env("AUTHTAP_SAZ_PASSWORD", password).output().unwrap();
        let error = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(output.status.code() == Some(2) && error.contains(words), "{error}");
    }

    let theirs = workshop.path("theirs.saz");
    let members = json!({
        "[Content_Types].xml": "<Types/>",
        "raw/1_c.txt": "GET https://mail.contoso.com/owa/ HTTP/1.1\r\nHost: mail.contoso.com\r\nAuthorization: Bearer\r\n\r\n",
        "raw/1_s.txt": String::from_utf8_lossy(REFUSAL),
        "raw/1_m.xml": "<Session SID=\"1\" BitFlags=\"1\"><SessionTimers ClientBeginRequest=\"2026-11-22T10:00:00.1234567+01:00\"/></Session>",
    });
    let mut packer = Command::new(mitmproxy.join("python3"))
        .args([script(), "pack".into(), theirs.clone(), PASSWORD.into()])
        .stdin(Stdio::piped())
        .spawn()
        .unwrap();
    serde_json::to_writer(packer.stdin.take().unwrap(), &members).unwrap();
    assert!(packer.wait().unwrap().success());
    let said = diagnosed(&workshop, &theirs);
    assert_eq!(said["exchanges"][0]["status"], 401, "{said}");
    assert_eq!(said["exchanges"][0]["started"], "2026-11-22T09:00:00.123Z");
}

/// Three refusals, one of them behind a token.
fn archive(workshop: &Workshop) -> PathBuf {
    let entry = |second: u32, token: &str| {
        json!({
            "startedDateTime": format!("2026-11-22T10:00:0{second}.5+01:00"), "time": 20, "connection": "7",
            "request": {"method": "POST", "url": "https://mail.contoso.com/EWS/Exchange.asmx", "httpVersion": "HTTP/1.1",
                        "headers": [{"name": "Host", "value": "mail.contoso.com"}, {"name": "Authorization", "value": token}]},
            "response": {"status": 401, "statusText": "Unauthorized", "httpVersion": "HTTP/1.1",
                         "headers": [{"name": "x-ms-diagnostics", "value": "2000003;reason=\"The audience claim value is invalid 'aud'.\";error_category=\"invalid_resource\""},
                                     {"name": "X-FEServer", "value": "EX01"}, {"name": "Content-Encoding", "value": "gzip"}],
                         "content": {"size": 13, "mimeType": "application/json", "text": "{\"error\":\"x\"}"}},
            "timings": {"send": 5, "wait": 10, "receive": 5},
        })
    };
    let entries = [entry(1, "Bearer"), entry(2, "Bearer secret-token"), entry(3, "Basic QTpC")];
    let path = workshop.path("three.har");
    let log = json!({"log": {"version": "1.2", "creator": {"name": "x", "version": "1"}, "entries": entries}});
    fs::write(&path, log.to_string()).unwrap();
    path
}

fn convert(workshop: &Workshop, from: &Path, to: &Path, options: &[&str]) {
    let mut command = workshop.authtap(&["convert"]);
    let output = command.args(options).arg(from).arg(to).env("AUTHTAP_SAZ_PASSWORD", PASSWORD).output().unwrap();
    let error = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(output.status.success() && output.stdout.is_empty(), "{}: {error}", from.display());
}

fn diagnosed(workshop: &Workshop, path: &Path) -> Value {
    let mut command = workshop.authtap(&["diagnose", "--format", "json"]);
    let output = command.arg(path).env("AUTHTAP_SAZ_PASSWORD", PASSWORD).output().unwrap();
    assert!(matches!(output.status.code(), Some(0 | 1)), "{}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_slice(&output.stdout).unwrap()
}

fn findings(workshop: &Workshop, path: &Path) -> (Value, Value) {
    let said = diagnosed(workshop, path);
    (said["exchanges"].clone(), said["findings"].clone())
}

fn script() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/partners/formats.py")
}

fn python(folder: &Path, arguments: &[&str]) -> String {
    let output = Command::new(folder.join("python3")).arg(script()).args(arguments).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}
