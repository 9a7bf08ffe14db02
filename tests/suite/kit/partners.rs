//! The programs of `tests/partners`, and what all servers tell of the requests that they answered.

use std::fs;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use super::{Process, Workshop};

/// A file of `tests/partners`.
pub(crate) fn partner(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/partners").join(name)
}

/// The next `count` requests that a server answered, in its words: how many came before on the same connection (or
/// `h2`), the status, the user or `-`, the method and the path.
pub(crate) fn served(server: &Process, count: usize) -> Vec<String> {
    let next = || {
        let line = server.stdout.find("a request was answered", |line| line.strip_prefix("served ").map(str::to_owned));
        // Apache doubles the backslash.
        line.replace(r"\\", r"\")
    };
    std::iter::repeat_with(next).take(count).collect()
}

/// A file with accounts, as gss-ntlmssp and pyspnego read it.
pub(crate) fn accounts(workshop: &Workshop, users: &[(&str, &str)]) -> PathBuf {
    let path = workshop.path("accounts");
    let lines: Vec<_> = users.iter().map(|(name, word)| format!("{}:{word}\n", name.replace('\\', ":"))).collect();
    fs::write(&path, lines.concat()).unwrap();
    path
}

/// A server that takes NTLM and binds the user to the connection; behind it are a page and a little EWS.
pub(crate) struct Acceptor {
    process: Process,
    pub(crate) address: SocketAddr,
}

impl Acceptor {
    /// Starts one for `names` with Extended Protection `off`, on `allow` or on `require`.
    pub(crate) fn start(
        workshop: &Workshop,
        python: &Path,
        names: &[&str],
        users: &[(&str, &str)],
        protection: &str,
    ) -> Self {
        Self::with(workshop, python, names, users, protection, None)
    }

    /// One that speaks TLS 1.2 at most, with these ciphers alone.
    #[cfg(feature = "legacy-tls")]
    pub(crate) fn of_old_tls(
        workshop: &Workshop,
        python: &Path,
        names: &[&str],
        users: &[(&str, &str)],
        ciphers: &str,
    ) -> Self {
        Self::with(workshop, python, names, users, "off", Some(ciphers))
    }

    fn with(
        workshop: &Workshop,
        python: &Path,
        names: &[&str],
        users: &[(&str, &str)],
        protection: &str,
        ciphers: Option<&str>,
    ) -> Self {
        let (pem, key) = workshop.certificate(names);
        let mut command = Command::new(python);
        command.arg(partner("ntlm_server.py")).args([&pem, &key]).arg(protection);
        command.env("NTLM_USER_FILE", accounts(workshop, users));
        command.envs(ciphers.map(|ciphers| ("TLS_CIPHERS", ciphers)));
        let process = Process::start(command.stdin(Stdio::piped()));
        let port: u16 = process.stdout.next().expect("the acceptor started").parse().unwrap();
        Self { process, address: ([127, 0, 0, 1], port).into() }
    }

    /// The next `count` requests that it answered, as [`served`] tells them.
    pub(crate) fn served(&self, count: usize) -> Vec<String> {
        served(&self.process, count)
    }
}
