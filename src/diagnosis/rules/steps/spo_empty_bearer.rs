//! Realm discovery on SharePoint: `Bearer` without a token, answered with the tenant.
//!
//! Not to be confused with the same question to Exchange (`hma-empty-bearer`), or with a token that is refused.

use crate::diagnosis::sharepoint::is_share_point;
use crate::diagnosis::{Actor, Case, Certainty, Gate, Hit, Kind, Next, Rule, Signs};
use crate::text::Text;

pub(super) static RULE: Rule = Rule {
    id: "spo-empty-bearer",
    title: Text {
        en: "SharePoint names its tenant to an empty Bearer",
        ja: "空の Bearer に SharePoint がテナントを応答",
    },
    explanation: Text {
        en: "The client asks with an empty Authorization: Bearer, and SharePoint answers with the tenant (realm), its \
             own application id (client_id) and where to fetch a token (authorization_uri). Office and many tools \
             begin so; a token follows.",
        ja: "クライアントが空の Authorization: Bearer で問い合わせ、SharePoint がテナント (realm)、自身のアプリケーション \
             ID (client_id)、トークンの取得先 (authorization_uri) を応答しています。Office や多くのツールはこの形で始め、\
             次にトークンを送ります。",
    },
    remedy: Text {
        en: "Nothing to do. If no token follows, check that the client reaches the sign-in host. The realm {realm} \
             is the tenant that the token must come from.",
        ja: "対処は不要です。トークンが続かない場合は、クライアントがサインイン先に到達できるか確認してください。realm \
             の値 {realm} が、トークンを発行すべきテナントです。",
    },
    sources: &["RFC 6750 section 3", "public capture"],
    kinds: &[Kind::Step],
    certainties: &[Certainty::Certain],
    actors: &[Actor::Nobody],
    gate: Gate::status(&[401]).showing(Signs::EMPTY_BEARER),
    supersedes: &["hs-anonymous-probe", "hma-empty-bearer"],
    find,
    #[cfg(test)]
    examples: tests::EXAMPLES,
};

fn find(case: &Case<'_>) -> Option<Hit> {
    let bearer = case.challenge("bearer")?;
    if !case.asks_for_oauth() || !is_share_point(case) || bearer.param("claims").is_some() {
        return None;
    }
    Some(
        Hit::step()
            .on(case.on_server())
            .because(case.evidence_request("authorization"))
            .because(case.evidence_challenge("bearer"))
            .naming("realm", bearer.clean_param("realm"))
            .until(Next::SignIn),
    )
}

#[cfg(test)]
mod tests {
    use crate::diagnosis::rules::kit::{Example, Raw, STEP};

    const CHALLENGE: &str = "401\nwww-authenticate: Bearer \
         realm=\"c93d7be1-2f48-47a0-b1c6-84e5a2079f23\",client_id=\"00000003-0000-0ff1-ce00-000000000000\",\
         trusted_issuers=\"00000001-0000-0000-c000-000000000000@*\",\
         authorization_uri=\"https://login.microsoftonline.us/common/oauth2/authorize\"";

    pub(super) const EXAMPLES: &[Example] = &[
        Example::fires(
            "a tool asks for the realm",
            STEP,
            &[Raw::new("GET https://contoso.sharepoint.us/_vti_bin/client.svc\nauthorization: Bearer ", CHALLENGE)],
        ),
        Example::fires(
            "a farm of one's own answers, with a general number beside it",
            STEP,
            &[Raw::new(
                "OPTIONS https://portal.contoso.com/\nAuthorization: Bearer",
                "401\nSPRequestGuid: 1\nWWW-Authenticate: NTLM\nWWW-Authenticate: Bearer \
                 realm=\"c93d7be1-2f48-47a0-b1c6-84e5a2079f23\"\nx-ms-diagnostics: 3001000;reason=\"There has been an \
                 error authenticating the request.\";category=\"invalid_client\"",
            )],
        ),
        Example::silent(
            "Exchange is asked",
            &[Raw::new(
                "POST https://mail.contoso.com/EWS/Exchange.asmx\nAuthorization: Bearer",
                "401\nX-FEServer: EX01\nWWW-Authenticate: {bearer https://login.windows.net/common/oauth2/authorize}",
            )],
        ),
        Example::silent(
            "a token was sent",
            &[Raw::new(
                "GET https://contoso.sharepoint.com/_vti_bin/client.svc\nAuthorization: Bearer {jwt aud=x}",
                CHALLENGE,
            )],
        ),
    ];
}
