//! Real curl.

use std::path::Path;
use std::process::{Command, Stdio};

use super::{DEADLINE, Proxy};

/// What curl received.
pub(crate) struct Answer {
    /// curl's exit code: 0 is a complete answer of any status.
    pub(crate) code: Option<i32>,
    /// The status of the last answer, 0 where there was none.
    pub(crate) status: u16,
    /// The head of the last answer, as received.
    pub(crate) head: Vec<u8>,
    pub(crate) body: Vec<u8>,
    /// What curl said on standard error.
    pub(crate) error: String,
}

impl Answer {
    /// The body as text.
    pub(crate) fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }
}

/// Runs curl through `proxy`, trusting the proxy's root and nothing else unless `arguments` say otherwise.
pub(crate) fn curl(proxy: &Proxy, arguments: &[&str]) -> Answer {
    curl_through(&proxy.url(), &proxy.ca, arguments)
}

/// The same through a proxy at `url` whose root is in the file `ca`.
pub(crate) fn curl_through(url: &str, ca: &Path, arguments: &[&str]) -> Answer {
    run(Command::new("curl").args(["--proxy", url]), ca, arguments)
}

/// Runs a `curl` that has been told which way to take.
pub(super) fn run(curl: &mut Command, ca: &Path, arguments: &[&str]) -> Answer {
    let output = curl
        .args(["--silent", "--show-error", "--include", "--suppress-connect-headers", "--noproxy", ""])
        .args(["--max-time", &DEADLINE.as_secs().to_string(), "--cacert"])
        .arg(ca)
        .args(arguments)
        .stdin(Stdio::null())
        .output()
        .unwrap();
    let mut rest = output.stdout.as_slice();
    let (mut head, mut status) = (&rest[..0], 0);
    while rest.starts_with(b"HTTP/") {
        let end = rest.windows(4).position(|four| four == b"\r\n\r\n").map_or(rest.len(), |at| at + 4);
        (head, rest) = rest.split_at(end);
        status = String::from_utf8_lossy(head).split(' ').nth(1).and_then(|code| code.trim().parse().ok()).unwrap_or(0);
        if status >= 200 && !rest.starts_with(b"HTTP/") {
            break;
        }
    }
    Answer {
        code: output.status.code(),
        status,
        head: head.to_vec(),
        body: rest.to_vec(),
        error: String::from_utf8_lossy(&output.stderr).into_owned(),
    }
}
