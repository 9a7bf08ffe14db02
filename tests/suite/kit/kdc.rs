//! A Kerberos realm of one test: MIT's KDC with a database of its own, and a configuration that knows nothing else.

use std::fs;
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use super::{Apache, BothWays, Process, Proxy, Site, Workshop, need, need_apache};

const REALM: &str = "CONTOSO.COM";

/// A realm with one user, and a server that takes its tickets.
pub(crate) struct Realm {
    pub(crate) workshop: Workshop,
    pub(crate) kdc: Kdc,
    apache: Apache,
}

impl Realm {
    pub(crate) const HOST: &str = "mail.contoso.com";
    /// The password of `avery`.
    pub(crate) const WORD: &str = "Right-Pa55";

    /// Nothing where this machine lacks what is needed.
    pub(crate) fn new() -> Option<Self> {
        if !need(&["krb5kdc", "kadmin.local", "kinit"]) || !need_apache(&["auth_gssapi"]) {
            return None;
        }
        let workshop = Workshop::new();
        let kdc = Kdc::start(&workshop, &[("avery", Self::WORD)]);
        let keytab = kdc.service(&format!("HTTP/{}", Self::HOST));
        let pages = format!(
            "AuthType GSSAPI\nAuthName Kerberos\nRequire valid-user\n\
             GssapiAllowedMech krb5\nGssapiCredStore keytab:{}\n\
             ErrorDocument 401 \"<!doctype html><link rel=icon href=data:,>refused\"\n",
            keytab.display()
        );
        let (name, file) = kdc.environment();
        let environment = [(name, file.to_str().unwrap()), ("KRB5RCACHENAME", "none:")];
        let site = Site { modules: &["auth_gssapi"], server: "", pages: &pages, environment: &environment };
        let apache = Apache::start(&workshop, &[Self::HOST], &site);
        Some(Self { workshop, kdc, apache })
    }

    pub(crate) fn both_ways(&self) -> BothWays<'_> {
        let proxy = self.workshop.proxy(&["--resolve", &self.resolve()]);
        BothWays::to(&self.workshop, self.apache.tls, proxy, |count| self.apache.served(count))
    }

    /// Another proxy to the same server, which does not look inside.
    pub(crate) fn tunnels(&self) -> Proxy {
        self.workshop.proxy_beside("tunnels.authtap", &["--resolve", &self.resolve(), "--skip-decrypt", Self::HOST])
    }

    fn resolve(&self) -> String {
        format!("{}:443={}", Self::HOST, self.apache.tls)
    }
}

/// A running KDC. Dropping it ends it.
pub(crate) struct Kdc {
    folder: PathBuf,
    _process: Process,
}

impl Kdc {
    /// Starts one that knows `users` with their passwords.
    pub(crate) fn start(workshop: &Workshop, users: &[(&str, &str)]) -> Self {
        let folder = workshop.path("realm");
        fs::create_dir(&folder).unwrap();
        // The KDC cannot be told to take any free port, so it may be late for one that was free a moment ago.
        let process = (0..5).find_map(|_| Self::try_start(&folder)).expect("the KDC starts");
        let kdc = Self { folder, _process: process };
        for (name, word) in users {
            kdc.admin(&format!("add_principal -pw {word} {name}"));
        }
        kdc
    }

    fn try_start(folder: &Path) -> Option<Process> {
        let at = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
        let here = folder.display();
        let client = format!(
            "[libdefaults]\n\
             default_realm = {REALM}\n\
             dns_canonicalize_hostname = false\ndns_lookup_kdc = false\ndns_lookup_realm = false\nrdns = false\n\
             udp_preference_limit = 1\n\
             default_ccache_name = FILE:{here}/tickets\n\
             [realms]\n{REALM} = {{\nkdc = {at}\n}}\n\
             [domain_realm]\n.contoso.com = {REALM}\n\
             [logging]\nkdc = STDERR\n"
        );
        let server = format!(
            "[kdcdefaults]\nkdc_listen = \"\"\nkdc_tcp_listen = {at}\n\
             [realms]\n{REALM} = {{\n\
             database_name = {here}/principals\nkey_stash_file = {here}/stash\nacl_file = {here}/acl\n\
             supported_enctypes = aes256-cts-hmac-sha1-96:normal\n}}\n"
        );
        fs::write(folder.join("krb5.conf"), client).unwrap();
        fs::write(folder.join("kdc.conf"), server).unwrap();
        if !folder.join("principals").exists() {
            run(in_realm(folder, "kdb5_util").args(["create", "-s", "-P", "Realm-Pa55"]));
        }
        let process = Process::start(in_realm(folder, "krb5kdc").arg("-n").stdin(Stdio::null()));
        while let Some(line) = process.stderr.next() {
            if line.contains("commencing operation") {
                return Some(process);
            }
        }
        None
    }

    /// Adds a service, and gives the file with its key for the server to read.
    pub(crate) fn service(&self, name: &str) -> PathBuf {
        let keytab = self.folder.join("service.keytab");
        self.admin(&format!("add_principal -randkey {name}"));
        self.admin(&format!("ktadd -k {} {name}", keytab.display()));
        // Apache reads it as another user than root.
        run(Command::new("chmod").arg("0644").arg(&keytab));
        keytab
    }

    /// Runs one request of kadmin.
    pub(crate) fn admin(&self, request: &str) {
        run(in_realm(&self.folder, "kadmin.local").args(["-q", request]));
    }

    /// Gets a ticket for `user`, for whoever runs with [`Kdc::environment`].
    pub(crate) fn log_on(&self, user: &str, word: &str) {
        let mut kinit = Process::start(in_realm(&self.folder, "kinit").arg(user).stdin(Stdio::piped()));
        std::io::Write::write_all(kinit.stdin(), format!("{word}\n").as_bytes()).unwrap();
        let status = kinit.wait();
        assert!(status.success(), "kinit: {}", String::from_utf8_lossy(&kinit.stderr.bytes()));
    }

    /// Forgets the tickets.
    pub(crate) fn log_off(&self) {
        run(&mut in_realm(&self.folder, "kdestroy"));
    }

    /// What makes a program use this realm.
    pub(crate) fn environment(&self) -> (&'static str, PathBuf) {
        ("KRB5_CONFIG", self.folder.join("krb5.conf"))
    }
}

/// `program`, which Debian may keep where only root looks, with the realm in `folder`.
fn in_realm(folder: &Path, program: &str) -> Command {
    let place = ["/usr/sbin", "/usr/bin"].map(|place| Path::new(place).join(program));
    let found = place.into_iter().find(|path| path.exists()).unwrap_or_else(|| PathBuf::from(program));
    let mut command = Command::new(found);
    command.env("KRB5_CONFIG", folder.join("krb5.conf")).env("KRB5_KDC_PROFILE", folder.join("kdc.conf"));
    command.env_remove("KRB5CCNAME");
    command
}

fn run(command: &mut Command) {
    let output = command.stdin(Stdio::null()).output().unwrap();
    assert!(output.status.success(), "{command:?}: {}", String::from_utf8_lossy(&output.stderr));
}
