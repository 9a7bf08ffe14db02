//! The scope or resource is not written as Entra wants it.
//!
//! Not to be confused with a resource that does not exist (`aad-resource-not-found`) or a permission without consent
//! (`aad-consent-missing`).

use crate::diagnosis::refusal::{GATE, refused};
use crate::diagnosis::{Actor, Case, Certainty, Hit, Kind, Rule};
use crate::text::Text;

pub(super) static RULE: Rule = Rule {
    id: "aad-scope-invalid",
    title: Text { en: "The scope is not valid", ja: "スコープが無効" },
    explanation: Text {
        en: "The scope asked for is {scope}. Entra ID takes scopes of one resource at a time; an application that \
             signs in as itself (client_credentials) must ask for the resource's /.default and nothing else, and what \
             a registration does not list cannot be asked for by name.",
        ja: "要求されたスコープは {scope} です。Entra ID では 1 回の要求に 1 つのリソースのスコープしか指定できません\
             。アプリケーション自身としてのサインイン (client_credentials) では、リソースの /.default だけを指定する必\
             要があります。登録にないアクセス許可を名前で要求することもできません。",
    },
    remedy: Text {
        en: "EWS, IMAP and POP in Exchange Online: https://outlook.office365.com/.default; Graph: \
             https://graph.microsoft.com/.default; on-premises Exchange: https://<host>/.default. Delegated access \
             asks for the permission itself, as https://outlook.office365.com/EWS.AccessAsUser.All. The parameter \
             resource= belongs to /oauth2/token, scope= to /oauth2/v2.0/token. What the application is registered for:\n\
             Connect-MgGraph -TenantId '{tenant}' -Scopes Application.Read.All\n\
             (Get-MgApplication -Filter \"appId eq '{app}'\").RequiredResourceAccess | ConvertTo-Json -Depth 4",
        ja: "Exchange Online の EWS、IMAP、POP では https://outlook.office365.com/.default、Graph では \
             https://graph.microsoft.com/.default、オンプレミスの Exchange では https://<ホスト>/.default を指定します\
             。委任アクセスでは https://outlook.office365.com/EWS.AccessAsUser.All のようにアクセス許可そのものを指定\
             します。resource= は /oauth2/token 用、scope= は /oauth2/v2.0/token 用です。アプリの登録内容は次のように\
             確認します。\n\
             Connect-MgGraph -TenantId '{tenant}' -Scopes Application.Read.All\n\
             (Get-MgApplication -Filter \"appId eq '{app}'\").RequiredResourceAccess | ConvertTo-Json -Depth 4",
    },
    sources: &[
        "https://learn.microsoft.com/en-us/entra/identity-platform/reference-error-codes",
        "https://learn.microsoft.com/en-us/entra/identity-platform/scopes-oidc",
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

const CODES: [u32; 6] = [70011, 28002, 28003, 1_002_012, 65005, 650_053];

fn find(case: &Case<'_>) -> Option<Hit> {
    let refused = refused(case, &CODES)?;
    Some(refused.failure(Certainty::Certain, refused.caller()))
}

#[cfg(test)]
mod tests {
    use crate::diagnosis::rules::kit::Example;
    use crate::diagnosis::{Actor, Certainty, Kind};

    pub(super) const EXAMPLES: &[Example] = &[
        Example::fires(
            "client_credentials with a delegated permission",
            (Kind::Failure, Certainty::Certain, Actor::Client),
            &[token_error!(
                "grant_type=client_credentials&client_id=5a4b3c2d-0000-4000-8000-000000000a01&client_secret=x&\
                 scope=https%3A%2F%2Foutlook.office365.com%2FEWS.AccessAsUser.All" =>
                1_002_012: "The provided value for scope https://outlook.office365.com/EWS.AccessAsUser.All is \
                            not valid. Client credential flows must have a scope value with /.default suffixed to \
                            the resource identifier."
            )],
        ),
        Example::fires(
            "scopes of two resources",
            (Kind::Failure, Certainty::Certain, Actor::Client),
            &[token_error!(
                "grant_type=refresh_token&client_id=d3590ed6-52b3-4102-aeff-aad2292ab01c&refresh_token=x" =>
                70011: "The provided request must include a 'scope' input parameter. The provided value for the \
                        input parameter 'scope' is not valid."
            )],
        ),
        Example::fires(
            "the sign-in page says so",
            (Kind::Failure, Certainty::Certain, Actor::Client),
            &[page_error!(28003: "Provided value for the input parameter scope can't be empty.")],
        ),
        Example::silent(
            "the resource does not exist",
            &[token_error!(
                "grant_type=client_credentials&client_id=5a4b3c2d-0000-4000-8000-000000000a01&client_secret=x&\
                 scope=https%3A%2F%2Foutlook.office365.com%2FEWS.AccessAsUser.All" =>
                500_011: "The resource principal named api://mig-tool was not found in the tenant named Contoso."
            )],
        ),
    ];
}
