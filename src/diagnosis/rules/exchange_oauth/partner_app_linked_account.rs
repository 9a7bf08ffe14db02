//! Exchange knows the application that calls, and it stands for no account with rights.
//!
//! Not to be confused with a token that lacks a scope (`token-scope-insufficient`, the same number), or with an unknown
//! application (`app-unknown`).

use crate::diagnosis::token::{quoted_id, refused};
use crate::diagnosis::{Actor, Case, Certainty, Gate, Hit, Kind, Rule, Signs, TokenFault};
use crate::text::Text;

pub(super) static RULE: Rule = Rule {
    id: "partner-app-linked-account",
    title: Text {
        en: "The partner application has no account with rights",
        ja: "パートナー アプリケーションに権限のあるアカウントがない",
    },
    explanation: Text {
        en: "The application {app} calls as itself. {host} knows it as a partner application, but the token carries \
             no permission that Exchange takes, and the application has no linked account, or the account is \
             disabled or has lost its management roles. Every call of the other organisation (free/busy, archive, \
             migration) fails so.",
        ja: "アプリケーション {app} が自身の権限で呼び出しています。{host} はこれをパートナー アプリケーションとし\
             て認識していますが、トークンに Exchange が受け入れるアクセス許可がなく、リンク アカウントもないか、そ\
             のアカウントが無効、または管理役割が失われています。相手組織からの要求 (空き時間情報、アーカイブ、移行\
             ) はすべて失敗します。",
    },
    remedy: Text {
        en: "Link the account again, and look at its roles:\n\
             Get-PartnerApplication | Format-Table Name,ApplicationIdentifier,LinkedAccount,Enabled\n\
             $root = (Get-ADDomain (Get-ADForest).RootDomain).DNSRoot\n\
             Get-PartnerApplication | Where-Object { $_.ApplicationIdentifier -eq '{app}' } | \
             Set-PartnerApplication -LinkedAccount \"$root/Users/Exchange Online-ApplicationAccount\"\n\
             Get-ManagementRoleAssignment -RoleAssignee 'Exchange Online-ApplicationAccount' | Format-Table \
             Role,RoleAssigneeType\n\
             Expected are UserApplication, ArchiveApplication, LegalHoldApplication, Mailbox Search, \
             TeamMailboxLifecycleApplication and MeetingGraphApplication; a missing one comes back with:\n\
             New-ManagementRoleAssignment -Role UserApplication -User 'Exchange Online-ApplicationAccount'\n\
             Then run iisreset on each server.",
        ja: "アカウントをリンクし直し、管理役割を確認します。\n\
             Get-PartnerApplication | Format-Table Name,ApplicationIdentifier,LinkedAccount,Enabled\n\
             $root = (Get-ADDomain (Get-ADForest).RootDomain).DNSRoot\n\
             Get-PartnerApplication | Where-Object { $_.ApplicationIdentifier -eq '{app}' } | \
             Set-PartnerApplication -LinkedAccount \"$root/Users/Exchange Online-ApplicationAccount\"\n\
             Get-ManagementRoleAssignment -RoleAssignee 'Exchange Online-ApplicationAccount' | Format-Table \
             Role,RoleAssigneeType\n\
             UserApplication、ArchiveApplication、LegalHoldApplication、Mailbox Search、\
             TeamMailboxLifecycleApplication、MeetingGraphApplication が必要です。ないものは次のコマンドで追加しま\
             す。\n\
             New-ManagementRoleAssignment -Role UserApplication -User 'Exchange Online-ApplicationAccount'\n\
             その後、各サーバーで iisreset を実行します。",
    },
    sources: &[
        "https://learn.microsoft.com/en-us/outlook/troubleshoot/calendaring/resolve-free-busy-errors",
        "https://learn.microsoft.com/en-us/powershell/module/exchangepowershell/set-partnerapplication",
        "public capture",
    ],
    kinds: &[Kind::Failure],
    certainties: &[Certainty::Certain],
    actors: &[Actor::ExchangeAdmin],
    gate: Gate::status(&[200, 401, 403, 500]).showing(Signs::DIAGNOSTICS.or(Signs::EWS).or(Signs::XML)),
    supersedes: &[],
    find,
    #[cfg(test)]
    examples: tests::EXAMPLES,
};

fn find(case: &Case<'_>) -> Option<Hit> {
    let hit = refused(case, TokenFault::LinkedAccount, Actor::ExchangeAdmin).or_else(|| by_fault(case))?;
    let app = quoted_id(case).or_else(|| case.jwt()?.appid.clone());
    Some(hit.on(case.on_server()).naming("app", app).naming("host", case.host_name()))
}

/// The same in the words of a SOAP fault.
fn by_fault(case: &Case<'_>) -> Option<Hit> {
    const WORDS: &str = "missing a linked account";
    let body = case.response_body();
    let from = &body[body.find(WORDS)?..];
    let sentence = &from[..from.find('<').unwrap_or(from.len())];
    let exchange = case.is_exchange() || case.exchange.url.is_none();
    exchange.then(|| Hit::failure(Certainty::Certain, Actor::ExchangeAdmin).because(case.evidence_body(sentence)))
}

#[cfg(test)]
mod tests {
    use crate::diagnosis::rules::kit::{Example, Raw};
    use crate::diagnosis::{Actor, Certainty, Kind};

    pub(super) const EXAMPLES: &[Example] = &[
        Example::fires(
            "Exchange names the application",
            (Kind::Failure, Certainty::Certain, Actor::ExchangeAdmin),
            &[Raw::new(
                "POST https://mail.contoso.com/EWS/Exchange.asmx\n\
                 Authorization: Bearer {jwt aud=https://mail.contoso.com/ upn=avery@contoso.com exp=1795167900}",
                "401\n\
                 Server: Microsoft-IIS/10.0\n\
                 X-FEServer: EX01\n\
                 x-ms-diagnostics: 2000008;reason=\"The token should have valid permissions or linked account \
                 associated with partner application \
                 '00000002-0000-0ff1-ce00-000000000000'.\";error_category=\"invalid_grant\"\n\
                 WWW-Authenticate: {bearer https://login.windows.net/common/oauth2/authorize}, \
                 error=\"invalid_token\"",
            )],
        ),
        Example::fires(
            "a SOAP fault says it",
            (Kind::Failure, Certainty::Certain, Actor::ExchangeAdmin),
            &[Raw::new(
                "POST https://mail.contoso.com/EWS/Exchange.asmx\n\
                 Authorization: Bearer {jwt aud=https://mail.contoso.com/}",
                "500\n\
                 Server: Microsoft-IIS/10.0\n\
                 X-FEServer: EX01\n\
                 Content-Type: text/xml\n\
                 \n\
                 <s:Envelope \
                 xmlns:s=\"http://schemas.xmlsoap.org/soap/envelope/\"><s:Body><s:Fault><faultcode>a:ErrorAccessDenied</faultcode><faultstring \
                 xml:lang=\"en-US\">The application is missing a linked account for RBAC roles, or the linked \
                 account has no RBAC role assignments, or the calling users account is logon \
                 disabled.</faultstring></s:Fault></s:Body></s:Envelope>",
            )],
        ),
        Example::silent(
            "the scope is what lacks",
            &[Raw::new(
                "POST https://mail.contoso.com/EWS/Exchange.asmx\n\
                 Authorization: Bearer {jwt aud=https://mail.contoso.com/ upn=avery@contoso.com exp=1795167900}",
                "403\n\
                 Server: Microsoft-IIS/10.0\n\
                 X-FEServer: EX01\n\
                 x-ms-diagnostics: 2000008;reason=\"The token contains not enough scope to make this \
                 call.\";error_category=\"invalid_grant\"\n\
                 WWW-Authenticate: {bearer https://login.windows.net/common/oauth2/authorize}, \
                 error=\"invalid_token\"",
            )],
        ),
        Example::silent(
            "another fault",
            &[Raw::new(
                "POST https://mail.contoso.com/EWS/Exchange.asmx\n\
                 Authorization: Bearer {jwt aud=https://mail.contoso.com/}",
                "500\n\
                 Server: Microsoft-IIS/10.0\n\
                 X-FEServer: EX01\n\
                 Content-Type: text/xml\n\
                 \n\
                 <s:Envelope \
                 xmlns:s=\"http://schemas.xmlsoap.org/soap/envelope/\"><s:Body><s:Fault><faultcode>a:ErrorAccessDenied</faultcode><faultstring>Access \
                 is denied.</faultstring></s:Fault></s:Body></s:Envelope>",
            )],
        ),
    ];
}
