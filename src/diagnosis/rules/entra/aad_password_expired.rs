//! The password is right and no longer valid: it expired, or must be changed at the first sign-in.
//!
//! Not to be confused with a wrong password (`aad-bad-password`), or with tokens that ended because the password was
//! changed (`aad-grant-revoked`).

use crate::diagnosis::refusal::{GATE, Refused};
use crate::diagnosis::{Actor, Case, Certainty, Hit, Kind, Rule};
use crate::text::Text;

pub(super) static RULE: Rule = Rule {
    id: "aad-password-expired",
    title: Text {
        en: "The password has expired or must be changed", ja: "パスワードの有効期限切れ、または変更が必要"
    },
    explanation: Text {
        en: "Entra ID accepts the password and demands a new one first: it expired, or an administrator set a \
             temporary one. A person sees the page that asks for it; a migration tool or service cannot answer and \
             gets this refusal instead, for every mailbox it opens with the account.",
        ja: "パスワードは正しいものの、先に変更が求められています。有効期限が切れたか、管理者が一時パスワードを設定し\
             たためです。人がサインインすれば変更画面が表示されますが、移行ツールやサービスは応答できず、このアカウン\
             トで開くすべてのメールボックスで拒否されます。",
    },
    remedy: Text {
        en: "Sign in at https://myaccount.microsoft.com as this user, change the password, and give the new one to \
             the tool. For an account that only a tool uses, let the password not expire (better: app-only access):\n\
             Connect-MgGraph -Scopes User.ReadWrite.All\n\
             Get-MgUser -UserId '{user}' -Property PasswordPolicies,LastPasswordChangeDateTime | Format-List \
             Password*,LastPassword*\n\
             Update-MgUser -UserId '{user}' -PasswordPolicies DisablePasswordExpiration\n\
             A password mastered in Active Directory is changed there.",
        ja: "このユーザーで https://myaccount.microsoft.com にサインインしてパスワードを変更し、新しいパスワードをツー\
             ルに設定します。ツール専用のアカウントは、パスワードを無期限にします (アプリ専用アクセスの方が適切です)。\n\
             Connect-MgGraph -Scopes User.ReadWrite.All\n\
             Get-MgUser -UserId '{user}' -Property PasswordPolicies,LastPasswordChangeDateTime | Format-List \
             Password*,LastPassword*\n\
             Update-MgUser -UserId '{user}' -PasswordPolicies DisablePasswordExpiration\n\
             Active Directory で管理しているパスワードは、そちらで変更します。",
    },
    sources: &[
        "https://learn.microsoft.com/en-us/entra/identity-platform/reference-error-codes",
        "https://learn.microsoft.com/en-us/microsoft-365/admin/add-users/set-password-to-never-expire",
    ],
    kinds: &[Kind::Failure],
    certainties: &[Certainty::Certain],
    actors: &[Actor::User],
    gate: GATE,
    supersedes: &["aad-bad-password"],
    find,
    #[cfg(test)]
    examples: tests::EXAMPLES,
};

const CODES: [u32; 3] = [50055, 50144, 50135];

fn find(case: &Case<'_>) -> Option<Hit> {
    let refused = Refused::of(case)?;
    let expired = refused.said.is_any(&CODES) || refused.said.suberror == "user_password_expired";
    expired.then(|| refused.failure(Certainty::Certain, Actor::User))
}

#[cfg(test)]
mod tests {
    use crate::diagnosis::rules::kit::{Example, Raw};
    use crate::diagnosis::{Actor, Certainty, Kind};

    pub(super) const EXAMPLES: &[Example] = &[
        Example::fires(
            "the password grant is refused",
            (Kind::Failure, Certainty::Certain, Actor::User),
            &[token_error!(50055: "The password is expired.")],
        ),
        Example::fires(
            "a sign-in page asks for a change",
            (Kind::Failure, Certainty::Certain, Actor::User),
            &[page_error!(50144: "User's Active Directory password has expired.")],
        ),
        Example::fires(
            "the sub-error tells more than the number",
            (Kind::Failure, Certainty::Certain, Actor::User),
            &[Raw::new(
                "POST https://login.microsoftonline.com/contoso.com/oauth2/v2.0/token",
                "400\nContent-Type: application/json\n\n{\"error\":\"invalid_grant\",\
                 \"error_description\":\"AADSTS70002: Error validating credentials.\",\
                 \"suberror\":\"user_password_expired\"}",
            )],
        ),
        Example::silent(
            "the password is wrong",
            &[token_error!(50126: "Error validating credentials due to invalid username or password.")],
        ),
        Example::silent(
            "the password was changed, and the tokens end",
            &[token_error!(
                "grant_type=refresh_token&refresh_token=x" =>
                50173: "The provided grant has expired due to it being revoked."
            )],
        ),
    ];
}
