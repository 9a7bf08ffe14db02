//! Security defaults block the sign-in.
//!
//! Not to be confused with a demand for multifactor authentication that has another origin (`aad-mfa-required`).

use crate::diagnosis::refusal::{GATE, refused};
use crate::diagnosis::{Actor, Case, Certainty, Hit, Kind, Rule};
use crate::text::Text;

pub(super) static RULE: Rule = Rule {
    id: "aad-security-defaults",
    title: Text {
        en: "Security defaults block the sign-in",
        ja: "セキュリティの既定値群によりサインインがブロックされている",
    },
    explanation: Text {
        en: "The tenant has security defaults on, and they refuse this request: legacy protocols, passwords sent by a \
             tool, or a sign-in without the second factor that everybody must register (the former grace of 14 days is \
             gone in most tenants). They know no exclusions.",
        ja: "テナントでセキュリティの既定値群が有効になっており、この要求が拒否されました。レガシ プロトコル、ツールが\
             送るパスワード、全員に登録が求められる第 2 要素 (以前あった 14 日間の猶予は多くのテナントで廃止済み) のない\
             サインインが対象です。除外の設定はできません。",
    },
    remedy: Text {
        en: "In this order: give the tool app-only access (full_access_as_app, or what it supports); or replace \
             security defaults by Conditional Access (Entra ID P1) with an exclusion for the one migration account. \
             Only for a tool that can do nothing but delegated access, and as the last resort, switch them off for \
             the time of the migration and put them back:\n\
             Connect-MgGraph -Scopes Policy.Read.All,Policy.ReadWrite.SecurityDefaults\n\
             Get-MgPolicyIdentitySecurityDefaultEnforcementPolicy | Format-List IsEnabled\n\
             Update-MgPolicyIdentitySecurityDefaultEnforcementPolicy -IsEnabled:$false\n\
             Update-MgPolicyIdentitySecurityDefaultEnforcementPolicy -IsEnabled:$true",
        ja: "次の順に検討します。まずツールにアプリ専用アクセス (full_access_as_app など、ツールが対応するもの) を使い\
             ます。次に、セキュリティの既定値群の代わりに条件付きアクセス (Entra ID P1) を使い、移行アカウントだけを除\
             外します。委任アクセスしか使えないツールの場合に限り、最後の手段として移行の間だけ無効にし、終わったら元\
             に戻します。\n\
             Connect-MgGraph -Scopes Policy.Read.All,Policy.ReadWrite.SecurityDefaults\n\
             Get-MgPolicyIdentitySecurityDefaultEnforcementPolicy | Format-List IsEnabled\n\
             Update-MgPolicyIdentitySecurityDefaultEnforcementPolicy -IsEnabled:$false\n\
             Update-MgPolicyIdentitySecurityDefaultEnforcementPolicy -IsEnabled:$true",
    },
    sources: &[
        "https://learn.microsoft.com/en-us/entra/identity-platform/reference-error-codes",
        "https://learn.microsoft.com/en-us/entra/fundamentals/security-defaults",
    ],
    kinds: &[Kind::Failure],
    certainties: &[Certainty::Certain],
    actors: &[Actor::EntraAdmin],
    gate: GATE,
    supersedes: &["aad-mfa-required"],
    find,
    #[cfg(test)]
    examples: tests::EXAMPLES,
};

const CODES: [u32; 1] = [530_035];

fn find(case: &Case<'_>) -> Option<Hit> {
    Some(refused(case, &CODES)?.failure(Certainty::Certain, Actor::EntraAdmin))
}

#[cfg(test)]
mod tests {
    use crate::diagnosis::rules::kit::Example;
    use crate::diagnosis::{Actor, Certainty, Kind};

    pub(super) const EXAMPLES: &[Example] = &[
        Example::fires(
            "a tool sends a password",
            (Kind::Failure, Certainty::Certain, Actor::EntraAdmin),
            &[token_error!(530_035: "Access has been blocked by security defaults. The request is deemed unsafe by \
                                       security defaults policies.")],
        ),
        Example::fires(
            "the page says so",
            (Kind::Failure, Certainty::Certain, Actor::EntraAdmin),
            &[page_error!(530_035: "Access has been blocked by security defaults.")],
        ),
        Example::silent(
            "a second factor is asked for, whoever asks",
            &[token_error!(50079: "The user is required to enroll in multi-factor authentication.")],
        ),
    ];
}
