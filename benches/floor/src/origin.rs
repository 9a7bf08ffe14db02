//! The server behind the proxies: a small answer, a refusal as Exchange words it, and large bodies both ways.

use std::sync::Arc;

use bytes::Bytes;
use http_body_util::BodyExt;
use hyper::body::Incoming;
use hyper::header::{CONTENT_LENGTH, CONTENT_TYPE};
use hyper::service::service_fn;
use hyper::{Request, Response, StatusCode};
use hyper_util::rt::{TokioExecutor, TokioIo};
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::TlsAcceptor;

use crate::filler::Filler;
use crate::{Options, Outcome, tls};

/// What Exchange Server with hybrid modern authentication answers to an empty Bearer.
const REFUSAL: [(&str, &str); 13] = [
    ("server", "Microsoft-IIS/10.0"),
    ("request-id", "c1b0d8f2-7d0e-4b58-8a55-3f6f1f1e2a90"),
    ("x-feserver", "EX01"),
    ("x-calculatedbetarget", "ex02.contoso.com"),
    ("x-owa-version", "15.2.1748.10"),
    (
        "x-ms-diagnostics",
        "4000000;reason=\"Flighting is not enabled for domain 'avery@contoso.com'.\";error_category=\"oauth_not_available\"",
    ),
    (
        "www-authenticate",
        "Bearer client_id=\"00000002-0000-0ff1-ce00-000000000000\", trusted_issuers=\"00000001-0000-0000-c000-000000000000@0f6c9a1e-52c4-4c8e-9f0b-6a4de3b1c7d2\", token_types=\"app_asserted_user_v1 service_asserted_app_v1\", authorization_uri=\"https://login.windows.net/common/oauth2/authorize\", error=\"invalid_token\"",
    ),
    ("www-authenticate", "Negotiate"),
    ("www-authenticate", "NTLM"),
    ("www-authenticate", "Basic realm=\"mail.contoso.com\""),
    ("x-powered-by", "ASP.NET"),
    ("x-beserver", "EX02"),
    ("content-length", "0"),
];

/// Serves HTTP/1.1 on one port, and HTTP/2 as well on another.
pub async fn serve(options: &Options) -> Outcome {
    let folder = options.folder()?;
    let mut listening = Vec::new();
    for (port, alpn) in [("http1", &[tls::H1][..]), ("http2", &[tls::H2, tls::H1])] {
        let listener = TcpListener::bind(("127.0.0.1", u16::try_from(options.number(port, 0)?)?)).await?;
        let acceptor = TlsAcceptor::from(tls::server(&folder, "origin", alpn)?);
        listening.push(tokio::spawn(listen(listener, acceptor)));
    }
    println!("ready");
    for listener in listening {
        listener.await?;
    }
    Ok(())
}

async fn listen(listener: TcpListener, acceptor: TlsAcceptor) {
    let small = Bytes::from(small());
    while let Ok((tcp, _)) = listener.accept().await {
        tokio::spawn(connection(tcp, acceptor.clone(), small.clone()));
    }
}

async fn connection(tcp: TcpStream, acceptor: TlsAcceptor, small: Bytes) -> Outcome {
    tcp.set_nodelay(true)?;
    let stream = acceptor.accept(tcp).await?;
    let http2 = stream.get_ref().1.alpn_protocol() == Some(tls::H2);
    let small = Arc::new(small);
    let service = service_fn(move |request| answer(request, Bytes::clone(&small)));
    if http2 {
        let server = hyper::server::conn::http2::Builder::new(TokioExecutor::new());
        server.serve_connection(TokioIo::new(stream), service).await?;
    } else {
        hyper::server::conn::http1::Builder::new().serve_connection(TokioIo::new(stream), service).await?;
    }
    Ok(())
}

async fn answer(request: Request<Incoming>, small: Bytes) -> Outcome<Response<Filler>> {
    let json = |body| {
        Response::builder()
            .header(CONTENT_TYPE, "application/json; charset=utf-8")
            .header("request-id", "c1b0d8f2-7d0e-4b58-8a55-3f6f1f1e2a90")
            .body(Filler::of(body))
    };
    let response = match request.uri().path() {
        "/small" => json(small),
        "/challenge" => {
            let refusal = Response::builder().status(StatusCode::UNAUTHORIZED);
            REFUSAL
                .iter()
                .fold(refusal, |refusal, (name, value)| refusal.header(*name, *value))
                .body(Filler::of(Bytes::new()))
        }
        "/download" => {
            let body = Filler::large();
            let length = crate::filler::LARGE;
            Response::builder()
                .header(CONTENT_TYPE, "application/octet-stream")
                .header(CONTENT_LENGTH, length)
                .body(body)
        }
        "/upload" => {
            let (mut body, mut length) = (request.into_body(), 0);
            while let Some(frame) = body.frame().await {
                length += frame?.data_ref().map_or(0, Bytes::len);
            }
            json(Bytes::from(format!("{{\"length\":{length}}}")))
        }
        _ => Response::builder().status(StatusCode::NOT_FOUND).body(Filler::of(Bytes::new())),
    };
    Ok(response?)
}

/// A kibibyte of JSON, as Graph lists folders.
fn small() -> String {
    let mut text = String::from("{\"value\":[");
    while text.len() < 940 {
        text.push_str("{\"id\":\"AQMkADAw\",\"displayName\":\"Inbox\",\"unreadItemCount\":4,\"isHidden\":false},");
    }
    let rest = 1024 - text.len() - 4;
    text + "\"" + &"-".repeat(rest) + "\"]}"
}
