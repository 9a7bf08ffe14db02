//! Exchange Online has EWS on, but a policy keeps this app out.
//!
//! Not to be confused with EWS that is off altogether (`ews-disabled`): the same header, other words.

use crate::diagnosis::{Actor, Case, Certainty, Gate, Hit, Kind, Rule, Signs};
use crate::text::Text;

pub(super) static RULE: Rule = Rule {
    id: "ews-app-blocked",
    title: Text {
        en: "EWS is blocked for this app by policy", ja: "ポリシーによりこのアプリの EWS が拒否されている"
    },
    explanation: Text {
        en: "Exchange Online refuses this app at Exchange Web Services by policy; its token is fine. Two lists can do \
             that, and the header does not tell which: the allowed app ids (EwsAllowedAppIDs, since 2026; with \
             EwsEnabled True only the apps in it may use EWS) and the older lists of user agents \
             (EwsApplicationAccessPolicy with EwsAllowList or EwsBlockList). An app must pass both. The app that came \
             is {app}, user agent {agent}. From 1 October 2026 EWS is off wherever nobody had set it, and on 1 April \
             2027 it ends in Exchange Online for good.",
        ja: "Exchange Online がポリシーによりこのアプリの Exchange Web Services を拒否しています。トークンの問題ではあり\
             ません。許可されたアプリ ID の一覧 (EwsAllowedAppIDs。2026 年に追加。EwsEnabled が True のとき、一覧のアプリ\
             だけが EWS を使える) と、従来のユーザー エージェントの一覧 (EwsApplicationAccessPolicy と EwsAllowList または \
             EwsBlockList) のどちらかが原因で、ヘッダーからは区別できません。アプリは両方を満たす必要があります。要求し\
             たアプリは {app}、ユーザー エージェントは {agent} です。未設定のテナントでは 2026 年 10 月 1 日から EWS が無\
             効になり、2027 年 4 月 1 日に Exchange Online の EWS は完全に終了します。",
    },
    remedy: Text {
        en: "Read first, both lists, for the organization and for the mailbox:\n\
             Connect-ExchangeOnline\n\
             Get-OrganizationConfig -RetrieveEwsOperationAccessPolicy | Format-List EwsEnabled,EwsAllowedAppIDs\n\
             Get-OrganizationConfig | Format-List EwsApplicationAccessPolicy,EwsAllowList,EwsBlockList\n\
             Then add the app. Setting EwsAllowedAppIDs replaces the whole list and cuts off every app that is not \
             in it, so write old and new together; it needs EwsEnabled True and has no effect while that is empty:\n\
             $old = (Get-OrganizationConfig -RetrieveEwsOperationAccessPolicy).EwsAllowedAppIDs\n\
             $all = @(\"$old\" -split ',') + '{app}' | ForEach-Object Trim | Where-Object { $_ } | Select-Object -Unique\n\
             Set-OrganizationConfig -EwsEnabled $true -EwsAllowedAppIDs ($all -join ',')\n\
             It works after up to 24 hours. Plan the move of the app to Microsoft Graph.",
        ja: "まず、組織とメールボックスについて両方の一覧を確認します。\n\
             Connect-ExchangeOnline\n\
             Get-OrganizationConfig -RetrieveEwsOperationAccessPolicy | Format-List EwsEnabled,EwsAllowedAppIDs\n\
             Get-OrganizationConfig | Format-List EwsApplicationAccessPolicy,EwsAllowList,EwsBlockList\n\
             次にアプリを追加します。EwsAllowedAppIDs の設定は一覧全体を置き換え、一覧にないアプリをすべて遮断するため、\
             既存の値と新しい値を合わせて書き込みます。EwsEnabled が True である必要があり、未設定の間は効果がありませ\
             ん。\n\
             $old = (Get-OrganizationConfig -RetrieveEwsOperationAccessPolicy).EwsAllowedAppIDs\n\
             $all = @(\"$old\" -split ',') + '{app}' | ForEach-Object Trim | Where-Object { $_ } | Select-Object -Unique\n\
             Set-OrganizationConfig -EwsEnabled $true -EwsAllowedAppIDs ($all -join ',')\n\
             反映には最大 24 時間かかります。アプリの Microsoft Graph への移行を計画してください。",
    },
    sources: &[
        "https://techcommunity.microsoft.com/blog/exchange/introducing-ewsallowedappids-preparing-for-the-final-phase-of-ews-retirement/4529471",
        "https://learn.microsoft.com/powershell/module/exchangepowershell/set-organizationconfig",
        "https://learn.microsoft.com/exchange/client-developer/exchange-web-services/how-to-control-access-to-ews-in-exchange",
    ],
    kinds: &[Kind::Failure],
    certainties: &[Certainty::Certain],
    actors: &[Actor::ExchangeAdmin],
    gate: Gate::status(&[403]).showing(Signs::EXCHANGE),
    supersedes: &["generic-bad-credentials"],
    find,
    #[cfg(test)]
    examples: tests::EXAMPLES,
};

fn find(case: &Case<'_>) -> Option<Hit> {
    let reason = case.response_header("x-ews-policy-reason")?.as_str().to_ascii_lowercase();
    if !(reason.contains("blocked") || reason.contains("policy")) {
        return None;
    }
    Some(
        Hit::failure(Certainty::Certain, Actor::ExchangeAdmin)
            .on(case.on_server())
            .because(case.evidence_header("x-ews-policy-reason"))
            .naming("app", case.jwt().and_then(|jwt| jwt.appid.clone()))
            .naming("agent", case.request_header("user-agent").cloned()),
    )
}

#[cfg(test)]
mod tests {
    use crate::diagnosis::rules::kit::{Example, Raw};
    use crate::diagnosis::{Actor, Certainty, Kind};

    const FOUND: (Kind, Certainty, Actor) = (Kind::Failure, Certainty::Certain, Actor::ExchangeAdmin);

    pub(super) const EXAMPLES: &[Example] = &[
        Example::fires(
            "the header says so",
            FOUND,
            &[Raw::new(
                "POST https://outlook.office365.us/EWS/Exchange.asmx\nUser-Agent: exchangelib/5.4\nAuthorization: Bearer \
                 {jwt appid=11111111-2222-3333-4444-555555555555}",
                "403\nX-EWS-Policy-Reason: EWS is blocked by policy for this user or tenant\nX-BackEndHttpStatus: 403",
            )],
        ),
        Example::fires(
            "a password was sent to a host of one's own name",
            FOUND,
            &[Raw::new(
                "POST https://ews.contoso.com/EWS/Exchange.asmx\nAuthorization: Basic {basic avery:secret}",
                "403\nx-ews-policy-reason: EWS is blocked by policy for this user or tenant.",
            )],
        ),
        Example::silent(
            "EWS is off",
            &[Raw::new(
                "POST https://outlook.office365.com/EWS/Exchange.asmx\nAuthorization: Bearer {jwt appid=1}",
                "403\nX-EWS-Policy-Reason: EWS is disabled for this user or tenant",
            )],
        ),
        Example::silent(
            "a 403 without the header",
            &[Raw::new("POST https://outlook.office365.com/EWS/Exchange.asmx", "403\nX-FEServer: AM0PR01CA0001")],
        ),
    ];
}
