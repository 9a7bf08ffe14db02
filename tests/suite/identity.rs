//! Nobody is ever taken for somebody else: two users and anonymous requests in parallel, ten thousand of them, over
//! every way in and out, against a server that binds identities to connections as IIS does.
//!
//! A proxy that shares or mixes up its server connections answers some anonymous request with a user's identity, or one
//! user with the other's. A client here reads the name it was answered as, every time.

use std::io::{BufReader, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::path::PathBuf;
use std::thread;

use crate::kit::{
    Bound, DEADLINE, Demand, Finished, Forward, Origin, Proxy, Talk, Tunnel, Verdict, Workshop, challenge_of, field,
    hello, read_body, read_head, response,
};

const HOST: &str = "mail.contoso.com";
/// A second server of the same organisation, where nobody logs in.
const OTHER: &str = "autodiscover.contoso.com";
const USERS: [(&str, &str); 2] = [("avery", "First-Pa55"), ("blake", "Second-Pa55")];
/// Requests on one connection, the login among them.
const REQUESTS: usize = 12;

/// How many connections each client opens on each way: 5 ways, 3 clients, 12 requests.
fn connections() -> usize {
    if std::env::var_os("AUTHTAP_LONG").is_some() { 560 } else { 56 }
}

#[test]
fn ten_thousand_requests_over_every_way_keep_their_identities() {
    let workshop = Workshop::new();
    let tls = Origin::talking(Some(workshop.authority.server(&[HOST])), bound);
    let (plain, other) = (Origin::talking(None, bound), Origin::talking(None, bound));
    let upstream = Forward::to(
        &[
            (&format!("{HOST}:443"), tls.address),
            (&format!("{HOST}:80"), plain.address),
            (&format!("{OTHER}:80"), other.address),
        ],
        Demand::Nothing,
    );
    let resolve = [tls.resolve(HOST, 443), plain.resolve(HOST, 80), other.resolve(OTHER, 80)];
    let [secure, unsecured, elsewhere] = resolve.each_ref();
    let forward = workshop
        .proxy_beside("forward.authtap", &["--resolve", secure, "--resolve", unsecured, "--resolve", elsewhere]);
    let reverse =
        workshop.proxy_beside("reverse.authtap", &["--reverse", &format!("https://{HOST}"), "--resolve", secure]);
    let chained = workshop.proxy_beside("chained.authtap", &["--upstream-proxy", &upstream.url()]);
    let ways = [
        Way::new("a tunnel", &forward, Form::Tunnel),
        Way::new("absolute form", &forward, Form::Absolute),
        Way::new("reverse", &reverse, Form::Direct),
        Way::new("a tunnel through an upstream proxy", &chained, Form::Tunnel),
        Way::new("absolute form through an upstream proxy", &chained, Form::Absolute),
    ];
    thread::scope(|scope| {
        for way in &ways {
            for account in [Some(USERS[0]), Some(USERS[1]), None] {
                scope.spawn(move || (0..connections()).for_each(|_| way.visit(account)));
            }
        }
    });
    let each = 3 * connections() * REQUESTS;
    assert!(5 * each >= 10_000);
    let recorded = |proxy: Proxy| all_recorded(&proxy.stop());
    assert_eq!([recorded(forward), recorded(reverse), recorded(chained)], [2 * each, each, 2 * each]);
}

/// How many exchanges there are; none may be called a failure.
fn all_recorded(finished: &Finished) -> usize {
    assert_eq!(finished.code, Some(0), "{}", finished.error());
    let exchanges = finished.exchanges();
    let wrong: Vec<_> = exchanges.iter().filter(|exchange| exchange["verdict"] == "failure").collect();
    assert!(wrong.is_empty(), "{} are called failures, the first is {}", wrong.len(), wrong[0]);
    exchanges.len()
}

/// Answers as whoever logged in on this connection.
fn bound(talk: &mut Talk) {
    let mut acceptor = Bound::default();
    while let Some(request) = talk.request() {
        let answer = match acceptor.judge(field(&request.head, "authorization").as_deref(), &USERS) {
            Verdict::Known(user) => {
                format!("HTTP/1.1 200 OK\r\nX-Remote-User: {user}\r\nContent-Length: 3\r\n\r\nok\n")
            }
            Verdict::Refused(challenge) => {
                format!("HTTP/1.1 401 Unauthorized\r\nWWW-Authenticate: {challenge}\r\nContent-Length: 0\r\n\r\n")
            }
        };
        if !talk.send(answer.as_bytes()) {
            return;
        }
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Form {
    Tunnel,
    Absolute,
    Direct,
}

/// A way to the server.
struct Way {
    name: &'static str,
    address: SocketAddr,
    ca: PathBuf,
    form: Form,
}

impl Way {
    fn new(name: &'static str, proxy: &Proxy, form: Form) -> Self {
        Self { name, address: proxy.address, ca: proxy.ca.clone(), form }
    }

    /// Opens a connection, logs in as `account` if it is one, and asks on.
    fn visit(&self, account: Option<(&str, &str)>) {
        let mut client = self.open();
        let mut asked = 0;
        if let Some((user, password)) = account {
            let (status, _, challenge) = self.ask(&mut client, HOST, Some(hello()));
            assert_eq!(status, 401, "{}: the login is answered with a challenge", self.name);
            let login = response(user, password, challenge_of(&challenge.expect("a challenge")));
            let (status, name, _) = self.ask(&mut client, HOST, Some(login));
            assert_eq!((status, name.as_deref()), (200, Some(user)), "{}: the login succeeds", self.name);
            asked = 2;
        }
        for number in asked..REQUESTS {
            // In absolute form the same connection asks another server too, where nobody is logged in.
            let elsewhere = self.form == Form::Absolute && number % 3 == 0;
            let (status, name, _) = self.ask(&mut client, if elsewhere { OTHER } else { HOST }, None);
            let expected = account.filter(|_| !elsewhere).map(|(user, _)| user);
            let expected = (if expected.is_some() { 200 } else { 401 }, expected);
            assert_eq!((status, name.as_deref()), expected, "{}: request {number} of {account:?}", self.name);
        }
    }

    fn open(&self) -> Client {
        let mut tcp = TcpStream::connect(self.address).unwrap();
        tcp.set_read_timeout(Some(DEADLINE)).unwrap();
        tcp.set_nodelay(true).unwrap();
        if self.form == Form::Tunnel {
            write!(tcp, "CONNECT {HOST}:443 HTTP/1.1\r\nHost: {HOST}:443\r\n\r\n").unwrap();
            let head = read_head(&mut BufReader::with_capacity(1, &tcp)).expect("an answer to the CONNECT");
            assert!(head.starts_with(b"HTTP/1.1 200 "), "{}", String::from_utf8_lossy(&head));
        }
        match self.form {
            Form::Absolute => Client::Plain(BufReader::new(tcp)),
            Form::Tunnel | Form::Direct => Client::Tls(Box::new(Tunnel::over(tcp, HOST, &self.ca, b"http/1.1"))),
        }
    }

    /// Sends a request; gives the answer's status, the name in it, and its challenge.
    fn ask(&self, client: &mut Client, host: &str, login: Option<String>) -> (u16, Option<String>, Option<String>) {
        let target = if self.form == Form::Absolute { format!("http://{host}/EWS") } else { "/EWS".to_owned() };
        let login = login.map(|login| format!("Authorization: {login}\r\n")).unwrap_or_default();
        let head = client.ask(format!("GET {target} HTTP/1.1\r\nHost: {host}\r\n{login}\r\n").as_bytes());
        let status = String::from_utf8_lossy(&head).split(' ').nth(1).and_then(|code| code.parse().ok());
        (status.expect("a status"), field(&head, "x-remote-user"), field(&head, "www-authenticate"))
    }
}

enum Client {
    Plain(BufReader<TcpStream>),
    Tls(Box<Tunnel>),
}

impl Client {
    /// Sends a request and reads the whole answer; gives its head.
    fn ask(&mut self, request: &[u8]) -> Vec<u8> {
        match self {
            Self::Plain(stream) => {
                stream.get_mut().write_all(request).unwrap();
                let head = read_head(stream).expect("an answer");
                read_body(stream, &head);
                head
            }
            Self::Tls(tunnel) => {
                tunnel.send(request);
                let head = tunnel.head().expect("an answer");
                tunnel.body(&head);
                head
            }
        }
    }
}
