//! The code, token or assertion that was offered for a new token is not good.
//!
//! Not to be confused with one that grew too old (`aad-refresh-expired`) or was revoked (`aad-grant-revoked`).

use crate::diagnosis::refusal::{GATE, refused};
use crate::diagnosis::{Actor, Case, Certainty, Hit, Kind, Rule};
use crate::text::Text;

pub(super) static RULE: Rule = Rule {
    id: "aad-grant-invalid",
    title: Text {
        en: "The code, token or assertion offered is not valid",
        ja: "提示されたコード、トークンまたはアサーションが無効",
    },
    explanation: Text {
        en: "What the program offered for a token is not acceptable: an authorization code that was used before (by a \
             retry, by a second process), a refresh token of another application or scope, a code verifier (PKCE) \
             that does not fit, an assertion out of its time, or a request that is malformed.",
        ja: "プログラムがトークンと引き換えに提示したものが受け入れられませんでした。使用済みの認可コード (再試行や別\
             プロセスによる二重使用)、別のアプリケーションやスコープの更新トークン、一致しない PKCE コード検証子、有効\
             時間外のアサーション、または形式の誤った要求です。",
    },
    remedy: Text {
        en: "Begin the sign-in anew: clear the program's token cache and sign in again. If it comes back, the program \
             is at fault: a code may be redeemed once, by the client that asked for it, within ten minutes and with \
             the same redirect URI. Check the clock of the machine where an assertion is out of its time. The sign-in \
             log has the details:\n\
             Connect-MgGraph -Scopes AuditLog.Read.All,Directory.Read.All\n\
             Get-MgAuditLogSignIn -Filter \"correlationId eq '{correlation}'\" | Format-List \
             CreatedDateTime,AppDisplayName,Status",
        ja: "プログラムのトークン キャッシュを消去し、サインインをやり直します。繰り返す場合はプログラムの問題です。コ\
             ードは、要求した同じクライアントが、同じリダイレクト URI で、10 分以内に 1 度だけ引き換えられます。アサー\
             ションが有効時間外であれば、コンピューターの時刻を確認します。詳細はサインイン ログで確認できます。\n\
             Connect-MgGraph -Scopes AuditLog.Read.All,Directory.Read.All\n\
             Get-MgAuditLogSignIn -Filter \"correlationId eq '{correlation}'\" | Format-List \
             CreatedDateTime,AppDisplayName,Status",
    },
    sources: &[
        "https://learn.microsoft.com/en-us/entra/identity-platform/reference-error-codes",
        "https://learn.microsoft.com/en-us/entra/identity-platform/v2-oauth2-auth-code-flow",
    ],
    kinds: &[Kind::Failure],
    certainties: &[Certainty::Certain],
    actors: &[Actor::Client, Actor::MigrationTool],
    gate: GATE,
    supersedes: &[],
    find,
    #[cfg(test)]
    examples: tests::EXAMPLES,
};

/// Invalid, redeemed, assertion, its time, malformed, PKCE, of another tenant.
const CODES: [u32; 7] = [70000, 54005, 50013, 500_133, 9_002_313, 501_481, 700_005];

fn find(case: &Case<'_>) -> Option<Hit> {
    let refused = refused(case, &CODES)?;
    Some(refused.failure(Certainty::Certain, refused.caller()))
}

#[cfg(test)]
mod tests {
    use crate::diagnosis::rules::kit::Example;
    use crate::diagnosis::{Actor, Certainty, Kind};

    pub(super) const EXAMPLES: &[Example] = &[
        Example::fires(
            "a code is used twice",
            (Kind::Failure, Certainty::Certain, Actor::Client),
            &[token_error!(
                "grant_type=authorization_code&client_id=5a4b3c2d-0000-4000-8000-000000000a01&code=x" =>
                54005: "OAuth2 Authorization code was already redeemed, please retry with a new valid code."
            )],
        ),
        Example::fires(
            "a refresh token without these scopes",
            (Kind::Failure, Certainty::Certain, Actor::Client),
            &[token_error!(
                "grant_type=refresh_token&client_id=d3590ed6-52b3-4102-aeff-aad2292ab01c&refresh_token=x" =>
                70000: "The request was denied because one or more scopes requested are unauthorized or expired."
            )],
        ),
        Example::fires(
            "the verifier does not fit",
            (Kind::Failure, Certainty::Certain, Actor::Client),
            &[token_error!(
                "grant_type=authorization_code&client_id=5a4b3c2d-0000-4000-8000-000000000a01&code=x" =>
                501_481: "The Code_Verifier does not match the code_challenge supplied in the authorization \
                          request."
            )],
        ),
        Example::silent(
            "the refresh token grew too old",
            &[token_error!(
                "grant_type=refresh_token&client_id=d3590ed6-52b3-4102-aeff-aad2292ab01c&refresh_token=x" =>
                700_082: "The refresh token has expired due to inactivity."
            )],
        ),
        Example::silent(
            "the redirect URI differs",
            &[token_error!(
                "grant_type=authorization_code&client_id=5a4b3c2d-0000-4000-8000-000000000a01&code=x" =>
                500_112: "The reply address does not match."
            )],
        ),
    ];
}
