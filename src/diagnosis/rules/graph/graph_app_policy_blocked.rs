//! An application access policy of the tenant keeps the application from this mailbox: RAOP.
//!
//! Not to be confused with a missing permission (`graph-permission-missing`): the code is the same, the message names the
//! policy.

use crate::diagnosis::{Actor, Case, Certainty, Gate, GraphFault, Hit, Kind, Rule, Signs};
use crate::text::Text;

pub(super) static RULE: Rule = Rule {
    id: "graph-app-policy-blocked",
    title: Text {
        en: "An application access policy blocks the application from this mailbox",
        ja: "アプリケーション アクセス ポリシーによりメールボックスへのアクセスがブロックされている",
    },
    explanation: Text {
        en: "The application has its permission and is refused for this mailbox: the tenant restricts it to the \
             members of a group (New-ApplicationAccessPolicy), or denies it to them. A change to policy or group \
             takes up to an hour. Mailboxes of administrators can stay blocked.",
        ja: "アプリケーションにはアクセス許可がありますが、このメールボックスでは拒否されています。テナントがアプリ\
             ケーションのアクセスを特定のグループのメンバーに限定している (New-ApplicationAccessPolicy) か、メンバ\
             ーへのアクセスを拒否しています。ポリシーやグループの変更が反映されるまで最大 1 時間かかります。管理者\
             のメールボックスはブロックされたままになることがあります。",
    },
    remedy: Text {
        en: "Ask Exchange Online what its policies say of this application and mailbox:\n\
             Connect-ExchangeOnline\n\
             Test-ApplicationAccessPolicy -AppId {appid} -Identity '<mailbox>'\n\
             Get-ApplicationAccessPolicy | Where-Object { $_.AppId -eq '{appid}' } | Format-List \
             AccessRight,ScopeName,ScopeIdentity,Description\n\
             Let the mailbox in by making it a member of the group:\n\
             Add-DistributionGroupMember -Identity '<group of the policy>' -Member '<mailbox>'\n\
             New set-ups use RBAC for Applications instead of these policies:\n\
             New-ServicePrincipal -AppId {appid} -ObjectId <object id of the enterprise application>\n\
             New-ManagementRoleAssignment -App {appid} -Role 'Application Mail.Read' -CustomResourceScope \
             '<management scope>'",
        ja: "このアプリケーションとメールボックスに対するポリシーを Exchange Online で確認します。\n\
             Connect-ExchangeOnline\n\
             Test-ApplicationAccessPolicy -AppId {appid} -Identity '<mailbox>'\n\
             Get-ApplicationAccessPolicy | Where-Object { $_.AppId -eq '{appid}' } | Format-List \
             AccessRight,ScopeName,ScopeIdentity,Description\n\
             メールボックスをグループのメンバーにしてアクセスを許可します。\n\
             Add-DistributionGroupMember -Identity '<group of the policy>' -Member '<mailbox>'\n\
             新しい構成では、このポリシーの代わりに RBAC for Applications を使います。\n\
             New-ServicePrincipal -AppId {appid} -ObjectId <object id of the enterprise application>\n\
             New-ManagementRoleAssignment -App {appid} -Role 'Application Mail.Read' -CustomResourceScope \
             '<management scope>'",
    },
    sources: &[
        "https://learn.microsoft.com/en-us/exchange/permissions-exo/application-access-policies",
        "https://learn.microsoft.com/en-us/exchange/permissions-exo/application-rbac",
        "public capture",
    ],
    kinds: &[Kind::Failure],
    certainties: &[Certainty::Certain],
    actors: &[Actor::ExchangeAdmin],
    gate: Gate::status(&[401, 403]).showing(Signs::GRAPH.or(Signs::NO_HOST).or(Signs::EXCHANGE)),
    supersedes: &[],
    find,
    #[cfg(test)]
    examples: tests::EXAMPLES,
};

fn find(case: &Case<'_>) -> Option<Hit> {
    let error = case.graph_error().filter(|error| error.fault == Some(GraphFault::Policy))?;
    let hit = Hit::failure(Certainty::Certain, Actor::ExchangeAdmin)
        .on(case.on_server())
        .naming("appid", case.jwt().and_then(|jwt| jwt.appid.clone()))
        .because(case.evidence_body(error.message.as_str()));
    let known = case.exchange.url.is_some();
    let hit = if known { hit.because(case.evidence_url()) } else { hit };
    Some(if case.bearer().is_some() { hit.because(case.evidence_request("authorization")) } else { hit })
}

#[cfg(test)]
mod tests {
    use crate::diagnosis::rules::kit::{Example, Raw};
    use crate::diagnosis::{Actor, Certainty, Kind};

    pub(super) const EXAMPLES: &[Example] = &[
        Example::fires(
            "Graph names the policy",
            (Kind::Failure, Certainty::Certain, Actor::ExchangeAdmin),
            &[Raw::new(
                "POST https://graph.microsoft.com/v1.0/users/avery@contoso.com/sendMail\n\
                 Authorization: Bearer {jwt aud=https://graph.microsoft.com roles=Mail.Send}",
                "403\n\
                 Content-Type: application/json\n\
                 Date: Fri, 20 Nov 2026 09:12:44 GMT\n\
                 \n\
                 {\"error\":{\"code\":\"ErrorAccessDenied\",\"message\":\"Access to OData is disabled: [RAOP] : \
                 Blocked by tenant configured AppOnly AccessPolicy settings.\"}}",
            )],
        ),
        Example::fires(
            "only the answer was pasted",
            (Kind::Failure, Certainty::Certain, Actor::ExchangeAdmin),
            &[Raw::new(
                "",
                "403 Forbidden\n\
                 Content-Type: application/json\n\
                 Date: Fri, 20 Nov 2026 09:12:44 GMT\n\
                 \n\
                 {\"error\":{\"code\":\"ErrorAccessDenied\",\"message\":\"Access to OData is disabled: [RAOP] : \
                 Blocked by tenant configured AppOnly AccessPolicy settings.\"}}",
            )],
        ),
        Example::silent(
            "the permission is missing",
            &[Raw::new(
                "GET https://graph.microsoft.com/v1.0/me/messages\n\
                 Authorization: Bearer {jwt aud=https://graph.microsoft.com exp=1795194000}",
                "403\n\
                 Content-Type: application/json\n\
                 Date: Fri, 20 Nov 2026 09:12:44 GMT\n\
                 \n\
                 {\"error\":{\"code\":\"ErrorAccessDenied\",\"message\":\"Access is denied. Check credentials and \
                 try again.\"}}",
            )],
        ),
    ];
}
