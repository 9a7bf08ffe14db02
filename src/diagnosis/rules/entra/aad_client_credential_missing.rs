//! The application sent no credential where one is due, or sent one where none is allowed.
//!
//! Not to be confused with one that is wrong (`aad-client-secret-invalid`).

use crate::diagnosis::refusal::{GATE, refused};
use crate::diagnosis::{Actor, Case, Certainty, Hit, Kind, Rule};
use crate::text::Text;

pub(super) static RULE: Rule = Rule {
    id: "aad-client-credential-missing",
    title: Text {
        en: "The client's credential is missing, or none is allowed",
        ja: "クライアントの資格情報がない、または送ってはいけない",
    },
    explanation: Text {
        en: "Entra ID takes applications of two kinds. A confidential one must prove itself with a secret or a \
             certificate; a public one (a program on a PC, a migration tool that signs in with a user's password) \
             must not send any. This request does not fit the kind that the application is registered as. The answer \
             names the parameter that it misses.",
        ja: "Entra ID のアプリケーションには 2 種類あります。機密クライアントはシークレットまたは証明書が必要です。パ\
             ブリック クライアント (PC 上のプログラムや、ユーザーのパスワードでサインインする移行ツール) は送ってはい\
             けません。この要求は、アプリケーションの登録種別と合っていません。不足しているパラメーターは応答に示され\
             ています。",
    },
    remedy: Text {
        en: "For a password, device code or integrated sign-in without a secret: \"Allow public client flows\" = Yes. \
             For client_credentials: give the tool a secret or a certificate. A redirect URI of the type Web makes \
             the application confidential for that sign-in; move it to \"Mobile and desktop applications\":\n\
             Connect-MgGraph -TenantId '{tenant}' -Scopes Application.ReadWrite.All\n\
             $app = Get-MgApplication -Filter \"appId eq '{app}'\"\n\
             $app | Format-List DisplayName,IsFallbackPublicClient\n\
             $app.Web.RedirectUris; $app.PublicClient.RedirectUris\n\
             Update-MgApplication -ApplicationId $app.Id -IsFallbackPublicClient:$true",
        ja: "シークレットなしでパスワード、デバイス コード、統合認証を使う場合は、[パブリック クライアント フローを許\
             可する] を [はい] にします。client_credentials の場合は、ツールにシークレットまたは証明書を設定します。種\
             類が Web のリダイレクト URI でサインインすると機密クライアントとして扱われるため、[モバイル アプリケーシ\
             ョンとデスクトップ アプリケーション] に移します。\n\
             Connect-MgGraph -TenantId '{tenant}' -Scopes Application.ReadWrite.All\n\
             $app = Get-MgApplication -Filter \"appId eq '{app}'\"\n\
             $app | Format-List DisplayName,IsFallbackPublicClient\n\
             $app.Web.RedirectUris; $app.PublicClient.RedirectUris\n\
             Update-MgApplication -ApplicationId $app.Id -IsFallbackPublicClient:$true",
    },
    sources: &[
        "https://learn.microsoft.com/en-us/entra/identity-platform/reference-error-codes",
        "https://learn.microsoft.com/en-us/entra/identity-platform/msal-client-applications",
    ],
    kinds: &[Kind::Failure],
    certainties: &[Certainty::Certain, Certainty::Likely],
    actors: &[Actor::EntraAdmin, Actor::Client, Actor::MigrationTool],
    gate: GATE,
    supersedes: &[],
    find,
    #[cfg(test)]
    examples: tests::EXAMPLES,
};

const CODES: [u32; 3] = [7_000_218, 900_144, 700_025];

fn find(case: &Case<'_>) -> Option<Hit> {
    let refused = refused(case, &CODES)?;
    let of_secret = refused.said.is_any(&[7_000_218, 700_025]) || refused.said.says("client_");
    let certainty = if of_secret { Certainty::Certain } else { Certainty::Likely };
    // Public clients are allowed in the registration; client_credentials without a secret is the program's fault.
    let actor = if refused.grant_is("client_credentials") { refused.caller() } else { Actor::EntraAdmin };
    Some(refused.failure(certainty, actor))
}

#[cfg(test)]
mod tests {
    use crate::diagnosis::rules::kit::Example;
    use crate::diagnosis::{Actor, Certainty, Kind};

    pub(super) const EXAMPLES: &[Example] = &[
        Example::fires(
            "client_credentials without a secret",
            (Kind::Failure, Certainty::Certain, Actor::Client),
            &[token_error!(
                "grant_type=client_credentials&client_id=5a4b3c2d-0000-4000-8000-000000000a01" =>
                7_000_218: "The request body must contain the following parameter: 'client_assertion' or \
                            'client_secret'."
            )],
        ),
        Example::fires(
            "a password for an application that is not public",
            (Kind::Failure, Certainty::Certain, Actor::EntraAdmin),
            &[token_error!(7_000_218: "The request body must contain the following parameter: 'client_assertion' or \
                                         'client_secret'.")],
        ),
        Example::fires(
            "an old number says the same",
            (Kind::Failure, Certainty::Certain, Actor::EntraAdmin),
            &[token_error!(
                "grant_type=authorization_code&client_id=5a4b3c2d-0000-4000-8000-000000000a01&code=x" =>
                70002: "The request body must contain the following parameter: 'client_secret or client_assertion'."
            )],
        ),
        Example::fires(
            "a public one sends a secret",
            (Kind::Failure, Certainty::Certain, Actor::EntraAdmin),
            &[token_error!(
                "grant_type=authorization_code&client_id=5a4b3c2d-0000-4000-8000-000000000a01&code=x" =>
                700_025: "Client is public so neither 'client_assertion' nor 'client_secret' should be presented."
            )],
        ),
        Example::fires(
            "another parameter is missing",
            (Kind::Failure, Certainty::Likely, Actor::EntraAdmin),
            &[token_error!(
                "resource=x" =>
                900_144: "The request body must contain the following parameter: 'grant_type'."
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
