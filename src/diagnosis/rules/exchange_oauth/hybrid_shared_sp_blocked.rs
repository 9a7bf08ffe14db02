//! A server of a hybrid organisation calls EWS of Exchange Online as the service principal that all organisations shared, and
//! is refused with a bare 403.
//!
//! Not to be confused with EWS policies (`ews-disabled`, `ews-app-blocked`: X-EWS-Policy-Reason), with a dedicated application
//! (its own id stands in the token), or with callers that are no Exchange server.

use crate::diagnosis::token::is_from_server;
use crate::diagnosis::{Actor, Case, Certainty, Gate, Hit, Kind, Rule, Signs};
use crate::text::Text;

pub(super) static RULE: Rule = Rule {
    id: "hybrid-shared-sp-blocked",
    title: Text {
        en: "Exchange Online blocks the shared service principal of hybrid servers",
        ja: "ハイブリッド用の共有サービス プリンシパルがブロックされている",
    },
    explanation: Text {
        en: "An Exchange server on-premises ({agent}) calls EWS in Exchange Online for free/busy, MailTips or \
             photos, and signs as the application 00000002-0000-0ff1-ce00-000000000000, which every hybrid \
             organisation shared. Microsoft blocks that for good since the end of October 2025: each organisation \
             needs an application of its own. Only calls from on-premises to the cloud are concerned; mail flow, \
             and mailbox moves, are not.",
        ja: "オンプレミスの Exchange サーバー ({agent}) が、空き時間情報、メール ヒント、写真のために Exchange \
             Online の EWS を呼び出していますが、すべてのハイブリッド組織が共有していたアプリケーション \
             00000002-0000-0ff1-ce00-000000000000 を使っています。これは 2025 年 10 月末以降恒久的にブロックされて\
             おり、組織ごとに専用のアプリケーションが必要です。影響を受けるのはオンプレミスからクラウドへの要求だけ\
             で、メール フローやメールボックスの移動は対象外です。",
    },
    remedy: Text {
        en: "1. Bring every server to at least Exchange SE 15.2.2562.17, 2019 CU15 15.2.1748.24, 2019 CU14 \
             15.2.1544.25 or 2016 CU23 15.1.2507.55:\n\
             Get-ExchangeServer | Format-Table Name,AdminDisplayVersion\n\
             2. Create the dedicated application (in the Hybrid Configuration Wizard, or with the script of \
             CSS-Exchange) and let the servers use it; the wizard does not set the override:\n\
             .\\ConfigureExchangeHybridApplication.ps1 -FullyConfigureExchangeHybridApplication\n\
             New-SettingOverride -Name 'EnableExchangeHybrid3PAppFeature' -Component 'Global' -Section \
             'ExchangeOnpremAsThirdPartyAppId' -Parameters @('Enabled=true') -Reason 'Dedicated hybrid application'\n\
             Get-ExchangeDiagnosticInfo -Process Microsoft.Exchange.Directory.TopologyService -Component \
             VariantConfiguration -Argument Refresh\n\
             3. See that the id is the dedicated one, wait up to 60 minutes or run iisreset:\n\
             Get-AuthServer | Where-Object { $_.Name -like '*evoSTS*' } | Format-List \
             Name,ApplicationIdentifier,DomainName\n\
             4. Take the old keys off the shared principal (CVE-2025-53786):\n\
             .\\ConfigureExchangeHybridApplication.ps1 -ResetFirstPartyServicePrincipalKeyCredentials\n\
             5. Since October 2026 EWS wants the application on its list as well: read the list, then write old and \
             new together. Calls through Microsoft Graph instead need Exchange SE 15.2.2562.41 (May 2026) or later.\n\
             Get-OrganizationConfig -RetrieveEwsOperationAccessPolicy | Format-List EwsEnabled,EwsAllowedAppIDs",
        ja: "1. すべてのサーバーを Exchange SE 15.2.2562.17、2019 CU15 15.2.1748.24、2019 CU14 15.2.1544.25、2016 \
             CU23 15.1.2507.55 以降に更新します。\n\
             Get-ExchangeServer | Format-Table Name,AdminDisplayVersion\n\
             2. 専用のアプリケーションを作成し (ハイブリッド構成ウィザードまたは CSS-Exchange のスクリプト)、サーバ\
             ーで使用します。設定のオーバーライドはウィザードでは作成されません。\n\
             .\\ConfigureExchangeHybridApplication.ps1 -FullyConfigureExchangeHybridApplication\n\
             New-SettingOverride -Name 'EnableExchangeHybrid3PAppFeature' -Component 'Global' -Section \
             'ExchangeOnpremAsThirdPartyAppId' -Parameters @('Enabled=true') -Reason 'Dedicated hybrid application'\n\
             Get-ExchangeDiagnosticInfo -Process Microsoft.Exchange.Directory.TopologyService -Component \
             VariantConfiguration -Argument Refresh\n\
             3. ID が専用アプリケーションのものか確認し、最大 60 分待つか iisreset を実行します。\n\
             Get-AuthServer | Where-Object { $_.Name -like '*evoSTS*' } | Format-List \
             Name,ApplicationIdentifier,DomainName\n\
             4. 共有プリンシパルから古いキーを削除します (CVE-2025-53786)。\n\
             .\\ConfigureExchangeHybridApplication.ps1 -ResetFirstPartyServicePrincipalKeyCredentials\n\
             5. 2026 年 10 月以降は、EWS の許可一覧にも専用アプリケーションが必要です。一覧を読み取り、既存の値と新\
             しい値をまとめて書き込みます。Microsoft Graph を使う方式には Exchange SE 15.2.2562.41 (2026 年 5 月) \
             以降が必要です。\n\
             Get-OrganizationConfig -RetrieveEwsOperationAccessPolicy | Format-List EwsEnabled,EwsAllowedAppIDs",
    },
    sources: &[
        "https://learn.microsoft.com/en-us/exchange/hybrid-deployment/deploy-dedicated-hybrid-app",
        "https://techcommunity.microsoft.com/blog/exchange/dedicated-hybrid-app-temporary-enforcements-new-hcw-and-possible-hybrid-functiona/4440682",
        "https://microsoft.github.io/CSS-Exchange/Hybrid/ConfigureExchangeHybridApplication/",
    ],
    kinds: &[Kind::Failure],
    certainties: &[Certainty::Certain, Certainty::Likely],
    actors: &[Actor::ExchangeAdmin],
    gate: Gate::status(&[403]).showing(Signs::EWS),
    supersedes: &["token-scope-insufficient"],
    find,
    #[cfg(test)]
    examples: tests::EXAMPLES,
};

fn find(case: &Case<'_>) -> Option<Hit> {
    const SHARED: &str = "00000002-0000-0ff1-ce00-000000000000";
    let bare = case.is_exchange_online()
        && case.response_header("x-ews-policy-reason").is_none()
        && case.diagnostics().is_none();
    let app = case.jwt().and_then(|jwt| jwt.appid.as_ref());
    let shared = app.is_some_and(|app| app.as_str().eq_ignore_ascii_case(SHARED));
    // Between servers alone: what Azure ACS issued names no app, but Exchange's id in its audience.
    let by_acs = case.jwt().and_then(|jwt| jwt.iss.as_ref().zip(jwt.aud.as_ref())).is_some_and(|(iss, aud)| {
        iss.as_str().starts_with("00000001-0000-0000-c000-000000000000@") && aud.as_str().starts_with(SHARED)
    });
    let certainty = match app {
        _ if !bare => return None,
        // Nobody but a server has this id; where no program is named, that is all there is.
        Some(_) if shared && case.request_header("user-agent").is_none() => Certainty::Likely,
        None if by_acs && case.request_header("user-agent").is_none() => Certainty::Likely,
        _ if !is_from_server(case) => return None,
        Some(_) if shared => Certainty::Certain,
        // A dedicated application is refused for another reason.
        Some(_) => return None,
        None => Certainty::Likely,
    };
    let hit = Hit::failure(certainty, Actor::ExchangeAdmin)
        .on(case.on_server())
        .naming("agent", case.request_header("user-agent").cloned())
        .because(case.evidence_status())
        .because(case.evidence_request("user-agent"));
    Some(if app.is_some() { hit.because(case.evidence_request("authorization")) } else { hit })
}

#[cfg(test)]
mod tests {
    use crate::diagnosis::rules::kit::{Example, Raw};
    use crate::diagnosis::{Actor, Certainty, Kind};

    pub(super) const EXAMPLES: &[Example] = &[
        Example::fires(
            "the shared application asks for free/busy",
            (Kind::Failure, Certainty::Certain, Actor::ExchangeAdmin),
            &[Raw::new(
                "POST https://outlook.office365.com/ews/exchange.asmx\n\
                 User-Agent: ASProxy/CrossForest/EmailDomain//15.02.1748.039\n\
                 Authorization: Bearer {jwt aud=https://outlook.office365.com \
                 appid=00000002-0000-0ff1-ce00-000000000000}",
                "403 Forbidden\n\
                 Server: Microsoft-IIS/10.0\n\
                 X-FEServer: AM0PR01CA0001",
            )],
        ),
        Example::fires(
            "the token was not captured",
            (Kind::Failure, Certainty::Likely, Actor::ExchangeAdmin),
            &[Raw::new(
                "POST https://outlook.office365.com/EWS/Exchange.asmx\n\
                 User-Agent: ExchangeInternalEwsClient-MailTips/15.01.2507.055",
                "403\n\
                 X-FEServer: AM0PR01CA0001",
            )],
        ),
        Example::fires(
            "no program is named, and the token is the shared application's",
            (Kind::Failure, Certainty::Likely, Actor::ExchangeAdmin),
            &[Raw::new(
                "POST https://outlook.office365.com/EWS/Exchange.asmx\n\
                 Authorization: Bearer {jwt appid=00000002-0000-0ff1-ce00-000000000000}",
                "403\nX-FEServer: AM0PR01CA0001",
            )],
        ),
        Example::fires(
            "no program is named, and Azure ACS issued the token",
            (Kind::Failure, Certainty::Likely, Actor::ExchangeAdmin),
            &[Raw::new(
                "POST https://outlook.office365.com/EWS/Exchange.asmx\n\
                 Authorization: Bearer {jwt \
                 aud=00000002-0000-0ff1-ce00-000000000000/outlook.office365.com@contoso.com \
                 iss=00000001-0000-0000-c000-000000000000@contoso.com}",
                "403\nX-FEServer: AM0PR01CA0001",
            )],
        ),
        Example::silent(
            "the application is a dedicated one",
            &[Raw::new(
                "POST https://outlook.office365.com/ews/exchange.asmx\n\
                 User-Agent: ASProxy/CrossForest/EmailDomain//15.02.2562.017\n\
                 Authorization: Bearer {jwt aud=https://outlook.office365.com \
                 appid=5a4b3c2d-0000-4000-8000-000000000a06}",
                "403 Forbidden\n\
                 X-FEServer: AM0PR01CA0001",
            )],
        ),
        Example::silent(
            "a policy of EWS refuses",
            &[Raw::new(
                "POST https://outlook.office365.com/ews/exchange.asmx\n\
                 User-Agent: ASProxy/CrossForest/EmailDomain//15.02.1748.039\n\
                 Authorization: Bearer {jwt aud=https://outlook.office365.com \
                 appid=00000002-0000-0ff1-ce00-000000000000}",
                "403\n\
                 X-FEServer: AM0PR01CA0001\n\
                 X-EWS-Policy-Reason: EWS is blocked by policy for this user or tenant",
            )],
        ),
        Example::silent(
            "a program of the user calls",
            &[Raw::new(
                "POST https://outlook.office365.com/ews/exchange.asmx\n\
                 User-Agent: exchangelib/5.4\n\
                 Authorization: Bearer {jwt aud=https://outlook.office365.com \
                 appid=00000002-0000-0ff1-ce00-000000000000}",
                "403\n\
                 X-FEServer: AM0PR01CA0001",
            )],
        ),
    ];
}
