//! OpenSSL's own server and client, which speak any TLS that they are told to.

use std::fs;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use super::{Finished, Process, Proxy, Workshop};

/// An RSA key with a certificate that it has signed itself, both in one file: servers of old have RSA keys.
pub(crate) fn rsa_certificate(workshop: &Workshop, name: &str) -> PathBuf {
    let (pem, certificate) = (workshop.path(&format!("{name}.pem")), workshop.path(&format!("{name}.crt")));
    let made = Command::new("openssl")
        .args(["req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", &format!("/CN={name}")])
        .args(["-addext", &format!("subjectAltName=DNS:{name}"), "-keyout"])
        .arg(&pem)
        .arg("-out")
        .arg(&certificate)
        .output()
        .unwrap();
    assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
    let both = [fs::read(&pem).unwrap(), fs::read(&certificate).unwrap()].concat();
    fs::write(&pem, both).unwrap();
    pem
}

/// `openssl s_server`. Dropping it stops it.
pub(crate) struct SServer {
    #[cfg_attr(not(feature = "legacy-tls"), allow(dead_code, reason = "it lives as long as this"))]
    pub(crate) process: Process,
    pub(crate) address: SocketAddr,
}

impl SServer {
    /// One that answers `GET /NAME` with the file `NAME` of the workshop, which holds a whole response.
    pub(crate) fn files(workshop: &Workshop, certificate: &Path, options: &[&str]) -> Self {
        Self::start(workshop, certificate, &[&["-HTTP"], options].concat(), Stdio::null())
    }

    /// One that prints what it gets and sends what is typed into it. A line that begins with `R` makes it negotiate
    /// again and ask for a certificate.
    #[cfg(feature = "legacy-tls")]
    pub(crate) fn typed(workshop: &Workshop, certificate: &Path, options: &[&str]) -> Self {
        Self::start(workshop, certificate, &[&["-crlf", "-state"], options].concat(), Stdio::piped())
    }

    fn start(workshop: &Workshop, certificate: &Path, options: &[&str], stdin: Stdio) -> Self {
        let mut command = Command::new("openssl");
        command.args(["s_server", "-accept", "127.0.0.1:0", "-cert"]).arg(certificate).arg("-key").arg(certificate);
        if !options.contains(&"-cipher") {
            command.args(["-cipher", "DEFAULT:@SECLEVEL=0"]);
        }
        let process = Process::start(command.args(options).current_dir(workshop.folder()).stdin(stdin));
        let address =
            process.stdout.find("the server listens", |line| line.strip_prefix("ACCEPT ")?.trim().parse().ok());
        Self { process, address }
    }
}

/// `openssl s_client` through the proxy, which must show it a certificate of the proxy's: it asks for `path` of `host`
/// and gives what it received.
pub(crate) fn s_client(proxy: &Proxy, host: &str, path: &str, options: &[&str]) -> Finished {
    use std::io::Write as _;
    let mut command = Command::new("openssl");
    command.args(["s_client", "-proxy", &proxy.address.to_string(), "-connect", &format!("{host}:443"), "-CAfile"]);
    command.arg(&proxy.ca).args(["-verify_return_error", "-quiet"]).args(options).stdin(Stdio::piped());
    let mut client = Process::start(&mut command);
    let request = format!("GET {path} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n");
    // A client that has ended already says more by what it left.
    let _ = client.stdin().write_all(request.as_bytes());
    Finished::of(client, Vec::new())
}
