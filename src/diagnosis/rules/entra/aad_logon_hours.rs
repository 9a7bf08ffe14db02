//! Active Directory does not let the user sign in at this hour.
//!
//! Not to be confused with Conditional Access, which knows no hours.

use crate::diagnosis::refusal::{GATE, refused};
use crate::diagnosis::{Actor, Case, Certainty, Hit, Kind, Rule};
use crate::text::Text;

pub(super) static RULE: Rule = Rule {
    id: "aad-logon-hours",
    title: Text {
        en: "Sign-in outside the allowed logon hours", ja: "許可されたログオン時間外のサインイン"
    },
    explanation: Text {
        en: "Pass-through authentication asked Active Directory, and the account's logon hours there do not include \
             this time. A migration that runs at night is stopped so.",
        ja: "パススルー認証で Active Directory に確認した結果、アカウントのログオン時間に現在の時刻が含まれていません\
             。夜間に実行する移行が止まる原因になります。",
    },
    remedy: Text {
        en: "Widen the logon hours of the account in Active Directory (Account > Logon Hours), or run the migration \
             within them. Who is restricted:\n\
             Get-ADUser -Identity '<sAMAccountName>' -Properties logonHours | Format-List SamAccountName,logonHours\n\
             Get-ADUser -LDAPFilter '(logonHours=*)' | Format-Table SamAccountName",
        ja: "Active Directory でアカウントのログオン時間 ([アカウント] > [ログオン時間]) を広げるか、その時間内に移行\
             を実行します。制限されているアカウントは次のように確認します。\n\
             Get-ADUser -Identity '<sAMAccountName>' -Properties logonHours | Format-List SamAccountName,logonHours\n\
             Get-ADUser -LDAPFilter '(logonHours=*)' | Format-Table SamAccountName",
    },
    sources: &[
        "https://learn.microsoft.com/en-us/entra/identity-platform/reference-error-codes",
        "https://learn.microsoft.com/en-us/entra/identity/hybrid/connect/tshoot-connect-pass-through-authentication",
    ],
    kinds: &[Kind::Failure],
    certainties: &[Certainty::Certain],
    actors: &[Actor::AdAdmin],
    gate: GATE,
    supersedes: &[],
    find,
    #[cfg(test)]
    examples: tests::EXAMPLES,
};

const CODES: [u32; 1] = [80012];

fn find(case: &Case<'_>) -> Option<Hit> {
    Some(refused(case, &CODES)?.failure(Certainty::Certain, Actor::AdAdmin))
}

#[cfg(test)]
mod tests {
    use crate::diagnosis::rules::kit::Example;
    use crate::diagnosis::{Actor, Certainty, Kind};

    pub(super) const EXAMPLES: &[Example] = &[
        Example::fires(
            "at night",
            (Kind::Failure, Certainty::Certain, Actor::AdAdmin),
            &[token_error!(80012: "The user attempted to log on outside of the allowed hours (this is specified in \
                                     Active Directory).")],
        ),
        Example::fires(
            "the sign-in page says so",
            (Kind::Failure, Certainty::Certain, Actor::AdAdmin),
            &[page_error!(80012: "The user attempted to log on outside of the allowed hours.")],
        ),
        Example::silent(
            "the agent could not be reached",
            &[token_error!(80002: "A password validation request timed out. Ensure that Active Directory is \
                                     available.")],
        ),
    ];
}
