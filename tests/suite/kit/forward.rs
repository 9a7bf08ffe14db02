//! A forward proxy of another make: CONNECT and absolute form, with a login of its own where the test wants one.

use std::collections::HashMap;
use std::io::{BufReader, Write as _};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::{io, thread};

use super::{Bound, DEADLINE, Verdict, field, read_body, read_head};

/// What a forward proxy wants to be told.
#[derive(Clone, Copy)]
pub(crate) enum Demand {
    Nothing,
    /// This value of Proxy-Authorization.
    Basic(&'static str),
    /// A login that binds the connection.
    Bound(&'static [(&'static str, &'static str)]),
}

/// Heads, each with the number of its connection.
type Heads = Vec<(usize, Vec<u8>)>;

/// A forward proxy that knows some names. Dropping it stops it.
pub(crate) struct Forward {
    pub(crate) address: SocketAddr,
    seen: Arc<Mutex<Heads>>,
    stopping: Arc<AtomicBool>,
}

impl Forward {
    /// Leads to `servers`, by `host:port`.
    pub(crate) fn to(servers: &[(&str, SocketAddr)], demand: Demand) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let known: Arc<HashMap<String, SocketAddr>> =
            Arc::new(servers.iter().map(|(name, address)| ((*name).to_owned(), *address)).collect());
        let (seen, stopping) = (Arc::new(Mutex::new(Vec::new())), Arc::new(AtomicBool::new(false)));
        let (heads, stop) = (Arc::clone(&seen), Arc::clone(&stopping));
        thread::spawn(move || {
            for (number, client) in listener.incoming().enumerate() {
                if stop.load(Ordering::SeqCst) {
                    return;
                }
                let (known, heads) = (Arc::clone(&known), Arc::clone(&heads));
                thread::spawn(move || serve(client?, number, &known, demand, &heads));
            }
        });
        Self { address, seen, stopping }
    }

    /// As `--upstream-proxy` wants it.
    pub(crate) fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// The heads that came so far, each with the number of its connection.
    pub(crate) fn heads(&self) -> Vec<(usize, String)> {
        let heads = self.seen.lock().unwrap();
        heads.iter().map(|(number, head)| (*number, String::from_utf8_lossy(head).into_owned())).collect()
    }
}

impl Drop for Forward {
    fn drop(&mut self) {
        self.stopping.store(true, Ordering::SeqCst);
        let _ = TcpStream::connect(self.address);
    }
}

fn serve(
    client: TcpStream,
    number: usize,
    known: &HashMap<String, SocketAddr>,
    demand: Demand,
    heads: &Mutex<Heads>,
) -> io::Result<()> {
    client.set_read_timeout(Some(DEADLINE))?;
    client.set_nodelay(true)?;
    let mut reader = BufReader::new(client.try_clone()?);
    let mut acceptor = Bound::default();
    let mut origins: HashMap<String, BufReader<TcpStream>> = HashMap::new();
    while let Some(head) = read_head(&mut reader) {
        heads.lock().unwrap().push((number, head.clone()));
        let body = read_body(&mut reader, &head);
        if let Some(challenge) = refusal(&mut acceptor, demand, field(&head, "proxy-authorization").as_deref()) {
            let page = "<h1>The proxy asks who you are</h1>";
            let answer = format!(
                "HTTP/1.1 407 Who Are You\r\nVia: 1.1 wgw01\r\nProxy-Authenticate: {challenge}\r\n\
                 Content-Length: {}\r\n\r\n{page}",
                page.len()
            );
            (&client).write_all(answer.as_bytes())?;
            continue;
        }
        let line = String::from_utf8_lossy(&head).into_owned();
        let mut words = line.split(' ');
        let (method, target) = (words.next().unwrap_or_default(), words.next().unwrap_or_default());
        if method == "CONNECT" {
            let Some(server) = known.get(target).and_then(|address| TcpStream::connect(address).ok()) else {
                (&client).write_all(b"HTTP/1.1 503 No Such Server\r\nContent-Length: 0\r\n\r\n")?;
                continue;
            };
            (&client).write_all(b"HTTP/1.1 200 Tunnel Stands\r\nVia: 1.1 wgw01\r\n\r\n")?;
            return join(reader, client, &server);
        }
        let (host, path) = target.strip_prefix("http://").and_then(|rest| rest.split_once('/')).unwrap_or_default();
        let name = if host.contains(':') { host.to_owned() } else { format!("{host}:80") };
        if !origins.contains_key(&name) {
            let address = known.get(&name).ok_or(io::ErrorKind::NotFound)?;
            origins.insert(name.clone(), BufReader::new(TcpStream::connect(address)?));
        }
        let Some(origin) = origins.get_mut(&name) else { continue };
        // Good enough for what the tests send: the target changes, and what was said to the proxy stays here.
        let passed = line.replacen(target, &format!("/{path}"), 1);
        let for_origin = |line: &&str| !line.to_ascii_lowercase().starts_with("proxy-");
        let passed: String = passed.split_inclusive("\r\n").filter(for_origin).collect();
        origin.get_mut().write_all(&[passed.as_bytes(), &body].concat())?;
        let Some(answer) = read_head(origin) else { return Ok(()) };
        let content = read_body(origin, &answer);
        (&client).write_all(&[answer, content].concat())?;
    }
    Ok(())
}

/// What to challenge a request with; nothing where it may pass.
fn refusal(acceptor: &mut Bound, demand: Demand, said: Option<&str>) -> Option<String> {
    match demand {
        Demand::Nothing => None,
        Demand::Basic(wanted) => (said != Some(wanted)).then(|| "Basic realm=\"wgw01\"".to_owned()),
        Demand::Bound(accounts) => match acceptor.judge(said, accounts) {
            Verdict::Known(_) => None,
            Verdict::Refused(challenge) => Some(challenge),
        },
    }
}

/// Copies both ways until both are done.
fn join(mut from_client: BufReader<TcpStream>, client: TcpStream, server: &TcpStream) -> io::Result<()> {
    server.set_nodelay(true)?;
    let (mut to_server, mut from_server) = (server.try_clone()?, server.try_clone()?);
    let back = thread::spawn(move || {
        let _ = io::copy(&mut from_server, &mut &client);
        let _ = client.shutdown(Shutdown::Write);
    });
    let _ = io::copy(&mut from_client, &mut to_server);
    let _ = to_server.shutdown(Shutdown::Write);
    let _ = back.join();
    Ok(())
}
