//! The application may not make on-behalf-of calls.
//!
//! Not to be confused with a grant that is wrong in itself (`aad-grant-invalid`).

use crate::diagnosis::refusal::{GATE, refused};
use crate::diagnosis::{Actor, Case, Certainty, Hit, Kind, Rule};
use crate::text::Text;

pub(super) static RULE: Rule = Rule {
    id: "aad-obo-not-allowed",
    title: Text {
        en: "The application may not call on behalf of users",
        ja: "アプリケーションによる代理 (on-behalf-of) 呼び出しが許可されていない",
    },
    explanation: Text {
        en: "A service wanted to exchange the token that it was called with for one to another API, and Entra ID does \
             not allow this application to. That holds for applications that have their keys from Microsoft, or are \
             registered for personal accounts.",
        ja: "サービスが、呼び出し時に受け取ったトークンを別の API のトークンと交換しようとしましたが、このアプリケーシ\
             ョンには許可されていません。Microsoft が管理するアプリケーションや、個人アカウント用に登録されたアプリケ\
             ーションが該当します。",
    },
    remedy: Text {
        en: "Use an application of your own that is registered for work accounts as the middle tier, whose id is the \
             audience of the incoming token:\n\
             Connect-MgGraph -TenantId '{tenant}' -Scopes Application.Read.All\n\
             Get-MgApplication -Filter \"appId eq '{app}'\" | Format-List DisplayName,SignInAudience\n\
             A migration tool or service: ask its vendor, or use application permissions.",
        ja: "職場アカウント用に登録した独自のアプリケーションを中間層に使い、受け取るトークンの宛先をその ID にします\
             。\n\
             Connect-MgGraph -TenantId '{tenant}' -Scopes Application.Read.All\n\
             Get-MgApplication -Filter \"appId eq '{app}'\" | Format-List DisplayName,SignInAudience\n\
             移行ツールやサービスの場合は、ベンダーに問い合わせるか、アプリケーションのアクセス許可を使います。",
    },
    sources: &[
        "https://learn.microsoft.com/en-us/entra/identity-platform/reference-error-codes",
        "https://learn.microsoft.com/en-us/entra/identity-platform/v2-oauth2-on-behalf-of-flow",
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

const CODES: [u32; 1] = [7_000_114];

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
            "a middle tier is refused",
            (Kind::Failure, Certainty::Certain, Actor::Client),
            &[token_error!(
                "grant_type=urn%3Aietf%3Aparams%3Aoauth%3Agrant-type%3Ajwt-bearer&\
                 requested_token_use=on_behalf_of&assertion=x" =>
                7_000_114: "Application '5a4b3c2d-0000-4000-8000-000000000a14' is not allowed to make application \
                            on-behalf-of calls."
            )],
        ),
        Example::silent(
            "the assertion is wrong",
            &[token_error!(
                "grant_type=urn%3Aietf%3Aparams%3Aoauth%3Agrant-type%3Ajwt-bearer&\
                 requested_token_use=on_behalf_of&assertion=x" =>
                500_133: "Assertion is not within its valid time range."
            )],
        ),
    ];
}
