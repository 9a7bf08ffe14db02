//! An add-in sends the token that Outlook gave it for Exchange Online, and those tokens are switched off.
//!
//! It is known by its issuer: Exchange itself, not Entra ID. Not to be confused with Exchange Server on-premises, where these
//! tokens still work, or with a token of Entra ID that lacks a permission (`token-scope-insufficient`).

use crate::diagnosis::{Actor, Case, Certainty, Gate, Hit, Kind, Rule, Signs};
use crate::text::Text;

pub(super) static RULE: Rule = Rule {
    id: "legacy-exchange-token-off",
    title: Text {
        en: "Exchange Online no longer takes the tokens that Outlook gives to add-ins",
        ja: "Exchange Online はアドイン向けのレガシー トークンを受け入れない",
    },
    explanation: Text {
        en: "The token was issued by Exchange itself ({issuer}), as getCallbackTokenAsync and \
             getUserIdentityTokenAsync of Office.js give it to an Outlook add-in. Exchange Online switched these \
             legacy tokens off for all tenants by October 2025, and administrators cannot switch them on again.",
        ja: "このトークンの発行者は Exchange 自身 ({issuer}) です。Office.js の getCallbackTokenAsync や \
             getUserIdentityTokenAsync が Outlook アドインに渡すレガシー トークンで、Exchange Online では 2025 年 \
             10 月までにすべてのテナントで無効になりました。管理者が再び有効にすることはできません。",
    },
    remedy: Text {
        en: "The add-in must be updated: nested app authentication with MSAL.js gives it a token of Entra ID, for \
             Microsoft Graph instead of the REST API of Outlook. Until then remove it, or ask its publisher for a \
             version that does so. To find the add-ins of a mailbox:\n\
             Get-App -Mailbox '<mailbox>' | Format-Table DisplayName,ProviderName,AppVersion,Enabled",
        ja: "アドインの更新が必要です。MSAL.js の入れ子になったアプリ認証 (NAA) を使うと、Outlook REST API の代わり\
             に Microsoft Graph 用の Entra ID トークンを取得できます。それまではアドインを削除するか、対応版を発行\
             元に確認してください。メールボックスのアドインは次のコマンドで確認できます。\n\
             Get-App -Mailbox '<mailbox>' | Format-Table DisplayName,ProviderName,AppVersion,Enabled",
    },
    sources: &[
        "https://learn.microsoft.com/en-us/office/dev/add-ins/outlook/faq-nested-app-auth-outlook-legacy-tokens",
        "https://learn.microsoft.com/en-us/office/dev/add-ins/outlook/web-services",
    ],
    kinds: &[Kind::Failure],
    certainties: &[Certainty::Likely],
    actors: &[Actor::Client],
    gate: Gate::status(&[401, 403]).showing(Signs::TOKEN),
    supersedes: &[],
    find,
    #[cfg(test)]
    examples: tests::EXAMPLES,
};

fn find(case: &Case<'_>) -> Option<Hit> {
    const EXCHANGE: &str = "00000002-0000-0ff1-ce00-000000000000@";
    let jwt = case.jwt().filter(|_| case.is_exchange_online())?;
    let issuer = jwt.iss.as_ref().filter(|issuer| issuer.as_str().starts_with(EXCHANGE))?;
    let by_policy = case.response_header("x-ews-policy-reason").is_some();
    (jwt.appid.is_none() && !by_policy).then(|| {
        Hit::failure(Certainty::Likely, Actor::Client)
            .on(case.on_server())
            .naming("issuer", issuer.clone())
            .because(case.evidence_request("authorization"))
            .because(case.evidence_status())
    })
}

#[cfg(test)]
mod tests {
    use crate::diagnosis::rules::kit::{Example, Raw};
    use crate::diagnosis::{Actor, Certainty, Kind};

    pub(super) const EXAMPLES: &[Example] = &[
        Example::fires(
            "an add-in calls the REST API",
            (Kind::Failure, Certainty::Likely, Actor::Client),
            &[Raw::new(
                "GET https://outlook.office365.com/api/v2.0/me/messages/AAMk\n\
                 Authorization: Bearer {jwt aud=https://outlook.office365.com \
                 iss=00000002-0000-0ff1-ce00-000000000000@c93d7be1-2f48-47a0-b1c6-84e5a2079f23}\n\
                 Referer: https://addin.fabrikam.com/",
                "403\n\
                 X-FEServer: AM9P195CA0011\n\
                 Content-Type: application/json\n\
                 \n\
                 {\"error\":{\"code\":\"ErrorAccessDenied\",\"message\":\"Access is denied. Check credentials and \
                 try again.\"}}",
            )],
        ),
        Example::fires(
            "an add-in calls EWS",
            (Kind::Failure, Certainty::Likely, Actor::Client),
            &[Raw::new(
                "POST https://outlook.office365.com/EWS/Exchange.asmx\n\
                 Authorization: Bearer {jwt aud=https://outlook.office365.com/ews/exchange.asmx \
                 iss=00000002-0000-0ff1-ce00-000000000000@contoso.com}",
                "401\n\
                 X-FEServer: AM9P195CA0011",
            )],
        ),
        Example::silent(
            "Exchange on-premises still takes them",
            &[Raw::new(
                "POST https://mail.contoso.com/EWS/Exchange.asmx\n\
                 Authorization: Bearer {jwt aud=https://mail.contoso.com \
                 iss=00000002-0000-0ff1-ce00-000000000000@contoso.com}",
                "401\n\
                 Server: Microsoft-IIS/10.0\n\
                 X-FEServer: EX01",
            )],
        ),
        Example::silent(
            "the token is one of Entra ID",
            &[Raw::new(
                "POST https://outlook.office365.com/EWS/Exchange.asmx\n\
                 Authorization: Bearer {jwt aud=https://outlook.office365.com \
                 iss=https://sts.windows.net/c93d7be1-2f48-47a0-b1c6-84e5a2079f23/}",
                "403\n\
                 X-FEServer: AM9P195CA0011",
            )],
        ),
    ];
}
