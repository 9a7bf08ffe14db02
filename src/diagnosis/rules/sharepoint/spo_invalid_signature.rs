//! SharePoint cannot verify the signature of the token: most often it was issued for another resource.
//!
//! Not to be confused with a token for another SharePoint host (`spo-invalid-audience`), or with one that names no
//! algorithm (`spo-alg-invalid`).

use crate::diagnosis::sharepoint::{Fault, Refusal};
use crate::diagnosis::{Actor, Case, Certainty, Gate, Hit, Kind, Rule, Signs};
use crate::text::Text;

pub(super) static RULE: Rule = Rule {
    id: "spo-invalid-signature",
    title: Text {
        en: "SharePoint cannot verify the token's signature",
        ja: "SharePoint がトークンの署名を検証できない",
    },
    explanation: Text {
        en: "SharePoint answers that the token's issuer or signature is not valid. The usual reason is a token that \
             was issued for another service: a token for Microsoft Graph carries a nonce in its header, and nobody \
             but Graph can verify it. The token that was sent is for {audience}. Other reasons: a token of ACS, \
             which was retired on 2 April 2026, or one that was changed on its way.",
        ja: "SharePoint は、トークンの発行者または署名が無効だと応答しています。よくある原因は、別のサービス用に発行さ\
             れたトークンです。Microsoft Graph 用のトークンはヘッダーに nonce を持ち、Graph 以外では検証できません。送\
             信されたトークンの対象は {audience} です。ほかに、2026 年 4 月 2 日に廃止された ACS のトークンや、途中で\
             書き換えられたトークンも原因になります。",
    },
    remedy: Text {
        en: "Let the client ask for a token for SharePoint itself, with the scope https://{host}/.default (v1 \
             endpoint: resource=https://{host}). The app needs permissions of the API SharePoint, not only of \
             Microsoft Graph. Or call the same data through Graph with the Graph token.",
        ja: "クライアントが SharePoint 自体のトークンをスコープ https://{host}/.default (v1 エンドポイントでは \
             resource=https://{host}) で要求するようにしてください。アプリには Microsoft Graph だけでなく API \
             「SharePoint」のアクセス許可が必要です。または、Graph 用のトークンのまま Graph 経由で同じデータにアクセス\
             します。",
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
        let says = refusal.says("invalid signature") || refusal.says("issuer or signature");
        says || (refusal.code == Some(3_000_006) && !refusal.is_telling())
    });
    let certainty = match told {
        true => Certainty::Certain,
        // Where SharePoint gives no reason, the token does.
        false if Fault::of(case) == Some(Fault::ForGraph) => Certainty::Likely,
        false => return None,
    };
    let hit = Hit::failure(certainty, Actor::Client).on(case.on_server());
    let hit = refusal.iter().flat_map(Refusal::evidence).fold(hit, Hit::because);
    let jwt = case.jwt();
    let hit = if jwt.is_some() { hit.because(case.evidence_request("authorization")) } else { hit };
    Some(hit.naming("host", case.host_name()).naming("audience", jwt.and_then(|jwt| jwt.aud.clone())))
}

#[cfg(test)]
mod tests {
    use crate::diagnosis::rules::kit::{Example, Raw};
    use crate::diagnosis::{Actor, Certainty, Kind};

    const FOUND: (Kind, Certainty, Actor) = (Kind::Failure, Certainty::Certain, Actor::Client);

    pub(super) const EXAMPLES: &[Example] = &[
        Example::fires(
            "a token for Graph is used on SharePoint",
            FOUND,
            &[Raw::new(
                "GET https://contoso.sharepoint.com/_api/web/lists\nAuthorization: Bearer {jwt \
                 aud=https://graph.microsoft.com}",
                "401\nX-MS-Diagnostics: 3000006; reason=\"Token contains invalid signature.\"; \
                 category=\"invalid_client\"\nMicrosoftSharePointTeamServices: 16.0.0.25101",
            )],
        ),
        Example::fires(
            "only the body says so, in another cloud",
            FOUND,
            &[Raw::new(
                "GET https://contoso.sharepoint-mil.us/_api/web\nauthorization: Bearer {jwt \
                 aud=https://graph.microsoft.us}",
                "401\ncontent-type: application/json\n\n{\"error_description\":\"Invalid issuer or signature.\"}",
            )],
        ),
        Example::fires(
            "SharePoint gives no reason, and the token is for Graph",
            (Kind::Failure, Certainty::Likely, Actor::Client),
            &[Raw::new(
                "GET https://contoso.sharepoint.com/_api/web\nAuthorization: Bearer {jwt \
                 aud=00000003-0000-0000-c000-000000000000}",
                "401\nSPRequestGuid: 1\nWWW-Authenticate: Bearer \
                 realm=\"1\",client_id=\"00000003-0000-0ff1-ce00-000000000000\"",
            )],
        ),
        Example::fires(
            "the line alone was pasted",
            FOUND,
            &[Raw::new("", "401\nx-ms-diagnostics: 3000006;reason=\"Token contains invalid signature.\"")],
        ),
        Example::silent(
            "the audience is wrong",
            &[Raw::new(
                "GET https://contoso.sharepoint.com/_api/web\nAuthorization: Bearer {jwt aud=https://x.sharepoint.com}",
                "401\nx-ms-diagnostics: 3000003;reason=\"Invalid audience Uri 'https://x.sharepoint.com'.\";\
                 category=\"invalid_client\"",
            )],
        ),
        Example::silent(
            "Exchange says it of a token of its own",
            &[Raw::new(
                "POST https://mail.contoso.com/EWS/Exchange.asmx\nAuthorization: Bearer {jwt aud=x}",
                "401\nX-FEServer: EX01\nx-ms-diagnostics: 2000000;reason=\"The token has an invalid signature.\";\
                 error_category=\"invalid_signature\"",
            )],
        ),
        Example::silent(
            "another service uses the same words",
            &[Raw::new(
                "GET https://api.fabrikam.com/v1\nAuthorization: Bearer {jwt aud=x}",
                "401\nContent-Type: application/json\n\n{\"error_description\":\"Invalid issuer or signature.\"}",
            )],
        ),
    ];
}
