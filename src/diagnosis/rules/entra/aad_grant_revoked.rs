//! Entra refuses a refresh token because the user's grants were revoked: the password was changed or reset, or an
//! administrator ended all sessions.
//!
//! Not to be confused with a refresh token that grew too old (`aad-refresh-expired`) or was never good
//! (`aad-grant-invalid`). The number decides: `error` and the reason phrase may say anything.

use crate::diagnosis::refusal::{GATE, refused};
use crate::diagnosis::{Actor, Case, Certainty, Hit, Kind, Rule};
use crate::text::Text;

pub(super) static RULE: Rule = Rule {
    id: "aad-grant-revoked",
    title: Text {
        en: "The sign-in was revoked; the user must sign in again",
        ja: "サインインが取り消されたため、再サインインが必要",
    },
    explanation: Text {
        en: "The client offered a refresh token that Entra ID no longer takes: it is older than the moment from \
             which the user's tokens count. That moment moves when the password is changed or reset, and when \
             sessions are revoked. Until the user signs in again there is no new access token, and Exchange is asked \
             without one.",
        ja: "クライアントの更新トークンを Entra ID が受け付けませんでした。このユーザーのトークンが有効とみなされる\
             時点より前に発行されたものだからです。この時点は、パスワードの変更やリセット、セッションの取り消しによ\
             って更新されます。再サインインするまで新しいアクセス トークンは発行されません。",
    },
    remedy: Text {
        en: "Let the user sign in again with the present password (restart Outlook; if no prompt comes, choose File \
             > Office Account > Sign out, and remove the entries MicrosoftOffice16_Data:* from Credential Manager). \
             A migration tool or service needs its account connected anew. Who revoked, and when:\n\
             Connect-MgGraph -Scopes User.Read.All,AuditLog.Read.All\n\
             Get-MgUser -UserId '<UPN>' -Property SignInSessionsValidFromDateTime,LastPasswordChangeDateTime | \
             Format-List SignIn*,LastPassword*\n\
             Get-MgAuditLogDirectoryAudit -Filter \"activityDisplayName eq 'Update StsRefreshTokenValidFrom \
             Timestamp'\" -Top 20",
        ja: "現在のパスワードで再サインインしてもらいます (Outlook を再起動します。サインイン画面が出ない場合は、[フ\
             ァイル] > [Office アカウント] > [サインアウト] を選び、資格情報マネージャーの MicrosoftOffice16_Data:* \
             を削除します)。移行ツールやサービスでは、アカウントを接続し直します。取り消しの時刻と実行者は次のように\
             確認できます。\n\
             Connect-MgGraph -Scopes User.Read.All,AuditLog.Read.All\n\
             Get-MgUser -UserId '<UPN>' -Property SignInSessionsValidFromDateTime,LastPasswordChangeDateTime | \
             Format-List SignIn*,LastPassword*\n\
             Get-MgAuditLogDirectoryAudit -Filter \"activityDisplayName eq 'Update StsRefreshTokenValidFrom \
             Timestamp'\" -Top 20",
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

/// By a change of the password, by an administrator; the session, the flow.
const CODES: [u32; 4] = [50173, 50132, 50133, 50089];

fn find(case: &Case<'_>) -> Option<Hit> {
    Some(refused(case, &CODES)?.failure(Certainty::Certain, Actor::User))
}

#[cfg(test)]
mod tests {
    use crate::diagnosis::rules::kit::{Example, Raw};
    use crate::diagnosis::{Actor, Certainty, Kind};

    pub(super) const EXAMPLES: &[Example] = &[
        Example::fires(
            "the password was changed",
            (Kind::Failure, Certainty::Certain, Actor::User),
            &[Raw::new(
                "POST https://login.microsoftonline.com/contoso.com/oauth2/v2.0/token\n\
                 Content-Type: application/x-www-form-urlencoded\n\n\
                 grant_type=refresh_token",
                "400 Bad Request\n\
                 Content-Type: application/json; charset=utf-8\n\n\
                 {\"error\":\"invalid_grant\",\"error_description\":\"AADSTS50173: The provided grant has \
                 expired due to it being revoked.\\r\\nTrace ID: f840b3e7-8740-4698-b252-d759825e0300\",\
                 \"error_codes\":[50173]}",
            )],
        ),
        Example::fires(
            "the session was revoked, told on a redirect",
            (Kind::Failure, Certainty::Certain, Actor::User),
            &[Raw::new(
                "GET https://login.windows.net/common/oauth2/authorize?\
                 resource=https%3A%2F%2Fmail.contoso.com%2F&client_id=d3590ed6-52b3-4102-aeff-aad2292ab01c&\
                 response_type=code",
                "302\n\
                 LOCATION: https://localhost/?error=interaction_required&error_description=AADSTS50133%3a+\
                 Session+is+invalid",
            )],
        ),
        Example::fires(
            "the error and the phrase make no sense, the number does",
            (Kind::Failure, Certainty::Certain, Actor::User),
            &[Raw::new(
                "POST https://login.microsoftonline.com/contoso.com/oauth2/v2.0/token\n\
                 Content-Type: application/x-www-form-urlencoded\n\n\
                 grant_type=refresh_token",
                "400 Bad Unicorn\n\
                 Content-Type: application/json\n\n\
                 {\"error\":\"unicorn_rampage\",\"error_description\":\"Time to go home.\",\
                 \"error_codes\":[50173]}",
            )],
        ),
        Example::silent(
            "the refresh token grew too old",
            &[Raw::new(
                "POST https://login.microsoftonline.com/contoso.com/oauth2/v2.0/token\n\
                 Content-Type: application/x-www-form-urlencoded\n\n\
                 grant_type=refresh_token",
                "400 Bad Request\n\
                 Content-Type: application/json; charset=utf-8\n\n\
                 {\"error\":\"invalid_grant\",\"error_description\":\"AADSTS700082: The refresh token has \
                 expired due to inactivity.\\r\\nTrace ID: f840b3e7-8740-4698-b252-d759825e0300\",\
                 \"error_codes\":[700082]}",
            )],
        ),
        Example::silent(
            "the number stands in a wrapper with a more specific one",
            &[Raw::new(
                "POST https://login.microsoftonline.com/contoso.com/oauth2/v2.0/token\n\
                 Content-Type: application/x-www-form-urlencoded\n\n\
                 grant_type=password",
                "400\n\
                 Content-Type: application/json\n\n\
                 {\"error\":\"invalid_grant\",\"error_description\":\"AADSTS50173: x. AADSTS50126: Invalid \
                 username or password.\",\"error_codes\":[50173,50126]}",
            )],
        ),
    ];
}
