//! The proxy's own page: what a browser finds at its address, or at `authtap.test` once it uses the proxy.
//!
//! It hands out the root certificate in the forms that systems take, never its key, and a PAC file with the address at
//! which this client reached us; and it says what to do with them. Everything is in the one page: it loads nothing.

mod html;
mod profile;
mod steps;

use std::convert::Infallible;
use std::net::SocketAddr;

use bytes::Bytes;
use http_body_util::Full;
use hyper::body::Incoming;
use hyper::header::{
    ACCEPT_LANGUAGE, ALLOW, CACHE_CONTROL, CONTENT_DISPOSITION, CONTENT_SECURITY_POLICY, CONTENT_TYPE, HOST,
    HeaderName, HeaderValue, LOCATION, REFERRER_POLICY, USER_AGENT, VARY, X_CONTENT_TYPE_OPTIONS,
};
use hyper::service::service_fn;
use hyper::{Method, Request, Response, StatusCode};
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncRead, AsyncWrite};

use super::{hang_up, within};
use crate::proxy::certificates::Authority;
use crate::proxy::target::Target;
use crate::text::Language;
use html::Facts;

/// The name at which clients that use the proxy find the page. Nobody can own it: RFC 6761 keeps `.test` for this.
const NAME: &str = "authtap.test";

/// How a client came to the page.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Way {
    /// It opened the proxy's own address.
    Directly,
    /// Through the proxy: it is set up to use it.
    Proxied,
    /// Through the proxy and in TLS: it trusts the root, too.
    Trusting,
}

/// Whether `target` is the page, asked for through the proxy.
pub(crate) fn is_at(target: &Target) -> bool {
    target.host.strip_suffix('.').unwrap_or(&target.host) == NAME
}

/// Serves one request for the page or for one of its files. `local` is where the client reached us.
pub(crate) async fn serve(
    client: impl AsyncRead + AsyncWrite + Unpin,
    way: Way,
    local: Option<SocketAddr>,
    authority: &Authority,
) {
    let answer = service_fn(|request: Request<Incoming>| async move {
        Ok::<_, Infallible>(respond(&request, way, local, authority))
    });
    let serving = hyper::server::conn::http1::Builder::new()
        .keep_alive(false)
        .serve_connection(TokioIo::new(client), answer)
        .without_shutdown();
    if let Some(Ok(parts)) = within(serving).await {
        hang_up(parts.io.into_inner()).await;
    }
}

fn respond<B>(
    request: &Request<B>,
    way: Way,
    local: Option<SocketAddr>,
    authority: &Authority,
) -> Response<Full<Bytes>> {
    if !matches!(*request.method(), Method::GET | Method::HEAD) {
        let mut response = plain(StatusCode::METHOD_NOT_ALLOWED, "authtap: this page can be read and nothing else\n");
        response.headers_mut().insert(ALLOW, HeaderValue::from_static("GET, HEAD"));
        return response;
    }
    let address = address(request, way, local);
    let language = match request.uri().path() {
        "/" => accepted(request),
        "/en" => Language::En,
        "/ja" => Language::Ja,
        "/proxy.pac" => return file(pac(&address).into(), "application/x-ns-proxy-autoconfig", "inline", "proxy.pac"),
        "/authtap-ca.pem" => {
            return file(pem(authority).into(), "application/x-pem-file", "attachment", "authtap-ca.pem");
        }
        "/authtap-ca.cer" => {
            let der = Bytes::copy_from_slice(authority.certificate());
            return file(der, "application/x-x509-ca-cert", "attachment", "authtap-ca.cer");
        }
        "/authtap.mobileconfig" => {
            let profile = profile::profile(authority);
            return file(profile.into(), "application/x-apple-aspen-config", "attachment", "authtap.mobileconfig");
        }
        _ if way == Way::Directly => {
            return plain(
                StatusCode::NOT_FOUND,
                "authtap: this address is a proxy. Set it as the HTTP proxy of the client; its own page is at /\n",
            );
        }
        _ => return found("/"),
    };
    let facts = Facts { authority, address: &address, way, agent: text(request, &USER_AGENT) };
    let mut response = with_type(Bytes::from(html::page(&facts, language)), "text/html; charset=utf-8");
    let headers = response.headers_mut();
    if let Ok(policy) = HeaderValue::from_str(&html::policy()) {
        headers.insert(CONTENT_SECURITY_POLICY, policy);
    }
    headers.insert(VARY, HeaderValue::from_static("accept-language, user-agent"));
    response
}

/// `host:port` of the proxy as this client reached it: what it called us itself, if it did, else where it arrived.
fn address<B>(request: &Request<B>, way: Way, local: Option<SocketAddr>) -> String {
    let called = (way == Way::Directly).then(|| Target::read(text(request, &HOST).as_bytes(), 80)).flatten();
    let plain =
        |target: &Target| target.host.bytes().all(|byte| byte.is_ascii_alphanumeric() || b".-:".contains(&byte));
    match (called.filter(plain).filter(|target| !is_at(target)), local) {
        (Some(target), _) => target.authority(),
        (None, Some(local)) => SocketAddr::new(local.ip().to_canonical(), local.port()).to_string(),
        (None, None) => "127.0.0.1:8080".to_owned(),
    }
}

/// The first of our languages in the order of the client's wishes.
fn accepted<B>(request: &Request<B>) -> Language {
    let wish = |part: &str| {
        let mut words = part.split(';').map(str::trim);
        let tag = words.next().unwrap_or_default().to_ascii_lowercase();
        let weight =
            words.find_map(|word| word.strip_prefix("q=")).map_or(Some(1.0), |weight| weight.parse::<f32>().ok());
        let language = match tag.split('-').next()? {
            "ja" => Language::Ja,
            "en" | "*" => Language::En,
            _ => return None,
        };
        weight.filter(|weight| *weight > 0.0).map(|weight| (language, weight))
    };
    let mut best: Option<(Language, f32)> = None;
    for (language, weight) in text(request, &ACCEPT_LANGUAGE).split(',').filter_map(wish) {
        if best.is_none_or(|(_, most)| weight > most) {
            best = Some((language, weight));
        }
    }
    best.map_or(Language::En, |(language, _)| language)
}

/// A script that sends everything here. There is no way past a proxy that is gone: traffic that nobody looks at is not
/// what the script was set for.
fn pac(address: &str) -> String {
    format!(
        "// authtap: everything but this machine's own addresses goes through the debugging proxy.\n\
         function FindProxyForURL(url, host) {{\n    \
         if (host == \"localhost\" || host == \"127.0.0.1\" || host == \"::1\" || host == \"[::1]\") {{\n        \
         return \"DIRECT\";\n    }}\n    return \"PROXY {address}\";\n}}\n"
    )
}

/// The certificate alone, whatever else stands in the file.
fn pem(authority: &Authority) -> String {
    use base64::Engine as _;
    let text = base64::prelude::BASE64_STANDARD.encode(authority.certificate());
    let lines: Vec<_> = text.as_bytes().chunks(64).map(String::from_utf8_lossy).collect();
    format!("-----BEGIN CERTIFICATE-----\n{}\n-----END CERTIFICATE-----\n", lines.join("\n"))
}

fn text<'a, B>(request: &'a Request<B>, name: &HeaderName) -> &'a str {
    request.headers().get(name).and_then(|value| value.to_str().ok()).unwrap_or_default()
}

fn file(content: Bytes, kind: &'static str, disposition: &str, name: &str) -> Response<Full<Bytes>> {
    let mut response = with_type(content, kind);
    if let Ok(value) = HeaderValue::from_str(&format!("{disposition}; filename=\"{name}\"")) {
        response.headers_mut().insert(CONTENT_DISPOSITION, value);
    }
    response
}

fn plain(status: StatusCode, words: &'static str) -> Response<Full<Bytes>> {
    let mut response = with_type(Bytes::from_static(words.as_bytes()), "text/plain; charset=utf-8");
    *response.status_mut() = status;
    response
}

fn found(path: &'static str) -> Response<Full<Bytes>> {
    let mut response = plain(StatusCode::FOUND, "");
    response.headers_mut().insert(LOCATION, HeaderValue::from_static(path));
    response
}

fn with_type(content: Bytes, kind: &'static str) -> Response<Full<Bytes>> {
    let mut response = Response::new(Full::new(content));
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static(kind));
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    headers.insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    headers.insert(REFERRER_POLICY, HeaderValue::from_static("no-referrer"));
    response
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn authority() -> Authority {
        Authority::load_or_create(tempfile::tempdir().unwrap().path()).unwrap()
    }

    fn asked(fields: &[(&str, &str)]) -> Request<()> {
        let mut request = Request::get("/proxy.pac");
        for (name, value) in fields {
            request = request.header(*name, *value);
        }
        request.body(()).unwrap()
    }

    #[test]
    fn the_address_is_the_one_by_which_the_client_came() {
        let local = Some("192.168.1.5:8080".parse().unwrap());
        let of = |host: &str, way| address(&asked(&[("host", host)]), way, local);
        assert_eq!(of("Laptop.contoso.com:3128", Way::Directly), "laptop.contoso.com:3128");
        assert_eq!(of("[::1]:8080", Way::Directly), "[::1]:8080");
        assert_eq!(of("10.0.0.1", Way::Directly), "10.0.0.1:80");
        for odd in ["authtap.test", "a\";alert(1);\":80", "a b", "", "evil'+x:1", "\u{e9}:80"] {
            assert_eq!(of(odd, Way::Directly), "192.168.1.5:8080", "{odd}");
        }
        assert_eq!(of("laptop:3128", Way::Proxied), "192.168.1.5:8080");
        let mapped = Some("[::ffff:10.1.2.3]:8080".parse().unwrap());
        assert_eq!(address(&asked(&[]), Way::Directly, mapped), "10.1.2.3:8080");
    }

    #[test]
    fn the_language_is_the_one_that_the_client_likes_best() {
        let of = |wishes: &str| accepted(&asked(&[("accept-language", wishes)]));
        for japanese in ["ja", "ja-JP,ja;q=0.9,en;q=0.8", "en;q=0.5, JA;q=0.7", "de,ja;q=0.1", "fr, ja"] {
            assert_eq!(of(japanese), Language::Ja, "{japanese}");
        }
        for english in ["", "en", "en-GB,ja;q=0.9", "de", "ja;q=0", "*,ja;q=0.5", "jam"] {
            assert_eq!(of(english), Language::En, "{english}");
        }
    }

    #[test]
    fn the_certificate_comes_out_as_it_is_and_its_key_never() {
        let authority = authority();
        let body = |path: &str| {
            let request = Request::get(path).body(()).unwrap();
            let response = respond(&request, Way::Directly, None, &authority);
            futures_body(response)
        };
        assert_eq!(body("/authtap-ca.cer"), authority.certificate().as_ref());
        let (_, pem) = x509_parser::pem::parse_x509_pem(&body("/authtap-ca.pem")).unwrap();
        assert_eq!(pem.contents, authority.certificate().as_ref());
        for path in ["/", "/en", "/ja", "/authtap-ca.pem", "/authtap.mobileconfig", "/proxy.pac", "/authtap-ca.key"] {
            let text = String::from_utf8_lossy(&body(path)).into_owned();
            assert!(!text.contains("PRIVATE KEY"), "{path}");
        }
    }

    fn futures_body(response: Response<Full<Bytes>>) -> Vec<u8> {
        use http_body_util::BodyExt as _;
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        runtime.block_on(response.into_body().collect()).unwrap().to_bytes().to_vec()
    }
}
