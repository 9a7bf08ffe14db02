//! The endpoint does not fit the accounts that the application is registered for: /common for an application of one
//! tenant.
//!
//! Not to be confused with an application that the tenant does not know (`aad-app-not-found`).

use crate::diagnosis::refusal::{GATE, refused};
use crate::diagnosis::{Actor, Case, Certainty, Hit, Kind, Rule};
use crate::text::Text;

pub(super) static RULE: Rule = Rule {
    id: "aad-not-multitenant",
    title: Text {
        en: "The endpoint does not fit the application's account types",
        ja: "エンドポイントがアプリケーションの対象アカウントと合っていない",
    },
    explanation: Text {
        en: "The program asked at /common, /organizations or /consumers, and the application {app} is registered for \
             the accounts of one tenant, or the grant needs a tenant by name.",
        ja: "プログラムは /common、/organizations または /consumers に要求しましたが、アプリケーション {app} は単一テ\
             ナントのアカウント用に登録されているか、この許可の種類ではテナントの指定が必要です。",
    },
    remedy: Text {
        en: "Put the tenant into the authority that the program uses (https://login.microsoftonline.com/<tenant id>; \
             in MigrationWiz the advanced options ModernAuthTenantIdImport and ModernAuthTenantIdExport), or register \
             the application for several tenants:\n\
             Connect-MgGraph -Scopes Application.ReadWrite.All\n\
             $app = Get-MgApplication -Filter \"appId eq '{app}'\"\n\
             $app | Format-List DisplayName,SignInAudience\n\
             Update-MgApplication -ApplicationId $app.Id -SignInAudience AzureADMultipleOrgs",
        ja: "プログラムの認証局にテナントを指定するか (https://login.microsoftonline.com/<テナント ID>。MigrationWiz \
             では詳細オプション ModernAuthTenantIdImport と ModernAuthTenantIdExport)、アプリケーションをマルチテナン\
             トにします。\n\
             Connect-MgGraph -Scopes Application.ReadWrite.All\n\
             $app = Get-MgApplication -Filter \"appId eq '{app}'\"\n\
             $app | Format-List DisplayName,SignInAudience\n\
             Update-MgApplication -ApplicationId $app.Id -SignInAudience AzureADMultipleOrgs",
    },
    sources: &[
        "https://learn.microsoft.com/en-us/entra/identity-platform/reference-error-codes",
        "https://learn.microsoft.com/en-us/entra/identity-platform/howto-convert-app-to-be-multi-tenant",
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

const CODES: [u32; 3] = [50194, 9_001_023, 9_002_332];

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
            "an application of one tenant at /common",
            (Kind::Failure, Certainty::Certain, Actor::Client),
            &[page_error!(50194: "Application '5a4b3c2d-0000-4000-8000-000000000a16'(MigTool) is not configured as \
                                    a multi-tenant application.")],
        ),
        Example::fires(
            "a password at /common",
            (Kind::Failure, Certainty::Certain, Actor::Client),
            &[token_error!(9_001_023: "The grant type is not supported over the /common or /consumers endpoints. \
                                         Please use the /organizations or tenant-specific endpoint.")],
        ),
        Example::silent(
            "the tenant does not know it",
            &[token_error!(700_016: "Application with identifier '5a4b3c2d-0000-4000-8000-000000000a12' was not \
                                       found.")],
        ),
    ];
}
