//! A proxy tells Microsoft which tenants may be used from this network, or a policy between tenants does, and this one
//! is not among them.
//!
//! Not to be confused with a demand for other claims by Conditional Access (`cae-claims-challenge`,
//! `aad-conditional-access`).

use crate::diagnosis::refusal::{ANSWERS, refused};
use crate::diagnosis::{Actor, Case, Certainty, Gate, Hit, Kind, Rule, Signs};
use crate::text::Text;

pub(super) static RULE: Rule = Rule {
    id: "tenant-restrictions",
    title: Text {
        en: "Tenant restrictions do not allow this tenant",
        ja: "テナント制限によりこのテナントへのアクセスが許可されていない",
    },
    explanation: Text {
        en: "The network adds a header to every sign-in that names the tenants allowed (Restrict-Access-To-Tenants, \
             or sec-Restrict-Tenant-Access-Policy of version 2), or the user's tenant has a cross-tenant policy; the \
             tenant asked here is not on it. A migration between two tenants from such a network meets this at one of \
             its ends.",
        ja: "ネットワークが、許可するテナントを示すヘッダー (Restrict-Access-To-Tenants、バージョン 2 では \
             sec-Restrict-Tenant-Access-Policy) をすべてのサインインに付加しているか、ユーザーのテナントにクロステナン\
             ト ポリシーがあり、要求先のテナントが含まれていません。このようなネットワークからテナント間の移行を行うと\
             、片方の側で発生します。",
    },
    remedy: Text {
        en: "Run the migration from a network without the restriction, or let those who run the proxy add the tenant \
             to the header. The tenant id to add, and the policy of version 2:\n\
             Invoke-RestMethod 'https://login.microsoftonline.com/<domain>/v2.0/.well-known/openid-configuration' | \
             Format-List issuer\n\
             Connect-MgGraph -Scopes Policy.Read.All\n\
             Get-MgPolicyCrossTenantAccessPolicyDefault | ConvertTo-Json -Depth 6\n\
             Get-MgPolicyCrossTenantAccessPolicyPartner | Format-List \
             TenantId,TenantRestrictions,B2BCollaborationOutbound\n\
             The header is set where TLS is inspected: compare what the client sends here with what leaves the \
             network.",
        ja: "制限のないネットワークから移行を実行するか、プロキシの管理者がヘッダーにテナントを追加します。追加するテ\
             ナント ID と、バージョン 2 のポリシーは次のように確認します。\n\
             Invoke-RestMethod 'https://login.microsoftonline.com/<domain>/v2.0/.well-known/openid-configuration' | \
             Format-List issuer\n\
             Connect-MgGraph -Scopes Policy.Read.All\n\
             Get-MgPolicyCrossTenantAccessPolicyDefault | ConvertTo-Json -Depth 6\n\
             Get-MgPolicyCrossTenantAccessPolicyPartner | Format-List \
             TenantId,TenantRestrictions,B2BCollaborationOutbound\n\
             ヘッダーは TLS を検査する機器で付加されます。クライアントがここで送った内容と、ネットワークから出ていく内\
             容を比べてください。",
    },
    sources: &[
        "https://learn.microsoft.com/en-us/entra/identity/enterprise-apps/tenant-restrictions",
        "https://learn.microsoft.com/en-us/entra/external-id/tenant-restrictions-v2",
        "https://learn.microsoft.com/en-us/entra/identity-platform/reference-error-codes",
    ],
    kinds: &[Kind::Failure],
    certainties: &[Certainty::Certain, Certainty::Likely],
    actors: &[Actor::Network, Actor::EntraAdmin],
    gate: Gate::status(ANSWERS).showing(Signs::ISSUER_ERROR.or(Signs::DIAGNOSTICS).or(Signs::RESTRICTED)),
    supersedes: &["cae-claims-challenge"],
    find,
    #[cfg(test)]
    examples: tests::EXAMPLES,
};

/// Not among the tenants of the header, not of consumers, restricted by a proxy; outbound and inbound policy.
const CODES: [u32; 5] = [500_021, 500_022, 50002, 500_212, 500_213];

/// What the network adds to a request, of both versions.
const HEADERS: [&str; 2] = ["sec-restrict-tenant-access-policy", "restrict-access-to-tenants"];

fn find(case: &Case<'_>) -> Option<Hit> {
    let hit = by_issuer(case).or_else(|| by_resource(case)).or_else(|| by_confirmation(case))?;
    let sent = HEADERS.into_iter().find(|name| case.request_header(name).is_some());
    Some(sent.map(|name| case.evidence_request(name)).into_iter().fold(hit, Hit::because))
}

fn by_issuer(case: &Case<'_>) -> Option<Hit> {
    let refused = refused(case, &CODES)?;
    let policy = refused.said.is_any(&[500_212, 500_213]);
    Some(refused.failure(Certainty::Certain, if policy { Actor::EntraAdmin } else { Actor::Network }))
}

/// Exchange Online wants the claim that only a sign-in under the policy puts into a token.
fn by_resource(case: &Case<'_>) -> Option<Hit> {
    let said = case.diagnostics()?;
    let restricted =
        said.code == Some(2_000_020) || said.reason_has("xms_trpid") || said.reason_has("tenant-restriction");
    restricted.then(|| {
        let hit = Hit::failure(Certainty::Certain, Actor::Network).on(case.on_server());
        hit.because(case.evidence_header("x-ms-diagnostics"))
    })
}

/// The mark that restrictions were applied, on a refusal that says no more.
fn by_confirmation(case: &Case<'_>) -> Option<Hit> {
    let applied = case.response_header("restrict-access-confirm").is_some_and(|value| value.as_str().trim() == "1");
    let refused = case.status().is_none_or(|status| status == 401 || status == 403);
    (applied && refused && case.aadsts().is_none()).then(|| {
        let hit = Hit::failure(Certainty::Likely, Actor::Network).on(case.on_server());
        hit.because(case.evidence_header("restrict-access-confirm"))
    })
}

#[cfg(test)]
mod tests {
    use crate::diagnosis::rules::kit::{Example, Raw};
    use crate::diagnosis::{Actor, Certainty, Kind};

    pub(super) const EXAMPLES: &[Example] = &[
        Example::fires(
            "the sign-in page of another tenant",
            (Kind::Failure, Certainty::Certain, Actor::Network),
            &[page_error!(500_021: "Access to 'Fabrikam' tenant is denied.")],
        ),
        Example::fires(
            "Exchange Online misses the claim of version 2",
            (Kind::Failure, Certainty::Certain, Actor::Network),
            &[Raw::new(
                "POST https://outlook.office365.com/EWS/Exchange.asmx\nAuthorization: Bearer {jwt \
                 aud=https://outlook.office365.com}\nsec-Restrict-Tenant-Access-Policy: restrict-msa",
                "401\nRestrict-Access-Confirm: 1\nx-ms-diagnostics: 2000020;reason=\"xms_trpid claim was not present \
                 but sec-tenant-restriction-access-policy header was in requres\";\
                 error_category=\"insufficiant_claims\"",
            )],
        ),
        Example::fires(
            "a refusal with the mark alone",
            (Kind::Failure, Certainty::Likely, Actor::Network),
            &[Raw::new("GET https://fabrikam.sharepoint.com/", "403 Forbidden\nRestrict-Access-Confirm: 1")],
        ),
        Example::fires(
            "the policy of a tenant",
            (Kind::Failure, Certainty::Certain, Actor::EntraAdmin),
            &[redirect_error!(500_212: "The+user's+administrator+has+set+an+outbound+access+policy")],
        ),
        Example::silent(
            "restrictions were applied, and the tenant is allowed",
            &[Raw::new("GET https://contoso.sharepoint.com/", "200 OK\nRestrict-Access-Confirm: 1")],
        ),
        Example::silent(
            "other claims are asked for",
            &[Raw::new(
                "GET https://graph.microsoft.com/v1.0/me\nAuthorization: Bearer {jwt aud=https://graph.microsoft.com}",
                "401\nWWW-Authenticate: Bearer error=\"insufficient_claims\", claims=\"eyJhIjoxfQ==\"",
            )],
        ),
        Example::silent(
            "a policy blocks within the tenant",
            &[token_error!(53003: "Access has been blocked by Conditional Access policies.")],
        ),
    ];
}
