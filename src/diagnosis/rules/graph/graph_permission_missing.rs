//! Microsoft Graph takes the token and refuses what was asked with it.
//!
//! Not to be confused with an application access policy (`graph-app-policy-blocked`: the message names it), or with a token
//! that is not accepted at all (401).

use crate::diagnosis::{Actor, Case, Certainty, Gate, GraphFault, Hit, Kind, Rule, Signs};
use crate::redact::Clean;
use crate::text::Text;

pub(super) static RULE: Rule = Rule {
    id: "graph-permission-missing",
    title: Text {
        en: "Graph: the token does not allow this call", ja: "Graph: トークンに必要なアクセス許可がない"
    },
    explanation: Text {
        en: "Microsoft Graph accepted the token and refused the call. It carries scp={scp} roles={roles}. A \
             permission is missing or not consented to, or it is there as the wrong kind: delegated (scp) and \
             application (roles) permissions are granted apart. With delegated permissions the user needs the right \
             as well: a role of the directory, access to the mailbox or site.",
        ja: "Microsoft Graph はトークンを受け入れましたが、要求を拒否しました。トークンには scp={scp} roles={roles} \
             が含まれています。アクセス許可がないか同意されていない、または種類が違います (委任 scp とアプリケーシ\
             ョン roles は別々に付与されます)。委任の場合は、ディレクトリ ロール、メールボックスやサイトへのアクセ\
             ス権など、ユーザー側の権限も必要です。",
    },
    remedy: Text {
        en: "Look the permission of this call up in the reference of Graph, compare, grant, consent, and fetch a \
             new token:\n\
             Connect-MgGraph -Scopes Application.Read.All\n\
             Find-MgGraphCommand -Uri '<path of the request>' -Method {method} | Select-Object -First 1 \
             -ExpandProperty Permissions\n\
             $sp = Get-MgServicePrincipal -Filter \"appId eq '{appid}'\"\n\
             Get-MgServicePrincipalAppRoleAssignment -ServicePrincipalId $sp.Id | Format-Table \
             ResourceDisplayName,AppRoleId\n\
             Get-MgOauth2PermissionGrant -Filter \"clientId eq '$($sp.Id)'\" | Format-Table ConsentType,Scope\n\
             Application permissions always need the consent of an administrator.",
        ja: "この呼び出しに必要なアクセス許可を Graph のリファレンスで調べて比べ、付与と同意の後、新しいトークンを\
             取得します。\n\
             Connect-MgGraph -Scopes Application.Read.All\n\
             Find-MgGraphCommand -Uri '<path of the request>' -Method {method} | Select-Object -First 1 \
             -ExpandProperty Permissions\n\
             $sp = Get-MgServicePrincipal -Filter \"appId eq '{appid}'\"\n\
             Get-MgServicePrincipalAppRoleAssignment -ServicePrincipalId $sp.Id | Format-Table \
             ResourceDisplayName,AppRoleId\n\
             Get-MgOauth2PermissionGrant -Filter \"clientId eq '$($sp.Id)'\" | Format-Table ConsentType,Scope\n\
             アプリケーションのアクセス許可には、必ず管理者の同意が必要です。",
    },
    sources: &[
        "https://learn.microsoft.com/en-us/graph/resolve-auth-errors",
        "https://learn.microsoft.com/en-us/graph/permissions-overview",
    ],
    kinds: &[Kind::Failure],
    certainties: &[Certainty::Certain, Certainty::Likely],
    actors: &[Actor::EntraAdmin],
    gate: Gate::status(&[401, 403]).showing(Signs::GRAPH.or(Signs::NO_HOST)),
    supersedes: &[],
    find,
    #[cfg(test)]
    examples: tests::EXAMPLES,
};

fn find(case: &Case<'_>) -> Option<Hit> {
    let error = case.graph_error().filter(|error| error.fault == Some(GraphFault::Permission));
    let on_graph = case.signs().has_any(Signs::GRAPH);
    let hit = match error {
        // Without its host, only a code that nobody else has shows that it was Graph.
        Some(error) if on_graph || error.is("Authorization_RequestDenied") || error.is("ErrorAccessDenied") => {
            let words = if error.message.as_str().is_empty() { &error.code } else { &error.message };
            Hit::failure(Certainty::Certain, Actor::EntraAdmin)
                .because(case.evidence_body(words.as_str()))
                .because(case.evidence_body(error.code.as_str()))
        }
        // A code that is not known, or none at all, beside a status that says it.
        None if on_graph && case.status() == Some(403) && no_claims(case) && says_nothing_else(case) => {
            let hit = Hit::failure(Certainty::Likely, Actor::EntraAdmin).because(case.evidence_status());
            let message = case.graph_error().map(|error| case.evidence_body(error.message.as_str()));
            message.into_iter().fold(hit, Hit::because)
        }
        _ => return None,
    };
    let jwt = case.jwt();
    let or_none = |text: Option<&Clean>| text.cloned().unwrap_or_else(|| "-".into());
    let hit = hit
        .on(case.on_user())
        .naming("scp", jwt.map(|jwt| or_none(jwt.scp.as_ref())))
        .naming("roles", jwt.map(|jwt| or_none(jwt.roles.as_ref())))
        .naming("appid", jwt.and_then(|jwt| jwt.appid.clone()))
        .naming("method", case.exchange.method.clone());
    // A mailbox that is out of an application's scope is refused in the same words.
    let of_mail = jwt
        .and_then(|jwt| jwt.roles.as_ref())
        .is_some_and(|roles| ["Mail", "Calendar", "Contacts"].iter().any(|word| roles.as_str().contains(word)));
    let hit = if of_mail { hit.or("graph-app-policy-blocked") } else { hit };
    Some(if case.bearer().is_some() { hit.because(case.evidence_request("authorization")) } else { hit })
}

/// Whether no error stands in the body, or one that is not known and is not about room or locks.
fn says_nothing_else(case: &Case<'_>) -> bool {
    case.graph_error().is_none_or(|error| {
        let code = error.code.as_str().to_ascii_lowercase();
        error.fault.is_none() && !["quota", "locked", "throttl", "limit"].iter().any(|word| code.contains(word))
    })
}

/// A token was sent, and no further claims are asked for.
fn no_claims(case: &Case<'_>) -> bool {
    case.bearer().is_some() && case.challenges().iter().all(|challenge| challenge.param("claims").is_none())
}

#[cfg(test)]
mod tests {
    use crate::diagnosis::rules::kit::{Example, Raw};
    use crate::diagnosis::{Actor, Certainty, Kind};

    pub(super) const EXAMPLES: &[Example] = &[
        Example::fires(
            "the directory refuses",
            (Kind::Failure, Certainty::Certain, Actor::EntraAdmin),
            &[Raw::new(
                "GET https://graph.microsoft.com/v1.0/users\n\
                 Authorization: Bearer {jwt aud=https://graph.microsoft.com roles=Mail.Read}",
                "403\n\
                 Content-Type: application/json\n\
                 Date: Fri, 20 Nov 2026 09:12:44 GMT\n\
                 \n\
                 {\"error\":{\"code\":\"Authorization_RequestDenied\",\"message\":\"Insufficient privileges to \
                 complete the operation.\"}}",
            )],
        ),
        Example::fires(
            "OneDrive has a code of its own",
            (Kind::Failure, Certainty::Certain, Actor::EntraAdmin),
            &[Raw::new(
                "GET https://graph.microsoft.com/v1.0/drives/1/root\n\
                 Authorization: Bearer {jwt aud=https://graph.microsoft.com scp=User.Read}",
                "403\n\
                 Content-Type: application/json\n\
                 Date: Fri, 20 Nov 2026 09:12:44 GMT\n\
                 \n\
                 {\"error\":{\"code\":\"accessDenied\",\"message\":\"Access denied\"}}",
            )],
        ),
        Example::fires(
            "only the answer was pasted",
            (Kind::Failure, Certainty::Certain, Actor::EntraAdmin),
            &[Raw::new(
                "",
                "403\n\
                 Content-Type: application/json\n\
                 Date: Fri, 20 Nov 2026 09:12:44 GMT\n\
                 \n\
                 {\"error\":{\"code\":\"Authorization_RequestDenied\",\"message\":\"Insufficient privileges to \
                 complete the operation.\"}}",
            )],
        ),
        Example::fires(
            "no body was captured",
            (Kind::Failure, Certainty::Likely, Actor::EntraAdmin),
            &[Raw::new(
                "GET https://graph.microsoft.com/v1.0/me/messages\n\
                 Authorization: Bearer {jwt aud=https://graph.microsoft.com exp=1795194000}",
                "403 Forbidden",
            )],
        ),
        Example::fires(
            "the code says nothing",
            (Kind::Failure, Certainty::Likely, Actor::EntraAdmin),
            &[Raw::new(
                "GET https://graph.microsoft.com/v1.0/me/messages\n\
                 Authorization: Bearer {jwt aud=https://graph.microsoft.com}",
                "403\nContent-Type: application/json\n\n{\"error\":{\"code\":\"UnknownError\",\"message\":\"Denied\"}}",
            )],
        ),
        Example::silent(
            "a policy blocks the application",
            &[Raw::new(
                "GET https://graph.microsoft.com/v1.0/me/messages\n\
                 Authorization: Bearer {jwt aud=https://graph.microsoft.com exp=1795194000}",
                "403\n\
                 Content-Type: application/json\n\
                 Date: Fri, 20 Nov 2026 09:12:44 GMT\n\
                 \n\
                 {\"error\":{\"code\":\"ErrorAccessDenied\",\"message\":\"Access to OData is disabled: [RAOP] : \
                 Blocked by tenant configured AppOnly AccessPolicy settings.\"}}",
            )],
        ),
        Example::silent(
            "another service says forbidden",
            &[Raw::new(
                "GET https://api.fabrikam.com/v1\n\
                 Authorization: Bearer x",
                "403\n\
                 Content-Type: application/json\n\
                 Date: Fri, 20 Nov 2026 09:12:44 GMT\n\
                 \n\
                 {\"error\":{\"code\":\"Forbidden\",\"message\":\"No.\"}}",
            )],
        ),
        Example::silent(
            "a proxy says forbidden, and nobody knows to whom",
            &[Raw::new(
                "",
                "403\n\
                 Content-Type: application/json\n\
                 Date: Fri, 20 Nov 2026 09:12:44 GMT\n\
                 \n\
                 {\"error\":{\"code\":\"Forbidden\",\"message\":\"No.\"}}",
            )],
        ),
    ];
}
