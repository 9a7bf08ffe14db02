//! nghttp2's own server: HTTP/2 and nothing else.

use std::fs;
use std::net::{SocketAddr, TcpListener};
use std::process::{Command, Stdio};

use super::{Process, Workshop};

/// A running server of the folder `pages`, which holds `index.html`. Dropping it ends it.
pub(crate) struct Nghttpd {
    _process: Process,
    pub(crate) address: SocketAddr,
}

impl Nghttpd {
    /// Starts one for `names` with more `options`.
    pub(crate) fn start(workshop: &Workshop, names: &[&str], options: &[&str]) -> Self {
        let (pem, key) = workshop.certificate(names);
        let pages = workshop.path("pages");
        fs::create_dir(&pages).unwrap();
        fs::write(pages.join("index.html"), "served\n").unwrap();
        // It does not say which port it got, so it may be late for one that was free a moment ago.
        let started = (0..5).find_map(|_| {
            let address = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
            let mut command = Command::new("nghttpd");
            // Unless it is talkative it keeps its first line, which says that it listens, to itself.
            command.args(["-v", "-a", "127.0.0.1", "-d"]).arg(&pages).args(options);
            command.arg(address.port().to_string()).args([&key, &pem]);
            let process = Process::start(command.stdin(Stdio::null()));
            let listens = process.stdout.next()?.starts_with("IPv4: listen");
            listens.then_some(Self { _process: process, address })
        });
        started.expect("nghttpd starts")
    }
}
