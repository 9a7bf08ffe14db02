//! SOCKS version 5 (RFC 1928, RFC 1929), spoken to a proxy.

use std::net::IpAddr;

use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};

use super::UpstreamProxy;
use crate::exchange::{Failure, FailureKind, Side, Step};
use crate::proxy::target::Target;

const VERSION: u8 = 5;
const NO_LOGIN: u8 = 0;
const LOGIN: u8 = 2;
const CONNECT: u8 = 1;

/// Asks for a connection to `target`. Nothing is read beyond the proxy's answer.
pub(crate) async fn ask(
    hop: &mut (impl AsyncRead + AsyncWrite + Unpin),
    proxy: &UpstreamProxy,
    target: &Target,
) -> Result<(), Failure> {
    let login = proxy.login().and_then(super::Login::message);
    let methods: &[u8] = if login.is_some() { &[VERSION, 2, NO_LOGIN, LOGIN] } else { &[VERSION, 1, NO_LOGIN] };
    match (said(hop, methods).await?, &login) {
        ([VERSION, NO_LOGIN], _) => {}
        ([VERSION, LOGIN], Some(login)) => {
            let [_, verdict] = said(hop, login).await?;
            if verdict != 0 {
                return Err(failure(FailureKind::Other, "it does not accept the user name and password"));
            }
        }
        ([VERSION, _], _) => {
            let text = "it wants a login; put user:password into the environment variable AUTHTAP_UPSTREAM_PROXY_AUTH";
            return Err(failure(FailureKind::Other, text));
        }
        _ => return Err(failure(FailureKind::NotUnderstood, "it does not speak SOCKS version 5")),
    }
    let [_, reply, _, kind] = said(hop, &request(target)?).await?;
    if reply != 0 {
        return Err(refused(reply));
    }
    let address = match kind {
        1 => 4,
        3 => hop.read_u8().await.map_err(|_| silent())?.into(),
        _ => 16,
    };
    let mut bound = vec![0; address + 2];
    hop.read_exact(&mut bound).await.map_err(|_| silent())?;
    Ok(())
}

/// Sends `message` and reads as many bytes of the answer as are wanted.
async fn said<const N: usize>(
    hop: &mut (impl AsyncRead + AsyncWrite + Unpin),
    message: &[u8],
) -> Result<[u8; N], Failure> {
    let mut answer = [0; N];
    let asked = async {
        hop.write_all(message).await?;
        hop.flush().await?;
        hop.read_exact(&mut answer).await
    };
    asked.await.map_err(|_| silent())?;
    Ok(answer)
}

fn request(target: &Target) -> Result<Vec<u8>, Failure> {
    let mut message = vec![VERSION, CONNECT, 0];
    match target.host.parse() {
        Ok(IpAddr::V4(address)) => message.extend([&[1][..], &address.octets()].concat()),
        Ok(IpAddr::V6(address)) => message.extend([&[4][..], &address.octets()].concat()),
        Err(_) => {
            let length = u8::try_from(target.host.len())
                .map_err(|_| failure(FailureKind::Other, "the server's name is too long for SOCKS"))?;
            message.extend([&[3, length][..], target.host.as_bytes()].concat());
        }
    }
    message.extend(target.port.to_be_bytes());
    Ok(message)
}

fn refused(reply: u8) -> Failure {
    match reply {
        2 => failure(FailureKind::Other, "its rules do not allow a connection to the server"),
        3 => failure(FailureKind::Unreachable, "it cannot reach the server's network"),
        4 => failure(FailureKind::Unreachable, "it cannot reach the server, or does not know its name"),
        5 => failure(FailureKind::Refused, "the server refuses its connection"),
        6 => failure(FailureKind::TimedOut, "the server does not answer it"),
        _ => failure(FailureKind::Other, "it cannot connect to the server and does not say why"),
    }
}

fn silent() -> Failure {
    failure(FailureKind::ClosedEarly, "it closed the connection without an answer")
}

fn failure(kind: FailureKind, text: &'static str) -> Failure {
    Failure { side: Side::Server, step: Step::Connect, kind, text: text.into() }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn target(text: &str) -> Target {
        Target::read(text.as_bytes(), 443).unwrap()
    }

    /// What comes of an exchange in which the proxy expects and answers so.
    async fn spoken(proxy: &str, to: &str, turns: &[(&[u8], &[u8])]) -> Result<(), Failure> {
        let proxy = UpstreamProxy::of_environment(proxy).unwrap();
        let (mut ours, mut theirs) = tokio::io::duplex(1024);
        let play = async {
            for (expected, answer) in turns {
                let mut read = vec![0; expected.len()];
                theirs.read_exact(&mut read).await.unwrap();
                assert_eq!(&read, expected);
                theirs.write_all(answer).await.unwrap();
            }
            drop(theirs);
        };
        let to = target(to);
        let (answer, ()) = tokio::join!(ask(&mut ours, &proxy, &to), play);
        answer
    }

    #[tokio::test]
    async fn names_are_left_to_the_proxy_and_addresses_go_as_they_are() {
        const GRANTED: &[u8] = &[5, 0, 0, 1, 127, 0, 0, 1, 0x1f, 0x90];
        let by_name = [(&[5, 1, 0][..], &[5, 0][..]), (b"\x05\x01\x00\x03\x10mail.contoso.com\x01\xbb", GRANTED)];
        spoken("socks5://p", "mail.contoso.com", &by_name).await.unwrap();
        let v4 = [(&[5, 1, 0][..], &[5, 0][..]), (&[5, 1, 0, 1, 192, 0, 2, 1, 0x20, 0xfb], GRANTED)];
        spoken("socks5://p", "192.0.2.1:8443", &v4).await.unwrap();
        let v6: Vec<u8> = [&[5, 1, 0, 4][..], &[0; 15], &[1, 1, 0xbb]].concat();
        spoken("socks5://p", "[::1]", &[(&[5, 1, 0], &[5, 0]), (&v6, b"\x05\0\0\x03\x01x\0\0")]).await.unwrap();
    }

    #[tokio::test]
    async fn a_login_is_given_where_it_is_asked_for() {
        let asked = b"\x05\x01\x00\x03\x01x\x01\xbb";
        let turns = [
            (&[5, 2, 0, 2][..], &[5, 2][..]),
            (b"\x01\x05avery\x02pw", &[1, 0]),
            (asked, &[5, 0, 0, 1, 0, 0, 0, 0, 0, 0]),
        ];
        spoken("socks5://avery:pw@p", "x", &turns).await.unwrap();
        let wrong = [(&[5, 2, 0, 2][..], &[5, 2][..]), (b"\x01\x05avery\x02pw", &[1, 1])];
        let failure = spoken("socks5://avery:pw@p", "x", &wrong).await.unwrap_err();
        assert!(failure.text.as_str().contains("does not accept"), "{}", failure.text);
        let failure = spoken("socks5://p", "x", &[(&[5, 1, 0], &[5, 0xff])]).await.unwrap_err();
        assert!(failure.text.as_str().contains("AUTHTAP_UPSTREAM_PROXY_AUTH"), "{}", failure.text);
    }

    #[tokio::test]
    async fn refusals_and_silence_are_failures_of_their_own_kinds() {
        let asked = b"\x05\x01\x00\x03\x01x\x01\xbb";
        for (reply, kind) in [(5, FailureKind::Refused), (4, FailureKind::Unreachable), (1, FailureKind::Other)] {
            let turns = [(&[5, 1, 0][..], &[5, 0][..]), (asked, &[5, reply, 0, 1, 0, 0, 0, 0, 0, 0])];
            assert_eq!(spoken("socks5://p", "x", &turns).await.unwrap_err().kind, kind);
        }
        assert_eq!(spoken("socks5://p", "x", &[]).await.unwrap_err().kind, FailureKind::ClosedEarly);
        let http = spoken("socks5://p", "x", &[(&[5, 1, 0], b"HTTP/1.1 400")]).await.unwrap_err();
        assert_eq!(http.kind, FailureKind::NotUnderstood);
    }
}
