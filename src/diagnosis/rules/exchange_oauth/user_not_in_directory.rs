//! The token is good, and Exchange does not find the user that it names: 2000005.
//!
//! Not to be confused with a user who is found twice (`user-ambiguous`), with a mailbox on Exchange 2010
//! (`hma-exchange2010-coexist`), or with an unknown tenant (`tenant-unknown`): the words tell them apart, not the
//! number.

use crate::diagnosis::person::upn_of;
use crate::diagnosis::token::refused;
use crate::diagnosis::{Actor, Case, Certainty, Gate, Hit, Kind, Rule, Signs, TokenFault};
use crate::text::Text;

pub(super) static RULE: Rule = Rule {
    id: "user-not-in-directory",
    title: Text {
        en: "Exchange does not know the user in the token",
        ja: "トークンのユーザーが Exchange のディレクトリに存在しない",
    },
    explanation: Text {
        en: "Entra ID issued a token, and {host} found no user in Active Directory that belongs to it. The account \
             exists in the cloud alone, its UPN or address differs on the two sides, or it is not yet synchronised. \
             In free/busy and other calls between servers, the mail user that stands for the mailbox of the other \
             side is missing.",
        ja: "Entra ID はトークンを発行しましたが、{host} は対応するユーザーを Active Directory で見つけられませんで\
             した。クラウドにのみ存在するアカウントである、UPN やメール アドレスが両側で異なる、またはまだ同期されて\
             いないことが考えられます。空き時間情報などのサーバー間の要求では、相手側のメールボックスに対応するメー\
             ル ユーザーがない場合に起こります。",
    },
    remedy: Text {
        en: "Compare the account on both sides:\n\
             Get-Recipient -Identity '{user}' | Format-List \
             RecipientTypeDetails,UserPrincipalName,PrimarySmtpAddress\n\
             Get-ADUser -Filter \"UserPrincipalName -eq '{user}'\" -Properties mail,proxyAddresses,objectSid\n\
             Connect-MgGraph -Scopes User.Read.All\n\
             Get-MgUser -UserId '{user}' -Property \
             UserPrincipalName,Mail,OnPremisesSyncEnabled,OnPremisesSecurityIdentifier | Format-List \
             UserPrincipalName,Mail,OnPremises*\n\
             Bring the UPN and SMTP address in line, put the account into the scope of Entra Connect, with its \
             option \"Exchange hybrid deployment\" on, and synchronise:\n\
             Start-ADSyncSyncCycle -PolicyType Delta",
        ja: "両側のアカウントを比べます。\n\
             Get-Recipient -Identity '{user}' | Format-List \
             RecipientTypeDetails,UserPrincipalName,PrimarySmtpAddress\n\
             Get-ADUser -Filter \"UserPrincipalName -eq '{user}'\" -Properties mail,proxyAddresses,objectSid\n\
             Connect-MgGraph -Scopes User.Read.All\n\
             Get-MgUser -UserId '{user}' -Property \
             UserPrincipalName,Mail,OnPremisesSyncEnabled,OnPremisesSecurityIdentifier | Format-List \
             UserPrincipalName,Mail,OnPremises*\n\
             UPN と SMTP アドレスを一致させ、アカウントを Entra Connect の同期対象に含め、オプション機能の [Exchange \
             hybrid deployment] を有効にして同期します。\n\
             Start-ADSyncSyncCycle -PolicyType Delta",
    },
    sources: &[
        "https://learn.microsoft.com/en-us/outlook/troubleshoot/calendaring/resolve-free-busy-errors",
        "public capture",
    ],
    kinds: &[Kind::Failure],
    certainties: &[Certainty::Certain, Certainty::Likely],
    actors: &[Actor::EntraAdmin],
    gate: Gate::status(&[401, 403]).showing(Signs::DIAGNOSTICS),
    supersedes: &[],
    find,
    #[cfg(test)]
    examples: tests::EXAMPLES,
};

fn find(case: &Case<'_>) -> Option<Hit> {
    refused(case, TokenFault::User, Actor::EntraAdmin).map(|hit| hit.naming("user", case.user().map(upn_of)))
}

#[cfg(test)]
mod tests {
    use crate::diagnosis::rules::kit::{Example, Raw};
    use crate::diagnosis::{Actor, Certainty, Kind};

    pub(super) const EXAMPLES: &[Example] = &[
        Example::fires(
            "Exchange does not find the user of the token",
            (Kind::Failure, Certainty::Certain, Actor::EntraAdmin),
            &[Raw::new(
                "POST https://mail.contoso.com/EWS/Exchange.asmx\n\
                 Authorization: Bearer {jwt aud=https://mail.contoso.com/ upn=ghost@contoso.com \
                 exp=1795167900}",
                "401\n\
                 Server: Microsoft-IIS/10.0\n\
                 X-FEServer: EX01\n\
                 x-ms-diagnostics: 2000005;reason=\"The user specified by the user-context in the token \
                 does not exist.\";error_category=\"invalid_user\"\n\
                 WWW-Authenticate: {bearer https://login.windows.net/common/oauth2/authorize}, \
                 error=\"invalid_token\"",
            )],
        ),
        Example::fires(
            "the category has another number, and no request was captured",
            (Kind::Failure, Certainty::Certain, Actor::EntraAdmin),
            &[Raw::new(
                "",
                "401\n\
                 x-MS-diagnostics: 2000001;Reason=\"The user specified by the USER-CONTEXT in the token \
                 does not exist.\";error_type=\"invalid_user\"",
            )],
        ),
        Example::fires(
            "the reason is a new one of the same category",
            (Kind::Failure, Certainty::Likely, Actor::EntraAdmin),
            &[Raw::new(
                "",
                "403\nX-MS-Diagnostics: 2000055;reason=\"No such person.\";error_category=\"invalid_user\"",
            )],
        ),
        Example::silent(
            "the user is found twice",
            &[Raw::new(
                "POST https://mail.contoso.com/mapi/emsmdb/?MailboxId=1@contoso.com\n\
                 Authorization: Bearer {jwt aud=x}",
                "401\n\
                 Server: Microsoft-IIS/10.0\n\
                 X-FEServer: EX01\n\
                 x-ms-diagnostics: 2000005;reason=\"The user specified by the user-context in the token is \
                 ambiguous.\";error_category=\"invalid_user\"\n\
                 WWW-Authenticate: {bearer https://login.windows.net/common/oauth2/authorize}, \
                 error=\"invalid_token\"",
            )],
        ),
        Example::silent(
            "the mailbox is too old",
            &[Raw::new(
                "POST https://mail.contoso.com/mapi/emsmdb/?MailboxId=1@contoso.com\n\
                 Authorization: Bearer {jwt aud=x}",
                "401\n\
                 Server: Microsoft-IIS/10.0\n\
                 X-FEServer: EX01\n\
                 x-ms-diagnostics: 2000005;reason=\"The user's mailbox version is not supported for access \
                 using OAuth.\";error_category=\"invalid_user\"\n\
                 WWW-Authenticate: {bearer https://login.windows.net/common/oauth2/authorize}, \
                 error=\"invalid_token\"",
            )],
        ),
        Example::silent(
            "the tenant does not exist",
            &[Raw::new(
                "POST https://mail.contoso.com/mapi/emsmdb/?MailboxId=1@contoso.com\n\
                 Authorization: Bearer {jwt aud=x}",
                "401\n\
                 Server: Microsoft-IIS/10.0\n\
                 X-FEServer: EX01\n\
                 x-ms-diagnostics: 2000004;reason=\"The tenant for tenant guid \
                 '8da56bec-0d27-4cac-ab06-52ee2c40ea22' does not exist.\";\
                 error_category=\"invalid_tenant\"\n\
                 WWW-Authenticate: {bearer https://login.windows.net/common/oauth2/authorize}, \
                 error=\"invalid_token\"",
            )],
        ),
    ];
}
