//! Exchange finds more than one account for the user that a token names.
//!
//! Not to be confused with a user whom it does not find at all (`user-not-in-directory`, the same number).

use crate::diagnosis::person::upn_of;
use crate::diagnosis::token::refused;
use crate::diagnosis::{Actor, Case, Certainty, Gate, Hit, Kind, Rule, Signs, TokenFault};
use crate::text::Text;

pub(super) static RULE: Rule = Rule {
    id: "user-ambiguous",
    title: Text {
        en: "The user in the token fits several accounts",
        ja: "トークンのユーザーに該当するアカウントが複数ある",
    },
    explanation: Text {
        en: "The token is good, but {host} finds more than one object in Active Directory with the identity that it \
             names: the same UPN, SMTP address or SID stands on two accounts, often a left-over mail user, contact \
             or disabled account of a migration.",
        ja: "トークンは正しいものの、{host} はトークンが示す ID に一致するオブジェクトを Active Directory で複数見\
             つけました。同じ UPN、SMTP アドレス、または SID が 2 つのアカウントにあります。移行後に残ったメール ユ\
             ーザー、連絡先、無効なアカウントがよくある原因です。",
    },
    remedy: Text {
        en: "Find all objects that carry the address, and take it from the wrong ones:\n\
             $user = '{user}'\n\
             Get-Recipient -ResultSize Unlimited -Filter \"EmailAddresses -eq 'smtp:$user'\" | Format-Table \
             Name,RecipientTypeDetails,DistinguishedName\n\
             Get-ADObject -LDAPFilter \"(|(userPrincipalName=$user)(mail=$user)(proxyAddresses=smtp:$user))\" \
             -Properties userPrincipalName,mail,proxyAddresses,msExchMasterAccountSid\n\
             With several forests ask a global catalogue: add -Server <dc>:3268 to Get-ADObject.",
        ja: "該当するアドレスを持つオブジェクトをすべて探し、誤っているものから削除します。\n\
             $user = '{user}'\n\
             Get-Recipient -ResultSize Unlimited -Filter \"EmailAddresses -eq 'smtp:$user'\" | Format-Table \
             Name,RecipientTypeDetails,DistinguishedName\n\
             Get-ADObject -LDAPFilter \"(|(userPrincipalName=$user)(mail=$user)(proxyAddresses=smtp:$user))\" \
             -Properties userPrincipalName,mail,proxyAddresses,msExchMasterAccountSid\n\
             フォレストが複数ある場合は Get-ADObject に -Server <dc>:3268 を付け、グローバル カタログで検索します。",
    },
    sources: &[
        "https://learn.microsoft.com/en-us/exchange/client-developer/exchange-web-services/instrumenting-client-requests-for-ews-and-rest-in-exchange",
    ],
    kinds: &[Kind::Failure],
    certainties: &[Certainty::Certain, Certainty::Likely],
    actors: &[Actor::AdAdmin],
    gate: Gate::status(&[401, 403]).showing(Signs::DIAGNOSTICS),
    supersedes: &[],
    find,
    #[cfg(test)]
    examples: tests::EXAMPLES,
};

fn find(case: &Case<'_>) -> Option<Hit> {
    refused(case, TokenFault::AmbiguousUser, Actor::AdAdmin).map(|hit| hit.naming("user", case.user().map(upn_of)))
}

#[cfg(test)]
mod tests {
    use crate::diagnosis::rules::kit::{Example, Raw};
    use crate::diagnosis::{Actor, Certainty, Kind};

    pub(super) const EXAMPLES: &[Example] = &[
        Example::fires(
            "two accounts share an identity",
            (Kind::Failure, Certainty::Certain, Actor::AdAdmin),
            &[Raw::new(
                "POST https://mail.contoso.com/EWS/Exchange.asmx\n\
                 Authorization: Bearer {jwt aud=https://mail.contoso.com/ upn=avery@contoso.com exp=1795167900}",
                "401\n\
                 Server: Microsoft-IIS/10.0\n\
                 X-FEServer: EX01\n\
                 x-ms-diagnostics: 2000005;reason=\"The user specified by the user-context in the token is \
                 ambiguous.\";error_category=\"invalid_user\"\n\
                 WWW-Authenticate: {bearer https://login.windows.net/common/oauth2/authorize}, \
                 error=\"invalid_token\"",
            )],
        ),
        Example::fires(
            "the number is another one and the letters differ",
            (Kind::Failure, Certainty::Certain, Actor::AdAdmin),
            &[Raw::new(
                "",
                "401\n\
                 X-Ms-Diagnostics: 2000008; Reason=\"THE USER SPECIFIED BY THE USER-CONTEXT IN THE TOKEN IS \
                 AMBIGUOUS\"; error_type=\"invalid_user\"",
            )],
        ),
        Example::silent(
            "the user does not exist",
            &[Raw::new(
                "POST https://mail.contoso.com/EWS/Exchange.asmx\n\
                 Authorization: Bearer {jwt aud=https://mail.contoso.com/ upn=avery@contoso.com exp=1795167900}",
                "401\n\
                 Server: Microsoft-IIS/10.0\n\
                 X-FEServer: EX01\n\
                 x-ms-diagnostics: 2000005;reason=\"The user specified by the user-context in the token does not \
                 exist.\";error_category=\"invalid_user\"\n\
                 WWW-Authenticate: {bearer https://login.windows.net/common/oauth2/authorize}, \
                 error=\"invalid_token\"",
            )],
        ),
        Example::silent(
            "SharePoint words something so",
            &[Raw::new(
                "GET https://contoso.sharepoint.com/_api/web\n\
                 Authorization: Bearer {jwt aud=x}",
                "401\n\
                 x-ms-diagnostics: 3001000;reason=\"The user is ambiguous.\";category=\"invalid_client\"",
            )],
        ),
    ];
}
