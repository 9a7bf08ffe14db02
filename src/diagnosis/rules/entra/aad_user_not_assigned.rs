//! The application lets in assigned users alone, and this one is not.
//!
//! Not to be confused with missing consent (`aad-consent-missing`).

use crate::diagnosis::refusal::{GATE, refused};
use crate::diagnosis::{Actor, Case, Certainty, Hit, Kind, Rule};
use crate::text::Text;

pub(super) static RULE: Rule = Rule {
    id: "aad-user-not-assigned",
    title: Text {
        en: "The user is not assigned to the application",
        ja: "ユーザーがアプリケーションに割り当てられていない",
    },
    explanation: Text {
        en: "The enterprise application {app} has \"Assignment required\" on, and the user who signs in is neither \
             assigned nor a direct member of an assigned group (groups within groups do not count).",
        ja: "エンタープライズ アプリケーション {app} で [割り当てが必要ですか?] が有効になっており、サインインしたユー\
             ザーが割り当てられておらず、割り当て済みグループの直接のメンバーでもありません (入れ子のグループは対象外\
             です)。",
    },
    remedy: Text {
        en: "Assign the user (or the migration account), or switch the requirement off:\n\
             Connect-MgGraph -TenantId '{tenant}' -Scopes \
             Application.ReadWrite.All,AppRoleAssignment.ReadWrite.All,User.Read.All\n\
             $sp = Get-MgServicePrincipal -Filter \"appId eq '{app}'\"\n\
             $user = Get-MgUser -UserId '{user}'\n\
             New-MgUserAppRoleAssignment -UserId $user.Id -PrincipalId $user.Id -ResourceId $sp.Id -AppRoleId \
             00000000-0000-0000-0000-000000000000\n\
             Update-MgServicePrincipal -ServicePrincipalId $sp.Id -AppRoleAssignmentRequired:$false",
        ja: "ユーザー (または移行アカウント) を割り当てるか、割り当ての必須を解除します。\n\
             Connect-MgGraph -TenantId '{tenant}' -Scopes \
             Application.ReadWrite.All,AppRoleAssignment.ReadWrite.All,User.Read.All\n\
             $sp = Get-MgServicePrincipal -Filter \"appId eq '{app}'\"\n\
             $user = Get-MgUser -UserId '{user}'\n\
             New-MgUserAppRoleAssignment -UserId $user.Id -PrincipalId $user.Id -ResourceId $sp.Id -AppRoleId \
             00000000-0000-0000-0000-000000000000\n\
             Update-MgServicePrincipal -ServicePrincipalId $sp.Id -AppRoleAssignmentRequired:$false",
    },
    sources: &[
        "https://learn.microsoft.com/en-us/entra/identity-platform/reference-error-codes",
        "https://learn.microsoft.com/en-us/entra/identity/enterprise-apps/assign-user-or-group-access-portal",
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

const CODES: [u32; 1] = [50105];

fn find(case: &Case<'_>) -> Option<Hit> {
    Some(refused(case, &CODES)?.failure(Certainty::Certain, Actor::EntraAdmin))
}

#[cfg(test)]
mod tests {
    use crate::diagnosis::rules::kit::Example;
    use crate::diagnosis::{Actor, Certainty, Kind};

    pub(super) const EXAMPLES: &[Example] = &[
        Example::fires(
            "a migration account",
            (Kind::Failure, Certainty::Certain, Actor::EntraAdmin),
            &[token_error!(50105: "Your administrator has configured the application MigTool \
                                     ('5a4b3c2d-0000-4000-8000-000000000a08') to block users unless they are \
                                     specifically granted ('assigned') access to the application.")],
        ),
        Example::fires(
            "the sign-in page says so",
            (Kind::Failure, Certainty::Certain, Actor::EntraAdmin),
            &[page_error!(50105: "The signed in user is not assigned to a role for the application.")],
        ),
        Example::silent(
            "consent is missing",
            &[token_error!(65001: "The user or administrator has not consented to use the application.")],
        ),
    ];
}
