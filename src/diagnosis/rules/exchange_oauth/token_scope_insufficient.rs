//! The token is good and does not allow what was asked: 2000008 for its scope, or a 403 beside a token without permissions.
//!
//! Not to be confused with an application without a linked account (`partner-app-linked-account`, the same number), with an
//! EWS policy (`ews-disabled`, `ews-app-blocked`: they come with X-EWS-Policy-Reason), or with Graph's refusals.

use crate::diagnosis::token::{is_from_server, refused};
use crate::diagnosis::{Actor, Case, Certainty, Directory, Gate, Hit, Kind, Rule, Signs, TokenFault};
use crate::redact::{Clean, Jwt};
use crate::text::Text;

pub(super) static RULE: Rule = Rule {
    id: "token-scope-insufficient",
    title: Text { en: "The token does not allow this call", ja: "トークンに必要なアクセス許可がない" },
    explanation: Text {
        en: "{host} took the token and refused what was asked with it. It carries scp={scp} roles={roles}. Exchange \
             Web Services want the delegated permission EWS.AccessAsUser.All, or the application permission \
             full_access_as_app with admin consent. Where the reason names other permissions, it wants those. A \
             token on-premises that already has full_access_as_app shows another limit: Exchange Server takes no \
             app-only tokens of Entra ID.",
        ja: "{host} はトークンを受け入れましたが、要求された操作を拒否しました。トークンには scp={scp} \
             roles={roles} が含まれています。Exchange Web Services には、委任されたアクセス許可 \
             EWS.AccessAsUser.All、または管理者の同意を得たアプリケーションのアクセス許可 full_access_as_app が必要\
             です。理由に別のアクセス許可が示されている場合は、それが必要です。オンプレミスでトークンにすでに \
             full_access_as_app がある場合は、Exchange Server が Entra ID のアプリ専用トークンを受け入れないことが\
             原因です。",
    },
    remedy: Text {
        en: "See what the application {appid} was granted, add what the evidence names, and consent:\n\
             Connect-MgGraph -Scopes Application.Read.All,Directory.Read.All\n\
             $sp = Get-MgServicePrincipal -Filter \"appId eq '{appid}'\"\n\
             Get-MgServicePrincipalAppRoleAssignment -ServicePrincipalId $sp.Id | Format-Table \
             ResourceDisplayName,AppRoleId\n\
             Get-MgOauth2PermissionGrant -Filter \"clientId eq '$($sp.Id)'\" | Format-Table ConsentType,Scope\n\
             The permissions are those of Office 365 Exchange Online (APIs my organization uses), not of Microsoft \
             Graph; a new token is needed afterwards. With RBAC for Applications instead of full_access_as_app:\n\
             Get-ManagementRoleAssignment -RoleAssignee $sp.Id | Format-Table Role,CustomResourceScope\n\
             Test-ServicePrincipalAuthorization -Identity $sp.Id -Resource '<mailbox>'\n\
             On-premises: use delegated tokens of a user, or a service account with impersonation.",
        ja: "アプリケーション {appid} に付与されているものを確認し、根拠に示されたアクセス許可を追加して同意します\
             。\n\
             Connect-MgGraph -Scopes Application.Read.All,Directory.Read.All\n\
             $sp = Get-MgServicePrincipal -Filter \"appId eq '{appid}'\"\n\
             Get-MgServicePrincipalAppRoleAssignment -ServicePrincipalId $sp.Id | Format-Table \
             ResourceDisplayName,AppRoleId\n\
             Get-MgOauth2PermissionGrant -Filter \"clientId eq '$($sp.Id)'\" | Format-Table ConsentType,Scope\n\
             アクセス許可は Microsoft Graph ではなく、Office 365 Exchange Online ([所属する組織で使用している API]) \
             のものです。変更後は新しいトークンが必要です。full_access_as_app の代わりに RBAC for Applications を使\
             う場合:\n\
             Get-ManagementRoleAssignment -RoleAssignee $sp.Id | Format-Table Role,CustomResourceScope\n\
             Test-ServicePrincipalAuthorization -Identity $sp.Id -Resource '<mailbox>'\n\
             オンプレミスでは、ユーザーの委任トークンか、偽装の権限を持つサービス アカウントを使います。",
    },
    sources: &[
        "https://learn.microsoft.com/en-us/exchange/client-developer/exchange-web-services/how-to-authenticate-an-ews-application-by-using-oauth",
        "https://learn.microsoft.com/en-us/exchange/permissions-exo/application-rbac",
        "public capture",
    ],
    kinds: &[Kind::Failure],
    certainties: &[Certainty::Certain, Certainty::Likely, Certainty::Possible],
    actors: &[Actor::EntraAdmin, Actor::ExchangeAdmin],
    gate: Gate::status(&[401, 403]).showing(Signs::DIAGNOSTICS.or(Signs::TOKEN)),
    supersedes: &[],
    find,
    #[cfg(test)]
    examples: tests::EXAMPLES,
};

fn find(case: &Case<'_>) -> Option<Hit> {
    let jwt = case.jwt();
    // Nothing that Entra can grant helps there.
    let app_only = jwt.is_some_and(|jwt| holds(jwt, "full_access_as_app")) && !case.is_exchange_online();
    let actor = if app_only && case.exchange.url.is_some() { Actor::ExchangeAdmin } else { Actor::EntraAdmin };
    let told = refused(case, TokenFault::Scope, actor);
    let hit = told.or_else(|| by_challenge(case, actor)).or_else(|| by_permissions(case))?;
    let or_none = |text: Option<&Clean>| text.cloned().unwrap_or_else(|| "-".into());
    Some(
        hit.naming("host", case.host_name())
            .naming("scp", jwt.map(|jwt| or_none(jwt.scp.as_ref())))
            .naming("roles", jwt.map(|jwt| or_none(jwt.roles.as_ref())))
            .naming("appid", jwt.and_then(|jwt| jwt.appid.clone())),
    )
}

/// RFC 6750's own word for it, from Exchange.
fn by_challenge(case: &Case<'_>, actor: Actor) -> Option<Hit> {
    let bearer =
        case.challenge("bearer").filter(|bearer| bearer.param("error").is_some_and(|e| e == "insufficient_scope"))?;
    let said = case.is_exchange() && case.token_fault().is_none();
    said.then(|| {
        let place = crate::diagnosis::Place::ResponseHeader("www-authenticate");
        Hit::failure(Certainty::Certain, actor).on(case.on_user()).because(case.evidence(place, bearer.text()))
    })
}

/// A 403 without a word from Exchange Online, for a token whose permissions are none for what was asked.
fn by_permissions(case: &Case<'_>) -> Option<Hit> {
    let jwt = case.jwt()?;
    let bare = case.status() == Some(403)
        && case.is_exchange_online()
        && case.diagnostics().is_none()
        && case.lacks_response_header("x-ews-policy-reason")
        && !is_from_server(case)
        // What Exchange itself issued for an add-in has no permissions of this kind.
        && !jwt.iss.as_ref().is_some_and(|iss| iss.as_str().starts_with("00000002-0000-0ff1-ce00-000000000000@"));
    let wanted: &[&str] = match case.directory().filter(|_| bare)? {
        Directory::Ews => &["ews.", "full_access_as_", "user_impersonation"],
        Directory::ActiveSync => &["eas.", "full_access_as_", "user_impersonation"],
        Directory::Api => &["mail", "calendar", "contact", "full_access_as_", "user_impersonation", "ews."],
        _ => return None,
    };
    let permissions = || [&jwt.scp, &jwt.roles].into_iter().flatten().flat_map(|all| all.as_str().split(' '));
    let fits = |permission: &str| wanted.iter().any(|start| starts_with(permission, start));
    if permissions().any(fits) {
        return None;
    }
    // A token that tells no permissions at all may have been made of parts.
    let certainty = if permissions().next().is_some() { Certainty::Likely } else { Certainty::Possible };
    let hit = Hit::failure(certainty, Actor::EntraAdmin).on(case.on_user());
    Some(hit.because(case.evidence_request("authorization")).because(case.evidence_status()))
}

fn holds(jwt: &Jwt, role: &str) -> bool {
    jwt.roles.as_ref().is_some_and(|roles| roles.as_str().split(' ').any(|one| one.eq_ignore_ascii_case(role)))
}

fn starts_with(text: &str, start: &str) -> bool {
    text.get(..start.len()).is_some_and(|head| head.eq_ignore_ascii_case(start))
}

#[cfg(test)]
mod tests {
    use crate::diagnosis::rules::kit::{Example, Raw};
    use crate::diagnosis::{Actor, Certainty, Kind};

    pub(super) const EXAMPLES: &[Example] = &[
        Example::fires(
            "an app-only token on-premises",
            (Kind::Failure, Certainty::Certain, Actor::ExchangeAdmin),
            &[Raw::new(
                "POST https://mail.contoso.com/EWS/Exchange.asmx\n\
                 Authorization: Bearer {jwt aud=https://mail.contoso.com roles=full_access_as_app}",
                "403 Forbidden\n\
                 Server: Apache\n\
                 x-ms-diagnostics: 2000008;reason=\"The token contains not enough scope to make this \
                 call.\";error_category=\"invalid_grant\"",
            )],
        ),
        Example::fires(
            "the reason names the permissions",
            (Kind::Failure, Certainty::Certain, Actor::EntraAdmin),
            &[Raw::new(
                "POST https://outlook.office365.com/EWS/Exchange.asmx\n\
                 Authorization: Bearer {jwt aud=https://outlook.office365.com roles=full_access_as_app}",
                "403\n\
                 x-ms-diagnostics: 2000008;reason=\"Access to this API requires the following permissions: \
                 'MailExport-Internal.Read.All'. However, the application only has the following permissions \
                 granted: 'full_access_as_app'.\";error_category=\"invalid_grant\"",
            )],
        ),
        Example::fires(
            "one line was pasted",
            (Kind::Failure, Certainty::Certain, Actor::EntraAdmin),
            &[Raw::new(
                "",
                "401\n\
                 x-ms-diagnostics: 2000008;reason=\"The token contains no scope information, or scope can not be \
                 understood.\";error_category=\"invalid_grant\"",
            )],
        ),
        Example::fires(
            "Exchange Online says nothing and the permissions are Graph's",
            (Kind::Failure, Certainty::Likely, Actor::EntraAdmin),
            &[Raw::new(
                "POST https://outlook.office365.com/EWS/Exchange.asmx\n\
                 Authorization: Bearer {jwt aud=https://outlook.office365.com scp=Mail.Read}",
                "403 Forbidden\n\
                 Server: Microsoft-IIS/10.0\n\
                 X-FEServer: AM9P195CA0011",
            )],
        ),
        Example::fires(
            "it says nothing and no permission is known",
            (Kind::Failure, Certainty::Possible, Actor::EntraAdmin),
            &[Raw::new(
                "POST https://outlook.office365.com/EWS/Exchange.asmx\n\
                 Authorization: Bearer {jwt aud=https://outlook.office365.com}",
                "403 Forbidden\n\
                 Server: Microsoft-IIS/10.0\n\
                 X-FEServer: AM9P195CA0011",
            )],
        ),
        Example::fires(
            "the challenge has RFC 6750's word",
            (Kind::Failure, Certainty::Certain, Actor::EntraAdmin),
            &[Raw::new(
                "GET https://mail.contoso.com/api/v2.0/me\n\
                 Authorization: Bearer {jwt aud=https://mail.contoso.com scp=x}",
                "403\n\
                 X-FEServer: EX01\n\
                 WWW-Authenticate: Bearer error=\"insufficient_scope\", scope=\"Mail.Read\"",
            )],
        ),
        Example::silent(
            "the permissions are those of EWS",
            &[Raw::new(
                "POST https://outlook.office365.com/EWS/Exchange.asmx\n\
                 Authorization: Bearer {jwt aud=https://outlook.office365.com scp=EWS.AccessAsUser.All}",
                "403 Forbidden\n\
                 Server: Microsoft-IIS/10.0\n\
                 X-FEServer: AM9P195CA0011",
            )],
        ),
        Example::silent(
            "a policy of EWS refuses",
            &[Raw::new(
                "POST https://outlook.office365.com/EWS/Exchange.asmx\n\
                 Authorization: Bearer {jwt aud=https://outlook.office365.com scp=Mail.Read}",
                "403 Forbidden\n\
                 X-FEServer: AM9P195CA0011\n\
                 X-EWS-Policy-Reason: EWS is disabled for this user or tenant",
            )],
        ),
        Example::silent(
            "a server of the organisation calls",
            &[Raw::new(
                "POST https://outlook.office365.com/EWS/Exchange.asmx\n\
                 User-Agent: ASProxy/CrossForest/EmailDomain//15.02.1748.039\n\
                 Authorization: Bearer {jwt aud=https://outlook.office365.com}",
                "403 Forbidden\n\
                 X-FEServer: AM9P195CA0011",
            )],
        ),
        Example::silent(
            "the application has no account",
            &[Raw::new(
                "POST https://mail.contoso.com/EWS/Exchange.asmx\n\
                 Authorization: Bearer {jwt aud=https://mail.contoso.com/ upn=avery@contoso.com exp=1795167900}",
                "401\n\
                 Server: Microsoft-IIS/10.0\n\
                 X-FEServer: EX01\n\
                 x-ms-diagnostics: 2000008;reason=\"The token should have valid permissions or linked account \
                 associated with partner application 'x'.\";error_category=\"invalid_grant\"\n\
                 WWW-Authenticate: {bearer https://login.windows.net/common/oauth2/authorize}, \
                 error=\"invalid_token\"",
            )],
        ),
        Example::silent(
            "a registry wants more scope",
            &[Raw::new(
                "GET https://registry.contoso.com/v2/app/manifests/1\n\
                 Authorization: Bearer {jwt aud=registry.contoso.com}",
                "401\n\
                 WWW-Authenticate: Bearer \
                 realm=\"https://auth.contoso.com/token\",service=\"registry.contoso.com\",error=\"insufficient_scope\"",
            )],
        ),
    ];
}
