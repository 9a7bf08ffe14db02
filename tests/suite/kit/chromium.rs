//! Headless Chromium with a profile of its own.

use std::ffi::OsStr;
use std::fs;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use super::{Process, Way, Workshop, partner};

/// A browser that goes one way and trusts one root.
pub(crate) struct Chromium<'a> {
    way: &'a Way,
    servers: &'a [(&'a str, SocketAddr)],
    home: PathBuf,
    environment: Vec<(&'static str, PathBuf)>,
}

impl<'a> Chromium<'a> {
    /// A new profile, to which `servers` are what has these names.
    pub(crate) fn new(workshop: &Workshop, way: &'a Way, servers: &'a [(&'a str, SocketAddr)]) -> Self {
        let home = workshop.path(&format!("browser-{}", way.proxy.map_or(0, |proxy| proxy.port())));
        if !home.exists() {
            trust(&home, &way.ca);
            // It looks for Kerberos on this machine only once it has met a server that asks for it.
            fs::create_dir(home.join("profile")).unwrap();
            let met = r#"{"net": {"received_http_auth_negotiate_headers": true}}"#;
            fs::write(home.join("profile/Local State"), met).unwrap();
        }
        Self { way, servers, home, environment: Vec::new() }
    }

    /// Something more in its environment.
    pub(crate) fn with(mut self, name: &'static str, value: PathBuf) -> Self {
        self.environment.push((name, value));
        self
    }

    /// The text of a page once it has been loaded.
    pub(crate) fn text(&self, options: &[&str], url: &str) -> Vec<String> {
        let mut browser = Process::start(self.command(options).args(["--dump-dom", url]));
        let status = browser.wait();
        let error = String::from_utf8_lossy(&browser.stderr.bytes()).into_owned();
        assert!(status.success(), "{error}");
        String::from_utf8_lossy(&browser.stdout.bytes()).lines().map(str::to_owned).collect()
    }

    /// A browser that stays with a page until it is dropped.
    pub(crate) fn open(&self, options: &[&str], url: &str) -> Process {
        Process::start(self.command(options).args(["--remote-debugging-port=0", url]))
    }

    /// The lines that `devtools.py` prints of a browser that it drives; it logs on with `logon` where it is asked to.
    pub(crate) fn driven(&self, arguments: &[&OsStr], logon: Option<&str>) -> Vec<String> {
        let browser = self.command(&[]);
        let mut command = Command::new("python3");
        command
            .arg(partner("devtools.py"))
            .args(arguments)
            .arg("--")
            .arg(browser.get_program())
            .args(browser.get_args());
        command.envs(browser.get_envs().filter_map(|(name, value)| Some((name, value?))));
        command.envs(logon.map(|logon| ("LOGON", logon))).stdin(Stdio::null());
        let mut driver = Process::start(&mut command);
        let status = driver.wait();
        assert!(status.success(), "{}", String::from_utf8_lossy(&driver.stderr.bytes()));
        String::from_utf8_lossy(&driver.stdout.bytes()).lines().map(str::to_owned).collect()
    }

    fn command(&self, options: &[&str]) -> Command {
        let mut command = Command::new("chromium");
        command.args(["--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run"]);
        command.args(["--disable-background-networking", "--disable-component-update", "--disable-sync"]);
        command.arg(format!("--user-data-dir={}", self.home.join("profile").display()));
        // A browser has much to say to its maker. Nothing but example names leads anywhere.
        let rules = match self.way.proxy {
            Some(proxy) => {
                let choice = format!("dnsDomainIs(host,'.contoso.com')?'PROXY%20{proxy}':'DIRECT'");
                let script = format!("function%20FindProxyForURL(url,host){{return%20{choice}}}");
                command.arg(format!("--proxy-pac-url=data:application/x-ns-proxy-autoconfig,{script}"));
                String::new()
            }
            None => self.servers.iter().map(|(name, at)| format!("MAP {name} {at},")).collect::<Vec<_>>().concat(),
        };
        command.arg(format!("--host-resolver-rules={rules}MAP * ~NOTFOUND,EXCLUDE 127.0.0.1"));
        command.args(options).env("HOME", &self.home).envs(self.environment.iter().cloned());
        command.stdin(Stdio::null());
        command
    }
}

/// A home whose certificate store has the root in the file `ca`.
fn trust(home: &Path, ca: &Path) {
    let store = home.join(".pki/nssdb");
    fs::create_dir_all(&store).unwrap();
    let store = format!("sql:{}", store.display());
    for arguments in [&["-N", "--empty-password"][..], &["-A", "-n", "root", "-t", "C,,", "-i", &ca.to_string_lossy()]]
    {
        let made = Command::new("certutil").args(["-d", &store]).args(arguments).output().unwrap();
        assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
    }
}
