//! A migration tool has no application, or not the right one, to sign in to Exchange Online with.
//!
//! Only what calls itself a migration tool is taken for one. For others it is a candidate of `basic-retired-exo`,
//! `aad-app-not-found` and `aad-consent-missing`, which name what the wire shows and stand before it.

use crate::diagnosis::refusal::{ANSWERS, is_migration_tool, refused};
use crate::diagnosis::{Actor, Case, Certainty, Gate, Hit, Kind, Rule, Sent, Signs};
use crate::redact::Credential;
use crate::text::Text;

pub(super) static RULE: Rule = Rule {
    id: "modern-auth-not-configured",
    title: Text {
        en: "The migration tool is not set up for modern authentication",
        ja: "移行ツールに先進認証が設定されていない",
    },
    explanation: Text {
        en: "Exchange Online takes no Basic authentication since the end of 2022. A migration tool needs an \
             application in the tenant, with permission and consent, and must be told its application id and tenant \
             id. This one sends a password, or an application that the tenant does not know or has not consented to.",
        ja: "Exchange Online では 2022 年末以降、基本認証を使えません。移行ツールには、アクセス許可と同意を得たテナン\
             ト内のアプリケーションが必要で、そのアプリケーション ID とテナント ID をツールに設定します。このツールは\
             パスワードを送っているか、テナントに存在しない、または同意されていないアプリケーションを使っています。",
    },
    remedy: Text {
        en: "Register a multitenant application with the delegated permission EWS.AccessAsUser.All and admin consent, \
             \"Allow public client flows\" = Yes, and the redirect URI urn:ietf:wg:oauth:2.0:oob (or application \
             permission full_access_as_app where the tool can use it). MigrationWiz: put both ids into the advanced \
             options of the project, for the destination\n\
             ModernAuthClientIdImport=<application id>\n\
             ModernAuthTenantIdImport={tenant}\n\
             and for the source ModernAuthClientIdExport= and ModernAuthTenantIdExport=. With an administrator's \
             password MFA, security defaults and Conditional Access still apply. EWS itself: since October 2026 the \
             application must also stand on the tenant's list (read it first; the list is replaced as a whole):\n\
             Get-OrganizationConfig -RetrieveEwsOperationAccessPolicy | Format-List EwsEnabled,EwsAllowedAppIDs",
        ja: "マルチテナント アプリケーションを登録し、委任されたアクセス許可 EWS.AccessAsUser.All に管理者の同意を与え\
             、[パブリック クライアント フローを許可する] を [はい] にし、リダイレクト URI に \
             urn:ietf:wg:oauth:2.0:oob を設定します (ツールが対応していれば、アプリケーションのアクセス許可 \
             full_access_as_app)。MigrationWiz ではプロジェクトの詳細オプションに両方の ID を設定します。移行先は次の\
             とおりです。\n\
             ModernAuthClientIdImport=<application id>\n\
             ModernAuthTenantIdImport={tenant}\n\
             移行元は ModernAuthClientIdExport= と ModernAuthTenantIdExport= です。管理者のパスワードを使う場合は、MFA\
             、セキュリティの既定値群、条件付きアクセスが引き続き適用されます。2026 年 10 月以降は、EWS の許可リストに\
             もアプリケーションが必要です (一覧全体が置き換わるため、先に確認します)。\n\
             Get-OrganizationConfig -RetrieveEwsOperationAccessPolicy | Format-List EwsEnabled,EwsAllowedAppIDs",
    },
    sources: &[
        "https://learn.microsoft.com/en-us/exchange/client-developer/exchange-web-services/how-to-authenticate-an-ews-\
         application-by-using-oauth",
        "https://learn.microsoft.com/en-us/exchange/clients-and-mobile-in-exchange-online/deprecation-of-basic-authent\
         ication-exchange-online",
    ],
    kinds: &[Kind::Failure, Kind::Note],
    certainties: &[Certainty::Likely],
    actors: &[Actor::MigrationTool],
    gate: Gate::status(ANSWERS).showing(Signs::ISSUER_ERROR.or(Signs::BASIC)),
    supersedes: &[],
    find,
    #[cfg(test)]
    examples: tests::EXAMPLES,
};

/// No such application, no consent, no public client.
const CODES: [u32; 7] = [700_016, 70001, 65001, 650_056, 650_057, 90094, 7_000_218];

fn find(case: &Case<'_>) -> Option<Hit> {
    if !is_migration_tool(case) {
        return None;
    }
    if let Some(refused) = refused(case, &CODES) {
        let hit = refused.failure(Certainty::Likely, Actor::MigrationTool);
        return Some(hit.because(case.evidence_request("user-agent")));
    }
    let sent = matches!(case.authorization(), Sent::Credential(Credential::Basic { .. }));
    let basic = sent && case.is_exchange_online() && case.status() == Some(401);
    // What the wire shows is that Basic is gone; this is what follows for the tool.
    basic.then(|| {
        let hit = Hit::note(Certainty::Likely, Actor::MigrationTool).on(case.on_server());
        hit.because(case.evidence_request("user-agent")).because(case.evidence_request("authorization"))
    })
}

#[cfg(test)]
mod tests {
    use crate::diagnosis::rules::kit::{Example, Raw};
    use crate::diagnosis::{Actor, Certainty, Kind};

    pub(super) const EXAMPLES: &[Example] = &[
        Example::fires(
            "its application is not in the tenant",
            (Kind::Failure, Certainty::Likely, Actor::MigrationTool),
            &[Raw::new(
                "POST https://login.microsoftonline.com/contoso.com/oauth2/v2.0/token\nUser-Agent: \
                 MigrationWiz/2026.11",
                "400\nContent-Type: application/json\n\n{\"error\":\"unauthorized_client\",\
                 \"error_description\":\"AADSTS700016: Application with identifier \
                 '5a4b3c2d-0000-4000-8000-000000000a12' was not found in the directory 'Contoso'.\"}",
            )],
        ),
        Example::fires(
            "it still sends a password to Exchange Online",
            (Kind::Note, Certainty::Likely, Actor::MigrationTool),
            &[Raw::new(
                "POST https://outlook.office365.com/EWS/Exchange.asmx\nUser-Agent: BitTitan MigrationWiz\n\
                 Authorization: Basic {basic avery@contoso.com:x}",
                "401\nWWW-Authenticate: Basic Realm=\"\"",
            )],
        ),
        Example::silent(
            "it sends a password to a server on-premises",
            &[Raw::new(
                "POST https://mail.contoso.com/EWS/Exchange.asmx\nUser-Agent: BitTitan MigrationWiz\nAuthorization: \
                 Basic {basic avery@contoso.com:x}",
                "401\nWWW-Authenticate: Basic Realm=\"mail\"",
            )],
        ),
        Example::silent(
            "nothing shows a migration tool",
            &[token_error!(700_016: "Application with identifier '5a4b3c2d-0000-4000-8000-000000000a12' was not \
                                       found in the directory 'Contoso'.")],
        ),
        Example::silent(
            "its application is right, its password is not",
            &[Raw::new(
                "POST https://login.microsoftonline.com/contoso.com/oauth2/v2.0/token\nUser-Agent: \
                 MigrationWiz/2026.11",
                "400\nContent-Type: application/json\n\n{\"error\":\"invalid_grant\",\
                 \"error_description\":\"AADSTS50126: Error validating credentials.\"}",
            )],
        ),
    ];
}
