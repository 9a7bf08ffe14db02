//! A Conditional Access policy refuses, or asks for what the client cannot give: a device, an app, a place.
//!
//! Not to be confused with the demand for a second factor alone (`aad-mfa-required`), security defaults
//! (`aad-security-defaults`), or restrictions between tenants (`tenant-restrictions`).

use crate::diagnosis::refusal::{GATE, refused};
use crate::diagnosis::{Actor, Case, Certainty, Hit, Kind, Rule};
use crate::text::Text;

pub(super) static RULE: Rule = Rule {
    id: "aad-conditional-access",
    title: Text {
        en: "A Conditional Access policy blocks the sign-in",
        ja: "条件付きアクセス ポリシーによりサインインがブロックされている",
    },
    explanation: Text {
        en: "The credentials were right, and a policy of the tenant does not give the token: a blocked place or \
             client, a device that is not managed, joined or compliant, an app that is not approved. Where the answer \
             holds claims, the client may come back with them and be asked for more; one that sends a password \
             cannot.",
        ja: "資格情報は正しいものの、テナントのポリシーによりトークンが発行されませんでした。許可されていない場所やク\
             ライアント、管理・参加・準拠していないデバイス、承認されていないアプリなどが原因です。応答に claims が含\
             まれる場合、クライアントはそれを付けて再要求できますが、パスワードを送るだけのクライアントにはできません\
             。",
    },
    remedy: Text {
        en: "Find the policy by the correlation id, then change it or exclude the one account; a migration tool is \
             best served by app-only access, to which user policies do not apply:\n\
             Connect-MgGraph -Scopes AuditLog.Read.All,Policy.Read.All,Directory.Read.All\n\
             Get-MgAuditLogSignIn -Filter \"correlationId eq '{correlation}'\" | Select-Object -ExpandProperty \
             AppliedConditionalAccessPolicies | Where-Object Result -eq 'failure' | Format-Table \
             DisplayName,EnforcedGrantControls\n\
             Get-MgIdentityConditionalAccessPolicy -All | Where-Object State -eq 'enabled' | Format-Table \
             Id,DisplayName\n\
             The log in the Entra admin center shows the same (Sign-in logs, non-interactive ones too, tab \
             Conditional Access).",
        ja: "相関 ID でポリシーを特定し、ポリシーを変更するか、そのアカウントだけを除外します。移行ツールには、ユーザ\
             ー向けポリシーが適用されないアプリ専用アクセスが適しています。\n\
             Connect-MgGraph -Scopes AuditLog.Read.All,Policy.Read.All,Directory.Read.All\n\
             Get-MgAuditLogSignIn -Filter \"correlationId eq '{correlation}'\" | Select-Object -ExpandProperty \
             AppliedConditionalAccessPolicies | Where-Object Result -eq 'failure' | Format-Table \
             DisplayName,EnforcedGrantControls\n\
             Get-MgIdentityConditionalAccessPolicy -All | Where-Object State -eq 'enabled' | Format-Table \
             Id,DisplayName\n\
             Entra 管理センターのサインイン ログ (非対話型も確認) の [条件付きアクセス] タブでも確認できます。",
    },
    sources: &[
        "https://learn.microsoft.com/en-us/entra/identity-platform/reference-error-codes",
        "https://learn.microsoft.com/en-us/entra/identity/conditional-access/troubleshoot-conditional-access",
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

/// Blocked; device not managed, compliant or joined; external challenge; app not approved or protected; location; token
/// protection.
const CODES: [u32; 15] = [
    53003, 53000, 53001, 53002, 50158, 50131, 50005, 53009, 53011, 530_021, 530_031, 530_032, 530_034, 530_084, 530_003,
];

fn find(case: &Case<'_>) -> Option<Hit> {
    Some(refused(case, &CODES)?.failure(Certainty::Certain, Actor::EntraAdmin))
}

#[cfg(test)]
mod tests {
    use crate::diagnosis::rules::kit::Example;
    use crate::diagnosis::{Actor, Certainty, Kind};

    pub(super) const EXAMPLES: &[Example] = &[
        Example::fires(
            "a policy blocks a tool",
            (Kind::Failure, Certainty::Certain, Actor::EntraAdmin),
            &[token_error!(53003: "Access has been blocked by Conditional Access policies. The access policy does \
                                     not allow token issuance.")],
        ),
        Example::fires(
            "the device must be managed",
            (Kind::Failure, Certainty::Certain, Actor::EntraAdmin),
            &[page_error!(53000: "Your device is required to be managed to access this resource.")],
        ),
        Example::fires(
            "a redirect asks for an external challenge",
            (Kind::Failure, Certainty::Certain, Actor::EntraAdmin),
            &[redirect_error!(50158: "External+security+challenge+was+not+satisfied.")],
        ),
        Example::silent(
            "a second factor is asked for",
            &[token_error!(50076: "You must use multi-factor authentication.")],
        ),
        Example::silent(
            "the other tenant is not allowed",
            &[token_error!(500_021: "Access to 'Fabrikam' tenant is denied.")],
        ),
    ];
}
