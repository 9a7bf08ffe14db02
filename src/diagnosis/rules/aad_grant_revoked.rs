//! Entra refuses a refresh token because the user's grants were revoked: the password was changed or reset, or an
//! administrator ended all sessions.
//!
//! Not to be confused with a refresh token that grew too old (`aad-refresh-expired`) or was never good
//! (`aad-grant-invalid`). The number decides: `error` and the reason phrase may say anything.

use crate::diagnosis::{Actor, Case, Certainty, Gate, Hit, Kind, Rule};
use crate::text::Text;

pub(super) static RULE: Rule = Rule {
    id: "aad-grant-revoked",
    title: Text {
        en: "The sign-in was revoked; the user must sign in again",
        ja: "サインインが取り消されたため、再サインインが必要",
    },
    explanation: Text {
        en: "The client offered a refresh token that Entra ID no longer takes: it is older than the moment from which the \
             user's tokens count. That moment moves when the password is changed or reset, and when sessions are revoked. \
             Until the user signs in again there is no new access token, and Exchange is asked without one.",
        ja: "クライアントの更新トークンを Entra ID が受け付けませんでした。このユーザーのトークンが有効とみなされる時点より前に\
             発行されたものだからです。この時点は、パスワードの変更やリセット、セッションの取り消しによって更新されます。\
             再サインインするまで新しいアクセス トークンは発行されません。",
    },
    remedy: Text {
        en: "Let the user sign in again with the present password (restart Outlook; if no prompt comes, remove the account \
             under Settings > Accounts > Access work or school, and the entries MicrosoftOffice16_Data:* in Credential \
             Manager). A migration tool or service needs its account connected anew. Who revoked, and when:\n\
             Connect-MgGraph -Scopes User.Read.All,AuditLog.Read.All\n\
             Get-MgUser -UserId '<UPN>' -Property SignInSessionsValidFromDateTime,LastPasswordChangeDateTime | \
             Format-List SignIn*,LastPassword*\n\
             Get-MgAuditLogDirectoryAudit -Filter \"activityDisplayName eq 'Update StsRefreshTokenValidFrom Timestamp'\" -Top 20",
        ja: "現在のパスワードで再サインインしてもらいます (Outlook を再起動します。サインイン画面が出ない場合は、[設定] > [アカウント] > \
             [職場または学校にアクセスする] のアカウントと、資格情報マネージャーの MicrosoftOffice16_Data:* を削除します)。\
             移行ツールやサービスでは、アカウントを接続し直します。取り消しの時刻と実行者は次のように確認できます。\n\
             Connect-MgGraph -Scopes User.Read.All,AuditLog.Read.All\n\
             Get-MgUser -UserId '<UPN>' -Property SignInSessionsValidFromDateTime,LastPasswordChangeDateTime | \
             Format-List SignIn*,LastPassword*\n\
             Get-MgAuditLogDirectoryAudit -Filter \"activityDisplayName eq 'Update StsRefreshTokenValidFrom Timestamp'\" -Top 20",
    },
    sources: &[
        "https://learn.microsoft.com/en-us/entra/identity-platform/reference-error-codes",
        "https://learn.microsoft.com/en-us/entra/identity-platform/refresh-tokens",
    ],
    kinds: &[Kind::Failure],
    certainties: &[Certainty::Certain],
    actors: &[Actor::User],
    gate: Gate::Status(&[200, 302, 303, 400, 401, 403]),
    supersedes: &[],
    find,
    #[cfg(test)]
    examples: tests::EXAMPLES,
};

fn find(case: &Case<'_>) -> Option<Hit> {
    case.aadsts().filter(|aadsts| aadsts.is_any(&[50173, 50132, 50133, 50089]))?;
    Some(
        Hit::failure(Certainty::Certain, Actor::User)
            .on(case.on_server())
            .naming("host", case.host_name())
            .because(case.evidence_aadsts()),
    )
}
