//! The tenant that was asked does not exist, or none was named.
//!
//! Not to be confused with a user or an application that the tenant does not have (`aad-user-not-found`,
//! `aad-app-not-found`), or a tenant that Exchange does not know (`tenant-unknown`).

use crate::diagnosis::refusal::{GATE, refused};
use crate::diagnosis::{Actor, Case, Certainty, Hit, Kind, Rule};
use crate::text::Text;

pub(super) static RULE: Rule = Rule {
    id: "aad-tenant-not-found",
    title: Text {
        en: "The tenant does not exist or was not named", ja: "テナントが存在しないか、指定されていない"
    },
    explanation: Text {
        en: "Entra ID cannot tell which tenant is meant: its domain or id is misspelt, the domain is not verified \
             anywhere, the tenant lives in another cloud (government, China), or the request came to /common without \
             a user who would show it.",
        ja: "どのテナントかを判別できません。ドメイン名や ID の誤り、未確認のドメイン、別のクラウド (政府機関、中国) \
             のテナント、または /common への要求でユーザーからテナントを判別できなかったことが原因です。",
    },
    remedy: Text {
        en: "See whether the tenant is there and in which cloud (tenant_region_sub_scope), and put its id into the \
             program:\n\
             Invoke-RestMethod 'https://login.microsoftonline.com/{tenant}/v2.0/.well-known/openid-configuration' | \
             Format-List issuer,tenant_region_scope,tenant_region_sub_scope,cloud_instance_name\n\
             Clouds have hosts of their own: login.microsoftonline.us for GCC High and DoD, \
             login.partner.microsoftonline.cn for China. An application that signs in as itself always needs the \
             tenant in the path.",
        ja: "テナントの有無とクラウド (tenant_region_sub_scope) を確認し、その ID をプログラムに設定します。\n\
             Invoke-RestMethod 'https://login.microsoftonline.com/{tenant}/v2.0/.well-known/openid-configuration' | \
             Format-List issuer,tenant_region_scope,tenant_region_sub_scope,cloud_instance_name\n\
             クラウドごとにホストが異なります (GCC High と DoD は login.microsoftonline.us、中国は \
             login.partner.microsoftonline.cn)。アプリケーション自身としてのサインインでは、パスにテナントが必要です\
             。",
    },
    sources: &[
        "https://learn.microsoft.com/en-us/entra/identity-platform/reference-error-codes",
        "https://learn.microsoft.com/en-us/entra/identity-platform/authentication-national-cloud",
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

const CODES: [u32; 7] = [90002, 50128, 50059, 90019, 900_382, 90038, 900_023];

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
            "the domain is misspelt",
            (Kind::Failure, Certainty::Certain, Actor::Client),
            &[token_error!(90002: "Tenant 'contosso.com' not found. Check to make sure you have the correct tenant \
                                     ID and are signing into the correct cloud.")],
        ),
        Example::fires(
            "the tenant lives in another cloud",
            (Kind::Failure, Certainty::Certain, Actor::Client),
            &[token_error!(
                "grant_type=client_credentials&client_id=5a4b3c2d-0000-4000-8000-000000000a01&client_secret=x&\
                 scope=https%3A%2F%2Foutlook.office365.com%2FEWS.AccessAsUser.All" =>
                900_382: "Confidential Client is not supported in Cross Cloud request."
            )],
        ),
        Example::fires(
            "nothing names the tenant",
            (Kind::Failure, Certainty::Certain, Actor::Client),
            &[page_error!(50059: "No tenant-identifying information found in either the request or implied by any \
                                    provided credentials.")],
        ),
        Example::silent(
            "the user is not in the tenant",
            &[token_error!(50034: "The user account does not exist in the contoso.com directory.")],
        ),
    ];
}
