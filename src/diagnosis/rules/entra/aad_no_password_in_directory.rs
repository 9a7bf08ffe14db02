//! Entra has no password for the user, so none can be right.
//!
//! Not to be confused with a wrong password (`aad-bad-password`).

use crate::diagnosis::refusal::{GATE, refused};
use crate::diagnosis::{Actor, Case, Certainty, Hit, Kind, Rule};
use crate::text::Text;

pub(super) static RULE: Rule = Rule {
    id: "aad-no-password-in-directory",
    title: Text {
        en: "The account has no password in Entra ID", ja: "アカウントのパスワードが Entra ID に存在しない"
    },
    explanation: Text {
        en: "A password was sent to Entra ID for a user of whom it keeps none: the domain is federated, or password \
             hash synchronisation is off or has not reached this user. On the sign-in page such a user is sent to the \
             federation server; a tool that sends the password straight to Entra ID cannot be let in.",
        ja: "Entra ID がパスワードを保持していないユーザーのパスワードが送信されました。ドメインがフェデレーションされ\
             ているか、パスワード ハッシュ同期が無効またはこのユーザーに未反映です。サインイン ページであればフェデレ\
             ーション サーバーに転送されますが、パスワードを直接 Entra ID に送るツールはサインインできません。",
    },
    remedy: Text {
        en: "Switch on password hash synchronisation in Entra Connect and wait for a cycle, or use a cloud account \
             (onmicrosoft.com) or app-only access for the tool:\n\
             Connect-MgGraph -Scopes Domain.Read.All,User.Read.All\n\
             Get-MgDomain | Format-Table Id,AuthenticationType\n\
             Get-MgUser -UserId '{user}' -Property OnPremisesSyncEnabled,LastPasswordChangeDateTime | Format-List \
             OnPremises*,LastPassword*\n\
             On the Entra Connect server:\n\
             Get-ADSyncAADPasswordSyncConfiguration -SourceConnector '<AD connector>'",
        ja: "Entra Connect でパスワード ハッシュ同期を有効にして同期を待つか、ツールにクラウド アカウント \
             (onmicrosoft.com) またはアプリ専用アクセスを使います。\n\
             Connect-MgGraph -Scopes Domain.Read.All,User.Read.All\n\
             Get-MgDomain | Format-Table Id,AuthenticationType\n\
             Get-MgUser -UserId '{user}' -Property OnPremisesSyncEnabled,LastPasswordChangeDateTime | Format-List \
             OnPremises*,LastPassword*\n\
             Entra Connect サーバーでは次を確認します。\n\
             Get-ADSyncAADPasswordSyncConfiguration -SourceConnector '<AD connector>'",
    },
    sources: &[
        "https://learn.microsoft.com/en-us/entra/identity-platform/reference-error-codes",
        "https://learn.microsoft.com/en-us/entra/identity/hybrid/connect/how-to-connect-password-hash-synchronization",
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

const CODES: [u32; 1] = [50056];

fn find(case: &Case<'_>) -> Option<Hit> {
    Some(refused(case, &CODES)?.failure(Certainty::Certain, Actor::EntraAdmin))
}

#[cfg(test)]
mod tests {
    use crate::diagnosis::rules::kit::Example;
    use crate::diagnosis::{Actor, Certainty, Kind};

    pub(super) const EXAMPLES: &[Example] = &[
        Example::fires(
            "the password grant of a federated user",
            (Kind::Failure, Certainty::Certain, Actor::EntraAdmin),
            &[token_error!(50056: "Invalid or null password: password does not exist in the directory for this user.")],
        ),
        Example::fires(
            "an old wrapper before it",
            (Kind::Failure, Certainty::Certain, Actor::EntraAdmin),
            &[token_error!(70002: "Error validating credentials. AADSTS50056: Invalid or null password.")],
        ),
        Example::silent(
            "the password is wrong",
            &[token_error!(50126: "Error validating credentials due to invalid username or password.")],
        ),
    ];
}
