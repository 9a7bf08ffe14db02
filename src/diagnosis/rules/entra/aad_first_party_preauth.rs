//! An application id of Microsoft's own is used for a resource that it is not allowed for.
//!
//! Not to be confused with consent that somebody can give (`aad-consent-missing`).

use crate::diagnosis::refusal::{GATE, refused};
use crate::diagnosis::{Actor, Case, Certainty, Hit, Kind, Rule};
use crate::text::Text;

pub(super) static RULE: Rule = Rule {
    id: "aad-first-party-preauth",
    title: Text {
        en: "A Microsoft application id is used where it is not preauthorised",
        ja: "Microsoft のアプリケーション ID が事前承認されていないリソースに使われている",
    },
    explanation: Text {
        en: "The program calls itself an application of Microsoft's and asks for another API of Microsoft's. Between \
             those, Microsoft alone decides who may call whom; no administrator can consent. Scripts that borrow the \
             id of Outlook, Office or PowerShell meet this when they ask for a resource or scope that the borrowed \
             program never asks for.",
        ja: "プログラムが Microsoft 製アプリケーションの ID を名乗り、Microsoft の別の API を要求しています。この間の\
             許可は Microsoft だけが決めるもので、管理者は同意できません。Outlook、Office、PowerShell などの ID を流用\
             したスクリプトが、本来のプログラムが要求しないリソースやスコープを要求した場合に起こります。",
    },
    remedy: Text {
        en: "Register an application of your own, give it the permission for {resource} with admin consent, and use \
             its id:\n\
             Connect-MgGraph -Scopes Application.ReadWrite.All\n\
             New-MgApplication -DisplayName 'Migration' -SignInAudience AzureADMyOrg | Format-List Id,AppId\n\
             Whose id it is:\n\
             Get-MgServicePrincipal -Filter \"appId eq '{app}'\" | Format-List DisplayName,AppOwnerOrganizationId",
        ja: "独自のアプリケーションを登録し、{resource} のアクセス許可に管理者の同意を与えて、その ID を使います。\n\
             Connect-MgGraph -Scopes Application.ReadWrite.All\n\
             New-MgApplication -DisplayName 'Migration' -SignInAudience AzureADMyOrg | Format-List Id,AppId\n\
             ID の所有者は次のように確認します。\n\
             Get-MgServicePrincipal -Filter \"appId eq '{app}'\" | Format-List DisplayName,AppOwnerOrganizationId",
    },
    sources: &[
        "https://learn.microsoft.com/en-us/entra/identity-platform/reference-error-codes",
        "https://learn.microsoft.com/en-us/troubleshoot/entra/entra-id/governance/verify-first-party-apps-sign-in",
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

const CODES: [u32; 1] = [65002];

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
            "the id of Outlook for Graph",
            (Kind::Failure, Certainty::Certain, Actor::Client),
            &[page_error!(65002: "Consent between first party application 'd3590ed6-52b3-4102-aeff-aad2292ab01c' \
                                    and first party resource '00000003-0000-0000-c000-000000000000' must be \
                                    configured via preauthorization.")],
        ),
        Example::fires(
            "at the token endpoint",
            (Kind::Failure, Certainty::Certain, Actor::Client),
            &[token_error!(
                "grant_type=refresh_token&client_id=d3590ed6-52b3-4102-aeff-aad2292ab01c&refresh_token=x" =>
                65002: "Consent between first party application and first party resource must be configured via \
                        preauthorization."
            )],
        ),
        Example::silent(
            "somebody can consent",
            &[token_error!(65001: "The user or administrator has not consented to use the application.")],
        ),
    ];
}
