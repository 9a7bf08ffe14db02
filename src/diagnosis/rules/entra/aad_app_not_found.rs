//! The tenant has no application of the client id that was sent.
//!
//! Not to be confused with one that is there and disabled (`aad-app-disabled`), without consent
//! (`aad-consent-missing`), or with a resource that is missing (`aad-resource-not-found`, `spn-missing`).

use crate::diagnosis::refusal::{GATE, refused};
use crate::diagnosis::{Actor, Case, Certainty, Hit, Kind, Rule};
use crate::text::Text;

pub(super) static RULE: Rule = Rule {
    id: "aad-app-not-found",
    title: Text {
        en: "The application is not in this tenant", ja: "アプリケーションがこのテナントに存在しない"
    },
    explanation: Text {
        en: "The client called itself {app}, and the tenant that was asked has no such application: the id is \
             misspelt (it must be the application id, not the object id), the tenant is the wrong one (source and \
             destination exchanged), or an application of another tenant was never consented to here, so that it has \
             no service principal.",
        ja: "クライアントは {app} と名乗りましたが、要求先のテナントにそのアプリケーションはありません。ID の誤り (オ\
             ブジェクト ID ではなくアプリケーション ID が必要です)、テナントの取り違え (移行元と移行先)、または別テナ\
             ントのアプリケーションに一度も同意していないためサービス プリンシパルがないことが原因です。",
    },
    remedy: Text {
        en: "Look for it in the tenant that was asked:\n\
             Connect-MgGraph -TenantId '{tenant}' -Scopes Application.Read.All\n\
             Get-MgServicePrincipal -Filter \"appId eq '{app}'\" | Format-List \
             DisplayName,AppId,AccountEnabled,AppOwnerOrganizationId\n\
             Get-MgApplication -Filter \"appId eq '{app}'\" | Format-List DisplayName,AppId,SignInAudience\n\
             Not there although the id is right: an administrator of that tenant opens \
             https://login.microsoftonline.com/{tenant}/adminconsent?client_id={app} (the application must be \
             multitenant). A migration tool: compare the application id and the tenant id in its project with these.",
        ja: "要求先のテナントで確認します。\n\
             Connect-MgGraph -TenantId '{tenant}' -Scopes Application.Read.All\n\
             Get-MgServicePrincipal -Filter \"appId eq '{app}'\" | Format-List \
             DisplayName,AppId,AccountEnabled,AppOwnerOrganizationId\n\
             Get-MgApplication -Filter \"appId eq '{app}'\" | Format-List DisplayName,AppId,SignInAudience\n\
             ID が正しいのに存在しない場合は、そのテナントの管理者が \
             https://login.microsoftonline.com/{tenant}/adminconsent?client_id={app} を開きます (マルチテナント アプリ\
             であることが必要です)。移行ツールでは、プロジェクトのアプリケーション ID とテナント ID を照合します。",
    },
    sources: &[
        "https://learn.microsoft.com/en-us/entra/identity-platform/reference-error-codes",
        "https://learn.microsoft.com/en-us/troubleshoot/entra/entra-id/app-integration/error-code-aadsts700016-app-not\
         -found-in-directory",
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

const CODES: [u32; 4] = [700_016, 70001, 700_011, 7_000_229];

fn find(case: &Case<'_>) -> Option<Hit> {
    let refused = refused(case, &CODES)?;
    let hit = refused.failure(Certainty::Certain, Actor::EntraAdmin);
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
            "the tenant does not know the client id",
            (Kind::Failure, Certainty::Certain, Actor::EntraAdmin),
            &[token_error!(700_016: "Application with identifier '5a4b3c2d-0000-4000-8000-000000000a12' was not \
                                       found in the directory 'Contoso'.")],
        ),
        Example::fires(
            "an old number says the same",
            (Kind::Failure, Certainty::Certain, Actor::EntraAdmin),
            &[token_error!(
                "grant_type=client_credentials&client_id=5a4b3c2d-0000-4000-8000-000000000a01&client_secret=x&\
                 scope=https%3A%2F%2Foutlook.office365.com%2F.default" =>
                70001: "Application with identifier '5a4b3c2d-0000-4000-8000-000000000a12' was not found in the \
                        directory contoso.com"
            )],
        ),
        Example::fires(
            "the sign-in page says so",
            (Kind::Failure, Certainty::Certain, Actor::EntraAdmin),
            &[page_error!(700_016: "Application with identifier '5a4b3c2d-0000-4000-8000-000000000a12' was not \
                                      found in the directory 'Contoso'.")],
        ),
        Example::silent(
            "the old number says that it is disabled",
            &[token_error!(70001: "Application '5a4b3c2d-0000-4000-8000-000000000a12' is disabled.")],
        ),
        Example::silent(
            "a resource is missing",
            &[token_error!(500_011: "The resource principal named api://mig-tool was not found in the tenant named \
                                       Contoso.")],
        ),
    ];
}
