//! Through another proxy: what it is told, what it says, and which servers are reached without it.

use std::fs;
use std::io::{BufReader, Write as _};
use std::net::TcpStream;
use std::process::{Command, Stdio};

use crate::kit::{
    Demand, Forward, Origin, Process, Proxy, Workshop, accounts, challenge_of, curl, field, hello, need, need_python,
    partner, read_body, read_head, response, saved,
};

const HOST: &str = "mail.contoso.com";
const OK: &[u8] = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";
/// avery:hunter2
const BASIC: &str = "Basic YXZlcnk6aHVudGVyMg==";

/// A server with TLS, one without, and a proxy that leads to both.
struct Stage {
    workshop: Workshop,
    tls: Origin,
    plain: Origin,
    forward: Forward,
}

impl Stage {
    fn new(demand: Demand) -> Self {
        let workshop = Workshop::new();
        let tls = Origin::answering(Some(workshop.authority.server(&[HOST])), |_| OK.to_vec());
        let plain = Origin::answering(None, |_| OK.to_vec());
        let servers = [(&*format!("{HOST}:443"), tls.address), (&format!("{HOST}:80"), plain.address)];
        let forward = Forward::to(&servers, demand);
        Self { workshop, tls, plain, forward }
    }

    /// A proxy that is started with variables of the environment.
    fn with_environment(&self, variables: &[(&str, &str)], options: &[&str]) -> Proxy {
        let (ca, pem) = (self.workshop.path("ca"), &self.workshop.authority.pem);
        let mut command =
            self.workshop.authtap(&["proxy", "--headless", "--format", "json", "--listen", "127.0.0.1:0"]);
        command.arg("--ca-dir").arg(ca).arg("--upstream-ca").arg(pem).args(options).envs(variables.iter().copied());
        Proxy::start(&mut command)
    }

    fn connects(&self) -> usize {
        self.forward.heads().iter().filter(|(_, head)| head.starts_with("CONNECT ")).count()
    }
}

#[test]
fn another_proxy_hears_the_clients_own_words() {
    if !need(&["curl"]) {
        return;
    }
    let stage = Stage::new(Demand::Nothing);
    let proxy = stage.workshop.proxy(&["--upstream-proxy", &stage.forward.url()]);
    for scheme in ["https", "http"] {
        let url = format!("{scheme}://{HOST}/EWS");
        let answer = curl(&proxy, &["--user-agent", "Outlook", "--proxy-header", "X-Own: 1", &url, &url]);
        assert_eq!((answer.code, answer.status), (Some(0), 200), "{scheme}: {}", answer.error);
    }
    let heads = stage.forward.heads();
    let lines: Vec<_> = heads.iter().map(|(number, head)| (*number, head.lines().next().unwrap())).collect();
    let get = format!("GET http://{HOST}/EWS HTTP/1.1");
    assert_eq!(lines, [(0, &*format!("CONNECT {HOST}:443 HTTP/1.1")), (1, &*get), (1, &*get)]);
    assert!(heads.iter().all(|(_, head)| head.contains("X-Own: 1\r\n") && head.contains("User-Agent: Outlook\r\n")));
    let finished = proxy.stop();
    let urls: Vec<_> = finished.exchanges().iter().map(|said| said["url"].clone()).collect();
    let url = |scheme: &str| format!("{scheme}://{HOST}/EWS");
    assert_eq!(urls, [url("https"), url("https"), url("http"), url("http")]);
    assert_eq!(finished.events[0]["upstream_proxy"], stage.forward.url());
}

#[test]
fn its_407_reaches_the_client_unharmed_and_is_explained() {
    if !need(&["curl"]) {
        return;
    }
    let stage = Stage::new(Demand::Basic(BASIC));
    let mut proxy = stage.workshop.proxy(&["--upstream-proxy", &stage.forward.url()]);
    let https = format!("https://{HOST}/");
    let refused = curl(&proxy, &["--verbose", &https]);
    assert!(refused.error.contains("HTTP/1.1 407 Who Are You") && refused.error.contains("Via: 1.1 wgw01"));
    let page = curl(&proxy, &[&format!("http://{HOST}/")]);
    assert_eq!((page.status, page.text().as_str()), (407, "<h1>The proxy asks who you are</h1>"));
    let said = proxy.exchanges(2);
    for (said, method, url) in [(&said[0], "CONNECT", https.clone()), (&said[1], "GET", format!("http://{HOST}/"))] {
        assert_eq!((&said["method"], &said["url"], &said["status"]), (&method.into(), &url.into(), &407.into()));
        assert_eq!(said["findings"][0], "proxy-407-challenge", "{said}");
    }
    for url in [https.as_str(), &format!("http://{HOST}/")] {
        let answer = curl(&proxy, &["--proxy-user", "avery:hunter2", "--proxy-anyauth", url]);
        assert_eq!(answer.status, 200, "{url}: {}", answer.error);
    }
    let wrong = curl(&proxy, &["--proxy-user", "avery:wrong", &https]);
    assert_ne!(wrong.code, Some(0));
    for origin in [&stage.tls, &stage.plain] {
        assert_eq!(field(&origin.received().head, "proxy-authorization"), None, "a login to the proxy is for it alone");
    }
    let session = proxy.session.clone();
    let finished = proxy.stop();
    let last = finished.exchanges().pop().unwrap();
    assert_eq!((&last["status"], &last["findings"][0]), (&407.into(), &"proxy-auth-failed".into()), "{last}");
    let exchanges = saved(&session);
    let fields = exchanges[0].response_fields();
    assert!(fields.iter().any(|field| field.name == "Via" && field.value == "1.1 wgw01"));
    assert!(exchanges[0].connection.target.as_ref().is_some_and(|target| *target == "mail.contoso.com:443"));
    assert!(!String::from_utf8_lossy(&fs::read(session).unwrap()).contains("YXZlcnk6aHVudGVyMg"));
}

#[test]
fn a_login_to_a_proxy_stays_on_its_connection() {
    let (true, Some(python)) = (need(&["curl"]), need_python()) else { return };
    let stage = Stage::new(Demand::Nothing);
    let accounts = accounts(&stage.workshop, &[("CONTOSO\\avery", "First-Pa55")]);
    let mut command = Command::new(python);
    command.arg(partner("ntlm_proxy.py")).arg(stage.tls.address.port().to_string()).env("NTLM_USER_FILE", accounts);
    let partner = Process::start(command.stdin(Stdio::piped()));
    let port = partner.stdout.next().expect("the proxy started");
    let mut proxy = stage.workshop.proxy(&["--upstream-proxy", &format!("http://127.0.0.1:{port}")]);
    let url = format!("https://{HOST}/");
    for _ in 0..3 {
        let answer = curl(&proxy, &["--proxy-ntlm", "--proxy-user", "CONTOSO\\avery:First-Pa55", &url]);
        assert_eq!((answer.code, answer.status), (Some(0), 200), "{}", answer.error);
    }
    let said = proxy.exchanges(6);
    let statuses: Vec<_> = said.iter().map(|said| said["status"].as_u64().unwrap()).collect();
    assert_eq!(statuses, [407, 200, 407, 200, 407, 200]);
    assert!(said.iter().all(|said| said["verdict"] != "failure"), "{said:#?}");
    let wrong = curl(&proxy, &["--proxy-ntlm", "--proxy-user", "CONTOSO\\avery:wrong", &url]);
    assert_ne!(wrong.code, Some(0));
    let last = proxy.exchanges(8).pop().unwrap();
    assert_eq!((&last["status"], &last["findings"][0]), (&407.into(), &"proxy-auth-failed".into()), "{last}");
}

#[test]
fn a_login_that_binds_the_connection_to_a_proxy_holds_for_every_server_behind_it() {
    const USERS: &[(&str, &str)] = &[("avery", "First-Pa55")];
    let workshop = Workshop::new();
    let (one, other) = (Origin::answering(None, |_| OK.to_vec()), Origin::answering(None, |_| OK.to_vec()));
    let servers = [("mail.contoso.com:80", one.address), ("autodiscover.contoso.com:80", other.address)];
    let forward = Forward::to(&servers, Demand::Bound(USERS));
    let proxy = workshop.proxy(&["--upstream-proxy", &forward.url()]);
    let mut client = BufReader::new(TcpStream::connect(proxy.address).unwrap());
    let mut ask = |host: &str, login: &str| {
        let request = format!("GET http://{host}/ HTTP/1.1\r\nHost: {host}\r\n{login}\r\n");
        client.get_mut().write_all(request.as_bytes()).unwrap();
        let head = read_head(&mut client).expect("an answer");
        read_body(&mut client, &head);
        (String::from_utf8_lossy(&head)[9..12].to_owned(), field(&head, "proxy-authenticate"))
    };
    let (status, challenge) = ask(HOST, &format!("Proxy-Authorization: {}\r\n", hello()));
    assert_eq!(status, "407");
    let login = response("avery", "First-Pa55", challenge_of(&challenge.unwrap()));
    assert_eq!(ask(HOST, &format!("Proxy-Authorization: {login}\r\n")).0, "200");
    for host in ["autodiscover.contoso.com", HOST, "autodiscover.contoso.com"] {
        assert_eq!(ask(host, "").0, "200", "{host}: the connection to the proxy is the same");
    }
    // Another client has a connection of its own, on which nobody has logged in.
    let mut stranger = BufReader::new(TcpStream::connect(proxy.address).unwrap());
    stranger.get_mut().write_all(format!("GET http://{HOST}/ HTTP/1.1\r\nHost: {HOST}\r\n\r\n").as_bytes()).unwrap();
    assert!(read_head(&mut stranger).unwrap().starts_with(b"HTTP/1.1 407 "));
    let numbers: Vec<_> = forward.heads().iter().map(|(number, _)| *number).collect();
    assert_eq!(numbers, [0, 0, 0, 0, 0, 1]);
    let urls: Vec<_> = proxy.stop().exchanges().iter().map(|said| said["url"].as_str().unwrap().to_owned()).collect();
    assert_eq!(urls[2], "http://autodiscover.contoso.com/");
}

#[test]
fn a_login_of_ours_is_said_where_the_client_says_none() {
    if !need(&["curl"]) {
        return;
    }
    let stage = Stage::new(Demand::Basic(BASIC));
    let with_login = stage.forward.url().replace("http://", "http://avery:hunter2@");
    let variables: [&[(&str, &str)]; 2] = [
        &[
            ("AUTHTAP_UPSTREAM_PROXY_AUTH", "avery:hunter2"),
            ("HTTPS_PROXY", &stage.forward.url()),
            ("http_proxy", &stage.forward.url()),
        ],
        &[("ALL_PROXY", &with_login)],
    ];
    for variables in variables {
        let proxy = stage.with_environment(variables, &[]);
        for scheme in ["https", "http"] {
            let answer = curl(&proxy, &[&format!("{scheme}://{HOST}/")]);
            assert_eq!(answer.status, 200, "{scheme}: {}", answer.error);
        }
        let finished = proxy.stop();
        let said = [finished.error(), finished.output()].concat();
        assert!(said.contains(&format!("reached through {}", stage.forward.url())), "{said}");
        assert!(said.contains("--upstream-proxy none") && !said.contains("hunter2"), "{said}");
    }
}

#[test]
fn the_environment_excepts_servers_and_can_be_ignored() {
    if !need(&["curl"]) {
        return;
    }
    let stage = Stage::new(Demand::Nothing);
    let url = stage.forward.url();
    let there = format!("https://127.0.0.1:{}/", stage.tls.address.port());
    for (variables, options) in [
        (vec![("https_proxy", &*url), ("no_proxy", "fabrikam.com,127.0.0.0/8")], &[][..]),
        (vec![("https_proxy", &*url)], &["--upstream-proxy", "none"]),
    ] {
        let proxy = stage.with_environment(&variables, &[options, &["--insecure-upstream"]].concat());
        let answer = curl(&proxy, &[&there]);
        assert_eq!((answer.status, stage.connects()), (200, 0), "{}", answer.error);
    }
    let proxy = stage.with_environment(&[("HTTPS_PROXY", &url), ("NO_PROXY", "fabrikam.com")], &[]);
    assert_eq!(curl(&proxy, &[&format!("https://{HOST}/")]).status, 200);
    assert_eq!(stage.connects(), 1);
}

#[test]
fn the_environment_may_name_ourselves() {
    let workshop = Workshop::new();
    // A port that is free a moment before it is taken.
    let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let listen = format!("127.0.0.1:{port}");
    let mut command = workshop.authtap(&["proxy", "--headless", "--format", "json", "--listen", &listen]);
    let finished = Proxy::start(command.env("HTTPS_PROXY", format!("http://localhost:{port}"))).stop();
    assert!(finished.error().contains("HTTPS_PROXY names this proxy itself and is ignored"), "{}", finished.error());
    assert!(finished.events[0]["upstream_proxy"].is_null());
}

#[test]
fn a_password_in_an_argument_is_refused_and_not_repeated() {
    let workshop = Workshop::new();
    let refused = workshop.run(&["proxy", "--headless", "--upstream-proxy", "http://avery:hunter2@proxy.contoso.com"]);
    assert_eq!(refused.code, Some(2));
    assert!(refused.error().contains("AUTHTAP_UPSTREAM_PROXY_AUTH"), "{}", refused.error());
    assert!(!refused.error().contains("hunter2"), "{}", refused.error());
}

#[test]
fn in_front_of_a_server_the_way_out_is_the_same() {
    if !need(&["curl"]) {
        return;
    }
    for scheme in ["https", "http"] {
        let stage = Stage::new(Demand::Basic(BASIC));
        let variables = [("AUTHTAP_UPSTREAM_PROXY_AUTH", "avery:hunter2")];
        let options = ["--upstream-proxy", &stage.forward.url(), "--reverse", &format!("{scheme}://{HOST}")];
        let proxy = stage.with_environment(&variables, &options);
        let to = format!("::{}", proxy.address);
        let answer = curl(&proxy, &["--noproxy", "*", "--connect-to", &to, &format!("https://{HOST}/")]);
        assert_eq!((answer.status, stage.connects()), (200, 1), "{scheme}: {}", answer.error);
        let mut without = stage.with_environment(&[], &options);
        let to = format!("::{}", without.address);
        let answer = curl(&without, &["--noproxy", "*", "--connect-to", &to, &format!("https://{HOST}/")]);
        assert_eq!(answer.status, 502, "{scheme}: {}", answer.error);
        assert!(answer.text().contains("with 407"), "{}", answer.text());
        assert_eq!(without.exchanges(1)[0]["error"]["step"], "connect");
    }
}

#[test]
fn one_authtap_goes_through_another() {
    if !need(&["curl"]) {
        return;
    }
    let stage = Stage::new(Demand::Nothing);
    let resolve = [stage.tls.resolve(HOST, 443), stage.plain.resolve(HOST, 80)];
    for scheme in ["socks5", "http"] {
        let mut last = stage.workshop.proxy_beside(
            &format!("{scheme}.authtap"),
            &["--resolve", &resolve[0], "--resolve", &resolve[1], "--skip-decrypt", HOST],
        );
        let through = format!("{scheme}://{}", last.address);
        let first = stage.workshop.proxy_beside(&format!("{scheme}-first.authtap"), &["--upstream-proxy", &through]);
        for url in [format!("https://{HOST}/"), format!("http://{HOST}/")] {
            let answer = curl(&first, &[&url]);
            assert_eq!((answer.code, answer.status), (Some(0), 200), "{scheme}: {url}: {}", answer.error);
        }
        assert_eq!(last.exchanges(1)[0]["method"], "CONNECT");
        let nobody = curl(&first, &["https://nobody.invalid/", "--verbose"]);
        assert!(nobody.error.contains("502"), "{}", nobody.error);
    }
}

#[test]
fn a_proxy_that_is_not_there_is_named() {
    if !need(&["curl"]) {
        return;
    }
    let workshop = Workshop::new();
    let nobody = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let mut proxy = workshop.proxy(&["--upstream-proxy", &format!("http://{nobody}")]);
    let answer = curl(&proxy, &[&format!("http://{HOST}/")]);
    assert_eq!(answer.status, 502, "{}", answer.error);
    assert!(answer.text().contains(&format!("the upstream proxy {nobody}")), "{}", answer.text());
    curl(&proxy, &[&format!("https://{HOST}/")]);
    for said in proxy.exchanges(2) {
        assert_eq!((&said["error"]["side"], &said["error"]["step"]), (&"server".into(), &"connect".into()), "{said}");
        assert!(said["error"]["text"].as_str().unwrap().contains("refuses the connection"), "{said}");
    }
}
