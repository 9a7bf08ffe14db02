//! Entra refuses the user name or the password.
//!
//! Not to be confused with a password that is right and has expired (`aad-password-expired`), a user that the tenant
//! does not have (`aad-user-not-found`), or an application's secret (`aad-client-secret-invalid`). The old wrapper
//! 70002 alone means a password where one was sent, else a secret.

use crate::diagnosis::refusal::{GATE, refused};
use crate::diagnosis::{Actor, Case, Certainty, Hit, Kind, Rule};
use crate::text::Text;

pub(super) static RULE: Rule = Rule {
    id: "aad-bad-password",
    title: Text {
        en: "Entra ID refuses the user name or password",
        ja: "Entra ID がユーザー名またはパスワードを拒否している",
    },
    explanation: Text {
        en: "Entra ID knows the user, and the password sent does not match. For a user whose domain is federated the \
             same number comes when a tool sends the password straight to Entra ID (password grant) and no password \
             hash is synchronised: Entra ID then has nothing to compare with, although the password is right.",
        ja: "ユーザーは Entra ID に存在しますが、送信されたパスワードが一致しません。ドメインがフェデレーションされた\
             ユーザーでは、パスワード ハッシュが同期されていない状態でツールがパスワードを直接 Entra ID に送った場合 (\
             パスワード グラント) も、パスワードが正しくても同じ番号になります。",
    },
    remedy: Text {
        en: "Sign in once with the same name and password at https://myaccount.microsoft.com in a private window, \
             then type them into the tool anew (no blanks at the ends). Is the domain federated, and did others fail \
             too?\n\
             Connect-MgGraph -Scopes Domain.Read.All,AuditLog.Read.All,Directory.Read.All\n\
             Get-MgDomain | Format-Table Id,AuthenticationType\n\
             Get-MgAuditLogSignIn -Filter \"correlationId eq '{correlation}'\" | Format-List \
             CreatedDateTime,UserPrincipalName,AppDisplayName,Status\n\
             Federated: switch on password hash synchronisation in Entra Connect, or use a cloud account \
             (onmicrosoft.com) or app-only access for the tool.",
        ja: "プライベート ウィンドウで https://myaccount.microsoft.com に同じユーザー名とパスワードで一度サインインし\
             て確認し、ツールに入力し直します (前後の空白に注意)。ドメインがフェデレーションされているか、ほかの失敗が\
             ないかも確認します。\n\
             Connect-MgGraph -Scopes Domain.Read.All,AuditLog.Read.All,Directory.Read.All\n\
             Get-MgDomain | Format-Table Id,AuthenticationType\n\
             Get-MgAuditLogSignIn -Filter \"correlationId eq '{correlation}'\" | Format-List \
             CreatedDateTime,UserPrincipalName,AppDisplayName,Status\n\
             フェデレーションの場合は、Entra Connect でパスワード ハッシュ同期を有効にするか、ツールにクラウド アカウ\
             ント (onmicrosoft.com) またはアプリ専用アクセスを使います。",
    },
    sources: &[
        "https://learn.microsoft.com/en-us/entra/identity-platform/reference-error-codes",
        "https://learn.microsoft.com/en-us/entra/identity-platform/v2-oauth-ropc",
    ],
    kinds: &[Kind::Failure],
    certainties: &[Certainty::Certain, Certainty::Likely],
    actors: &[Actor::User],
    gate: GATE,
    supersedes: &[],
    find,
    #[cfg(test)]
    examples: tests::EXAMPLES,
};

const CODES: [u32; 3] = [50126, 50064, WRAPPER];

/// "Error validating credentials", of a user or of an application; nothing else stands beside it.
const WRAPPER: u32 = 70002;

fn find(case: &Case<'_>) -> Option<Hit> {
    let refused = refused(case, &CODES)?;
    if refused.said.code() != Some(WRAPPER) {
        return Some(refused.failure(Certainty::Certain, Actor::User));
    }
    refused.is_about_password().then(|| refused.failure(Certainty::Likely, Actor::User))
}

#[cfg(test)]
mod tests {
    use crate::diagnosis::rules::kit::{Example, Raw};
    use crate::diagnosis::{Actor, Certainty, Kind};

    pub(super) const EXAMPLES: &[Example] = &[
        Example::fires(
            "the password grant is refused",
            (Kind::Failure, Certainty::Certain, Actor::User),
            &[token_error!(50126: "Error validating credentials due to invalid username or password.")],
        ),
        Example::fires(
            "an old number wraps it",
            (Kind::Failure, Certainty::Certain, Actor::User),
            &[token_error!(70002: "Error validating credentials. AADSTS50126: Invalid username or password.")],
        ),
        Example::fires(
            "the wrapper stands alone, and a password was sent",
            (Kind::Failure, Certainty::Likely, Actor::User),
            &[token_error!(70002: "Error validating credentials.")],
        ),
        Example::fires(
            "the sign-in page keeps no more than the number",
            (Kind::Failure, Certainty::Certain, Actor::User),
            &[Raw::new(
                "POST https://login.microsoftonline.com/common/login\nUser-Agent: Mozilla/5.0",
                "200 OK\nContent-Type: text/html\n\n<html><script>$Config={\"sErrTxt\":\"\",\"sErrorCode\":\"50126\"};\
                 </script></html>",
            )],
        ),
        Example::fires(
            "a fault of WS-Trust holds it",
            (Kind::Failure, Certainty::Certain, Actor::User),
            &[Raw::new(
                "POST https://login.microsoftonline.com/rst2.srf",
                "500\nContent-Type: application/soap+xml\n\n<S:Envelope \
                 xmlns:S=\"http://www.w3.org/2003/05/soap-envelope\"><S:Body><S:Fault><S:Reason><S:Text \
                 xml:lang=\"en-US\">AADSTS50126: Error validating credentials due to invalid username or \
                 password.</S:Text></S:Reason></S:Fault></S:Body></S:Envelope>",
            )],
        ),
        Example::fires(
            "the body was not captured, the telemetry header was",
            (Kind::Failure, Certainty::Certain, Actor::User),
            &[Raw::new(
                "POST https://login.microsoftonline.com/common/oauth2/token",
                "400 Bad Request\nx-ms-clitelem: 1,50126,0,,",
            )],
        ),
        Example::silent(
            "the wrapper stands alone, and a secret was sent",
            &[token_error!(
                "grant_type=client_credentials&client_id=5a4b3c2d-0000-4000-8000-000000000a07&client_secret=x" =>
                70002: "Error validating credentials."
            )],
        ),
        Example::silent("the password is right and has expired", &[token_error!(50055: "The password is expired.")]),
        Example::silent(
            "another identity provider refuses a password",
            &[Raw::new(
                "POST https://id.fabrikam.com/realms/main/protocol/openid-connect/token\nContent-Type: \
                 application/x-www-form-urlencoded\n\ngrant_type=password&username=avery&password=x",
                "401\nContent-Type: application/json\n\n{\"error\":\"invalid_grant\",\"error_description\":\"Invalid \
                 user credentials\"}",
            )],
        ),
    ];
}
