//! The tenant has no resource of the name that a token was asked for.
//!
//! Not to be confused with the organisation's own Exchange (`spn-missing`), or with an application that asks and is not
//! there (`aad-app-not-found`).

use crate::diagnosis::refusal::{GATE, refused};
use crate::diagnosis::{Actor, Case, Certainty, Hit, Kind, Rule};
use crate::redact::Clean;
use crate::text::Text;

pub(super) static RULE: Rule = Rule {
    id: "aad-resource-not-found",
    title: Text {
        en: "The resource is not known in this tenant", ja: "リソースがこのテナントに存在しない"
    },
    explanation: Text {
        en: "A token was asked for {resource}, and the tenant has no service principal of that name: it is misspelt \
             or made for another cloud, it is an API that nobody in this tenant consented to, or the wrong tenant was \
             asked.",
        ja: "{resource} のトークンが要求されましたが、テナントにその名前のサービス プリンシパルはありません。名前の誤\
             り、別のクラウド用の名前、このテナントで誰も同意していない API、またはテナントの取り違えが原因です。",
    },
    remedy: Text {
        en: "Ask for the resource that is meant (Exchange Online https://outlook.office365.com, Graph \
             https://graph.microsoft.com, SharePoint https://<tenant>.sharepoint.com), or let an administrator \
             consent to the API in this tenant:\n\
             Connect-MgGraph -TenantId '{tenant}' -Scopes Application.ReadWrite.All\n\
             Get-MgServicePrincipal -Filter \"servicePrincipalNames/any(n:n eq '{resource}')\" | Format-List \
             DisplayName,AppId,ServicePrincipalNames\n\
             New-MgServicePrincipal -AppId '<application id of the API>'\n\
             If {resource} is your own Exchange, see spn-missing.",
        ja: "意図したリソース (Exchange Online は https://outlook.office365.com、Graph は https://graph.microsoft.com\
             、SharePoint は https://<テナント>.sharepoint.com) を要求するか、このテナントの管理者が API に同意します\
             。\n\
             Connect-MgGraph -TenantId '{tenant}' -Scopes Application.ReadWrite.All\n\
             Get-MgServicePrincipal -Filter \"servicePrincipalNames/any(n:n eq '{resource}')\" | Format-List \
             DisplayName,AppId,ServicePrincipalNames\n\
             New-MgServicePrincipal -AppId '<application id of the API>'\n\
             {resource} が自社の Exchange であれば、spn-missing を参照してください。",
    },
    sources: &[
        "https://learn.microsoft.com/en-us/entra/identity-platform/reference-error-codes",
        "https://learn.microsoft.com/en-us/troubleshoot/entra/entra-id/app-integration/error-code-aadsts50001-resource\
         -not-found-in-tenant",
    ],
    kinds: &[Kind::Failure],
    certainties: &[Certainty::Certain],
    actors: &[Actor::Client, Actor::MigrationTool],
    gate: GATE,
    supersedes: &[],
    find,
    #[cfg(test)]
    examples: tests::EXAMPLES,
};

const CODES: [u32; 2] = [50001, 500_011];

fn find(case: &Case<'_>) -> Option<Hit> {
    let refused = refused(case, &CODES)?;
    let mut hit = refused.failure(Certainty::Certain, refused.caller());
    if let Some(named) = named(&refused.said.words) {
        // What the issuer did not find, rather than what the request says.
        hit.names.retain(|(place, _)| *place != "resource");
        hit = hit.naming("resource", named);
    }
    Some(hit)
}

/// The resource as the issuer names it: "… named X was not found …".
fn named(words: &Clean) -> Option<Clean> {
    let (_, after) = words.as_str().split_once(" named ")?;
    let name =
        after.trim_start_matches(['\'', '"']).split([' ', '\'', '"', '\n']).next().filter(|name| !name.is_empty())?;
    Some(words.part(name))
}

#[cfg(test)]
mod tests {
    use crate::diagnosis::rules::kit::Example;
    use crate::diagnosis::{Actor, Certainty, Kind};

    pub(super) const EXAMPLES: &[Example] = &[
        Example::fires(
            "an API of nobody's",
            (Kind::Failure, Certainty::Certain, Actor::Client),
            &[token_error!(
                "grant_type=client_credentials&client_id=5a4b3c2d-0000-4000-8000-000000000a01&client_secret=x&\
                 scope=https%3A%2F%2Foutlook.office365.com%2FEWS.AccessAsUser.All" =>
                500_011: "The resource principal named api://mig-tool was not found in the tenant named Contoso."
            )],
        ),
        Example::fires(
            "an API of Microsoft's",
            (Kind::Failure, Certainty::Certain, Actor::Client),
            &[redirect_error!(50001: "The+application+named+https://reports.office365.com/ecp/reporting+was+not+foun\
                                        d+in+the+tenant+named+contoso.com.")],
        ),
        Example::silent(
            "the application that asks is not there",
            &[token_error!(700_016: "Application with identifier '5a4b3c2d-0000-4000-8000-000000000a12' was not \
                                       found in the directory 'Contoso'.")],
        ),
    ];
}
