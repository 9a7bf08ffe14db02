//! The server speaks only TLS versions or ciphers that the usual engine does not: the engine for old TLS took it, its
//! traffic passed undecrypted, or it failed.
//!
//! Not to be confused with a refused certificate (`certificate-invalid`, `tls-trust-failure`) or with a host that was
//! passed through because somebody asked for it. What went on inside the tunnel is unseen: nothing is said of it.

use crate::diagnosis::{Actor, Case, Certainty, Gate, Hit, Kind, Place, Rule};
use crate::exchange::{FailureKind, Side, Unseen};
use crate::redact::Clean;
use crate::text::Text;

pub(super) static RULE: Rule = Rule {
    id: "tls-server-legacy",
    title: Text {
        en: "The server speaks only old TLS", ja: "サーバーが古い TLS にしか対応していない"
    },
    explanation: Text {
        en: "{host} offers only what the usual TLS engine here leaves out: TLS 1.0 or 1.1, CBC ciphers, RSA key \
             exchange, or renegotiation, as Windows Server 2012 R2 and older do with an RSA certificate. Where its \
             requests and answers are shown, the engine for old TLS (OpenSSL) has taken the connection. Where only a \
             tunnel is shown, that engine could not either, or is not part of this build: the client's own handshake \
             was passed on untouched where it could be, and what went on inside cannot be seen.",
        ja: "{host} は、ここで通常使う TLS エンジンが対応しないもの (TLS 1.0/1.1、CBC 暗号、RSA 鍵交換、再ネゴシエーショ\
             ン) しか提供していません。Windows Server 2012 R2 以前で RSA 証明書を使う場合によく見られます。要求と応答が\
             表示されている接続は、旧 TLS 用のエンジン (OpenSSL) が処理したものです。トンネルだけが表示されている場合は、\
             そのエンジンでも対応できなかったか、このビルドに含まれていません。可能な場合はクライアントのハンドシェイクを\
             そのまま転送しており、その内容は見えません。",
    },
    remedy: Text {
        en: "On Windows Server 2016 and later enable TLS 1.2 and put a suite of ECDHE, RSA and AES-GCM first in the \
             order:\n\
             Get-TlsCipherSuite | Format-Table Name,Exchange,Certificate\n\
             Enable-TlsCipherSuite -Name TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384 -Position 0\n\
             Older Windows has no such suite for RSA certificates. Leave the server of a migration as it is; where it \
             could not be looked into, let a load balancer with newer TLS stand before it while you capture.",
        ja: "Windows Server 2016 以降では、TLS 1.2 を有効にし、ECDHE・RSA・AES-GCM の暗号スイートを先頭に置きます。\n\
             Get-TlsCipherSuite | Format-Table Name,Exchange,Certificate\n\
             Enable-TlsCipherSuite -Name TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384 -Position 0\n\
             それより古い Windows には、RSA 証明書で使えるこの種の暗号スイートがありません。移行元のサーバーは変更せ\
             ず、内容が見えない場合はキャプチャの間だけ、新しい TLS に対応したロード バランサーを手前に置きます。",
    },
    sources: &[
        "https://learn.microsoft.com/en-us/exchange/plan-and-deploy/post-installation-tasks/security-best-practices/exchange-tls-configuration",
        "RFC 8996",
    ],
    kinds: &[Kind::Note, Kind::Failure],
    certainties: &[Certainty::Certain],
    actors: &[Actor::ThisProxy],
    gate: Gate::ANY,
    supersedes: &[],
    find,
    #[cfg(test)]
    examples: tests::EXAMPLES,
};

fn find(case: &Case<'_>) -> Option<Hit> {
    let failure = case.exchange.error.as_ref();
    let incompatible =
        failure.filter(|failure| failure.side == Side::Server && failure.kind == FailureKind::TlsIncompatible);
    let tls = case.exchange.connection.server.as_ref().and_then(|server| server.tls.as_ref());
    let taken = tls.and_then(|tls| tls.legacy.as_ref());
    let unseen = [case.exchange.request.unseen(), case.exchange.response.unseen()];
    let (hit, text) = match (incompatible, taken) {
        (Some(failure), _) => (Hit::failure(Certainty::Certain, Actor::ThisProxy), failure.text.clone()),
        (None, Some(why)) => (
            Hit::note(Certainty::Certain, Actor::ThisProxy),
            Clean::concat(["taken by the engine for old TLS: ".into(), why.clone()]),
        ),
        (None, None) if unseen.contains(&Some(Unseen::ServerTlsTooOld)) => (
            Hit::note(Certainty::Certain, Actor::ThisProxy),
            "passed through: no TLS version or cipher in common with this proxy".into(),
        ),
        (None, None) => return None,
    };
    let hit = hit.on(case.on_server()).naming("host", case.host_name());
    Some(hit.because(case.evidence(Place::ConnectionServer, text)))
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use std::sync::Arc;

    use super::RULE;
    use crate::diagnosis::rules::kit::{Example, Raw, exchanges};
    use crate::diagnosis::{Actor, Capture, Case, Certainty, Kind, Past};
    use crate::exchange::{Certificate, Connection, FailureKind, Server, Side, Step, Tls, Unseen};

    pub(super) const EXAMPLES: &[Example] = &[
        Example::fires(
            "the tunnel passed undecrypted",
            (Kind::Note, Certainty::Certain, Actor::ThisProxy),
            &[Raw::tunnel("CONNECT https://old.contoso.com/", Unseen::ServerTlsTooOld)],
        )
        .live(),
        Example::fires(
            "no common protocol was found",
            (Kind::Failure, Certainty::Certain, Actor::ThisProxy),
            &[Raw::failed(
                "CONNECT https://old.contoso.com/",
                Side::Server,
                Step::Tls,
                FailureKind::TlsIncompatible,
                "the server offers TLS 1.0 only",
            )],
        )
        .live(),
        Example::silent(
            "the host is on the list of those passed through",
            &[Raw::tunnel("CONNECT https://old.contoso.com/", Unseen::SkippedHost)],
        )
        .live(),
        Example::silent(
            "the client is too old",
            &[Raw::tunnel("CONNECT https://old.contoso.com/", Unseen::ClientTlsUnreadable)],
        )
        .live(),
    ];

    #[test]
    fn what_the_other_engine_took_is_a_note_that_says_why() {
        let mut exchange = exchanges(&[Raw::new("GET https://old.contoso.com/", "HTTP/1.1 200 OK")]).remove(0);
        let said = |legacy: Option<&'static str>| {
            let tls =
                Tls { legacy: legacy.map(Into::into), ..Tls::of_certificate(Certificate::of_fingerprint([1; 32])) };
            let server = Some(Server { address: "192.0.2.1:443".into(), tls: Some(tls) });
            exchange.connection = Arc::new(Connection { server, ..Connection::default() });
            let past = Past::default();
            let hit = (RULE.find)(&Case::new(&exchange, &past, Capture::Imported));
            hit.map(|hit| (hit.kind, hit.evidence[0].text.to_string()))
        };
        let mut said = said;
        let (kind, text) = said(Some("the server speaks nothing newer than TLS 1.0")).unwrap();
        assert_eq!(kind, Kind::Note);
        assert_eq!(text, "taken by the engine for old TLS: the server speaks nothing newer than TLS 1.0");
        assert_eq!(said(None), None);
    }
}
