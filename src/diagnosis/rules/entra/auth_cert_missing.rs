//! Entra or ACS does not know the certificate that Exchange signs its requests with.
//!
//! Not to be confused with any other application's (`aad-client-assertion-invalid`): only what shows Exchange as the
//! caller makes it this one.

use crate::diagnosis::refusal::{GATE, asked, refused};
use crate::diagnosis::{Aadsts, Actor, Case, Certainty, Evidence, Hit, Kind, Place, Rule};
use crate::text::Text;

pub(super) static RULE: Rule = Rule {
    id: "auth-cert-missing",
    title: Text {
        en: "Exchange's Auth certificate is unknown to Microsoft 365",
        ja: "Exchange の Auth 証明書が Microsoft 365 に登録されていない",
    },
    explanation: Text {
        en: "For free/busy and other calls to Exchange Online, the server on-premises signs an assertion with the \
             Microsoft Exchange Server Auth Certificate. Microsoft 365 does not have the public part of the one that \
             was used ({thumbprint}): it was renewed and never uploaded, has expired, or the servers do not agree on \
             one.",
        ja: "空き時間情報などで Exchange Online を呼び出すとき、オンプレミスのサーバーは Microsoft Exchange Server \
             Auth Certificate でアサーションに署名します。使われた証明書 ({thumbprint}) の公開部分が Microsoft 365 に\
             登録されていません。更新後にアップロードしていない、有効期限が切れている、またはサーバー間で一致していな\
             いことが原因です。",
    },
    remedy: Text {
        en: "See which certificate is in use and whether it is valid on all servers:\n\
             $auth = Get-AuthConfig\n\
             $auth | Format-List CurrentCertificateThumbprint,NextCertificateThumbprint\n\
             Get-ExchangeServer | ForEach-Object { Get-ExchangeCertificate -Server $_.Name -Thumbprint \
             $auth.CurrentCertificateThumbprint -ErrorAction SilentlyContinue | Format-List Services,NotAfter,Status }\n\
             Missing or expired: make a new one (answer No to overwriting the default SMTP certificate), publish it \
             and drop the old one:\n\
             New-ExchangeCertificate -KeySize 2048 -PrivateKeyExportable $true -SubjectName 'CN=Microsoft Exchange \
             Server Auth Certificate' -FriendlyName 'Microsoft Exchange Server Auth Certificate' -DomainName @()\n\
             Set-AuthConfig -NewCertificateThumbprint '<thumbprint>' -NewCertificateEffectiveDate (Get-Date)\n\
             Set-AuthConfig -PublishCertificate\n\
             Set-AuthConfig -ClearPreviousCertificate\n\
             Then upload it: the Hybrid Configuration Wizard, or with the dedicated hybrid application \
             ConfigureExchangeHybridApplication.ps1 -UpdateCertificate. MonitorExchangeAuthCertificate.ps1 does all \
             of the first part.",
        ja: "使用中の証明書と、全サーバーでの有効性を確認します。\n\
             $auth = Get-AuthConfig\n\
             $auth | Format-List CurrentCertificateThumbprint,NextCertificateThumbprint\n\
             Get-ExchangeServer | ForEach-Object { Get-ExchangeCertificate -Server $_.Name -Thumbprint \
             $auth.CurrentCertificateThumbprint -ErrorAction SilentlyContinue | Format-List Services,NotAfter,Status }\n\
             ない場合や期限切れの場合は、新しく作成し (既定の SMTP 証明書の上書きには「いいえ」と答えます)、発行して古\
             いものを外します。\n\
             New-ExchangeCertificate -KeySize 2048 -PrivateKeyExportable $true -SubjectName 'CN=Microsoft Exchange \
             Server Auth Certificate' -FriendlyName 'Microsoft Exchange Server Auth Certificate' -DomainName @()\n\
             Set-AuthConfig -NewCertificateThumbprint '<thumbprint>' -NewCertificateEffectiveDate (Get-Date)\n\
             Set-AuthConfig -PublishCertificate\n\
             Set-AuthConfig -ClearPreviousCertificate\n\
             続いてアップロードします。ハイブリッド構成ウィザードを実行するか、専用ハイブリッド アプリの場合は \
             ConfigureExchangeHybridApplication.ps1 -UpdateCertificate を実行します。前半は \
             MonitorExchangeAuthCertificate.ps1 でも実施できます。",
    },
    sources: &[
        "https://learn.microsoft.com/en-us/exchange/plan-and-deploy/integration-with-sharepoint-and-skype/maintain-oau\
         th-certificate",
        "https://microsoft.github.io/CSS-Exchange/Admin/MonitorExchangeAuthCertificate/",
    ],
    kinds: &[Kind::Failure],
    certainties: &[Certainty::Certain, Certainty::Likely],
    actors: &[Actor::ExchangeAdmin],
    gate: GATE,
    supersedes: &["aad-client-assertion-invalid"],
    find,
    #[cfg(test)]
    examples: tests::EXAMPLES,
};

const CODES: [u32; 3] = [50012, 700_027, 700_030];

/// The application id of Exchange.
const EXCHANGE: &str = "00000002-0000-0ff1-ce00-000000000000";

fn find(case: &Case<'_>) -> Option<Hit> {
    let refused = refused(case, &CODES)?;
    let (certainty, mark) = mark_of_exchange(case, refused.said)?;
    let hit = refused.failure(certainty, Actor::ExchangeAdmin).naming("thumbprint", refused.thumbprint());
    Some(mark.into_iter().fold(hit, Hit::because))
}

/// How sure it is that an Exchange server asked, and what else than the answer shows it.
fn mark_of_exchange(case: &Case<'_>, said: &Aadsts) -> Option<(Certainty, Option<Evidence>)> {
    const AGENTS: [&str; 5] = ["asproxy", "asautodiscover", "msexchange", "microsoft.exchange", "exchangeinternal"];
    // The dedicated hybrid application is called ExchangeServerApp-<organisation>.
    if said.says("ExchangeServerApp") {
        return Some((Certainty::Certain, None));
    }
    // What Test-OAuthConnectivity prints, copied with the exception of the server around the answer.
    if let Some(at) = case.response_body().find("Microsoft.Exchange.") {
        let words = &case.response_body()[at..at + "Microsoft.Exchange".len()];
        return Some((Certainty::Likely, Some(case.evidence_body(words))));
    }
    let agent = case.request_header("user-agent").map_or_else(String::new, |agent| agent.as_str().to_ascii_lowercase());
    if agent.starts_with("exchange/15.") || AGENTS.iter().any(|known| agent.contains(known)) {
        return Some((Certainty::Certain, Some(case.evidence_request("user-agent"))));
    }
    let asked_with = |name: &str, holds: &dyn Fn(&str) -> bool| {
        let value = asked(case, name).filter(|value| holds(value.as_str()))?;
        Some(case.evidence(Place::RequestBody, value))
    };
    let is_exchange = |id: &str| id.starts_with(EXCHANGE);
    let signed_by_exchange = |token: &str| token.split_once("iss=").is_some_and(|(_, issuer)| is_exchange(issuer));
    let own = asked_with("client_id", &is_exchange)
        .or_else(|| asked_with("assertion", &signed_by_exchange))
        .or_else(|| asked_with("client_assertion", &signed_by_exchange));
    if own.is_some() {
        return Some((Certainty::Certain, own));
    }
    // The Access Control Service with an assertion of the caller's own is how Exchange asks, for Exchange Online.
    let by_assertion = case.host().ends_with("accesscontrol.windows.net") && asked(case, "assertion").is_some();
    let resource = asked_with("resource", &is_exchange).filter(|_| by_assertion)?;
    Some((Certainty::Likely, Some(resource)))
}

#[cfg(test)]
mod tests {
    use crate::diagnosis::rules::kit::{Example, Raw};
    use crate::diagnosis::{Actor, Certainty, Kind};

    pub(super) const EXAMPLES: &[Example] = &[
        Example::fires(
            "ACS does not find the key of the server's assertion",
            (Kind::Failure, Certainty::Certain, Actor::ExchangeAdmin),
            &[Raw::new(
                "POST https://accounts.accesscontrol.windows.net/contoso.com/tokens/OAuth/2\nContent-Type: \
                 application/x-www-form-urlencoded\n\ngrant_type=http%3A%2F%2Foauth.net%2Fgrant_type%2Fjwt%2F1.0%2Fbea\
                 rer&assertion={jwt iss=00000002-0000-0ff1-ce00-000000000000@contoso.com \
                 aud=00000001-0000-0000-c000-000000000000/accounts.accesscontrol.windows.net@contoso.com}&\
                 resource=00000002-0000-0ff1-ce00-000000000000%2Foutlook.office365.com%40contoso.com",
                "400\nContent-Type: application/json\n\n{\"error\":\"invalid_client\",\
                 \"error_description\":\"AADSTS70002: Error validating credentials. AADSTS50012: Client assertion \
                 contains an invalid signature. [Reason - The key was not found., Thumbprint of key used by client: \
                 '7A1C0DE0000000000000000000000000000000AA']\",\"error_codes\":[70002,50012]}",
            )],
        ),
        Example::fires(
            "the dedicated hybrid application, asked by a server",
            (Kind::Failure, Certainty::Certain, Actor::ExchangeAdmin),
            &[Raw::new(
                "POST https://login.microsoftonline.com/contoso.com/oauth2/v2.0/token\nUser-Agent: \
                 ASProxy/CrossForest/EmailDomain//15.02.2562.017\nContent-Type: application/x-www-form-urlencoded\n\n\
                 grant_type=client_credentials&client_id=5a4b3c2d-0000-4000-8000-000000000a31&client_assertion=x",
                "401\nContent-Type: application/json\n\n{\"error\":\"invalid_client\",\
                 \"error_description\":\"AADSTS700027: The certificate with identifier used to sign the client \
                 assertion is not registered on application.\",\"error_codes\":[700027]}",
            )],
        ),
        Example::fires(
            "ACS, and the assertion was taken out of the capture",
            (Kind::Failure, Certainty::Likely, Actor::ExchangeAdmin),
            &[Raw::new(
                "POST https://accounts.accesscontrol.windows.net/contoso.com/tokens/OAuth/2\nContent-Type: \
                 application/x-www-form-urlencoded\n\nassertion=x&resource=00000002-0000-0ff1-ce00-000000000000%2Foutl\
                 ook.office365.com%40contoso.com",
                "401\nContent-Type: application/json\n\n{\"error\":\"invalid_client\",\
                 \"error_description\":\"AADSTS50012: Client assertion contains an invalid signature.\"}",
            )],
        ),
        Example::fires(
            "the answer alone was copied, and names the hybrid application",
            (Kind::Failure, Certainty::Certain, Actor::ExchangeAdmin),
            &[Raw::new(
                "",
                "401\nContent-Type: application/json\n\n{\"error\":\"invalid_client\",\"error_description\":\
                 \"AADSTS700027: The certificate with identifier used to sign the client assertion is not registered \
                 on application 'ExchangeServerApp-5a4b3c2d'.\",\"error_codes\":[700027]}",
            )],
        ),
        Example::fires(
            "the test cmdlet's output was copied",
            (Kind::Failure, Certainty::Likely, Actor::ExchangeAdmin),
            &[Raw::new(
                "",
                "400\nContent-Type: text/plain\n\nMicrosoft.Exchange.Security.OAuth.OAuthTokenRequestFailedException: \
                 AADSTS50012: Client assertion contains an invalid signature.",
            )],
        ),
        Example::silent(
            "a token for Exchange, offered by another application",
            &[token_error!(
                "grant_type=urn%3Aietf%3Aparams%3Aoauth%3Agrant-type%3Ajwt-bearer&client_assertion=x&\
                 assertion={jwt iss=https://sts.windows.net/ aud=00000002-0000-0ff1-ce00-000000000000}" =>
                50012: "Client assertion contains an invalid signature."
            )],
        ),
        Example::silent(
            "another application's certificate",
            &[token_error!(
                "grant_type=client_credentials&client_id=5a4b3c2d-0000-4000-8000-000000000a01&client_assertion=x&\
                 scope=https%3A%2F%2Foutlook.office365.com%2F.default" =>
                700_027: "The certificate with identifier used to sign the client assertion is not registered on \
                          application."
            )],
        ),
        Example::silent(
            "the server's own secret is wrong, not its certificate",
            &[Raw::new(
                "POST https://login.microsoftonline.com/contoso.com/oauth2/token\nUser-Agent: ASProxy/CrossForest",
                "401\nContent-Type: application/json\n\n{\"error\":\"invalid_client\",\
                 \"error_description\":\"AADSTS7000215: Invalid client secret provided.\"}",
            )],
        ),
    ];
}
