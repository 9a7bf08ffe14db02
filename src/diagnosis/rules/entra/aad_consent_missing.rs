//! The application has not the permission it asks for: nobody consented, or an administrator must.
//!
//! Not to be confused with a permission that the resource finds missing in a token (`token-scope-insufficient`,
//! `graph-permission-missing`), or Microsoft's own applications, for which nobody can consent
//! (`aad-first-party-preauth`).

use crate::diagnosis::refusal::{GATE, refused};
use crate::diagnosis::{Actor, Case, Certainty, Hit, Kind, Rule};
use crate::text::Text;

pub(super) static RULE: Rule = Rule {
    id: "aad-consent-missing",
    title: Text { en: "Consent for the application is missing", ja: "アプリケーションへの同意がない" },
    explanation: Text {
        en: "The application {app} asks for a permission that neither the user nor an administrator of this tenant \
             granted, or that is not among those it is registered for. EWS.AccessAsUser.All, full_access_as_app and \
             every application permission need an administrator. A tool without a page cannot ask for consent, so it \
             gets this refusal.",
        ja: "アプリケーション {app} が要求したアクセス許可に、ユーザーもこのテナントの管理者も同意していないか、登録さ\
             れたアクセス許可に含まれていません。EWS.AccessAsUser.All、full_access_as_app およびすべてのアプリケーショ\
             ンのアクセス許可には管理者の同意が必要です。画面のないツールは同意を求められないため、拒否されます。",
    },
    remedy: Text {
        en: "An administrator of the tenant opens \
             https://login.microsoftonline.com/{tenant}/adminconsent?client_id={app} (it grants what the registration \
             lists: add the permission there first). What is granted now:\n\
             Connect-MgGraph -TenantId '{tenant}' -Scopes Application.Read.All,DelegatedPermissionGrant.Read.All\n\
             $sp = Get-MgServicePrincipal -Filter \"appId eq '{app}'\"\n\
             Get-MgOauth2PermissionGrant -Filter \"clientId eq '$($sp.Id)'\" | Format-Table ConsentType,Scope\n\
             Get-MgServicePrincipalAppRoleAssignment -ServicePrincipalId $sp.Id | Format-Table \
             ResourceDisplayName,AppRoleId",
        ja: "テナントの管理者が https://login.microsoftonline.com/{tenant}/adminconsent?client_id={app} を開きます (登\
             録済みのアクセス許可に同意するため、先にアプリの登録に追加します)。現在の同意は次のように確認します。\n\
             Connect-MgGraph -TenantId '{tenant}' -Scopes Application.Read.All,DelegatedPermissionGrant.Read.All\n\
             $sp = Get-MgServicePrincipal -Filter \"appId eq '{app}'\"\n\
             Get-MgOauth2PermissionGrant -Filter \"clientId eq '$($sp.Id)'\" | Format-Table ConsentType,Scope\n\
             Get-MgServicePrincipalAppRoleAssignment -ServicePrincipalId $sp.Id | Format-Table \
             ResourceDisplayName,AppRoleId",
    },
    sources: &[
        "https://learn.microsoft.com/en-us/entra/identity-platform/reference-error-codes",
        "https://learn.microsoft.com/en-us/entra/identity/enterprise-apps/grant-admin-consent",
    ],
    kinds: &[Kind::Failure],
    certainties: &[Certainty::Certain],
    actors: &[Actor::EntraAdmin, Actor::User],
    gate: GATE,
    supersedes: &[],
    find,
    #[cfg(test)]
    examples: tests::EXAMPLES,
};

const CODES: [u32; 8] = [65001, DECLINED, 650_056, 650_057, 90094, 90095, 90008, 650_052];

/// A person was asked and said no.
const DECLINED: u32 = 65004;

fn find(case: &Case<'_>) -> Option<Hit> {
    let refused = refused(case, &CODES)?;
    let actor = if refused.said.is_any(&[DECLINED]) { Actor::User } else { Actor::EntraAdmin };
    let hit = refused.failure(Certainty::Certain, actor);
    // A program that sends a user's password may be a migration tool that was given the wrong application, or none.
    let unknown_tool = refused.grant_is("password") && refused.caller() != Actor::MigrationTool;
    Some(if unknown_tool { hit.or("modern-auth-not-configured") } else { hit })
}

#[cfg(test)]
mod tests {
    use crate::diagnosis::rules::kit::Example;
    use crate::diagnosis::{Actor, Certainty, Kind};

    pub(super) const EXAMPLES: &[Example] = &[
        Example::fires(
            "nobody consented",
            (Kind::Failure, Certainty::Certain, Actor::EntraAdmin),
            &[token_error!(65001: "The user or administrator has not consented to use the application with ID \
                                     '5a4b3c2d-0000-4000-8000-000000000a07' named 'Migration'.")],
        ),
        Example::fires(
            "an administrator must",
            (Kind::Failure, Certainty::Certain, Actor::EntraAdmin),
            &[page_error!(90094: "An administrator of Contoso has set a policy that prevents you from granting the \
                                    permissions.")],
        ),
        Example::fires(
            "the user declined",
            (Kind::Failure, Certainty::Certain, Actor::User),
            &[redirect_error!(65004: "User+declined+to+consent+to+access+the+app.")],
        ),
        Example::silent(
            "an application of Microsoft's is not preauthorised",
            &[token_error!(65002: "Consent between first party application and first party resource must be \
                                     configured via preauthorization.")],
        ),
    ];
}
