//! OAuth discovery: the client sends `Bearer` without a token, Exchange answers where a token is to be fetched.
//!
//! Not to be confused with a challenge without authorization_uri (`hma-no-authorization-uri`), with 4000000 for a user's
//! client (`oauth-not-enabled-for-client`), or with SharePoint's realm discovery.

use crate::diagnosis::{Actor, Case, Certainty, Gate, Hit, Kind, Next, Rule, Signs};
use crate::text::Text;

pub(super) static RULE: Rule = Rule {
    id: "hma-empty-bearer",
    title: Text {
        en: "OAuth discovery: empty Bearer, answered with authorization_uri",
        ja: "OAuth の検出: 空の Bearer に authorization_uri で応答",
    },
    explanation: Text {
        en: "A client that supports modern authentication asks with an empty Authorization: Bearer, and the 401 \
             tells it where to fetch a token (authorization_uri) and which issuers are trusted. An \
             error=\"invalid_token\" beside it is harmless here. The client now signs in there and comes back with \
             a token.",
        ja: "先進認証に対応したクライアントは空の Authorization: Bearer で問い合わせ、401 がトークンの取得先 \
             (authorization_uri) と信頼される発行者を知らせます。ここでの error=\"invalid_token\" は無害です。クライ\
             アントは次にサインインし、トークンを付けて戻ってきます。",
    },
    remedy: Text {
        en: "Nothing to do. If no request to the sign-in host follows, check that the client reaches {authority}.",
        ja: "対処は不要です。サインイン先への要求が続かない場合は、クライアントから {authority} に到達できるか確認し\
             てください。",
    },
    sources: &[
        "https://learn.microsoft.com/exchange/hybrid-deployment/hybrid-modern-auth-overview",
        "RFC 6750 section 3",
    ],
    kinds: &[Kind::Step],
    certainties: &[Certainty::Certain],
    actors: &[Actor::Nobody],
    gate: Gate::status(&[401]).showing(Signs::EMPTY_BEARER),
    supersedes: &["hs-anonymous-probe"],
    find,
    #[cfg(test)]
    examples: tests::EXAMPLES,
};

fn find(case: &Case<'_>) -> Option<Hit> {
    const EXCHANGE: &str = "00000002-0000-0ff1-ce00-000000000000";
    let bearer = case.challenge("bearer")?;
    let of_exchange =
        bearer.param("client_id").map_or_else(|| case.is_exchange(), |id| id.eq_ignore_ascii_case(EXCHANGE));
    let authority = bearer.clean_param("authorization_uri").filter(|uri| !uri.as_str().trim().is_empty())?;
    (case.asks_for_oauth() && of_exchange && !case.is_oauth_off_for_user()).then(|| {
        Hit::step()
            .on(case.on_server())
            .because(case.evidence_request("authorization"))
            .because(case.evidence_challenge("bearer"))
            .naming("authority", authority)
            .until(Next::SignIn)
    })
}

#[cfg(test)]
mod tests {
    use crate::diagnosis::rules::kit::{Example, Raw, STEP};

    const EMPTY: &str = "POST https://mail.contoso.com/mapi/nspi/\nAuthorization: Bearer";
    const CHALLENGE: &str = "401\nX-FEServer: EX01\nWWW-Authenticate: Bearer \
         client_id=\"00000002-0000-0ff1-ce00-000000000000\", \
         trusted_issuers=\"00000001-0000-0000-c000-000000000000@00c118a9-2de9-41d3-0000-000000000000\", \
         authorization_uri=\"https://login.windows.net/common/oauth2/authorize\"\nWWW-Authenticate: NTLM";

    pub(super) const EXAMPLES: &[Example] = &[
        Example::fires("Exchange names its authority", STEP, &[Raw::new(EMPTY, CHALLENGE)]),
        Example::fires(
            "iOS Mail sends an empty Authorization",
            STEP,
            &[Raw::new(
                "OPTIONS https://mail.contoso.com/Microsoft-Server-ActiveSync\nAuthorization:\nX-User-Identity: \
                 avery@contoso.com",
                CHALLENGE,
            )],
        ),
        Example::fires(
            "4000000 speaks of a host name and the authority is there",
            STEP,
            &[Raw::new(
                EMPTY,
                concat!(
                    "401\nX-FEServer: EX01\nWWW-Authenticate: Bearer \
                     authorization_uri=\"https://login.windows.net/common/oauth2/authorize\"\n",
                    "x-ms-diagnostics: 4000000;reason=\"Flighting is not enabled for domain \
                     'mail.contoso.com'.\";error_category=\"oauth_not_available\""
                ),
            )],
        ),
        Example::silent(
            "4000000 speaks of a user",
            &[Raw::new(
                EMPTY,
                concat!(
                    "401\nX-FEServer: EX01\nWWW-Authenticate: Bearer \
                     authorization_uri=\"https://login.windows.net/common/oauth2/authorize\"\n",
                    "x-ms-diagnostics: 4000000;reason=\"Flighting is not enabled for domain \
                     'avery@contoso.com'.\";error_category=\"oauth_not_available\""
                ),
            )],
        ),
        Example::silent(
            "the challenge has no authorization_uri",
            &[Raw::new(
                EMPTY,
                "401\nX-FEServer: EX01\nWWW-Authenticate: Bearer client_id=\"00000002-0000-0ff1-ce00-000000000000\"",
            )],
        ),
        Example::silent(
            "SharePoint tells its realm",
            &[Raw::new(
                "OPTIONS https://contoso.sharepoint.com/_vti_bin/client.svc\nAuthorization: Bearer",
                "401\nWWW-Authenticate: Bearer \
                 realm=\"1\",client_id=\"00000003-0000-0ff1-ce00-000000000000\",authorization_uri=\"https://login.windows.net/common/oauth2/authorize\"",
            )],
        ),
    ];
}
