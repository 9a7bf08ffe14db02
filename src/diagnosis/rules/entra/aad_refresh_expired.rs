//! The refresh token grew too old: not used for long, a sign-in frequency, the single day of a page's token.
//!
//! Not to be confused with one that was revoked (`aad-grant-revoked`) or was never good (`aad-grant-invalid`).

use crate::diagnosis::refusal::{GATE, refused};
use crate::diagnosis::{Actor, Case, Certainty, Hit, Kind, Rule};
use crate::text::Text;

pub(super) static RULE: Rule = Rule {
    id: "aad-refresh-expired",
    title: Text { en: "The refresh token has expired", ja: "更新トークンの有効期限が切れている" },
    explanation: Text {
        en: "A refresh token ends when it was not used for 90 days, when a sign-in frequency of Conditional Access is \
             over, or, for pages in a browser (SPA), after 24 hours. Without it no access token comes, and the user \
             must sign in again. Nothing is wrong with the password.",
        ja: "更新トークンは、90 日間使われなかった場合、条件付きアクセスのサインイン頻度を超えた場合、またはブラウザー\
             上のページ (SPA) では 24 時間で失効します。アクセス トークンを取得できなくなり、再サインインが必要です。\
             パスワードに問題はありません。",
    },
    remedy: Text {
        en: "Let the user sign in again in the program (restart Outlook; if no prompt comes, File > Office Account > \
             Sign out). A migration tool with delegated access: connect its account anew; app-only access needs no \
             refresh token. If it comes back often, see which policy limits the session:\n\
             Connect-MgGraph -Scopes Policy.Read.All\n\
             Get-MgIdentityConditionalAccessPolicy -All | Where-Object { $_.SessionControls.SignInFrequency.IsEnabled \
             } | Format-Table DisplayName,State",
        ja: "プログラムで再サインインしてもらいます (Outlook を再起動し、サインイン画面が出ない場合は [ファイル] > \
             [Office アカウント] > [サインアウト])。委任アクセスの移行ツールではアカウントを接続し直します。アプリ専用\
             アクセスには更新トークンは不要です。頻繁に起こる場合は、セッションを制限しているポリシーを確認します。\n\
             Connect-MgGraph -Scopes Policy.Read.All\n\
             Get-MgIdentityConditionalAccessPolicy -All | Where-Object { $_.SessionControls.SignInFrequency.IsEnabled \
             } | Format-Table DisplayName,State",
    },
    sources: &[
        "https://learn.microsoft.com/en-us/entra/identity-platform/reference-error-codes",
        "https://learn.microsoft.com/en-us/entra/identity-platform/refresh-tokens",
    ],
    kinds: &[Kind::Failure],
    certainties: &[Certainty::Certain],
    actors: &[Actor::User],
    gate: GATE,
    supersedes: &[],
    find,
    #[cfg(test)]
    examples: tests::EXAMPLES,
};

const CODES: [u32; 6] = [70008, 700_082, 70043, 70044, 700_081, 700_084];

fn find(case: &Case<'_>) -> Option<Hit> {
    Some(refused(case, &CODES)?.failure(Certainty::Certain, Actor::User))
}

#[cfg(test)]
mod tests {
    use crate::diagnosis::rules::kit::Example;
    use crate::diagnosis::{Actor, Certainty, Kind};

    pub(super) const EXAMPLES: &[Example] = &[
        Example::fires(
            "it was not used for 90 days",
            (Kind::Failure, Certainty::Certain, Actor::User),
            &[token_error!(
                "grant_type=refresh_token&client_id=d3590ed6-52b3-4102-aeff-aad2292ab01c&refresh_token=x" =>
                700_082: "The refresh token has expired due to inactivity."
            )],
        ),
        Example::fires(
            "the sign-in frequency is over",
            (Kind::Failure, Certainty::Certain, Actor::User),
            &[token_error!(
                "grant_type=refresh_token&client_id=d3590ed6-52b3-4102-aeff-aad2292ab01c&refresh_token=x" =>
                70043: "The refresh token has expired or is invalid due to sign-in frequency checks by \
                        conditional access."
            )],
        ),
        Example::fires(
            "a page's token after a day",
            (Kind::Failure, Certainty::Certain, Actor::User),
            &[token_error!(
                "grant_type=refresh_token&client_id=d3590ed6-52b3-4102-aeff-aad2292ab01c&refresh_token=x" =>
                700_084: "The refresh token was issued to a single page app (SPA), and therefore has a fixed, \
                          limited lifetime."
            )],
        ),
        Example::silent(
            "it was revoked",
            &[token_error!(
                "grant_type=refresh_token&client_id=d3590ed6-52b3-4102-aeff-aad2292ab01c&refresh_token=x" =>
                50173: "The provided grant has expired due to it being revoked."
            )],
        ),
        Example::silent(
            "it was never good",
            &[token_error!(
                "grant_type=refresh_token&client_id=d3590ed6-52b3-4102-aeff-aad2292ab01c&refresh_token=x" =>
                70000: "Provided grant is invalid or malformed."
            )],
        ),
    ];
}
