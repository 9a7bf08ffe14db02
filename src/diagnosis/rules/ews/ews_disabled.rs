//! Exchange Online says that EWS is switched off for the user or the tenant.
//!
//! Not to be confused with EWS that is on but not for this app (`ews-app-blocked`): the same header, other words; or with
//! a 403 that does not say so itself.

use crate::diagnosis::person::upn_of;
use crate::diagnosis::{Actor, Case, Certainty, Gate, Hit, Kind, Rule, Signs};
use crate::text::Text;

pub(super) static RULE: Rule = Rule {
    id: "ews-disabled",
    title: Text {
        en: "EWS is switched off for this user or tenant", ja: "EWS がこのユーザーまたはテナントで無効"
    },
    explanation: Text {
        en: "Exchange Online refuses Exchange Web Services by its settings; token and password are fine. EwsEnabled \
             must be true for the organization and for the mailbox. From 1 October 2026 Microsoft turns it to False, \
             tenant by tenant, wherever nobody had set it, after short trial switch-offs (scream tests). On 1 April \
             2027 EWS ends in Exchange Online for good, without exceptions. Servers of your own are not affected. \
             Kiosk and Frontline licences are said to have lost EWS already at the end of June 2026.",
        ja: "Exchange Online が設定により Exchange Web Services を拒否しています。トークンやパスワードの問題ではありま\
             せん。EwsEnabled は組織とメールボックスの両方で True である必要があります。2026 年 10 月 1 日から、未設定の\
             テナントでは順次 False に変更され、その前に短時間の試験停止 (scream test) もあります。2027 年 4 月 1 日に \
             Exchange Online の EWS は例外なく完全に終了します。オンプレミスのサーバーには影響しません。キオスクおよび \
             Frontline のライセンスは 2026 年 6 月末に EWS を失ったとの情報があります。",
    },
    remedy: Text {
        en: "Read first:\n\
             Connect-ExchangeOnline\n\
             Get-OrganizationConfig -RetrieveEwsOperationAccessPolicy | Format-List EwsEnabled,EwsAllowedAppIDs\n\
             Get-CASMailbox -Identity '{user}' | Format-List EwsEnabled\n\
             Until 1 April 2027 it can be switched on. True and the list of allowed apps are one step: True without a \
             list blocks every app, and the list is replaced as a whole, so write old and new together:\n\
             $old = (Get-OrganizationConfig -RetrieveEwsOperationAccessPolicy).EwsAllowedAppIDs\n\
             $all = @(\"$old\" -split ',') + '{app}' | ForEach-Object Trim | Where-Object { $_ } | Select-Object -Unique\n\
             Set-OrganizationConfig -EwsEnabled $true -EwsAllowedAppIDs ($all -join ',')\n\
             Set-CASMailbox -Identity '{user}' -EwsEnabled $true\n\
             The list works after up to 24 hours. Plan the move of the app to Microsoft Graph.",
        ja: "まず現在の値を確認します。\n\
             Connect-ExchangeOnline\n\
             Get-OrganizationConfig -RetrieveEwsOperationAccessPolicy | Format-List EwsEnabled,EwsAllowedAppIDs\n\
             Get-CASMailbox -Identity '{user}' | Format-List EwsEnabled\n\
             2027 年 4 月 1 日までは有効にできます。True と許可アプリの一覧は同時に設定します。一覧のない True はすべて\
             のアプリを拒否し、一覧は全体が置き換えられるため、既存の値と新しい値を合わせて書き込みます。\n\
             $old = (Get-OrganizationConfig -RetrieveEwsOperationAccessPolicy).EwsAllowedAppIDs\n\
             $all = @(\"$old\" -split ',') + '{app}' | ForEach-Object Trim | Where-Object { $_ } | Select-Object -Unique\n\
             Set-OrganizationConfig -EwsEnabled $true -EwsAllowedAppIDs ($all -join ',')\n\
             Set-CASMailbox -Identity '{user}' -EwsEnabled $true\n\
             一覧の反映には最大 24 時間かかります。アプリの Microsoft Graph への移行を計画してください。",
    },
    sources: &[
        "https://learn.microsoft.com/exchange/clients-and-mobile-in-exchange-online/deprecation-of-ews-exchange-online",
        "https://learn.microsoft.com/powershell/module/exchangepowershell/set-organizationconfig",
        "public capture",
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
    // The other reason of this header is that a policy blocks; what is none of both is not guessed at.
    if !(reason.contains("disabled") || reason.contains("not enabled")) || reason.contains("blocked") {
        return None;
    }
    Some(
        Hit::failure(Certainty::Certain, Actor::ExchangeAdmin)
            .on(case.on_user())
            .because(case.evidence_header("x-ews-policy-reason"))
            .naming("app", case.jwt().and_then(|jwt| jwt.appid.clone()))
            .naming("user", case.user().map(upn_of)),
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
                "POST https://outlook.office365.com/EWS/Exchange.asmx\nAuthorization: Bearer {jwt \
                 appid=11111111-2222-3333-4444-555555555555}",
                "403\nX-EWS-Policy-Reason: EWS is disabled for this user or tenant",
            )],
        ),
        Example::fires(
            "the header was pasted alone, in other letters",
            FOUND,
            &[Raw::new("", "403 Forbidden\nx-ews-policy-reason: EWS is DISABLED for this user or tenant.")],
        ),
        Example::silent(
            "the app is blocked",
            &[Raw::new(
                "POST https://outlook.office365.com/EWS/Exchange.asmx\nAuthorization: Bearer {jwt appid=1}",
                "403\nX-EWS-Policy-Reason: EWS is blocked by policy for this user or tenant",
            )],
        ),
        Example::silent(
            "a 403 without the header proves nothing",
            &[Raw::new(
                "POST https://outlook.office365.com/EWS/Exchange.asmx\nAuthorization: Bearer {jwt appid=1}",
                "403\nX-FEServer: AM0PR01CA0001",
            )],
        ),
    ];
}
