//! CONNECT, said to an HTTP proxy.

use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};
use zeroize::Zeroizing;

use super::UpstreamProxy;
use crate::exchange::{Failure, FailureKind, Side, Step};
use crate::proxy::target::Target;
use crate::redact::{Clean, Redactor};
use crate::wire::Fields;
use crate::wire::http1::head_end;

/// A longer answer is none.
const HEAD_LIMIT: usize = 256 * 1024;

/// What a proxy says to a CONNECT.
pub(crate) struct Said {
    /// All that came, as it came.
    pub(crate) read: Vec<u8>,
    /// How much of it are heads: the final one, and interim ones before it.
    pub(crate) head: usize,
    pub(crate) status: u16,
}

impl Said {
    /// Whether the tunnel stands.
    pub(crate) const fn stands(&self) -> bool {
        matches!(self.status, 200..300)
    }
}

/// The head that asks `proxy` for a tunnel to `target`: the client's own words where it has asked us with `head`, with
/// our login where it says none.
pub(crate) fn request(proxy: &UpstreamProxy, target: &Target, head: &[u8]) -> Zeroizing<Vec<u8>> {
    let authority = target.authority();
    let line_end = memchr::memchr(b'\n', head).map_or(0, |at| at + 1);
    let (line, fields) = match head.split_at(line_end) {
        ([], _) => (format!("CONNECT {authority} HTTP/1.1\r\n"), format!("Host: {authority}\r\n\r\n").into_bytes()),
        (line, fields) => {
            let version: &[u8] = line.rsplit(|byte| *byte == b' ').next().unwrap_or(b"HTTP/1.1\r\n");
            (format!("CONNECT {authority} {}", String::from_utf8_lossy(version)), fields.to_vec())
        }
    };
    Zeroizing::new(with_login(line.as_bytes(), &Zeroizing::new(fields), proxy))
}

/// A request line and its field lines, with our login for `proxy` between the two where they say none.
pub(crate) fn with_login(line: &[u8], fields: &[u8], proxy: &UpstreamProxy) -> Vec<u8> {
    let says = Fields::new(fields).values("proxy-authorization").next().is_some();
    let login = proxy.authorization().filter(|_| !says);
    let login: &[u8] = login.as_ref().map_or(b"", |login| login);
    [line, login, fields].concat()
}

/// Sends `request` and waits for what is said to it.
pub(crate) async fn ask(hop: &mut (impl AsyncRead + AsyncWrite + Unpin), request: &[u8]) -> Result<Said, Failure> {
    hop.write_all(request).await.map_err(|_| unanswered(true))?;
    hop.flush().await.map_err(|_| unanswered(true))?;
    let mut read = Vec::new();
    loop {
        if let Some(said) = understood(&mut read)? {
            return Ok(said);
        }
        match hop.read_buf(&mut read).await {
            Ok(0) => return Err(unanswered(false)),
            Ok(_) => {}
            Err(_) => return Err(unanswered(true)),
        }
    }
}

/// What a proxy's bytes say; nothing where more must come.
fn understood(read: &mut Vec<u8>) -> Result<Option<Said>, Failure> {
    let mut from = 0;
    loop {
        let rest = &read[from..];
        let known = rest.len().min(b"HTTP/1.".len());
        if rest[..known] != b"HTTP/1."[..known] || rest.len() > HEAD_LIMIT {
            return Err(failure(FailureKind::NotUnderstood, "it answers in something that is no HTTP"));
        }
        let Some(head) = head_end(rest, 0) else { return Ok(None) };
        let status = rest.get(9..12).and_then(|digits| std::str::from_utf8(digits).ok()?.parse().ok());
        let Some(status @ 100..) = status else {
            return Err(failure(FailureKind::NotUnderstood, "it answers without a status"));
        };
        from += head;
        if status >= 200 {
            return Ok(Some(Said { read: std::mem::take(read), head: from, status }));
        }
    }
}

/// It is not let in, where no client could be told so in HTTP.
pub(crate) fn refused(said: &Said, target: &Target, redactor: &Redactor) -> Failure {
    let line = said.read[..said.head].split(|byte| *byte == b'\n').next().unwrap_or_default();
    let reason = line.get(12..).unwrap_or_default().trim_ascii();
    let advice = if said.status == 407 {
        "; put user:password into the environment variable AUTHTAP_UPSTREAM_PROXY_AUTH"
    } else {
        ""
    };
    let text = Clean::concat([
        "it refuses a tunnel to ".into(),
        target.shown(redactor),
        " with ".into(),
        said.status.into(),
        " ".into(),
        redactor.wire().prose(reason),
        advice.into(),
    ]);
    Failure { side: Side::Server, step: Step::Connect, kind: FailureKind::Other, text }
}

fn unanswered(reset: bool) -> Failure {
    if reset {
        failure(FailureKind::Reset, "it reset the connection when it was asked for a tunnel")
    } else {
        failure(FailureKind::ClosedEarly, "it closed the connection without an answer")
    }
}

fn failure(kind: FailureKind, text: &'static str) -> Failure {
    Failure { side: Side::Server, step: Step::Connect, kind, text: text.into() }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn target() -> Target {
        Target::read(b"mail.contoso.com", 443).unwrap()
    }

    fn asked(proxy: &str, head: &str) -> String {
        let proxy = UpstreamProxy::of_environment(proxy).unwrap();
        String::from_utf8(request(&proxy, &target(), head.as_bytes()).to_vec()).unwrap()
    }

    #[test]
    fn the_clients_own_words_are_kept_and_a_login_is_added_where_it_says_none() {
        let own = "CONNECT Mail.contoso.com:443 HTTP/1.0\r\nhost: x\r\nUser-Agent: curl\r\n\r\n";
        let kept = "CONNECT mail.contoso.com:443 HTTP/1.0\r\nhost: x\r\nUser-Agent: curl\r\n\r\n";
        assert_eq!(asked("proxy", own), kept);
        let login = "Proxy-Authorization: Basic YTpi\r\n";
        assert_eq!(asked("a:b@proxy", own), kept.replacen("host", &format!("{login}host"), 1));
        let said = own.replacen("host", "proxy-AUTHORIZATION: NTLM TlRM\r\nhost", 1);
        assert!(!asked("a:b@proxy", &said).contains("Basic"));
        let ours = "CONNECT mail.contoso.com:443 HTTP/1.1\r\nHost: mail.contoso.com:443\r\n\r\n";
        assert_eq!(asked("proxy", ""), ours);
        assert_eq!(asked("a:b@proxy", ""), ours.replacen("Host", &format!("{login}Host"), 1));
    }

    fn said(bytes: &[u8]) -> Option<(u16, usize)> {
        understood(&mut bytes.to_vec()).ok().unwrap().map(|said| (said.status, said.head))
    }

    #[test]
    fn the_answer_is_the_first_final_one() {
        assert_eq!(said(b"HTTP/1.1 200 OK\r\n\r\nSSH-2.0"), Some((200, 19)));
        assert_eq!(said(b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.0 407 Who\nA: b\n\n"), Some((407, 48)));
        for partial in [&b""[..], b"HTT", b"HTTP/1.1 200 OK\r\n", b"HTTP/1.1 100 C\r\n\r\n"] {
            assert_eq!(said(partial), None);
        }
        for wrong in [&b"SSH-2.0"[..], b"HTTP/2 200\r\n\r\n", b"HTTP/1.1 x\r\n\r\n", b"HTTP/1.1\r\n\r\n"] {
            assert!(understood(&mut wrong.to_vec()).is_err(), "{}", String::from_utf8_lossy(wrong));
        }
    }

    #[test]
    fn a_refusal_is_told_with_its_status() {
        let said =
            understood(&mut b"HTTP/1.1 407 Proxy Authentication Required\r\n\r\n".to_vec()).ok().unwrap().unwrap();
        let text = refused(&said, &target(), &Redactor::new()).text;
        assert!(text.as_str().contains("mail.contoso.com:443 with 407 Proxy Authentication Required; put"), "{text}");
    }
}
