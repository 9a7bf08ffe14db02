//! Exchange knows no partner application of the id that the token names: 2000006.
//!
//! Not to be confused with an application that it knows and that has no account with rights
//! (`partner-app-linked-account`), or that Entra does not know (`aad-app-not-found`).

use crate::diagnosis::token::{quoted_id, refused};
use crate::diagnosis::{Actor, Case, Certainty, Gate, Hit, Kind, Rule, Signs, TokenFault};
use crate::text::Text;

pub(super) static RULE: Rule = Rule {
    id: "app-unknown",
    title: Text {
        en: "Exchange does not know the application in the token",
        ja: "トークンのアプリケーションを Exchange が認識していない",
    },
    explanation: Text {
        en: "A token between servers names the application that calls, and {host} has no partner application of the \
             id {app}. It was never configured, was removed, is disabled, or is configured with another realm.",
        ja: "サーバー間のトークンには呼び出し元のアプリケーションが示されますが、{host} には ID {app} のパートナー \
             アプリケーションがありません。構成されていない、削除された、無効になっている、または別の領域 (realm) \
             で構成されていることが考えられます。",
    },
    remedy: Text {
        en: "Look at the partner applications, and create the missing one:\n\
             Get-PartnerApplication | Format-Table \
             Name,ApplicationIdentifier,Realm,Enabled,LinkedAccount,UseAuthServer\n\
             New-PartnerApplication -Name '<name>' -ApplicationIdentifier {app} -Enabled $true\n\
             The ones of Exchange Online (00000002-0000-0ff1-ce00-000000000000) and of a hybrid set-up are made by \
             the Hybrid Configuration Wizard: run it again. Skype for Business \
             (00000004-0000-0ff1-ce00-000000000000) and SharePoint (00000003-0000-0ff1-ce00-000000000000) are made \
             by Configure-EnterprisePartnerApplication.ps1 in the Scripts folder, with the URL of their metadata \
             document. Then run iisreset on each server, or wait an hour.",
        ja: "パートナー アプリケーションを確認し、ないものを作成します。\n\
             Get-PartnerApplication | Format-Table \
             Name,ApplicationIdentifier,Realm,Enabled,LinkedAccount,UseAuthServer\n\
             New-PartnerApplication -Name '<name>' -ApplicationIdentifier {app} -Enabled $true\n\
             Exchange Online (00000002-0000-0ff1-ce00-000000000000) とハイブリッド用のものはハイブリッド構成ウィザ\
             ードが作成するため、再実行します。Skype for Business (00000004-0000-0ff1-ce00-000000000000) と \
             SharePoint (00000003-0000-0ff1-ce00-000000000000) は、Scripts フォルダーの \
             Configure-EnterprisePartnerApplication.ps1 に相手のメタデータ ドキュメントの URL を指定して作成します\
             。その後、各サーバーで iisreset を実行するか、1 時間待ちます。",
    },
    sources: &[
        "https://learn.microsoft.com/en-us/exchange/client-developer/exchange-web-services/instrumenting-client-requests-for-ews-and-rest-in-exchange",
        "https://learn.microsoft.com/en-us/powershell/module/exchangepowershell/new-partnerapplication",
    ],
    kinds: &[Kind::Failure],
    certainties: &[Certainty::Certain, Certainty::Likely],
    actors: &[Actor::ExchangeAdmin],
    gate: Gate::status(&[401, 403]).showing(Signs::DIAGNOSTICS),
    supersedes: &[],
    find,
    #[cfg(test)]
    examples: tests::EXAMPLES,
};

fn find(case: &Case<'_>) -> Option<Hit> {
    refused(case, TokenFault::Application, Actor::ExchangeAdmin)
        .map(|hit| hit.on(case.on_server()).naming("app", quoted_id(case)))
}

#[cfg(test)]
mod tests {
    use crate::diagnosis::rules::kit::{Example, Raw};
    use crate::diagnosis::{Actor, Certainty, Kind};

    pub(super) const EXAMPLES: &[Example] = &[
        Example::fires(
            "Skype for Business calls",
            (Kind::Failure, Certainty::Certain, Actor::ExchangeAdmin),
            &[Raw::new(
                "POST https://mail.contoso.com/EWS/Exchange.asmx\n\
                 Authorization: Bearer {jwt aud=00000002-0000-0ff1-ce00-000000000000/mail.contoso.com@contoso.com}",
                "401\n\
                 Server: Microsoft-IIS/10.0\n\
                 X-FEServer: EX01\n\
                 x-ms-diagnostics: 2000006;reason=\"The Application Identifier \
                 '00000004-0000-0ff1-ce00-000000000000' is unknown.\";error_category=\"invalid_client\"\n\
                 WWW-Authenticate: {bearer https://login.windows.net/common/oauth2/authorize}, \
                 error=\"invalid_token\"",
            )],
        ),
        Example::fires(
            "the nameid is of another form",
            (Kind::Failure, Certainty::Certain, Actor::ExchangeAdmin),
            &[Raw::new(
                "",
                "401\n\
                 x-ms-diagnostics: 2000001;reason=\"The application identifier in the nameid claim value is invalid \
                 'x'.\";error_category=\"invalid_token\"",
            )],
        ),
        Example::silent(
            "the application has no account",
            &[Raw::new(
                "POST https://mail.contoso.com/EWS/Exchange.asmx\n\
                 Authorization: Bearer {jwt aud=https://mail.contoso.com/ upn=avery@contoso.com exp=1795167900}",
                "401\n\
                 Server: Microsoft-IIS/10.0\n\
                 X-FEServer: EX01\n\
                 x-ms-diagnostics: 2000008;reason=\"The token should have valid permissions or linked account \
                 associated with partner application \
                 '00000004-0000-0ff1-ce00-000000000000'.\";error_category=\"invalid_grant\"\n\
                 WWW-Authenticate: {bearer https://login.windows.net/common/oauth2/authorize}, \
                 error=\"invalid_token\"",
            )],
        ),
        Example::silent(
            "SharePoint has the same category",
            &[Raw::new(
                "GET https://contoso.sharepoint.com/_api/web\n\
                 Authorization: Bearer {jwt aud=x}",
                "401\n\
                 x-ms-diagnostics: 3001000;reason=\"There has been an error authenticating the \
                 request.\";category=\"invalid_client\"",
            )],
        ),
    ];
}
