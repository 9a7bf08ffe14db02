//! Entra asks for multifactor authentication, and what was sent cannot give it.
//!
//! Not to be confused with security defaults that block outright (`aad-security-defaults`), or with a policy that
//! refuses instead of asking (`aad-conditional-access`).

use crate::diagnosis::refusal::{GATE, refused};
use crate::diagnosis::{Actor, Case, Certainty, Hit, Kind, Rule};
use crate::text::Text;

pub(super) static RULE: Rule = Rule {
    id: "aad-mfa-required",
    title: Text { en: "Multifactor authentication is required", ja: "多要素認証が必要" },
    explanation: Text {
        en: "What was sent was right, and Entra ID wants a second factor, or wants one to be registered. \
             A person answers in a browser; a migration tool that sends a password, and any client with Basic \
             authentication, never can. With delegated access and an administrator's password the demand comes for \
             each mailbox. The demand may be that of Conditional Access, of per-user MFA or of security defaults.",
        ja: "送信された資格情報は正しく、第 2 要素またはその登録が求められています。ブラウザーで人が応答できますが\
             、パスワードを送る移行ツールや基本認証のクライアントは応答できません。管理者のパスワードによる委任アクセ\
             スでは、メールボックスごとに要求されます。要求元は条件付きアクセス、ユーザーごとの MFA、セキュリティの既\
             定値群のいずれかです。",
    },
    remedy: Text {
        en: "A person: sign in interactively and finish the second factor. A tool: app-only access (application \
             permission with admin consent), or exclude the one migration account from the policy that asks, for as \
             long as the migration lasts. Which policy asks:\n\
             Connect-MgGraph -Scopes AuditLog.Read.All,Policy.Read.All,Directory.Read.All\n\
             Get-MgAuditLogSignIn -Filter \"correlationId eq '{correlation}'\" | Select-Object -ExpandProperty \
             AppliedConditionalAccessPolicies | Format-Table DisplayName,Result,EnforcedGrantControls\n\
             Get-MgPolicyIdentitySecurityDefaultEnforcementPolicy | Format-List IsEnabled\n\
             With security defaults on, no exclusion is possible: see aad-security-defaults.",
        ja: "人の場合は、対話的にサインインして第 2 要素を完了します。ツールの場合は、アプリ専用アクセス (管理者の同意\
             を得たアプリケーションのアクセス許可) を使うか、移行の間だけ、要求しているポリシーから移行アカウントだけ\
             を除外します。要求しているポリシーは次のように確認します。\n\
             Connect-MgGraph -Scopes AuditLog.Read.All,Policy.Read.All,Directory.Read.All\n\
             Get-MgAuditLogSignIn -Filter \"correlationId eq '{correlation}'\" | Select-Object -ExpandProperty \
             AppliedConditionalAccessPolicies | Format-Table DisplayName,Result,EnforcedGrantControls\n\
             Get-MgPolicyIdentitySecurityDefaultEnforcementPolicy | Format-List IsEnabled\n\
             セキュリティの既定値群が有効な場合、除外はできません。aad-security-defaults を参照してください。",
    },
    sources: &[
        "https://learn.microsoft.com/en-us/entra/identity-platform/reference-error-codes",
        "https://learn.microsoft.com/en-us/entra/identity/authentication/concept-mfa-howitworks",
    ],
    kinds: &[Kind::Failure],
    certainties: &[Certainty::Certain],
    actors: &[Actor::User, Actor::Client, Actor::MigrationTool],
    gate: GATE,
    supersedes: &[],
    find,
    #[cfg(test)]
    examples: tests::EXAMPLES,
};

/// Asked for by policy or strength, or first to be registered; held back (53004); asked for and not given (500121).
const CODES: [u32; 7] = [50076, 50079, 50074, 50072, 50078, 53004, 500_121];

/// The user has to register first, as security defaults demand some days after they were switched on.
const ENROLL: [u32; 2] = [50072, 50079];

fn find(case: &Case<'_>) -> Option<Hit> {
    let refused = refused(case, &CODES)?;
    // A password can be sent by a program alone; a person would have met the page that asks.
    let actor = if refused.grant_is("password") { refused.caller() } else { Actor::User };
    let hit = refused.failure(Certainty::Certain, actor);
    Some(if refused.said.is_any(&ENROLL) { hit.or("aad-security-defaults") } else { hit })
}

#[cfg(test)]
mod tests {
    use crate::diagnosis::rules::kit::Example;
    use crate::diagnosis::{Actor, Certainty, Kind};

    pub(super) const EXAMPLES: &[Example] = &[
        Example::fires(
            "a tool sends a password",
            (Kind::Failure, Certainty::Certain, Actor::Client),
            &[token_error!(50076: "Due to a configuration change made by your administrator, you must use \
                                     multi-factor authentication to access '00000002-0000-0ff1-ce00-000000000000'.")],
        ),
        Example::fires(
            "a refresh token no longer suffices",
            (Kind::Failure, Certainty::Certain, Actor::User),
            &[token_error!(
                "grant_type=refresh_token&client_id=d3590ed6-52b3-4102-aeff-aad2292ab01c&refresh_token=x" =>
                50079: "The user is required to enroll in multi-factor authentication."
            )],
        ),
        Example::fires(
            "a silent sign-in is sent back",
            (Kind::Failure, Certainty::Certain, Actor::User),
            &[redirect_error!(50076: "You+must+use+multi-factor+authentication")],
        ),
        Example::silent(
            "security defaults block",
            &[token_error!(530_035: "Access has been blocked by security defaults.")],
        ),
        Example::silent(
            "a policy blocks",
            &[token_error!(53003: "Access has been blocked by Conditional Access policies.")],
        ),
    ];
}
