//! The ways in: SOCKS on the proxy's own port, IPv6, HTTP/2 without TLS, redirected connections, and none that leads
//! round in circles.

use std::fs;
use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream, UdpSocket};
use std::process::{Command, Stdio};

use authtap::exchange::Unseen;
use serde_json::Value;

use crate::kit::{DEADLINE, Origin, Process, Proxy, Talk, Workshop, curl, curl_through, need, saved};

const HOST: &str = "mail.contoso.com";
const ANSWER: &[u8] =
    b"HTTP/1.1 401 Unauthorized\r\nwww-AUTHENTICATE: NTLM\r\nX-Odd:  1\r\nContent-Length: 2\r\n\r\nno";

#[test]
fn curl_through_socks_with_names_and_with_addresses() {
    if !need(&["curl"]) {
        return;
    }
    let workshop = Workshop::new();
    let tls = Origin::answering(Some(workshop.authority.server(&[HOST])), |_| ANSWER.to_vec());
    let plain = Origin::answering(None, |_| ANSWER.to_vec());
    let options = [tls.resolve(HOST, 443), plain.resolve(HOST, 80), tls.resolve("192.0.2.7", 443)];
    let [a, b, c] = options.each_ref();
    let mut proxy = workshop.proxy(&["--resolve", a, "--resolve", b, "--resolve", c]);
    let address = proxy.address.to_string();
    let (https, http) = (format!("https://{HOST}/EWS"), format!("http://{HOST}/EWS"));
    let here = format!("{HOST}:443:192.0.2.7");
    let calls: [&[&str]; 3] = [
        &["--socks5-hostname", &address, &https],
        &["--socks5-hostname", &address, &http],
        &["--socks5", &address, "--resolve", &here, &https],
    ];
    for arguments in calls {
        let answer = curl(&proxy, arguments);
        assert_eq!((answer.code, answer.status), (Some(0), 401), "{arguments:?}: {}", answer.error);
        assert_eq!([answer.head, answer.body].concat(), ANSWER, "{arguments:?}");
    }
    let said = proxy.exchanges(3);
    let urls: Vec<_> = said.iter().map(|said| said["url"].as_str().unwrap()).collect();
    assert_eq!(urls, [https.as_str(), &http, &https], "the name that the client calls the server by");
    let session = proxy.session.clone();
    proxy.stop();
    let exchanges = saved(&session);
    assert!(exchanges.iter().all(|exchange| exchange.connection.presented.is_some()
        == exchange.url.as_ref().unwrap().text().as_str().starts_with("https")));
}

/// What a SOCKS client gets back for these bytes, until the proxy closes.
fn socks(proxy: SocketAddr, messages: &[&[u8]]) -> Vec<u8> {
    let mut client = TcpStream::connect(proxy).unwrap();
    client.set_read_timeout(Some(DEADLINE)).unwrap();
    for message in messages {
        client.write_all(message).unwrap();
    }
    let mut answer = Vec::new();
    client.read_to_end(&mut answer).unwrap();
    answer
}

#[test]
fn what_socks_cannot_do_is_refused_in_its_own_words() {
    const GREETING: &[u8] = &[5, 1, 0];
    let workshop = Workshop::new();
    let mut proxy = workshop.proxy(&[]);
    let nobody = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port().to_be_bytes();
    let own = proxy.address.port().to_be_bytes();
    let to = |command: u8, port: [u8; 2]| [&[5, command, 0, 1, 127, 0, 0, 1][..], &port].concat();
    let name = |name: &str| [&[5, 1, 0, 3, name.len() as u8][..], name.as_bytes(), &[1, 0xbb]].concat();
    let cases: [(&[u8], Vec<u8>, u8, &str); 8] = [
        (GREETING, to(1, nobody), 5, "refuses the connection"),
        (GREETING, name("nobody.invalid"), 4, "could not be resolved"),
        (GREETING, to(1, own), 2, "leads to this proxy itself"),
        (GREETING, to(2, own), 7, "BIND"),
        (GREETING, to(3, own), 7, "UDP"),
        (GREETING, vec![5, 1, 0, 9, 0, 0], 8, "unknown kind"),
        (GREETING, name("fe80::1%eth0"), 8, "zone"),
        (GREETING, name("a b"), 1, "usable host"),
    ];
    for (number, (greeting, request, reply, word)) in cases.iter().enumerate() {
        let answer = socks(proxy.address, &[greeting, request]);
        assert_eq!(answer, [5, 0, 5, *reply, 0, 1, 0, 0, 0, 0, 0, 0], "{word}");
        let error = &proxy.exchanges(number + 1)[number]["error"];
        assert!(error["text"].as_str().unwrap().contains(word), "{error}");
    }
    // Version 4, and a client that insists on a method that there is not.
    assert_eq!(socks(proxy.address, &[b"\x04\x01\x01\xbb\x7f\0\0\x01avery\0"]), [0, 0x5b, 0, 0, 0, 0, 0, 0]);
    assert_eq!(socks(proxy.address, &[&[5, 1, 1]]), [5, 0xff]);
    let said = proxy.exchanges(10);
    assert!(said[8]["error"]["text"].as_str().unwrap().contains("version 4"), "{}", said[8]);
}

#[test]
fn socks_asks_for_the_same_login_as_http() {
    if !need(&["curl"]) {
        return;
    }
    let workshop = Workshop::new();
    let origin = Origin::answering(None, |_| ANSWER.to_vec());
    let mut command = workshop.authtap(&["proxy", "--headless", "--format", "json", "--listen", "127.0.0.1:0"]);
    command.args(["--resolve", &origin.resolve(HOST, 80), "--proxy-auth"]).env("AUTHTAP_PROXY_AUTH", "avery:hunter2");
    let mut proxy = Proxy::start(&mut command);
    let (url, through) = (format!("http://{HOST}/"), format!("socks5h://{}", proxy.address));
    let answer = curl_through(&through, &proxy.ca, &["--proxy-user", "avery:hunter2", &url]);
    assert_eq!(answer.status, 401, "{}", answer.error);
    for login in ["avery:wrong", ":"] {
        let answer = curl_through(&through, &proxy.ca, &["--proxy-user", login, &url]);
        assert_eq!(answer.code, Some(97), "{login}: curl says that the proxy refuses: {}", answer.error);
    }
    let said = proxy.exchanges(3);
    assert!(said[1]["error"]["text"].as_str().unwrap().contains("--proxy-auth"), "{}", said[1]);
}

#[test]
fn what_is_not_http_passes_through_socks_and_a_server_may_speak_first() {
    let workshop = Workshop::new();
    let origin = Origin::talking(None, |talk: &mut Talk| {
        talk.send(b"220 mail.contoso.com ESMTP\r\n");
        let mut hello = [0; 6];
        talk.reader().read_exact(&mut hello).unwrap();
        talk.send(&hello);
    });
    let proxy = workshop.proxy(&["--resolve", &origin.resolve(HOST, 25)]);
    let request = [&b"\x05\x01\x00\x05\x01\x00\x03\x10"[..], HOST.as_bytes(), &[0, 25]].concat();
    let mut client = TcpStream::connect(proxy.address).unwrap();
    client.set_read_timeout(Some(DEADLINE)).unwrap();
    client.write_all(&request).unwrap();
    let mut answer = [0; 2 + 10 + 28];
    client.read_exact(&mut answer).unwrap();
    assert_eq!(answer[..12], [5, 0, 5, 0, 0, 1, 0, 0, 0, 0, 0, 0]);
    client.write_all(b"EHLO\r\n").unwrap();
    let mut echo = [0; 6];
    client.read_exact(&mut echo).unwrap();
    drop(client);
    let session = proxy.session.clone();
    proxy.stop();
    let exchanges = saved(&session);
    assert_eq!(exchanges.len(), 1);
    assert_eq!(exchanges[0].request.unseen(), Some(Unseen::NotTls));
}

#[test]
fn ipv6_is_an_address_like_any_other() {
    if !need(&["curl"]) || TcpListener::bind("[::1]:0").is_err() {
        return;
    }
    let workshop = Workshop::new();
    let origin = Origin::answering(Some(workshop.authority.server(&[HOST])), |_| ANSWER.to_vec());
    let ca = workshop.path("ca");
    let mut command = workshop.authtap(&["proxy", "--headless", "--format", "json", "--listen", "[::1]:0"]);
    command.arg("--ca-dir").arg(ca).arg("--upstream-ca").arg(&workshop.authority.pem);
    command.args([
        "--resolve",
        &origin.resolve(HOST, 443),
        "--resolve",
        &format!("[2001:db8::7]={}", origin.address.ip()),
    ]);
    let mut proxy = Proxy::start(command.arg("--insecure-upstream"));
    let answer = curl(&proxy, &["-x", &proxy.url(), &format!("https://{HOST}/")]);
    assert_eq!(answer.status, 401, "{}", answer.error);
    let port = origin.address.port();
    let answer = curl(&proxy, &[&format!("https://[2001:db8::7]:{port}/")]);
    assert_eq!(answer.status, 401, "{}", answer.error);
    let said = proxy.exchanges(2);
    assert_eq!(said[1]["url"], format!("https://[2001:db8::7]:{port}/"));
}

#[test]
fn http_2_without_tls_is_read_where_the_client_knows_that_its_server_speaks_it() {
    if !need(&["curl", "nghttpd"]) {
        return;
    }
    let workshop = Workshop::new();
    let pages = workshop.path("pages");
    fs::create_dir(&pages).unwrap();
    fs::write(pages.join("small"), "served\n").unwrap();
    // It does not say which port it got, so it may be late for one that was free a moment ago.
    let (_server, port) = (0..5)
        .find_map(|_| {
            let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port().to_string();
            let mut command = Command::new("nghttpd");
            command.args(["-v", "--no-tls", "-a", "127.0.0.1", "-d"]).arg(&pages).arg(&port);
            let server = Process::start(command.stdin(Stdio::null()));
            server.stdout.next()?.starts_with("IPv4: listen").then_some((server, port))
        })
        .expect("nghttpd starts");
    let mut proxy = workshop.proxy(&["--resolve", &format!("{HOST}:80=127.0.0.1:{port}")]);
    let url = format!("http://{HOST}/small");
    for way in [&["--proxytunnel"][..], &["--socks5-hostname", &proxy.address.to_string()]] {
        let answer = curl(&proxy, &[way, &["--http2-prior-knowledge", &url]].concat());
        assert_eq!((answer.status, answer.text().as_str()), (200, "served\n"), "{way:?}: {}", answer.error);
    }
    for said in proxy.exchanges(2) {
        assert_eq!((&said["url"], &said["status"]), (&url.as_str().into(), &200.into()), "{said}");
    }
}

#[test]
fn no_name_and_no_address_of_its_own_makes_it_call_itself() {
    let workshop = Workshop::new();
    let mut command = workshop.authtap(&["proxy", "--headless", "--format", "json", "--listen", "0.0.0.0:0"]);
    let mut proxy = Proxy::start(command.args(["--allow", "127.0.0.0/8"]));
    let port = proxy.address.port();
    let mut hosts = vec![
        "127.0.0.1".to_owned(),
        "localhost".to_owned(),
        "0.0.0.0".to_owned(),
        "[::ffff:127.0.0.1]".to_owned(),
        "127.9.9.9".to_owned(),
    ];
    // The address by which this machine would reach others; nothing is sent to find it.
    let probe = UdpSocket::bind("0.0.0.0:0").unwrap();
    if let Some(own) = probe.connect("192.0.2.1:9").ok().and_then(|()| probe.local_addr().ok()) {
        hosts.push(own.ip().to_string());
    }
    for host in &hosts {
        let request = format!("CONNECT {host}:{port} HTTP/1.1\r\nHost: {host}:{port}\r\n\r\n");
        assert!(ask(port, &request).starts_with("HTTP/1.1 502 "), "{host}");
        let request = format!("GET http://{host}:{port}/ HTTP/1.1\r\nHost: {host}:{port}\r\n\r\n");
        assert!(ask(port, &request).starts_with("HTTP/1.1 502 "), "{host}");
    }
    let said = proxy.exchanges(2 * hosts.len());
    assert_eq!(said.len(), 2 * hosts.len());
    for said in said {
        assert_eq!(said["error"]["side"], "proxy", "{said}");
        assert!(said["error"]["text"].as_str().unwrap().contains("this proxy itself"), "{said}");
    }
}

#[test]
fn in_front_of_itself_it_does_not_call_itself_either() {
    let workshop = Workshop::new();
    // A port that is free a moment before it is taken.
    let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let (listen, url) = (format!("127.0.0.1:{port}"), format!("http://localhost:{port}"));
    let arguments = ["proxy", "--headless", "--format", "json", "--listen", &listen, "--reverse", &url];
    let mut proxy = Proxy::start(&mut workshop.authtap(&arguments));
    assert!(ask(port, "GET / HTTP/1.1\r\nHost: a\r\n\r\n").starts_with("HTTP/1.1 502 "));
    assert_eq!(proxy.exchanges(1)[0]["error"]["side"], "proxy");
}

/// The whole answer to a request.
fn ask(port: u16, request: &str) -> String {
    let mut client = TcpStream::connect(("127.0.0.1", port)).unwrap();
    client.set_read_timeout(Some(DEADLINE)).unwrap();
    client.write_all(request.as_bytes()).unwrap();
    let mut answer = Vec::new();
    let _ = client.read_to_end(&mut answer);
    String::from_utf8_lossy(&answer).into_owned()
}

/// A network of its own, in which connections to 192.0.2.0/24 are redirected to authtap.
struct Redirected {
    proxy: Proxy,
    // They are in the same network, and end with it.
    _servers: Vec<Process>,
}

#[test]
#[cfg(target_os = "linux")]
fn redirected_connections_are_served_as_their_servers_would() {
    let Some(workshop) = can_redirect() else { return };
    let mut stage = redirected(&workshop, &["--resolve", "192.0.2.7:443=127.0.0.1:8443"]);
    let ca = stage.proxy.ca.to_string_lossy().into_owned();
    let to = |url: &str| vec!["--connect-to".to_owned(), "::192.0.2.7:".to_owned(), url.to_owned()];
    let call = |stage: &Redirected, arguments: &[String]| {
        let arguments = arguments.iter().map(String::as_str);
        inside(
            stage.proxy.id(),
            &["curl", "--silent", "--show-error", "--noproxy", "*", "--cacert", &ca]
                .into_iter()
                .chain(arguments)
                .collect::<Vec<_>>(),
        )
    };
    let (https, http) = (format!("https://{HOST}/"), format!("http://{HOST}/small"));
    let answer = call(&stage, &to(&https));
    assert!(answer.contains("s_server"), "{answer}");
    assert_eq!(call(&stage, &to(&http)), "served\n");
    // Nobody redirected this one: it is served as by any other proxy.
    let own = stage.proxy.url();
    assert_eq!(
        call(&stage, &["--proxy".to_owned(), own, "--noproxy".to_owned(), String::new(), http.clone()]),
        "served\n"
    );
    let said = stage.proxy.exchanges(3);
    let urls: Vec<_> = said.iter().map(|said| said["url"].as_str().unwrap()).collect();
    assert_eq!(urls, [https.as_str(), &http, &http]);
    assert!(said.iter().all(|said| said["status"] == 200), "{said:#?}");
}

#[test]
#[cfg(target_os = "linux")]
fn a_redirection_of_its_own_calls_is_noticed() {
    let Some(workshop) = can_redirect() else { return };
    // Nothing says where 192.0.2.7 really is, so its own call is redirected like the client's.
    let mut stage = redirected(&workshop, &[]);
    let answer = inside(stage.proxy.id(), &["curl", "--silent", "--show-error", "--noproxy", "*", "http://192.0.2.7/"]);
    assert!(!answer.contains("served"), "{answer}");
    let of_itself = |said: &Value| said["error"]["text"].as_str().is_some_and(|text| text.contains("called itself"));
    while !stage.proxy.exchanges(1).iter().any(of_itself) {
        stage.proxy.event();
    }
    assert!(stage.proxy.stop().exchanges().len() < 4, "it went round");
}

/// Whether a network can be made and connections in it be redirected: by root, where the kernel can.
fn can_redirect() -> Option<Workshop> {
    if !need(&["curl", "openssl", "python3", "iptables", "ip", "unshare", "nsenter"]) {
        return None;
    }
    let rule = "iptables -t nat -A OUTPUT -d 192.0.2.0/24 -p tcp -j REDIRECT --to-ports 8080";
    let tried = Command::new("unshare").args(["--net", "sh", "-c", rule]).output().unwrap();
    if !tried.status.success() {
        // Not a program that could be installed: a right or a part of the kernel.
        let why = String::from_utf8_lossy(&tried.stderr).into_owned();
        let _ = std::io::stderr().write_all(format!("skipped: no redirection here: {why}\n").as_bytes());
        return None;
    }
    Some(Workshop::new())
}

fn redirected(workshop: &Workshop, options: &[&str]) -> Redirected {
    let network = "ip link set lo up && ip route add 192.0.2.0/24 dev lo src 127.0.0.1 && \
                   iptables -t nat -A OUTPUT -d 192.0.2.0/24 -p tcp -j REDIRECT --to-ports 8080 && exec \"$0\" \"$@\"";
    let authtap = workshop.authtap(&["proxy", "--headless", "--format", "json", "--listen", "127.0.0.1:8080"]);
    let mut command = Command::new("unshare");
    command.args(["--net", "sh", "-c", network]).arg(authtap.get_program()).args(authtap.get_args());
    command
        .arg("--transparent")
        .arg("--ca-dir")
        .arg(workshop.path("ca"))
        .arg("--upstream-ca")
        .arg(&workshop.authority.pem);
    command.args(options).args(["--resolve", "mail.contoso.com:80=127.0.0.1:8000"]).stdin(Stdio::null());
    if !options.is_empty() {
        command.args(["--resolve", "192.0.2.7:80=127.0.0.1:8000"]);
    }
    for (name, value) in workshop.environment() {
        command.env(name, value);
    }
    let proxy = Proxy::start(&mut command);
    let (certificate, key) = workshop.authority.leaf(&[HOST]);
    fs::write(workshop.path("leaf.pem"), certificate).unwrap();
    fs::write(workshop.path("leaf.key"), key).unwrap();
    fs::write(workshop.path("small"), "served\n").unwrap();
    let (pem, key) = (workshop.path("leaf.pem"), workshop.path("leaf.key"));
    let mut tls = entering(proxy.id(), "openssl");
    tls.args(["s_server", "-accept", "127.0.0.1:8443", "-www", "-cert"]).arg(pem).arg("-key").arg(key);
    let mut plain = entering(proxy.id(), "python3");
    plain.args(["-u", "-m", "http.server", "--bind", "127.0.0.1", "8000", "--directory"]).arg(workshop.folder());
    let servers = [tls, plain].map(|mut command| Process::start(command.stdin(Stdio::null())));
    servers[0].stdout.find("that TLS is served", |line| line.contains("ACCEPT").then_some(()));
    servers[1].stdout.find("that files are served", |line| line.contains("Serving HTTP").then_some(()));
    Redirected { proxy, _servers: servers.into() }
}

/// A program in the network of the process `id`.
fn entering(id: u32, program: &str) -> Command {
    let mut command = Command::new("nsenter");
    command.args(["--target", &id.to_string(), "--net", program]);
    command
}

/// What a program prints in the network of the process `id`.
fn inside(id: u32, words: &[&str]) -> String {
    let output = entering(id, words[0]).args(&words[1..]).stdin(Stdio::null()).output().unwrap();
    String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned()
}
