//! An identity provider of Microsoft's refuses with a number, or a word, that no other rule knows.
//!
//! Not to be confused with errors of other identity providers, which use the same words of OAuth without numbers: of
//! those nothing is said here.

use crate::diagnosis::refusal::{GATE, Refused};
use crate::diagnosis::rules::steps;
use crate::diagnosis::{Actor, Case, Certainty, Hit, Kind, Numbering, Rule};
use crate::text::Text;

pub(super) static RULE: Rule = Rule {
    id: "aad-strict-idp-other",
    title: Text {
        en: "The identity provider refuses for another reason",
        ja: "ID プロバイダーがその他の理由で拒否している",
    },
    explanation: Text {
        en: "The sign-in was refused with {code}. The words of the answer stand in the evidence as they came; what \
             they mean for this client is not known here.",
        ja: "サインインが {code} で拒否されました。応答の文言は根拠にそのまま示しています。このクライアントにとっての\
             意味は、ここでは判断できません。",
    },
    remedy: Text {
        en: "Look the number up at https://login.microsoftonline.com/error?code={number} (numbers of Entra ID), and \
             the sign-in in the log:\n\
             Connect-MgGraph -Scopes AuditLog.Read.All,Directory.Read.All\n\
             Get-MgAuditLogSignIn -Filter \"correlationId eq '{correlation}'\" | Format-List \
             CreatedDateTime,UserPrincipalName,AppDisplayName,ResourceDisplayName,Status\n\
             Numbers MSISnnnn are of AD FS: its log on the server has the details.\n\
             Get-WinEvent -LogName 'AD FS/Admin' -MaxEvents 20 | Format-List TimeCreated,Id,Message",
        ja: "Entra ID の番号は https://login.microsoftonline.com/error?code={number} で調べます。サインインはログで確\
             認します。\n\
             Connect-MgGraph -Scopes AuditLog.Read.All,Directory.Read.All\n\
             Get-MgAuditLogSignIn -Filter \"correlationId eq '{correlation}'\" | Format-List \
             CreatedDateTime,UserPrincipalName,AppDisplayName,ResourceDisplayName,Status\n\
             MSISnnnn は AD FS の番号です。詳細はサーバーのログで確認します。\n\
             Get-WinEvent -LogName 'AD FS/Admin' -MaxEvents 20 | Format-List TimeCreated,Id,Message",
    },
    sources: &[
        "https://learn.microsoft.com/en-us/entra/identity-platform/reference-error-codes",
        "https://learn.microsoft.com/en-us/windows-server/identity/ad-fs/troubleshooting/ad-fs-tshoot-logging",
    ],
    kinds: &[Kind::Failure],
    certainties: &[Certainty::Certain, Certainty::Likely],
    actors: &[Actor::EntraAdmin, Actor::AdAdmin],
    gate: GATE,
    supersedes: &[],
    find,
    #[cfg(test)]
    examples: tests::EXAMPLES,
};

fn find(case: &Case<'_>) -> Option<Hit> {
    let refused = Refused::of(case)?;
    let known = || {
        let others = super::RULES.iter().chain(steps::RULES).filter(|rule| rule.id != RULE.id);
        others.filter(|rule| rule.gate.opens(case)).any(|rule| (rule.find)(case).is_some())
    };
    let certainty = match refused.said.numbering {
        Some(_) => Certainty::Certain,
        // The words of OAuth alone: of Microsoft's by the host that answered.
        None if case.is_sign_in() => Certainty::Likely,
        None => return None,
    };
    let adfs = refused.said.numbering == Some(Numbering::AdFs) || case.is_adfs();
    let actor = if adfs { Actor::AdAdmin } else { Actor::EntraAdmin };
    (!known()).then(|| refused.failure(certainty, actor))
}

#[cfg(test)]
mod tests {
    use crate::diagnosis::rules::kit::{Example, Raw};
    use crate::diagnosis::{Actor, Certainty, Kind};

    pub(super) const EXAMPLES: &[Example] = &[
        Example::fires(
            "a number that no rule knows",
            (Kind::Failure, Certainty::Certain, Actor::EntraAdmin),
            &[token_error!(165_900: "Invalid request. This endpoint is not available for the requested flow.")],
        ),
        Example::fires(
            "AD FS does not allow the client",
            (Kind::Failure, Certainty::Certain, Actor::AdAdmin),
            &[Raw::new(
                "POST https://sts.fabrikam.com/adfs/oauth2/token",
                "400\nContent-Type: application/json\n\n{\"error\":\"unauthorized_client\",\
                 \"error_description\":\"MSIS9611: The client is not allowed to access the requested resource.\"}",
            )],
        ),
        Example::fires(
            "Entra gives no number",
            (Kind::Failure, Certainty::Likely, Actor::EntraAdmin),
            &[Raw::new(
                "POST https://login.microsoftonline.com/contoso.com/oauth2/v2.0/token",
                "400\nContent-Type: application/json\n\n{\"error\":\"invalid_request\",\
                 \"error_description\":\"Something is missing.\"}",
            )],
        ),
        Example::silent(
            "a number that a rule knows",
            &[token_error!(50126: "Error validating credentials due to invalid username or password.")],
        ),
        Example::silent(
            "a step of a sign-in page",
            &[page_error!(50140: "This error occurred due to 'Keep me signed in' interrupt.")],
        ),
        Example::silent(
            "another identity provider",
            &[Raw::new(
                "POST https://id.fabrikam.com/oauth2/v1/token",
                "401\nContent-Type: application/json\n\n{\"error\":\"invalid_client\",\"error_description\":\"Client \
                 authentication failed\"}",
            )],
        ),
        Example::silent(
            "a number of another's API",
            &[Raw::new(
                "GET https://api.fabrikam.com/v1/items",
                "400\nContent-Type: application/json\n\n{\"error\":\"bad\",\"error_codes\":[50126]}",
            )],
        ),
    ];
}
