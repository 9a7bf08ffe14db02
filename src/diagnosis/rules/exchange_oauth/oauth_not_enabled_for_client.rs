//! OAuth is on, but Outlook for Windows is not let in by it, or the user's authentication policy forbids it: 4000000.
//!
//! Not to be confused with the same number for ActiveSync, or for a host name instead of a user: there it is a
//! harmless part of the discovery (`hma-empty-bearer`); nor with an answer that names no authorization_uri
//! (`hma-no-authorization-uri`).

use crate::diagnosis::person::upn_of;
use crate::diagnosis::{Actor, Case, Certainty, Diagnostics, Directory, Gate, Hit, Kind, Rule, Sent, Signs, Subject};
use crate::redact::{Clean, Credential};
use crate::text::Text;

pub(super) static RULE: Rule = Rule {
    id: "oauth-not-enabled-for-client",
    title: Text {
        en: "Modern authentication is not enabled for this client",
        ja: "このクライアントに対して先進認証が有効になっていない",
    },
    explanation: Text {
        en: "{host} names an authorization_uri and says in the same answer (4000000) that OAuth is not available to \
             this user. Of the two switches of hybrid modern authentication only one is on, the servers still hold \
             the old value in their cache, or an authentication policy blocks modern authentication for the user.",
        ja: "{host} は authorization_uri を示しながら、同じ応答でこのユーザーは OAuth を利用できないと伝えています \
             (4000000)。ハイブリッド先進認証の 2 つの設定のうち片方しか有効になっていない、サーバーが古い値をキャッ\
             シュしている、または認証ポリシーがこのユーザーの先進認証をブロックしていることが考えられます。",
    },
    remedy: Text {
        en: "Read the switch for Outlook and turn it on; the other one is the default authorization endpoint:\n\
             (Get-OrganizationConfig).OAuth2ClientProfileEnabled\n\
             Set-OrganizationConfig -OAuth2ClientProfileEnabled $true\n\
             Get-AuthServer | Format-Table Name,Type,IsDefaultAuthorizationEndpoint\n\
             If both are on, read the policy of the user and of the organisation:\n\
             Get-User -Identity '{user}' | Format-List AuthenticationPolicy\n\
             Get-OrganizationConfig | Format-List DefaultAuthenticationPolicy\n\
             Get-AuthenticationPolicy | Format-List Name,BlockModernAuth*\n\
             Then wait 30 minutes, or run iisreset on each server.",
        ja: "Outlook 用の設定を確認し、有効にします。もう 1 つの設定は既定の承認エンドポイントです。\n\
             (Get-OrganizationConfig).OAuth2ClientProfileEnabled\n\
             Set-OrganizationConfig -OAuth2ClientProfileEnabled $true\n\
             Get-AuthServer | Format-Table Name,Type,IsDefaultAuthorizationEndpoint\n\
             どちらも有効な場合は、ユーザーと組織の認証ポリシーを確認します。\n\
             Get-User -Identity '{user}' | Format-List AuthenticationPolicy\n\
             Get-OrganizationConfig | Format-List DefaultAuthenticationPolicy\n\
             Get-AuthenticationPolicy | Format-List Name,BlockModernAuth*\n\
             その後 30 分待つか、各サーバーで iisreset を実行します。",
    },
    sources: &[
        "https://learn.microsoft.com/en-us/microsoft-365/enterprise/configure-exchange-server-for-hybrid-modern-authentication",
        "public capture",
    ],
    kinds: &[Kind::Failure],
    certainties: &[Certainty::Certain, Certainty::Likely],
    actors: &[Actor::ExchangeAdmin],
    gate: Gate::status(&[401, 403, 456]).showing(Signs::DIAGNOSTICS),
    supersedes: &[],
    find,
    #[cfg(test)]
    examples: tests::EXAMPLES,
};

fn find(case: &Case<'_>) -> Option<Hit> {
    let diagnostics = case.diagnostics().filter(|d| d.is_exchange(4_000_000, "oauth_not_available"))?;
    let identity = identity(diagnostics);
    // A host name in its place is harmless.
    if identity.as_ref().is_some_and(|identity| !is_person(identity.as_str())) {
        return None;
    }
    let asked = match case.authorization() {
        // Only a client that asked for OAuth is answered so; tools leave Authorization out of what they write.
        Sent::Unseen | Sent::Absent => Certainty::Likely,
        Sent::Credential(Credential::Bearer(_) | Credential::Empty) => Certainty::Certain,
        // A client that offers a password or a ticket did not ask for OAuth; its refusal has another reason.
        Sent::Credential(_) => return None,
    };
    let mut offers = case.challenges().iter().filter_map(|challenge| challenge.param("authorization_uri"));
    let named = offers.any(|uri| !uri.trim().is_empty());
    if case.directory() == Some(Directory::ActiveSync) || !named && case.status() == Some(401) {
        return None;
    }
    let subject = Subject { user: identity.clone(), ..case.on_server() };
    Some(
        Hit::failure(asked, Actor::ExchangeAdmin)
            .on(subject)
            .naming("host", case.host_name())
            .naming("user", identity.as_ref().map(upn_of))
            .because(case.evidence_header("x-ms-diagnostics"))
            .because(case.evidence_challenge("bearer")),
    )
}

/// What stands between the quotation marks of the reason: an address, or a host name.
fn identity(diagnostics: &Diagnostics<'_>) -> Option<Clean> {
    let reason = diagnostics.clean_reason();
    let quoted = reason.as_str().split(['\'', '"']).nth(1).filter(|quoted| !quoted.is_empty())?;
    Some(reason.part(quoted))
}

fn is_person(identity: &str) -> bool {
    identity.contains('@') || identity.contains('#')
}

#[cfg(test)]
mod tests {
    use crate::diagnosis::rules::kit::{Example, Raw};
    use crate::diagnosis::{Actor, Certainty, Kind};

    pub(super) const EXAMPLES: &[Example] = &[
        Example::fires(
            "Outlook is told 4000000 beside an authorization_uri",
            (Kind::Failure, Certainty::Certain, Actor::ExchangeAdmin),
            &[Raw::new(
                "POST https://autodiscover.contoso.com/autodiscover/autodiscover.xml\n\
                 User-Agent: Microsoft Office/16.0 (Windows NT 10.0; Microsoft Outlook 16.0.17928; Pro)\n\
                 Authorization: Bearer",
                "401 Unauthorized\n\
                 Server: Microsoft-IIS/10.0\n\
                 X-FEServer: EX01\n\
                 WWW-Authenticate: Negotiate\n\
                 WWW-Authenticate: NTLM\n\
                 x-ms-diagnostics: 4000000;reason=\"Flighting is not enabled for domain \
                 'avery@contoso.com'.\";error_category=\"oauth_not_available\"\n\
                 WWW-Authenticate: {bearer https://login.windows.net/common/oauth2/authorize}",
            )],
        ),
        Example::fires(
            "the header is spelled otherwise and the challenges are one line",
            (Kind::Failure, Certainty::Certain, Actor::ExchangeAdmin),
            &[Raw::new(
                "POST https://autodiscover.contoso.com/autodiscover/autodiscover.xml\n\
                 User-Agent: Microsoft Office/16.0 (Windows NT 10.0; Microsoft Outlook 16.0.17928; Pro)\n\
                 authorization: bearer",
                "401\n\
                 Server: Microsoft-IIS/10.0\n\
                 X-FEServer: EX01\n\
                 X-MS-DIAGNOSTICS: 4000000; reason=\"Flighting is not enabled for domain \
                 'kim@fabrikam.com'.\"; error_type=\"OAUTH_NOT_AVAILABLE\"\n\
                 www-authenticate: NTLM, {bearer https://login.windows.net/common/oauth2/authorize}, Basic \
                 realm=\"x\"",
            )],
        ),
        Example::fires(
            "the status is 456",
            (Kind::Failure, Certainty::Certain, Actor::ExchangeAdmin),
            &[Raw::new(
                "POST https://autodiscover.contoso.com/autodiscover/autodiscover.xml\n\
                 User-Agent: Microsoft Office/16.0 (Windows NT 10.0; Microsoft Outlook 16.0.17928; Pro)\n\
                 Authorization: Bearer",
                "456\n\
                 Server: Microsoft-IIS/10.0\n\
                 X-FEServer: EX01\n\
                 x-ms-diagnostics: 4000000;reason=\"Flighting is not enabled for domain \
                 'avery@contoso.com'.\";error_category=\"oauth_not_available\"\n",
            )],
        ),
        Example::fires(
            "only the answer was pasted",
            (Kind::Failure, Certainty::Likely, Actor::ExchangeAdmin),
            &[Raw::new(
                "",
                "401\n\
                 x-ms-diagnostics: 4000000;reason=\"Flighting is not enabled for domain \
                 'avery@contoso.com'.\";error_category=\"oauth_not_available\"\n\
                 WWW-Authenticate: {bearer https://login.windows.net/common/oauth2/authorize}",
            )],
        ),
        Example::fires(
            "nobody is named",
            (Kind::Failure, Certainty::Certain, Actor::ExchangeAdmin),
            &[Raw::new(
                "POST https://mail.contoso.com/mapi/emsmdb/\nAuthorization: Bearer",
                "401\nX-FEServer: EX01\n\
                 x-ms-diagnostics: 4000000;reason=\"Flighting is not enabled.\";error_category=\"oauth_not_available\"\n\
                 WWW-Authenticate: {bearer https://login.windows.net/common/oauth2/authorize}",
            )],
        ),
        Example::fires(
            "the tool left Authorization out",
            (Kind::Failure, Certainty::Likely, Actor::ExchangeAdmin),
            &[Raw::new(
                "POST https://mail.contoso.com/EWS/Exchange.asmx\nAccept: text/xml",
                "401\n\
                 X-FEServer: EX01\n\
                 x-ms-diagnostics: 4000000;reason=\"Flighting is not enabled for domain \
                 'avery@contoso.com'.\";error_category=\"oauth_not_available\"\n\
                 WWW-Authenticate: {bearer https://login.windows.net/common/oauth2/authorize}",
            )],
        ),
        Example::silent(
            "ActiveSync gets the same answer when all is well",
            &[Raw::new(
                "OPTIONS https://mail.contoso.com/Microsoft-Server-ActiveSync\n\
                 Authorization: Bearer",
                "401\n\
                 Server: Microsoft-IIS/10.0\n\
                 X-FEServer: EX01\n\
                 x-ms-diagnostics: 4000000;reason=\"Flighting is not enabled for domain \
                 'avery@contoso.com'.\";error_category=\"oauth_not_available\"\n\
                 WWW-Authenticate: {bearer https://login.windows.net/common/oauth2/authorize}",
            )],
        ),
        Example::silent(
            "a host stands where the user would",
            &[Raw::new(
                "GET https://mail.contoso.com/mapi/nspi/\nAuthorization: Bearer",
                "401\n\
                 Server: Microsoft-IIS/10.0\n\
                 X-FEServer: EX01\n\
                 x-ms-diagnostics: 4000000;reason=\"Flighting is not enabled for domain \
                 'mail.contoso.com'.\";error_category=\"oauth_not_available\"\n\
                 WWW-Authenticate: {bearer https://login.windows.net/common/oauth2/authorize}",
            )],
        ),
        Example::silent(
            "there is no authorization_uri either",
            &[Raw::new(
                "POST https://autodiscover.contoso.com/autodiscover/autodiscover.xml\n\
                 User-Agent: Microsoft Office/16.0 (Windows NT 10.0; Microsoft Outlook 16.0.17928; Pro)\n\
                 Authorization: Bearer",
                "401\n\
                 Server: Microsoft-IIS/10.0\n\
                 X-FEServer: EX01\n\
                 x-ms-diagnostics: 4000000;reason=\"Flighting is not enabled for domain \
                 'avery@contoso.com'.\";error_category=\"oauth_not_available\"\n\
                 WWW-Authenticate: {bearer}",
            )],
        ),
        Example::silent(
            "the number belongs to another category",
            &[Raw::new(
                "POST https://autodiscover.contoso.com/autodiscover/autodiscover.xml\n\
                 User-Agent: Microsoft Office/16.0 (Windows NT 10.0; Microsoft Outlook 16.0.17928; Pro)\n\
                 Authorization: Bearer",
                "401\n\
                 Server: Microsoft-IIS/10.0\n\
                 X-FEServer: EX01\n\
                 x-ms-diagnostics: 4000000;reason=\"Other 'avery@contoso.com'.\";\
                 error_category=\"invalid_token\"\n\
                 WWW-Authenticate: {bearer https://login.windows.net/common/oauth2/authorize}",
            )],
        ),
    ];
}
