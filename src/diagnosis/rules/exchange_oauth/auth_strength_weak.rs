//! Exchange Online wants the application to prove itself by a certificate: 2000010.
//!
//! Not to be confused with a token that lacks a permission (`token-scope-insufficient`), or with a user who must use
//! multi-factor authentication, which the sign-in host says.

use crate::diagnosis::token::refused;
use crate::diagnosis::{Actor, Case, Certainty, Gate, Hit, Kind, Rule, Signs, TokenFault};
use crate::text::Text;

pub(super) static RULE: Rule = Rule {
    id: "auth-strength-weak",
    title: Text {
        en: "The application proved itself too weakly", ja: "アプリケーションの認証方式の強度が不足"
    },
    explanation: Text {
        en: "The token was obtained with a client secret, and Exchange Online asks for a certificate for what the \
             application does here: appidacr is 1 in the token (secret) where 2 (certificate) is required. Today a \
             secret with full_access_as_app suffices for EWS in general, so this is the older rule, or an \
             application that still comes under it.",
        ja: "トークンはクライアント シークレットで取得されていますが、Exchange Online はこの操作に証明書による認証\
             を求めています。トークンの appidacr が 1 (シークレット) であり、2 (証明書) が必要です。現在の EWS では\
             、通常シークレットと full_access_as_app で足りるため、以前の規則がまだ適用されているアプリケーションと\
             考えられます。",
    },
    remedy: Text {
        en: "Give the application a certificate, and request the token with it:\n\
             $cert = New-SelfSignedCertificate -Subject 'CN=authtap-app' -CertStoreLocation Cert:\\CurrentUser\\My \
             -KeyExportPolicy NonExportable\n\
             Connect-MgGraph -Scopes Application.ReadWrite.All\n\
             $app = Get-MgApplication -Filter \"appId eq '{appid}'\" -Property Id,KeyCredentials\n\
             Update-MgApplication -ApplicationId $app.Id -KeyCredentials ($app.KeyCredentials + @{ Type = \
             'AsymmetricX509Cert'; Usage = 'Verify'; Key = $cert.RawData })\n\
             Then look into the new token: appidacr (or azpacr) must be 2.",
        ja: "アプリケーションに証明書を登録し、その証明書でトークンを要求します。\n\
             $cert = New-SelfSignedCertificate -Subject 'CN=authtap-app' -CertStoreLocation Cert:\\CurrentUser\\My \
             -KeyExportPolicy NonExportable\n\
             Connect-MgGraph -Scopes Application.ReadWrite.All\n\
             $app = Get-MgApplication -Filter \"appId eq '{appid}'\" -Property Id,KeyCredentials\n\
             Update-MgApplication -ApplicationId $app.Id -KeyCredentials ($app.KeyCredentials + @{ Type = \
             'AsymmetricX509Cert'; Usage = 'Verify'; Key = $cert.RawData })\n\
             新しいトークンの appidacr (または azpacr) が 2 であることを確認します。",
    },
    sources: &[
        "https://learn.microsoft.com/en-us/entra/identity-platform/access-token-claims-reference",
        "public capture",
    ],
    kinds: &[Kind::Failure],
    certainties: &[Certainty::Certain, Certainty::Likely],
    actors: &[Actor::EntraAdmin],
    gate: Gate::status(&[401, 403]).showing(Signs::DIAGNOSTICS),
    supersedes: &[],
    find,
    #[cfg(test)]
    examples: tests::EXAMPLES,
};

fn find(case: &Case<'_>) -> Option<Hit> {
    refused(case, TokenFault::Strength, Actor::EntraAdmin)
        .map(|hit| hit.naming("appid", case.jwt().and_then(|jwt| jwt.appid.clone())))
}

#[cfg(test)]
mod tests {
    use crate::diagnosis::rules::kit::{Example, Raw};
    use crate::diagnosis::{Actor, Certainty, Kind};

    pub(super) const EXAMPLES: &[Example] = &[
        Example::fires(
            "the token was obtained with a secret",
            (Kind::Failure, Certainty::Certain, Actor::EntraAdmin),
            &[Raw::new(
                "POST https://outlook.office365.com/EWS/Exchange.asmx\n\
                 Authorization: Bearer {jwt aud=https://outlook.office365.com appidacr=1}",
                "401\n\
                 Server: Microsoft-IIS/10.0\n\
                 X-FEServer: EX01\n\
                 x-ms-diagnostics: 2000010;reason=\"The access token is acquired using an authentication method \
                 that is too weak to allow access for this application. Presented auth strength was 1, required is \
                 2.\";error_category=\"insufficient_auth_strength\"\n\
                 WWW-Authenticate: {bearer https://login.windows.net/common/oauth2/authorize}, \
                 error=\"invalid_token\"",
            )],
        ),
        Example::fires(
            "only the category is known",
            (Kind::Failure, Certainty::Likely, Actor::EntraAdmin),
            &[Raw::new(
                "",
                "403\n\
                 X-MS-DIAGNOSTICS: 2000099;reason=\"Stronger, \
                 please.\";error_category=\"Insufficient_Auth_Strength\"",
            )],
        ),
        Example::silent(
            "a permission is missing",
            &[Raw::new(
                "POST https://mail.contoso.com/EWS/Exchange.asmx\n\
                 Authorization: Bearer {jwt aud=https://mail.contoso.com/ upn=avery@contoso.com exp=1795167900}",
                "403\n\
                 Server: Microsoft-IIS/10.0\n\
                 X-FEServer: EX01\n\
                 x-ms-diagnostics: 2000008;reason=\"The token contains not enough scope to make this \
                 call.\";error_category=\"invalid_grant\"\n\
                 WWW-Authenticate: {bearer https://login.windows.net/common/oauth2/authorize}, \
                 error=\"invalid_token\"",
            )],
        ),
    ];
}
