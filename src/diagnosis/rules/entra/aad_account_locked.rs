//! Entra blocks the sign-in because of too many wrong attempts, or because of the address it comes from.
//!
//! Not to be confused with an account that an administrator disabled (`aad-account-disabled`) or a policy that blocks
//! (`aad-conditional-access`).

use crate::diagnosis::refusal::{GATE, refused};
use crate::diagnosis::{Actor, Case, Certainty, Hit, Kind, Rule};
use crate::text::Text;

pub(super) static RULE: Rule = Rule {
    id: "aad-account-locked",
    title: Text {
        en: "The account or the address is locked after wrong attempts",
        ja: "誤ったサインインの繰り返しによりアカウントまたは IP アドレスがロックされている",
    },
    explanation: Text {
        en: "Smart lockout: after ten wrong passwords (by default) Entra ID refuses the account for a minute, then \
             longer each time, even with the right password. The same number comes when the address of the client is \
             known for attacks. Often an old device or a job still sends the former password.",
        ja: "スマート ロックアウトです。既定では 10 回の誤りでアカウントが 1 分間拒否され、繰り返すたびに長くなります\
             。この間は正しいパスワードでも拒否されます。クライアントの IP アドレスが攻撃元とみなされた場合も同じ番号\
             になります。古い端末やジョブが以前のパスワードを送り続けていることがよくあります。",
    },
    remedy: Text {
        en: "Stop what sends the wrong password, then wait; a self-service reset of the password unlocks at once. Who \
             sends it:\n\
             Connect-MgGraph -Scopes AuditLog.Read.All,Directory.Read.All\n\
             Get-MgAuditLogSignIn -Filter \"userPrincipalName eq '{user}' and status/errorCode eq 50126\" -Top 50 | \
             Format-Table CreatedDateTime,IPAddress,AppDisplayName,ClientAppUsed\n\
             Get-MgAuditLogSignIn -Filter \"correlationId eq '{correlation}'\" | Format-List IPAddress,Status\n\
             If the address is blamed, sign in from another one; with pass-through or federated sign-in look at the \
             lockout of Active Directory, too.",
        ja: "誤ったパスワードを送っている端末やジョブを止めてから待ちます。セルフサービスでパスワードをリセットすると\
             、すぐに解除されます。送信元は次のように確認します。\n\
             Connect-MgGraph -Scopes AuditLog.Read.All,Directory.Read.All\n\
             Get-MgAuditLogSignIn -Filter \"userPrincipalName eq '{user}' and status/errorCode eq 50126\" -Top 50 | \
             Format-Table CreatedDateTime,IPAddress,AppDisplayName,ClientAppUsed\n\
             Get-MgAuditLogSignIn -Filter \"correlationId eq '{correlation}'\" | Format-List IPAddress,Status\n\
             IP アドレスが原因であれば、別のアドレスからサインインします。パススルー認証やフェデレーションでは、\
             Active Directory のロックアウトも確認します。",
    },
    sources: &[
        "https://learn.microsoft.com/en-us/entra/identity-platform/reference-error-codes",
        "https://learn.microsoft.com/en-us/entra/identity/authentication/howto-password-smart-lockout",
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

const CODES: [u32; 1] = [50053];

fn find(case: &Case<'_>) -> Option<Hit> {
    Some(refused(case, &CODES)?.failure(Certainty::Certain, Actor::EntraAdmin))
}

#[cfg(test)]
mod tests {
    use crate::diagnosis::rules::kit::Example;
    use crate::diagnosis::{Actor, Certainty, Kind};

    pub(super) const EXAMPLES: &[Example] = &[
        Example::fires(
            "smart lockout",
            (Kind::Failure, Certainty::Certain, Actor::EntraAdmin),
            &[token_error!(50053: "The account is locked, you've tried to sign in too many times with an incorrect \
                                     user ID or password.")],
        ),
        Example::fires(
            "the address is known for attacks",
            (Kind::Failure, Certainty::Certain, Actor::EntraAdmin),
            &[page_error!(50053: "Sign-in was blocked because it came from an IP address with malicious activity.")],
        ),
        Example::silent("the account is disabled", &[token_error!(50057: "The user account is disabled.")]),
        Example::silent(
            "a policy blocks",
            &[token_error!(53003: "Access has been blocked by Conditional Access policies.")],
        ),
    ];
}
