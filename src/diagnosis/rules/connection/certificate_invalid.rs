//! The server's certificate does not stand verification: dates, name, chain, or form.
//!
//! Not to be confused with a client that refuses the certificate shown to it (`tls-trust-failure`), or with a server
//! whose TLS is too old to get that far (`tls-server-legacy`).

use crate::diagnosis::{Actor, Case, Certainty, Gate, Hit, Kind, Place, Rule};
use crate::exchange::{FailureKind, Side};
use crate::text::Text;

pub(super) static RULE: Rule = Rule {
    id: "certificate-invalid",
    title: Text {
        en: "The server's certificate is not valid for this connection",
        ja: "サーバー証明書がこの接続に対して有効ではない",
    },
    explanation: Text {
        en: "Verification of the certificate of {host} failed: {reason}. Clients that verify see a warning or fail \
             in silence, and what follows from that (a prompt, \"cannot connect\") is easily taken for a sign-in \
             problem. With a private root, clients of the domain may trust what this machine does not.",
        ja: "{host} の証明書の検証に失敗しました (検証結果:「{reason}」)。証明書を検証するクライアントでは、警告が出るか、警告なし\
             に失敗します。その結果 (資格情報の入力要求や「接続できません」) は、サインインの問題と取り違えられがち\
             です。プライベート CA の場合、ドメインのクライアントでは信頼されていても、このコンピューターでは信頼さ\
             れていないことがあります。",
    },
    remedy: Text {
        en: "On the Exchange server look at the certificates and their services:\n\
             Get-ExchangeCertificate | Format-List \
             Subject,CertificateDomains,NotBefore,NotAfter,Status,Services,Thumbprint\n\
             It must name every host that clients use (mail and autodiscover), be within its dates, be issued by a \
             root the clients trust, and be sent with its intermediate certificates. Put the renewed one to use on \
             every server and on the load balancer:\n\
             Enable-ExchangeCertificate -Thumbprint <thumbprint> -Services IIS\n\
             If the root is your own, name it to this proxy:\n\
             authtap --upstream-ca <root.pem>",
        ja: "Exchange サーバーで証明書と割り当てられたサービスを確認します。\n\
             Get-ExchangeCertificate | Format-List \
             Subject,CertificateDomains,NotBefore,NotAfter,Status,Services,Thumbprint\n\
             クライアントが使うすべてのホスト名 (mail と autodiscover) を含むこと、有効期間内であること、クライアン\
             トが信頼するルートから発行されていること、中間証明書も送られていることが必要です。更新した証明書を、す\
             べてのサーバーとロード バランサーに適用します。\n\
             Enable-ExchangeCertificate -Thumbprint <thumbprint> -Services IIS\n\
             自社のルート CA であれば、このプロキシに指定します。\n\
             authtap --upstream-ca <root.pem>",
    },
    sources: &[
        "https://learn.microsoft.com/en-us/exchange/architecture/client-access/certificates",
        "RFC 5280 section 6",
        "RFC 9525",
    ],
    kinds: &[Kind::Failure, Kind::Note],
    certainties: &[Certainty::Certain],
    actors: &[Actor::ExchangeAdmin, Actor::Network],
    gate: Gate::ANY,
    supersedes: &[],
    find,
    #[cfg(test)]
    examples: tests::EXAMPLES,
};

fn find(case: &Case<'_>) -> Option<Hit> {
    // A certificate of Microsoft's own hosts that does not verify was put there by somebody on the way.
    let actor = if case.is_sign_in() || case.is_exchange_online() { Actor::Network } else { Actor::ExchangeAdmin };
    let (hit, reason) = match &case.exchange.error {
        Some(failure) if failure.side != Side::Client && is_certificate(failure.kind) => {
            (Hit::failure(Certainty::Certain, actor), failure.text.clone())
        }
        _ => {
            let tls = case.exchange.connection.server.as_ref()?.tls.as_ref()?;
            (Hit::note(Certainty::Certain, actor), tls.accepted_despite.clone()?)
        }
    };
    let hit = hit.on(case.on_server()).naming("host", case.host_name()).naming("reason", reason.clone());
    Some(hit.because(case.evidence(Place::ConnectionServer, reason)))
}

const fn is_certificate(kind: FailureKind) -> bool {
    matches!(
        kind,
        FailureKind::CertificateExpired
            | FailureKind::CertificateNotYetValid
            | FailureKind::CertificateNameMismatch
            | FailureKind::CertificateUntrusted
            | FailureKind::CertificateInvalid
    )
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::indexing_slicing)]
mod tests {
    use std::sync::Arc;

    use super::RULE;
    use crate::diagnosis::rules::kit::{Example, Raw, exchanges};
    use crate::diagnosis::{Actor, Capture, Case, Certainty, Kind, Past};
    use crate::exchange::{Certificate, Connection, FailureKind, Server, Side, Step, Timestamp, Tls};

    pub(super) const EXAMPLES: &[Example] = &[
        Example::fires(
            "the certificate has expired",
            (Kind::Failure, Certainty::Certain, Actor::ExchangeAdmin),
            &[Raw::failed(
                "CONNECT https://mail.contoso.com/",
                Side::Server,
                Step::Tls,
                FailureKind::CertificateExpired,
                "the certificate of mail.contoso.com expired on 2026-10-01",
            )],
        )
        .live(),
        Example::fires(
            "the name is not in the certificate",
            (Kind::Failure, Certainty::Certain, Actor::ExchangeAdmin),
            &[Raw::failed(
                "GET https://mail.contoso.com:8443/owa/",
                Side::Server,
                Step::Tls,
                FailureKind::CertificateNameMismatch,
                "the certificate is for www.contoso.com",
            )],
        ),
        Example::fires(
            "somebody shows another certificate for the sign-in host",
            (Kind::Failure, Certainty::Certain, Actor::Network),
            &[Raw::failed(
                "CONNECT https://login.microsoftonline.com/",
                Side::Server,
                Step::Tls,
                FailureKind::CertificateUntrusted,
                "issued by Contoso Inspection CA, which is not trusted",
            )],
        ),
        Example::silent(
            "the client refuses our certificate",
            &[Raw::failed(
                "CONNECT https://mail.contoso.com/",
                Side::Client,
                Step::Tls,
                FailureKind::CertificateRefusedByClient,
                "unknown CA",
            )],
        )
        .live(),
        Example::silent(
            "the server is down",
            &[Raw::failed(
                "CONNECT https://mail.contoso.com/",
                Side::Server,
                Step::Connect,
                FailureKind::Refused,
                "connection refused",
            )],
        )
        .live(),
    ];

    #[test]
    fn a_certificate_accepted_all_the_same_is_noted() {
        let raw = [Raw::new("GET https://mail.contoso.com/owa/", "200 OK")];
        let mut exchange = exchanges(&raw).remove(0);
        let certificate = Certificate {
            subject: "CN=mail.contoso.com".into(),
            issuer: "CN=mail.contoso.com".into(),
            names: Vec::new(),
            not_before: Timestamp::default(),
            not_after: Timestamp::default(),
            sha256: [0; 32],
        };
        for accepted_despite in [Some("self-signed".into()), None] {
            let noted = accepted_despite.is_some();
            let tls = Tls {
                version: "TLS 1.3".into(),
                cipher: "TLS_AES_128_GCM_SHA256".into(),
                accepted_despite,
                ..Tls::of_certificate(certificate.clone())
            };
            let server = Some(Server { address: "192.0.2.1:443".into(), tls: Some(tls) });
            exchange.connection = Arc::new(Connection { server, ..Connection::default() });
            let past = Past::default();
            let hit = (RULE.find)(&Case::new(&exchange, &past, Capture::Imported));
            assert_eq!(hit.map(|hit| (hit.kind, hit.certainty)), noted.then_some((Kind::Note, Certainty::Certain)));
        }
    }
}
