//! The token is for another SharePoint host, or for another service, and SharePoint says so.
//!
//! Not to be confused with a token whose signature it cannot verify (`spo-invalid-signature`), which is how tokens for
//! Microsoft Graph end.

use crate::diagnosis::sharepoint::{Fault, Refusal};
use crate::diagnosis::{Actor, Case, Certainty, Gate, Hit, Kind, Rule, Signs};
use crate::redact::Clean;
use crate::text::Text;

pub(super) static RULE: Rule = Rule {
    id: "spo-invalid-audience",
    title: Text {
        en: "The token is not for this SharePoint host", ja: "トークンがこの SharePoint ホスト用ではない"
    },
    explanation: Text {
        en: "SharePoint compares the token's audience with itself and refuses it: the token is for {audience}, the \
             request went to {host}. A tenant's SharePoint, its OneDrive (-my) and its admin site (-admin) are three \
             hosts, and a token for one is not valid on the others; nor is one of another tenant.",
        ja: "SharePoint はトークンの対象 (audience) を自身と比べて拒否しました。トークンの対象は {audience}、要求先は \
             {host} です。テナントの SharePoint、OneDrive (-my)、管理サイト (-admin) は別々のホストで、一方のトークン\
             は他方では使えません。別のテナントのトークンも同様です。",
    },
    remedy: Text {
        en: "Ask for a token for each host that is called: scope https://{host}/.default, or resource=https://{host} \
             at the v1 endpoint. Check in the migration tool that URL and tenant of this end belong together.",
        ja: "呼び出すホストごとにトークンを要求します。スコープは https://{host}/.default、v1 エンドポイントでは \
             resource=https://{host} です。移行ツールでは、この側の URL とテナントの組み合わせを確認してください。",
    },
    sources: &[
        "https://learn.microsoft.com/sharepoint/dev/solution-guidance/security-apponly-azuread",
        "public capture",
    ],
    kinds: &[Kind::Failure],
    certainties: &[Certainty::Certain, Certainty::Likely],
    actors: &[Actor::Client],
    gate: Gate::status(&[401, 403]).showing(Signs::SHARE_POINT.or(Signs::NO_HOST)),
    supersedes: &["hs-anonymous-probe", "generic-bad-credentials"],
    find,
    #[cfg(test)]
    examples: tests::EXAMPLES,
};

fn find(case: &Case<'_>) -> Option<Hit> {
    let refusal = Refusal::of(case);
    let told = refusal.as_ref().is_some_and(|refusal| {
        let says = refusal.says("invalid audience") || refusal.says("audienceuri");
        says || (refusal.code == Some(3_000_003) && !refusal.is_telling())
    });
    let certainty = match told {
        true => Certainty::Certain,
        // Where SharePoint gives no reason, the token does.
        false if Fault::of(case) == Some(Fault::ForAnother) => Certainty::Likely,
        false => return None,
    };
    let hit = Hit::failure(certainty, Actor::Client).on(case.on_server());
    let hit = refusal.iter().flat_map(Refusal::evidence).fold(hit, Hit::because);
    let jwt = case.jwt();
    let hit = if jwt.is_some() { hit.because(case.evidence_request("authorization")) } else { hit };
    let audience = jwt.and_then(|jwt| jwt.aud.clone()).or_else(|| named(case));
    Some(hit.naming("host", case.host_name()).naming("audience", audience))
}

/// The audience in the words of the refusal.
fn named(case: &Case<'_>) -> Option<Clean> {
    let reason = case.diagnostics()?.clean_reason();
    let inside = reason.as_str().split('\'').nth(1)?;
    Some(reason.part(inside))
}

#[cfg(test)]
mod tests {
    use crate::diagnosis::rules::kit::{Example, Raw};
    use crate::diagnosis::{Actor, Certainty, Kind};

    const FOUND: (Kind, Certainty, Actor) = (Kind::Failure, Certainty::Certain, Actor::Client);

    pub(super) const EXAMPLES: &[Example] = &[
        Example::fires(
            "a token for the team sites is used on OneDrive",
            FOUND,
            &[Raw::new(
                "GET https://contoso-my.sharepoint.com/_api/web\nAuthorization: Bearer {jwt \
                 aud=https://contoso.sharepoint.com}",
                "401\nX-Ms-Diagnostics: 3000003;reason=\"Invalid audience Uri \
                 'https://contoso.sharepoint.com'.\";category=\"invalid_client\"",
            )],
        ),
        Example::fires(
            "a farm of one's own says it as an exception",
            FOUND,
            &[Raw::new(
                "GET https://portal.contoso.com/_api/web\nAuthorization: Bearer {jwt aud=x}",
                "401\nSPRequestGuid: 5fd0a1a1-0000-4000-8000-000000000031\nContent-Type: application/json\n\n\
                 {\"error\":\"invalid_request\",\"error_description\":\"Exception of type \
                 'Microsoft.IdentityModel.Tokens.AudienceUriValidationFailedException' was thrown.\"}",
            )],
        ),
        Example::fires(
            "the number stands alone",
            FOUND,
            &[Raw::new("", "401\nx-ms-diagnostics: 3000003;category=\"invalid_client\"")],
        ),
        Example::fires(
            "SharePoint gives no reason, and the token is for another tenant",
            (Kind::Failure, Certainty::Likely, Actor::Client),
            &[Raw::new(
                "GET https://fabrikam.sharepoint.com/_api/web\nAuthorization: Bearer {jwt \
                 aud=https://contoso.sharepoint.com}",
                "401\nx-ms-diagnostics: 3001000;reason=\"There has been an error authenticating the \
                 request.\";category=\"invalid_client\"",
            )],
        ),
        Example::silent(
            "the signature is not valid",
            &[Raw::new(
                "GET https://contoso.sharepoint.com/_api/web\nAuthorization: Bearer {jwt aud=x}",
                "401\nx-ms-diagnostics: 3000006;reason=\"Token contains invalid signature.\"",
            )],
        ),
        Example::silent(
            "Exchange refuses an audience",
            &[Raw::new(
                "POST https://mail.contoso.com/EWS/Exchange.asmx\nAuthorization: Bearer {jwt aud=x}",
                "401\nX-FEServer: EX01\nx-ms-diagnostics: 2000003;reason=\"The audience claim value is invalid \
                 'aud'.\";error_category=\"invalid_resource\"",
            )],
        ),
    ];
}
