//! The application's secret was right and has expired.
//!
//! Not to be confused with a wrong one (`aad-client-secret-invalid`).

use crate::diagnosis::refusal::{GATE, refused};
use crate::diagnosis::{Actor, Case, Certainty, Hit, Kind, Rule};
use crate::text::Text;

pub(super) static RULE: Rule = Rule {
    id: "aad-client-secret-expired",
    title: Text {
        en: "The client secret has expired", ja: "クライアント シークレットの有効期限が切れている"
    },
    explanation: Text {
        en: "Secrets made in the portal last two years at most (180 days by default), and this one is over. Everything \
             that signs in as this application stops at once.",
        ja: "ポータルで作成したシークレットの有効期間は最長 2 年 (既定では 180 日) で、期限を過ぎました。このアプリケ\
             ーションとしてサインインするものはすべて一斉に止まります。",
    },
    remedy: Text {
        en: "Make a new secret and give its SecretText to the tool; a certificate is the better credential. Remove \
             the old ones afterwards:\n\
             Connect-MgGraph -TenantId '{tenant}' -Scopes Application.ReadWrite.All\n\
             $app = Get-MgApplication -Filter \"appId eq '{app}'\"\n\
             $app.PasswordCredentials | Format-Table DisplayName,Hint,KeyId,EndDateTime\n\
             Add-MgApplicationPassword -ApplicationId $app.Id -PasswordCredential @{ DisplayName = 'migration'; \
             EndDateTime = (Get-Date).AddMonths(6) } | Format-List SecretText,EndDateTime",
        ja: "新しいシークレットを作成して SecretText をツールに設定します (証明書の方が適切です)。古いものは後で削除し\
             ます。\n\
             Connect-MgGraph -TenantId '{tenant}' -Scopes Application.ReadWrite.All\n\
             $app = Get-MgApplication -Filter \"appId eq '{app}'\"\n\
             $app.PasswordCredentials | Format-Table DisplayName,Hint,KeyId,EndDateTime\n\
             Add-MgApplicationPassword -ApplicationId $app.Id -PasswordCredential @{ DisplayName = 'migration'; \
             EndDateTime = (Get-Date).AddMonths(6) } | Format-List SecretText,EndDateTime",
    },
    sources: &[
        "https://learn.microsoft.com/en-us/entra/identity-platform/reference-error-codes",
        "https://learn.microsoft.com/en-us/entra/identity-platform/how-to-add-credentials",
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

const CODES: [u32; 1] = [7_000_222];

fn find(case: &Case<'_>) -> Option<Hit> {
    Some(refused(case, &CODES)?.failure(Certainty::Certain, Actor::EntraAdmin))
}

#[cfg(test)]
mod tests {
    use crate::diagnosis::rules::kit::Example;
    use crate::diagnosis::{Actor, Certainty, Kind};

    pub(super) const EXAMPLES: &[Example] = &[
        Example::fires(
            "the keys are over",
            (Kind::Failure, Certainty::Certain, Actor::EntraAdmin),
            &[token_error!(
                "grant_type=client_credentials&client_id=5a4b3c2d-0000-4000-8000-000000000a01&client_secret=x&\
                 scope=https%3A%2F%2Foutlook.office365.com%2F.default" =>
                7_000_222: "The provided client secret keys for app '5a4b3c2d-0000-4000-8000-000000000a10' are \
                            expired."
            )],
        ),
        Example::fires(
            "an old number, the words tell",
            (Kind::Failure, Certainty::Certain, Actor::EntraAdmin),
            &[token_error!(
                "grant_type=client_credentials&client_id=5a4b3c2d-0000-4000-8000-000000000a01&client_secret=x&\
                 scope=https%3A%2F%2Foutlook.office365.com%2F.default" =>
                70002: "Error validating credentials. The client secret has expired."
            )],
        ),
        Example::silent(
            "the secret is wrong",
            &[token_error!(
                "grant_type=client_credentials&client_id=5a4b3c2d-0000-4000-8000-000000000a01&client_secret=x&\
                 scope=https%3A%2F%2Foutlook.office365.com%2F.default" =>
                7_000_215: "Invalid client secret provided."
            )],
        ),
    ];
}
