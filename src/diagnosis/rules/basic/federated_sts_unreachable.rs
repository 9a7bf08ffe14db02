//! Exchange Online could not reach the federation server that was to check the password.
//!
//! Not to be confused with throttling, which is 503 with Retry-After too but says nothing of a federation server, and with
//! a federation server that answered and refused.

use crate::diagnosis::decode::LiveId;
use crate::diagnosis::{Actor, Case, Certainty, Gate, Hit, Kind, Rule, Signs};
use crate::text::Text;

pub(super) static RULE: Rule = Rule {
    id: "federated-sts-unreachable",
    title: Text {
        en: "Exchange Online cannot reach the organisation's federation server",
        ja: "Exchange Online から組織のフェデレーション サーバーに到達できない",
    },
    explanation: Text {
        en: "The user's domain is federated. For a password sent by Basic, Exchange Online asks the organisation's \
             federation server (AD FS) itself, from the Internet, and could not: the name does not resolve there, the \
             port is closed, the proxy (WAP) is down, or its certificate is expired or not trusted. The password was \
             not checked.",
        ja: "ユーザーのドメインはフェデレーション ドメインです。基本認証で送られたパスワードについては、Exchange Online \
             自身がインターネット側から組織のフェデレーション サーバー (AD FS) に問い合わせますが、到達できませんでした。\
             名前が解決できない、ポートが閉じている、プロキシ (WAP) が停止している、証明書が期限切れまたは信頼されていな\
             い、などが考えられます。パスワードは検証されていません。",
    },
    remedy: Text {
        en: "From outside the organisation open https://<federation service>/adfs/ls/idpinitiatedsignon.htm and \
             https://<federation service>/adfs/services/trust/2005/usernamemixed. On WAP and AD FS check the services \
             and the certificate:\n\
             Get-WebApplicationProxyHealth\n\
             Get-AdfsSslCertificate\n\
             Basic to Exchange Online is gone all the same: move the client to modern authentication.",
        ja: "組織の外から https://<フェデレーション サービス>/adfs/ls/idpinitiatedsignon.htm と \
             https://<フェデレーション サービス>/adfs/services/trust/2005/usernamemixed を開いて確認します。WAP と AD FS \
             ではサービスと証明書を確認します。\n\
             Get-WebApplicationProxyHealth\n\
             Get-AdfsSslCertificate\n\
             いずれにしても Exchange Online の基本認証は廃止済みです。クライアントを先進認証に移行してください。",
    },
    sources: &[
        "https://learn.microsoft.com/windows-server/identity/ad-fs/troubleshooting/ad-fs-tshoot-overview",
        "public capture",
    ],
    kinds: &[Kind::Failure],
    certainties: &[Certainty::Certain],
    actors: &[Actor::AdAdmin],
    gate: Gate::status(&[401, 403, 456, 500, 502, 503, 504]).showing(Signs::EXCHANGE),
    supersedes: &[
        "eas-throttled",
        "throttled",
        "server-overloaded",
        "basic-retired-exo",
        "basic-bad-credentials",
        "hs-anonymous-probe",
        "generic-bad-credentials",
    ],
    find,
    #[cfg(test)]
    examples: tests::EXAMPLES,
};

fn find(case: &Case<'_>) -> Option<Hit> {
    let said = LiveId::of(case).filter(|said| said.is("FederatedStsUnreachable"))?;
    let hit = Hit::failure(Certainty::Certain, Actor::AdAdmin).on(case.on_server());
    let hit = hit.because(case.evidence_header("x-autodiscovery-error"));
    Some(if said.has("FederatedSTSFailure") || case.status().is_none() {
        hit
    } else {
        hit.because(case.evidence_status())
    })
}

#[cfg(test)]
mod tests {
    use crate::diagnosis::rules::kit::{Example, Raw};
    use crate::diagnosis::{Actor, Certainty, Kind};

    const CERTAIN: (Kind, Certainty, Actor) = (Kind::Failure, Certainty::Certain, Actor::AdAdmin);

    pub(super) const EXAMPLES: &[Example] = &[
        Example::fires(
            "the federation server did not answer",
            CERTAIN,
            &[Raw::new(
                "GET https://autodiscover-s.outlook.com/Autodiscover/Autodiscover.xml\nAuthorization: Basic {basic \
                 avery@contoso.com:secret}",
                "503\nRetry-After: 30\nX-AutoDiscovery-Error: LiveIdBasicAuth:FederatedStsUnreachable:\
                 <X-forwarded-for:203.0.113.5><FederatedSTSFailure>System.Net.WebException;",
            )],
        ),
        Example::fires(
            "other letters, and only the answer was captured",
            CERTAIN,
            &[Raw::new("", "503\nx-autodiscovery-error: liveidbasicauth:federatedstsunreachable:")],
        ),
        Example::silent(
            "the server is too busy",
            &[Raw::new(
                "POST https://outlook.office365.com/EWS/Exchange.asmx\nAuthorization: Bearer {jwt aud=x}",
                "503\nRetry-After: 30\nX-FEServer: AM9P195CA0011",
            )],
        ),
        Example::silent(
            "the claim rules of AD FS denied it",
            &[Raw::new(
                "GET https://autodiscover-s.outlook.com/Autodiscover/Autodiscover.xml\nAuthorization: Basic {basic \
                 avery@contoso.com:secret}",
                "401\nX-AutoDiscovery-Error: LiveIdBasicAuth:FederatedStsADFSRulesDenied:<FEServer:x>;",
            )],
        ),
    ];
}
