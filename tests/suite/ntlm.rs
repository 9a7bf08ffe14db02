//! Identities that belong to a connection stay on it: two users and anonymous requests in parallel, hundreds of times,
//! through the proxy to servers that authenticate for real. Nobody is ever taken for somebody else.

use std::fs;
use std::net::{SocketAddr, TcpListener};
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::thread;

use crate::kit::{Finished, Process, Proxy, Workshop, curl_through, need, need_apache, need_python};

const HOST: &str = "mail.contoso.com";
const USERS: [(&str, &str); 2] = [("CONTOSO\\avery", "First-Pa55"), ("CONTOSO\\blake", "Second-Pa55")];
/// Connections that each client opens, and requests on each.
const CONNECTIONS: usize = 40;
const REQUESTS: usize = 5;

#[test]
fn requests_ntlm_and_apache_over_tls() {
    let (Some(python), Some(modules)) = (need_python(), need_apache()) else { return };
    let workshop = Workshop::new();
    let apache = Apache::start(&workshop, &modules);
    let proxy = workshop.proxy(&["--resolve", &format!("{HOST}:443={}", apache.tls)]);
    let url = format!("https://{HOST}/index.txt");
    let way = Way::through(&proxy);
    in_parallel(|account| requests_ntlm(&python, &way, &url, account));
    nothing_is_called_a_failure(&proxy.stop());
}

#[test]
fn requests_ntlm_and_apache_without_tls() {
    let (Some(python), Some(modules)) = (need_python(), need_apache()) else { return };
    let workshop = Workshop::new();
    let apache = Apache::start(&workshop, &modules);
    let proxy = workshop.proxy(&["--resolve", &format!("{HOST}:80={}", apache.plain)]);
    let url = format!("http://{HOST}/index.txt");
    let way = Way::through(&proxy);
    in_parallel(|account| requests_ntlm(&python, &way, &url, account));
    nothing_is_called_a_failure(&proxy.stop());
}

#[test]
fn curl_and_an_acceptor_bound_to_the_connection() {
    let (true, Some(python)) = (need(&["curl"]), need_python()) else { return };
    let workshop = Workshop::new();
    let (certificate, key) = workshop.authority.leaf(&[HOST]);
    let (pem, key_file) = (workshop.path("leaf.pem"), workshop.path("leaf.key"));
    fs::write(&pem, certificate).unwrap();
    fs::write(&key_file, key).unwrap();
    let mut command = Command::new(&python);
    command.arg(partner("ntlm_server.py")).args([&pem, &key_file]).env("NTLM_USER_FILE", accounts(&workshop));
    let server = Process::start(command.stdin(Stdio::piped()));
    let port: u16 = server.stdout.next().expect("the acceptor started").parse().unwrap();
    let proxy = workshop.proxy(&["--resolve", &format!("{HOST}:443=127.0.0.1:{port}")]);
    let way = Way::through(&proxy);
    in_parallel(|account| (0..CONNECTIONS).flat_map(|_| curl_ntlm(&way, account)).collect());
    nothing_is_called_a_failure(&proxy.stop());
}

/// Who a request claims to be: a name and a password, or nobody.
type Account = Option<(&'static str, &'static str)>;

/// Runs `client` for both users and for nobody at the same time; it gives the status and the user of every answer.
fn in_parallel(client: impl Fn(Account) -> Vec<(u16, String)> + Sync) {
    let accounts: [Account; 3] = [Some(USERS[0]), None, Some(USERS[1])];
    let client = &client;
    let answers = thread::scope(|scope| {
        let running = accounts.map(|account| scope.spawn(move || client(account)));
        running.map(|thread| thread.join().unwrap())
    });
    for (account, answers) in accounts.iter().zip(answers) {
        let name = account.map_or("nobody", |(name, _)| name);
        assert_eq!(answers.len(), CONNECTIONS * REQUESTS, "every request of {name} was answered");
        let expected = match account {
            Some((name, _)) => (200, (*name).to_owned()),
            None => (401, String::new()),
        };
        let wrong: Vec<_> = answers.iter().filter(|answer| **answer != expected).collect();
        assert!(wrong.is_empty(), "{} of {} for {name} are wrong: {:?}", wrong.len(), answers.len(), wrong[0]);
    }
}

/// What a client needs to know of the proxy.
struct Way {
    proxy: String,
    ca: PathBuf,
}

impl Way {
    fn through(proxy: &Proxy) -> Self {
        Self { proxy: proxy.url(), ca: proxy.ca.clone() }
    }
}

fn requests_ntlm(python: &Path, way: &Way, url: &str, account: Account) -> Vec<(u16, String)> {
    let mut command = Command::new(python);
    command.arg(partner("ntlm_client.py")).arg(&way.proxy).arg(&way.ca).arg(url);
    command.args([CONNECTIONS.to_string(), REQUESTS.to_string()]);
    if let Some((name, password)) = account {
        command.args([name, password]);
    }
    let mut client = Process::start(command.stdin(Stdio::null()));
    let status = client.wait();
    assert!(status.success(), "{}", String::from_utf8_lossy(&client.stderr.bytes()));
    let output = String::from_utf8_lossy(&client.stdout.bytes()).into_owned();
    output
        .lines()
        .map(|line| {
            let (status, user) = line.split_once(' ').unwrap_or((line, ""));
            (status.parse().unwrap(), user.to_owned())
        })
        .collect()
}

/// One curl, which sends its requests over one connection. The user is in the body; a refusal has none.
fn curl_ntlm(way: &Way, account: Account) -> Vec<(u16, String)> {
    let login = account.map(|(name, password)| format!("{name}:{password}"));
    let mut arguments = vec!["--no-include", "--write-out", "%{http_code}\n"];
    if let Some(login) = &login {
        arguments.extend(["--ntlm", "--user", login]);
    }
    let url = format!("https://{HOST}/");
    arguments.extend([url.as_str(); REQUESTS]);
    let answer = curl_through(&way.proxy, &way.ca, &arguments);
    assert_eq!(answer.code, Some(0), "{}", answer.error);
    let mut user = String::new();
    let mut answers = Vec::new();
    for line in answer.text().lines() {
        match line.parse() {
            Ok(status) => answers.push((status, std::mem::take(&mut user))),
            Err(_) => line.clone_into(&mut user),
        }
    }
    answers
}

fn nothing_is_called_a_failure(finished: &Finished) {
    assert_eq!(finished.code, Some(0), "{}", finished.error());
    let exchanges = finished.exchanges();
    assert!(exchanges.len() >= 3 * CONNECTIONS * REQUESTS, "{} exchanges", exchanges.len());
    let wrong: Vec<_> = exchanges.iter().filter(|exchange| exchange["verdict"] == "failure").collect();
    assert!(wrong.is_empty(), "{} are called failures, the first is {}", wrong.len(), wrong[0]);
}

fn partner(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/partners").join(name)
}

/// The file of accounts that gss-ntlmssp and pyspnego read.
fn accounts(workshop: &Workshop) -> PathBuf {
    let path = workshop.path("accounts");
    let lines = USERS.map(|(name, word)| format!("{}:{word}\n", name.replace('\\', ":")));
    fs::write(&path, lines.concat()).unwrap();
    path
}

/// Apache with mod_auth_gssapi and gss-ntlmssp, its identities bound to connections.
struct Apache {
    process: Process,
    tls: SocketAddr,
    plain: SocketAddr,
}

impl Apache {
    fn start(workshop: &Workshop, modules: &Path) -> Self {
        // Apache cannot be told to take any free port, so it may be late for one that was free a moment ago.
        (0..5).find_map(|_| Self::try_start(workshop, modules)).expect("Apache starts")
    }

    fn try_start(workshop: &Workshop, modules: &Path) -> Option<Self> {
        let free = || TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
        let (tls, plain) = (free(), free());
        let config = config(workshop, modules, tls, plain);
        // Run by root it serves as another user, who must be able to read what it serves.
        fs::set_permissions(workshop.folder(), fs::Permissions::from_mode(0o755)).unwrap();
        let mut command = Command::new("/usr/sbin/apache2");
        command.arg("-f").arg(config).arg("-DFOREGROUND").env("NTLM_USER_FILE", accounts(workshop));
        command.envs([("NETBIOS_DOMAIN_NAME", "CONTOSO"), ("NETBIOS_COMPUTER_NAME", "EX01")]);
        let process = Process::start(command.stdin(Stdio::null()));
        while let Some(line) = process.stdout.next() {
            if line.contains("resuming normal operations") {
                return Some(Self { process, tls, plain });
            }
        }
        let error = String::from_utf8_lossy(&process.stderr.bytes()).into_owned();
        assert!(error.contains("Address already in use"), "{error}");
        None
    }
}

impl Drop for Apache {
    /// Its children end only when it is asked to end.
    fn drop(&mut self) {
        self.process.signal("TERM");
        self.process.wait();
    }
}

fn config(workshop: &Workshop, modules: &Path, tls: SocketAddr, plain: SocketAddr) -> PathBuf {
    let (certificate, key) = workshop.authority.leaf(&[HOST]);
    fs::write(workshop.path("leaf.pem"), certificate).unwrap();
    fs::write(workshop.path("leaf.key"), key).unwrap();
    let pages = workshop.path("pages");
    fs::create_dir_all(&pages).unwrap();
    fs::write(pages.join("index.txt"), "served\n").unwrap();
    let modules: Vec<String> =
        ["mpm_event", "authn_core", "authz_core", "authz_user", "auth_gssapi", "headers", "ssl", "unixd"]
            .iter()
            .filter(|name| modules.join(format!("mod_{name}.so")).exists())
            .map(|name| format!("LoadModule {name}_module {}/mod_{name}.so\n", modules.display()))
            .collect();
    let load = modules.concat();
    let folder = workshop.folder().display();
    let text = format!(
        "ServerRoot {folder}\n\
         ServerName {HOST}\n\
         DefaultRuntimeDir {folder}\n\
         PidFile {folder}/apache.pid\n\
         Mutex file:{folder}\n\
         ErrorLog |/bin/cat\n\
         LogLevel notice\n\
         {load}\
         <IfModule unixd_module>\nUser www-data\nGroup www-data\n</IfModule>\n\
         StartServers 1\nServerLimit 1\nThreadsPerChild 64\nMaxRequestWorkers 64\n\
         Listen {tls} https\n\
         Listen {plain} http\n\
         KeepAlive On\nMaxKeepAliveRequests 0\nKeepAliveTimeout 60\n\
         DocumentRoot {pages}\n\
         <VirtualHost {tls}>\nSSLEngine on\nSSLCertificateFile {folder}/leaf.pem\nSSLCertificateKeyFile {folder}/leaf.key\n</VirtualHost>\n\
         <Directory {pages}>\n\
         AuthType GSSAPI\nAuthName NTLM\nGssapiAllowedMech ntlmssp\nGssapiConnectionBound On\nRequire valid-user\n\
         Header always set X-Remote-User expr=%{{REMOTE_USER}}\n\
         </Directory>\n",
        pages = pages.display(),
    );
    let path = workshop.path("apache.conf");
    fs::write(&path, text).unwrap();
    path
}
