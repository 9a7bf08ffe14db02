//! The account is not in the tenant that was asked.
//!
//! Not to be confused with a tenant that does not exist (`aad-tenant-not-found`), or a user whom Exchange does not know
//! although Entra does (`user-not-in-directory`).

use crate::diagnosis::refusal::{GATE, refused};
use crate::diagnosis::{Actor, Case, Certainty, Hit, Kind, Rule};
use crate::text::Text;

pub(super) static RULE: Rule = Rule {
    id: "aad-user-not-found",
    title: Text {
        en: "The account does not exist in this tenant", ja: "アカウントがこのテナントに存在しない"
    },
    explanation: Text {
        en: "Entra ID has no such account in the tenant that was asked: the name is misspelt or was changed, the \
             account lives in another tenant (a guest who was never invited, a personal account), or the tool was \
             given the tenant of the other end of the migration.",
        ja: "要求先のテナントにこのアカウントは存在しません。名前の誤りや変更、別のテナントのアカウント (招待されてい\
             ないゲストや個人アカウント)、または移行ツールに移行元と移行先のテナントを取り違えて指定したことが原因です\
             。",
    },
    remedy: Text {
        en: "Compare the user principal name with the directory (it may differ from the mail address), and the tenant \
             with the one meant:\n\
             Connect-MgGraph -TenantId '{tenant}' -Scopes User.Read.All,Domain.Read.All\n\
             Get-MgUser -UserId '{user}' | Format-List Id,UserPrincipalName,Mail,UserType\n\
             Get-MgUser -Filter \"proxyAddresses/any(p:p eq 'smtp:<address>')\" | Format-List UserPrincipalName\n\
             Get-MgDomain | Format-Table Id,IsVerified\n\
             Give the tool an account of that tenant, or invite the guest. An account that Entra Connect should bring \
             is missing: look at its synchronisation errors.",
        ja: "ユーザー プリンシパル名 (メール アドレスと異なる場合があります) をディレクトリと照合し、テナントが意図し\
             たものかを確認します。\n\
             Connect-MgGraph -TenantId '{tenant}' -Scopes User.Read.All,Domain.Read.All\n\
             Get-MgUser -UserId '{user}' | Format-List Id,UserPrincipalName,Mail,UserType\n\
             Get-MgUser -Filter \"proxyAddresses/any(p:p eq 'smtp:<address>')\" | Format-List UserPrincipalName\n\
             Get-MgDomain | Format-Table Id,IsVerified\n\
             そのテナントのアカウントをツールに指定するか、ゲストを招待します。Entra Connect で同期されるはずのアカウ\
             ントがない場合は、同期エラーを確認します。",
    },
    sources: &[
        "https://learn.microsoft.com/en-us/entra/identity-platform/reference-error-codes",
        "https://learn.microsoft.com/en-us/troubleshoot/entra/entra-id/app-integration/error-code-aadsts50020-user-acc\
         ount-identity-provider-does-not-exist",
    ],
    kinds: &[Kind::Failure],
    certainties: &[Certainty::Certain],
    actors: &[Actor::EntraAdmin],
    gate: GATE,
    supersedes: &[],
    find,
    #[cfg(test)]
    examples: tests::EXAMPLES,
};

/// Unknown, a guest not invited, of another tenant or provider, deleted.
const CODES: [u32; 7] = [50034, 51004, 50020, 50014, 90072, 16003, 500_341];

fn find(case: &Case<'_>) -> Option<Hit> {
    Some(refused(case, &CODES)?.failure(Certainty::Certain, Actor::EntraAdmin))
}

#[cfg(test)]
mod tests {
    use crate::diagnosis::rules::kit::Example;
    use crate::diagnosis::{Actor, Certainty, Kind};

    pub(super) const EXAMPLES: &[Example] = &[
        Example::fires(
            "a tool's account is not in the tenant",
            (Kind::Failure, Certainty::Certain, Actor::EntraAdmin),
            &[token_error!(50034: "The user account {EUII Hidden} does not exist in the contoso.com directory.")],
        ),
        Example::fires(
            "a guest was not invited",
            (Kind::Failure, Certainty::Certain, Actor::EntraAdmin),
            &[page_error!(50020: "User account '{EUII Hidden}' from identity provider 'live.com' does not exist in \
                                    tenant 'Contoso' and cannot access the application.")],
        ),
        Example::fires(
            "a redirect says so",
            (Kind::Failure, Certainty::Certain, Actor::EntraAdmin),
            &[redirect_error!(90072: "User+account+does+not+exist+in+tenant")],
        ),
        Example::silent("the tenant does not exist", &[token_error!(90002: "Tenant 'contoso.com' not found.")]),
        Example::silent(
            "the password is wrong",
            &[token_error!(50126: "Error validating credentials due to invalid username or password.")],
        ),
    ];
}
