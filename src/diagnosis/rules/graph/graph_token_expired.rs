//! Microsoft Graph refuses a token whose time is over.
//!
//! Not to be confused with a token whose time has not begun (`clock-skew`, worded alike), or with a demand for further claims
//! (`cae-claims-challenge`).

use crate::diagnosis::token::{Lifetime, evidence_times};
use crate::diagnosis::{Actor, Case, Certainty, Gate, GraphFault, Hit, Kind, Rule, Signs};
use crate::text::Text;

pub(super) static RULE: Rule = Rule {
    id: "graph-token-expired",
    title: Text { en: "Graph: the token has expired", ja: "Graph: トークンの有効期限切れ" },
    explanation: Text {
        en: "Microsoft Graph takes an access token for about an hour, and this one is over. A client is to fetch \
             the next one by itself: with its refresh token, or, as an application, with its certificate or secret \
             again.",
        ja: "Microsoft Graph のアクセス トークンの有効期間は約 1 時間で、このトークンは期限切れです。クライアントは\
             更新トークンを使って、アプリケーションの場合は証明書やシークレットを再度使って、自動で次のトークンを取\
             得する必要があります。",
    },
    remedy: Text {
        en: "Let the program ask its library for a token before each call (MSAL: AcquireTokenSilent, or \
             AcquireTokenForClient, which keep a token until shortly before its end) instead of keeping the text. \
             In PowerShell connect again: Disconnect-MgGraph; Connect-MgGraph. If the token is fresh, compare the \
             clocks with the Date of the answer:\n\
             w32tm /stripchart /computer:time.windows.com /samples:3 /dataonly",
        ja: "トークンの文字列を保持するのではなく、呼び出しのたびにライブラリからトークンを取得します (MSAL の \
             AcquireTokenSilent や AcquireTokenForClient は期限の直前までトークンをキャッシュします)。PowerShell の\
             場合は Disconnect-MgGraph の後に Connect-MgGraph で接続し直します。トークンが新しい場合は、応答の Date \
             と時計を比べます。\n\
             w32tm /stripchart /computer:time.windows.com /samples:3 /dataonly",
    },
    sources: &[
        "https://learn.microsoft.com/en-us/graph/resolve-auth-errors",
        "https://learn.microsoft.com/en-us/entra/msal/dotnet/acquiring-tokens/acquire-token-silently",
    ],
    kinds: &[Kind::Failure],
    certainties: &[Certainty::Certain, Certainty::Likely],
    actors: &[Actor::Client],
    gate: Gate::status(&[401]).showing(Signs::GRAPH.or(Signs::NO_HOST)),
    supersedes: &[],
    find,
    #[cfg(test)]
    examples: tests::EXAMPLES,
};

fn find(case: &Case<'_>) -> Option<Hit> {
    let fault = case.graph_error().and_then(|error| error.fault);
    let unexplained = matches!(fault, None | Some(GraphFault::Token)) && case.signs().has_any(Signs::GRAPH);
    let certainty = match Lifetime::of(case) {
        Lifetime::NotYet(_) => return None,
        _ if fault == Some(GraphFault::Expired) => Certainty::Certain,
        over @ Lifetime::Over(_) if unexplained && case.challenges().iter().all(|c| c.param("claims").is_none()) => {
            over.certainty()?
        }
        _ => return None,
    };
    let hit = Hit::failure(certainty, Actor::Client).on(case.on_user());
    let hit = match case.graph_error() {
        Some(error) if fault == Some(GraphFault::Expired) => hit.because(case.evidence_body(error.message.as_str())),
        _ => hit.because(case.evidence_request("authorization")),
    };
    Some(evidence_times(case).into_iter().fold(hit, Hit::because))
}

#[cfg(test)]
mod tests {
    use crate::diagnosis::rules::kit::{Example, Raw};
    use crate::diagnosis::{Actor, Certainty, Kind};

    pub(super) const EXAMPLES: &[Example] = &[
        Example::fires(
            "Graph says so",
            (Kind::Failure, Certainty::Certain, Actor::Client),
            &[Raw::new(
                "GET https://graph.microsoft.com/v1.0/me/messages\n\
                 Authorization: Bearer {jwt aud=https://graph.microsoft.com exp=1795161600}",
                "401\n\
                 Content-Type: application/json\n\
                 Date: Fri, 20 Nov 2026 09:12:44 GMT\n\
                 \n\
                 {\"error\":{\"code\":\"InvalidAuthenticationToken\",\"message\":\"Lifetime validation failed, the \
                 token is expired.\"}}",
            )],
        ),
        Example::fires(
            "only the answer was pasted",
            (Kind::Failure, Certainty::Certain, Actor::Client),
            &[Raw::new(
                "",
                "401\n\
                 Content-Type: application/json\n\
                 Date: Fri, 20 Nov 2026 09:12:44 GMT\n\
                 \n\
                 {\"error\":{\"code\":\"InvalidAuthenticationToken\",\"message\":\"Access token has expired or is \
                 not yet valid.\"}}",
            )],
        ),
        Example::fires(
            "Graph gives no reason and the token's end is past",
            (Kind::Failure, Certainty::Certain, Actor::Client),
            &[Raw::new(
                "GET https://graph.microsoft.com/v1.0/me/messages\n\
                 Authorization: Bearer {jwt aud=https://graph.microsoft.com exp=1795161600}",
                "401\n\
                 Date: Fri, 20 Nov 2026 09:12:44 GMT\n\
                 WWW-Authenticate: Bearer realm=\"\"",
            )],
        ),
        Example::silent(
            "its time has not begun",
            &[Raw::new(
                "GET https://graph.microsoft.com/v1.0/me/messages\n\
                 Authorization: Bearer {jwt aud=https://graph.microsoft.com nbf=1795167600 exp=1795171200}",
                "401\n\
                 Content-Type: application/json\n\
                 Date: Fri, 20 Nov 2026 09:12:44 GMT\n\
                 \n\
                 {\"error\":{\"code\":\"InvalidAuthenticationToken\",\"message\":\"Access token has expired or is \
                 not yet valid.\"}}",
            )],
        ),
        Example::silent(
            "the audience is what is wrong",
            &[Raw::new(
                "GET https://graph.microsoft.com/v1.0/me/messages\n\
                 Authorization: Bearer {jwt aud=https://graph.microsoft.com exp=1795161600}",
                "401\n\
                 Content-Type: application/json\n\
                 Date: Fri, 20 Nov 2026 09:12:44 GMT\n\
                 \n\
                 {\"error\":{\"code\":\"InvalidAuthenticationToken\",\"message\":\"Access token validation failure. \
                 Invalid audience.\"}}",
            )],
        ),
        Example::silent(
            "further claims are asked for",
            &[Raw::new(
                "GET https://graph.microsoft.com/v1.0/me/messages\n\
                 Authorization: Bearer {jwt aud=https://graph.microsoft.com exp=1795161600}",
                "401\n\
                 Date: Fri, 20 Nov 2026 09:12:44 GMT\n\
                 WWW-Authenticate: Bearer error=\"insufficient_claims\", claims=\"eyJhY2Nlc3NfdG9rZW4iOnt9fQ==\"",
            )],
        ),
    ];
}
