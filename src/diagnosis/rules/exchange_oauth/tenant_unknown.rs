//! The tenant that a token names does not exist for the one who refuses it: Exchange's 2000004, or Graph's
//! OrganizationFromTenantGuidNotFound.
//!
//! Not to be confused with a tenant that Entra does not find (`aad-tenant-not-found`), or with an issuer whom Exchange
//! does not trust (`issuer-unknown`).

use crate::diagnosis::token::refused;
use crate::diagnosis::{
    Actor, Case, Certainty, Diagnostics, Gate, GraphFault, Hit, Kind, Place, Rule, Signs, TokenFault,
};
use crate::redact::Clean;
use crate::text::Text;

pub(super) static RULE: Rule = Rule {
    id: "tenant-unknown",
    title: Text {
        en: "The tenant in the token is unknown here", ja: "トークンのテナントが認識されない"
    },
    explanation: Text {
        en: "The token is of the tenant {tenant}, and {host} has no organisation for it. On-premises the domain \
             behind the token is not among those that the trust was set up for. In Exchange Online and Graph the \
             tenant has no Exchange Online plan, or the token is of the wrong tenant: a personal account, an \
             External ID tenant, a guest's home.",
        ja: "トークンはテナント {tenant} のものですが、{host} には対応する組織がありません。オンプレミスの場合、ト\
             ークンのドメインが信頼関係の対象に含まれていません。Exchange Online と Graph の場合は、テナントに \
             Exchange Online プランがないか、個人アカウント、External ID テナント、ゲストのホーム テナントなど、別\
             のテナントのトークンです。",
    },
    remedy: Text {
        en: "Cloud: see which tenant the token is of, whether it holds mailboxes, and request the token at \
             https://login.microsoftonline.com/<tenant id>/ instead of /common:\n\
             Connect-MgGraph -TenantId {tenant} -Scopes Organization.Read.All\n\
             Get-MgSubscribedSku | Where-Object { $_.ServicePlans.ServicePlanName -like 'EXCHANGE*' } | \
             Format-Table SkuPartNumber,ConsumedUnits\n\
             On-premises: name every accepted domain of the other side (no wildcard) in the connector between the \
             organisations, and see that the AuthServer is of that tenant:\n\
             Get-IntraOrganizationConnector | Format-List Name,TargetAddressDomains,Enabled\n\
             Get-AuthServer | Format-List Name,Type,Realm,DomainName",
        ja: "クラウドの場合: トークンのテナントとメールボックスの有無を確認し、/common ではなく \
             https://login.microsoftonline.com/<tenant id>/ でトークンを要求します。\n\
             Connect-MgGraph -TenantId {tenant} -Scopes Organization.Read.All\n\
             Get-MgSubscribedSku | Where-Object { $_.ServicePlans.ServicePlanName -like 'EXCHANGE*' } | \
             Format-Table SkuPartNumber,ConsumedUnits\n\
             オンプレミスの場合: 組織間コネクターに相手側の承認済みドメインをすべて (ワイルドカードなしで) 指定し、\
             AuthServer がそのテナントのものか確認します。\n\
             Get-IntraOrganizationConnector | Format-List Name,TargetAddressDomains,Enabled\n\
             Get-AuthServer | Format-List Name,Type,Realm,DomainName",
    },
    sources: &[
        "https://learn.microsoft.com/en-us/exchange/client-developer/exchange-web-services/instrumenting-client-requests-for-ews-and-rest-in-exchange",
        "https://learn.microsoft.com/en-us/graph/resolve-auth-errors",
        "public capture",
    ],
    kinds: &[Kind::Failure],
    certainties: &[Certainty::Certain, Certainty::Likely],
    actors: &[Actor::EntraAdmin, Actor::ExchangeAdmin],
    gate: Gate::status(&[401, 403, 404])
        .showing(Signs::DIAGNOSTICS.or(Signs::GRAPH).or(Signs::NO_HOST).or(Signs::EXCHANGE)),
    supersedes: &[],
    find,
    #[cfg(test)]
    examples: tests::EXAMPLES,
};

fn find(case: &Case<'_>) -> Option<Hit> {
    let on_premises = case.is_exchange() && !case.is_exchange_online();
    let actor = if on_premises { Actor::ExchangeAdmin } else { Actor::EntraAdmin };
    let told = || refused(case, TokenFault::Tenant, actor);
    let hit = told().or_else(|| by_graph(case)).map(|hit| hit.on(case.on_server()))?;
    Some(hit.naming("tenant", tenant(case)).naming("host", case.host_name()))
}

/// Graph and the REST of Exchange Online word it so.
fn by_graph(case: &Case<'_>) -> Option<Hit> {
    let error = case.graph_error().filter(|error| error.fault == Some(GraphFault::Tenant))?;
    let words = if error.message.as_str().is_empty() { &error.code } else { &error.message };
    let hit = Hit::failure(Certainty::Certain, Actor::EntraAdmin).because(case.evidence_body(words.as_str()));
    let hit = hit.because(case.evidence(Place::ResponseBody, error.code.clone()));
    Some(if case.bearer().is_some() { hit.because(case.evidence_request("authorization")) } else { hit })
}

/// The token's own, or the one in quotation marks.
fn tenant(case: &Case<'_>) -> Option<Clean> {
    let quoted = |text: &Clean| text.as_str().split(['\'', '"']).nth(1).map(|inside| text.part(inside));
    let said = || case.diagnostics().map(Diagnostics::clean_reason);
    let message = || case.graph_error().map(|error| error.message.clone());
    case.jwt().and_then(|jwt| jwt.tid.clone()).or_else(|| quoted(&said().or_else(message)?))
}

#[cfg(test)]
mod tests {
    use crate::diagnosis::rules::kit::{Example, Raw};
    use crate::diagnosis::{Actor, Certainty, Kind};

    pub(super) const EXAMPLES: &[Example] = &[
        Example::fires(
            "on-premises Exchange has no such tenant",
            (Kind::Failure, Certainty::Certain, Actor::ExchangeAdmin),
            &[Raw::new(
                "POST https://mail.contoso.com/EWS/Exchange.asmx\n\
                 Authorization: Bearer {jwt aud=https://mail.contoso.com/ upn=avery@contoso.com exp=1795167900}",
                "401\n\
                 Server: Microsoft-IIS/10.0\n\
                 X-FEServer: EX01\n\
                 x-ms-diagnostics: 2000004;reason=\"The tenant for tenant guid \
                 '8da56bec-0d27-4cac-ab06-52ee2c40ea22' does not exist.\";error_category=\"invalid_tenant\"\n\
                 WWW-Authenticate: {bearer https://login.windows.net/common/oauth2/authorize}, \
                 error=\"invalid_token\"",
            )],
        ),
        Example::fires(
            "the token names no tenant",
            (Kind::Failure, Certainty::Certain, Actor::ExchangeAdmin),
            &[Raw::new(
                "POST https://Mail.Fabrikam.com:444/mapi/emsmdb/\n\
                 AUTHORIZATION: bearer {jwt aud=https://mail.fabrikam.com/ exp=1795167900}",
                "401\n\
                 Server: Microsoft-IIS/10.0\n\
                 X-FEServer: EX01\n\
                 x-ms-diagnostics: 2000004;reason=\"The tid claim is missing.\";error_category=\"invalid_tenant\"\n\
                 WWW-Authenticate: {bearer https://login.windows.net/common/oauth2/authorize}, \
                 error=\"invalid_token\"",
            )],
        ),
        Example::fires(
            "only the category is known",
            (Kind::Failure, Certainty::Likely, Actor::EntraAdmin),
            &[Raw::new(
                "POST https://outlook.office365.com/EWS/Exchange.asmx\n\
                 Authorization: Bearer {jwt aud=https://outlook.office365.com}",
                "401\n\
                 Server: Microsoft-IIS/10.0\n\
                 X-FEServer: EX01\n\
                 x-ms-diagnostics: 2000044;reason=\"Strange.\";error_category=\"invalid_tenant\"\n\
                 WWW-Authenticate: {bearer https://login.windows.net/common/oauth2/authorize}, \
                 error=\"invalid_token\"",
            )],
        ),
        Example::fires(
            "Graph finds no organisation",
            (Kind::Failure, Certainty::Certain, Actor::EntraAdmin),
            &[Raw::new(
                "GET https://graph.microsoft.com/v1.0/users/avery@contoso.com/events\n\
                 Authorization: Bearer {jwt aud=https://graph.microsoft.com \
                 tid=9fd843f0-d6da-45c8-a7dd-a76889e41055}",
                "401\n\
                 Content-Type: application/json\n\
                 \n\
                 {\"error\":{\"code\":\"OrganizationFromTenantGuidNotFound\",\"message\":\"The tenant for tenant \
                 guid '9fd843f0-d6da-45c8-a7dd-a76889e41055' does not exist.\"}}",
            )],
        ),
        Example::silent(
            "the user does not exist",
            &[Raw::new(
                "POST https://mail.contoso.com/EWS/Exchange.asmx\n\
                 Authorization: Bearer {jwt aud=https://mail.contoso.com/ upn=avery@contoso.com exp=1795167900}",
                "401\n\
                 Server: Microsoft-IIS/10.0\n\
                 X-FEServer: EX01\n\
                 x-ms-diagnostics: 2000005;reason=\"The user specified by the user-context in the token does not \
                 exist.\";error_category=\"invalid_user\"\n\
                 WWW-Authenticate: {bearer https://login.windows.net/common/oauth2/authorize}, \
                 error=\"invalid_token\"",
            )],
        ),
        Example::silent(
            "Graph lacks the mailbox",
            &[Raw::new(
                "GET https://graph.microsoft.com/v1.0/me/messages\n\
                 Authorization: Bearer {jwt aud=https://graph.microsoft.com}",
                "404\n\
                 Content-Type: application/json\n\
                 \n\
                 {\"error\":{\"code\":\"MailboxNotEnabledForRESTAPI\",\"message\":\"The mailbox is either inactive, \
                 soft-deleted, or is hosted on-premise.\"}}",
            )],
        ),
    ];
}
