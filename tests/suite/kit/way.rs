//! The two ways of a client to its server: straight, and through the program under test.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use super::curl::run as run_curl;
use super::{Answer, Process, Proxy, Workshop};

/// How a client reaches a server, and whom it trusts on the way.
pub(crate) struct Way {
    pub(crate) proxy: Option<SocketAddr>,
    /// The one root that the client trusts.
    pub(crate) ca: PathBuf,
    server: SocketAddr,
}

impl Way {
    /// Straight to `server`, trusting its own authority.
    pub(crate) fn straight(workshop: &Workshop, server: SocketAddr) -> Self {
        Self { proxy: None, ca: workshop.authority.pem.clone(), server }
    }

    /// To `server` through `proxy`, trusting the proxy's root.
    pub(crate) fn through(proxy: &Proxy, server: SocketAddr) -> Self {
        Self { proxy: Some(proxy.address), ca: proxy.ca.clone(), server }
    }

    /// To what `proxy` stands in front of, trusting the proxy's root: no client needs to know that it is there.
    pub(crate) fn to_reverse(proxy: &Proxy) -> Self {
        Self { proxy: None, ca: proxy.ca.clone(), server: proxy.address }
    }

    /// What a client on this machine asks for that reads no other name than this machine's own.
    pub(crate) fn url(&self, path: &str) -> String {
        format!("https://localhost:{}{path}", self.server.port())
    }

    /// curl; whatever name a URL has, it is this server's.
    pub(crate) fn curl(&self, arguments: &[&str]) -> Answer {
        self.curl_with(&[], arguments)
    }

    /// The same with something more in its environment.
    pub(crate) fn curl_with(&self, environment: &[(&str, &Path)], arguments: &[&str]) -> Answer {
        let way = match self.proxy {
            Some(proxy) => ["--proxy".to_owned(), format!("http://{proxy}")],
            None => ["--connect-to".to_owned(), format!("::{}", self.server)],
        };
        let mut command = Command::new("curl");
        run_curl(command.envs(environment.iter().copied()).args(way), &self.ca, arguments)
    }

    /// Runs a client that goes by the environment, and gives the lines that it prints.
    pub(crate) fn run(&self, command: &mut Command) -> Vec<String> {
        for name in ["HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY"] {
            command.env_remove(name).env_remove(name.to_lowercase());
        }
        if let Some(proxy) = self.proxy {
            command.env("HTTPS_PROXY", format!("http://{proxy}")).env("HTTP_PROXY", format!("http://{proxy}"));
        }
        for name in ["REQUESTS_CA_BUNDLE", "SSL_CERT_FILE", "NODE_EXTRA_CA_CERTS"] {
            command.env(name, &self.ca);
        }
        let mut client = Process::start(command.stdin(Stdio::null()));
        let status = client.wait();
        let said = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        assert!(status.success(), "{}{}", said(&client.stdout.bytes()), said(&client.stderr.bytes()));
        said(&client.stdout.bytes()).lines().map(str::to_owned).collect()
    }
}
