//! The application, or the service principal of the resource, is disabled in the tenant.
//!
//! Not to be confused with an application that is not there (`aad-app-not-found`), or a disabled user
//! (`aad-account-disabled`). Older answers have the number of the former and tell it in words.

use crate::diagnosis::refusal::{GATE, refused};
use crate::diagnosis::{Actor, Case, Certainty, Hit, Kind, Rule};
use crate::text::Text;

pub(super) static RULE: Rule = Rule {
    id: "aad-app-disabled",
    title: Text {
        en: "The application is disabled in this tenant",
        ja: "アプリケーションがこのテナントで無効になっている",
    },
    explanation: Text {
        en: "The application is known in the tenant and no sign-in is allowed for it: an administrator switched it \
             off, Microsoft did because of abuse, or, where a resource is named, its subscription has lapsed.",
        ja: "アプリケーションはテナントに存在しますが、サインインが許可されていません。管理者が無効にしたか、不正利用\
             のため Microsoft が無効にしたか、リソースが示されている場合はサブスクリプションの期限が切れています。",
    },
    remedy: Text {
        en: "See which of both it is, and enable it again:\n\
             Connect-MgGraph -TenantId '{tenant}' -Scopes Application.ReadWrite.All\n\
             $sp = Get-MgServicePrincipal -Filter \"appId eq '{app}'\"\n\
             $sp | Format-List DisplayName,AccountEnabled,DisabledByMicrosoftStatus\n\
             Update-MgServicePrincipal -ServicePrincipalId $sp.Id -AccountEnabled:$true\n\
             If Microsoft disabled it, its owner must clear that with Microsoft.",
        ja: "どちらの原因かを確認し、有効にします。\n\
             Connect-MgGraph -TenantId '{tenant}' -Scopes Application.ReadWrite.All\n\
             $sp = Get-MgServicePrincipal -Filter \"appId eq '{app}'\"\n\
             $sp | Format-List DisplayName,AccountEnabled,DisabledByMicrosoftStatus\n\
             Update-MgServicePrincipal -ServicePrincipalId $sp.Id -AccountEnabled:$true\n\
             Microsoft によって無効にされた場合は、アプリの所有者が Microsoft に問い合わせる必要があります。",
    },
    sources: &[
        "https://learn.microsoft.com/en-us/entra/identity-platform/reference-error-codes",
        "https://learn.microsoft.com/en-us/entra/identity/enterprise-apps/disable-user-sign-in-portal",
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

/// The application, and the service principal of the resource.
const CODES: [u32; 2] = [7_000_112, 500_014];

fn find(case: &Case<'_>) -> Option<Hit> {
    Some(refused(case, &CODES)?.failure(Certainty::Certain, Actor::EntraAdmin))
}

#[cfg(test)]
mod tests {
    use crate::diagnosis::rules::kit::Example;
    use crate::diagnosis::{Actor, Certainty, Kind};

    pub(super) const EXAMPLES: &[Example] = &[
        Example::fires(
            "an administrator switched it off",
            (Kind::Failure, Certainty::Certain, Actor::EntraAdmin),
            &[token_error!(
                "grant_type=client_credentials&client_id=5a4b3c2d-0000-4000-8000-000000000a01&client_secret=x&\
                 scope=https%3A%2F%2Foutlook.office365.com%2F.default" =>
                7_000_112: "Application '5a4b3c2d-0000-4000-8000-000000000a13'(MigTool) is disabled."
            )],
        ),
        Example::fires(
            "an old number, the words tell",
            (Kind::Failure, Certainty::Certain, Actor::EntraAdmin),
            &[token_error!(
                "grant_type=client_credentials&client_id=5a4b3c2d-0000-4000-8000-000000000a01&client_secret=x&\
                 scope=https%3A%2F%2Foutlook.office365.com%2F.default" =>
                70001: "Application with identifier '5a4b3c2d-0000-4000-8000-000000000a13' is disabled."
            )],
        ),
        Example::fires(
            "the resource is switched off",
            (Kind::Failure, Certainty::Certain, Actor::EntraAdmin),
            &[page_error!(500_014: "The service principal for resource '00000002-0000-0ff1-ce00-000000000000' is \
                                      disabled.")],
        ),
        Example::silent(
            "the old number says that it is not there",
            &[token_error!(70001: "Application with identifier '5a4b3c2d-0000-4000-8000-000000000a13' was not found.")],
        ),
        Example::silent("the user is disabled", &[token_error!(50057: "The user account is disabled.")]),
    ];
}
