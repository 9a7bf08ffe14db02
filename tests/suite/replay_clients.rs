//! Programs that people really use, against a recording with its servers gone: they do what they did live, and what is
//! said of it is the same.

use std::path::{Path, PathBuf};
use std::process::Command;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Value, json};

use authtap::demo;

use crate::kit::{Acceptor, Origin, Proxy, Realm, Way, Workshop, curl, need, need_apache, need_python, partner};
use crate::{ntlm, real_clients};

const HOST: &str = "localhost";
const USER: &str = "CONTOSO\\avery";
const WORD: &str = "Right-Pa55";

#[test]
fn curl_and_exchangelib_log_on_with_ntlm_to_a_recording() {
    let (Some(python), true) = (need_python(), need(&["curl"])) else { return };
    let workshop = Workshop::new();
    let server = Acceptor::start(&workshop, &python, &[HOST], &[(USER, WORD)], "off");
    let proxy = workshop.proxy(&[]);
    let address = server.address;
    let clients = |way: &Way, words: [&str; 2]| -> Vec<String> {
        let curl = |word: &str| {
            let answer = way.curl(&["--ntlm", "--user", &format!("{USER}:{word}"), &way.url("/index.txt")]);
            format!("{:?} {} {}", answer.code, answer.status, answer.body.len())
        };
        let mut exchangelib = Command::new(&python);
        exchangelib.arg(partner("exchangelib_client.py")).args([&way.url("/EWS/Exchange.asmx"), USER, words[0]]);
        let mut said = vec![curl(words[0]), curl(words[1])];
        said.extend(way.run(&mut exchangelib));
        said
    };
    let live = clients(&Way::through(&proxy, address), [WORD, "Wrong-Pa55"]);
    assert!(live[2].starts_with("NTLM 15.2.1544.11 "), "{live:?}");
    let recorded = Recorded::of(&workshop, proxy, 9);
    drop(server);
    // The name of a folder is content: a stand-in comes in its place.
    let known: Vec<String> = live.iter().map(|line| line.replace(" root ", " name1 ")).collect();
    // What the password is makes no difference: the form of the message is taken, in the order of the recording.
    let forward = recorded.replayed(&[], |replay| clients(&Way::through(replay, address), ["any", "other"]));
    assert_eq!(forward, known, "through the replay as a proxy");
    let front = format!("https://{HOST}:{}", address.port());
    let reverse = ["--reverse", &front, "--pace", "recorded"];
    let reverse = recorded.replayed(&reverse, |replay| clients(&Way::to_reverse(replay), ["any", "other"]));
    assert_eq!(reverse, known, "with the replay in the place of the server");
}

/// What a script does that has read about Modern Authentication.
const RETRY: &str = r#"
ask() { curl --silent --show-error --max-time 30 --cacert "$CA" $WAY "$@"; }
ews=https://mail.contoso.com/EWS/Exchange.asmx
challenge=$(ask --output "$BODY" --suppress-connect-headers --dump-header - --header 'Authorization: Bearer' "$ews" | tr -d '\r')
echo "$challenge" | head -1
issuer=$(echo "$challenge" | sed -n 's/.*authorization_uri="\([^"]*\)authorize".*/\1/p')
token=$(ask --data 'grant_type=client_credentials&client_id=5f7ff5e4-e3c5-4a3b-9a43-1b2c3d4e5f60&client_secret=hunter2' \
    "${issuer}token" | sed -n 's/.*"access_token" *: *"\([^"]*\)".*/\1/p')
echo "$token" | tr -cd . | wc -c
ask --output "$BODY" --write-out '%{http_code}\n' --header "Authorization: Bearer $token" "$ews"
echo "$token" > "$TOKEN"
"#;

#[test]
fn a_script_fetches_its_token_and_asks_again() {
    if !need(&["curl", "sh", "sed"]) {
        return;
    }
    let workshop = Workshop::new();
    let tls = || Some(workshop.authority.server(&["mail.contoso.com", "login.microsoftonline.com"]));
    let exchange = Origin::answering(tls(), |request| {
        let head = String::from_utf8_lossy(&request.head).into_owned();
        let authorized = head.lines().any(|line| line.starts_with("Authorization: Bearer ey"));
        let answer = if authorized {
            "HTTP/1.1 200 OK\r\nContent-Length: 0\r\nSet-Cookie: exchangecookie=cdb3c1b5a8e04; path=/; secure\r\n\r\n"
        } else {
            "HTTP/1.1 401 Unauthorized\r\nContent-Length: 0\r\nDate: Thu, 16 Nov 2017 20:37:48 GMT\r\n\
             WWW-Authenticate: Bearer client_id=\"00000002-0000-0ff1-ce00-000000000000\", \
             trusted_issuers=\"00000001-0000-0000-c000-000000000000@*\", token_types=\"app_asserted_user_v1\", \
             authorization_uri=\"https://login.microsoftonline.com/common/oauth2/authorize\"\r\n\r\n"
        };
        answer.as_bytes().to_vec()
    });
    let issuer = Origin::answering(tls(), |_| {
        let now = seconds();
        let part = |value: Value| URL_SAFE_NO_PAD.encode(value.to_string());
        let claims = json!({"aud": "https://outlook.office365.com/", "iss": "https://sts.windows.net/72f988bf-86f1-41af-91ab-2d7cd011db47/",
            "iat": now - 10, "nbf": now - 10, "exp": now + 3600, "appid": "5f7ff5e4-e3c5-4a3b-9a43-1b2c3d4e5f60",
            "roles": ["full_access_as_app"], "ver": "1.0"});
        let header = part(json!({"typ": "JWT", "alg": "RS256", "kid": "kriMPdmBvx68skT8-mPAB3BseeA"}));
        let token = format!("{header}.{}.{}", part(claims), URL_SAFE_NO_PAD.encode([7; 64]));
        let body = json!({"token_type": "Bearer", "expires_in": "3599", "expires_on": (now + 3600).to_string(), "access_token": token});
        let body = body.to_string();
        let head = format!("Content-Type: application/json\r\nContent-Length: {}\r\n\r\n", body.len());
        format!("HTTP/1.1 200 OK\r\n{head}{body}").into_bytes()
    });
    let resolve = [exchange.resolve("mail.contoso.com", 443), issuer.resolve("login.microsoftonline.com", 443)];
    let proxy = workshop.proxy(&["--resolve", &resolve[0], "--resolve", &resolve[1]]);
    let (body, token) = (workshop.path("body"), workshop.path("token"));
    let script = |way: &str, ca: &Path| {
        let mut command = Command::new("sh");
        command.args(["-c", RETRY]).env("WAY", way).env("CA", ca).env("BODY", &body).env("TOKEN", &token);
        let output = command.output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8_lossy(&output.stdout).into_owned()
    };
    let through = |proxy: &Proxy| script(&format!("--proxy {}", proxy.url()), &proxy.ca);
    let live = through(&proxy);
    assert_eq!(live.split_whitespace().collect::<Vec<_>>(), ["HTTP/1.1", "401", "Unauthorized", "2", "200"], "{live}");
    let original = std::fs::read_to_string(&token).unwrap();
    let recorded = Recorded::of(&workshop, proxy, 3);
    drop((exchange, issuer));
    let replayed = recorded.replayed(&[], |replay| through(replay));
    assert_eq!(replayed, live);
    let handed_out = std::fs::read_to_string(&token).unwrap();
    assert_ne!(handed_out, original, "no token that was ever good is handed out");
    let claims = handed_out.split('.').nth(1).map(|part| URL_SAFE_NO_PAD.decode(part).unwrap()).unwrap();
    let claims: Value = serde_json::from_slice(&claims).unwrap();
    assert_eq!(claims["aud"], "https://outlook.office365.com/");
    assert!(claims["exp"].as_i64().unwrap() > seconds() + 3000, "{claims}");
    // The same script, which believes that it talks to the servers themselves.
    let replayed = recorded.replayed(&["--reverse", "https://mail.contoso.com"], |replay| {
        script(&format!("--connect-to ::{}", replay.address), &replay.ca)
    });
    assert_eq!(replayed, live);
}

/// NTLM inside SPNEGO, from a server that asks for Negotiate.
#[test]
fn curl_with_negotiate_logs_on_to_a_recording() {
    if !need(&["curl"]) || !need_apache(&["auth_gssapi"]) {
        return;
    }
    let workshop = Workshop::new();
    let apache = ntlm::apache(&workshop);
    let proxy = workshop.proxy(&["--resolve", &format!("mail.contoso.com:443={}", apache.tls)]);
    let (user, word) = ntlm::USERS[0];
    let own = workshop.path("own-account");
    std::fs::write(&own, format!("{}:{word}\n", user.replace('\\', ":"))).unwrap();
    let address = apache.tls;
    let client = |way: &Way| {
        let arguments = ["--negotiate", "--user", ":", "https://mail.contoso.com/index.txt"];
        let answer = way.curl_with(&[("NTLM_USER_FILE", &own)], &arguments);
        (answer.code, answer.status, answer.body.len())
    };
    let live = client(&Way::through(&proxy, address));
    assert_eq!((live.0, live.1), (Some(0), 200));
    let recorded = Recorded::of(&workshop, proxy, 2);
    drop(apache);
    assert_eq!(recorded.replayed(&[], |replay| client(&Way::through(replay, address))), live);
}

/// A ticket for a service whose key nobody has any more.
#[test]
fn curl_with_a_kerberos_ticket_is_let_in_by_a_recording() {
    let Some(realm) = need(&["curl"]).then(Realm::new).flatten() else { return };
    let proxy = realm.both_ways().proxy;
    realm.kdc.log_on("avery", Realm::WORD);
    let (name, file) = realm.kdc.environment();
    let client = |proxy: &Proxy| {
        let url = format!("https://{}/index.txt", Realm::HOST);
        let way = Way::through(proxy, proxy.address);
        let answer = way.curl_with(&[(name, &file)], &["--negotiate", "--user", ":", &url]);
        (answer.code, answer.status, answer.body.len())
    };
    let live = client(&proxy);
    assert_eq!((live.0, live.1), (Some(0), 200));
    let recorded = Recorded::of(&realm.workshop, proxy, 1);
    assert_eq!(recorded.replayed(&[], client), live);
}

/// What was recorded over HTTP/2 is served to the same client over HTTP/1.
#[test]
fn curl_with_basic_over_http_2_is_answered_too() {
    if !need(&["curl"]) || !need_apache(&real_clients::BASIC) {
        return;
    }
    let workshop = Workshop::new();
    let apache = real_clients::basic(&workshop);
    let proxy = workshop.proxy(&[]);
    let address = apache.tls;
    let client = |way: &Way| {
        let arguments = ["--http2", "--anyauth", "--user", "avery:Right-Pa55", &way.url("/index.txt")];
        let answer = way.curl(&arguments);
        (answer.code, answer.status, answer.body.len())
    };
    let live = client(&Way::through(&proxy, address));
    assert_eq!((live.0, live.1), (Some(0), 200));
    let recorded = Recorded::of(&workshop, proxy, 2);
    drop(apache);
    assert_eq!(recorded.replayed(&[], |replay| client(&Way::through(replay, address))), live);
}

/// A session that was recorded live, and what was said of it.
struct Recorded<'w> {
    workshop: &'w Workshop,
    session: PathBuf,
    findings: Vec<String>,
}

impl<'w> Recorded<'w> {
    /// Ends `proxy` once it has seen so many exchanges.
    fn of(workshop: &'w Workshop, mut proxy: Proxy, exchanges: usize) -> Self {
        proxy.exchanges(exchanges);
        let session = proxy.session.clone();
        assert_eq!(proxy.stop().code, Some(0));
        let findings = findings(&workshop.diagnose(&session));
        assert!(findings.len() >= exchanges, "{findings:#?}");
        Self { workshop, session, findings }
    }

    /// Has `clients` talk to a replay; what is diagnosed of that must be what was diagnosed of the recording.
    fn replayed<T>(&self, options: &[&str], clients: impl FnOnce(&Proxy) -> T) -> T {
        let again = self.workshop.path("again.authtap");
        let _ = std::fs::remove_file(&again);
        let again_name = again.to_string_lossy().into_owned();
        let mut replay = self.workshop.replay_with(&self.session, &[options, &["--save", &again_name]].concat());
        let said = clients(&replay);
        replay.exchanges(self.findings.len());
        let finished = replay.stop();
        assert_eq!(finished.code, Some(0), "{}", finished.error());
        assert_eq!(findings(&self.workshop.diagnose(&again)), self.findings);
        said
    }
}

/// Every exchange in a line: method, path, status, verdict and findings, without the numbers of pseudonyms. Sorted,
/// because of several clients at once none is always the first.
fn findings(diagnosis: &Value) -> Vec<String> {
    let exchanges = diagnosis["exchanges"].as_array().unwrap();
    let line = |exchange: &Value| {
        let path = exchange["url"].as_str().unwrap_or_default().splitn(4, '/').nth(3).unwrap_or_default();
        let path: String =
            path.split("%23").map(|part| part.trim_start_matches(|c: char| c.is_ascii_digit())).collect();
        format!("{} {path} {} {} {}", exchange["method"], exchange["status"], exchange["verdict"], exchange["findings"])
    };
    let mut lines: Vec<String> = exchanges.iter().map(line).collect();
    lines.sort();
    lines
}

fn seconds() -> i64 {
    authtap::exchange::Timestamp::now().seconds()
}

#[test]
fn the_demonstration_is_replayed_from_its_session_and_from_archives_of_it() {
    let workshop = Workshop::new();
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let stage = runtime.block_on(demo::Stage::open(workshop.folder())).unwrap();
    let names = stage.names().iter().map(|(host, address)| format!("{host}:443={address}"));
    let mut options = vec!["--upstream-ca".to_owned(), stage.authority().to_string_lossy().into_owned()];
    options.extend(names.flat_map(|name| ["--resolve".to_owned(), name]));
    let proxy = workshop.proxy(&options.iter().map(String::as_str).collect::<Vec<_>>());
    let play = |proxy: &Proxy| runtime.block_on(demo::play(proxy.address, &proxy.ca, demo::Pace::Fast)).unwrap();
    play(&proxy);
    let mut recorded = Recorded::of(&workshop, proxy, 20);
    drop(stage);
    recorded.replayed(&[], play);
    let session = recorded.session.to_string_lossy().into_owned();
    for name in ["demo.saz", "demo.har"] {
        let archive = workshop.path(name);
        let converted = workshop.run(&["convert", &session, &archive.to_string_lossy()]);
        assert_eq!(converted.code, Some(0), "{}", converted.error());
        recorded.session = archive;
        recorded.replayed(&[], play);
    }
    let replay = workshop.replay(&recorded.session);
    let lacking = curl(&replay, &["https://autodiscover.fabrikam.com/autodiscover/nothing.xml"]);
    assert_eq!((lacking.code, lacking.status), (Some(0), 502));
    let text = lacking.text();
    assert!(text.contains("GET https://autodiscover.fabrikam.com/autodiscover/nothing.xml"), "{text}");
    assert!(
        text.contains("The session knows these servers: https://") || text.contains("The nearest that was recorded: "),
        "{text}"
    );
}
