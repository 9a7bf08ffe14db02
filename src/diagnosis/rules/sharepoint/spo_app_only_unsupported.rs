//! SharePoint Online refuses an app-only token that was obtained with a client secret.
//!
//! Not to be confused with other tokens that SharePoint cannot use (`spo-unsupported-token`): the number 3001000 and its
//! words stand for both, and only the body or the token tells them apart.

use crate::diagnosis::sharepoint::{Fault, GENERAL, Refusal};
use crate::diagnosis::{Actor, Case, Certainty, Gate, Hit, Kind, Rule, Signs};
use crate::redact::Jwt;
use crate::text::Text;

pub(super) static RULE: Rule = Rule {
    id: "spo-app-only-unsupported",
    title: Text {
        en: "SharePoint takes app-only tokens only with a certificate",
        ja: "SharePoint のアプリ専用トークンには証明書が必要",
    },
    explanation: Text {
        en: "The application {app} came with a token of its own, without a user. SharePoint Online accepts such \
             app-only tokens of Entra ID only when the application proved itself with a certificate; with a client \
             secret (appidacr 1 in the token) it refuses them, although Microsoft Graph accepts them.",
        ja: "アプリケーション {app} は、ユーザーのない自身のトークンで要求しました。SharePoint Online が Entra ID のア\
             プリ専用トークンを受け付けるのは、アプリケーションが証明書で認証された場合だけです。クライアント シーク\
             レット (トークンの appidacr が 1) では、Microsoft Graph が受け付けるトークンでも拒否されます。",
    },
    remedy: Text {
        en: "Give the app registration a certificate and let the client sign in with it instead of the secret:\n\
             $cert = New-SelfSignedCertificate -Subject 'CN={app}' -CertStoreLocation Cert:\\CurrentUser\\My \
             -KeySpec Signature\n\
             Export-Certificate -Cert $cert -FilePath app.cer\n\
             Upload app.cer under Certificates & secrets of the app in Entra ID. The app needs an application \
             permission of the API SharePoint (Sites.Selected is the smallest) with admin consent, and the scope \
             https://{host}/.default.",
        ja: "アプリの登録に証明書を追加し、クライアントがシークレットの代わりに証明書で認証するようにします。\n\
             $cert = New-SelfSignedCertificate -Subject 'CN={app}' -CertStoreLocation Cert:\\CurrentUser\\My \
             -KeySpec Signature\n\
             Export-Certificate -Cert $cert -FilePath app.cer\n\
             Entra ID のアプリの「証明書とシークレット」で app.cer をアップロードします。アプリには API「SharePoint」の\
             アプリケーションの許可 (最小は Sites.Selected) と管理者の同意、スコープ https://{host}/.default が必要で\
             す。",
    },
    sources: &[
        "https://learn.microsoft.com/sharepoint/dev/solution-guidance/security-apponly-azuread",
        "public capture",
    ],
    kinds: &[Kind::Failure],
    certainties: &[Certainty::Certain, Certainty::Likely, Certainty::Possible],
    actors: &[Actor::EntraAdmin],
    gate: Gate::status(&[401, 403]).showing(Signs::SHARE_POINT.or(Signs::NO_HOST)),
    supersedes: &["hs-anonymous-probe", "generic-bad-credentials"],
    find,
    #[cfg(test)]
    examples: tests::EXAMPLES,
};

fn find(case: &Case<'_>) -> Option<Hit> {
    let refusal = Refusal::of(case)?;
    let jwt = case.jwt();
    let certainty = if refusal.says("app only token") || refusal.says("app-only token") {
        Certainty::Certain
    } else if refusal.code == Some(GENERAL)
        && matches!(Fault::of(case), Some(Fault::None) | None)
        && !refusal.is_telling()
    {
        // The words that go with 3001000 name no cause; the token does.
        match jwt.map(is_app_only) {
            Some(true) if jwt.is_some_and(|jwt| jwt.appidacr.as_ref().is_some_and(|strength| *strength == "2")) => {
                Certainty::Possible
            }
            Some(true) | None => Certainty::Likely,
            Some(false) => Certainty::Possible,
        }
    } else {
        return None;
    };
    let hit = Hit::failure(certainty, Actor::EntraAdmin).on(case.on_server());
    let hit = refusal.evidence().fold(hit, Hit::because);
    let hit = if jwt.is_some() { hit.because(case.evidence_request("authorization")) } else { hit };
    let hit = if certainty == Certainty::Certain { hit } else { hit.or("spo-unsupported-token") };
    Some(hit.naming("host", case.host_name()).naming("app", jwt.and_then(|jwt| jwt.appid.clone())))
}

/// Whether the token speaks for the application alone.
fn is_app_only(jwt: &Jwt) -> bool {
    let says = jwt.idtyp.as_ref().is_some_and(|kind| *kind == "app");
    says || (jwt.scp.is_none() && jwt.user.is_none())
}

#[cfg(test)]
mod tests {
    use crate::diagnosis::rules::kit::{Example, Raw};
    use crate::diagnosis::{Actor, Certainty, Kind};

    const GENERAL: &str = "401\nSPRequestGuid: 5fd0a1a1-0000-4000-8000-000000000031\n\
         x-ms-diagnostics: 3001000;reason=\"There has been an error authenticating the \
         request.\";category=\"invalid_client\"";

    const fn found(certainty: Certainty) -> (Kind, Certainty, Actor) {
        (Kind::Failure, certainty, Actor::EntraAdmin)
    }

    pub(super) const EXAMPLES: &[Example] = &[
        Example::fires(
            "the body says so",
            found(Certainty::Certain),
            &[Raw::new(
                "GET https://contoso.sharepoint.com/_api/web\nAuthorization: Bearer {jwt roles=Sites.Read.All \
                 appidacr=1}",
                "401\nContent-Type: application/json; charset=utf-8\n\n\
                 {\"error\":\"invalid_request\",\"error_description\":\"Unsupported app only token.\"}",
            )],
        ),
        Example::fires(
            "the number and a token obtained with a secret",
            found(Certainty::Likely),
            &[Raw::new(
                "GET https://contoso.sharepoint.us/_api/web\nAuthorization: Bearer {jwt roles=Sites.Read.All \
                 appidacr=1}",
                GENERAL,
            )],
        ),
        Example::fires("the line alone was pasted", found(Certainty::Likely), &[Raw::new("", GENERAL)]),
        Example::fires(
            "the number and a user's token",
            found(Certainty::Possible),
            &[Raw::new(
                "GET https://contoso.sharepoint.com/_api/web\nAuthorization: Bearer {jwt scp=AllSites.Read}",
                GENERAL,
            )],
        ),
        Example::silent(
            "the body names another kind of token",
            &[Raw::new(
                "GET https://contoso.sharepoint.com/_api/web\nAuthorization: Bearer {jwt appidacr=1}",
                "401\nx-ms-diagnostics: 3001000;reason=\"There has been an error authenticating the request.\"\n\
                 Content-Type: application/json\n\n{\"error_description\":\"Unsupported security token.\"}",
            )],
        ),
        Example::silent(
            "the client only asks for the realm",
            &[Raw::new("GET https://contoso.sharepoint.com/_vti_bin/client.svc\nAuthorization: Bearer", GENERAL)],
        ),
        Example::silent(
            "Exchange refuses an app-only token",
            &[Raw::new(
                "POST https://outlook.office365.com/EWS/Exchange.asmx\nAuthorization: Bearer {jwt appidacr=1}",
                "401\nx-ms-diagnostics: 2000010;reason=\"x\";error_category=\"insufficient_auth_strength\"",
            )],
        ),
    ];
}
