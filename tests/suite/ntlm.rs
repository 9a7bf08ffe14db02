//! Identities that belong to a connection stay on it: two users and anonymous requests in parallel, hundreds of times,
//! through the proxy to servers that authenticate for real. Nobody is ever taken for somebody else.

use std::path::Path;
use std::process::Command;
use std::thread;

use crate::kit::{Acceptor, Apache, Finished, Site, Way, Workshop, accounts, need, need_apache, need_python, partner};

const HOST: &str = "mail.contoso.com";
pub(crate) const USERS: [(&str, &str); 2] = [("CONTOSO\\avery", "First-Pa55"), ("CONTOSO\\blake", "Second-Pa55")];
/// Connections that each client opens, and requests on each.
const CONNECTIONS: usize = 40;
const REQUESTS: usize = 5;

#[test]
fn requests_ntlm_and_apache_over_tls() {
    let (Some(python), true) = (need_python(), need_apache(&["auth_gssapi"])) else { return };
    let workshop = Workshop::new();
    let apache = apache(&workshop);
    let proxy = workshop.proxy(&["--resolve", &format!("{HOST}:443={}", apache.tls)]);
    let url = format!("https://{HOST}/index.txt");
    let way = Way::through(&proxy, apache.tls);
    in_parallel(|account| requests_ntlm(&python, &way, &url, account));
    nothing_is_called_a_failure(&proxy.stop());
}

#[test]
fn requests_ntlm_and_apache_without_tls() {
    let (Some(python), true) = (need_python(), need_apache(&["auth_gssapi"])) else { return };
    let workshop = Workshop::new();
    let apache = apache(&workshop);
    let proxy = workshop.proxy(&["--resolve", &format!("{HOST}:80={}", apache.plain)]);
    let url = format!("http://{HOST}/index.txt");
    let way = Way::through(&proxy, apache.plain);
    in_parallel(|account| requests_ntlm(&python, &way, &url, account));
    nothing_is_called_a_failure(&proxy.stop());
}

#[test]
fn curl_and_an_acceptor_bound_to_the_connection() {
    let (true, Some(python)) = (need(&["curl"]), need_python()) else { return };
    let workshop = Workshop::new();
    let server = Acceptor::start(&workshop, &python, &[HOST], &USERS, "off");
    let proxy = workshop.proxy(&["--resolve", &format!("{HOST}:443={}", server.address)]);
    let way = Way::through(&proxy, server.address);
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

fn requests_ntlm(python: &Path, way: &Way, url: &str, account: Account) -> Vec<(u16, String)> {
    let mut command = Command::new(python);
    command.arg(partner("ntlm_client.py")).arg(url);
    command.args([CONNECTIONS.to_string(), REQUESTS.to_string()]);
    if let Some((name, password)) = account {
        command.args([name, password]);
    }
    way.run(&mut command)
        .iter()
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
    let answer = way.curl(&arguments);
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

/// Apache with mod_auth_gssapi and gss-ntlmssp, its identities bound to connections.
pub(crate) fn apache(workshop: &Workshop) -> Apache {
    let accounts = accounts(workshop, &USERS);
    let site = Site {
        modules: &["auth_gssapi"],
        server: "",
        pages: "AuthType GSSAPI\nAuthName NTLM\nGssapiAllowedMech ntlmssp\nGssapiConnectionBound On\nRequire valid-user",
        environment: &[
            ("NTLM_USER_FILE", accounts.to_str().unwrap()),
            ("NETBIOS_DOMAIN_NAME", "CONTOSO"),
            ("NETBIOS_COMPUTER_NAME", "EX01"),
        ],
    };
    Apache::start(workshop, &[HOST], &site)
}
