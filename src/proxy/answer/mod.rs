//! Answers of our own, in plain words and served by hyper: where a server could not be asked, where a client may not
//! be served, and the proxy's own page.

pub(crate) mod instead;
pub(crate) mod page;
pub(crate) mod replay;
pub(crate) mod respond;

use std::convert::Infallible;
use std::time::Duration;

use bytes::Bytes;
use http_body_util::Full;
use hyper::body::Incoming;
use hyper::header::{CACHE_CONTROL, CONTENT_TYPE, HeaderValue, PROXY_AUTHENTICATE};
use hyper::service::service_fn;
use hyper::{Request, Response, StatusCode};
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::exchange::{Failure, FailureKind};
use crate::proxy::target::Target;
use crate::redact::{Clean, Redactor};
use crate::text::Text;

/// How long a client may take to read an answer and to stop sending, before we hang up on it.
pub(crate) const FAREWELL: Duration = Duration::from_secs(2);
/// How long the rest of a request for an answer of ours may take, with the answer itself.
const PATIENCE: Duration = Duration::from_mins(1);

/// A page in both languages.
pub(crate) struct Page {
    status: StatusCode,
    /// RFC 9209: why, for programs.
    reason: Option<&'static str>,
    title: Text,
    /// Evidence, the same in both languages.
    detail: Option<Clean>,
    advice: Text,
}

impl Page {
    /// A server could not be asked.
    pub(crate) fn unreachable(target: &Target, failure: &Failure, redactor: &Redactor) -> Self {
        let status = match failure.kind {
            FailureKind::TimedOut => StatusCode::GATEWAY_TIMEOUT,
            _ => StatusCode::BAD_GATEWAY,
        };
        Self {
            status,
            reason: Some(proxy_status(failure.kind)),
            title: Text {
                en: "authtap could not ask the server", ja: "authtap はサーバーに接続できませんでした"
            },
            detail: Some(Clean::concat([target.shown(redactor), ": ".into(), failure.text.clone()])),
            advice: advice(failure.kind),
        }
    }

    /// What came is no request to a proxy.
    pub(crate) fn bad_request(failure: &Failure) -> Self {
        Self {
            status: StatusCode::BAD_REQUEST,
            reason: Some("http_request_error"),
            title: Text {
                en: "This is no request to a proxy", ja: "プロキシへの要求として解釈できません"
            },
            detail: Some(failure.text.clone()),
            advice: Text {
                en: "Set the client up with this address as its HTTP proxy, for http and https.",
                ja: "クライアントに、このアドレスを HTTP プロキシ (http と https の両方) として設定してください。",
            },
        }
    }

    /// The request did not come to its end.
    pub(crate) fn too_slow(failure: &Failure) -> Self {
        Self {
            status: StatusCode::REQUEST_TIMEOUT,
            title: Text { en: "The request took too long", ja: "要求の受信に時間がかかりすぎました" },
            ..Self::bad_request(failure)
        }
    }

    /// Clients must say who they are, and this one did not.
    pub(crate) fn log_in() -> Self {
        Self {
            status: StatusCode::PROXY_AUTHENTICATION_REQUIRED,
            reason: None,
            title: Text {
                en: "This proxy asks who you are", ja: "このプロキシの使用には認証が必要です"
            },
            detail: None,
            advice: Text {
                en: "authtap was started with --proxy-auth. Give the client the user name and password of the proxy: those \
                     that authtap was started with, and not those of your account.",
                ja: "authtap は --proxy-auth 付きで起動されています。クライアントにプロキシのユーザー名とパスワード \
                     (authtap の起動時に設定したもの。ご自分のアカウントのものではありません) を設定してください。",
            },
        }
    }

    fn html(&self) -> String {
        let detail = self
            .detail
            .as_ref()
            .map_or_else(String::new, |detail| format!("<p><code>{}</code></p>\n", escaped(detail.as_str())));
        format!(
            "<!DOCTYPE html>\n<html lang=\"en\">\n<head><meta charset=\"utf-8\"><title>{en}</title></head>\n<body>\n\
             <h1>{en}</h1>\n{detail}<p>{advice}</p>\n<p>This answer comes from authtap, a debugging proxy, and not from \
             the server.</p>\n<hr>\n<div lang=\"ja\">\n<h1>{ja}</h1>\n{detail}<p>{advice_ja}</p>\n\
             <p>この応答はサーバーではなく、デバッグ用プロキシ authtap が返したものです。</p>\n</div>\n</body>\n</html>\n",
            en = escaped(self.title.en),
            ja = escaped(self.title.ja),
            advice = escaped(self.advice.en),
            advice_ja = escaped(self.advice.ja),
        )
    }

    fn response(&self) -> Response<Full<Bytes>> {
        let mut response = Response::new(Full::new(Bytes::from(self.html())));
        *response.status_mut() = self.status;
        let headers = response.headers_mut();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("text/html; charset=utf-8"));
        headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
        if self.status == StatusCode::PROXY_AUTHENTICATION_REQUIRED {
            headers.insert(PROXY_AUTHENTICATE, HeaderValue::from_static("Basic realm=\"authtap\""));
        }
        if let Some(reason) = self.reason
            && let Ok(value) = HeaderValue::from_str(&format!("authtap; error={reason}"))
        {
            headers.insert("proxy-status", value);
        }
        response
    }
}

/// Reads one request from `client` and answers it with `page`.
pub(crate) async fn serve(client: impl AsyncRead + AsyncWrite + Unpin, page: &Page) {
    let answer = service_fn(|_: Request<Incoming>| async { Ok::<_, Infallible>(page.response()) });
    let serving = hyper::server::conn::http1::Builder::new()
        .keep_alive(false)
        .serve_connection(TokioIo::new(client), answer)
        .without_shutdown();
    if let Some(Ok(parts)) = within(serving).await {
        hang_up(parts.io.into_inner()).await;
    }
}

/// Waits for `serving`, but not for a client that neither asks nor reads.
async fn within<T>(serving: impl Future<Output = T>) -> Option<T> {
    tokio::time::timeout(PATIENCE, serving).await.ok()
}

/// Answers what could not be read as a request with `page`.
pub(crate) async fn refuse(mut client: TcpStream, page: &Page) {
    let body = page.html();
    let head = format!(
        "HTTP/1.1 {}\r\ncontent-type: text/html; charset=utf-8\r\ncontent-length: {}\r\nconnection: close\r\n\r\n",
        page.status,
        body.len()
    );
    if client.write_all(head.as_bytes()).await.is_ok() && client.write_all(body.as_bytes()).await.is_ok() {
        hang_up(client).await;
    }
}

/// Closes our direction and lets the client finish: a close with unread bytes would reset the connection and take the
/// answer away from the client again.
pub(crate) async fn hang_up(mut client: impl AsyncRead + AsyncWrite + Unpin) {
    let _ = tokio::time::timeout(FAREWELL, async {
        let _ = client.shutdown().await;
        let mut rest = [0; 4096];
        while client.read(&mut rest).await.is_ok_and(|read| read > 0) {}
    })
    .await;
}

/// The error types of RFC 9209 section 2.3.
const fn proxy_status(kind: FailureKind) -> &'static str {
    match kind {
        FailureKind::NameNotFound => "dns_error",
        FailureKind::Refused => "connection_refused",
        FailureKind::TimedOut => "connection_timeout",
        FailureKind::Unreachable => "destination_ip_unroutable",
        FailureKind::Reset | FailureKind::ClosedEarly => "connection_terminated",
        FailureKind::CertificateExpired
        | FailureKind::CertificateNotYetValid
        | FailureKind::CertificateNameMismatch
        | FailureKind::CertificateUntrusted
        | FailureKind::CertificateInvalid => "tls_certificate_error",
        FailureKind::TlsIncompatible | FailureKind::TlsFailed => "tls_protocol_error",
        _ => "proxy_internal_error",
    }
}

const fn advice(kind: FailureKind) -> Text {
    match kind {
        FailureKind::NameNotFound => Text {
            en: "Check the spelling of the name and the DNS that this machine uses, or aim at an address with --resolve.",
            ja: "名前の綴りと、このコンピューターが使う DNS を確認してください。--resolve でアドレスを直接指定することもできます。",
        },
        FailureKind::Refused | FailureKind::TimedOut | FailureKind::Unreachable => Text {
            en: "Check the address and the port, whether the service runs, and the firewalls on the way.",
            ja: "アドレスとポート、サービスが動作しているか、途中のファイアウォールを確認してください。",
        },
        FailureKind::CertificateExpired | FailureKind::CertificateNotYetValid => Text {
            en: "Renew the server's certificate, and check the clocks. To go on all the same: --insecure-upstream.",
            ja: "サーバーの証明書を更新し、時計も確認してください。このまま続けるには --insecure-upstream を使います。",
        },
        FailureKind::CertificateNameMismatch => Text {
            en: "Use a name that the certificate carries, or add this name to the certificate. To go on all the same: \
                 --insecure-upstream.",
            ja: "証明書に含まれる名前を使うか、この名前を証明書に追加してください。このまま続けるには --insecure-upstream を使います。",
        },
        FailureKind::CertificateUntrusted => Text {
            en: "If the server belongs to your organisation, name its root with --upstream-ca. To go on all the same: \
                 --insecure-upstream.",
            ja: "自組織のサーバーであれば、そのルート証明書を --upstream-ca で指定してください。このまま続けるには --insecure-upstream を使います。",
        },
        FailureKind::CertificateInvalid => Text {
            en: "Replace the server's certificate. To go on all the same: --insecure-upstream.",
            ja: "サーバーの証明書を交換してください。このまま続けるには --insecure-upstream を使います。",
        },
        _ => Text {
            en: "authtap shows the details of this connection.",
            ja: "この接続の詳細は authtap の画面で確認できます。",
        },
    }
}

fn escaped(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\'' => escaped.push_str("&#39;"),
            c => escaped.push(c),
        }
    }
    escaped
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_speaks_both_languages_and_escapes_what_it_quotes() {
        let detail = Redactor::new().wire().host(b"<script>alert('x')</script>");
        let html = Page { detail: Some(detail), ..Page::log_in() }.html();
        assert!(html.contains("This proxy asks who you are") && html.contains("このプロキシの使用には認証が必要です"));
        assert!(!html.contains("<script>"), "{html}");
    }
}
