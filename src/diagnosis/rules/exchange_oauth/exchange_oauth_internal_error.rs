//! Exchange could not evaluate the token at all: 2000007. Nothing is said about the token.
//!
//! Not to be confused with a user, tenant or application that was looked up and not found.

use crate::diagnosis::token::refused;
use crate::diagnosis::{Actor, Case, Certainty, Gate, Hit, Kind, Rule, Signs, TokenFault};
use crate::text::Text;

pub(super) static RULE: Rule = Rule {
    id: "exchange-oauth-internal-error",
    title: Text {
        en: "Exchange could not evaluate the token", ja: "Exchange がトークンを評価できなかった"
    },
    explanation: Text {
        en: "{host} failed while it looked up what the token names, mostly because a domain controller or global \
             catalogue did not answer in time. The token may well be good: the same one can be accepted a moment \
             later or by another server.",
        ja: "{host} は、トークンに示された情報の検索中に失敗しました。多くの場合、ドメイン コントローラーまたはグロ\
             ーバル カタログが時間内に応答していません。トークン自体は正しい可能性があり、少し後や別のサーバーでは\
             受け入れられることもあります。",
    },
    remedy: Text {
        en: "On the server that answered ({server}) read the log of that minute and the state of Active Directory:\n\
             Get-WinEvent -ComputerName {server} -FilterHashtable @{ LogName = 'Application'; ProviderName = \
             'MSExchange ADAccess','MSExchange OAuth'; Level = 1,2,3; StartTime = (Get-Date).AddHours(-1) }\n\
             Test-OAuthConnectivity -Service EWS -TargetUri https://{host}/EWS/Exchange.asmx -Mailbox '<mailbox>' \
             -Verbose | Format-List\n\
             Get-ExchangeServer -Identity {server} -Status | Format-List \
             CurrentDomainControllers,CurrentGlobalCatalogs\n\
             If one server alone does this, take it out of the load balancer until it is healthy.",
        ja: "応答したサーバー ({server}) で、該当時刻のイベント ログと Active Directory の状態を確認します。\n\
             Get-WinEvent -ComputerName {server} -FilterHashtable @{ LogName = 'Application'; ProviderName = \
             'MSExchange ADAccess','MSExchange OAuth'; Level = 1,2,3; StartTime = (Get-Date).AddHours(-1) }\n\
             Test-OAuthConnectivity -Service EWS -TargetUri https://{host}/EWS/Exchange.asmx -Mailbox '<mailbox>' \
             -Verbose | Format-List\n\
             Get-ExchangeServer -Identity {server} -Status | Format-List \
             CurrentDomainControllers,CurrentGlobalCatalogs\n\
             特定のサーバーだけで起こる場合は、復旧するまでロード バランサーから外してください。",
    },
    sources: &[
        "https://learn.microsoft.com/en-us/exchange/client-developer/exchange-web-services/instrumenting-client-requests-for-ews-and-rest-in-exchange",
    ],
    kinds: &[Kind::Failure],
    certainties: &[Certainty::Certain, Certainty::Likely],
    actors: &[Actor::ExchangeAdmin, Actor::Microsoft],
    gate: Gate::status(&[401, 403]).showing(Signs::DIAGNOSTICS),
    supersedes: &[],
    find,
    #[cfg(test)]
    examples: tests::EXAMPLES,
};

fn find(case: &Case<'_>) -> Option<Hit> {
    let actor = if case.is_exchange_online() { Actor::Microsoft } else { Actor::ExchangeAdmin };
    refused(case, TokenFault::Lookup, actor).map(|hit| hit.on(case.on_server()).naming("server", case.server_name()))
}

#[cfg(test)]
mod tests {
    use crate::diagnosis::rules::kit::{Example, Raw};
    use crate::diagnosis::{Actor, Certainty, Kind};

    pub(super) const EXAMPLES: &[Example] = &[
        Example::fires(
            "Active Directory did not answer",
            (Kind::Failure, Certainty::Certain, Actor::ExchangeAdmin),
            &[Raw::new(
                "POST https://mail.contoso.com/EWS/Exchange.asmx\n\
                 Authorization: Bearer {jwt aud=https://mail.contoso.com/ upn=avery@contoso.com exp=1795167900}",
                "401\n\
                 Server: Microsoft-IIS/10.0\n\
                 X-FEServer: EX01\n\
                 x-ms-diagnostics: 2000007;reason=\"The Active Directory operation \
                 failed.\";error_category=\"internal_error\"\n\
                 WWW-Authenticate: {bearer https://login.windows.net/common/oauth2/authorize}, \
                 error=\"invalid_token\"",
            )],
        ),
        Example::fires(
            "in Exchange Online Microsoft must act",
            (Kind::Failure, Certainty::Certain, Actor::Microsoft),
            &[Raw::new(
                "GET https://outlook.office365.com/EWS/Exchange.asmx\n\
                 Authorization: Bearer {jwt aud=https://outlook.office365.com}",
                "401\n\
                 Server: Microsoft-IIS/10.0\n\
                 X-FEServer: EX01\n\
                 x-ms-diagnostics: 2000007;reason=\"An unexpected error \
                 occurred.\";error_category=\"internal_error\"\n\
                 WWW-Authenticate: {bearer https://login.windows.net/common/oauth2/authorize}, \
                 error=\"invalid_token\"",
            )],
        ),
        Example::fires(
            "only the number was pasted",
            (Kind::Failure, Certainty::Likely, Actor::ExchangeAdmin),
            &[Raw::new(
                "",
                "401\n\
                 x-ms-diagnostics: 2000007",
            )],
        ),
        Example::silent(
            "the application was looked up and not found",
            &[Raw::new(
                "POST https://mail.contoso.com/EWS/Exchange.asmx\n\
                 Authorization: Bearer {jwt aud=https://mail.contoso.com/ upn=avery@contoso.com exp=1795167900}",
                "401\n\
                 Server: Microsoft-IIS/10.0\n\
                 X-FEServer: EX01\n\
                 x-ms-diagnostics: 2000006;reason=\"The Application Identifier \
                 '00000004-0000-0ff1-ce00-000000000000' is unknown.\";error_category=\"invalid_client\"\n\
                 WWW-Authenticate: {bearer https://login.windows.net/common/oauth2/authorize}, \
                 error=\"invalid_token\"",
            )],
        ),
    ];
}
