//! What goes wrong in practice: each a clear message with its exit code, or an exchange with an error; and the proxy goes
//! on.

use std::fs;
use std::io::{Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::os::unix::fs::PermissionsExt as _;

use serde_json::Value;

use crate::kit::{Finished, Origin, Proxy, Talk, Tunnel, Workshop, curl, need, saved};

const HOST: &str = "mail.contoso.com";
/// Usage error or unreadable input.
const INPUT: i32 = 2;
/// What the machine refused.
const MACHINE: i32 = 3;

#[test]
fn text_in_which_nothing_is_recognised_is_named_and_no_failure() {
    let workshop = Workshop::new();
    let text = workshop.path("lone.txt");
    let diagnose = || workshop.run(&["diagnose", &text.to_string_lossy()]);
    for lone in ["Dear all, it does not work.\n", " \n\t\n"] {
        fs::write(&text, lone).unwrap();
        let finished = diagnose();
        assert_eq!(finished.code, Some(0), "{}", finished.error());
        assert!(finished.error().contains("lone.txt: nothing was recognised"), "{}", finished.error());
    }
    for told in ["HTTP/1.1 401 Unauthorized\nWWW-Authenticate: NTLM\n\n", "WWW-Authenticate: NTLM\n", "AADSTS50034\n"] {
        fs::write(&text, told).unwrap();
        assert_eq!(diagnose().error(), "");
    }
}

#[test]
fn a_port_in_use_is_named() {
    let workshop = Workshop::new();
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    let ca = workshop.path("ca").to_string_lossy().into_owned();
    let finished = workshop.run(&["proxy", "--headless", "--listen", &address, "--ca-dir", &ca]);
    refused(&finished, MACHINE, &[&address]);
}

#[test]
fn a_ca_folder_that_is_a_file_is_named() {
    let workshop = Workshop::new();
    fs::write(workshop.path("ca"), "no folder").unwrap();
    ca_refused(&workshop, MACHINE);
}

#[test]
fn a_ca_key_that_others_can_read_is_refused_or_mended() {
    let workshop = with_ca();
    let key = workshop.path("ca/authtap-ca.key");
    fs::set_permissions(&key, fs::Permissions::from_mode(0o644)).unwrap();
    let finished = start_and_stop(&workshop);
    let mode = fs::metadata(&key).unwrap().permissions().mode() & 0o777;
    assert!(
        finished.code == Some(MACHINE) || mode == 0o600,
        "mode {mode:o}, {:?}: {}",
        finished.code,
        finished.error()
    );
    if finished.code != Some(0) {
        refused(&finished, MACHINE, &["authtap-ca.key"]);
    }
}

#[test]
fn a_ca_that_is_garbage_is_named_and_left_alone() {
    for file in ["authtap-ca.pem", "authtap-ca.key"] {
        let workshop = with_ca();
        let path = workshop.path("ca").join(file);
        fs::write(&path, "garbage").unwrap();
        let finished = ca_refused(&workshop, MACHINE);
        assert!(finished.error().contains(file), "{}", finished.error());
        assert_eq!(fs::read(&path).unwrap(), b"garbage", "nothing is overwritten silently");
    }
}

#[test]
fn half_a_ca_is_named_and_left_alone() {
    let workshop = with_ca();
    let key = workshop.path("ca/authtap-ca.key");
    fs::remove_file(&key).unwrap();
    let certificate = fs::read(workshop.path("ca/authtap-ca.pem")).unwrap();
    let finished = ca_refused(&workshop, MACHINE);
    assert!(finished.error().contains("authtap-ca.key"), "{}", finished.error());
    assert!(!key.exists());
    assert_eq!(fs::read(workshop.path("ca/authtap-ca.pem")).unwrap(), certificate);
}

#[test]
fn a_new_ca_key_is_readable_by_its_owner_alone() {
    let workshop = with_ca();
    let mode = fs::metadata(workshop.path("ca/authtap-ca.key")).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    let mode = fs::metadata(workshop.path("session.authtap")).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
}

#[test]
fn a_session_file_that_is_none_is_named() {
    let workshop = Workshop::new();
    let path = workshop.path("notes.authtap");
    fs::write(&path, [0, 159, 146, 150, 255, 0, 1, 2]).unwrap();
    let path = path.to_string_lossy().into_owned();
    for command in ["open", "replay"] {
        refused(&workshop.run(&[command, &path]), INPUT, &["notes.authtap"]);
    }
    let finished = workshop.run(&["proxy", "--headless", "--listen", "127.0.0.1:0", "--save", &path]);
    refused(&finished, INPUT, &["notes.authtap"]);
}

#[test]
fn a_session_file_that_is_not_there_is_named() {
    let workshop = Workshop::new();
    for command in ["open", "replay", "diagnose"] {
        refused(&workshop.run(&[command, "nowhere.authtap"]), INPUT, &["nowhere.authtap"]);
    }
}

#[test]
fn another_database_is_not_taken_for_a_session() {
    let workshop = Workshop::new();
    let path = workshop.path("other.authtap");
    rusqlite::Connection::open(&path).unwrap().execute_batch("CREATE TABLE holidays (day TEXT)").unwrap();
    let path = path.to_string_lossy().into_owned();
    for command in ["open", "replay", "diagnose"] {
        refused(&workshop.run(&[command, &path]), INPUT, &["other.authtap"]);
    }
}

#[test]
fn a_truncated_session_gives_what_it_has_or_says_that_it_is_damaged() {
    let workshop = Workshop::new();
    let origin = Origin::answering(Some(workshop.authority.server(&[HOST])), |_| {
        [b"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 20000\r\n\r\n".as_slice(), &vec![b'a'; 20000]]
            .concat()
    });
    let mut proxy = workshop.proxy(&["--resolve", &origin.resolve(HOST, 443)]);
    let mut tunnel = Tunnel::open(&proxy, HOST);
    for _ in 0..20 {
        tunnel.send(b"GET / HTTP/1.1\r\nHost: mail.contoso.com\r\n\r\n");
        let head = tunnel.head().unwrap();
        tunnel.body(&head);
    }
    proxy.exchanges(20);
    let session = proxy.session.clone();
    assert_eq!(proxy.stop().code, Some(0));
    let whole = fs::read(&session).unwrap();
    let cut = workshop.path("cut.authtap");
    for part in [whole.len() / 2, 100, 20, 0] {
        fs::write(&cut, &whole[..part]).unwrap();
        let finished = workshop.run(&["diagnose", &cut.to_string_lossy()]);
        // What could be read may be on standard output; that it is not all is said in any case.
        assert_eq!(finished.code, Some(INPUT), "{part} of {} bytes: {}", whole.len(), finished.error());
        assert!(finished.error().contains("cut.authtap"), "{}", finished.error());
        assert!(!finished.error().contains("panicked"), "{}", finished.error());
    }
}

#[test]
fn a_host_that_does_not_resolve_is_an_exchange_and_a_502() {
    if !need(&["curl"]) {
        return;
    }
    let workshop = Workshop::new();
    let mut proxy = workshop.proxy(&[]);
    // The .invalid domain never resolves (RFC 6761).
    let answer = curl(&proxy, &["https://mail.contoso.invalid/EWS/Exchange.asmx"]);
    assert_eq!(answer.code, Some(56), "curl says that the CONNECT was refused: {}", answer.error);
    assert!(answer.error.contains("502"), "{}", answer.error);
    let plain = curl(&proxy, &["http://mail.contoso.invalid/"]);
    assert_eq!(plain.status, 502);
    assert!(plain.text().contains("mail.contoso.invalid"), "{}", plain.text());
    for said in failed(&mut proxy, 2, "server", "resolve") {
        assert!(said["error"]["text"].as_str().unwrap().contains("mail.contoso.invalid"), "{said}");
    }
    still_serves(&workshop, proxy);
}

#[test]
fn a_port_where_nobody_listens_is_an_exchange_and_a_502() {
    if !need(&["curl"]) {
        return;
    }
    let workshop = Workshop::new();
    // Bound and never listened on would be safer, but the standard library listens at once; closed it refuses.
    let closed = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let mut proxy = workshop.proxy(&["--resolve", &format!("{HOST}:443={closed}")]);
    let answer = curl(&proxy, &[&format!("https://{HOST}/")]);
    assert!(answer.error.contains("502"), "{}", answer.error);
    failed(&mut proxy, 1, "server", "connect");
    still_serves(&workshop, proxy);
}

#[test]
fn a_refused_certificate_is_explained_to_the_client() {
    if !need(&["curl"]) {
        return;
    }
    let workshop = Workshop::new();
    let other_name = Origin::answering(Some(workshop.authority.server(&["www.fabrikam.com"])), |_| Vec::new());
    let expired = Origin::answering(Some(workshop.authority.expired_server(&["old.contoso.com"])), |_| Vec::new());
    let stranger = Workshop::new();
    let unknown = Origin::answering(Some(stranger.authority.server(&["new.contoso.com"])), |_| Vec::new());
    let mut proxy = workshop.proxy(&[
        "--resolve",
        &other_name.resolve(HOST, 443),
        "--resolve",
        &expired.resolve("old.contoso.com", 443),
        "--resolve",
        &unknown.resolve("new.contoso.com", 443),
    ]);
    let expected =
        [(HOST, "www.fabrikam.com"), ("old.contoso.com", "2021"), ("new.contoso.com", "Origin CA of a test")];
    for (host, fact) in expected {
        let answer = curl(&proxy, &[&format!("https://{host}/")]);
        assert_eq!(answer.status, 502, "{host}: {}", answer.error);
        assert!(answer.text().contains(fact), "{host}: the page says {fact}: {}", answer.text());
    }
    let said = failed(&mut proxy, 3, "server", "tls");
    for (said, (host, fact)) in said.iter().zip(expected) {
        let text = said["error"]["text"].as_str().unwrap();
        assert!(text.contains(fact), "{host}: the exchange says {fact}: {text}");
    }
    still_serves(&workshop, proxy);
}

#[test]
fn a_client_that_refuses_our_certificate_is_an_exchange() {
    if !need(&["curl"]) {
        return;
    }
    let workshop = Workshop::new();
    let origin = Origin::answering(Some(workshop.authority.server(&[HOST])), |_| Vec::new());
    let mut proxy = workshop.proxy(&["--resolve", &origin.resolve(HOST, 443)]);
    let answer = curl(&proxy, &["--cacert", &workshop.authority.pem.to_string_lossy(), &format!("https://{HOST}/")]);
    assert_eq!(answer.code, Some(60), "curl does not trust the certificate: {}", answer.error);
    let said = failed(&mut proxy, 1, "client", "tls").remove(0);
    assert_eq!(said["method"], "CONNECT", "{said}");
    assert_eq!(said["findings"][0], "tls-trust-failure", "{said}");
    still_serves(&workshop, proxy);
}

#[test]
fn a_server_that_hangs_up_in_mid_body_is_an_exchange_with_both_facts() {
    let workshop = Workshop::new();
    let origin = Origin::talking(Some(workshop.authority.server(&[HOST])), |talk: &mut Talk| {
        talk.head();
        talk.send(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\nonly this");
        talk.hang_up();
    });
    let mut proxy = workshop.proxy(&["--resolve", &origin.resolve(HOST, 443)]);
    let mut tunnel = Tunnel::open(&proxy, HOST);
    tunnel.send(b"GET /cut HTTP/1.1\r\nHost: mail.contoso.com\r\n\r\n");
    assert!(tunnel.head().unwrap().starts_with(b"HTTP/1.1 200 OK"));
    assert_eq!(tunnel.bytes(9), b"only this");
    let mut rest = Vec::new();
    let end = tunnel.reader().read_to_end(&mut rest);
    assert!(rest.is_empty(), "nothing was made up: {rest:?}");
    assert!(end.is_err(), "the client sees that the connection broke, not a clean end");
    drop(tunnel);
    let said = proxy.exchanges(1).remove(0);
    assert_eq!((&said["error"]["side"], &said["error"]["step"]), (&"server".into(), &"receive".into()), "{said}");
    let session = proxy.session.clone();
    still_serves(&workshop, proxy);
    let exchange = &saved(&session)[0];
    assert_eq!(exchange.status(), Some(200), "what came of the answer is kept");
    assert!(exchange.error.is_some());
}

#[test]
fn a_client_that_gives_up_is_not_the_servers_fault() {
    let workshop = Workshop::new();
    let origin = Origin::talking(Some(workshop.authority.server(&[HOST])), |talk: &mut Talk| {
        talk.head();
        // Says nothing, and leaves once the client has left.
        let mut nothing = Vec::new();
        let _ = talk.reader().read_to_end(&mut nothing);
    });
    let mut proxy = workshop.proxy(&["--resolve", &origin.resolve(HOST, 443)]);
    for times in 1..=5 {
        let mut tunnel = Tunnel::open(&proxy, HOST);
        tunnel.send(b"GET /slow HTTP/1.1\r\nHost: mail.contoso.com\r\n\r\n");
        drop(tunnel);
        let said = proxy.exchanges(times).remove(times - 1);
        assert_eq!((&said["error"]["side"], &said["status"]), (&"client".into(), &serde_json::Value::Null), "{said}");
    }
}

#[test]
fn a_client_that_sends_garbage_is_answered_and_harms_nobody() {
    let workshop = Workshop::new();
    let mut proxy = workshop.proxy(&[]);
    let garbage: [&[u8]; 6] = [
        b"\x00\x01\x02\x03garbage\xff\xfe\r\n\r\n",
        b"GET / HTTP/1.1\r\n\r\n",
        b"CONNECT\r\n\r\n",
        b"CONNECT mail.contoso.com:notaport HTTP/1.1\r\n\r\n",
        b"SSH-2.0-OpenSSH_9.2\r\n",
        &vec![b'A'; 300 * 1024],
    ];
    for bytes in garbage {
        let mut client = TcpStream::connect(proxy.address).unwrap();
        client.set_read_timeout(Some(crate::kit::DEADLINE)).unwrap();
        // The proxy may close before it has read everything.
        let _ = client.write_all(bytes).and_then(|()| client.shutdown(std::net::Shutdown::Write));
        let mut answer = Vec::new();
        let _ = client.read_to_end(&mut answer);
        assert!(answer.is_empty() || answer.starts_with(b"HTTP/1.1 "), "{}", answer.escape_ascii());
        assert!(!answer.starts_with(b"HTTP/1.1 500"), "{}", answer.escape_ascii());
    }
    // Opened and left at once.
    drop(TcpStream::connect(proxy.address).unwrap());
    let said = proxy.exchanges(1).remove(0);
    assert_eq!(said["error"]["side"], "client", "{said}");
    still_serves(&workshop, proxy);
}

#[test]
fn no_password_on_the_command_line_is_repeated() {
    let workshop = Workshop::new();
    let url = "https://avery:hunter2@mail.contoso.com/";
    for arguments in [
        &["proxy", "--reverse", url][..],
        &["replay", "a.har", "--reverse", url],
        &["proxy", "--upstream-proxy", url],
        &["proxy", "--only", url, "--lang", "ja"],
        &["proxy", "--resolve", url],
        &["proxy", url],
        &[url],
        &["open", url],
        &["diagnose", url],
        &["replay", url],
        &["compare", url, url],
        &["convert", url, "b.har"],
        &["proxy", "--save", url],
    ] {
        let finished = workshop.run(arguments);
        refused(&finished, INPUT, &["authtap: "]);
        assert!(!finished.error().contains("hunter2"), "{arguments:?}: {}", finished.error());
    }
}

#[test]
fn wrong_usage_is_explained() {
    let workshop = Workshop::new();
    for arguments in [&["proxy", "--listen", "nonsense"][..], &["--no-such-option"], &["explain", "no-such-finding"]] {
        let finished = workshop.run(arguments);
        refused(&finished, INPUT, &[arguments.last().unwrap()]);
    }
}

/// The message says what was wrong and where, nothing is on standard output, and nobody panicked.
fn refused(finished: &Finished, code: i32, named: &[&str]) {
    let error = finished.error();
    assert_eq!(finished.code, Some(code), "{error}{}", finished.output());
    assert!(!error.contains("panicked"), "{error}");
    for name in named {
        assert!(error.contains(name), "{name} is not in: {error}");
    }
    assert_eq!(finished.output(), "", "standard output has only what was asked for");
}

fn ca_refused(workshop: &Workshop, code: i32) -> Finished {
    let ca = workshop.path("ca").to_string_lossy().into_owned();
    let finished = workshop.run(&["proxy", "--headless", "--listen", "127.0.0.1:0", "--ca-dir", &ca]);
    refused(&finished, code, &[&ca]);
    finished
}

/// A workshop whose CA folder was filled by a first run.
fn with_ca() -> Workshop {
    let workshop = Workshop::new();
    assert_eq!(workshop.proxy(&[]).stop().code, Some(0));
    workshop
}

/// Starts the proxy on what lies there and stops it as soon as it listens, if it does.
fn start_and_stop(workshop: &Workshop) -> Finished {
    let ca = workshop.path("ca").to_string_lossy().into_owned();
    let mut command = workshop.authtap(&["proxy", "--headless", "--format", "json", "--listen", "127.0.0.1:0"]);
    Proxy::try_start(command.args(["--ca-dir", &ca])).map_or_else(|finished| finished, Proxy::stop)
}

/// Waits for `count` exchanges that all failed at the same point.
fn failed(proxy: &mut Proxy, count: usize, side: &str, step: &str) -> Vec<Value> {
    let exchanges = proxy.exchanges(count);
    for said in &exchanges {
        assert_eq!(said["status"], Value::Null, "{said}");
        assert_eq!((&said["error"]["side"], &said["error"]["step"]), (&side.into(), &step.into()), "{said}");
    }
    exchanges
}

/// After whatever happened the same proxy carries an ordinary request, and ends in order.
fn still_serves(workshop: &Workshop, mut proxy: Proxy) {
    let fine = Origin::answering(None, |_| b"HTTP/1.1 204 No Content\r\n\r\n".to_vec());
    let before = proxy.exchanges(0).len();
    let mut client = TcpStream::connect(proxy.address).unwrap();
    client.set_read_timeout(Some(crate::kit::DEADLINE)).unwrap();
    let request = format!("GET http://{0}/fine HTTP/1.1\r\nHost: {0}\r\n\r\n", fine.address);
    client.write_all(request.as_bytes()).unwrap();
    let mut answer = [0; 27];
    client.read_exact(&mut answer).unwrap();
    assert_eq!(&answer, b"HTTP/1.1 204 No Content\r\n\r\n");
    drop(client);
    proxy.exchanges(before + 1);
    let session = proxy.session.clone();
    assert_eq!(proxy.stop().code, Some(0));
    assert!(workshop.diagnose(&session)["exchanges"].as_array().unwrap().len() > before);
}
