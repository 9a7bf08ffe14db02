//! The client breaks the TLS handshake off because it does not accept the certificate it is shown.
//!
//! A client that said no word and comes through on another connection may have left for any reason; browsers open
//! connections ahead and drop them. What it did is then merely possible to be a refusal.
//!
//! Not to be confused with the server's certificate, which we verify (`certificate-invalid`), with a server that
//! cannot be reached (`server-unreachable`), or with any answer of HTTP: no request was sent, so there is no 401 to
//! explain.

use crate::diagnosis::{Actor, Capture, Case, Certainty, Gate, Hit, Kind, Next, Place, Rule, Then};
use crate::exchange::{FailureKind, Side, Step};
use crate::text::Text;

pub(super) static RULE: Rule = Rule {
    id: "tls-trust-failure",
    title: Text {
        en: "The client does not accept the certificate", ja: "クライアントが証明書を受け入れない"
    },
    explanation: Text {
        en: "The TLS handshake with {host} ended on the client's side, before any request was sent. A client does so \
             when it does not trust the root of the certificate it was shown, when the name or the dates do not suit \
             it, or when it expects one certain certificate (pinning). A TLS alert proves it. A connection that was \
             merely closed makes it likely, unless the same client comes through later; one that was reset leaves \
             it open: a client that gives up for another reason, or a device on the way, looks the same. While traffic is decrypted, the certificate \
             shown is the one minted by the decrypting proxy.",
        ja: "{host} との TLS ハンドシェイクが、要求が 1 つも送られないうちにクライアント側で終わりました。提示された\
             証明書のルートを信頼していない、名前や有効期間が合わない、または特定の証明書しか受け入れない (ピンニン\
             グ) クライアントはこのように動作します。TLS アラートがあれば確実です。接続が閉じられただけの場合は可能\
             性が高く (同じクライアントが後で接続に成功した場合を除く)、リセットされた場合は断定できません。別の理由でクライアントが中断した場合や、経路上の機器によ\
             る場合も同じように見えるためです。復号している間にクライアントへ提示されるのは、復号するプロキシが発行\
             した証明書です。",
    },
    remedy: Text {
        en: "Let the client trust the root of this proxy (its file: authtap ca path), on Windows for all users:\n\
             certutil -addstore -f Root authtap-ca.pem\n\
             Firefox, Java and many phones keep a store of their own. A client that pins its certificate cannot be \
             decrypted: pass the host through with\n\
             authtap --skip-decrypt {host}\n\
             If it refuses the server's own certificate, install the chain up to its root on the client, or renew \
             it.",
        ja: "クライアントにこのプロキシのルート証明書を信頼させます (ファイルの場所は authtap ca path で分かります)。\
             Windows で全ユーザーに適用する場合:\n\
             certutil -addstore -f Root authtap-ca.pem\n\
             Firefox、Java、多くのスマートフォンは独自の証明書ストアを使います。証明書をピンニングするクライアントは\
             復号できないため、そのホストは復号せずに通します。\n\
             authtap --skip-decrypt {host}\n\
             サーバー本来の証明書が拒否されている場合は、ルートまでのチェーンをクライアントにインストールするか、証\
             明書を更新します。",
    },
    sources: &["RFC 8446 section 6.2", "RFC 5246 section 7.2.2"],
    kinds: &[Kind::Failure],
    certainties: &[Certainty::Certain, Certainty::Likely, Certainty::Possible],
    actors: &[Actor::ThisProxy, Actor::CaptureTool, Actor::ExchangeAdmin],
    gate: Gate::FAILED,
    supersedes: &[],
    find,
    #[cfg(test)]
    examples: tests::EXAMPLES,
};

fn find(case: &Case<'_>) -> Option<Hit> {
    let failure = case.exchange.error.as_ref()?;
    if failure.side != Side::Client || failure.step != Step::Tls {
        return None;
    }
    let said = failure.text.as_str().to_ascii_lowercase();
    let (alert, reset) = (said.contains("alert"), said.contains("reset"));
    let certainty = match failure.kind {
        _ if names_certificate(&said) => Certainty::Certain,
        FailureKind::CertificateRefusedByClient if alert => Certainty::Certain,
        FailureKind::CertificateRefusedByClient if reset => Certainty::Possible,
        FailureKind::TlsFailed if alert => Certainty::Likely,
        FailureKind::CertificateRefusedByClient | FailureKind::ClosedEarly => Certainty::Likely,
        FailureKind::Reset | FailureKind::TlsFailed => Certainty::Possible,
        _ => return None,
    };
    let connection = &case.exchange.connection;
    let shown = connection.presented.as_ref();
    let own = connection.server.as_ref().and_then(|server| server.tls.as_ref()).map(|tls| &tls.certificate);
    let actor = match (shown, case.capture()) {
        // With --server-cert the client is shown what the server would have shown.
        (Some(shown), _) if own.is_some_and(|own| own.sha256 == shown.sha256) => Actor::ExchangeAdmin,
        (Some(_), _) | (None, Capture::Live { .. } | Capture::Replayed) => Actor::ThisProxy,
        (None, Capture::Imported | Capture::Intercepted) => Actor::CaptureTool,
    };
    let hit = Hit::failure(certainty, actor).on(case.on_server()).naming("host", case.host_name());
    let hit = hit.because(case.evidence(Place::ConnectionClient, failure.text.clone()));
    let issuer = shown.map(|shown| case.evidence(Place::ConnectionClient, shown.issuer.clone()));
    let hit = issuer.into_iter().fold(hit, Hit::because);
    let through = || Next::Through(connection.client.clone());
    let open = (certainty == Certainty::Likely && !alert).then(through);
    Some(hit.later(open, Then::AsSure(Certainty::Possible)))
}

/// Whether the words are those of an alert about certificates (RFC 8446 section 6.2), in any spelling of it.
fn names_certificate(said: &str) -> bool {
    let words: String = said.chars().filter(char::is_ascii_alphanumeric).collect();
    let alerts = [
        "unknownca",
        "badcertificate",
        "certificateunknown",
        "certificateexpired",
        "certificaterevoked",
        "unsupportedcertificate",
    ];
    alerts.iter().any(|alert| words.contains(alert))
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::indexing_slicing)]
mod tests {
    use std::sync::Arc;

    use super::RULE;
    use crate::diagnosis::rules::kit::{Example, Raw, exchanges};
    use crate::diagnosis::{Actor, Capture, Case, Certainty, Diagnosis, Kind, Past, Verdict};
    use crate::exchange::{Certificate, Connection, FailureKind, Server, Side, Step, Timestamp, Tls, Unseen};

    pub(super) const EXAMPLES: &[Example] = &[
        Example::fires(
            "the client refuses our certificate",
            (Kind::Failure, Certainty::Certain, Actor::ThisProxy),
            &[Raw::failed(
                "CONNECT https://mail.contoso.com/",
                Side::Client,
                Step::Tls,
                FailureKind::CertificateRefusedByClient,
                "the client refused the certificate: unknown CA",
            )],
        )
        .live(),
        Example::fires(
            "an imported trace has the alert in words",
            (Kind::Failure, Certainty::Certain, Actor::CaptureTool),
            &[Raw::failed(
                "CONNECT https://mail.contoso.com:8443/",
                Side::Client,
                Step::Tls,
                FailureKind::Other,
                "received fatal alert: UnknownCA",
            )],
        ),
        Example::fires(
            "the client just closes, in order, once it has seen the certificate",
            (Kind::Failure, Certainty::Likely, Actor::ThisProxy),
            &[Raw::failed(
                "CONNECT https://mail.contoso.com/",
                Side::Client,
                Step::Tls,
                FailureKind::CertificateRefusedByClient,
                "the client closed the connection right after it was shown our certificate",
            )],
        )
        .live(),
        Example::fires(
            "the client resets the connection once it has seen the certificate",
            (Kind::Failure, Certainty::Possible, Actor::ThisProxy),
            &[Raw::failed(
                "CONNECT https://mail.contoso.com/",
                Side::Client,
                Step::Tls,
                FailureKind::CertificateRefusedByClient,
                "the client reset the connection right after it was shown our certificate",
            )],
        )
        .live(),
        Example::fires(
            "an imported trace knows of a reset only",
            (Kind::Failure, Certainty::Possible, Actor::CaptureTool),
            &[Raw::failed(
                "CONNECT https://mail.contoso.com/",
                Side::Client,
                Step::Tls,
                FailureKind::Reset,
                "connection reset by peer",
            )],
        ),
        Example::silent(
            "the server's certificate has expired",
            &[Raw::failed(
                "CONNECT https://mail.contoso.com/",
                Side::Server,
                Step::Tls,
                FailureKind::CertificateExpired,
                "the certificate expired on 2026-10-01",
            )],
        )
        .live(),
        Example::silent(
            "the client hangs up in the middle of a request",
            &[Raw::failed(
                "POST https://mail.contoso.com/EWS/Exchange.asmx",
                Side::Client,
                Step::Receive,
                FailureKind::Reset,
                "connection reset by peer",
            )],
        )
        .live(),
        Example::silent(
            "the client offers no TLS that we speak",
            &[Raw::failed(
                "CONNECT https://mail.contoso.com/",
                Side::Client,
                Step::Tls,
                FailureKind::TlsIncompatible,
                "no protocol version in common",
            )],
        )
        .live(),
    ];

    const REFUSED: &[Raw] = &[Raw::failed(
        "CONNECT https://mail.contoso.com/",
        Side::Client,
        Step::Tls,
        FailureKind::CertificateRefusedByClient,
        "unknown CA",
    )];

    fn certificate(sha256: u8) -> Certificate {
        Certificate {
            subject: "CN=mail.contoso.com".into(),
            issuer: "CN=Contoso Root".into(),
            names: Vec::new(),
            not_before: Timestamp::default(),
            not_after: Timestamp::default(),
            sha256: [sha256; 32],
        }
    }

    const CLOSED: Raw = Raw::failed(
        "CONNECT https://mail.contoso.com/",
        Side::Client,
        Step::Tls,
        FailureKind::CertificateRefusedByClient,
        "the client closed the connection right after it was shown our certificate",
    );
    const SERVED: Raw = Raw::new("GET https://mail.contoso.com/owa/", "200 OK").on(2);

    /// What is said of the first exchange in the end.
    fn in_the_end(raw: [Raw; 2], clients: [&'static str; 2]) -> (Verdict, Certainty, usize) {
        let mut diagnosis = Diagnosis::new(Capture::Live { loopback: true, windows: true });
        let mut exchanges = exchanges(&raw);
        for (exchange, client) in exchanges.iter_mut().zip(clients) {
            let connection = Connection { client: Some(client.into()), ..(*exchange.connection).clone() };
            exchange.connection = Arc::new(connection);
        }
        let first = diagnosis.observe(&exchanges[0]).judgement;
        let said = diagnosis.observe(&exchanges[1]).revised.pop().unwrap_or(first);
        assert_eq!((said.exchange, said.findings.len()), (exchanges[0].id, 1));
        let finding = &said.findings[0];
        assert_eq!(finding.id(), RULE.id);
        (said.verdict, finding.certainty, finding.evidence.len())
    }

    #[test]
    fn a_client_that_comes_through_after_it_has_left_in_silence_may_have_refused_nothing() {
        let same = ["127.0.0.1:50001", "127.0.0.1:50002"];
        let sure = (Verdict::Failure, Certainty::Likely, 1);
        assert_eq!(in_the_end([CLOSED, SERVED], same), (Verdict::Unknown, Certainty::Possible, 2));
        let labels = ["[client a1]", "[client a1]"];
        assert_eq!(in_the_end([CLOSED, SERVED], labels), (Verdict::Unknown, Certainty::Possible, 2));
        assert_eq!(in_the_end([CLOSED, SERVED], ["[client a1]", "[client b2]"]), sure, "another client");
        let plain = Raw::new("GET http://mail.contoso.com/owa/", "200 OK").on(2);
        assert_eq!(in_the_end([CLOSED, plain], same), sure, "nothing was to be trusted");
        let elsewhere = Raw::new("GET https://www.contoso.com/", "200 OK").on(2);
        assert_eq!(in_the_end([CLOSED, elsewhere], same), sure, "pinned to one host");
        let through = Raw::tunnel("CONNECT https://mail.contoso.com/", Unseen::SkippedHost).on(2);
        assert_eq!(in_the_end([CLOSED, through], same), sure, "it was shown another certificate");
        let refused = Raw::failed(
            "CONNECT https://mail.contoso.com/",
            Side::Client,
            Step::Tls,
            FailureKind::CertificateRefusedByClient,
            "the client refused the certificate: unknown CA",
        );
        assert_eq!(in_the_end([refused, SERVED], same), (Verdict::Failure, Certainty::Certain, 1), "it said so");
    }

    #[test]
    fn the_certificate_shown_decides_who_must_act() {
        for (presented, actor) in [(1, Actor::ExchangeAdmin), (2, Actor::ThisProxy)] {
            let mut exchange = exchanges(REFUSED).remove(0);
            let tls = Tls {
                version: "TLS 1.3".into(),
                cipher: "TLS_AES_128_GCM_SHA256".into(),
                ..Tls::of_certificate(certificate(1))
            };
            exchange.connection = Arc::new(Connection {
                server: Some(Server { address: "192.0.2.1:443".into(), tls: Some(tls) }),
                presented: Some(certificate(presented)),
                ..Connection::default()
            });
            let past = Past::default();
            let hit = (RULE.find)(&Case::new(&exchange, &past, Capture::Imported)).unwrap();
            assert_eq!(hit.actor, actor);
            assert_eq!(hit.evidence[1].text, "CN=Contoso Root");
        }
    }
}
