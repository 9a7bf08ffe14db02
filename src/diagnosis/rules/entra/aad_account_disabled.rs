//! The account is blocked in Entra.
//!
//! Not to be confused with a lockout that passes by itself (`aad-account-locked`), or with a disabled application
//! (`aad-app-disabled`).

use crate::diagnosis::refusal::{GATE, refused};
use crate::diagnosis::{Actor, Case, Certainty, Hit, Kind, Rule};
use crate::text::Text;

pub(super) static RULE: Rule = Rule {
    id: "aad-account-disabled",
    title: Text {
        en: "The account is disabled in Entra ID", ja: "アカウントが Entra ID で無効になっている"
    },
    explanation: Text {
        en: "Sign-in is blocked for this account. That is so for people who left, for shared and resource mailboxes \
             (on purpose), and for accounts that were disabled in Active Directory and synchronised. A mailbox or \
             OneDrive whose owner is blocked can still be reached by an administrator or by app-only access.",
        ja: "このアカウントはサインインがブロックされています。退職者、共有メールボックスやリソース メールボックス (意\
             図的なブロック)、Active Directory で無効にされて同期されたアカウントが該当します。所有者がブロックされて\
             いても、メールボックスや OneDrive には管理者またはアプリ専用アクセスで到達できます。",
    },
    remedy: Text {
        en: "If the account is meant to work, enable it where it is mastered:\n\
             Connect-MgGraph -Scopes User.ReadWrite.All\n\
             Get-MgUser -UserId '{user}' -Property AccountEnabled,OnPremisesSyncEnabled | Format-List \
             AccountEnabled,OnPremisesSyncEnabled\n\
             Update-MgUser -UserId '{user}' -AccountEnabled:$true\n\
             A synchronised one in Active Directory, then let Entra Connect run:\n\
             Enable-ADAccount -Identity '<sAMAccountName>'\n\
             Start-ADSyncSyncCycle -PolicyType Delta\n\
             If it is not, let the migration tool open the mailbox with another account or app-only.",
        ja: "使うべきアカウントであれば、管理元で有効にします。\n\
             Connect-MgGraph -Scopes User.ReadWrite.All\n\
             Get-MgUser -UserId '{user}' -Property AccountEnabled,OnPremisesSyncEnabled | Format-List \
             AccountEnabled,OnPremisesSyncEnabled\n\
             Update-MgUser -UserId '{user}' -AccountEnabled:$true\n\
             同期されたアカウントは Active Directory で有効にし、Entra Connect で同期します。\n\
             Enable-ADAccount -Identity '<sAMAccountName>'\n\
             Start-ADSyncSyncCycle -PolicyType Delta\n\
             無効のままにするアカウントの場合は、移行ツールから別のアカウントまたはアプリ専用アクセスでメールボックス\
             を開きます。",
    },
    sources: &[
        "https://learn.microsoft.com/en-us/entra/identity-platform/reference-error-codes",
        "https://learn.microsoft.com/en-us/powershell/module/microsoft.graph.users/update-mguser",
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

/// The user, and a guest.
const CODES: [u32; 2] = [50057, 500_571];

fn find(case: &Case<'_>) -> Option<Hit> {
    Some(refused(case, &CODES)?.failure(Certainty::Certain, Actor::EntraAdmin))
}

#[cfg(test)]
mod tests {
    use crate::diagnosis::rules::kit::Example;
    use crate::diagnosis::{Actor, Certainty, Kind};

    pub(super) const EXAMPLES: &[Example] = &[
        Example::fires(
            "the password grant is refused",
            (Kind::Failure, Certainty::Certain, Actor::EntraAdmin),
            &[token_error!(50057: "The user account is disabled.")],
        ),
        Example::fires(
            "a refresh token of a disabled account",
            (Kind::Failure, Certainty::Certain, Actor::EntraAdmin),
            &[token_error!(
                "grant_type=refresh_token&client_id=d3590ed6-52b3-4102-aeff-aad2292ab01c&refresh_token=x" =>
                50057: "The user account is disabled."
            )],
        ),
        Example::fires(
            "a sign-in page says so",
            (Kind::Failure, Certainty::Certain, Actor::EntraAdmin),
            &[page_error!(50057: "The user account is disabled.")],
        ),
        Example::silent(
            "the application is disabled",
            &[token_error!(7_000_112: "Application '5a4b3c2d-0000-4000-8000-000000000a13'(MigTool) is disabled.")],
        ),
        Example::silent("the account is locked", &[token_error!(50053: "The account is locked.")]),
    ];
}
