//! The application's secret is wrong.
//!
//! Not to be confused with one that was right and has expired (`aad-client-secret-expired`), with a certificate
//! (`aad-client-assertion-invalid`), or with a user's password (`aad-bad-password`). Older answers have other numbers
//! and tell it in words.

use crate::diagnosis::refusal::{GATE, refused};
use crate::diagnosis::{Actor, Case, Certainty, Hit, Kind, Rule};
use crate::text::Text;

pub(super) static RULE: Rule = Rule {
    id: "aad-client-secret-invalid",
    title: Text { en: "The client secret is wrong", ja: "クライアント シークレットが正しくない" },
    explanation: Text {
        en: "The application proved itself with a secret that Entra ID does not have for it. Most often the id of the \
             secret was entered instead of its value, the value was cut or changed by copying, or it belongs to \
             another application.",
        ja: "アプリケーションが送ったシークレットが Entra ID の登録と一致しません。多くの場合、シークレットの値ではな\
             くシークレット ID を入力した、コピーの際に値が欠けたり変わったりした、または別のアプリケーションのシーク\
             レットを使ったことが原因です。",
    },
    remedy: Text {
        en: "The value is shown once only, when the secret is made. Compare the first letters (Hint), or make a new \
             one and give its SecretText to the tool:\n\
             Connect-MgGraph -TenantId '{tenant}' -Scopes Application.ReadWrite.All\n\
             $app = Get-MgApplication -Filter \"appId eq '{app}'\"\n\
             $app.PasswordCredentials | Format-Table DisplayName,Hint,KeyId,EndDateTime\n\
             Add-MgApplicationPassword -ApplicationId $app.Id -PasswordCredential @{ DisplayName = 'migration'; \
             EndDateTime = (Get-Date).AddMonths(6) } | Format-List SecretText,EndDateTime",
        ja: "値はシークレットの作成時に一度だけ表示されます。先頭の文字 (Hint) を照合するか、新しく作成して \
             SecretText をツールに設定します。\n\
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
    certainties: &[Certainty::Certain, Certainty::Likely],
    actors: &[Actor::Client, Actor::MigrationTool],
    gate: GATE,
    supersedes: &[],
    find,
    #[cfg(test)]
    examples: tests::EXAMPLES,
};

const CODES: [u32; 2] = [7_000_215, WRAPPER];

/// "Error validating credentials", of a user or of an application; nothing else stands beside it.
const WRAPPER: u32 = 70002;

fn find(case: &Case<'_>) -> Option<Hit> {
    let refused = refused(case, &CODES)?;
    if refused.said.code() != Some(WRAPPER) {
        return Some(refused.failure(Certainty::Certain, refused.caller()));
    }
    let hit = || refused.failure(Certainty::Likely, refused.caller()).or("aad-bad-password");
    (!refused.is_about_password()).then(hit)
}

#[cfg(test)]
mod tests {
    use crate::diagnosis::rules::kit::{Example, Raw};
    use crate::diagnosis::{Actor, Certainty, Kind};

    pub(super) const EXAMPLES: &[Example] = &[
        Example::fires(
            "the id of the secret was sent",
            (Kind::Failure, Certainty::Certain, Actor::Client),
            &[token_error!(
                "grant_type=client_credentials&client_id=5a4b3c2d-0000-4000-8000-000000000a01&client_secret=x&\
                 scope=https%3A%2F%2Foutlook.office365.com%2F.default" =>
                7_000_215: "Invalid client secret provided. Ensure the secret being sent in the request is the \
                            client secret value, not the client secret ID, for a secret added to app \
                            '5a4b3c2d-0000-4000-8000-000000000a09'."
            )],
        ),
        Example::fires(
            "the number says something else, the words are clear",
            (Kind::Failure, Certainty::Certain, Actor::Client),
            &[token_error!(
                "grant_type=client_credentials&client_id=5a4b3c2d-0000-4000-8000-000000000a01&client_secret=x&\
                 scope=https%3A%2F%2Foutlook.office365.com%2F.default" =>
                70002: "Error validating credentials. AADSTS50012: Invalid client secret is provided."
            )],
        ),
        Example::fires(
            "the wrapper stands alone, and a secret was sent",
            (Kind::Failure, Certainty::Likely, Actor::Client),
            &[token_error!(
                "grant_type=client_credentials&client_id=5a4b3c2d-0000-4000-8000-000000000a01&client_secret=x&\
                 scope=https%3A%2F%2Foutlook.office365.com%2F.default" =>
                70002: "Error validating credentials."
            )],
        ),
        Example::fires(
            "a migration tool at ACS, told in the words of its day",
            (Kind::Failure, Certainty::Certain, Actor::MigrationTool),
            &[Raw::new(
                "POST https://accounts.accesscontrol.windows.net/contoso.com/tokens/OAuth/2\nUser-Agent: \
                 MigrationWiz/1.0",
                "401\nContent-Type: application/json\n\n{\"error\":\"invalid_client\",\
                 \"error_description\":\"ACS50012: Invalid client secret is provided.\"}",
            )],
        ),
        Example::silent(
            "the secret has expired",
            &[token_error!(
                "grant_type=client_credentials&client_id=5a4b3c2d-0000-4000-8000-000000000a01&client_secret=x&\
                 scope=https%3A%2F%2Foutlook.office365.com%2F.default" =>
                7_000_222: "The provided client secret keys for app '5a4b3c2d-0000-4000-8000-000000000a10' are \
                            expired."
            )],
        ),
        Example::silent(
            "the signature of an assertion is wrong",
            &[token_error!(
                "grant_type=client_credentials&client_id=5a4b3c2d-0000-4000-8000-000000000a01&client_assertion=x&\
                 scope=https%3A%2F%2Foutlook.office365.com%2F.default" =>
                50012: "Client assertion contains an invalid signature. [Reason - The key was not found.]"
            )],
        ),
        Example::silent(
            "another identity provider refuses a secret",
            &[Raw::new(
                "POST https://id.fabrikam.com/oauth2/v1/token",
                "401\nContent-Type: application/json\n\n{\"error\":\"invalid_client\",\"error_description\":\"Invalid \
                 client secret\"}",
            )],
        ),
    ];
}
