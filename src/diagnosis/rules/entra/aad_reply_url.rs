//! The redirect URI is not registered for the application.
//!
//! Not to be confused with a wrong application id (`aad-app-not-found`).

use crate::diagnosis::refusal::{GATE, refused};
use crate::diagnosis::{Actor, Case, Certainty, Hit, Kind, Rule};
use crate::text::Text;

pub(super) static RULE: Rule = Rule {
    id: "aad-reply-url",
    title: Text { en: "The redirect URI is not registered", ja: "リダイレクト URI が登録されていない" },
    explanation: Text {
        en: "The program asked Entra ID to send the answer to {redirect}, and that address is not among those \
             registered for {app}. It must agree letter by letter, with scheme, port, path and final slash, and stand \
             under the right platform (Web, SPA, Mobile and desktop).",
        ja: "プログラムが応答の送信先として指定した {redirect} が、{app} に登録されていません。スキーム、ポート、パス\
             、末尾のスラッシュまで完全に一致し、適切なプラットフォーム (Web、SPA、モバイルとデスクトップ) に登録され\
             ている必要があります。",
    },
    remedy: Text {
        en: "Add it to the registration (the list is written as a whole: keep the others):\n\
             Connect-MgGraph -TenantId '{tenant}' -Scopes Application.ReadWrite.All\n\
             $app = Get-MgApplication -Filter \"appId eq '{app}'\"\n\
             $app.Web.RedirectUris; $app.Spa.RedirectUris; $app.PublicClient.RedirectUris\n\
             Update-MgApplication -ApplicationId $app.Id -PublicClient @{ RedirectUris = \
             @($app.PublicClient.RedirectUris) + '{redirect}' }\n\
             That is for programs on a PC; a web application takes -Web instead. MigrationWiz wants \
             urn:ietf:wg:oauth:2.0:oob.",
        ja: "アプリの登録に追加します (一覧全体が書き込まれるため、ほかの URI を残してください)。\n\
             Connect-MgGraph -TenantId '{tenant}' -Scopes Application.ReadWrite.All\n\
             $app = Get-MgApplication -Filter \"appId eq '{app}'\"\n\
             $app.Web.RedirectUris; $app.Spa.RedirectUris; $app.PublicClient.RedirectUris\n\
             Update-MgApplication -ApplicationId $app.Id -PublicClient @{ RedirectUris = \
             @($app.PublicClient.RedirectUris) + '{redirect}' }\n\
             これは PC 上のプログラムの場合です。Web アプリケーションでは -Web を使います。MigrationWiz には \
             urn:ietf:wg:oauth:2.0:oob が必要です。",
    },
    sources: &[
        "https://learn.microsoft.com/en-us/entra/identity-platform/reference-error-codes",
        "https://learn.microsoft.com/en-us/entra/identity-platform/reply-url",
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

const CODES: [u32; 5] = [50011, 500_112, 70004, 500_113, 500_117];

fn find(case: &Case<'_>) -> Option<Hit> {
    Some(refused(case, &CODES)?.failure(Certainty::Certain, Actor::EntraAdmin))
}

#[cfg(test)]
mod tests {
    use crate::diagnosis::rules::kit::{Example, Raw};
    use crate::diagnosis::{Actor, Certainty, Kind};

    pub(super) const EXAMPLES: &[Example] = &[
        Example::fires(
            "the sign-in page says so",
            (Kind::Failure, Certainty::Certain, Actor::EntraAdmin),
            &[page_error!(50011: "The redirect URI 'http://localhost:8400/' specified in the request does not match \
                                    the redirect URIs configured for the application \
                                    '5a4b3c2d-0000-4000-8000-000000000a15'.")],
        ),
        Example::fires(
            "at the token endpoint",
            (Kind::Failure, Certainty::Certain, Actor::EntraAdmin),
            &[token_error!(
                "grant_type=authorization_code&client_id=5a4b3c2d-0000-4000-8000-000000000a01&code=x" =>
                500_112: "The reply address does not match the reply address provided when requesting the \
                          authorization code."
            )],
        ),
        Example::fires(
            "a page of plain HTML",
            (Kind::Failure, Certainty::Certain, Actor::EntraAdmin),
            &[Raw::new(
                "GET https://login.microsoftonline.com/common/oauth2/authorize?client_id=5a4b3c2d-0000-4000-8000-00000\
                 0000a07",
                "400\nContent-Type: text/html\n\n<html><body><h1>Sign In</h1><p>AADSTS50011: The reply url specified \
                 in the request does not match.</p></body></html>",
            )],
        ),
        Example::silent(
            "the application is not there",
            &[page_error!(700_016: "Application with identifier '5a4b3c2d-0000-4000-8000-000000000a12' was not \
                                      found.")],
        ),
        Example::silent(
            "somebody looks the number up",
            &[Raw::new(
                "GET https://login.microsoftonline.com/error?code=50011",
                "200 OK\nContent-Type: text/html\n\n<html><body><p>AADSTS50011: The redirect URI does not \
                 match.</p></body></html>",
            )],
        ),
    ];
}
